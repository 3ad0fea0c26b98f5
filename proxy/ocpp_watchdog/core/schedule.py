"""The composite schedule: which limit applies on a connector at an instant, and until when, from profiles alone.

Small pure steps: start of the schedule, active window, period, prevailing profile of each purpose, TxProfile over
TxDefaultProfile, the lower with ChargePointMaxProfile, unit last. All windows are half open. Rules R6 to R18 of the
domain notes, OCPP 1.6 ed. 2 §3.13. Knows nothing of commands and answers (``ledger.py``).

Every boundary is computed by the same expression where it is tested and where it is announced, so that rounding cannot
put a change on the wrong side of the instant announced for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ocpp_watchdog.core import units
from ocpp_watchdog.core.profiles import ChargingProfile, Installed, Profiles, SchedulePeriod, is_valid
from ocpp_watchdog.core.terms import (
    WHOLE_CHARGE_POINT,
    ConnectorId,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
    TransactionId,
)
from ocpp_watchdog.core.units import Limit

RECURRENCE_SECONDS = {Recurrency.DAILY: 86_400.0, Recurrency.WEEKLY: 604_800.0}


@dataclass(frozen=True, slots=True)
class TransactionSpan:
    """The running transaction. transaction_id None: not known (yet), so that every TxProfile is taken to be its own.
    started_utc: POSIX seconds; infinite when not known, and schedules counted from it then stand at their start."""

    transaction_id: TransactionId | None
    started_utc: float


@dataclass(frozen=True, slots=True)
class Prevailing:
    """A profile that contributes to the limit, with the period of it that applies."""

    installed: Installed
    period: SchedulePeriod


def limit_at(
    profiles: Profiles, connector: ConnectorId, transaction: TransactionSpan | None, utc: float
) -> Limit | None:
    """Give the limit on one connector (0: the whole charge point) at an instant, None when no profile gives one.

    profiles: what the charge point holds, any order. transaction: the one that runs on the connector, None without.
    Raises nothing. Rule R15.
    """
    return limit_of(prevailing(profiles, connector, transaction, utc))


def next_change(
    profiles: Profiles, connector: ConnectorId, transaction: TransactionSpan | None, utc: float
) -> float | None:
    """Give the first instant after ``utc`` (POSIX seconds) at which the limit may be another by time alone.

    Until then ``limit_at`` gives one and the same answer; at it the answer may still be the same. None: never.
    """
    boundaries = (
        boundary
        for held in profiles
        if _concerns(held, connector)
        for boundary in _boundaries(held.profile, transaction, utc)
        if utc < boundary < math.inf
    )
    return min(boundaries, default=None)


def prevailing(
    profiles: Profiles, connector: ConnectorId, transaction: TransactionSpan | None, utc: float
) -> tuple[Prevailing, ...]:
    """Give the profiles that make the limit: TxProfile, else TxDefaultProfile (R13), and ChargePointMaxProfile."""
    tops: dict[Purpose, Prevailing] = {}
    for held in profiles:
        if not _concerns(held, connector) or not _belongs_to(held.profile, transaction):
            continue
        period = active_period(held.profile, transaction, utc)
        if period is None:
            continue
        top = tops.get(held.profile.purpose)
        if top is None or _rank(held) > _rank(top.installed):
            tops[held.profile.purpose] = Prevailing(held, period)
    parts = (tops.get(Purpose.TX) or tops.get(Purpose.TX_DEFAULT), tops.get(Purpose.CHARGE_POINT_MAX))
    return tuple(part for part in parts if part is not None)


def active_period(profile: ChargingProfile, transaction: TransactionSpan | None, utc: float) -> SchedulePeriod | None:
    """Give the period that applies at an instant, None outside validity (R8), window (R7) and periods (R9)."""
    if profile.valid_from is not None and utc < profile.valid_from:
        return None
    if profile.valid_to is not None and utc >= profile.valid_to:
        return None
    start = start_of_schedule(profile, transaction, utc)
    if start is None:
        return None
    if _stands(profile, transaction, utc):  # no time has passed, exactly: no offset is lost in the size of ``utc``
        start = utc = 0.0
    if profile.duration is not None and utc >= start + profile.duration:
        return None
    return period_at(profile.periods, start, utc)


def start_of_schedule(profile: ChargingProfile, transaction: TransactionSpan | None, utc: float) -> float | None:
    """Give the instant from which the periods are counted at ``utc``, None before the schedule begins (R7).

    Without a transaction, and before its start on a clock that runs ahead, a schedule that is counted from it stands at
    its start: it begins now.
    """
    if _stands(profile, transaction, utc):
        return utc
    anchor = _anchor(profile, transaction)
    if anchor is None or utc < anchor:
        return None
    length = _recurrence(profile)
    return anchor if length is None else anchor + _cycle(anchor, length, utc) * length


def period_at(periods: tuple[SchedulePeriod, ...], start: float, utc: float) -> SchedulePeriod | None:
    """Give the period begun last (R9), None before the first one begins."""
    begun = [period for period in periods if start + period.start <= utc]
    return max(begun, key=lambda period: period.start, default=None)


def limit_of(parts: tuple[Prevailing, ...]) -> Limit | None:
    """Give the lower of all parts in each unit (R15, R16), None without parts."""
    if not parts:
        return None
    amperes = [part.period.limit for part in parts if part.installed.profile.unit is RateUnit.AMPERES]
    in_watts = [part for part in parts if part.installed.profile.unit is RateUnit.WATTS]
    watts = [part.period.limit for part in in_watts]
    number_phases = min(units.phases(part.period.number_phases) for part in parts)
    converted = [units.amperes(part.period.limit, units.phases(part.period.number_phases)) for part in in_watts]
    return Limit(
        amperes=min(amperes + converted),
        watts=min(watts + [units.watts(limit, number_phases) for limit in amperes]),
        number_phases=number_phases,
        bound_amperes=min(amperes, default=None),
        bound_watts=min(watts, default=None),
        profile_ids=tuple(sorted(part.installed.profile.profile_id for part in parts)),
    )


def _concerns(held: Installed, connector: ConnectorId) -> bool:
    return held.connector in (connector, WHOLE_CHARGE_POINT) and is_valid(held.connector, held.profile)


def _belongs_to(profile: ChargingProfile, transaction: TransactionSpan | None) -> bool:
    """A TxProfile needs a transaction, and the right one if it names one (R13)."""
    if profile.purpose is not Purpose.TX:
        return True
    if transaction is None:
        return False
    return profile.transaction_id is None or transaction.transaction_id in (None, profile.transaction_id)


def _rank(held: Installed) -> tuple[int, bool]:
    """The stack level decides (R11), then the connector's own profile before that of connector 0 (R6)."""
    return held.profile.stack_level, held.connector != WHOLE_CHARGE_POINT


def _is_dated(profile: ChargingProfile) -> bool:
    return profile.kind is not ProfileKind.RELATIVE and profile.start_schedule is not None


def _stands(profile: ChargingProfile, transaction: TransactionSpan | None, utc: float) -> bool:
    """The schedule is counted from a transaction that has not begun."""
    return not _is_dated(profile) and (transaction is None or utc < transaction.started_utc)


def _anchor(profile: ChargingProfile, transaction: TransactionSpan | None) -> float | None:
    """Where the schedule is tied to, None: to nothing but the present."""
    if _is_dated(profile):
        return profile.start_schedule
    return None if transaction is None else transaction.started_utc


def _recurrence(profile: ChargingProfile) -> float | None:
    """Length of one round in seconds; None: it does not recur, or does not say how."""
    if profile.kind is not ProfileKind.RECURRING or profile.recurrency is None:
        return None
    return RECURRENCE_SECONDS[profile.recurrency]


def _cycle(anchor: float, length: float, utc: float) -> float:
    """The round that runs at ``utc``, counted from 0; a float, because an absurd anchor must not raise."""
    cycle = (utc - anchor) // length
    if anchor + (cycle + 1.0) * length <= utc:
        return cycle + 1.0
    return cycle - 1.0 if anchor + cycle * length > utc else cycle


def _boundaries(profile: ChargingProfile, transaction: TransactionSpan | None, utc: float) -> Iterator[float]:
    """Every instant that may matter around ``utc``, past ones too."""
    if profile.valid_from is not None:
        yield profile.valid_from
    if profile.valid_to is not None:
        yield profile.valid_to
    anchor = _anchor(profile, transaction)
    if anchor is None:
        return
    length = _recurrence(profile)
    cycle = 0.0 if length is None or utc < anchor else _cycle(anchor, length, utc)
    start = anchor if length is None else anchor + cycle * length
    yield start
    for period in profile.periods:
        yield start + period.start
    if profile.duration is not None:
        yield start + profile.duration
    if length is not None:
        yield anchor + (cycle + 1.0) * length
