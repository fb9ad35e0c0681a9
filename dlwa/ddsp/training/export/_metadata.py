"""metadata.json: what a host shows and needs, under the names the field's plug-ins read."""

import time

from dlwa.ddsp import core
from dlwa.version import __version__

__all__ = ["metadata"]

_NOTES = ("mean_min_pitch_note", "mean_max_pitch_note")
_POWERS = ("mean_min_power_note", "mean_max_power_note")


def metadata(played, facts=None):
    """Facts about a model as plain values; those of the data set only where there are any."""
    sizes = dict(played.model.decoder.output_splits)
    statistics, known = played.statistics or {}, {}
    for key in _NOTES:
        if key in statistics:
            known[key] = float(statistics[key])
            known[f"{key}_hz"] = float(core.midi_to_hz(float(statistics[key])))
    known.update({key: float(statistics[key]) for key in _POWERS if key in statistics})
    return {
        **known,
        "version": __version__,
        "export_time": time.strftime("%Y-%m-%d %H:%M:%S"),
        "num_harmonics": sizes.get("harmonic_distribution"),
        "num_noise_amps": sizes.get("noise_magnitudes", sizes.get("magnitudes")),
        "frame_rate": played.sample_rate // played.hop_size,
        "frame_size": int(getattr(played.model.preprocessor, "frame_size", played.hop_size)),
        "hop_size": played.hop_size,
        "sample_rate": played.sample_rate,
        **(facts or {}),
    }
