"""One block of sound in, one block of the model's sound out."""

import time

import numpy as np

from dlwa.ddsp.live._ear import RATE, Ear
from dlwa.ddsp.live._register import Register
from dlwa.ddsp.timbre_transfer import Player, TransferError


class Engine:
    """Plays along with what it hears.

    Args:
        model: a PlayableModel.
        knobs: a Knobs.
        block_s: length of a block, rounded to frames of the model.
        pitch_model: of open_live_tracker.
        precision: of the CREPE networks.

    Raises:
        TransferError: if the model cannot play live.
    """

    def __init__(self, model, knobs, block_s=0.064, pitch_model="tiny", precision="float32"):
        frame_rate = model.sample_rate / model.hop_size
        if frame_rate != int(frame_rate) or RATE % int(frame_rate):
            raise TransferError(
                f"the model plays {frame_rate:g} frames a second, live they must divide {RATE}"
            )
        if model.model.encoder is not None:
            raise TransferError("this model listens to a whole recording, so it cannot play live")
        frames = max(1, round(block_s * frame_rate))
        self.block_s = frames / frame_rate
        self._ear = Ear(int(frame_rate), frames, pitch_model, precision)
        self.block_in, self.block_out = self._ear.block_samples, frames * model.hop_size
        self.rate_in, self.rate_out = RATE, model.sample_rate
        self._register = Register(knobs, model.statistics, frame_rate)
        player = Player(model, frames, knobs.harmonics_db, knobs.noise_db, knobs.reverb, knobs.seed)
        try:
            self._play = player.live()
        except ValueError as error:
            raise TransferError(str(error)) from error
        self._ready = np.zeros(0, np.float32)
        self._held_back = 0
        self.took_s = []
        self._warm_up()

    @property
    def behind_s(self):
        """How far the sound that comes lies behind the one that goes in, a block included."""
        return self.block_s + self._ear.behind_s + self._held_back / self.rate_out

    def push(self, samples):
        """Hear a block `[block_in]` at rate_in, play a block `[block_out]` at rate_out."""
        begun = time.perf_counter()
        sound = self._play(self._register.controls(self._ear.push(samples)))
        self._ready = np.concatenate([self._ready, sound])
        lacking = self.block_out - len(self._ready)
        if lacking > 0:  # at the start the noise's filter has nothing to give yet
            self._held_back += lacking
            self._ready = np.concatenate([np.zeros(lacking, np.float32), self._ready])
        block, self._ready = self._ready[: self.block_out], self._ready[self.block_out :]
        self.took_s.append(time.perf_counter() - begun)
        return block

    def _warm_up(self):
        """Play silence until everything is traced, so that no block comes late."""
        for _ in range(4):
            self.push(np.zeros(self.block_in, np.float32))
        self.took_s.clear()
