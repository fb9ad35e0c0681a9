"""Encoders that hear: from the audio's cepstrum to a latent z over time."""

import gin
import tensorflow as tf

from dlwa.ddsp import core, spectral_ops
from dlwa.ddsp.training import nn

from ._base import ZEncoder

__all__ = [
    "AggregateFeaturesEncoder",
    "ExpressionEncoder",
    "MfccEncoder",
    "MfccRnnEncoder",
    "MfccTimeDistributedRnnEncoder",
    "OneHotEncoder",
]

_register = gin.register(module="dlwa.ddsp.training.encoders")

# Frames of z for 4 s at 16 kHz -> (FFT size, overlap) of the cepstrum.
_FRAMING = {
    63: (2048, 0.5),
    125: (1024, 0.5),
    250: (1024, 0.75),
    500: (512, 0.75),
    1000: (256, 0.75),
}


def _mfcc(audio, fft_size, overlap, mel_bins=128, mfcc_bins=30):
    return spectral_ops.compute_mfcc(
        core.tf_float32(audio),
        lo_hz=20.0,
        hi_hz=8000.0,
        fft_size=fft_size,
        mel_bins=mel_bins,
        mfcc_bins=mfcc_bins,
        overlap=overlap,
        pad_end=True,
    )


@_register
class MfccTimeDistributedRnnEncoder(ZEncoder):
    """z over time from the audio's cepstrum: normalised, a recurrent layer, a Dense layer.

    Args:
        rnn_channels: size of the recurrent state.
        rnn_type: 'gru' or 'lstm'.
        z_dims: channels of z.
        z_time_steps: frames at which the audio (4 s) is heard: 63, 125, 250, 500 or 1000.

    Raises:
        ValueError: for another number of frames.
    """

    def __init__(self, rnn_channels=512, rnn_type="gru", z_dims=32, z_time_steps=250, **kwargs):
        super().__init__(**kwargs)
        if z_time_steps not in _FRAMING:
            raise ValueError(f"z_time_steps={z_time_steps} must be one of {sorted(_FRAMING)}")
        self.fft_size, self.overlap = _FRAMING[z_time_steps]
        self.z_norm = nn.Normalize("instance")
        self.rnn = nn.Rnn(rnn_channels, rnn_type)
        self.dense_out = nn.Dense(z_dims)

    def compute_z(self, audio):
        """`[batch, n]` -> `[batch, z_time_steps, z_dims]`."""
        mfccs = _mfcc(audio, self.fft_size, self.overlap)
        return self.dense_out(self.rnn(self.z_norm(mfccs)))


@_register
class MfccRnnEncoder(ZEncoder):
    """z from the audio's cepstrum by a recurrent layer.

    Args:
        rnn_channels: size of the recurrent state.
        rnn_type: 'gru' or 'lstm'.
        z_dims: channels of z.
        mean_aggregate: one z for the whole sound (its mean) instead of one over time.
    """

    def __init__(
        self, rnn_channels=512, rnn_type="gru", z_dims=512, mean_aggregate=False, **kwargs
    ):
        super().__init__(**kwargs)
        self.mean_aggregate = mean_aggregate
        self.norm_in = nn.Normalize("instance")
        self.rnn = nn.Rnn(rnn_channels, rnn_type)
        self.dense_z = nn.Dense(z_dims)

    def compute_z(self, audio):
        """`[batch, n]` -> `[batch, z_dims]`, or `[batch, time, z_dims]` without the mean."""
        x = self.rnn(self.norm_in(_mfcc(audio, 1024, 0.75)))
        if self.mean_aggregate:
            x = tf.reduce_mean(tf.cast(x, tf.float32), axis=1)
        return self.dense_z(x)


@_register
class MfccEncoder(ZEncoder):
    """z is the audio's cepstrum itself, at one or several frame sizes side by side.

    Args:
        fft_sizes, mel_bins, mfcc_bins: one number for each frame size.
        time_steps: frames to which each cepstrum is brought before they are put together.
    """

    def __init__(
        self, fft_sizes=(1024,), mel_bins=(128,), mfcc_bins=(30,), time_steps=250, **kwargs
    ):
        if not len(fft_sizes) == len(mel_bins) == len(mfcc_bins):
            raise ValueError(
                f"fft_sizes={fft_sizes}, mel_bins={mel_bins} and mfcc_bins={mfcc_bins} "
                "must have the same length"
            )
        super().__init__(**kwargs)
        self.settings = tuple(zip(fft_sizes, mel_bins, mfcc_bins, strict=True))
        self.time_steps = time_steps
        self.norms = [nn.Normalize("instance") for _ in fft_sizes]

    def compute_z(self, audio):
        """`[batch, n]` -> `[batch, time_steps, sum of mfcc_bins]`."""
        cepstra = []
        for (fft_size, mel, mfcc), norm in zip(self.settings, self.norms, strict=True):
            cepstrum = norm(_mfcc(audio, fft_size, 0.75, mel, mfcc))
            cepstra.append(core.resample(cepstrum, self.time_steps))
        return tf.concat(cepstra, axis=-1)


@_register
class ExpressionEncoder(ZEncoder):
    """z of how something is played, from performance features through a network.

    Args:
        net: the network on all inputs side by side.
        z_dims: channels of z.
        input_keys: features; 'audio' is heard as its cepstrum.
        mfcc_bins, fft_size, mel_bins: of that cepstrum.
        pool_time: one z for the whole sound (the mean over time).
    """

    def __init__(
        self,
        net=None,
        z_dims=128,
        input_keys=("f0_scaled", "ld_scaled"),
        mfcc_bins=60,
        fft_size=1024,
        mel_bins=128,
        pool_time=True,
        **kwargs,
    ):
        super().__init__(input_keys, **kwargs)
        self.mfcc_bins, self.fft_size, self.mel_bins = mfcc_bins, fft_size, mel_bins
        self.pool_time = pool_time
        self.net = net
        self.norm = nn.Normalize("layer")
        self.dense_out = nn.Dense(z_dims)

    def compute_z(self, *inputs):
        """Features `[batch, time, c]` -> `[batch, time or 1, z_dims]`."""
        keys = self.input_keys[:-1]
        named = list(zip(keys, inputs, strict=True))
        lengths = [x.shape[1] for key, x in named if key != "audio"]
        features = [self._hear(x, lengths) if key == "audio" else x for key, x in named]
        z = self.dense_out(self.norm(self.net(tf.concat(features, axis=-1))))
        return (
            tf.reduce_mean(tf.cast(z, tf.float32), axis=1, keepdims=True) if self.pool_time else z
        )

    def _hear(self, audio, lengths):
        mfccs = _mfcc(audio, self.fft_size, 0.75, self.mel_bins, self.mfcc_bins)
        return core.resample(mfccs, lengths[0]) if lengths else mfccs


@_register
class AggregateFeaturesEncoder(ZEncoder):
    """One z for the whole sound: the mean over time of a Dense layer on pitch and loudness."""

    def __init__(self, ch=512, **kwargs):
        super().__init__(**kwargs)
        self.fc = nn.Dense(ch)

    def compute_z(self, f0_scaled, ld_scaled):
        """Two `[batch, time, 1]` -> `[batch, ch]`."""
        z = self.fc(tf.concat([f0_scaled, ld_scaled], axis=-1))
        return tf.reduce_mean(tf.cast(z, tf.float32), axis=1)


@_register
class OneHotEncoder(ZEncoder):
    """A learnt vector for each integer id, e.g. of an instrument.

    Args:
        one_hot_key: name of the feature with the ids, `[batch]` or `[batch, time]`.
        vocab_size: ids go from 0 to vocab_size - 1.
        n_dims: channels of z.
        skip_expand: keep the ids' own time axis instead of the features' frames.
    """

    def __init__(
        self, one_hot_key="instrument", vocab_size=1024, n_dims=256, skip_expand=True, **kwargs
    ):
        super().__init__(one_hot_key, **kwargs)
        self.skip_expand = skip_expand
        self.embedding = nn.get_embedding(vocab_size, n_dims)

    def compute_z(self, ids):
        """Integer ids -> `[batch, (time,) n_dims]`."""
        return self.embedding(tf.cast(ids, tf.int32))

    def expand_z(self, z, time_steps):
        """z at `time_steps` frames unless skip_expand."""
        return z if self.skip_expand else super().expand_z(z, time_steps)
