"""What sounds beneath the notes: hum and hiss, also where the music never rests.

Minimum statistics (Martin, "Noise power spectral density estimation based on optimal smoothing and
minimum statistics", IEEE TSAP 9(5), 2001): a note comes and goes in a band of the spectrum, noise
stays. So a low percentile of each band over time is noise, a band held by one note excepted.
"""

import numpy as np

_LOWEST_DB, _HIGHEST_DB = -140, 20
_LEVELS = _HIGHEST_DB - _LOWEST_DB + 1
_SILENT_DB = -115.0  # digital silence: a gate or an editor was here, nothing is learned of the room
_SHARE, _LESS = 0.1, 0.025
# The power of hiss in a band varies as an exponential distribution: how far its mean lies above the
# first percentile, and this above the second. That of hum does not vary.
_HISS_ABOVE_DB = -10.0 * np.log10(-np.log(1.0 - _SHARE))
_HISS_VARIES_DB = 10.0 * np.log10(np.log(1.0 - _SHARE) / np.log(1.0 - _LESS))
_FEWEST_FRAMES = 100  # 2 s
_LOWEST_BIN = 3


class NoiseMeter:
    """Counts how often every band of the spectrum was how loud; no longer files, no more memory."""

    def __init__(self, n_bins: int):
        self._counts = np.zeros(n_bins * _LEVELS, np.int64)
        self._n_bins = n_bins
        self.n_frames = 0

    def push(self, power: np.ndarray) -> None:
        """Take spectra `[n_frames, n_bins]`, scaled so that their sum is the mean square."""
        power = power[10.0 * np.log10(np.maximum(power.sum(axis=1), 1e-20)) > _SILENT_DB]
        level = np.rint(10.0 * np.log10(np.maximum(power, 1e-20))).astype(np.int64) - _LOWEST_DB
        places = np.clip(level, 0, _LEVELS - 1) + np.arange(self._n_bins) * _LEVELS
        self._counts += np.bincount(places.ravel(), minlength=len(self._counts))
        self.n_frames += len(power)

    def floor_db(self) -> float | None:
        """The level of the noise in dB below full scale; None if too little was heard."""
        if self.n_frames < _FEWEST_FRAMES:
            return None
        passed = np.cumsum(self._counts.reshape(self._n_bins, _LEVELS), axis=1)[_LOWEST_BIN:]
        low, lower = ((passed >= q * self.n_frames).argmax(axis=1) for q in (_SHARE, _LESS))
        hiss = np.clip((low - lower) / _HISS_VARIES_DB, 0.0, 1.0)
        mean_db = low + _LOWEST_DB + hiss * _HISS_ABOVE_DB
        power = np.sum(10.0 ** (mean_db[low > 0] / 10.0))
        return float(10.0 * np.log10(max(power, 1e-10)))
