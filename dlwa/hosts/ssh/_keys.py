"""What may be shown to log in: keys of the agent, key files, certificates; in OpenSSH's order.

Those that cost no question come first, so files with a passphrase come last.
"""

import contextlib
import copy
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from paramiko.agent import AgentKey

from dlwa.hosts.ssh._certificates import (
    Certificate,
    beside,
    is_certificate,
    parsed,
    read_certificate,
)
from dlwa.hosts.ssh._target import Asker, Target

_TRIES = 3
_KINDS = (
    (ed25519.Ed25519PrivateKey, paramiko.Ed25519Key),
    (rsa.RSAPrivateKey, paramiko.RSAKey),
    (ec.EllipticCurvePrivateKey, paramiko.ECDSAKey),
)


@dataclass(frozen=True)
class Offer:
    """Something to show a machine; a certificate is shown instead of its key."""

    name: str
    key: paramiko.PKey
    certificate: Certificate | None = None


def offers(target: Target, asker: Asker) -> Iterator[Offer]:
    """What to show, one after the other, until the machine is content.

    Named certificates come first. The certificate beside a key file follows its key, unless
    certificates are named.
    """
    return _Offers(target, asker).all()


class _Offers:
    def __init__(self, target: Target, asker: Asker) -> None:
        self._target, self._asker = target, asker
        self._agent: dict[str, paramiko.PKey] = {
            key.get_base64(): key for key in _agent_keys(target)
        }
        self._named = [one for path in target.certificate_files if (one := self._read(path))]
        self._keyless = list(self._named)
        self._files: dict[Path, paramiko.PKey | None] = {}  # None: it wants a passphrase

    def all(self) -> Iterator[Offer]:
        if not self._target.shows_keys:
            return
        yield from self._with_named()
        held = []
        for path in self._target.identity_files:
            for offer in self._from_agent(path):
                held.append(offer.key.get_base64())
                yield offer
        if not self._target.identities_only:
            for data, key in self._agent.items():
                if data not in held:
                    yield _of_agent(key)
        locked = []
        for path in self._key_files():
            if _public_half(path) not in held:
                if opened := self._open(path):
                    yield from self._from_file(path, opened)
                elif path in self._files:
                    locked.append(path)
        for path in locked:
            if unlocked := _unlocked(path, self._asker):
                for one in self._named:
                    if one.key_base64 == unlocked.get_base64():
                        yield self._with(one, unlocked)
                yield from self._from_file(path, unlocked)
        for one in self._keyless:
            self._asker.say(f"certificate {one.name} has no key here: name it by IdentityFile")

    def _with_named(self) -> Iterator[Offer]:
        for one in self._named:
            key = self._agent.get(one.base64) or self._agent.get(one.key_base64)
            for path in self._key_files() if key is None else ():
                opened = self._open(path)
                if opened and opened.get_base64() == one.key_base64:
                    key = opened
            if key:
                yield self._with(one, key)

    def _with(self, named: Certificate, key: paramiko.PKey) -> Offer:
        if named in self._keyless:
            self._keyless.remove(named)
        return Offer(named.name, _showing(key, named), named)

    def _from_agent(self, path: Path) -> Iterator[Offer]:
        """What the agent holds of a named key."""
        certificate = self._beside(path)
        key = self._agent.get(_public_half(path))
        if key:
            yield _of_agent(key)
        if certificate:
            key = self._agent.get(certificate.base64) or key
            if key:
                yield Offer(certificate.name, _showing(key, certificate), certificate)

    def _from_file(self, path: Path, key: paramiko.PKey) -> Iterator[Offer]:
        yield Offer(str(path), key)
        certificate = self._beside(path)
        if certificate and certificate.key_base64 == key.get_base64():
            yield Offer(certificate.name, _showing(key, certificate), certificate)

    def _key_files(self) -> list[Path]:
        return [
            path for path in self._target.identity_files if path.is_file() and not _public(path)
        ]

    def _open(self, path: Path) -> paramiko.PKey | None:
        """A key file; None if it wants a passphrase or cannot be used."""
        if path not in self._files:
            try:
                self._files[path] = _private(path)
            except (TypeError, paramiko.PasswordRequiredException):
                self._files[path] = None
            except (ValueError, OSError, UnsupportedAlgorithm, paramiko.SSHException) as error:
                self._asker.say(f"key {path} cannot be used: {error}")
        return self._files.get(path)

    def _beside(self, path: Path) -> Certificate | None:
        place = beside(path)
        there = not self._target.certificate_files and place.is_file()
        return self._read(place) if there else None

    def _read(self, path: Path) -> Certificate | None:
        try:
            return read_certificate(path)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            self._asker.say(f"certificate {path} cannot be used: {why}")
            return None


def _showing(key: paramiko.PKey, certificate: Certificate) -> paramiko.PKey:
    if isinstance(key, AgentKey):
        other = AgentKey(key.agent, key.blob, key.comment)  # it cannot be copied
        return certificate.on(_whole(other))
    return certificate.on(copy.copy(key))


def _agent_keys(target: Target) -> list[AgentKey]:
    if target.agent == "none":
        return []
    place = os.path.expandvars(target.agent) if target.agent else ""
    with _socket_of_agent(place):
        try:
            return [_whole(key) for key in paramiko.Agent().get_keys()]
        except (paramiko.SSHException, OSError):
            return []


def _of_agent(key: paramiko.PKey) -> Offer:
    name, certificate = f"agent {key.get_name()}", None
    if is_certificate(key.get_name()):
        with contextlib.suppress(ValueError):
            certificate = parsed("in the agent", key.get_name(), key.get_base64())
    return Offer(name, key, certificate)


def _whole(key: AgentKey) -> AgentKey:
    """Of a certificate paramiko would show the plain key, and sign with that."""
    if is_certificate(key.get_name()):
        key.inner_key = None  # type: ignore[attr-defined]
    return key


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


def _private(path: Path, secret: bytes | None = None) -> paramiko.PKey:
    """A key file alone; paramiko's own `from_path` would show its certificate only."""
    data = path.read_bytes()
    try:
        loaded = serialization.load_ssh_private_key(data, secret)
    except ValueError:
        loaded = serialization.load_pem_private_key(data, secret)  # type: ignore[assignment]
    for kind, reader in _KINDS:
        if isinstance(loaded, kind):
            return reader.from_private_key(io.StringIO(data.decode()), secret)  # type: ignore[arg-type]
    raise UnsupportedAlgorithm("keys of its kind are not known here")


def _unlocked(path: Path, asker: Asker) -> paramiko.PKey | None:
    """A key file whose passphrase is asked for; None without the right one."""
    for _ in range(_TRIES):
        secret = asker.secret(f"Passphrase of {path}: ")
        if not secret:
            return None
        try:
            return _private(path, secret.encode())
        except (TypeError, ValueError, UnsupportedAlgorithm, paramiko.SSHException):
            asker.say("that is not its passphrase")
    return None
