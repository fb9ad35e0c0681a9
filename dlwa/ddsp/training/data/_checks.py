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
        told = ", ".join(f"{n} of {lengths[n]} numbers (expected {expected[n]})" for n in wrong)
        raise ValueError(f"{record.path} has {told}{_advice_lengths(provider, lengths)}")


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


def _advice_lengths(provider, lengths):
    """What the lengths say about how the set was made."""
    name = type(provider).__name__
    frames = lengths.get("f0_hz", 0)
    centered = frames % 2 == 1
    at_16k = lengths.get("audio_16k", 0)
    if not at_16k or not frames:
        return f"; {name} expects what its sample_rate, example_secs and frame_rate say"
    seconds = at_16k / 16000
    found = {
        "example_secs": round(seconds, 3),
        "sample_rate": round(lengths.get("audio", at_16k) / seconds),
        "frame_rate": round((frames - centered) / seconds),
        "centered": centered,
    }
    have = {
        "example_secs": getattr(provider, "example_secs", None),
        "sample_rate": provider.sample_rate,
        "frame_rate": provider.frame_rate,
        "centered": getattr(provider, "centered", False),
    }
    different = [
        f"{name}.{key} = {int(value) if value == int(value) and key != 'centered' else value}"
        for key, value in found.items()
        if value != have[key]
    ]
    return f". Its lengths say: {', '.join(different)}" if different else ""
