"""What several synthesizers check."""

from dlwa.ddsp import core

FRAMES = ("batch", "n_frames")
_METHODS = ("nearest", "linear", "cubic", "window")


def check_setting(n_samples, sample_rate=1, amp_resample_method="window"):
    """Refuse what no synthesizer can play.

    Raises:
        ValueError: naming the setting.
    """
    core.check_whole("n_samples", n_samples)
    core.check_positive("sample_rate", sample_rate)
    if amp_resample_method not in _METHODS:
        raise ValueError(f"amp_resample_method={amp_resample_method!r} must be one of {_METHODS}")
