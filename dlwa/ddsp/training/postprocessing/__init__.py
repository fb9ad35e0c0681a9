"""Notes, loudness and the statistics of a dataset, as timbre transfer needs them.

``detect_notes`` says where an instrument plays, ``fit_quantile_transform`` gives a recording the
loudness of another, ``compute_dataset_statistics`` describes what a model has learned from.
"""

from dlwa.ddsp.training.postprocessing._files import (
    STATISTICS_JSON,
    STATISTICS_PICKLE,
    load_statistics,
    read_pickle,
    save_statistics,
    statistics_from_json,
    statistics_to_json,
    write_pickle,
)
from dlwa.ddsp.training.postprocessing._notes import detect_notes, smooth
from dlwa.ddsp.training.postprocessing._quantiles import (
    QuantileTransformer,
    fit_quantile_transform,
)
from dlwa.ddsp.training.postprocessing._statistics import compute_dataset_statistics

__all__ = [
    "STATISTICS_JSON",
    "STATISTICS_PICKLE",
    "QuantileTransformer",
    "compute_dataset_statistics",
    "detect_notes",
    "fit_quantile_transform",
    "load_statistics",
    "read_pickle",
    "save_statistics",
    "smooth",
    "statistics_from_json",
    "statistics_to_json",
    "write_pickle",
]
