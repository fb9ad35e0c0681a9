"""The GPUs of this machine: what there is, who uses it, what may be claimed."""

from collections.abc import Sequence
from dataclasses import dataclass

from dlwa.claims import Claims, Device
from dlwa.hosts import processes
from dlwa.hosts.base import Host
from dlwa.shell import Command
from dlwa.tools import nvidia_smi
from dlwa.tools.nvidia_smi import ComputeApp, Gpu, Health


@dataclass(frozen=True)
class Survey:
    """What nvidia-smi says at one moment."""

    health: Health
    gpus: tuple[Gpu, ...] = ()
    apps: tuple[ComputeApp, ...] = ()
    said: str = ""

    @property
    def usable(self) -> bool:
        """Whether there are GPUs to compute on."""
        return self.health == "ok" and bool(self.gpus)

    @property
    def broken(self) -> bool:
        """Whether there should be GPUs, but they do not answer."""
        return self.health in ("no driver", "broken")


@dataclass(frozen=True)
class GpuUse:
    """One GPU and who uses it."""

    gpu: Gpu
    run_id: str = ""
    owner: str = ""
    name: str = ""
    foreign: str = ""

    def document(self) -> dict[str, object]:
        """The GPU as `--json` shows it."""
        who = {"run": self.run_id, "owner": self.owner, "name_of_run": self.name}
        return {**vars(self.gpu), **who, "foreign": self.foreign}


def survey(host: Host) -> Survey:
    """Ask nvidia-smi; a machine without it has no GPUs."""
    gpus = host.run(Command(nvidia_smi.gpus_argv()))
    health = nvidia_smi.health(gpus.code)
    if health != "ok":
        return Survey(health, said=gpus.said.splitlines()[0] if gpus.said else "")
    apps = host.run(Command(nvidia_smi.apps_argv()))
    return Survey(
        health,
        tuple(nvidia_smi.parse_gpus(gpus.out)),
        tuple(nvidia_smi.parse_apps(apps.out)) if apps.ok else (),
    )


def devices(seen: Survey) -> list[Device]:
    """The GPUs as things to claim; `foreign` says who computes there, be it one of our runs."""
    return [Device(gpu.uuid, f"GPU {gpu.index}", _user_of(gpu, seen.apps)) for gpu in seen.gpus]


def cpu_turns(count: int) -> list[Device]:
    """The turns on the CPU, where there is no GPU."""
    label = "the CPU" if count == 1 else "a turn on the CPU"
    return [Device(f"cpu-{number}", label) for number in range(count)]


def uses(seen: Survey, claims: Claims) -> list[GpuUse]:
    """Each GPU with the run that holds it, or whoever computes there from outside dlwa."""
    holders = {key: entry.want for entry in claims.look() for key in entry.held}
    table = []
    for gpu in seen.gpus:
        want = holders.get(gpu.uuid)
        if want:
            table.append(GpuUse(gpu, want.run_id, want.owner, want.name))
        else:
            table.append(GpuUse(gpu, foreign=_user_of(gpu, seen.apps)))
    return table


def _user_of(gpu: Gpu, apps: Sequence[ComputeApp]) -> str:
    on_it = [app.pid for app in apps if app.gpu_uuid == gpu.uuid]
    if on_it:
        return ", ".join(_describe(pid) for pid in on_it)
    return f"a process that cannot be seen ({gpu.memory_used_mib} MiB)" if gpu.is_full else ""


def _describe(pid: int) -> str:
    user = processes.user_of(pid)
    words = processes.command_of(pid).split()
    program = words[0].rsplit("/", 1)[-1] if words else ""
    told = " ".join(part for part in (user, program) if part)
    return f"pid {pid} ({told})" if told else f"pid {pid}"
