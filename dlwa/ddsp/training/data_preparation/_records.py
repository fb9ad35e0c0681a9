"""TFRecord files of tf.train.Example, the same bytes at every run.

The messages are packed here instead of through the protobuf classes because a window holds 131000
numbers, which these would handle one by one; and the files are written here instead of through
TensorFlow, because a dataset whose features are all in the cache needs nothing else of it.
The format of the file: https://www.tensorflow.org/tutorials/load_data/tfrecord
"""

import re
import struct
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import google_crc32c
import numpy as np

_MASK_DELTA = 0xA282EAD8


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

    The shards are written aside and get their names only when all are complete. Shards of an
    older dataset of the same prefix then go: readers would mix them with the new ones.
    """
    names = [shard_name(prefix, i, n_shards) for i in range(n_shards)]
    asides = [path.with_name(f".{path.name}.tmp") for path in names]
    try:
        with ExitStack() as open_files:
            files = [open_files.enter_context(path.open("wb")) for path in asides]
            for number, record in enumerate(records):
                write_record(files[number % n_shards], record)
        for aside, path in zip(asides, names, strict=True):
            aside.replace(path)
    finally:
        for aside in asides:
            aside.unlink(missing_ok=True)
    for old in set(shards_of(prefix)) - set(names):
        old.unlink()
    return names


def shards_of(prefix, unfinished: bool = False) -> list[Path]:
    """The files that are shards of this prefix, of whatever number of shards.

    With ``unfinished`` instead what a run that was killed left of such files.
    """
    prefix = Path(prefix)
    name = re.escape(prefix.name) + r"-\d{5}-of-\d{5}"
    pattern = re.compile(rf"\.{name}\.tmp" if unfinished else name)
    return sorted(path for path in prefix.parent.iterdir() if pattern.fullmatch(path.name))


def write_record(stream: BinaryIO, record: bytes) -> None:
    """Append one record: its length, the checksum of that, the record, its checksum."""
    head = struct.pack("<Q", len(record))
    stream.write(b"".join((head, _checksum(head), record, _checksum(record))))


def _checksum(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF)


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
