"""A TCP proxy that delivers every piece a fixed time after it came: distance without a network."""

import queue
import socket
import threading
import time
from contextlib import suppress


class Delay:
    """Listens at `port` and passes on to another port of this machine."""

    def __init__(self, port: int, one_way_s: float) -> None:
        self._to, self._delay_s = port, one_way_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            far = socket.create_connection(("127.0.0.1", self._to))
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pieces: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
                for work, sock in ((self._take, one), (self._deliver, other)):
                    threading.Thread(target=work, args=(sock, pieces), daemon=True).start()

    def _take(self, sock: socket.socket, pieces: "queue.SimpleQueue[tuple[float, bytes]]") -> None:
        data = b"x"
        while data:
            try:
                data = sock.recv(1 << 18)
            except OSError:
                data = b""
            pieces.put((time.monotonic() + self._delay_s, data))

    def _deliver(
        self, sock: socket.socket, pieces: "queue.SimpleQueue[tuple[float, bytes]]"
    ) -> None:
        with suppress(OSError):
            while True:
                due_s, data = pieces.get()
                time.sleep(max(0.0, due_s - time.monotonic()))
                if not data:
                    sock.shutdown(socket.SHUT_WR)
                    return
                sock.sendall(data)
