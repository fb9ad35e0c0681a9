"""What a job builds aside gets its name when it is whole, and is removed when it is not."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from dlwa.actions._outcome import Outcome


def settle(outcome: Outcome, aside: Mapping[str, str] | None) -> Outcome:
    """Rename what was built if the job finished, remove it if not; the outcome after that.

    `aside` names what was `built`, its `place`, and a pattern of files it `must_hold`.
    """
    if not aside:
        return outcome
    built, place = Path(aside["built"]), Path(aside["place"])
    if outcome.state == "finished":
        try:
            _give_name(built, place, aside.get("must_hold") or "*")
        except OSError as error:
            outcome = Outcome("failed", f"{place} could not be made: {error.strerror or error}")
    shutil.rmtree(built, ignore_errors=True)
    return outcome


def _give_name(built: Path, place: Path, must_hold: str) -> None:
    if not any(path.stat().st_size for path in built.glob(must_hold)):
        raise OSError(f"the job ended well but made no {must_hold}")
    place.parent.mkdir(parents=True, exist_ok=True)
    built.rename(place)
