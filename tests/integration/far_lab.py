"""A lab on "another machine": a real sshd, a workspace behind it, and a laptop's folder."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlwa.version import __version__
from tests.integration.lab import HERE, Lab, opened
from tests.integration.sshd import Client, Proxy, Server

LAUNCHER = """import os, sys
os.environ.update({env!r})
os.execv({python!r}, [{python!r}, {program!r}, *sys.argv[1:]])
"""


class FarLab:
    """What the tests of a lab need: `far` is the VM's side, `dlwa` a command on the laptop."""

    def __init__(self, far: Lab, server: Server, client: Client, laptop: Path) -> None:
        self.far, self.server, self.client, self.laptop = far, server, client, laptop
        self.proxy = Proxy(server.port)
        self.env = {**os.environ, **client.env, "XDG_CONFIG_HOME": str(laptop / "config")}
        for name in ("SCREENDIR", "DLWA_LOCK_DIR"):
            self.env.pop(name, None)  # what is not said over SSH must not be needed

    def install(self, version: str = __version__) -> None:
        """Put a dlwa into the VM's workspace, as far as SSH sees it."""
        names = ("SCREENDIR", "DLWA_LOCK_DIR", "XDG_CONFIG_HOME")
        env = {name: os.environ[name] for name in names}
        program = str(HERE / "dlwa_with_fakes.py")
        text = LAUNCHER.format(env=env, python=sys.executable, program=program)
        (self.far.root / "dlwa.py").write_text(text)
        package = self.far.root / "dlwa"
        if package.is_symlink():
            package.unlink()
        if version == __version__:
            shutil.rmtree(package, ignore_errors=True)
            package.symlink_to(HERE.parent.parent / "dlwa")
        else:
            package.mkdir(exist_ok=True)
            (package / "version.py").write_text(f'__version__ = "{version}"\n')

    def describe(self, name: str = "vm", **more: object) -> None:
        """Write the lab's file on the laptop."""
        values = {"host": "vm", "root": str(self.far.root), **more}
        path = self.laptop / "labs" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(values))

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "dlwa.cli", *words]

    def dlwa(self, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run dlwa on the laptop."""
        return subprocess.run(
            self.argv(*words),
            capture_output=True,
            text=True,
            env=self.environment(**env),
            cwd=self.laptop,
            stdin=subprocess.DEVNULL,
            timeout=90,
        )

    def start(self, *words: str, program: str = "", **env: str) -> "subprocess.Popen[str]":
        """Start dlwa on the laptop, or a program that is like it, and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, program, *words] if program else self.argv(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment(**env),
            cwd=self.laptop,
            stdin=subprocess.DEVNULL,
        )

    def environment(self, **env: str) -> dict[str, str]:
        project = str(HERE.parent.parent)
        return {**self.env, "PYTHONPATH": project, "DLWA_OWNER": "ann", **env}


@contextmanager
def far_lab(tmp_path: Path, monkeypatch) -> Iterator[FarLab]:
    """A lab that is closed afterwards."""
    lab = opened(tmp_path, monkeypatch)
    far = next(lab)
    server = Server(Path(tempfile.mkdtemp(dir=tmp_path)) / "sshd")
    client = Client(tmp_path / "client")
    laptop = tmp_path / "laptop"
    (laptop / ".dlwa").mkdir(parents=True)
    server.let_in(client.key)
    server.start()
    world = FarLab(far, server, client, laptop)
    client.add_host("vm", server)
    client.add_host("shaky", server, Port=world.proxy.port)
    client.know(server)
    client.know(server, port=world.proxy.port)
    world.install()
    world.describe()
    world.describe("shaky", host="shaky")
    try:
        yield world
    finally:
        world.proxy.close()
        server.stop()
        next(lab, None)
        shutil.rmtree(server.folder, ignore_errors=True)
