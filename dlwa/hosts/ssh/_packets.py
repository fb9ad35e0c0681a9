"""Packets as they come in, opened where they were received.

paramiko copies a packet six times before anybody reads it, and calls a dozen functions for it: a
tenth of all the work of bringing a big file. What AES-GCM has sealed (RFC 5647), which is what we
ask every server for, has a short way here; everything else is left to paramiko.
"""

import struct
from typing import Any
from weakref import WeakValueDictionary

import paramiko
from cryptography.exceptions import InvalidTag
from paramiko.common import MSG_CHANNEL_DATA
from paramiko.packet import NeedRekeyException
from paramiko.packet import Packetizer as _Packetizer

from dlwa.hosts.ssh._inbox import Inbox
from dlwa.hosts.ssh._socket import AHEAD_BYTES, Socket

_LENGTH = struct.Struct(">I")
_DATA = struct.Struct(">xxII")  # behind the padding's length and the kind: channel, length
_TAG_BYTES = 16
_LEAST_BYTES, _MOST_BYTES = 16, AHEAD_BYTES - 64
_FIXED_BYTES = 4  # of the nonce; the rest counts packets


class Packetizer(_Packetizer):
    """paramiko's, with a short way for what AES-GCM has sealed."""

    def __init__(self, sock: Socket) -> None:
        super().__init__(sock)  # type: ignore[arg-type]  # a socket in all it is asked for
        self._sock = sock
        self._cipher: Any = None
        self._fixed, self._nonce = b"", 0
        self._sealed_bytes = self._numbered = 0
        self._inboxes: WeakValueDictionary[int, Inbox] = WeakValueDictionary()

    def deliver(self, channel: int, inbox: Inbox) -> None:
        """Put what comes for a channel straight into its inbox."""
        self._inboxes[channel] = inbox

    def set_inbound_cipher(self, block_engine: Any, *args: Any, **more: Any) -> None:
        """Use new keys for what comes in from now on."""
        super().set_inbound_cipher(block_engine, *args, **more)
        self._cipher, self._sealed_bytes = None, 0
        if more.get("aead"):
            self._cipher, nonce = block_engine, more["iv_in"]
            self._fixed = nonce[:_FIXED_BYTES]
            self._nonce = int.from_bytes(nonce[_FIXED_BYTES:], "big")

    def close(self) -> None:
        """Close the socket, and end the clock of a handshake that will not be finished."""
        self.complete_handshake()
        super().close()

    def reset_seqno_in(self) -> None:
        """Number what comes in from zero again."""
        super().reset_seqno_in()
        self._numbered = 0

    def need_rekey(self) -> bool:
        """Whether these keys have served long enough."""
        return bool(super().need_rekey()) or self._sealed_bytes >= self.REKEY_BYTES

    def read_message(self) -> tuple[int, paramiko.Message]:
        """Wait for the next packet: its kind and content.

        Raises `SSHException` if it was changed on its way, `EOFError` at the end, and
        `NeedRekeyException` if new keys are wanted meanwhile.
        """
        kind, message = self._opened() if self._cipher else super().read_message()
        message.seqno = self._numbered
        self._numbered = (self._numbered + 1) & 0xFFFFFFFF
        return kind, message

    def _opened(self) -> tuple[int, paramiko.Message]:
        while True:
            kind, plain = self._next()
            inbox = None
            if kind == MSG_CHANNEL_DATA:
                channel, size = _DATA.unpack_from(plain)
                inbox = self._inboxes.get(channel)
            if inbox is None:
                return kind, paramiko.Message(bytes(plain[2:]))
            if _DATA.size + size > len(plain):
                raise paramiko.SSHException("a packet ended too soon")
            inbox.feed(plain[_DATA.size : _DATA.size + size])
            self._numbered += 1
            if self.need_rekey():
                raise NeedRekeyException

    def _next(self) -> tuple[int, memoryview]:
        """Open the next packet: its kind, and all of it but what it was filled up with."""
        (size,) = _LENGTH.unpack(self._ahead(_LENGTH.size))
        if not _LEAST_BYTES <= size <= _MOST_BYTES:
            raise paramiko.SSHException(f"a packet of {size} bytes came")
        packet = self._ahead(_LENGTH.size + size + _TAG_BYTES)
        nonce = self._fixed + self._nonce.to_bytes(8, "big")
        length, sealed = packet[: _LENGTH.size], packet[_LENGTH.size :]
        try:
            plain = self._cipher.decrypt(nonce, sealed, length)
        except InvalidTag as error:
            raise paramiko.SSHException("a packet was changed on its way") from error
        self._nonce = (self._nonce + 1) & 0xFFFFFFFFFFFFFFFF
        self._sock.skip(len(packet))
        self._sealed_bytes += len(packet)
        if self._sealed_bytes >= self.REKEY_BYTES + self.REKEY_BYTES_OVERFLOW_MAX:
            raise paramiko.SSHException("the server agrees on no new keys")
        used = size - plain[0]
        if used <= 1:
            raise paramiko.SSHException("an empty packet came")
        return plain[1], memoryview(plain)[:used]

    def _ahead(self, size: int) -> memoryview:
        """Wait for the next bytes; they stay where they are."""
        while True:
            try:
                return self._sock.ahead(size)
            except (TimeoutError, BlockingIOError):
                if self.closed:
                    raise EOFError from None
                if self.need_rekey():
                    raise NeedRekeyException from None
            except OSError as error:
                if self.closed:
                    raise EOFError from error
                raise
