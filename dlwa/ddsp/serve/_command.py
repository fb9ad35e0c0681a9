"""Command serve: timbre transfer for programs that speak OSC."""

import signal
import sys
import threading

from dlwa.ddsp import ports


def main(argv=None):
    """Run the command and leave the process with its exit code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv):
    """Serve until a signal; returns the exit code."""
    what = "Timbre transfer for Pure Data and other programs that speak OSC."
    return ports.run(ports.parser("serve", what, "UDP", 9001), argv, _listen)


def _listen(given, scratch):
    stage = ports.stage(given)
    from dlwa.ddsp.serve._requests import Requests
    from dlwa.ddsp.serve._server import Server

    server = Server(Requests(given.models, stage, scratch), given.host, given.port)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: threading.Thread(target=server.stop).start())
    print("listening at {}:{}".format(*server.address), file=sys.stderr, flush=True)
    server.run()
