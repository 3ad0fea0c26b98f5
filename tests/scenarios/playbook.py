"""Drives a Station through its public face on a clock of its own, as a shell would, and writes down everything.

No sockets, no sleeps: what is to happen later waits in a heap, and so does the station's ``WakeAt``. Two peers may be
attached: functions that are handed each frame that reaches them. What the shell promises is kept here in its simplest
form: frames go on before they are judged; a CALL of ours is asked for once more before it is written; while it is open
the central system's CALLs are held in order; its answers are kept from the central system.
"""

from __future__ import annotations

import heapq
import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from itertools import count
from typing import cast

from examples import FakeClock
from ocpp_watchdog.core.decisions import CallOut, ConnectorView, Decision, Inject, Phase, Release, StationView, WakeAt
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.station import OwnerAction, Station
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId, Direction, Moment, UniqueId
from scenarios.trace import Passed, Seen, Step, Trace, Written

Peer = Callable[[str], None]

BUSY_TICKS = 50
"""So many ticks at one moment mean that the station never comes to rest."""


class NeverAtRestError(AssertionError):
    """The station asked to be woken again and again at a moment that has come."""


def new_station(policy: Policy, life: int = 1) -> Station:
    """A station whose ids are the same in every run. life: the program was started so many times."""
    numbers = count(1)
    return Station(ChargePointId("BOX1"), policy, json.loads, lambda: f"wd-{life:02d}{next(numbers):014d}")


class Playbook:
    """One station with its shell and its time. ``t`` counts seconds since the start.

    lane_seconds: how long a CALL of ours waits in the lane before it is written. watch: look at the view after every
    event and write down what changed (phases, findings, episodes). mortal: keep a memory, so that it can ``die``.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        clock: FakeClock | None = None,
        lane_seconds: float = 0.0,
        watch: bool = True,
    ) -> None:
        self.policy = policy or Policy()
        self.clock = clock or FakeClock()
        self.begin = self.clock.mono
        self.station = new_station(self.policy)
        self.trace = Trace(mode=self.policy.mode, policy=self.policy)
        self.call_succeeds: bool | None = True
        self.called_out: Callable[[], None] | None = None
        self.to_box: Peer | None = None
        self.to_central: Peer | None = None
        self.connected = False
        self.lane_seconds = lane_seconds
        self._watch = watch
        self._wake: float | None = None
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._ours: set[str] = set()
        self._open: float | None = None
        self._held: deque[str] = deque()
        self._last: dict[int, Seen] = {}
        self._ticks_here = (0.0, 0)
        self.mortal = False
        self._lives = 1
        self._memory: str | None = None
        self._remembered = -1
        self._offset = 0.0

    # -- time ------------------------------------------------------------------------------------------------------

    @property
    def t(self) -> float:
        """Seconds since the start."""
        return self.clock.mono - self.begin

    def at(self, t: float, do: Callable[[], None]) -> None:
        """Let something happen t seconds after the start."""
        heapq.heappush(self._heap, (self.begin + t, next(self._order), do))

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Let something happen so many seconds from now."""
        heapq.heappush(self._heap, (self.clock.mono + seconds, next(self._order), do))

    def run(self, until: float) -> None:
        """Let time pass to ``until`` seconds after the start, with everything that falls due on the way."""
        end = self.begin + until
        while True:
            event = self._heap[0][0] if self._heap else end + 1.0
            wake = self._wake if self._wake is not None else end + 1.0
            due = min(event, wake)
            if due > end:
                break
            self.clock.advance_to(due)
            if wake <= event:
                self._tick()
            else:
                heapq.heappop(self._heap)[2]()
        self.clock.advance_to(end)

    def wait(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.run(self.t + seconds)

    def _tick(self) -> None:
        mono, times = self._ticks_here
        times = times + 1 if mono == self.clock.mono else 1
        self._ticks_here = (self.clock.mono, times)
        if times > BUSY_TICKS:
            raise NeverAtRestError(f"{times} ticks at {self.t:.3f}")
        self._wake = None
        self._say("tick")

    # -- the link --------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """A session begins."""
        self.connected = True
        self.trace.links.append((self.clock.mono, True))
        self._say("connected")

    def drop(self) -> None:
        """The session ends; what was held dies with it."""
        self.connected = False
        self.trace.links.append((self.clock.mono, False))
        self._end_hold()
        self._held.clear()
        self._ours.clear()
        self._say("disconnected")

    def die(self) -> None:
        """The program is killed, and the connection with it. A CALL of ours in the lane goes nowhere."""
        self.connected = False
        self.trace.links.append((self.clock.mono, False))
        self._end_hold()
        self._held.clear()
        self._ours.clear()
        self._wake = None
        self._lives += 1

    def rise(self, mono: float) -> None:
        """It starts again, on a machine whose monotonic clock shows this; the charge point is not back yet."""
        assert self._memory is not None
        self._offset = mono - self.clock.mono
        self.station = new_station(self.policy, self._lives)
        self._remembered = -1
        self._say("restore", json.loads(self._memory))

    def rise_without_memory(self) -> None:
        """It starts again and knows nothing."""
        self.station = new_station(self.policy, self._lives)

    def _remember(self) -> None:
        """What the journal does, without its delay."""
        if self.mortal and self.station.memory_version != self._remembered:
            self._remembered = self.station.memory_version
            self._memory = json.dumps(self.station.memory(self._now()), allow_nan=False)

    def _now(self) -> Moment:
        """This moment on the clocks of the program; the trace stands on the clocks of the world."""
        return Moment(self.clock.utc, self.clock.mono + self._offset)

    def from_box(self, text: str) -> None:
        """The charge point sent this. Nothing happens while the link is down."""
        if not self.connected:
            return
        own = self._own_answer(text)
        if own is not None:
            self.trace.answered.append((self.clock.mono, own, text))
            self._say("own_answer", text)
            return
        self._pass(Direction.TO_CENTRAL_SYSTEM, text, self.to_central)

    def from_central(self, text: str) -> None:
        """The central system sent this: a CALL waits while one of ours is open."""
        if not self.connected:
            return
        if self._open is not None and text.lstrip().startswith("[2"):
            self._held.append(text)
            return
        self._pass(Direction.TO_CHARGE_POINT, text, self.to_box)

    def _pass(self, direction: Direction, text: str, peer: Peer | None) -> None:
        self.trace.passed.append(Passed(self.clock.mono, direction, text))
        self._say("receive", direction, text)
        if peer is not None:
            peer(text)

    def _own_answer(self, text: str) -> UniqueId | None:
        if not self._ours or "wd-" not in text[:96]:
            return None
        message = json.loads(text)
        return UniqueId(message[1]) if message[0] in (3, 4) and message[1] in self._ours else None

    # -- the owner -------------------------------------------------------------------------------------------------

    def owner(self, action: OwnerAction, connector: int = 1) -> None:
        """The owner said so."""
        if action is OwnerAction.STAND_DOWN:
            self.trace.stood_down.append((self.clock.mono, connector))
        if action is OwnerAction.STOP_NOW:
            self.trace.by_name.append((self.clock.mono, connector))
        if action is OwnerAction.SET_BACK:
            self.trace.set_back.append((self.clock.mono, connector))
        self._say("owner", action, ConnectorId(connector))

    def view(self) -> StationView:
        """What can be seen now."""
        return self.station.view(self._now())

    def connector(self, number: int = 1) -> ConnectorView:
        """What can be seen of one connector."""
        return next(view for view in self.view().connectors if view.connector == number)

    # -- decisions -------------------------------------------------------------------------------------------------

    def _say(self, method: str, *arguments: object) -> None:
        self._perform(self._call(method, *arguments))
        if self._watch:
            self.look()

    def _call(self, method: str, *arguments: object) -> list[Decision]:
        now = self._now()
        decisions: list[Decision] = getattr(self.station, method)(*arguments, now)
        self.trace.steps.append(Step(method, (*arguments, now), decisions))
        self._remember()
        return decisions

    def _perform(self, decisions: Iterable[Decision]) -> None:
        """In order; what follows from performing one comes after the rest of its list, which was decided before."""
        waiting = deque(decisions)
        while waiting:
            decision = waiting.popleft()
            self.trace.add_decision(moved(decision, -self._offset), self.clock.mono)
            match decision:
                case WakeAt(mono):
                    self._wake = mono if mono is None else max(mono - self._offset, self.clock.mono)
                case Inject():
                    if self.lane_seconds:
                        self.after(self.lane_seconds, lambda inject=decision: self._leave_lane(inject))  # type: ignore[misc]
                    else:
                        waiting.extend(self._write(decision))
                case CallOut():
                    if self.lane_seconds:
                        self.after(self.lane_seconds, lambda call=decision: self._leave_journal(call))  # type: ignore[misc]
                    else:
                        waiting.extend(self._call_out(decision))
                case Release():
                    self._end_hold()
                    self._flush()
                case _:
                    pass

    def _leave_lane(self, inject: Inject) -> None:
        if inject.unique_id.startswith(f"wd-{self._lives:02d}"):  # else it died with the program that decided it
            self._perform(self._write(inject))

    def _leave_journal(self, call: CallOut) -> None:
        if call.unique_id.startswith(f"wd-{self._lives:02d}"):  # else it died with the program that decided it
            self._perform(self._call_out(call))

    def _call_out(self, call: CallOut) -> list[Decision]:
        """Ask once more, then call. The relay is switched a second later, or the call fails, or nobody ever answers
        (None)."""
        now = self._now()
        may = self.station.may_send(call.unique_id, now)
        self.trace.steps.append(Step("may_send", (call.unique_id, now), may))
        if not may:
            return self._call("not_written", call.unique_id)
        self.trace.calls.append((self.clock.mono, call))
        if self.call_succeeds is not None:
            self.after(1.0, lambda: self._answer_call(call))
        return self._call("written", call.unique_id)

    def _answer_call(self, call: CallOut) -> None:
        if self.call_succeeds and self.called_out is not None:
            self.called_out()
        if not call.unique_id.startswith(f"wd-{self._lives:02d}"):
            return  # whoever called is dead
        now, delivered = self._now(), bool(self.call_succeeds)
        decisions = self.station.called_out(call.unique_id, now, delivered=delivered)
        self.trace.steps.append(Step("called_out", (call.unique_id, now), decisions, {"delivered": delivered}))
        self._perform(decisions)

    def _write(self, inject: Inject) -> list[Decision]:
        """Ask once more, then write; gives what the station makes of it."""
        now = self._now()
        may = False
        if self.connected and now.mono <= inject.write_before_mono + 1e-6:
            may = self.station.may_send(inject.unique_id, now)
            self.trace.steps.append(Step("may_send", (inject.unique_id, now), may))
        if not may:
            self.trace.cancelled.append((self.clock.mono, inject))
            return self._call("not_written", inject.unique_id) if self.connected else []
        self._ours.add(inject.unique_id)
        self._open = self.clock.mono
        decisions = self._call("written", inject.unique_id)
        self.trace.written.append(self._note(inject))
        if self.to_box is not None:
            self.after(0.0, lambda: self._deliver(inject.text))
        return decisions

    def _deliver(self, text: str) -> None:
        if self.connected and self.to_box is not None:
            self.to_box(text)

    def _note(self, inject: Inject) -> Written:
        views = [view for view in self.view().connectors if view.connector == inject.connector]
        phase: Phase | None = views[0].phase if views else None
        episode = views[0].episode if views else None
        live = episode if episode is not None and episode.ended is None else None
        evidence = live.evidence[-1].evidence if live is not None and live.evidence else None
        number = live.number if live is not None else None
        return Written(self.clock.mono, inject, phase, evidence, number, len(self.trace.passed))

    def _end_hold(self) -> None:
        if self._open is not None:
            self.trace.held.append((self._open, self.clock.mono))
            self._open = None

    def _flush(self) -> None:
        while self._held and self._open is None:
            self._pass(Direction.TO_CHARGE_POINT, self._held.popleft(), self.to_box)

    def look(self) -> None:
        """Write down what the view shows of each connector, where it changed."""
        for view in self.view().connectors:
            episode = view.episode
            number = episode.number if episode is not None and episode.ended is None else None
            kinds = frozenset(finding.kind.value for finding in view.findings)
            seen = Seen(self.clock.mono, view.connector, view.phase, kinds, number)
            last = self._last.get(view.connector)
            if last is None or (last.phase, last.findings, last.episode) != (seen.phase, seen.findings, seen.episode):
                self._last[view.connector] = seen
                self.trace.seen.append(seen)


def moved(decision: Decision, seconds: float) -> Decision:
    """The same, with every moment in it so much later on the monotonic clock."""
    return decision if not seconds else cast("Decision", _moved(decision, seconds))


def _moved(value: object, seconds: float) -> object:
    if isinstance(value, Moment):
        return Moment(value.utc, value.mono + seconds)
    if is_dataclass(value) and not isinstance(value, type):
        changes = {one.name: _moved(getattr(value, one.name), seconds) for one in fields(value)}
        return replace(value, **changes)
    return tuple(_moved(item, seconds) for item in value) if type(value) is tuple else value


def live_again(trace: Trace, policy: Policy) -> str | None:
    """Put the same history into a new station; the first difference in what it gives back, or None."""
    station, lives = new_station(policy), 1
    for number, step in enumerate(trace.steps):
        if step.method == "restore":
            lives += 1
            station = new_station(policy, lives)
        gave = getattr(station, step.method)(*step.arguments, **step.named)
        if gave != step.gave:
            return f"step {number} ({step.method}): {gave!r} instead of {step.gave!r}"
    return None
