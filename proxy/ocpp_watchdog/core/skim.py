"""What the first bytes of a frame tell, and meter values that can wait.

While no stop order stands nobody needs more than one reading a second of a connector: the newest waits, unread, until
the second is over or something happens that it matters to. And an answer that changes nothing need not be decoded to
close its CALL. This is what keeps the judge cheap where hundreds of charge points report often; a stop order switches
it off. Whatever does not look exactly like the common forms is read whole.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ocpp_watchdog.core.terms import Moment

LONGEST_ID = 36
MOST_CONNECTORS = 64
APART_SECONDS = 1.0
METER_VALUES = b"MeterValues"

LONGEST_NUMBER = 10

_COMPACT, _SPACED = b'","MeterValues",{"connectorId":', b'", "MeterValues", {"connectorId": '


class Unread(NamedTuple):
    """A MeterValues CALL that waits. frame: the raw WebSocket frame. at: when it passed."""

    frame: bytes
    at: Moment


def answer_id(head: bytes) -> bytes | None:
    """The unique id of what looks like a CALLRESULT in a common form, None for anything else. head: its first bytes."""
    if head[:4] == b'[3,"':
        start = 4
    elif head[:5] == b'[3, "':
        start = 5
    else:
        return None
    end = head.find(b'"', start, start + LONGEST_ID + 1)
    return _plain(head[start:end]) if end > start else None


def meter_values(head: bytes) -> tuple[bytes, bytes] | None:
    """Unique id and connector (its digits) of what looks like a MeterValues CALL in a common form, compact or with one
    blank behind each sign, that names its connector first; None for anything else. head: its first bytes."""
    if head[:4] == b'[2,"':
        start, form = 4, _COMPACT
    elif head[:5] == b'[2, "':
        start, form = 5, _SPACED
    else:
        return None
    end = head.find(b'"', start, start + LONGEST_ID + 1)
    if end <= start or not head.startswith(form, end):
        return None
    number = end + len(form)
    comma = head.find(b",", number, number + LONGEST_NUMBER)
    digits = head[number:comma] if comma > 0 else b""
    unique_id = _plain(head[start:end])
    return (unique_id, digits) if unique_id is not None and digits.isdigit() else None


def _plain(unique_id: bytes) -> bytes | None:
    """An id that stands in a frame as it is."""
    return unique_id if unique_id.isascii() and b"\\" not in unique_id else None


class Waiting:
    """Unread meter values of one charge point: the newest of each connector, and when one was read last."""

    __slots__ = ("_due", "_read_at", "_unread")

    def __init__(self) -> None:
        self._unread: dict[bytes, tuple[bytes, float, float]] = {}
        self._read_at: dict[bytes, float] = {}
        self._due: float | None = None

    def may_wait(self, connector: bytes, mono: float) -> bool:
        """One of this connector was read less than a second ago."""
        return mono - self._read_at.get(connector, -math.inf) < APART_SECONDS

    def wait(self, connector: bytes, frame: bytes, utc: float, mono: float) -> None:
        """Let this one, that passed then, wait in the place of an older one."""
        if connector not in self._unread:
            due = self._read_at.get(connector, mono) + APART_SECONDS
            self._due = due if self._due is None else min(self._due, due)
        self._unread[connector] = (frame, utc, mono)

    def was_read(self, connector: int, now: Moment) -> None:
        """A MeterValues of this connector was read."""
        if len(self._read_at) > MOST_CONNECTORS:
            self._read_at.clear()
        self._read_at[b"%d" % connector] = now.mono

    def take(self) -> list[Unread]:
        """Give all that wait, oldest first."""
        if not self._unread:
            return []
        self._due = None
        unread, self._unread = sorted(self._unread.values(), key=lambda one: one[2]), {}
        return [Unread(frame, Moment(utc, mono)) for frame, utc, mono in unread]

    def due_at(self) -> float | None:
        """When the oldest must be read (monotonic seconds), None when none waits."""
        return self._due
