"""Text for people: counts, lists, sizes, lengths of time, and nothing that steers a terminal."""

from collections.abc import Sequence


def counted(count: int, what: str) -> str:
    """How many of something: 1 file, 5 files."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def some(items: Sequence[str], most: int) -> str:
    """The first of many: a, b and 3 more."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def size(n_bytes: float) -> str:
    """A size for people: 40 bytes, 0.3 MB, 12.0 GB."""
    if n_bytes < 100:
        return counted(round(n_bytes), "byte")
    size = float(n_bytes)
    for unit in ("kB", "MB"):
        size /= 1000
        if size < 999.5:
            return f"{size:.1f} {unit}" if size < 10 else f"{size:.0f} {unit}"
    return f"{size / 1000:.1f} GB"


def span(seconds: float) -> str:
    """A length of time for people: 40 s, 12 min, 2 h 10 min, 3 d 4 h."""
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 90:
        return f"{minutes} min"
    if hours < 48:
        return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    return f"{hours // 24} d" + (f" {hours % 24} h" if hours % 24 else "")


def printable(text: str, instead: str = "\ufffd", kept: str = "") -> str:
    """Text from elsewhere without characters that could steer a terminal, but those of `kept`."""
    return "".join(char if char.isprintable() or char in kept else instead for char in text)
