"""What each message does."""

import dataclasses
import time
from pathlib import Path

from dlwa.ddsp.audio_io import AudioFileError
from dlwa.ddsp.timbre_transfer import (
    RATES,
    CancelledError,
    Knobs,
    TransferError,
    find_model,
    model_names,
    turned,
)
from dlwa.version import __version__
from dlwa.words import counted

_TELL_EVERY_S = 0.1


class Requests:
    """Answers messages. Those in SLOW take time and are done one after the other.

    Args:
        models: folder of models.
        stage: a Stage.
        scratch: folder for sounds that are given no name.
    """

    QUICK = ("hello", "models", "knob", "knobs", "reset", "rate", "cancel", "reply_to")
    SLOW = ("load", "play")

    def __init__(self, models, stage, scratch):
        self._models, self._stage, self._scratch = Path(models), stage, Path(scratch)
        self._made = 0
        self._written = set()

    def answer(self, client, what, values):
        """Do what a message asks; errors are told to the client."""
        try:
            getattr(self, what)(client, *values)
        except CancelledError:
            client.tell("cancelled")
        except TransferError as error:
            client.fail(str(error), error.hint)
        except (ValueError, OSError, AudioFileError) as error:
            client.fail(str(error))
        except TypeError:
            told = f"{counted(len(values), 'value')}: {list(values)}"
            client.fail(f"/dlwa/{what} does not take {told}")

    def hello(self, client):
        """Say who is here, and where files may be put."""
        client.tell("ready", __version__, self._scratch)

    def models(self, client):
        """List the models."""
        names = model_names(self._models)
        for name in names:
            client.tell("model", name)
        client.tell("models", len(names))

    def knob(self, client, name, value):
        """Turn a knob."""
        client.knobs = turned(client.knobs, name, value)
        client.tell("knob", name, float(getattr(client.knobs, name)))

    def knobs(self, client):
        """Tell how the knobs stand."""
        for name, value in dataclasses.asdict(client.knobs).items():
            client.tell("knob", name, float(value))

    def reset(self, client):
        """Turn all knobs back."""
        client.knobs = Knobs()
        self.knobs(client)

    def rate(self, client, sample_rate):
        """Choose the rate of the sounds made."""
        if sample_rate and sample_rate not in RATES:
            raise ValueError(f"sample_rate={sample_rate} must be 0 or one of {RATES}")
        client.sample_rate = int(sample_rate)
        client.tell("rate", sample_rate)

    def reply_to(self, client, port):
        """Answer at another port of the same machine."""
        if not 1024 <= port < 65536:
            raise ValueError(f"port={port} must be from 1024 to 65535")
        client.address = (client.address[0], int(port))
        self.hello(client)

    def cancel(self, client):
        """Give up what is being done for this client."""
        if client.waiting:
            client.given_up.set()
        else:
            client.tell("cancelled")

    def load(self, client, name):
        """Load a model."""
        folder = find_model(self._models, str(name))
        client.model = self._stage.model(folder)
        client.name = name
        client.tell("loaded", name, client.model.sample_rate)

    def play(self, client, source, target="", how=""):
        """Let the model play a recording."""
        if client.model is None:
            raise TransferError("no model is loaded", "send /dlwa/load OWNER/NAME first")
        source = Path(str(source)).expanduser()
        if not source.is_file():
            raise TransferError(
                f"recording={source} does not exist", "give the whole path of a file"
            )
        target = self._target(source, str(target), how)
        begun = time.monotonic()
        result = self._stage.play(
            source,
            client.model,
            target,
            client.knobs,
            sample_rate=client.sample_rate or None,
            progress=_Teller(client),
            cancelled=client.given_up.is_set,
        )
        self._written.add(target.resolve())
        for warning in result.explanation.warnings:
            client.tell("warning", warning)
        client.tell("done", result.path, result.seconds, time.monotonic() - begun)

    def _target(self, source, target, how):
        """Where the sound goes; a file that was not made here stays as it is unless told."""
        if how not in ("", "overwrite"):
            raise ValueError(f"how={how!r} must be 'overwrite' or left out")
        if not target:
            self._made += 1
            return self._scratch / f"{source.stem}-{self._made}.wav"
        path = Path(target).expanduser()
        if path.exists() and path.resolve() not in self._written and how != "overwrite":
            raise TransferError(
                f"target={path} exists already, and this server did not make it",
                "choose another name, or send overwrite after it",
            )
        return path


class _Teller:
    """Tells a client how far its work is, ten times a second at most."""

    def __init__(self, client):
        self._client, self._told = client, -1.0

    def __call__(self, done, total, what):
        now = time.monotonic()
        if now - self._told < _TELL_EVERY_S:
            return
        self._told = now
        self._client.tell("progress", done / total if total else 0.0, what)
