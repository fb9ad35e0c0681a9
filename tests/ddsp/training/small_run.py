"""A data set and trainings small enough for tests, run as a user runs them: in processes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

RATE, FRAME_RATE = 16000, 250
GIN_FILES = ["models/debug_instrument.gin", "datasets/tfrecord.gin"]


def write_dataset(folder, n_examples=6, name="data.tfrecord-00000-of-00001", seed=0):
    """Records of one second: harmonic tones with their pitch and a rising loudness."""
    import tensorflow as tf

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    with tf.io.TFRecordWriter(str(folder / name)) as writer:
        for _ in range(n_examples):
            f0 = random.uniform(150, 600)
            time = np.arange(RATE) / RATE
            audio = sum(np.sin(2 * np.pi * f0 * k * time) / k for k in range(1, 6)) * 0.1 * time
            features = {
                "audio": audio,
                "audio_16k": audio,
                "f0_hz": np.full(FRAME_RATE, f0),
                "f0_confidence": np.ones(FRAME_RATE),
                "loudness_db": np.linspace(-60, -20, FRAME_RATE),
            }
            example = tf.train.Example(
                features=tf.train.Features(
                    feature={
                        key: tf.train.Feature(float_list=tf.train.FloatList(value=value))
                        for key, value in features.items()
                    }
                )
            )
            writer.write(example.SerializeToString())
    return folder


def argv(dataset, save_dir, num_steps, *more, steps_per_save=2, gin_files=GIN_FILES):
    """The command line of a small training."""
    params = [
        f"TFRecordProvider.file_pattern='{dataset}/data.tfrecord*'",
        f"train_util.train.num_steps={num_steps}",
        f"train_util.train.steps_per_save={steps_per_save}",
        "train_util.train.steps_per_summary=2",
        *(flag for flag in more if not flag.startswith("--")),
    ]
    return [
        sys.executable,
        "-m",
        "dlwa.ddsp.training.ddsp_run",
        "--mode=train",
        "--alsologtostderr",
        f"--save_dir={save_dir}",
        *(f"--gin_file={name}" for name in gin_files),
        *(f"--gin_param={param}" for param in params),
        *(flag for flag in more if flag.startswith("--")),
    ]


def environment():
    """The environment of a small training: one thread each, so that two can run side by side."""
    return {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}


def run(*args, **kwargs):
    """Run a small training to its end."""
    return subprocess.run(
        argv(*args, **kwargs), capture_output=True, text=True, env=environment(), timeout=300
    )


def run_here(*args, **kwargs):
    """Run a small training in this process; returns its exit code."""
    import gin
    from absl import flags
    from absl.testing import flagsaver

    from dlwa.ddsp.training import ddsp_run

    ddsp_run.define_flags()
    before = flagsaver.save_flag_values()
    gin.clear_config()
    try:
        flags.FLAGS.unparse_flags()
        flags.FLAGS(argv(*args, **kwargs)[2:])
        return ddsp_run.main([])
    finally:
        flagsaver.restore_flag_values(before)
        gin.clear_config()
