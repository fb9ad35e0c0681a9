"""Tables stay readable in eighty columns: no towers of letters, nothing lost, nothing steered."""

import pytest
from rich.cells import cell_len

from dlwa.cli._table import clean, lines_of, plain_lines_of

COLUMNS = ["run", "owner", "id", "kind", "state", "how far", "note"]
WAITS = "waits, 2nd in line: GPU 0 is used by ann/violin; GPU 1 is used by ben/flute"
SHORT = [
    ["ann/violin", "ann", "0badcafe", "train", "running", "1200/30000 steps", "about 4 h left"],
    ["ben/flute", "ben", "11111111", "train", "queued", "", WAITS],
]
LONG = [
    ["maria-josefina_the_third/saxophone", "maria-josefina_the_third", *SHORT[0][2:]],
    ["小林/尺八", "小林", *SHORT[1][2:]],
]


def texts(columns: list[str], rows: list[list[str]], width: int) -> list[str]:
    return [line.text for line in lines_of(columns, rows, width)]


def test_what_fits_stands_in_columns() -> None:
    head, rule, first, second = texts(COLUMNS, SHORT, 160)
    assert head.index("note") == first.index("about 4 h") == second.index("waits")
    assert set(rule) == {"─"} and head.split() == " ".join(COLUMNS).split()


def test_prose_goes_beneath_its_row() -> None:
    lines = texts(COLUMNS, SHORT, 80)
    assert lines[2] == "ann/violin  ann    0badcafe  train  running  1200/30000 steps"
    assert lines[3] == "    about 4 h left"
    assert lines[4].startswith("ben/flute   ben    11111111")
    assert " ".join(line.strip() for line in lines[5:]) == WAITS


def test_prose_keeps_its_column_where_there_is_room() -> None:
    rows = [["ok", "disk", "x " * 60], ["warn", "gpu", "short"], ["ok", "none", ""]]
    lines = texts(["", "check", "found"], rows, 80)
    assert lines[0].index("found") == lines[2].index("x") == lines[-2].index("short")
    assert lines[3].startswith(" " * lines[0].index("found") + "x")
    assert lines[-1] == "ok    none"


def test_an_owner_the_names_tell_already_is_left_out_only_where_it_is_tight() -> None:
    assert any("ann    0badcafe" in line for line in texts(COLUMNS, SHORT, 80))
    tight = texts(COLUMNS, SHORT, 58)
    assert "ann/violin  0badcafe  train  running  1200/30000 steps" in tight
    others = [["violin", "ann", *SHORT[0][2:]], SHORT[1]]
    assert any(line.endswith("steps") and " ann " in line for line in texts(COLUMNS, others, 62))


def test_a_long_name_gets_a_line_of_its_own() -> None:
    lines = texts(COLUMNS, LONG, 70)
    assert lines[:2] == ["run", "    id        kind   state    how far"]
    assert lines[3:5] == [LONG[0][0], "    0badcafe  train  running  1200/30000 steps"]
    assert lines[6] == "小林/尺八"


@pytest.mark.parametrize("width", [20, 40, 80, 120, 200])
@pytest.mark.parametrize("rows", [SHORT, LONG, [[word * 9 for word in SHORT[0]]]])
def test_no_line_is_too_long_and_no_letter_is_lost(rows: list[list[str]], width: int) -> None:
    lines = texts(COLUMNS, rows, width)
    assert max(map(cell_len, lines)) <= width
    told = "".join("".join(lines).split())
    for row in rows:
        for place, cell in enumerate(row):
            told_by_name = place == 1 and row[0].startswith(f"{cell}/")
            assert told_by_name or "".join(cell.split()) in told, cell


def test_wide_letters_are_counted_as_wide() -> None:
    lines = texts(["owner", "runs"], [["小林", "1"], ["ann", "2"]], 80)
    assert cell_len(lines[2][: lines[2].index("1")]) == lines[3].index("2") == 7


def test_nothing_in_a_cell_steers_the_terminal() -> None:
    evil = "a\x1b[2Jb\rc\nd\u202ee\x07"
    assert clean(evil) == "a [2Jb c d e "
    for line in (*texts(["x", "y"], [[evil, "1"]], 80), *plain_lines_of(["x"], [[evil]])):
        assert line.isprintable()


def test_off_a_terminal_a_row_is_a_line() -> None:
    lines = plain_lines_of(COLUMNS, LONG)
    assert len(lines) == 3 and lines[2].endswith(WAITS)
    assert cell_len(lines[1][: lines[1].index("0badcafe")]) == lines[0].index("id")


def test_a_table_without_rows_is_its_head() -> None:
    assert texts(["a", "b"], [], 80) == ["a  b", "────"]
    assert plain_lines_of(["a", "b"], []) == ["a  b"]
