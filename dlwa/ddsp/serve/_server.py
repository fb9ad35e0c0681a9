"""The socket, the line of waiting work, and who is talking."""

import queue
import threading
from collections import OrderedDict

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer

from dlwa.ddsp import ports
from dlwa.ddsp.serve._client import Client

_KEPT_CLIENTS = 64
_LONGEST_LINE = 100


class Server:
    """Listens for OSC messages and answers them.

    Args:
        requests: a Requests.
        host: address to listen at.
        port: UDP port; 0 takes a free one.

    Raises:
        PortError: if the port is taken.
    """

    def __init__(self, requests, host="127.0.0.1", port=9001):
        self._requests = requests
        self._clients = OrderedDict()
        self._work = queue.Queue(_LONGEST_LINE)
        dispatcher = Dispatcher()
        for what in (*requests.QUICK, *requests.SLOW):
            dispatcher.map(f"/dlwa/{what}", self._arrived, what, needs_reply_address=True)
        dispatcher.set_default_handler(self._unknown, needs_reply_address=True)
        with ports.binding():
            self._socket = BlockingOSCUDPServer((host, port), dispatcher)
        self.address = self._socket.server_address

    def run(self):
        """Serve until `stop` is called from another thread, or Ctrl-C."""
        worker = threading.Thread(target=self._do_work, daemon=True)
        worker.start()
        try:
            self._socket.serve_forever(poll_interval=0.1)
        finally:
            for client in self._clients.values():
                client.given_up.set()
            self._work.put(None)
            worker.join(timeout=10)
            self._socket.server_close()

    def stop(self):
        """End `run`."""
        self._socket.shutdown()

    def _arrived(self, sender, path, fixed, *values):
        client, what = self._client(sender), fixed[0]
        if what not in self._requests.SLOW:
            self._requests.answer(client, what, values)
            return
        ahead = self._work.qsize()
        try:
            client.waiting += 1
            self._work.put_nowait((client, what, values))
        except queue.Full:
            client.waiting -= 1
            client.fail("too much is waiting already", "try again when something is done")
            return
        if ahead:
            client.tell("progress", 0.0, f"waits for {ahead} before it")

    def _unknown(self, sender, path, *values):
        known = ", ".join((*self._requests.QUICK, *self._requests.SLOW))
        self._client(sender).fail(f"{path} is no message of dlwa", f"/dlwa/ and one of {known}")

    def _do_work(self):
        while (job := self._work.get()) is not None:
            client, what, values = job
            if client.given_up.is_set():
                client.tell("cancelled")
            else:
                self._requests.answer(client, what, values)
            client.waiting -= 1
            if not client.waiting:
                client.given_up.clear()

    def _client(self, sender):
        """The program at an address; the one that was silent longest is forgotten for a new one."""
        if sender not in self._clients:
            idle = [key for key, known in self._clients.items() if not known.waiting]
            if len(self._clients) >= _KEPT_CLIENTS and idle:
                del self._clients[idle[0]]
            self._clients[sender] = Client(sender, self._socket.socket.sendto)
        self._clients.move_to_end(sender)
        return self._clients[sender]
