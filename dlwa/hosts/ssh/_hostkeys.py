"""Is this really that machine? Decided here, for every connection and every hop.

Pinned keys of the lab file come first: then nothing else is accepted. Otherwise known_hosts
decides. An unknown machine costs one question with its fingerprint; a changed key is the end.
Nothing is ever accepted without a yes.
"""

import base64
import fnmatch
import hashlib
import hmac
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import paramiko

from dlwa.errors import AccessError
from dlwa.hosts.ssh._revoked import revokes
from dlwa.hosts.ssh._target import Asker, Target


def fingerprint(key: paramiko.PKey) -> str:
    """A host key as OpenSSH shows it: `ED25519 SHA256:...`."""
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).rstrip(b"=").decode()
    return f"{_kind(key.get_name())} SHA256:{digest}"


def preferred_types(target: Target) -> list[str]:
    """The types of the keys we know of a machine: what to ask it for first."""
    return [name for name, _ in _known(target) or _known_without_port(target)]


def require_known(target: Target, key: paramiko.PKey, asker: Asker) -> None:
    """Return if the key is the machine's, or if the user says so now.

    Raises `AccessError` for a changed or revoked key, one that cannot be read, an unknown one
    where nobody can be asked, and a no.
    """
    mine = (key.get_name(), key.get_base64())
    revoking = _revoking(target, key)
    if revoking:
        raise AccessError(
            f"host key of {target.key_name} is revoked by {revoking}: {fingerprint(key)}",
            hint="ask who runs the machine; do not connect",
        )
    known = _known(target)
    if mine in known:
        return
    if known:
        raise _changed(target, key, known)
    _refuse_unreadable(target)
    if mine not in _known_without_port(target):
        _ask(target, key, asker)


def _changed(target: Target, key: paramiko.PKey, known: list[tuple[str, str]]) -> AccessError:
    expected = " or ".join(_fingerprint_of(*item) for item in known)
    files = [str(path) for path in target.known_hosts if any(_lines_naming(target, path))]
    where = "the lab file" if target.pinned else ", ".join(files)
    mend = (
        "put the new key into the lab file"
        if target.pinned
        else " && ".join(f'ssh-keygen -R "{target.key_name}" -f "{one}"' for one in files)
    )
    return AccessError(
        f"the host key of {target.key_name} has changed: it shows {fingerprint(key)}, expected "
        f"{expected} ({where}). Somebody may be listening in; nothing was sent",
        hint=f"ask who runs the machine; if the change is true: {mend}",
    )


def _refuse_unreadable(target: Target) -> None:
    """A spoilt line is no reason to take a machine for one that was never seen."""
    for path in target.known_hosts:
        for number, words in _lines_naming(target, path):
            if not _is_key(words):
                raise AccessError(
                    f"{path}, line {number}: the host key of {target.key_name} cannot be read",
                    hint=f"remove the line, then connect and compare the fingerprint: "
                    f'sed -i.old {number}d "{path}"',
                )


def _ask(target: Target, key: paramiko.PKey, asker: Asker) -> None:
    shown = fingerprint(key)
    unread = _unread(target)
    if target.strict:
        raise AccessError(
            f"the host key of {target.key_name} is unknown ({shown}) and ~/.ssh/config has "
            f"StrictHostKeyChecking yes{unread}",
            hint=_how_to_know(target, key),
        )
    question = (
        f"{target.key_name} is seen for the first time{unread}. Its key is\n  {shown}\n"
        "Is that what the people who run it say? Connect and remember it?"
    )
    try:
        agreed = asker.confirm(question)
    except AccessError:
        raise
    except Exception as error:
        raise AccessError(
            f"the host key of {target.key_name} is unknown ({shown}) and nobody can be asked"
            f"{unread}",
            hint=f"connect once by hand, or {_how_to_know(target, key)}",
        ) from error
    if not agreed:
        raise AccessError(
            f"the host key of {target.key_name} was not accepted ({shown})",
            "ask who runs the machine for its fingerprint",
        )
    _remember(target, key, asker)


def _unread(target: Target) -> str:
    """Where ssh itself would find the key, and we do not look."""
    if target.known_hosts_command:
        return "; what KnownHostsCommand says of it is not read here"
    for path in target.known_hosts:
        for number, words in _lines(path):
            marked = words[0] == "@cert-authority" and len(words) > 1
            if marked and _names(words[1], target.key_name):
                return (
                    f"; the authority of {path}, line {number}, may vouch for it to ssh, but "
                    "certificates of machines are not read here"
                )
    return ""


def _how_to_know(target: Target, key: paramiko.PKey) -> str:
    whole = f"{key.get_name()} {key.get_base64()}"
    if target.is_hop:  # the lab file pins the lab's own key only
        add = f'echo "{target.key_name} {whole}" >> "{target.own_known_hosts}"'
        return f"if it is right, add it: {add}"
    return f"pin it in the lab file: host_keys: [{whole}]"


def _remember(target: Target, key: paramiko.PKey, asker: Asker) -> None:
    """Append the key to the user's own known_hosts, as ssh does."""
    path = target.own_known_hosts
    if path is None or str(path) == os.devnull:
        return
    name = target.key_name
    if target.hash_known_hosts:
        name = paramiko.HostKeys.hash_host(name)
    line = f"{name} {key.get_name()} {key.get_base64()}\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole = not path.is_file() or path.read_bytes()[-1:] in (b"", b"\n")
        with path.open("a", encoding="ascii") as stream:
            stream.write(line if whole else "\n" + line)
    except OSError as error:
        asker.say(f"the key could not be written to {path}: {error}")


def _known(target: Target) -> list[tuple[str, str]]:
    """Type and base64 of the keys that are right for a machine."""
    if target.pinned:
        return [(words[0], words[1]) for words in map(str.split, target.pinned)]
    return [
        (words[1], words[2])
        for path in target.known_hosts
        for _, words in _lines_naming(target, path)
        if _is_key(words)
    ]


def _known_without_port(target: Target) -> list[tuple[str, str]]:
    """What OpenSSH, too, looks at where nothing is known of the port; only a match counts."""
    anywhere = target.port == 22 or target.key_alias or target.pinned
    return [] if anywhere else _known(replace(target, port=22))


def _revoking(target: Target, key: paramiko.PKey) -> str:
    """The file that forbids a key; empty if none does."""
    data = key.get_base64()
    for path in target.known_hosts:
        for number, words in _lines(path):
            if len(words) >= 4 and words[0] == "@revoked" and words[3] == data:
                return f"{path}, line {number}"
    return next((str(path) for path in target.revoked_keys if revokes(path, key)), "")


def _lines_naming(target: Target, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number and words of the lines that mean a machine."""
    return ((number, words) for number, words in _lines(path) if _names(words[0], target.key_name))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for number, line in enumerate(text.split("\n"), 1):
        if words := line.split():
            yield number, words


def _names(patterns: str, name: str) -> bool:
    """Whether the first word of a line of known_hosts means a machine."""
    if patterns.startswith("|1|"):
        salt = "|".join(patterns.split("|")[:3])
        try:
            hashed = paramiko.HostKeys.hash_host(name, salt)
        except (ValueError, AssertionError):  # a salt that cannot be one: nobody is meant
            return False
        return hmac.compare_digest(hashed.encode(), patterns.encode())
    found = False
    for pattern in patterns.lower().split(","):
        bare = pattern.removeprefix("!")
        # a bracket belongs to [host]:port here and is no wildcard
        if fnmatch.fnmatchcase(name.lower(), bare.replace("[", "[[]")):
            if pattern != bare:
                return False
            found = True
    return found


def _is_key(words: list[str]) -> bool:
    """Whether a line goes on with `TYPE BASE64`, whole fields of which the first is the type."""
    try:
        _, kind, data, *_ = words
        raw = base64.b64decode(data, validate=True)
    except ValueError:
        return False
    end = 0
    while end < len(raw):
        end += 4 + int.from_bytes(raw[end : end + 4])
    return end == len(raw) and raw[4 : 4 + int.from_bytes(raw[:4])] == kind.encode()


def _fingerprint_of(name: str, data: str) -> str:
    digest = hashlib.sha256(base64.b64decode(data)).digest()
    return f"{_kind(name)} SHA256:{base64.b64encode(digest).rstrip(b'=').decode()}"


def _kind(name: str) -> str:
    return name.removeprefix("ssh-").removeprefix("ecdsa-sha2-").upper()
