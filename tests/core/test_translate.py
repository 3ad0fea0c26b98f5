"""Payloads to events and back, as charge points and central systems really write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from ocpp_watchdog.core.frames import Call, CallError, CallResult
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
    UniqueId,
)
from ocpp_watchdog.core.translate import read_answer, read_request

NOW = Moment(utc=1_700_000_000.0, mono=5.0)
NOON = 1704110400.0
NOON_TEXT = "2024-01-01T12:00:00Z"
ONE, TWO = ConnectorId(1), ConnectorId(2)
LARGEST = 2**63 - 1
UNREADABLE_CONNECTORS = ["NotANumber", -1, 1.5, True, [1], {}, 65536, float("inf")]


def from_charge_point(action: str, payload: Mapping[str, object]) -> Request:
    return read_request(Call(UniqueId("1"), action, payload), Direction.TO_CENTRAL_SYSTEM, NOW)


def from_central_system(action: str, payload: Mapping[str, object]) -> Request:
    return read_request(Call(UniqueId("1"), action, payload), Direction.TO_CHARGE_POINT, NOW)


def result(**payload: object) -> CallResult:
    return CallResult(UniqueId("1"), payload)


# -- said by the charge point ----------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["Heartbeat", "heartbeat", "SetChargingProfile", "RemoteStopTransaction", ""])
def test_other_calls_of_the_charge_point_are_passed_by(action: str) -> None:
    assert from_charge_point(action, {"connectorId": 1}) == OtherRequested(action)


@pytest.mark.parametrize("action", ["Reset", "MeterValues", "StatusNotification", "Setchargingprofile"])
def test_other_calls_of_the_central_system_are_passed_by(action: str) -> None:
    assert from_central_system(action, {"connectorId": 1}) == OtherRequested(action)


def test_boot_notification_tells_vendor_model_and_firmware() -> None:
    payload = {"chargePointVendor": " AcTEC ", "chargePointModel": "EV-AC22K", "firmwareVersion": "V1.17.9"}
    assert from_charge_point("BootNotification", payload) == Booted("AcTEC", "EV-AC22K", "V1.17.9")


def test_o14_boot_notification_may_be_empty_or_odd() -> None:
    assert from_charge_point("BootNotification", {}) == Booted("", "", "")
    payload = {"chargePointVendor": 12345, "chargePointModel": ["x"], "firmwareVersion": None}
    assert from_charge_point("BootNotification", payload) == Booted("12345", "", "")


def test_text_is_bounded_and_can_always_be_encoded() -> None:
    booted = from_charge_point("BootNotification", {"chargePointVendor": "x" * 1000, "chargePointModel": "a\ud800b"})
    assert booted == Booted("x" * 255, "a?b", "")


def test_status_notification_is_read() -> None:
    payload = {"connectorId": 1, "errorCode": "NoError", "status": "SuspendedEVSE", "timestamp": NOON_TEXT}
    assert from_charge_point("StatusNotification", payload) == StatusNotified(
        ONE, Status.SUSPENDED_EVSE, "NoError", NOON
    )


@pytest.mark.parametrize(
    ("said", "status"),
    [("Charging", Status.CHARGING), (" charging ", Status.CHARGING), ("Sleeping", None), (None, None), (7, None)],
)
def test_status_is_one_of_the_specification_or_unknown(said: object, status: Status | None) -> None:
    payload = {"connectorId": "2", "status": said, "timestamp": "0000-00-00T00:00:00.000Z"}
    assert from_charge_point("StatusNotification", payload) == StatusNotified(TWO, status, "", None)


@pytest.mark.parametrize("payload", [{}, {"connectorId": None}, {"connectorId": 0}, {"connectorId": "0"}])
def test_missing_connector_is_the_whole_charge_point(payload: dict[str, object]) -> None:
    assert from_charge_point("StatusNotification", payload) == StatusNotified(ConnectorId(0), None, "", None)


@pytest.mark.parametrize("connector", UNREADABLE_CONNECTORS)
@pytest.mark.parametrize("action", ["StatusNotification", "MeterValues", "StartTransaction"])
def test_connector_that_cannot_be_one_makes_the_call_unreadable(action: str, connector: object) -> None:
    payload = {"connectorId": connector, "meterValue": []}
    assert from_charge_point(action, payload) == OtherRequested(action, readable=False)


def meter_values(*elements: object, **payload: object) -> Request:
    return from_charge_point("MeterValues", {"connectorId": 1, "meterValue": list(elements), **payload})


def element(*sampled: object) -> dict[str, object]:
    return {"timestamp": NOON_TEXT, "sampledValue": list(sampled)}


AMPERES = {"value": "6.5", "measurand": "Current.Import", "phase": "L1", "unit": "A"}


def currents(request: Request) -> list[float | None]:
    assert isinstance(request, MeterSampled)
    return [reading.highest_current for reading in request.readings]


@pytest.mark.parametrize(("given", "kept"), [("m-17", "m-17"), ("x" * 300_000, "x" * 64)], ids=["usual", "endless"])
def test_a_reading_knows_the_message_that_brought_it(given: str, kept: str) -> None:
    call = Call(UniqueId(given), "MeterValues", {"connectorId": 1, "meterValue": [element(AMPERES)]})
    request = read_request(call, Direction.TO_CENTRAL_SYSTEM, NOW)
    assert isinstance(request, MeterSampled)
    assert [reading.unique_id for reading in request.readings] == [kept]


def test_each_meter_value_makes_a_reading_in_order() -> None:
    request = meter_values(element(AMPERES), element({**AMPERES, "value": "7"}), transactionId=LARGEST)
    assert currents(request) == [6.5, 7.0]
    assert isinstance(request, MeterSampled)
    first = request.readings[0]
    assert (request.connector, first.connector, first.arrived, first.timestamp, first.transaction_id) == (
        ONE,
        ONE,
        NOW,
        NOON,
        LARGEST,
    )


def test_every_field_of_a_sample_is_read() -> None:
    ignored = [
        {**AMPERES, "value": "16", "location": "Inlet"},
        {**AMPERES, "value": "16", "format": "SignedData"},
        {**AMPERES, "value": "16", "phase": "N"},
    ]
    request = meter_values(element({**AMPERES, "unit": "mA", "value": "6500", "context": "Trigger"}, *ignored))
    assert currents(request) == [6.5]
    assert isinstance(request, MeterSampled)
    assert request.readings[0].context == "Trigger"


def test_numbers_instead_of_text_and_null_instead_of_nothing_are_read() -> None:
    sampled = {"value": 6.5, "measurand": "Current.Import", "phase": None, "unit": None, "context": None}
    assert currents(meter_values(element(sampled))) == [6.5]
    assert currents(meter_values(element({**sampled, "value": 6}))) == [6.0]


@pytest.mark.parametrize(
    "sampled",
    [
        {**AMPERES, "value": True},
        {**AMPERES, "value": None},
        {**AMPERES, "value": ""},
        {**AMPERES, "value": ["6.5"]},
        {**AMPERES, "value": float("nan")},
        {**AMPERES, "measurand": 5},
        {**AMPERES, "phase": ["L1"]},
        {"measurand": "Current.Import"},
        "6.5",
        None,
    ],
)
def test_f8_sample_that_cannot_be_read_is_left_out(sampled: object) -> None:
    assert meter_values(element(sampled)) == MeterSampled(ONE, ())
    assert currents(meter_values(element(AMPERES, sampled))) == [6.5]


def test_objects_may_stand_where_lists_should() -> None:
    huawei = {"connectorId": 1, "meterValue": {"timestamp": NOON_TEXT, "sampledValue": AMPERES}}
    assert currents(from_charge_point("MeterValues", huawei)) == [6.5]


@pytest.mark.parametrize(
    "odd", [{"sampledValue": []}, {"sampledValue": None}, {}, "x", None, {"sampledValue": "x"}, {"sampledValue": [[]]}]
)
def test_meter_value_without_samples_makes_no_reading(odd: object) -> None:
    assert meter_values(odd) == MeterSampled(ONE, ())
    assert currents(meter_values(odd, element(AMPERES))) == [6.5]


@pytest.mark.parametrize("value", ["x", None, 1, True])
def test_meter_values_without_meter_values_are_unreadable(value: object) -> None:
    payload = {"connectorId": 1, "meterValue": value}
    assert from_charge_point("MeterValues", payload) == OtherRequested("MeterValues", readable=False)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (7, 7),
        (7.0, 7),
        ("7", 7),
        (" 7 ", 7),
        ("-1", -1),
        (0, 0),
        (LARGEST, LARGEST),
        (LARGEST + 1, None),
        (-LARGEST - 1, None),
        (str(LARGEST), LARGEST),
        ("9" * 19, None),
        ("9" * 5000, None),
        (10**400, None),
        (1e300, None),
        (7.5, None),
        (float("nan"), None),
        (float("inf"), None),
        ("7.0", None),
        ("+-7", None),
        ("٧", None),
        ("", None),
        (None, None),
        (True, None),
        ([7], None),
    ],
)
def test_o16_transaction_id_is_any_whole_number_of_64_bits(said: object, read: int | None) -> None:
    request = meter_values(element(AMPERES), transactionId=said)
    assert isinstance(request, MeterSampled)
    assert request.readings[0].transaction_id == read
    stopped = from_charge_point("StopTransaction", {"transactionId": said})
    assert stopped == TransactionStopped(None if read is None else TransactionId(read), "Local", None, None)


def test_start_transaction_is_read() -> None:
    payload = {"connectorId": 1, "idTag": "evcc", "meterStart": 669498, "timestamp": NOON_TEXT}
    assert from_charge_point("StartTransaction", payload) == TransactionRequested(ONE, "evcc", 669498.0, NOON)


@pytest.mark.parametrize(
    ("meter", "read"), [("1.5", 1.5), (0, 0.0), (None, None), ("x", None), (True, None), ([], None)]
)
def test_meter_of_a_transaction_is_a_number_or_unknown(meter: object, read: float | None) -> None:
    started = {"connectorId": 1, "idTag": [1, 2, 3], "meterStart": meter, "timestamp": [1, 2, 3]}
    assert from_charge_point("StartTransaction", started) == TransactionRequested(ONE, "", read, None)
    stopped = {"transactionId": 7, "reason": "Remote", "meterStop": meter, "timestamp": NOON_TEXT}
    assert from_charge_point("StopTransaction", stopped) == TransactionStopped(TransactionId(7), "Remote", read, NOON)


@pytest.mark.parametrize("text", ["222222017-10-27T10:00:00Z", "0000-00-00T00:00:00.000Z", "yesterday"])
def test_o13_timestamp_that_is_no_time_is_unknown(text: str) -> None:
    stopped = from_charge_point("StopTransaction", {"transactionId": 7, "timestamp": text})
    assert stopped == TransactionStopped(TransactionId(7), "Local", None, None)


# -- asked by the central system -------------------------------------------------------------------------------

EVCC = {
    "chargingProfileId": 1,
    "stackLevel": 2,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "startSchedule": NOON_TEXT,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}],
    },
}
READ = ChargingProfile(
    profile_id=1,
    stack_level=2,
    purpose=Purpose.TX_DEFAULT,
    kind=ProfileKind.ABSOLUTE,
    recurrency=None,
    transaction_id=None,
    valid_from=None,
    valid_to=None,
    unit=RateUnit.AMPERES,
    start_schedule=NOON,
    duration=None,
    periods=(SchedulePeriod(0.0, 0.0, None),),
)


def set_profile(profile: object) -> Request:
    return from_central_system("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile})


def with_schedule(**schedule: object) -> dict[str, object]:
    return {**EVCC, "chargingSchedule": {**cast("dict[str, object]", EVCC["chargingSchedule"]), **schedule}}


def with_period(**period: object) -> dict[str, object]:
    return with_schedule(chargingSchedulePeriod=[{"startPeriod": 0, "limit": 6, **period}])


def profile_of(request: Request) -> ChargingProfile:
    assert isinstance(request, ProfileRequested)
    return request.profile


def test_profile_of_evcc_is_read() -> None:
    assert set_profile(EVCC) == ProfileRequested(ONE, READ)


def test_profile_may_have_every_field_and_its_periods_in_any_order() -> None:
    profile = {
        "chargingProfileId": 231,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Recurring",
        "recurrencyKind": "Daily",
        "transactionId": 0,
        "validFrom": "0001-01-01T00:00:00Z",
        "validTo": "9999-12-31T23:59:59Z",
        "chargingSchedule": {
            "duration": 86400,
            "startSchedule": "2024-01-01T14:00:00.5+02:00",
            "chargingRateUnit": "W",
            "minChargingRate": 0,
            "chargingSchedulePeriod": [
                {"startPeriod": 600, "limit": 11000.5, "numberPhases": 1},
                {"startPeriod": 0, "limit": 4140, "numberPhases": 3},
            ],
        },
    }
    assert profile_of(set_profile(profile)) == ChargingProfile(
        profile_id=231,
        stack_level=0,
        purpose=Purpose.TX,
        kind=ProfileKind.RECURRING,
        recurrency=Recurrency.DAILY,
        transaction_id=TransactionId(0),
        valid_from=-62135596800.0,
        valid_to=253402300799.0,
        unit=RateUnit.WATTS,
        start_schedule=NOON + 0.5,
        duration=86400.0,
        periods=(SchedulePeriod(0.0, 4140.0, 3), SchedulePeriod(600.0, 11000.5, 1)),
    )


def test_profile_is_found_under_the_wrong_name_and_in_a_list() -> None:
    for payload in (
        {"connectorId": 1, "chargingProfile": EVCC},
        {"connectorId": "1", "csChargingProfiles": [EVCC]},
        {"connectorId": 1, "csChargingProfiles": None, "chargingProfile": EVCC},
    ):
        assert from_central_system("SetChargingProfile", payload) == ProfileRequested(ONE, READ)


def test_profile_may_be_written_loosely() -> None:
    profile = {
        "chargingProfileId": "1",
        "stackLevel": 2.0,
        "chargingProfilePurpose": " txdefaultprofile ",
        "chargingProfileKind": "absolute",
        "recurrencyKind": "",
        "validFrom": None,
        "chargingSchedule": [
            {
                "startSchedule": NOON_TEXT,
                "chargingRateUnit": "a",
                "chargingSchedulePeriod": {"startPeriod": "0", "limit": "0,0", "numberPhases": 7},
            }
        ],
    }
    assert profile_of(set_profile(profile)) == READ


def test_what_a_profile_leaves_out_has_a_meaning() -> None:
    bare = {
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingSchedule": {
            "startSchedule": NOON_TEXT,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"limit": 0}],
        },
    }
    profile = profile_of(set_profile(bare))
    assert (profile.profile_id, profile.stack_level, profile.kind) == (0, 0, ProfileKind.ABSOLUTE)
    assert profile.periods == READ.periods


@pytest.mark.parametrize(
    "profile",
    [
        None,
        {},
        "x",
        [],
        [EVCC, EVCC],
        {**EVCC, "chargingProfilePurpose": "Mine"},
        {**EVCC, "chargingProfilePurpose": None},
        {**EVCC, "chargingProfileId": "abc"},
        {**EVCC, "stackLevel": True},
        {**EVCC, "chargingProfileKind": "Sometimes"},
        {**EVCC, "recurrencyKind": "Hourly"},
        {**EVCC, "transactionId": "abc"},
        {**EVCC, "validFrom": "yesterday"},
        {**EVCC, "validTo": 7},
        {**EVCC, "chargingSchedule": None},
        with_schedule(chargingRateUnit=""),
        with_schedule(chargingRateUnit="kW"),
        with_schedule(startSchedule="0"),
        with_schedule(duration=-1),
        with_schedule(duration="x"),
        with_schedule(chargingSchedulePeriod=[]),
        with_schedule(chargingSchedulePeriod=None),
        with_schedule(chargingSchedulePeriod=[{"startPeriod": 0, "limit": 6}, None]),
        with_period(limit=None),
        with_period(limit=-1),
        with_period(limit=float("inf")),
        with_period(limit="six"),
        with_period(startPeriod=-1),
        with_period(startPeriod="x"),
    ],
)
def test_profile_half_understood_is_unreadable(profile: object) -> None:
    assert set_profile(profile) == OtherRequested("SetChargingProfile", readable=False)


@pytest.mark.parametrize("connector", UNREADABLE_CONNECTORS)
def test_profile_for_no_connector_is_unreadable(connector: object) -> None:
    payload = {"connectorId": connector, "csChargingProfiles": EVCC}
    assert from_central_system("SetChargingProfile", payload) == OtherRequested("SetChargingProfile", readable=False)


def test_clear_without_fields_names_nothing() -> None:
    assert from_central_system("ClearChargingProfile", {}) == ClearRequested(Criteria())
    assert from_central_system("ClearChargingProfile", {"id": None}) == ClearRequested(Criteria())


def test_clear_names_what_it_names() -> None:
    payload = {"id": 1, "connectorId": 0, "chargingProfilePurpose": "TxProfile", "stackLevel": 3}
    assert from_central_system("ClearChargingProfile", payload) == ClearRequested(
        Criteria(profile_id=1, connector=ConnectorId(0), purpose=Purpose.TX, stack_level=3)
    )


@pytest.mark.parametrize(
    "payload", [{"id": "x"}, {"connectorId": -1}, {"chargingProfilePurpose": "Mine"}, {"stackLevel": True}]
)
def test_clear_with_an_unreadable_field_clears_nothing(payload: dict[str, object]) -> None:
    request = from_central_system("ClearChargingProfile", payload)
    assert request == OtherRequested("ClearChargingProfile", readable=False)


def test_remote_start_is_read_with_its_profile() -> None:
    payload = {"connectorId": 1, "idTag": "evcc", "chargingProfile": EVCC}
    assert from_central_system("RemoteStartTransaction", payload) == RemoteStartRequested(ONE, "evcc", READ)


@pytest.mark.parametrize("odd", [{}, {"connectorId": None}, {"connectorId": "x", "chargingProfile": {"x": 1}}])
def test_remote_start_is_noticed_whatever_it_says(odd: dict[str, object]) -> None:
    assert from_central_system("RemoteStartTransaction", odd) == RemoteStartRequested(None, "", None)


def test_remote_stop_may_name_no_transaction() -> None:
    assert from_central_system("RemoteStopTransaction", {}) == RemoteStopRequested(None)


@pytest.mark.parametrize("odd", [{}, {"connectorId": "x"}, {"connectorId": None, "requestedMessage": [1]}])
def test_trigger_may_name_nothing(odd: dict[str, object]) -> None:
    assert from_central_system("TriggerMessage", odd) == TriggerRequested("", None)


# -- answers ---------------------------------------------------------------------------------------------------

PROFILE = ProfileRequested(ONE, READ)
CLEAR = ClearRequested(Criteria())
STARTED = TransactionRequested(ONE, "evcc", None, None)
STOPPED = TransactionStopped(None, "Local", None, None)
WITH_STATUS = [PROFILE, CLEAR, RemoteStartRequested(None, "", None), RemoteStopRequested(None), Booted("", "", "")]
WITHOUT_STATUS = [MeterSampled(ONE, ()), StatusNotified(ONE, None, "", None), OtherRequested("Heartbeat"), STOPPED]


@pytest.mark.parametrize("request_", [*WITH_STATUS, TriggerRequested("", None), OtherRequested("Reset")])
@pytest.mark.parametrize("word", ["Accepted", "accepted", " Accepted "])
def test_accepted_is_accepted(request_: Request, word: str) -> None:
    assert read_answer(request_, result(status=word)) == Answered(request_, Answer.ACCEPTED, word.strip())


@pytest.mark.parametrize("request_", [*WITH_STATUS, OtherRequested("Reset")])
@pytest.mark.parametrize("word", ["Rejected", "NotSupported", "NotImplemented", "Pending", "Accepted!", "Yes"])
def test_every_other_word_is_refused(request_: Request, word: str) -> None:
    assert read_answer(request_, result(status=word)) == Answered(request_, Answer.REFUSED, word)


@pytest.mark.parametrize("request_", WITH_STATUS)
@pytest.mark.parametrize("payload", [{}, {"status": None}, {"status": True}, {"status": ["Accepted"]}])
def test_answer_without_the_status_it_should_have_is_refused(request_: Request, payload: dict[str, object]) -> None:
    assert read_answer(request_, result(**payload)) == Answered(request_, Answer.REFUSED, "")


@pytest.mark.parametrize("request_", WITHOUT_STATUS)
def test_answer_that_has_no_status_accepts(request_: Request) -> None:
    assert read_answer(request_, result()) == Answered(request_, Answer.ACCEPTED, "")


def test_unknown_is_an_answer_to_clear_only() -> None:
    assert read_answer(CLEAR, result(status="Unknown")) == Answered(CLEAR, Answer.UNKNOWN, "Unknown")
    assert read_answer(PROFILE, result(status="Unknown")) == Answered(PROFILE, Answer.REFUSED, "Unknown")


@pytest.mark.parametrize("request_", [*WITH_STATUS, *WITHOUT_STATUS, STARTED])
def test_callerror_refuses_with_its_code(request_: Request) -> None:
    for code in ("NotSupported", ""):
        answer = read_answer(request_, CallError(UniqueId("1"), code, "text"))
        assert answer == Answered(request_, Answer.REFUSED, code)


@pytest.mark.parametrize("tag", ["Accepted", "Invalid", "Blocked"])
def test_t1_transaction_id_accepts_whatever_is_said_of_the_tag(tag: str) -> None:
    answer = read_answer(STARTED, result(idTagInfo={"status": tag}, transactionId=1795190590))
    assert answer == Answered(STARTED, Answer.ACCEPTED, tag, TransactionId(1795190590))


@pytest.mark.parametrize("transaction_id", [0, -1, LARGEST])
def test_any_integer_is_a_transaction_id(transaction_id: int) -> None:
    answer = read_answer(STARTED, result(transactionId=transaction_id))
    assert answer == Answered(STARTED, Answer.ACCEPTED, "", TransactionId(transaction_id))


def test_start_without_a_transaction_id_is_refused() -> None:
    for transaction_id in (None, "x", True):
        answer = read_answer(STARTED, result(idTagInfo={"status": "Accepted"}, transactionId=transaction_id))
        assert answer == Answered(STARTED, Answer.REFUSED, "Accepted", None)


def test_stop_is_over_whatever_is_said_of_the_tag() -> None:
    assert read_answer(STOPPED, result(idTagInfo={"status": "Invalid"})) == Answered(
        STOPPED, Answer.ACCEPTED, "Invalid"
    )
    assert read_answer(STOPPED, result(idTagInfo="x")) == Answered(STOPPED, Answer.ACCEPTED, "")


# -- properties ------------------------------------------------------------------------------------------------

ACTIONS = (
    ["BootNotification", "StatusNotification", "MeterValues", "StartTransaction", "StopTransaction", "Heartbeat"],
    ["SetChargingProfile", "ClearChargingProfile", "RemoteStartTransaction", "RemoteStopTransaction", "TriggerMessage"],
)
KEYS = (
    *("connectorId", "transactionId", "idTag", "timestamp", "status", "meterValue", "sampledValue", "value", "unit"),
    *("measurand", "phase", "csChargingProfiles", "chargingProfile", "chargingSchedule", "chargingSchedulePeriod"),
    *("chargingProfileId", "stackLevel", "chargingProfilePurpose", "chargingRateUnit", "startPeriod", "limit"),
    *("id", "validTo", "duration", "idTagInfo", "meterStart", "requestedMessage", "recurrencyKind"),
)
WORDS = ("TxProfile", "TxDefaultProfile", "A", "W", "Current.Import", "L1", NOON_TEXT, "Accepted", "Charging", "1", "")
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(WORDS)
keys = st.sampled_from(KEYS) | st.text(max_size=3)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=8), max_leaves=40
)
payloads = st.dictionaries(keys, json_values, max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([*ACTIONS[0], *ACTIONS[1]]), st.sampled_from(Direction), payloads, payloads, st.text())
def test_reading_never_raises(
    action: str, direction: Direction, payload: dict[str, object], answer: dict[str, object], code: str
) -> None:
    request = read_request(Call(UniqueId("1"), action, payload), direction, NOW)
    for said in (CallResult(UniqueId("1"), answer), CallError(UniqueId("1"), code, "")):
        answered = read_answer(request, said)
        assert answered.request is request
        assert (answered.answer is Answer.REFUSED) or isinstance(said, CallResult)


def replaced(value: object, path: list[int], new: object) -> object:
    """The value with one place in it, found by the path, holding something else."""
    if not path or not isinstance(value, dict | list) or not value:
        return new
    places = list(value) if isinstance(value, dict) else list(range(len(value)))
    place = places[path[0] % len(places)]
    copy = value.copy()
    copy[place] = replaced(value[place], path[1:], new)
    return copy


WHOLE = [
    ("SetChargingProfile", Direction.TO_CHARGE_POINT, {"connectorId": 1, "csChargingProfiles": EVCC}),
    ("RemoteStartTransaction", Direction.TO_CHARGE_POINT, {"connectorId": 1, "idTag": "x", "chargingProfile": EVCC}),
    ("MeterValues", Direction.TO_CENTRAL_SYSTEM, {"connectorId": 1, "meterValue": [element(AMPERES, AMPERES)]}),
]


@given(st.sampled_from(WHOLE), st.lists(st.integers(0, 9), min_size=1, max_size=7), json_values)
def test_one_wrong_value_anywhere_never_raises(
    whole: tuple[str, Direction, dict[str, object]], path: list[int], new: object
) -> None:
    action, direction, payload = whole
    changed = replaced(payload, path, new)
    assert isinstance(changed, dict)
    request = read_request(Call(UniqueId("1"), action, changed), direction, NOW)
    assert isinstance(request, ProfileRequested | RemoteStartRequested | MeterSampled | OtherRequested)


def test_the_answer_to_get_configuration_may_tell_the_firmware() -> None:
    asked = from_central_system("GetConfiguration", {"key": ["FirmwareVersion", 7]})
    assert asked == ConfigurationRequested(("FirmwareVersion", "7"))
    assert from_central_system("GetConfiguration", {}) == ConfigurationRequested(())
    keys: list[object] = ["nonsense", {"key": "Other", "value": "1"}, {"key": "firmwareVersion", "value": "180"}]
    answer = read_answer(asked, CallResult(UniqueId("1"), {"configurationKey": keys}))
    assert (answer.answer, answer.firmware) == (Answer.ACCEPTED, "180")
    assert read_answer(asked, CallResult(UniqueId("1"), {"configurationKey": keys[:2]})).firmware == ""
    assert read_answer(asked, CallResult(UniqueId("1"), {})).firmware == ""


def test_a_firmware_status_is_read() -> None:
    said = from_charge_point("FirmwareStatusNotification", {"status": "DownloadFailed"})
    assert said == FirmwareStatusNotified("DownloadFailed")
    assert from_charge_point("FirmwareStatusNotification", {}) == FirmwareStatusNotified("")


# -- availability and schedules of the central system ----------------------------------------------------------


@pytest.mark.parametrize(("word", "operative"), [("Operative", True), ("inoperative", False)])
def test_change_availability_says_whether_the_connector_is_to_serve(word: str, operative: bool) -> None:
    asked = from_central_system("ChangeAvailability", {"connectorId": 0, "type": word})
    assert asked == AvailabilityRequested(ConnectorId(0), operative)


@pytest.mark.parametrize("payload", [{"connectorId": "x", "type": "Operative"}, {"connectorId": 1, "type": "Maybe"}])
def test_an_availability_that_cannot_be_read_is_none(payload: dict[str, object]) -> None:
    asked = from_central_system("ChangeAvailability", payload)
    assert asked == OtherRequested("ChangeAvailability", readable=False)


def test_a_question_for_the_composite_schedule_names_its_connector() -> None:
    assert from_central_system("GetCompositeSchedule", {"connectorId": 2, "duration": 60}) == ScheduleRequested(TWO)
    unread = from_central_system("GetCompositeSchedule", {"connectorId": -1})
    assert unread == OtherRequested("GetCompositeSchedule", readable=False)
