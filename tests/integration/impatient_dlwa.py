"""dlwa as a laptop runs it, but sooner sure that a line is dead, and sooner trying again."""

import os
import socket
import sys

from dlwa.cli import _carried, main
from dlwa.hosts.ssh import _connect

_connect.ALIVE_EVERY_S, _connect.DEAD_AFTER_S, _connect.CONNECT_TIMEOUT_S = 0.5, 3.0, 2.0
_carried._WAITS_S = (1.0,)
_tcp = _connect._tcp


def _filling_queues(target):
    """TCP as most systems have it: it sends until the router's queue overflows."""
    sock = _tcp(target)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    return sock


if os.environ.get("FILLS_QUEUES"):
    _connect._tcp = _filling_queues
if __name__ == "__main__":
    sys.exit(main())
