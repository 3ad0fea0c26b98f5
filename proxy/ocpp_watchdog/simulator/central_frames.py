"""How evcc words its messages, to the letter: no blanks, keys in evcc's order, numbers as Go writes them.

Text only; nothing here waits or remembers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from random import Random

from .clock import whole_seconds

NOMINAL_VOLTS = 230.0
SCHEDULE_LEAD_SECONDS = 60.0
"""evcc's schedules begin this long before now."""
PROBED = (
    "Power.Active.Import",
    "Energy.Active.Import.Register",
    "Current.Import",
    "Voltage",
    "Current.Offered",
    "Power.Offered",
    "SoC",
)
"""The measurands evcc asks for, one by one, in this order."""

Payload = Mapping[str, object]
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_ESCAPED = str.maketrans(_ESCAPES)


def go_json(value: object) -> str:
    """JSON as Go's encoder writes it: no blanks, ``<``, ``>`` and ``&`` escaped, other letters as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).translate(_ESCAPED)


def call_text(unique_id: str, action: str, payload: Payload) -> str:
    """A CALL."""
    return go_json([2, unique_id, action, payload])


def result_text(unique_id: str, payload: Payload) -> str:
    """A CALLRESULT."""
    return go_json([3, unique_id, payload])


def error_text(unique_id: str, code: str, description: str) -> str:
    """A CALLERROR, always with empty details."""
    return go_json([4, unique_id, code, description, {}])


def decimal_id(chance: Random) -> str:
    """A unique id: a random decimal number of at most ten digits."""
    return str(chance.randrange(1, 2**32))


def limit_number(amperes: float, unit: str, phases: int) -> int | float:
    """A limit as evcc sends it: whole numbers without a point, tenths otherwise, cut and not rounded."""
    if unit == "W":
        return math.trunc(NOMINAL_VOLTS * amperes * phases)
    tenths = math.trunc(round(amperes * 10, 6))
    return tenths // 10 if tenths % 10 == 0 else tenths / 10


def charging_profile(
    connector: int, limit: float, *, unit: str, phases: int, profile_id: int, stack_level: int, utc: float
) -> Payload:
    """The payload of SetChargingProfile. limit: amperes per phase, whatever ``unit`` is wanted; utc: now."""
    return {
        "connectorId": connector,
        "csChargingProfiles": {
            "chargingProfileId": profile_id,
            "stackLevel": stack_level,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "startSchedule": whole_seconds(utc - SCHEDULE_LEAD_SECONDS),
                "chargingRateUnit": unit,
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit_number(limit, unit, phases)}],
            },
        },
    }
