"""`ddsp_export`: turn a trained model into something other programs play.

Not in this version. It says so and ends with 2, so that a script never takes nothing for done.
"""

import sys

_MESSAGE = """\
error: ddsp_export comes with dlwa 0.2; this is dlwa {version}
hint: to hear a model now: dlwa ddsp timbre-transfer --help"""


def console_entry_point() -> None:
    """Say which version brings the export, and exit with 2."""
    from dlwa.version import __version__

    print(_MESSAGE.format(version=__version__), file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    console_entry_point()
