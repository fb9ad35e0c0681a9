"""Which Beam options are understood."""

from collections.abc import Sequence

_ONE_MACHINE = ("", "--runner=DirectRunner")


def check_pipeline_options(pipeline_options: str | Sequence[str]) -> None:
    """Raise ValueError for Beam options that ask for more than this machine."""
    given = [pipeline_options] if isinstance(pipeline_options, str) else list(pipeline_options)
    foreign = [option for option in given if option not in _ONE_MACHINE]
    if foreign:
        raise ValueError(
            f"pipeline_options={','.join(foreign)!r} are not supported: recordings are prepared on "
            "this machine; leave the option out"
        )
