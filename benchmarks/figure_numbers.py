"""The numbers behind the five figures of docs/explanation/synthesizer.md.

Every function plays something with dlwa and measures it with NumPy alone; what the controls ask for
and what is measured stand side by side, so that a figure that lies can be noticed.
"""

import numpy as np

from dlwa.ddsp import core, effects, losses, spectral_ops, synths

RATE = 16000
HOP = 64
FFT_SIZES = (2048, 512, 64)
LOW_HZ, HIGH_HZ = 220.0, 880.0
DECAY = 2.5  # the exponent of the room is 2 + exp(DECAY) over its length
ROOM_S = 1.5


def _frames(value, n_frames: int) -> np.ndarray:
    return np.broadcast_to(np.float32(value), [1, n_frames, np.size(value)])


def _db(amplitude) -> np.ndarray:
    return 20 * np.log10(np.maximum(np.abs(amplitude), 1e-6))


def _amplitude_spectrum(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz and amplitudes of the sine waves in a steady sound."""
    window = np.hanning(len(audio))
    amplitudes = 2 * np.abs(np.fft.rfft(audio * window)) / window.sum()
    return np.fft.rfftfreq(len(audio), 1 / RATE), amplitudes


def harmonic_distribution() -> dict:
    """Shares of the harmonics at two pitches, asked for and measured in the sound."""
    numbers = np.arange(1, 31)
    shares = np.where(numbers % 2, 1.0, 0.25) / numbers**1.2  # a clarinet: even ones are weak
    notes = {}
    for f0_hz in (LOW_HZ, HIGH_HZ):
        synth = synths.Harmonic(n_samples=RATE, sample_rate=RATE, scale_fn=None)
        controls = synth.get_controls(_frames(0.5, 250), _frames(shares, 250), _frames(f0_hz, 250))
        audio = synth.get_signal(**controls)[0].numpy()
        hz, spectrum = _amplitude_spectrum(audio[RATE // 4 : -RATE // 4])
        audible = numbers[numbers * f0_hz < RATE / 2]
        peaks = [spectrum[np.abs(hz - k * f0_hz) < f0_hz / 2].max() for k in audible]
        notes[f0_hz] = {
            "asked": 0.5 * controls["harmonic_distribution"][0, 0].numpy(),
            "measured": np.array(peaks),
            "hz": hz,
            "spectrum_db": _db(spectrum),
        }
    return {"numbers": numbers, "shares": shares / shares.sum(), "notes": notes}


def noise_filter() -> dict:
    """Magnitudes a network could ask for, and the spectrum of the noise that comes out."""
    n_bands, n_frames = 65, 2500
    bands_hz = np.linspace(0, RATE / 2, n_bands)
    asked = 0.02 + np.exp(-(((bands_hz - 1500) / 500) ** 2)) + 0.4 * (bands_hz > 5000)
    synth = synths.FilteredNoise(
        n_samples=n_frames * HOP, window_size=0, scale_fn=None, initial_bias=0.0
    )
    with core.noise_seed(0):
        audio = synth(_frames(asked, n_frames))[0].numpy()
    pieces = audio[: len(audio) // 512 * 512].reshape(-1, 512) * np.hanning(512)
    power = np.mean(np.abs(np.fft.rfft(pieces)) ** 2, 0) / np.sum(np.hanning(512) ** 2)
    white = 1 / 3  # the power of uniform noise from -1 to 1
    return {
        "bands_hz": bands_hz,
        "asked": asked,
        "hz": np.fft.rfftfreq(512, 1 / RATE),
        "measured": np.sqrt(power / white),
        "audio": audio,
    }


def reverb() -> dict:
    """A short note in a room: how the energy dies away, asked for and measured."""
    n_room, n_samples = int(ROOM_S * RATE), 2 * RATE
    at = np.arange(n_samples) / RATE
    dry = (np.sin(2 * np.pi * 440 * at) * (at < 0.1)).astype(np.float32)[None]
    room = effects.ExpDecayReverb(reverb_length=n_room, scale_fn=None, add_dry=True)
    with core.noise_seed(0):
        controls = room.get_controls(dry, gain=[[0.03]], decay=[[DECAY]])
        wet = room.get_signal(**controls)[0].numpy()
    response = controls["ir"].numpy().ravel()
    left = np.cumsum(response[::-1] ** 2)[::-1]  # energy still to come (Schroeder 1965)
    curve_db = 10 * np.log10(np.maximum(left / left[0], 1e-12))
    falling = (curve_db < -5) & (curve_db > -35)
    seconds = np.arange(n_room) / RATE
    slope = np.polyfit(seconds[falling], curve_db[falling], 1)[0]
    exponent = (2 + np.exp(DECAY)) / ROOM_S
    return {
        "dry": dry[0],
        "wet": wet,
        "response": response,
        "curve_db": curve_db,
        "seconds_to_60_db": -60 / slope,
        "asked_seconds_to_60_db": 60 / (20 * np.log10(np.e) * exponent),
    }


def loss_spectrograms() -> dict:
    """A note and a poor imitation, seen through windows of three lengths, and what each costs."""
    glide = np.linspace(430, 450, 500)
    target = _note(glide, brightness=1.0)
    imitation = _note(np.full(500, 440.0), brightness=1.8)
    views = {}
    for size in FFT_SIZES:
        cost = losses.SpectralLoss(fft_sizes=(size,), mag_weight=1.0, logmag_weight=1.0)
        pair = [spectral_ops.compute_logmag(sound[None], size)[0] for sound in (target, imitation)]
        views[size] = {
            "target": pair[0].numpy(),
            "imitation": pair[1].numpy(),
            "loss": float(cost(target[None], imitation[None])),
            "loss_of_itself": float(cost(target[None], target[None])),
        }
    whole = losses.SpectralLoss(fft_sizes=FFT_SIZES, mag_weight=1.0, logmag_weight=1.0)
    return {"views": views, "loss": float(whole(target[None], imitation[None]))}


def _note(f0_hz: np.ndarray, brightness: float) -> np.ndarray:
    n_frames, numbers = len(f0_hz), np.arange(1, 16)
    synth = synths.Harmonic(n_samples=n_frames * HOP, sample_rate=RATE, scale_fn=None)
    swell = 0.5 * np.sin(np.pi * np.arange(n_frames) / n_frames)
    audio = synth(
        np.float32(swell)[None, :, None],
        _frames(numbers**-brightness, n_frames),
        np.float32(f0_hz)[None, :, None],
    )
    return audio[0].numpy()


def wavetable() -> dict:
    """One drawn period and what becomes of it when it is read at two pitches."""
    numbers = np.arange(1, 13)
    shares = 1.0 / numbers**1.3
    shares /= shares.sum()
    table = core.harmonic_distribution_to_wavetable(shares.astype(np.float32), 512).numpy()
    sounds = {}
    for f0_hz in (110.0, 330.0):
        synth = synths.Wavetable(n_samples=RATE, sample_rate=RATE, scale_fn=None)
        audio = synth(_frames(0.5, 250), _frames(table, 250), _frames(f0_hz, 250))[0].numpy()
        hz, spectrum = _amplitude_spectrum(audio[RATE // 4 : -RATE // 4])
        peaks = [spectrum[np.abs(hz - k * f0_hz) < f0_hz / 2].max() for k in numbers]
        sounds[f0_hz] = {"audio": audio, "measured": np.array(peaks)}
    return {"numbers": numbers, "asked": 0.5 * shares, "table": table, "sounds": sounds}
