"""The whole way from a recording to the model's sound in a file."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlwa.ddsp.audio_io import read_audio
from dlwa.ddsp.timbre_transfer._conditioning import Conditioned, condition
from dlwa.ddsp.timbre_transfer._decoding import scaled_features
from dlwa.ddsp.timbre_transfer._errors import TransferError
from dlwa.ddsp.timbre_transfer._explain import Explanation
from dlwa.ddsp.timbre_transfer._knobs import Knobs
from dlwa.ddsp.timbre_transfer._measure import Features, measure
from dlwa.ddsp.timbre_transfer._player import Controls, Player
from dlwa.ddsp.timbre_transfer._writer import SoundWriter, check_output


@dataclass(frozen=True)
class Result:
    """What a transfer made: the file, its rate, and everything that led to it."""

    path: Path
    sample_rate: int
    seconds: float
    features: Features
    conditioned: Conditioned
    explanation: Explanation


def transfer(
    source,
    model,
    target,
    knobs=None,
    *,
    pitch_model="tiny",
    sample_rate=None,
    subtype="PCM_16",
    block_frames=500,
    features=None,
    progress=lambda done, total, what: None,
):
    """Let a model play a recording.

    Args:
        source: the recording, any format, rate and length.
        model: a PlayableModel.
        target: the file to write (.wav, .flac or .ogg); an existing one is replaced when the new
            one is whole.
        knobs: a Knobs.
        pitch_model: size of the CREPE network that follows the pitch, or "swift".
        sample_rate: of the file, in Hz; default: the model's.
        subtype: see audio_io.write_audio.
        block_frames: frames played at a time.
        features: what `listen` measured in this recording before; default: it is measured now.
        progress: called with (done, total, what) while it works; total may be None.

    Raises:
        AudioFileError: if the recording cannot be read as sound.
        TransferError: if it is silent or too short.
        ValueError: for a target that cannot be written.
    """
    knobs = knobs or Knobs()
    check_output(target, sample_rate, source)
    player = Player(
        model, block_frames, knobs.harmonics_db, knobs.noise_db, knobs.reverb, knobs.seed
    )
    if features is None:
        with ThreadPoolExecutor(1) as meanwhile:
            rehearsal = meanwhile.submit(player.rehearse)
            features = listen(source, model, pitch_model, progress=progress)
            rehearsal.result()
    conditioned = condition(features, knobs, model.statistics)
    conditioned.explanation.warnings[:0] = model.notes
    controls = controls_for(model, features, conditioned, source)
    n_samples = round(features.seconds * model.sample_rate)
    with SoundWriter(target, model.sample_rate, sample_rate, subtype) as writer:
        for block in player.play(controls):
            writer.add(block[: n_samples - writer.length])
            progress(writer.length / model.sample_rate, features.seconds, "playing")
        if writer.peak > 1.0:
            conditioned.explanation.warnings.append(
                f"the sound was {20 * np.log10(writer.peak):.1f} dB too loud and was turned down"
            )
    seconds = writer.length / model.sample_rate
    rate = sample_rate or model.sample_rate
    return Result(Path(target), rate, seconds, features, conditioned, conditioned.explanation)


def listen(source, model, pitch_model="tiny", *, progress=lambda done, total, what: None):
    """Measure a recording as a model needs it; worth keeping while knobs are turned.

    Args and errors as in `transfer`.

    Returns:
        Features.
    """
    return measure(
        source,
        model.frame_rate,
        pitch_model,
        loudness_rate=model.loudness_rate,
        power_frame=model.power_frame,
        tick=lambda seconds: progress(seconds, None, "listening"),
    )


def controls_for(model, features, conditioned, source=None):
    """The conditioned performance at the model's frames.

    Args:
        model: a PlayableModel.
        features: as measured.
        conditioned: what condition() made of them.
        source: the recording, for models whose encoder listens to it.
    """
    n_frames = max(1, int(np.ceil(features.seconds * model.sample_rate / model.hop_size)))
    wanted_s = np.arange(n_frames) * model.hop_size / model.sample_rate
    measured_s = np.arange(len(features.f0_hz)) / features.frame_rate

    def at_frames(x):
        return np.interp(wanted_s, measured_s, x).astype(np.float32)

    loudness_db = features.model_loudness_db + conditioned.loudness_shift_db
    controls = Controls(
        at_frames(conditioned.f0_hz), at_frames(loudness_db), at_frames(conditioned.tone)
    )
    if model.model.encoder is None:
        return controls
    if source is None:
        raise TransferError("this model listens to the recording itself, which is not given")
    return Controls(
        controls.f0_hz, controls.loudness_db, controls.tone, _latent(model, controls, source)
    )


def _latent(model, controls, source):
    """What the model's encoder hears in the recording, `[n_frames, z_dims]`."""
    audio, _ = read_audio(source, model.sample_rate)
    features = scaled_features(
        controls.f0_hz[np.newaxis, :, np.newaxis],
        controls.loudness_db[np.newaxis, :, np.newaxis],
        None,
    )
    z = model.model.encoder({**features, "audio": audio[np.newaxis]})["z"]
    return np.asarray(z[0], np.float32)
