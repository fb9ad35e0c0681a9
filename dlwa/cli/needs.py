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
