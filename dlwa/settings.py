"""What a person has set, where, and what holds when several places disagree.

defaults < user file < project file < environment < flags. Every value remembers where it came
from, so that `dlwa doctor` can answer "why does it think I am somebody else?".
"""

import difflib
import getpass
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dlwa.errors import AccessError, UsageError
from dlwa.names import parse_name, parse_owner, safe_spelling
from dlwa.workspace import Workspace, default_root, project_settings, user_settings

PREFIX = "DLWA_"
DEFAULT = "default"
# Set by sshd for the key somebody came in with: who that is, whatever else is said.
KEY_OWNER = "DLWA_KEY_OWNER"


@dataclass(frozen=True)
class Settings:
    """Who works, where and on which lab; `origins` says which place each value came from."""

    owner: str
    root: Path
    lab: str = "local"
    stalled_after_s: float = 600.0
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def workspace(self) -> Workspace:
        """The folder everything lies in."""
        return Workspace(self.root)

    @property
    def owner_is_known(self) -> bool:
        """Whether somebody said who works; otherwise `owner` is only the login's name."""
        return not self.origins.get("owner", DEFAULT).startswith(DEFAULT)


KEYS = tuple(item.name for item in fields(Settings) if item.name != "origins")


def load(
    flags: Mapping[str, str | None] | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Settings:
    """Read all places and return what holds.

    Raises `UsageError` for an unknown key or a value that cannot be right, naming the file;
    `AccessError` for a name that is not the one of the SSH key.
    """
    env = os.environ if env is None else env
    cwd = Path.cwd() if cwd is None else cwd
    user = user_settings(env)
    layers = [
        _defaults(),
        _from_file(user),
        _from_env(env),
        _from_flags(flags or {}),
    ]
    root, origin = _root(layers, cwd)
    project = _from_file(project_settings(root))
    if "root" in project:
        raise UsageError(
            f"root={project['root'][0]!r} in {project['root'][1]} has no effect there, the file "
            "lies in the workspace it names",
            hint=f"remove the line, or move it to {user}",
        )
    merged: dict[str, tuple[Any, str]] = {}
    for layer in (*layers[:2], project, *layers[2:]):
        merged.update(layer)
    merged["root"] = (root, origin)
    if env.get(KEY_OWNER):
        merged["owner"] = _owner_of_key(env[KEY_OWNER], merged["owner"])
    values = {key: _checked(key, *merged[key]) for key in merged}
    return Settings(**values, origins=MappingProxyType({key: merged[key][1] for key in merged}))


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint naming the known word that looks most like `word`, or all of them."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    close.sort(key=lambda one: sorted(one) != sorted(word))  # letters that changed places first
    return f"did you mean {close[0]}?" if close else f"known are: {', '.join(known)}"


def read_yaml(path: Path) -> dict[str, Any] | None:
    """Read a YAML file that holds one mapping; None if there is no such file.

    Raises `UsageError` when it is not YAML or not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    import yaml  # half as long as all else that a far end loads, which often has no such file

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise UsageError(
            f"{path} is not YAML{line}: {getattr(error, 'problem', error)}",
            hint="expected lines such as   key: value",
        ) from error
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise UsageError(f"{path} is no mapping, expected lines such as   key: value")
    return document


def _defaults() -> dict[str, tuple[Any, str]]:
    try:
        login = getpass.getuser()
    except (OSError, KeyError):
        login = "student"
    owner = safe_spelling(login).split("/")[0]
    return {
        "owner": (owner, f"{DEFAULT} (name of this login)"),
        "lab": ("local", DEFAULT),
        "stalled_after_s": (600.0, DEFAULT),
    }


def _from_file(path: Path) -> dict[str, tuple[Any, str]]:
    document = read_yaml(path) or {}
    for key in document:
        if key not in KEYS:
            raise UsageError(f"{key}={document[key]!r} in {path} is no setting", nearest(key, KEYS))
    return {key: (value, str(path)) for key, value in document.items() if value is not None}


def _from_env(env: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    names = {key: PREFIX + key.upper() for key in KEYS}
    return {key: (env[name], name) for key, name in names.items() if env.get(name)}


def _from_flags(flags: Mapping[str, str | None]) -> dict[str, tuple[Any, str]]:
    for key in flags:
        if key not in KEYS:
            raise UsageError(f"{key} is no setting", nearest(key, KEYS))
    return {
        key: (value, f"--{key.replace('_', '-')}")
        for key, value in flags.items()
        if value is not None
    }


def _root(layers: list[dict[str, tuple[Any, str]]], cwd: Path) -> tuple[Path, str]:
    named = [layer["root"] for layer in layers if "root" in layer]
    if not named:
        return default_root(cwd)
    value, origin = named[-1]
    if not isinstance(value, str) or "\n" in value or "\0" in value:
        raise UsageError(f"root={value!r} ({origin}) must be the path of a folder")
    root = Path(value).expanduser()
    root = root if root.is_absolute() else cwd / root
    if not root.is_dir():
        raise UsageError(
            f"root={value} ({origin}) is not a folder", hint=f"make it first: mkdir -p {root}"
        )
    return root, origin


def _checked(key: str, value: Any, origin: str) -> Any:
    if key == "owner":
        return parse_owner(_text(key, value, origin), f"owner ({origin})")
    if key == "lab":
        return str(parse_name(_text(key, value, origin), f"lab ({origin})"))
    if key == "stalled_after_s":
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = -1.0
        if not 0 < number < float("inf"):
            raise UsageError(f"{key}={value!r} ({origin}) must be a positive number of seconds")
        return number
    return value


def _owner_of_key(owner: str, said: tuple[Any, str]) -> tuple[Any, str]:
    """The owner the SSH key tells; another name may stand in files, but not be claimed."""
    other, origin = said
    if origin in (f"{PREFIX}OWNER", "--owner") and other != owner:
        raise AccessError(
            f"owner={other} ({origin}), but the SSH key you came in with is {owner}'s",
            hint=f"say who you are: export {PREFIX}OWNER={owner}; from a laptop: "
            f"./dlwa.py lab use LAB --owner {owner}",
        )
    return owner, f"{KEY_OWNER}, by the SSH key"


def _text(key: str, value: Any, origin: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{key}={value!r} ({origin}) must be text")
    return value
