"""One connected charge point: relay -> station -> dispatcher, and the one timer.

A ``Watch`` is what the program keeps of one charge point over many sessions: its station, its link while it is
connected, its timer. A ``Session`` is the judge the relay talks to during one connection; it adds the guard that lets
frames go on whatever breaks here (DESIGN R12). No policy, no OCPP: what a frame means is the station's business.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol

from ocpp_watchdog.core import wire
from ocpp_watchdog.core.decisions import Decision
from ocpp_watchdog.core.errors import UnusableMemory
from ocpp_watchdog.core.mending import Repaired
from ocpp_watchdog.core.supervision import SupervisedStation
from ocpp_watchdog.core.terms import ChargePointId, Direction, Moment
from ocpp_watchdog.shell.ports import Link, Passage, Recorder, Tap
from ocpp_watchdog.shell.tally import OTHER_ACTION, Tally
from ocpp_watchdog.shell.timekeeping import Time

log = logging.getLogger(__name__)

MOST_CHARGE_POINTS = 10_000
QUIET_AFTER_TRACEBACK_SECONDS = 10.0
SHORTEST_WAIT_SECONDS = 0.001
TICK_AGAIN_SECONDS = 1.0

Recall = Callable[[ChargePointId], object]
"""What was remembered of a charge point before the start, as read from JSON; None: nothing."""

Skim = Callable[[Direction, bytes, float, float], Sequence[Decision] | None]


class Performer(Protocol):
    """Carries decisions out. Never raises."""

    def perform(self, watch: Watch, decisions: Sequence[Decision]) -> None:
        """Perform these decisions of this charge point, in order."""


class Guard:
    """Counts and logs what breaks in the judge; the traceback at most every ten seconds, so that a judge that fails on
    every frame cannot fill a disk."""

    def __init__(self, clock: Time, tally: Tally) -> None:
        self._clock = clock
        self._tally = tally
        self._quiet_until = float("-inf")

    def report(self, part: str, charge_point: ChargePointId) -> None:
        """Called from an ``except`` clause: this part broke while it worked for this charge point."""
        mono = self._clock.now().mono
        self._tally.fault(part, mono)
        if mono < self._quiet_until:
            return
        self._quiet_until = mono + QUIET_AFTER_TRACEBACK_SECONDS
        log.exception("the %s failed; frames go on", part, extra={"charge_point": charge_point})


class Watch:
    """One charge point, known since the central system accepted it for the first time.

    sessions: how many were opened. heard_utc: when it sent its last message, None before the first. memory_version:
    of the station, when somebody was last told that it changed.
    """

    def __init__(self, charge_point: ChargePointId, station: SupervisedStation, watches: Watches) -> None:
        self.charge_point = charge_point
        self.station = station
        self.link: Link | None = None
        self.has_injected = False
        self.release_timer: asyncio.TimerHandle | None = None
        self.sessions = 0
        self.heard_utc: float | None = None
        self.memory_version = station.memory_version
        self._watches = watches
        self._timer: asyncio.TimerHandle | None = None
        self._wake_mono: float | None = None
        self._rings_mono = 0.0  # what the timer was set for

    @property
    def is_idle(self) -> bool:
        """Not connected, no episode open."""
        if self.link is not None:
            return False
        view = self.station.view(self._watches.clock.now())
        return all(seen.episode is None or seen.episode.ended is not None for seen in view.connectors)

    def wake_at(self, mono: float | None) -> None:
        """Tick at this moment (monotonic seconds); None: nothing to wait for. Replaces what was set before.

        The moment moves with most messages, nearly always to a later one. A timer that rings too early is left alone:
        it is set again when it rings, and not with each message.
        """
        self._wake_mono = mono
        if mono is None or (self._timer is not None and self._rings_mono <= mono):
            return
        self.stop_timer()
        self._rings_mono = mono
        delay = max(self._watches.clock.seconds_until(mono), SHORTEST_WAIT_SECONDS)
        self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def stop_timer(self) -> None:
        """Wait for nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self, *, is_read: bool = False) -> None:
        """Let the station think about what fell due; what waits unread is read a moment before, so that frames wait for
        half of it only. is_read: it was."""
        self._timer = None
        mono = self._wake_mono
        if mono is None:
            return
        if self._watches.clock.mono() < mono:
            self.wake_at(mono)  # it was set for less, or is early by its resolution; the station counts on the moment
            return
        if not is_read and self._watches.read_ahead(self):
            later = partial(self._tick, is_read=True)
            self._timer = asyncio.get_running_loop().call_later(SHORTEST_WAIT_SECONDS, later)
            return
        self._wake_mono = None
        if not self._watches.judge(self, self.station.tick):
            self.wake_at(self._watches.clock.now().mono + TICK_AGAIN_SECONDS)  # it broke: the next frame may be far off


class Watches:
    """All charge points the program knows, by id. Bounded: the longest idle one is forgotten first, and as long as
    there is room for twice as many, none whose order stands, whose budget is used, or who holds something of ours: met
    anew it would be taken for one of which nothing is known.

    recall: asked once for each charge point, when it is met first. changed: told that ``memory`` gives something else
    now; it returns at once.
    """

    def __init__(
        self,
        clock: Time,
        tally: Tally,
        performer: Performer,
        new_station: Callable[[ChargePointId], SupervisedStation],
        most: int = MOST_CHARGE_POINTS,
        *,
        recall: Recall = lambda _: None,
        changed: Callable[[ChargePointId], None] = lambda _: None,
    ) -> None:
        self.clock = clock
        self.tally = tally
        self._performer = performer
        self._new_station = new_station
        self._most = most
        self._recall = recall
        self._changed = changed
        self.guard = Guard(clock, tally)
        self._known: dict[ChargePointId, Watch] = {}

    def __iter__(self) -> Iterator[Watch]:
        return iter(tuple(self._known.values()))

    def __len__(self) -> int:
        return len(self._known)

    def get(self, charge_point: ChargePointId) -> Watch | None:
        """The watch of this charge point, None when it never connected (or was forgotten)."""
        return self._known.get(charge_point)

    def of(self, charge_point: ChargePointId) -> Watch:
        """The watch of this charge point, a new one when it is not known; it counts as the youngest from now on."""
        watch = self._known.pop(charge_point, None)
        is_new = watch is None
        if watch is None:
            self._make_room()
            watch = Watch(charge_point, self._new_station(charge_point), self)
        self._known[charge_point] = watch
        if is_new:
            self._restore(watch, self._recalled(charge_point))
        return watch

    def expect(self, charge_points: Iterable[ChargePointId]) -> None:
        """Know these right now, before they connect: something about them must be seen from the start."""
        for charge_point in charge_points:
            self.of(charge_point)

    def memory(self, charge_point: ChargePointId) -> object:
        """What a restart needs of this charge point; None when it is not known."""
        watch = self._known.get(charge_point)
        return None if watch is None else watch.station.memory(self.clock.now())

    def _recalled(self, charge_point: ChargePointId) -> object:
        try:
            return self._recall(charge_point)
        except Exception:
            self.guard.report("memory", charge_point)
            return None

    def _restore(self, watch: Watch, kept: object) -> None:
        """Give a new watch back what was remembered. What cannot be used is counted, and it begins anew."""
        if kept is None:
            return
        try:
            decisions = watch.station.restore(kept, self.clock.now())
        except UnusableMemory as error:
            self.tally.fault("memory", self.clock.now().mono)
            log.error("what was remembered cannot be used: %s", error, extra={"charge_point": watch.charge_point})
            return
        except Exception:
            self.guard.report("memory", watch.charge_point)
            watch.station = self._new_station(watch.charge_point)
            return
        log.info("what was known before the start is known again", extra={"charge_point": watch.charge_point})
        watch.has_injected = watch.station.has_spoken
        self._performer.perform(watch, decisions)

    def read_ahead(self, watch: Watch) -> bool:
        """Let the station read what waits. What breaks in there breaks once more where it is judged, and is counted."""
        try:
            return watch.station.read_ahead()
        except Exception:
            return False

    def judge(self, watch: Watch, question: Callable[[Moment], list[Decision]]) -> bool:
        """Ask the station, perform what it decides. False: something broke; it is counted, and nothing else happens."""
        try:
            decisions = question(self.clock.now())
        except Exception:
            self.tally.judge_failures_in_a_row += 1
            self.guard.report("judge", watch.charge_point)
            return False
        self.tally.judge_failures_in_a_row = 0
        if watch.station.memory_version != watch.memory_version:
            watch.memory_version = watch.station.memory_version
            self._changed(watch.charge_point)
        self._performer.perform(watch, decisions)
        return True

    def perform(self, watch: Watch, decisions: Sequence[Decision]) -> None:
        """Perform what the station of this watch decided."""
        self._performer.perform(watch, decisions)

    def stop(self) -> None:
        """Stop every timer: the program ends."""
        for watch in self:
            watch.stop_timer()

    def _make_room(self) -> None:
        if len(self._known) < self._most:
            return
        now = self.clock.now()
        idle = (watch for watch in self if watch.link is None)
        found = next((watch for watch in idle if watch.station.owes_nothing(now)), None)
        if found is None and len(self._known) >= 2 * self._most:
            found = next((watch for watch in self if watch.is_idle), None)
            self.tally.fault("memory", now.mono)
            log.error("too many charge points are known; one is forgotten with what it owes")
        if found is not None:
            found.stop_timer()
            del self._known[found.charge_point]


UP, DOWN = Direction.TO_CENTRAL_SYSTEM, Direction.TO_CHARGE_POINT
FORWARDED = Passage.FORWARDED
_OPPOSITE = {UP: DOWN, DOWN: UP}


class Session:
    """What the relay calls during one connection. Every method is synchronous, cheap and never raises."""

    __slots__ = ("_link", "_mono", "_recorder", "_skim", "_tally", "_tap", "_told_as", "_utc", "_watch", "_watches")

    wants_messages = True

    def __init__(self, watches: Watches, tap: Tap | None = None, recorder: Recorder | None = None) -> None:
        """tap: told of every message (the journal), recorder: of the session; None: nobody wants to know."""
        self._watches = watches
        self._tally = watches.tally
        self._tap = tap
        self._recorder = recorder
        self._told_as: object = self
        self._watch: Watch | None = None
        self._link: Link | None = None
        self._utc, self._mono = watches.clock.utc, watches.clock.mono
        self._skim: Skim

    def opened(self, link: Link) -> None:
        """The central system accepted this charge point; frames will flow."""
        charge_point = link.charge_point
        self._told(lambda recorder, now: recorder.opened(charge_point, link.peer, now))
        try:
            self._watch = watch = self._watches.of(charge_point)
        except Exception:
            self._watches.guard.report("judge", charge_point)
            return
        self._skim = watch.station.skim
        self._link = watch.link = link
        watch.sessions += 1
        if watch.has_injected:
            link.arm()  # an answer to a CALL of an earlier session may still come
        self._watches.judge(watch, watch.station.connected)

    def passed(self, direction: Direction, frames: bytes) -> None:
        """A message was forwarded; most need not be unmasked and decoded as a whole."""
        utc, mono = self._utc(), self._mono()
        if self._tap is not None:
            try:
                self._tap((self._told_as, FORWARDED, direction, frames, utc, mono))
            except Exception:
                self._tap_broke()
        watch = self._watch
        if watch is None:
            return
        if direction is UP:
            watch.heard_utc = utc
        tally = self._tally
        try:
            decisions = self._skim(direction, frames, utc, mono)
        except Exception:
            tally.judge_failures_in_a_row += 1
            self._watches.guard.report("judge", watch.charge_point)
            decisions = None
        if decisions is None:
            self._read(watch, direction, frames, Moment(utc, mono))
            return
        tally.judge_failures_in_a_row = 0
        tally.frame(direction, watch.station.last_action)
        if decisions:
            self._watches.perform(watch, decisions)

    def _read(self, watch: Watch, direction: Direction, frames: bytes, now: Moment) -> None:
        """Give the whole of it to the station."""
        tally, station = self._watches.tally, watch.station
        if frames[0] & wire.OPCODE == wire.BINARY:
            tally.binary_messages += 1  # judged all the same: some central systems take binary for text
        text = wire.payload_of(frames).decode("utf-8", "replace")
        judged = self._watches.judge(watch, lambda _: station.receive(direction, text, now))
        tally.frame(direction, station.last_action if judged else OTHER_ACTION)

    def withheld(self, frames: bytes) -> None:
        """An answer to a CALL of ours was kept from the central system."""
        if self._tap is not None:
            self._tell_tap(Passage.WITHHELD, Direction.TO_CENTRAL_SYSTEM, frames, self._utc(), self._mono())
        if (watch := self._watch) is not None:
            text = wire.payload_of(frames).decode("utf-8", "replace")
            self._watches.judge(watch, lambda now: watch.station.own_answer(text, now))

    def injected(self, frame: bytes) -> None:
        """A CALL of ours was written."""
        if self._tap is not None:
            self._tell_tap(Passage.OURS, Direction.TO_CHARGE_POINT, frame, self._utc(), self._mono())

    def repaired(self, direction: Direction, frame: Repaired) -> None:
        """A message went out changed. The judge hears what was asked of the charge point, and what the central system
        was told by it, but for times that were made up (docs/decisions/0014)."""
        utc, mono = self._utc(), self._mono()
        if self._tap is not None:
            self._tell_tap(Passage.FORWARDED, direction, frame, utc, mono)
        self._count_repairs(frame.repairs)
        if (watch := self._watch) is None:
            return
        heard = frame.original
        if direction is Direction.TO_CENTRAL_SYSTEM:
            watch.heard_utc = utc
            heard = frame.heard
        self._read(watch, direction, heard, Moment(utc, mono))

    def answered(self, direction: Direction, frames: bytes, reply: bytes, repairs: str) -> None:
        """A repair answered a message; whom it was meant for never sees it, so the judge does not hear of it."""
        utc, mono = self._utc(), self._mono()
        if self._tap is not None:
            back = _OPPOSITE[direction]
            self._tell_tap(Passage.WITHHELD, direction, Repaired(frames, b"", repairs), utc, mono)
            self._tell_tap(Passage.OURS, back, Repaired(reply, b"", repairs), utc, mono)
        self._count_repairs(repairs)
        if self._watch is not None and direction is Direction.TO_CENTRAL_SYSTEM:
            self._watch.heard_utc = utc

    def _count_repairs(self, repairs: str) -> None:
        for name in repairs.split(", "):
            self._watches.tally.repaired[name] += 1

    def unjudged(self, direction: Direction, size: int) -> None:
        """A message was too large to be judged; it was forwarded."""
        if self._tap is not None:
            self._tell_tap(Passage.TOO_LARGE, direction, b"", self._utc(), self._mono())
        self._watches.tally.unjudged_messages += 1
        log.warning("a message is too large to be judged", extra={"direction": str(direction), "size": size})

    def _tell_tap(self, passage: Passage, direction: Direction, frames: bytes, utc: float, mono: float) -> None:
        try:
            if self._tap is not None:
                self._tap((self._told_as, passage, direction, frames, utc, mono))
        except Exception:
            self._tap_broke()

    def _tap_broke(self) -> None:
        charge_point = self._watch.charge_point if self._watch is not None else ChargePointId("")
        self._watches.guard.report("journal", charge_point)

    def _told(self, tell: Callable[[Recorder, Moment], object]) -> None:
        """Tell the recorder; what it answers is what the messages are told with from now on."""
        if self._recorder is None:
            return
        try:
            self._told_as = tell(self._recorder, self._watches.clock.now()) or self
        except Exception:
            self._watches.guard.report("journal", ChargePointId(""))

    def held(self, count: int) -> None:
        """So many CALLs of the central system are held now."""

    def closed(self, reason: str) -> None:
        """The session ended. A late end of an old session never touches a newer one (DESIGN R11)."""
        self._told(lambda recorder, now: recorder.closed(self._told_as, reason, now))
        watch = self._watch
        if watch is None:
            return
        if watch.link is self._link:
            watch.link = None
            self._watches.judge(watch, watch.station.disconnected)
        self._watch = None
