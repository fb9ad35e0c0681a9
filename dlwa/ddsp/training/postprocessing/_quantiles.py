"""Mapping values by their rank: the quantile transform of scikit-learn, without scikit-learn."""

import numpy as np

_BOUND = 1e-7


class QuantileTransformer:
    """Turns values into their rank among the values it was fitted on (0...1), and back.

    ``output_distribution`` "uniform" gives ranks, "normal" the normal deviates of these ranks. At
    most ``subsample`` values are used to fit, drawn with ``random_state`` (a seed; None draws from
    NumPy's global generator). The algorithm is the one of scikit-learn's class of the same name.
    """

    def __init__(
        self,
        n_quantiles: int = 1000,
        output_distribution: str = "uniform",
        subsample: int = 100000,
        random_state: int | None = None,
    ):
        self.n_quantiles = n_quantiles
        self.output_distribution = output_distribution
        self.subsample = subsample
        self.random_state = random_state

    def fit(self, x) -> "QuantileTransformer":
        """Learn the quantiles of `[samples, features]`; ValueError for impossible settings."""
        x = _two_dimensional(x)
        if self.n_quantiles <= 0:
            raise ValueError(f"n_quantiles={self.n_quantiles} must be a positive integer")
        if self.subsample < self.n_quantiles:
            raise ValueError(
                f"subsample={self.subsample} must be at least n_quantiles={self.n_quantiles}"
            )
        if self.output_distribution not in ("uniform", "normal"):
            raise ValueError(
                f"output_distribution={self.output_distribution!r} must be 'uniform' or 'normal'"
            )
        if not len(x):
            raise ValueError("cannot fit quantiles to no samples: x has shape [0, features]")
        self.n_quantiles_ = max(1, min(self.n_quantiles, len(x)))
        self.references_ = np.linspace(0, 1, self.n_quantiles_, endpoint=True)
        columns = [self._column_quantiles(column) for column in x.T]
        # Rounding in the percentiles may disturb their order by an ulp.
        self.quantiles_ = np.maximum.accumulate(np.transpose(columns))
        return self

    def _column_quantiles(self, column: np.ndarray) -> np.ndarray:
        if len(column) > self.subsample:
            draw = np.random if self.random_state is None else _generator(self.random_state)
            column = column[draw.choice(len(column), size=self.subsample, replace=False)]
        return np.nanpercentile(column, self.references_ * 100)

    def transform(self, x) -> np.ndarray:
        """Ranks (or normal deviates) of values `[samples, features]`."""
        return self._by_column(x, self._forward)

    def inverse_transform(self, x) -> np.ndarray:
        """Values with these ranks (or normal deviates) `[samples, features]`."""
        return self._by_column(x, self._backward)

    def fit_transform(self, x) -> np.ndarray:
        """Fit to the values and transform them."""
        return self.fit(x).transform(x)

    def _by_column(self, x, convert) -> np.ndarray:
        x = _two_dimensional(x)
        if not hasattr(self, "quantiles_"):
            raise ValueError("this QuantileTransformer has not been fitted: call fit first")
        if x.shape[1] != self.quantiles_.shape[1]:
            raise ValueError(
                f"x of shape {list(x.shape)} must have {self.quantiles_.shape[1]} features"
            )
        out = np.array(x, x.dtype if x.dtype.kind == "f" else np.float64)
        for i in range(x.shape[1]):
            finite = np.isfinite(out[:, i])
            out[finite, i] = convert(out[finite, i], self.quantiles_[:, i])
        return out

    def _forward(self, x: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
        # Interpolating from both sides and averaging treats repeated quantiles evenly.
        up = np.interp(x, quantiles, self.references_)
        down = -np.interp(-x, -quantiles[::-1], -self.references_[::-1])
        ranks = 0.5 * (up + down)
        slack = _BOUND if self.output_distribution == "normal" else 0.0
        ranks[x + slack >= quantiles[-1]] = 1.0
        ranks[x - slack <= quantiles[0]] = 0.0
        if self.output_distribution == "uniform":
            return ranks
        from scipy.stats import norm

        low = norm.ppf(_BOUND - np.spacing(1))
        high = norm.ppf(1 - (_BOUND - np.spacing(1)))
        return np.clip(norm.ppf(ranks), low, high)

    def _backward(self, x: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
        if self.output_distribution == "normal":
            from scipy.stats import norm

            x = norm.cdf(x)
        return np.interp(x, self.references_, quantiles)


def fit_quantile_transform(loudness_db, mask_on, inv_quantile=None):
    """Describe the loudness of the notes by its quantiles, and impose another description on it.

    Args:
        loudness_db: loudness `[t]` (or `[batch, t]` without ``inv_quantile``).
        mask_on: True where a note sounds, same shape.
        inv_quantile: a fitted QuantileTransformer whose loudness the notes shall get.

    Returns:
        The fitted transformer; with ``inv_quantile`` also the loudness `[t, 1]` in which the notes
        are mapped and all other frames unchanged. Without any note nothing is mapped, and the
        transformer describes all frames.
    """
    loudness_db = np.asarray(loudness_db)
    mask_on = np.asarray(mask_on, bool)
    if mask_on.shape != loudness_db.shape:
        raise ValueError(
            f"mask_on of shape {list(mask_on.shape)} must have the shape of loudness_db "
            f"{list(loudness_db.shape)}"
        )
    notes = loudness_db[mask_on if mask_on.any() else ...].reshape(-1, 1)
    # The same recording always gives the same, however long it is.
    transform = QuantileTransformer(random_state=0).fit(notes)
    if inv_quantile is None:
        return transform
    mapped = np.array(loudness_db).reshape(-1, 1)
    if mask_on.any():
        ranks = transform.transform(notes)
        mapped[mask_on.reshape(-1)] = inv_quantile.inverse_transform(ranks)
    return transform, mapped


def _generator(seed: int) -> np.random.RandomState:
    return np.random.RandomState(seed)


def _two_dimensional(x) -> np.ndarray:
    x = np.asarray(x)
    if x.ndim != 2:
        raise ValueError(f"x must be of shape [samples, features], got {list(x.shape)}")
    return x
