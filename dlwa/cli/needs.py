"""What a command needs before it can work."""

import functools
from collections.abc import Callable

from dlwa.cli import options, output


def ddsp(how: options.Consent) -> None:
    """Make sure that the DDSP half is installed, asking on a terminal.

    Raises `DlwaError` with the hint `dlwa setup` where it is not and nobody agrees.
    """
    from dlwa.actions import setup

    setup.require_ddsp(how.yes, *_asking(how))


def audio(how: options.Consent) -> None:
    """Make sure that recordings can be read, asking on a terminal; far less than the DDSP half."""
    from dlwa.actions import extras

    extras.require(extras.AUDIO, how.yes, *_asking(how))


def studio(how: options.Consent) -> None:
    """Make sure that the studio's packages are installed, asking on a terminal."""
    from dlwa.actions import extras

    extras.require(extras.STUDIO, how.yes, *_asking(how))


def live(how: options.Consent) -> None:
    """Make sure that microphone and speakers can be used, asking on a terminal."""
    from dlwa.actions import extras

    extras.require(extras.LIVE, how.yes, *_asking(how))


def _asking(how: options.Consent) -> tuple[bool, Callable[[str], bool], Callable[[str], None]]:
    """Whether nobody can be asked, how to ask, how to tell."""
    silent = how.no_input or output.json_mode() or not output.is_terminal()
    return silent, functools.partial(output.confirm, no_input=how.no_input), output.say
