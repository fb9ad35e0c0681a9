"""The knobs on a command line."""

import argparse

from dlwa.ddsp.timbre_transfer._knobs import EFFECTS, RANGES, Knobs


def add_knobs(parser, names=tuple(EFFECTS)):
    """Give a parser a flag for each of these knobs."""
    resting = Knobs()
    for name in names:
        value, text = getattr(resting, name), EFFECTS[name]
        if name not in RANGES:
            kind = {"action": argparse.BooleanOptionalAction}
        else:
            low, high = RANGES[name]
            kind = {"type": int if isinstance(low, int) else float}
            text += f" {low} to {high}, default {value}."
        parser.add_argument(f"--{name}", default=value, help=text, **kind)


def given_knobs(given):
    """Knobs as a parsed command line has them.

    Raises:
        ValueError: for a knob beyond its range.
    """
    return Knobs(**{name: value for name, value in vars(given).items() if name in EFFECTS})
