"""Counts and lists as people say them."""

from collections.abc import Sequence


def counted(count: int, what: str) -> str:
    """How many of something: 1 file, 5 files."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def some(items: Sequence[str], most: int) -> str:
    """The first of many: a, b and 3 more."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
