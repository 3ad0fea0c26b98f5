"""What we say ourselves: payloads of the CALLs of our own, and what their answers mean.

Together with ``translate.py`` the only file that knows payload field names. Everything here is asked of the charge
point; what is worth asking is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping

from ocpp_watchdog.core.figures import figure
from ocpp_watchdog.core.frames import CallError, CallResult
from ocpp_watchdog.core.profiles import ChargingProfile, SchedulePeriod
from ocpp_watchdog.core.terms import ConnectorId, TransactionId
from ocpp_watchdog.core.timestamps import stamp

REMOTE_STOP = "RemoteStopTransaction"
REMOTE_START = "RemoteStartTransaction"
TRIGGER = "TriggerMessage"
SET_PROFILE = "SetChargingProfile"
CLEAR_PROFILE = "ClearChargingProfile"
COMPOSITE_SCHEDULE = "GetCompositeSchedule"
CHANGE_AVAILABILITY = "ChangeAvailability"
RESET = "Reset"

SCHEDULE_SECONDS = 60
"""How much of the composite schedule is asked for; evcc asks for as much."""

Payload = dict[str, object]

_DONE = {CHANGE_AVAILABILITY: ("accepted", "scheduled"), CLEAR_PROFILE: ("accepted", "unknown")}
"""Words that mean that it will be as asked, where Accepted is not the only one: a connector in a transaction changes
later (§5.2); what is Unknown is not there any more (§5.3)."""


def is_done(action: str, answer: CallResult | CallError) -> bool:
    """The charge point says that it does, or will do, what we asked. Raises nothing."""
    if isinstance(answer, CallError):
        return False
    status = answer.payload.get("status")
    return isinstance(status, str) and status.strip().lower() in _DONE.get(action, ("accepted",))


def present_limit(answer: CallResult | CallError) -> float | None:
    """The limit that GetCompositeSchedule says applies now, in the unit it is given in (§6.21); below zero: none. None:
    it does not say. Raises nothing."""
    schedule = answer.payload.get("chargingSchedule") if isinstance(answer, CallResult) else None
    periods = schedule.get("chargingSchedulePeriod") if isinstance(schedule, dict) else None
    first = periods[0] if isinstance(periods, list) and periods else periods
    limit = first.get("limit") if isinstance(first, dict) else None
    got = figure(limit) if isinstance(limit, str | int | float) and not isinstance(limit, bool) else None
    return got[0] if got else None


def remote_stop(transaction_id: TransactionId) -> Payload:
    """Payload of RemoteStopTransaction, §6.35."""
    return {"transactionId": transaction_id}


def remote_start(connector: ConnectorId, id_tag: str) -> Payload:
    """Payload of RemoteStartTransaction, §6.33."""
    return {"connectorId": connector, "idTag": id_tag}


def trigger_meter_values(connector: ConnectorId) -> Payload:
    """Payload of TriggerMessage, §6.51; connector 0 is not named (it must be above 0), which asks for all."""
    whole: Payload = {"requestedMessage": "MeterValues"}
    return whole | {"connectorId": connector} if connector > 0 else whole


def composite_schedule(connector: ConnectorId) -> Payload:
    """Payload of GetCompositeSchedule, §6.21."""
    return {"connectorId": connector, "duration": SCHEDULE_SECONDS}


def availability(connector: ConnectorId, *, operative: bool) -> Payload:
    """Payload of ChangeAvailability, §6.7."""
    return {"connectorId": connector, "type": "Operative" if operative else "Inoperative"}


def soft_reset() -> Payload:
    """Payload of Reset, §6.37."""
    return {"type": "Soft"}


def clear_profile(profile_id: int) -> Payload:
    """Payload of ClearChargingProfile, §6.9: with an id only the id counts."""
    return {"id": profile_id}


def set_profile(connector: ConnectorId, profile: ChargingProfile) -> Payload:
    """Payload of SetChargingProfile, §6.43, in the order evcc writes it; what is None is left out."""
    schedule = {
        "duration": None if profile.duration is None else _number(profile.duration),
        "startSchedule": _stamp(profile.start_schedule),
        "chargingRateUnit": profile.unit.value,
        "chargingSchedulePeriod": [_period(period) for period in profile.periods],
    }
    said = {
        "chargingProfileId": profile.profile_id,
        "transactionId": profile.transaction_id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": profile.purpose.value,
        "chargingProfileKind": profile.kind.value,
        "recurrencyKind": None if profile.recurrency is None else profile.recurrency.value,
        "validFrom": _stamp(profile.valid_from),
        "validTo": _stamp(profile.valid_to),
        "chargingSchedule": _known(schedule),
    }
    return {"connectorId": connector, "csChargingProfiles": _known(said)}


def _period(period: SchedulePeriod) -> Payload:
    return _known(
        {"startPeriod": int(period.start), "limit": _number(period.limit), "numberPhases": period.number_phases}
    )


def _known(said: Mapping[str, object]) -> Payload:
    return {name: value for name, value in said.items() if value is not None}


def _number(value: float) -> int | float:
    """Whole numbers without a point, as evcc writes them: not every charge point reads 0.0."""
    return int(value) if value.is_integer() else value


def _stamp(utc: float | None) -> str | None:
    return None if utc is None else stamp(utc)
