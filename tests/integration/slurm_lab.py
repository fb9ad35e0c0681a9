"""A real Slurm of one node for a test: munge, controller and node daemon, all in one folder.

The node says it has eight cores, 4 GB and two GPUs (which are /dev/null and /dev/zero), so that
many small jobs run at once. Nothing outside the folder is touched.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from dlwa import runfiles
from dlwa.actions import runs
from dlwa.actions.runs import Run
from dlwa.hosts import processes
from dlwa.hosts.base import ProcessId
from dlwa.settings import Settings
from tests.integration.lab import Lab, wait_for

_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol")
MISSING = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
needs_slurm = pytest.mark.skipif(bool(MISSING), reason=f"Slurm is missing: {', '.join(MISSING)}")

_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={folder}/run/m.sock
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
AccountingStorageType=accounting_storage/none
ReturnToService=2
KillWait=30
SchedulerParameters=sched_interval=1,bf_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=4000 Gres=gpu:2 State=UNKNOWN
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=lab Nodes={host} Default=YES MaxTime=INFINITE DefaultTime=60 State=UP
PartitionName=first Nodes={host} PriorityTier=10 MaxTime=INFINITE DefaultTime=60 State=UP
"""


class Slurm:
    """One node, two GPUs, in a folder with a short name, because munge's socket is there."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sl", dir="/tmp"))
        self.conf = self.folder / "slurm.conf"
        self._daemons: dict[str, ProcessId] = {}

    def start(self) -> None:
        """Start everything and wait until the node takes jobs."""
        import pwd

        host = socket.gethostname().partition(".")[0]
        for name, mode in (("munge", 0o700), ("run", 0o711), ("state", 0o755), ("spool", 0o755)):
            (self.folder / name).mkdir()
            (self.folder / name).chmod(mode)
        self.folder.chmod(0o755)
        values = {"host": host, "user": pwd.getpwuid(os.getuid()).pw_name, "folder": self.folder}
        ports = {"ctld_port": _free_port(), "slurmd_port": _free_port()}
        self.conf.write_text(_CONF.format(**values, **ports))
        gpus = "".join(f"NodeName={host} Name=gpu File=/dev/{dev}\n" for dev in ("null", "zero"))
        (self.folder / "gres.conf").write_text(gpus)
        self._start_munge()
        self.start_controller()
        self._start("slurmd", "-f", str(self.conf), "-N", host)
        wait_for(lambda: self.ask("sinfo", "-h", "-o", "%t") == "idle", self._told)

    def start_controller(self) -> None:
        """Start the one that answers squeue and the like."""
        self._start("slurmctld", "-f", str(self.conf))

    def stop_controller(self) -> None:
        """Kill it, as a crash would."""
        self._stop("slurmctld")

    def ask(self, *argv: str) -> str:
        """What one of Slurm's programs says."""
        done = subprocess.run(argv, env=self.env, capture_output=True, text=True, timeout=30)
        return (done.stdout + done.stderr).strip()

    @property
    def env(self) -> dict[str, str]:
        """The environment in which this Slurm is the Slurm."""
        return {**os.environ, "SLURM_CONF": str(self.conf), "PATH": _PATH}

    def stop(self) -> None:
        """End every job and daemon and remove the folder."""
        if "slurmctld" in self._daemons and "slurmd" in self._daemons:
            self.ask("scancel", "--user", str(os.getuid()))
            deadline = time.monotonic() + 10
            while self.ask("squeue", "-h") and time.monotonic() < deadline:
                time.sleep(0.1)
        for name in list(self._daemons):
            self._stop(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_munge(self) -> None:
        place = self.folder / "munge"
        (place / "key").write_bytes(os.urandom(128))
        (place / "key").chmod(0o600)
        self._start(
            "munged",
            f"--key-file={place / 'key'}",
            f"--socket={self.folder / 'run' / 'm.sock'}",
            f"--pid-file={self.folder / 'munged.pid'}",
            f"--log-file={place / 'log'}",
            f"--seed-file={place / 'seed'}",
            "--num-threads=2",
        )

    def _start(self, name: str, *words: str) -> None:
        done = subprocess.run(
            [name, *words], env=self.env, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, f"{name}: {done.stderr}\n{self._told()}"
        pid_file = self.folder / f"{name}.pid"
        wait_for(lambda: pid_file.exists() and pid_file.read_text().strip().isdigit(), self._told)
        process = processes.identify(int(pid_file.read_text()))
        assert process is not None, self._told()
        self._daemons[name] = process

    def _stop(self, name: str) -> None:
        process = self._daemons.pop(name)
        for signum in (signal.SIGTERM, signal.SIGKILL):
            if processes.identify(process.pid) == process:
                os.kill(process.pid, signum)
            deadline = time.monotonic() + 5
            while processes.identify(process.pid) == process and time.monotonic() < deadline:
                time.sleep(0.02)

    def _told(self) -> str:
        logs = [self.folder / "slurmctld.log", self.folder / "slurmd.log"]
        return "\n".join(path.read_text()[-2000:] for path in logs if path.exists())


class SlurmLab(Lab):
    """A workspace on the login node of a cluster."""

    def __init__(self, root: Path, slurm: Slurm, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(root, root, monkeypatch)
        self.slurm = slurm
        self.settings = Settings("ann", root, origins={"owner": "test"})

    def configure(self, **more: object) -> None:
        """Write the workspace's lab file."""
        (self.root / "labs").mkdir(parents=True, exist_ok=True)
        text = json.dumps({"scheduler": "slurm", **more})
        (self.root / "labs" / "local.yaml").write_text(text)

    def state(self, run: Run) -> str:
        """How Slurm says the job of a run stands."""
        job = self.again(run).record["slurm_job_id"]
        return self.slurm.ask("squeue", "-h", "-t", "all", "-j", job, "-o", "%T")

    def begin_now(self, run: Run) -> None:
        """Slurm lets a job that was put back wait for two minutes; two seconds will do.

        Not less: slurmd refuses a job it ended in the same second.
        """
        job = self.again(run).record["slurm_job_id"]
        wait_for(lambda: self.state(run) == "PENDING", lambda: self.state(run))
        self.slurm.ask("scontrol", "update", f"JobId={job}", "StartTime=now+2")
        wait_for(lambda: self.state(run) == "RUNNING", lambda: self.state(run))

    def train(self, name: str, *flags: str) -> Run:
        """Start the fake training by the command line."""
        if not (self.root / "datasets").exists():
            self.make_dataset("ann/data")
        words = ("ddsp", "train", "--dataset_name", "ann/data", "--model_name", name)
        many = "--gin_param=train_util.train.num_steps=100000"
        done = self.dlwa(*words, "--", many, *flags)
        assert done.returncode == 0, done.stderr
        return self.found(name)

    def found(self, name: str) -> Run:
        return runs.find_run(self.runs(), name)

    def runs(self) -> list[Run]:
        return runs.all_runs(self.settings.workspace, self.host)

    def until_steps(self, run: Run, count: int = 3) -> Run:
        """The run once its job has done some steps in this turn."""
        self.until(run, lambda now: now.state == "running")
        begins = self.again(run).record["begins_at"]["metrics.jsonl"]
        metrics = run.paths.metrics
        enough = lambda: len(list(runfiles.read_lines(metrics, begins))) >= count  # noqa: E731
        wait_for(enough, lambda: self.log(run))
        return self.again(run)

    def close(self) -> None:
        jobs = [run.record.get("slurm_job_id") for run in self.runs()]
        for job in filter(None, jobs):
            self.slurm.ask("scancel", job)
        going = lambda: self.slurm.ask("squeue", "-h", "-o", "%A").split()  # noqa: E731
        wait_for(lambda: not set(going()) & set(jobs), lambda: str(going()))
        assert not list(self.root.parent.rglob("pwned")), "something in a name was executed"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
