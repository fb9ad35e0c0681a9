"""A page as a document: title, facts, sections."""

import re
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from string import Template

from dlwa import runfiles
from dlwa.ddsp.pages._fragments import definitions, text


@dataclass(frozen=True)
class Section:
    """A part of a page: its heading and the HTML fragments below it, None left out."""

    title: str
    fragments: tuple[str | None, ...]

    def __init__(self, title, *fragments):
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "fragments", fragments)

    def html(self):
        """The section with its heading."""
        name = re.sub(r"\W+", "-", self.title.lower()).strip("-") or "section"
        body = "\n".join(fragment for fragment in self.fragments if fragment)
        return (
            f'<section aria-labelledby="{name}">\n<h2 id="{name}">{text(self.title)}</h2>\n'
            f"{body}\n</section>"
        )


@dataclass(frozen=True)
class Page:
    """Everything a page shows, in its order.

    Attributes:
        title: heading and name of the window.
        summary: what it is, in a sentence or two.
        facts: (name, value) pairs shown at the top.
        sections: list of Section; None are left out.
    """

    title: str
    summary: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    sections: list[Section | None] = field(default_factory=list)

    def render(self):
        """The HTML document."""
        template = resources.files(__package__).joinpath("template.html")
        return Template(template.read_text(encoding="utf-8")).substitute(
            title=text(self.title),
            summary=text(self.summary),
            facts=definitions(self.facts),
            sections="\n".join(section.html() for section in self.sections if section),
        )

    def write(self, path):
        """Write the document to a file, whole or not at all; returns its path.

        Raises:
            OSError: if it cannot be written; a page that was there stays.
        """
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with runfiles.written_aside(path) as aside:
            aside.write_text(self.render(), encoding="utf-8")
        return path
