"""Command serve: timbre transfer for programs that speak OSC."""

import argparse
import signal
import sys
import tempfile
import threading
from pathlib import Path

from dlwa.ddsp import quiet


def main(argv=None):
    """Run the command and leave the process with its exit code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv):
    """Serve until a signal; returns the exit code."""
    given = _parser().parse_args(argv)
    if not given.models.is_dir():
        print(f"error: models={given.models} does not exist", file=sys.stderr)
        return 3
    quiet.import_tensorflow()
    from dlwa.ddsp.serve._requests import Requests
    from dlwa.ddsp.serve._server import Server
    from dlwa.ddsp.timbre_transfer import Stage

    with tempfile.TemporaryDirectory(prefix="dlwa-serve-") as scratch:
        requests = Requests(given.models, Stage(given.pitch_model), scratch)
        try:
            server = Server(requests, given.host, given.port)
        except OSError as error:
            print(f"error: port={given.port}: {error.strerror or error}", file=sys.stderr)
            print(
                "hint: another dlwa may serve already; --port=0 takes a free one", file=sys.stderr
            )
            return 6
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: threading.Thread(target=server.stop).start())
        print("listening at {}:{}".format(*server.address), file=sys.stderr, flush=True)
        server.run()
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="serve",
        description="Timbre transfer for Pure Data and other programs that speak OSC.",
        allow_abbrev=False,
    )
    parser.add_argument("--models", type=Path, required=True, help="Folder of models.")
    parser.add_argument("--host", default="127.0.0.1", help="Address to listen at.")
    parser.add_argument("--port", type=int, default=9001, help="UDP port; 0 takes a free one.")
    parser.add_argument("--pitch_model", default="auto", help="auto, tiny ... full.")
    return parser
