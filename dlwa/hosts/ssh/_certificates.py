"""Certificates of users: an authority's word that a key may log in, for a time, as certain names.

What is read here is for our own messages; the machine alone decides whether a certificate is good.
Format: OpenSSH, PROTOCOL.certkeys.
"""

import base64
import time
from dataclasses import dataclass
from pathlib import Path

import paramiko

_ENDS = "-cert-v01@openssh.com"
_USER = 1
_FOREVER_S = (1 << 64) - 1
# how many fields the public key itself has
_FIELDS = {"ssh-ed25519": 1, "ssh-rsa": 2, "ecdsa": 2, "sk-ssh-ed25519": 2, "sk-ecdsa": 3}


@dataclass(frozen=True)
class Certificate:
    """A certificate, and the key it is for."""

    name: str
    kind: str
    blob: bytes
    base64: str
    key_base64: str
    is_users: bool
    names: tuple[str, ...]
    begins_s: int
    ends_s: int

    def on(self, key: paramiko.PKey) -> paramiko.PKey:
        """Let a private key show this certificate instead of its public half."""
        key.public_blob = paramiko.pkey.PublicBlob(self.kind, self.blob)
        return key

    def trouble(self, user: str, now_s: float | None = None) -> str:
        """What must be wrong with it for a user now; empty if nothing is to be seen from here."""
        now_s = time.time() if now_s is None else now_s
        if not self.is_users:
            return "is a machine's, not a user's"
        if now_s >= self.ends_s != _FOREVER_S:
            return f"ended {_told(self.ends_s)}"
        if now_s < self.begins_s:
            return f"begins {_told(self.begins_s)}"
        if self.names and user not in self.names:
            return f"is for {', '.join(self.names)}, not for {user}"
        return ""

    def mend(self, user: str) -> str:
        """What to type when the machine took neither it nor anything else."""
        trouble = self.trouble(user)
        if not trouble:
            return f"does the machine trust who signed {self.name}? ask who runs it"
        if " not for " in trouble:
            return (
                f"certificate {self.name} {trouble}: log in as who it is for (user: in the lab "
                "file, User in ~/.ssh/config), or get one for your login"
            )
        again = "look at the clock, or wait" if "begins" in trouble else "get a new one"
        return f"certificate {self.name} {trouble}: {again}   (Azure: az ssh config)"


def read_certificate(path: Path) -> Certificate:
    """Read a certificate's file. Raises `OSError`, or `ValueError` if it is none."""
    words = path.read_text(encoding="utf-8").split(maxsplit=2)
    if len(words) < 2 or not is_certificate(words[0]):
        raise ValueError("it is no certificate")
    return parsed(str(path), *words[:2])


def parsed(name: str, kind: str, data: str) -> Certificate:
    """What a certificate of some name says, from its base64; raises `ValueError` if it is none."""
    blob = base64.b64decode(data, validate=True)
    plain = kind.removesuffix(_ENDS)
    fields = next((_FIELDS[name] for name in _FIELDS if plain.startswith(name)), 0)
    if not fields:
        raise ValueError(f"{kind} is unknown")
    message = paramiko.Message(blob)
    if message.get_string() != kind.encode():
        raise ValueError("it is spoilt")
    message.get_string()  # a random number
    key = paramiko.Message()
    key.add_string(plain if not plain.startswith("sk-") else f"{plain}@openssh.com")
    for _ in range(fields):
        key.add_string(message.get_string())
    message.get_int64()  # a serial number
    is_users = message.get_int() == _USER
    message.get_string()  # the name it was given
    names = _strings(message.get_string())
    begins_s, ends_s = message.get_int64(), message.get_int64()
    if not message.get_remainder():
        raise ValueError("it is cut short")
    public = base64.b64encode(key.asbytes()).decode()
    return Certificate(name, kind, blob, data, public, is_users, names, begins_s, ends_s)


def is_certificate(kind: str) -> bool:
    """Whether a type of keys is one of certificates."""
    return kind.endswith(_ENDS)


def beside(path: Path) -> Path:
    """Where OpenSSH looks for the certificate of a key file."""
    return path.with_name(path.name + "-cert.pub")


def _strings(data: bytes) -> tuple[str, ...]:
    message, found = paramiko.Message(data), []
    while message.get_remainder():
        found.append(message.get_string().decode(errors="replace"))
    return tuple(found)


def _told(moment_s: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(min(moment_s, 1 << 37)))
