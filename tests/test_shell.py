"""Commands as data, and how they are shown."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlwa.shell import Command, join, split

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(words, min_size=1, max_size=5))
def test_a_shown_command_reads_back_as_itself(argv: list[str]) -> None:
    assert split(join(argv)) == argv


@pytest.mark.parametrize("word", ["it's", "$(id)", "a b", "`id`", '"', "\\", "!x", "'$HOME'", "*"])
def test_a_shell_reads_a_shown_word_as_itself(word: str) -> None:
    shown = str(Command(("printf", "%s", word)))
    assert subprocess.run(["sh", "-c", shown], capture_output=True, text=True).stdout == word


def test_gin_strings_are_shown_as_people_write_them() -> None:
    shown = join(["--gin_param=TFRecordProvider.file_pattern='x*'"])
    assert shown == "\"--gin_param=TFRecordProvider.file_pattern='x*'\""


def test_folder_and_environment_are_shown() -> None:
    command = Command(("ls",), {"A": "x y", "STY": None}, Path("/my dir"))
    assert str(command) == "cd '/my dir' && env -uSTY A='x y' ls"


def test_a_command_needs_a_program() -> None:
    with pytest.raises(ValueError, match="argv"):
        Command(())
