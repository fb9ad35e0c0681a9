"""Sentences broken between words, where a terminal would break within them."""

import shutil
import textwrap
from typing import IO

from dlwa.cli import output

_NARROWEST = 40


def lines(sentence: str, stream: IO[str], indent: str = "") -> list[str]:
    """The lines of a sentence on this stream; off a terminal it stays one line."""
    wide = shutil.get_terminal_size().columns if output.is_terminal(stream) else 0
    if wide < _NARROWEST:
        return [indent + sentence]
    return textwrap.wrap(
        sentence, wide, initial_indent=indent, subsequent_indent=f"{indent}  "
    ) or [indent]
