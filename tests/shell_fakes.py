"""Stand-ins behind the shell's ports: a clock moved by hand, a link that remembers, a station that answers as told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ocpp_watchdog.core.decisions import ConnectorView, Decision, Mode, StationView
from ocpp_watchdog.core.terms import ChargePointId, Direction, Moment, UniqueId
from ocpp_watchdog.shell.ports import Outcome, Outcomes, Result, SelfTestState

BOX = ChargePointId("box")
FIELD_CASE_UTC = 1_759_324_749.0
"""2025-10-01 13:19:09 UTC: the order of the field case."""


class FakeClock:
    """Time moved by hand."""

    def __init__(self, utc: float = FIELD_CASE_UTC, mono: float = 1_000.0) -> None:
        self.moment = Moment(utc, mono)

    def now(self) -> Moment:
        return self.moment

    def utc(self) -> float:
        return self.moment.utc

    def mono(self) -> float:
        return self.moment.mono

    def seconds_until(self, mono: float) -> float:
        return max(0.0, mono - self.moment.mono)

    def advance(self, seconds: float) -> None:
        self.moment = self.moment.later(seconds)


@dataclass
class Injected:
    text: str
    still_wanted: Callable[[], bool]
    written: Callable[[bool], None]
    give_up_at: float


@dataclass
class FakeLink:
    """Remembers what it was asked. writes_at_once: injected frames are asked for and written inside ``inject``."""

    charge_point: ChargePointId = BOX
    peer: str = "192.0.2.7"
    writes_at_once: bool = True
    fails: bool = False
    calls: list[str] = field(default_factory=list)
    injected: list[Injected] = field(default_factory=list)
    on_release: Callable[[], None] = lambda: None

    def inject(
        self, text: str, still_wanted: Callable[[], bool], written: Callable[[bool], None], give_up_at: float
    ) -> None:
        self.calls.append("inject")
        if self.fails:
            raise OSError("the link is broken")
        self.injected.append(Injected(text, still_wanted, written, give_up_at))
        if self.writes_at_once:
            written(still_wanted())

    def arm(self) -> None:
        self.calls.append("arm")

    def hold_calls(self) -> None:
        self.calls.append("hold")

    def release_calls(self) -> None:
        self.calls.append("release")
        self.on_release()

    def close(self, code: int, reason: str) -> None:
        self.calls.append(f"close {code}")


@dataclass
class FakeStation:
    """Says what it is told to say, and remembers what it was asked. fails: every question raises."""

    answers: dict[str, list[Decision]] = field(default_factory=dict)
    wanted: bool = True
    fails: bool = False
    last_action: str = "Heartbeat"
    memory_version: int = 0
    has_spoken: bool = False
    connectors: tuple[ConnectorView, ...] = ()
    asked: list[tuple[str, object]] = field(default_factory=list)
    skims: list[Decision] | Exception | None = None
    owes: bool = False
    waits: bool = False

    def read_ahead(self) -> bool:
        if self.fails:
            raise RuntimeError("the judge is broken")
        read, self.waits = self.waits, False
        if read:
            self.asked.append(("read_ahead", None))
        return read

    def owes_nothing(self, now: Moment) -> bool:
        return not self.owes

    def _said(self, question: str, about: object, now: Moment) -> list[Decision]:
        self.asked.append((question, about))
        if self.fails:
            raise RuntimeError("the judge is broken")
        return self.answers.get(question, [])

    def connected(self, now: Moment) -> list[Decision]:
        return self._said("connected", None, now)

    def disconnected(self, now: Moment) -> list[Decision]:
        return self._said("disconnected", None, now)

    def skim(self, direction: Direction, frame: bytes, utc: float, mono: float) -> list[Decision] | None:
        if isinstance(self.skims, Exception):
            raise self.skims
        return self.skims

    def receive(self, direction: Direction, text: str, now: Moment) -> list[Decision]:
        return self._said("receive", (direction, text), now)

    def tick(self, now: Moment) -> list[Decision]:
        return self._said("tick", now.mono, now)

    def called_out(self, unique_id: UniqueId, now: Moment, *, delivered: bool) -> list[Decision]:
        return self._said("called_out", (unique_id, delivered), now)

    def own_answer(self, text: str, now: Moment) -> list[Decision]:
        return self._said("own_answer", text, now)

    def may_send(self, unique_id: UniqueId, now: Moment) -> bool:
        self._said("may_send", unique_id, now)
        return self.wanted

    def written(self, unique_id: UniqueId, now: Moment) -> list[Decision]:
        return self._said("written", unique_id, now)

    def not_written(self, unique_id: UniqueId, now: Moment) -> list[Decision]:
        return self._said("not_written", unique_id, now)

    def view(self, now: Moment) -> StationView:
        if self.fails:
            raise RuntimeError("the judge is broken")
        return StationView(ChargePointId("box"), Mode.ENFORCE, True, "", "", "", None, self.connectors)


@dataclass
class FakeOrders:
    """Takes the owner's orders and answers with ``result``."""

    result: Result = Result.DONE
    reason: str = ""
    fails: bool = False
    state: SelfTestState = field(default_factory=lambda: SelfTestState("", 0, "no_transaction"))
    given: list[tuple[str, str, object, str]] = field(default_factory=list)

    def _taken(self, action: str, charge_point: str, about: object, who: str) -> Outcomes:
        self.given.append((action, charge_point, about, who))
        if self.fails:
            raise RuntimeError("the owner's room is broken")
        connector = about if isinstance(about, int) else None
        return (Outcome(action, self.result, charge_point, connector, self.reason),)

    def stand_down(self, charge_point: str, connector: int | None, who: str) -> Outcomes:
        return self._taken("stand_down", charge_point, connector, who)

    def stop_now(self, charge_point: str, connector: int | None, who: str) -> Outcomes:
        return self._taken("stop_now", charge_point, connector, who)

    def acknowledge(self, charge_point: str, connector: int | None, who: str) -> Outcomes:
        return self._taken("acknowledge", charge_point, connector, who)

    def set_back(self, charge_point: str, connector: int | None, who: str) -> Outcomes:
        return self._taken("set_back", charge_point, connector, who)

    def maintenance(self, charge_point: str, minutes: float, who: str) -> Outcomes:
        return self._taken("maintenance", charge_point, minutes, who)

    def test_alarm(self, who: str) -> Outcomes:
        return self._taken("test_alarm", "", None, who)

    def selftest(self, charge_point: str, connector: int) -> SelfTestState:
        return replace(self.state, charge_point=charge_point, connector=connector)

    def begin_selftest(self, charge_point: str, connector: int, who: str) -> Outcomes:
        return self._taken("selftest", charge_point, connector, who)

    def abort_selftest(self, charge_point: str, connector: int, who: str) -> Outcomes:
        return self._taken("selftest_abort", charge_point, connector, who)
