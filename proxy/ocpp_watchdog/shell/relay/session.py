"""One session: two joined connections, two lanes, one judge. All of it runs in callbacks; there is no task to own.

Order of work for every read: walk, write, and only then judge.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from ocpp_watchdog.core import wire
from ocpp_watchdog.core.lane import Lane, Signal
from ocpp_watchdog.core.mending import Mend
from ocpp_watchdog.core.terms import ChargePointId, Direction
from ocpp_watchdog.shell.ports import Judge
from ocpp_watchdog.shell.relay.ending import Ending
from ocpp_watchdog.shell.relay.hearing import Hearing
from ocpp_watchdog.shell.relay.leg import AHEAD, Leg
from ocpp_watchdog.shell.relay.repairing import SendBack, mending_lane
from ocpp_watchdog.shell.relay.settings import RelayCounters, RelaySettings

PING_MARK = b"wd-"
MEASURED_ONE_IN = 16
"""Reads of a leg, the first among them."""
Delay = Callable[[Direction, float], None]


class Owner(Protocol):
    """What a session needs of the relay that made it."""

    @property
    def counters(self) -> RelayCounters:
        """To be added to."""

    @property
    def stopwatch(self) -> Callable[[], float]:
        """Seconds, for differences."""

    def fault(self, charge_point: ChargePointId) -> None:
        """Count and log the exception that is being handled; frames go on (DESIGN R12)."""

    def session_over(self, session: RelaySession) -> None:
        """Both connections are gone and the judge knows."""


@dataclass(slots=True, eq=False)
class _Insertion:
    """A frame of ours that waits for a message boundary."""

    text: str
    still_wanted: Callable[[], bool]
    written: Callable[[bool], None]
    timer: asyncio.TimerHandle | None = None

    def tell(self, *, done: bool) -> None:
        """Report what became of it."""
        self.written(done)

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()


class RelaySession:
    """Is the ``ports.Link`` of its judge, and what both legs report to."""

    __slots__ = (
        "_cp",
        "_cs",
        "_delay",
        "_ending",
        "_foreign_ping_open",
        "_hearing",
        "_held_told",
        "_insertions",
        "_loop",
        "_owner",
        "_pong",
        "_settings",
        "_to_central_system",
        "_to_charge_point",
        "_waiting",
        "charge_point",
        "over",
        "peer",
        "reason",
    )

    _cp: Leg  # the charge point's connection
    _cs: Leg  # the central system's
    _ending: Ending

    def __init__(
        self,
        owner: Owner,
        settings: RelaySettings,
        charge_point: ChargePointId,
        peer: str,
        *,
        judge: Judge | None,
        delay: Delay | None,
        mend: Mend | None = None,
    ) -> None:
        self.charge_point = charge_point
        self.peer = peer
        self.over = False
        self.reason = ""
        self._owner = owner
        self._settings = settings
        self._delay = delay
        self._loop = asyncio.get_running_loop()
        self._hearing = Hearing(judge, owner.counters, partial(owner.fault, charge_point), self._caught_up)
        self._to_central_system = self._lane(Direction.TO_CENTRAL_SYSTEM, mend)
        self._to_charge_point = self._lane(Direction.TO_CHARGE_POINT, mend)
        self._insertions: list[_Insertion] = []
        self._held_told = 0
        self._foreign_ping_open = False
        self._pong: asyncio.Future[bool] | None = None
        self._waiting: asyncio.Future[None] | None = None

    def _lane(self, direction: Direction, mend: Mend | None) -> Lane:
        if mend is not None:
            return mending_lane(self._settings, direction, mend, self._hearing)
        return Lane(self._settings.max_message, self._settings.judge_max, copies=self._hearing.wants_messages)

    # -- begin ---------------------------------------------------------------------------------------------------

    def join(self, charge_point: asyncio.Transport, central_system: asyncio.Transport, view: memoryview) -> None:
        """Take both transports over. ``begin`` follows without an await in between."""
        self._cp = Leg(self, Direction.TO_CENTRAL_SYSTEM, self._to_central_system, charge_point, view)
        self._cs = Leg(self, Direction.TO_CHARGE_POINT, self._to_charge_point, central_system, view)
        self._cp.other, self._cs.other = self._cs, self._cp
        self._ending = Ending(self._settings, (self._cp, self._cs), self._because)
        for leg in (self._cp, self._cs):
            leg.unmeasured = 0 if self._delay is None else 1
            leg.transport.set_write_buffer_limits(high=self._settings.write_high)
            leg.transport.set_protocol(leg)

    @property
    def transports(self) -> tuple[asyncio.Transport, asyncio.Transport]:
        """The charge point's and the central system's."""
        return self._cp.transport, self._cs.transport

    def begin(self, from_charge_point: bytes, from_central_system: bytes) -> None:
        """Open the judge, forward what came early on either side, then read on."""
        self._hearing.opened(self)
        for leg, early in ((self._cp, from_charge_point), (self._cs, from_central_system)):
            leg.transport.resume_reading()
            if early:
                self.received(leg, early)

    # -- bytes: the legs report ----------------------------------------------------------------------------------

    def received(self, leg: Leg, data: bytes) -> None:
        """Forward one read, then judge it."""
        if self._ending.draining:
            return
        lane = leg.lane
        leg.unmeasured -= 1
        if leg.unmeasured and lane.passes(data):
            leg.other.write(data)
            self._hearing.passed(leg.direction, data)
            if self._hearing.behind:
                self._let_others_go_first(leg)
            if self._insertions:
                self._insert_waiting()
            return
        if leg.unmeasured:
            out = lane.feed(data)
            if out:
                leg.other.write(out)
        else:
            self._feed_measured(leg, data)
        if lane.heard:
            heard, lane.heard = lane.heard, []
            self._hearing.hear(leg.direction, heard)
        if lane.crowded or self._hearing.behind:
            self._let_others_go_first(leg)
        if lane.signals:
            self._signalled(leg)
        if lane.held_count != self._held_told and leg is self._cs:
            self._tell_held()
        if self._insertions:
            self._insert_waiting()

    def _let_others_go_first(self, leg: Leg) -> None:
        """Many frames came at once: this peer is read again in the next turn of the loop, or when the judge is done."""
        leg.lane.crowded = False
        leg.hold(AHEAD)
        if not self._hearing.behind:
            self._loop.call_soon(leg.read_on, AHEAD)

    def _caught_up(self) -> None:
        self._cp.read_on(AHEAD)
        self._cs.read_on(AHEAD)

    def ended(self, leg: Leg) -> bool:
        """A FIN: what waits goes out first."""
        self._because(f"{_name(leg)} ended the connection")
        self._let_go(leg)
        keep = self._ending.fin(leg)
        self._no_more()
        return keep

    def lost(self, leg: Leg, exc: Exception | None) -> None:
        """A connection is gone; what waits still goes out."""
        self._because(f"{_name(leg)} was lost: {type(exc).__name__}" if exc else f"{_name(leg)} closed")
        if exc is not None and (words := leg.last_words()):
            self.received(leg, words)
        self._let_go(leg)
        over = self._ending.lost(leg)
        self._no_more()
        if over:
            self._finish()

    def full(self, leg: Leg) -> None:
        self._ending.full(leg)

    def drained(self, leg: Leg) -> None:
        self._ending.drained(leg)

    def _let_go(self, leg: Leg) -> None:
        self._write_held(leg, leg.lane.let_go())

    def _write_held(self, leg: Leg, out: bytes) -> None:
        """Write what a lane lets go, and tell the judge."""
        if out:
            leg.other.write(out)
        lane = leg.lane
        if lane.heard:
            heard, lane.heard = lane.heard, []
            self._hearing.hear(leg.direction, heard)
        if self._to_charge_point.held_count != self._held_told:
            self._tell_held()

    def _finish(self) -> None:
        self.over = True
        self._hearing.closed(self.reason)
        self._owner.session_over(self)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _because(self, reason: str) -> None:
        """The first reason is the one that counts."""
        self.reason = self.reason or reason

    def _no_more(self) -> None:
        """An end has begun: frames of ours that wait are not sent, and nobody will answer a ping."""
        self._settle_insertions()
        self._answered(alive=False)

    def _signalled(self, leg: Leg) -> None:
        signals, leg.lane.signals = leg.lane.signals, []
        for signal, payload in signals:
            match signal:
                case Signal.CLOSE:
                    self._because(f"{_name(leg)} sent Close {wire.close_code(payload) or ''}".rstrip())
                    self._ending.close_passed()
                    self._no_more()
                case Signal.PING:
                    self._foreign_ping_open |= leg is self._cs
                case Signal.PONG | Signal.OWN_PONG:
                    if leg is self._cp:
                        self._foreign_ping_open = False
                        self._answered(alive=True)
                case Signal.ANSWER:
                    SendBack(leg, self._hearing, lambda: self.over or self._ending.draining).all()
                case Signal.TOO_BIG:
                    self.close(1009, "message too big")

    def _tell_held(self) -> None:
        count = self._to_charge_point.held_count
        self._owner.counters.held += max(0, count - self._held_told)
        self._held_told = count
        self._hearing.held(count)

    def _feed_measured(self, leg: Leg, data: bytes) -> None:
        """Forward one read and tell how long it took."""
        leg.unmeasured = MEASURED_ONE_IN
        stopwatch = self._owner.stopwatch
        began = stopwatch()
        out = leg.lane.feed(data)
        if out:
            leg.other.write(out)
        try:
            if self._delay is not None:
                self._delay(leg.direction, stopwatch() - began)
        except Exception:
            self._hearing.fault()

    # -- what the judge may ask for: ports.Link ------------------------------------------------------------------

    def inject(
        self, text: str, still_wanted: Callable[[], bool], written: Callable[[bool], None], give_up_at: float
    ) -> None:
        self._to_central_system.arm()
        insertion = _Insertion(text, still_wanted, written)
        if not self._can_insert() or not (self._to_charge_point.is_open or self._insertions):
            self._insert(insertion)
            return
        insertion.timer = self._loop.call_at(give_up_at, self._give_up, insertion)
        self._insertions.append(insertion)
        self._to_charge_point.halt = True

    def arm(self) -> None:
        self._to_central_system.arm()

    def hold_calls(self) -> None:
        self._to_charge_point.hold()

    def release_calls(self) -> None:
        self._write_held(self._cs, self._to_charge_point.release())

    def close(self, code: int, reason: str) -> None:
        if not self.over:
            self._because(f"closed by us: {code} {reason}".rstrip())
            self._ending.close(code, reason, _key)
            self._no_more()

    # -- frames of our own ---------------------------------------------------------------------------------------

    def _can_insert(self) -> bool:
        """Whether a CALL of ours can still be written and its answer be told apart."""
        if self.over or self._ending.draining or self._cp.shut or self._cp.lost or self._cs.lost:
            return False
        lanes = (self._to_charge_point, self._to_central_system)
        return not any(lane.broken or lane.closed or lane.stopped for lane in lanes)

    def _insert(self, insertion: _Insertion) -> None:
        done = self._can_insert() and self._hearing.ask(insertion.still_wanted)
        if done:
            frame = wire.frame(wire.TEXT, insertion.text.encode(), None)
            done = self._cp.write(frame)
            if done:
                self._owner.counters.injected += 1
                self._hearing.injected(frame)
        self._hearing.tell(partial(insertion.tell, done=done))

    def _insert_waiting(self) -> None:
        """At a message boundary write what waits, then walk on."""
        lane = self._to_charge_point
        self._settle_insertions()
        while self._insertions and not lane.is_open:
            insertion = self._insertions.pop(0)
            insertion.cancel_timer()
            self._insert(insertion)
        lane.halt = bool(self._insertions)
        if lane.has_rest and not lane.halt:
            self.received(self._cs, b"")

    def _settle_insertions(self) -> None:
        """Report what can never be written any more."""
        if self._insertions and not self._can_insert():
            waiting, self._insertions = self._insertions, []
            self._to_charge_point.halt = False
            for insertion in waiting:
                insertion.cancel_timer()
                self._hearing.tell(partial(insertion.tell, done=False))

    def _give_up(self, insertion: _Insertion) -> None:
        """Its deadline came while a foreign message is still open."""
        self._insertions.remove(insertion)
        self._to_charge_point.halt = bool(self._insertions)
        self._hearing.tell(partial(insertion.tell, done=False))

    # -- is the charge point still there? (DESIGN R11) -----------------------------------------------------------

    @property
    def is_ending(self) -> bool:
        """Whether a Close, a FIN or a loss has already begun its end."""
        return self._ending.under_way

    async def answers(self, patience: float) -> bool:
        """Ask the charge point by a ping of ours; False: silent for ``patience`` seconds, or leaving.

        While a ping of the central system is unanswered ours is not sent, for an endpoint may answer the newest only
        (RFC 6455 §5.5.3): then that pong is the answer.
        """
        if self.over or self.is_ending:
            return False
        self._pong = self._loop.create_future()
        if not self._foreign_ping_open:
            mark = PING_MARK + os.urandom(8).hex().encode()
            self._to_central_system.expect_pong(mark)
            self._cp.write(wire.frame(wire.PING, mark, None))
        try:
            async with asyncio.timeout(patience):
                return await self._pong
        except TimeoutError:
            return False
        finally:
            self._pong = None

    def _answered(self, *, alive: bool) -> None:
        if self._pong is not None and not self._pong.done():
            self._pong.set_result(alive)

    def replace(self) -> None:
        """Make room for a newcomer: nobody is there to read a Close, so both connections just end."""
        if not self.over:
            self._because("replaced by a new connection")
            self._cp.transport.abort()
            self._ending.close_both()

    def abort(self) -> None:
        if not self.over:
            self._because("given up")
            self._ending.abort()

    async def wait_until_over(self) -> None:
        """One newcomer at a time waits here: handshakes of one id take turns."""
        if not self.over:
            self._waiting = self._loop.create_future()
            await self._waiting


def _name(leg: Leg) -> str:
    return "central system" if leg.direction is Direction.TO_CHARGE_POINT else "charge point"


def _key() -> bytes:
    return os.urandom(4)
