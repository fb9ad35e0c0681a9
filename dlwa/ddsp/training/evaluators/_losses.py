"""The losses and the sounds of a model as they are."""

import gin
import keras
import tensorflow as tf

from dlwa.ddsp.training import summaries

from ._base import BaseEvaluator

_register = gin.register(module="dlwa.ddsp.training.evaluators")


@_register
class BasicEvaluator(BaseEvaluator):
    """Losses; audio, waveforms and spectrograms of original and generated sounds."""

    def __init__(self, sample_rate, frame_rate):
        super().__init__(sample_rate, frame_rate)
        self._means = {}

    def evaluate(self, batch, outputs, losses):
        """Add the losses of a batch."""
        count = _size_of(batch)
        for name, loss in losses.items():
            mean = self._means.setdefault(name, keras.metrics.Mean(name=name))
            mean.update_state(loss, sample_weight=count)

    def sample(self, batch, outputs, step):
        """Write the sounds and their pictures."""
        audio, audio_gen = batch["audio"], outputs["audio_gen"]
        audio_gen = tf.reshape(audio_gen, [audio_gen.shape[0], -1])
        summaries.audio_summary(audio_gen, step, self._sample_rate, name="audio_generated")
        summaries.audio_summary(audio, step, self._sample_rate, name="audio_original")
        summaries.waveform_summary(audio, audio_gen, step)
        summaries.spectrogram_summary(audio, audio_gen, step)

    def flush(self, step):
        """Write `losses/<name>`."""
        for name, mean in self._means.items():
            tf.summary.scalar(f"losses/{name}", mean.result(), step=step)
            mean.reset_state()

    def results(self):
        """Mean losses."""
        return {f"losses/{name}": float(mean.result()) for name, mean in self._means.items()}


def _size_of(batch):
    """How many examples a batch holds; a last one may be smaller."""
    return int(batch["audio"].shape[0]) if "audio" in batch else 1
