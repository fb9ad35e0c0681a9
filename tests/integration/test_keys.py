"""A key a person, as docs/how-to/lab.md tells it: each line there, with a real sshd."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.imports import ROOT
from tests.integration.far_lab import FarLab
from tests.integration.lab import needs_screen
from tests.integration.sshd import make_key, needs_sshd

pytestmark = [pytest.mark.integration, needs_sshd, needs_screen]
PAGE = (ROOT / "docs/how-to/lab.md").read_text()


def documented(comment: str) -> str:
    """The options of the documented line of authorized_keys that ends in a comment."""
    (line,) = re.findall(rf"^(.*) ssh-ed25519 AAAA\.\.\. {comment}$", PAGE, re.MULTILINE)
    return line


@pytest.fixture
def keys(world: FarLab) -> Iterator[FarLab]:
    """The lab's sshd lets in what the page says, and nobody else."""
    assert "PermitUserEnvironment DLWA_*" in PAGE
    world.server.stop()
    world.server.authorized.write_text("")
    world.server.more_config = "PermitUserEnvironment DLWA_*"
    world.server.start()
    yield world


def come_as(world: FarLab, name: str, **changes: str) -> None:
    """A key of that person's, and a way to use it."""
    key = make_key(world.client.folder / f"key_{name}")
    options = documented(name)
    for old, new in changes.items():
        assert old in options
        options = options.replace(old, new)
    world.server.let_in(key, options.replace("/data/dlwa", str(world.far.root)))
    more = {"IdentityFile": key, "Port": world.server.port}
    world.client.add_host(f"vm-{name}", world.server, **more)
    world.describe(name, host=f"vm-{name}")


def ssh(
    world: FarLab, name: str, *words: str, through: str = "-T"
) -> "subprocess.CompletedProcess[str]":
    argv = ["ssh", "-F", str(world.client.config), through, f"vm-{name}", *words]
    return subprocess.run(
        argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30
    )


def test_the_key_says_who_somebody_is(keys: FarLab) -> None:
    come_as(keys, "ann")
    keys.far.start("import time\ntime.sleep(300)", "ben/job")
    assert ssh(keys, "ann", "echo $DLWA_KEY_OWNER").stdout == "ann\n"
    # nobody said anything on the laptop: it is Ann all the same, and may not stop Ben's
    refused = keys.dlwa("--lab", "ann", "stop", "ben/job", DLWA_OWNER="")
    assert refused.returncode == 4 and "belongs to ben, you are ann" in refused.stderr
    # a name that is not hers is refused before anything is done
    refused = keys.dlwa("--lab", "ann", "stop", "ben/job", DLWA_OWNER="ben")
    assert refused.returncode == 4 and "the SSH key you came in with is ann's" in refused.stderr
    mistaken = keys.dlwa("lab", "use", "ann", "--owner", "ben", DLWA_OWNER="")
    assert mistaken.returncode == 4 and "is ann's" in mistaken.stderr
    assert not (keys.laptop / ".dlwa/settings.yaml").exists(), "it is not remembered"
    run = json.loads(keys.dlwa("--lab", "ann", "status", "--json").stdout)["runs"][0]
    assert (run["name"], run["state"]) == ("ben/job", "running")


def test_push_tells_what_a_key_refuses_as_the_lab_does(keys: FarLab) -> None:
    (keys.laptop / "flute").mkdir()
    (keys.laptop / "flute/a.wav").write_bytes(b"a")
    come_as(keys, "ann")
    refused = keys.dlwa("--lab", "ann", "push", "flute", DLWA_OWNER="ben")
    assert refused.returncode == 4 and "the SSH key you came in with is ann's" in refused.stderr
    come_as(keys, "corridor", **{"./dlwa.py": f"{shlex.quote(sys.executable)} dlwa.py"})
    other = keys.dlwa("--lab", "corridor", "push", "flute")
    assert other.returncode == 1 and "runs a command of its own" in other.stderr


def test_a_key_ends_with_the_course(keys: FarLab) -> None:
    come_as(keys, "ann", **{"20270131": "20200131"})
    refused = ssh(keys, "ann", "true")
    assert refused.returncode == 255 and "Permission denied" in refused.stderr


def test_a_key_that_only_shows_what_goes_on(keys: FarLab) -> None:
    come_as(keys, "corridor", **{"./dlwa.py": f"{shlex.quote(sys.executable)} dlwa.py"})
    keys.far.start("import time\ntime.sleep(300)", "ben/job")
    for words in ((), ("rm -rf .dlwa",), ("cat /etc/passwd",)):
        shown = ssh(keys, "corridor", *words)
        assert "ben/job" in shown.stdout and "root:" not in shown.stdout, shown.stderr
    assert (keys.far.root / ".dlwa").is_dir()
    tunnel = ssh(keys, "corridor", through=f"-W127.0.0.1:{keys.server.port}")
    assert tunnel.returncode and "SSH-2.0" not in tunnel.stdout, "nothing is forwarded"
