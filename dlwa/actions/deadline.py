"""Will it finish before the machine shuts itself down?"""

import time

from dlwa.words import span


def stops_in_s(stops_at: str | None, now: float | None = None) -> float | None:
    """Seconds until the next time the clock shows `stops_at` ("22:00"); None for never."""
    if not stops_at:
        return None
    now = time.time() if now is None else now
    hours, minutes = (int(part) for part in stops_at.split(":"))
    local = time.localtime(now)
    day = (local.tm_year, local.tm_mon, local.tm_mday)
    moment = time.mktime((*day, hours, minutes, 0, 0, 0, -1))
    if moment <= now:
        moment = time.mktime((*day[:2], day[2] + 1, hours, minutes, 0, 0, 0, -1))
    return moment - now


def at_start(stops_at: str | None, now: float | None = None) -> str:
    """What to say when a run starts; empty where the machine never stops."""
    left_s = stops_in_s(stops_at, now)
    if left_s is None:
        return ""
    return (
        f"this machine shuts down at {stops_at}, in {span(left_s)}; what is not done by then "
        "goes on when you give the same command again"
    )


def too_long(stops_at: str | None, needs_s: float | None, now: float | None = None) -> str:
    """What to say of a run that needs that long; empty if it will finish."""
    left_s = stops_in_s(stops_at, now)
    if left_s is None or needs_s is None or needs_s <= left_s:
        return ""
    return f"will not finish before the machine stops at {stops_at}"
