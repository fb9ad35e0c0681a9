"""Checks of the parts that few need: each is there, or the command that installs it is told."""

from dlwa.actions import extras, setup
from dlwa.actions.doctor._base import Finding, Surroundings
from dlwa.actions.extras import Extra


def audio(around: Surroundings) -> Finding:
    """Is what `dlwa ddsp audit` needs to read recordings installed? The DDSP half brings it."""
    return _finding(extras.AUDIO)


def fast_pitch(around: Surroundings) -> Finding:
    """Is the fast pitch tracker SwiftF0 installed? CREPE works without."""
    comes_along = around.system != "Darwin" and "tensorflow" in setup.missing()
    if comes_along and not extras.is_installed(extras.FAST_PITCH):
        return Finding(extras.FAST_PITCH.name, "ok", "comes with the DDSP half")
    return _finding(extras.FAST_PITCH)


def studio(around: Surroundings) -> Finding:
    """Is the page of `dlwa ddsp studio` installed?"""
    return _finding(extras.STUDIO)


def live(around: Surroundings) -> Finding:
    """Is what `dlwa ddsp live` needs for microphone and speakers installed?"""
    return _finding(extras.LIVE)


def beam(around: Surroundings) -> Finding:
    """Is Apache Beam installed? Only a cluster needs it."""
    return _finding(extras.BEAM)


def nsynth(around: Surroundings) -> Finding:
    """Is the library that reads NSynth installed?"""
    return _finding(extras.NSYNTH)


def _finding(extra: Extra) -> Finding:
    if extras.is_installed(extra):
        return Finding(extra.name, "ok", f"installed: {extra.purpose}")
    install = f"./dlwa.py setup {extra.name}"
    text = f"not installed, for {extra.purpose}: {install}"
    return Finding(extra.name, "ok", text, install)
