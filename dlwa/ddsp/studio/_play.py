"""What happens when somebody presses Play."""

import contextlib
import dataclasses
import os
import tempfile
import time
from pathlib import Path

from dlwa.ddsp.audio_io import AudioFileError
from dlwa.ddsp.timbre_transfer import Knobs, TransferError, find_model

_KEPT_S = 3600.0


class Told(Exception):  # noqa: N818 - it is what the user is told, not a fault
    """What to tell the user instead of a sound."""


def play(stage, models, name, scratch, source, values, sample_rate=None, progress=None):
    """Let a model play a recording.

    Args:
        stage: a Stage.
        models: folder of models.
        name: of the model; it may have been removed while the page is open.
        scratch: folder for sounds; those nobody used for an hour are removed.
        source: the recording.
        values: how the knobs stand, in the order of Knobs.
        sample_rate: of the sound in Hz; None: the model's.
        progress: called with (part, what).

    Returns:
        (timbre_transfer.Result, lines that explain it).

    Raises:
        Told: if it cannot be done.
    """
    fields = dataclasses.fields(Knobs)
    begun = time.monotonic()
    try:
        knobs = Knobs(**{f.name: _of_kind(f.type, v) for f, v in zip(fields, values, strict=True)})
        folder = find_model(models, name)
        model = stage.model(folder)
        _keep(scratch, source)
        # a folder whose name nobody guesses: the page shows any file here to whoever names it
        target = Path(tempfile.mkdtemp(dir=scratch)) / f"{folder.name}.wav"
        result = stage.play(
            source,
            model,
            target,
            knobs,
            sample_rate=sample_rate,
            progress=_part_of(progress or (lambda part, what: None)),
        )
    except TransferError as error:
        raise Told(f"{error}. {error.hint}".rstrip(". ") + ".") from error
    except (AudioFileError, ValueError, OSError) as error:
        raise Told(str(error)) from error
    took_s = time.monotonic() - begun
    lines = [f"{result.seconds:.1f} s of sound, made in {took_s:.1f} s."]
    return result, [*lines, *result.explanation.lines(), *result.explanation.warnings]


def _keep(scratch, source):
    """Remove what was not used for long; what is used now has its time again."""
    with contextlib.suppress(OSError):
        os.utime(source)
    oldest = time.time() - _KEPT_S
    for path in Path(scratch).rglob("*"):
        with contextlib.suppress(OSError):  # it may be gone already
            if path.is_file() and path.stat().st_mtime < oldest:
                path.unlink()


def _of_kind(kind, value):
    return int(value) if kind in (int, "int") else value


def _part_of(progress):
    def tell(done, total, what):
        progress(done / total if total else 0.0, what)

    return tell
