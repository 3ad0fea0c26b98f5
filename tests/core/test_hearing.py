from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from station_kit import CONNECTED, IGNORED, SEVEN, START, Desk, in_amperes, moment

import examples
from ocpp_watchdog.core.alike import Alike
from ocpp_watchdog.core.decisions import (
    CountKind,
    Explanation,
    FactKind,
    FindingKind,
    NoticeKind,
    Phase,
    Severity,
    Warn,
)
from ocpp_watchdog.core.devices import Danger, Passing, Stranger
from ocpp_watchdog.core.hearing import Hearing
from ocpp_watchdog.core.knowing import MOST_CONNECTORS
from ocpp_watchdog.core.leftovers import Restart
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import ConnectorId, Direction, Status

TO_BOX, TO_CENTRAL = Direction.TO_CHARGE_POINT, Direction.TO_CENTRAL_SYSTEM


@pytest.fixture(autouse=True)
def _readings_a_second_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each charge point has a time of its own (test_skim.py)."""
    monkeypatch.setattr("ocpp_watchdog.core.skim.APART_SECONDS", 1.0)
    monkeypatch.setattr("ocpp_watchdog.core.skim.SPREAD_SECONDS", 0.0)


def connected() -> Desk:
    desk = Desk()
    desk.connect()
    return desk


def charging(*connectors: int) -> Desk:
    desk = Desk()
    desk.begin(*connectors)
    return desk


def kinds(desk: Desk, connector: int = 1) -> set[FindingKind]:
    return {finding.kind for finding in desk.view(connector).findings}


def steps_profile(*periods: tuple[float, float], start: float | None = None, **more: object) -> dict[str, object]:
    """A profile of several periods (start in seconds, amperes); Relative without a start (t)."""
    schedule: dict[str, object] = {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": at, "limit": limit} for at, limit in periods],
    }
    if start is not None:
        schedule["startSchedule"] = examples.iso(START.utc + start)
    return {
        "chargingProfileId": 1,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative" if start is None else "Absolute",
        "chargingSchedule": schedule,
    } | more


def set_profile(desk: Desk, profile: dict[str, object], connector: int = 1, status: str | None = "Accepted") -> str:
    payload = {"connectorId": connector, "csChargingProfiles": profile}
    return desk.asks(lambda name: examples.call(name, "SetChargingProfile", payload), status)


# -- frames ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "hello", "[]", "[2]", '[true,"a","b",{}]', '[2,7,"Heartbeat",{}]', "[" * 5000])
def test_what_cannot_be_read_is_counted_and_nothing_else(text: str) -> None:
    desk = charging()
    before = desk.view()
    desk.box(text)
    desk.central(text)
    assert desk.counts() == [CountKind.UNDECODABLE] * 2
    assert desk.station.last_action == ""
    assert desk.view() == before


def test_a_call_that_had_to_be_mended_is_counted_and_heard() -> None:
    desk = charging()
    broken = examples.status("m1", "SuspendedEV").replace('"errorCode"', ',"errorCode"')
    desk.box(broken)
    assert desk.counts() == [CountKind.MENDED]
    assert desk.view().status is Status.SUSPENDED_EV


def test_a_payload_that_cannot_be_read_is_counted() -> None:
    desk = charging()
    desk.box('[2,"u1","StatusNotification",{"connectorId":"left"}]')
    desk.central('[2,"u2","SetChargingProfile",{"connectorId":1}]')
    desk.box('[2,"u3","VendorSpecific",{"left":1}]')
    assert desk.counts() == [CountKind.UNREADABLE_PAYLOAD] * 2
    assert desk.view().commanded == in_amperes(16.0)


def test_the_last_action_is_that_of_the_call_and_of_its_answer() -> None:
    desk = connected()
    desk.box('[2,"h1","Heartbeat",{}]')
    assert desk.station.last_action == "Heartbeat"
    desk.box("nonsense")
    assert desk.station.last_action == ""
    desk.central('[3,"h1",{}]')
    assert desk.station.last_action == "Heartbeat"
    desk.central('[3,"h1",{}]')
    assert desk.station.last_action == ""


def test_an_answer_to_nothing_is_counted() -> None:
    desk = charging()
    desk.box('[3,"nobody",{"status":"Accepted"}]')
    desk.central('[4,"nobody","InternalError","",{}]')
    assert desk.counts() == [CountKind.UNKNOWN_ANSWER] * 2


def test_ids_of_the_two_directions_are_not_mixed_up() -> None:
    desk = connected()
    desk.central(examples.set_limit("same", 16, desk.now.utc))
    desk.box('[2,"same","Heartbeat",{}]')
    desk.central('[3,"same",{"currentTime":"2026-11-20T16:03:09Z"}]')
    assert desk.view().in_force is None
    desk.box(examples.status_result("same"))
    assert desk.view().in_force == in_amperes(16.0)
    assert desk.counts() == []


def test_a_call_sent_again_is_counted_once(  # faults O4
) -> None:
    desk = charging()
    text = examples.meter_values("again", examples.current_values(["6.50"] * 3), examples.iso(desk.now.utc))
    desk.box(text)
    desk.box(text)
    assert desk.counts() == [CountKind.REPEATED_CALL]
    desk.central('[3,"again",{}]')
    assert desk.counts() == [CountKind.REPEATED_CALL]


def test_readings_sent_again_convict_nobody() -> None:
    desk = charging()
    desk.flow(IGNORED[:6])
    desk.to(0)
    desk.limit(0)
    desk.flow([3, 13, 23])
    desk.to(33)
    text = examples.meter_values("again", examples.current_values(["6.50"] * 3), examples.iso(desk.now.utc))
    desk.box(text)
    desk.to(43)
    desk.box(text)
    assert desk.notices() == []


def test_the_same_id_with_another_text_is_another_call() -> None:
    desk = connected()
    desk.box(examples.status("s", "Preparing"))
    desk.central('[3,"s",{}]')
    desk.box(examples.status("s", "Charging"))
    assert desk.counts() == []
    assert desk.view().status is Status.CHARGING


def test_a_status_that_nobody_knows_is_none() -> None:
    desk = connected()
    desk.status("Charging")
    desk.status("Bored")
    assert desk.view().status is None


def test_a_call_unanswered_for_a_minute_expires() -> None:
    desk = connected()
    desk.central('[2,"x","GetConfiguration",{}]')
    desk.to(CONNECTED + 59.9)
    assert desk.counts() == []
    desk.to(CONNECTED + 60)
    assert desk.counts() == [CountKind.EXPIRED_CALL]
    desk.box('[3,"x",{}]')
    assert desk.counts() == [CountKind.EXPIRED_CALL, CountKind.UNKNOWN_ANSWER]


# -- commands ----------------------------------------------------------------------------------------------------------


def test_nothing_is_known_before_a_command() -> None:
    desk = connected()
    known = desk.view()
    assert (known.phase, known.commanded, known.in_force) == (Phase.UNKNOWN, None, None)
    assert [view.connector for view in desk.station.view(desk.now).connectors] == [1]


def test_a_limit_is_ordered_with_its_request_and_in_force_with_its_acceptance() -> None:
    desk = connected()
    name = desk.limit(16, answer=None)
    assert (desk.view().commanded, desk.view().in_force) == (in_amperes(16.0), None)
    desk.box(examples.status_result(name))
    assert desk.view().in_force == in_amperes(16.0)


@pytest.mark.parametrize("answer", ["Rejected", "NotSupported", "accepted, more or less", ""])
def test_a_limit_that_is_refused_is_ordered_and_not_in_force(answer: str) -> None:
    desk = charging()
    desk.limit(6, answer=answer)
    assert (desk.view().commanded, desk.view().in_force) == (in_amperes(6.0), in_amperes(16.0))


def test_a_callerror_is_a_refusal() -> None:
    desk = charging()
    name = desk.limit(6, answer=None)
    desk.box(examples.error(name))
    assert desk.view().in_force == in_amperes(16.0)


def test_a_command_on_a_connector_makes_it_known() -> None:
    desk = connected()
    desk.limit(10, connector=2)
    assert desk.view(2).commanded == in_amperes(10.0)
    assert desk.view(1).commanded is None
    assert desk.view(1).phase is Phase.UNKNOWN


def test_an_order_on_the_whole_charge_point_is_an_order_on_each_connector() -> None:
    desk = connected()
    desk.plug()
    desk.plug(8, 2)
    desk.to(0)
    desk.limit(0, connector=0)
    assert desk.view(1).stop_ordered == desk.view(2).stop_ordered == moment(0)
    assert len(desk.facts(FactKind.STOP_ORDERED)) == 2
    assert [view.connector for view in desk.station.view(desk.now).connectors] == [1, 2]


def test_an_order_on_one_connector_is_none_on_the_other() -> None:
    desk = charging(1, 2)
    desk.to(0)
    desk.limit(0, connector=2)
    assert (desk.view(1).stop_ordered, desk.view(2).stop_ordered) == (None, moment(0))


def test_a_connector_that_turns_up_later_stands_under_the_order_too() -> None:
    desk = charging()
    desk.to(0)
    desk.limit(0, connector=0)
    desk.to(5)
    desk.status("Charging", 2)
    assert desk.view(2).stop_ordered is not None
    assert desk.view(2).in_force == in_amperes(0.0)


def test_a_cleared_limit_is_a_raise() -> None:
    desk = charging()
    desk.to(0)
    desk.limit(0)
    desk.asks(lambda name: examples.clear_limits(name, id=1))
    assert (desk.view().commanded, desk.view().stop_ordered) == (None, None)
    assert desk.view().in_force is None


def test_clearing_what_the_charge_point_does_not_hold_makes_the_limit_disputed() -> None:
    desk = charging()
    desk.asks(lambda name: examples.clear_limits(name, id=1), "Unknown")
    assert desk.view().phase is Phase.UNKNOWN


def test_the_answer_to_another_command_is_not_the_answer_to_the_stop() -> None:
    """The stop was accepted; clearing something else that is not there refuses nothing."""
    desk = charging()
    desk.to(0)
    desk.limit(0)
    desk.asks(lambda name: examples.clear_limits(name, id=77), "Unknown")
    assert kinds(desk) == set()


def test_the_refusal_of_another_limit_is_not_the_refusal_of_the_stop() -> None:
    desk = charging()
    desk.to(0)
    desk.limit(0)
    desk.asks(
        lambda name: examples.set_limit(
            name, 32, desk.now.utc, connector=0, purpose="ChargePointMaxProfile", profile_id=9
        ),
        "Rejected",
    )
    assert desk.view().stop_ordered == moment(0)
    assert kinds(desk) == set()


def test_the_order_falls_to_zero_with_the_schedule() -> None:
    desk = charging()
    desk.to(0)
    set_profile(desk, steps_profile((0, 16), (60, 0), (120, 16), start=0))
    assert desk.view().stop_ordered is None
    desk.to(59.9)
    assert desk.view().stop_ordered is None
    desk.to(60)
    assert (desk.view().stop_ordered, desk.view().in_force) == (moment(60), in_amperes(0.0))
    assert desk.texts(FactKind.STOP_ORDERED) == [""]
    desk.to(120)
    assert (desk.view().stop_ordered, desk.view().in_force) == (None, in_amperes(16.0))


@pytest.mark.parametrize(
    ("stamp", "amperes"),
    [(-1200.0, 6.0), (30.0, 16.0), (-100_000.0, 16.0), (None, 16.0)],
    ids=["twenty minutes ago", "in the future", "more than a day ago", "none"],
)
def test_a_relative_schedule_counts_from_the_start_of_the_transaction(stamp: float | None, amperes: float) -> None:
    """An absurd or missing time stamp counts as the arrival (R7)."""
    desk = connected()
    desk.to(0)
    set_profile(desk, steps_profile((0, 16), (900, 6)))
    payload: dict[str, object] = {"connectorId": 1, "idTag": "LAB", "meterStart": 0}
    if stamp is not None:
        payload["timestamp"] = examples.iso(START.utc + stamp)
    desk.says(lambda name: examples.call(name, "StartTransaction", payload), {"transactionId": SEVEN})
    assert desk.view().in_force is not None
    assert desk.view().in_force.amperes == amperes


# -- remote starts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("connector", "is_told"), [(1, True), (None, True), (2, False)])
def test_a_remote_start_on_this_connector_after_our_stop_is_told_once(connector: int | None, is_told: bool) -> None:
    desk = Desk()
    desk.ignored()
    where: dict[str, object] = {} if connector is None else {"connectorId": connector}
    for _ in range(2):
        desk.asks(lambda name: examples.call(name, "RemoteStartTransaction", {"idTag": "evcc", **where}))
    assert desk.notices().count(NoticeKind.REMOTE_START) == is_told


def test_a_profile_that_comes_with_a_remote_start_counts_from_its_transaction() -> None:
    desk = connected()
    body = examples.profile(0, desk.now.utc, purpose="TxProfile")
    payload = {"connectorId": 1, "idTag": "LAB", "chargingProfile": body}
    desk.asks(lambda name: examples.call(name, "RemoteStartTransaction", payload))
    assert desk.view().in_force is None
    desk.to(0)
    desk.plug()
    assert desk.view().in_force == in_amperes(0.0)
    assert desk.view().stop_ordered == moment(0)


# -- what the charge point says ----------------------------------------------------------------------------------------


def test_a_boot_tells_who_it_is_and_leaves_the_limits_unconfirmed() -> None:
    desk = charging()
    desk.says(examples.boot, {"status": "Accepted"})
    known = desk.station.view(desk.now)
    assert (known.vendor, known.model, known.firmware) == ("Lab", "Box", "1.0")
    desk.flow(range(-57, 60, 10), 25.0)
    assert FindingKind.OVER_LIMIT not in kinds(desk)


def test_an_empty_boot_is_a_boot(  # faults O14
) -> None:
    desk = charging()
    desk.box('[2,"b","BootNotification",{}]')
    assert desk.station.view(desk.now).vendor == ""
    assert desk.counts() == []


def test_the_status_of_the_whole_charge_point_is_that_of_no_connector() -> None:
    desk = charging()
    desk.status("Available", 0)
    assert desk.view().status is Status.CHARGING
    assert desk.view().transaction_open
    assert [view.connector for view in desk.station.view(desk.now).connectors] == [1]


def test_available_for_connector_zero_alone_may_mean_an_unplugged_cable() -> None:
    desk = connected()
    watch = desk.station._watches[ConnectorId(1)]
    watch.leftovers.restart = Restart("tag")
    desk.status("Faulted", 0)
    assert watch.leftovers.restart is not None
    desk.status("Available", 0)
    assert watch.leftovers.restart is None
    assert watch.sight.status is Status.FAULTED, "it says nothing else of the connector"


def test_available_ends_the_transaction() -> None:
    desk = charging()
    desk.status("Available")
    known = desk.view()
    assert (known.status, known.transaction_open, known.transaction_id) == (Status.AVAILABLE, False, None)


def test_finishing_alone_does_not() -> None:
    desk = charging()
    desk.status("Finishing")
    assert desk.view().transaction_open


def test_a_tx_profile_ends_with_its_transaction() -> None:
    desk = charging()
    set_profile(desk, examples.profile(10, desk.now.utc, purpose="TxProfile", profile_id=5))
    assert desk.view().in_force is not None
    assert desk.view().in_force.amperes == 10.0
    desk.stops()
    assert desk.view().in_force == in_amperes(16.0)


def test_a_tx_profile_ends_with_a_transaction_whose_stop_only_the_status_could_place() -> None:
    """StopTransaction with an id nobody knows, two running: the following StatusNotification tells (T3, R14)."""
    desk = charging(1, 2)
    set_profile(desk, examples.profile(10, desk.now.utc, purpose="TxProfile", profile_id=5))
    desk.stops(999)
    assert desk.view().transaction_open
    desk.status("Finishing")
    assert not desk.view().transaction_open
    assert desk.view().in_force is not None
    assert desk.view().in_force.amperes == 16.0


def test_a_transaction_has_no_usable_id_until_its_answer() -> None:
    desk = connected()
    desk.box(examples.start_transaction("st", desk.now.utc))
    assert (desk.view().transaction_open, desk.view().transaction_id) == (True, None)
    desk.central(examples.start_result("st", 0))
    assert desk.view().transaction_id == 0


def test_an_answer_without_an_id_gives_none() -> None:
    desk = connected()
    desk.box(examples.start_transaction("st", desk.now.utc))
    desk.central('[4,"st","InternalError","",{}]')
    assert (desk.view().transaction_open, desk.view().transaction_id) == (True, None)


def test_a_transaction_is_stopped_by_its_id() -> None:
    desk = charging(1, 2)
    desk.stops(SEVEN + 1)
    assert (desk.view(1).transaction_open, desk.view(2).transaction_open) == (True, False)


def test_the_stop_of_an_unknown_transaction_ends_nothing() -> None:
    desk = charging(1, 2)
    desk.stops(999)
    assert (desk.view(1).transaction_id, desk.view(2).transaction_id) == (SEVEN, SEVEN + 1)


def test_the_stop_of_a_transaction_when_none_runs_is_heard_without_harm() -> None:
    desk = connected()
    desk.stops(999)
    assert desk.view().transaction_id is None
    assert desk.counts() == []


def test_an_id_the_charge_point_reports_twice_while_charging_is_usable() -> None:
    desk = connected()
    desk.status("Charging")
    desk.meter(-80, 6.5, transaction=55)
    assert desk.view().transaction_id is None
    desk.meter(-70, 6.5, transaction=55)
    assert (desk.view().transaction_id, desk.view().transaction_open) == (55, True)


def test_a_charge_point_that_is_found_charging_is_not_said_to_do_so_without_a_transaction() -> None:
    """The proxy starts in the middle of a transaction: unknown first (faults O17)."""
    desk = connected()
    for t in range(-80, 0, 10):
        desk.meter(t, 6.5, transaction=55)
    assert kinds(desk) == set()


# -- connector 0 -------------------------------------------------------------------------------------------------------


def test_a_charge_point_that_only_reports_on_0_counts_as_connector_1() -> None:
    desk = charging()
    desk.flow(IGNORED[:6], connector=0)
    desk.to(0)
    desk.limit(0)
    desk.flow(IGNORED[6:], connector=0)
    assert desk.wire() == [(43, "RemoteStopTransaction")]


def test_a_charge_point_that_knows_only_connector_0_counts_as_connector_1_with_its_transaction() -> None:
    desk = connected()
    desk.to(-110)
    desk.plug(connector=0)
    desk.limit(16)
    desk.flow(IGNORED[:6], connector=0)
    desk.to(0)
    desk.limit(0)
    desk.flow(IGNORED[6:], connector=0)
    assert NoticeKind.ALARM in desk.notices()


def test_readings_of_0_convict_no_connector_that_has_its_own() -> None:
    desk = charging()
    desk.flow(IGNORED[:6])
    desk.to(0)
    desk.limit(0)
    for t in IGNORED[6:]:
        desk.meter(t, 0)
        desk.meter(t, 16.0, connector=0)
    assert desk.notices() == []
    assert desk.view().phase is Phase.OBEYING


def test_with_the_first_reading_of_its_own_what_0_said_is_forgotten() -> None:
    desk = charging()
    desk.flow(IGNORED[:6], connector=0)
    desk.to(0)
    desk.limit(0)
    desk.flow([3, 13, 23, 33], connector=0)
    desk.meter(43, 6.5)
    assert desk.notices() == []


def test_readings_of_0_convict_neither_of_two_connectors() -> None:
    desk = charging(1, 2)
    desk.flow(IGNORED[:6], connector=0)
    desk.to(0)
    desk.limit(0)
    desk.flow(IGNORED[6:], connector=0)
    assert desk.notices() == []
    assert desk.view().reading is None


# -- questions of the central system -----------------------------------------------------------------------------------


def settled_without_a_reading(desk: Desk) -> Desk:
    """0 A at 0, and no reading after the deadline."""
    desk.flow(IGNORED[:6])
    desk.to(0)
    desk.limit(0)
    desk.to(40)
    return desk


def test_without_a_hint_a_question_goes_out() -> None:
    assert settled_without_a_reading(charging()).wire() == [(35, "TriggerMessage")]


@pytest.mark.parametrize("answer", ["Rejected", "NotImplemented"])
def test_a_charge_point_that_refused_a_trigger_of_the_central_system_is_never_asked(answer: str) -> None:
    desk = charging(1, 2)
    desk.asks(examples.trigger, answer)
    assert settled_without_a_reading(desk).wire() == []


def test_a_charge_point_that_left_one_unanswered_is_never_asked() -> None:
    desk = charging()
    desk.asks(examples.trigger, None)
    assert settled_without_a_reading(desk).wire() == []
    assert CountKind.EXPIRED_CALL in desk.counts()


def test_a_trigger_for_something_else_may_be_refused() -> None:
    desk = charging()
    desk.asks(lambda name: examples.trigger(name, "BootNotification"), "Rejected")
    desk.asks(lambda name: examples.trigger(name, "StatusNotification"), None)
    assert settled_without_a_reading(desk).wire() == [(35, "TriggerMessage")]


def test_a_trigger_that_was_accepted_is_a_good_sign() -> None:
    desk = charging()
    desk.asks(examples.trigger)
    assert settled_without_a_reading(desk).wire() == [(35, "TriggerMessage")]


def test_a_connector_that_turns_up_after_the_refusal_is_never_asked_either() -> None:
    desk = charging()
    desk.asks(examples.trigger, "Rejected")
    desk.plug(8, 2)
    desk.limit(0, connector=2)
    desk.to(0)
    assert desk.wire() == []


# -- meter values that waited unread -----------------------------------------------------------------------------------


def skimming() -> Desk:
    desk = charging()
    desk.skims = True
    return desk


def read_values(name: str, t: float, amperes: str = "6.50") -> str:
    return examples.meter_values(name, examples.current_values([amperes] * 3), examples.iso(START.utc + t, 3))


def test_what_waited_is_read_as_of_when_it_passed() -> None:
    desk = skimming()
    desk.meter(-57, 6.5)
    desk.meter(-56.5, "9.00")
    desk.to(-56.1)
    desk.status("SuspendedEV")
    reading = desk.view().reading
    assert reading is not None
    assert (reading.arrived, reading.currents) == (moment(-56.5), (9.0, 9.0, 9.0))


def test_what_was_read_ahead_is_thought_about_as_of_when_it_passed() -> None:
    desk = skimming()
    desk.meter(-57, 6.5)
    desk.meter(-56.5, "9.00")
    assert desk.station.read_ahead()
    assert desk.view().reading_at == moment(-57), "nothing was made of it yet"
    desk.to(-56)
    reading = desk.view().reading
    assert reading is not None
    assert (reading.arrived, reading.currents) == (moment(-56.5), (9.0, 9.0, 9.0))
    assert not desk.station.read_ahead(), "nothing waits"


def test_a_newer_reading_takes_the_place_of_what_was_read_ahead() -> None:
    desk = skimming()
    desk.meter(-57, 6.5)
    desk.meter(-56.5, "9.00")
    assert desk.station.read_ahead()
    desk.meter(-56.4, "8.00")
    desk.to(-56)
    reading = desk.view().reading
    assert reading is not None
    assert (reading.arrived, reading.currents) == (moment(-56.4), (8.0, 8.0, 8.0))


def test_what_has_no_known_shape_is_not_read_ahead() -> None:
    desk = skimming()
    desk.meter(-57, 6.5)
    desk.to(-56.5)
    desk.box(read_values("w1", -56.5)[:-3])
    assert not desk.station.read_ahead()
    desk.to(-56)
    assert desk.counts() == [CountKind.UNDECODABLE]


def test_what_waited_and_had_to_be_mended_is_counted() -> None:
    desk = skimming()
    desk.meter(-57, 6.5)
    desk.to(-56.5)
    desk.box(read_values("w1", -56.5, "9.00").replace('"transactionId"', ',"transactionId"'))
    assert desk.counts() == []
    desk.to(-56)
    assert desk.counts() == [CountKind.MENDED]
    assert desk.view().reading_at == moment(-56.5)


def test_what_waited_and_cannot_be_read_is_counted() -> None:
    desk = skimming()
    desk.meter(-57, 6.5)
    desk.to(-56.5)
    desk.box(read_values("w1", -56.5)[:-3])
    desk.to(-56)
    assert desk.counts() == [CountKind.UNDECODABLE]
    desk.box(read_values("w2", -56))
    desk.to(-55.5)
    desk.box(read_values("w3", -55.5).replace('"meterValue"', '"meterValues"'))
    desk.to(-54)
    assert desk.counts() == [CountKind.UNDECODABLE, CountKind.UNREADABLE_PAYLOAD]


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_more_connectors_than_there_can_be_are_looked_at_and_not_kept() -> None:
    desk = connected()
    for connector in range(1, 45):
        desk.status("Charging", connector)
        desk.plug(connector, connector)
        desk.limit(16, connector=connector)
        desk.meter(desk.t, 6.5, connector=connector)
    assert len(desk.station.view(desk.now).connectors) == MOST_CONNECTORS


def test_a_hearing_before_any_connection_hears_all_the_same() -> None:
    hearing = Hearing(Policy(), json.loads)
    hearing._hear(TO_CENTRAL, examples.status("s", "Charging", connector=2), moment(0))
    hearing._hear(TO_BOX, '[3,"s",{}]', moment(0))
    assert hearing.last_action == "StatusNotification"
    assert hearing._watches[2].sight.status is Status.CHARGING  # type: ignore[index]
    assert not hearing._watches[2].sight.connected  # type: ignore[index]


# -- what is known of the device (DESIGN 9) ----------------------------------------------------------------------------


class Box:
    """A device that may not be asked, and that BootNotification and Reset are dangerous to."""

    name = "box"
    watched = frozenset({"Reset", "BootNotification"})

    def tune(self, policy: Policy) -> Policy:
        return replace(policy, may_question=False)

    def dangers(self, passing: Passing) -> Sequence[Danger]:
        self.seen = passing
        return [Danger(f"BOX-{passing.answer}", Severity.WARNING, "en", "de")]

    def explanations(self, *subjects: str) -> Sequence[Explanation]:
        return [Explanation("BOX-1", "en", "de")]


def booted(box: Box, *, skims: bool = False) -> Desk:
    desk = Desk(recognise=lambda vendor, model, firmware: box if firmware else Stranger())
    desk.skims = skims
    desk.connect()
    desk.says(lambda name: examples.boot(name, "Maker", "Box", "2.1"), {"status": "Pending"})
    return desk


@pytest.mark.parametrize("skims", [False, True])
def test_a_known_device_changes_the_policy_and_warns_of_commands_and_answers(skims: bool) -> None:
    box = Box()
    desk = booted(box, skims=skims)
    assert desk.station.policy.may_question is False
    assert desk.station.view(desk.now).device == "box"
    desk.status("Unavailable")
    desk.asks(lambda name: examples.call(name, "Reset", {"type": "Soft"}))
    assert box.seen.circumstances.is_unavailable
    assert [warn.fact for warn in desk.of(Warn)] == ["BOX-Pending", "BOX-None", "BOX-Accepted"]
    assert desk.station.view(desk.now).dangerous_commands == 3


def test_the_firmware_may_be_told_by_the_configuration_alone() -> None:
    box = Box()
    desk = booted(box)
    desk.says(lambda name: examples.boot(name, "Maker", "Box", ""), {"status": "Accepted"})
    assert desk.station.view(desk.now).device == ""
    name = desk.number()
    desk.central(examples.call(name, "GetConfiguration", {}))
    keys = [{"key": "FirmwareVersion", "readonly": True, "value": "180"}]
    desk.box(examples.result(name, {"configurationKey": keys}))
    assert desk.station.view(desk.now).device == "box"
    assert desk.station.view(desk.now).firmware == "180"
    name = desk.number()
    desk.central(examples.call(name, "GetConfiguration", {}))
    desk.box(examples.result(name, {}))
    assert desk.station.view(desk.now).firmware == "180"


def test_the_last_firmware_status_is_a_circumstance() -> None:
    box = Box()
    desk = booted(box)
    desk.says(lambda name: examples.call(name, "FirmwareStatusNotification", {"status": "DownloadFailed"}))
    desk.asks(lambda name: examples.call(name, "Reset", {"type": "Soft"}))
    assert box.seen.circumstances.firmware_status == "DownloadFailed"


def test_a_suspended_connector_may_show_the_current_of_another() -> None:
    """Halo up to 183: the cable shows what the Schuko outlet draws."""
    shared = Desk(Policy(meter_is_shared=True))
    shared.begin(1, 2)
    shared.to(0)
    shared.limit(0)
    shared.status("SuspendedEVSE")
    shared.flow([35, 45, 55, 65])
    assert shared.view().episode is None
    shared.status("Available", 2)
    shared.flow([75, 85, 95])
    assert shared.view().episode is not None


@pytest.mark.parametrize("counts", [True, False])
def test_power_that_is_nonsense_does_not_count(counts: bool) -> None:
    desk = Desk(Policy(power_counts=counts))
    desk.begin()
    values = [*examples.current_values(["6.5"] * 3), {"value": "448", "measurand": "Power.Active.Import", "unit": "W"}]
    desk.box(examples.meter_values(desk.number(), values, examples.iso(desk.now.utc)))
    desk.to(desk.t + 2)
    seen = desk.view().reading
    assert seen is not None
    assert seen.power == (448.0 if counts else None)
    assert seen.currents == (6.5, 6.5, 6.5)


# -- what the central system says of connectors, and asks of schedules -------------------------------------------------


def test_availability_is_told_to_the_connectors_it_is_meant_for() -> None:
    desk = Desk()
    desk.begin(1, 2)
    for connector in (0, 1, 2):
        desk.asks(
            lambda name, c=connector: examples.call(name, "ChangeAvailability", {"connectorId": c, "type": "Operative"})  # type: ignore[misc]
        )
    assert desk.facts(FactKind.AFTERCARE) == []


@pytest.mark.parametrize(("answer", "may"), [("Accepted", True), ("Rejected", False), (None, False)])
def test_who_does_not_answer_for_its_schedule_is_remembered(answer: str | None, may: bool) -> None:
    desk = Desk()
    desk.begin()
    desk.asks(lambda name: examples.call(name, "GetCompositeSchedule", {"connectorId": 1, "duration": 60}), answer)
    desk.to(0)
    assert desk.station._may_ask_schedule is may


def test_meter_values_that_are_not_decoded_are_paired_and_counted_like_others(monkeypatch: pytest.MonkeyPatch) -> None:
    desks = Desk(), Desk()
    for desk in desks:
        desk.begin()
        values = examples.current_values(["6.5"] * 3)
        for name in ("m", "m", "n"):  # one is sent again before it is answered
            desk.box(examples.meter_values(name, values, examples.iso(START.utc)))
        for name in "mn":
            desk.central(examples.result(name))
        desk.to(0)
        monkeypatch.setattr(Alike, "read", lambda *_: None)
    read, whole = desks
    assert read.said == whole.said
    assert read.counts() == [CountKind.REPEATED_CALL]
    assert read.view() == whole.view()
    assert read.station.last_action == whole.station.last_action == "MeterValues"
