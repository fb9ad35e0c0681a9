"""From vibrato to frequency modulation: one sine wave whose pitch swings, slowly or very fast.

    python examples/vibrato.py --rate_hz 6 --depth_hz 15      a singer's vibrato
    python examples/vibrato.py --rate_hz 110 --depth_hz 330   a bell-like spectrum

The same control makes both: below some 20 swings a second we hear the pitch move, above it the
swings become partials of their own, at 440 Hz plus and minus multiples of the rate.
"""

import argparse

import numpy as np

from dlwa.ddsp.audio_io import write_audio
from dlwa.ddsp.quiet import import_tensorflow

RATE, HOP = 16000, 8  # short frames, so that the pitch can move 1000 times a second


def play(seconds: float, carrier_hz: float, rate_hz: float, depth_hz: float) -> np.ndarray:
    """Audio `[n]` of a sine wave of ``carrier_hz`` that swings by ``depth_hz`` either way."""
    import_tensorflow()
    from dlwa import ddsp

    n_frames = int(seconds * RATE) // HOP
    at = np.arange(n_frames) * HOP / RATE
    pitch = carrier_hz + depth_hz * np.sin(2 * np.pi * rate_hz * at)
    amplitudes = 0.5 * np.minimum(1.0, 20 * np.minimum(at, seconds - at))  # no click at the ends
    synth = ddsp.synths.Harmonic(n_samples=n_frames * HOP, sample_rate=RATE, scale_fn=None)
    return synth(amplitudes[None, :, None], np.ones([1, n_frames, 1]), pitch[None, :, None])[
        0
    ].numpy()


def main(argv=None) -> None:
    """Play and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--carrier_hz", type=float, default=440.0)
    parser.add_argument("--rate_hz", type=float, default=6.0, help="swings a second")
    parser.add_argument("--depth_hz", type=float, default=15.0, help="how far the pitch swings")
    parser.add_argument("--out", default="vibrato.wav")
    given = parser.parse_args(argv)
    if not 0 <= given.depth_hz < given.carrier_hz or given.rate_hz > RATE / HOP / 4:
        parser.error(f"depth_hz must be below carrier_hz, rate_hz at most {RATE / HOP / 4:g}")
    audio = play(given.seconds, given.carrier_hz, given.rate_hz, given.depth_hz)
    write_audio(given.out, audio, RATE)
    index = given.depth_hz / given.rate_hz if given.rate_hz else 0.0
    print(f"{given.out}: {len(audio) / RATE:g} s, modulation index {index:.3g}")


if __name__ == "__main__":
    main()
