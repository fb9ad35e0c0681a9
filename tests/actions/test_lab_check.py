"""What `lab check` makes of the facts: one finding each, and what mends it."""

import pytest

from dlwa.actions.lab._judge import judge
from dlwa.labs import Lab, SlurmOptions
from dlwa.version import __version__

NOW_S = 1_800_000_000.0
GOOD = {
    "clock": [str(NOW_S)],
    "wall": ["12:00"],
    "root": ["yes"],
    "write": ["yes"],
    "disk": [str(50 << 20)],
    "inodes": ["100000"],
    "code": ["yes"],
    "version": [__version__],
    "venv": ["yes"],
    "ddsp": ["ddsp-gpu"],
    "python": ["3.12"],
    "screen": ["/usr/bin/screen"],
    "smi": ["NVIDIA A100;NVIDIA A100;"],
    "driver": ["ok"],
    "logins": ["yes"],
    "scheduler": ["slurm"],
}


def found(lab: Lab, **facts: str | None) -> dict[str, tuple[str, str, str]]:
    known = {**GOOD, **{key: [value] for key, value in facts.items() if value is not None}}
    for key, value in facts.items():
        if value is None:
            del known[key]
    return {one.check: (one.level, one.message, one.fix) for one in judge(lab, known, NOW_S)}


def test_a_lab_that_is_fit_has_nothing_to_mend():
    findings = found(Lab("vm", host="vm", root="/data", stops_at="22:00"))
    assert {level for level, _, _ in findings.values()} == {"ok"}
    assert findings["gpu"][1] == "2 x NVIDIA A100"
    assert "in 10 h" in findings["shutdown"][1]


@pytest.mark.parametrize(
    ("facts", "check", "level", "message", "fix"),
    [
        ({"clock": str(NOW_S + 61)}, "clock", "warn", "61 s ahead", "timedatectl"),
        ({"clock": str(NOW_S - 7300)}, "clock", "warn", "2 h 2 min behind", "timedatectl"),
        ({"clock": str(NOW_S + 59)}, "clock", "ok", "agrees", ""),
        ({"root": None}, "folder", "fail", "no folder /data", "lab setup vm"),
        ({"write": None}, "folder", "fail", "cannot be written", "chown"),
        ({"disk": "500000"}, "disk", "fail", "0.5 GB", "user usage --lab vm"),
        ({"disk": "5000000"}, "disk", "warn", "5 GB", "user usage --lab vm"),
        ({"inodes": "12"}, "disk", "fail", "12 files", "user usage"),
        ({"code": None, "version": ""}, "dlwa", "fail", "no dlwa", "lab setup vm"),
        ({"version": "9.9.9"}, "dlwa", "fail", "version 9.9.9, this is", "git pull"),
        ({"version": "0.0.1"}, "dlwa", "fail", "version 0.0.1, this is", "lab setup vm"),
        ({"venv": None}, "environment", "warn", "not made", "lab setup vm"),
        ({"ddsp": None}, "environment", "warn", "not installed", "lab setup vm"),
        ({"cut": "yes"}, "environment", "fail", "cut short", "lab setup vm"),
        ({"ddsp": "ddsp,live"}, "environment", "warn", "without CUDA", "setup --gpu"),
        ({"python": "3.8"}, "python", "fail", "3.8 is too old", "apt install"),
        ({"python": None}, "python", "fail", "no Python 3", "apt install"),
        ({"screen": ""}, "screen", "fail", "missing", "apt install screen"),
        ({"smi": None, "driver": None}, "gpu", "warn", "no nvidia-smi", "ubuntu-drivers"),
        ({"smi": "It has failed. More;", "driver": None}, "gpu", "fail", "failed", "reboot"),
        ({"logins": "no"}, "logout", "warn", "logout", "enable-linger"),
        ({"shutdown": f"{(NOW_S + 600) * 1e6:.0f}"}, "shutdown", "warn", "shuts", "shutdown -c"),
        ({"wall": "20:30"}, "shutdown", "warn", "22:00 each day, in 1 h 30", "status --all"),
        ({"wall": "22:00"}, "shutdown", "ok", "in 24 h", ""),
    ],
)
def test_what_is_wrong_is_told_with_what_mends_it(facts, check, level, message, fix):
    lab = Lab("vm", host="vm", root="/data", stops_at="22:00")
    told = found(lab, **facts)[check]
    assert told[0] == level and message in told[1] and (fix in told[2] if fix else True), told


def test_a_full_disk_is_told_before_the_first_setup():
    nothing = dict.fromkeys(("root", "write", "code", "version", "venv", "ddsp", "inodes"))
    findings = found(Lab("vm", host="vm", root="/data"), disk="50000", **nothing)
    assert findings["folder"][0] == "fail" and findings["disk"][:2] == ("fail", "0.1 GB free")
    assert "usage" not in findings["disk"][2], "no dlwa is there that could tell"


def test_a_slurm_lab_needs_sbatch_and_no_screen():
    lab = Lab("hpc", host="login", root="/scratch", scheduler="slurm")
    no_node = {"screen": "", "smi": None, "driver": None, "logins": "no"}
    assert found(lab, **no_node)["slurm"][0] == "fail"
    up = found(
        lab, **no_node, sbatch="/usr/bin/sbatch", partitions="gpu* debug", gres="(null) gpu:2"
    )
    assert up["slurm"][:2] == ("ok", "/usr/bin/sbatch; partitions gpu* debug")
    assert up["gpu"][:2] == ("ok", "gpu:2") and not {"screen", "logout"} & set(up)
    login = {**no_node, "sbatch": "/usr/bin/sbatch", "partitions": "gpu* debug"}
    told = found(lab, **login, scheduler="screen")["slurm"]
    assert told[0] == "fail" and "login node" in told[1] and told[2].endswith("lab setup hpc")
    other = Lab("hpc", "login", root="/s", scheduler="slurm", slurm=SlurmOptions("gpu-v100"))
    assert "gpu-v100 is not there" in found(other, **login)["slurm"][1]
    cpu_only = found(lab, **no_node, sbatch="/usr/bin/sbatch", ddsp="ddsp")
    assert "without CUDA" in cpu_only["environment"][1]
    none = found(lab, **no_node, sbatch="/usr/bin/sbatch", partitions="cpu", gres="(null)")
    assert none["gpu"][0] == "warn"
    down = found(lab, **no_node, sbatch="/usr/bin/sbatch", partitions="sinfo: error: no reply")
    assert down["slurm"][0] == "fail" and "no reply" in down["slurm"][1] and "gpu" not in down
