"""Push and fetch with hostile partners: nothing outside, nothing believed."""

import contextlib
import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlwa.actions.sync import arriving, bundle, files, names, near, wire
from dlwa.errors import AccessError, DlwaError, NetworkError, UsageError
from tests.sync_ends import QUIET, connected, played, send


@pytest.fixture
def violin(tmp_path: Path) -> Path:
    folder = tmp_path / "violin"
    folder.mkdir()
    return folder


ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # its SHA-256
HOSTILE = [
    "../up",
    "/etc/passwd",
    "a/../../up",
    "a//b",
    ".",
    "a\\b",
    "C:x",
    "a\x00b",
    "a\nb",
    "CON",
]
HOSTILE += [
    "a/../b",
    "./a",
    "a/.",
    "com1.wav",
    "LPT9",
    "aux.tar.gz",
    "x:y",
    "a*",
    "a\x7f",
    "a\u2028b",
]
HOSTILE += [
    "a" * 300 + "/b",
    "/".join(["d" * 100] * 11),
    "\ufeffx",
    "a\r",
    "~/../x",
    "..\\up",
    "a ",
]
HOSTILE += [
    "nul.txt",
    "x.",
    " x",
    "\x1b[2J",
    "a" * 300,
    ".dlwa-parts/x",
    "\udcff",
    "\ud800",
    "\u202ex",
    "",
]
HOSTILE += ["com\u00b9.wav", "CONIN$", "lpt0.x"]


@pytest.mark.parametrize("path", HOSTILE)
def test_a_hostile_laptop_writes_nothing_outside(tmp_path, path):
    lab = tmp_path / "lab"
    lab.mkdir()
    with connected(lab) as one:
        one.send(do="push", home="inputs", name="ann/x", files=[[path, 3, 0]])
        assert "error" in one.message()
    assert [place.name for place in tmp_path.rglob("*")] == ["lab"]


@pytest.mark.parametrize("path", HOSTILE)
def test_a_hostile_lab_writes_nothing_outside(tmp_path, path):
    def lab(one: wire.Wire) -> None:
        one.message()
        one.send(files=[[path, 3, 0], ["good", 3, 0]], refused={}, step=None)
        one.message()
        for number in (1, 0):
            one.send(file=number, offset=0)
            one.send_piece(b"bad")
            one.send(end=number, sha256="0")
        one.send(finished=True)

    down = tmp_path / "down"
    with played(lab) as one, pytest.raises(DlwaError, match="own language"):
        near.fetch(one, down, {}, QUIET, together=False)
    written = [place for place in tmp_path.rglob("*") if place.is_file()]
    assert not written


@pytest.mark.parametrize("home", ["..", "labs", ".dlwa", "/etc"])
def test_only_the_four_folders_are_served(tmp_path, home):
    (tmp_path / "labs").mkdir()
    with connected(tmp_path) as one:
        one.send(do="fetch", home=home, name="ann/x", what="all")
        assert one.message()["error"]["code"] == 2
        one.send(do="fetch", home="inputs", name="../../etc", what="all")
        assert one.message()["error"]["code"] == 2


@pytest.mark.parametrize(
    "request_",
    [{}, {"do": "shell"}, {"do": "push"}, {"do": "push", "home": 1, "name": []}, {"do": "fetch"}],
)
def test_nonsense_is_answered_with_an_error(tmp_path, request_):
    with connected(tmp_path) as one:
        one.send(**request_)
        assert "error" in one.message()


def test_links_in_the_way_are_not_followed(tmp_path, violin):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "a.bin").write_text("mine")
    there = tmp_path / "lab/inputs/ann/violin"
    there.mkdir(parents=True)
    (there / "sub").symlink_to(secret)
    (there / "b.bin").symlink_to(secret / "a.bin")
    (there / "c.bin").mkdir()
    (violin / "sub").mkdir()
    for name in ("sub/a.bin", "b.bin", "c.bin", "d.bin"):
        (violin / name).write_text("theirs")
    (violin / "c.bin").write_bytes(b"x" * (there / "c.bin").stat().st_size)
    result = send(tmp_path / "lab", violin)
    assert result.refused == {
        "b.bin": "is a link there",
        "c.bin": "is no ordinary file there",
        "sub/a.bin": "goes through a link",
    }
    assert result.sent == ["d.bin"] and not result.same
    assert (secret / "a.bin").read_text() == "mine"


def test_a_link_in_the_place_of_parts_is_not_tidied(tmp_path, violin):
    """Not even where nothing has to be brought."""
    (violin / "a.bin").write_text("x")
    send(tmp_path / "lab", violin)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis").touch()
    (violin / names.PARTS).symlink_to(tmp_path / "mine")
    request = {"home": "inputs", "name": "ann/violin", "what": "all"}
    with connected(tmp_path / "lab") as one:
        assert near.fetch(one, violin, request, QUIET, together=False).same == ["a.bin"]
    assert (tmp_path / "mine/thesis").exists()


def test_a_linked_folder_is_told(tmp_path, violin):
    (violin / "old").symlink_to(tmp_path)
    assert files.scan(violin, lambda path: True) == ([], {"old": "is a link"})


TWINS = [
    ("Twin", "twin"),
    ("u\u0308", "\u00fc"),
    ("stra\u00dfe", "STRASSE"),
    ("A/x", "a/y"),
    ("a", "a/b"),
]


@pytest.mark.parametrize("pair", TWINS)
def test_twins_of_a_laptop_are_refused_by_the_lab(tmp_path, pair):
    """Two names for one file would overwrite each other where cases or accents do not count."""
    listed = [[path, 3, 0] for path in pair]
    with connected(tmp_path) as one:
        one.send(do="push", home="inputs", name="ann/x", files=listed)
        answer = one.message()
    if pair == ("A/x", "a/y"):  # folders of the same name, files that are not twins
        assert len(answer["needed"]) == 2
    else:
        assert f"cannot be told apart from {pair[0]}" in answer["error"]["message"]
    assert not list(tmp_path.glob("inputs/**/*"))


@pytest.mark.parametrize("pair", [pair for pair in TWINS if pair[0] != "A/x"])
def test_of_twins_of_a_lab_one_is_left_out(tmp_path, pair):
    def lab(one: wire.Wire) -> None:
        one.message()
        one.send(files=[[path, 3, 0] for path in pair], refused={}, step=None)
        for number, _, _ in one.message()["want"]:
            one.send(file=number, offset=0)
            one.send_piece(b"abc")
            one.send(end=number, sha256=ABC)
        one.send(finished=True)

    with played(lab) as one:
        result = near.fetch(one, tmp_path / "down", {}, QUIET, together=False)
    assert len(result.sent) == 1 and len(result.refused) == 1
    assert len([place for place in (tmp_path / "down").rglob("*") if place.is_file()]) == 1


@pytest.mark.parametrize("link", ["sub", "b.bin", names.PARTS])
def test_links_on_the_laptop_are_not_followed_by_what_a_lab_sends(tmp_path, link):
    """Not one in the way of a file, not one in its place, not one where parts are kept."""

    def lab(one: wire.Wire) -> None:
        one.message()
        one.send(files=[["sub/a.bin", 3, 0], ["b.bin", 3, 0]], refused={}, step=None)
        for number, _, _ in one.message()["want"]:
            one.send(file=number, offset=0)
            one.send_piece(b"abc")
            one.send(end=number, sha256=ABC)
        one.send(finished=True)

    secret, down = tmp_path / "secret", tmp_path / "down"
    secret.mkdir()
    down.mkdir()
    (secret / "a.bin").write_text("mine")
    (down / link).symlink_to(secret / "a.bin" if link == "b.bin" else secret)
    with played(lab) as one, contextlib.suppress(UsageError):
        result = near.fetch(one, down, {}, QUIET, together=False)
        assert "link" in " ".join(result.refused.values())
    assert [place.name for place in secret.iterdir()] == ["a.bin"]
    assert (secret / "a.bin").read_text() == "mine"


def test_a_folder_in_the_way_here_keeps_that_file_back_or_the_whole_model(tmp_path):
    def lab(one: wire.Wire) -> None:
        one.message()
        one.send(files=[["ckpt-1.index", 3, 0], ["checkpoint", 3, 0]], refused={}, step=1)
        for number, _, _ in one.message()["want"]:
            one.send(file=number, offset=0)
            one.send_piece(b"abc")
            one.send(end=number, sha256=ABC)
        one.send(finished=True)

    (tmp_path / "down/checkpoint").mkdir(parents=True)
    for together, sent in ((True, []), (False, ["ckpt-1.index"])):
        with played(lab) as one:
            result = near.fetch(one, tmp_path / "down", {}, QUIET, together=together)
        assert result.refused == {"checkpoint": "is no ordinary file here"}
        assert result.sent == sent == [path.name for path in (tmp_path / "down").glob("ckpt*")]


def test_parts_are_kept_in_no_link_of_a_lab(tmp_path, violin):
    (violin / "a.bin").write_text("theirs")
    (tmp_path / "secret").mkdir()
    there = tmp_path / "lab/inputs/ann/violin"
    there.mkdir(parents=True)
    (there / names.PARTS).symlink_to(tmp_path / "secret")
    with pytest.raises(DlwaError, match="link"):
        send(tmp_path / "lab", violin)
    assert not list((tmp_path / "secret").iterdir())


def test_others_folders_are_refused_by_the_lab_itself(tmp_path, violin):
    (violin / "a.bin").write_text("x")
    with pytest.raises(AccessError, match="belongs to ben"):
        send(tmp_path / "lab", violin, request={"name": "ben/violin"})
    (tmp_path / "lab/inputs/ben/song").mkdir(parents=True)
    with pytest.raises(AccessError, match="belongs to ben"):
        send(tmp_path / "lab", violin, request={"name": "ben"}, delete=bool)
    assert send(tmp_path / "lab", violin, request={"name": "ben/v", "as_admin": True}).sent


def test_a_lab_that_sends_more_than_it_said_is_not_believed(tmp_path):
    def lab(one: wire.Wire) -> None:
        one.message()
        one.send(files=[["a", 3, 0]], refused={}, step=None)
        one.message()
        one.send(file=0, offset=0)
        one.send_piece(b"too much")
        one.send(end=0, sha256="")
        one.send(finished=True)

    with played(lab) as one:
        result = near.fetch(one, tmp_path / "down", {}, QUIET, together=False)
    assert "longer" in result.refused["a"]
    assert not (tmp_path / "down/a").exists()


def test_one_spoilt_file_keeps_the_whole_model_back(tmp_path):
    def lab(one: wire.Wire) -> None:
        one.message()
        one.send(files=[["ckpt-1.index", 3, 0], ["checkpoint", 3, 0]], refused={}, step=1)
        one.message()
        for number in (0, 1):
            one.send(file=number, offset=0)
            one.send_piece(b"abc")
            one.send(end=number, sha256=ABC if number else "0")
        one.send(finished=True)

    with played(lab) as one:
        result = near.fetch(one, tmp_path / "down", {}, QUIET, together=True)
    assert result.bad == ["ckpt-1.index"] and not (tmp_path / "down/checkpoint").exists()


IMPOSSIBLE = [["a", 10**400, 0], ["a", 1 << 63, 0], ["a", 0, 10**30], ["a", 0, -(10**40)]]


@pytest.mark.parametrize("entry", IMPOSSIBLE, ids=["huge", "large", "late", "early"])
def test_sizes_and_times_that_cannot_be_are_refused_in_words(tmp_path, entry):
    def lab(one: wire.Wire) -> None:
        one.message()
        one.send(files=[entry], refused={}, step=None)
        one.message()

    with played(lab) as one, pytest.raises(DlwaError, match="its own language"):
        near.fetch(one, tmp_path / "down", {}, QUIET, together=False)
    with connected(tmp_path / "lab") as one:
        one.send(do="push", home="inputs", name="ann/v", files=[entry])
        assert "no " in one.message()["error"]["message"]
    assert not (tmp_path / "down").exists() and not (tmp_path / "lab/inputs").exists()


def test_a_message_nested_without_end_is_no_message():
    load = b"[" * 200_000
    frames = [b"J" + len(load).to_bytes(4, "big") + load]
    one = wire.Wire(wire.FunctionPipe(lambda size: frames.pop(), len))
    with pytest.raises(NetworkError, match="language"):
        one.receive()


@pytest.mark.parametrize("now", ["link", "pipe"])
def test_what_became_a_link_or_a_pipe_is_not_sent(tmp_path, violin, now):
    """Listed as a file: a link would bring what it leads to, a pipe is waited for for ever."""
    place = violin / "a.wav"
    place.write_bytes(b"0123456789")
    (violin / "b.wav").write_bytes(b"good")
    (tmp_path / "secret").write_bytes(b"top secret")
    listed = files.scan(violin, lambda path: True)
    os.utime(tmp_path / "secret", ns=(listed[0][0].mtime_ns,) * 2)
    offered = bundle.offer(violin, "all", "ann/violin")
    place.unlink()
    place.symlink_to(tmp_path / "secret") if now == "link" else os.mkfifo(place)
    with connected(tmp_path / "lab") as one:
        request = {"home": "inputs", "name": "ann/violin"}
        result = near.push(one, violin, listed, request, QUIET)
    assert result.sent == ["b.wav"] and "by now" in result.refused["a.wav"]
    with pytest.raises(OSError, match="by now"), offered.opened(offered.entries[0]):
        pass


@given(st.binary(max_size=200))
def test_noise_on_the_wire_is_an_error_and_nothing_else(data):
    pieces = [data]
    one = wire.Wire(wire.FunctionPipe(lambda size: pieces.pop() if pieces else b"", len))
    with contextlib.suppress(NetworkError, ValueError):
        while True:
            one.receive()


@given(st.text(max_size=40))
def test_a_name_that_may_cross_stays_in_its_folder(path):
    if names.problem_of(path):
        return
    place = names.inside(Path("/lab/inputs"), path)
    assert Path(os.path.normpath(place)).is_relative_to("/lab/inputs") and place.name


def test_what_the_labs_login_may_not_write_is_no_access(tmp_path, violin, monkeypatch):
    """Root may write everywhere, so the refusal is made up."""
    (violin / "a.bin").write_text("x")

    def refuses(place: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "there")

    monkeypatch.setattr(arriving.Parts, "opened", refuses)
    with pytest.raises(AccessError, match="may not write there"):
        send(tmp_path / "lab", violin)
