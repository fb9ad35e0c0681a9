"""Whose things a command may touch."""

from dlwa.actions import ownership
from dlwa.cli import options, output
from dlwa.names import parse_name


def may_write(name: str, what: str, how: options.Consent, *, as_admin: bool) -> bool:
    """Whether to go on writing under a name: one's own, or somebody else's after a yes.

    `what` is the option that errors name.

    Raises `AccessError` for somebody else's without `--as-admin`.
    """
    question = ownership.require_own(parse_name(name, what), options.settings(), as_admin=as_admin)
    if not question or output.confirm(question, assume_yes=how.yes, no_input=how.no_input):
        return True
    output.say("nothing was done")
    return False
