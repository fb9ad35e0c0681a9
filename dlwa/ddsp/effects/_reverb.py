"""Rooms: convolution with an impulse response, learned or given."""

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

    Example:
        >>> click, room = [[1.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 0.5]]
        >>> Reverb()(click, room).numpy().round(3).tolist()
        [[1.0, 0.0, 0.5, 0.0]]
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
            ir: `[batch, n]`, `[n]` or `[batch, n, channels]`, of which the first counts; needed
                unless trainable.

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
        audio, ir = core.tf_float32(audio), core.tf_float32(ir)
        core.check_layout("audio", audio, "[batch, n_samples]")
        core.check_layout("ir", ir, "[batch, n]", "[n]", "[batch, n, channels]")
        ir = self._mask_dry_ir(ir)
        core.check_agree(["batch"], audio=audio, ir=ir)
        wet = core.fft_convolve(audio, ir, padding="same", delay_compensation=0)
        return wet + audio if self._add_dry else wet


@_register
class ExpDecayReverb(Reverb):
    """A room of exponentially decaying noise, described by two numbers.

    Args:
        trainable: gain and decay are learned; otherwise they are inputs.
        reverb_length: samples of the response.
        scale_fn: turns the gain into an amplitude; None if it is already.
        add_dry: add the sound without the room.

    Example:
        >>> ExpDecayReverb(reverb_length=8000)(tf.zeros([1, 16000]), [[2.0]], [[4.0]]).shape
        TensorShape([1, 16000])
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
        gain = gain if self._scale_fn is None else self._scale_fn(gain)
        # Far below the largest float32: infinity times the time 0 would be no number.
        decay_exponent = 2.0 + tf.exp(tf.minimum(decay, 80.0))
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
        missing = [n for n, x in {"gain": gain, "decay": decay}.items() if x is None]
        if missing:
            told = " and ".join(f"{name}=None" for name in missing)
            raise ValueError(f"{told} must be given unless trainable is True")
        gain, decay = core.tf_float32(gain), core.tf_float32(decay)
        core.check_layout("gain", gain, "[batch, 1]")
        core.check_layout("decay", decay, "[batch, 1]")
        core.check_agree(["batch"], audio=audio, gain=gain, decay=decay)
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
        n_frames: frames of a learned response; they must cut it into as many equal blocks.
        n_filter_banks: bands of a learned response.
        scale_fn: turns outputs into magnitudes.
        initial_bias: added to the outputs.
        add_dry: add the sound without the room.

    Example:
        >>> room = FilteredNoiseReverb(trainable=True, reverb_length=8000, n_frames=100)
        >>> room(tf.zeros([1, 16000])).shape
        TensorShape([1, 16000])
        >>> [(weight.name, tuple(weight.shape)) for weight in room.weights]
        [('magnitudes', (100, 16))]
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
        if trainable:
            _check_learned_response(reverb_length, n_frames, n_filter_banks)
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


def _check_learned_response(reverb_length, n_frames, n_filter_banks):
    core.check_whole("n_frames", n_frames)
    core.check_whole("n_filter_banks", n_filter_banks, least=2)
    block = -(-reverb_length // n_frames)
    n_blocks = -(-reverb_length // block)
    if n_blocks != n_frames:
        raise ValueError(
            f"n_frames={n_frames} must cut reverb_length={reverb_length} into as many blocks, but "
            f"{n_blocks} of {block} samples are enough"
        )
