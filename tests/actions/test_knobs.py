"""The knobs of the command line are the knobs of the engine."""

import dataclasses
import inspect

from dlwa.cli import transfer
from dlwa.ddsp.timbre_transfer._knobs import EFFECTS, RANGES, Knobs


def test_every_knob_has_an_option_a_range_and_an_explanation() -> None:
    source = inspect.getsource(transfer.timbre_transfer)
    for field in dataclasses.fields(Knobs):
        assert f'"{field.name}":' in source, f"no option turns {field.name}"
        assert EFFECTS[field.name].endswith(".")
        assert field.name in RANGES or isinstance(field.default, bool)
