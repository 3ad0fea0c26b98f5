"""One match over decisions; each goes to the part that performs it.

A performer may call back at once (a frame is often written before ``inject`` returns) and so bring new decisions while
older ones still wait: all go through one queue, so that they are performed in the order the station made them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from ocpp_watchdog.core.decisions import (
    CallOut,
    Count,
    CountKind,
    Decision,
    Inject,
    Notify,
    Record,
    Release,
    WakeAt,
    Warn,
)
from ocpp_watchdog.core.terms import ChargePointId, Moment, UniqueId
from ocpp_watchdog.shell.ports import Link
from ocpp_watchdog.shell.tally import Tally
from ocpp_watchdog.shell.timekeeping import Time

log = logging.getLogger(__name__)

QUIET_AFTER_TRACEBACK_SECONDS = 10.0
MOST_AT_ONCE = 1_000
PAUSE_SECONDS = 1.0

BeforeStep = Callable[[ChargePointId, Callable[[], None]], None]
"""Calls back, on the loop and soon, when what was recorded of this charge point is kept, or when nobody will wait."""
LONGEST_HOLD_SECONDS = 10.0


CallSomebody = Callable[[ChargePointId, CallOut, Callable[[], bool], Callable[[bool], None]], None]
"""Calls the configured address and says, once, whether it was reached; returns at once. Asks before each try whether
it is still wanted."""


class Asked(Protocol):
    """What the dispatcher asks the station while a frame of ours is on its way."""

    def may_send(self, unique_id: UniqueId, now: Moment) -> bool:
        """Is it still wanted, at the moment of writing?"""

    def written(self, unique_id: UniqueId, now: Moment) -> list[Decision]:
        """It is on the wire."""

    def not_written(self, unique_id: UniqueId, now: Moment) -> list[Decision]:
        """It is not, and will not be."""

    def called_out(self, unique_id: UniqueId, now: Moment, *, delivered: bool) -> list[Decision]:
        """What came of a call to somebody else."""


class Watched(Protocol):
    """The charge point a decision is about. link None: it is not connected."""

    charge_point: ChargePointId
    link: Link | None
    has_injected: bool
    release_timer: asyncio.TimerHandle | None

    @property
    def station(self) -> Asked:
        """The judge of this charge point."""

    def wake_at(self, mono: float | None) -> None:
        """Tick at this moment."""


class Dispatcher:
    """Performs decisions, in order, each guarded on its own: what breaks is counted and stops no other.

    notify, record, unanswered, warn: called with the charge point (and the decision); they return at once. before_step:
    a step is written when it calls back, and what was decided behind it waits as long; None: at once. Other charge
    points do not wait. call_out: None, nobody is to be called.
    """

    def __init__(
        self,
        clock: Time,
        tally: Tally,
        notify: Callable[[ChargePointId, Notify], None],
        record: Callable[[ChargePointId, Record], None],
        unanswered: Callable[[ChargePointId], None],
        *,
        warn: Callable[[ChargePointId, Warn], None] = lambda _, __: None,
        call_out: CallSomebody | None = None,
        before_step: BeforeStep | None = None,
    ) -> None:
        self._clock = clock
        self._tally = tally
        self._notify = notify
        self._record = record
        self._unanswered = unanswered
        self._warn = warn
        self._call_out = call_out
        self._before_step = before_step
        self._behind: dict[ChargePointId, list[Decision]] = {}
        self._waiting: deque[tuple[Watched, Decision]] = deque()
        self._is_performing = False
        self._quiet_until = float("-inf")

    def perform(self, watch: Watched, decisions: Sequence[Decision]) -> None:
        """Perform these decisions of one charge point behind whatever is still waiting."""
        self._waiting.extend((watch, decision) for decision in decisions)
        if self._is_performing:
            return
        self._is_performing = True
        try:
            for _ in range(MOST_AT_ONCE):
                if not self._waiting:
                    return
                self._guarded(*self._waiting.popleft())
        finally:
            self._is_performing = False
        if self._waiting:
            self._go_on_later()

    def _go_on_later(self) -> None:
        """A station and a link that answer each other for ever must not hold up the frames of everybody."""
        self._tally.fault("inject", self._clock.now().mono)
        log.error("decisions do not come to an end; the rest waits", extra={"waiting": len(self._waiting)})
        loop = asyncio.get_running_loop()
        loop.call_later(PAUSE_SECONDS, lambda: self.perform(self._waiting[0][0], ()) if self._waiting else None)

    def _guarded(self, watch: Watched, decision: Decision) -> None:
        behind = self._behind.get(watch.charge_point)
        if behind is not None:  # a step of this charge point is not written yet
            behind.append(decision)
            return
        self._try(watch, decision, lambda: self._one(watch, decision))

    def _try(self, watch: Watched, decision: Decision, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:
            part, mono = _part(decision), self._clock.now().mono
            self._tally.fault(part, mono)
            if mono >= self._quiet_until:  # what fails each time must not fill a disk
                self._quiet_until = mono + QUIET_AFTER_TRACEBACK_SECONDS
                log.exception("performing %s failed; frames go on", part, extra={"charge_point": watch.charge_point})
            if isinstance(decision, Inject):
                self._outcome(watch, decision.unique_id, was_written=False)
            elif isinstance(decision, CallOut):
                self._outcome(watch, decision.unique_id, was_written=False)
                self._came_of(watch, decision, delivered=False)

    def _one(self, watch: Watched, decision: Decision) -> None:
        match decision:
            case Inject():
                self._inject(watch, decision)
            case CallOut():
                self._when_committed(watch, decision, lambda: self._somebody(watch, decision))
            case Release():
                _release(watch, watch.link)
            case Notify():
                self._notify(watch.charge_point, decision)
            case Record():
                self._record(watch.charge_point, decision)
            case Warn():
                self._tally.dangerous_commands += 1
                self._warn(watch.charge_point, decision)
            case Count():
                self._tally.nonsense[decision.kind] += 1
                if decision.kind is CountKind.EXPIRED_CALL:
                    self._unanswered(watch.charge_point)
            case WakeAt():
                watch.wake_at(decision.mono)

    def _inject(self, watch: Watched, order: Inject) -> None:
        link, unique_id = watch.link, order.unique_id
        if link is None:
            self._outcome(watch, unique_id, was_written=False)
            return
        watch.has_injected = True
        is_holding = watch.release_timer is not None
        self._hold(watch, link)
        if (order.is_step or order.is_lasting) and self._before_step is not None:
            self._when_committed(watch, order, lambda: self._write_in(link, watch, order))
        elif order.is_step and is_holding:  # it was forced: a raise may wait behind the CALL of ours before it
            self._write_in(link, watch, order)
        else:
            self._write(watch, link, order)

    def _when_committed(self, watch: Watched, step: Inject | CallOut, act: Callable[[], None]) -> None:
        """Take a step when what was recorded before it is committed, or nobody waits any longer (DESIGN 6)."""
        if self._before_step is None:
            act()
            return
        behind: list[Decision] = []
        self._behind[watch.charge_point] = behind
        try:
            self._before_step(watch.charge_point, lambda: self._go(watch, step, act, behind))
        except Exception:
            self._tally.fault("journal", self._clock.now().mono)
            log.exception("the journal failed before a step; the step is taken")
            self._go(watch, step, act, behind)

    def _go(self, watch: Watched, step: Inject | CallOut, act: Callable[[], None], behind: list[Decision]) -> None:
        """The step has waited long enough; what was decided behind it follows."""
        if self._behind.get(watch.charge_point) is not behind:
            return  # it was taken before
        del self._behind[watch.charge_point]
        self._waiting.extendleft((watch, decision) for decision in reversed(behind))
        self._try(watch, step, act)
        self.perform(watch, ())

    def _write_in(self, link: Link, watch: Watched, order: Inject) -> None:
        """Write it in the session it was meant for; in another it has no place. What the central system said while it
        waited goes first: a raise among it cancels the step."""
        if watch.link is link:
            self._hear(watch, link)
            self._write(watch, link, order)
        else:
            self._outcome(watch, order.unique_id, was_written=False)

    def _write(self, watch: Watched, link: Link, order: Inject) -> None:
        unique_id = order.unique_id
        link.inject(
            order.text,
            still_wanted=lambda: self._is_wanted(watch, unique_id),
            written=lambda was_written: self._outcome(watch, unique_id, was_written=was_written),
            give_up_at=asyncio.get_running_loop().time() + self._clock.seconds_until(order.write_before_mono),
        )

    def _hear(self, watch: Watched, link: Link) -> None:
        """Let what was held go, so that the judge hears of it, and hold what comes next."""
        link.release_calls()
        self._hold(watch, link)

    def _hold(self, watch: Watched, link: Link) -> None:
        """Hold the central system's CALLs, 10 s at most: whoever would let them go may be broken by then."""
        link.hold_calls()
        if watch.release_timer is not None:
            watch.release_timer.cancel()
        wait = self._clock.seconds_until(self._clock.now().mono + LONGEST_HOLD_SECONDS)
        watch.release_timer = asyncio.get_running_loop().call_later(wait, _release, watch, link)

    def _is_wanted(self, watch: Watched, unique_id: UniqueId) -> bool:
        """Asked at the moment of writing. A judge that cannot answer is a no: nothing goes out unjudged."""
        try:
            return watch.station.may_send(unique_id, self._clock.now())
        except Exception:
            self._tally.fault("judge", self._clock.now().mono)
            log.exception("the judge failed while a frame of ours was to be written; it is not sent")
            return False

    def _somebody(self, watch: Watched, call: CallOut) -> None:
        """Switch the relay, if that is still wanted: a raise may wait behind a CALL of ours, and is heard first. Where
        nobody is to be called the step has failed."""
        if watch.link is not None and watch.release_timer is not None:
            self._hear(watch, watch.link)
        is_wanted = self._is_wanted(watch, call.unique_id)
        self._outcome(watch, call.unique_id, was_written=is_wanted)
        if is_wanted and self._call_out is not None:
            self._call_out(
                watch.charge_point,
                call,
                lambda: self._is_wanted(watch, call.unique_id),
                lambda delivered: self._came_of(watch, call, delivered=delivered),
            )
        elif is_wanted:
            self._came_of(watch, call, delivered=False)

    def _came_of(self, watch: Watched, call: CallOut, *, delivered: bool) -> None:
        now = self._clock.now()
        try:
            told = watch.station.called_out(call.unique_id, now, delivered=delivered)
        except Exception:
            self._tally.fault("judge", now.mono)
            log.exception("the judge failed on what came of a call; frames go on")
            return
        self.perform(watch, told)

    def _outcome(self, watch: Watched, unique_id: UniqueId, *, was_written: bool) -> None:
        station, now = watch.station, self._clock.now()
        try:
            told = station.written(unique_id, now) if was_written else station.not_written(unique_id, now)
        except Exception:
            self._tally.fault("judge", now.mono)
            log.exception("the judge failed on the outcome of a frame of ours; frames go on")
            return
        self.perform(watch, told)


def _release(watch: Watched, link: Link | None) -> None:
    """Let the central system's CALLs go, and wait for it no more."""
    if watch.release_timer is not None:
        watch.release_timer.cancel()
        watch.release_timer = None
    if link is not None:
        link.release_calls()


def _part(decision: Decision) -> str:
    match decision:
        case Notify() | Warn() | CallOut():
            return "notify"
        case Record():
            return "record"
        case WakeAt():
            return "timer"
        case Count():
            return "metrics"
        case _:
            return "inject"
