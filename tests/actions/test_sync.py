"""The two ends of push and fetch, over a socket, with honest and hostile partners."""

import contextlib
import errno
import json
import os
import random
import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from dlwa.actions.sync import arriving, far, files, names, near, wire
from dlwa.actions.sync.files import Entry
from dlwa.errors import BusyError, DlwaError, NetworkError, UsageError
from dlwa.labs import Limits
from dlwa.locks import FileLock
from dlwa.settings import Settings
from tests.sync_ends import QUIET, connected, send


@pytest.fixture
def violin(tmp_path: Path) -> Path:
    folder = tmp_path / "violin"
    folder.mkdir()
    return folder


SIZES = [0, 1, 1000, 32767, 32768, 32769, wire.PIECE_BYTES, files.BLOCK_BYTES - 1]
SIZES += [files.BLOCK_BYTES, files.BLOCK_BYTES + 1, 3 * files.BLOCK_BYTES + 5]


@pytest.mark.parametrize("size", SIZES)
def test_files_of_all_sizes_arrive_whole_over_longer_and_shorter_ones(tmp_path, violin, size):
    data = os.urandom(size)
    (violin / "a.bin").write_bytes(data)
    target = tmp_path / "lab/inputs/ann/violin/a.bin"
    for there in (None, b"", data + b"longer", data[: size // 2]):
        target.unlink(missing_ok=True)
        if there is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(there)
            os.utime(target, (1, 1))
        result = send(tmp_path / "lab", violin)
        assert target.read_bytes() == data and not result.bad
    assert target.stat().st_mtime_ns == (violin / "a.bin").stat().st_mtime_ns


CHANCE = random.Random(7)
CUTS = [CHANCE.randrange(1000, 5 * files.BLOCK_BYTES) for _ in range(20)]


class Cut:
    """A socket that ends after some bytes, whichever way they go."""

    def __init__(self, sock: socket.socket, after: int) -> None:
        self._sock, self._left = sock, after

    def send(self, data: bytes) -> None:
        data, rest = data[: self._left], data[self._left :]
        self._sock.sendall(data)
        self._spend(len(data))
        if rest:
            raise NetworkError("cut")

    def receive(self, size: int) -> bytes:
        data = self._sock.recv(min(size, self._left)) if self._left else b""
        self._spend(len(data))
        return data

    def _spend(self, count: int) -> None:
        self._left -= count
        if not self._left:
            self._sock.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cut_after(root: Path, count: int):
    """A wire to a far end that breaks; waits until the far end has noticed."""
    here, there = socket.socketpair()
    served = wire.Wire(wire.FunctionPipe(there.recv, there.sendall))

    def serve() -> None:
        with there, contextlib.suppress(OSError):
            far.serve(served, Settings("ann", root, origins={"owner": "test"}), Limits())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    broken = Cut(here, count)
    with contextlib.suppress(NetworkError, OSError):
        yield wire.Wire(wire.FunctionPipe(broken.receive, broken.send))
    here.close()
    thread.join(5)


@pytest.mark.parametrize("after", CUTS)
def test_a_cut_push_costs_at_most_the_rest_and_a_block(tmp_path, violin, after):
    size = 5 * files.BLOCK_BYTES + 123
    data = os.urandom(size)
    (violin / "a.bin").write_bytes(data)
    place = tmp_path / "lab/inputs/ann/violin/a.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"the old good copy")
    listed = files.scan(violin, lambda path: True)
    with cut_after(tmp_path / "lab", after) as one:
        near.push(one, violin, listed, {"home": "inputs", "name": "ann/violin"}, QUIET)
    assert place.read_bytes() == b"the old good copy"
    result = send(tmp_path / "lab", violin)
    assert place.read_bytes() == data and result.sent == ["a.bin"]
    assert result.bytes <= size - max(0, after - 4096) + files.BLOCK_BYTES + 4096


@pytest.mark.parametrize("after", CUTS)
def test_a_cut_fetch_costs_at_most_the_rest_and_a_block(tmp_path, after):
    size = 5 * files.BLOCK_BYTES + 123
    data = os.urandom(size)
    there = tmp_path / "lab/outputs/ann/x/a.bin"
    there.parent.mkdir(parents=True)
    there.write_bytes(data)
    down = tmp_path / "down"
    down.mkdir()
    (down / "a.bin").write_bytes(b"the old good copy")
    request = {"home": "outputs", "name": "ann/x", "what": "all"}
    with cut_after(tmp_path / "lab", after) as one:
        near.fetch(one, down, request, QUIET, together=False)
    assert (down / "a.bin").read_bytes() == b"the old good copy"
    with connected(tmp_path / "lab") as one:
        result = near.fetch(one, down, request, QUIET, together=False)
    assert (down / "a.bin").read_bytes() == data
    assert result.bytes <= size - max(0, after - wire.PIECE_BYTES) + files.BLOCK_BYTES


def test_a_size_of_two_gib_and_one_is_counted_right(tmp_path, violin):
    """The file has a hole, so that only its numbers are big."""
    with (violin / "big.bin").open("wb") as stream:
        stream.truncate((2 << 30) + 1)
    listed = files.scan(violin, lambda path: True)
    with connected(tmp_path) as one:
        request = {"home": "inputs", "name": "ann/violin"}
        result = near.push(one, violin, listed, request, QUIET, dry_run=True)
    assert result.bytes == (2 << 30) + 1


def test_accents_of_old_macos_become_ordinary_ones(tmp_path, violin):
    (violin / "u\u0308bung.wav").write_bytes(b"1")
    assert send(tmp_path / "lab", violin).sent == ["\u00fcbung.wav"]
    assert (tmp_path / "lab/inputs/ann/violin/\u00fcbung.wav").exists()
    assert send(tmp_path / "lab", violin).sent == []


def test_a_file_that_changes_while_it_is_sent_is_not_taken(tmp_path, violin):
    (violin / "a.bin").write_bytes(b"x" * 100)
    listed = ([Entry("a.bin", 50, 0)], {})
    with connected(tmp_path / "lab") as one:
        request = {"home": "inputs", "name": "ann/violin"}
        result = near.push(one, violin, listed, request, QUIET)
    assert result.bad == ["a.bin"]
    assert not (tmp_path / "lab/inputs/ann/violin/a.bin").exists()


def test_a_file_overwritten_in_place_while_it_is_sent_is_not_taken(tmp_path, violin):
    """Half old and half new, but as long as before."""
    (violin / "a.bin").write_bytes(bytes(8 << 20))
    listed = files.scan(violin, lambda path: True)

    def overwrites(count: int) -> None:
        with (violin / "a.bin").open("r+b") as stream:
            stream.seek(-10, 2)
            stream.write(b"0123456789")

    shown = near.Shown(lambda *_: None, overwrites, lambda *_: None)
    with connected(tmp_path / "lab") as one:
        request = {"home": "inputs", "name": "ann/violin"}
        assert near.push(one, violin, listed, request, shown).bad == ["a.bin"]
    assert not (tmp_path / "lab/inputs/ann/violin/a.bin").exists()


@pytest.mark.parametrize("way", ["push", "fetch"])
def test_a_part_that_goes_meanwhile_is_asked_for_anew(tmp_path, violin, way):
    """Another try of the same had it whole after all, a moment after this one looked."""
    (violin / "a.bin").write_bytes(bytes(2 * files.BLOCK_BYTES))
    (tmp_path / "lab/inputs/ann").mkdir(parents=True)
    (tmp_path / "lab/inputs/ann/song").symlink_to(violin)
    target = tmp_path / ("lab/inputs/ann/violin" if way == "push" else "down")
    parts = arriving.Parts(target)
    parts.place.mkdir(parents=True)
    part = parts.part_of("a.bin")
    part.write_bytes(bytes(files.BLOCK_BYTES))
    shown = near.Shown(lambda *_: part.unlink(missing_ok=True), lambda _: None, lambda *_: None)
    with connected(tmp_path / "lab") as one:
        if way == "push":
            request = {"home": "inputs", "name": "ann/violin"}
            listed = files.scan(violin, lambda path: True)
            result = near.push(one, violin, listed, request, shown)
        else:
            request = {"home": "inputs", "name": "ann/song", "what": "all"}
            result = near.fetch(one, target, request, shown, together=False)
    assert result.bad == ["a.bin"] and not result.refused


def test_a_file_that_cannot_be_read_does_not_keep_the_others_back(tmp_path, monkeypatch):
    """A broken disk is found out in the middle of a file."""
    offered = tmp_path / "lab/outputs/ann/song"
    offered.mkdir(parents=True)
    for name in ("a.wav", "b.wav"):
        (offered / name).write_bytes(os.urandom(3000))
    sends = wire.Wire.send_piece_of

    tries = []

    def breaks(one, stream, limit):
        tries.append(limit)
        if len(tries) == 1:
            raise OSError(errno.EIO, "Input/output error")
        return sends(one, stream, limit)

    monkeypatch.setattr(wire.Wire, "send_piece_of", breaks)
    request = {"home": "outputs", "name": "ann/song", "what": "all"}
    with connected(tmp_path / "lab") as one:
        result = near.fetch(one, tmp_path / "down", request, QUIET, together=False)
    assert (result.sent, result.bad) == (["b.wav"], ["a.wav"])


def test_what_lies_there_already_is_not_counted_against_the_share_twice(tmp_path, violin):
    """Else a push that was cut, or of what has changed, could not be repeated."""
    (violin / "a.bin").write_bytes(os.urandom(6_000_000))
    limits = Limits(disk_gb_per_owner=0.01)
    parts = arriving.Parts(tmp_path / "lab/inputs/ann/violin")
    parts.place.mkdir(parents=True)
    parts.part_of("a.bin").write_bytes((violin / "a.bin").read_bytes()[:5_000_000])
    assert send(tmp_path / "lab", violin, limits=limits).sent == ["a.bin"]
    (violin / "a.bin").write_bytes(os.urandom(7_000_000))
    assert send(tmp_path / "lab", violin, limits=limits).sent == ["a.bin"]
    (violin / "b.bin").write_bytes(os.urandom(4_000_000))
    with pytest.raises(BusyError, match="GB allowed"):
        send(tmp_path / "lab", violin, limits=limits)


def test_the_share_of_an_owner_is_kept(tmp_path, violin):
    (violin / "a.bin").write_bytes(b"x" * 2_000_000)
    with pytest.raises(BusyError, match="would use"):
        send(tmp_path, violin, limits=Limits(disk_gb_per_owner=0.001))
    assert not (tmp_path / "inputs/ann/violin/a.bin").exists()


def test_too_little_room_is_said_before_anything_is_sent(tmp_path, violin, monkeypatch):
    (violin / "a.bin").write_bytes(b"x" * 2_000_000)
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(DlwaError, match=r"1\.0 MB free, 2\.0 MB are needed"):
        send(tmp_path / "lab", violin)


def test_where_nothing_fits_nothing_is_left(tmp_path, violin, monkeypatch):
    (violin / "a.bin").write_bytes(b"x" * 5000)
    (tmp_path / "lab/inputs/ann").mkdir(parents=True)
    violin.rename(tmp_path / "lab/inputs/ann/song")
    request = {"home": "inputs", "name": "ann/song", "what": "all"}
    monkeypatch.setattr("shutil.disk_usage", lambda place: SimpleNamespace(free=4000))
    with connected(tmp_path / "lab") as one, pytest.raises(DlwaError, match="free"):
        near.fetch(one, tmp_path / "down/song", request, QUIET, together=False)
    assert not (tmp_path / "down/song").exists()


def test_a_disk_that_fills_up_costs_that_file_only(tmp_path, violin, monkeypatch):
    for name in ("a", "b", "c"):
        (violin / name).write_bytes(name.encode() * 1000)
    take = arriving.Arriving.take

    def full(self, data):
        if self.entry.path == "b":
            raise OSError(28, "No space left on device")
        take(self, data)

    monkeypatch.setattr(arriving.Arriving, "take", full)
    result = send(tmp_path / "lab", violin)
    assert result.sent == ["a", "c"] and result.refused == {
        "b": "does not fit: the disk of the lab is full"
    }


def test_two_laptops_do_not_push_to_one_folder(tmp_path, violin):
    (violin / "a.bin").write_bytes(b"x")
    lock = FileLock(tmp_path / "lab/.dlwa/locks/sync.inputs.ann+violin.lock")
    lock.path.parent.mkdir(parents=True)
    assert lock.try_acquire()
    with pytest.raises(BusyError, match="pushing to it now"):
        send(tmp_path / "lab", violin, request={"client": "other"})
    lock.release()
    assert send(tmp_path / "lab", violin).sent == ["a.bin"]


@pytest.mark.parametrize("way", ["push", "fetch"])
def test_two_that_meet_in_one_folder_do_not_take_each_others_parts(tmp_path, violin, way):
    """Two owners' models of one name fetched to one place, or one dlwa in another workspace."""
    (violin / "a.bin").write_bytes(b"mine")
    target = tmp_path / ("lab/inputs/ann/violin" if way == "push" else "down")
    request = {"home": "inputs", "name": "ann/song", "what": "all"}
    (tmp_path / "lab/inputs/ann").mkdir(parents=True)
    (tmp_path / "lab/inputs/ann/song").symlink_to(violin)

    def again():
        if way == "push":
            return send(tmp_path / "lab", violin)
        with connected(tmp_path / "lab") as one:
            return near.fetch(one, target, request, QUIET, together=False)

    other = arriving.Parts(target)
    theirs = other.part_of("theirs")
    with other.opened():
        theirs.write_bytes(b"half of it")
        with pytest.raises(BusyError, match="another push or fetch"):
            again()
        assert theirs.exists() and not (target / "a.bin").exists()
    assert again().sent == ["a.bin"]
    assert not theirs.exists()


def test_a_file_in_the_place_of_parts_is_told(tmp_path, violin):
    (violin / "a.bin").write_bytes(b"mine")
    (tmp_path / "lab/inputs/ann").mkdir(parents=True)
    (tmp_path / "lab/inputs/ann/song").symlink_to(violin)
    (tmp_path / "down").mkdir()
    (tmp_path / "down" / names.PARTS).touch()
    request = {"home": "inputs", "name": "ann/song", "what": "all"}
    with connected(tmp_path / "lab") as one, pytest.raises(UsageError, match="no folder"):
        near.fetch(one, tmp_path / "down", request, QUIET, together=False)


def test_nothing_is_pushed_into_the_folder_of_a_living_run(tmp_path):
    source, there = tmp_path / "violin", tmp_path / "lab/models/ddsp/ann/violin"
    source.mkdir()
    there.mkdir(parents=True)
    (source / "ckpt-1.index").write_text("other")
    with FileLock(there / ".run.lock"), pytest.raises(BusyError, match="a run goes on"):
        send(tmp_path / "lab", source, request={"home": "models"})
    assert not (there / "ckpt-1.index").exists()


def test_what_lies_behind_whole_blocks_makes_room(tmp_path):
    parts, entry = arriving.Parts(tmp_path), Entry("a.bin", 3 * files.BLOCK_BYTES, 0)
    parts.place.mkdir()
    assert parts.loose(entry, []) == 0
    parts.part_of("a.bin").write_bytes(bytes(files.BLOCK_BYTES + 500))
    assert parts.loose(entry, parts.blocks(entry)) == 500


def test_twins_are_found_in_folders_too():
    found = names.twins(["a/x.wav", "A/x.wav", "b", "B/y", "caf\u00e9", "cafe\u0301"])
    assert set(found) >= {"A/x.wav", "cafe\u0301"} and {"b", "B/y"} & set(found)


def test_a_request_that_is_no_mapping_ends_the_wire():
    here, there = socket.socketpair()
    with here, there:
        there.sendall(wire._HEAD.pack(b"J", 4) + json.dumps([1]).encode().ljust(4))
        with pytest.raises((NetworkError, UsageError)):
            wire.Wire(wire.FunctionPipe(here.recv, here.sendall)).message()
