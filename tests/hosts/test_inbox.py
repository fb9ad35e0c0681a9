"""What came through a channel: all of it, in order, once; and who waits is woken."""

import hashlib
import random
import threading

import pytest

pytest.importorskip("paramiko")

from dlwa.hosts.ssh._inbox import Inbox


@pytest.mark.parametrize("limit", [1, 7, 1000, 32768, 1 << 18])
def test_what_is_fed_is_read_in_order_and_once(limit: int):
    pick = random.Random(limit)
    packets = [pick.randbytes(pick.choice([1, 5, 1000, 3000])) for _ in range(300)]
    inbox, read = Inbox(), b""

    def feed() -> None:
        for packet in packets:
            inbox.feed(packet)
        inbox.close()

    feeder = threading.Thread(target=feed)
    feeder.start()
    while some := inbox.read(limit, timeout=10):
        assert len(some) <= limit
        read += some
    feeder.join()
    assert hashlib.sha256(read).digest() == hashlib.sha256(b"".join(packets)).digest()
    assert len(inbox) == 0 and inbox.read(limit) == b""


def test_nothing_in_time_is_told_and_takes_nothing():
    inbox = Inbox()
    with pytest.raises(OSError, match=r"^$"):
        inbox.read(10, timeout=0.0)
    inbox.feed(b"late")
    assert inbox.read_ready() and len(inbox) == 4
    assert inbox.read(3) == b"lat" and inbox.empty() == b"e" and not inbox.read_ready()


def test_an_event_is_set_while_reading_would_not_wait():
    inbox, readable = Inbox(), threading.Event()
    readable.set()
    inbox.set_event(readable)
    assert not readable.is_set()
    inbox.feed(b"ab")
    assert readable.is_set()
    inbox.read(1)
    assert readable.is_set()
    inbox.read(1)
    assert not readable.is_set()
    inbox.close()
    assert readable.is_set()


def test_who_waits_is_woken_by_the_end():
    inbox, got = Inbox(), []
    reader = threading.Thread(target=lambda: got.append(inbox.read(10)))
    reader.start()
    inbox.close()
    reader.join(timeout=10)
    assert got == [b""]


@pytest.mark.parametrize("lends", [True, False])
def test_whatever_is_done_to_it_it_holds_what_a_plain_buffer_would(lends: bool):
    """What was lent stays as it is until the next reading, however much comes meanwhile."""
    for seed in range(150):
        pick = random.Random(seed)
        inbox, oracle, readable = Inbox(lends=lends), bytearray(), threading.Event()
        inbox.set_event(readable)
        lent, wanted, is_closed = b"", b"", False
        for _ in range(pick.choice([5, 60, 200])):
            act = pick.random()
            if act < 0.5 and not is_closed:
                data = pick.randbytes(pick.choice([0, 1, 300, 32768, 70000]))
                inbox.feed(memoryview(data))
                oracle += data
            elif act < 0.95 and (oracle or is_closed):
                lent = inbox.read(pick.choice([1, 3, 1000, 32768, 1 << 22]), timeout=0.0)
                wanted = bytes(oracle[: len(lent)])
                del oracle[: len(lent)]
                assert lent or (is_closed and not oracle)
            elif 0.95 <= act < 0.97:
                assert inbox.empty() == oracle
                oracle.clear()
            elif 0.97 <= act < 0.98:
                inbox.close()
                is_closed = True
            assert lent == wanted and len(inbox) == len(oracle)
            assert inbox.read_ready() == bool(oracle)
            assert readable.is_set() == (bool(oracle) or is_closed)
