"""The ddsp_* commands in this process: the start of TensorFlow is paid once."""

import contextlib

import numpy as np


@contextlib.contextmanager
def _flags(command, words):
    import gin
    import keras
    from absl import flags
    from absl.testing import flagsaver

    command.define_flags()
    before = flagsaver.save_flag_values()
    gin.clear_config()
    keras.utils.clear_session()  # names are counted from one, as in a process of its own
    try:
        flags.FLAGS.unparse_flags()
        flags.FLAGS(["command", *words])
        yield
    finally:
        flagsaver.restore_flag_values(before)
        gin.clear_config()


def ddsp_run(mode, save_dir, *words):
    """`ddsp_run --mode=MODE --save_dir=SAVE_DIR`; words without dashes are gin bindings."""
    from dlwa.ddsp.training import ddsp_run as command

    with _flags(command, [f"--mode={mode}", f"--save_dir={save_dir}", *_spelt_out(words)]):
        return command.main([])


def generate(prefix, *words):
    """`ddsp_generate_synthetic_dataset --output_tfrecord_path=PREFIX`."""
    from dlwa.ddsp.training.data_preparation import ddsp_generate_synthetic_dataset as command

    with _flags(command, [f"--output_tfrecord_path={prefix}", *_spelt_out(words)]):
        return command.main([])


def _spelt_out(words):
    """Files end in .gin, flags begin with dashes, the rest are bindings."""
    for word in map(str, words):
        if word.startswith("--"):
            yield word
        else:
            yield f"--gin_file={word}" if word.endswith(".gin") else f"--gin_param={word}"


def write_records(path, n_examples, seconds=1, sample_rate=16000, frame_rate=250, seed=0, more=()):
    """Records of harmonic tones with their pitch and a rising loudness; `more`: extra features."""
    from dlwa.ddsp.training.data_preparation._records import encode_example, write_record

    random = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = seconds * frame_rate
    with path.open("wb") as stream:
        for _ in range(n_examples):
            f0 = random.uniform(150, 600)
            write_record(
                stream, encode_example({**_tone(f0, seconds, sample_rate, frames), **dict(more)})
            )
    return path


def _tone(f0, seconds, sample_rate, frames):
    def sound(rate):
        time = np.arange(seconds * rate) / rate
        return (
            sum(np.sin(2 * np.pi * f0 * k * time) / k for k in range(1, 6)) * 0.1 * time / seconds
        )

    return {
        "audio": sound(sample_rate),
        "audio_16k": sound(16000),
        "f0_hz": np.full(frames, f0),
        "f0_confidence": np.ones(frames),
        "loudness_db": np.linspace(-60, -20, frames),
    }
