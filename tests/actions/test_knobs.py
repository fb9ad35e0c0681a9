"""The knobs of the command line are the knobs of the engine."""

import dataclasses

from dlwa.cli import _knobs
from dlwa.ddsp.timbre_transfer._knobs import EFFECTS, RANGES, Knobs


def test_every_knob_has_an_option_a_range_and_an_explanation() -> None:
    options = {field.name for field in dataclasses.fields(_knobs.Knobs)}
    for field in dataclasses.fields(Knobs):
        assert field.name in options, f"no option turns {field.name}"
        assert EFFECTS[field.name].endswith(".")
        assert field.name in RANGES or isinstance(field.default, bool)
