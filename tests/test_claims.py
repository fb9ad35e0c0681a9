"""Locks and claims: whose turn it is, why not, and that nobody gets what another holds."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from dlwa.claims import Claims, Device, Ticket, Want
from dlwa.errors import AccessError
from dlwa.locks import FileLock, is_locked

GPUS = [Device("GPU-a", "GPU 0"), Device("GPU-b", "GPU 1")]


def want(run_id: str, owner: str = "ann", **more) -> Want:
    return Want(run_id, owner, f"{owner}/{run_id}", "/nowhere", pool="gpu", **more)


@pytest.fixture
def claims(tmp_path: Path) -> Claims:
    return Claims(tmp_path / "locks")


def ask(claims: Claims, ticket, devices=GPUS):
    answer = claims.ask(ticket, devices)
    return [device.key for device in answer.granted] if answer.granted is not None else answer


def test_two_runs_two_gpus_a_third_waits_and_is_told_for_whom(claims: Claims) -> None:
    first, second, third = (claims.enter(want(name)) for name in ("one", "two", "three"))
    assert ask(claims, first) == ["GPU-a"]
    assert ask(claims, second) == ["GPU-b"]
    answer = ask(claims, third)
    assert answer.reason == "GPU 0 is used by ann/one; GPU 1 is used by ann/two"
    assert answer.position == 1
    assert {blocker.run_id for blocker in answer.blockers} == {"one", "two"}
    claims.leave(first)
    assert ask(claims, third) == ["GPU-a"]


def test_a_gpu_used_from_outside_is_not_taken(claims: Claims) -> None:
    busy = [Device("GPU-a", "GPU 0", "pid 42 (bob python)"), GPUS[1]]
    first, second = claims.enter(want("one")), claims.enter(want("two"))
    assert ask(claims, first, busy) == ["GPU-b"]
    reason = ask(claims, second, busy).reason
    assert "pid 42 (bob python), from outside dlwa" in reason and "ann/one" in reason


def test_who_came_first_is_served_first(claims: Claims) -> None:
    first, second = claims.enter(want("one", "ann")), claims.enter(want("two", "bob"))
    one = GPUS[:1]
    answer = ask(claims, second, one)
    assert answer.position == 2 and answer.reason == "others are first"
    assert ask(claims, first, one) == ["GPU-a"]


def test_turns_go_round_the_owners(claims: Claims) -> None:
    """Ann asked three times before Bob did; Bob still comes second."""
    anns = [claims.enter(want(f"ann{n}", "ann")) for n in range(3)]
    bob = claims.enter(want("bob", "bob"))
    assert ask(claims, anns[0], GPUS[:1]) == ["GPU-a"]
    assert ask(claims, bob, GPUS[:1]).position == 1
    assert ask(claims, anns[1], GPUS[:1]).position == 2


def test_who_has_just_had_a_turn_comes_after_who_had_none(claims: Claims) -> None:
    """Ann asked twice before Bob did. When her first ends, it is Bob's turn, as he was told."""
    first, second = claims.enter(want("one", "ann")), claims.enter(want("two", "ann"))
    bob = claims.enter(want("bob", "bob"))
    assert ask(claims, first, GPUS[:1]) == ["GPU-a"]
    assert ask(claims, bob, GPUS[:1]).position == 1
    claims.leave(first)
    assert ask(claims, second, GPUS[:1]).position == 2
    assert ask(claims, bob, GPUS[:1]) == ["GPU-a"]
    third = claims.enter(want("three", "bob"))
    claims.leave(bob)
    assert ask(claims, third, GPUS[:1]).position == 2, "now it is Ann's turn again"
    assert ask(claims, second, GPUS[:1]) == ["GPU-a"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"gpu ann": null}'])
def test_a_damaged_note_of_turns_only_forgets_them(claims: Claims, damage: str) -> None:
    first = claims.enter(want("one", "ann"))
    (claims.folder / "turns").write_text(damage)
    assert ask(claims, first) == ["GPU-a"]
    assert json.loads((claims.folder / "turns").read_text()) == {"gpu ann": 1}


def test_who_needs_two_gpus_is_not_overtaken_for_ever(claims: Claims) -> None:
    holder = claims.enter(want("holder", "ann"))
    assert ask(claims, holder) == ["GPU-a"]
    big, small = claims.enter(want("big", "bob", count=2)), claims.enter(want("small", "cid"))
    assert "GPU 0 is used by ann/holder" in ask(claims, big).reason
    assert ask(claims, small).position == 2
    claims.leave(holder)
    assert ask(claims, big) == ["GPU-a", "GPU-b"]


def test_more_gpus_than_there_are_is_said(claims: Claims) -> None:
    assert ask(claims, claims.enter(want("x", count=3))).reason == (
        "needs 3 GPUs, the machine has 2"
    )


def test_who_needs_more_than_there_is_keeps_nothing_from_others(claims: Claims) -> None:
    claims.enter(want("never", count=3))
    bob = claims.enter(want("bob", "bob"))
    assert claims.ask(bob, GPUS, take=False).position == 1
    assert ask(claims, bob) == ["GPU-a"]


def test_the_limit_of_an_owner_holds_and_others_pass(claims: Claims) -> None:
    one = claims.enter(want("one", runs_per_owner=1))
    two = claims.enter(want("two", runs_per_owner=1))
    bob = claims.enter(want("bob", "bob", runs_per_owner=1))
    assert ask(claims, one) == ["GPU-a"]
    assert ask(claims, two).reason == "ann already has 1 of 1 runs: ann/one"
    assert ask(claims, bob) == ["GPU-b"]


def test_a_clock_set_back_puts_nobody_before_others(claims: Claims, monkeypatch) -> None:
    first = claims.enter(want("one", "ann"))
    monkeypatch.setattr(time, "time_ns", lambda: 10**18)
    second = claims.enter(want("two", "bob"))
    assert ask(claims, second, GPUS[:1]).position == 2
    assert ask(claims, first, GPUS[:1]) == ["GPU-a"]


def test_who_is_over_the_limit_is_in_nobodys_way(claims: Claims) -> None:
    assert ask(claims, claims.enter(want("one", runs_per_owner=1)), GPUS[:1]) == ["GPU-a"]
    over = claims.enter(want("over", runs_per_owner=1))
    bob = claims.enter(want("bob", "bob", runs_per_owner=1))
    assert ask(claims, over, GPUS[:1]).own_limit
    answer = ask(claims, bob, GPUS[:1])
    assert (answer.position, answer.own_limit) == (1, False)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_costs_nobody_the_turn(tmp_path: Path) -> None:
    """Whoever waited a day for a GPU does not fail because nothing can be noted about it."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount")
    try:
        claims = Claims(tmp_path / "locks")
        first, second = claims.enter(want("a")), claims.enter(want("b", "bob", count=2))
        with suppress(OSError), (tmp_path / "full").open("wb", buffering=0) as stream:
            while True:
                stream.write(bytes(4096))
        assert ask(claims, first) == ["GPU-a"]
        assert ask(claims, second).reason == "GPU 0 is used by ann/a"
        claims.leave(first)
        assert ask(claims, second) == ["GPU-a", "GPU-b"]
        assert [entry.held for entry in claims.look()] == [("GPU-a", "GPU-b")]
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_what_cannot_be_noted_is_not_held(claims: Claims, monkeypatch) -> None:
    """Others read from the ticket who holds what."""
    ticket = claims.enter(want("a"))

    def fails(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(Ticket, "write", fails)
        assert "Input/output error" in ask(claims, ticket).reason
    assert not any(is_locked(path) for path in claims.folder.glob("GPU*.lock"))
    assert ask(claims, ticket) == ["GPU-a"]


def test_a_halted_run_loses_its_turn_meanwhile(claims: Claims) -> None:
    halted, other = claims.enter(want("halted", "ann")), claims.enter(want("other", "bob"))
    long_ago = time.time() - 3600
    os.utime(halted.lock.path, (long_ago, long_ago))
    assert ask(claims, other, GPUS[:1]) == ["GPU-a"]
    assert ask(claims, halted, GPUS) == ["GPU-b"]


def test_a_killed_run_gives_everything_back(claims: Claims) -> None:
    script = (
        "import sys, time; from pathlib import Path; from dlwa.claims import *\n"
        "claims = Claims(Path(sys.argv[1]))\n"
        "ticket = claims.enter(Want('dead', 'bob', 'bob/dead', '/', pool='gpu'))\n"
        "print(bool(claims.ask(ticket, [Device('GPU-a', 'GPU 0')]).granted), flush=True)\n"
        "time.sleep(60)"
    )
    argv = [sys.executable, "-c", script, str(claims.folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "True\n"
        mine = claims.enter(want("mine"))
        assert "bob/dead" in ask(claims, mine, GPUS[:1]).reason
        holder.send_signal(signal.SIGKILL)
    assert ask(claims, mine, GPUS[:1]) == ["GPU-a"]
    assert [entry.want.run_id for entry in claims.look()] == ["mine"]


def test_a_lock_holds_against_others_and_carries_a_note(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    mine, other = FileLock(path), FileLock(path)
    assert mine.try_acquire() and not other.try_acquire() and is_locked(path)
    mine.write("a longer note")
    mine.write("short")
    assert path.read_text() == "short"
    mine.release()
    assert other.try_acquire() and not is_locked(tmp_path / "none")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Somebody's home with something in it."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "precious.json").write_text("keep")
    return home


@pytest.mark.parametrize("link", ["locks", "locks/queue"])
def test_nobodys_home_is_shared_through_a_link(tmp_path: Path, home: Path, link: str) -> None:
    """Whoever makes the folder first may put a link there, to a home of the login that comes."""
    (home / "queue").mkdir(mode=0o700)
    place = tmp_path / link
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(home)
    claims = Claims(tmp_path / "locks")
    for attempt in (lambda: claims.enter(want("one")), claims.look):
        with pytest.raises(AccessError, match=f"{place} is a link") as caught:
            attempt()
        assert str(place) in caught.value.hint
    assert [oct(path.stat().st_mode) for path in (home, home / "queue")] == ["0o40700"] * 2
    assert sorted(path.name for path in home.iterdir()) == ["precious.json", "queue"]


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "locks").touch()
    with pytest.raises(AccessError, match="locks is no folder"):
        Claims(tmp_path / "locks").enter(want("one"))


def test_a_folder_that_was_there_keeps_its_mode(claims: Claims) -> None:
    claims.folder.mkdir(mode=0o750)
    claims.enter(want("one"))
    modes = [path.stat().st_mode & 0o7777 for path in (claims.folder, claims.folder / "queue")]
    assert modes == [0o750, 0o1777]


def test_nothing_but_dead_tickets_is_removed(claims: Claims) -> None:
    claims.leave(claims.enter(want("one")))
    queue = claims.folder / "queue"
    dead = f"{7:020d}-dead.json"
    for name in (dead, "notes.json", "7-mine.json"):
        (queue / name).touch()
    assert claims.look() == []
    assert sorted(path.name for path in queue.iterdir()) == ["7-mine.json", "notes.json"]


@pytest.fixture
def network_disk(monkeypatch) -> None:
    """Locks as on NFS (man 2 flock): exclusive ones only on files opened for writing."""
    real = fcntl.flock

    def flock(handle: int, operation: int) -> None:
        written = fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
        if operation & fcntl.LOCK_EX and not written:
            raise OSError(errno.EBADF, "Bad file descriptor")
        real(handle, operation)

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.usefixtures("network_disk")
def test_a_lock_is_seen_on_a_network_disk(claims: Claims, tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with FileLock(path):
        assert is_locked(path)
    assert not is_locked(path)
    held = claims.enter(want("held"))
    assert ask(claims, held) == ["GPU-a"]
    assert [entry.held for entry in claims.look()] == [("GPU-a",)]


def test_who_only_looks_is_in_nobodys_way_for_long(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    path.touch()
    with path.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert not is_locked(path), "two who look do not take each other for a run"
        assert not FileLock(path).try_acquire(within_s=0.1)
        threading.Timer(0.2, lambda: fcntl.flock(looking, fcntl.LOCK_UN)).start()
        assert FileLock(path).try_acquire(within_s=30)


def test_a_lock_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "x.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError):
        FileLock(tmp_path / "x.lock").try_acquire()
    assert (tmp_path / "precious").read_text() == "keep"


RACER = """
import json, sys, time
from pathlib import Path
from dlwa.claims import Claims, Device, Want
folder, number, go = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
claims, gpus = Claims(folder / "locks"), [Device("GPU-a", "GPU 0"), Device("GPU-b", "GPU 1")]
time.sleep(max(0.0, go - time.time()))
ticket = claims.enter(Want(f"run{number}", f"owner{int(number) % 5}", number, "/", pool="gpu"))
while (answer := claims.ask(ticket, gpus)).granted is None:
    time.sleep(0.02)
key = answer.granted[0].key
with (folder / "story").open("a") as story:
    story.write(json.dumps([time.monotonic(), key, "taken", number]) + "\\n")
    story.flush()
    time.sleep(0.02)
    story.write(json.dumps([time.monotonic(), key, "left", number]) + "\\n")
claims.leave(ticket)
"""


def test_forty_at_once_on_two_gpus_never_share_one(tmp_path: Path) -> None:
    go = str(time.time() + 4.0)
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, str(tmp_path), str(number), go])
        for number in range(40)
    ]
    assert [racer.wait(timeout=120) for racer in racers] == [0] * 40
    story = sorted(json.loads(line) for line in (tmp_path / "story").read_text().splitlines())
    holder: dict[str, str | None] = {"GPU-a": None, "GPU-b": None}
    for _, key, what, number in story:
        assert holder[key] == (None if what == "taken" else number), "two held one GPU"
        holder[key] = number if what == "taken" else None
    assert len(story) == 80
