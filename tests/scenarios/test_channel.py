"""Busy channels, lost connections, restarts and the owner: what a stop waits for and what survives.

Times are seconds after 0 A was ordered. Without anything else the stop goes out at 43 s (see test_faults_table).
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import examples
from ocpp_watchdog.core.decisions import Mode, NoticeKind, Phase
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.station import OwnerAction
from scenarios.oracle import CLOSING, forced
from scenarios.peers import Box, Traits
from scenarios.world import IGNORES, World

CONFIRMED = pytest.approx(43.0, abs=0.1)
GOES_ON = replace(IGNORES, stops_after=None)


def deaf(world: World, action: str) -> None:
    """The charge point never answers this action."""
    answer = world.box.receive
    world.play.to_box = lambda text: None if f'"{action}"' in text else answer(text)


# -- a busy channel ----------------------------------------------------------------------------------------------


def test_a_stop_waits_for_a_hanging_call_until_it_is_ten_seconds_old() -> None:
    world = World(IGNORES).charge()
    deaf(world, "GetConfiguration")
    world.stop().later(40.0, lambda: world.central.ask("GetConfiguration")).run(200.0)
    assert world.sent() == [pytest.approx(50.0, abs=0.1)]
    assert world.wrong() == []


def test_a_stop_goes_out_after_ten_seconds_of_waiting_all_the_same_and_the_record_says_so() -> None:
    world = World(IGNORES).charge()
    deaf(world, "GetConfiguration")
    world.stop()
    for number in range(12):
        world.later(36.0 + 3.0 * number, lambda: world.central.ask("GetConfiguration"))
    world.run(90.0)
    assert world.sent()[0] == pytest.approx(53.0, abs=0.1)
    assert forced(world.play.trace, world.play.trace.stops()[0])
    assert world.wrong() == []


def test_a_stop_waits_for_the_answer_to_the_deciding_reading() -> None:
    world = World(IGNORES).charge()
    world.central.answer_seconds = 0.8
    world.stop().run(60.0)
    assert world.sent() == [pytest.approx(43.8, abs=0.05)]


def test_a_central_system_that_answers_nothing_delays_the_stop_by_ten_seconds() -> None:
    world = World(IGNORES).charge()
    world.central.mute = {"MeterValues"}
    world.stop().run(100.0)
    assert world.sent()[0] == pytest.approx(53.0, abs=0.1)
    assert world.wrong() == []


def test_a_raise_while_a_step_waits_for_its_turn_cancels_it() -> None:
    world = World(IGNORES).charge()
    deaf(world, "GetConfiguration")
    world.stop().later(40.0, lambda: world.central.ask("GetConfiguration"))
    world.later(46.0, lambda: world.order(6.0)).run(200.0)
    assert world.sent() == []
    assert world.said() == ["alarm", "superseded"]
    assert world.wrong() == []


def test_obedience_while_a_step_waits_for_its_turn_is_no_reason_to_send_it_late_twice() -> None:
    world = World(IGNORES).charge()
    deaf(world, "GetConfiguration")
    world.stop().later(40.0, lambda: world.central.ask("GetConfiguration"))
    world.later(45.0, lambda: world.box.flow(1, 0.0)).run(200.0)
    assert len(world.sent()) <= 1
    assert world.said() == ["alarm", "all_clear"]


def test_a_step_and_a_call_that_was_held_behind_our_question_do_not_leave_together() -> None:
    # Readings every 30 s, so that our question is open when a reading convicts; its answer lets both waiters go.
    world = World(replace(IGNORES, interval=30.0, trigger=None)).charge(until=300.0, first=7.0)
    world.stop()
    answer = world.box.receive
    heard: list[str] = []

    def slowly(text: str) -> None:
        if "TriggerMessage" in text:
            uid = json.loads(text)[1]
            world.play.after(4.0, lambda: world.box.say(examples.status_result(uid)))
        elif "GetConfiguration" in text:
            uid = json.loads(text)[1]
            heard.append(uid)
            world.play.after(3.0, lambda: world.box.say(examples.status_result(uid)))
        else:
            answer(text)

    world.play.to_box = slowly
    world.later(36.0, lambda: world.central.ask("GetConfiguration"))
    world.run(60.0)
    assert world.asked() == [pytest.approx(35.1, abs=0.1)]
    assert len(heard) == 1
    assert len(world.sent()) == 1
    assert world.wrong() == []


# -- lost connections ----------------------------------------------------------------------------------------------


def away(world: World, begin: float, end: float, *, boots: bool = True, status: str = "Charging") -> None:
    """The link is down in this span; readings of that time are queued and sent after it."""

    def back() -> None:
        world.play.connect()
        if boots:
            world.box.say('[2,"b9","BootNotification",{"chargePointVendor":"Lab","chargePointModel":"Box"}]')
        world.box.show(1, status)
        world.play.after(1.0, world.box.flush)

    world.later(begin, world.play.drop)
    world.later(end, back)


@pytest.mark.parametrize("boots", [True, False])
def test_a_reconnect_before_the_deadline_delays_and_does_not_forgive(boots: bool) -> None:
    world = World(IGNORES).charge().stop()
    away(world, 10.0, 20.0, boots=boots)
    world.run(300.0)
    assert len(world.sent()) == 1
    assert 43.0 <= world.sent()[0] <= 75.0
    assert world.said() == ["alarm", "all_clear"]
    assert world.wrong() == []


def test_a_disconnect_with_an_open_episode_is_no_end() -> None:
    world = World(GOES_ON).charge().stop()
    away(world, 50.0, 170.0)
    world.run(165.0)
    assert world.said() == ["alarm"]
    assert "out_of_sight" in world.findings()
    assert world.play.connector().episode is not None
    world.run(300.0)
    assert world.said() == ["alarm"]
    assert len(world.sent()) >= 2
    assert world.wrong() == []


def test_nothing_is_sent_into_a_lost_connection() -> None:
    world = World(IGNORES).charge().stop()
    world.later(35.0, world.play.drop).run(200.0)
    assert world.play.trace.injects == []


def test_a_charge_point_that_hangs_up_at_the_stop_keeps_its_episode_and_is_stopped_again() -> None:
    world = World(replace(IGNORES, drops_at_stop=True)).charge().stop()

    def back() -> None:
        world.box.traits = IGNORES
        world.play.connect()
        world.box.show(1, "Charging")

    world.later(60.0, back).run(400.0)
    assert world.sent()[0] == CONFIRMED
    assert len(world.sent()) == 2
    assert 73.0 <= world.sent()[1] <= 110.0
    assert world.said() == ["alarm", "all_clear"]
    assert world.wrong() == []


def test_readings_queued_while_the_link_was_down_do_not_convict_an_obedient_charge_point() -> None:
    world = World(Traits(obeys_after=20.0)).charge().stop()
    away(world, 2.0, 45.0, status="SuspendedEVSE")
    world.run(200.0)
    assert world.said() == []
    assert world.sent() == []
    assert world.wrong() == []


def test_readings_without_time_stamps_do_not_count_just_after_a_reconnect() -> None:
    world = World(Traits(obeys_after=20.0, stamp="none")).charge().stop()
    away(world, 2.0, 45.0, status="SuspendedEVSE")
    world.run(200.0)
    assert world.said() == []
    assert world.sent() == []


def test_a_reboot_in_the_middle_of_an_episode_repeats_no_step_inside_its_spacing() -> None:
    world = World(GOES_ON).charge().stop()
    away(world, 45.0, 50.0)
    away(world, 80.0, 85.0)
    world.run(300.0)
    assert world.said() == ["alarm"]
    assert world.wrong() == []


# -- a central system with remote start ------------------------------------------------------------------------------


class Restarts(Box):
    """After a remote stop the plug is ready again three seconds later."""

    def _end(self, number: int, reason: str) -> None:
        super()._end(number, reason)
        self.play.after(3.0, lambda: self.show(number, "Preparing"))


def test_a_remote_start_loop_is_one_episode_within_the_budget_and_is_named_once() -> None:
    world = World(IGNORES, remote_start=True, box_kind=Restarts).charge().stop().run(600.0)
    assert world.said() == ["alarm"]
    assert len(world.sent()) == 3
    assert len(world.said(NoticeKind.REMOTE_START)) == 1
    assert world.phase() is Phase.EXHAUSTED
    assert world.wrong() == []


def test_each_stop_of_a_remote_start_loop_names_the_running_transaction() -> None:
    world = World(IGNORES, remote_start=True, box_kind=Restarts).charge().stop().run(600.0)
    texts = [stop.inject.text for stop in world.play.trace.stops()]
    assert len(texts) == len(set(texts)) == 3


# -- budget, reminders, owner ----------------------------------------------------------------------------------------


def test_after_three_stops_there_are_only_reminders_until_they_are_acknowledged() -> None:
    world = World(GOES_ON).charge().stop().run(880.0)
    assert len(world.sent()) == 3
    assert len(world.said(NoticeKind.EXHAUSTED)) == 1
    assert world.phase() is Phase.EXHAUSTED


def test_acknowledging_silences_the_reminders() -> None:
    policy = Policy(reminder_seconds=120.0)
    world = World(GOES_ON, policy=policy).charge().stop().run(500.0)
    before = len(world.said(NoticeKind.REMINDER))
    assert before >= 1
    world.play.owner(OwnerAction.ACKNOWLEDGE)
    world.run(850.0)
    assert len(world.said(NoticeKind.REMINDER)) == before
    assert world.phase() is Phase.EXHAUSTED


def test_standing_down_ends_everything_until_the_next_stop_order_after_a_raise() -> None:
    world = World(GOES_ON).charge().stop().run(50.0)
    world.play.owner(OwnerAction.STAND_DOWN)
    world.run(300.0)
    assert world.said() == ["alarm", "stood_down"]
    assert world.sent() == [CONFIRMED]
    assert world.phase() is Phase.STOOD_DOWN
    world.central.order(0)
    world.run(500.0)
    assert world.phase() is Phase.STOOD_DOWN
    world.order(6.0)
    world.play.wait(20.0)
    world.stop().run(100.0)
    assert world.said() == ["alarm", "stood_down", "alarm"]
    assert len(world.play.trace.stops()) >= 2
    assert world.wrong() == []


def test_standing_down_while_a_step_waits_cancels_it() -> None:
    world = World(IGNORES).charge()
    deaf(world, "GetConfiguration")
    world.stop().later(40.0, lambda: world.central.ask("GetConfiguration"))
    world.later(45.0, lambda: world.play.owner(OwnerAction.STAND_DOWN)).run(200.0)
    assert world.sent() == []
    assert world.said() == ["alarm", "stood_down"]


def test_standing_down_before_anything_happened_keeps_silent() -> None:
    world = World(IGNORES).charge().stop().run(10.0)
    world.play.owner(OwnerAction.STAND_DOWN)
    world.run(200.0)
    assert world.said() == []
    assert world.sent() == []


@pytest.mark.parametrize("mode", list(Mode))
def test_stop_now_sends_without_any_order_in_either_mode(mode: Mode) -> None:
    world = World(Traits(), policy=Policy(mode=mode)).charge()
    world.play.owner(OwnerAction.STOP_NOW)
    world.play.wait(30.0)
    assert len(world.play.trace.stops()) == 1
    assert world.wrong() == []


def test_observe_sends_nothing_asks_nothing_and_says_what_it_would_have_done() -> None:
    world = World(replace(IGNORES, interval=60.0), policy=Policy(mode=Mode.OBSERVE)).charge(420.0).stop().run(400.0)
    assert world.play.trace.injects == []
    assert world.said() == ["alarm"]
    assert world.phase() is Phase.VIOLATING
    assert world.wrong() == []


# -- endings ---------------------------------------------------------------------------------------------------------


def test_silence_after_the_stop_is_closed_as_unproven_and_never_called_an_all_clear() -> None:
    world = World(replace(IGNORES, silent_when_stopped=True, trigger="Rejected")).charge().stop().run(400.0)
    assert world.said() == ["alarm", "unproven"]
    (closed,) = world.when(NoticeKind.UNPROVEN)
    assert 100.0 <= closed <= 130.0
    assert world.wrong() == []


def test_silence_with_status_charging_is_no_end() -> None:
    world = World(GOES_ON).charge().stop().run(46.0)
    world.box.reading = False
    world.box.traits = replace(world.box.traits, trigger=None)
    world.run(600.0)
    assert world.said() == ["alarm"]
    assert world.phase() is Phase.VIOLATING
    assert world.sent() == [CONFIRMED]


def test_a_new_transaction_under_the_same_order_is_no_end() -> None:
    world = World(GOES_ON).charge().stop().run(50.0)
    world.box.traits = replace(world.box.traits, goes_on_after_end=True)
    world.box._end(1, "Local")
    world.play.wait(2.0)
    world.box.start(1)
    world.run(200.0)
    assert world.said() == ["alarm"]
    assert world.wrong() == []


def test_every_closing_message_names_its_episode() -> None:
    world = World(IGNORES).charge().stop().run(300.0)
    (closing,) = world.play.trace.notices(*CLOSING)
    assert closing.notify.episode.number == 1
    assert closing.notify.episode.ended is not None
    assert closing.notify.episode.transaction_ended


@pytest.mark.parametrize("lane_seconds", [0.0, 0.2, 6.0])
@pytest.mark.parametrize("at", [34.0, 38.0, 42.5, 42.999, 43.5, 50.0])
def test_an_unanswered_stop_never_holds_the_central_system_for_more_than_ten_seconds(
    at: float, lane_seconds: float
) -> None:
    world = World(replace(GOES_ON, stop_answer=None), lane_seconds=lane_seconds).charge().stop()
    world.later(at, lambda: world.play.owner(OwnerAction.STOP_NOW))
    for number in range(12):
        world.later(44.0 + 5.0 * number, lambda: world.central.ask("GetConfiguration"))
    world.run(200.0)
    assert world.wrong() == []


@pytest.mark.parametrize("lane_seconds", [0.0, 0.2, 6.0])
@pytest.mark.parametrize("at", [34.0, 36.0, 40.0, 43.5])
@pytest.mark.parametrize("mute", [True, False])
def test_a_step_that_gives_up_behind_the_owners_unanswered_stop_does_not_forget_what_is_held(
    at: float, lane_seconds: float, *, mute: bool
) -> None:
    world = World(replace(GOES_ON, stop_answer=None), lane_seconds=lane_seconds).charge()
    deaf(world, "GetConfiguration")
    world.central.mute = {"MeterValues"} if mute else set()
    world.stop()
    for number in range(30):
        world.later(33.0 + 3.0 * number, lambda: world.central.ask("GetConfiguration"))
    world.later(at, lambda: world.play.owner(OwnerAction.STOP_NOW))
    world.run(200.0)
    assert world.wrong() == []
