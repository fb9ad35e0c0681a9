"""The launcher, in a small project that pip installs without the network.

The project has the real `dlwa.py`, a build backend of its own (so that nothing is fetched), and a
`dlwa.cli` that prints what it was given.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
OLD_PYTHON = """#!/bin/sh
# a Python of long ago: answers what it is asked about its version, runs nothing
exit 1
"""
BACKEND = """
import base64, hashlib, pathlib, zipfile

NAME, TAG = "dlwa-0.0.1", "py3-none-any"


def build_editable(folder, config_settings=None, metadata_directory=None):
    time_to_build()
    root = str(pathlib.Path.cwd())
    files = {
        "dlwa_here.pth": root + "\\n",
        f"{NAME}.dist-info/METADATA": "Metadata-Version: 2.1\\nName: dlwa\\nVersion: 0.0.1\\n",
        f"{NAME}.dist-info/WHEEL": f"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: {TAG}\\n",
    }
    record = f"{NAME}.dist-info/RECORD"
    wheel = f"{NAME}-{TAG}.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(record, "".join(f"{name},,\\n" for name in [*files, record]))
    return wheel


build_wheel = build_editable


def time_to_build():
    import os, time

    mark = pathlib.Path("building")
    mark.touch()
    while pathlib.Path("slowly").exists():
        time.sleep(0.05)
    with pathlib.Path("builds").open("a") as stream:
        stream.write("x")
"""
CLI = """import os, sys
print("cli", *sys.argv[1:])
sys.exit(7 if "fail" in sys.argv else 0)
"""

pytestmark = pytest.mark.integration


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The small project, in a folder with a space in its name."""
    home = tmp_path / "my dlwa"
    (home / "dlwa" / "cli").mkdir(parents=True)
    shutil.copy(PROJECT / "dlwa.py", home / "dlwa.py")
    (home / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "dlwa"\nversion = "0.0.1"\n'
    )
    (home / "backend.py").write_text(BACKEND)
    (home / "dlwa" / "constraints.txt").write_text("# nothing\n")
    (home / "dlwa" / "__init__.py").write_text("")
    (home / "dlwa" / "cli" / "__init__.py").write_text("")
    (home / "dlwa" / "cli" / "__main__.py").write_text(CLI)
    return home


def environment(**more: str) -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return {**kept, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, **more}


def start(home: Path, *words: str, python: str = sys.executable, **env: str):
    return subprocess.run(
        [python, str(home / "dlwa.py"), *words],
        env=environment(**env),
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=120,
    )


def builds(home: Path) -> int:
    return len((home / "builds").read_text())


def wait_until(there, what: str) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.02)


def launch(home: Path, *words: str, **env: str) -> subprocess.Popen[str]:
    """Start and do not wait; it stands in a folder that has a `dlwa` of its own."""
    return subprocess.Popen(
        [sys.executable, *words, str(home / "dlwa.py"), "x"],
        env=environment(**env),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_the_life_of_an_installation(home: Path) -> None:
    first = start(home, "status", "two words", "--json")
    assert (first.returncode, first.stdout) == (0, "cli status two words --json\n"), first.stderr
    assert "for the first time" in first.stderr and "installed." in first.stderr
    second = start(home, "fail")
    assert (second.returncode, second.stdout, second.stderr) == (7, "cli fail\n", "")

    (home / "dlwa" / "constraints.txt").write_text("# something\n")
    (home / "backend.py").write_text("raise OSError('No space left on device')\n")
    done = start(home, "x")
    assert done.returncode == 1 and not done.stdout
    assert "No space left on device" in done.stderr and "run the same again" in done.stderr
    (home / "backend.py").write_text(BACKEND)
    done = start(home, "x")
    assert done.stdout == "cli x\n" and "bringing .venv up to date" in done.stderr

    moved = home.rename(home.with_name("moved away"))
    done = start(moved, "x")
    assert (done.returncode, done.stdout) == (0, "cli x\n"), done.stderr
    assert start(moved).stderr == ""
    assert str(home) not in (moved / ".venv" / "dlwa-installed").read_text()
    assert builds(moved) == 3

    shutil.rmtree(moved / ".venv" / "lib")
    (moved / ".venv" / "dlwa-installed").unlink()
    done = start(moved, "x")
    assert (done.returncode, done.stdout) == (0, "cli x\n"), done.stderr


def test_interrupted_and_killed_while_installing(home: Path) -> None:
    (home / "slowly").touch()
    with launch(home) as program:
        wait_until((home / "building").exists, "the installation")
        os.killpg(program.pid, signal.SIGINT)
        _, told = program.communicate(timeout=60)
    assert program.returncode == 130 and "run the same again" in told

    (home / "building").unlink()
    with launch(home) as program:
        wait_until((home / "building").exists, "the installation")
        os.killpg(program.pid, signal.SIGKILL)
    assert not (home / ".venv" / "dlwa-installed").exists()

    (home / "slowly").unlink()
    done = start(home, "x")
    assert (done.returncode, done.stdout) == (0, "cli x\n"), done.stderr


@pytest.fixture
def old_python(tmp_path: Path) -> str:
    """Runs the launcher as Python 3.10 would: the version it sees is put into its mouth."""
    wrapper = tmp_path / "old_python.py"
    wrapper.write_text(
        "import runpy, sys\n"
        "sys.argv = sys.argv[1:]\n"
        "sys.version_info = (3, 10, 0)\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    return str(wrapper)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH with nothing on it."""
    path = tmp_path / "bin"
    path.mkdir()
    return path


def test_many_first_starts_at_once_install_once(home: Path, old_python: str, path: Path) -> None:
    (path / "python3.13").write_text(OLD_PYTHON)  # a shim that only looks like one
    (path / "python3.13").chmod(0o755)
    (path / "python3.11").symlink_to(sys.executable)
    (home / "slowly").touch()
    programs = [launch(home) for _ in range(3)]
    programs.append(launch(home, old_python, PATH=str(path)))  # it looks for a newer one
    wait_until((home / "building").exists, "the installation")
    (home / "slowly").unlink()
    ends = [program.communicate(timeout=120) for program in programs]
    assert [out for out, _ in ends] == ["cli x\n"] * 4, ends
    assert all(program.returncode == 0 for program in programs)
    assert builds(home) == 1


def test_an_old_python_alone_says_what_to_install(home: Path, old_python: str, path: Path) -> None:
    with launch(home, old_python, PATH=str(path)) as program:
        _, told = program.communicate(timeout=60)
    assert program.returncode == 1 and not (home / ".venv").exists()
    assert "python=3.10, dlwa needs Python 3.11, 3.12 or 3.13" in told
    assert "hint: " in told


def test_a_folder_one_may_not_write_to(home: Path) -> None:
    (home / ".dlwa").write_text("in the way")
    done = start(home, "x")
    assert done.returncode == 1 and "copy it to one you may write to" in done.stderr


def test_the_file_can_be_read_by_python_3_6() -> None:
    import ast

    ast.parse((PROJECT / "dlwa.py").read_text(), feature_version=(3, 6))


def test_only_the_standard_library() -> None:
    import ast

    tree = ast.parse((PROJECT / "dlwa.py").read_text())
    names = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert names <= sys.stdlib_module_names
