"""The pieces of a page as HTML; every text given is escaped."""

import html
from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """A picture, with a sound or without: what it is, the player, what one sees and hears.

    Attributes:
        title: heading of the card.
        picture: data URI, of `figure_uri` or `spectrogram`; '' for a sound alone.
        seen: what the picture shows, for those who cannot see it.
        caption: words below the picture.
        sound: data URI, of `sound_uri`; '' for a picture alone.
    """

    title: str
    picture: str
    seen: str
    caption: str = ""
    sound: str = ""


def text(value):
    """A value as text that HTML shows as it is."""
    return html.escape(str(value), quote=True)


def paragraph(words):
    """A paragraph."""
    return f"<p>{text(words)}</p>"


def verdict(words, bad=False):
    """A paragraph that stands out; `bad` for what went wrong."""
    return f'<p class="verdict{" bad" if bad else ""}">{text(words)}</p>'


def player(title, sound):
    """A player of a sound given as data URI; `title` says what is heard."""
    named = f'aria-label="Play: {text(title)}"'
    return f'<audio controls preload="metadata" {named} src="{sound}"></audio>'


def cards(shown, pairs=False):
    """A grid of cards that makes as many columns as fit; `pairs` for wider ones, side by side."""
    body = "\n".join(_card(card) for card in shown)
    return f'<div class="cards{" pairs" if pairs else ""}">\n{body}\n</div>'


def _card(card):
    heard = player(card.title, card.sound) if card.sound else ""
    seen = f'<img src="{card.picture}" alt="{text(card.seen)}">' if card.picture else ""
    caption = f"<figcaption>{text(card.caption)}</figcaption>" if card.caption else ""
    return f"<figure><h3>{text(card.title)}</h3>{heard}{seen}{caption}</figure>"


def table(columns, rows):
    """A table; numbers stand right, it scrolls by itself on a small screen.

    Args:
        columns: headings.
        rows: lists of as many values.
    """
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in columns)
    body = "\n".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="table">'
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def _cell(value):
    kind = ' class="number"' if isinstance(value, int | float) else ""
    return f"<td{kind}>{text('' if value is None else value)}</td>"


def definitions(pairs):
    """Names and their values, side by side where there is room."""
    body = "".join(
        f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in pairs
    )
    return f"<dl>{body}</dl>" if body else ""


def bullets(items):
    """A list of texts; nothing if there are none."""
    body = "".join(f"<li>{text(item)}</li>" for item in items)
    return f"<ul>{body}</ul>" if body else ""


def code(words):
    """A command or a file's text, letter for letter."""
    return f'<pre tabindex="0"><code>{text(words)}</code></pre>'


def details(summary, *fragments):
    """Fragments behind a line one opens."""
    return f"<details><summary>{text(summary)}</summary>{''.join(fragments)}</details>"


def steps(pairs):
    """Numbered steps: (what it does, the command to type)."""
    body = "".join(f"<li>{paragraph(what)}{code(command)}</li>" for what, command in pairs)
    return f"<ol>{body}</ol>" if body else ""
