"""What of a folder is fetched, opened at once so that a training cannot change it meanwhile."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from dlwa import runfiles
from dlwa.actions.sync import files
from dlwa.actions.sync.files import Entry
from dlwa.errors import NotFoundError

POINTER = "checkpoint"
STATE = "checkpoints.json"
_CHECKPOINT = re.compile(r"ckpt-(\d+)\.(index|data-\d{5}-of-\d{5})\Z")
_SMALL = (".gin", ".json", ".pkl")
_SMALL_BYTES = 8 << 20
_TRIES = 5


@dataclass
class Offer:
    """Files to be sent. Those in `held` are open already; the others are opened in their turn."""

    folder: Path
    entries: list[Entry]
    refused: dict[str, str] = field(default_factory=dict)
    held: dict[str, BinaryIO] = field(default_factory=dict)
    step: int | None = None

    def open(self, entry: Entry) -> BinaryIO:
        """The content of one file from its beginning; raises `OSError` if it has gone."""
        stream = self.held.get(entry.path)
        if stream is None:
            return (self.folder / (entry.source or entry.path)).open("rb")
        stream.seek(0)
        return stream

    def close(self) -> None:
        """Close what is open."""
        for stream in self.held.values():
            stream.close()


def offer(folder: Path, what: str, name: str) -> Offer:
    """Choose what is fetched: all of it, or a model with its "best" or "latest" checkpoint.

    Raises `NotFoundError` where there is nothing to fetch.
    """
    if not folder.is_dir():
        raise NotFoundError(f"name={name}: there is no folder {folder}", "./dlwa.py status --all")
    if what == "all" or (folder / "bundle.json").is_file():  # an exported bundle is one whole
        entries, refused = files.scan(folder, lambda path: True)
        return Offer(folder, entries, refused)
    for _ in range(_TRIES):
        step = _best(folder) if what == "best" else None
        made = _model(folder, max(_steps(folder), default=None) if step is None else step)
        if made:
            return made
    raise NotFoundError(
        f"name={name} has saved no checkpoint yet", f"look in on it: ./dlwa.py status {name}"
    )


def _model(folder: Path, step: int | None) -> Offer | None:
    """One checkpoint with all that playing it needs; None if it was pruned while we looked."""
    if step is None:
        return None
    made = Offer(folder, [], step=step)
    try:
        for path in _wanted(folder, step):
            info = path.stat()
            made.held[path.name] = path.open("rb")
            made.entries.append(Entry(path.name, info.st_size, info.st_mtime_ns))
    except OSError:
        made.close()
        return None
    parts = [name for name in made.held if name.startswith(f"ckpt-{step}.data-")]
    whole = bool(parts) and all(name.endswith(f"-of-{len(parts):05}") for name in parts)
    if f"ckpt-{step}.index" not in made.held or not whole:
        made.close()
        return None
    moment = next(entry.mtime_ns for entry in made.entries if entry.path.endswith(".index"))
    for name, text in _written(folder, step).items():
        made.held[name] = io.BytesIO(text.encode())
        made.entries.append(Entry(name, len(text.encode()), moment))
    return made


def _wanted(folder: Path, step: int) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        match = _CHECKPOINT.match(path.name)
        if match and int(match[1]) == step:
            yield path
        small = path.suffix in _SMALL and not path.name.startswith(".")
        own = path.name in (STATE, runfiles.RECORD_FILE)
        if small and not own and path.is_file() and path.stat().st_size <= _SMALL_BYTES:
            yield path


def _written(folder: Path, step: int) -> dict[str, str]:
    """Files that name checkpoints, as they are true of the copy. They come last."""
    written = {}
    state = runfiles.read_json(folder / STATE)
    if state and state.get("best_step") == step:
        written[STATE] = json.dumps(state, indent=1) + "\n"
    written[POINTER] = (
        f'model_checkpoint_path: "ckpt-{step}"\nall_model_checkpoint_paths: "ckpt-{step}"\n'
    )
    return written


def _best(folder: Path) -> int | None:
    step = (runfiles.read_json(folder / STATE) or {}).get("best_step")
    return step if isinstance(step, int) and step in _steps(folder) else None


def _steps(folder: Path) -> list[int]:
    matches = (_CHECKPOINT.match(path.name) for path in folder.glob("ckpt-*.index"))
    return [int(match[1]) for match in matches if match]
