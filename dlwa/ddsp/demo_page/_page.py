"""The page as text: a template filled with pictures, players and numbers."""

import html
from dataclasses import dataclass, field
from importlib import resources
from string import Template


@dataclass(frozen=True)
class Card:
    """One sound with its picture: what it is, the player, what one sees and hears."""

    title: str
    sound: str
    picture: str
    seen: str
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture without a sound; `seen` is what a screen reader says."""

    title: str
    picture: str
    seen: str
    caption: str = ""


@dataclass(frozen=True)
class Page:
    """Everything the page shows, in its order."""

    title: str
    summary: str
    learned: list[Card | Picture]
    compared: list[Card]
    verdict: str
    transferred: list[Card | Picture]
    choices: list[str]
    commands: list[tuple[str, str]]
    facts: list[tuple[str, str]] = field(default_factory=list)

    def render(self):
        """The HTML document."""
        template = resources.files(__package__).joinpath("template.html")
        return Template(template.read_text(encoding="utf-8")).substitute(
            title=_text(self.title),
            summary=_text(self.summary),
            facts="".join(
                f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>"
                for name, value in self.facts
            ),
            learned=_cards(self.learned),
            compared=_cards(self.compared),
            verdict=_text(self.verdict),
            transferred=_cards(self.transferred),
            choices="".join(f"<li>{_text(line)}</li>" for line in self.choices),
            commands="".join(_command(what, command) for what, command in self.commands),
        )


def _cards(cards):
    return "".join(_card(card) for card in cards)


def _card(card):
    player = ""
    if isinstance(card, Card):
        player = (
            f'<audio controls preload="metadata" aria-label="Play: {_text(card.title)}" '
            f'src="{card.sound}"></audio>'
        )
    return (
        f"<figure><h3>{_text(card.title)}</h3>{player}"
        f'<img src="{card.picture}" alt="{_text(card.seen)}">'
        f"<figcaption>{_text(card.caption)}</figcaption></figure>"
    )


def _command(what, command):
    shown = f"<pre tabindex='0'><code>{_text(command)}</code></pre>"
    return f"<li><p>{_text(what)}</p>{shown}</li>"


def _text(value):
    return html.escape(str(value), quote=True)
