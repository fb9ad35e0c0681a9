"""nvidia-smi: how it is asked and what it answers. Starts nothing.

Fields may hold `[N/A]`, `[Not Supported]` or `[Insufficient Permissions]` instead of a number;
they become None. Devices are named by UUID, because their numbers move after a reboot.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

PROGRAM = "nvidia-smi"
Health = Literal["ok", "none", "no driver", "absent", "broken"]

_GPU_FIELDS = ("index", "uuid", "name", "memory.total", "memory.used", "utilization.gpu")
_APP_FIELDS = ("gpu_uuid", "pid", "used_memory")
_FORMAT = "--format=csv,noheader,nounits"
_BY_EXIT_CODE: dict[int, Health] = {0: "ok", 6: "none", 9: "no driver", 127: "absent"}
# A GPU this full is in use even if the processes cannot be seen (another container).
_FULL = 0.5


@dataclass(frozen=True)
class Gpu:
    """One device and how busy it is."""

    index: int
    uuid: str
    name: str
    memory_total_mib: int | None
    memory_used_mib: int | None
    utilization_percent: int | None

    @property
    def is_full(self) -> bool:
        """Whether more than half of its memory is taken."""
        return bool(self.memory_total_mib) and (
            (self.memory_used_mib or 0) > _FULL * (self.memory_total_mib or 0)
        )


@dataclass(frozen=True)
class ComputeApp:
    """A process that computes on a device."""

    gpu_uuid: str
    pid: int
    memory_mib: int | None


def gpus_argv() -> tuple[str, ...]:
    """Ask for the devices."""
    return (PROGRAM, f"--query-gpu={','.join(_GPU_FIELDS)}", _FORMAT)


def apps_argv() -> tuple[str, ...]:
    """Ask for the processes that compute."""
    return (PROGRAM, f"--query-compute-apps={','.join(_APP_FIELDS)}", _FORMAT)


def health(exit_code: int) -> Health:
    """What the exit code says: devices, no device, no driver, no such program, or broken."""
    return _BY_EXIT_CODE.get(exit_code, "broken")


def parse_gpus(text: str) -> list[Gpu]:
    """The devices, by index; lines that are none are passed over."""
    rows = _rows(text, len(_GPU_FIELDS))
    gpus = []
    for index, uuid, *name, total, used, busy in rows:
        number = _number(index)
        if number is not None and uuid:
            named = ", ".join(name)
            gpus.append(Gpu(number, uuid, named, _number(total), _number(used), _number(busy)))
    return sorted(gpus, key=lambda gpu: gpu.index)


def parse_apps(text: str) -> list[ComputeApp]:
    """The processes that compute; an empty answer means none."""
    apps = []
    for uuid, pid, *_, memory in _rows(text, len(_APP_FIELDS)):
        number = _number(pid)
        if number is not None and uuid:
            apps.append(ComputeApp(uuid, number, _number(memory)))
    return apps


def environment(uuids: Sequence[str]) -> dict[str, str | None]:
    """What a run sees of the devices: those it claimed, numbered as nvidia-smi does.

    TensorFlow then takes memory as it needs it, not all there is.
    """
    return {
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": ",".join(uuids),
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    }


def _rows(text: str, columns: int) -> Iterable[list[str]]:
    for row in csv.reader(text.splitlines(), skipinitialspace=True):
        fields = [field.strip() for field in row]
        if len(fields) >= columns:
            yield fields


def _number(field: str) -> int | None:
    try:
        return int(float(field.split()[0]))
    except (ValueError, IndexError, OverflowError):
        return None
