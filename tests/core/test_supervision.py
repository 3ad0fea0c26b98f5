"""A station whose owner tests it: obstacles, turns on the channel, what the judge makes of it, and what survives.

evcc orders 16 A at -60; the desk's wallbox charges with transaction 7 and sends readings when told.
"""

from __future__ import annotations

import json

import pytest

import examples
from core.station_kit import SEVEN, START
from core.supervised_kit import Supervised
from ocpp_watchdog.core.decisions import FactKind, Inject, Mode
from ocpp_watchdog.core.exercise import End, Found, Part
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.station import OwnerAction
from ocpp_watchdog.core.supervision import Obstacle
from ocpp_watchdog.core.terms import ConnectorId

# -- may it ----------------------------------------------------------------------------------------------------------


def test_a_plan_says_what_would_be_done() -> None:
    desk = Supervised().charging(ordered=10.0, amperes=10.0)
    plan = desk.plan()
    assert isinstance(plan, tuple)
    assert [(part.part, part.amperes) for part in plan] == [
        (Part.LIMIT, 10.0),
        (Part.LIMIT, 6.0),
        (Part.LIMIT, 0.0),
        (Part.RESTORE, None),
        (Part.REMOTE_STOP, None),
        (Part.REMOTE_START, None),
    ]
    assert desk.written == [], "a plan sends nothing"


def test_obstacles_are_told_and_nothing_begins() -> None:
    away = Supervised().charging()
    away.drop()
    free = Supervised()
    free.connect()
    stopped = Supervised().charging()
    stopped.limit(0)
    ignoring = Supervised()
    ignoring.ignored()
    old = Supervised().charging()
    old.to(200)
    without = Supervised().charging(ordered=None)
    cases = [
        (away, Obstacle.NOT_CONNECTED),
        (free, Obstacle.NO_TRANSACTION),
        (stopped, Obstacle.STOP_ORDERED),
        (ignoring, Obstacle.EPISODE),
        (old, Obstacle.NO_CURRENT),
        (without, Obstacle.NO_PROFILE),
        (Supervised().charging(0.0), Obstacle.NO_CURRENT),
        (Supervised().charging().start(), Obstacle.RUNNING),
    ]
    for desk, obstacle in cases:
        assert desk.plan() is obstacle
        written, seen = len(desk.written), desk.tested.selftest
        desk.start()
        assert f"selftest: {obstacle}" in desk.texts(FactKind.OWNER)
        assert (len(desk.written), desk.tested.selftest) == (written, seen)
    assert away.tested.selftest_plan(ConnectorId(9), away.now) is Obstacle.NO_CONNECTOR


def test_an_order_for_the_whole_charge_point_is_not_varied_where_others_hang_on_it() -> None:
    desk = Supervised().charging(ordered=None)
    desk.limit(16, connector=0)
    assert isinstance(desk.plan(), tuple), "there is one connector"
    desk.status("Available", connector=2)
    assert desk.plan() is Obstacle.WHOLE_CHARGE_POINT


def test_a_stop_that_might_end_another_is_not_tested() -> None:
    desk = Supervised().charging()
    desk.plug(SEVEN, 2)
    assert desk.plan() is Obstacle.SHARED_ID


# -- the walk --------------------------------------------------------------------------------------------------------


def test_the_whole_test_goes_out_one_call_at_a_time_and_is_recorded() -> None:
    desk = Supervised().charging().start().walk()
    assert desk.ours == [
        ("SetChargingProfile", 16),
        ("SetChargingProfile", 10),
        ("SetChargingProfile", 6),
        ("SetChargingProfile", 0),
        ("SetChargingProfile", 16),
        ("RemoteStopTransaction", SEVEN),
    ]
    desk.take()
    desk.meter(desk.t + 2, 0.0)
    desk.stops()
    desk.status("Preparing")
    assert desk.ours[-1] == ("RemoteStartTransaction", "LAB")
    desk.take()
    desk.plug(8)
    assert [part.found for part in desk.seen.parts] == [
        Found.NOTHING_TO_SEE, *[Found.FOLLOWED] * 6,
    ]  # fmt: skip
    assert (desk.seen.end, desk.seen.restored) == (End.DONE, True)
    texts = desk.texts(FactKind.OWNER)
    assert texts[0] == "selftest"
    assert "selftest limit 0 A: followed" in texts
    assert texts[-1] == "selftest over: done"
    assert desk.releases() == len(desk.written), "what evcc said meanwhile is let go after each"


def test_the_judge_takes_none_of_it_for_an_order_of_the_central_system() -> None:
    desk = Supervised().charging().start()
    for t in (0, 5, 10):
        desk.take()
        desk.meter(t, 16.0 if t == 0 else 6.5)
    desk.take()
    assert desk.ours[-1] == ("SetChargingProfile", 0)
    for t in range(20, 70, 10):
        desk.look().meter(t, 6.5)
    assert Found.IGNORED in [part.found for part in desk.seen.parts]
    assert desk.notices() == []
    assert desk.view().episodes_total == 0
    assert desk.view().stop_ordered is None
    assert desk.view().commanded is not None
    assert desk.view().commanded.amperes == 16.0


@pytest.mark.parametrize("policy", [Policy(mode=Mode.OBSERVE), Policy()])
def test_it_is_ordered_by_name_so_it_runs_in_observe_mode_and_during_maintenance(policy: Policy) -> None:
    desk = Supervised(policy).charging()
    if policy.mode is Mode.ENFORCE:
        desk.do(desk.tested.maintain(desk.now.later(600), desk.now))
    desk.start().walk()
    assert desk.ours[-1] == ("RemoteStopTransaction", SEVEN)


def test_its_stop_counts_in_the_budget_of_the_ladder() -> None:
    desk = Supervised().charging().start().walk()
    desk.take()
    desk.owner(OwnerAction.STOP_NOW)
    assert "stop_now: one is on its way, or the last one is too close" in desk.texts(FactKind.OWNER)


def test_a_refusal_and_a_late_answer_are_told_once() -> None:
    desk = Supervised().charging().start()
    desk.to(6)
    assert desk.seen.parts[0].answer == "unanswered"
    late = desk.last
    desk.meter(6, 16.0)
    before = desk.seen
    desk.answer(late, "Rejected")
    assert desk.seen.parts[0] == before.parts[0]
    desk.take("Rejected")
    assert desk.seen.parts[1].found is Found.REFUSED


def test_a_busy_channel_leaves_a_part_unsent_but_not_the_stop() -> None:
    desk = Supervised().charging()
    desk.writes = False
    desk.start()
    unique_id = desk.of(Inject)[-1].unique_id
    desk.do(desk.tested.not_written(unique_id, desk.now))
    assert desk.seen.parts[0].found is Found.NOT_SENT


def test_ours_is_not_written_any_more_once_the_owner_has_broken_it_off() -> None:
    desk = Supervised().charging()
    desk.writes = False
    desk.start()
    unique_id = desk.of(Inject)[-1].unique_id
    desk.do(desk.tested.abort_selftest(desk.now))
    assert not desk.tested.may_send(unique_id, desk.now)
    desk.do(desk.tested.not_written(unique_id, desk.now))
    assert (desk.seen.end, desk.seen.is_over) == (End.OWNER, True)


def test_without_a_test_there_is_nothing_to_break_off_or_to_look_at() -> None:
    desk = Supervised().charging()
    desk.do(desk.tested.abort_selftest(desk.now))
    desk.look()
    assert desk.tested.selftest is None


# -- the end -----------------------------------------------------------------------------------------------------


def test_the_owner_breaks_it_off_and_evccs_limit_is_put_back() -> None:
    desk = Supervised().charging().start()
    desk.take()
    desk.do(desk.tested.abort_selftest(desk.now))
    assert desk.later().ours[-1] == ("SetChargingProfile", 16)
    desk.take()
    assert desk.seen.restored is True
    assert desk.texts(FactKind.OWNER)[-1] == "selftest over: owner"


def test_a_limit_that_cannot_be_put_back_is_recorded_so() -> None:
    desk = Supervised().charging().start()
    desk.take()
    desk.do(desk.tested.abort_selftest(desk.now))
    for _ in range(5):
        desk.take("Rejected").later(10)
    assert desk.texts(FactKind.OWNER)[-1] == "selftest over: owner, the limit could not be put back"


def test_nobody_looks_on() -> None:
    desk = Supervised().charging().start()
    desk.take()
    desk.to(30)
    assert desk.seen.end is End.UNWATCHED


def test_a_lost_connection_ends_it_and_the_limit_comes_back_with_the_next() -> None:
    desk = Supervised().charging().start()
    desk.take()
    desk.drop()
    assert desk.seen.end is End.DISCONNECTED
    desk.to(20)
    desk.connect()
    assert desk.ours[-1] == ("SetChargingProfile", 16)
    desk.take()
    assert desk.seen.restored is True


def test_a_stop_of_evcc_in_the_middle_is_judged_as_ever() -> None:
    desk = Supervised().charging().start()
    desk.take()
    desk.to(0)
    desk.limit(0)
    assert desk.seen.end is End.CENTRAL_SYSTEM
    for t in (3, 13, 23, 33, 43):
        desk.meter(t, 6.5)
    assert desk.view().episode is not None
    assert desk.ours[-1] == ("RemoteStopTransaction", SEVEN)


def test_after_a_restart_the_limit_is_still_put_back() -> None:
    desk = Supervised().charging().start()
    version = desk.tested.memory_version
    desk.take()
    kept = json.loads(json.dumps(desk.tested.memory(desk.now)))
    assert desk.tested.memory_version > version or kept["station"]["_owed"] is not None
    again = Supervised()
    again.t = desk.t
    again.do(again.tested.restore(kept, again.now))
    again.to(10)
    again.connect()
    assert again.ours == [("SetChargingProfile", 16)]
    assert again.plan() is Obstacle.RUNNING
    again.take()
    assert (again.seen.end, again.seen.restored) == (End.DISCONNECTED, True)
    after = json.loads(json.dumps(again.tested.memory(again.now)))
    assert after["station"]["_owed"] is None


def test_a_limit_that_a_restart_cut_off_on_its_way_out_may_have_gone_out_and_is_put_back() -> None:
    desk = Supervised().charging()
    desk.writes = False
    desk.start()
    kept = json.loads(json.dumps(desk.tested.memory(desk.now)))
    again = Supervised()
    again.t = desk.t
    again.do(again.tested.restore(kept, again.now))
    again.connect()
    assert again.ours == [("SetChargingProfile", 16)]


def test_without_a_test_everything_of_the_station_is_as_it_was() -> None:
    desk = Supervised()
    desk.ignored()
    desk.to(43)
    (stop,) = [inject for _, inject in desk.written if inject.is_step]
    desk.answer(stop)
    desk.meter(53, 0.0)
    assert ("proved", "") in [(outcome, "") for outcome, _ in desk.steps()]
    question = Supervised()
    question.begin(1)
    question.limit(0)
    question.to(60)
    assert [action for action, _ in question.ours] == ["TriggerMessage"]


def test_what_is_not_the_tests_finds_its_way_back_to_whoever_wanted_it() -> None:
    desk = Supervised()
    desk.writes = False
    desk.ignored()
    stop = next(inject for inject in desk.of(Inject) if inject.is_step)
    desk.do(desk.tested.not_written(stop.unique_id, desk.now))
    assert desk.outcomes()[-1] == "not_sent"


def test_a_call_that_nobody_waits_for_any_more_is_dropped_quietly() -> None:
    desk = Supervised().charging()
    desk.writes = False
    desk.start()
    first = desk.of(Inject)[-1].unique_id
    desk.drop()
    desk.connect()
    desk.do(desk.tested.not_written(first, desk.now))
    assert desk.seen.parts[0].found is Found.BROKEN_OFF


# -- a schedule that falls to 0 by itself ------------------------------------------------------------------------------


def scheduled(falls_at: float) -> Supervised:
    """evcc's own profile orders 16 A, and 0 A from this second on."""
    desk = Supervised().charging(ordered=None)
    profile = examples.profile(16, desk.now.utc)
    start = START.utc - 60
    profile["chargingSchedule"] |= {  # type: ignore[operator]
        "startSchedule": examples.iso(start),
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 16},
            {"startPeriod": int(falls_at + 60), "limit": 0},
        ],
    }
    payload = {"connectorId": 1, "csChargingProfiles": profile}
    desk.asks(lambda name: examples.call(name, "SetChargingProfile", payload))
    return desk


def test_a_schedule_that_falls_to_zero_ends_the_test_and_is_put_back_as_it_is() -> None:
    desk = scheduled(falls_at=20).start().take()
    desk.to(19.9)
    assert desk.seen.end is None
    desk.to(20.1)
    assert desk.seen.end is End.CENTRAL_SYSTEM
    schedule = json.loads(desk.last.text)[3]["csChargingProfiles"]["chargingSchedule"]
    assert [period["limit"] for period in schedule["chargingSchedulePeriod"]] == [16, 0]
    assert schedule["startSchedule"] == examples.iso(START.utc - 60), "by it 0 A is in force now"
    desk.take()
    assert (desk.seen.is_over, desk.seen.restored) == (True, True)


def test_an_order_of_the_test_that_waits_when_the_schedule_falls_is_not_written() -> None:
    desk = scheduled(falls_at=20)
    desk.to(19.9)
    desk.writes = False
    desk.start()
    (waiting,) = desk.of(Inject)
    desk.oversleep(20.1)
    assert not desk.tested.may_send(waiting.unique_id, desk.now)


def test_whoever_holds_a_limit_of_the_test_is_not_forgotten() -> None:
    desk = Supervised().charging().start().take()
    desk.drop()
    assert not desk.tested.owes_nothing(desk.now)
    idle = Supervised().charging()
    idle.drop()
    assert idle.tested.owes_nothing(idle.now)
