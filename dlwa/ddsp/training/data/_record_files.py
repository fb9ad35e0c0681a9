"""Random access to TFRecord files: where every record lies, and which ones are damaged."""

import functools
import glob
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf
from absl import logging

from dlwa.words import counted, some

# length (8 bytes), its checksum (4), the record, its checksum (4)
_HEADER = struct.Struct("<QI")
_FOOTER_BYTES = 4
# Larger sets are taken on trust until a record is read: checking reads every byte.
_CHECKED_BYTES = 2 * 2**30
_SHOWN_NAMES = 8


@dataclass(frozen=True)
class Record:
    """Where one record lies."""

    path: str
    number: int
    offset: int
    length: int

    def read(self):
        """Its bytes."""
        with tf.io.gfile.GFile(self.path, "rb") as stream:
            stream.seek(self.offset)
            return stream.read(self.length)


def find_files(pattern):
    """The files that match a pattern (or several, comma-separated or as a list), sorted.

    Raises:
        FileNotFoundError: if nothing matches.
    """
    patterns = pattern.split(",") if isinstance(pattern, str) else list(pattern)
    patterns = [str(p).strip() for p in patterns]
    try:
        # The whole text first: a folder's name may hold a comma.
        files = _matching(pattern) if isinstance(pattern, str) else []
        files = files or sorted({path for p in patterns for path in _matching(p)})
    except tf.errors.OpError as error:
        reason = str(error.message).splitlines()[0]
        raise FileNotFoundError(
            f"file_pattern={pattern!r} cannot be looked up: {reason}. Download the files and bind "
            "file_pattern to where they lie"
        ) from None
    if not files:
        raise FileNotFoundError(
            f"file_pattern={pattern!r} matches no file; expected TFRecords such as "
            f"'datasets/my_sounds/data.tfrecord*'; {_whats_there(patterns[0])}"
        )
    return files


def _matching(pattern):
    """Files of one pattern; brackets in the name of a folder may be meant as they stand."""
    folder, _, name = pattern.rpartition("/")
    literal = f"{glob.escape(folder)}/{name}" if folder else pattern
    return sorted(tf.io.gfile.glob(pattern) or tf.io.gfile.glob(literal))


def _whats_there(pattern):
    """What lies where a pattern looks, so that its author sees the slip."""
    folder = Path(pattern).parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    names = sorted(p.name + "/" * p.is_dir() for p in folder.iterdir() if p.name[0] != ".")
    return f"{folder} holds {some(names, _SHOWN_NAMES) or 'nothing'}"


def index_files(pattern):
    """Every readable record of all files of a pattern, in order of file name and place.

    Damaged records are told in the log and left out.

    Raises:
        FileNotFoundError: if nothing matches the pattern.
        ValueError: if the files hold no readable record.
    """
    files = find_files(pattern)
    sizes = [tf.io.gfile.stat(path).length for path in files]
    check = sum(sizes) <= _CHECKED_BYTES
    records = []
    for path, size in zip(files, sizes, strict=True):
        records.extend(_index_file(path, size, _changed_at(path), check))
    if not records:
        raise ValueError(
            f"file_pattern={pattern!r} matches {counted(len(files), 'file')} without a readable "
            "record; prepare the data set again"
        )
    return tuple(records)


def reader(records):
    """A function from the number of a record to a dataset that holds just this record."""
    paths = list(dict.fromkeys(record.path for record in records))
    place = {path: number for number, path in enumerate(paths)}
    path = tf.constant(paths)
    # Of each record: the number of its file, and where in it its header begins.
    table = tf.constant([(place[r.path], r.offset - _HEADER.size) for r in records], tf.int64)

    def read(number):
        file, begin = tf.unstack(table[number])
        # tf.data.TFRecordDataset is the same without a way to begin inside of the file.
        variant = tf.raw_ops.TFRecordDatasetV2(
            filenames=path[file][tf.newaxis],
            compression_type="",
            buffer_size=tf.constant(0, tf.int64),
            byte_offsets=begin[tf.newaxis],
        )
        return tf.data.experimental.from_variant(variant, tf.TensorSpec([], tf.string)).take(1)

    return read


def _changed_at(path):
    return tf.io.gfile.stat(path).mtime_nsec


@functools.lru_cache(maxsize=4096)
def _index_file(path, size, _changed, check):
    records = []
    with tf.io.gfile.GFile(path, "rb") as stream:
        place = 0
        while place < size:
            stream.seek(place)
            header = stream.read(_HEADER.size)
            end = place + _HEADER.size
            length = _HEADER.unpack(header)[0] if len(header) == _HEADER.size else size
            if end + length + _FOOTER_BYTES > size:
                logging.warning(
                    "%s is cut short: record %d (counted from 0) is not whole and left out; "
                    "what comes before is used.",
                    *(path, len(records)),
                )
                break
            records.append(Record(path, len(records), end, length))
            place = end + length + _FOOTER_BYTES
    if check and not _is_whole(path, len(records)):
        records = [record for record in records if _is_good(record)]
    return tuple(records)


def _is_whole(path, n_records):
    """Whether the checksums of the first n records are right."""
    try:
        one = lambda n, _: n + 1  # noqa: E731
        dataset = tf.data.TFRecordDataset(path).take(n_records)
        return int(dataset.reduce(tf.constant(0, tf.int64), one)) == n_records
    except tf.errors.OpError:
        return False


def _is_good(record):
    """Whether one record's checksums are right; tells if not."""
    with tf.io.gfile.GFile(record.path, "rb") as stream:
        stream.seek(record.offset - _HEADER.size)
        alone = stream.read(_HEADER.size + record.length + _FOOTER_BYTES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.tfrecord"
        path.write_bytes(alone)
        good = _is_whole(str(path), 1)
    if not good:
        logging.warning("%s: record %d is damaged and left out.", record.path, record.number)
    return good
