"""The plan of the house: which floor may use which, and how big a room may be."""

import ast
import statistics
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

from tests.imports import ROOT, external_imports_of, graph, sources

LAB_FLOORS = {
    **dict.fromkeys(
        (
            "dlwa",
            "dlwa.errors",
            "dlwa.names",
            "dlwa.workspace",
            "dlwa.settings",
            "dlwa.labs",
            "dlwa.shell",
            "dlwa.runfiles",
            "dlwa.version",
            "dlwa.locks",
            "dlwa.claims",
            "dlwa.logtext",
            "dlwa.words",
        ),
        0,
    ),
    "dlwa.hosts": 1,
    "dlwa.tools": 1,
    "dlwa.actions": 2,
    "dlwa.cli": 3,
}
DDSP_FLOORS = {
    "": 0,
    "core": 0,
    "quiet": 0,
    "failures": 0,
    "notes": 0,
    "history": 0,
    "registry": 0,
    "audio_io": 10,
    "audit": 12,
    "pages": 11,
    "dags": 10,
    "spectral_ops": 10,
    "pitch": 10,
    "processors": 20,
    "losses": 20,
    "synths": 30,
    "effects": 31,
    "test_util": 31,
    "training": 40,
    "training.nn": 40,
    "training.gin_util": 40,
    "training.guards": 40,
    "training.alarms": 40,
    "training.progress": 41,
    "training.checkpoint_util": 41,
    "training.checkpoints": 50,
    "training.model_config": 50,
    "training.preprocessing": 50,
    "training.encoders": 50,
    "training.decoders": 50,
    "training.data": 50,
    "training.metrics": 50,
    "training.plotting": 50,
    "training.heuristics": 50,
    "training.postprocessing": 50,
    "training.models": 60,
    "training.summaries": 60,
    "training.heldout": 50,
    "training.trainers": 70,
    "training.recovery": 73,
    "training.saving": 73,
    "training.loop": 75,
    "training.evaluators": 70,
    "training.train_util": 80,
    "training.eval_follow": 75,
    "training.eval_results": 75,
    "training.eval_util": 80,
    "training.gin_flags": 50,
    "training.run_errors": 82,
    "training.convert_gin": 82,
    "training.inference": 80,
    "colab": 80,
    "training.data_preparation": 90,
    "training.ddsp_run": 90,
    "training.bundles": 82,
    "training.export": 92,
    "training.ddsp_export": 94,
    "training.import_checkpoint": 94,
    "timbre_transfer": 90,
    "scripts": 91,
    "ports": 92,
    "serve": 95,
    "live": 95,
    "studio": 95,
    "report": 95,
    "demo_page": 95,
}
SHARED = {"dlwa", "dlwa.runfiles", "dlwa.version", "dlwa.words"}  # what both halves may use
CLI_BASE = {"output", "options", "needs", "progress"}
HEAVY = ("tensorflow", "keras", "numpy", "scipy", "gin", "soundfile", "paramiko", "fabric")
MAX_LINES = 400
MAX_FUNCTION_P90 = 35

GRAPH = graph()


def test_lab_half_imports_go_down_only() -> None:
    wrong = []
    for name, targets in GRAPH.items():
        if _is_ddsp(name):
            continue
        for target in targets:
            higher = _lab_floor(target) > _lab_floor(name)
            beside = _lab_floor(target) == _lab_floor(name) and _room(target) != _room(name)
            if higher or (beside and _lab_floor(name) > 0):
                wrong.append(f"{name} -> {target}")
    assert not wrong, "imports that go up or across: " + ", ".join(wrong)


def test_ddsp_half_imports_go_down_only() -> None:
    wrong = []
    for name in filter(_is_ddsp, GRAPH):
        for target in filter(_is_ddsp, GRAPH[name]):
            mine, other = _ddsp_unit(name), _ddsp_unit(target)
            if mine != other and other and DDSP_FLOORS[other] >= DDSP_FLOORS[mine]:
                wrong.append(f"{name} -> {target}")
    assert not wrong, "imports that go up or across: " + ", ".join(wrong)


def test_the_halves_meet_in_the_files_of_a_run_only() -> None:
    wrong = [
        f"{name} -> {target}"
        for name, targets in GRAPH.items()
        for target in targets
        if _is_ddsp(name) != _is_ddsp(target) and target not in SHARED
    ]
    assert not wrong, "the halves meet at an argv and in run files: " + ", ".join(wrong)


def test_no_module_imports_itself_through_others() -> None:
    packages = {name for name, path in sources().items() if path.name == "__init__.py"}
    modules = {
        name: {target for target in targets if target not in packages}
        for name, targets in GRAPH.items()
    }
    TopologicalSorter(modules).prepare()  # raises CycleError, which names the circle


def test_commands_do_not_lean_on_each_other() -> None:
    public = {name for name in GRAPH if name.startswith("dlwa.cli.") and _is_command(name)}
    wrong = [f"{name} -> {target}" for name in public for target in GRAPH[name] & public]
    assert not wrong, "commands share private files, not each other: " + ", ".join(wrong)


@pytest.mark.parametrize("package", [*HEAVY, "h5py", "matplotlib", "invoke"])
def test_lab_half_never_names_a_heavy_package(package: str) -> None:
    allowed = package in ("paramiko", "fabric", "invoke")
    wrong = [
        name
        for name, path in sources().items()
        if not _is_ddsp(name)
        and not (allowed and _room_of_hosts(name) == "dlwa.hosts.ssh")
        and package in external_imports_of(path)
    ]
    assert not wrong


def test_only_hosts_start_processes() -> None:
    wrong = [
        name
        for name, path in sources().items()
        if not _is_ddsp(name)
        and not name.startswith("dlwa.hosts")
        and {"subprocess", "pty"} & external_imports_of(path)
    ]
    assert set(wrong) <= {"dlwa.actions.wrapper", "dlwa.actions._tee"}  # the parent of the job


@pytest.mark.parametrize(
    "words", [["--help"], ["ddsp", "--help"], ["util", "--help"], ["status"], ["doctor", "--list"]]
)
def test_the_command_line_loads_nothing_heavy(words: list[str], tmp_path) -> None:
    script = (
        "import sys; from dlwa.cli import main; code = main(sys.argv[1:]);"
        f"found = sorted(set({HEAVY!r}) & set(sys.modules));"
        "sys.exit(code or (f'loaded: {found}' if found else 0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--root", str(tmp_path), *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr


def test_version_needs_no_typer() -> None:
    script = "import sys; from dlwa.cli import main; main(['--version']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert not {"typer", "rich", "yaml"} & set(done.stdout.split())


def test_no_file_is_longer_than_a_room() -> None:
    folders = ("dlwa", "tests", "benchmarks")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    long = {
        str(path.relative_to(ROOT)): count
        for path in (*files, ROOT / "dlwa.py")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert not long, f"over {MAX_LINES} lines: {long}"


@pytest.mark.parametrize("half", ["lab", "ddsp"])
def test_functions_fit_a_screen(half: str) -> None:
    lengths = sorted(
        length
        for name, path in sources().items()
        if _is_ddsp(name) == (half == "ddsp")
        for length in _function_lengths(path.read_text(encoding="utf-8"))
    )
    p90 = lengths[int(0.9 * (len(lengths) - 1))]
    print(f"{half}: {len(lengths)} functions, median {statistics.median(lengths)}, p90 {p90}")
    assert p90 <= MAX_FUNCTION_P90


def _is_ddsp(name: str) -> bool:
    return name == "dlwa.ddsp" or name.startswith("dlwa.ddsp.")


def _room(name: str) -> str:
    return ".".join(name.split(".")[:2])


def _room_of_hosts(name: str) -> str:
    return ".".join(name.split(".")[:3])


def _lab_floor(name: str) -> int:
    if _is_ddsp(name):
        return -1  # another test tells that the halves do not meet
    room = _room(name)
    assert room in LAB_FLOORS, f"{room} has no floor yet: give it one in tests/test_house.py"
    return LAB_FLOORS[room]


def _ddsp_unit(name: str) -> str:
    parts = name.split(".")[2:]
    unit = ".".join(parts[:2] if parts[:1] == ["training"] else parts[:1])
    unit = unit.split("._")[0].rstrip("_")
    assert unit in DDSP_FLOORS, f"{name} has no floor yet: give it one in tests/test_house.py"
    return unit


def _is_command(name: str) -> bool:
    leaf = name.rpartition(".")[2]
    return not leaf.startswith("_") and leaf not in CLI_BASE


def _function_lengths(source: str) -> list[int]:
    return [
        (node.end_lineno or node.lineno) - node.lineno + 1 - _docstring_lines(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return (first.end_lineno or first.lineno) - first.lineno + 1
    return 0
