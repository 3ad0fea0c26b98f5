"""Charging profiles as values. (Contract; see the module's author.)"""

from __future__ import annotations

from dataclasses import dataclass

from ocpp_watchdog.core.terms import ConnectorId, ProfileKind, Purpose, RateUnit, Recurrency, TransactionId


@dataclass(frozen=True, slots=True)
class SchedulePeriod:
    """start: seconds from the schedule's start. limit: in the schedule's unit. number_phases None: absent (means 3)."""

    start: float
    limit: float
    number_phases: int | None


@dataclass(frozen=True, slots=True)
class ChargingProfile:
    """ChargingProfile §7.8 with its one ChargingSchedule §7.13. Times POSIX seconds; periods sorted by start."""

    profile_id: int
    stack_level: int
    purpose: Purpose
    kind: ProfileKind
    recurrency: Recurrency | None
    transaction_id: TransactionId | None
    valid_from: float | None
    valid_to: float | None
    unit: RateUnit
    start_schedule: float | None
    duration: float | None
    periods: tuple[SchedulePeriod, ...]


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a ClearChargingProfile names; None: not named."""

    profile_id: int | None = None
    connector: ConnectorId | None = None
    purpose: Purpose | None = None
    stack_level: int | None = None
