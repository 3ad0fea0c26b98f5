"""What happens while a step waits: for its commit, for its turn, for an answer to a question of ours. What takes the
reason away cancels each kind of step, costs no budget, and lets it come back with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

import examples
from core.station_kit import Desk
from ocpp_watchdog.core.decisions import CallOut, Inject, StepKind, StepOutcome
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.station import OwnerAction
from scenarios.peers import Traits
from scenarios.world import IGNORES, World

CONFIRMED = 43.0
STEPS = list(StepKind)
NEEDS_ID = (StepKind.TX_PROFILE, StepKind.REMOTE_STOP)


def decided(kind: StepKind) -> tuple[Desk, Inject | CallOut]:
    """0 A is ignored, and this step is decided at 43; it waits for its commit."""
    desk = Desk(Policy(ladder=(kind,), composite_schedule_question=False))
    desk.writes = False
    desk.ignored()
    steps = [each for each in desk.said if isinstance(each, Inject | CallOut)]
    assert len(steps) == 1
    return desk, steps[0]


def goes_out(desk: Desk, step: Inject | CallOut) -> bool:
    """Its commit is there."""
    desk.to(43.4)
    before = len(desk.outcomes())
    if isinstance(step, Inject):
        desk.write(step)
    else:
        desk.call(step)
    return "sent" in desk.outcomes()[before:]


def lowered(desk: Desk) -> None:
    desk.meter(43.2, 0.0)


MEANWHILE: dict[str, Callable[[Desk], object]] = {
    "a raise": lambda desk: desk.limit(6),
    "a raise that nobody answers": lambda desk: desk.limit(6, answer=None),
    "no limit any more": lambda desk: desk.asks(lambda name: examples.call(name, "ClearChargingProfile", {})),
    "standing down": lambda desk: desk.owner(OwnerAction.STAND_DOWN),
    "maintenance": lambda desk: desk.do(desk.station.maintain(desk.now.later(600.0), desk.now)),
    "obedience": lowered,
    "a lost connection": lambda desk: desk.drop(),
}


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("event", MEANWHILE)
def test_what_takes_the_reason_away_while_a_step_waits_cancels_it(kind: StepKind, event: str) -> None:
    desk, step = decided(kind)
    desk.to(43.2)
    MEANWHILE[event](desk)
    assert not goes_out(desk, step)
    assert not desk.wire()
    assert desk.station._watches[step.connector].ladder.is_fresh(desk.now), "it costs no budget"


@pytest.mark.parametrize("kind", STEPS)
def test_what_changes_nothing_lets_the_step_go_out(kind: StepKind) -> None:
    desk, step = decided(kind)
    desk.to(43.2)
    desk.limit(0)
    desk.status("SuspendedEVSE")
    desk.owner(OwnerAction.ACKNOWLEDGE)
    desk.says(examples.boot)
    assert goes_out(desk, step)


@pytest.mark.parametrize("kind", NEEDS_ID)
def test_the_end_of_its_transaction_cancels_what_names_it(kind: StepKind) -> None:
    desk, step = decided(kind)
    desk.to(43.2)
    desk.stops()
    assert not goes_out(desk, step)


@pytest.mark.parametrize("kind", STEPS)
def test_a_raise_that_is_taken_back_brings_the_step_back_with_the_next_reading(kind: StepKind) -> None:
    desk, step = decided(kind)
    desk.to(43.2)
    desk.limit(6)
    assert not goes_out(desk, step)
    desk.to(47)
    desk.writes = True
    desk.limit(0)
    desk.flow([53])
    assert desk.outcomes()[-1] == "sent"
    assert desk.notices().count("alarm") == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", STEPS)
def test_the_end_of_maintenance_brings_the_step_back_with_the_next_reading(kind: StepKind) -> None:
    desk, step = decided(kind)
    desk.to(43.2)
    desk.do(desk.station.maintain(desk.now.later(5.0), desk.now))
    assert not goes_out(desk, step)
    desk.writes = True
    desk.flow([53])
    assert desk.outcomes()[-1] == "sent"


@pytest.mark.parametrize("kind", STEPS)
def test_a_reconnect_brings_the_step_back_with_a_reading_of_the_new_session(kind: StepKind) -> None:
    desk, step = decided(kind)
    desk.to(43.2)
    desk.drop()
    assert not goes_out(desk, step)
    desk.to(50)
    desk.connect()
    desk.says(examples.boot)
    desk.status("Charging")
    desk.writes = True
    assert desk.outcomes()[-1] == "not_sent"
    desk.flow([60])
    assert desk.outcomes()[-1] == "sent"


# -- a question of ours that nobody answers ----------------------------------------------------------------------------

MUTE = replace(IGNORES, schedule_answer=None, stop_answer="Rejected", stops_after=None)
TWO_STEPS = Policy(ladder=(StepKind.REMOTE_STOP, StepKind.INOPERATIVE))


def test_a_raise_behind_a_question_that_is_never_answered_flows_after_ten_seconds_and_ends_everything() -> None:
    world = World(MUTE, policy=TWO_STEPS).charge().stop()
    world.later(45.0, lambda: world.order(6.0)).run(300.0)
    raised = next(frame for frame in world.play.trace.passed if '"limit":6}' in frame.text)
    assert raised.at - world.play.begin - world.ordered == pytest.approx(53.1, abs=0.1)
    assert [written.inject.action for written in world.play.trace.written] == [
        "RemoteStopTransaction",
        "GetCompositeSchedule",
    ]
    assert world.said() == ["alarm", "superseded"]
    assert world.wrong() == []


def test_a_raise_behind_a_question_is_heard_before_the_step_that_was_decided_meanwhile() -> None:
    """The next reading comes while the question is open and the raise waits behind it."""
    world = World(MUTE, policy=replace(TWO_STEPS, remote_stop_spacing_seconds=1.0)).charge().stop()
    world.later(52.5, lambda: world.order(6.0)).run(200.0)
    raised = next(frame.at for frame in world.play.trace.passed if '"limit":6}' in frame.text)
    assert [each for each in world.play.trace.written if each.at > raised and each.inject.is_step] == []


def test_two_connectors_that_both_ignore_the_stop_are_stopped_one_call_after_the_other() -> None:
    world = World(replace(IGNORES, connectors=(1, 2), stop_answer_seconds=3.0))
    world.play.at(1.5, lambda: world.order(16.0, 2))
    world.charge()
    world.order(0.0, 2)
    world.stop().run(200.0)
    first, second = (world.sent(1), world.sent(2))
    assert len(first) == len(second) == 1
    assert abs(first[0] - second[0]) >= 3.0, "one CALL is out at a time"
    assert min(first + second) == pytest.approx(CONFIRMED, abs=0.1)
    assert sorted(world.said()) == ["alarm", "alarm", "all_clear", "all_clear"]
    assert world.wrong() == []


def test_a_central_system_that_hangs_in_an_episode_delays_a_stop_by_ten_seconds_at_most() -> None:
    """Its line is dark: it answers nothing, and the wallbox is still there (T2)."""
    world = World(Traits(obeys_after=None)).charge().stop()
    world.later(35.0, lambda: world.central.mute.update({"MeterValues", "StatusNotification", "StopTransaction"}))
    world.run(100.0)
    assert CONFIRMED <= world.sent()[0] <= CONFIRMED + 10.1
    assert StepOutcome.PROVED.value in [
        each.record.step.outcome.value for each in world.play.trace.steps_recorded() if each.record.step
    ]
