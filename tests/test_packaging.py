"""What `pip install .` gives, and the lists of versions."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = (PROJECT / "dlwa" / "constraints.txt").read_text(encoding="utf-8")
SCRIPTS = sorted(PYPROJECT["project"]["scripts"])


def run(code: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd or PROJECT)


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_leads_to_a_function(script: str) -> None:
    module, function = PYPROJECT["project"]["scripts"][script].split(":")
    done = run(f"import {module} as m; assert callable(m.{function})")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("script", [name for name in SCRIPTS if name.startswith("ddsp_")])
def test_a_script_without_the_ddsp_half_says_what_to_type(script: str) -> None:
    # an import system that knows none of the heavy packages
    code = (
        "import importlib.util as u; real = u.find_spec;"
        "u.find_spec = lambda n, p=None: None if n in ('absl', 'tensorflow') else real(n, p);"
        f"from dlwa.ddsp import scripts; scripts.{script}()"
    )
    done = run(code)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.splitlines() == [
        "error: the DDSP half is not installed, no absl, tensorflow",
        "hint: dlwa setup",
    ]


def test_an_export_of_no_model_says_what_to_type() -> None:
    done = run("from dlwa.ddsp import scripts; scripts.ddsp_export()")
    assert done.returncode == 2 and "--model_path is missing" in done.stderr
    assert "hint: ddsp_export --model_path=" in done.stderr


def test_every_dependency_has_a_tested_version() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    wanted = [
        *PYPROJECT["project"]["dependencies"],
        *(one for list_ in extras.values() for one in list_),
    ]
    names = {re.split(r"[\[<>=~; ]", one)[0].lower().replace("_", "-") for one in wanted} - {"dlwa"}
    pinned = set(re.findall(r"^([\w.-]+)==", CONSTRAINTS, re.MULTILINE))
    assert names <= pinned, f"make lock: {sorted(names - pinned)}"


def test_constraints_are_versions_and_nothing_else() -> None:
    for line in CONSTRAINTS.splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r"[\w.-]+==[\w.+!]+( ; .+)?", line), line


def test_version_is_spelt_once() -> None:
    from dlwa.version import __version__

    assert "version" in PYPROJECT["project"]["dynamic"]
    newest = re.search(r"^## \[(\d[^\]]*)\]", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest and newest[1] == __version__
    assert importlib.metadata.version("dlwa") == __version__


@pytest.mark.integration
def test_the_wheel_holds_all_that_is_needed(tmp_path: Path) -> None:
    """Built with the backend that is installed here, or not at all: nothing is fetched."""
    import zipfile

    build = pytest.importorskip("hatchling.build")
    done = run(f"import hatchling.build as b; print(b.build_wheel({str(tmp_path)!r}))")
    assert done.returncode == 0 and build, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {str(path.relative_to(PROJECT)) for path in (PROJECT / "dlwa").rglob("*.py")}
    assert sources <= names
    gin = {str(path.relative_to(PROJECT)) for path in (PROJECT / "dlwa").rglob("*.gin")}
    assert gin and gin <= names
    assert {name for name in names if name.endswith(".flac")}
    assert "dlwa/constraints.txt" in names
    assert not {name for name in names if name.startswith(("tests/", "inputs/", "models/"))}
