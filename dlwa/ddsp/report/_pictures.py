"""The report's own pictures."""

import numpy as np

from dlwa.ddsp import pages

_COLUMNS = 400  # more points than this nobody sees


def training_curve(training):
    """Picture of the loss: its spread, its mean, and that of held-out sounds."""
    steps, values = training.losses(training.loss_names[0])
    middle, low, mean, high = gathered(steps, values, _columns(len(steps)))
    figure, axes = pages.new_figure("steps", "loss")
    if len(middle) < len(steps):
        axes.fill_between(middle, low, high, color=pages.SOFT, lw=0.8, label="single steps")
    axes.plot(middle, mean, color=pages.SECOND, lw=1.6, label="mean")
    heldout = training.heldout
    if heldout:
        kind = {"color": pages.ACCENT, "ms": 3, "lw": 1.2, "label": "held-out sounds"}
        at, level, _, _ = gathered(*zip(*heldout, strict=True))
        axes.plot(at, level, "o-" if len(at) < 60 else "-", **kind)
    _limits(axes, np.concatenate([mean, [value for _, value in heldout]]))
    pages.legend(figure)
    return pages.figure_uri(figure)


def parts_curve(training):
    """Picture of the losses a total is the sum of."""
    figure, axes = pages.new_figure("steps", "loss")
    colours = (pages.SECOND, pages.ACCENT, pages.SOFT, pages.INK)
    for i, name in enumerate(training.loss_names[1:]):
        middle, _, mean, _ = gathered(*training.losses(name))
        style = "-" if i < len(colours) else "--"
        axes.plot(middle, mean, style, color=colours[i % len(colours)], lw=1.3, label=name)
    pages.legend(figure)
    return pages.figure_uri(figure)


def speed_curve(training):
    """Picture of the speed."""
    steps, speeds = training.speed
    middle, _, mean, _ = gathered(steps, speeds)
    figure, axes = pages.new_figure("steps", "steps a second")
    axes.plot(middle, mean, color=pages.SECOND, lw=1.3)
    axes.set_ylim(0, 1.1 * max(mean))
    return pages.figure_uri(figure)


def loudness_spread(statistics):
    """Picture of how loud the notes of a data set are: the density of its quantiles."""
    quantiles = np.asarray(statistics["quantile_transform"].quantiles_, float).reshape(-1)
    return pages.histogram(quantiles, "loudness of the notes in dB", bins=30)


def gathered(steps, values, columns=_COLUMNS):
    """Many points as few: (mean step, lowest, mean, highest) of as many stretches.

    Values that are not numbers are left out.
    """
    points = np.stack([np.asarray(steps, float), np.asarray(values, float)], axis=1)
    points = points[np.isfinite(points[:, 1])]
    stretches = np.array_split(points, min(columns, max(1, len(points))))
    stretches = [stretch for stretch in stretches if len(stretch)] or [np.full((1, 2), np.nan)]
    return tuple(
        np.array([reduce(stretch) for stretch in stretches])
        for reduce in (
            lambda s: s[:, 0].mean(),
            lambda s: s[:, 1].min(),
            lambda s: s[:, 1].mean(),
            lambda s: s[:, 1].max(),
        )
    )


def _columns(n):
    """How many points to draw of n: enough to see the shape, few enough to be a mean."""
    return n if n < 40 else max(20, min(_COLUMNS, n // 5))


def _limits(axes, values):
    """From 0, without the few values of the beginning that would flatten all others."""
    values = values[np.isfinite(values)]
    if len(values) and values.min() >= 0:
        axes.set_ylim(0, 1.1 * max(np.percentile(values, 98), 1e-9))
