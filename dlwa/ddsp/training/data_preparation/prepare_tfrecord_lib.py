"""Making the TFRecords of a dataset from recordings.

``prepare_tfrecord`` takes the arguments of the reference package. By default it works the clean
way: rates converted by a proper filter, long rests shortened, short files joined instead of filled
with silence, frames centred on their samples. ``compat=True`` repeats what the reference does.
"""

from collections.abc import Sequence
from pathlib import Path

from dlwa.ddsp.pitch import resolve_pitch_model
from dlwa.ddsp.training.data_preparation import _reference_road
from dlwa.ddsp.training.data_preparation._clean_road import Prepared, prepare
from dlwa.ddsp.training.data_preparation._errors import InputMissingError, PreparationError
from dlwa.ddsp.training.data_preparation._pipeline_options import check_pipeline_options
from dlwa.ddsp.training.data_preparation._settings import Settings
from dlwa.ddsp.training.data_preparation._sources import files_matching

# Names under which scripts written for the reference import the single steps.
_load_audio_as_array = _reference_road.load_audio_as_array
_load_audio = _reference_road.load_audio
_chunk_audio = _reference_road.chunk_audio
_add_f0_estimate = _reference_road.add_f0_estimate
_add_loudness = _reference_road.add_loudness
_split_example = _reference_road.split_example

__all__ = [
    "InputMissingError",
    "PreparationError",
    "Prepared",
    "Settings",
    "prepare",
    "prepare_tfrecord",
]


def prepare_tfrecord(
    input_audio_paths: Sequence[str],
    output_tfrecord_path: str,
    num_shards: int | None = None,
    sample_rate: int = 16000,
    frame_rate: int = 250,
    example_secs: float = 4,
    hop_secs: float = 1,
    eval_split_fraction: float = 0.0,
    chunk_secs: float | None = 20.0,
    center: bool = False,
    viterbi: bool = True,
    pipeline_options: str | Sequence[str] = "",
    *,
    compat: bool = False,
    pitch_model: str | None = None,
    precision: str | None = None,
) -> None:
    """Turn recordings into TFRecord shards `<output_tfrecord_path>-00000-of-0000N`.

    Args:
        input_audio_paths: audio files or glob patterns.
        output_tfrecord_path: prefix of the shards.
        num_shards: how many shards; fewer are written when there are fewer windows.
        sample_rate: rate of the stored ``audio`` in Hz.
        frame_rate: frames of f0 and loudness per second; 0 (compat only) stores audio alone.
        example_secs: length of a window; 0 (compat only) keeps whole chunks.
        hop_secs: distance of window starts.
        eval_split_fraction: share written to `<prefix>-eval`, the rest to `<prefix>-train`.
        chunk_secs: compat only: length of the chunks that are cut (and filled up) first.
        center: one frame more for each window, the one on its end.
        viterbi: smooth the pitch.
        pipeline_options: Beam options; a plain DirectRunner (the default) works without Beam.
            Not with ``compat``.
        compat: repeat the reference's numbers instead of working the clean way.
        pitch_model: CREPE size; "auto" (tiny on a processor, full on a GPU) by default, "full"
            with ``compat``.
        precision: "auto" by default, "float32" with ``compat``.

    Raises:
        ValueError: impossible settings. PreparationError (a ValueError): no usable recording.
    """
    by_beam = check_pipeline_options(pipeline_options)
    paths = files_matching(list(input_audio_paths))
    if compat and by_beam:
        raise ValueError(f"pipeline_options={pipeline_options!r} cannot be used with compat=True")
    rates = {"sample_rate": sample_rate, "frame_rate": frame_rate}
    windows = {"example_secs": example_secs, "hop_secs": hop_secs, "center": center}
    how = {**rates, **windows, "viterbi": viterbi}
    if compat:
        Path(output_tfrecord_path).parent.mkdir(parents=True, exist_ok=True)
        _reference_road.prepare_like_the_reference(
            paths,
            output_tfrecord_path,
            num_shards,
            eval_split_fraction=eval_split_fraction,
            chunk_secs=chunk_secs,
            model=resolve_pitch_model(pitch_model or "full"),
            precision=precision or "float32",
            **how,
        )
        return
    settings = Settings(
        pitch_model=pitch_model or "auto",
        precision=precision or "auto",
        heldout_fraction=eval_split_fraction,
        **how,
    )
    _prepare_the_clean_way(paths, output_tfrecord_path, num_shards, settings, by_beam)


def _prepare_the_clean_way(paths, prefix, num_shards, settings, by_beam):
    heldout_prefix = f"{prefix}-eval" if settings.heldout_fraction else None
    prepare(
        paths,
        f"{prefix}-train" if heldout_prefix else prefix,
        settings.on_this_machine(),
        num_shards,
        heldout_prefix=heldout_prefix,
        pipeline_options=by_beam,
    )


def _float_dict_to_tfexample(float_dict):
    """A tf.train.Example of float lists."""
    import tensorflow as tf

    from dlwa.ddsp.training.data_preparation._records import encode_example

    return tf.train.Example.FromString(encode_example(float_dict))
