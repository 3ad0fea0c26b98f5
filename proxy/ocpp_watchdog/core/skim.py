"""What the first bytes of a frame tell, and meter values that can wait.

While no stop order stands nobody needs a reading of a connector more often than most charge points give one: where they
come more often than every five to ten seconds, the newest waits, unread, until that time is over or something happens
that it matters to. Each charge point has a time of its own: where hundreds began at once they would otherwise all fall
due at once, for ever, and hold up each other's frames.

An answer that changes nothing need not be decoded to close its CALL. This is what keeps the judge cheap where hundreds
of charge points report often; a stop order switches it off. Whatever does not look exactly like the common forms is
read whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

from ocpp_watchdog.core.events import MeterSampled
from ocpp_watchdog.core.terms import Moment

MOST_CONNECTORS = 64
APART_SECONDS = 5.0
SPREAD_SECONDS = 5.0

_ID = rb'"([ !#-\[\]-~]{1,36})"'
_COMMON = re.compile(rb"\[(?:3, ?" + _ID + rb"|2, ?" + _ID + rb', ?"MeterValues", ?\{"connectorId": ?([0-9]{1,9}),)')
common: Callable[[bytes], re.Match[bytes] | None] = _COMMON.match
"""Takes the first bytes of a message. Groups 1: unique id of what looks like a CALLRESULT in a common form; 2 and 3:
unique id and connector (its digits) of what looks like a MeterValues CALL in a common form that names its connector
first. None: anything else. An id that matches stands in the frame as it is: ASCII, no escapes."""


class Unread(NamedTuple):
    """A MeterValues CALL that waits. frame: the raw WebSocket frame. at: when it passed."""

    frame: bytes
    at: Moment


class Waiting:
    """Unread meter values of one charge point: the newest of each connector, and when one was read last."""

    __slots__ = ("_apart", "_read_at", "_unread", "ahead", "due")

    def __init__(self, name: str = "") -> None:
        """name: whose they are; it decides how far apart they are read, the same every time."""
        self._apart = APART_SECONDS + SPREAD_SECONDS * crc32(name.encode("utf-8", "replace")) / 2**32
        self._unread: dict[bytes, tuple[bytes, float, float]] = {}
        self._read_at: dict[bytes, float] = {}
        self.due: float | None = None
        """When the oldest must be read (monotonic seconds), None when none waits."""
        self.ahead: list[tuple[bytes, MeterSampled]] = []
        """What was read of frames that wait, and not thought about yet."""

    def wait(self, connector: bytes, frame: bytes, utc: float, mono: float) -> bool:
        """Let this one, that passed then, wait in the place of an older one, if one of this connector was read less
        than its time ago; else False."""
        last = self._read_at.get(connector)
        if last is None or mono - last >= self._apart:
            return False
        if connector not in self._unread:
            due = last + self._apart
            self.due = due if self.due is None else min(self.due, due)
        self._unread[connector] = (frame, utc, mono)
        return True

    def was_read(self, connector: int, now: Moment) -> None:
        """A MeterValues of this connector was read."""
        if len(self._read_at) > MOST_CONNECTORS:
            self._read_at.clear()
        self._read_at[b"%d" % connector] = now.mono

    def take(self) -> list[Unread]:
        """Give all that wait, oldest first."""
        if not self._unread:
            return []
        self.due = None
        unread, self._unread = self.look(), {}
        return unread

    def look(self) -> list[Unread]:
        """All that wait, oldest first; they wait on."""
        unread = sorted(self._unread.values(), key=lambda one: one[2])
        return [Unread(frame, Moment(utc, mono)) for frame, utc, mono in unread]

    def taken_ahead(self, frame: bytes) -> MeterSampled | None:
        """What was read of this frame already."""
        return next((request for read, request in self.ahead if read is frame), None)
