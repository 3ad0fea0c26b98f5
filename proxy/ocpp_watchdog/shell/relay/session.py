"""One session: two joined connections, two lanes, one judge. All of it runs in callbacks; there is no task to own.

Order of work for every read: walk, write, and only then judge. Calls of the judge never nest: what a call causes (a
held CALL let go, a frame of ours written) is told when it has returned.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from ocpp_watchdog.core import wire
from ocpp_watchdog.core.lane import Heard, Lane, What
from ocpp_watchdog.core.terms import ChargePointId, Direction
from ocpp_watchdog.shell.ports import Judge
from ocpp_watchdog.shell.relay.ending import Ending
from ocpp_watchdog.shell.relay.leg import Leg
from ocpp_watchdog.shell.relay.settings import RelayCounters, RelaySettings

_log = logging.getLogger(__name__)

PING_MARK = b"wd-"
Delay = Callable[[Direction, float], None]


class Owner(Protocol):
    """What a session needs of the relay that made it."""

    @property
    def counters(self) -> RelayCounters:
        """To be added to."""

    def session_over(self, session: RelaySession) -> None:
        """Both connections are gone and the judge knows."""


@dataclass(slots=True, eq=False)
class _Insertion:
    """A frame of ours that waits for a message boundary."""

    text: str
    still_wanted: Callable[[], bool]
    written: Callable[[bool], None]
    timer: asyncio.TimerHandle | None = None

    def not_written(self) -> None:
        """Report that it never went out."""
        sent = False
        self.written(sent)


class RelaySession:
    """Is the ``ports.Link`` of its judge, and what both legs report to."""

    def __init__(
        self,
        owner: Owner,
        settings: RelaySettings,
        charge_point: ChargePointId,
        peer: str,
        *,
        judge: Judge | None,
        delay: Delay | None,
    ) -> None:
        self.charge_point = charge_point
        self.peer = peer
        self.over = False
        self.gone = asyncio.Event()
        self.reason = ""
        self._owner = owner
        self._settings = settings
        self._judge = judge
        self._delay = delay
        self._loop = asyncio.get_running_loop()
        wants = judge is not None and self._ask(lambda: judge.wants_messages)
        self._to_central_system = Lane(settings.max_message, settings.judge_max, copies=wants)
        self._to_charge_point = Lane(settings.max_message, settings.judge_max, copies=wants)
        self._insertions: deque[_Insertion] = deque()
        self._judging = False
        self._todo: deque[Callable[[], None]] = deque()  # what the judge is told after its present call
        self._held_told = 0
        self._foreign_ping_open = False
        self._pong: asyncio.Future[bool] | None = None

    # -- begin ---------------------------------------------------------------------------------------------------

    def join(self, charge_point: asyncio.Transport, central_system: asyncio.Transport, view: memoryview) -> None:
        """Take both transports over. ``begin`` follows without an await in between."""
        self._cp = Leg(self, Direction.TO_CENTRAL_SYSTEM, self._to_central_system, charge_point, view)
        self._cs = Leg(self, Direction.TO_CHARGE_POINT, self._to_charge_point, central_system, view)
        self._cp.other, self._cs.other = self._cs, self._cp
        self._ending = Ending(self._settings, (self._cp, self._cs), self._because)
        for leg in (self._cp, self._cs):
            leg.transport.set_write_buffer_limits(high=self._settings.write_high)
            leg.transport.set_protocol(leg)

    def begin(self, from_charge_point: bytes, from_central_system: bytes) -> None:
        """Open the judge, forward what came early on either side, then read on."""
        judge = self._judge
        if judge is not None:
            self._tell(partial(judge.opened, self))
        for leg, early in ((self._cp, from_charge_point), (self._cs, from_central_system)):
            leg.transport.resume_reading()
            if early:
                self.received(leg, early)

    # -- bytes: the legs report ----------------------------------------------------------------------------------

    def received(self, leg: Leg, data: bytes) -> None:
        """Forward one read, then judge it."""
        if self._ending.draining:
            return
        began = self._loop.time() if self._delay is not None else 0.0
        out = leg.lane.feed(data)
        if out:
            leg.other.write(out)
        if self._delay is not None:
            self._measured(leg.direction, self._loop.time() - began)
        if leg.lane.heard:
            self._hear(leg)
        if self._insertions:
            self._insert_waiting()

    def ended(self, leg: Leg) -> bool:
        """A FIN: what waits goes out first."""
        self._because(f"{_name(leg)} ended the connection")
        self._let_go(leg)
        return self._ending.fin(leg)

    def lost(self, leg: Leg, exc: Exception | None) -> None:
        self._because(f"{_name(leg)} was lost: {type(exc).__name__}" if exc else f"{_name(leg)} closed")
        self._let_go(leg)
        if self._ending.lost(leg):
            self._finish()

    def full(self, leg: Leg) -> None:
        self._ending.full(leg)

    def drained(self, leg: Leg) -> None:
        self._ending.drained(leg)

    def _let_go(self, leg: Leg) -> None:
        out = leg.lane.let_go()
        if out:
            leg.other.write(out)
        if leg.lane.heard:
            self._hear(leg)
        self._settle_insertions()
        self._answered(alive=False)

    def _finish(self) -> None:
        self.over = True
        self._settle_insertions()
        judge = self._judge
        if judge is not None:
            self._tell(partial(judge.closed, self.reason))
        self._owner.session_over(self)
        self.gone.set()

    def _because(self, reason: str) -> None:
        """The first reason is the one that counts."""
        self.reason = self.reason or reason

    # -- messages: the judge is told -----------------------------------------------------------------------------

    def _hear(self, leg: Leg) -> None:
        heard, leg.lane.heard = leg.lane.heard, []
        if self._judging:
            self._todo.append(partial(self._judge_all, leg, heard))
            return
        self._judging = True
        self._judge_all(leg, heard)
        self._work_off()

    def _judge_all(self, leg: Leg, heard: list[Heard]) -> None:
        judge = self._judge
        for what, frames, is_text, size in heard:
            try:
                if what is What.MESSAGE:
                    if judge is not None:
                        judge.received(leg.direction, wire.payload_of(frames), is_text)
                else:
                    self._noticed(leg, what, frames, size)
            except Exception:
                self._fault()
        if self._to_charge_point.held_count != self._held_told:
            self._tell_held()

    def _noticed(self, leg: Leg, what: What, frames: bytes, size: int) -> None:
        """Everything but a message that was relayed and is judged. May raise what the judge raises."""
        match what:
            case What.ANSWER:
                self._owner.counters.withheld += 1
                if self._judge is not None:
                    self._judge.withheld(wire.payload_of(frames))
            case What.UNJUDGED:
                self._owner.counters.unjudged += 1
                if self._judge is not None:
                    self._judge.unjudged(leg.direction, size)
            case What.CLOSE:
                self._because(f"{_name(leg)} sent Close {wire.close_code(wire.payload_of(frames)) or ''}".rstrip())
                self._settle_insertions()
                self._answered(alive=False)
                self._ending.close_passed()
            case What.PING:
                self._foreign_ping_open = self._foreign_ping_open or leg is self._cs
            case What.PONG | What.OWN_PONG if leg is self._cp:
                self._foreign_ping_open = False
                self._answered(alive=True)
            case What.TOO_BIG:
                self.close(1009, "message too big")

    def _tell_held(self) -> None:
        count = self._to_charge_point.held_count
        self._owner.counters.held += max(0, count - self._held_told)
        self._held_told = count
        if self._judge is not None:
            self._tell(partial(self._judge.held, count))

    def _tell(self, what: Callable[[], None]) -> None:
        """Call the judge, now or after its present call."""
        self._todo.append(what)
        if not self._judging:
            self._judging = True
            self._work_off()

    def _work_off(self) -> None:
        while self._todo:
            try:
                self._todo.popleft()()
            except Exception:
                self._fault()
        self._judging = False

    def _ask(self, question: Callable[[], bool]) -> bool:
        """Ask the judge; a judge that breaks says no."""
        try:
            return question()
        except Exception:
            self._fault()
            return False

    def _measured(self, direction: Direction, seconds: float) -> None:
        try:
            if self._delay is not None:
                self._delay(direction, seconds)
        except Exception:
            self._fault()

    def _fault(self) -> None:
        """Count and log what a judge raised; frames go on (DESIGN R12)."""
        self._owner.counters.faults += 1
        _log.exception("the judge failed; the session goes on", extra={"charge_point": self.charge_point})

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
        if self.over:
            return
        out = self._to_charge_point.release()
        if out:
            self._cp.write(out)
        if self._to_charge_point.heard:
            self._hear(self._cs)
        elif self._to_charge_point.held_count != self._held_told:
            self._tell_held()

    def close(self, code: int, reason: str) -> None:
        if self.over:
            return
        self._because(f"closed by us: {code} {reason}".rstrip())
        self._ending.close(code, reason, _key)
        self._settle_insertions()
        self._answered(alive=False)

    # -- frames of our own ---------------------------------------------------------------------------------------

    def _can_insert(self) -> bool:
        """Whether a CALL of ours can still be written and its answer be told apart."""
        lanes = (self._to_charge_point, self._to_central_system)
        dead = any(lane.broken or lane.closed or lane.stopped for lane in lanes)
        return not (dead or self.over or self._ending.draining or self._cp.shut or self._cp.lost or self._cs.lost)

    def _insert(self, insertion: _Insertion) -> None:
        done = self._can_insert() and self._ask(insertion.still_wanted)
        if done:
            done = self._cp.write(wire.frame(wire.TEXT, insertion.text.encode(), None))
            self._owner.counters.injected += done
        self._tell(partial(insertion.written, done))

    def _insert_waiting(self) -> None:
        """At a message boundary write what waits, then walk on."""
        lane = self._to_charge_point
        self._settle_insertions()
        while self._insertions and not lane.is_open:
            insertion = self._insertions.popleft()
            _cancel(insertion)
            self._insert(insertion)
        lane.halt = bool(self._insertions)
        if lane.has_rest and not lane.halt:
            self.received(self._cs, b"")

    def _settle_insertions(self) -> None:
        """Report what can never be written any more."""
        if self._insertions and not self._can_insert():
            self._to_charge_point.halt = False
            waiting, self._insertions = self._insertions, deque()
            for insertion in waiting:
                _cancel(insertion)
                self._tell(insertion.not_written)

    def _give_up(self, insertion: _Insertion) -> None:
        self._insertions.remove(insertion)
        self._to_charge_point.halt = bool(self._insertions)
        self._tell(insertion.not_written)

    # -- is it still there? (DESIGN R11) -------------------------------------------------------------------------

    async def answers(self, patience: float) -> bool:
        """Ask the charge point by a ping of ours; False: it is silent for ``patience``, or it is already leaving.

        While a ping of the central system is unanswered ours is not sent, for an endpoint may answer the newest only
        (RFC 6455 §5.5.3): then that pong is the answer.
        """
        if self.over or self._ending.under_way:
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
        self._because("replaced by a new connection")
        self._cp.transport.abort()
        self._ending.close_both()

    def abort(self) -> None:
        self._because("given up")
        self._ending.abort()


def _name(leg: Leg) -> str:
    return "central system" if leg.direction is Direction.TO_CHARGE_POINT else "charge point"


def _cancel(insertion: _Insertion) -> None:
    if insertion.timer is not None:
        insertion.timer.cancel()


def _key() -> bytes:
    return os.urandom(4)
