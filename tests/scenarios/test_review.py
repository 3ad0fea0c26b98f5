"""Paths on which the program could be silent when it should act, or act when it should not.

Each was once doubtful when the code was read against the rules; the names say what must hold.
"""

from __future__ import annotations

import json

import examples
from core.station_kit import Desk
from ocpp_watchdog.core.decisions import Inject, Mode, StepKind
from ocpp_watchdog.core.devices import nobody
from ocpp_watchdog.core.policy import AfterStop, Policy
from ocpp_watchdog.core.station import OwnerAction
from scenarios.peers import Traits
from scenarios.world import World

AGAIN = Policy(after_stop=AfterStop.RESTART, composite_schedule_question=False)
START = "RemoteStartTransaction"


def actions(desk: Desk) -> list[str]:
    return [action for _, action in desk.wire()]


def stopping(policy: Policy = AGAIN) -> Desk:
    """Our stop went out at 43 and was accepted; the transaction has not ended yet."""
    desk = Desk(policy)
    desk.ignored()
    desk.answer(desk.stop())
    desk.to(44)
    return desk


def stopped(desk: Desk | None = None) -> Desk:
    """Our stop has ended the transaction at 44, and 6 A are ordered again at 120."""
    desk = desk or stopping()
    desk.stops()
    desk.status("Finishing")
    desk.to(120)
    desk.limit(6)
    return desk


# -- a new start after our stop ----------------------------------------------------------------------------------------


def test_nothing_is_started_anew_when_the_owner_stood_down_before_the_transaction_ended() -> None:
    desk = stopping()
    desk.owner(OwnerAction.STAND_DOWN)
    stopped(desk).to(600)
    assert START not in actions(desk)


def test_nothing_is_started_anew_once_the_owner_does_not_want_that_any_more() -> None:
    desk = stopped()
    desk.to(130)
    desk.do(desk.station.use(Policy(composite_schedule_question=False), nobody, desk.now))
    desk.to(600)
    assert START not in actions(desk)


def test_nothing_is_started_anew_when_the_central_system_did_so_before_the_transaction_ended() -> None:
    desk = stopping()
    desk.asks(examples.remote_start)
    stopped(desk).to(600)
    assert START not in actions(desk)


def test_after_a_reconnect_nothing_is_started_anew_before_the_status_is_known() -> None:
    desk = stopped()
    desk.to(200)
    desk.drop()
    desk.to(300)
    desk.connect()
    assert START not in actions(desk), "the cable may have been unplugged meanwhile"
    desk.to(301)
    desk.status("Available")
    desk.to(600)
    assert START not in actions(desk)


def test_after_a_reconnect_it_is_started_anew_when_the_cable_is_still_there() -> None:
    desk = stopped()
    desk.to(200)
    desk.drop()
    desk.to(300)
    desk.connect()
    desk.to(301)
    desk.status("Finishing")
    assert actions(desk)[-1] == START


def test_a_new_start_that_a_restart_cut_off_is_not_made_twice() -> None:
    desk = stopped()
    desk.writes = False
    desk.to(241)
    start = desk.of(Inject)[-1]
    assert (start.action, start.is_lasting) == (START, True), "it is remembered before it goes out"
    kept = json.loads(json.dumps(desk.station.memory(desk.now)))
    again = Desk(AGAIN)
    again.t = desk.t
    again.do(again.station.restore(kept, again.now))
    again.to(250)
    again.connect()
    again.status("Finishing")
    again.to(600)
    assert START not in actions(again)


# -- questions ---------------------------------------------------------------------------------------------------------


def test_a_question_that_waits_when_observe_mode_begins_is_not_written() -> None:
    desk = Desk(Policy())
    desk.begin()
    desk.to(0)
    desk.limit(0)
    desk.to(34)
    desk.central(examples.call("h1", "GetConfiguration", {}))
    desk.to(36)
    desk.do(desk.station.use(Policy(mode=Mode.OBSERVE), nobody, desk.now))
    desk.to(37)
    desk.box(examples.result("h1", {}))
    desk.to(60)
    assert actions(desk) == []


def test_a_question_never_delays_the_next_step() -> None:
    desk = Desk(Policy(ladder=(StepKind.REPEAT_LIMIT, StepKind.REMOTE_STOP)))
    desk.ignored()
    desk.to(50)
    assert actions(desk) == ["SetChargingProfile"]
    desk.meter(51, 6.5)
    desk.to(52)
    desk.answer(desk.written[-1][1], "Rejected")
    desk.to(52.1)
    assert actions(desk) == ["SetChargingProfile", "RemoteStopTransaction"]


# -- readings ----------------------------------------------------------------------------------------------------------


def test_a_reading_that_is_said_again_and_again_does_not_grow_young() -> None:
    """It was measured before the car had obeyed; five times the same must not look like a late clock."""
    world = World(Traits(interval=30.0, obeys_after=25.0, register_step=10.0)).charge(first=17.0).stop()
    for number in range(8):
        world.later(31.0 + number / 2, lambda: world.play.from_box(newest_reading(world)))
    world.run(200.0)
    assert world.sent() == []
    assert world.wrong() == []


def newest_reading(world: World) -> str:
    return next(frame.text for frame in reversed(world.play.trace.passed) if '"MeterValues"' in frame.text)
