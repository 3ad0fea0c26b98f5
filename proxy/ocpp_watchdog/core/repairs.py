"""Repairs that an owner switched on for one charge point: a message in, and what goes out instead.

Theory of operation. ``Repairs`` says which are on. ``mend`` is asked about each whole message of a session that has
one: None, it goes out as it came, to the byte; ``Changed``, this text goes out instead; ``Answered``, it goes nowhere,
and this text goes back to whoever sent it. A message that cannot be read as plain OCPP-J is never touched. Commands
that move current, and messages that carry transactions, are answered by nobody but the one they are meant for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.core.terms import Direction
from ocpp_watchdog.core.timestamps import timestamp

ANSWER_FOR, POWER_FACTOR, TIMESTAMPS, PROFILE_DIALECT = KINDS = (
    "answer_for",
    "power_factor",
    "timestamps",
    "profile_dialect",
)
"""Names of the repairs, as the settings have them."""

FOR_CHARGE_POINT = (
    "ChangeAvailability",
    "ChangeConfiguration",
    "GetCompositeSchedule",
    "GetConfiguration",
    "TriggerMessage",
)
FOR_CENTRAL_SYSTEM = (
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "SecurityEventNotification",
    "SignedFirmwareStatusNotification",
)
"""What may be answered in the place of each side: nothing here moves current or carries a transaction."""

CALL, CALLRESULT = 2, 3
POWER = "Power.Active.Import"
MOST_CHARACTERS = 262_144
SECONDS_OF_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Dialect:
    """The one shape of SetChargingProfile a wallbox obeys (AcTEC: the defaults). watts_per_ampere: of all phases
    together."""

    watts_per_ampere: float = 690.0
    profile_id: int = 231
    stack_level: int = 0
    number_phases: int = 3
    duration_seconds: int = SECONDS_OF_A_DAY


@dataclass(frozen=True, slots=True)
class Repairs:
    """Which repairs are on. answer_for: actions that are answered here. configuration: keys and values of the answer to
    GetConfiguration. trigger_message: the word of the answer to TriggerMessage. power_factor: readings of
    Power.Active.Import times this. timestamps: impossible ones become the time of arrival."""

    answer_for: frozenset[str] = frozenset()
    configuration: Mapping[str, str] = field(default_factory=dict)
    trigger_message: str = "NotImplemented"
    power_factor: float | None = None
    timestamps: bool = False
    profile_dialect: Dialect | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of those that are on."""
        states = (self.answer_for, self.power_factor is not None, self.timestamps, self.profile_dialect is not None)
        return tuple(name for name, is_on in zip(KINDS, states, strict=True) if is_on)


@dataclass(frozen=True, slots=True)
class Changed:
    """This text goes out instead. repairs: names of those that changed it. heard: what the judge hears in its place,
    empty: the same."""

    text: str
    repairs: str
    heard: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The message goes nowhere; this text goes back to its sender."""

    text: str
    repairs: str = ANSWER_FOR


Verdict = Changed | Answered | None


def mend(repairs: Repairs, direction: Direction, text: str, utc: float, loads: Loads) -> Verdict:
    """What becomes of one message. utc: when it arrived, POSIX seconds. Raises nothing that ``loads`` does not."""
    if len(text) > MOST_CHARACTERS or not text.lstrip().startswith("["):
        return None
    try:
        message = loads(text)
    except (ValueError, OverflowError, RecursionError):
        return None
    if not isinstance(message, list) or len(message) != 4 or message[0] != CALL or type(message[0]) is not int:
        return None
    unique_id, action, payload = message[1:]
    if not (isinstance(unique_id, str) and isinstance(action, str) and isinstance(payload, dict)):
        return None
    if direction is Direction.TO_CHARGE_POINT:
        return _for_charge_point(repairs, unique_id, action, payload, utc)
    return _for_central_system(repairs, unique_id, action, payload, utc)


def _for_charge_point(repairs: Repairs, unique_id: str, action: str, payload: dict[str, object], utc: float) -> Verdict:
    if action in repairs.answer_for and action in FOR_CHARGE_POINT:
        return Answered(_text([CALLRESULT, unique_id, _answer(repairs, action, payload)]))
    if action == "SetChargingProfile" and repairs.profile_dialect is not None:
        changed = _in_dialect(repairs.profile_dialect, payload, utc)
        if changed is not None:
            return Changed(_text([CALL, unique_id, action, changed]), PROFILE_DIALECT)
    return None


def _for_central_system(
    repairs: Repairs, unique_id: str, action: str, payload: dict[str, object], utc: float
) -> Verdict:
    if action in repairs.answer_for and action in FOR_CENTRAL_SYSTEM:
        return Answered(_text([CALLRESULT, unique_id, {}]))
    done = []
    if repairs.power_factor is not None and _power(repairs.power_factor, payload):
        done.append(POWER_FACTOR)
    heard = _text([CALL, unique_id, action, payload]) if repairs.timestamps else ""
    if repairs.timestamps and _times(payload, utc):
        done.append(TIMESTAMPS)
    return Changed(_text([CALL, unique_id, action, payload]), ", ".join(done), heard) if done else None


def _text(message: list[object]) -> str:
    """Compact and ASCII, as the frames of our own."""
    return json.dumps(message, separators=(",", ":"))


# -- answers -------------------------------------------------------------------------------------------------------


def _answer(repairs: Repairs, action: str, payload: Mapping[str, object]) -> dict[str, object]:
    if action == "GetConfiguration":
        return _configuration(repairs.configuration, payload.get("key"))
    if action == "TriggerMessage":
        return {"status": repairs.trigger_message}
    if action == "ChangeConfiguration":
        return {"status": "NotSupported"}
    return {"status": "Accepted" if action == "ChangeAvailability" else "Rejected"}


def _configuration(values: Mapping[str, str], asked: object) -> dict[str, object]:
    """All keys, or those that were asked for by name; what is not there is unknown."""
    wanted = [key for key in asked if isinstance(key, str)] if isinstance(asked, list) and asked else list(values)
    known = [{"key": key, "readonly": True, "value": values[key]} for key in wanted if key in values]
    unknown = [key for key in wanted if key not in values]
    return {"configurationKey": known, "unknownKey": unknown} if unknown else {"configurationKey": known}


# -- profiles ------------------------------------------------------------------------------------------------------


def _in_dialect(dialect: Dialect, payload: Mapping[str, object], utc: float) -> dict[str, object] | None:
    """The command in the one shape; None: it holds more than one limit from now on, which the shape cannot say, or it
    is a ChargePointMaxProfile, which is another thing."""
    profile = payload.get("csChargingProfiles")
    schedule = profile.get("chargingSchedule") if isinstance(profile, dict) else None
    periods = schedule.get("chargingSchedulePeriod") if isinstance(schedule, dict) else None
    if not isinstance(profile, dict) or not isinstance(schedule, dict) or not isinstance(periods, list):
        return None
    if profile.get("chargingProfilePurpose") not in ("TxDefaultProfile", "TxProfile") or len(periods) != 1:
        return None
    starts = timestamp(schedule.get("startSchedule"))
    watts = _watts(dialect, schedule.get("chargingRateUnit"), periods[0])
    if watts is None or (starts is not None and starts > utc):
        return None
    return {
        "connectorId": payload.get("connectorId", 0),
        "csChargingProfiles": {
            "chargingProfileId": dialect.profile_id,
            "stackLevel": dialect.stack_level,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "recurrencyKind": "Daily",
            "chargingSchedule": {
                "duration": dialect.duration_seconds,
                "startSchedule": _iso(utc - utc % SECONDS_OF_A_DAY),
                "chargingRateUnit": "W",
                "minChargingRate": 0,
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": watts, "numberPhases": dialect.number_phases}],
            },
        },
    }


def _watts(dialect: Dialect, unit: object, period: object) -> float | int | None:
    limit = period.get("limit") if isinstance(period, dict) and not period.get("startPeriod") else None
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit) or limit < 0:
        return None
    if unit not in ("A", "W"):
        return None
    watts = round(limit * (dialect.watts_per_ampere if unit == "A" else 1.0), 1)
    return int(watts) if watts == int(watts) else watts


# -- what the charge point says ------------------------------------------------------------------------------------


def _power(factor: float, payload: Mapping[str, object]) -> bool:
    """Multiply the power readings; whether there were any."""
    changed = False
    for element in _elements(payload):
        samples = element.get("sampledValue")
        for sample in samples if isinstance(samples, list) else ():
            if isinstance(sample, dict) and sample.get("measurand") == POWER:
                changed |= _multiply(sample, factor)
    return changed


def _multiply(sample: dict[str, object], factor: float) -> bool:
    value = sample.get("value")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    try:
        product = Decimal(str(value).strip()) * Decimal(str(factor))
    except InvalidOperation:
        return False
    if not product.is_finite() or abs(product.adjusted()) > 30:
        return False
    sample["value"] = f"{product.normalize():f}" if isinstance(value, str) else float(product)
    return True


def _times(payload: dict[str, object], utc: float) -> bool:
    """Replace impossible times; whether there were any."""
    changed = False
    for part in (payload, *_elements(payload)):
        said = part.get("timestamp")
        if isinstance(said, str) and timestamp(said) is None:
            part["timestamp"] = _iso(utc)
            changed = True
    return changed


def _elements(payload: Mapping[str, object]) -> list[dict[str, object]]:
    """The meterValue elements of MeterValues, and of StopTransaction."""
    found: list[dict[str, object]] = []
    for name in ("meterValue", "transactionData"):
        value = payload.get(name)
        found += [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []
    return found


def _iso(utc: float) -> str:
    """UTC in milliseconds, as charge points write it."""
    return datetime.fromtimestamp(math.floor(utc * 1000) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
