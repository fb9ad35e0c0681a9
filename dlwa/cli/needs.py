"""What a command needs before it can work."""

import functools

from dlwa.cli import output


def ddsp(*, assume_yes: bool = False, no_input: bool = False) -> None:
    """Make sure that the DDSP half is installed, asking on a terminal.

    Raises `DlwaError` with the hint `dlwa setup` where it is not and nobody agrees.
    """
    from dlwa.actions import setup

    silent = no_input or output.json_mode() or not output.is_terminal()
    ask = functools.partial(output.confirm, no_input=no_input)
    setup.require_ddsp(assume_yes, silent, ask, output.say)


def studio(*, assume_yes: bool = False, no_input: bool = False) -> None:
    """Make sure that the studio's packages are installed, asking on a terminal."""
    _extra("STUDIO", assume_yes, no_input)


def live(*, assume_yes: bool = False, no_input: bool = False) -> None:
    """Make sure that microphone and speakers can be used, asking on a terminal."""
    _extra("LIVE", assume_yes, no_input)


def _extra(name: str, assume_yes: bool, no_input: bool) -> None:
    from dlwa.actions import extras

    silent = no_input or output.json_mode() or not output.is_terminal()
    ask = functools.partial(output.confirm, no_input=no_input)
    extras.require(getattr(extras, name), assume_yes, silent, ask, output.say)
