"""Check this machine and say what mends it. Nothing is changed, nothing is downloaded.

`CHECKS` maps a check's name to the function that makes it; each can be run alone.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from dlwa.actions.doctor._base import Finding, Level, Surroundings
from dlwa.actions.doctor._extras import audio, beam, fast_pitch, live, nsynth, studio
from dlwa.actions.doctor._machine import clock, disk, ffmpeg, gpu, logout, screen
from dlwa.actions.doctor._sharing import sharing, write
from dlwa.actions.doctor._slurm import slurm
from dlwa.actions.doctor._software import crepe, ddsp, labs, python, settings, venv
from dlwa.errors import UsageError
from dlwa.settings import nearest

__all__ = ["CHECKS", "Finding", "Level", "Surroundings", "describe", "run_checks"]

CHECKS: Mapping[str, Callable[[Surroundings], Finding]] = {
    check.__name__.replace("_", "-"): check
    for check in (
        python,
        venv,
        settings,
        labs,
        ddsp,
        crepe,
        gpu,
        screen,
        slurm,
        logout,
        disk,
        write,
        sharing,
        clock,
        ffmpeg,
        audio,
        fast_pitch,
        studio,
        live,
        beam,
        nsynth,
    )
}


def run_checks(names: Sequence[str], around: Surroundings) -> list[Finding]:
    """Run the named checks, or all, side by side; the findings come in the order asked for.

    Raises `UsageError` for a check there is not, before any has run.
    """
    for name in names:
        if name not in CHECKS:
            raise UsageError(f"check={name!r} is unknown", nearest(name, CHECKS))
    chosen = list(names) or list(CHECKS)
    with ThreadPoolExecutor(max_workers=len(chosen)) as pool:
        return list(pool.map(lambda name: _run(name, around), chosen))


def describe(name: str) -> str:
    """What a check looks at: the first line of its docstring."""
    return (CHECKS[name].__doc__ or "").strip().splitlines()[0]


def _run(name: str, around: Surroundings) -> Finding:
    try:
        return CHECKS[name](around)
    except Exception as error:  # a doctor that dies of a patient helps nobody
        return Finding(name, "fail", f"the check broke: {type(error).__name__}: {error}")
