"""What the server knows of one program that talks to it."""

import threading
from dataclasses import dataclass, field

from pythonosc.osc_message_builder import OscMessageBuilder

from dlwa.ddsp.timbre_transfer import Knobs

_LONGEST = 8000  # characters of one text, so that a message fits into a datagram


@dataclass
class Client:
    """A program, by the address it sends from; it is answered through the server's socket."""

    address: tuple
    send: object
    knobs: Knobs = field(default_factory=Knobs)
    name: str = ""
    model: object = None
    sample_rate: int = 0
    waiting: int = 0
    given_up: threading.Event = field(default_factory=threading.Event)

    def tell(self, address, *values):
        """Send it a message; nothing happens if it has gone."""
        builder = OscMessageBuilder(f"/dlwa/{address}")
        for value in values:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            # Pd knows one kind of number
            builder.add_arg(
                float(value) if number else str(value)[:_LONGEST], "f" if number else "s"
            )
        try:
            self.send(builder.build().dgram, self.address)
        except OSError:
            return

    def fail(self, text, hint=""):
        """Tell it what went wrong and what to do."""
        self.tell("error", text, hint)
