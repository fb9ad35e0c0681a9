"""What a dataset sounds like, in 37 numbers and a curve: pitch, power and loudness."""

import numpy as np

from dlwa.ddsp.training.postprocessing._notes import detect_notes
from dlwa.ddsp.training.postprocessing._quantiles import QuantileTransformer

POWER_SAMPLE_RATE = 16000
# The last frames of a window see past its end.
_TRIMMED_FRAMES = 20
_RANGE_DB = 80.0


def compute_dataset_statistics(
    data_provider,
    batch_size: int = 1,
    power_frame_size: int = 1024,
    power_frame_rate: int = 50,
) -> dict:
    """Read a dataset once and describe its pitch (MIDI), power (dB) and loudness (dB).

    ``data_provider.get_batch(batch_size, repeats=1)`` yields dictionaries with audio (or
    audio_16k), f0_hz, f0_confidence and loudness_db. Where power at ``power_frame_rate`` does not
    give as many frames as the stored features have, it is measured at the rate of the features.

    Returns a dictionary of `mean|max|min|mean_max|mean_min|std` `_` `pitch|power|loudness`, the
    same with `_note` for frames in which a note sounds, and `quantile_transform`, fitted to the
    loudness of notes. Raises ValueError for an empty dataset.
    """
    features = _collect(data_provider, batch_size, power_frame_size, power_frame_rate)
    mask, _ = detect_notes(features["loudness"], features["confidence"])
    if not mask.any():  # nothing clear enough to be a note: describe everything
        mask = np.ones_like(mask)
    stats = {}
    for name in ("pitch", "power", "loudness"):
        stats.update(_describe(features[name], np.ones_like(mask), name))
        stats.update(_describe(features[name], mask, f"{name}_note"))
    quantiles = QuantileTransformer(random_state=0)
    stats["quantile_transform"] = quantiles.fit(features["loudness"][mask].reshape(-1, 1))
    return stats


def _collect(data_provider, batch_size, frame_size, frame_rate) -> dict[str, np.ndarray]:
    """All rows of the dataset as `[n_examples, n_frames]` arrays of one length."""
    rows: dict[str, list] = {"pitch": [], "power": [], "loudness": [], "confidence": []}
    for batch in data_provider.get_batch(batch_size, repeats=1):
        audio = batch["audio_16k"] if "audio_16k" in batch else batch["audio"]
        f0_hz = _rows(batch["f0_hz"])
        rows["pitch"].append(_midi(f0_hz))
        rows["loudness"].append(_rows(batch["loudness_db"]))
        rows["confidence"].append(_rows(batch["f0_confidence"]))
        rows["power"].append(_power(_rows(audio), f0_hz.shape[1], frame_size, frame_rate))
    if not rows["pitch"]:
        raise ValueError("cannot compute statistics: the dataset holds no examples")
    n_frames = min(part.shape[1] for parts in rows.values() for part in parts)
    keep = n_frames - _TRIMMED_FRAMES if n_frames > 2 * _TRIMMED_FRAMES else n_frames
    return {name: np.concatenate([p[:, :keep] for p in parts]) for name, parts in rows.items()}


def _rows(values) -> np.ndarray:
    """Features as `[batch, t]`; a trailing channel axis of 1 is dropped."""
    values = np.asarray(values, np.float32)
    return values[..., 0] if values.ndim == 3 else values


def _power(audio: np.ndarray, n_frames: int, frame_size: int, frame_rate: int) -> np.ndarray:
    seconds = audio.shape[1] / POWER_SAMPLE_RATE
    if abs(seconds * frame_rate - n_frames) > 1.5:
        frame_rate = round(n_frames / seconds)
    frame_size = max(frame_size, POWER_SAMPLE_RATE // frame_rate)
    if POWER_SAMPLE_RATE % frame_rate == 0 and frame_size % 2 == 0:
        return _centred_power(audio, POWER_SAMPLE_RATE // frame_rate, frame_size)
    from dlwa.ddsp import spectral_ops

    power = spectral_ops.compute_power(
        audio, sample_rate=POWER_SAMPLE_RATE, frame_rate=frame_rate, frame_size=frame_size
    )
    return np.asarray(power, np.float32)


def _centred_power(audio: np.ndarray, hop: int, frame_size: int) -> np.ndarray:
    """What spectral_ops.compute_power gives, as differences of running sums: no frame is copied."""
    half = frame_size // 2
    energy = np.cumsum(np.square(np.pad(audio, ((0, 0), (half, half))), dtype=np.float64), axis=1)
    energy = np.pad(energy, ((0, 0), (1, 0)))
    starts = np.arange(audio.shape[1] // hop + 1) * hop
    power = (energy[:, starts + frame_size] - energy[:, starts]) / frame_size
    floor = 10.0 ** (-_RANGE_DB / 10.0)
    return (10.0 * np.log10(np.maximum(power, floor))).astype(np.float32)


def _midi(f0_hz: np.ndarray) -> np.ndarray:
    """MIDI pitch; 0 where there is none."""
    safe = np.where(f0_hz > 0.0, f0_hz, 440.0).astype(np.float64)
    return np.where(f0_hz > 0.0, 69.0 + 12.0 * np.log2(safe / 440.0), 0.0).astype(np.float32)


def _describe(values: np.ndarray, mask: np.ndarray, name: str) -> dict[str, np.float32]:
    """Six statistics of the masked frames; mean_max is the mean over examples of their maximum."""
    chosen = values[mask]
    rows = [row[on] for row, on in zip(values, mask, strict=True) if on.any()]
    return {
        f"mean_{name}": np.float32(chosen.mean(dtype=np.float64)),
        f"max_{name}": np.float32(chosen.max()),
        f"min_{name}": np.float32(chosen.min()),
        f"mean_max_{name}": np.float32(np.mean([row.max() for row in rows], dtype=np.float64)),
        f"mean_min_{name}": np.float32(np.mean([row.min() for row in rows], dtype=np.float64)),
        f"std_{name}": np.float32(chosen.std(dtype=np.float64)),
    }
