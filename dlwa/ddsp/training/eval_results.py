"""What comes of an evaluation: a table to read, lines and a file for programs, sounds to hear."""

import re
import time
from pathlib import Path

import numpy as np
from absl import logging

from dlwa import runfiles

EVAL_FILE = "eval.jsonl"
REPORT_FILES = {"eval": "evaluation.json", "sample": "samples.json"}
_UNIT = "batches"

# What a number means, by the end of its name.
_MEANINGS = (
    ("loudness/loudness_db", "dB", "how far the loudness is off"),
    ("outlier_ratio", "share", "sounds whose pitch is an octave or more off, or never clear"),
    ("f0_crepe/f0_dist", "semitones", "how far the pitch is off that is heard"),
    ("f0_twm/f0_dist", "semitones", "how far the pitch is off that the sinusoids mean"),
    ("f0_dist", "semitones", "how far the pitch is off that the model plays by"),
    ("raw_pitch_accuracy", "share", "frames with the right pitch"),
    ("raw_chroma_accuracy", "share", "frames with the right pitch, whatever the octave"),
    ("spectral/mag", "", "difference of the spectra"),
    ("spectral/logmag", "", "difference of the logarithms of the spectra"),
    ("onset/f1", "share", "notes found with their start"),
    ("full_note/f1", "share", "notes found with start and end"),
    ("frame/f1", "share", "frames in which something sounds, found"),
)


class Teller:
    """Tells how far an evaluation is and what it found.

    Args:
        save_dir: folder of eval.jsonl, a line for each checkpoint.
        mode: 'eval' or 'sample'.
        report_dir: folder of evaluation.json, what was found last, of samples.json and of the
            sounds; or None.
    """

    def __init__(self, save_dir, mode, report_dir=None):
        self.save_dir, self.mode = Path(save_dir), mode
        self.report_dir = Path(report_dir) if report_dir else None
        self.sounds = []

    def batch(self, done, total, step, seconds):
        """A batch is done; `total` is 0 if nobody knows how many there are."""
        logging.log_every_n_seconds(
            logging.INFO, "Batch %d at step %d: %.1f s", 5, done, step, seconds
        )
        runfiles.tell_progress(done, max(total, done), _UNIT, f"checkpoint of step {step}")

    def hear(self, batch, outputs, step, sample_rate):
        """Write the sounds of a batch, original and generated, as 16 bit WAV files."""
        if self.report_dir is None:
            return
        import soundfile

        folder = self.report_dir / f"samples-{step}"
        folder.mkdir(parents=True, exist_ok=True)
        pairs = zip(batch["audio"], outputs["audio_gen"], strict=True)
        for original, generated in pairs:
            number = len(self.sounds) // 2 + 1
            for name, sound in (("original", original), ("generated", generated)):
                path = folder / f"{number:02d}-{name}.wav"
                flat = np.clip(np.ravel(np.asarray(sound, np.float32)), -1.0, 1.0)
                soundfile.write(path, flat, sample_rate, "PCM_16")
                self.sounds.append(str(path))

    def results(self, step, checkpoint, results):
        """Tell what was found at a checkpoint: on the terminal and in the files."""
        if results:
            print(table(step, results), flush=True)
        document = {
            "step": step,
            "mode": self.mode,
            "checkpoint": checkpoint,
            "results": results,
            "sounds": self.sounds,
            "time": time.time(),
        }
        runfiles.append_line(self.save_dir / EVAL_FILE, document)
        if self.report_dir is not None:
            self.report_dir.mkdir(parents=True, exist_ok=True)
            meanings = {name: meaning(name) for name in results}
            runfiles.write_json(
                self.report_dir / REPORT_FILES[self.mode], {**document, "meanings": meanings}
            )
        self.sounds = []


def table(step, results):
    """The results of a step as aligned lines: name, number, unit, what it means."""
    rows = [
        (name.removeprefix("metrics/"), value, *meaning(name)) for name, value in results.items()
    ]
    width = max(len(name) for name, *_ in rows)
    lines = [
        f"  {name:<{width}}  {value:>9.4f} {unit:<10} {told}".rstrip()
        for name, value, unit, told in rows
    ]
    return "\n".join([f"step {step}", *lines])


def meaning(name):
    """(unit, sentence) for the name of a result; empty if there is nothing to say."""
    for ending, unit, told in _MEANINGS:
        if name.endswith(ending):
            return unit, told
    return "", ""


def step_of(prefix):
    """The training step in the name of a checkpoint; 0 if it tells none."""
    found = re.search(r"-(\d+)$", str(prefix))
    return int(found[1]) if found else 0
