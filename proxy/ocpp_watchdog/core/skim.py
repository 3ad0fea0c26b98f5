"""What the first bytes of a frame tell, and meter values that can wait.

While no stop order stands nobody needs more than one reading a second of a connector: the newest waits, unread, until
the second is over or something happens that it matters to. And an answer that changes nothing need not be decoded to
close its CALL. This is what keeps the judge cheap where hundreds of charge points report often; a stop order switches
it off. Whatever does not look exactly like the common forms is read whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ocpp_watchdog.core.terms import Moment, UniqueId

HEAD_BYTES = 96
LONGEST_ID = 36
MOST_CONNECTORS = 64
APART_SECONDS = 1.0
METER_VALUES = b"MeterValues"

_CONNECTOR = b'"connectorId":'
_DIGITS = frozenset(b"0123456789")

Read = Callable[[], str]
"""Gives the text of a frame that was not read yet."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A MeterValues CALL that waits. at: when it passed."""

    read: Read
    at: Moment


def answer_id(head: bytes) -> UniqueId | None:
    """The unique id of what looks like a CALLRESULT in a common form, None for anything else. head: its first bytes."""
    if head[:4] == b'[3,"':
        start = 4
    elif head[:5] == b'[3, "':
        start = 5
    else:
        return None
    return _id(head, start)


def meter_values(head: bytes) -> tuple[UniqueId, bytes] | None:
    """Unique id and connector (its digits) of what looks like a MeterValues CALL in a common form that names its
    connector first, None for anything else. head: its first bytes."""
    if head[:4] == b'[2,"':
        start = 4
    elif head[:5] == b'[2, "':
        start = 5
    else:
        return None
    unique_id = _id(head, start)
    if unique_id is None:
        return None
    end = start + len(unique_id)
    action = head.find(METER_VALUES, end, end + 5 + len(METER_VALUES))
    if action < 0:
        return None
    connector = head.find(_CONNECTOR, action)
    if connector < 0:
        return None
    digits = head[connector + len(_CONNECTOR) :].lstrip(b" ")
    length = 0
    while length < len(digits) and digits[length] in _DIGITS:
        length += 1
    is_whole = 0 < length < len(digits)
    return (unique_id, digits[:length]) if is_whole else None


def _id(head: bytes, start: int) -> UniqueId | None:
    end = head.find(b'"', start, start + LONGEST_ID + 1)
    if end <= start:
        return None
    text = head[start:end]
    return UniqueId(text.decode()) if text.isascii() and b"\\" not in text else None


class Waiting:
    """Unread meter values of one charge point: the newest of each connector, and when one was read last."""

    def __init__(self) -> None:
        self._unread: dict[bytes, Unread] = {}
        self._read_at: dict[bytes, float] = {}
        self._due: float | None = None

    def may_wait(self, connector: bytes, now: Moment) -> bool:
        """One of this connector was read less than a second ago."""
        last = self._read_at.get(connector)
        return last is not None and now.mono - last < APART_SECONDS

    def wait(self, connector: bytes, read: Read, now: Moment) -> None:
        """Let this one wait in the place of an older one."""
        if connector not in self._unread:
            due = self._read_at.get(connector, now.mono) + APART_SECONDS
            self._due = due if self._due is None else min(self._due, due)
        self._unread[connector] = Unread(read, now)

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
        unread, self._unread = sorted(self._unread.values(), key=lambda one: one.at.mono), {}
        return unread

    def due_at(self) -> float | None:
        """When the oldest must be read (monotonic seconds), None when none waits."""
        return self._due
