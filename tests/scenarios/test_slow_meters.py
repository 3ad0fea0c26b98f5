"""Readings every 30 or 60 seconds, or none at all: one sample may be enough, and a question may be asked.

Times are seconds after 0 A was ordered; the answer comes after 0.1 s: deadline at 30.1 s, question at 35.1 s.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from ocpp_watchdog.core.decisions import Mode, NoticeKind, Phase
from ocpp_watchdog.core.policy import Policy
from scenarios.peers import Traits
from scenarios.world import IGNORES, World

ASKED = pytest.approx(35.1, abs=0.1)
MUTE = replace(IGNORES, interval=60.0, trigger="Rejected")


def slow(interval: float, first: float, **traits: object) -> Traits:
    """Ignores 0 A, refuses questions, reads at ``first`` and then every interval."""
    return replace(MUTE, interval=interval, **traits)  # type: ignore[arg-type]


def charged(traits: Traits, phase: float, policy: Policy | None = None) -> World:
    """Charging for six readings; the next reading comes ``phase`` seconds after the order."""
    world = World(traits, policy=policy or Policy())
    return world.charge(until=6 * traits.interval, first=phase)


# -- one sample or two -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "phase", "sent"),
    [
        (30.0, 3.0, 33.0),
        (30.0, 29.0, 59.0),
        (60.0, 3.0, 63.0),
        (60.0, 31.5, 31.5),
        (60.0, 55.0, 55.0),
        (20.0, 11.5, 31.5),
    ],
)
def test_one_sample_is_enough_where_the_status_was_charging_all_along(
    interval: float, phase: float, sent: float
) -> None:
    world = charged(slow(interval, phase), phase).stop().run(300.0)
    assert world.sent()[0] == pytest.approx(sent, abs=0.1)
    assert world.said() == ["alarm", "all_clear"]
    assert world.wrong() == []


def test_one_sample_is_enough_where_the_register_rose_since_the_order() -> None:
    world = charged(slow(30.0, 3.0, register_step=1.0), 3.0)
    world.box.show(1, "SuspendedEV")
    world.stop().run(300.0)
    assert world.sent()[0] == pytest.approx(33.0, abs=0.1)


def test_one_sample_is_enough_after_an_over_sample_ten_seconds_after_the_order() -> None:
    world = charged(slow(30.0, 15.0), 15.0)
    world.box.show(1, "SuspendedEV")
    world.stop().run(300.0)
    assert world.sent()[0] == pytest.approx(45.0, abs=0.1)


def test_one_sample_is_not_enough_where_nothing_supports_it() -> None:
    world = charged(slow(30.0, 3.0), 3.0)
    world.box.show(1, "SuspendedEV")
    world.stop().run(300.0)
    assert world.sent()[0] == pytest.approx(63.0, abs=0.1)
    assert world.wrong() == []


def test_a_charge_point_of_which_little_is_known_needs_two() -> None:
    world = World(slow(30.0, 3.0)).charge(until=60.0).stop().run(300.0)
    assert world.sent()[0] == pytest.approx(63.0, abs=0.1)


def test_a_sample_below_in_between_breaks_the_proof() -> None:
    world = World(IGNORES).charge().stop()
    world.later(34.0, lambda: world.box.flow(1, 0.0))
    world.later(44.0, lambda: world.box.flow(1, 6.5))
    world.run(100.0)
    assert world.sent() == [pytest.approx(63.0, abs=0.1)]


def test_the_same_reading_twice_is_one_sample() -> None:
    world = World(IGNORES).charge().stop()
    world.box.copies = lambda: 3
    world.run(100.0)
    assert world.sent()[0] == pytest.approx(43.0, abs=0.1)


def test_readings_closer_than_eight_seconds_are_not_enough() -> None:
    world = World(replace(IGNORES, interval=4.0)).charge(first=3.0).stop().run(38.6)
    assert world.sent() == []
    world.run(60.0)
    assert world.sent()[0] == pytest.approx(39.0, abs=0.6)


# -- questions -----------------------------------------------------------------------------------------------------


def test_a_slow_meter_is_asked_once_five_seconds_after_the_deadline_and_the_answer_convicts() -> None:
    world = charged(replace(IGNORES, interval=60.0), 3.0).stop().run(50.0)
    assert world.asked() == [ASKED]
    assert world.sent() == [pytest.approx(35.2, abs=0.2)]
    assert world.wrong() == []


def test_an_obedient_slow_charge_point_is_asked_and_found_obeying() -> None:
    world = charged(replace(Traits(), interval=60.0), 3.0).stop().run(50.0)
    assert world.asked() == [ASKED]
    assert world.sent() == []
    assert world.said() == []
    assert world.phase() is Phase.OBEYING


def test_a_meter_that_has_spoken_after_the_deadline_is_not_asked() -> None:
    world = charged(slow(30.0, 3.0), 3.0).stop().run(200.0)
    assert world.asked() == []


@pytest.mark.parametrize("word", ["Rejected", "NotImplemented", "error", None])
def test_a_charge_point_that_spurned_a_question_is_never_asked_again(word: str | None) -> None:
    world = charged(replace(Traits(), interval=60.0, trigger=word), 3.0).stop().run(100.0)
    assert len(world.asked()) == 1
    world.order(16.0)
    world.play.wait(137.0)
    world.stop().run(200.0)
    assert [at for at in world.asked() if at > 0] == []
    assert world.wrong() == []


def test_a_charge_point_that_answers_is_asked_again_at_the_next_stop_order() -> None:
    world = charged(replace(Traits(), interval=60.0), 3.0).stop().run(100.0)
    world.order(16.0)
    world.play.wait(140.0)
    world.stop().run(60.0)
    assert [at for at in world.asked() if at > 0] == [ASKED]


@pytest.mark.parametrize("word", ["Rejected", "error"])
def test_a_question_of_the_central_system_that_was_refused_counts_too(word: str) -> None:
    world = charged(replace(Traits(), interval=60.0, trigger=word), 3.0)
    world.central.ask("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
    world.play.wait(1.0)
    world.stop().run(100.0)
    assert world.asked() == []


def test_no_question_goes_out_within_twenty_seconds_of_a_start_transaction() -> None:
    world = charged(replace(IGNORES, interval=600.0), 3.0).stop()
    world.later(25.0, lambda: world.box.start(1)).run(44.9)
    assert world.asked() == []
    world.run(120.0)
    assert all(at >= 45.0 for at in world.asked())
    assert world.wrong() == []


def test_no_question_goes_out_within_twenty_seconds_of_a_start_transaction_on_the_other_connector() -> None:
    # "No question of ours goes out within 20 s of a StartTransaction": of any, as it stands.
    world = World(replace(Traits(), interval=600.0, connectors=(1, 2)))
    world.charge(until=120.0, connector=0).stop(connector=1)
    world.later(25.0, lambda: world.box.start(2)).run(44.9)
    assert world.asked() == []
    world.run(120.0)
    assert world.wrong() == []


def test_a_question_that_finds_no_idle_channel_is_dropped() -> None:
    world = charged(replace(Traits(), interval=600.0), 3.0)
    answer = world.box.receive
    world.play.to_box = lambda text: None if "GetConfiguration" in text else answer(text)
    world.stop()
    for number in range(9):
        world.later(30.0 + 4.0 * number, lambda: world.central.ask("GetConfiguration"))
    world.run(71.0)
    assert world.asked() == []
    world.run(200.0)
    assert len(world.asked()) <= 1
    assert world.wrong() == []


def test_a_question_never_delays_a_step() -> None:
    world = World(replace(IGNORES, interval=12.0, trigger=None)).charge(until=123.0).stop()
    world.run(100.0)
    assert world.sent()
    assert world.wrong() == []


@pytest.mark.parametrize("policy", [Policy(mode=Mode.OBSERVE), Policy(may_question=False)], ids=["observe", "off"])
def test_nothing_is_asked_where_questions_are_off(policy: Policy) -> None:
    world = charged(replace(Traits(), interval=60.0), 3.0, policy).stop().run(200.0)
    assert world.play.trace.injects == []


def test_the_question_is_a_trigger_message_for_meter_values_of_this_connector() -> None:
    world = charged(replace(Traits(), interval=60.0), 3.0).stop().run(50.0)
    (question,) = world.play.trace.questions()
    assert '"TriggerMessage"' in question.inject.text
    assert '"requestedMessage":"MeterValues"' in question.inject.text.replace(" ", "")
    assert '"connectorId":1' in question.inject.text.replace(" ", "")


# -- silence -------------------------------------------------------------------------------------------------------


def test_a_transaction_without_readings_is_blind_and_not_fine() -> None:
    world = charged(replace(Traits(), interval=10.0, trigger="Rejected"), 3.0)
    world.box.reading = False
    world.play.wait(61.0)
    assert world.phase() is Phase.BLIND


def test_blindness_ends_with_the_next_reading() -> None:
    world = charged(replace(Traits(), interval=10.0, trigger="Rejected"), 3.0)
    world.box.reading = False
    world.play.wait(100.0)
    world.box.reading = True
    world.play.wait(31.0)
    assert world.phase() is Phase.OBEYING


def test_an_empty_plug_without_readings_is_not_blind() -> None:
    world = charged(replace(Traits(), interval=10.0, trigger="Rejected"), 3.0).stop().run(60.0)
    world.box.unplug(1)
    world.box.reading = False
    world.run(400.0)
    assert world.phase() is not Phase.BLIND
    assert world.said() == []


# -- meters with nothing but a register, or nothing but power ----------------------------------------------------


@pytest.mark.parametrize("interval", [10.0, 30.0, 60.0])
@pytest.mark.parametrize("power", [1.0, None], ids=["power", "register_only"])
@pytest.mark.parametrize("obeys_after", [1.0, 15.0, 25.0])
def test_an_obedient_charge_point_that_reports_no_current_is_not_accused(
    interval: float, power: float | None, obeys_after: float
) -> None:
    traits = Traits(interval=interval, currents=False, power=power, register_step=1.0, obeys_after=obeys_after)
    for phase in (3.0, 0.6 * interval):
        world = charged(traits, phase).stop().run(400.0)
        assert world.sent() == []
        assert world.said() == []


@pytest.mark.parametrize("interval", [10.0, 30.0, 60.0])
@pytest.mark.parametrize("power", [1.0, None], ids=["power", "register_only"])
def test_an_ignoring_charge_point_that_reports_no_current_gets_its_alarm(interval: float, power: float | None) -> None:
    traits = replace(IGNORES, interval=interval, currents=False, power=power, register_step=1.0)
    world = charged(traits, 3.0).stop().run(400.0)
    assert world.said(NoticeKind.ALARM) == ["alarm"]
    assert world.wrong() == []


@pytest.mark.parametrize("draw", [1.2, 2.0, 2.9, 3.5])
@pytest.mark.parametrize("interval", [20.0, 30.0])
def test_an_obedient_car_that_drew_little_is_not_accused_by_its_register(draw: float, interval: float) -> None:
    # Against a reading of 0 A only intervals between two such readings count; 2 A is none.
    traits = Traits(interval=interval, draw=draw, decimals=1, power=None, register_step=1.0, obeys_after=25.0)
    for phase in (1.0, 3.0, 6.0, 12.0, 17.0):
        world = charged(replace(traits, answer_seconds=9.5, trigger="Rejected"), phase).stop().run(200.0)
        assert world.sent() == []
        assert world.said() == []
