"""The pickle of dataset statistics, written for others and read without trust.

The file names its one class as `ddsp.training.postprocessing.QuantileTransformer` and NumPy's
helpers by the names NumPy 1 knows, so that the reference package reads what we write. Reading
allows exactly these names; a pickle that names anything else is refused before it can run it.
"""

import io
import pickle
from typing import ClassVar

import numpy as np

from dlwa.ddsp.training.postprocessing._quantiles import QuantileTransformer

_REFERENCE_MODULE = "ddsp.training.postprocessing"
_OUR_MODULE = "dlwa.ddsp.training.postprocessing"


class _Discarded:
    """Stands in for a generator of random numbers; its state is of no use to anyone."""

    def __init__(self, *_):
        pass

    def __setstate__(self, _):
        pass


def _array_names() -> dict[tuple[str, str], object]:
    """NumPy's functions that rebuild arrays and scalars, under old and new module names."""
    rebuild = {
        name: getattr(np._core.multiarray, name)  # private in NumPy 2, but what pickles name
        for name in ("_reconstruct", "scalar")
    }
    return {
        (f"numpy.{core}.multiarray", name): function
        for core in ("core", "_core")
        for name, function in rebuild.items()
    }


_ALLOWED: dict[tuple[str, str], object] = {
    (_REFERENCE_MODULE, "QuantileTransformer"): QuantileTransformer,
    (_OUR_MODULE, "QuantileTransformer"): QuantileTransformer,
    (QuantileTransformer.__module__, "QuantileTransformer"): QuantileTransformer,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.random._pickle", "__randomstate_ctor"): _Discarded,
    ("numpy.random._pickle", "__bit_generator_ctor"): _Discarded,
    ("numpy.random._mt19937", "MT19937"): _Discarded,
    **_array_names(),
}


class _Reader(pickle.Unpickler):
    def find_class(self, module, name):
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}") from None


def load_pickled_statistics(data: bytes, where: str) -> dict:
    """The statistics in a pickle; ValueError when it is damaged or names anything foreign."""
    try:
        statistics = _Reader(io.BytesIO(data)).load()
    except Exception as error:
        raise ValueError(f"{where} is no dataset statistics file: {error}") from None
    quantiles = statistics.get("quantile_transform") if isinstance(statistics, dict) else None
    if not isinstance(quantiles, QuantileTransformer) or not hasattr(quantiles, "quantiles_"):
        raise ValueError(f"{where} is no dataset statistics file: it has no quantile_transform")
    quantiles.random_state = None
    return statistics


# pickle's Python implementation is the one whose way of naming classes can be changed.
class _Writer(pickle._Pickler):
    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_global(self, obj, name=None):
        if obj is QuantileTransformer:
            module, name = _REFERENCE_MODULE, "QuantileTransformer"
        elif getattr(obj, "__module__", "").startswith("numpy._core"):
            module, name = obj.__module__.replace("numpy._core", "numpy.core"), obj.__name__
        else:
            return super().save_global(obj, name)
        self.save(module)
        self.save(name)
        self.write(pickle.STACK_GLOBAL)
        self.memoize(obj)
        return None

    def save_type(self, obj):
        self.save_global(obj)

    dispatch[type] = save_type


def dump_statistics(statistics: dict) -> bytes:
    """The statistics as a pickle of protocol 4 that the reference package can read."""
    stream = io.BytesIO()
    _Writer(stream, protocol=4).dump(statistics)
    return stream.getvalue()
