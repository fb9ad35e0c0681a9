"""Where each op, synth, effect and loss runs, tried out: writes docs/reference/where-it-runs.md.

    make docs        or        python -m benchmarks.where_it_runs > docs/reference/where-it-runs.md

A cell says yes when the result there equals the eager one (to a thousandth of its peak) and, where
gradients are taken, the gradients do.
"""

import functools
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.where_it_runs_catalogue import Entry, catalogue

COLUMNS = {
    "tf.function": "in a graph",
    "any length": "in one graph for every batch size and length",
    "gradient": "the gradient in that graph",
    "XLA": "compiled with jit_compile=True",
    "XLA gradient": "and the gradient with it",
    "mixed precision": "with inputs of bfloat16 and float16, and made under these policies",
}
HEAD = """# Where it runs

Everything runs eagerly. This table says where else: **yes** means that it was tried there and gave
the eager result. It is written by `make docs` from trying, and a test tries again.

{legend}

In mixed precision only the inputs lose precision: phases, spectra and sums stay float32 (phases are
summed in float64), and results are float32. Noise is drawn with a seed in all columns
(`core.noise_seed`) and is the same in all of them. Roads through NumPy have no graph.
"""


def _find(name):
    from dlwa import ddsp

    return functools.reduce(getattr, name.split("."), ddsp)


def make(entry: Entry):
    """The thing to call, with its noise fixed."""
    from dlwa.ddsp import core

    settings = dict(entry.settings)
    target = _find(entry.name)
    called = target(**settings) if entry.is_class else functools.partial(target, **settings)

    def play(*inputs):
        with core.noise_seed(3):
            return called(*inputs)

    return play


def with_gradient(play):
    """The results of a function, and the gradients of their energy."""
    import tensorflow as tf

    def both(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            results = tf.nest.flatten(play(*inputs))
            total = tf.add_n([tf.reduce_sum(tf.abs(x) ** 2.0) for x in results])
        return results, tape.gradient(total, inputs, unconnected_gradients="zero")

    return both


def same(one, two, tolerance):
    """Whether two structures of tensors are equal to a share of their peaks."""
    import numpy as np
    import tensorflow as tf

    pairs = zip(tf.nest.flatten(one), tf.nest.flatten(two), strict=True)
    return all(
        a.shape == b.shape and np.max(np.abs(a - b)) <= tolerance * (np.max(np.abs(a)) + 1e-6)
        for a, b in ((np.asarray(a), np.asarray(b)) for a, b in pairs)
    )


def open_signature(entry: Entry):
    """Shapes with unknown batch and length."""
    import tensorflow as tf

    return [
        tf.TensorSpec([None, x.shape[1] if i in entry.fixed else None, *x.shape[2:]])
        for i, x in enumerate(entry.inputs)
    ]


def shortened(entry: Entry):
    """The inputs with half the batch and half the length."""
    return [
        x[:1] if i in entry.fixed else x[:1, : x.shape[1] // 2] for i, x in enumerate(entry.inputs)
    ]


def tries(entry: Entry):
    """Columns -> function that says whether it works there."""
    import tensorflow as tf

    play = make(entry)
    both = with_gradient(play)
    inputs = [tf.constant(x) for x in entry.inputs]
    short = [tf.constant(x) for x in shortened(entry)]

    @functools.cache
    def eager(function, whole=True):
        return function(*(inputs if whole else short))

    def compiled(function, **options):
        return same(eager(function), tf.function(function, **options)(*inputs), entry.tolerance)

    def open_graph(function):
        graph = tf.function(function, input_signature=open_signature(entry))
        return all(
            same(eager(function, whole), graph(*x), entry.tolerance)
            for whole, x in ((True, inputs), (False, short))
        )

    # What runs with its gradient runs without it: the rest is tried only if that fails.
    return {
        ("gradient", "any length", "tf.function"): lambda: open_graph(both),
        ("any length", "tf.function"): lambda: open_graph(play),
        ("tf.function",): lambda: compiled(play),
        ("XLA gradient", "XLA"): lambda: compiled(both, jit_compile=True),
        ("XLA",): lambda: compiled(play, jit_compile=True),
        ("mixed precision",): lambda: half(entry),
    }


def half(entry: Entry):
    """Whether half precision costs no more than the rounding of the inputs."""
    import keras
    import tensorflow as tf

    expected = make(entry)
    policy = keras.mixed_precision.global_policy()
    try:
        for dtype in ("bfloat16", "float16"):
            keras.mixed_precision.set_global_policy(f"mixed_{dtype}")
            rounded = [tf.cast(x, dtype) for x in entry.inputs]
            whole = [tf.cast(x, tf.float32) for x in rounded]
            got = make(entry)(*rounded)
            if any(x.dtype in (tf.bfloat16, tf.float16) for x in tf.nest.flatten(got)):
                return False
            if not same(expected(*whole), got, entry.tolerance):
                return False
    finally:
        keras.mixed_precision.set_global_policy(policy)
    return True


def attempt(trial):
    """Whether a trial succeeds; an exception is told on stderr."""
    try:
        return trial()
    except Exception as problem:
        print(f"{type(problem).__name__}: {str(problem)[:300]}", file=sys.stderr)
        return False


def row(entry: Entry):
    """The cells of one row."""
    if not entry.graph:
        return [title(entry), *["–"] * len(COLUMNS)]
    works = {}
    for columns, trial in tries(entry).items():
        if all(works.get(column) for column in columns):
            continue
        found = attempt(trial)
        works.update({column: found or works.get(column, False) for column in columns})
        if not found:
            print(f"{title(entry)}: not {columns[0]}", file=sys.stderr)
    return [title(entry), *("yes" if works[column] else "no" for column in COLUMNS)]


def title(entry: Entry):
    """How a row is called: what was tried, and the settings that make it another road."""
    told = ", ".join(f"{k}={v!r}" for k, v in entry.settings.items() if k in _TELLING)
    return f"`{entry.name}`" + (f" ({told})" if told else "")


_TELLING = (
    "method",
    "amp_resample_method",
    "sample_rate",
    "use_tf",
    "trainable",
    "loudness_weight",
)


def page(rows):
    """The page of the documentation."""
    legend = "\n".join(f"- *{column}*: {meaning}" for column, meaning in COLUMNS.items())
    lines = [HEAD.format(legend=legend), "| | " + " | ".join(COLUMNS) + " |"]
    lines += ["|---|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join(lines) + "\n"


def main():
    print(page([row(entry) for entry in catalogue()]), end="")


if __name__ == "__main__":
    main()
