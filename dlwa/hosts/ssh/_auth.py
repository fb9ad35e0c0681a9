"""Logging in: agent, key files, then whatever the machine asks. Nothing typed is kept."""

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import paramiko

from dlwa.errors import AccessError, NetworkError
from dlwa.hosts.ssh._target import Asker, Target
from dlwa.words import printable

_TRIES = 3
_MANY_TRIES = 5  # sshd hangs up after six, asking what it allows included
_ASKING = ("keyboard-interactive", "password")
_ANSWER_WITHIN_S = 600.0  # a code has to be found first; sshd itself gives two minutes


def log_in(transport: paramiko.Transport, target: Target, asker: Asker) -> None:
    """Try what the configuration offers, the least trouble first.

    Raises `AccessError` when the machine accepts none of it.
    """
    tried: list[str] = []
    for name, key in _keys(target, asker):
        tried.append(name)
        right = _attempt(transport, target, key, len(tried))
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
    raise AccessError(
        f"{target} accepts none of our keys ({', '.join(tried) or 'none to offer'}){typed}",
        hint=f"give it your key: ssh-copy-id -p {target.port} {target.user}@{target.host}, or send "
        "your .pub file to who runs the machine   (no key yet: ssh-keygen -t ed25519)",
    )


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


def _keys(target: Target, asker: Asker) -> Iterator[tuple[str, paramiko.PKey]]:
    """The keys to try: those that cost no question first.

    The agent's among the named files, the agent's others, files, at last files with a passphrase.
    """
    agent = _agent_keys(target)
    named = [path for path in target.identity_files if path.is_file() and not _public(path)]
    wanted = {public for path in target.identity_files if (public := _public_half(path))}
    first = [key for key in agent if key.get_base64() in wanted]
    for key in first:
        yield f"agent {key.get_name()}", key
    held = {key.get_base64() for key in first}
    if not target.identities_only:
        for key in agent:
            if key.get_base64() not in held:
                yield f"agent {key.get_name()}", key
    locked = []
    for path in named:
        if _public_half(path) not in held:
            try:
                yield str(path), paramiko.PKey.from_path(path)
            except (TypeError, paramiko.PasswordRequiredException):
                locked.append(path)
            except (ValueError, OSError, paramiko.SSHException) as error:
                asker.say(f"key {path} cannot be used: {error}")
    for path in locked:
        unlocked = _unlocked(path, asker)
        if unlocked:
            yield str(path), unlocked


def _agent_keys(target: Target) -> list[paramiko.PKey]:
    if target.agent == "none":
        return []
    place = os.path.expandvars(target.agent) if target.agent else ""
    with _socket_of_agent(place):
        try:
            return list(paramiko.Agent().get_keys())
        except (paramiko.SSHException, OSError):
            return []


@contextlib.contextmanager
def _socket_of_agent(place: str) -> Iterator[None]:
    """paramiko finds the agent by a variable only."""
    before = os.environ.get("SSH_AUTH_SOCK")
    if place:
        os.environ["SSH_AUTH_SOCK"] = str(Path(place).expanduser())
    try:
        yield
    finally:
        if place and before is None:
            del os.environ["SSH_AUTH_SOCK"]
        elif place and before is not None:
            os.environ["SSH_AUTH_SOCK"] = before


def _public_half(path: Path) -> str:
    """Of a named key; the file may itself be the public half of one that only the agent has."""
    return _public(path.with_name(path.name + ".pub")) or _public(path)


def _public(path: Path) -> str:
    try:
        kind, data, *_ = path.read_text(encoding="utf-8").split(maxsplit=2)
    except (OSError, ValueError):
        return ""
    return data if kind.startswith(("ssh-", "ecdsa-", "sk-")) else ""


def _unlocked(path: Path, asker: Asker) -> paramiko.PKey | None:
    """A key file whose passphrase is asked for; None without the right one."""
    for _ in range(_TRIES):
        secret = asker.secret(f"Passphrase of {path}: ")
        if not secret:
            return None
        try:
            return paramiko.PKey.from_path(path, secret.encode())  # type: ignore[arg-type]
        except (TypeError, ValueError, paramiko.SSHException):
            asker.say("that is not its passphrase")
    return None


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
            try:
                if method == "password":
                    transport.auth_password(
                        target.user, asker.secret(f"Password of {target}: "), fallback=False
                    )
                else:
                    _ask_here(transport, target, _Questions(target, asker))
            except paramiko.BadAuthenticationType:
                break
            except paramiko.AuthenticationException:
                tried += 1
                _require_open(transport, target, tried)
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

    def __call__(self, title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
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
    return NetworkError(f"the connection to {target} broke: {error}", "try again")
