"""Where to connect to and how, as OpenSSH itself reads `~/.ssh/config`.

`ssh -G host` resolves Include, Match, ProxyJump, IdentityFile and the rest, so that what works
with `ssh host` works here.
"""

import getpass
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dlwa.errors import AccessError, DlwaError
from dlwa.hosts.local import LocalHost
from dlwa.shell import Command

CONFIG_VARIABLE = "DLWA_SSH_CONFIG"
_MAX_HOPS = 8
# the blanks before a path: / or ~, on Windows a drive or the folder for all programs
_BEGINS = re.compile(r"\s+(?=[/~]|[A-Za-z]:[\\/]|__PROGRAMDATA__|none$)")


class Asker(Protocol):
    """Who answers what a connection has to ask. Secrets are used once and never kept."""

    def secret(self, prompt: str) -> str:
        """Ask for a passphrase or password; raises `DlwaError` where nobody can be asked."""
        ...

    def confirm(self, question: str) -> bool:
        """Ask yes or no; raises `DlwaError` where nobody can be asked."""
        ...

    def say(self, text: str) -> None:
        """Tell something."""
        ...


@dataclass(frozen=True)
class Target:
    """One machine to connect to, with everything its configuration says about it."""

    alias: str
    host: str
    port: int = 22
    user: str = ""
    key_alias: str = ""
    identity_files: tuple[Path, ...] = ()
    certificate_files: tuple[Path, ...] = ()
    identities_only: bool = False
    shows_keys: bool = True
    agent: str = ""
    known_hosts: tuple[Path, ...] = ()
    own_known_hosts: Path | None = None
    hash_known_hosts: bool = False
    strict: bool = False
    revoked_keys: tuple[Path, ...] = ()
    known_hosts_command: str = ""
    jump: "Target | None" = None
    proxy_command: str = ""
    pinned: tuple[str, ...] = field(default=())
    is_hop: bool = False

    @property
    def key_name(self) -> str:
        """The name its key has in known_hosts: `host`, or `[host]:port`."""
        name = self.key_alias or self.host
        return name if self.port == 22 or self.key_alias else f"[{name}]:{self.port}"

    def __str__(self) -> str:
        """How one would name it to ssh."""
        port = "" if self.port == 22 else f":{self.port}"
        return f"{self.user}@{self.host}{port}"


def resolve(
    host: str,
    port: int | None = None,
    user: str | None = None,
    pinned: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
) -> Target:
    """Say how to reach a host, all hops included; a port or user given here wins.

    Raises `DlwaError` when OpenSSH cannot read its configuration or the jumps go in a circle.
    """
    return _resolve(host, port, user, pinned, os.environ if env is None else env, ())


def _resolve(
    host: str,
    port: int | None,
    user: str | None,
    pinned: tuple[str, ...],
    env: Mapping[str, str],
    hops: tuple[str, ...],
) -> Target:
    if host in hops or len(hops) > _MAX_HOPS:
        raise DlwaError(
            f"host={host}: its ProxyJump leads back to itself ({' -> '.join((*hops, host))})",
            hint="look at ProxyJump in ~/.ssh/config",
        )
    said = _ask_openssh(host, port, user, env)
    one = {key: values[-1] for key, values in said.items()}
    known = tuple(_paths(said.get("userknownhostsfile", [])))
    return Target(
        alias=host,
        host=one.get("hostname", host),
        port=int(one.get("port", 22)),
        user=one.get("user", "") or getpass.getuser(),
        key_alias=_or_none(one, "hostkeyalias"),
        identity_files=tuple(_expanded("identityfile", said, host, env)),
        certificate_files=tuple(_expanded("certificatefile", said, host, env)),
        identities_only=one.get("identitiesonly") == "yes",
        shows_keys=one.get("pubkeyauthentication") not in ("no", "false"),
        agent="" if one.get("identityagent") == "SSH_AUTH_SOCK" else one.get("identityagent", ""),
        known_hosts=(*known, *_paths(said.get("globalknownhostsfile", []))),
        own_known_hosts=known[0] if known else None,
        hash_known_hosts=one.get("hashknownhosts") == "yes",
        strict=one.get("stricthostkeychecking") in ("yes", "true"),
        revoked_keys=tuple(_expanded("revokedhostkeys", said, host, env)),
        known_hosts_command=_or_none(one, "knownhostscommand"),
        jump=_jump(one.get("proxyjump", "none"), env, (*hops, host)),
        proxy_command=_or_none(one, "proxycommand").replace("%%", "\0"),
        pinned=pinned,
        is_hop=bool(hops),
    )


def _jump(spec: str, env: Mapping[str, str], hops: tuple[str, ...]) -> Target | None:
    """The hop before a host: the last of `a,user@b:22`, reached through those before it."""
    if spec in ("", "none"):
        return None
    *before, last = spec.split(",")
    user, _, place = last.removeprefix("ssh://").rpartition("@")
    name, port = _host_and_port(place)
    hop = _resolve(name, port, user or None, (), env, hops)
    if not before:
        return hop
    first = _jump(",".join(before), env, hops)
    return Target(**{**vars(hop), "jump": first})


def _host_and_port(place: str) -> tuple[str, int | None]:
    if place.startswith("["):
        name, _, rest = place[1:].partition("]")
        return name, int(rest[1:]) if rest.startswith(":") else None
    name, colon, digits = place.rpartition(":")
    return (name, int(digits)) if colon and digits.isdigit() else (place, None)


def _ask_openssh(
    host: str, port: int | None, user: str | None, env: Mapping[str, str]
) -> dict[str, list[str]]:
    """What `ssh -G` says, a list of values a key; the bare minimum where there is no ssh."""
    given = [] if port is None else ["-p", str(port)]
    given += [] if user is None else ["-l", user]
    config = env.get(CONFIG_VARIABLE)
    given += ["-F", config] if config else []
    done = LocalHost().run(Command(("ssh", "-G", *given, "--", host)))
    if done.code == 127:
        return _without_openssh(host, port, user)
    if not done.ok:
        raise AccessError(
            f"host={host}: ssh cannot read its configuration: {done.said}",
            hint="mend ~/.ssh/config; ssh -G " + host + " shows the same",
        )
    said: dict[str, list[str]] = {}
    for line in done.out.splitlines():
        key, _, value = line.partition(" ")
        said.setdefault(key.lower(), []).append(value)
    return said


def _without_openssh(host: str, port: int | None, user: str | None) -> dict[str, list[str]]:
    folder = Path.home() / ".ssh"
    said = {"hostname": [host], "userknownhostsfile": [str(folder / "known_hosts")]}
    said["port"] = [str(port or 22)]
    said["user"] = [user or getpass.getuser()]
    said["identityfile"] = [str(folder / f"id_{kind}") for kind in ("ed25519", "ecdsa", "rsa")]
    return said


def _paths(values: list[str]) -> Iterator[Path]:
    """Paths as `ssh -G` prints them: side by side, unquoted, whatever is in them."""
    for value in values:
        for one in _BEGINS.split(value.strip()):
            if one not in ("", "none"):
                yield _path(one)


def _path(text: str) -> Path:
    programs = os.environ.get("PROGRAMDATA", "")
    return Path(text.replace("__PROGRAMDATA__", programs)).expanduser()


def _expanded(
    key: str, said: Mapping[str, list[str]], alias: str, env: Mapping[str, str]
) -> Iterator[Path]:
    """Files, a value each, whose tokens and variables `ssh -G` leaves as they are."""
    one = {key: values[-1] for key, values in said.items()}
    tokens = {"%": "%", "d": str(Path.home()), "u": getpass.getuser(), "n": alias}
    tokens |= {"h": one.get("hostname", alias), "p": one.get("port", ""), "r": one.get("user", "")}
    for value in said.get(key, []):
        if value != "none":
            text = re.sub(r"%(.)", lambda found: tokens.get(found[1], found[0]), value)
            yield _path(re.sub(r"\$\{(\w+)\}", lambda found: env.get(found[1], ""), text))


def _or_none(one: Mapping[str, str], key: str) -> str:
    value = one.get(key, "none")
    return "" if value == "none" else value
