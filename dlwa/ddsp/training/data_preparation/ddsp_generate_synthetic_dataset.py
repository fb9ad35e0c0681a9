"""`ddsp_generate_synthetic_dataset`: make training data of synthesised notes.

Not in this version. It says so and ends with 2, so that a script never takes nothing for done.
"""

import sys

_MESSAGE = """\
error: ddsp_generate_synthetic_dataset comes with dlwa 0.2; this is dlwa {version}
hint: to make a data set of recordings now: dlwa ddsp make-dataset --help"""


def console_entry_point() -> None:
    """Say which version brings the synthetic data, and exit with 2."""
    from dlwa.version import __version__

    print(_MESSAGE.format(version=__version__), file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    console_entry_point()
