"""Options in dataclasses: what typer reads, and what the command gets."""

import inspect
from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from dlwa.cli._spread import spread


@dataclass(frozen=True)
class Sound:
    volume_db: Annotated[float, typer.Option("--volume", help="How loud.")]
    reverb: Annotated[bool, typer.Option("--reverb/--dry")] = True


def play(name: Annotated[str, typer.Argument()], sound: Sound, *, again: bool = False) -> None:
    print(name, sound, again)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["a.wav", "--volume", "-3"], 0, "a.wav Sound(volume_db=-3.0, reverb=True) False"),
        (
            ["--dry", "b.wav", "--volume=1", "--again"],
            0,
            "b.wav Sound(volume_db=1.0, reverb=False) True",
        ),
        (["a.wav"], 2, "Missing option '--volume'"),
        (["--help"], 0, "How loud."),
    ],
)
def test_the_fields_are_options(words: list[str], code: int, told: str) -> None:
    app = typer.Typer(rich_markup_mode=None)
    app.command()(spread(play))
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, told in done.output) == (code, True)


def test_they_stand_where_the_dataclass_stood() -> None:
    assert list(inspect.signature(spread(play)).parameters) == [
        "name",
        "volume_db",
        "reverb",
        "again",
    ]


def test_a_command_without_them_stays_as_it_is() -> None:
    def plain(name: str) -> None: ...

    assert spread(plain) is plain
