"""Frames as the field sends them, and a clock that moves only when told: what the tests have in common.

Builders give text, as it goes over the wire. evcc's frames have evcc's key order and no blanks (domain text evcc, 4);
what a charge point sends has the blanks of a charge point. Nothing here reads a clock.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from ocpp_watchdog.core.terms import Moment

START_UTC = 1_795_190_589.0
"""2026-11-20T16:03:09Z, the first second of the recordings of the real evcc."""

START_MONO = 5_000.0
TRANSACTION = 1_795_190_590
ID_TAG = "LAB"
PHASES = ("L1", "L2", "L3")

FIELD_ZONE_SECONDS = 7200.0
FIELD_COMMANDS = (("15:12:42", 6), ("15:15:28", 7), ("15:17:01", 11), ("15:19:09", 0))
"""The real case of 2025-10-01 (local time): when evcc ordered what."""

FIELD_READINGS = (
    ("15:12:32", ("0.00", "0.00", "0.00"), ("0", "0", "0")),
    ("15:13:01", ("6.52", "6.29", "6.44"), ("1470", "1410", "1410")),
    ("15:13:11", ("6.51", "6.28", "6.44"), ("1470", "1410", "1410")),
    ("15:13:22", ("6.53", "6.29", "6.43"), ("1470", "1410", "1410")),
    ("15:13:32", ("6.52", "6.30", "6.45"), ("1470", "1410", "1410")),
    ("15:13:42", ("6.52", "6.29", "6.44"), ("1470", "1410", "1410")),
    ("15:15:52", ("6.58", "6.35", "6.52"), ("1470", "1420", "1420")),
    ("15:16:02", ("6.59", "6.36", "6.53"), ("1470", "1420", "1420")),
    ("15:16:12", ("6.59", "6.35", "6.53"), ("1470", "1420", "1420")),
    ("15:17:02", ("6.53", "6.30", "6.43"), ("1460", "1410", "1410")),
    ("15:17:11", ("6.57", "6.33", "6.48"), ("1460", "1410", "1410")),
    ("15:17:22", ("6.50", "6.26", "6.43"), ("1460", "1410", "1410")),
    ("15:17:32", ("6.52", "6.28", "6.43"), ("1460", "1410", "1410")),
    ("15:17:41", ("6.61", "6.39", "6.51"), ("1460", "1410", "1410")),
    ("15:18:32", ("6.52", "6.29", "6.44"), ("1460", "1410", "1410")),
    ("15:18:42", ("6.54", "6.30", "6.45"), ("1460", "1410", "1410")),
    ("15:18:52", ("6.53", "6.29", "6.44"), ("1460", "1410", "1410")),
    ("15:19:02", ("6.52", "6.29", "6.44"), ("1460", "1410", "1410")),
    ("15:19:12", ("6.53", "6.28", "6.43"), ("1460", "1410", "1410")),
    ("15:19:22", ("6.52", "6.30", "6.45"), ("1460", "1410", "1410")),
    ("15:19:32", ("6.55", "6.30", "6.46"), ("1460", "1410", "1410")),
    ("15:19:42", ("6.54", "6.31", "6.46"), ("1460", "1410", "1410")),
    ("15:19:52", ("6.52", "6.30", "6.48"), ("1460", "1410", "1410")),
)
"""Local time, currents, powers. Quoted in the field report or the verdict vectors; the others alike, times assumed."""


def field_utc(local: str) -> float:
    """POSIX seconds of a local time of the field case."""
    return datetime.fromisoformat(f"2025-10-01T{local}+00:00").timestamp() - FIELD_ZONE_SECONDS


class FakeClock:
    """Both clocks, standing still until advanced."""

    def __init__(self, utc: float = START_UTC, mono: float = START_MONO) -> None:
        self.utc = utc
        self.mono = mono

    def now(self) -> Moment:
        """This instant."""
        return Moment(self.utc, self.mono)

    def advance(self, seconds: float) -> Moment:
        """Let time pass; gives the instant reached."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self.utc += seconds
        self.mono += seconds
        return self.now()

    def advance_to(self, mono: float) -> Moment:
        """Let time pass until the monotonic clock shows this; nothing happens when it has already."""
        return self.advance(max(0.0, mono - self.mono))


def iso(utc: float, places: int = 0, suffix: str = "Z") -> str:
    """Time stamp with this many decimals, cut and not rounded, as charge points do."""
    scaled = int(utc * 10**places) / 10**places
    text = datetime.fromtimestamp(scaled, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{round((scaled % 1) * 10**places):0{places}d}" if places else ""
    return text + fraction + suffix


def call(unique_id: str, action: str, payload: Mapping[str, object], *, blanks: bool = False) -> str:
    """A CALL as text; evcc writes no blanks."""
    return json.dumps([2, unique_id, action, payload], separators=None if blanks else (",", ":"))


def result(unique_id: str, payload: Mapping[str, object] | None = None, *, blanks: bool = False) -> str:
    """A CALLRESULT as text."""
    return json.dumps([3, unique_id, payload or {}], separators=None if blanks else (",", ":"))


def status_result(unique_id: str, status: str = "Accepted") -> str:
    """The answer most commands get."""
    return result(unique_id, {"status": status}, blanks=True)


def error(unique_id: str, code: str = "NotSupported", description: str = "") -> str:
    """A CALLERROR as text."""
    return json.dumps([4, unique_id, code, description, {}])


def boot(unique_id: str, vendor: str = "Lab", model: str = "Box", firmware: str = "1.0") -> str:
    """BootNotification."""
    payload = {"chargePointVendor": vendor, "chargePointModel": model, "firmwareVersion": firmware}
    return call(unique_id, "BootNotification", payload, blanks=True)


def boot_result(unique_id: str, utc: float, status: str = "Accepted") -> str:
    """evcc's answer to a BootNotification."""
    return result(unique_id, {"currentTime": iso(utc), "interval": 60, "status": status})


def heartbeat_result(unique_id: str, utc: float) -> str:
    """evcc's answer to a Heartbeat."""
    return result(unique_id, {"currentTime": iso(utc)})


def profile(
    limit: float,
    utc: float,
    *,
    unit: str = "A",
    profile_id: int = 1,
    level: int = 1,
    purpose: str = "TxDefaultProfile",
    phases: int | None = None,
) -> dict[str, object]:
    """csChargingProfiles in the one shape evcc sends: one period, no end, begun 60 s ago."""
    period: dict[str, object] = {"startPeriod": 0, "limit": int(limit) if limit == int(limit) else limit}
    if phases is not None:
        period["numberPhases"] = phases
    return {
        "chargingProfileId": profile_id,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "startSchedule": iso(utc - 60.0),
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [period],
        },
    }


def set_limit(
    unique_id: str,
    limit: float,
    utc: float,
    *,
    connector: int = 1,
    unit: str = "A",
    profile_id: int = 1,
    level: int = 1,
    purpose: str = "TxDefaultProfile",
    phases: int | None = None,
) -> str:
    """evcc's SetChargingProfile, byte for byte but for its number."""
    body = profile(limit, utc, unit=unit, profile_id=profile_id, level=level, purpose=purpose, phases=phases)
    return call(unique_id, "SetChargingProfile", {"connectorId": connector, "csChargingProfiles": body})


def clear_limits(unique_id: str, **criteria: object) -> str:
    """ClearChargingProfile."""
    return call(unique_id, "ClearChargingProfile", criteria)


def trigger(unique_id: str, message: str = "MeterValues", connector: int | None = 1) -> str:
    """evcc's TriggerMessage."""
    where = {} if connector is None else {"connectorId": connector}
    return call(unique_id, "TriggerMessage", {"requestedMessage": message, **where})


def remote_start(unique_id: str, connector: int = 1, id_tag: str = "evcc") -> str:
    """evcc's RemoteStartTransaction."""
    return call(unique_id, "RemoteStartTransaction", {"connectorId": connector, "idTag": id_tag})


def status(unique_id: str, word: str, utc: float | None = START_UTC, connector: int = 1) -> str:
    """StatusNotification; utc on the charge point's clock, None: no time stamp."""
    payload: dict[str, object] = {"connectorId": connector, "errorCode": "NoError", "status": word}
    if utc is not None:
        payload["timestamp"] = iso(utc)
    return call(unique_id, "StatusNotification", payload, blanks=True)


def start_transaction(unique_id: str, utc: float, meter: int = 12345, connector: int = 1) -> str:
    """StartTransaction."""
    payload = {"connectorId": connector, "idTag": ID_TAG, "meterStart": meter, "timestamp": iso(utc)}
    return call(unique_id, "StartTransaction", payload, blanks=True)


def start_result(unique_id: str, transaction: int = TRANSACTION) -> str:
    """evcc's answer to a StartTransaction."""
    return result(unique_id, {"idTagInfo": {"status": "Accepted"}, "transactionId": transaction})


def stop_transaction(unique_id: str, utc: float, transaction: int = TRANSACTION, reason: str = "Remote") -> str:
    """StopTransaction."""
    payload = {"transactionId": transaction, "meterStop": 12608, "timestamp": iso(utc), "reason": reason}
    return call(unique_id, "StopTransaction", payload, blanks=True)


def sampled(measurand: str, value: str, unit: str, **more: str) -> dict[str, str]:
    """One sampledValue."""
    return {"value": value, "measurand": measurand, "unit": unit, **more}


def current_values(amperes: Sequence[str], **more: str) -> list[dict[str, str]]:
    """Current.Import of up to three phases."""
    pairs = zip(PHASES, amperes, strict=False)
    return [sampled("Current.Import", value, "A", phase=phase, **more) for phase, value in pairs]


def power_values(watts: Sequence[str] | str, **more: str) -> list[dict[str, str]]:
    """Power.Active.Import, total when a single text is given, else per phase."""
    if isinstance(watts, str):
        return [sampled("Power.Active.Import", watts, "W", **more)]
    pairs = zip(PHASES, watts, strict=False)
    return [sampled("Power.Active.Import", value, "W", phase=phase, **more) for phase, value in pairs]


def register_value(energy: str, **more: str) -> list[dict[str, str]]:
    """Energy.Active.Import.Register in Wh."""
    return [sampled("Energy.Active.Import.Register", energy, "Wh", **more)]


def meter_values(
    unique_id: str,
    values: Iterable[Mapping[str, str]],
    stamp: str | None,
    *,
    connector: int = 1,
    transaction: int | None = TRANSACTION,
) -> str:
    """MeterValues with one meterValue element; stamp as text, None: no time stamp at all."""
    element: dict[str, object] = {} if stamp is None else {"timestamp": stamp}
    element["sampledValue"] = list(values)
    payload: dict[str, object] = {"connectorId": connector}
    if transaction is not None:
        payload["transactionId"] = transaction
    payload["meterValue"] = [element]
    return call(unique_id, "MeterValues", payload, blanks=True)


def field_meter_values(unique_id: str, utc: float, currents: Sequence[str], powers: Sequence[str]) -> str:
    """MeterValues in the form of the field case: three currents, three powers, no register."""
    return meter_values(unique_id, current_values(currents) + power_values(powers), iso(utc))
