"""Pending CALLs per direction, and whose turn it is to speak towards the charge point.

Gives an answer its CALL, says when the channel is idle, and holds the rules of waiting and giving up for CALLs of our
own (OCPP-J 1.6 §4.1.1, one outstanding CALL). Knows no payload and no policy about what is worth sending.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, TypeVar

from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.terms import ConnectorId, Direction, Moment, UniqueId
from ocpp_watchdog.core.values import value

R = TypeVar("R")
UP = Direction.TO_CENTRAL_SYSTEM

MOST_PENDING = 256
"""Per direction; beyond it the oldest is forgotten. A well-behaved peer has one."""

EXPIRY_SECONDS = 60.0
LATE_TIMER_SECONDS = 0.5


@value
class Pending(Generic[R]):
    """A CALL that was forwarded and not yet answered. sent: monotonic seconds."""

    unique_id: UniqueId
    direction: Direction
    request: R
    text: str
    sent: float


class Pairing(Generic[R]):
    """The CALLs open in each direction of one connection. Ids of the two directions live in separate spaces.

    CALLs of the charge point that nobody has read and whose answers nobody waits for are kept apart, as cheaply as can
    be: raw id and monotonic seconds. In everything else they are like the others.
    """

    def __init__(self, unread: R) -> None:
        """unread: the request such a CALL counts as."""
        self._unread_request = unread
        self._unread: dict[bytes, float] = {}
        self._up: dict[UniqueId, Pending[R]] = {}  # to the central system
        self._down: dict[UniqueId, Pending[R]] = {}  # to the charge point

    def _asked_in(self, direction: Direction) -> dict[UniqueId, Pending[R]]:
        return self._up if direction is UP else self._down

    def _answered_in(self, direction: Direction) -> dict[UniqueId, Pending[R]]:
        return self._down if direction is UP else self._up

    def is_repeated(self, direction: Direction, unique_id: UniqueId, text: str) -> bool:
        """The same CALL, id and text, is open in this direction: some charge points send again what is not answered."""
        pending = self._asked_in(direction).get(unique_id)
        return pending is not None and bool(text) and pending.text == text

    def open(self, pending: Pending[R]) -> None:
        """A CALL was forwarded. An id that is open already is taken over by the newer CALL."""
        calls = self._asked_in(pending.direction)
        calls.pop(pending.unique_id, None)
        if self._unread and pending.direction is UP:
            self._unread.pop(_raw(pending.unique_id), None)
        calls[pending.unique_id] = pending
        self._forget_oldest(pending.direction)

    def open_unread(self, unique_id: bytes, mono: float) -> None:
        """A CALL of the charge point was forwarded that nobody reads now. unique_id: as it stands there, ASCII."""
        unread, calls = self._unread, self._up
        if unique_id in unread:
            del unread[unique_id]  # it goes to the end
        unread[unique_id] = mono
        if calls:
            calls.pop(UniqueId(unique_id.decode()), None)
        if len(unread) + len(calls) > MOST_PENDING:
            self._forget_oldest(UP)

    def close_unread(self, unique_id: bytes) -> bool:
        """An answer travelled to the charge point; whether it closed a CALL that nobody had read."""
        return self._unread.pop(unique_id, None) is not None

    def _forget_oldest(self, direction: Direction) -> None:
        calls, unread = self._asked_in(direction), self._unread if direction is UP else {}
        if len(calls) + len(unread) <= MOST_PENDING:
            return
        oldest = next(iter(calls.values())).sent if calls else math.inf
        if unread and next(iter(unread.values())) < oldest:
            del unread[next(iter(unread))]
        else:
            del calls[next(iter(calls))]

    def open_again(self, direction: Direction, unique_id: UniqueId, now: Moment) -> None:
        """A CALL that is not answered yet was sent once more: it is young again."""
        pending = self._asked_in(direction).get(unique_id)
        if pending is not None:
            self.open(replace(pending, sent=now.mono))

    def look(self, direction: Direction, unique_id: UniqueId) -> Pending[R] | None:
        """The CALL, of those that were read, that an answer travelling in ``direction`` with this id would close, None
        when there is none."""
        return self._answered_in(direction).get(unique_id)

    def close(self, direction: Direction, unique_id: UniqueId) -> Pending[R] | None:
        """An answer travelled in ``direction``; give the CALL it belongs to, or None."""
        pending = self._answered_in(direction).pop(unique_id, None)
        if pending is None and self._unread and direction is not UP:
            sent = self._unread.pop(_raw(unique_id), None)
            return None if sent is None else Pending(unique_id, UP, self._unread_request, "", sent)
        return pending

    def expire(self, now: Moment) -> list[Pending[R]]:
        """Forget and give the CALLs that have been open for 60 s."""
        expired: list[Pending[R]] = []
        for calls in (self._up, self._down):
            while calls:
                oldest = next(iter(calls.values()))
                if now.mono - oldest.sent < EXPIRY_SECONDS:
                    break
                expired.append(oldest)
                del calls[oldest.unique_id]
        while self._unread:
            raw, sent = next(iter(self._unread.items()))
            if now.mono - sent < EXPIRY_SECONDS:
                break
            expired.append(Pending(UniqueId(raw.decode()), UP, self._unread_request, "", sent))
            del self._unread[raw]
        return expired

    def idle_at(self, young_seconds: float) -> float | None:
        """When no CALL younger than ``young_seconds`` will be unanswered, if nothing more comes (monotonic seconds);
        None: no CALL is open."""
        newest = [next(reversed(calls.values())).sent for calls in (self._up, self._down) if calls]
        if self._unread:
            newest.append(next(reversed(self._unread.values())))
        return max(newest) + young_seconds if newest else None

    def next_expiry(self) -> float | None:
        """When ``expire`` has something to do, None when nothing is open."""
        if not (self._up or self._down or self._unread):
            return None
        up = next(iter(self._up.values())).sent if self._up else math.inf
        down = next(iter(self._down.values())).sent if self._down else math.inf
        unread = next(iter(self._unread.values())) if self._unread else math.inf
        return min(up, down, unread) + EXPIRY_SECONDS

    def forget(self) -> None:
        """The connection is gone, and every CALL that was open with it."""
        for calls in (self._up, self._down):
            calls.clear()
        self._unread.clear()


def _raw(unique_id: UniqueId) -> bytes:
    """As it would stand in a frame if it needs no escapes there."""
    return unique_id.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A CALL of ours that waits for its turn. is_step: goes out after the longest wait all the same; a question is
    dropped then. since: when it was wanted, monotonic seconds."""

    unique_id: UniqueId
    action: str
    text: str
    connector: ConnectorId
    is_step: bool
    since: Mono


@dataclass(slots=True)
class OwnCall:
    """A CALL of ours that was given to the shell, and when (monotonic seconds). written: when it was on the wire, None
    while it is not."""

    wanted: Wanted
    forced: bool
    taken: Mono
    written: Moment | None = None


class Turn:
    """CALLs of our own: those that wait, in the order steps then questions, and the one that is out."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {"_wait_seconds": "handed in"}
    _wait_seconds: float
    _waiting: list[Wanted]
    out: OwnCall | None

    def __init__(self, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds
        self._waiting = []
        self.out = None

    @property
    def has_waiting(self) -> bool:
        """Somebody waits for a turn."""
        return bool(self._waiting)

    def want(self, wanted: Wanted) -> None:
        """Queue a CALL; a step goes in front of every question."""
        if wanted.is_step:
            steps = sum(1 for other in self._waiting if other.is_step)
            self._waiting.insert(steps, wanted)
        else:
            self._waiting.append(wanted)

    def is_wanted(self, unique_id: UniqueId) -> bool:
        """The CALL still waits."""
        return any(wanted.unique_id == unique_id for wanted in self._waiting)

    def withdraw(self, unique_id: UniqueId) -> None:
        """The CALL need not be sent any more."""
        self._waiting = [wanted for wanted in self._waiting if wanted.unique_id != unique_id]

    def overdue(self, now: Moment, is_idle: bool = False) -> list[Wanted]:
        """Drop and give the questions that have waited too long. One that waited for the same CALL to grow old as long
        as the channel did has its turn."""
        longest = self._wait_seconds + (LATE_TIMER_SECONDS if is_idle and self.out is None else 0.0)
        dropped = [w for w in self._waiting if not w.is_step and now.mono - w.since >= longest]
        for wanted in dropped:
            self.withdraw(wanted.unique_id)
        return dropped

    def take(self, now: Moment, is_idle: bool) -> OwnCall | None:
        """Give the CALL whose turn it is, and count it as out; None: nobody's.

        One of ours is out at a time; it is answered or given up before a step has waited its time. A step that has goes
        out on a busy channel, marked as forced.
        """
        if not self._waiting or self.out is not None or not (is_idle or self._is_forced(now)):
            return None
        self.out = OwnCall(self._waiting.pop(0), not is_idle, now.mono)
        return self.out

    def next_at(self, idle_at: float | None) -> float | None:
        """When ``take`` or ``overdue`` next has something to do by time alone (monotonic seconds). While one of ours is
        out only questions can fall overdue; a step waits for its answer, or for somebody to give it up."""
        if self.out is not None:
            times = [wanted.since + self._wait_seconds for wanted in self._waiting if not wanted.is_step]
            return min(times, default=None)
        if not self._waiting:
            return None
        longest = min(wanted.since for wanted in self._waiting) + self._wait_seconds
        return longest if idle_at is None else min(longest, idle_at)

    def done(self) -> None:
        """Ours is answered, given up or never went out."""
        self.out = None

    def forget(self) -> list[Wanted]:
        """The connection is gone; give what had waited."""
        waiting, self._waiting = self._waiting, []
        self.out = None
        return waiting

    def _is_forced(self, now: Moment) -> bool:
        first = self._waiting[0]
        return first.is_step and now.mono - first.since >= self._wait_seconds
