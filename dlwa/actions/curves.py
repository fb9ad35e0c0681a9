"""A loss curve for a small place: smoothed, and never longer than it needs to be."""

import math
from dataclasses import dataclass

CAPACITY = 512
SMOOTHING_POINTS = 20


@dataclass(frozen=True)
class Point:
    """The smoothed value at a step."""

    step: float
    value: float


class Curve:
    """An exponential moving average of what is added, thinned out evenly as it grows.

    A step that goes back (a training resumed from a checkpoint) takes the place of what lay
    beyond it. Values that are not finite are left out of the average.
    """

    def __init__(self) -> None:
        self.points: list[Point] = []
        self._mean: float | None = None
        self._weight = 0.0
        self._stride = 1
        self._skipped = 0

    def add(self, step: float, value: float) -> None:
        """Take in the next value."""
        if not math.isfinite(value):
            return
        if self.points and step <= self.points[-1].step:
            self._go_back(step)
        self._smooth(value)
        self._skipped += 1
        if self._skipped < self._stride:
            return
        self._skipped = 0
        self.points.append(Point(step, self._mean or 0.0))
        if len(self.points) >= CAPACITY:
            del self.points[::2]
            self._stride *= 2

    def _go_back(self, step: float) -> None:
        while self.points and step <= self.points[-1].step:
            self.points.pop()
        self._mean = self.points[-1].value if self.points else None
        self._weight = self._weight if self.points else 0.0

    def _smooth(self, value: float) -> None:
        # the first values weigh fully, so that the curve starts where the training starts
        self._weight = min(self._weight + 1, SMOOTHING_POINTS)
        self._mean = value if self._mean is None else self._mean
        self._mean += (value - self._mean) / self._weight
