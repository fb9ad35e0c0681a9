"""What a training tells while it runs: log lines, metrics.jsonl, TensorBoard, warnings."""

import contextlib
import time
from pathlib import Path

import tensorflow as tf
from absl import logging

from dlwa import runfiles
from dlwa.ddsp.training import alarms

# metrics.jsonl is for people who watch, and they cannot read faster than this.
_REPORT_EVERY_S = 1.0
# Events that are as they should be.
_GOOD = ("checkpoint", "recovered", "stopped", "early_stop")


class Progress:
    """Reports the steps of a training into its folder; without a folder to the log only.

    A folder that cannot be written to does not end the training: whether it can go on is decided
    when it saves.

    Args:
        save_dir: the training's folder.
        total_steps: step it ends at.
        steps_per_summary: steps between TensorBoard points.
        clock: function that gives seconds.
    """

    def __init__(self, save_dir, total_steps, steps_per_summary, clock=time.monotonic):
        self.folder = Path(save_dir) if save_dir else None
        self.total_steps = total_steps
        self.steps_per_summary = steps_per_summary
        self.steps_per_s = 0.0
        self._clock, self._paused_s = clock, 0.0
        self._writer = self._reported_s = self._unreported = self._complained = None
        if self.folder:
            place = str(self.folder / "summaries" / "train")
            with self._or_complain():
                self._writer = tf.summary.create_file_writer(place)
        self._sums, self._n_summed = {}, 0
        self._slow = alarms.SlowDown()
        self.start(0)

    def start(self, first_step):
        """Begin to measure, at the step the training starts from."""
        self._first_step = first_step
        self.went_back(first_step)

    def went_back(self, step):
        """Go on to measure at another step."""
        self._last_s = self._summary_s = self._now()
        self._last_step = self._summary_step = step
        self._slow.begin_anew()

    def _now(self):
        """Seconds spent training."""
        return self._clock() - self._paused_s

    @property
    def writer(self):
        """The TensorBoard writer, or None."""
        return self._writer

    def step(self, step, losses, force=False, **more):
        """Report one finished step; `losses` are plain numbers by name."""
        text = "\t".join(f"{name}: {value:.2f}" for name, value in losses.items())
        logging.info("step: %d\t%s", step, text)
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._n_summed += 1
        is_first = step == self._first_step + 1
        if is_first:
            # The first step holds the tracing of the graph, which says nothing about the rest.
            self.went_back(step)
        self._measure(step)
        if step % self.steps_per_summary == 0:
            self._summarize(step)
        now = self._clock()
        due = self._reported_s is None or now - self._reported_s >= _REPORT_EVERY_S
        self._unreported = (step, losses, more)
        if force or is_first or due:
            self._reported_s = now
            self._report()

    def _report(self):
        """Write the last step to metrics.jsonl, if it has not been."""
        if self.folder and self._unreported:
            step, losses, more = self._unreported
            with self._or_complain():
                runfiles.report_step(
                    self.folder, step, self.total_steps, losses, self.steps_per_s, **more
                )
        self._unreported = None

    def _measure(self, step):
        for event, text, of in self._slow.update(step, self._now()):
            self.event(event, text, step=step, **({"of": of} if of else {}))
        now = self._now()
        passed = now - self._last_s
        if step == self._last_step or (passed < _REPORT_EVERY_S and self.steps_per_s):
            return
        rate = (step - self._last_step) / max(passed, 1e-9)
        self.steps_per_s = 0.7 * self.steps_per_s + 0.3 * rate if self.steps_per_s else rate
        self._last_s, self._last_step = now, step

    @contextlib.contextmanager
    def pause(self):
        """Do not count the time of the block (saving, evaluating) as training."""
        start = self._clock()
        try:
            yield
        finally:
            self._paused_s += self._clock() - start

    def _summarize(self, step):
        now = self._now()
        rate = (step - self._summary_step) / max(now - self._summary_s, 1e-9)
        if self._writer:
            with self._or_complain(), self._writer.as_default():
                tf.summary.scalar("steps_per_sec", rate, step=step)
                for name, total in self._sums.items():
                    tf.summary.scalar(f"losses/{name}", total / self._n_summed, step=step)
                self._writer.flush()
        self._sums, self._n_summed = {}, 0
        self._summary_s, self._summary_step = now, step

    def scalar(self, tag, value, step):
        """Write one TensorBoard point."""
        if self._writer:
            with self._or_complain(), self._writer.as_default():
                tf.summary.scalar(tag, value, step=step)
                self._writer.flush()

    def saved(self, step, loss, best, heldout=False):
        """Record a checkpoint in the run's events; `heldout`: the loss is of held-out sounds."""
        if self.folder:
            with self._or_complain():
                runfiles.report_event(
                    self.folder,
                    "checkpoint",
                    step=step,
                    loss=loss,
                    best=bool(best),
                    heldout=heldout,
                )

    def event(self, event, text, **more):
        """Say something remarkable, in the log and in the run's events."""
        (logging.info if event in _GOOD else logging.warning)("%s", text)
        if self.folder:
            with self._or_complain():
                runfiles.report_event(self.folder, event, text=text, **more)

    @contextlib.contextmanager
    def _or_complain(self):
        """Go on when the block cannot write, saying so once."""
        try:
            yield
        except (OSError, tf.errors.OpError) as error:
            if not self._complained:
                self._complained = True
                logging.warning("The progress cannot be recorded any more: %s", error)

    def close(self):
        """Write what is left to write."""
        self._report()
        if self._writer:
            with self._or_complain():
                self._writer.close()
