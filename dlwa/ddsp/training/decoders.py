"""Decoders: from pitch and loudness over time to the controls of a synthesizer."""

import gin
import tensorflow as tf

from dlwa.ddsp import core
from dlwa.ddsp.training import nn

__all__ = ["DilatedConvDecoder", "MidiDecoder", "MidiToHarmonicDecoder", "RnnFcDecoder"]

_register = gin.register(module="dlwa.ddsp.training.decoders")


@_register
class RnnFcDecoder(nn.DictLayer):
    """The decoder of the DDSP paper: small networks, a recurrent layer, one more network.

    Each input goes through its own FcStack; a recurrent layer reads all of them; a last FcStack
    sees both. Inputs `[batch, time, channels]`, outputs `[batch, time, size]`.

    Args:
        rnn_channels: size of the recurrent state.
        rnn_type: 'gru' or 'lstm'.
        ch: channels of the FcStacks.
        layers_per_stack: layers of each FcStack.
        stateless: take the recurrent state as the last input 'state' and return it as the last
            output 'state', for playing block by block.
        input_keys: names of the inputs.
        output_splits: (name, size) pairs of the outputs.
    """

    def __init__(
        self,
        rnn_channels=512,
        rnn_type="gru",
        ch=512,
        layers_per_stack=3,
        stateless=False,
        input_keys=("ld_scaled", "f0_scaled", "z"),
        output_splits=(("amps", 1), ("harmonic_distribution", 40)),
        **kwargs,
    ):
        inputs = list(_one_or_more(input_keys))
        outputs = [name for name, _ in output_splits]
        state = ["state"] if stateless else []
        super().__init__(inputs + state, outputs + state, **kwargs)
        self.output_splits = output_splits
        self.stateless = stateless
        self.input_stacks = [nn.FcStack(ch, layers_per_stack) for _ in inputs]
        self.rnn = (nn.StatelessRnn if stateless else nn.Rnn)(rnn_channels, rnn_type)
        self.out_stack = nn.FcStack(ch, layers_per_stack)
        # Last, because optimizers number the variables of a checkpoint in this order.
        self.dense_out = nn.Dense(sum(size for _, size in output_splits))

    def call(self, *inputs):
        """Named controls, float32, and 'state' if stateless."""
        inputs, state = (inputs[:-1], inputs[-1]) if self.stateless else (inputs, None)
        self._check(inputs)
        out, new_state = self._trunk(inputs, state)
        controls = tf.cast(self.dense_out(out), tf.float32)
        controls = nn.split_to_dict(controls, self.output_splits)
        return {**controls, "state": new_state} if self.stateless else controls

    def _trunk(self, inputs, state=None):
        stacked = [stack(x) for stack, x in zip(self.input_stacks, inputs, strict=True)]
        x = tf.concat(stacked, axis=-1)
        x, new_state = self.rnn(x, state) if self.stateless else (self.rnn(x), None)
        stacked.append(tf.cast(x, stacked[0].dtype))
        return self.out_stack(tf.concat(stacked, axis=-1)), new_state

    def _check(self, inputs):
        for key, x in zip(self.input_keys, inputs, strict=False):
            if len(x.shape) != 3:
                raise ValueError(
                    f"{key} with shape {tuple(x.shape)} must be [batch, time, channels]"
                )


@_register
class DilatedConvDecoder(nn.OutputSplitsLayer):
    """A decoder of dilated convolutions over time, without a recurrent state.

    Args:
        ch: channels.
        kernel_size, layers_per_stack, stacks, dilation, norm_type, resample_stride,
            stacks_per_resample, resample_after_convolve, spectral_norm, ortho_init: see
            nn.DilatedConvStack; a resample_stride above 1 makes the output longer.
        input_keys: names of the inputs `[batch, time, channels]`.
        output_splits: (name, size) pairs of the outputs.
        conditioning_keys: names of the inputs that scale and shift every layer; None for none.
        precondition_stack: a layer applied to the conditioning inputs first.

    Raises:
        ValueError: a precondition_stack without conditioning_keys.
    """

    def __init__(
        self,
        ch=256,
        kernel_size=3,
        layers_per_stack=5,
        stacks=2,
        dilation=2,
        norm_type="layer",
        resample_stride=1,
        stacks_per_resample=1,
        resample_after_convolve=True,
        input_keys=("ld_scaled", "f0_scaled"),
        output_splits=(("amps", 1), ("harmonic_distribution", 60)),
        conditioning_keys="z",
        precondition_stack=None,
        spectral_norm=False,
        ortho_init=False,
        **kwargs,
    ):
        inputs = list(core.make_iterable(_one_or_more(input_keys)))
        conditions = list(core.make_iterable(_one_or_more(conditioning_keys)))
        if precondition_stack is not None and not conditions:
            raise ValueError(
                f"conditioning_keys={conditioning_keys!r} must name an input for the "
                "precondition_stack"
            )
        super().__init__(inputs + conditions, output_splits, **kwargs)
        self.n_conditions = len(conditions)
        self.precondition_stack = precondition_stack
        self.dilated_conv_stack = nn.DilatedConvStack(
            ch=ch,
            layers_per_stack=layers_per_stack,
            stacks=stacks,
            kernel_size=kernel_size,
            dilation=dilation,
            norm_type=norm_type,
            resample_type="upsample" if resample_stride > 1 else None,
            resample_stride=resample_stride,
            stacks_per_resample=stacks_per_resample,
            resample_after_convolve=resample_after_convolve,
            spectral_norm=spectral_norm,
            ortho_init=ortho_init,
            conditional=bool(conditions),
        )

    def compute_output(self, *inputs):
        """`[batch, time, ch]` from the inputs, the conditioning ones last."""
        if not self.n_conditions:
            return self.dilated_conv_stack(tf.concat(inputs, axis=-1))
        z = tf.concat(inputs[-self.n_conditions :], axis=-1)
        if self.precondition_stack is not None:
            z = self.precondition_stack(z)
        return self.dilated_conv_stack([tf.concat(inputs[: -self.n_conditions], axis=-1), z])


class _MidiTrunk(nn.DictLayer):
    """Shared by the MIDI decoders: a net on the pitch, a normalisation, a Dense layer."""

    def __init__(self, net, norm, n_out, output_keys, **kwargs):
        super().__init__(output_keys=output_keys, **kwargs)
        self.net = net
        self.norm = nn.Normalize("layer") if norm else None
        self.dense_out = nn.Dense(n_out)

    def _decode(self, z_pitch, z):
        x = self.net(z_pitch) if z is None else self.net([z_pitch, z])
        x = self.norm(x) if self.norm is not None else x
        return tf.cast(self.dense_out(x), tf.float32)


@_register
class MidiDecoder(_MidiTrunk):
    """Pitch and loudness curves from the pitch of notes.

    Args:
        net: the network, on z_pitch or [z_pitch, z].
        f0_residual: the network's pitch is added to z_pitch.
        center_loudness: the network's loudness 0 means -70 dB, 1 means -40 dB.
        norm: normalise what the network gives.
    """

    def __init__(self, net=None, f0_residual=True, center_loudness=True, norm=True, **kwargs):
        super().__init__(net, norm, 2, ["f0_midi", "loudness"], **kwargs)
        self.f0_residual = f0_residual
        self.center_loudness = center_loudness

    def call(self, z_pitch, z_vel=None, z=None):
        """`[batch, time, 1]` -> f0_midi and loudness (dB), each `[batch, time, 1]`."""
        f0_midi, loudness = tf.split(self._decode(z_pitch, z), 2, axis=-1)
        if self.f0_residual:
            f0_midi += z_pitch
        if self.center_loudness:
            loudness = loudness * 30.0 - 70.0
        return f0_midi, loudness


@_register
class MidiToHarmonicDecoder(_MidiTrunk):
    """The controls of a harmonic synthesizer from the pitch of notes.

    Args:
        net: the network, on z_pitch or [z_pitch, z].
        f0_residual: the network's pitch is added to z_pitch.
        norm: normalise what the network gives.
        output_splits: (name, size) pairs; one must be f0_midi.
        midi_zero_silence: MIDI pitch 0 means 0 Hz.
    """

    def __init__(
        self,
        net=None,
        f0_residual=True,
        norm=True,
        output_splits=(
            ("f0_midi", 1),
            ("amplitudes", 1),
            ("harmonic_distribution", 60),
            ("magnitudes", 65),
        ),
        midi_zero_silence=True,
        **kwargs,
    ):
        names = [name for name, _ in output_splits]
        if "f0_midi" not in names:
            raise ValueError(f"output_splits={output_splits} must contain 'f0_midi'")
        n_out = sum(size for _, size in output_splits)
        super().__init__(net, norm, n_out, [*names, "f0_hz"], **kwargs)
        self.output_splits = output_splits
        self.f0_residual = f0_residual
        self.midi_zero_silence = midi_zero_silence

    def call(self, z_pitch, z_vel=None, z=None):
        """`[batch, time, 1]` -> the output splits and f0_hz."""
        out = nn.split_to_dict(self._decode(z_pitch, z), self.output_splits)
        if self.f0_residual:
            out["f0_midi"] += z_pitch
        out["f0_hz"] = core.midi_to_hz(out["f0_midi"], midi_zero_silence=self.midi_zero_silence)
        return out


def _one_or_more(keys):
    return [keys] if isinstance(keys, str) else keys
