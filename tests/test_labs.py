"""Lab files: typed, strict, without secrets."""

from pathlib import Path

import pytest

from dlwa.errors import NotFoundError, UsageError
from dlwa.labs import Lab, Limits, lab_from, lab_names, read_lab

HOST = {"host": "vm.example.org", "root": "/data/dlwa"}


@pytest.mark.parametrize("name", ["local", "azure.example", "slurm.example"])
def test_the_shipped_files_are_right(project: Path, name: str) -> None:
    assert read_lab(project / "labs", name).name == name


def test_the_local_lab_needs_no_file(tmp_path: Path) -> None:
    assert read_lab(tmp_path, "local") == Lab("local") and Lab("local").is_local


def test_an_unknown_lab_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "azure.yaml").write_text("host: a\nroot: /x\n")
    assert lab_names(tmp_path) == ["azure", "local"]
    with pytest.raises(NotFoundError) as caught:
        read_lab(tmp_path, "azur")
    assert caught.value.hint == "did you mean azure?"


@pytest.mark.parametrize(
    ("change", "word", "hint"),
    [
        ({"hots": "x"}, "hots", "host?"),
        ({"prot": 22}, "prot", "port?"),
        ({"host": "vm.example.org:63635"}, "its port: --port N", ""),
        ({"host": "ssh://vm.example.org"}, "a name or address alone", ""),
        ({"host": "vm example"}, "a name or address alone", ""),
        ({"limits": {"run_per_owner": 1}}, "run_per_owner", "runs_per_owner?"),
        ({"password": "hunter2"}, "secret", "SSH key"),
        ({"ssh_passphrase": "x"}, "secret", "SSH key"),
        ({"port": "22"}, "port", "without quotes:   port: 22"),
        ({"limits": {"cpu_runs": "2"}}, "cpu_runs", "without quotes:   cpu_runs: 2"),
        ({"port": 70000}, "port", ""),
        ({"port": True}, "port", ""),
        ({"scheduler": "pbs"}, "screen or slurm", ""),
        ({"host": "-oProxyCommand=x"}, "host", ""),
        ({"user": "a\nb"}, "user", ""),
        ({"limits": {"runs_per_owner": 0}}, "runs_per_owner", ""),
        ({"limits": {"hours_per_run": "1d"}}, "hours_per_run", ""),
        ({"limits": [1]}, "limits", ""),
        ({"stops_at": "25:00"}, "stops_at", ""),
        ({"host_keys": ["ssh-ed25519"]}, "host_keys", ""),
        ({"host_keys": ["ssh-ed25519 zzz"]}, "host_keys", ""),
        ({"host_keys": "vm ssh-ed25519 AAAA"}, "host_keys", ""),
        ({"root": None}, "root", ""),
        ({"slurm": {"partitions": "gpu"}}, "partitions", "partition?"),
        ({"slurm": {"partition": "gpu --wrap=x"}}, "partition", ""),
        ({"slurm": {"gres": "gpu:a100:2"}}, "gres", ""),
        ({"slurm": {"time": 43200}}, "in quotes", ""),
        ({"slurm": {"mem": "lots"}}, "mem", ""),
        ({"slurm": {"cpus_per_task": 0}}, "cpus_per_task", ""),
        ({"slurm": {"requeues": -1}}, "requeues", ""),
        ({"slurm": {"options": ["--wrap=reboot"]}}, "sets --wrap", ""),
        ({"slurm": {"options": ["--arr=1-9"]}}, "sets --arr", ""),
        ({"slurm": {"options": ["-x"]}}, "options", ""),
        *(
            ({"slurm": {"options": [f"--{name}=1"]}}, f"sets --{name}", "")
            for name in (
                *("clusters", "cluster-constraint", "container", "export", "export-file"),
                *("gid", "nodes", "uid"),
            )
        ),
        ({"slurm": ["gpu"]}, "slurm", ""),
    ],
)
def test_what_cannot_be_right_is_refused(change: dict, word: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        lab_from({**HOST, **change}, "vm", "labs/vm.yaml")
    assert word in caught.value.message and "labs/vm.yaml" in caught.value.message
    assert hint in caught.value.hint
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_other_options_of_sbatch_are_taken(tmp_path: Path) -> None:
    options = ("--exclude=gpu3", "--nice=100", "--nodelist=gpu1", "--exclusive", "--no-kill")
    lab = lab_from({**HOST, "slurm": {"options": list(options)}}, "vm", "labs/vm.yaml")
    assert lab.slurm.options == options


@pytest.mark.parametrize("host", ["ann@vm", "fe80::1:22", "10.0.0.7", "vm-1.example.org", "my_vm"])
def test_what_openssh_takes_for_a_host_is_one(host: str) -> None:
    assert lab_from({**HOST, "host": host}, "vm", "vm.yaml").host == host


def test_a_root_may_lie_in_the_home_of_the_login(tmp_path: Path) -> None:
    (tmp_path / "vm.yaml").write_text("host: a\nroot: ~/ddsp lab\n")
    assert read_lab(tmp_path, "vm").root == "ddsp lab"
    with pytest.raises(UsageError, match="root='~ann/dlwa'"):
        lab_from({**HOST, "root": "~ann/dlwa"}, "vm", "vm.yaml")


def test_a_time_of_day_survives_yaml(tmp_path: Path) -> None:
    (tmp_path / "vm.yaml").write_text("host: a\nroot: /x\nstops_at: 22:30\n")
    assert read_lab(tmp_path, "vm").stops_at == "22:30"


def test_limits_are_typed() -> None:
    lab = lab_from({**HOST, "limits": {"runs_per_owner": 2, "hours_per_run": 1.5}}, "vm", "f")
    assert lab.limits == Limits(runs_per_owner=2, hours_per_run=1.5)
