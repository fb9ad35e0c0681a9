"""Offers to unpack an archive that stands where a folder of recordings should be."""

from collections.abc import Callable
from typing import TypeVar

from dlwa.actions.unpacking import PackedError, require_own, unpack
from dlwa.cli import options, output
from dlwa.words import counted

Planned = TypeVar("Planned")


def unpacking(
    plan: Callable[[str], Planned], named: str, how: options.Manner, *, as_admin: bool = False
) -> Planned:
    """What `plan(named)` gives; where it meets a zip file, that is unpacked first, if wanted.

    Raises what `plan` raises when nobody agrees, and `AccessError` for somebody else's folder in
    inputs/ without `as_admin`.
    """
    try:
        return plan(named)
    except PackedError as packed:
        silent = how.no_input or output.json_mode() or not output.is_terminal()
        if how.dry_run or not packed.can_unpack or (silent and not how.yes):
            raise
        archive, target = packed.archive, packed.target
        require_own(target, options.settings(), as_admin=as_admin)
        question = f"{archive.name} is an archive. Unpack it into {target}?"
        if not output.confirm(question, assume_yes=how.yes):
            raise
        count = unpack(archive, target)
        output.say(f"{counted(count, 'file')} unpacked into {target}")
        return plan(packed.named)
