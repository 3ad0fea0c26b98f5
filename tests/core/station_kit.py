"""Short builders for the mirror tests of the judge: one watch on a bench, one whole station at a desk.

Time is moved by hand and counted in seconds ``t``; stories put the stop order at 0, the connection at -120 and the
transaction at -110. Both let pass what falls due on the way, as the shell's timer would.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import TypeVar

import examples
from ocpp_watchdog.core import payloads, wire
from ocpp_watchdog.core.decisions import (
    CallOut,
    ConnectorView,
    Count,
    CountKind,
    Decision,
    FactKind,
    Inject,
    NoticeKind,
    Notify,
    Record,
    Release,
    StepKind,
    StepOutcome,
    StepRecord,
    WakeAt,
)
from ocpp_watchdog.core.devices import Recognise, nobody
from ocpp_watchdog.core.frames import encode_payload
from ocpp_watchdog.core.measurements import Reading, Sampled, assemble
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.sight import QUESTIONS, Aim, Want
from ocpp_watchdog.core.station import OwnerAction, Station
from ocpp_watchdog.core.terms import (
    ChargePointId,
    ConnectorId,
    Direction,
    Moment,
    Status,
    TransactionId,
    UniqueId,
)
from ocpp_watchdog.core.units import Limit
from ocpp_watchdog.core.watch import Watch

START = Moment(examples.START_UTC, examples.START_MONO)
CONNECTED, PLUGGED = -120.0, -110.0
SEVEN = TransactionId(7)
ONE = ConnectorId(1)
IGNORED = (-57, -47, -37, -27, -17, -7, 3, 13, 23, 33, 43)
"""Readings every ten seconds around a stop order at 0, as in the field case: the last one convicts."""

_Decision = TypeVar("_Decision", bound=Decision)


def moment(t: float) -> Moment:
    """The instant t."""
    return START.later(t)


def in_amperes(amperes: float, number_phases: int = 3) -> Limit:
    """A limit said in amperes."""
    return Limit(amperes, amperes * 230.0 * number_phases, number_phases, amperes, None, (1,))


def in_watts(watts: float) -> Limit:
    """A limit said in watts, on three phases."""
    return Limit(watts / 690.0, watts, 3, None, watts, (1,))


def digits(t: float, amperes: float) -> str:
    """A living figure: its last digit moves from one reading to the next."""
    return f"{amperes + (int(t) // 10 % 7) / 100 if amperes else 0.0:.2f}"


def reading(
    t: float,
    amperes: float | str | None = None,
    *,
    power: str | None = None,
    energy: str | None = None,
    offered: str | None = None,
    arrives: float | None = None,
    context: str = "",
    connector: int = 1,
    transaction: int | None = None,
    clock: float = 0.0,
) -> Reading:
    """A reading measured at t, with the same current on three phases. clock: charge point's minus ours, in seconds."""
    sampled: list[Sampled] = []
    if amperes is not None:
        text = amperes if isinstance(amperes, str) else digits(t, amperes)
        sampled += [(text, "Current.Import", "A", phase, context, "", "") for phase in examples.PHASES]
    if power is not None:
        sampled.append((power, "Power.Active.Import", "W", "", context, "", ""))
    if energy is not None:
        sampled.append((energy, "Energy.Active.Import.Register", "Wh", "", context, "", ""))
    if offered is not None:
        sampled.append((offered, "Current.Offered", "A", "", context, "", ""))
    arrived = moment(t if arrives is None else arrives)
    found = assemble(ConnectorId(connector), arrived, START.utc + t + clock, transaction, sampled)
    assert found is not None
    return found


def stop_want(transaction: TransactionId = SEVEN, why: str = "live") -> Want:
    """The ladder wants RemoteStopTransaction."""
    payload = encode_payload(payloads.remote_stop(transaction))
    return Want(Aim.STEP, payloads.REMOTE_STOP, payload, why, StepKind.REMOTE_STOP, transaction)


READINGS = Want(
    Aim.READINGS, payloads.TRIGGER, encode_payload(payloads.trigger_meter_values(ONE)), "no counting sample"
)


class Told:
    """What was decided, in order."""

    def __init__(self) -> None:
        self.said: list[Decision] = []

    def of(self, kind: type[_Decision]) -> list[_Decision]:
        """All decisions of one kind."""
        return [decision for decision in self.said if isinstance(decision, kind)]

    def notices(self) -> list[NoticeKind]:
        """What people were told."""
        return [notice.kind for notice in self.of(Notify)]

    def notice(self, kind: NoticeKind) -> Notify:
        """The one notice of this kind."""
        (found,) = [notice for notice in self.of(Notify) if notice.kind is kind]
        return found

    def facts(self, kind: FactKind) -> list[Record]:
        """The facts of this kind."""
        return [record for record in self.of(Record) if record.kind is kind]

    def texts(self, kind: FactKind) -> list[str]:
        """What the facts of this kind say."""
        return [record.text for record in self.facts(kind)]

    def steps(self) -> list[tuple[str, str]]:
        """Every record of a step: what became of it, and why."""
        records = [record.step for record in self.facts(FactKind.STEP)]
        return [(step.outcome.value, step.why) for step in records if step is not None]

    def outcomes(self) -> list[str]:
        """Every record of a step: what became of it."""
        return [outcome for outcome, _ in self.steps()]

    def last_step(self) -> StepRecord:
        """The newest record of a step."""
        step = self.facts(FactKind.STEP)[-1].step
        assert step is not None
        return step

    def counts(self) -> list[CountKind]:
        """What was counted."""
        return [counted.kind for counted in self.of(Count)]


class Bench(Told):
    """One watch, its charge point charging since PLUGGED with transaction 7."""

    def __init__(self, policy: Policy | None = None) -> None:
        super().__init__()
        self.policy = policy or Policy()
        self.watch = Watch(ONE, self.policy)
        self.questions: list[str] = []
        self.want = stop_want()
        self.t = CONNECTED
        self.watch.connected(self.now)
        self.watch.sight.usable_id = SEVEN
        self.watch.sight.transaction_since = moment(PLUGGED)
        self.watch.sight.notified(Status.CHARGING, moment(PLUGGED))
        self._keys = count(1)

    @property
    def now(self) -> Moment:
        return moment(self.t)

    def to(self, t: float) -> None:
        """Let time pass, and everything that falls due on the way."""
        while True:
            at = self.watch.next_at()
            if at is None or not self.now.mono < at <= moment(t).mono:
                break
            self.t = at - START.mono
            self.tick()
        self.t = t

    def tick(self) -> None:
        self.watch.tick(self.now)
        self.collect()

    def collect(self) -> None:
        """Take what was decided, and the questions that are wished for."""
        self.said += self.watch.out
        self.watch.out = []
        self.questions += [want.why for want in self.watch.wants if want.aim in QUESTIONS]
        self.watch.wants = [want for want in self.watch.wants if want.aim not in QUESTIONS]

    def order(self, limit: Limit | None, *, answer: bool | None = True, text: str = "SetChargingProfile") -> str:
        """The central system orders this, and is answered at once (None: not at all)."""
        key = str(next(self._keys))
        self.watch.ordered_anything = True
        self.watch.ordered(limit, key, text, self.now)
        if answer is not None:
            self.watch.order_answered(key, accepted=answer, now=self.now)
        self.collect()
        return key

    def read(self, t: float, amperes: float | str | None = None, **more: str | float) -> None:
        """A reading measured at t arrives, then or later."""
        self.to(max(float(more.get("arrives", t)), self.t))
        self.watch.sampled(reading(t, amperes, **more), self.now)  # type: ignore[arg-type]
        self.collect()

    def flow(self, times: Iterable[float], amperes: float | str = 6.5) -> None:
        for t in times:
            self.read(t, amperes)

    def ignored(self, amperes: float | str = 6.5) -> None:
        """0 A ordered at 0 and not obeyed: an episode is open at 43."""
        self.flow(IGNORED[:6], amperes)
        self.to(0)
        self.order(in_amperes(0.0))
        self.flow(IGNORED[6:], amperes)

    def wanted(self) -> Want:
        """Take the one wish, a step or what follows one."""
        (self.want,) = self.watch.wants
        self.watch.wants = []
        return self.want

    def queue(self, unique_id: str = "wd-1") -> UniqueId:
        """The step that is wished for waits for its turn."""
        self.watch.step_wanted(UniqueId(unique_id), self.wanted(), self.now)
        self.collect()
        return UniqueId(unique_id)

    def send(self, unique_id: str = "wd-1", *, forced: bool = False) -> UniqueId:
        """The step that is wished for goes out."""
        name = self.queue(unique_id)
        self.watch.step_written(self.want, self.now, forced=forced)
        self.collect()
        return name

    def answered(self, unique_id: UniqueId, outcome: StepOutcome) -> None:
        """A step of ours is answered."""
        self.watch.step_answered(unique_id, self.want, outcome, self.now)
        self.collect()


def on_the_wire(direction: Direction, text: str) -> bytes:
    """The WebSocket frame that carries this text."""
    key = b"\x5a\xc3\x17\x88" if direction is Direction.TO_CENTRAL_SYSTEM else None
    return wire.frame(wire.TEXT, text.encode("utf-8", "replace"), key)


QUIET = Policy(composite_schedule_question=False)
"""So that nothing but steps goes out after a step."""


class Desk(Told):
    """A station with a shell that keeps its promises: one timer, CALLs of ours written at once (unless ``writes`` is
    off), their answers handed to ``own_answer``. What ``WakeAt`` promises is checked at every answer."""

    def __init__(self, policy: Policy | None = None, recognise: Recognise = nobody) -> None:
        super().__init__()
        ids, self._numbers = count(1), count(1)
        self.station = Station(
            ChargePointId("BOX1"), policy or QUIET, json.loads, lambda: f"wd-{next(ids):016d}", recognise
        )
        self.t = CONNECTED
        self.writes = True
        self.skims = False
        self.wake: float | None = None
        self.written: list[tuple[float, Inject]] = []

    @property
    def now(self) -> Moment:
        return moment(self.t)

    # -- time --------------------------------------------------------------------------------------------------

    def to(self, t: float) -> None:
        """Let time pass, with the timer."""
        while self.wake is not None and self.wake <= moment(t).mono:
            self.t = max(self.t, self.wake - START.mono)
            self.do(self.station.tick(self.now))
        self.t = t

    def oversleep(self, t: float) -> None:
        """Let time pass while the timer is late."""
        self.t = t

    def do(self, decisions: Sequence[Decision]) -> list[Decision]:
        """Perform what the station decided."""
        self._check_wake(decisions)
        self.said += decisions
        for decision in decisions:
            if isinstance(decision, Inject) and self.writes:
                self.write(decision)
            if isinstance(decision, CallOut) and self.writes:
                self.call(decision)
        return list(decisions)

    def _check_wake(self, decisions: Sequence[Decision]) -> None:
        wakes = [decision for decision in decisions if isinstance(decision, WakeAt)]
        assert wakes in ([], list(decisions[-1:])), "one WakeAt at most, and it ends the list"
        if wakes:
            mono = wakes[0].mono
            assert mono != self.wake, "emitted only when it changes"
            assert mono is None or mono > self.now.mono, "never in the past"
            self.wake = mono

    # -- the two ends ------------------------------------------------------------------------------------------

    def number(self) -> str:
        return f"n{next(self._numbers)}"

    def connect(self) -> None:
        self.do(self.station.connected(self.now))

    def drop(self) -> None:
        self.do(self.station.disconnected(self.now))

    def central(self, text: str) -> list[Decision]:
        """The central system sent this."""
        return self._pass(Direction.TO_CHARGE_POINT, text)

    def box(self, text: str) -> list[Decision]:
        """The charge point sent this."""
        return self._pass(Direction.TO_CENTRAL_SYSTEM, text)

    def _pass(self, direction: Direction, text: str) -> list[Decision]:
        """A message was forwarded; where ``skims`` is on it is read whole only when its beginning does not do."""
        if self.skims:
            decisions = self.station.skim(direction, on_the_wire(direction, text), self.now.utc, self.now.mono)
            if decisions is not None:
                return self.do(decisions)
        return self.do(self.station.receive(direction, text, self.now))

    def says(self, build: Callable[[str], str], answer: dict[str, object] | None = None) -> list[Decision]:
        """The charge point makes a CALL and is answered at once."""
        name = self.number()
        return self.box(build(name)) + self.central(examples.result(name, answer))

    def asks(self, build: Callable[[str], str], status: str | None = "Accepted") -> str:
        """The central system makes a CALL and is answered at once (None: not at all)."""
        name = self.number()
        self.central(build(name))
        if status is not None:
            self.box(examples.status_result(name, status))
        return name

    def plug(self, transaction: int = SEVEN, connector: int = 1) -> None:
        """A car begins to charge."""
        self.status("Charging", connector)
        answer: dict[str, object] = {"transactionId": transaction, "idTagInfo": {"status": "Accepted"}}
        self.says(lambda name: examples.start_transaction(name, self.now.utc, connector=connector), answer)

    def status(self, word: str, connector: int = 1) -> list[Decision]:
        return self.says(lambda name: examples.status(name, word, self.now.utc, connector))

    def stops(self, transaction: int = SEVEN) -> list[Decision]:
        """StopTransaction."""
        return self.says(lambda name: examples.stop_transaction(name, self.now.utc, transaction))

    def limit(self, amperes: float, *, answer: str | None = "Accepted", connector: int = 1, unit: str = "A") -> str:
        """evcc orders this limit."""
        return self.asks(
            lambda name: examples.set_limit(name, amperes, self.now.utc, connector=connector, unit=unit), answer
        )

    def meter(
        self,
        t: float,
        amperes: float | str,
        *,
        connector: int = 1,
        answered: bool = True,
        arrives: float | None = None,
        transaction: int | None = None,
    ) -> str:
        """MeterValues measured at t."""
        self.to(max(self.t, t if arrives is None else arrives))
        name = self.number()
        text = amperes if isinstance(amperes, str) else digits(t, amperes)
        stamp = examples.iso(START.utc + t, 3)
        values = examples.current_values([text] * 3)
        self.box(examples.meter_values(name, values, stamp, connector=connector, transaction=transaction))
        if answered:
            self.central(examples.result(name))
        return name

    def flow(self, times: Iterable[float], amperes: float | str = 6.5, connector: int = 1) -> None:
        for t in times:
            self.meter(t, amperes, connector=connector)

    def begin(self, *connectors: int) -> None:
        """Connected, charging with transaction 7 (8 on connector 2), 16 A ordered."""
        self.connect()
        self.to(PLUGGED)
        for connector in connectors or (1,):
            self.plug(SEVEN + connector - 1, connector)
            self.limit(16, connector=connector)

    def ignored(self, amperes: float | str = 6.5) -> None:
        """0 A ordered at 0 and not obeyed: RemoteStopTransaction is on the wire at 43."""
        self.begin()
        self.flow(IGNORED[:6], amperes)
        self.to(0)
        self.limit(0)
        self.flow(IGNORED[6:], amperes)

    # -- CALLs of our own --------------------------------------------------------------------------------------

    def write(self, inject: Inject) -> None:
        """The moment of writing."""
        if not self.station.may_send(inject.unique_id, self.now):
            self.do(self.station.not_written(inject.unique_id, self.now))
            return
        self.written.append((self.t, inject))
        self.do(self.station.written(inject.unique_id, self.now))

    def call(self, call: CallOut) -> None:
        """The moment of calling somebody else."""
        if self.station.may_send(call.unique_id, self.now):
            self.do(self.station.written(call.unique_id, self.now))
        else:
            self.do(self.station.not_written(call.unique_id, self.now))

    def answer(self, inject: Inject, status: str = "Accepted") -> list[Decision]:
        """The charge point answers a CALL of ours."""
        return self.do(self.station.own_answer(examples.status_result(inject.unique_id, status), self.now))

    def stop(self) -> Inject:
        """The newest RemoteStopTransaction that was decided."""
        return [inject for inject in self.of(Inject) if inject.is_step][-1]

    def question(self) -> Inject:
        """The newest question that was decided."""
        return [inject for inject in self.of(Inject) if not inject.is_step][-1]

    def wire(self) -> list[tuple[float, str]]:
        """What of ours was written, and when."""
        return [(round(t, 3), inject.action) for t, inject in self.written]

    def releases(self) -> int:
        return len(self.of(Release))

    def owner(self, action: OwnerAction, connector: int = 1) -> list[Decision]:
        return self.do(self.station.owner(action, ConnectorId(connector), self.now))

    def view(self, connector: int = 1) -> ConnectorView:
        views = self.station.view(self.now).connectors
        return next(view for view in views if view.connector == connector)
