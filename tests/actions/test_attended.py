"""Programs one waits for: what they tell, report and warn of, and the errors their ends become."""

import sys
from pathlib import Path

import pytest

from dlwa.actions import attended
from dlwa.errors import BusyError, DlwaError, NotFoundError, UsageError, VerificationError

ROOT = Path(__file__).parents[2]
HEAD = """
import json, os, sys, time
from pathlib import Path
from dlwa import runfiles
folder = Path(os.environ["DLWA_RUN_DIR"])
"""
REPORT = """
place = next(word for word in sys.argv if word.startswith("--report="))
Path(place.removeprefix("--report=")).write_text(json.dumps({"folder": str(folder)}))
"""


def run(program: str, tell: attended.Tell = lambda *_: None, **more: object) -> attended.Outcome:
    return attended.run_module((sys.executable, "-c", HEAD + program), tell, ROOT, **more)


def test_a_program_tells_reports_and_warns_and_leaves_no_folder(tmp_path: Path) -> None:
    told: list[tuple[float, float | None, str]] = []

    def hear(*what: object) -> None:
        told.append(what)
        (tmp_path / "heard").touch()

    waits = f"""
runfiles.report_progress(folder, 1.26, 4, "s", "listening")
for _ in range(600):
    if not Path({str(tmp_path / "heard")!r}).exists():
        time.sleep(0.05)
print("warning: it is quiet")
"""
    outcome = run(waits + REPORT, hear)
    assert told == [(1.3, 4.0, "listening")]
    assert outcome.warnings == ("it is quiet",)
    assert not Path(outcome.report["folder"]).exists()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, DlwaError),
        (2, UsageError),
        (3, NotFoundError),
        (6, BusyError),
        (7, VerificationError),
        (9, DlwaError),
    ],
)
def test_the_exit_code_becomes_the_kind_of_error(code: int, kind: type[DlwaError]) -> None:
    with pytest.raises(DlwaError, match=f"^the test ended with exit code {code} and no word$") as e:
        run(f"sys.exit({code})", what="the test")
    assert type(e.value) is kind


def test_what_it_said_is_told_and_an_event_is_told_rather() -> None:
    with pytest.raises(DlwaError, match=r"^ValueError: too loud$"):
        run("raise ValueError('too loud')")
    event = "runfiles.report_event(folder, 'failed', reason='too loud', hint='play softer')\n"
    with pytest.raises(DlwaError, match=r"^too loud$") as caught:
        run(event + "raise ValueError('other')")
    assert caught.value.hint == "play softer"


def test_a_program_that_should_report_and_does_not_has_failed() -> None:
    with pytest.raises(DlwaError, match="exit code 0 and no word"):
        run("pass")
    assert run("pass", reports=False).report == {}
