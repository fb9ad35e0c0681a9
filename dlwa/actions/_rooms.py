"""The place a run lives in, as its wrapper sees it: a screen session, or a Slurm job.

The place decides where the devices come from, which signals mean what, and what happens when the
time is up.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from dlwa import runfiles
from dlwa.actions import gpus
from dlwa.actions._outcome import Outcome
from dlwa.actions._record import Record
from dlwa.actions._tee import Tee
from dlwa.actions._turn import Turn
from dlwa.hosts.base import Host
from dlwa.shell import Command
from dlwa.tools import nvidia_smi, screen, slurm

_KNOWN_WITHIN_S = 90.0  # network disks show a new record up to a minute late
_ANSWERS_WITHIN_S = 10.0
_MARGIN_S = 5.0  # between what a job gets to save and the end of its time
_NO_GPUS = "NoDevFiles"  # what older Slurms say for none
_GRES_HINT = 'name the GPUs as sinfo -o "%P %G" does: gres of slurm in labs/local.yaml'
_TIME_IS_UP = getattr(signal, f"SIG{slurm.TIME_IS_UP}")


@dataclass(frozen=True)
class Share:
    """What a run may compute on: the GPUs by UUID, and what its job's environment says of them."""

    uuids: tuple[str, ...] = ()
    env: Mapping[str, str | None] = field(default_factory=dict)


class NoShareError(Exception):
    """The place can never give what the run needs: why, and what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason, self.hint = reason, hint


class Room(Protocol):
    """What the wrapper asks of the place it lives in."""

    signals: Mapping[int, str]  # signals that ask to stop, each with the reason
    grace_s: float | None  # what a job gets to save when such a signal comes

    def address(self) -> dict[str, Any]:
        """Return what the record says of this place."""
        ...

    def wait(self, is_stopped: Callable[[], bool]) -> Share | None:
        """Wait for the turn and return the share, or None when asked to stop before.

        Raises `NoShareError` where there never will be one.
        """
        ...

    def leave(self) -> None:
        """Give the share back."""
        ...

    def hours(self) -> float | None:
        """Return how long the job may take, if the wrapper has to see to it."""
        ...

    def goes_on_later(self, outcome: Outcome, signum: int | None) -> str:
        """Return why a stopped run gets another turn in this place, empty if it gets none."""
        ...

    def hand_back(self) -> str:
        """Ask for that turn; return what went wrong, empty if nothing did."""
        ...


class Session:
    """A screen session: the devices are claimed from the others on this machine."""

    signals: Mapping[int, str] = {}
    grace_s: float | None = None

    def __init__(self, record: Record, tee: Tee, host: Host) -> None:
        self._record = record
        self._turn = Turn(record, tee, host)

    def address(self) -> dict[str, Any]:
        """Return PID.NAME of the session."""
        return {"session_address": os.environ.get("STY", "")}

    def wait(self, is_stopped: Callable[[], bool]) -> Share | None:
        """Stand in line for a GPU or the CPU."""
        devices = self._turn.wait(is_stopped)
        if devices is None:
            return None
        claimed = tuple(one.key for one in devices if not one.key.startswith("cpu-"))
        env = nvidia_smi.environment(claimed)
        if self._record.values.get("devices") == "none":
            env.pop("CUDA_VISIBLE_DEVICES")
        return Share(claimed, env)

    def leave(self) -> None:
        """Step out of the line and release the devices."""
        self._turn.give_back()

    def hours(self) -> float | None:
        """Return the lab's limit."""
        hours = (self._record.values.get("limits") or {}).get("hours_per_run")
        return float(hours) if hours else None

    def goes_on_later(self, outcome: Outcome, signum: int | None) -> str:
        """Return nothing: who wants to go on trains again."""
        return ""

    def hand_back(self) -> str:
        """Return that it cannot be."""
        return "a session has no line to go back to"


class SlurmAllocation:
    """A Slurm job: the devices were given, and the time is counted, by Slurm."""

    signals: Mapping[int, str] = {
        _TIME_IS_UP: "the time of its Slurm job is nearly over",
        signal.SIGTERM: "its job was ended in Slurm, by scancel or to make room",
    }

    def __init__(self, record: Record, tee: Tee, host: Host) -> None:
        self._record, self._tee, self._host = record, tee, host
        self._job_id = os.environ.get("SLURM_JOB_ID", "")
        self._restarts = int(os.environ.get("SLURM_RESTART_COUNT") or 0)
        self._is_back = False
        warned_s = float(record.values.get("slurm_warning_s") or 120.0)
        self.grace_s: float | None = max(_MARGIN_S, warned_s - _MARGIN_S)

    def address(self) -> dict[str, Any]:
        """Return the job, and how often Slurm has begun it again."""
        return {
            "slurm_job_id": self._job_id,
            "place": f"Slurm job {self._job_id}",
            "slurm_restarts": self._restarts,
            "slurm_partition": os.environ.get("SLURM_JOB_PARTITION", ""),
        }

    def wait(self, is_stopped: Callable[[], bool]) -> Share | None:
        """Return at once what Slurm has given; raises `NoShareError` if that is no GPU at all."""
        wanted = self._record.values.get("devices") in ("auto", "gpu")
        count = int(self._record.values.get("gpus", 1)) if wanted else 0
        env: dict[str, str | None] = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}
        if count == 0:
            return Share((), {**env, "CUDA_VISIBLE_DEVICES": ""})
        said = os.environ.get("CUDA_VISIBLE_DEVICES")
        given = [word for word in (said or "").split(",") if word not in ("", _NO_GPUS)]
        uuids = self._uuids(given) if said is not None else self._seen()[:count]
        if len(uuids) < count:
            self._miss(len(uuids), count)
        return Share(uuids, env)

    def _miss(self, given: int, count: int) -> None:
        """Let everybody see that there are too few GPUs, or raise `NoShareError`."""
        told = f"Slurm gave {given} of {count} GPUs"
        if given == 0 and self._record.values.get("devices") == "gpu":
            raise NoShareError(told, _GRES_HINT)
        self._tee.say(f"{told}; {_GRES_HINT}")
        self._record.update(reason=told if given else f"{told}; it computes on the CPU")

    def leave(self) -> None:
        """Do nothing: what Slurm gave ends with the job."""

    def hours(self) -> float | None:
        """Return nothing: Slurm keeps the time."""
        return None

    def goes_on_later(self, outcome: Outcome, signum: int | None) -> str:
        """Tell whether the job gets another turn: its time was up, or Slurm takes it back.

        Not after `dlwa stop` or scancel, and no more often than the lab allows.
        """
        allowed = int(self._record.values.get("slurm_requeues_allowed") or 0)
        turn = len(self._record.values.get("turns") or []) + 1
        if outcome.state != "stopped" or signum is None or allowed == 0:
            return ""
        if signum != _TIME_IS_UP:
            self._is_back = self._is_taken_back()
            return f"Slurm begins it again; turn {turn + 1}" if self._is_back else ""
        if turn > allowed:
            self._tee.say(f"it went back into the line {allowed} times, which is the limit")
            return ""
        return f"its time was up; it goes on in turn {turn + 1} of at most {allowed + 1}"

    def hand_back(self) -> str:
        """Put this very job back into Slurm's line, which ends it."""
        if self._is_back:
            return ""
        for signum in (signal.SIGHUP, signal.SIGINT, *self.signals):
            signal.signal(signum, signal.SIG_IGN)
        said = self._ask(slurm.requeue_argv(self._job_id))
        if said.ok or self._is_taken_back():  # it may be done although nobody answered in time
            return ""
        return said.said or f"scontrol ended with exit code {said.code}"

    def _is_taken_back(self) -> bool:
        """Whether Slurm has put the job back into the line."""
        job = slurm.parse_job(self._ask(slurm.job_argv(self._job_id)).out)
        return job is not None and (job.restarts > self._restarts or job.waits)

    def _seen(self) -> tuple[str, ...]:
        """Every GPU of this node, where Slurm says nothing of GPUs and so hides none."""
        return tuple(gpu.uuid for gpu in gpus.survey(self._host).gpus)

    def _uuids(self, given: Sequence[str]) -> tuple[str, ...]:
        """The GPUs by UUID where nvidia-smi tells them, else by their place on this node."""
        seen = gpus.survey(self._host).gpus
        by_index = {str(gpu.index): gpu.uuid for gpu in seen}
        if len(seen) == len(given):  # cgroups hide the others and count from 0
            return tuple(gpu.uuid for gpu in seen)
        return tuple(by_index.get(word, f"{self._host.name}:{word}") for word in given)

    def _ask(self, argv: tuple[str, ...]) -> Any:
        return self._host.run(Command(argv, slurm.environment(os.environ)), _ANSWERS_WITHIN_S)


def room_of(record: Record, tee: Tee, host: Host) -> Room:
    """The place the record says its run lives in."""
    if record.values.get("keeper") == "slurm":
        return SlurmAllocation(record, tee, host)
    return Session(record, tee, host)


def wait_until_recorded(folder: Path) -> bool:
    """Wait until the one who submitted this job has written down its number.

    Until then the record is theirs to write. False if the record is of another job by now.
    """
    job_id, name = os.environ.get("SLURM_JOB_ID", ""), os.environ.get("SLURM_JOB_NAME", "")
    deadline = time.monotonic() + _KNOWN_WITHIN_S
    while True:
        record = runfiles.read_json(folder / runfiles.RECORD_FILE) or {}
        if name.startswith(screen.PREFIX) and record.get("session") != name:
            return False
        if record.get("keeper") != "slurm" or record.get("slurm_job_id") == job_id:
            return True
        if time.monotonic() > deadline:
            return record.get("slurm_job_id") is None
        time.sleep(0.1)
