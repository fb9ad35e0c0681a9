"""Checks of a login node, where runs are jobs of a Slurm cluster."""

from dlwa.actions.doctor._base import ANSWERS_WITHIN_S, Finding, Surroundings
from dlwa.errors import DlwaError
from dlwa.labs import LOCAL, read_lab
from dlwa.shell import Command
from dlwa.workspace import Workspace


def is_cluster(around: Surroundings) -> bool:
    """Whether the workspace's lab file says that Slurm keeps the runs."""
    try:
        return read_lab(Workspace(around.root).labs, LOCAL).scheduler == "slurm"
    except DlwaError:  # the check of the lab files tells it
        return False


def slurm(around: Surroundings) -> Finding:
    """Where Slurm keeps the runs: is it there, and does it answer?"""
    if not is_cluster(around):
        return Finding("slurm", "ok", "not used; runs live in screen sessions")
    if around.host.which("sbatch") is None:
        text = "labs/local.yaml says scheduler: slurm, but there is no sbatch"
        fix = "work on the login node, or write scheduler: screen into labs/local.yaml"
        return Finding("slurm", "fail", text, fix)
    answer = around.host.run(Command(("sinfo", "-h", "-o", "%P")), ANSWERS_WITHIN_S)
    if not answer.ok:
        said = (answer.said.splitlines() or ["no word"])[-1]
        return Finding("slurm", "fail", f"Slurm does not answer: {said}", "try again later: sinfo")
    return Finding("slurm", "ok", f"partitions {', '.join(answer.out.split())}")
