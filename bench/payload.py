"""OCPP 1.6J frames used by the load generator and the micro-benchmarks."""

from __future__ import annotations

import json
from typing import Final

SUBPROTOCOL: Final = "ocpp1.6"
CALL_PREFIX: Final = b'[2,"'
RESULT_PREFIX: Final = b'[3,"'


def _sample(measurand: str, value: str, unit: str, phase: str | None = None) -> dict[str, str]:
    sample = {
        "value": value,
        "context": "Sample.Periodic",
        "format": "Raw",
        "measurand": measurand,
        "location": "Outlet",
        "unit": unit,
    }
    if phase is not None:
        sample["phase"] = phase
    return sample


def meter_values_request() -> dict[str, object]:
    """A three-phase MeterValues.req as real chargers send it during a transaction."""
    samples = [_sample("Current.Import", f"{15.8 + i / 10:.1f}", "A", f"L{i + 1}") for i in range(3)]
    samples += [_sample("Voltage", f"{229.4 + i:.1f}", "V", f"L{i + 1}-N") for i in range(3)]
    samples.append(_sample("Power.Active.Import", "10984.0", "W"))
    samples.append(_sample("Energy.Active.Import.Register", "18233411", "Wh"))
    return {
        "connectorId": 1,
        "transactionId": 41827,
        "meterValue": [{"timestamp": "2026-03-01T12:00:00Z", "sampledValue": samples}],
    }


def meter_values_tail() -> bytes:
    """Everything of the CALL frame after the unique id's closing quote and comma."""
    body = json.dumps(meter_values_request(), separators=(",", ":"))
    return f'"MeterValues",{body}]'.encode()


def call_frame(unique_id: bytes, tail: bytes) -> bytes:
    """Assemble one CALL frame from a unique id and a prepared tail."""
    return CALL_PREFIX + unique_id + b'",' + tail


def result_frame(unique_id: bytes) -> bytes:
    """The minimal CALLRESULT a central system answers MeterValues with."""
    return RESULT_PREFIX + unique_id + b'",{}]'


def stop_order(unique_id: bytes) -> bytes:
    """SetChargingProfile of 0 A in the words of evcc."""
    return CALL_PREFIX + unique_id + _STOP_ORDER_TAIL


_STOP_ORDER_TAIL: Final = (
    b'","SetChargingProfile",{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,'
    b'"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Absolute","chargingSchedule":{'
    b'"startSchedule":"2026-01-01T00:00:00Z","chargingRateUnit":"A","chargingSchedulePeriod":['
    b'{"startPeriod":0,"limit":0}]}}}]'
)
