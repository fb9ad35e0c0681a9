"""Microphone in, speakers out."""

import queue
import threading

import numpy as np
import soxr

from dlwa.ddsp.timbre_transfer import TransferError

_WAITING_BLOCKS = 4


def play_along(engine, device=None, stopped=lambda: False):
    """Play along with the microphone until `stopped`.

    Args:
        engine: an Engine.
        device: number or part of the name of a sound device; None: the system's own.
        stopped: asked four times a second.

    Returns:
        How many blocks came late or were lost.

    Raises:
        TransferError: if the sound card cannot be used.
    """
    sounddevice = _sounddevice()
    line = _Line(engine)
    worker = threading.Thread(target=line.work, daemon=True)
    try:
        rate = int(sounddevice.query_devices(device, "input")["default_samplerate"])
        line.tune(rate)
        with sounddevice.Stream(
            samplerate=rate,
            blocksize=round(engine.block_s * rate),
            device=device,
            channels=1,
            dtype="float32",
            latency="low",
            callback=line.callback,
        ):
            worker.start()
            while not stopped():
                threading.Event().wait(0.25)
    except (sounddevice.PortAudioError, ValueError) as error:
        raise TransferError(
            f"the sound card cannot be used: {error}",
            "name another with --device; `python -m sounddevice` lists them",
        ) from error
    finally:
        line.incoming.put(None)
    return line.late


class _Line:
    """What the sound card's own thread hands over and takes."""

    def __init__(self, engine):
        self._engine = engine
        self.incoming = queue.Queue(_WAITING_BLOCKS)
        self._outgoing = queue.Queue(_WAITING_BLOCKS)
        self._pending = np.zeros(0, np.float32)
        self.late = 0

    def tune(self, rate):
        """Prepare for the sound card's rate."""
        self._down = soxr.ResampleStream(rate, self._engine.rate_in, 1, "float32", "HQ")
        self._up = soxr.ResampleStream(self._engine.rate_out, rate, 1, "float32", "HQ")

    def callback(self, given, wanted, frames, when, status):
        """Called by the sound card: take what it heard, give what it shall play."""
        try:
            self.incoming.put_nowait(given[:, 0].copy())
        except queue.Full:
            self.late += 1
        while len(self._pending) < frames:
            try:
                self._pending = np.concatenate([self._pending, self._outgoing.get_nowait()])
            except queue.Empty:
                self.late += 1
                self._pending = np.pad(self._pending, (0, frames - len(self._pending)))
        wanted[:, 0] = np.clip(self._pending[:frames], -1.0, 1.0)
        self._pending = self._pending[frames:]

    def work(self):
        """Play block after block until None comes."""
        kept = np.zeros(0, np.float32)
        while (samples := self.incoming.get()) is not None:
            kept = np.concatenate([kept, self._down.resample_chunk(samples)])
            while len(kept) >= self._engine.block_in:
                sound = self._engine.push(kept[: self._engine.block_in])
                kept = kept[self._engine.block_in :]
                try:
                    self._outgoing.put_nowait(self._up.resample_chunk(sound))
                except queue.Full:
                    self.late += 1


def _sounddevice():
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise TransferError(
            f"there is no sound system ({error})",
            "install it (Linux: sudo apt-get install libportaudio2), or name --source and --target",
        ) from error
    return sounddevice
