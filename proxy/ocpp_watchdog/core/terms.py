"""The field's words as types: identifiers, directions, moments and the enumerations of OCPP 1.6 that the core reads.

Knows no behaviour. The enumerations are our own, so that the core imports nothing; a test holds them against the
``ocpp`` package's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

ChargePointId = NewType("ChargePointId", str)
ConnectorId = NewType("ConnectorId", int)
UniqueId = NewType("UniqueId", str)
TransactionId = NewType("TransactionId", int)

WHOLE_CHARGE_POINT = ConnectorId(0)
"""Connector 0 stands for the whole charge point (OCPP 1.6 §2.2)."""


class Direction(StrEnum):
    """Which way a frame travels."""

    TO_CENTRAL_SYSTEM = "to_central_system"
    TO_CHARGE_POINT = "to_charge_point"

    @property
    def back(self) -> Direction:
        """The direction an answer takes."""
        return Direction.TO_CHARGE_POINT if self is Direction.TO_CENTRAL_SYSTEM else Direction.TO_CENTRAL_SYSTEM


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on both clocks. ``utc``: POSIX seconds, meets schedules and time stamps only. ``mono``: seconds on a
    clock that never jumps, measures durations."""

    utc: float
    mono: float

    def later(self, seconds: float) -> Moment:
        """The instant ``seconds`` after this one."""
        return Moment(self.utc + seconds, self.mono + seconds)


class Purpose(StrEnum):
    """ChargingProfilePurposeType, §7.11."""

    CHARGE_POINT_MAX = "ChargePointMaxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"


class ProfileKind(StrEnum):
    """ChargingProfileKindType, §7.10."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"


class Recurrency(StrEnum):
    """RecurrencyKindType, §7.37."""

    DAILY = "Daily"
    WEEKLY = "Weekly"


class RateUnit(StrEnum):
    """ChargingRateUnitType, §7.12. A is per phase, W the total of all phases."""

    AMPERES = "A"
    WATTS = "W"


class Status(StrEnum):
    """ChargePointStatus, §7.7."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EVSE = "SuspendedEVSE"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class Context(StrEnum):
    """ReadingContext, §7.36."""

    INTERRUPTION_BEGIN = "Interruption.Begin"
    INTERRUPTION_END = "Interruption.End"
    OTHER = "Other"
    SAMPLE_CLOCK = "Sample.Clock"
    SAMPLE_PERIODIC = "Sample.Periodic"
    TRANSACTION_BEGIN = "Transaction.Begin"
    TRANSACTION_END = "Transaction.End"
    TRIGGER = "Trigger"
