"""Acting on limits above 0 A: off by default, by two steps alone, proved by a measurement (DESIGN 4)."""

from __future__ import annotations

import json

import pytest
from station_kit import IGNORED, Desk

import examples
from ocpp_watchdog.core.decisions import FindingKind, Mode, StepKind
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import ConnectorId

ON = Policy(enforce_limits=True)


def exceeded(policy: Policy = ON, *, writes: bool = True) -> Desk:
    """6 A ordered at 0 and accepted, 10 A go on; confirmed at 43."""
    desk = Desk(policy)
    desk.writes = writes
    desk.begin()
    desk.flow(IGNORED[:6], 10.0)
    desk.to(0)
    desk.limit(6)
    desk.flow([3, 13, 23, 33, 43], 10.0)
    return desk


def newest(desk: Desk) -> dict[str, object]:
    said = json.loads(desk.written[-1][1].text)[3]
    assert isinstance(said, dict)
    return said


def test_a_limit_that_is_exceeded_is_only_shown_unless_the_owner_wants_more() -> None:
    desk = exceeded(Policy())
    assert FindingKind.OVER_LIMIT in {finding.kind for finding in desk.view().findings}
    assert desk.wire() == []


def test_the_last_order_is_given_again_first() -> None:
    desk = exceeded()
    assert desk.wire() == [(43, "SetChargingProfile")]
    asked = json.loads(examples.set_limit("x", 6, desk.now.utc))[3]
    assert newest(desk) == asked
    assert desk.steps()[-1] == ("sent", "over_limit")
    assert not desk.written[-1][1].is_step
    assert desk.notices() == []


def test_where_that_is_of_no_use_a_profile_of_our_own_follows_and_then_nothing() -> None:
    desk = exceeded()
    desk.answer(desk.written[-1][1])
    desk.flow([53, 63, 73, 83], 10.0)
    assert desk.wire()[1:] == [(73, "SetChargingProfile")]
    profile = newest(desk)["csChargingProfiles"]
    assert isinstance(profile, dict)
    assert (profile["chargingProfilePurpose"], profile["transactionId"]) == ("TxProfile", 7)
    assert profile["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 6}]
    assert desk.view().has_own_profile
    desk.answer(desk.written[-1][1])
    desk.flow(range(93, 400, 10), 10.0)
    assert len(desk.wire()) == 2
    assert (StepKind.TX_PROFILE, desk.last_step().outcome, 1) in desk.view().steps


def test_a_reading_within_the_limit_proves_the_step_and_another_order_takes_our_profile_away() -> None:
    desk = exceeded()
    desk.answer(desk.written[-1][1], "Rejected")
    desk.flow([53], 10.0)
    desk.answer(desk.written[-1][1])
    desk.flow([63], 6.0)
    assert desk.outcomes()[-1] == "proved"
    desk.to(70)
    desk.limit(8)
    desk.to(71)
    assert desk.wire()[-1][1] == "ClearChargingProfile"
    desk.answer(desk.written[-1][1])
    assert not desk.view().has_own_profile


def test_a_refused_profile_is_not_left_behind() -> None:
    desk = exceeded()
    desk.answer(desk.written[-1][1], "Rejected")
    desk.flow([53], 10.0)
    desk.answer(desk.written[-1][1], "Rejected")
    assert not desk.view().has_own_profile


def test_a_stop_order_ends_it_at_once() -> None:
    desk = exceeded(writes=False)
    desk.to(44)
    desk.limit(0)
    desk.to(45)
    assert desk.outcomes() == ["waiting", "cancelled"]


@pytest.mark.parametrize("change", ["observe", "refused", "no transaction"])
def test_nothing_is_enforced_where_it_must_not_be(change: str) -> None:
    policy = Policy(enforce_limits=True, mode=Mode.OBSERVE) if change == "observe" else ON
    desk = Desk(policy)
    desk.begin()
    desk.flow(IGNORED[:6], 10.0)
    desk.to(0)
    desk.limit(6)
    if change == "refused":
        desk.to(2)
        desk.limit(8, answer="Rejected")
    desk.flow([3, 13, 23, 33, 43], 10.0)
    if change == "no transaction":
        desk.answer(desk.written[-1][1])
        desk.stops()
        desk.flow([73, 83, 93, 103], 10.0)
        assert len(desk.wire()) == 1
    else:
        desk.flow([53, 63], 10.0)
        assert desk.wire() == []


def test_a_step_that_waits_when_the_current_falls_is_not_sent() -> None:
    desk = exceeded(writes=False)
    inject = desk.written[-1][1] if desk.written else desk.question()
    desk.flow([44], 6.0)
    assert not desk.station.may_send(inject.unique_id, desk.now)
    desk.do(desk.station.not_written(inject.unique_id, desk.now))
    assert desk.outcomes()[-1] == "cancelled"


def test_a_step_whose_connection_is_lost_has_failed_and_the_next_session_goes_on() -> None:
    desk = exceeded()
    desk.to(45)
    desk.drop()
    assert desk.outcomes()[-1] == "unanswered"
    desk.to(50)
    desk.connect()
    desk.flow([83, 93], 10.0)
    assert len(desk.wire()) == 2


def test_a_step_that_finds_no_gap_is_tried_at_the_next_reading() -> None:
    desk = exceeded(writes=False)
    inject = desk.question()
    desk.do(desk.station.not_written(inject.unique_id, desk.now))
    assert desk.outcomes() == ["waiting", "not_sent"]
    desk.writes = True
    desk.flow([53], 10.0)
    assert len(desk.wire()) == 1


def test_a_late_answer_after_the_end_changes_nothing() -> None:
    desk = exceeded()
    inject = desk.written[-1][1]
    desk.to(54)
    desk.flow([55], 6.0)
    before = len(desk.outcomes())
    desk.answer(inject)
    desk.answer(inject)
    assert len(desk.outcomes()) == before
    assert desk.station.view(desk.now).connectors[0].connector == ConnectorId(1)


def test_an_accepted_step_outlives_its_connection() -> None:
    desk = exceeded()
    desk.answer(desk.written[-1][1])
    desk.drop()
    assert desk.outcomes()[-1] == "accepted"


def test_a_limit_that_is_kept_before_the_step_went_out_proves_nothing() -> None:
    desk = exceeded(writes=False)
    desk.do(desk.station.not_written(desk.question().unique_id, desk.now))
    desk.flow([53], 6.0)
    assert desk.outcomes() == ["waiting", "not_sent"]


def test_a_step_that_is_written_as_the_limit_is_kept_again_raises_nothing() -> None:
    desk = exceeded(writes=False)
    inject = desk.question()
    desk.flow([44], 6.0)
    desk.do(desk.station.written(inject.unique_id, desk.now))
    assert desk.outcomes()[-1] == "cancelled"
