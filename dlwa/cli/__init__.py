"""The command line of dlwa."""

import sys
from collections.abc import Sequence

from dlwa.version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; `dlwa` and `python -m dlwa.cli` call it."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["--version"]:
        print(f"dlwa {__version__}")
        return 0
    if words == ["_sync"]:  # the far end of a laptop's push or fetch
        from dlwa.cli import _serve

        return _serve.serve()
    from dlwa.cli import _argv, _door, output

    output.use_json(_argv.wants_json(words))
    return _door.run(_argv.normalise(words))
