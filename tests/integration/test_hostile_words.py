"""Words that are commands elsewhere: as owner, model, file, folder or lab they stay words."""

import json
from pathlib import Path

import pytest

from dlwa.actions.lab import far
from dlwa.cli import main
from dlwa.cli._lab_door import TerminalAsker
from dlwa.errors import NotFoundError
from dlwa.hosts import ssh
from dlwa.labs import Lab
from tests.integration.far_lab import FarLab
from tests.integration.sshd import needs_sshd

pytestmark = [pytest.mark.integration, needs_sshd]

PAYLOADS = ["$(touch PWNED)", "`touch PWNED`", "a;touch PWNED", "../up", "-x", "~root", "a\nb"]
PAYLOADS += ["|touch PWNED", "&touch PWNED&", "'; touch PWNED; '", '"; touch PWNED; "', "$IFS"]
PAYLOADS += ["--", ">PWNED"]


@pytest.fixture
def here(world: FarLab, monkeypatch) -> FarLab:
    """A laptop whose commands run in this process."""
    for name, value in {**world.client.env, "DLWA_OWNER": "ann", "DLWA_LAB": "vm"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(world.laptop)
    return world


def nothing_ran(world: FarLab) -> bool:
    """Whether no command of a payload has left its file, on either side."""
    places = (world.far.root.parent, Path("~").expanduser())
    return not [*places[0].rglob("*PWNED*"), *places[1].glob("*PWNED*")]


def test_hostile_words_reach_no_shell(here: FarLab):
    """The name of a run goes through the lab's shell, and so do the owner and the folder."""
    world = here
    (world.far.root / "dlwa.py").write_text(
        "import json, os, sys\nprint(json.dumps([sys.argv[1:],"
        " os.environ['DLWA_OWNER'], os.environ['DLWA_ROOT']]))\n"
    )
    with ssh.connection(Lab("vm", host="vm"), TerminalAsker()) as connection:
        for payload in PAYLOADS:
            lab = Lab("vm", host="vm", root=str(world.far.root))
            line = far.command_line(lab, ["status", payload], payload, {})
            said = json.loads(connection.collect(line).out)
            assert said == [["status", payload], payload, str(world.far.root)]
        for payload in PAYLOADS:
            wrong = Lab("vm", host="vm", root=payload)
            done = connection.collect(far.command_line(wrong, ["status"], "", {}))
            if "~" not in payload:
                assert isinstance(far.refusal(wrong, done), NotFoundError)
    assert nothing_ran(here)


COMMANDS = [
    ("push", "violin", "--all", "--name", "ann/{}"),
    ("push", "{}", "--all"),
    ("fetch", "ann/{}"),
    ("fetch", "{}/violin", "down"),
    ("status", "{}"),
    ("status", "--lab={}"),
    ("ddsp", "make-dataset", "--input_name={}", "--dataset_name=ann/x"),
    ("ddsp", "train", "--dataset_name=ann/x", "--model_name={}"),
    ("ddsp", "timbre-transfer", "a.wav", "--model_name={}"),
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_names_run_nothing_in_any_command(here: FarLab, payload, capsys):
    """They are refused, or taken for the names of things that are not there."""
    (here.laptop / "violin").mkdir()
    (here.laptop / "violin/a.wav").write_bytes(b"RIFF")
    (here.laptop / "a.wav").write_bytes(b"RIFF")
    for command in COMMANDS:
        code = main([word.replace("{}", payload) for word in command])
        said = capsys.readouterr()
        # the end of options is nobody's name: status then shows all runs, of which there are none
        assert code in ((0, 2, 3) if payload == "--" else (2, 3)), (command, code, said)
        assert "Traceback" not in said.err and "bug in dlwa" not in said.err
        assert nothing_ran(here)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_hostile_owner_runs_nothing(here: FarLab, payload, monkeypatch, capsys):
    monkeypatch.setenv("DLWA_OWNER", payload)
    for command in (("status",), ("fetch", "ann/violin"), ("push", "violin", "--all")):
        main(list(command))
        assert "bug in dlwa" not in capsys.readouterr().err
    assert nothing_ran(here)
