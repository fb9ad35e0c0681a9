"""Neural network parts: dictionary layers, fully connected, recurrent and convolutional layers.

Layers keep float32 outside whatever the precision policy; only Dense layers, convolutions and the
large products of the recurrent layers follow it.
"""

from ._base import Chain, Layer
from ._conv import DilatedConvStack, SpectralNormalization
from ._dense import Dense
from ._dict_layers import DictLayer, OutputSplitsLayer, split_to_dict
from ._fc import Fc, FcStack, FcStackOut, Identity, get_embedding
from ._normalize import (
    ConditionalNorm,
    ConditionalScaleAndShift,
    Normalize,
    get_norm,
    normalize_op,
)
from ._notes import (
    get_note_lengths,
    get_note_mask,
    get_note_mask_from_onset,
    get_note_moments,
    get_short_note_loss_mask,
    pool_over_notes,
    straight_through_choice,
    straight_through_int_quantization,
    straight_through_softmax,
)
from ._quantize import VectorQuantization
from ._resample import PolyphaseResample, polyphase_resample
from ._resnet import NormReluConv, ResidualLayer, ResidualStack, ResNet
from ._rnn import Rnn, RnnFc, RnnSandwich, SingleGru, StatelessRnn
from ._shapes import (
    ensure_4d,
    get_nonlinearity,
    gin_register_keras_layers,
    inv_ensure_4d,
)

gin_register_keras_layers()

__all__ = [
    "Chain",
    "ConditionalNorm",
    "ConditionalScaleAndShift",
    "Dense",
    "DictLayer",
    "DilatedConvStack",
    "Fc",
    "FcStack",
    "FcStackOut",
    "Identity",
    "Layer",
    "NormReluConv",
    "Normalize",
    "OutputSplitsLayer",
    "PolyphaseResample",
    "ResNet",
    "ResidualLayer",
    "ResidualStack",
    "Rnn",
    "RnnFc",
    "RnnSandwich",
    "SingleGru",
    "SpectralNormalization",
    "StatelessRnn",
    "VectorQuantization",
    "ensure_4d",
    "get_embedding",
    "get_nonlinearity",
    "get_norm",
    "get_note_lengths",
    "get_note_mask",
    "get_note_mask_from_onset",
    "get_note_moments",
    "get_short_note_loss_mask",
    "gin_register_keras_layers",
    "inv_ensure_4d",
    "normalize_op",
    "polyphase_resample",
    "pool_over_notes",
    "split_to_dict",
    "straight_through_choice",
    "straight_through_int_quantization",
    "straight_through_softmax",
]
