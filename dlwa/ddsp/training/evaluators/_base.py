"""What all evaluators have in common."""


class BaseEvaluator:
    """Base of all evaluators: they see batch after batch, then write what they found.

    Args:
        sample_rate: of the audio, in Hz.
        frame_rate: frames a second of the features.
    """

    def __init__(self, sample_rate, frame_rate):
        self.set_rates(sample_rate, frame_rate)

    def set_rates(self, sample_rate, frame_rate):
        """Change the rates."""
        self._sample_rate, self._frame_rate = sample_rate, frame_rate

    def evaluate(self, batch, outputs, losses):
        """Measure a batch."""

    def sample(self, batch, outputs, step):
        """Write audio and pictures of a batch."""

    def flush(self, step):
        """Write the means of everything measured, and start over."""

    def results(self):
        """What would be written now: {name: mean}."""
        return {}


class MetricsEvaluator(BaseEvaluator):
    """Evaluators that keep metrics.BaseMetrics objects in `_metrics`."""

    _metrics = ()

    def flush(self, step):
        """Write all metrics that measured something."""
        for metric in self._metrics:
            metric.flush(step)

    def results(self):
        """Means by `metrics/<name>/<key>`."""
        return {
            f"metrics/{metric.name}/{key}": value
            for metric in self._metrics
            for key, value in metric.results().items()
        }
