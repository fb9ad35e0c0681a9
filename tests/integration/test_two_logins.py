"""Two logins of one group in one workspace: each starts, sees the other, and cannot end it."""

import json
import os
import pwd
import shutil
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlwa import runfiles
from dlwa.actions import sessions
from dlwa.actions.runs import Run, read_run
from dlwa.hosts.local import LocalHost
from tests.integration.lab import HERE, needs_screen, wait_for

pytestmark = [
    pytest.mark.integration,
    needs_screen,
    pytest.mark.skipif(os.geteuid() != 0, reason="acting as two logins needs root"),
]
PROJECT = HERE.parent.parent
GROUP = 100  # "users" on every Debian; any number would do
LOGINS = {"ann": "bin", "ben": "games"}  # accounts that every system has and nobody uses
STEPS = "--gin_param=train_util.train.num_steps=100000"


class Shared:
    """A workspace of a group and two logins, each with a home."""

    def __init__(self, base: Path) -> None:
        self.base, self.root = base, base / "ws"
        self.root.mkdir()
        os.chown(self.root, 0, GROUP)
        self.root.chmod(0o2775)
        for login in LOGINS.values():
            home = base / login
            home.mkdir(mode=0o700)
            os.chown(home, pwd.getpwnam(login).pw_uid, GROUP)
        self.python = self._find_python()

    def run(self, owner: str, *argv: str, umask: int = 0o022) -> "subprocess.CompletedProcess[str]":
        """A program as the login of an owner, or as root."""
        login = LOGINS.get(owner, "root")
        paths = [str(PROJECT), *site.getsitepackages()]
        env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "USER": login,
            "HOME": str(self.base / login),
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SCREENDIR": str(self.base / login / "s"),
            "DLWA_LOCK_DIR": str(self.base / "locks"),
            "DLWA_OWNER": owner,
        }
        return subprocess.run(
            ["/usr/bin/env", *argv],  # what may not be started is an exit code, not an exception
            env=env,
            user=pwd.getpwnam(login).pw_uid,
            group=GROUP,
            extra_groups=[],
            umask=umask,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def run_blind(self, owner: str, *argv: str) -> "subprocess.CompletedProcess[str]":
        """The same where /proc shows a login only its own processes (hidepid)."""
        hide = 'mount -t proc -o hidepid=2 proc /proc && exec "$@"'
        uid = str(pwd.getpwnam(LOGINS[owner]).pw_uid)
        become = ("setpriv", "--reuid", uid, "--regid", str(GROUP), "--clear-groups")
        blind = ("unshare", "--mount", "sh", "-c", hide, "sh", *become)
        return self.run("root", *blind, *argv)

    def dlwa(self, owner: str, *words: str) -> "subprocess.CompletedProcess[str]":
        """A command line of dlwa with fake trainings."""
        return self.run(owner, *self.argv(*words))

    def argv(self, *words: str) -> list[str]:
        """That command line."""
        fakes = str(HERE / "dlwa_with_fakes.py")
        return [self.python, fakes, "--root", str(self.root), *words]

    def train(self, owner: str) -> Run:
        """Start a training that does not end by itself."""
        words = ("--dataset_name", "all/notes", "--model_name", f"{owner}/v", "--", STEPS)
        done = self.dlwa(owner, "ddsp", "train", *words)
        assert done.returncode == 0, done.stderr
        return self.again(owner)

    def again(self, owner: str) -> Run:
        """The training of an owner as it stands now."""
        run = read_run(self.root / "models/ddsp" / owner / "v", LocalHost())
        assert run is not None
        return run

    def _find_python(self) -> str:
        """A Python like ours that another login may start (ours may lie in root's home)."""
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        script = "import sys, typer, rich, yaml, dlwa.cli; print('%d.%d' % sys.version_info[:2])"
        for name in (sys.executable, f"python{version}", "python3"):
            python = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin")
            if python and self.run("ann", python, "-c", script).stdout == f"{version}\n":
                return python
        return ""


@pytest.fixture(scope="module")
def shared() -> Iterator[Shared]:
    base = Path(tempfile.mkdtemp(prefix="dl", dir="/tmp"))
    base.chmod(0o1777)
    try:
        world = Shared(base)
        if not world.python:
            pytest.skip("no Python here that another login may start")
        for owner, login in LOGINS.items():
            world.run(owner, "mkdir", "-m", "700", str(base / login / "s"))
            made = world.dlwa(owner, "user", "add", owner)
            assert made.returncode == 0, made.stderr
        notes = world.root / "datasets/ddsp/all/notes"
        notes.mkdir(parents=True)
        (notes / "data.tfrecord-00000-of-00001").write_text("records")
        (notes / "dataset.json").write_text("{}")
        yield world
        for owner in LOGINS:
            world.dlwa("root", "stop", f"{owner}/v", "--as-admin", "--yes", "--now")
    finally:
        shutil.rmtree(base)


def test_two_logins_start_see_each_other_and_end_only_their_own(shared: Shared) -> None:
    ann = shared.train("ann")
    ben = shared.train("ben")
    wait_for(lambda: bool(shared.again("ben").record.get("queue")))
    assert shared.again("ben").reason == "the CPU is used by ann/v"
    seen = json.loads(shared.dlwa("ben", "status", "--json").stdout)["runs"]
    assert {run["id"]: run["owner"] for run in seen} == {ann.id: "ann", ben.id: "ben"}
    assert "step: " in shared.dlwa("ben", "logs", "ann/v").stdout

    blind = shared.run_blind("ben", *shared.argv("status", "--json"))
    if "mount" not in blind.stderr:
        states = {run["id"]: run["state"] for run in json.loads(blind.stdout)["runs"]}
        assert states == {ann.id: "running", ben.id: "queued"}, "a run not seen is not lost"
        words = ("stop", "ann/v", "--as-admin", "--yes")
        refused = shared.run_blind("ben", *shared.argv(*words))
        assert refused.returncode == 4 and "another login" in refused.stderr

    refused = shared.dlwa("ben", "stop", "ann/v")
    assert refused.returncode == 4 and "belongs to ann, you are ben" in refused.stderr
    refused = shared.dlwa("ben", "stop", "ann/v", "--as-admin", "--yes")
    assert refused.returncode == 4 and "belongs to bin, this is games" in refused.stderr
    assert "sudo" in refused.stderr and not ann.paths.stop_request.exists()
    looked = shared.dlwa("ben", "util", "screen-attach", "ann/v")
    assert looked.returncode == 4 and "logs -f ann/v" in looked.stderr
    assert shared.again("ann").state == "running"

    stopped = shared.dlwa("ann", "stop")  # her only one need not be named
    assert stopped.returncode == 0, stopped.stderr
    wait_for(lambda: shared.again("ben").state == "running")
    assert shared.dlwa("root", "stop", "ben/v", "--as-admin", "--yes").returncode == 0
    assert shared.again("ben").state == "stopped"
    assert sessions.session_of(shared.again("ben"), LocalHost()) is None


def test_what_each_makes_the_group_may_write(shared: Shared) -> None:
    """With the usual umask 022, which would shut the group out."""
    made = [path for path in shared.root.rglob("*") if path.stat().st_uid != 0]
    assert len(made) > 10
    for path in made:
        about = path.stat()
        assert about.st_gid == GROUP and about.st_mode & 0o020, path
        assert not path.is_dir() or about.st_mode & 0o2000, path


def test_the_doctor_mends_a_folder_that_shuts_one_out(shared: Shared) -> None:
    """As when somebody made it with another program."""
    assert shared.dlwa("ben", "doctor", "write", "sharing").returncode == 0
    models = shared.root / "models/ddsp"
    models.chmod(0o755)
    for owner in LOGINS:
        found = json.loads(shared.dlwa(owner, "doctor", "sharing", "--json").stdout)["findings"]
        assert found[0]["level"] == "fail" and "models/ddsp" in found[0]["message"]
    mend = found[0]["fix"].replace("sudo ", "")
    subprocess.run(mend, shell=True, check=True, capture_output=True)
    assert shared.dlwa("ben", "doctor", "write", "sharing").returncode == 0


def test_a_closed_folder_is_told_as_such_not_as_a_bug(shared: Shared) -> None:
    inputs = shared.root / "inputs"
    inputs.chmod(0o2755)
    try:
        refused = shared.dlwa("ben", "user", "add", "cid")
        assert refused.returncode == 4 and "bug" not in refused.stderr
        assert str(inputs / "cid") in refused.stderr and "doctor write" in refused.stderr
    finally:
        inputs.chmod(0o2775)


def test_a_closed_folder_is_not_seen_and_stops_nobody(shared: Shared) -> None:
    folder = shared.root / "models/ddsp/ann"
    folder.chmod(0o2700)
    try:
        shown = shared.dlwa("ben", "status", "--all")
        assert shown.returncode == 0 and "ann/v" not in shown.stdout
        assert "ann/v" in shared.dlwa("ann", "status", "--all").stdout
        assert shared.dlwa("ben", "user", "usage").returncode == 0
    finally:
        folder.chmod(0o2775)


def test_a_login_outside_the_group_is_told_how_to_get_in(shared: Shared) -> None:
    runfiles.write_json(shared.root / ".dlwa" / "x.json", {})
    done = subprocess.run(
        [shared.python, "-m", "dlwa.cli", "--root", str(shared.root), "doctor", "sharing"],
        env={"PYTHONPATH": os.pathsep.join([str(PROJECT), *site.getsitepackages()])},
        user=pwd.getpwnam("games").pw_uid,
        group=pwd.getpwnam("games").pw_gid,
        extra_groups=[],
        cwd=shared.root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert f"sudo usermod -aG {_group_name()} games" in done.stderr


def _group_name() -> str:
    import grp

    return grp.getgrgid(GROUP).gr_name
