"""Encoders that transcribe: audio to sinusoids, sinusoids to harmonics, harmonics to notes."""

import gin
import tensorflow as tf

from dlwa.ddsp import core, spectral_ops
from dlwa.ddsp.training import nn

__all__ = [
    "HarmonicToMidiEncoder",
    "MidiEncoder",
    "ResnetSinusoidalEncoder",
    "SinusoidalToHarmonicEncoder",
]

_register = gin.register(module="dlwa.ddsp.training.encoders")


def _f0_between_20_and_1200_hz(freqs):
    """One frequency from a softmax over all channels, equally spaced in pitch."""
    return core.frequencies_softmax(freqs, depth=freqs.shape[-1], hz_min=20.0, hz_max=1200.0)


@_register
class ResnetSinusoidalEncoder(nn.DictLayer):
    """A residual network over a spectrogram that gives sinusoids and noise for each frame.

    Args:
        output_splits: (name, size) pairs.
        spectral_fn: audio `[batch, n]` -> spectrogram `[batch, time, bins]`.
        size: of nn.ResNet.
    """

    def __init__(
        self,
        output_splits=(("frequencies", 6400), ("amplitudes", 100), ("noise_magnitudes", 60)),
        spectral_fn=spectral_ops.compute_logmel,
        size="tiny",
        **kwargs,
    ):
        kwargs.setdefault("output_keys", [name for name, _ in output_splits])
        super().__init__(**kwargs)
        self.output_splits = output_splits
        self.spectral_fn = spectral_fn
        self.resnet = nn.ResNet(size)
        self.dense_outs = [nn.Dense(n) for _, n in output_splits]

    def call(self, audio):
        """`[batch, n]` -> one `[batch, time, size]` for each output split, float32."""
        spectrum = self.spectral_fn(core.tf_float32(audio))
        x = self.resnet(spectrum[..., tf.newaxis])
        x = tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1], x.shape[2] * x.shape[3]])
        return [tf.cast(dense(x), tf.float32) for dense in self.dense_outs]


@_register
class SinusoidalToHarmonicEncoder(nn.DictLayer):
    """Finds the harmonic sound that a set of sinusoids belongs to.

    Args:
        net: the network on frequencies and amplitudes side by side.
        n_harmonics: harmonics to find.
        f0_depth: channels from which the pitch is read.
        amp_scale_fn: applied to amplitude and distribution.
        freq_scale_fn: from `f0_depth` channels to the pitch in Hz.
        sample_rate: in Hz.
    """

    def __init__(
        self,
        net=None,
        n_harmonics=100,
        f0_depth=64,
        amp_scale_fn=core.exp_sigmoid,
        freq_scale_fn=_f0_between_20_and_1200_hz,
        sample_rate=16000,
        **kwargs,
    ):
        kwargs.setdefault("output_keys", ["harm_amp", "harm_dist", "f0_hz"])
        super().__init__(**kwargs)
        self.amp_scale_fn = amp_scale_fn
        self.freq_scale_fn = freq_scale_fn
        self.sample_rate = sample_rate
        self.net = net
        self.amp_out = nn.Dense(1)
        self.hd_out = nn.Dense(n_harmonics)
        self.f0_out = nn.Dense(f0_depth)

    def call(self, sin_freqs, sin_amps):
        """Two `[batch, time, sinusoids]` -> amplitude, distribution and pitch over time."""
        pitches = core.hz_to_unit(sin_freqs, hz_min=0.0, hz_max=self.sample_rate / 2.0)
        x = self.net(tf.concat([pitches, sin_amps], axis=-1))
        amp, dist, f0 = (
            tf.cast(dense(x), tf.float32) for dense in (self.amp_out, self.hd_out, self.f0_out)
        )
        harm_amp, harm_dist = self.amp_scale_fn(amp), self.amp_scale_fn(dist)
        f0_hz = self.freq_scale_fn(f0)
        return harm_amp, core.normalize_harmonics(harm_dist, f0_hz, self.sample_rate), f0_hz


class _ToMidi(nn.DictLayer):
    """Shared by the MIDI encoders: a net on all inputs, a normalisation, pitch and velocity."""

    def __init__(self, net=None, f0_residual=True, **kwargs):
        kwargs.setdefault("output_keys", ["z_pitch", "z_vel"])
        super().__init__(**kwargs)
        self.f0_residual = f0_residual
        self.net = net
        self.norm = nn.Normalize("layer")
        self.dense_out = nn.Dense(2)

    def _encode(self, f0_midi, *others):
        x = self.norm(self.net(tf.concat([f0_midi, *others], axis=-1)))
        z_pitch, z_vel = tf.split(tf.cast(self.dense_out(x), tf.float32), 2, axis=-1)
        return (z_pitch + f0_midi if self.f0_residual else z_pitch), z_vel


@_register
class MidiEncoder(_ToMidi):
    """Pitch and velocity of notes from pitch and loudness curves.

    Args:
        net: the network on all inputs side by side.
        f0_residual: the network's pitch is added to f0_midi.
    """

    def call(self, f0_midi, loudness):
        """Two `[batch, time, 1]` -> z_pitch, z_vel `[batch, time, 1]`."""
        return self._encode(f0_midi, loudness)


@_register
class HarmonicToMidiEncoder(_ToMidi):
    """Pitch and velocity of notes from the controls of a harmonic synthesizer.

    Args:
        net: the network on all inputs side by side.
        f0_residual: the network's pitch is added to f0_midi.
    """

    def call(self, f0_midi, amps, hd, noise):
        """`[batch, time, c]` each -> z_pitch, z_vel `[batch, time, 1]`."""
        return self._encode(f0_midi, amps, hd, noise)
