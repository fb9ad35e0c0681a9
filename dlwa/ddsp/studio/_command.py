"""Command studio: a page to play sounds through models."""

import os
import sys
from pathlib import Path

from dlwa.ddsp import ports
from dlwa.ddsp.failures import fail

# before gradio is imported: nothing is counted, asked or fetched elsewhere
OFFLINE = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


def main(argv=None):
    """Run the command and leave the process with its exit code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv):
    """Serve until a signal; returns the exit code."""
    what = "A page to play sounds through models."
    return ports.run(ports.parser("studio", what, "TCP", 7860), argv, _listen)


def _listen(given, scratch):
    os.environ.update(OFFLINE, GRADIO_TEMP_DIR=str(Path(scratch) / "uploads"))
    try:
        import gradio  # noqa: F401 - is it there?
    except ImportError as error:
        return fail(f"the studio is not installed ({error})", "./dlwa.py ddsp studio --yes")
    stage = ports.stage(given)
    from dlwa.ddsp.studio import _page, _server

    page = _page.build(given.models, stage, scratch)
    _server.serve(page, given.host, given.port, scratch, _tell)
    return 0


def _tell(address):
    print(f"open {address} in a browser; Ctrl-C ends it", file=sys.stderr, flush=True)
