"""Which models are here, and what one needs to know of each before playing it."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dlwa import runfiles
from dlwa.actions._places import refuse_nesting, size_of, things
from dlwa.actions.training import has_checkpoint, is_model
from dlwa.errors import DlwaError, NotFoundError
from dlwa.names import Name, parse_name, safe_spelling
from dlwa.settings import Settings, nearest
from dlwa.workspace import Workspace

BUNDLE = "bundle.json"
_CHECKPOINT = re.compile(r"ckpt-(\d+)\.index")
_RATE = re.compile(r"^Harmonic\.sample_rate = (\d+)", re.MULTILINE)
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True)
class Model:
    """A model that can be played; None where nobody wrote it down.

    `lowest` and `highest` are the notes it has learned (MIDI), `step` that of the checkpoint taken
    by default, `heldout_loss` what it reached on sound it never heard.
    """

    name: str
    owner: str
    kind: str
    lowest: float | None
    highest: float | None
    sample_rate: int | None
    step: int | None
    loss: float | None
    heldout_loss: float | None
    bytes: int

    def document(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self)

    @property
    def notes(self) -> str:
        """The range, such as G3 to E6."""
        if self.lowest is None or self.highest is None:
            return ""
        return f"{note(self.lowest)} to {note(self.highest)}"


def note(midi: float) -> str:
    """The name of a MIDI pitch: 69 is A4."""
    return f"{_NAMES[round(midi) % 12]}{round(midi) // 12 - 1}"


def is_playable(folder: Path) -> bool:
    """Whether a folder holds a model that timbre transfer plays: checkpoints or a bundle."""
    return has_checkpoint(folder) or is_bundle(folder)


def is_bundle(folder: Path) -> bool:
    """Whether a folder is an exported bundle."""
    return (folder / BUNDLE).is_file()


def chosen(settings: Settings, text: str) -> tuple[Name, Path]:
    """The model of that name, or the one in the folder (or zip) pointed at: `~/Downloads/violin`.

    A path begins with `.`, `~` or `/` (a drive on Windows), which no name does; what is made of
    such a model goes under one's own name. Raises `NotFoundError` where there is none.
    """
    if not text.startswith((".", "~")) and not Path(text).is_absolute():
        model = parse_name(text, "model_name")
        return model, playable(settings.workspace, model)
    path = Path(text).expanduser().absolute()
    if not is_playable(path) and not (path.suffix == ".zip" and path.is_file()):
        raise NotFoundError(
            f"model_name={text}: there is no model in {path}",
            "name a folder with ckpt-*.index or bundle.json, or the zip of a bundle",
        )
    return parse_name(safe_spelling(f"{settings.owner}/{path.stem}")), path


def playable(workspace: Workspace, model: Name) -> Path:
    """The folder of a model that can be played, or the zip of a bundle.

    Raises `NotFoundError` with the nearest name where there is none.
    """
    folder = workspace.model(model)
    if is_playable(folder):
        return folder
    zipped = folder.with_name(f"{folder.name}.zip")
    if not folder.exists() and zipped.is_file():
        return zipped
    if is_model(folder):
        raise NotFoundError(
            f"model_name={model} has not saved anything yet: no {folder}/ckpt-*.index",
            "wait for its first checkpoint: ./dlwa.py status",
        )
    raise unknown(workspace, model, is_playable)


def unknown(workspace: Workspace, model: Name, is_one: Callable[[Path], bool]) -> DlwaError:
    """The error for a name that is no model; with the nearest name of those there are."""
    refuse_nesting(model, workspace.model, is_model, "model")
    known = things(workspace.models, is_one)
    hint = nearest(str(model), known) if known else "train one first: ./dlwa.py ddsp train --help"
    folder = workspace.model(model)
    return NotFoundError(f"model_name={model}: there is no model in {folder}", hint)


def all_models(settings: Settings, owner: str | None = None) -> list[Model]:
    """The models of the workspace (or of one owner) by name."""
    workspace = settings.workspace
    names = sorted(things(workspace.models, is_playable))
    found = [describe(workspace.models / name, name) for name in names]
    return [model for model in found if owner is None or model.owner == owner]


def describe(folder: Path, name: str) -> Model:
    """What is known of the model in a folder."""
    bundle = runfiles.read_json(folder / BUNDLE) or {}
    statistics = runfiles.read_json(folder / "dataset_statistics.json") or bundle.get("statistics")
    low, high = _range(statistics or {})
    best = runfiles.read_json(folder / "checkpoints.json") or {}
    last = runfiles.last_line(folder / runfiles.METRICS_FILE) or {}
    losses = last.get("losses")
    return Model(
        name=name,
        owner=name.split("/")[0] if "/" in name else "",
        kind=_kind(folder, bool(last)),
        lowest=low,
        highest=high,
        sample_rate=bundle.get("sample_rate") or _sample_rate(folder),
        step=bundle.get("step") or best.get("best_step") or _newest_step(folder),
        loss=losses.get("total_loss") if isinstance(losses, dict) else None,
        heldout_loss=best.get("best_loss") if best.get("best_step") else None,
        bytes=size_of(folder),
    )


def _kind(folder: Path, trained_here: bool) -> str:
    if is_bundle(folder):
        return "bundle"
    return "trained" if trained_here else "imported"


def _range(statistics: dict[str, Any]) -> tuple[float | None, float | None]:
    """Two standard deviations around the mean of the notes, as timbre transfer takes it."""
    try:
        mean, spread = statistics["mean_pitch_note"], statistics["std_pitch_note"]
        low = max(statistics["min_pitch_note"], mean - 2 * spread)
        return low, min(statistics["max_pitch_note"], mean + 2 * spread)
    except (KeyError, TypeError):
        return None, None


def _sample_rate(folder: Path) -> int | None:
    for config in sorted(folder.glob("operative_config-*.gin")):
        found = _RATE.search(config.read_text(encoding="utf-8", errors="replace"))
        if found:
            return int(found[1])
    return None


def _newest_step(folder: Path) -> int | None:
    steps = [
        int(m[1]) for path in folder.glob("ckpt-*.index") if (m := _CHECKPOINT.match(path.name))
    ]
    return max(steps, default=None)
