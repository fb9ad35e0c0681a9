"""`dlwa lab`: choosing, describing, checking and setting up, against a real sshd."""

import contextlib
import importlib.util
import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from dlwa.version import __version__
from tests.integration.far_lab import FarLab
from tests.integration.sshd import Server, make_key, needs_sshd

pytestmark = [pytest.mark.integration, needs_sshd]
PROJECT = Path(__file__).resolve().parents[2]


def findings(done) -> dict[str, dict]:
    return {one["check"]: one for one in json.loads(done.stdout)["findings"]}


def test_using_a_lab_shows_its_key_and_is_remembered(world: FarLab):
    done = world.dlwa("lab", "use", "vm", "--owner", "eva", DLWA_OWNER="")
    assert done.returncode == 0, done.stderr
    assert "SHA256:" in done.stderr and f"dlwa {__version__} is there" in done.stderr
    status = world.dlwa("status", DLWA_OWNER="")
    assert status.returncode == 0 and "No runs here yet" in status.stderr
    listed = world.dlwa("lab", "list", "--json")
    assert {"lab": "vm", "in use": "yes"}.items() <= json.loads(listed.stdout)[-1].items()
    (world.far.root / "inputs/eva").mkdir(parents=True)
    twin = world.dlwa("lab", "use", "vm", "--owner", "Eva", "--dry-run").stderr
    assert "eva is there already; Eva is somebody else" in twin and "--owner eva" in twin
    assert "already" not in world.dlwa("lab", "use", "vm", "--owner", "eva", DLWA_OWNER="").stderr
    world.far.start("import time; time.sleep(60)", "eva/job")
    assert world.dlwa("stop", "eva/job", DLWA_OWNER="").returncode == 0
    assert world.dlwa("lab", "use", "local").returncode == 0
    assert "eva/job" not in world.dlwa("status").stdout


def test_without_a_name_nobody_can_tell_who_works(world: FarLab):
    done = world.dlwa("lab", "use", "vm", DLWA_OWNER="")
    assert done.returncode == 2 and "--owner" in done.stderr


def test_an_impostor_is_not_remembered(world: FarLab, tmp_path: Path):
    make_key(tmp_path / "other")
    key = " ".join((tmp_path / "other.pub").read_text().split()[:2])
    world.describe(host_keys=[key])
    done = world.dlwa("lab", "use", "vm", "--owner", "eva", "--json")
    assert done.returncode == 4
    assert "has changed" in json.loads(done.stdout)["error"]["message"]
    assert not (world.laptop / ".dlwa/settings.yaml").exists()


def test_an_unknown_machine_is_asked_about_on_the_terminal(world: FarLab):
    world.client.known_hosts.unlink()
    assert world.dlwa("lab", "use", "vm").returncode == 4
    argv = world.argv("lab", "use", "vm")
    one = pexpect.spawn(
        argv[0], argv[1:], env=world.environment(), cwd=str(world.laptop), encoding="utf-8"
    )
    one.expect("seen for the first time", timeout=20)
    one.expect(r"SHA256:\S+")
    one.expect(r"\[y/N\]")
    one.sendline("y")
    one.expect("working on vm")
    one.expect(pexpect.EOF)
    assert world.client.known_hosts.exists()


def test_describing_a_lab(world: FarLab):
    words = ("lab", "add", "azure", "student@ml.example.org", "--root-there", "/data/dlwa")
    assert "would write labs/azure.yaml" in world.dlwa(*words, "--dry-run").stderr
    assert "lab add azure USER@HOST" in world.dlwa("lab", "use", "azure").stderr
    assert world.dlwa(*words, "--port", "63635").returncode == 0
    assert world.dlwa(*words, "--dry-run").returncode == 6
    shown = json.loads(world.dlwa("lab", "show", "azure", "--json").stdout)
    assert (shown["reached_as"], shown["root"]) == ("student@ml.example.org:63635", "/data/dlwa")
    assert world.dlwa(*words).returncode == 6
    assert world.dlwa("lab", "add", "-x", "h", "--root-there", "/").returncode == 2
    assert world.dlwa("lab", "add", "b", "-oProxyCommand=id", "--root-there", "/").returncode == 2


def test_check_finds_what_is_wrong_and_how_to_mend_it(world: FarLab):
    good = world.dlwa("lab", "check", "vm", "--json")
    found = findings(good)
    assert found["dlwa"]["level"] == found["screen"]["level"] == found["folder"]["level"] == "ok"
    assert found["gpu"]["fix"] and found["environment"]["fix"].endswith("lab setup vm")
    (world.far.root / "dlwa.py").unlink()
    missing = world.dlwa("lab", "check", "vm", "--json")
    assert missing.returncode == 1 and findings(missing)["dlwa"]["fix"].endswith("lab setup vm")
    world.describe(root="/no/such")
    assert findings(world.dlwa("lab", "check", "vm", "--json"))["folder"]["level"] == "fail"
    world.server.authorized.write_text("")
    assert "ssh-copy-id" in findings(world.dlwa("lab", "check", "vm", "--json"))["login"]["fix"]
    world.describe(port=1)
    off = world.dlwa("lab", "check", "vm")
    assert off.returncode == 1 and "reachable" in off.stdout


def test_a_python_there_that_does_not_start_is_told(world: FarLab):
    python = world.far.root / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho libpython is missing >&2; exit 127\n")
    python.chmod(0o755)
    done = world.dlwa("status", "--lab", "vm", "--json")
    told = json.loads(done.stdout)["error"]
    assert done.returncode == 1 and "libpython is missing" in told["message"]
    assert told["hint"].endswith("lab check vm")
    checked = world.dlwa("lab", "check", "vm")
    assert checked.returncode == 1 and "does not start" in checked.stdout
    assert f"rm -r {python.parents[1]}" in checked.stderr
    assert world.dlwa("lab", "use", "vm").stderr.count("does not start there") == 1


@pytest.mark.parametrize("chatter", ["printf 'Welcome!\\ngit\\nno end'", "printf 'no end' >&2"])
def test_talkative_login_scripts_hide_no_answer(world: FarLab, tmp_path: Path, chatter: str):
    (tmp_path / "rc").write_text(chatter)
    world.server.stop()
    world.server.env["BASH_ENV"] = str(tmp_path / "rc")
    world.server.start()
    told = json.loads(world.dlwa("status", "--lab", "vm", "--json").stdout)
    assert told == {"runs": [], "gpus": []}
    assert world.dlwa("status", "nobody", "--lab", "vm").returncode == 3
    used = world.dlwa("lab", "use", "vm")
    assert f"\ndlwa {__version__} is there" in used.stderr
    (world.far.root / "dlwa.py").unlink()
    assert world.dlwa("status", "--lab", "vm").returncode == 3


def stamped(root: Path) -> None:
    """A .venv as the launcher leaves it, so that no test installs packages."""
    (root / ".venv/bin").mkdir(parents=True)
    python = root / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    spec = importlib.util.spec_from_file_location("launcher", PROJECT / "dlwa.py")
    assert spec and spec.loader
    launcher = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(launcher)
    launcher.ROOT, launcher.PYTHON = os.path.realpath(root), str(python)
    (root / ".venv/dlwa-installed").write_text(launcher.fingerprint())


def test_setup_brings_the_same_code_and_may_be_repeated(world: FarLab, tmp_path: Path):
    root = tmp_path / "new folder's lab"
    world.describe(root=str(root), limits={"runs_per_owner": 1})
    stamped(root)
    first = world.dlwa("lab", "setup", "vm", "--light", "--json")
    assert first.returncode == 0, first.stderr + first.stdout
    assert json.loads(first.stdout)["changed"] is True
    assert (root / "dlwa/hosts/ssh/_connect.py").read_bytes() == (
        PROJECT / "dlwa/hosts/ssh/_connect.py"
    ).read_bytes()
    assert "runs_per_owner: 1" in (root / "labs/local.yaml").read_text()
    assert world.dlwa("status", "--lab", "vm").returncode == 0
    again = json.loads(world.dlwa("lab", "setup", "vm", "--light", "--json").stdout)
    assert again["changed"] is False
    (root / ".dlwa/code").write_text("0" * 64 + "\n")
    (root / "labs/local.yaml").write_text("limits: {runs_per_owner: 5}\n")
    run = root / "models/ddsp/ann/x"
    run.mkdir(parents=True)
    (run / "run.json").write_text('{\n "state": "running"\n}')
    busy = world.dlwa("lab", "setup", "vm", "--light")
    assert busy.returncode == 2 and "models/ddsp/ann/x/run.json" in busy.stderr
    assert world.dlwa("lab", "setup", "vm", "--light", "--yes").returncode == 0
    assert (root / ".dlwa/previous/dlwa.py").exists()
    assert "runs_per_owner: 5" in (root / "labs/local.yaml").read_text()
    (run / "run.json").unlink()
    (root / ".dlwa/code").write_text("0" * 64 + "\n")
    (root / "dlwa/version.py").write_text('__version__ = "9.1.0"\n')
    older = world.dlwa("lab", "setup", "vm", "--light", "--no-input")
    assert older.returncode == 2 and "9.1.0 is there, which is newer" in older.stderr
    assert "9.1.0" in (root / "dlwa/version.py").read_text()


def test_a_git_checkout_is_left_alone(world: FarLab):
    (world.far.root / ".git").mkdir()
    done = world.dlwa("lab", "setup", "vm", "--light")
    assert done.returncode == 6 and "git -C" in done.stderr


TOOLS = "sh true ln gzip cat grep head sed awk df date tar mv rm chmod chown id tr sort timeout "
TOOLS += "find uname"
SUDO = """#!/bin/sh
[ "$1" = -n ] && shift
BY_SUDO=1 exec "$@"
"""
MKDIR = """#!/bin/sh
[ -n "$BY_SUDO" ] || [ -d "$DLWA_TEST_ROOT" ] || {{ echo "Permission denied" >&2; exit 1; }}
exec {mkdir} "$@"
"""
APT = """#!/bin/sh
echo "$BY_SUDO $*" >> {log}
case "$*" in *install*) for last in "$@"; do :; done; ln -sf {true} {folder}/$last;; esac
"""
PYTHON = """#!/bin/sh
case "$1" in dlwa.py) [ "$2" = --version ] && echo dlwa; exit;; esac
exec {python} "$@"
"""


@contextlib.contextmanager
def bare_machine(folder: Path, root: Path) -> Iterator[Server]:
    """A machine without screen, whose root belongs to somebody else; sudo wants no password."""
    tools = folder / "tools"
    tools.mkdir(parents=True)
    for name in TOOLS.split():
        (tools / name).symlink_to(shutil.which(name) or "/bin/false")
    made = {
        "sudo": SUDO,
        "mkdir": MKDIR.format(mkdir=shutil.which("mkdir")),
        "apt-get": APT.format(log=folder / "apt", true=shutil.which("true"), folder=tools),
        "python3": PYTHON.format(python=shlex.quote(sys.executable)),
    }
    for name, text in made.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    # another HOME, so that no .bashrc changes PATH
    env = {"PATH": str(tools), "HOME": str(folder), "DLWA_TEST_ROOT": str(root)}
    server = Server(folder / "sshd", env)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_setup_brings_what_the_system_lacks_after_a_yes(world: FarLab, tmp_path: Path):
    root = tmp_path / "data/dlwa"
    with bare_machine(tmp_path / "bare", root) as server:
        server.let_in(world.client.key)
        world.client.add_host("bare", server)
        world.client.know(server)
        world.describe("bare", host="bare", root=str(root))
        missing = findings(world.dlwa("lab", "check", "bare", "--json"))
        assert missing["screen"]["level"] == "fail" and "apt" in missing["screen"]["fix"]
        refused = world.dlwa("lab", "setup", "bare", "--light", "--no-input")
        assert refused.returncode == 4 and "sudo mkdir" in refused.stderr
        assert "missing there: screen" in refused.stderr and not (tmp_path / "bare/apt").exists()
        df = tmp_path / "bare/tools/df"
        right = df.readlink()
        df.unlink()
        df.write_text("#!/bin/sh\necho header; echo disk 1 1 90000 1 /\n")
        df.chmod(0o755)
        full = world.dlwa("lab", "setup", "bare", "--light", "--yes")
        assert full.returncode == 6 and "92 MB are free" in full.stderr
        assert not (root / "dlwa.py").exists()
        df.unlink()
        df.symlink_to(right)
        done = world.dlwa("lab", "setup", "bare", "--light", "--yes")
        assert done.returncode == 0, done.stderr
        asked = (tmp_path / "bare/apt").read_text()
        assert asked.splitlines()[-1] == "1 -q -y --no-install-recommends install screen"
        assert (root / "dlwa.py").exists() and (root / "inputs").is_dir()
        again = world.dlwa("lab", "setup", "bare", "--light", "--no-input")
        assert again.returncode == 0 and "this one already" in again.stderr
        assert (tmp_path / "bare/apt").read_text() == asked
        assert findings(world.dlwa("lab", "check", "bare", "--json"))["screen"]["level"] == "ok"
