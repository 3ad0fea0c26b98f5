"""Keys that receivers read differently."""

from __future__ import annotations

import json
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

import examples
from ocpp_watchdog.core.decisions import CountKind
from ocpp_watchdog.core.keys import KNOWN, odd_keys

DOUBLE, CASE = CountKind.DOUBLE_KEY, CountKind.OTHER_CASE


def odd(payload: str) -> list[CountKind]:
    return odd_keys(f'[2,"1","DataTransfer",{payload}]', json.loads(payload))


@pytest.mark.parametrize(
    ("payload", "kinds"),
    [
        ("{}", []),
        ('{"a":1,"b":[{"a":2},{"a":3}]}', []),
        ('{"a":1,"a":2}', [DOUBLE]),
        ('{"a" :1,"a" :2}', [DOUBLE]),
        ('{"meterValue":[{"timestamp":"x","timestamp":"y"}]}', [DOUBLE]),
        ('{"connectorId":1,"ConnectorId":1}', [CASE]),
        ('{"meterValue":[{"sampledvalue":[]},7]}', [CASE]),
        ('{"METERVALUE":[],"a":1,"a":1}', [DOUBLE, CASE]),
        ('{"info":":looks like a key","vendorId":"a:b","x":"\\"a\\":1"}', []),
    ],
)
def test_what_is_odd_about_keys_is_said(payload: str, kinds: list[CountKind]) -> None:
    assert odd(payload) == kinds


def test_a_text_that_was_decoded_by_somebody_more_lenient_is_nothing_odd() -> None:
    assert odd_keys('[2,"1","X",{"a":1,"a":', {"a": 1}) == []


def test_an_ordinary_reading_is_not_odd() -> None:
    text = examples.meter_values("1", examples.current_values(["6.5"] * 3), "2026-11-20T16:03:09Z")
    assert odd_keys(text, json.loads(text)[3]) == []


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.text(), lambda inner: st.lists(inner, max_size=3))))
def test_whatever_a_decoder_can_write_has_no_double_key(payload: dict[str, object]) -> None:
    assert DOUBLE not in odd(json.dumps(payload))


def test_the_known_fields_are_those_of_the_ocpp_package() -> None:
    names: set[str] = set()

    def walk(schema: object) -> None:
        if isinstance(schema, dict):
            names.update(schema.get("properties", {}))
            for inner in schema.values():
                walk(inner)
        elif isinstance(schema, list):
            for inner in schema:
                walk(inner)

    for file in resources.files("ocpp.v16.schemas").iterdir():
        if file.name.removesuffix(".json").removesuffix("Response") in ACTIONS:
            walk(json.loads(file.read_text(encoding="utf-8-sig")))
    assert names == KNOWN


ACTIONS = {
    *("Authorize", "BootNotification", "CancelReservation", "ChangeAvailability", "ChangeConfiguration", "ClearCache"),
    *("ClearChargingProfile", "DataTransfer", "DiagnosticsStatusNotification", "FirmwareStatusNotification"),
    *("GetCompositeSchedule", "GetConfiguration", "GetDiagnostics", "GetLocalListVersion", "Heartbeat", "MeterValues"),
    *("RemoteStartTransaction", "RemoteStopTransaction", "ReserveNow", "Reset", "SendLocalList", "SetChargingProfile"),
    *("StartTransaction", "StatusNotification", "StopTransaction", "TriggerMessage", "UnlockConnector"),
    "UpdateFirmware",
}
