"""Install the DDSP half when it is first needed: TensorFlow, audio libraries, CREPE's weights.

Whether it is there is seen without importing it. An installation that was interrupted leaves a
mark behind, so that a half-copied TensorFlow is never taken for a whole one.
"""

import importlib.metadata
import importlib.util
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import dlwa
from dlwa.errors import DlwaError
from dlwa.hosts.base import Host
from dlwa.hosts.local import LocalHost
from dlwa.locks import FileLock
from dlwa.shell import Command
from dlwa.tools import nvidia_smi

Variant = Literal["cpu", "gpu"]

NEEDED = ("tensorflow", "keras", "gin", "absl", "numpy", "scipy", "soundfile", "soxr")
EXTRA: dict[Variant, str] = {"cpu": "ddsp", "gpu": "ddsp-gpu"}
SIZE: dict[Variant, str] = {
    "cpu": "about 0.6 GB to download, 2 GB on disk",
    "gpu": "about 3.5 GB to download, 8 GB on disk",
}
# the same files under two names: one must go before the other comes
RIVAL: dict[Variant, str] = {"cpu": "tensorflow", "gpu": "tensorflow-cpu"}
HINT = "./dlwa.py setup"


@dataclass(frozen=True)
class Plan:
    """What will be installed, why, and by which commands."""

    variant: Variant
    reason: str
    commands: tuple[Command, ...]

    @property
    def size(self) -> str:
        """How much there is to download and to keep."""
        return SIZE[self.variant]


def is_installed() -> bool:
    """Whether the DDSP half is here and whole; nothing of it is imported."""
    return not interrupted().exists() and not missing()


def missing() -> list[str]:
    """The packages of the DDSP half that cannot be found."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def interrupted() -> Path:
    """The mark that exists while the DDSP half is being installed."""
    return Path(sys.prefix) / "dlwa-ddsp.installing"


def plan(variant: Variant | None = None, host: Host | None = None) -> Plan:
    """Decide between the CPU and the CUDA build, and spell out the commands.

    Without a wish, CUDA is taken where `nvidia-smi` lists a GPU.
    """
    if variant:
        chosen, reason = variant, f"--{variant} was given"
    else:
        chosen, reason = _detect(host or LocalHost())
    commands = []
    if is_present(RIVAL[chosen]) and (chosen == "gpu" or is_present("nvidia-cudnn-cu12")):
        commands.append(pip("uninstall", "-y", RIVAL[chosen]))
    commands.append(installing(EXTRA[chosen]))
    return Plan(chosen, reason, tuple(commands))


def installing(extra: str) -> Command:
    """How a part of dlwa is installed, in the versions dlwa is tested with."""
    return pip("install", "-c", str(constraints()), f"dlwa[{extra}]")


def pip(*words: str) -> Command:
    """A command of pip for this Python; of uv, where uv made the environment and left pip out.

    Raises `DlwaError` with what to type where neither is there.
    """
    if importlib.util.find_spec("pip"):
        argv = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *words)
        return Command(argv)
    uv = shutil.which("uv")
    if not uv:
        hint = str(Command((sys.executable, "-m", "ensurepip")))
        raise DlwaError(f"this Python has no pip to install with ({sys.prefix})", hint)
    return Command((uv, "pip", words[0], "--python", sys.executable, *words[1:]))


def install(planned: Plan, host: Host | None = None, quiet: bool = False) -> None:
    """Run the commands of a plan, one process at a time for each environment.

    Raises `DlwaError` when pip fails; the mark then stays, and the next call goes on.
    """
    host = host or LocalHost()
    with FileLock(Path(sys.prefix) / "dlwa-ddsp.lock"):
        interrupted().write_text(planned.variant + "\n", encoding="utf-8")
        for command in planned.commands:
            run = host.run(command, timeout_s=7200).code if quiet else host.attach(command)
            if run:
                raise DlwaError(
                    f"pip ended with {run}, the DDSP half is not installed",
                    hint=f"check the connection and the disk space, then: {HINT}",
                )
        remember(EXTRA[planned.variant])
        interrupted().unlink(missing_ok=True)


def remember(extra: str) -> None:
    """Note what was installed beside the light half; the launcher keeps it up to date."""
    noted = Path(sys.prefix) / "dlwa-extras"
    kept = noted.read_text(encoding="utf-8").strip().split(",") if noted.exists() else []
    replaced = set(EXTRA.values()) if extra in EXTRA.values() else {extra}
    names = [name for name in kept if name and name not in replaced]
    noted.write_text(",".join([*names, extra]) + "\n", encoding="utf-8")


def require_ddsp(
    assume_yes: bool = False,
    no_input: bool = False,
    ask: Callable[[str], bool] | None = None,
    tell: Callable[[str], None] | None = None,
) -> None:
    """Make sure that the DDSP half is installed: ask, or install at once with `assume_yes`.

    Raises `DlwaError` with the command to type where nobody can be asked or the answer is no.
    """
    if is_installed():
        return
    planned = plan()
    question = f"This needs the DDSP half ({planned.size}). Install it now?"
    if not assume_yes and (no_input or ask is None or not ask(question)):
        raise DlwaError(f"the DDSP half is not installed ({planned.size})", hint=HINT)
    if tell is not None:
        tell(f"installing the DDSP half for the {planned.variant.upper()}: {planned.reason}")
    install(planned)


def constraints() -> Path:
    """The versions dlwa is tested with."""
    return Path(dlwa.__file__).parent / "constraints.txt"


def is_present(distribution: str) -> bool:
    """Whether a package of that name is installed."""
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _detect(host: Host) -> tuple[Variant, str]:
    if sys.platform != "linux":
        return "cpu", "CUDA builds exist for Linux only"
    answer = host.run(Command(nvidia_smi.gpus_argv()))
    gpus = nvidia_smi.parse_gpus(answer.out) if answer.ok else []
    if gpus:
        return "gpu", f"nvidia-smi lists {gpus[0].name}"
    return "cpu", "no GPU answers to nvidia-smi"
