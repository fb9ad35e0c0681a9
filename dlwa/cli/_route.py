"""Which command lines are for a lab: `--lab NAME`, `DLWA_LAB` or the lab in use decides."""

from collections.abc import Sequence

from dlwa.cli import _relay
from dlwa.errors import UsageError
from dlwa.labs import LOCAL

# what happens where the runs are; everything else happens on this machine
_FAR = {"status", "watch", "logs", "stop", "util", "user", "models"}
# of the group ddsp, what works on the lab's data sets and models; the rest plays files of ours
_FAR_DDSP = {"make-dataset", "train", "eval", "sample", "report", "export"}
# these know themselves what to do with a lab
_OWN = {"push", "fetch", "lab", "doctor"}


def far_lab(argv: Sequence[str]) -> tuple[str, list[str]] | None:
    """The lab a command line is for and the words to send there; None if it is for us.

    Raises `UsageError` if a lab is named for a command that works here only.
    """
    named, words = _front(list(argv))
    own = words[: words.index("--")] if "--" in words else words
    plain = [word for word in own if not word.startswith("-")]
    if not plain or "--help" in own or plain[0] in _OWN or _relay.active():
        return None
    goes = plain[0] in _FAR or (plain[0] == "ddsp" and bool(_FAR_DDSP & set(plain[1:2])))
    if not goes and named.get("lab", LOCAL) == LOCAL:
        return None
    if not goes:
        raise UsageError(
            f"--lab {named['lab']}: `dlwa {' '.join(plain[:2])}` works on this machine only",
            hint="leave --lab out",
        )
    from dlwa.cli import options

    options.remember(**named)
    lab = options.settings().lab
    return None if lab == LOCAL else (lab, words)


def _front(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """The options that stand before the command (`_argv` has moved them there), and the rest."""
    named: dict[str, str] = {}
    while words and words[0].startswith(("--root", "--lab")):
        option, equals, value = words[0].partition("=")
        if not equals and len(words) < 2:
            break  # typer says that it wants a value
        named[option[2:]] = value if equals else words[1]
        words = words[1 if equals else 2 :]
    return named, words
