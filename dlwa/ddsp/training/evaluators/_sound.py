"""How far loudness, pitch and spectrum are off."""

import gin

from dlwa.ddsp import losses as ddsp_losses
from dlwa.ddsp.training import metrics, summaries

from ._base import MetricsEvaluator

_register = gin.register(module="dlwa.ddsp.training.evaluators")


@_register
class F0LdEvaluator(MetricsEvaluator):
    """How well loudness and pitch are met.

    Args:
        sample_rate, frame_rate: see BaseEvaluator.
        run_f0_crepe: hear the pitch of generated audio by CREPE where the model gives none.
    """

    def __init__(self, sample_rate, frame_rate, run_f0_crepe=True):
        super().__init__(sample_rate, frame_rate)
        self._loudness = metrics.LoudnessMetrics(sample_rate, frame_rate)
        self._f0 = metrics.F0Metrics(sample_rate, frame_rate)
        self._crepe = metrics.F0CrepeMetrics(sample_rate, frame_rate) if run_f0_crepe else None
        self._metrics = [self._loudness]

    def evaluate(self, batch, outputs, losses):
        """Measure the loudness, and the pitch where there is one."""
        self._loudness.update_state(batch, outputs["audio_gen"])
        if _has_f0(batch, outputs):
            self._update(self._f0, batch, outputs["f0_hz"])
        elif self._crepe is not None and "f0_hz" in batch:
            self._update(self._crepe, batch, outputs["audio_gen"])

    def _update(self, metric, batch, found):
        metric.update_state(batch, found)
        if metric not in self._metrics:
            self._metrics.append(metric)

    def sample(self, batch, outputs, step):
        """Draw the pitch curves."""
        if _has_f0(batch, outputs):
            summaries.f0_summary(batch["f0_hz"], outputs["f0_hz"], step, name="f0_harmonic")


def _has_f0(batch, outputs):
    return outputs.get("f0_hz") is not None and batch.get("f0_hz") is not None


@_register
class F0CrepeEvaluator(MetricsEvaluator):
    """The pitch that is heard, by CREPE, whatever pitch the model says it plays."""

    def __init__(self, sample_rate, frame_rate):
        super().__init__(sample_rate, frame_rate)
        self._metrics = [metrics.F0CrepeMetrics(sample_rate, frame_rate)]

    def evaluate(self, batch, outputs, losses):
        """Hear the pitch of the generated sounds."""
        if "f0_hz" in batch:
            self._metrics[0].update_state(batch, outputs["audio_gen"])


@_register
class SpectralEvaluator(MetricsEvaluator):
    """How far the spectra are off, on the scales of the field, whatever the model was trained on.

    Models trained with different losses can be compared by it.
    """

    def __init__(self, sample_rate, frame_rate):
        super().__init__(sample_rate, frame_rate)
        self._metrics = [metrics.SpectralMetrics(sample_rate, frame_rate)]

    def evaluate(self, batch, outputs, losses):
        """Compare the generated sounds with the originals."""
        self._metrics[0].update_state(batch, outputs["audio_gen"])


@_register
class TWMEvaluator(MetricsEvaluator):
    """The pitch that the sinusoids of a processor mean, by two-way mismatch.

    Args:
        sample_rate, frame_rate: see BaseEvaluator.
        processor_name: whose controls frequencies and amplitudes are read.
        noisy: sinusoids have a noise_ratios control, whose part does not count.
    """

    def __init__(self, sample_rate, frame_rate, processor_name="sinusoidal", noisy=False):
        super().__init__(sample_rate, frame_rate)
        self.processor_name, self.noisy = processor_name, noisy
        self._twm = ddsp_losses.TWMLoss(sample_rate=sample_rate)
        self._f0 = metrics.F0Metrics(sample_rate, frame_rate, name="f0_twm")
        self._metrics = [self._f0]

    def _predict(self, outputs):
        controls = outputs[self.processor_name]["controls"]
        freqs, amps = controls["frequencies"], controls["amplitudes"]
        if self.noisy:
            amps = amps * (1.0 - controls["noise_ratios"])
        # Every sinusoid could be the fundamental.
        return self._twm.predict_f0(freqs, freqs, amps)

    def evaluate(self, batch, outputs, losses):
        """Compare the predicted pitch with the batch's."""
        self._f0.update_state(batch, self._predict(outputs))

    def sample(self, batch, outputs, step):
        """Draw the pitch curves."""
        summaries.f0_summary(batch["f0_hz"], self._predict(outputs), step, name="f0_twm")
