"""Learn one note by gradient descent: no network, only the controls of the synthesizer.

python examples/fit_note.py --recording violin.wav --at 0.4 --out learned.wav
"""

import argparse

import numpy as np

import dlwa
from dlwa.ddsp.audio_io import read_audio, write_audio
from dlwa.ddsp.quiet import import_tensorflow

RATE, HOP, VIOLIN = 16000, 64, f"{dlwa.__path__[0]}/demo_data/violin_to_learn.flac"


def fit(note: np.ndarray, n_steps: int) -> tuple[list[float], np.ndarray]:
    """Imitate a note `[n]`: the loss of every step, and the sound `[n]` at the end."""
    import_tensorflow()
    import tensorflow as tf

    from dlwa import ddsp

    n_frames = len(note) // HOP
    pitch = ddsp.spectral_ops.compute_f0(note, RATE / HOP, model="tiny")[0][None, :n_frames, None]
    shapes = ([1, n_frames, 1], [1, 1, 40], [1, n_frames, 32])
    loudness, overtones, noise = learned = [tf.Variable(tf.fill(shape, -1.0)) for shape in shapes]
    loss_of, adam = ddsp.losses.SpectralLoss(logmag_weight=1.0), tf.keras.optimizers.Adam(0.1)
    tones = ddsp.synths.Harmonic(n_samples=n_frames * HOP, sample_rate=RATE)
    breath = ddsp.synths.FilteredNoise(n_samples=n_frames * HOP)

    def play():
        return tones(loudness, tf.repeat(overtones, n_frames, 1), pitch) + breath(noise)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = loss_of(note[None], play())
        adam.apply_gradients(zip(tape.gradient(loss, learned), learned, strict=True))
        return loss

    return [float(step()) for _ in range(n_steps)], play()[0].numpy()


def main(argv=None) -> None:
    """Read a note, learn it, write what was learned."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recording", default=VIOLIN, help="[default: the demo's violin]")
    parser.add_argument("--at", type=float, default=1.8, help="second at which the note begins")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--out", default="learned.wav")
    given = parser.parse_args(argv)
    note = read_audio(given.recording, RATE)[0][int(given.at * RATE) :][:RATE]
    losses, audio = fit(note[: len(note) // HOP * HOP], given.steps)
    write_audio(given.out, audio, RATE)
    print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f} ({losses[-1] / losses[0]:.0%}): {given.out}")


if __name__ == "__main__":
    main()
