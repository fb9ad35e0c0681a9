"""Whether a file of RevokedHostKeys forbids a key. A file that cannot be read forbids all."""

import tempfile
from pathlib import Path

import paramiko

from dlwa.errors import AccessError
from dlwa.hosts.local import LocalHost
from dlwa.shell import Command

_LIST = b"SSHKRL\n\0"  # how an OpenSSH Key Revocation List begins; it is binary
_REVOKED = ": REVOKED"


def revokes(path: Path, key: paramiko.PKey) -> bool:
    """Whether a file of public keys, one a line, or a Key Revocation List has a key in it.

    Raises `AccessError` if it cannot be read, as OpenSSH refuses every machine then.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if content.startswith(_LIST):
        return _asked_openssh(path, key)
    data = key.get_base64().encode()
    lines = (line.strip() for line in content.splitlines())
    return any(data in line.split() for line in lines if not line.startswith(b"#"))


def _asked_openssh(path: Path, key: paramiko.PKey) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        public = Path(folder) / "key.pub"
        public.write_text(f"{key.get_name()} {key.get_base64()}\n", encoding="ascii")
        done = LocalHost().run(Command(("ssh-keygen", "-Q", "-f", str(path), str(public))))
    if done.ok:
        return False
    if _REVOKED in done.out:
        return True
    why = "ssh-keygen is missing" if done.code == 127 else done.said
    raise _unreadable(path, why)


def _unreadable(path: Path, why: str) -> AccessError:
    return AccessError(
        f"RevokedHostKeys {path} cannot be read ({why}); so no machine can be trusted",
        hint="bring the file back, or take RevokedHostKeys out of ~/.ssh/config",
    )
