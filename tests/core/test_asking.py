"""Questions: for readings, and for what the charge point believes its limit is (``smart-charging.md`` 1.3)."""

from __future__ import annotations

import pytest
from station_kit import Desk, moment

import examples
from ocpp_watchdog.core.asking import CURRENT_WRONG, HIDDEN_PROFILE, MOST_TEXT
from ocpp_watchdog.core.decisions import EpisodeView, FactKind, Inject, Mode
from ocpp_watchdog.core.policy import Policy

SCHEDULE, STOP, TRIGGER = "GetCompositeSchedule", "RemoteStopTransaction", "TriggerMessage"


def ignored(policy: Policy | None = None, *, answer: str = "Accepted") -> Desk:
    """The stop went out at 43 and is answered."""
    desk = Desk(policy or Policy())
    desk.ignored()
    desk.answer(desk.stop(), answer)
    desk.to(43.5)
    return desk


def said(desk: Desk, limit: float | None) -> Inject:
    inject = desk.question()
    schedule = {} if limit is None else {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}
    text = examples.result(inject.unique_id, {"status": "Accepted", "chargingSchedule": schedule})
    desk.do(desk.station.own_answer(text, desk.now))
    return inject


def episode(desk: Desk) -> EpisodeView:
    view = desk.view().episode
    assert view is not None
    return view


@pytest.mark.parametrize("answer", ["Accepted", "Rejected"])
def test_after_the_answer_to_the_first_step_the_schedule_is_asked_for_once(answer: str) -> None:
    desk = ignored(answer=answer)
    assert desk.wire() == [(43, STOP), (43.001, SCHEDULE)]
    assert desk.question().text.endswith('"GetCompositeSchedule",{"connectorId":1,"duration":60}]')
    said(desk, 0)
    desk.flow([53, 63, 73, 83])
    desk.answer(desk.stop())
    desk.to(90)
    assert [action for _, action in desk.wire()].count(SCHEDULE) == 1


@pytest.mark.parametrize(
    ("limit", "evidence"), [(6.5, HIDDEN_PROFILE), (-1, HIDDEN_PROFILE), (0, CURRENT_WRONG), (None, "")]
)
def test_what_it_believes_is_kept_in_the_episode(limit: float | None, evidence: str) -> None:
    desk = ignored()
    said(desk, limit)
    assert episode(desk).schedule_evidence == evidence
    assert SCHEDULE not in episode(desk).schedule_text
    assert episode(desk).schedule_text.startswith("[3")
    assert len(episode(desk).schedule_text) <= MOST_TEXT
    assert desk.facts(FactKind.QUESTION)[-1].text == (evidence or "the composite schedule says nothing")


def test_an_answer_after_the_end_of_the_episode_is_nobodys() -> None:
    desk = ignored()
    desk.limit(6)
    desk.to(60)
    said(desk, 6)
    assert desk.texts(FactKind.QUESTION) == ["composite schedule"]


def test_a_step_that_was_left_unanswered_asks_for_nothing() -> None:
    desk = Desk(Policy())
    desk.ignored()
    desk.to(60)
    assert desk.wire() == [(43, STOP)]


@pytest.mark.parametrize("refusal", ["refused", "unanswered"])
def test_whoever_refused_or_ignored_the_question_is_never_asked_again(refusal: str) -> None:
    desk = ignored()
    if refusal == "refused":
        desk.answer(desk.question(), "Rejected")
    desk.to(60)
    desk.limit(6)
    desk.to(200)
    desk.limit(0)
    desk.flow([203, 213, 223, 233, 243])
    desk.answer(desk.stop())
    desk.to(250)
    assert [action for _, action in desk.wire()] == [STOP, SCHEDULE, STOP]


@pytest.mark.parametrize("answer", ["Rejected", None])
def test_whoever_refused_the_central_systems_question_is_not_asked_either(answer: str | None) -> None:
    desk = Desk(Policy())
    desk.begin()
    desk.asks(lambda name: examples.call(name, SCHEDULE, {"connectorId": 1, "duration": 60}), answer)
    desk.flow([-57, -47, -37, -27])
    desk.to(0)
    desk.limit(0)
    desk.flow([3, 13, 23, 33, 43])
    desk.answer(desk.stop())
    desk.to(44)
    assert [action for _, action in desk.wire()] == [STOP]


def test_the_central_systems_question_that_is_answered_changes_nothing() -> None:
    desk = Desk(Policy())
    desk.begin()
    desk.asks(lambda name: examples.call(name, SCHEDULE, {"connectorId": 1, "duration": 60}))
    desk.flow([-57, -47, -37, -27])
    desk.to(0)
    desk.limit(0)
    desk.flow([3, 13, 23, 33, 43])
    desk.answer(desk.stop())
    desk.to(44)
    assert desk.wire()[-1][1] == SCHEDULE


@pytest.mark.parametrize("policy", [Policy(composite_schedule_question=False), Policy(mode=Mode.OBSERVE)])
def test_where_the_owner_or_what_is_known_forbids_it_nothing_is_asked(policy: Policy) -> None:
    desk = Desk(policy)
    desk.ignored()
    desk.to(60)
    assert SCHEDULE not in [action for _, action in desk.wire()]


def test_a_question_that_nobody_waits_for_any_more_is_not_written() -> None:
    desk = Desk(Policy())
    desk.ignored()
    desk.writes = False
    desk.answer(desk.stop())
    desk.to(43.5)
    question = desk.question()
    desk.limit(6)
    assert not desk.station.may_send(question.unique_id, desk.now)
    desk.to(60)
    assert not desk.station.may_send(question.unique_id, desk.now)


def test_a_question_that_finds_no_gap_is_dropped_for_good() -> None:
    desk = Desk(Policy())
    desk.ignored()
    desk.writes = False
    desk.answer(desk.stop())
    desk.to(43.5)
    desk.do(desk.station.not_written(desk.question().unique_id, desk.now))
    desk.writes = True
    desk.to(70)
    assert [action for _, action in desk.wire()] == [STOP]


def test_readings_are_asked_for_when_none_came_and_never_again_after_a_refusal() -> None:
    desk = Desk(Policy())
    desk.begin()
    desk.flow([-57, -47, -37, -27, -17, -7])
    desk.to(0)
    desk.limit(0)
    desk.to(36)
    assert desk.wire() == [(35, TRIGGER)]
    desk.answer(desk.question(), "Rejected")
    desk.to(200)
    assert len(desk.wire()) == 1


def test_frozen_readings_are_asked_about_but_not_within_a_minute() -> None:
    desk = Desk(Policy())
    desk.begin()
    desk.flow([-57, -47, -37, -27, -17, -7], "6.528")
    desk.to(0)
    desk.status("SuspendedEV")
    desk.limit(0)
    desk.to(36)
    desk.answer(desk.question())
    desk.flow([37, 46, 55, 64], "6.528")
    assert [action for _, action in desk.wire()] == [TRIGGER]
    assert moment(64) == desk.now


def test_a_schedule_question_dies_with_its_episode_while_it_waits() -> None:
    desk = ignored()
    watch = desk.station._watches[desk.stop().connector]
    want = next(own.want for own in desk.station._voice._own.values() if own.want.action == SCHEDULE)
    assert watch.question_is_wanted(want, desk.now)
    watch.sight.may_ask_schedule = False
    assert not watch.question_is_wanted(want, desk.now)
    watch.ask_for_evidence(desk.now)
    watch.tracker.standing = None
    watch.ask_for_evidence(desk.now)
    assert watch.question_at() is None
    watch.episode = None
    assert not watch.question_is_wanted(want, desk.now)


def test_readings_are_not_asked_for_where_that_was_refused_meanwhile() -> None:
    desk = Desk(Policy())
    desk.begin()
    desk.flow([-57, -47, -37, -27, -17, -7])
    desk.to(0)
    desk.limit(0)
    desk.writes = False
    desk.to(35)
    question = desk.question()
    assert desk.station.may_send(question.unique_id, desk.now)
    desk.station._never_question()
    assert not desk.station.may_send(question.unique_id, desk.now)


def test_a_question_for_readings_that_found_no_gap_comes_again_a_minute_later() -> None:
    desk = Desk(Policy())
    desk.begin()
    desk.flow([-57, -47, -37, -27, -17, -7])
    desk.to(0)
    desk.limit(0)
    desk.writes = False
    desk.to(35)
    desk.do(desk.station.not_written(desk.question().unique_id, desk.now))
    desk.writes = True
    desk.to(96)
    assert desk.wire() == [(95, TRIGGER)]
