"""The O rows of the table of faults, each under its number; O17 and O20 stand in test_restart.py, O24 in the vectors of
the limit model (tests/core/test_schedule_vectors.py). Times are seconds after 0 A was ordered.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import examples
from ocpp_watchdog.core.decisions import Count, CountKind, Phase, StepKind
from ocpp_watchdog.core.policy import AfterStop, Policy
from scenarios.ladder_oracle import kind_of
from scenarios.oracle import steps_of
from scenarios.peers import Traits
from scenarios.world import IGNORES, World

CONFIRMED = pytest.approx(43.0, abs=0.1)
GOES_ON = replace(IGNORES, stops_after=None)


def counted(world: World, kind: CountKind) -> int:
    """How often something was counted."""
    decisions = [one for step in world.play.trace.steps if isinstance(step.gave, list) for one in step.gave]
    return decisions.count(Count(kind))


def kinds(world: World) -> list[StepKind]:
    """Steps that went out."""
    return [kind for written in world.play.trace.written if (kind := kind_of(written)) is not None]


def test_O1_a_call_that_is_never_answered_is_tried_again_within_its_budget_then_the_next_step_comes() -> None:
    policy = Policy(ladder=(StepKind.REMOTE_STOP, StepKind.INOPERATIVE))
    world = World(replace(IGNORES, stop_answer=None, stops_after=None), policy).charge().stop().run(300.0)
    assert kinds(world) == [*[StepKind.REMOTE_STOP] * 3, StepKind.INOPERATIVE]
    assert "unanswered" in steps_of(world.play.trace)
    assert world.wrong() == []


def test_O2_a_late_answer_to_ours_is_kept_back_and_counts_and_an_unknown_one_is_counted() -> None:
    world = World(replace(IGNORES, stop_answer_seconds=12.0)).charge().stop()
    world.later(50.0, lambda: world.box.say('[3,"nobody",{}]'))
    world.run(200.0)
    assert counted(world, CountKind.UNKNOWN_ANSWER) == 1
    assert counted(world, CountKind.LATE_ANSWER) == 1
    assert not any('[3, "wd-' in frame.text for frame in world.play.trace.passed)
    assert world.wrong() == []


def test_O3_a_peer_that_uses_our_id_mixes_nothing_up() -> None:
    world = World(replace(IGNORES, stop_answer_seconds=3.0)).charge().stop()
    world.later(44.0, lambda: world.box.say(examples.call(ours(world), "Heartbeat", {})))
    world.run(200.0)
    assert world.sent() == [CONFIRMED]
    assert world.said() == ["alarm", "all_clear"]
    assert len(ours(world)) <= 36


def ours(world: World) -> str:
    return world.play.trace.stops()[0].inject.unique_id


def test_O4_the_same_call_sent_again_is_forwarded_twice_and_counted_once() -> None:
    world = World(Traits()).charge()
    world.central.mute = {"Heartbeat"}
    for _ in range(2):
        world.box.say(examples.call("h1", "Heartbeat", {}))
    assert counted(world, CountKind.REPEATED_CALL) == 1
    assert sum('"h1"' in frame.text for frame in world.play.trace.passed) == 2


def test_O5_ours_waits_while_others_are_open_and_a_stop_at_most_ten_seconds() -> None:
    world = World(IGNORES).charge().stop()
    world.later(42.0, lambda: world.central.mute.update({"MeterValues", "StatusNotification"}))
    world.run(200.0)
    assert world.sent() == [pytest.approx(53.0, abs=0.2)]
    assert world.wrong() == []


def test_O6_accepted_is_no_proof_and_the_next_step_comes_at_its_time() -> None:
    policy = Policy(ladder=(StepKind.REPEAT_LIMIT, StepKind.TX_PROFILE, StepKind.REMOTE_STOP))
    world = World(IGNORES, policy).charge().stop().run(300.0)
    assert kinds(world) == [StepKind.REPEAT_LIMIT, StepKind.TX_PROFILE, StepKind.REMOTE_STOP]
    assert world.said() == ["alarm", "all_clear"]
    assert world.wrong() == []


def test_O7_zero_that_is_ignored_where_more_is_obeyed_is_found_within_two_readings() -> None:
    world = World(IGNORES).charge()
    world.order(6.0)
    world.play.wait(60.0)
    world.stop().run(200.0)
    assert len(world.sent()) == 1
    assert 30.0 < world.sent()[0] <= 50.2
    assert world.wrong() == []


def test_O8_when_readings_stop_the_connector_is_blind_after_one_question() -> None:
    world = World(replace(IGNORES, trigger=None)).charge().stop()
    world.box.reading = False
    world.run(200.0)
    assert world.phase() is Phase.BLIND
    assert len(world.asked()) == 1
    assert world.said() == []


@pytest.mark.parametrize("stamp", ["none", "garbage", "zero"])
@pytest.mark.parametrize("skew", [0.0, -1e9, 5400.0])
def test_O9_odd_clocks_and_late_or_doubled_readings_accuse_nobody_who_obeys(stamp: str, skew: float) -> None:
    world = World(Traits(obeys_after=2.0, stamp=stamp, skew=skew)).charge()
    world.box.copies = lambda: 2
    world.stop().run(200.0)
    assert world.said() == []
    assert world.wrong() == []


def test_O10_a_register_that_rises_against_a_current_of_zero_is_believed() -> None:
    world = World(replace(IGNORES, meter="zeros", register_step=1.0)).charge().stop().run(200.0)
    assert "contradiction" in world.play.trace.findings()
    assert world.sent() != []
    assert world.wrong() == []


def reading_of(values: list[dict[str, str]], stamp: str) -> World:
    """A connected charge point whose last reading is this one."""
    world = World(Traits()).charge()
    world.play.wait(1.0)
    world.box.say(examples.meter_values("odd", values, stamp, transaction=None))
    return world


def test_O11_decimal_commas_kilowatts_and_missing_phases_are_read_and_nonsense_is_not() -> None:
    values = [
        {"value": "6,51", "measurand": "Current.Import", "phase": "L1", "unit": "A"},
        {"value": "1.5", "measurand": "Power.Active.Import", "unit": "kW"},
        {"value": "oops", "measurand": "Current.Import", "phase": "L2", "unit": "A"},
    ]
    world = reading_of(values, examples.iso(examples.START_UTC + 200))
    reading = world.play.connector().reading
    assert reading is not None
    assert reading.currents == (6.51, None, None)
    assert reading.power == 1500.0


def test_O12_a_register_that_runs_backwards_breaks_nothing() -> None:
    world = World(replace(IGNORES, register_step=1.0)).charge().stop()
    for at in (20.0, 41.0):
        world.later(at, lambda: setattr(world.box.plugs[1], "energy", 1.0))
    world.run(300.0)
    assert world.play.connector().energy_against_orders_wh >= 0.0
    assert world.wrong() == []


def test_O13_an_absurd_time_stamp_is_no_time() -> None:
    world = reading_of(examples.current_values(("6.5",)), "222222017-10-27T00:00:00Z")
    reading = world.play.connector().reading
    assert reading is not None
    assert reading.timestamp is None


def test_O14_an_empty_boot_notification_is_relayed_and_nothing_breaks() -> None:
    world = World(IGNORES).charge()
    world.box.say(examples.call("boot", "BootNotification", {}))
    world.stop().run(200.0)
    assert world.sent() == [CONFIRMED]


def test_O15_control_characters_in_an_id_tag_go_out_escaped() -> None:
    world = World(IGNORES, Policy(after_stop=AfterStop.RESTART))
    world.play.connect()
    world.box.begin(3.0)
    start = examples.start_transaction("s1", world.play.clock.utc).replace(examples.ID_TAG, "TAG\\u0010\\u000e")
    world.box.plugs[1].transaction = examples.TRANSACTION
    world.box.say(start)
    world.box.show(1, "Charging")
    world.box.flow(1, 6.5)
    world.play.at(1.0, lambda: world.order(16.0))
    world.play.run(120.0)
    world.stop()
    world.later(70.0, lambda: world.order(6.0)).run(300.0)
    texts = [w.inject.text for w in world.play.trace.written if w.inject.action == "RemoteStartTransaction"]
    assert [json.loads(text)[3]["idTag"] for text in texts] == ["TAG\x10\x0e"]
    assert texts[0].isascii()
    assert "\x10" not in texts[0]


@pytest.mark.parametrize("number", [0, -1, 2**31])
def test_O16_any_answered_transaction_id_is_sent_as_it_was_and_no_other(number: int) -> None:
    world = World(IGNORES, transaction=number).charge().stop().run(200.0)
    (stop,) = world.play.trace.stops()
    assert json.loads(stop.inject.text)[3] == {"transactionId": number}


def test_O18_a_raise_in_an_episode_ends_every_step_at_once() -> None:
    world = World(GOES_ON, Policy(ladder=tuple(StepKind))).charge().stop()
    world.later(44.0, lambda: world.order(6.0)).run(400.0)
    assert kinds(world) == [StepKind.REPEAT_LIMIT]
    assert world.said() == ["alarm", "superseded"]
    assert world.wrong() == []


def test_O19_a_command_that_crosses_a_step_flows_when_the_step_is_answered_or_given_up() -> None:
    world = World(replace(IGNORES, stop_answer=None, stops_after=None)).charge().stop()
    world.later(44.0, lambda: world.order(6.0)).run(120.0)
    raised = next(frame for frame in world.play.trace.passed if '"limit":6}' in frame.text)
    assert raised.at - world.play.begin - world.ordered == pytest.approx(53.0, abs=0.1)
    assert world.wrong() == []


def test_O21_flapping_around_nothing_uses_no_more_than_the_budget() -> None:
    world = World(replace(GOES_ON, interval=5.0)).charge().stop()
    for second in range(0, 3600, 1):
        world.later(float(second), lambda on=second % 2: world.box.flow(1, 6.5 if on else 0.0))  # type: ignore[misc]
    world.run(3600.0)
    assert len(world.sent()) <= 12
    assert world.wrong() == []


@pytest.mark.parametrize("seed", range(8))
def test_O22_noise_and_a_slow_ramp_lead_to_no_remedy(seed: int) -> None:
    world = World(Traits(obeys_after=25.0, noise=0.5, jitter=2.0), seed=seed).charge().stop().run(600.0)
    assert world.sent() == []
    assert world.said() == []


def test_O23_of_two_connectors_only_the_violating_one_is_acted_on() -> None:
    world = World(Traits(connectors=(1, 2), obeys_after=2.0), Policy(ladder=tuple(StepKind))).charge()
    world.order(16.0, connector=2)
    world.play.wait(60.0)
    world.box.stubborn = {2}
    world.stop(connector=1)
    world.stop(connector=2).run(300.0)
    assert {written.inject.connector for written in world.play.trace.written} == {2}
    assert world.phase(1) is Phase.OBEYING
    assert world.wrong() == []
