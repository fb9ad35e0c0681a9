"""What a training tells while it runs: log lines, metrics.jsonl, TensorBoard, warnings."""

import contextlib
import time
from pathlib import Path

import tensorflow as tf
from absl import logging

from dlwa import runfiles

# metrics.jsonl is for people who watch, and they cannot read faster than this.
_REPORT_EVERY_S = 1.0
# A training this much slower than its own best stretch is worth a word.
_SLOW_FACTOR = 0.6
_SLOW_WINDOWS = 3


class Progress:
    """Reports the steps of a training into its folder; without a folder to the log only.

    Args:
        save_dir: the training's folder.
        total_steps: step it ends at.
        steps_per_summary: steps between TensorBoard points.
    """

    def __init__(self, save_dir, total_steps, steps_per_summary):
        self.folder = Path(save_dir) if save_dir else None
        self.total_steps = total_steps
        self.steps_per_summary = steps_per_summary
        self.steps_per_s = 0.0
        self._writer = None
        if self.folder:
            self._writer = tf.summary.create_file_writer(str(self.folder / "summaries" / "train"))
        self._sums, self._n_summed = {}, 0
        self.start(0)
        self._reported = 0.0
        self._best_rate, self._slow_windows, self._slow_told = 0.0, 0, False

    def start(self, first_step):
        """Begin to measure, at the step the training starts from."""
        self._first_step = first_step
        self._last_time, self._last_step = time.monotonic(), first_step
        self._summary_time, self._summary_step = self._last_time, first_step

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
        if step == self._first_step + 1:
            # The first step holds the tracing of the graph, which says nothing about the rest.
            self._last_time, self._last_step = time.monotonic(), step
        self._measure(step)
        if step % self.steps_per_summary == 0:
            self._summarize(step)
        now = time.monotonic()
        if self.folder and (
            force or step == self._first_step + 1 or now - self._reported >= _REPORT_EVERY_S
        ):
            self._reported = now
            runfiles.report_step(
                self.folder, step, self.total_steps, losses, self.steps_per_s, **more
            )

    def _measure(self, step):
        now = time.monotonic()
        passed = now - self._last_time
        if step == self._last_step or (passed < _REPORT_EVERY_S and self.steps_per_s):
            return
        rate = (step - self._last_step) / max(passed, 1e-9)
        self.steps_per_s = 0.7 * self.steps_per_s + 0.3 * rate if self.steps_per_s else rate
        self._last_time, self._last_step = now, step

    @contextlib.contextmanager
    def pause(self):
        """Do not count the time of the block (saving, evaluating) as training."""
        start = time.monotonic()
        try:
            yield
        finally:
            passed = time.monotonic() - start
            self._last_time += passed
            self._summary_time += passed

    def _summarize(self, step):
        now = time.monotonic()
        rate = (step - self._summary_step) / max(now - self._summary_time, 1e-9)
        if self._writer:
            with self._writer.as_default():
                tf.summary.scalar("steps_per_sec", rate, step=step)
                for name, total in self._sums.items():
                    tf.summary.scalar(f"losses/{name}", total / self._n_summed, step=step)
            self._writer.flush()
        self._watch_speed(step, rate)
        self._sums, self._n_summed = {}, 0
        self._summary_time, self._summary_step = now, step

    def _watch_speed(self, step, rate):
        if rate >= self._best_rate * _SLOW_FACTOR:
            self._best_rate = max(self._best_rate, rate)
            self._slow_windows = 0
            return
        self._slow_windows += 1
        if self._slow_windows >= _SLOW_WINDOWS and not self._slow_told:
            self._slow_told = True
            self.event(
                "slow",
                f"The training runs at {rate:.2f} steps/s and was at {self._best_rate:.2f}; "
                "somebody may share the machine, or restart it (train again resumes).",
                step=step,
            )

    def scalar(self, tag, value, step):
        """Write one TensorBoard point."""
        if self._writer:
            with self._writer.as_default():
                tf.summary.scalar(tag, value, step=step)
            self._writer.flush()

    def saved(self, step, loss, best):
        """Record a checkpoint in the run's events."""
        if self.folder:
            runfiles.report_event(self.folder, "checkpoint", step=step, loss=loss, best=bool(best))

    def event(self, event, text, **more):
        """Say something remarkable, in the log and in the run's events."""
        logging.info("%s", text)
        if self.folder:
            runfiles.report_event(self.folder, event, text=text, **more)

    def close(self):
        """Flush what is written."""
        if self._writer:
            self._writer.close()
