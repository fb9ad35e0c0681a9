"""Offers to unpack an archive that stands where a folder of recordings should be."""

from collections.abc import Callable
from typing import TypeVar

from dlwa.actions.unpacking import PackedError, unpack
from dlwa.cli import options, output

Planned = TypeVar("Planned")


def unpacking(plan: Callable[[str], Planned], named: str, how: options.Manner) -> Planned:
    """What `plan(named)` gives; where it meets a zip file, that is unpacked first, if wanted.

    Raises what `plan` raises when nobody agrees.
    """
    try:
        return plan(named)
    except PackedError as packed:
        silent = how.no_input or output.json_mode() or not output.is_terminal()
        if how.dry_run or not packed.can_unpack or (silent and not how.yes):
            raise
        archive, target = packed.archive, packed.target
        question = f"{archive.name} is an archive. Unpack it into {target}?"
        if not output.confirm(question, assume_yes=how.yes):
            raise
        count = unpack(archive, target)
        output.say(f"{count} file{'s' if count != 1 else ''} unpacked into {target}")
        return plan(packed.named)
