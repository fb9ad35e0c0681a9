"""docs/reference/where-it-runs.md says what is so.

Rows are tried again; to save time not second settings of a thing, nor what takes XLA longest.
"""

import functools

import pytest

from benchmarks import where_it_runs
from benchmarks.where_it_runs_catalogue import catalogue

pytestmark = pytest.mark.ddsp
ENTRIES = [entry for entry in catalogue() if entry.graph]
FIRST = list({entry.name: entry for entry in reversed(ENTRIES)}.values())[::-1]
SLOW = ("losses.PretrainedCREPEEmbeddingLoss", "losses.TWMLoss", "losses.HmmTranscriber")
MODES = [
    ("gradient", "any length", "tf.function"),
    ("XLA gradient", "XLA"),
    ("mixed precision",),
]
TRIED = [(e, mode) for e in FIRST for mode in MODES if "XLA" not in mode or e.name not in SLOW]
_tries = functools.cache(lambda name: where_it_runs.tries(next(e for e in FIRST if e.name == name)))


@pytest.fixture(scope="module")
def table(request):
    text = (request.config.rootpath / "docs/reference/where-it-runs.md").read_text("utf-8")
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return {cells[0]: dict(zip(where_it_runs.COLUMNS, cells[1:], strict=True)) for cells in lines}


def test_the_page_has_every_row_and_is_written_by_the_command(table, request):
    assert list(table) == [where_it_runs.title(entry) for entry in catalogue()]
    rows = [[name, *cells.values()] for name, cells in table.items()]
    page = (request.config.rootpath / "docs/reference/where-it-runs.md").read_text("utf-8")
    assert page == where_it_runs.page(rows)


def test_every_class_and_op_that_makes_or_measures_sound_has_a_row(table):
    from dlwa.ddsp import core, effects, losses, processors, spectral_ops, synths

    named = {entry.name for entry in catalogue()}
    bases = {"Processor", "Loss", "LossGroup", "ProcessorGroup", "EmbeddingLoss", "PretrainedCREPE"}
    for module in (synths, effects, processors, losses):
        short = module.__name__.split(".")[-1]
        own = {
            name
            for name, thing in vars(module).items()
            if isinstance(thing, type)
            and thing.__module__.startswith(module.__name__)
            and thing.__name__ == name  # not the legacy names
        }
        assert {f"{short}.{name}" for name in own - bases if not name.startswith("_")} <= named
    for name in (n for n in vars(spectral_ops)["__all__"] if n.startswith(("compute", "stft"))):
        assert f"spectral_ops.{name}" in named
    for name in (
        n for n in core.__all__ if n.endswith(("synthesis", "_filter", "bank", "length_delay"))
    ):
        assert f"core.{name}" in named


@pytest.mark.parametrize(
    ("entry", "columns"), TRIED, ids=[f"{e.name}-{mode[0]}" for e, mode in TRIED]
)
def test_it_runs_where_the_page_says(entry, columns, table):
    cells = table[where_it_runs.title(entry)]
    said = all(cells[column] == "yes" for column in columns)
    assert where_it_runs.attempt(_tries(entry.name)[columns]) == said


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_the_pitch_stays_exact_under_a_mixed_policy(policy):
    import keras
    import numpy as np

    from dlwa.ddsp import synths

    hz = 443.3  # half precision would make it 444 Hz, three cents sharp
    controls = [np.ones((1, 40, 1)), np.ones((1, 40, 1)), np.full((1, 40, 1), hz, np.float32)]
    before = keras.mixed_precision.global_policy()
    try:
        keras.mixed_precision.set_global_policy(policy)
        synth = synths.Harmonic(4000, 16000, scale_fn=None)
        audio = np.asarray(synth(*controls))[0]
    finally:
        keras.mixed_precision.set_global_policy(before)
    assert audio.dtype == np.float32
    phase = 2 * np.pi * np.float32(hz) * (np.arange(4000) + 1.0) / 16000
    np.testing.assert_allclose(audio, np.sin(phase), atol=1e-5)
