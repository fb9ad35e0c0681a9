"""What is made of what `ssh -G` prints."""

from pathlib import Path

import pytest

from dlwa.hosts.ssh import _target, resolve


def answered(monkeypatch: pytest.MonkeyPatch, **lines: str) -> _target.Target:
    said = {"hostname": ["vm"], "user": ["ann"], **{key: [line] for key, line in lines.items()}}
    monkeypatch.setattr(_target, "_ask_openssh", lambda *_: said)
    return resolve("vm")


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("/home/a/.ssh/known_hosts /home/a/.ssh/known_hosts2", ["/home/a/.ssh/known_hosts"] * 2),
        ("/home/ann lee's/known_hosts /etc/k", ["/home/ann lee's/known_hosts", "/etc/k"]),
        ("none", []),
        ("/a/k none", ["/a/k"]),
        (r"C:\Users\Ann Lee/.ssh/kh D:/kh", [r"C:\Users\Ann Lee/.ssh/kh", "D:/kh"]),
        (r"__PROGRAMDATA__\ssh/kh", [r"C:\ProgramData\ssh/kh"]),
    ],
)
def test_paths_stand_side_by_side_without_quotes(monkeypatch, line: str, paths: list[str]):
    monkeypatch.setenv("PROGRAMDATA", r"C:\ProgramData")
    target = answered(monkeypatch, userknownhostsfile=line, globalknownhostsfile="none")
    if "known_hosts2" in line:
        paths[1] += "2"
    assert [str(path) for path in target.known_hosts] == paths
    assert target.own_known_hosts == (Path(paths[0]) if paths else None)


def test_a_tilde_and_d_mean_the_home_folder(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("HOME", str(tmp_path))
    target = answered(monkeypatch, identityfile="%d/my keys/id", userknownhostsfile="~/kh")
    assert target.identity_files == (tmp_path / "my keys/id",)
    assert target.known_hosts == (tmp_path / "kh",)


def test_a_key_file_may_be_named_after_the_machine(monkeypatch):
    monkeypatch.setenv("KEYS", "/keys")
    target = answered(monkeypatch, hostname="10.0.0.7", identityfile="${KEYS}/%n_%h_%r_100%%_%x")
    assert target.identity_files == (Path("/keys/vm_10.0.0.7_ann_100%_%x"),)


@pytest.mark.parametrize(
    ("alias", "port", "name"),
    [
        ("", "22", "vm"),
        ("", "63635", "[vm]:63635"),
        ("lab", "9", "lab"),
        ("none", "22", "vm"),
        ("nonebox", "22", "nonebox"),
    ],
)
def test_the_name_a_key_is_kept_under(monkeypatch, alias: str, port: str, name: str):
    assert answered(monkeypatch, hostkeyalias=alias, port=port).key_name == name
