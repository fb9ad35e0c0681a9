"""Data sets of made-up notes: every example comes from a seed of its own.

So the records are the same whether one process makes them, several, or a cluster by Beam.
"""

import math
import multiprocessing
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import gin
import numpy as np
from absl import logging

from dlwa import runfiles
from dlwa.ddsp.training.data_preparation._errors import PreparationError
from dlwa.ddsp.training.data_preparation._records import encode_example, write_shards
from dlwa.words import counted

UNIT = "examples"

# The module name under which configurations written for the reference know it.
_MODULE = "dlwa.ddsp.training.data_preparation.ddsp_generate_synthetic_dataset"
_EXAMPLES_PER_SHARD = 1000
_REPORT_EVERY_S, _LOG_EVERY_S = 1.0, 5.0
# A process more takes some seconds to load TensorFlow; that many examples take as long.
_EXAMPLES_PER_PROCESS = 2000
_CHUNK = 16


@gin.configurable(module=_MODULE)
def generate_examples(seed, generate_fn=gin.REQUIRED):
    """One example, drawn by a function from a seed.

    Args:
        seed: below 2**32; the same one gives the same example.
        generate_fn: e.g. synthetic_data.generate_notes_v2; called with n_batch=1, it returns a
            dictionary of arrays `[1, ...]`.

    Returns:
        Dictionary of flat float32 arrays.
    """
    before = np.random.get_state()
    try:
        np.random.seed(seed)
        features = generate_fn(n_batch=1)
    finally:
        np.random.set_state(before)
    if not isinstance(features, dict):
        raise TypeError(
            f"generate_fn={generate_fn!r} must return a dictionary of arrays, "
            f"it returned {type(features).__name__}"
        )
    return {name: np.asarray(value, np.float32).ravel() for name, value in features.items()}


def example_seeds(num_examples, random_seed):
    """The seeds of all examples, `[num_examples]`; a longer data set begins with the shorter."""
    if num_examples < 1:
        raise ValueError(f"num_examples={num_examples} must be a positive integer")
    draw = np.random.RandomState(random_seed)
    return [int(seed) for seed in draw.randint(2**32, size=num_examples, dtype=np.int64)]


def record(seed: int) -> bytes:
    """The serialised example of a seed."""
    return encode_example(generate_examples(seed))


def default_shards(num_examples: int) -> int:
    """As many shards as keep a file at some hundred megabytes."""
    return math.ceil(num_examples / _EXAMPLES_PER_SHARD)


def generate(prefix, seeds, num_shards=None, processes=None) -> list[Path]:
    """Write the examples of the seeds to `<prefix>-00000-of-0000N` and return the files.

    Args:
        prefix: of the shards; the folder is made if it is not there.
        seeds: of the examples.
        num_shards: how many files; fewer if there are fewer examples.
        processes: how many work at once; by default what the machine and the number allow.

    Raises:
        PreparationError: there is too little room on the disk.
    """
    prefix = Path(prefix)
    shards = min(num_shards or default_shards(len(seeds)), len(seeds))
    first = record(seeds[0])
    prefix.parent.mkdir(parents=True, exist_ok=True)
    _require_room(prefix.parent, len(first), len(seeds))
    if processes is None:
        processes = max(1, min(os.cpu_count() or 1, len(seeds) // _EXAMPLES_PER_PROCESS))
    made = _records(seeds, processes)
    files = write_shards(prefix, shards, _told(made, len(seeds)))
    told = f"{counted(len(seeds), 'example')} in {counted(shards, 'file')}"
    logging.info("%s: %s", told, f"{prefix}-*-of-{shards:05d}")
    return files


def _require_room(folder: Path, record_bytes: int, count: int) -> None:
    needed, free = record_bytes * count, shutil.disk_usage(folder).free
    if needed > free:
        fewer = max(1, int(0.9 * free // record_bytes))
        raise PreparationError(
            f"num_examples={count} need {needed / 1e9:.1f} GB, {folder} has {free / 1e9:.1f} GB",
            f"make room, or ask for fewer: --num_examples={fewer}",
        )


def _records(seeds, processes: int) -> Iterator[bytes]:
    """The serialised examples in the order of their seeds."""
    if processes == 1:
        yield from map(record, seeds)
        return
    # TensorFlow's threads do not live through a fork.
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, initializer=prepare_process, initargs=(gin.config_str(),)) as pool:
        yield from pool.imap(record, seeds, _CHUNK)


def prepare_process(config: str) -> None:
    """Make a worker process configured like the one that started it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from dlwa.ddsp.training import gin_util

    gin.clear_config()
    gin_util.Config().add_params([config])


def _told(records: Iterable[bytes], total: int) -> Iterator[bytes]:
    """Pass records on and tell how far they are: a line in the log, a line in the run's folder."""
    begun = reported = logged = time.monotonic()
    for done, made in enumerate(records, 1):
        yield made
        now = time.monotonic()
        if done == 1:
            begun = now  # until then other processes were still starting
        if now - reported >= _REPORT_EVERY_S or done == total:
            reported = now
            runfiles.tell_progress(done, total, UNIT, "made-up notes")
        if now - logged >= _LOG_EVERY_S:
            logged = now
            speed = (done - 1) / max(now - begun, 1e-3)
            if not speed:
                continue
            left_s = (total - done) / speed
            whole = counted(total, "example")
            logging.info("%d of %s (%.0f/s, about %.0f s left)", done, whole, speed, left_s)
