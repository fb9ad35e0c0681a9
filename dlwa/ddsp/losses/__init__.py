"""What training makes small."""

from ._base import Loss, LossGroup, ParamLoss, mean_difference
from ._consistency import (
    FilteredNoiseConsistencyLoss,
    HarmonicConsistencyLoss,
    KDEConsistencyLoss,
    WassersteinConsistencyLoss,
    amp_loss,
    freq_loss,
    wasserstein_distance,
)
from ._embedding import EmbeddingLoss, PretrainedCREPE, PretrainedCREPEEmbeddingLoss
from ._spectral import SpectralLoss
from ._transcriber import HmmTranscriber
from ._twm import TWMLoss

__all__ = [
    "EmbeddingLoss",
    "FilteredNoiseConsistencyLoss",
    "HarmonicConsistencyLoss",
    "HmmTranscriber",
    "KDEConsistencyLoss",
    "Loss",
    "LossGroup",
    "ParamLoss",
    "PretrainedCREPE",
    "PretrainedCREPEEmbeddingLoss",
    "SpectralLoss",
    "TWMLoss",
    "WassersteinConsistencyLoss",
    "amp_loss",
    "freq_loss",
    "mean_difference",
    "wasserstein_distance",
]
