"""Raises, take-backs, transaction ids, busy channels, reconnects: when a stop goes out, and what cancels it.

Times are seconds after 0 A was ordered. Without anything else the stop goes out at 43 s (see test_faults_table).
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import examples
from ocpp_watchdog.core.decisions import FactKind, NoticeKind, Phase, StepOutcome
from scenarios.oracle import steps_of
from scenarios.peers import Traits
from scenarios.world import IGNORES, World

CONFIRMED = pytest.approx(43.0, abs=0.1)
GOES_ON = replace(IGNORES, stops_after=None)


# -- raises ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [5.0, 20.0, 31.0, 42.9])
def test_a_raise_before_the_proof_ends_the_stop_order_without_a_word(at: float) -> None:
    world = World(IGNORES).charge().stop()
    world.later(at, lambda: world.order(6.0)).run(300.0)
    assert world.sent() == []
    assert world.said() == []
    assert world.wrong() == []


def test_a_raise_after_the_stop_was_written_ends_the_episode_superseded() -> None:
    world = World(GOES_ON).charge().stop()
    world.later(60.0, lambda: world.order(6.0)).run(400.0)
    assert world.sent() == [CONFIRMED]
    assert world.said() == ["alarm", "superseded"]
    (closing,) = world.play.trace.notices(NoticeKind.SUPERSEDED)
    assert closing.notify.episode.now_ordered is not None
    assert closing.notify.episode.now_ordered.amperes == 6.0
    assert 60.0 <= world.when(NoticeKind.SUPERSEDED)[0] <= 71.0
    assert world.wrong() == []


def test_a_raise_after_the_last_reading_was_not_over_ends_the_episode_obeyed() -> None:
    world = World(IGNORES).charge().stop()
    world.later(70.0, lambda: world.order(6.0)).run(400.0)
    assert world.said() == ["alarm", "all_clear"]
    assert 70.0 <= world.when(NoticeKind.ALL_CLEAR)[0] <= 81.0
    assert world.wrong() == []


def test_a_raise_between_decision_and_writing_cancels_the_frame() -> None:
    world = World(IGNORES, lane_seconds=0.5).charge().stop()
    world.later(43.2, lambda: world.order(6.0)).run(200.0)
    assert len(world.play.trace.injects) == 1
    assert world.sent() == []
    assert len(world.play.trace.cancelled) == 1
    assert StepOutcome.CANCELLED.value in steps_of(world.play.trace)
    assert world.wrong() == []


def test_a_raise_that_waits_behind_our_stop_flows_when_it_is_answered() -> None:
    world = World(replace(IGNORES, stop_answer_seconds=3.0)).charge().stop()
    world.later(44.0, lambda: world.order(6.0)).run(120.0)
    raised = next(frame for frame in world.play.trace.passed if '"limit":6}' in frame.text)
    assert raised.at - world.play.begin - world.ordered == pytest.approx(46.0, abs=0.1)
    assert world.sent() == [CONFIRMED]


def test_a_raise_that_waits_behind_an_unanswered_stop_flows_after_ten_seconds() -> None:
    world = World(replace(IGNORES, stop_answer=None, stops_after=None)).charge().stop()
    world.later(44.0, lambda: world.order(6.0)).run(120.0)
    raised = next(frame for frame in world.play.trace.passed if '"limit":6}' in frame.text)
    assert raised.at - world.play.begin - world.ordered == pytest.approx(53.0, abs=0.1)
    assert world.wrong() == []


def test_what_was_held_flows_in_order() -> None:
    world = World(replace(IGNORES, stop_answer_seconds=3.0)).charge().stop()
    names = ("GetConfiguration", "Reset", "ClearCache")
    for number, name in enumerate(names):
        world.later(44.0 + number / 10, lambda name=name: world.central.ask(name))  # type: ignore[misc]
    world.run(60.0)
    passed = [frame for frame in world.play.trace.passed if any(f'"{name}"' in frame.text for name in names)]
    assert [next(name for name in names if name in frame.text) for frame in passed] == list(names)
    assert all(frame.at >= world.play.begin + world.ordered + 46.0 for frame in passed)


def test_zero_within_ten_seconds_takes_a_raise_back_with_its_deadline() -> None:
    world = World(IGNORES).charge().stop()
    ordered = world.ordered
    world.play.at(ordered + 20.0, lambda: world.order(6.0))
    world.play.at(ordered + 25.0, lambda: world.central.order(0))
    world.play.run(ordered + 100.0)
    assert world.sent() == [CONFIRMED]
    assert world.wrong() == []


def test_zero_within_ten_seconds_of_a_raise_goes_on_with_the_same_episode() -> None:
    world = World(GOES_ON).charge().stop()
    ordered = world.ordered
    world.play.at(ordered + 50.0, lambda: world.order(6.0))
    world.play.at(ordered + 57.0, lambda: world.central.order(0))
    world.play.run(ordered + 100.0)
    assert world.said() == ["alarm"]
    assert world.play.connector().episode is not None
    assert len(world.sent()) == 2
    assert world.wrong() == []


def test_zero_eleven_seconds_after_a_raise_is_a_new_order_with_a_new_deadline() -> None:
    world = World(IGNORES).charge().stop()
    first = world.ordered
    world.play.at(first + 20.0, lambda: world.order(6.0))
    world.play.at(first + 31.0, world.stop)
    world.play.run(first + 130.0)
    assert world.ordered == first + 31.0
    (sent,) = world.sent()
    assert 32.0 <= sent <= 43.0
    assert world.wrong() == []


def test_zero_again_every_seventy_seconds_is_no_new_order() -> None:
    world = World(GOES_ON).charge().stop()
    ordered = world.ordered
    for number in range(1, 8):
        world.play.at(ordered + 70.0 * number, lambda: world.central.order(0))
    world.play.run(ordered + 600.0)
    assert world.said() == ["alarm"]
    assert len(world.sent()) == 3
    assert world.wrong() == []


def test_zero_repeated_before_its_deadline_does_not_move_it() -> None:
    world = World(IGNORES).charge().stop()
    ordered = world.ordered
    world.play.at(ordered + 15.0, lambda: world.central.order(0))
    world.play.run(ordered + 100.0)
    assert world.sent() == [CONFIRMED]


def test_the_doubled_profile_on_switching_on_is_one_raise() -> None:
    world = World(IGNORES).charge().stop()
    for at in (20.0, 20.001):
        world.later(at, lambda: world.order(6.0))
    world.run(200.0)
    ends = [kept for kept in world.play.trace.kept if kept.record.kind is FactKind.STOP_ENDED]
    assert len(ends) == 1
    assert world.wrong() == []


def test_sun_cycles_are_caught_at_once_after_an_episode_that_was_superseded() -> None:
    world = World(GOES_ON).charge().stop()
    first = world.ordered
    world.play.at(first + 60.0, lambda: world.order(6.0))
    world.play.at(first + 250.0, world.stop)
    world.play.at(first + 320.0, lambda: world.order(6.0))
    world.play.run(first + 400.0)
    assert world.said() == ["alarm", "superseded", "alarm", "superseded"]
    assert next(at for at in world.sent() if at > 0) == pytest.approx(33.0, abs=0.1)
    assert world.wrong() == []


# -- 0 W, connector 0 ----------------------------------------------------------------------------------------------


def test_zero_watts_of_a_central_system_that_never_ordered_more_leads_to_an_alarm_only() -> None:
    world = World(IGNORES).charge().stop(unit="W").run(300.0)
    assert world.said() == ["alarm"]
    assert world.sent() == []
    assert world.play.connector().episode is not None
    assert world.play.connector().episode.alarm_only  # type: ignore[union-attr]
    assert world.wrong() == []


def test_zero_watts_counts_where_more_was_ordered_before() -> None:
    world = World(IGNORES).charge()
    world.order(11000.0, unit="W")
    world.play.wait(15.0)
    world.stop(unit="W").run(300.0)
    assert len(world.sent()) == 1
    assert world.said() == ["alarm", "all_clear"]
    assert world.wrong() == []


def test_an_order_on_connector_zero_is_an_order_on_each() -> None:
    world = World(replace(IGNORES, connectors=(1, 2))).charge(connector=0)
    world.stop(connector=0).run(300.0)
    assert {stop.inject.connector for stop in world.play.trace.stops()} == {1, 2}
    assert sorted(world.said()) == ["alarm", "alarm", "all_clear", "all_clear"]
    assert world.wrong() == []


def test_a_charge_point_that_only_ever_reports_on_zero_counts_as_connector_one() -> None:
    world = World(replace(IGNORES, meter_connector=0)).charge().stop().run(200.0)
    assert world.sent() == [CONFIRMED]
    assert world.said() == ["alarm", "all_clear"]


def test_readings_of_connector_zero_never_convict_a_connector_with_readings_of_its_own() -> None:
    world = World(Traits(obeys_after=2.0)).charge()
    values = [examples.current_values((f"6.5{number}", "6.4", "6.3")) for number in range(9)]

    def whole(number: int) -> None:
        stamp = examples.iso(world.play.clock.utc)
        world.box.say(
            examples.meter_values(world.box.new_id(), values[number % 9], stamp, connector=0, transaction=None)
        )

    for number in range(60):
        world.play.at(5.0 + 5.0 * number, lambda number=number: whole(number))  # type: ignore[misc]
    world.stop().run(200.0)
    assert world.said() == []
    assert world.sent() == []


def test_of_two_connectors_only_the_violating_one_is_acted_on() -> None:
    world = World(Traits(connectors=(1, 2), obeys_after=2.0)).charge()
    world.order(16.0, connector=2)
    world.play.wait(60.0)
    world.box.stubborn = {2}
    world.stop(connector=1)
    world.stop(connector=2).run(300.0)
    assert {stop.inject.connector for stop in world.play.trace.stops()} == {2}
    (stop,) = world.play.trace.stops()
    assert json.loads(stop.inject.text)[3]["transactionId"] == examples.TRANSACTION + 1
    assert world.phase(1) is Phase.OBEYING
    assert world.wrong() == []


def test_current_on_a_connector_without_stop_order_is_nobodys_business() -> None:
    world = World(Traits(connectors=(1, 2), obeys_after=2.0)).charge()
    world.order(16.0, connector=2)
    world.stop(connector=1).run(300.0)
    assert world.said() == []
    assert world.phase(2) is Phase.OBEYING


# -- transaction ids ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, -1, 1, 2**31 - 1, 2**31, 2**63 - 1])
def test_any_answered_id_is_sent_as_it_was_answered(number: int) -> None:
    world = World(IGNORES, transaction=number).charge().stop().run(200.0)
    (stop,) = world.play.trace.stops()
    assert json.loads(stop.inject.text)[3] == {"transactionId": number}
    assert world.said() == ["alarm", "all_clear"]


def met_in_the_middle(reported: int | None) -> World:
    """The program began after the transaction did: nobody saw its StartTransaction."""
    world = World(replace(IGNORES, reported=reported))
    plug = world.box.plugs[1]
    plug.transaction = reported
    world.play.connect()
    world.box.begin(3.0)
    world.box.show(1, "Charging")
    world.box.flow(1, 6.5)
    world.play.at(1.0, lambda: world.order(16.0))
    world.play.run(120.0)
    return world.stop().run(200.0)


def told_of_a_skipped_step(world: World) -> bool:
    """Does any notice show a person that the step had to be skipped?"""
    return any(
        step.outcome is StepOutcome.SKIPPED
        for told in world.play.trace.notices()
        for step in (*told.notify.episode.steps, *([told.notify.step] if told.notify.step else []))
    )


@pytest.mark.parametrize("number", [1, 4711, 2**31 - 1])
def test_an_id_reported_twice_is_used(number: int) -> None:
    world = met_in_the_middle(number)
    assert world.sent() == [CONFIRMED]
    assert json.loads(world.play.trace.stops()[0].inject.text)[3] == {"transactionId": number}


@pytest.mark.parametrize("number", [None, 0, -1, 2**31, 2**63 - 1])
def test_without_a_usable_id_the_step_is_skipped_and_a_person_is_called(number: int | None) -> None:
    world = met_in_the_middle(number)
    assert world.sent() == []
    assert world.said() == ["alarm"]
    assert StepOutcome.SKIPPED.value in steps_of(world.play.trace)
    assert told_of_a_skipped_step(world)
    skipped = [kept.record.step for kept in world.play.trace.kept if kept.record.step is not None]
    assert skipped[0] is not None
    assert skipped[0].why
    assert world.wrong() == []


def test_an_id_reported_once_is_not_enough() -> None:
    world = World(replace(IGNORES, reported=None))
    world.play.connect()
    world.box.begin(3.0)
    world.box.show(1, "Charging")
    world.box.flow(1, 6.5)
    world.play.at(1.0, lambda: world.order(16.0))
    world.play.run(80.0)
    values = examples.current_values(("6.51", "6.41", "6.31"))
    stamp = examples.iso(world.play.clock.utc)
    world.box.say(examples.meter_values(world.box.new_id(), values, stamp, transaction=4711))
    world.play.run(120.0)
    world.stop().run(200.0)
    assert world.sent() == []


def test_current_after_the_end_of_the_transaction_is_worse_and_must_be_stopped_by_hand() -> None:
    world = World(replace(IGNORES, goes_on_after_end=True)).charge().stop().run(300.0)
    assert world.sent() == [CONFIRMED]
    assert world.said() == ["alarm"]
    assert told_of_a_skipped_step(world)
    assert "charging_without_transaction" in world.play.trace.findings()
    assert world.play.connector().episode is not None
    assert world.wrong() == []
