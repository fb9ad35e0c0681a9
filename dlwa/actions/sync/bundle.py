"""What of a folder is fetched, opened at once so that a training cannot change it meanwhile."""

import io
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

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
_POINTED_AT = re.compile(r'^model_checkpoint_path: "(ckpt-\d+)"', re.MULTILINE)
_GROW = (".jsonl", ".log")  # a run only ever adds to them
_HELD = 256  # of a thousand files that a process may have open


@dataclass
class Offer:
    """Files to be sent. Those in `held` are open already; the others are opened in their turn."""

    folder: Path
    entries: list[Entry]
    refused: dict[str, str] = field(default_factory=dict)
    held: dict[str, BinaryIO] = field(default_factory=dict)
    step: int | None = None

    @contextmanager
    def opened(self, entry: Entry) -> Iterator[BinaryIO]:
        """The content of one file from its beginning; raises `OSError` if it has gone."""
        held = self.held.get(entry.path)
        stream = held or files.open_file(self.folder / (entry.source or entry.path))
        try:
            stream.seek(0)
            grows = entry.path.endswith(_GROW)
            yield cast("BinaryIO", _Beginning(stream, entry.size)) if grows else stream
        finally:
            if held is None:
                stream.close()

    def hold(self) -> bool:
        """Open what lies beside checkpoints; False if it has changed since it was listed."""
        try:
            for entry in self.entries[:_HELD]:
                stream = files.open_file(self.folder / (entry.source or entry.path))
                self.held[entry.path] = stream
                info = os.fstat(stream.fileno())
                same = (info.st_size, info.st_mtime_ns) == (entry.size, entry.mtime_ns)
                if not (same or entry.path.endswith(_GROW)):
                    return False
        except OSError:
            return False
        pointer = self.held.get(POINTER)
        found = _POINTED_AT.search(pointer.read().decode("utf-8", "replace") if pointer else "")
        return not found or f"{found[1]}.index" in self.held

    def close(self) -> None:
        """Close what is open."""
        for stream in self.held.values():
            stream.close()


class _Beginning(io.RawIOBase):
    """The first bytes of a file to which more may be added meanwhile."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        super().__init__()
        self._stream, self._size = stream, size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        left = max(0, self._size - self._stream.tell())
        return int(self._stream.readinto(memoryview(room)[:left]))  # type: ignore[attr-defined]

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)


def offer(folder: Path, what: str, name: str) -> Offer:
    """Choose what is fetched: all of it, or a model with its "best" or "latest" checkpoint.

    Raises `NotFoundError` where there is nothing to fetch.
    """
    if not folder.is_dir():
        raise NotFoundError(f"name={name}: there is no folder {folder}", "./dlwa.py status --all")
    if what == "all" or (folder / "bundle.json").is_file():  # an exported bundle is one whole
        found = _everything(folder)
        if not (found.entries or found.refused):
            raise NotFoundError(f"name={name}: {folder} holds no files", "./dlwa.py status --all")
        return found
    for _ in range(_TRIES):
        step = _best(folder) if what == "best" else None
        made = _model(folder, max(_steps(folder), default=None) if step is None else step)
        if made:
            return made
    raise NotFoundError(
        f"name={name} has saved no checkpoint yet", f"look in on it: ./dlwa.py status {name}"
    )


def _everything(folder: Path) -> Offer:
    """All files; those of a model as they were at one moment, if it can be had."""
    for _ in range(_TRIES):
        made = Offer(folder, *files.scan(folder, lambda path: True))
        is_model = any(_CHECKPOINT.match(entry.path) for entry in made.entries)
        if not is_model or made.hold():
            return made
        made.close()
    return Offer(folder, *files.scan(folder, lambda path: True))


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
    """The steps saved, but for 0, before which nothing has been learnt."""
    matches = (_CHECKPOINT.match(path.name) for path in folder.glob("ckpt-*.index"))
    return [step for match in matches if match and (step := int(match[1]))]
