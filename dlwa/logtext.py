"""Reading what programs print: progress bars drawn over themselves, colours, tracebacks."""

import os
import re
from pathlib import Path

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ERROR = re.compile(
    r"^(?:[\w.]+\.)?(?:\w*(?:Error|Exception|Fault)|FATAL|Fatal error|error)\b:? *\S*"
)
_NOISE = re.compile(r"^(?:Traceback |File \"|During handling|The above exception|[\^~ ]+$|=+ dlwa)")
_TAIL_BYTES = 65536


def plain_lines(text: str) -> list[str]:
    """The lines one would see after the program ended: of a line drawn over, the last drawing."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        frames = [frame for frame in line.split("\r") if frame.strip()]
        lines.append(_CONTROLS.sub("", _ESCAPES.sub("", frames[-1] if frames else "")).rstrip())
    return lines


def read_tail(path: Path, max_bytes: int = _TAIL_BYTES) -> str:
    """The end of a file as text, however long the file is; empty if there is none."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - max_bytes))
            data = stream.read(max_bytes)
    except OSError:
        return ""
    return data.decode("utf-8", "replace")


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a log that say something."""
    return [line for line in plain_lines(read_tail(path)) if line.strip()][-count:]


def reason_in(text: str) -> str:
    """The line of a program's output that tells why it failed; empty if it said nothing.

    The last line that names an error, for instance the end of a traceback; else the last line.
    """
    lines = [line.strip() for line in plain_lines(text) if line.strip()][-60:]
    lines = [line for line in lines if not _NOISE.match(line)]
    errors = [line for line in lines if _ERROR.match(line)]
    return (errors or lines or [""])[-1][:500]


class Lines:
    """Turns output that arrives in pieces into lines; `pending` is the one not yet ended."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def pending(self) -> str:
        """What a terminal shows of the line that is still being written."""
        return plain_lines(self._rest.decode("utf-8", "replace"))[-1]

    @property
    def pending_bytes(self) -> int:
        """How many bytes the line that is still being written has so far."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-_TAIL_BYTES:]
        return [line for part in whole for line in plain_lines(part.decode("utf-8", "replace"))]
