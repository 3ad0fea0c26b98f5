"""Keys of a payload that receivers read differently: one that stands twice in an object (the last counts, or the first,
or it is an error), and one in other letter case (some receivers compare letters, others do not).

Both are only counted. The look is cheap and made at messages that are read anyway: keys are counted in the text and in
what was decoded, and only when the text has more is it decoded again with its double keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ocpp_watchdog.core.decisions import CountKind

KNOWN = frozenset(
    (
        "chargeBoxSerialNumber", "chargePointModel", "chargePointSerialNumber", "chargePointVendor", "chargingProfile",
        "chargingProfileId", "chargingProfileKind", "chargingProfilePurpose", "chargingRateUnit", "chargingSchedule",
        "chargingSchedulePeriod", "configurationKey", "connectorId", "context", "csChargingProfiles", "currentTime",
        "data", "duration", "errorCode", "expiryDate", "fileName", "firmwareVersion", "format", "iccid", "id", "idTag",
        "idTagInfo", "imsi", "info", "interval", "key", "limit", "listVersion", "localAuthorizationList", "location",
        "measurand", "messageId", "meterSerialNumber", "meterStart", "meterStop", "meterType", "meterValue",
        "minChargingRate", "numberPhases", "parentIdTag", "phase", "readonly", "reason", "recurrencyKind",
        "requestedMessage", "reservationId", "retries", "retrieveDate", "retryInterval", "sampledValue",
        "scheduleStart", "stackLevel", "startPeriod", "startSchedule", "startTime", "status", "stopTime", "timestamp",
        "transactionData", "transactionId", "type", "unit", "unknownKey", "updateType", "validFrom", "validTo", "value",
        "vendorErrorCode", "vendorId",
    )
)  # fmt: skip
"""Every field of OCPP 1.6."""

_KNOWN_IN_LOWER_CASE = frozenset(name.lower() for name in KNOWN)


def odd_keys(text: str, payload: Mapping[str, object]) -> list[CountKind]:
    """What is odd about the keys of a message: of its text, and of the payload that was decoded from it. Nearly always
    nothing. Raises nothing."""
    odd: list[CountKind] = []
    count, is_foreign = _look(payload)
    if text.count('":') + text.count('" :') > count and _has_double(text):
        odd.append(CountKind.DOUBLE_KEY)
    if is_foreign and _has_other_case(payload):
        odd.append(CountKind.OTHER_CASE)
    return odd


def _look(payload: Mapping[str, object]) -> tuple[int, bool]:
    """How many keys there are in all, and whether one is no field of OCPP."""
    count, is_foreign = 0, False
    waiting: list[object] = [payload]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            count += len(value)
            is_foreign = is_foreign or not value.keys() <= KNOWN
            waiting += [inner for inner in value.values() if type(inner) is list or type(inner) is dict]
        elif isinstance(value, list):
            waiting += value
    return count, is_foreign


def _has_other_case(value: object) -> bool:
    if isinstance(value, list):
        return any(map(_has_other_case, value))
    if not isinstance(value, dict):
        return False
    is_odd = any(key not in KNOWN and key.lower() in _KNOWN_IN_LOWER_CASE for key in value)
    return is_odd or any(map(_has_other_case, value.values()))


def _has_double(text: str) -> bool:
    found = False

    def look(pairs: list[tuple[str, object]]) -> None:
        nonlocal found
        found = found or len({key for key, _ in pairs}) < len(pairs)

    try:
        json.loads(text, object_pairs_hook=look)
    except (ValueError, RecursionError):
        return False
    return found
