"""A tone from twenty sine waves that fades away: the additive synthesizer by hand.

    python examples/additive.py --out additive

writes additive.wav to hear it and additive.png to see it.
"""

import argparse

import matplotlib
import numpy as np

from dlwa.ddsp.audio_io import write_audio
from dlwa.ddsp.quiet import import_tensorflow

RATE, HOP = 16000, 64


def play(n_frames: int, n_harmonics: int, f0_hz: float) -> np.ndarray:
    """Audio `[n_frames * 64]`: harmonic k is 1/k as loud as the first, all fade out together."""
    import_tensorflow()
    from dlwa import ddsp

    # Controls are `[batch, n_frames, channels]`, one frame for every 64 samples.
    amplitudes = np.linspace(1.0, 0.0, n_frames)[None, :, None]
    shares = np.tile(1.0 / np.arange(1, n_harmonics + 1), [1, n_frames, 1])
    pitch = np.full([1, n_frames, 1], f0_hz)
    synth = ddsp.synths.Harmonic(n_samples=n_frames * HOP, sample_rate=RATE, scale_fn=None)
    return synth(amplitudes, shares, pitch)[0].numpy()


def draw(audio: np.ndarray, path: str, title: str) -> None:
    """A spectrogram as PNG."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    axes.specgram(audio + 1e-6, NFFT=1024, Fs=RATE, noverlap=768, vmin=-140)
    axes.set(xlabel="seconds", ylabel="Hz", title=title)
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def main(argv=None) -> None:
    """Play, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--harmonics", type=int, default=20)
    parser.add_argument("--f0_hz", type=float, default=440.0)
    parser.add_argument("--out", default="additive", help="name of the files, without an ending")
    given = parser.parse_args(argv)
    audio = play(given.frames, given.harmonics, given.f0_hz)
    write_audio(f"{given.out}.wav", audio, RATE)
    draw(audio, f"{given.out}.png", f"{given.harmonics} harmonics of {given.f0_hz:g} Hz")
    print(f"{given.out}.wav and {given.out}.png: {len(audio) / RATE:g} s")


if __name__ == "__main__":
    main()
