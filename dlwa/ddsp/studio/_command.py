"""Command studio: a page to play sounds through models."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from dlwa.ddsp import quiet

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
    given = _parser().parse_args(argv)
    if not given.models.is_dir():
        print(f"error: models={given.models} does not exist", file=sys.stderr)
        return 3
    os.environ.update(OFFLINE)
    with tempfile.TemporaryDirectory(prefix="dlwa-studio-") as scratch:
        os.environ["GRADIO_TEMP_DIR"] = str(Path(scratch) / "uploads")
        try:
            import gradio  # noqa: F401 - is it there?
        except ImportError as error:
            print(f"error: the studio is not installed ({error})", file=sys.stderr)
            print("hint: ./dlwa.py ddsp studio --yes", file=sys.stderr)
            return 1
        quiet.import_tensorflow()
        from dlwa.ddsp.studio import _page, _server
        from dlwa.ddsp.timbre_transfer import Stage

        page = _page.build(given.models, Stage(given.pitch_model), scratch)
        try:
            _server.serve(page, given.host, given.port, scratch, _tell)
        except OSError as error:
            print(f"error: port={given.port}: {error.strerror or error}", file=sys.stderr)
            print("hint: a studio may be open already; --port=0 takes a free one", file=sys.stderr)
            return 6
    return 0


def _tell(address):
    print(f"open {address} in a browser; Ctrl-C ends it", file=sys.stderr, flush=True)


def _parser():
    parser = argparse.ArgumentParser(
        prog="studio", description="A page to play sounds through models.", allow_abbrev=False
    )
    parser.add_argument("--models", type=Path, required=True, help="Folder of models.")
    parser.add_argument("--host", default="127.0.0.1", help="Address to listen at.")
    parser.add_argument("--port", type=int, default=7860, help="TCP port; 0 takes a free one.")
    parser.add_argument("--pitch_model", default="auto", help="auto, swift, tiny ... full.")
    return parser
