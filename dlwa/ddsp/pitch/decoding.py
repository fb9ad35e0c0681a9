"""From 360 pitch activations a frame to one frequency: local average and Viterbi path.

Bins lie 20 cents apart; bin i stands for 1997.38 + 20 i cents above 10 Hz (Kim et al. 2018).
"""

import numpy as np

N_BINS = 360
BIN_CENTS = np.linspace(0, 7180, N_BINS) + 1997.3794084376191
_REACH = 11  # bins a path may move in one frame
_WINDOW = 4  # bins on either side in the local average


def bins_to_hz(cents: np.ndarray) -> np.ndarray:
    """Frequency in Hz of cents above 10 Hz."""
    return 10.0 * 2.0 ** (cents / 1200.0)


def local_average_hz(activations: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Frequency `[t]` as the activation-weighted mean of the nine bins around each centre.

    ``activations`` is `[t, 360]`, ``centers`` `[t]`. Near the ends of the range fewer bins
    are averaged. A frame without any activation gives NaN.
    """
    bins = centers[:, None] + np.arange(-_WINDOW, _WINDOW + 1)
    inside = (bins >= 0) & (bins < N_BINS)
    bins = np.clip(bins, 0, N_BINS - 1)
    weights = np.where(inside, np.take_along_axis(activations, bins, 1), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return bins_to_hz((weights * BIN_CENTS[bins]).sum(1) / weights.sum(1))


def transition_log_probs(floor: float = 0.0) -> np.ndarray:
    """Log probability `[360, 360]` of moving from bin i to bin j: nearer is likelier."""
    bins = np.arange(N_BINS)
    weights = np.maximum(12.0 - np.abs(bins[:, None] - bins[None, :]), floor)
    with np.errstate(divide="ignore"):
        return np.log(weights / weights.sum(1, keepdims=True))


def viterbi_path(observed: np.ndarray) -> np.ndarray:
    """The likeliest smooth path of bins `[t]` behind the loudest bins ``observed`` `[t]`."""
    decoder = ViterbiDecoder()
    return np.concatenate([decoder.push(np.asarray(observed)), decoder.finish()])


class ViterbiDecoder:
    """Viterbi decoding of a stream of argmax bins, exact and with bounded memory.

    Feed the observations in blocks of any length with ``push``; each call returns the bins that no
    later observation can change any more (all surviving paths agree on them), ``finish`` the rest.
    The start is uniform; an observation shows the true bin with probability 0.1 more than others.
    """

    def __init__(self) -> None:
        self._band = _banded(transition_log_probs())
        self._columns = np.ascontiguousarray(self._band.T)
        self._miss, self._hit = np.log(0.9 / N_BINS), np.log(0.1 + 0.9 / N_BINS)
        self._padded = np.full(N_BINS + 2 * _REACH, -np.inf)
        self._scores = self._padded[_REACH:-_REACH]
        self._neighbours = np.lib.stride_tricks.sliding_window_view(self._padded, N_BINS)
        self._moves = np.empty_like(self._columns)
        self._started = False
        self._history: list[np.ndarray] = []  # padded scores of the frames not yet given out

    def push(self, observed: np.ndarray) -> np.ndarray:
        """Take the next observations `[t]` and return the bins that are now certain."""
        for bin_ in observed:
            self._step(bin_)
        return self._settle(all_paths=True)

    def finish(self) -> np.ndarray:
        """Return the bins not yet given out, along the best path, and start over."""
        rest = self._settle(all_paths=False)
        self._started, self._history = False, []
        return rest

    def _step(self, observed: int) -> None:
        if self._started:
            self._history.append(self._padded.copy())
            np.add(self._neighbours, self._columns, out=self._moves)
            best = self._moves.max(0)
        else:
            best = np.full(N_BINS, np.log(1.0 / N_BINS))
            self._started = True
        np.add(best, self._miss, out=self._scores)
        self._scores[observed] = best[observed] + self._hit

    def _settle(self, all_paths: bool) -> np.ndarray:
        """Trace the surviving paths back; hand out the frames they share and forget them."""
        if not self._started:
            return np.empty(0, np.int64)
        ends = np.arange(N_BINS) if all_paths else np.array([self._scores.argmax()])
        trail: list[int] = []  # newest first, from where all paths are one
        for padded in reversed(self._history):
            if len(ends) == 1:
                trail.append(int(ends[0]))
            ends = self._origins(padded, ends)
        if len(ends) == 1:
            trail.append(int(ends[0]))
        trail.reverse()
        # The newest certain frame stays as the root of the paths that follow.
        n_certain = max(0, len(trail) - 1) if all_paths else len(trail)
        self._history = self._history[n_certain:]
        return np.array(trail[:n_certain], np.int64)

    def _origins(self, padded: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Bins from which the best paths to ``ends`` came, each once; equal paths: the higher."""
        if len(ends) == 1:
            (end,) = ends
            moves = padded[end : end + 2 * _REACH + 1] + self._band[end]
            return ends + (_REACH - moves[::-1].argmax())
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _REACH + 1)
        moves = windows[ends] + self._band[ends]
        return np.unique(ends + _REACH - moves[:, ::-1].argmax(1))


def _banded(log_probs: np.ndarray) -> np.ndarray:
    """Row j holds the log probabilities of reaching bin j from bins j-11...j+11."""
    band = np.full([N_BINS, 2 * _REACH + 1], -np.inf)
    for column, offset in enumerate(range(-_REACH, _REACH + 1)):
        target = np.arange(max(0, -offset), min(N_BINS, N_BINS - offset))
        band[target, column] = log_probs[target + offset, target]
    return band
