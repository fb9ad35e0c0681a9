"""The training whose checkpoints an evaluation follows: has it ended, and how?

An evaluation asks this of the folder it follows, in a process of its own, because only this half
of dlwa knows who keeps the training: its processes, another machine, or Slurm.
"""

import sys
from pathlib import Path

from dlwa.actions.runs import Run, read_run
from dlwa.hosts.base import Host
from dlwa.hosts.local import LocalHost


def how_it_ended(folder: Path, host: Host) -> str:
    """How a training ended, in words; empty while it goes on, or if nobody recorded it."""
    training = read_run(folder, host)
    if training is None or training.live or _job_lives(training, host):
        return ""
    why = f" ({training.reason})" if training.reason else ""
    return f"{training.state}{why}"


def _job_lives(training: Run, host: Host) -> bool:
    """Whether the job outlives its wrapper, and may still save."""
    here = training.record.get("host") == host.name
    return here and training.child is not None and host.is_alive(training.child)


if __name__ == "__main__":
    print(how_it_ended(Path(sys.argv[1]), LocalHost()))
