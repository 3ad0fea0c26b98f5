"""What is known of a charge point between two frames."""

from __future__ import annotations

from station_kit import ONE, Desk

import examples
from ocpp_watchdog.core.decisions import CountKind
from ocpp_watchdog.core.knowing import MOST_CONNECTORS
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import ConnectorId

TWO = ConnectorId(2)


def test_a_connector_is_met_once_and_nonsense_is_not_kept() -> None:
    desk = Desk()
    desk.begin()
    for number in range(2, 80):
        desk.status("Available", number)
    assert len(desk.station._watches) == MOST_CONNECTORS


def test_a_connector_that_is_met_late_knows_what_the_others_know() -> None:
    desk = Desk(Policy())
    desk.begin()
    desk.station._never_question()
    desk.station._never_ask_schedule()
    desk.limit(6, connector=0)
    desk.status("Charging", 2)
    second = desk.station._watches[TWO]
    assert not second.sight.may_question
    assert not second.sight.may_ask_schedule
    assert second.sight.connected
    assert second.commanded is not None
    assert second.resets is desk.station._watches[ONE].resets


def test_a_connector_that_is_met_before_the_session_is_out_of_sight() -> None:
    desk = Desk()
    assert not desk.station._watch(TWO).sight.connected


def test_who_charges_beside_a_connector() -> None:
    desk = Desk()
    desk.begin(1, 2)
    assert desk.station._watches[ONE].sight.others_charge()
    desk.limit(0, connector=2)
    assert not desk.station._watches[ONE].sight.others_charge()
    assert desk.station._watches[TWO].sight.others_charge()


def test_who_charges_in_a_transaction_that_nobody_saw_begin_charges_too() -> None:
    desk = Desk()
    desk.begin()
    desk.status("Charging", 2)
    assert desk.station._watches[ONE].sight.others_charge()
    desk.status("SuspendedEV", 2)
    assert not desk.station._watches[ONE].sight.others_charge()


def test_the_id_tag_outlives_its_transaction() -> None:
    desk = Desk()
    desk.begin()
    desk.stops()
    sight = desk.station._watches[ONE].sight
    assert (sight.id_tag, sight.usable_id, sight.transaction_since) == (examples.ID_TAG, None, None)


def test_schedules_move_orders_by_time_alone() -> None:
    desk = Desk()
    desk.begin()
    later = examples.profile(0, desk.now.utc + 120.0)
    desk.asks(lambda name: examples.call(name, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": later}))
    assert desk.view().stop_ordered is None
    desk.to(0)
    assert desk.view().stop_ordered is not None
    assert desk.station._has_stop_order()


def test_what_cannot_be_read_is_counted() -> None:
    desk = Desk()
    desk.connect()
    desk.box("nonsense")
    assert desk.counts() == [CountKind.UNDECODABLE]


def test_an_id_is_shared_while_the_other_connector_that_carries_it_is_not_to_be_stopped() -> None:
    desk = Desk()
    desk.connect()
    desk.to(-110)
    desk.plug(0)
    sight = desk.station._watches[ONE].sight
    assert not sight.shares_id(), "alone with it"
    desk.plug(0, 2)
    assert sight.shares_id()
    assert desk.station._watches[TWO].sight.shares_id()
    desk.plug(8, 2)
    assert not sight.shares_id()
