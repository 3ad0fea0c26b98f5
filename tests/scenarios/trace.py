"""What happened in one run, with times: the only thing the oracle sees. Times are monotonic seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ocpp_watchdog.core.decisions import (
    CallOut,
    Decision,
    EvidenceClass,
    Inject,
    Mode,
    NoticeKind,
    Notify,
    Phase,
    Record,
)
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import Direction, UniqueId


@dataclass(frozen=True, slots=True)
class Passed:
    """A frame that went through, in the order the station saw it."""

    at: float
    direction: Direction
    text: str


@dataclass(frozen=True, slots=True)
class Written:
    """A CALL of ours that reached the charge point. phase: right after it was on the wire. last_evidence: class of the
    newest evidence of the open episode at that moment, None without one. behind: how many frames had passed before it,
    None: by the time alone."""

    at: float
    inject: Inject
    phase: Phase | None
    last_evidence: EvidenceClass | None
    episode: int | None
    behind: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the view showed of one connector from this moment on. episode: number of the open one, None without."""

    at: float
    connector: int
    phase: Phase
    findings: frozenset[str]
    episode: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """A notice."""

    at: float
    notify: Notify

    @property
    def kind(self) -> NoticeKind:
        """What was told."""
        return self.notify.kind


@dataclass(frozen=True, slots=True)
class Kept:
    """A record."""

    at: float
    record: Record


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the station's public methods with what it gave back: enough to live the run again."""

    method: str
    arguments: tuple[object, ...]
    gave: object
    named: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Trace:
    """Everything recorded. links: (time, is up). held: (from, to) while the central system waited.
    decided: when each CALL of ours was decided, and how many frames had passed by then."""

    mode: Mode = Mode.ENFORCE
    passed: list[Passed] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    answered: list[tuple[float, UniqueId, str]] = field(default_factory=list)
    cancelled: list[tuple[float, Inject]] = field(default_factory=list)
    injects: list[tuple[float, Inject]] = field(default_factory=list)
    decided: dict[UniqueId, tuple[float, int]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    links: list[tuple[float, bool]] = field(default_factory=list)
    held: list[tuple[float, float]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    decisions: int = 0
    stood_down: list[tuple[float, int]] = field(default_factory=list)
    by_name: list[tuple[float, int]] = field(default_factory=list)
    set_back: list[tuple[float, int]] = field(default_factory=list)
    calls: list[tuple[float, CallOut]] = field(default_factory=list)
    policy: Policy = field(default_factory=Policy)

    def stops(self, connector: int | None = None) -> list[Written]:
        """RemoteStopTransaction frames of ours."""
        return [
            written
            for written in self.written
            if written.inject.action == "RemoteStopTransaction"
            and (connector is None or written.inject.connector == connector)
        ]

    def questions(self) -> list[Written]:
        """Frames of ours that ask something."""
        asking = ("TriggerMessage", "GetCompositeSchedule")
        return [written for written in self.written if written.inject.action in asking]

    def asked_for_readings(self) -> list[Written]:
        """TriggerMessage frames of ours."""
        return [written for written in self.written if written.inject.action == "TriggerMessage"]

    def notices(self, *kinds: NoticeKind, connector: int | None = None) -> list[Told]:
        """Notices of these kinds (all without any)."""
        return [
            told
            for told in self.told
            if (not kinds or told.kind in kinds) and (connector is None or told.notify.connector == connector)
        ]

    def phases(self, connector: int = 1) -> list[Phase]:
        """Phases of a connector in the order they came, neighbours different."""
        found: list[Phase] = []
        for seen in self.seen:
            if seen.connector == connector and (not found or found[-1] is not seen.phase):
                found.append(seen.phase)
        return found

    def findings(self, connector: int = 1) -> set[str]:
        """Every finding that was ever shown of a connector."""
        return {kind for seen in self.seen if seen.connector == connector for kind in seen.findings}

    def phase_at(self, at: float, connector: int = 1) -> Phase | None:
        """The phase shown at this moment."""
        found = [seen.phase for seen in self.seen if seen.connector == connector and seen.at <= at]
        return found[-1] if found else None

    def steps_recorded(self) -> Iterator[Kept]:
        """Records that carry a step."""
        return (kept for kept in self.kept if kept.record.step is not None)

    def add_decision(self, decision: Decision, at: float) -> None:
        """Sort one decision into its list."""
        self.decisions += 1
        match decision:
            case Notify():
                self.told.append(Told(at, decision))
            case Record():
                self.kept.append(Kept(at, decision))
            case Inject():
                self.injects.append((at, decision))
                self.decided[decision.unique_id] = (at, len(self.passed))
            case _:
                pass
