"""What a try of push or fetch gives back, and how its progress is told."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Result:
    """What came of each file; `bad` are those that did not arrive as they were sent."""

    sent: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    extras: list[str] = field(default_factory=list)
    bytes: int = 0
    step: int | None = None

    def add_earlier(self, tried: "Result") -> None:
        """Add what an earlier try has done: what it sent is there by now, but was not before."""
        sent = dict.fromkeys((*tried.sent, *self.sent))
        self.sent = list(sent)
        self.same = [path for path in self.same if path not in sent]
        self.deleted = [*tried.deleted, *self.deleted]
        self.bytes += tried.bytes


@dataclass(frozen=True)
class Shown:
    """How progress is told: the bytes there are to move once, those moved again and again."""

    total: Callable[[int, int], None]
    moved: Callable[[int], None]
    file: Callable[[str, int, int], None]
