"""What we say ourselves: payloads byte for byte, and the words that mean that it is done."""

from __future__ import annotations

import json

import pytest

import examples
from examples import START_UTC
from ocpp_watchdog.core import payloads
from ocpp_watchdog.core.events import ProfileRequested, RemoteStartRequested, RemoteStopRequested, TriggerRequested
from ocpp_watchdog.core.frames import Call, CallError, CallResult
from ocpp_watchdog.core.profiles import ChargingProfile, SchedulePeriod
from ocpp_watchdog.core.terms import (
    ConnectorId,
    Direction,
    Moment,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
    TransactionId,
    UniqueId,
)
from ocpp_watchdog.core.translate import read_request

ONE, TWO = ConnectorId(1), ConnectorId(2)
NOW = Moment(START_UTC, 0.0)
UID = UniqueId("wd-1")


def read(action: str, payload: dict[str, object]) -> object:
    """What a charge point would understand."""
    return read_request(Call(UID, action, payload), Direction.TO_CHARGE_POINT, NOW)


def test_remote_stop_names_the_transaction() -> None:
    assert payloads.remote_stop(TransactionId(7)) == {"transactionId": 7}
    assert read(payloads.REMOTE_STOP, payloads.remote_stop(TransactionId(7))) == RemoteStopRequested(TransactionId(7))


def test_remote_start_names_connector_and_id_tag() -> None:
    assert payloads.remote_start(TWO, "tag") == {"connectorId": 2, "idTag": "tag"}
    assert read(payloads.REMOTE_START, payloads.remote_start(TWO, "tag")) == RemoteStartRequested(TWO, "tag", None)


def test_question_for_meter_values_names_its_connector_unless_it_is_0() -> None:
    assert payloads.trigger_meter_values(ONE) == {"requestedMessage": "MeterValues", "connectorId": 1}
    assert payloads.trigger_meter_values(ConnectorId(0)) == {"requestedMessage": "MeterValues"}
    assert read(payloads.TRIGGER, payloads.trigger_meter_values(TWO)) == TriggerRequested("MeterValues", TWO)


def test_the_other_steps_say_what_the_specification_wants() -> None:
    assert payloads.availability(ONE, operative=False) == {"connectorId": 1, "type": "Inoperative"}
    assert payloads.availability(ONE, operative=True) == {"connectorId": 1, "type": "Operative"}
    assert payloads.soft_reset() == {"type": "Soft"}
    assert payloads.clear_profile(101) == {"id": 101}
    assert payloads.composite_schedule(ONE) == {"connectorId": 1, "duration": 60}


# -- profiles ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "unit", "phases"), [(0, "A", None), (6.5, "A", 1), (4140, "W", None)])
def test_evccs_own_profile_comes_out_byte_for_byte_as_it_went_in(limit: float, unit: str, phases: int | None) -> None:
    text = examples.set_limit("1", limit, START_UTC, unit=unit, phases=phases)
    payload = json.loads(text)[3]
    asked = read(payloads.SET_PROFILE, payload)
    assert isinstance(asked, ProfileRequested)
    said = json.dumps(payloads.set_profile(asked.connector, asked.profile), separators=(",", ":"))
    assert said == json.dumps(payload, separators=(",", ":"))


def test_everything_a_profile_can_hold_is_written_and_read_back() -> None:
    profile = ChargingProfile(
        profile_id=3,
        stack_level=2,
        purpose=Purpose.TX,
        kind=ProfileKind.RECURRING,
        recurrency=Recurrency.DAILY,
        transaction_id=TransactionId(7),
        valid_from=START_UTC,
        valid_to=START_UTC + 3600.0,
        unit=RateUnit.AMPERES,
        start_schedule=START_UTC,
        duration=1800.0,
        periods=(SchedulePeriod(0.0, 6.0, None), SchedulePeriod(600.0, 0.0, 1)),
    )
    assert read(payloads.SET_PROFILE, payloads.set_profile(ONE, profile)) == ProfileRequested(ONE, profile)


# -- answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "word", "done"),
    [
        (payloads.REMOTE_STOP, "Accepted", True),
        (payloads.REMOTE_STOP, " accepted ", True),
        (payloads.REMOTE_STOP, "Rejected", False),
        (payloads.REMOTE_STOP, "Scheduled", False),
        (payloads.CHANGE_AVAILABILITY, "Scheduled", True),
        (payloads.CHANGE_AVAILABILITY, "Accepted", True),
        (payloads.CHANGE_AVAILABILITY, "Rejected", False),
        (payloads.CLEAR_PROFILE, "Unknown", True),
        (payloads.CLEAR_PROFILE, "Rejected", False),
        (payloads.RESET, 1, False),
        (payloads.RESET, None, False),
    ],
)
def test_what_counts_as_done_depends_on_what_was_asked(action: str, word: object, done: bool) -> None:
    assert payloads.is_done(action, CallResult(UID, {"status": word})) is done


def test_an_error_does_nothing() -> None:
    assert not payloads.is_done(payloads.RESET, CallError(UID, "NotSupported", ""))


def schedule(periods: object) -> CallResult:
    return CallResult(UID, {"status": "Accepted", "chargingSchedule": {"chargingSchedulePeriod": periods}})


@pytest.mark.parametrize(
    ("periods", "limit"),
    [
        ([{"startPeriod": 0, "limit": 0}], 0.0),
        ([{"startPeriod": 0, "limit": "6,5"}, {"startPeriod": 60, "limit": 0}], 6.5),
        ({"startPeriod": 0, "limit": 16.0}, 16.0),
        ([{"startPeriod": 0, "limit": -1}], -1.0),
        ([{"startPeriod": 0, "limit": True}], None),
        ([{"startPeriod": 0, "limit": "none"}], None),
        ([{"startPeriod": 0}], None),
        ([7], None),
        ([], None),
        (None, None),
    ],
)
def test_the_present_limit_is_that_of_the_first_period(periods: object, limit: float | None) -> None:
    assert payloads.present_limit(schedule(periods)) == limit


def test_without_a_schedule_nothing_is_said_of_a_limit() -> None:
    assert payloads.present_limit(CallResult(UID, {"status": "Rejected"})) is None
    assert payloads.present_limit(CallResult(UID, {"chargingSchedule": [1]})) is None
    assert payloads.present_limit(CallError(UID, "NotSupported", "")) is None
