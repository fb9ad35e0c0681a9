"""Effects: rooms, filters and delays, learned or given."""

import gin
import tensorflow as tf

from dlwa.ddsp import core, processors, synths

_register = gin.register(module="dlwa.ddsp.effects")


@_register
class Reverb(processors.Processor):
    """The sound of a room: convolution with an impulse response.

    Args:
        trainable: the response is learned, one for all; otherwise it is an input.
        reverb_length: samples of a learned response.
        add_dry: add the sound without the room.
    """

    def __init__(self, trainable=False, reverb_length=48000, add_dry=True, name="reverb"):
        super().__init__(name=name, trainable=trainable)
        core.check_whole("reverb_length", reverb_length)
        self._reverb_length = reverb_length
        self._add_dry = add_dry

    def build(self, input_shape):
        """Make the learned response, almost silent at first."""
        if self.trainable:
            self._ir = self.add_weight(
                name="ir",
                shape=[self._reverb_length],
                dtype="float32",
                initializer=tf.random_normal_initializer(mean=0.0, stddev=1e-6),
            )
        self.built = True

    @staticmethod
    def _mask_dry_ir(ir):
        """`[batch, n]` with the first sample, which is the dry sound, set to zero."""
        if len(ir.shape) == 1:
            ir = ir[tf.newaxis]
        elif len(ir.shape) == 3:
            ir = ir[:, :, 0]
        return tf.concat([tf.zeros_like(ir[:, :1]), ir[:, 1:]], axis=1)

    @staticmethod
    def _match(audio, ir):
        """The learned response `[n]` for each sound of the batch."""
        return tf.tile(ir[tf.newaxis], [core.batch_size(audio), 1])

    def get_controls(self, audio, ir=None):
        """Sound and response.

        Args:
            audio: `[batch, n_samples]`.
            ir: `[batch, n]`, needed unless trainable.

        Raises:
            ValueError: if there is no response.
        """
        if self.trainable:
            ir = self._match(audio, tf.convert_to_tensor(self._ir))
        elif ir is None:
            raise ValueError('ir=None must be an impulse response unless "trainable" is True')
        return {"audio": audio, "ir": ir}

    def get_signal(self, audio, ir):
        """The sound in the room: `[batch, n_samples]`."""
        core.check_layout("audio", audio, "[batch, n_samples]")
        audio, ir = core.tf_float32(audio), self._mask_dry_ir(core.tf_float32(ir))
        wet = core.fft_convolve(audio, ir, padding="same", delay_compensation=0)
        return wet + audio if self._add_dry else wet


@_register
class ExpDecayReverb(Reverb):
    """A room of exponentially decaying noise, described by two numbers.

    Args:
        trainable: gain and decay are learned; otherwise they are inputs.
        reverb_length: samples of the response.
        scale_fn: turns the gain into an amplitude.
        add_dry: add the sound without the room.
    """

    def __init__(
        self,
        trainable=False,
        reverb_length=48000,
        scale_fn=core.exp_sigmoid,
        add_dry=True,
        name="exp_decay_reverb",
    ):
        super().__init__(trainable, reverb_length, add_dry, name=name)
        self._scale_fn = scale_fn

    def build(self, input_shape):
        """Make the learned gain and decay."""
        if self.trainable:
            self._gain = self.add_weight(
                name="gain", shape=[1], dtype="float32", initializer=tf.constant_initializer(2.0)
            )
            self._decay = self.add_weight(
                name="decay", shape=[1], dtype="float32", initializer=tf.constant_initializer(4.0)
            )
        self.built = True

    def _get_ir(self, gain, decay):
        """Responses `[batch, n]` from gains and decays `[batch, 1]`."""
        gain = self._scale_fn(core.tf_float32(gain))
        decay_exponent = 2.0 + tf.exp(core.tf_float32(decay))
        time = tf.linspace(0.0, 1.0, self._reverb_length)[tf.newaxis]
        noise = core.uniform_noise([1, self._reverb_length])
        return gain * tf.exp(-decay_exponent * time) * noise

    def get_controls(self, audio, gain=None, decay=None):
        """Sound and response.

        Args:
            audio: `[batch, n_samples]`.
            gain: `[batch, 1]`, needed unless trainable.
            decay: `[batch, 1]`, needed unless trainable.

        Raises:
            ValueError: if gain or decay is missing.
        """
        if self.trainable:
            gain = tf.convert_to_tensor(self._gain)[tf.newaxis]
            decay = tf.convert_to_tensor(self._decay)[tf.newaxis]
        elif gain is None or decay is None:
            raise ValueError(
                f"gain={gain} and decay={decay} must both be given unless trainable is True"
            )
        ir = self._get_ir(gain, decay)
        if self.trainable:
            ir = self._match(audio, ir[0])
        return {"audio": audio, "ir": ir}


@_register
class FilteredNoiseReverb(Reverb):
    """A room of noise whose spectrum changes as it dies away.

    Args:
        trainable: the magnitudes are learned; otherwise they are inputs.
        reverb_length: samples of the response.
        window_size: see synths.FilteredNoise.
        n_frames: frames of a learned response.
        n_filter_banks: bands of a learned response.
        scale_fn: turns outputs into magnitudes.
        initial_bias: added to the outputs.
        add_dry: add the sound without the room.
    """

    def __init__(
        self,
        trainable=False,
        reverb_length=48000,
        window_size=257,
        n_frames=1000,
        n_filter_banks=16,
        scale_fn=core.exp_sigmoid,
        initial_bias=-3.0,
        add_dry=True,
        name="filtered_noise_reverb",
    ):
        super().__init__(trainable, reverb_length, add_dry, name=name)
        self._n_frames = n_frames
        self._n_filter_banks = n_filter_banks
        self._synth = synths.FilteredNoise(
            n_samples=reverb_length,
            window_size=window_size,
            scale_fn=scale_fn,
            initial_bias=initial_bias,
        )

    def build(self, input_shape):
        """Make the learned magnitudes."""
        if self.trainable:
            self._magnitudes = self.add_weight(
                name="magnitudes",
                shape=[self._n_frames, self._n_filter_banks],
                dtype="float32",
                initializer=tf.random_normal_initializer(mean=0.0, stddev=1e-2),
            )
        self.built = True

    def get_controls(self, audio, magnitudes=None):
        """Sound and a response of fresh noise.

        Args:
            audio: `[batch, n_samples]`.
            magnitudes: `[batch, n_frames, n_filter_banks]`, needed unless trainable.

        Raises:
            ValueError: if the magnitudes are missing.
        """
        if self.trainable:
            ir = self._synth(tf.convert_to_tensor(self._magnitudes)[tf.newaxis])
            ir = self._match(audio, ir[0])
        elif magnitudes is None:
            raise ValueError("magnitudes=None must be given unless trainable is True")
        else:
            ir = self._synth(magnitudes)
        return {"audio": audio, "ir": ir}


@_register
class FIRFilter(processors.Processor):
    """A filter whose frequency response changes over time.

    Args:
        window_size: see synths.FilteredNoise.
        scale_fn: turns outputs into magnitudes; None if they are already.
    """

    def __init__(self, window_size=257, scale_fn=core.exp_sigmoid, name="fir_filter"):
        super().__init__(name=name)
        self.window_size = window_size
        self.scale_fn = scale_fn

    def get_controls(self, audio, magnitudes):
        """Sound `[batch, n_samples]` and magnitudes `[batch, n_frames, n_bands]`."""
        if self.scale_fn is not None:
            magnitudes = self.scale_fn(magnitudes)
        return {"audio": audio, "magnitudes": magnitudes}

    def get_signal(self, audio, magnitudes):
        """The filtered sound, `[batch, n_samples]`."""
        return core.frequency_filter(audio, magnitudes, window_size=self.window_size)


class ModDelay(processors.Processor):
    """A delay that moves: chorus, flanger, vibrato.

    Args:
        center_ms: middle of the delay in milliseconds.
        depth_ms: how far it moves.
        sample_rate: in Hz.
        gain_scale_fn: turns outputs into a gain.
        phase_scale_fn: turns outputs into a position 0...1.
        add_dry: add the sound without delay.
    """

    def __init__(
        self,
        center_ms=15.0,
        depth_ms=10.0,
        sample_rate=16000,
        gain_scale_fn=core.exp_sigmoid,
        phase_scale_fn=tf.nn.sigmoid,
        add_dry=True,
        name="mod_delay",
    ):
        super().__init__(name=name)
        self.center_ms = center_ms
        self.depth_ms = depth_ms
        self.sample_rate = sample_rate
        self.gain_scale_fn = gain_scale_fn
        self.phase_scale_fn = phase_scale_fn
        self.add_dry = add_dry

    def get_controls(self, audio, gain, phase):
        """Sound `[batch, n_samples]`, gain and phase `[batch, n_samples, 1]`."""
        audio, gain, phase = map(core.tf_float32, (audio, gain, phase))
        core.check_layout("audio", audio, "[batch, n_samples]")
        core.check_layout("gain", gain, "[batch, n_samples, 1]")
        core.check_layout("phase", phase, "[batch, n_samples, 1]")
        core.check_agree(("batch", "n_samples"), audio=audio, gain=gain, phase=phase)
        if self.gain_scale_fn is not None:
            gain = self.gain_scale_fn(gain)
        if self.phase_scale_fn is not None:
            phase = self.phase_scale_fn(phase)
        return {"audio": audio, "gain": gain, "phase": phase}

    def get_signal(self, audio, gain, phase):
        """The sound with its moving echo, `[batch, n_samples]`."""
        max_delay_ms = self.center_ms + self.depth_ms
        max_length = int(self.sample_rate / 1000.0 * max_delay_ms)
        if max_length < 1:
            raise ValueError(
                f"center_ms={self.center_ms} and depth_ms={self.depth_ms} must make a sample of "
                f"delay at sample_rate={self.sample_rate}"
            )
        depth_phase = self.depth_ms / max_delay_ms
        center_phase = self.center_ms / max_delay_ms
        phase = phase * depth_phase + center_phase
        wet = core.variable_length_delay(phase, audio, max_length) * gain[..., 0]
        return wet + audio if self.add_dry else wet
