"""What becomes of a message where a repair is on: changed, answered, or left alone to the byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import examples
from ocpp_watchdog.core.repairs import (
    FOR_CENTRAL_SYSTEM,
    FOR_CHARGE_POINT,
    KINDS,
    MOST_CHARACTERS,
    Answered,
    Changed,
    Dialect,
    Repairs,
    Verdict,
    mend,
)
from ocpp_watchdog.core.terms import Direction

DOWN, UP = Direction.TO_CHARGE_POINT, Direction.TO_CENTRAL_SYSTEM
NOW = 1_759_324_749.25  # 2025-10-01T13:19:09.25Z
MIDNIGHT = "2025-10-01T00:00:00.000Z"
KEYS = {"NumberOfConnectors": "1", "SupportedFeatureProfiles": "Core"}
ACTEC = Repairs(
    answer_for=frozenset(("GetConfiguration", "ChangeAvailability", "TriggerMessage", "FirmwareStatusNotification")),
    configuration=KEYS,
    power_factor=10.0,
    timestamps=True,
    profile_dialect=Dialect(),
)
OFF = Repairs()


def verdict(text: str, direction: Direction = DOWN, repairs: Repairs = ACTEC) -> Verdict:
    return mend(repairs, direction, text, NOW, json.loads)


def called(action: str, payload: object, direction: Direction = DOWN, repairs: Repairs = ACTEC) -> Verdict:
    return verdict(json.dumps([2, "77", action, payload]), direction, repairs)


def answered(action: str, payload: object, direction: Direction = DOWN, repairs: Repairs = ACTEC) -> Any:
    found = called(action, payload, direction, repairs)
    assert isinstance(found, Answered)
    kind, unique_id, answer = json.loads(found.text)
    assert (kind, unique_id) == (3, "77")
    return answer


def changed(action: str, payload: object, direction: Direction, repairs: Repairs = ACTEC) -> tuple[Any, str]:
    found = called(action, payload, direction, repairs)
    assert isinstance(found, Changed)
    kind, unique_id, same, made = json.loads(found.text)
    assert (kind, unique_id, same) == (2, "77", action)
    return made, found.repairs


# -- answer_for ----------------------------------------------------------------------------------------------------


def test_the_names_of_those_that_are_on_are_told() -> None:
    assert OFF.names == ()
    assert ACTEC.names == KINDS == ("answer_for", "power_factor", "timestamps", "profile_dialect")
    assert Repairs(timestamps=True).names == ("timestamps",)


def test_get_configuration_is_answered_with_the_keys_of_the_owner() -> None:
    both = [{"key": key, "readonly": True, "value": value} for key, value in KEYS.items()]
    assert answered("GetConfiguration", {}) == {"configurationKey": both}
    assert answered("GetConfiguration", {"key": []}) == {"configurationKey": both}
    asked = answered("GetConfiguration", {"key": ["NumberOfConnectors", "Nonsense", 7]})
    assert asked == {"configurationKey": both[:1], "unknownKey": ["Nonsense"]}


@pytest.mark.parametrize("word", ["Accepted", "Rejected", "NotImplemented"])
def test_trigger_message_is_answered_with_the_word_of_the_owner(word: str) -> None:
    repairs = Repairs(answer_for=frozenset({"TriggerMessage"}), trigger_message=word)
    assert answered("TriggerMessage", {"requestedMessage": "MeterValues"}, repairs=repairs) == {"status": word}


@pytest.mark.parametrize(
    ("action", "status"),
    [("ChangeAvailability", "Accepted"), ("ChangeConfiguration", "NotSupported"), ("GetCompositeSchedule", "Rejected")],
)
def test_other_questions_of_the_central_system_have_one_answer(action: str, status: str) -> None:
    assert answered(action, {}, repairs=Repairs(answer_for=frozenset({action}))) == {"status": status}


@pytest.mark.parametrize("action", FOR_CENTRAL_SYSTEM)
def test_notifications_of_the_charge_point_are_answered_with_nothing(action: str) -> None:
    repairs = Repairs(answer_for=frozenset({action}))
    assert answered(action, {"status": "Installed"}, UP, repairs) == {}
    assert called(action, {"status": "Installed"}, DOWN, repairs) is None


@pytest.mark.parametrize("action", [*FOR_CHARGE_POINT, *FOR_CENTRAL_SYSTEM])
def test_what_was_not_named_goes_through(action: str) -> None:
    for direction in Direction:
        assert called(action, {}, direction, OFF) is None
        assert called(action, {}, direction, Repairs(answer_for=frozenset({"Other"}))) is None


@pytest.mark.parametrize("action", ["SetChargingProfile", "RemoteStopTransaction", "StartTransaction", "MeterValues"])
def test_what_moves_current_or_carries_transactions_is_never_answered(action: str) -> None:
    for direction in Direction:
        assert not isinstance(called(action, {}, direction, Repairs(answer_for=frozenset({action}))), Answered)


# -- profile_dialect -----------------------------------------------------------------------------------------------


def profile(limit: object = 6, unit: str = "A", **more: object) -> dict[str, object]:
    schedule = {"startSchedule": "2025-10-01T13:18:09Z", "chargingRateUnit": unit}
    return {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": 1,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {**schedule, "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]},
            **more,
        },
    }


def test_a_profile_in_amperes_takes_the_one_shape_in_watts() -> None:
    made, repairs = changed("SetChargingProfile", profile(), DOWN)
    assert repairs == "profile_dialect"
    assert made == {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 231,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "recurrencyKind": "Daily",
            "chargingSchedule": {
                "duration": 86400,
                "startSchedule": MIDNIGHT,
                "chargingRateUnit": "W",
                "minChargingRate": 0,
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 4140, "numberPhases": 3}],
            },
        },
    }


@pytest.mark.parametrize(
    ("limit", "unit", "watts"),
    [(0, "A", 0), (16, "A", 11040), (6.5, "A", 4485), (4140, "W", 4140), (6.13, "A", 4229.7)],
)
def test_amperes_are_multiplied_and_watts_kept(limit: float, unit: str, watts: float) -> None:
    made, _ = changed("SetChargingProfile", profile(limit, unit), DOWN)
    assert made["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == watts


def test_the_shape_is_the_owners() -> None:
    repairs = Repairs(profile_dialect=Dialect(230.0, 7, 2, 1, 3600))
    made, _ = changed("SetChargingProfile", profile(10), DOWN, repairs)
    shape = made["csChargingProfiles"]
    assert (shape["chargingProfileId"], shape["stackLevel"]) == (7, 2)
    assert shape["chargingSchedule"]["duration"] == 3600
    assert shape["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 2300, "numberPhases": 1}]


LATER = {"startSchedule": "2025-10-01T14:00:00Z", "chargingRateUnit": "A", "chargingSchedulePeriod": [{"limit": 6}]}
TWO = {
    "chargingRateUnit": "A",
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}, {"startPeriod": 9, "limit": 0}],
}
ONE = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 60, "limit": 6}]}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"csChargingProfiles": []},
        {"csChargingProfiles": {"chargingSchedule": 7}},
        {"csChargingProfiles": {"chargingSchedule": {}}},
        profile(chargingProfilePurpose="ChargePointMaxProfile"),
        profile(chargingSchedule=TWO),
        profile(chargingSchedule=ONE),
        profile(chargingSchedule=LATER),
        profile(True),
        profile("6"),
        profile(-1),
        profile(unit="kW"),
        profile(chargingSchedule={**ONE, "chargingSchedulePeriod": [7]}),
    ],
)
def test_what_the_shape_cannot_say_is_left_as_it_is(payload: dict[str, object]) -> None:
    assert called("SetChargingProfile", payload) is None


def test_without_the_repair_a_profile_is_left_as_it_is() -> None:
    assert called("SetChargingProfile", profile(), DOWN, Repairs(timestamps=True)) is None


# -- power_factor and timestamps -----------------------------------------------------------------------------------


def values(*samples: object, stamp: object = "2025-10-01T13:19:09Z") -> dict[str, object]:
    return {"connectorId": 1, "meterValue": [{"timestamp": stamp, "sampledValue": list(samples)}]}


def power(value: object, measurand: str = "Power.Active.Import") -> dict[str, object]:
    return {"value": value, "measurand": measurand, "unit": "W"}


def first_value(made: Any) -> object:
    return made["meterValue"][0]["sampledValue"][0]["value"]


@pytest.mark.parametrize(
    ("value", "made"), [("448.5", "4485"), ("0", "0"), (" 44.85 ", "448.5"), (44.8, 448.0), (7, 70.0), ("4e1", "400")]
)
def test_power_readings_are_multiplied(value: object, made: object) -> None:
    payload, repairs = changed("MeterValues", values(power(value), power("6.5", "Current.Import")), UP)
    assert first_value(payload) == made
    assert payload["meterValue"][0]["sampledValue"][1]["value"] == "6.5"
    assert repairs == "power_factor"


@pytest.mark.parametrize("value", ["", "abc", None, True, "NaN", "1e99", [1]])
def test_what_is_no_power_is_left_as_it_is(value: object) -> None:
    assert called("MeterValues", values(power(value), 7), UP) is None


def test_the_power_of_a_stop_transaction_is_a_reading_too() -> None:
    payload = {"transactionId": 1, "transactionData": values(power("100"))["meterValue"], "timestamp": MIDNIGHT}
    made, _ = changed("StopTransaction", payload, UP)
    assert made["transactionData"][0]["sampledValue"][0]["value"] == "1000"


@pytest.mark.parametrize("stamp", ["0000-00-00T00:00:00.000Z", "1969-12-31T23:00:00Z", "2201-01-01T00:00:00Z", "", "x"])
def test_an_impossible_time_becomes_the_time_of_arrival(stamp: str) -> None:
    made, repairs = changed("StatusNotification", {"status": "Charging", "timestamp": stamp}, UP)
    assert made == {"status": "Charging", "timestamp": "2025-10-01T13:19:09.250Z"}
    assert repairs == "timestamps"
    made, _ = changed("MeterValues", values(stamp=stamp), UP)
    assert made["meterValue"][0]["timestamp"] == "2025-10-01T13:19:09.250Z"


def test_a_time_that_was_made_up_is_not_what_the_judge_hears() -> None:
    text = json.dumps([2, "1", "MeterValues", values(power("1"), stamp="0000-00-00T00:00:00Z")])
    found = verdict(text, UP)
    assert isinstance(found, Changed)
    element = json.loads(found.heard)[3]["meterValue"][0]
    assert (element["timestamp"], element["sampledValue"][0]["value"]) == ("0000-00-00T00:00:00Z", "10")


@pytest.mark.parametrize("stamp", ["2025-10-01T13:19:09Z", "2025-10-01T13:19:11+02:00", None, 7])
def test_a_possible_time_or_none_is_left_as_it_is(stamp: object) -> None:
    assert called("StatusNotification", {"status": "Charging", "timestamp": stamp}, UP) is None
    assert called("StatusNotification", {"status": "Charging"}, UP) is None


def test_two_repairs_of_one_message_are_both_named() -> None:
    _, repairs = changed("MeterValues", values(power("1"), stamp="0000-00-00T00:00:00Z"), UP)
    assert repairs == "power_factor, timestamps"
    assert called("MeterValues", values(power("1")), UP, Repairs(timestamps=True)) is None
    assert called("MeterValues", values(stamp="x"), UP, Repairs(power_factor=10.0)) is None


# -- what is never touched -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{}",
        "[]",
        "[2]",
        '[2,"1","GetConfiguration",{}',
        '[2,"1","GetConfiguration",{}]\0',
        '[2,"1","GetConfiguration",{}][2,"2","Heartbeat",{}]',
        '[true,"1","GetConfiguration",{}]',
        '[2.0,"1","GetConfiguration",{}]',
        '[2,1,"GetConfiguration",{}]',
        '[2,"1",7,{}]',
        '[2,"1","GetConfiguration",null]',
        '[3,"1",{"configurationKey":[]}]',
        '[3,"1",{},{}]',
        '[4,"1","NotSupported","",{}]',
        '[2,"1","GetConfiguration",{"key":"' + "x" * MOST_CHARACTERS + '"}]',
        "[" * 100_000,
    ],
)
def test_what_is_no_plain_call_is_never_touched(text: str) -> None:
    for direction in Direction:
        assert verdict(text, direction) is None


def test_usual_frames_are_left_alone() -> None:
    usual = examples.meter_values("1", examples.current_values(["6.5"] * 3), "2025-10-01T13:19:09Z")
    assert verdict(usual, UP) is None
    assert verdict(examples.boot("1"), UP) is None
    assert verdict(examples.call("1", "RemoteStopTransaction", {"transactionId": 7}), DOWN) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            (
                "csChargingProfiles", "chargingSchedule", "chargingSchedulePeriod", "limit", "meterValue", "timestamp",
                "sampledValue", "value", "measurand", "key", "chargingProfilePurpose", "chargingRateUnit",
            )
        ),
        inner | st.sampled_from(("Power.Active.Import", "TxProfile", "A")),
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(
    st.sampled_from(("SetChargingProfile", "MeterValues", "StopTransaction", "GetConfiguration", "TriggerMessage")),
    json_values,
    st.sampled_from(list(Direction)),
)
def test_whatever_a_payload_holds_nothing_raises(action: str, payload: object, direction: Direction) -> None:
    found = called(action, payload, direction)
    assert found is None or json.loads(found.text)[1] == "77"
