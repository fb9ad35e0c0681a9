"""The demo: what it is made of, and the parts of it that no other command does."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dlwa
from dlwa import runfiles
from dlwa.actions import attended, launch
from dlwa.actions.datasets import is_dataset, summary
from dlwa.actions.training import is_model
from dlwa.errors import DlwaError, NotFoundError
from dlwa.names import Name
from dlwa.workspace import Workspace

PAGE_MODULE = "dlwa.ddsp.demo_page"
LEARNED, OTHER = "violin_to_learn.flac", "flute_to_transfer.flac"
INSTRUMENT, OTHER_INSTRUMENT = "violin", "flute"
STEPS = 350
# The demo is to end within minutes: a slower machine learns fewer steps instead of taking longer.
TRAINING_S = 190.0
FLAGS = (
    "--gin_file=models/demo_instrument.gin",
    "--gin_file=datasets/tfrecord.gin",
    f"--gin_param=train_util.train.num_steps={STEPS}",
    "--gin_param=train_util.train.steps_per_save=50",
    # keeps the one from before the first step, to hear what training does
    "--gin_param=trainers.Trainer.checkpoints_to_keep=20",
)
OWN_RECORDINGS = (
    ("Put your recordings into a folder (wav, flac, mp3 ...)", "mkdir -p inputs/your_name/violin"),
    (
        "Make a data set of them",
        "./dlwa.py ddsp make-dataset --input_name your_name/violin --dataset_name your_name/violin",
    ),
    (
        "Train; you may log out meanwhile",
        "./dlwa.py ddsp train --dataset_name your_name/violin --model_name your_name/violin",
    ),
    (
        "Let the model play another recording",
        "./dlwa.py ddsp timbre-transfer IN.wav --model_name your_name/violin",
    ),
)


@dataclass(frozen=True)
class Place:
    """Where a demo keeps its things: one name in inputs, datasets, models and outputs."""

    name: Name
    workspace: Workspace

    @property
    def recording(self) -> Path:
        """What is learned from."""
        return self.workspace.input(self.name) / LEARNED

    @property
    def other(self) -> Path:
        """What is transferred."""
        return self.workspace.input(self.name.sibling("_transfer")) / OTHER

    @property
    def has_dataset(self) -> bool:
        """Whether the data set is there."""
        return is_dataset(self.workspace.dataset(self.name))


def place(workspace: Workspace, *, fresh: bool = False) -> Place:
    """The demo's place; with `fresh` one that nothing has been made in yet."""
    name, number = Name(("demo", INSTRUMENT)), 2
    found = Place(name, workspace)
    while fresh and (found.has_dataset or is_model(workspace.model(found.name))):
        found = Place(name.sibling(f"-{number}"), workspace)
        number += 1
    return found


def copy_recordings(where: Place) -> None:
    """Put the demo's recordings where recordings belong; what is there already stays.

    Raises `NotFoundError` when they are missing from the installation.
    """
    shipped = Path(dlwa.__file__).parent / "demo_data"
    for name, target in ((LEARNED, where.recording), (OTHER, where.other)):
        if not (shipped / name).is_file():
            raise NotFoundError(
                f"the demo's recording {shipped / name} is missing", "install dlwa again"
            )
        if target.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with runfiles.written_aside(target) as aside:
            shutil.copyfile(shipped / name, aside)


def free_folder(workspace: Workspace, name: Name) -> Path:
    """A folder in outputs for the demo's results that holds none yet."""
    number, candidate = 2, workspace.output(name)
    while (candidate / "index.html").exists():
        candidate = workspace.output(name.sibling(f"-{number}"))
        number += 1
    return candidate


def heldout_seconds(where: Place) -> float:
    """How much of the recording the training has not heard; 8 s where nobody wrote it down."""
    heldout = summary(where.workspace.dataset(where.name)).get("heldout")
    seconds = heldout.get("seconds") if isinstance(heldout, dict) else None
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else 8.0


def page_argv(where: Place, sound: Path, report: Path) -> tuple[str, ...]:
    """The command that makes the page beside the sound."""
    words: Sequence[str] = (
        f"--model_dir={where.workspace.model(where.name)}",
        f"--recording={where.recording}",
        f"--transfer_in={where.other}",
        f"--transfer_out={sound}",
        f"--transfer_report={report}",
        f"--out={sound.parent}",
        f"--heldout_seconds={heldout_seconds(where):g}",
        f"--instrument={INSTRUMENT}",
        f"--other={OTHER_INSTRUMENT}",
        f"--commands={json.dumps(OWN_RECORDINGS)}",
    )
    return launch.module_argv(PAGE_MODULE, words)


def make_page(argv: tuple[str, ...], tell: attended.Tell, cwd: Path) -> None:
    """Make the page; raises `DlwaError` with the reason if that fails."""
    try:
        attended.run_module(argv, tell, cwd, reports=False)
    except DlwaError as error:
        raise DlwaError(
            f"the page was not made: {error.message}",
            "the sounds are there; run ./dlwa.py demo again for the page",
        ) from error
