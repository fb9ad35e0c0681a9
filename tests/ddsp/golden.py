"""Runs the recorded calls of the reference package against ours.

Each file of tests/golden holds, for one function or class, arrays and a JSON list of cases: how to
construct it, which calls to make, and what they gave. The format is described in
tests/golden/README.md.
"""

import functools
import importlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np

FOLDER = Path(__file__).parent.parent / "golden"
ROOT = "dlwa.ddsp"


def automatic_files():
    """The files whose cases can be replayed, by name without ending."""
    names = []
    for path in sorted(FOLDER.glob("*.npz")):
        with np.load(path) as arrays:
            if "params" in arrays.files and "cases" in json.loads(str(arrays["params"])):
                names.append(path.stem)
    return names


def find(path):
    """The object called `path` below our package (or `tf.`)."""
    if path.startswith("tf."):
        import tensorflow as tf

        return functools.reduce(getattr, path.split(".")[1:], tf)
    parts = path.split(".")
    for cut in range(len(parts), -1, -1):
        name = ".".join([ROOT, *parts[:cut]])
        if importlib.util.find_spec(name) is not None if _parent_exists(name) else False:
            return functools.reduce(getattr, parts[cut:], importlib.import_module(name))
    raise LookupError(path)


def _parent_exists(name):
    try:
        importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return False
    return True


class Recording:
    """One file of recorded calls."""

    def __init__(self, name):
        with np.load(FOLDER / f"{name}.npz") as arrays:
            self.arrays = {key: arrays[key] for key in arrays.files}
        spec = json.loads(str(self.arrays["params"]))
        self.target, self.cases = spec["target"], spec["cases"]

    def argument(self, value, passes):
        """A JSON value as what is passed to our package."""
        again = functools.partial(self.argument, passes=passes)
        if isinstance(value, list):
            return [again(v) for v in value]
        if not isinstance(value, dict):
            return value
        if "$" in value:
            array = np.array(self.arrays[value["$"]])
            if passes == "numpy" or value.get("numpy"):
                return array
            import tensorflow as tf

            return tf.constant(array)
        if "tuple" in value:
            return tuple(again(v) for v in value["tuple"])
        if "dict" in value:
            return {k: again(v) for k, v in value["dict"].items()}
        if "notes" in value:
            return self._notes(self.arrays[value["notes"]["$"]])
        if "batches" in value:
            batches = [{k: again(v) for k, v in b.items()} for b in value["batches"]]
            return SimpleNamespace(get_batch=lambda *_, **__: list(batches))
        keywords = {k: again(v) for k, v in value.get("kwargs", {}).items()}
        if "fn" in value:
            return functools.partial(find(value["fn"]), **keywords)
        return find(value["obj"])(*map(again, value.get("args", [])), **keywords)

    @staticmethod
    def _notes(rows):
        notes = [
            SimpleNamespace(pitch=int(p), velocity=int(v), start_time=float(a), end_time=float(b))
            for p, v, a, b in rows
        ]
        return SimpleNamespace(
            notes=notes, total_time=max((n.end_time for n in notes), default=0.0)
        )

    def results(self, case):
        """What our package gives for every call of a case."""
        argument = functools.partial(self.argument, passes=case.get("passes", "tensor"))
        thing = find(self.target)
        if "init" in case:
            thing = thing(**{k: argument(v) for k, v in case["init"].items()})
        if case.get("weights"):
            self._call(thing, case["calls"][0], argument)
            for path, reference in case["weights"].items():
                _variable(thing, path).assign(self.arrays[reference["$"]])
        return [self._call(thing, call, argument) for call in case["calls"]]

    @staticmethod
    def _call(thing, call, argument):
        if call.get("seed") is not None:
            np.random.seed(call["seed"])
        function = getattr(thing, call["method"]) if call.get("method") else thing
        if call.get("attribute"):
            return function
        positional = [argument(v) for v in call.get("pos", [])]
        named = {k: argument(v) for k, v in call.get("args", {}).items()}
        if not call.get("grad"):
            return function(*positional, **named)
        import tensorflow as tf

        with tf.GradientTape() as tape:
            source = named[call["grad"]]
            tape.watch(source)
            value = function(*positional, **named)
            total = tf.reduce_sum(value)
        return {"value": value, "gradient": tape.gradient(total, source)}

    def compare(self, expected, got, case, where="result"):
        """Assert that a result is what was recorded, within the case's tolerance."""
        rtol, atol = case.get("rtol", 1e-4), case.get("atol", 1e-5)
        if isinstance(expected, dict) and set(expected) == {"$"}:
            wanted = self.arrays[expected["$"]]
            got = np.asarray(got)
            assert got.shape == wanted.shape, f"{where}: shape {got.shape}, not {wanted.shape}"
            if wanted.dtype.kind in "biuSU":
                np.testing.assert_array_equal(got, wanted, err_msg=where)
            else:
                np.testing.assert_allclose(got, wanted, rtol=rtol, atol=atol, err_msg=where)
        elif isinstance(expected, dict):
            assert set(got) == set(expected), f"{where}: keys {sorted(got)}"
            for key, value in expected.items():
                self.compare(value, got[key], case, f"{where}/{key}")
        elif isinstance(expected, list):
            assert len(got) == len(expected), f"{where}: length {len(got)}"
            for i, value in enumerate(expected):
                self.compare(value, got[i], case, f"{where}[{i}]")
        elif isinstance(expected, float):
            np.testing.assert_allclose(float(got), expected, rtol=rtol, atol=atol, err_msg=where)
        else:
            assert got == expected, f"{where}: {got!r}, not {expected!r}"


def _variable(thing, path):
    for part in path.split("/"):
        if part.startswith("layer_with_weights-"):
            thing = [layer for layer in thing.layers if layer.weights][int(part.split("-")[1])]
        elif part.isdigit():
            thing = thing[int(part)]
        else:
            thing = getattr(thing, part) if hasattr(thing, part) else getattr(thing, f"_{part}")
    return thing


def plain(value):
    """A result as nested dictionaries, lists, arrays and plain values."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if hasattr(value, "notes") and hasattr(value, "total_time"):
        rows = [[n.pitch, n.velocity, n.start_time, n.end_time] for n in value.notes]
        return {"notes": np.array(rows).reshape(-1, 4), "total_time": float(value.total_time)}
    if hasattr(value, "tp") and hasattr(value, "fn"):
        counts = {k: int(getattr(value, k)) for k in ("tp", "fp", "fn")}
        return counts | {k: float(getattr(value, k)) for k in ("precision", "recall", "f1")}
    if hasattr(value, "quantiles_"):
        return {
            "quantiles_": np.asarray(value.quantiles_),
            "references_": np.asarray(value.references_),
            "n_quantiles_": int(value.n_quantiles_),
        }
    if hasattr(value, "result") and hasattr(value, "update_state"):
        return float(value.result())
    if callable(value) and not hasattr(value, "numpy"):
        return getattr(value, "__name__", str(type(value)))
    return np.asarray(value)
