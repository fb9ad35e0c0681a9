"""Names: what is let in, what is refused and how the error helps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlwa.errors import UsageError
from dlwa.names import MAX_NAME, MAX_PART, Name, parse_name, parse_owner, safe_spelling


@pytest.mark.parametrize(
    "text", ["violin", "ann/violin", "ann/violin/v2", "A-1/b_2.3", "_x/9", "a" * MAX_PART]
)
def test_an_ordinary_name_is_kept_as_it_is(text: str) -> None:
    assert str(parse_name(text)) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("..", "'..'"),
        ("ann/../bob", "'..'"),
        ("./violin", "'.'"),
        ("/etc/passwd", "absolute"),
        ("ann//violin", "empty part"),
        ("ann/violin/", "empty part"),
        ("ann\\violin", "backslash"),
        ("ann/my violin", "space"),
        ("ann/it's", "quote"),
        ('ann/"x"', "quote"),
        ("ann/$(reboot)", "'$'"),
        ("ann/`id`", "'`'"),
        ("ann/x;ls", "';'"),
        ("ann/x|y", "'|'"),
        ("~root/x", "'~'"),
        ("ann/x\ny", "line break"),
        ("ann/x\ty", "control character"),
        ("ann/\x1b[31m", "control character"),
        ("ann/\u202egnp", "control character"),
        ("ann/x\0", "control character"),
        ("-rf/x", "'-'"),
        ("ann/--help", "'-'"),
        ("ann/.hidden", "'.'"),
        ("ann/violin.", "ends with a dot"),
        ("CON/violin", "device on Windows"),
        ("ann/nul.txt", "device on Windows"),
        ("ann/Com1", "device on Windows"),
        ("ann/ääni", "'ä'"),
        ("a" * (MAX_PART + 1), f"longer than {MAX_PART}"),
        ("/".join("abcdefghij" * 30), f"at most {MAX_NAME}"),
        ("C:/x", "':'"),
        ("ann/*", "'*'"),
    ],
)
def test_anything_that_could_be_mistaken_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_name(text, "model_name")
    assert problem in caught.value.message
    assert caught.value.message.startswith("model_name=")
    assert caught.value.message.isprintable()
    assert "allowed are" in caught.value.message
    suggestion = caught.value.hint.removeprefix("try: ")
    assert str(parse_name(suggestion)) == suggestion


def test_the_offending_part_is_named() -> None:
    with pytest.raises(UsageError, match="the part 'my violin'"):
        parse_name("ann/my violin/v2")


def test_a_name_cannot_be_built_unchecked() -> None:
    with pytest.raises(UsageError):
        Name(("ann", ".."))
    with pytest.raises(UsageError):
        Name(("ann/violin",)).sibling("/../x")


def test_an_owner_has_no_slash() -> None:
    assert parse_owner("ann") == "ann"
    with pytest.raises(UsageError, match="slash"):
        parse_owner("ann/violin")


def test_the_owner_is_the_first_part_of_several() -> None:
    assert parse_name("ann/violin/v2").owner("me") == "ann"
    assert parse_name("violin").owner("me") == "me"


@given(st.text(max_size=400))
def test_every_text_has_a_safe_spelling(text: str) -> None:
    safe = safe_spelling(text)
    assert str(parse_name(safe)) == safe


@given(st.text(max_size=300))
def test_a_name_never_leads_outside(text: str) -> None:
    try:
        path = parse_name(text).path
    except UsageError:
        return
    assert not path.is_absolute() and ".." not in path.parts
    assert all(part[0] not in ".-" for part in path.parts)
