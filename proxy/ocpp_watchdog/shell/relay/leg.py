"""One connection of a joined session: takes reads out of one buffer that all legs share, and hands them on.

A buffer of our own of 64 KiB also avoids asyncio's reads of 256 KiB, which cost a mapping each (PERFORMANCE.md 2).
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import suppress
from typing import Protocol, cast

from ocpp_watchdog.core.lane import Lane
from ocpp_watchdog.core.terms import Direction
from ocpp_watchdog.shell.relay.settings import KeepAlive

if sys.platform != "win32":
    import fcntl
    import termios

BUFFER_SIZE = 64 << 10
LAST_WORDS_MAX = 8 << 20
NO_INODE = 0

FULL, AHEAD = 1, 2
"""Why a leg is not read: its peer's other end takes nothing; the judge, or everybody else, must have a turn first."""


class Reader(Protocol):
    """The session, as its legs see it."""

    def received(self, leg: Leg, data: bytes) -> None:
        """One read."""

    def ended(self, leg: Leg) -> bool:
        """The peer's FIN is in. True keeps the connection open for the other way."""

    def lost(self, leg: Leg, exc: Exception | None) -> None:
        """The connection is gone."""

    def full(self, leg: Leg) -> None:
        """Too much waits to be written."""

    def drained(self, leg: Leg) -> None:
        """It has been written."""


class Leg(asyncio.BufferedProtocol):
    """direction: where what this leg receives goes to. lane: the lane of that direction. other: the leg that writes it.

    view: the shared buffer; each read is used up before the next begins, and what is written is always a copy.
    shut: nothing may be written any more. lost: the connection is gone. unmeasured: reads until one is measured, 0 or
    less: none is. It is not read while there is a reason to hold it (``hold``).
    """

    __slots__ = (
        "_held",
        "_inode",
        "direction",
        "is_tls",
        "lane",
        "lost",
        "other",
        "session",
        "shut",
        "transport",
        "unmeasured",
        "view",
    )

    other: Leg

    def __init__(
        self, session: Reader, direction: Direction, lane: Lane, transport: asyncio.Transport, view: memoryview
    ) -> None:
        self.session = session
        self.direction = direction
        self.lane = lane
        self.transport = transport
        self.view = view
        self.lost = False
        self.shut = False
        self.unmeasured = 0
        self._held = 0
        self.is_tls = transport.get_extra_info("sslcontext") is not None
        self._inode = _inode(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.view

    def buffer_updated(self, nbytes: int) -> None:
        self.session.received(self, self.view[:nbytes].tobytes())

    def eof_received(self) -> bool:
        return self.session.ended(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.session.lost(self, exc)

    def pause_writing(self) -> None:
        self.session.full(self)

    def resume_writing(self) -> None:
        self.session.drained(self)

    def hold(self, why: int) -> None:
        """Read no more from this peer for this reason (one bit)."""
        if not self._held and not self.lost and not self.transport.is_closing():
            self.transport.pause_reading()
        self._held |= why

    def read_on(self, why: int) -> None:
        """This reason is gone; without any other it is read again."""
        self._held &= ~why
        if not self._held and not self.lost and not self.transport.is_closing():
            self.transport.resume_reading()

    def write(self, data: bytes) -> bool:
        """Write to this leg's peer unless that is over; False: it was."""
        if self.lost or self.shut:
            return False
        self.transport.write(data)
        return True

    def last_words(self) -> bytes:
        """What the peer had sent when the connection broke, and what nobody has read yet.

        When a write fails first, the loop throws the connection away with all that had arrived on it: it may be the
        message that mattered. Only inside ``connection_lost``, where the socket is still open; checked, because a
        descriptor that was closed may already be somebody else's. Nothing over TLS.
        """
        if self.is_tls or self._inode == NO_INODE or _inode(self.transport) != self._inode:
            return b""
        words = bytearray()
        with suppress(OSError), self.transport.get_extra_info("socket").dup() as sock:
            sock.settimeout(0)
            while len(words) < LAST_WORDS_MAX and (piece := sock.recv(BUFFER_SIZE)):
                words += piece
        return bytes(words)


def _inode(transport: asyncio.Transport) -> int:
    """Which socket this is, among all that are open."""
    sock = transport.get_extra_info("socket")
    if sock is None:
        return NO_INODE
    try:
        return os.fstat(sock.fileno()).st_ino
    except OSError:
        return NO_INODE


def pass_fin(transport: asyncio.Transport) -> None:
    """End our own way to a peer, once everything is written. A peer that is already gone is noticed elsewhere."""
    with suppress(OSError):
        transport.write_eof()


def unread(transport: asyncio.Transport) -> int:
    """How many bytes the peer has not taken yet: ours, and what lies in the kernel where it tells.

    Without the latter a reader that takes a little would look like one that takes nothing, for the kernel asks for more
    only when a third of its buffer is free.
    """
    waits = transport.get_write_buffer_size()
    sock = transport.get_extra_info("socket")
    if sys.platform != "win32" and sock is not None:
        with suppress(OSError):
            waits += int.from_bytes(fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4), sys.byteorder)
    return waits


def keep_alive(transport: asyncio.BaseTransport, numbers: KeepAlive) -> None:
    """Let the kernel notice a link that went dark while idle (DESIGN R10). What a platform lacks is left out."""
    sock = cast("socket.socket | None", transport.get_extra_info("socket"))
    if sock is None or sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = (
        ("TCP_KEEPIDLE", numbers.idle),
        ("TCP_KEEPINTVL", numbers.interval),
        ("TCP_KEEPCNT", numbers.probes),
        ("TCP_USER_TIMEOUT", numbers.user_timeout * 1000),
    )
    for name, value in options:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
