"""What happened, as frozen values. ``translate.py`` makes them, everything above reads them.

Times inside payloads are POSIX seconds on the charge point's or central system's own clock, None when unreadable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.profiles import ChargingProfile, Criteria
from ocpp_watchdog.core.terms import ConnectorId, Status, TransactionId


class Answer(Enum):
    """What an answer means. REFUSED: Rejected, NotSupported, NotImplemented, any CALLERROR, and whatever cannot be
    read. UNKNOWN: ClearChargingProfile only, nothing matched."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


# -- asked by the central system ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProfileRequested:
    """SetChargingProfile went to the charge point; nothing is in force yet (R1)."""

    connector: ConnectorId
    profile: ChargingProfile


@dataclass(frozen=True, slots=True)
class ClearRequested:
    """ClearChargingProfile went to the charge point."""

    criteria: Criteria


@dataclass(frozen=True, slots=True)
class RemoteStartRequested:
    """RemoteStartTransaction. connector None: the charge point chooses."""

    connector: ConnectorId | None
    id_tag: str
    profile: ChargingProfile | None


@dataclass(frozen=True, slots=True)
class AvailabilityRequested:
    """ChangeAvailability; connector 0 means all."""

    connector: ConnectorId
    operative: bool


@dataclass(frozen=True, slots=True)
class ScheduleRequested:
    """GetCompositeSchedule, from the central system."""

    connector: ConnectorId


@dataclass(frozen=True, slots=True)
class RemoteStopRequested:
    """RemoteStopTransaction, from the central system."""

    transaction_id: TransactionId | None


@dataclass(frozen=True, slots=True)
class TriggerRequested:
    """TriggerMessage, from the central system."""

    message: str
    connector: ConnectorId | None


@dataclass(frozen=True, slots=True)
class ConfigurationRequested:
    """GetConfiguration, from the central system; its answer may tell the firmware. keys: asked for, empty: all."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OtherRequested:
    """Any other CALL that nothing here reads, or whose payload cannot be read. readable False: it should have been."""

    action: str
    readable: bool = True


# -- said by the charge point ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Booted:
    """BootNotification; empty strings where the charge point says nothing."""

    vendor: str
    model: str
    firmware: str


@dataclass(frozen=True, slots=True)
class FirmwareStatusNotified:
    """FirmwareStatusNotification, with its word."""

    status: str


@dataclass(frozen=True, slots=True)
class StatusNotified:
    """StatusNotification. status None: not a status of OCPP 1.6."""

    connector: ConnectorId
    status: Status | None
    error_code: str
    timestamp: float | None


@dataclass(frozen=True, slots=True)
class MeterSampled:
    """MeterValues: one reading per meterValue element, in the order they stand. May be empty."""

    connector: ConnectorId
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class TransactionRequested:
    """StartTransaction; the id comes with its answer (T1)."""

    connector: ConnectorId
    id_tag: str
    meter_start: float | None
    timestamp: float | None


@dataclass(frozen=True, slots=True)
class TransactionStopped:
    """StopTransaction: it carries the id but no connector (T3). Its transactionData never counts and is not kept."""

    transaction_id: TransactionId | None
    reason: str
    meter_stop: float | None
    timestamp: float | None


Request = (
    ProfileRequested
    | ClearRequested
    | RemoteStartRequested
    | AvailabilityRequested
    | ScheduleRequested
    | RemoteStopRequested
    | TriggerRequested
    | ConfigurationRequested
    | OtherRequested
    | Booted
    | FirmwareStatusNotified
    | StatusNotified
    | MeterSampled
    | TransactionRequested
    | TransactionStopped
)


# -- answers -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a request. status: the word the answer carries (or the error code), empty when there is none.
    transaction_id: StartTransaction only. firmware: GetConfiguration only, empty when the answer does not tell it."""

    request: Request
    answer: Answer
    status: str
    transaction_id: TransactionId | None = field(default=None)
    firmware: str = ""


Event = Request | Answered
