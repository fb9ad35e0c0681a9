"""Does a data set hold what its provider expects? If not: what to bind instead."""

import tensorflow as tf

_KINDS = ("float_list", "int64_list", "bytes_list")


def check_record(provider, record):
    """Compare one record with the provider's features.

    Raises:
        ValueError: with the file, what is missing or has another length, the probable setting.
    """
    lengths = _lengths(record)
    expected = {
        name: feature.shape[0] if feature.shape else 1
        for name, feature in provider.features_dict.items()
        if isinstance(feature, tf.io.FixedLenFeature)
    }
    missing = [name for name in expected if name not in lengths]
    if missing:
        raise ValueError(
            f"{record.path} has no {', '.join(missing)} (it has {', '.join(sorted(lengths))})"
            + _advice_missing(provider, missing, lengths)
        )
    wrong = [name for name, n in expected.items() if lengths[name] != n]
    if wrong:
        told = ", ".join(f"{n} of length {lengths[n]} (expected {expected[n]})" for n in wrong)
        raise ValueError(f"{record.path} has {told}{_advice(provider, lengths)}")


def _lengths(record):
    example = tf.train.Example()
    try:
        example.ParseFromString(record.read())
    except Exception:
        raise ValueError(
            f"{record.path}: record {record.number} is no tf.train.Example; prepare the data set "
            "again with ddsp_prepare_tfrecord"
        ) from None
    lengths = {}
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        lengths[name] = len(getattr(feature, kind).value) if kind else 0
    return lengths


def _advice_missing(provider, missing, lengths):
    if missing == ["audio_16k"]:
        return ". Data sets made before ddsp 3 lack it: use @data.LegacyTFRecordProvider()"
    if "audio" in lengths and "f0_hz" in missing:
        return ". It was made without features (frame_rate 0); prepare it again"
    return f", which {type(provider).__name__} needs"


def _advice(provider, lengths):
    """What the lengths say about how the set was made."""
    name, said = type(provider).__name__, provider.settings_said_by(lengths)
    if not said:
        return f"; {name} expects what its sample_rate, example_secs and frame_rate say"
    different = [
        f"{name}.{key} = {int(value) if value == int(value) and key != 'centered' else value}"
        for key, value in said.items()
        if hasattr(provider, key) and value != getattr(provider, key)
    ]
    return f". Its lengths say: {', '.join(different)}" if different else ""


def settings_of_recordings(lengths):
    """The settings with which recordings were prepared, from the lengths of an example's features.

    Empty if they do not say.
    """
    frames = lengths.get("f0_hz", 0)
    centered = frames % 2 == 1
    at_16k = lengths.get("audio_16k", 0)
    if not at_16k or not frames:
        return {}
    seconds = at_16k / 16000
    return {
        "example_secs": round(seconds, 3),
        "sample_rate": round(lengths.get("audio", at_16k) / seconds),
        "frame_rate": round((frames - centered) / seconds),
        "centered": centered,
    }
