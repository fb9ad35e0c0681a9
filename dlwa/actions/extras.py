"""Parts of dlwa that few need, installed when they are first asked for."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dlwa.actions import setup
from dlwa.errors import DlwaError
from dlwa.hosts.local import LocalHost
from dlwa.locks import FileLock
from dlwa.shell import Command


@dataclass(frozen=True)
class Extra:
    """A part: its name in pyproject.toml, what it is for, a module by which one sees it."""

    name: str
    purpose: str
    module: str
    size: str

    @property
    def command(self) -> Command:
        """How it is installed."""
        return setup.installing(self.name)


# comes with the DDSP half; alone it is what a laptop needs to judge recordings
AUDIO = Extra("audio", "what reads recordings", "soxr", "about 60 MB to download")
STUDIO = Extra("studio", "the page to play on", "gradio", "about 60 MB to download")
LIVE = Extra("live", "microphone and speakers", "sounddevice", "about 1 MB to download")
FAST_PITCH = Extra("fast-pitch", "the fast pitch tracker", "swift_f0", "about 65 MB on disk")
BEAM = Extra("beam", "preparing data on a cluster", "apache_beam", "about 280 MB on disk")
NSYNTH = Extra("nsynth", "reading NSynth", "tensorflow_datasets", "about 190 MB on disk")
ALL = {one.name: one for one in (AUDIO, FAST_PITCH, STUDIO, LIVE, BEAM, NSYNTH)}


def is_installed(extra: Extra) -> bool:
    """Whether it is there; nothing of it is imported."""
    return importlib.util.find_spec(extra.module) is not None


def require(
    extra: Extra,
    assume_yes: bool,
    silent: bool,
    ask: Callable[[str], bool],
    tell: Callable[[str], None],
) -> None:
    """Make sure that a part is installed: ask, or install at once with `assume_yes`.

    Raises `DlwaError` with the command to type where nobody can be asked, the answer is no or pip
    fails.
    """
    if is_installed(extra):
        return
    missing = f"{extra.purpose} is not installed ({extra.size})"
    question = f"This needs {extra.purpose} ({extra.size}). Install it now?"
    if not assume_yes and (silent or not ask(question)):
        again = "the same command again with --yes installs it first"
        raise DlwaError(missing, hint=f"{again}, or: {extra.command}")
    tell(f"installing {extra.purpose} ({extra.size})")
    with FileLock(Path(sys.prefix) / "dlwa-ddsp.lock"):
        code = LocalHost().attach(extra.command)
        if code:
            hint = "check the connection and the disk space, then run the same again"
            raise DlwaError(f"pip ended with {code}, {missing}", hint)
        setup.remember(extra.name)
