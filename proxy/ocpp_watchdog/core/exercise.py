"""The owner's obedience test as values: what is ordered, what it showed, why it ended.

Shared by the test itself, by what judges its parts, and by whoever shows it. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ocpp_watchdog.core.commands import Command
from ocpp_watchdog.core.decisions import EvidenceClass
from ocpp_watchdog.core.profiles import ChargingProfile, repeated
from ocpp_watchdog.core.samples import Samples
from ocpp_watchdog.core.terms import ConnectorId, Moment, RateUnit, Status, TransactionId
from ocpp_watchdog.core.units import Limit, phases, watts

WALK = (16.0, 10.0, 6.0, 0.0)
"""Amperes, in this order; what is more than the central system orders now is left out."""


class Part(StrEnum):
    """What is ordered."""

    LIMIT = "limit"
    RESTORE = "restore"
    REMOTE_STOP = "remote_stop"
    REMOTE_START = "remote_start"


class Found(StrEnum):
    """What a part showed. nothing_to_see: the current was low enough already. overruled: the central system ordered its
    own limit again meanwhile. transaction_only: the transaction is over, the current is not. unproven: it is over, and
    the next one began before any reading came."""

    FOLLOWED = "followed"
    NOTHING_TO_SEE = "nothing_to_see"
    IGNORED = "ignored"
    REFUSED = "refused"
    STALE = "stale"
    SILENT = "silent"
    TRANSACTION_ONLY = "transaction_only"
    UNPROVEN = "unproven"
    BY_ITSELF = "by_itself"
    OVERRULED = "overruled"
    NOT_SENT = "not_sent"
    SKIPPED = "skipped"
    BROKEN_OFF = "broken_off"


class End(StrEnum):
    """Why it ended."""

    DONE = "done"
    OWNER = "owner"
    UNWATCHED = "unwatched"
    DISCONNECTED = "disconnected"
    CENTRAL_SYSTEM = "central_system"
    TRANSACTION_OVER = "transaction_over"


@dataclass(frozen=True, slots=True)
class PartReport:
    """One part. amperes: of a limit. answer: accepted, refused, unanswered, or empty while there is none. found None:
    not begun, or under way. seconds: from the order to the first reading that shows it. amperes_seen: of the reading
    that decided. evidence: of an ignored 0 A."""

    part: Part
    amperes: float | None = None
    sent: Moment | None = None
    answer: str = ""
    found: Found | None = None
    seconds: float | None = None
    amperes_seen: float | None = None
    evidence: EvidenceClass | None = None


@dataclass(frozen=True, slots=True)
class SelfTestView:
    """The whole test as it stands. parts: all that are planned, in order. end None: it goes on. restored: the central
    system's limit is in force again; None: it was never touched, or that is still under way."""

    connector: ConnectorId
    began: Moment
    parts: tuple[PartReport, ...]
    end: End | None = None
    is_over: bool = False
    restored: bool | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A CALL that the test wants sent."""

    part: Part
    action: str
    payload: Mapping[str, object]
    transaction_id: TransactionId | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """The connector at this moment. newest, key: the newest command of the central system and its name; ordered: what
    it orders now."""

    connected: bool
    samples: Samples
    transaction_id: TransactionId | None
    transaction_open: bool
    status: Status | None
    newest: Command | None
    key: str
    ordered: Limit | None


def plan(ordered: Limit, *, id_tag: str) -> tuple[PartReport, ...]:
    """What will be done, in order. Without an id tag nothing can start the next transaction."""
    limits = [PartReport(Part.LIMIT, amperes) for amperes in WALK if amperes <= ordered.amperes]
    start = [PartReport(Part.REMOTE_START)] if id_tag else []
    return (*limits, PartReport(Part.RESTORE), PartReport(Part.REMOTE_STOP), *start)


def limited(profile: ChargingProfile, amperes: float, utc: float) -> ChargingProfile:
    """The central system's profile with another limit, in its own unit: it takes the place of that one (R4 to R6)."""
    first = profile.periods[0]
    limit = amperes if profile.unit is RateUnit.AMPERES else watts(amperes, phases(first.number_phases))
    return repeated(replace(profile, periods=(replace(first, start=0.0, limit=limit),), duration=None), utc)
