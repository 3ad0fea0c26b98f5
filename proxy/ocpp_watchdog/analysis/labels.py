"""What a CALL towards the charge point asks for, in a few words: "6 A", "0 A, after 60 s 16 A", "Soft"."""

from __future__ import annotations

from dataclasses import dataclass

from ocpp_watchdog.core.events import (
    ClearRequested,
    ProfileRequested,
    RemoteStartRequested,
    RemoteStopRequested,
    Request,
)
from ocpp_watchdog.core.frames import Call, Loads, decode
from ocpp_watchdog.core.profiles import ChargingProfile
from ocpp_watchdog.core.terms import ConnectorId, Direction, Moment
from ocpp_watchdog.core.translate import read_request

MOST_PERIODS = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """connector None: none is named. details: purpose, id, level. has_zero_keys: profile id 0 and stack level 0, which
    evcc writes when the configuration keys that would tell it better are missing."""

    connector: ConnectorId | None
    label: str
    details: str = ""
    has_zero_keys: bool = False


def asked(text: str, loads: Loads, now: Moment) -> Asked:
    """Read a CALL of the central system; what cannot be read has no label."""
    frame = decode(text, loads)
    if not isinstance(frame, Call):
        return Asked(None, "")
    request = read_request(frame, Direction.TO_CHARGE_POINT, now)
    return _of_request(request, frame)


def _of_request(request: Request, frame: Call) -> Asked:
    match request:
        case ProfileRequested(connector, profile):
            has_zero_keys = profile.profile_id == 0 and profile.stack_level == 0
            return Asked(connector, limits(profile), _details(profile), has_zero_keys)
        case RemoteStartRequested(connector, _, profile):
            return Asked(connector, limits(profile) if profile else "", _details(profile) if profile else "")
        case ClearRequested(criteria):
            return Asked(criteria.connector, "", "" if criteria.purpose is None else criteria.purpose.value)
        case RemoteStopRequested(transaction_id):
            return Asked(None, "" if transaction_id is None else str(transaction_id))
        case _:
            payload = frame.payload
            number, kind = payload.get("connectorId"), payload.get("type")
            return Asked(
                ConnectorId(number) if isinstance(number, int) and not isinstance(number, bool) else None,
                kind if isinstance(kind, str) else "",
            )


def limits(profile: ChargingProfile) -> str:
    """The periods of a schedule in short."""
    parts = []
    for period in profile.periods[:MOST_PERIODS]:
        said = f"{period.limit:g} {profile.unit.value}"
        parts.append(said if not period.start else f"+{period.start:g} s {said}")
    more = len(profile.periods) - MOST_PERIODS
    return ", ".join(parts) + (f" (+{more})" if more > 0 else "")


def _details(profile: ChargingProfile) -> str:
    phases = profile.periods[0].number_phases
    parts = [profile.purpose.value, profile.kind.value, f"id {profile.profile_id}", f"level {profile.stack_level}"]
    if phases is not None:
        parts.append(f"{phases}p")
    return ", ".join(parts)
