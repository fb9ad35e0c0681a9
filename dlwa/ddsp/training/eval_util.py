"""Evaluating and sampling checkpoints, one of them or each that a running training writes."""

import time
from pathlib import Path

import gin
import tensorflow as tf
from absl import logging

from dlwa.ddsp import core, spectral_ops
from dlwa.ddsp.training import eval_follow, eval_results

__all__ = ["evaluate", "evaluate_or_sample", "sample"]

# Noise is drawn from this seed, so that two checkpoints are compared on the same noise.
_NOISE_SEED = 0


def evaluate_or_sample(
    data_provider,
    model,
    evaluator_classes,
    mode="eval",
    save_dir="/tmp/ddsp/training",
    restore_dir="",
    batch_size=32,
    num_batches=50,
    repeats=-1,
    ckpt_delay_secs=0,
    run_once=False,
    run_until_step=0,
    evaluate_and_sample=False,
    report_dir=None,
):
    """Measure and show a model at each of its checkpoints.

    Writes TensorBoard files to `<save_dir>/summaries/eval` and a line for each checkpoint to
    `<save_dir>/eval.jsonl`.

    Args:
        data_provider: gives the sounds; never shuffled, so every checkpoint sees the same ones.
        model: called as model(batch, return_losses=True, training=False).
        evaluator_classes: classes of evaluators.
        mode: 'eval' measures, 'sample' writes audio and pictures.
        save_dir: where the results go.
        restore_dir: where the checkpoints are; default: save_dir.
        batch_size: examples a batch.
        num_batches: batches for each checkpoint; 0 or -1: all there are.
        repeats: how often the data may be repeated to fill them; with 1 the last batch may be
            smaller than the others.
        ckpt_delay_secs: shortest time between two checkpoints.
        run_once: stop after one checkpoint.
        run_until_step: stop once a checkpoint's step is at least this (0: never).
        evaluate_and_sample: do both whatever the mode.
        report_dir: also write evaluation.json and the sounds as WAV files there.
    """
    if mode not in ("eval", "sample"):
        raise ValueError(f"mode={mode!r} must be 'eval' or 'sample'")
    rates = data_provider.sample_rate, data_provider.frame_rate
    dataset = _batches(data_provider, batch_size, num_batches, repeats)
    measures, shows = (mode == m or evaluate_and_sample for m in ("eval", "sample"))
    work = _Work(model, [c(*rates) for c in evaluator_classes], measures, shows, rates)
    teller = eval_results.Teller(save_dir, mode, report_dir)
    writer = tf.summary.create_file_writer(str(Path(save_dir) / "summaries" / "eval"))
    for prefix in eval_follow.checkpoints(restore_dir or save_dir, ckpt_delay_secs, run_once):
        step = eval_results.step_of(prefix)
        with writer.as_default():
            try:
                results = work.run(dataset, prefix, step, teller, num_batches)
            except tf.errors.NotFoundError:
                if run_once or Path(f"{prefix}.index").exists():
                    raise
                logging.info("%s was removed before it could be read", prefix)
                continue
        writer.flush()
        teller.results(step, prefix, results)
        if 0 < run_until_step <= step:
            break
    writer.close()


def _batches(data_provider, batch_size, num_batches, repeats):
    repeats = 1 if num_batches < 1 else repeats
    dataset = data_provider.get_batch(
        batch_size, shuffle=False, repeats=repeats, drop_remainder=repeats != 1
    )
    return dataset.take(num_batches) if num_batches > 0 else dataset


class _Work:
    """What is done with one checkpoint."""

    def __init__(self, model, evaluators, measures, shows, rates):
        self.model, self.evaluators, self.rates = model, evaluators, rates
        self.measures, self.shows = measures, shows
        self._forward = tf.function(self._run_model)

    def _run_model(self, batch):
        with core.noise_seed(_NOISE_SEED):
            outputs, losses = self.model(batch, return_losses=True, training=False)
        outputs = dict(outputs)
        outputs["audio_gen"] = self.model.get_audio_from_outputs(outputs)
        return outputs, losses

    def run(self, dataset, prefix, step, teller, num_batches):
        """Results of all batches, {name: mean}."""
        count = 0
        for count, batch in enumerate(dataset, 1):
            batch = self._with_features(batch)
            if count == 1:
                self.model(batch, training=False)  # makes the variables
                self.model.restore(prefix)
            started = time.monotonic()
            outputs, losses = self._forward(batch)
            if self.measures:
                for evaluator in self.evaluators:
                    evaluator.evaluate(batch, outputs, losses)
            if self.shows:
                for evaluator in self.evaluators:
                    evaluator.sample(batch, outputs, step)
                teller.hear(batch, outputs, step, self.rates[0])
            teller.batch(count, max(num_batches, 0), step, time.monotonic() - started)
        if not count:
            raise ValueError("the data set holds no whole batch; lower evaluate.batch_size")
        results = {}
        for evaluator in self.evaluators:
            if self.measures:
                results.update(evaluator.results())
                evaluator.flush(step)
        return results

    def _with_features(self, batch):
        """Synthetic notes come without audio: synthesize it, and measure what evaluators need."""
        if isinstance(batch, tuple):
            batch = next((b for b in batch if "audio" in b), batch[0])
        if "sin_amps" not in batch or "audio" in batch:
            return batch
        batch = dict(batch)
        batch["audio"] = self.model.generate_synthetic_audio(batch)
        batch["f0_confidence"] = tf.ones_like(batch["f0_hz"])[..., 0]
        batch["loudness_db"] = spectral_ops.compute_loudness(batch["audio"], *self.rates)
        return batch


@gin.configurable(module="dlwa.ddsp.training.eval_util")
def evaluate(
    data_provider,
    model,
    evaluator_classes,
    save_dir="/tmp/ddsp/training",
    restore_dir="",
    batch_size=32,
    num_batches=50,
    repeats=-1,
    ckpt_delay_secs=0,
    run_once=False,
    run_until_step=0,
    evaluate_and_sample=False,
    report_dir=None,
):
    """Measure checkpoints; see evaluate_or_sample()."""
    evaluate_or_sample(**locals(), mode="eval")


@gin.configurable(module="dlwa.ddsp.training.eval_util")
def sample(
    data_provider,
    model,
    evaluator_classes,
    save_dir="/tmp/ddsp/training",
    restore_dir="",
    batch_size=16,
    num_batches=1,
    repeats=-1,
    ckpt_delay_secs=0,
    run_once=False,
    run_until_step=0,
    evaluate_and_sample=False,
    report_dir=None,
):
    """Write audio and pictures of checkpoints; see evaluate_or_sample()."""
    evaluate_or_sample(**locals(), mode="sample")
