"""Whether the machine at the other end still lives, which TCP alone would not notice for hours.

What counts is when it was last heard at all. An answer to a question of ours may come late on a
narrow line, where megabytes that are being sent wait before the question.
"""

import threading

import paramiko

from dlwa.hosts.ssh._socket import Socket


def stay_alive(
    transport: paramiko.Transport,
    sock: Socket,
    closing: threading.Event,
    every_s: float,
    dead_after_s: float,
) -> None:
    """Ask a machine that is silent whether it lives; close the connection if it stays silent."""
    asking: threading.Thread | None = None
    while not closing.wait(every_s) and transport.is_active():
        if sock.silent_s > dead_after_s:
            transport.close()
        elif asking is None or not asking.is_alive():
            asking = threading.Thread(target=_ask, args=(transport,), daemon=True)
            asking.start()


def _ask(transport: paramiko.Transport) -> None:
    try:
        transport.global_request("keepalive@dlwa", wait=True)
    except (paramiko.SSHException, OSError, EOFError):
        return
