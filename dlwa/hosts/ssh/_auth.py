"""Logging in: keys and certificates, then whatever the machine asks. Nothing typed is kept."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, Queue
from typing import Any

import paramiko

from dlwa.errors import AccessError, NetworkError
from dlwa.hosts.ssh._keys import Offer, offers
from dlwa.hosts.ssh._target import Asker, Target
from dlwa.hosts.ssh._transport import told
from dlwa.words import printable

_TRIES = 3
_MANY_TRIES = 5  # sshd hangs up after six, asking what it allows included
_ASKING = ("keyboard-interactive", "password")
_ANSWER_WITHIN_S = 600.0  # a code has to be found first; sshd itself gives two minutes


def log_in(transport: paramiko.Transport, target: Target, asker: Asker) -> None:
    """Try what the configuration offers, the least trouble first.

    Raises `AccessError` when the machine accepts none of it.
    """
    tried: list[Offer] = []
    for offer in offers(target, asker):
        tried.append(offer)
        right = _attempt(transport, target, offer.key, len(tried))
        if transport.is_authenticated():
            return
        if right:
            break  # and the machine wants something more, a code perhaps
    _require_open(transport, target, len(tried))
    allowed = _allowed(transport, target)
    if transport.is_authenticated():
        return
    if _answer_questions(transport, target, asker, allowed, len(tried)):
        return
    typed = ", nor what was typed" if set(allowed) & set(_ASKING) else ""
    names = ", ".join(offer.name for offer in tried) or "none to offer"
    raise AccessError(
        f"{target} accepts none of our keys ({names}){typed}",
        hint=_certificates_hint(tried, target)
        or f"give it your key: ssh-copy-id -p {target.port} {target.user}@{target.host}, or send "
        "your .pub file to who runs the machine   (no key yet: ssh-keygen -t ed25519; it has yours "
        "already: chmod go-w ~ ~/.ssh ~/.ssh/authorized_keys, there)",
    )


def _certificates_hint(tried: list[Offer], target: Target) -> str:
    """Whoever has a certificate logs in by it; what is seen to be wrong with one is told first."""
    shown = [offer.certificate for offer in tried if offer.certificate]
    shown.sort(key=lambda one: not one.trouble(target.user))
    return shown[0].mend(target.user) if shown else ""


def _attempt(transport: paramiko.Transport, target: Target, key: paramiko.PKey, tried: int) -> bool:
    """Whether a key is accepted, be it as the first of several things."""
    try:
        transport.auth_publickey(target.user, key)
    except paramiko.BadAuthenticationType:
        return False
    except paramiko.AuthenticationException:
        _require_open(transport, target, tried)
        return False
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise _broken(target, error) from error
    return True


def _allowed(transport: paramiko.Transport, target: Target) -> list[str]:
    """What the machine would accept instead."""
    try:
        transport.auth_none(target.user)
    except paramiko.BadAuthenticationType as error:
        return list(error.allowed_types)
    except paramiko.AuthenticationException:
        return []
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise _broken(target, error) from error
    return []


def _answer_questions(
    transport: paramiko.Transport, target: Target, asker: Asker, allowed: list[str], tried: int
) -> bool:
    for method in (name for name in _ASKING if name in allowed):
        for _ in range(_TRIES):
            questions = _Questions(target, asker)
            try:
                if method == "password":
                    transport.auth_password(
                        target.user, asker.secret(f"Password of {target}: "), fallback=False
                    )
                else:
                    _ask_here(transport, target, questions)
            except paramiko.BadAuthenticationType:
                break
            except paramiko.AuthenticationException:
                tried += 1
                _require_open(transport, target, tried)
                if method != "password" and not questions.were_asked:
                    break  # it offers to ask, and has nothing to ask
                asker.say("not accepted")
                continue
            except (paramiko.SSHException, OSError, EOFError) as error:
                raise _broken(target, error) from error
            if transport.is_authenticated():
                return True
    return False


def _ask_here(transport: paramiko.Transport, target: Target, ask: "_Questions") -> None:
    """Answer on this thread what paramiko asks on its own, where Ctrl-C would not be heard."""
    asked: Queue[Any] = Queue()
    replies: Queue[list[str] | None] = Queue()

    def pass_on(*question: Any) -> list[str]:
        asked.put(question)
        answers = replies.get()
        if answers is None:
            raise EOFError("nobody answers")
        return answers

    transport.auth_timeout = _ANSWER_WITHIN_S
    with ThreadPoolExecutor(1) as other:
        login = other.submit(transport.auth_interactive, target.user, pass_on)
        login.add_done_callback(lambda _: asked.put(None))
        try:
            while (question := _next(asked)) is not None:
                replies.put(ask(*question))
        except BaseException:
            replies.put(None)
            transport.close()
            raise
    login.result()


def _next(waiting: "Queue[Any]") -> Any:
    while True:
        with contextlib.suppress(Empty):
            return waiting.get(timeout=0.5)  # in pieces, so that Ctrl-C is heard on Windows too


class _Questions:
    """Hands the machine's own questions to the user."""

    def __init__(self, target: Target, asker: Asker) -> None:
        self._target, self._asker = target, asker
        self.were_asked = False

    def __call__(self, title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
        self.were_asked |= bool(prompts)
        for line in (title, instructions):
            if line.strip():
                self._asker.say(_printable(line))
        return [
            self._asker.secret(f"{self._target}: {_printable(prompt)}") for prompt, _ in prompts
        ]


def _printable(text: str) -> str:
    """What a machine says before we trust it may hold control sequences."""
    return printable(text, instead=" ")


def _require_open(transport: paramiko.Transport, target: Target, tried: int) -> None:
    """Raise what a connection that closed during the login means."""
    if transport.is_active():
        return
    if tried < _MANY_TRIES:
        raise _broken(target, EOFError("it closed during the login"))
    raise AccessError(
        f"{target} closed the connection after {tried} keys and passwords",
        hint="name the right key in ~/.ssh/config: IdentityFile ..., IdentitiesOnly yes",
    )


def _broken(target: Target, error: Exception) -> NetworkError:
    return NetworkError(f"the connection to {target} broke: {told(error)}", "try again")
