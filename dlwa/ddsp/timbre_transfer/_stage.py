"""What stays between two transfers: the models loaded, what was heard, the knobs as they stand."""

import dataclasses
import threading
from pathlib import Path

from dlwa.ddsp.pitch import resolve_pitch_model
from dlwa.ddsp.timbre_transfer._knobs import EFFECTS, RANGES
from dlwa.ddsp.timbre_transfer._model import load_model
from dlwa.ddsp.timbre_transfer._transfer import listen, transfer

_KEPT_MODELS = 3
_KEPT_RECORDINGS = 8


class CancelledError(Exception):
    """Somebody changed their mind."""


class Stage:
    """Models and recordings that several performers share, so that turning a knob is quick.

    A recording is listened to once; changing a knob afterwards only plays again. Calls from
    several threads wait for each other.

    Args:
        pitch_model: size of the pitch network, or "auto".
    """

    def __init__(self, pitch_model="auto"):
        self._pitch_model = resolve_pitch_model(pitch_model)
        self._models = {}
        self._heard = {}
        self._busy = threading.Lock()

    def model(self, folder, checkpoint="best"):
        """The model of a folder, loaded at most once as long as it does not change.

        Raises:
            TransferError: as `load_model`.
        """
        folder = Path(folder).expanduser().resolve()
        key = (folder, checkpoint, _latest_change(folder))
        with self._busy:
            return _kept(self._models, key, _KEPT_MODELS, lambda: load_model(folder, checkpoint))

    def play(
        self,
        source,
        model,
        target,
        knobs,
        *,
        sample_rate=None,
        subtype="PCM_16",
        progress=lambda done, total, what: None,
        cancelled=lambda: False,
    ):
        """Let a model play a recording; see `transfer`.

        Args:
            cancelled: asked now and then; True ends the work and leaves nothing behind.

        Raises:
            CancelledError: if it was.
        """

        def tell(done, total, what):
            if cancelled():
                raise CancelledError
            progress(done, total, what)

        source = Path(source)
        with self._busy:
            stamp = source.stat()
            key = (source.resolve(), stamp.st_mtime_ns, stamp.st_size)
            key += (model.frame_rate, model.loudness_rate)
            features = _kept(
                self._heard,
                key,
                _KEPT_RECORDINGS,
                lambda: listen(source, model, self._pitch_model, progress=tell),
            )
            return transfer(
                source,
                model,
                target,
                knobs,
                sample_rate=sample_rate,
                subtype=subtype,
                features=features,
                progress=tell,
            )


def turned(knobs, name, value):
    """Knobs with one of them turned.

    Args:
        knobs: a Knobs.
        name: of the knob.
        value: a number, or for `adjust` anything that is true or not.

    Returns:
        Knobs.

    Raises:
        ValueError: if there is no such knob, or the value lies beyond its range.
    """
    if name not in EFFECTS:
        raise ValueError(f"knob={name!r} must be one of {', '.join(EFFECTS)}")
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise ValueError(f"{name}={value!r} must be a number") from None
    low = RANGES.get(name, (0.0, 0.0))[0]
    if name == "adjust":
        value = bool(value)
    elif isinstance(low, int) and float(value).is_integer():
        value = int(value)
    return dataclasses.replace(knobs, **{name: value})


def _latest_change(folder):
    return max((path.stat().st_mtime_ns for path in folder.glob("*")), default=0)


def _kept(shelf, key, size, make):
    """The thing under a key, made if it is not there; the oldest give way to new ones."""
    if key in shelf:
        shelf[key] = shelf.pop(key)
    else:
        made = make()
        while len(shelf) >= size:
            del shelf[next(iter(shelf))]
        shelf[key] = made
    return shelf[key]
