"""Checks of the machine: disk, clock, screen, GPU."""

import os
import re
import shutil
import time

from dlwa.actions import setup
from dlwa.actions.doctor._base import ANSWERS_WITHIN_S, Finding, Surroundings
from dlwa.actions.doctor._slurm import is_cluster
from dlwa.hosts import processes
from dlwa.shell import Command
from dlwa.tools import nvidia_smi
from dlwa.tools import screen as screen_tool
from dlwa.workspace import Workspace

_GIB = 2**30
_DISK_FAIL_GIB, _DISK_WARN_GIB, _FEW_INODES = 1.0, 8.0, 1000
_CLOCK_SLACK_S = 120.0
_RELEASED_S = 1_795_000_000.0  # November 2026: no clock can be right and show less


def gpu(around: Surroundings) -> Finding:
    """Does the NVIDIA driver answer, and can the installed TensorFlow use it?"""
    if is_cluster(around):
        return Finding("gpu", "ok", "runs compute on the cluster's nodes, not here")
    answer = around.host.run(Command(nvidia_smi.gpus_argv()), ANSWERS_WITHIN_S)
    health = nvidia_smi.health(answer.code)
    if health in ("absent", "none"):
        return Finding("gpu", "ok", "no NVIDIA GPU; runs take turns on the CPU")
    if health != "ok":
        said = answer.said.splitlines()[0] if answer.said else f"exit code {answer.code}"
        fix = "sudo reboot, or install the driver again: sudo ubuntu-drivers install"
        return Finding("gpu", "fail", f"nvidia-smi: {said}", fix)
    gpus = nvidia_smi.parse_gpus(answer.out)
    names = ", ".join(f"{one.index}: {one.name}" for one in gpus)
    if gpus and setup.is_present("tensorflow-cpu"):
        return Finding(
            "gpu", "warn", f"{names}, but TensorFlow has no CUDA", "./dlwa.py setup --gpu"
        )
    return Finding("gpu", "ok", names)


def screen(around: Surroundings) -> Finding:
    """Is GNU screen installed and able to keep its sockets?"""
    if is_cluster(around):
        return Finding("screen", "ok", "not needed; runs live in Slurm jobs")
    if around.host.which(screen_tool.PROGRAM) is None:
        fix = "brew install screen" if around.system == "Darwin" else "sudo apt install screen"
        if around.system == "Windows":
            return Finding("screen", "ok", "not on Windows; runs are started on a lab")
        return Finding("screen", "fail", "GNU screen is not installed; runs live in it", fix)
    named = around.env.get("SCREENDIR")
    environment = {"SCREENDIR": named} if named else {}
    answer = around.host.run(Command((screen_tool.PROGRAM, "-ls"), environment), ANSWERS_WITHIN_S)
    problem = screen_tool.problem_of(answer.said)
    if problem and named:
        return Finding("screen", "fail", f"SCREENDIR={named}: {problem}", f"chmod 700 {named}")
    if problem:
        fix = "mkdir -m 700 -p ~/.dlwa-screen && export SCREENDIR=~/.dlwa-screen"
        return Finding("screen", "warn", f"screen: {problem}; a folder of yours will be used", fix)
    return Finding("screen", "ok", "GNU screen works")


def logout(around: Surroundings) -> Finding:
    """Do sessions survive logging out? (KillUserProcesses of systemd)"""
    login = around.env.get("USER") or processes.login()
    folders = around.etc / "systemd" / "logind.conf.d"
    files = [around.etc / "systemd" / "logind.conf", *sorted(folders.glob("*.conf"))]
    kills = False
    for file in files:
        text = file.read_text(errors="replace") if file.is_file() else ""
        for value in re.findall(r"^\s*KillUserProcesses\s*=\s*(\w+)", text, re.MULTILINE):
            kills = value.lower() in ("yes", "true", "1", "on")
    lingers = (around.var / "lib" / "systemd" / "linger" / login).exists()
    if kills and not lingers:
        text = "this machine ends all processes at logout (KillUserProcesses=yes)"
        return Finding("logout", "fail", text, f"loginctl enable-linger {login}")
    return Finding("logout", "ok", "sessions survive logging out")


def disk(around: Surroundings) -> Finding:
    """Is there room for data sets and checkpoints?"""
    free_gib = shutil.disk_usage(around.root).free / _GIB
    fix = "./dlwa.py user usage, then delete what nobody needs"
    if hasattr(os, "statvfs"):
        about = os.statvfs(around.root)
        if about.f_files and about.f_favail < _FEW_INODES:
            return Finding("disk", "fail", f"only {about.f_favail} more files fit", fix)
    text = f"{free_gib:.1f} GB free at {around.root}"
    if free_gib < _DISK_FAIL_GIB:
        return Finding("disk", "fail", f"{text}, a training needs 1 GB", fix)
    if free_gib < _DISK_WARN_GIB:
        return Finding("disk", "warn", f"{text}; the DDSP half alone takes 2 GB", fix)
    return Finding("disk", "ok", text)


def clock(around: Surroundings) -> Finding:
    """Is the clock plausible? Runs, tickets and logs are told apart by time."""
    shown = time.strftime("%Y-%m-%d %H:%M", time.gmtime(around.now))
    fix = "sudo timedatectl set-ntp true"
    if around.now < _RELEASED_S:
        return Finding("clock", "fail", f"the clock shows {shown} UTC, before dlwa existed", fix)
    files = [*Workspace(around.root).models.glob("*/*/run.json"), around.project / "dlwa.py"]
    newest = max((path.stat().st_mtime for path in files if path.is_file()), default=0.0)
    if newest > around.now + _CLOCK_SLACK_S:
        ahead = (newest - around.now) / 60
        return Finding(
            "clock", "fail", f"files are {ahead:.0f} min ahead of the clock {shown}", fix
        )
    return Finding("clock", "ok", f"{shown} UTC")


def ffmpeg(around: Surroundings) -> Finding:
    """Is ffmpeg there? Only m4a, wma and the like need it."""
    if around.host.which("ffmpeg"):
        return Finding("ffmpeg", "ok", "ffmpeg reads m4a, wma and the like")
    fix = "brew install ffmpeg" if around.system == "Darwin" else "sudo apt install ffmpeg"
    text = "no ffmpeg; wav, flac, mp3, ogg and aiff work without"
    return Finding("ffmpeg", "warn", text, fix)
