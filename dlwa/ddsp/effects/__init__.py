"""Effects: rooms, filters and delays, learned or given."""

from ._filters import FIRFilter, ModDelay
from ._reverb import ExpDecayReverb, FilteredNoiseReverb, Reverb

__all__ = ["ExpDecayReverb", "FIRFilter", "FilteredNoiseReverb", "ModDelay", "Reverb"]
