"""What follows our steps: the own profile cleared, the connector set back, the transaction started anew."""

from __future__ import annotations

import json

import pytest
from station_kit import PLUGGED, SEVEN, Bench, Desk, in_amperes, moment

import examples
from ocpp_watchdog.core.decisions import FactKind, Mode, StepKind
from ocpp_watchdog.core.devices import nobody
from ocpp_watchdog.core.leftovers import OwnProfile
from ocpp_watchdog.core.policy import AfterStop, Policy, SetBack
from ocpp_watchdog.core.station import OwnerAction

QUIET = {"composite_schedule_question": False}
CLEAR, SET, OPERATIVE = "ClearChargingProfile", "SetChargingProfile", "ChangeAvailability"
TX = Policy(ladder=(StepKind.TX_PROFILE,), **QUIET)  # type: ignore[arg-type]
OUT = Policy(ladder=(StepKind.INOPERATIVE,), set_back=SetBack.ALL_CLEAR, **QUIET)  # type: ignore[arg-type]
AGAIN = Policy(after_stop=AfterStop.RESTART, **QUIET)  # type: ignore[arg-type]


def ignored(policy: Policy, answer: str | None = "Accepted") -> Desk:
    """The first step went out at 43."""
    desk = Desk(policy)
    desk.ignored()
    if answer is not None:
        desk.answer(desk.stop(), answer)
    return desk


def cared(desk: Desk) -> list[str]:
    return desk.texts(FactKind.AFTERCARE)


def actions(desk: Desk) -> list[str]:
    return [action for _, action in desk.wire()]


def newest(desk: Desk) -> object:
    return json.loads(desk.written[-1][1].text)[3]


# -- our own profile ---------------------------------------------------------------------------------------------------


def test_our_profile_goes_as_soon_as_the_central_system_orders_something_else() -> None:
    desk = ignored(TX)
    desk.flow([53], 0.0)
    desk.to(60)
    desk.limit(0)
    assert actions(desk) == [SET]
    desk.to(70)
    desk.limit(6)
    assert actions(desk) == [SET, CLEAR]
    assert newest(desk) == {"id": 101}
    desk.answer(desk.written[-1][1], "Unknown")
    assert not desk.view().has_own_profile
    assert cared(desk) == ["clear sent", "clear accepted"]


def test_a_profile_that_cannot_be_cleared_is_tried_again_later() -> None:
    desk = ignored(TX)
    desk.to(50)
    desk.limit(6)
    desk.answer(desk.written[-1][1], "Rejected")
    desk.to(109)
    assert actions(desk).count(CLEAR) == 1
    desk.to(111)
    assert actions(desk).count(CLEAR) == 2
    assert desk.view().has_own_profile


def test_a_profile_ends_with_its_transaction() -> None:
    desk = ignored(TX)
    desk.stops()
    desk.limit(6)
    assert actions(desk) == [SET]
    assert not desk.view().has_own_profile


def test_a_profile_of_a_transaction_that_nobody_saw_end_is_forgotten_with_the_next_one() -> None:
    desk = ignored(TX)
    desk.to(50)
    desk.plug(8)
    desk.limit(6)
    assert CLEAR not in actions(desk)


def test_a_refused_profile_leaves_nothing_behind() -> None:
    desk = ignored(TX, "Rejected")
    desk.to(50)
    desk.limit(6)
    assert actions(desk) == [SET]


def test_a_profile_is_cleared_in_the_next_session_too() -> None:
    desk = ignored(TX)
    desk.to(45)
    desk.drop()
    desk.to(60)
    desk.connect()
    desk.limit(6)
    assert actions(desk) == [SET, CLEAR]


def test_what_is_to_be_cleared_waits_for_an_idle_channel_and_goes_out_when_there_is_one() -> None:
    desk = ignored(TX)
    desk.to(50)
    desk.limit(6, answer=None)
    desk.to(59.9)
    assert actions(desk) == [SET]
    desk.to(60)
    assert actions(desk) == [SET, CLEAR]


def test_what_finds_no_idle_channel_is_tried_again_a_minute_later() -> None:
    desk = ignored(TX)
    desk.to(50)
    desk.limit(6, answer=None)
    desk.to(55)
    desk.asks(lambda name: examples.call(name, "GetConfiguration", {}), None)
    desk.to(119)
    assert actions(desk) == [SET]
    assert cared(desk) == ["clear not sent: the channel was never idle"]
    desk.to(121)
    assert actions(desk) == [SET, CLEAR]


def test_a_clear_that_was_not_due_any_more_goes_out_at_once_when_it_is_again() -> None:
    desk = ignored(TX)
    desk.to(50)
    desk.limit(6, answer=None)
    desk.to(52)
    desk.limit(0)
    desk.to(61)
    assert cared(desk) == ["clear not sent: no longer wanted"]
    desk.to(65)
    desk.limit(6)
    assert actions(desk) == [SET, CLEAR]


def test_a_zero_that_comes_back_before_it_is_cleared_keeps_it() -> None:
    desk = ignored(TX)
    desk.to(50)
    desk.limit(6, answer=None)
    desk.to(52)
    desk.limit(0)
    desk.to(80)
    assert CLEAR not in actions(desk)


# -- the connector out of service --------------------------------------------------------------------------------------


def test_the_connector_is_set_back_after_the_all_clear() -> None:
    desk = ignored(OUT, "Scheduled")
    assert desk.view().is_inoperative
    desk.flow([53, 63, 73, 83, 93, 103, 113], 0.0)
    assert actions(desk) == [OPERATIVE, OPERATIVE]
    assert newest(desk) == {"connectorId": 1, "type": "Operative"}
    desk.answer(desk.written[-1][1])
    assert not desk.view().is_inoperative


def test_the_owner_sets_back_by_name_where_he_wants_to() -> None:
    desk = ignored(Policy(ladder=(StepKind.INOPERATIVE,), **QUIET))  # type: ignore[arg-type]
    desk.flow([53, 63, 73, 83, 93, 103, 113], 0.0)
    assert actions(desk) == [OPERATIVE]
    desk.owner(OwnerAction.SET_BACK)
    desk.owner(OwnerAction.SET_BACK)
    assert actions(desk) == [OPERATIVE, OPERATIVE]
    assert desk.texts(FactKind.OWNER) == ["set_back", "set_back: one is on its way"]
    desk.drop()
    desk.owner(OwnerAction.SET_BACK)
    assert desk.texts(FactKind.OWNER)[-1] == "set_back: not connected"


def test_where_the_central_system_starts_anew_it_stays_out_of_service_until_current_is_ordered() -> None:
    desk = ignored(OUT)
    desk.asks(examples.remote_start)
    desk.flow([53, 63, 73, 83, 93, 103, 113], 0.0)
    assert actions(desk) == [OPERATIVE]
    desk.limit(6)
    desk.to(130)
    assert actions(desk) == [OPERATIVE, OPERATIVE]


def test_silence_sets_nothing_back_and_standing_down_does() -> None:
    silent = ignored(OUT)
    silent.to(45)
    silent.stops()
    silent.status("Finishing")
    silent.to(200)
    assert actions(silent) == [OPERATIVE]
    told = ignored(OUT)
    told.to(44)
    told.owner(OwnerAction.STAND_DOWN)
    assert actions(told) == [OPERATIVE, OPERATIVE]


@pytest.mark.parametrize("word", ["Operative", "Inoperative"])
def test_what_the_central_system_says_of_the_connector_holds(word: str) -> None:
    desk = ignored(OUT)
    desk.asks(lambda name: examples.call(name, OPERATIVE, {"connectorId": 0, "type": word}))
    assert not desk.view().is_inoperative
    assert cared(desk) == ["set_back: the central system has ordered it"]
    desk.asks(lambda name: examples.call(name, OPERATIVE, {"connectorId": 2, "type": word}))


def test_a_refused_order_leaves_the_connector_as_it_was() -> None:
    assert not ignored(OUT, "Rejected").view().is_inoperative


def test_nothing_is_set_back_in_maintenance() -> None:
    desk = ignored(OUT)
    desk.do(desk.station.maintain(moment(400), desk.now))
    desk.flow([53, 63, 73, 83, 93, 103, 113], 0.0)
    assert actions(desk) == [OPERATIVE]
    desk.to(401)
    assert actions(desk) == [OPERATIVE, OPERATIVE]


# -- a new start -------------------------------------------------------------------------------------------------------


def stopped(policy: Policy = AGAIN) -> Desk:
    """Our stop has ended the transaction, and 6 A are ordered again at 120."""
    desk = ignored(policy)
    desk.to(44)
    desk.stops()
    desk.status("Finishing")
    desk.flow([53, 63, 73, 83, 93, 103, 113], 0.0)
    desk.to(120)
    desk.limit(6)
    return desk


def test_the_transaction_is_started_anew_once_when_current_has_been_ordered_for_two_minutes() -> None:
    desk = stopped()
    desk.to(239)
    assert actions(desk) == ["RemoteStopTransaction"]
    desk.to(241)
    assert desk.wire()[-1] == (240, "RemoteStartTransaction")
    assert newest(desk) == {"connectorId": 1, "idTag": examples.ID_TAG}
    desk.answer(desk.written[-1][1])
    desk.to(1000)
    assert len(actions(desk)) == 2


def test_a_break_begins_the_two_minutes_again() -> None:
    desk = stopped()
    desk.to(200)
    desk.limit(0)
    desk.to(220)
    desk.limit(6)
    desk.limit(7)
    desk.to(339)
    assert len(actions(desk)) == 1
    desk.to(341)
    assert len(actions(desk)) == 2


def test_current_that_is_ordered_when_the_transaction_ends_counts_from_then() -> None:
    desk = ignored(AGAIN)
    desk.to(44)
    desk.limit(6)
    desk.to(50)
    desk.stops()
    desk.status("Finishing")
    desk.to(171)
    assert desk.wire()[-1] == (170, "RemoteStartTransaction")


@pytest.mark.parametrize("event", ["unplugged", "started", "started by the central system", "stood down"])
def test_nothing_is_started_anew_where_somebody_else_takes_care_or_the_car_is_gone(event: str) -> None:
    desk = stopped()
    if event == "unplugged":
        desk.status("Available")
    elif event == "started":
        desk.plug(8)
    elif event == "started by the central system":
        desk.asks(examples.remote_start)
    else:
        desk.owner(OwnerAction.STAND_DOWN)
    desk.to(600)
    assert actions(desk) == ["RemoteStopTransaction"]
    assert cared(desk)[-1].startswith("restart: ")


@pytest.mark.parametrize("policy", [Policy(**QUIET), Policy(mode=Mode.OBSERVE, after_stop=AfterStop.RESTART)])  # type: ignore[arg-type]
def test_nothing_is_started_anew_unless_the_owner_wants_that(policy: Policy) -> None:
    desk = Desk(policy)
    desk.ignored()
    desk.to(44)
    desk.stops()
    desk.to(120)
    desk.limit(6)
    desk.to(600)
    assert "RemoteStartTransaction" not in actions(desk)


def test_a_transaction_that_ends_of_itself_is_not_started_anew() -> None:
    desk = Desk(AGAIN)
    desk.begin()
    desk.stops()
    desk.to(600)
    assert actions(desk) == []


def test_a_transaction_that_ends_long_after_our_stop_was_not_ended_by_it() -> None:
    desk = ignored(AGAIN)
    desk.flow([53, 63, 73, 83, 93, 103, 113], 0.0)
    desk.to(164)
    desk.stops()
    desk.limit(6)
    desk.to(600)
    assert actions(desk) == ["RemoteStopTransaction"]


def test_a_transaction_whose_id_tag_nobody_knows_is_not_started_anew() -> None:
    desk = Desk(AGAIN)
    desk.connect()
    desk.to(PLUGGED)
    desk.status("Charging")
    desk.limit(16)
    for t in (-57, -47, -37, -27, -17, -7):
        desk.meter(t, 6.5, transaction=7)
    desk.to(0)
    desk.limit(0)
    for t in (3, 13, 23, 33, 43):
        desk.meter(t, 6.5, transaction=7)
    desk.answer(desk.stop())
    desk.to(44)
    desk.stops()
    assert cared(desk) == ["restart: no id tag is known"]


def test_a_refused_stop_leaves_nothing_to_care_for() -> None:
    desk = ignored(AGAIN, "Rejected")
    desk.flow([53, 63, 73, 83, 93, 103, 113], 0.0)
    assert cared(desk) == []


def test_availability_ordered_where_we_had_set_nothing_is_no_news() -> None:
    desk = ignored(AGAIN)
    desk.asks(lambda name: examples.call(name, OPERATIVE, {"connectorId": 0, "type": "Operative"}))
    assert cared(desk) == []


@pytest.mark.parametrize("who", ["the owner", "the central system"])
def test_nothing_is_started_anew_where_somebody_took_care_before_the_transaction_ended(who: str) -> None:
    desk = ignored(AGAIN)
    desk.to(44)
    if who == "the owner":
        desk.owner(OwnerAction.STAND_DOWN)
    else:
        desk.asks(examples.remote_start)
    desk.stops()
    desk.to(120)
    desk.limit(6)
    desk.to(600)
    assert actions(desk) == ["RemoteStopTransaction"]


def test_an_earlier_remote_start_of_the_central_system_changes_nothing() -> None:
    desk = Desk(AGAIN)
    desk.connect()
    desk.asks(examples.remote_start)
    desk.ignored()
    desk.to(44)
    desk.stops()
    desk.status("Finishing")
    desk.limit(6)
    desk.to(170)
    assert actions(desk)[-1] == "RemoteStartTransaction"


def test_what_was_said_before_our_stop_says_nothing_of_the_cable() -> None:
    desk = ignored(AGAIN)
    desk.to(44)
    desk.stops()
    desk.to(120)
    desk.limit(6)
    desk.to(400)
    assert actions(desk) == ["RemoteStopTransaction"]
    desk.status("Finishing")
    assert actions(desk) == ["RemoteStopTransaction", "RemoteStartTransaction"]


def test_a_status_that_comes_between_our_stop_and_the_end_of_the_transaction_shows_the_cable() -> None:
    desk = ignored(AGAIN)
    desk.to(44)
    desk.status("Finishing")
    desk.stops()
    desk.limit(6)
    desk.to(165)
    assert actions(desk)[-1] == "RemoteStartTransaction"


@pytest.mark.parametrize("reason", ["EVDisconnected", "Local", "UnlockCommand", "DeAuthorized", "EmergencyStop"])
def test_what_a_person_or_the_car_ended_is_not_started_anew(reason: str) -> None:
    desk = ignored(AGAIN, "Rejected")
    desk.to(60)
    desk.says(lambda name: examples.stop_transaction(name, desk.now.utc, SEVEN, reason))
    desk.status("Finishing")
    desk.to(120)
    desk.limit(6)
    desk.to(600)
    assert "RemoteStartTransaction" not in actions(desk)


def speaks_of_zero_only() -> Desk:
    """A wallbox whose status comes under connector 0; our stop has ended its transaction."""
    desk = Desk(AGAIN)
    desk.connect()
    desk.to(PLUGGED)
    answer: dict[str, object] = {"transactionId": SEVEN, "idTagInfo": {"status": "Accepted"}}
    desk.says(lambda name: examples.start_transaction(name, desk.now.utc), answer)
    desk.status("Charging", 0)
    desk.limit(16)
    desk.flow([-57, -47, -37, -27, -17, -7])
    desk.to(0)
    desk.limit(0)
    desk.flow([3, 13, 23, 33, 43])
    desk.answer(desk.stop())
    desk.to(44)
    desk.stops()
    desk.status("Finishing", 0)
    return desk


def test_a_status_of_connector_zero_alone_shows_the_cable_too() -> None:
    desk = speaks_of_zero_only()
    desk.limit(6)
    desk.to(165)
    assert actions(desk)[-1] == "RemoteStartTransaction"


def test_available_on_connector_zero_alone_may_mean_that_the_cable_was_unplugged() -> None:
    desk = speaks_of_zero_only()
    desk.to(80)
    desk.status("Available", 0)
    desk.to(90)
    desk.status("Preparing", 0)  # somebody else's car
    desk.limit(6)
    desk.to(600)
    assert actions(desk) == ["RemoteStopTransaction"]
    assert cared(desk) == ["restart: the cable may have been unplugged"]


def test_available_of_the_whole_charge_point_says_nothing_where_connectors_speak_for_themselves() -> None:
    desk = stopped()
    desk.status("Available", 0)
    desk.to(241)
    assert actions(desk)[-1] == "RemoteStartTransaction"


def test_what_the_owner_does_not_want_any_more_is_not_done() -> None:
    desk = stopped()
    desk.do(desk.station.use(Policy(**QUIET), nobody, desk.now))  # type: ignore[arg-type]
    desk.to(600)
    assert actions(desk) == ["RemoteStopTransaction"]


def test_in_the_next_session_nothing_is_started_anew_before_the_cable_was_seen() -> None:
    desk = stopped()
    desk.drop()
    desk.to(300)
    desk.connect()
    desk.to(400)
    assert actions(desk) == ["RemoteStopTransaction"]
    desk.status("Finishing")
    assert actions(desk) == ["RemoteStopTransaction", "RemoteStartTransaction"]


def test_a_refused_profile_leaves_the_one_before_it() -> None:
    bench = Bench(TX)
    bench.watch.profile_sent(101, SEVEN, in_amperes(10.0))
    bench.watch.profile_sent(101, SEVEN, in_amperes(6.0))
    bench.watch.profile_sent(101, SEVEN, in_amperes(0.0))
    bench.watch.step_was_refused(StepKind.TX_PROFILE)
    assert bench.watch.leftovers.profile == OwnProfile(101, SEVEN, in_amperes(6.0))
    bench.watch.step_was_refused(StepKind.TX_PROFILE)
    bench.watch.step_was_refused(StepKind.TX_PROFILE)
    assert bench.watch.leftovers.profile is None
