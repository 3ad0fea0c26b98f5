"""Calls and answers -> events: with ``payloads.py`` (what we say ourselves) and ``alike.py`` (what is not decoded) the
only file that knows payload field names.

Reads tolerantly what charge points and central systems really send, and says so (``OtherRequested(readable=False)``,
None in a field) where nothing can be made of it. It judges nothing: profiles are handed on as they were said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from ocpp_watchdog.core.errors import UnusableProfile
from ocpp_watchdog.core.events import (
    Answer,
    Answered,
    AvailabilityRequested,
    Booted,
    ClearRequested,
    ConfigurationRequested,
    FirmwareStatusNotified,
    MeterSampled,
    OtherRequested,
    ProfileRequested,
    RemoteStartRequested,
    RemoteStopRequested,
    Request,
    ScheduleRequested,
    StatusNotified,
    TransactionRequested,
    TransactionStopped,
    TriggerRequested,
)
from ocpp_watchdog.core.figures import figure
from ocpp_watchdog.core.frames import Call, CallError, CallResult
from ocpp_watchdog.core.measurements import Reading, Sampled, assemble
from ocpp_watchdog.core.profiles import ChargingProfile, Criteria, SchedulePeriod
from ocpp_watchdog.core.terms import (
    ConnectorId,
    Direction,
    Moment,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
    Status,
    TransactionId,
)
from ocpp_watchdog.core.timestamps import instant, timestamp

_Payload = Mapping[str, object]
_Word = TypeVar("_Word", bound=StrEnum)
_Value = TypeVar("_Value")

LONGEST_ID = 64
"""Characters of a unique id that are kept with a reading; the wire allows 36 (OCPP-J 1.6 §4.1.4)."""


def read_request(call: Call, direction: Direction, now: Moment) -> Request:
    """What a CALL says. now: becomes the arrival of readings. Raises nothing."""
    readers = _OF_CHARGE_POINT if direction is Direction.TO_CENTRAL_SYSTEM else _OF_CENTRAL_SYSTEM
    reader = readers.get(call.action)
    if reader is None:
        return OtherRequested(call.action)
    if reader is _meter_sampled:
        unique_id = call.unique_id[:LONGEST_ID]
        return _meter_sampled(call.payload, now, unique_id) or OtherRequested(call.action, readable=False)
    return reader(call.payload, now) or OtherRequested(call.action, readable=False)


def read_answer(request: Request, answer: CallResult | CallError) -> Answered:
    """What an answer means for the request it belongs to. Accepted is the word Accepted and no other. Raises nothing.

    Answers that carry no status (to MeterValues, Heartbeat, StopTransaction) accept by being a CALLRESULT.
    StartTransaction is accepted by its transaction id, whatever idTagInfo says: that is the transaction that runs (T1).
    """
    if isinstance(answer, CallError):
        return Answered(request, Answer.REFUSED, _text(answer.code))
    payload = answer.payload
    if isinstance(request, _TAGGED):
        tag = payload.get("idTagInfo")
        status = _text(tag.get("status")) if isinstance(tag, dict) else ""
        if isinstance(request, TransactionStopped):
            return Answered(request, Answer.ACCEPTED, status)
        transaction_id = _transaction_id(payload.get("transactionId"))
        return Answered(request, Answer.REFUSED if transaction_id is None else Answer.ACCEPTED, status, transaction_id)
    status = _text(payload.get("status"))
    firmware = _firmware(payload) if isinstance(request, ConfigurationRequested) else ""
    return Answered(request, _verdict(request, status.lower()), status, firmware=firmware)


_TAGGED = (TransactionRequested, TransactionStopped)
_WITHOUT_STATUS = (MeterSampled, StatusNotified, ConfigurationRequested, FirmwareStatusNotified, OtherRequested)


def _verdict(request: Request, word: str) -> Answer:
    if word == "accepted":
        return Answer.ACCEPTED
    if isinstance(request, ClearRequested) and word == "unknown":
        return Answer.UNKNOWN
    return Answer.ACCEPTED if not word and isinstance(request, _WITHOUT_STATUS) else Answer.REFUSED


def _firmware(payload: _Payload) -> str:
    """The value of the key FirmwareVersion, empty when it is not among them (a Halo has it)."""
    for entry in _list(payload.get("configurationKey")) or ():
        if isinstance(entry, dict) and _text(entry.get("key")).lower() == "firmwareversion":
            return _text(entry.get("value"))
    return ""


# -- said by the charge point --------------------------------------------------------------------------------------


def _booted(payload: _Payload, _: Moment) -> Request:
    return Booted(
        _text(payload.get("chargePointVendor")),
        _text(payload.get("chargePointModel")),
        _text(payload.get("firmwareVersion")),
    )


def _firmware_status_notified(payload: _Payload, _: Moment) -> Request:
    return FirmwareStatusNotified(_text(payload.get("status")))


def _status_notified(payload: _Payload, _: Moment) -> Request | None:
    connector = _connector(payload)
    if connector is None:
        return None
    status = _word(Status, payload.get("status"))
    return StatusNotified(connector, status, _text(payload.get("errorCode")), timestamp(payload.get("timestamp")))


def _meter_sampled(payload: _Payload, now: Moment, unique_id: str = "") -> Request | None:
    connector = _connector(payload)
    elements = _list(payload.get("meterValue"))
    if connector is None or elements is None:
        return None
    transaction_id = _integer(payload.get("transactionId"))
    readings: list[Reading] = []
    for element in elements:
        if isinstance(element, dict):
            sampled = sampled_values(element)
            at = timestamp(element.get("timestamp"))
            reading = assemble(connector, now, at, transaction_id, sampled, unique_id=unique_id)
            if reading:
                readings.append(reading)
    return MeterSampled(connector, tuple(readings))


def sampled_values(element: _Payload) -> list[Sampled]:
    """The samples of a meterValue element that are such, null meaning absent."""
    sampled: list[Sampled] = []
    for entry in _list(element.get("sampledValue")) or ():
        if not isinstance(entry, dict):
            continue
        get = entry.get
        value = get("value")
        measurand = get("measurand") or ""
        unit = get("unit") or ""
        phase = get("phase") or ""
        context = get("context") or ""
        encoding = get("format") or ""
        location = get("location") or ""
        if not (type(value) is str or type(value) is int or type(value) is float):
            continue
        if type(measurand) is type(unit) is type(phase) is type(context) is type(encoding) is type(location) is str:
            sampled.append((value, measurand, unit, phase, context, encoding, location))
    return sampled


def _transaction_requested(payload: _Payload, _: Moment) -> Request | None:
    connector = _connector(payload)
    if connector is None:
        return None
    meter_start = _number(payload.get("meterStart"))
    return TransactionRequested(
        connector, _text(payload.get("idTag")), meter_start, timestamp(payload.get("timestamp"))
    )


def _transaction_stopped(payload: _Payload, _: Moment) -> Request:
    return TransactionStopped(
        _transaction_id(payload.get("transactionId")),
        _text(payload.get("reason")) or "Local",  # §6.49: may only be omitted when it is Local
        _number(payload.get("meterStop")),
        timestamp(payload.get("timestamp")),
    )


# -- asked by the central system -----------------------------------------------------------------------------------


def _profile_requested(payload: _Payload, _: Moment) -> Request | None:
    connector = _connector(payload)
    # chargingProfile is RemoteStartTransaction's name for it, used here too by some (Java-OCA-OCPP #78).
    profile = _profile_or_none(payload.get("csChargingProfiles") or payload.get("chargingProfile"))
    return None if connector is None or profile is None else ProfileRequested(connector, profile)


def _clear_requested(payload: _Payload, _: Moment) -> Request | None:
    """A criterion that is there and cannot be read must not widen what is cleared."""
    profile_id, stack_level = _integer(payload.get("id")), _integer(payload.get("stackLevel"))
    connector = None if payload.get("connectorId") is None else _connector(payload)
    purpose = _word(Purpose, payload.get("chargingProfilePurpose"))
    named = ("id", "connectorId", "chargingProfilePurpose", "stackLevel")
    for name, read in zip(named, (profile_id, connector, purpose, stack_level), strict=True):
        if read is None and payload.get(name) is not None:
            return None
    return ClearRequested(Criteria(profile_id, connector, purpose, stack_level))


def _remote_start_requested(payload: _Payload, _: Moment) -> Request:
    connector = None if payload.get("connectorId") is None else _connector(payload)
    profile = _profile_or_none(payload.get("chargingProfile"))
    return RemoteStartRequested(connector, _text(payload.get("idTag")), profile)


def _availability_requested(payload: _Payload, _: Moment) -> Request | None:
    connector, kind = _connector(payload), _text(payload.get("type")).lower()
    if connector is None or kind not in ("operative", "inoperative"):
        return None
    return AvailabilityRequested(connector, operative=kind == "operative")


def _schedule_requested(payload: _Payload, _: Moment) -> Request | None:
    connector = _connector(payload)
    return None if connector is None else ScheduleRequested(connector)


def _remote_stop_requested(payload: _Payload, _: Moment) -> Request:
    return RemoteStopRequested(_transaction_id(payload.get("transactionId")))


def _trigger_requested(payload: _Payload, _: Moment) -> Request:
    connector = None if payload.get("connectorId") is None else _connector(payload)
    return TriggerRequested(_text(payload.get("requestedMessage")), connector)


def _configuration_requested(payload: _Payload, _: Moment) -> Request:
    return ConfigurationRequested(tuple(_text(key) for key in _list(payload.get("key")) or ()))


_Reader = Callable[[_Payload, Moment], Request | None]
_OF_CHARGE_POINT: Mapping[str, _Reader] = {
    "BootNotification": _booted,
    "FirmwareStatusNotification": _firmware_status_notified,
    "StatusNotification": _status_notified,
    "MeterValues": _meter_sampled,
    "StartTransaction": _transaction_requested,
    "StopTransaction": _transaction_stopped,
}
_OF_CENTRAL_SYSTEM: Mapping[str, _Reader] = {
    "SetChargingProfile": _profile_requested,
    "ClearChargingProfile": _clear_requested,
    "GetConfiguration": _configuration_requested,
    "RemoteStartTransaction": _remote_start_requested,
    "ChangeAvailability": _availability_requested,
    "GetCompositeSchedule": _schedule_requested,
    "RemoteStopTransaction": _remote_stop_requested,
    "TriggerMessage": _trigger_requested,
}


# -- charging profiles ---------------------------------------------------------------------------------------------


def _profile_or_none(value: object) -> ChargingProfile | None:
    try:
        return _profile(_single(value))
    except UnusableProfile:
        return None


def _profile(said: _Payload) -> ChargingProfile:
    """ChargingProfile §7.8. What is absent and has a meaning gets it: id and level 0 (Go leaves zeros out), Absolute.

    Raises UnusableProfile when something is there that cannot be read: a profile half understood is a wrong limit.
    """
    schedule = _single(said.get("chargingSchedule"))
    periods = [_period(_single(period)) for period in _list(schedule.get("chargingSchedulePeriod")) or ()]
    purpose = _word(Purpose, said.get("chargingProfilePurpose"))
    kind = _readable(said, "chargingProfileKind", lambda value: _word(ProfileKind, value))
    unit = _word(RateUnit, schedule.get("chargingRateUnit"))
    if purpose is None or unit is None or not periods:
        raise UnusableProfile("no purpose, unit or period")
    return ChargingProfile(
        profile_id=_readable(said, "chargingProfileId", _integer) or 0,
        stack_level=_readable(said, "stackLevel", _integer) or 0,
        purpose=purpose,
        kind=kind or ProfileKind.ABSOLUTE,
        recurrency=_readable(said, "recurrencyKind", lambda value: _word(Recurrency, value)),
        transaction_id=_readable(said, "transactionId", _transaction_id),
        valid_from=_readable(said, "validFrom", instant),
        valid_to=_readable(said, "validTo", instant),
        unit=unit,
        start_schedule=_readable(schedule, "startSchedule", instant),
        duration=_readable(schedule, "duration", _amount),
        periods=tuple(sorted(periods, key=lambda period: period.start)),
    )


def _period(said: _Payload) -> SchedulePeriod:
    limit = _readable(said, "limit", _amount)
    if limit is None:
        raise UnusableProfile("no limit")
    phases = _integer(said.get("numberPhases"))
    return SchedulePeriod(
        _readable(said, "startPeriod", _amount) or 0.0, limit, phases if phases in (1, 2, 3) else None
    )


def _readable(said: _Payload, name: str, read: Callable[[object], _Value | None]) -> _Value | None:
    """The field, None when it is absent, null or empty text."""
    value = said.get(name)
    if value is None or value == "":
        return None
    found = read(value)
    if found is None:
        raise UnusableProfile(name)
    return found


def _single(value: object) -> _Payload:
    """An object, or the one object of a list."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise UnusableProfile("no object")
    return value


# -- values --------------------------------------------------------------------------------------------------------

_LONGEST_TEXT = 255
_LARGEST_INTEGER = 2**63 - 1
_CONNECTORS = 1 << 16
_DIGITS = re.compile(r"\s*[+-]?[0-9]{1,19}\s*")


def _text(value: object) -> str:
    """Text without blanks around it, at most 255 characters, every one of which can be encoded (a lone surrogate
    cannot); a whole number is taken for its digits."""
    if isinstance(value, str):
        return value.strip()[:_LONGEST_TEXT].encode("utf-8", "replace").decode()
    number = _integer(value)
    return "" if number is None else str(number)


def _integer(value: object) -> int | None:
    """A whole number of at most 64 bits, also as 7.0 or "7"; true is not 1."""
    if isinstance(value, str):
        number = int(value) if _DIGITS.fullmatch(value) else None
    elif isinstance(value, float):
        number = int(value) if value.is_integer() else None
    else:
        number = value if isinstance(value, int) and not isinstance(value, bool) else None
    return number if number is not None and -_LARGEST_INTEGER <= number <= _LARGEST_INTEGER else None


def _number(value: object) -> float | None:
    got = figure(value) if isinstance(value, str | int | float) else None
    return got[0] if got else None


def _amount(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and number >= 0.0 else None


def _list(value: object) -> list[object] | None:
    """A list, or the one object that should have stood in it (Huawei)."""
    if isinstance(value, dict):
        return [value]
    return value if isinstance(value, list) else None


def _connector(payload: _Payload) -> ConnectorId | None:
    """connectorId, 0 when absent (as evcc reads it), None when it cannot be one."""
    value = payload.get("connectorId")
    number = 0 if value is None else _integer(value)
    return ConnectorId(number) if number is not None and 0 <= number < _CONNECTORS else None


def _transaction_id(value: object) -> TransactionId | None:
    number = _integer(value)
    return None if number is None else TransactionId(number)


def _word(words: type[_Word], value: object) -> _Word | None:
    """A member of an enumeration of the specification, however its letters are written."""
    if not isinstance(value, str):
        return None
    said = value.strip().lower()
    return next((word for word in words if word.lower() == said), None)
