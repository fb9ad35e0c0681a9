"""TFRecord files of tf.train.Example, the same bytes at every run.

The messages are packed here instead of through the protobuf classes because a window holds 131000
numbers, which these would handle one by one.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf


def encode_example(features: Mapping[str, np.ndarray]) -> bytes:
    """A serialised tf.train.Example whose features are float lists, in alphabetical order."""
    entries = b"".join(
        _field(1, _field(1, name.encode()) + _field(2, _field(2, _field(1, _floats(values)))))
        for name, values in sorted(features.items())
    )
    return _field(1, entries)


def shard_name(prefix, number: int, n_shards: int) -> Path:
    """`<prefix>-00003-of-00010`, as Beam and the readers of DDSP datasets name shards."""
    return Path(f"{prefix}-{number:05d}-of-{n_shards:05d}")


def write_shards(prefix, n_shards: int, records: Iterable[bytes]) -> list[Path]:
    """Deal the records out to shards in turn and return the files.

    The shards are written aside and get their names only when all are complete.
    """
    names = [shard_name(prefix, i, n_shards) for i in range(n_shards)]
    asides = [path.with_name(f".{path.name}.{os.getpid()}.tmp") for path in names]
    writers: list[tf.io.TFRecordWriter] = []
    try:
        writers = [tf.io.TFRecordWriter(str(path)) for path in asides]
        for number, record in enumerate(records):
            writers[number % n_shards].write(record)
        for writer in writers:
            writer.close()
        for aside, path in zip(asides, names, strict=True):
            aside.replace(path)
    finally:
        for aside in asides:
            aside.unlink(missing_ok=True)
    return names


def _floats(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values, "<f4").tobytes()


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
