"""The commands and links in README and docs, as a reader would copy them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.imports import ROOT

_FENCE = re.compile(r"^```(\w*)\s*$")
_LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
_INLINE = re.compile(r"`((?:\./dlwa\.py|dlwa|python3? dlwa\.py) [a-z][^`]*)`")
RUN_MARK = "<!-- run -->"


@dataclass(frozen=True)
class Documented:
    """One command of a page: shown in a block, perhaps to be run, or mentioned in a sentence."""

    page: str
    line: int
    text: str
    run: bool = False
    mention: bool = False

    @property
    def words(self) -> list[str]:
        """The command as an argument list, comments and the prompt left out."""
        return shlex.split(self.text, comments=True)

    @property
    def dlwa_words(self) -> list[str] | None:
        """What follows `dlwa`; None if it is another program's command."""
        words = self.words
        if words[:1] in (["python3"], ["python"]) and words[1:2] == ["dlwa.py"]:
            words = words[1:]
        return words[1:] if words[:1] and words[0] in ("dlwa", "./dlwa.py", "dlwa.py") else None


def pages() -> list[Path]:
    """Every page of the documentation."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*top, *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "labs").glob("*.md"))]


def commands(page: Path) -> Iterator[Documented]:
    """The commands in the shell blocks of a page and those quoted within its lines."""
    name = str(page.relative_to(ROOT))
    language: str | None = None
    run = False
    begun: tuple[int, str] | None = None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line.strip())
        if fence:
            language = fence[1] if language is None else None
            run = run and language is not None
        elif language is None:
            run = line.strip() == RUN_MARK or (run and not line.strip())
            for inline in _INLINE.findall(line):
                if "..." not in inline:
                    yield Documented(name, number, inline, mention=True)
        elif language in ("bash", "sh", "console", "shell") and line.strip():
            start, text = begun or (number, "")
            text += line.strip().removeprefix("$ ")
            if text.endswith("\\"):
                begun = (start, text[:-1])
                continue
            begun = None
            if not text.startswith("#"):
                yield Documented(name, start, text, run)


def links(page: Path) -> Iterator[str]:
    """The relative links and pictures of a page."""
    for groups in _LINK.findall(page.read_text(encoding="utf-8")):
        target = groups[0] or groups[1]
        if not target.startswith(("http:", "https:", "mailto:", "#")):
            yield target
