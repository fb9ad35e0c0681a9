"""Statistics on disk: as JSON for us and everybody, as the pickle that other DDSP tools read."""

import json
from pathlib import Path

import numpy as np

from dlwa import runfiles
from dlwa.ddsp.training.postprocessing._pickles import dump_statistics, load_pickled_statistics
from dlwa.ddsp.training.postprocessing._quantiles import QuantileTransformer

STATISTICS_JSON = "dataset_statistics.json"
STATISTICS_PICKLE = "dataset_statistics.pkl"
_FORMAT = 1
_SETTINGS = ("n_quantiles", "output_distribution", "subsample", "n_quantiles_")


def save_statistics(folder, statistics: dict) -> None:
    """Write dataset_statistics.json and .pkl into a folder."""
    folder = Path(folder)
    text = json.dumps(statistics_to_json(statistics), indent=1) + "\n"
    _write(folder / STATISTICS_JSON, text.encode())
    write_pickle(folder / STATISTICS_PICKLE, statistics)


def load_statistics(folder) -> dict | None:
    """Read the statistics of a dataset or model folder: the JSON, else the pickle, else None.

    Pickles are read without running anything that lies in them. Raises ValueError for damaged or
    foreign files.
    """
    folder = Path(folder)
    if (folder / STATISTICS_JSON).is_file():
        return statistics_from_json((folder / STATISTICS_JSON).read_text(encoding="utf-8"))
    if (folder / STATISTICS_PICKLE).is_file():
        return read_pickle(folder / STATISTICS_PICKLE)
    return None


def statistics_to_json(statistics: dict) -> dict:
    """The statistics as plain values."""
    quantiles = statistics["quantile_transform"]
    described = {name: getattr(quantiles, name) for name in _SETTINGS}
    described["quantiles_"] = np.asarray(quantiles.quantiles_, np.float64).tolist()
    plain = {k: float(v) for k, v in statistics.items() if k != "quantile_transform"}
    return {"format": _FORMAT, **plain, "quantile_transform": described}


def statistics_from_json(text: str) -> dict:
    """The statistics from the text of a dataset_statistics.json."""
    try:
        document = json.loads(text)
        described = document.pop("quantile_transform")
        if document.pop("format") != _FORMAT:
            raise ValueError("unknown format")
        quantiles = QuantileTransformer(
            described["n_quantiles"], described["output_distribution"], described["subsample"]
        )
        quantiles.n_quantiles_ = int(described["n_quantiles_"])
        quantiles.references_ = np.linspace(0, 1, quantiles.n_quantiles_, endpoint=True)
        quantiles.quantiles_ = np.asarray(described["quantiles_"], np.float64)
        if quantiles.quantiles_.shape[0] != quantiles.n_quantiles_:
            raise ValueError("the quantiles are incomplete")
        statistics = {name: np.float32(value) for name, value in document.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{STATISTICS_JSON} is damaged: {error}") from None
    return {**statistics, "quantile_transform": quantiles}


def write_pickle(path, statistics: dict) -> None:
    """Write the statistics as the reference's pickle (protocol 4)."""
    _write(Path(path), dump_statistics(statistics))


def read_pickle(path) -> dict:
    """Read the statistics from a pickle, whoever wrote it, without running code."""
    return load_pickled_statistics(Path(path).read_bytes(), str(path))


def _write(path: Path, data: bytes) -> None:
    with runfiles.written_aside(path) as aside:
        aside.write_bytes(data)
