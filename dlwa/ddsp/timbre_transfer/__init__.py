"""Timbre transfer: a trained model plays what another instrument, or a voice, has played.

    from dlwa.ddsp import timbre_transfer
    model = timbre_transfer.load_model("models/ddsp/ann/violin")
    result = timbre_transfer.transfer("flute.wav", model, "out.wav")
    print(result.explanation.text())

Pitch and loudness of the recording are measured, moved to where the model has learned to play
(`condition`), and played in blocks, so that a recording may have any length.
"""

from dlwa.ddsp.timbre_transfer._conditioning import Conditioned, condition
from dlwa.ddsp.timbre_transfer._errors import TransferError
from dlwa.ddsp.timbre_transfer._explain import Explanation
from dlwa.ddsp.timbre_transfer._knobs import Knobs
from dlwa.ddsp.timbre_transfer._measure import Features, measure
from dlwa.ddsp.timbre_transfer._model import PlayableModel, load_model
from dlwa.ddsp.timbre_transfer._player import Controls, Player
from dlwa.ddsp.timbre_transfer._transfer import Result, transfer

__all__ = [
    "Conditioned",
    "Controls",
    "Explanation",
    "Features",
    "Knobs",
    "PlayableModel",
    "Player",
    "Result",
    "TransferError",
    "condition",
    "load_model",
    "measure",
    "transfer",
]
