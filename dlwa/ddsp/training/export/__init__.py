"""Exports of a trained model: SavedModel, TFLite and bundle, each compared with the model.

from dlwa.ddsp import timbre_transfer
from dlwa.ddsp.training import export
played = timbre_transfer.load_model("models/ddsp/ann/violin")
verdicts = export.export(played, "violin_export", export.Wishes(("bundle", "tflite")))
"""

from ._parts import ExportError
from ._run import FORMATS, Wishes, export
from ._step import Step
from ._verdict import NotTheSameError, Verdict

__all__ = ["FORMATS", "ExportError", "NotTheSameError", "Step", "Verdict", "Wishes", "export"]
