"""Taking in a model: from the field's reference package, from dlwa, or as a bundle."""

import contextlib
import hashlib
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from dlwa import runfiles
from dlwa.ddsp import timbre_transfer
from dlwa.ddsp.training import bundles, checkpoint_util, postprocessing
from dlwa.ddsp.training.export._parts import ExportError

__all__ = ["import_model"]

IMPORTED = "imported.json"
_BUSY = 6
_WANTED = ("ckpt-", "operative_config-", "dataset_statistics.", "checkpoint")
_MOST_BYTES = 4 << 30
_HEARD_FRAMES = 50


def import_model(source, target):
    """Copy a model into a new folder once it has been seen to load and play.

    Args:
        source: folder with a checkpoint, operative_config-*.gin and, usually,
            dataset_statistics.pkl; a zip of such files; a checkpoint's path; or a bundle.
        target: folder to make.

    Returns:
        Dictionary folder, checkpoint, step, sample_rate, statistics (whether there are any) and
        warnings.

    Raises:
        ExportError: if the target exists or the model plays no sound.
        timbre_transfer.TransferError: if the model is incomplete, damaged or of another kind.
        ValueError: for statistics that are damaged or name foreign classes.
    """
    source, target = Path(source).expanduser(), Path(target).expanduser()
    if target.exists():
        raise ExportError(f"target={target} exists already", "choose another name", _BUSY)
    aside = target.with_name(f".{target.name}.partial-{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        with _unpacked(source) as found:
            step = _copy_bundle(found, aside) if bundles.is_bundle(found) else _copy(found, aside)
        played = timbre_transfer.load_model(aside)
        _hear(played)
        told = {
            "folder": str(target),
            "source": str(source),
            "checkpoint": None if step is None else f"ckpt-{step}",
            "step": step,
            "sample_rate": played.sample_rate,
            "statistics": played.statistics is not None,
            "files": _checksums(aside),
            "warnings": [*played.notes, *_missing(played)],
        }
        runfiles.write_json(aside / IMPORTED, told)
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return told


@contextlib.contextmanager
def _unpacked(source):
    """The folder, bundle or checkpoint that is meant; a zip of loose files is unpacked first."""
    if not source.is_file() or source.suffix.lower() != ".zip" or _is_whole_bundle(source):
        yield source.with_name(source.name.removesuffix(".index"))
        return
    with tempfile.TemporaryDirectory(prefix="dlwa-import-") as name:
        try:
            with zipfile.ZipFile(source) as archive:
                _unpack(archive, Path(name))
        except (zipfile.BadZipFile, EOFError) as error:
            raise ValueError(f"{source} is damaged: {error}") from None
        yield Path(name)


def _is_whole_bundle(path):
    return zipfile.is_zipfile(path) and bundles.is_bundle(path)


def _unpack(archive, folder):
    """Only the files of a model, by their last name, so that none can leave the folder."""
    left = _MOST_BYTES
    for entry in archive.infolist():
        name = Path(entry.filename).name
        if entry.is_dir() or not name.startswith(_WANTED) or (folder / name).exists():
            continue
        left -= entry.file_size
        if left < 0:
            raise ValueError(f"{archive.filename} unpacks to more than {_MOST_BYTES >> 30} GB")
        with archive.open(entry) as stream, (folder / name).open("wb") as out:
            shutil.copyfileobj(stream, out)


def _copy_bundle(path, aside):
    """Copy a bundle, checked, as a folder."""
    bundle = bundles.read(path)
    facts = {k: v for k, v in bundle.facts.items() if k not in ("format", "files")}
    shutil.rmtree(aside)
    bundles.write(aside, bundle.bindings, bundle.weights, bundle.statistics, facts)
    return bundle.facts.get("step")


def _copy(source, aside):
    """Copy one checkpoint with its configuration and statistics; returns its step."""
    try:
        prefix = Path(checkpoint_util.get_latest_checkpoint(source))
        config = checkpoint_util.get_latest_operative_config(source)
    except FileNotFoundError as error:
        raise ExportError(
            str(error),
            "a model is a folder with ckpt-*.index, ckpt-*.data-* and operative_config-*.gin",
        ) from None
    pieces = [path for path in prefix.parent.glob(f"{prefix.name}.*") if path.is_file()]
    for path in pieces:
        shutil.copyfile(path, aside / path.name)
    shutil.copyfile(config, aside / "operative_config-0.gin")
    (aside / "checkpoint").write_text(
        f'model_checkpoint_path: "{prefix.name}"\nall_model_checkpoint_paths: "{prefix.name}"\n',
        encoding="utf-8",
    )
    statistics = postprocessing.load_statistics(prefix.parent)
    if statistics is not None:
        postprocessing.save_statistics(aside, statistics)
    step = prefix.name.rpartition("-")[2]
    if not (prefix.name.startswith("ckpt-") and step.isdigit()):
        raise ExportError(f"checkpoint {prefix} must be called ckpt-<step>", "rename its files")
    return int(step)


def _hear(played):
    """Play a note; a model full of NaN loads as well as any other."""
    note = timbre_transfer.Controls(
        np.full(_HEARD_FRAMES, 440.0, np.float32), np.full(_HEARD_FRAMES, -30.0, np.float32)
    )
    if played.model.encoder is not None:
        note = timbre_transfer.Controls(note.f0_hz, note.loudness_db, None, _latent(played))
    sound = np.concatenate(list(timbre_transfer.Player(played).play(note)))
    if not np.all(np.isfinite(sound)) or not np.any(sound):
        raise ExportError(
            "the model loads but plays nothing that could be heard", "its weights are damaged"
        )


def _latent(played):
    """What the encoder hears in a second of a tone, `[_HEARD_FRAMES, z_dims]`."""
    seconds = np.arange(played.sample_rate * 4) / played.sample_rate
    frames = np.full([1, _HEARD_FRAMES, 1], 440.0, np.float32)
    features = timbre_transfer.scaled_features(frames, np.full_like(frames, -30.0), None)
    features["audio"] = np.sin(2 * np.pi * 440 * seconds).astype(np.float32)[np.newaxis]
    return np.asarray(played.model.encoder(features)["z"][0], np.float32)


def _missing(played):
    if played.statistics is not None:
        return []
    return [
        "there is no dataset_statistics.pkl beside the checkpoint: register and loudness of a "
        "recording stay as they are in a timbre transfer"
    ]


def _checksums(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file()
    }
