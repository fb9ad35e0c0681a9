"""The words after `--`, which belong to another program."""

from collections.abc import Sequence

from dlwa.errors import UsageError


def require_flags(extra: Sequence[str] | None) -> Sequence[str]:
    """The extra flags; raises `UsageError` when a stray word was taken for one."""
    if extra and not extra[0].startswith("-"):
        raise UsageError(
            f"argument={extra[0]!r} is not expected here",
            hint="name things with options, as in --dataset_name ann/violin; flags follow after --",
        )
    return extra or ()
