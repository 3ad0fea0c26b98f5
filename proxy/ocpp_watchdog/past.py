"""What the journal remembers, as plain values: for reports, bundles and pages. Knows neither files nor databases.

Moments carry both clocks; ``mono`` is that of the process that wrote it, so it is good for durations within one session
and for nothing else. Energy Wh, current A, power W. Unknown is None.
"""

from __future__ import annotations

from dataclasses import dataclass

from ocpp_watchdog.core.terms import Moment


@dataclass(frozen=True, slots=True)
class PastSession:
    """One connection of a charge point. ended None: it lasts, or the process was killed in it."""

    charge_point: str
    session: str
    peer: str
    began: Moment
    ended: Moment | None
    reason: str


@dataclass(frozen=True, slots=True)
class PastOrder:
    """A command of the central system with its frames. amperes, watts: the order of that connector after it."""

    charge_point: str
    connector: int | None
    unique_id: str
    action: str
    requested: Moment
    text: str
    amperes: float | None
    watts: float | None
    answer: str
    answered: Moment | None
    answer_text: str


@dataclass(frozen=True, slots=True)
class PastTransaction:
    """A transaction. answered: its id came with the answer to StartTransaction, else it was only reported."""

    charge_point: str
    connector: int
    transaction_id: int | None
    id_tag: str
    answered: bool
    started: Moment
    stopped: Moment | None
    reason: str


@dataclass(frozen=True, slots=True)
class PastSample:
    """A reading under a stop order. at: when it arrived; timestamp: the charge point's own; verdict: over, low,
    undecided, or empty where it did not count. currents: L1, L2, L3; amperes: without phase."""

    charge_point: str
    connector: int
    at: Moment
    timestamp: float | None
    verdict: str
    context: str
    transaction_id: int | None
    currents: tuple[float | None, float | None, float | None]
    amperes: float | None
    watts: float | None
    watt_hours: float | None


@dataclass(frozen=True, slots=True)
class PastEvidence:
    """What one over sample proved. share: part of the claimed energy that the register saw."""

    evidence: str
    at: Moment
    share: float | None


@dataclass(frozen=True, slots=True)
class PastStep:
    """A state of one try of a step; the same try stands once for each outcome, oldest first. episode_opened_utc: which
    episode it belongs to, None: to none."""

    charge_point: str
    connector: int
    episode_opened_utc: float | None
    at: Moment
    kind: str
    outcome: str
    decided: Moment
    sent: Moment | None
    transaction_id: int | None
    unique_id: str
    why: str
    forced: bool


@dataclass(frozen=True, slots=True)
class PastEpisode:
    """An ignored stop. ended None: it was open when last written. evidence: of each over sample that was kept."""

    charge_point: str
    connector: int
    number: int
    opened: Moment
    ordered: Moment
    order_text: str
    answer: str
    alarm_only: bool
    remote_start_seen: bool
    transaction_ended: bool
    energy_wh: float
    energy_is_integrated: bool
    ended: Moment | None
    ending: str
    evidence: tuple[PastEvidence, ...]
    schedule_evidence: str
    schedule_text: str


@dataclass(frozen=True, slots=True)
class PastOwnerAction:
    """What the owner ordered. text: the order, and what became of it. who: by which way it came."""

    charge_point: str
    connector: int | None
    at: Moment
    text: str
    who: str


@dataclass(frozen=True, slots=True)
class PastNote:
    """Any other fact. kind: a ``FactKind``."""

    charge_point: str
    connector: int | None
    at: Moment
    kind: str
    text: str
