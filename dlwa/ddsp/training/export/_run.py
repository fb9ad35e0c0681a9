"""Exporting: write aside, compare with the model, put in place only what is right."""

import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from dlwa import runfiles
from dlwa.ddsp.training.export import _bundle, _saved_model, _tflite
from dlwa.ddsp.training.export._clip import choose_clip
from dlwa.ddsp.training.export._metadata import metadata
from dlwa.ddsp.training.export._parts import ExportError, parts_of
from dlwa.ddsp.training.export._room import write_rooms
from dlwa.ddsp.training.export._step import Step, can_stream
from dlwa.ddsp.training.export._truth import play_truth
from dlwa.ddsp.training.export._verdict import Verdict

__all__ = ["FORMATS", "Wishes", "export"]

FORMATS = ("savedmodel", "tflite", "bundle", "zip")
METADATA = "metadata.json"
_BUSY = 6


@dataclass(frozen=True)
class Wishes:
    """What is to be exported.

    `formats` are some of FORMATS; `required` are those whose failing ends everything, the others
    are left out with a note if the model cannot have them.
    """

    formats: tuple[str, ...]
    required: tuple[str, ...] = ()
    name: str = "model"
    dataset_path: str | None = None
    metadata: bool = True
    metadata_file: Path | None = None
    reverb: bool = True
    reverb_sample_rate: int | None = 44100
    streams: bool = True
    overwrite: bool = False
    dry: bool = False


def export(played, folder, wishes, tell=lambda line: None):
    """Export a model into a folder.

    Args:
        played: a PlayableModel.
        folder: where to; it must not exist, or be an earlier export with `overwrite`.
        wishes: Wishes.
        tell: called with a line for people now and then.

    Returns:
        List of Verdict, one a format.

    Raises:
        ExportError: if it cannot be done, or an export does not play what the model plays; nothing
            is left behind then.
    """
    folder = Path(folder)
    _require_place(folder, wishes)
    parts_of(played)
    formats = _possible(played, wishes, tell)
    clip = choose_clip(played, wishes.dataset_path)
    truth = play_truth(played, clip)
    tell(f"comparing on {clip.seconds:.1f} s of {clip.source}")
    aside = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        verdicts = []
        for kind in formats:
            tell(f"{kind}: writing and comparing")
            verdict = _one(kind, played, aside, wishes, clip, truth)
            verdict.require()
            verdicts.append(verdict)
            tell(verdict.line())
        _write_papers(played, aside, wishes, verdicts)
        if not wishes.dry:
            _put_in_place(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return verdicts


def _require_place(folder, wishes):
    if not folder.exists() or wishes.dry:
        return
    if not wishes.overwrite:
        raise ExportError(
            f"save_dir={folder} exists already", "name another folder, or add --overwrite", _BUSY
        )
    if not folder.is_dir() or not _is_export(folder):
        raise ExportError(
            f"save_dir={folder} holds other things than an export", "name another folder", _BUSY
        )


def _is_export(folder):
    return not any(folder.iterdir()) or any(
        (folder / name).exists() for name in (METADATA, *FORMATS)
    )


def _possible(played, wishes, tell):
    if "tflite" not in wishes.formats or can_stream(played):
        return wishes.formats
    try:
        Step(played)
    except ExportError as error:
        if "tflite" in wishes.required:
            raise
        tell(f"no tflite: {error}")
    return tuple(kind for kind in wishes.formats if kind != "tflite")


def _one(kind, played, aside, wishes, clip, truth):
    """Write one format and compare it."""
    if kind == "savedmodel":
        path = aside / "savedmodel"
        z_dims = 0 if clip.z is None else clip.z.shape[1]
        _saved_model.write_saved_model(played, path, z_dims, wishes.streams)
        found = _saved_model.compare_saved_model(path, clip, truth)
        limit = _saved_model.AUDIO_LIMIT
    elif kind == "tflite":
        path = aside / "tflite" / f"{wishes.name}.tflite"
        path.parent.mkdir()
        _tflite.write_tflite(played, path)
        _pack(path, wishes.metadata_file)
        runfiles.write_json(path.parent / "step.json", _tflite.describe_step(played))
        found, limit = _tflite.compare_tflite(path, played, clip, truth), _tflite.AUDIO_LIMIT
    else:
        path = aside / ("bundle" if kind == "bundle" else f"{wishes.name}.zip")
        _bundle.write_bundle(played, path, wishes.name)
        found, limit = _bundle.compare_bundle(path, clip, truth), _bundle.AUDIO_LIMIT
    controls, audio, took_s = found
    return Verdict(
        format=kind,
        path=str(path.relative_to(aside)),
        max_error_controls=controls,
        max_error_audio=audio,
        audio_limit=limit,
        x_realtime=clip.seconds / max(took_s, 1e-9),
        size_bytes=_size(path),
        compared_on=f"{clip.seconds:.1f} s of {clip.source}",
    )


def _pack(path, metadata_file):
    """Files that belong to a TFLite model are a zip at its end; interpreters do not mind."""
    if metadata_file is not None:
        with zipfile.ZipFile(path, "a") as archive:
            archive.write(metadata_file, Path(metadata_file).name)


def _write_papers(played, aside, wishes, verdicts):
    if wishes.reverb:
        write_rooms(played, aside, wishes.reverb_sample_rate)
    if wishes.metadata:
        facts = {"name": wishes.name, "exports": [verdict.as_dict() for verdict in verdicts]}
        runfiles.write_json(aside / METADATA, metadata(played, facts))


def _put_in_place(aside, folder):
    """Rename; an earlier export is out of the way only when the new one is whole."""
    old = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    if folder.exists():
        folder.rename(old)
    try:
        aside.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _size(path):
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
