"""Encoders: what the networks make of a sound before it is decoded again."""

from ._audio import (
    AggregateFeaturesEncoder,
    ExpressionEncoder,
    MfccEncoder,
    MfccRnnEncoder,
    MfccTimeDistributedRnnEncoder,
    OneHotEncoder,
)
from ._base import ZEncoder
from ._synth_controls import (
    HarmonicToMidiEncoder,
    MidiEncoder,
    ResnetSinusoidalEncoder,
    SinusoidalToHarmonicEncoder,
)

__all__ = [
    "AggregateFeaturesEncoder",
    "ExpressionEncoder",
    "HarmonicToMidiEncoder",
    "MfccEncoder",
    "MfccRnnEncoder",
    "MfccTimeDistributedRnnEncoder",
    "MidiEncoder",
    "OneHotEncoder",
    "ResnetSinusoidalEncoder",
    "SinusoidalToHarmonicEncoder",
    "ZEncoder",
]
