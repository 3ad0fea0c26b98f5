"""Budgets of the steps: per episode, per window, and how far apart (watchdog rules 5, DESIGN 4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.builders import at, mono
from ocpp_watchdog.core.decisions import StepKind
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.rungs import MOST_KEPT, Rung, terms

POLICY = Policy()
ONCE = [StepKind.REPEAT_LIMIT, StepKind.TX_PROFILE, StepKind.INOPERATIVE, StepKind.EXTERNAL]


def taken(kind: StepKind, *seconds: float) -> Rung:
    rung = Rung(kind)
    for when in seconds:
        rung.take(mono(when))
    return rung


@pytest.mark.parametrize("kind", StepKind)
def test_what_was_never_taken_may_be_taken_now(kind: StepKind) -> None:
    rung = Rung(kind)
    assert rung.has_budget(POLICY, at(0))
    assert rung.is_apart(POLICY, at(0))
    assert rung.opens_at(POLICY) is None


@pytest.mark.parametrize("kind", ONCE)
def test_one_an_episode_and_the_next_episode_after_a_cool_down(kind: StepKind) -> None:
    rung = taken(kind, 0)
    assert not rung.has_budget(POLICY, at(100_000))
    assert rung.opens_at(POLICY) is None
    rung.used = 0
    assert not rung.has_budget(POLICY, at(119.9))
    assert rung.has_budget(POLICY, at(120))
    assert rung.opens_at(POLICY) == mono(120)


def test_three_stops_in_fifteen_minutes_thirty_seconds_apart() -> None:
    rung = taken(StepKind.REMOTE_STOP, 0, 100)
    assert not rung.is_apart(POLICY, at(129.9))
    assert rung.is_apart(POLICY, at(130))
    assert rung.opens_at(POLICY) == mono(130)
    rung.take(mono(200))
    assert not rung.has_budget(POLICY, at(899.9))
    assert rung.has_budget(POLICY, at(900))
    assert rung.opens_at(POLICY) == mono(900)


def test_one_soft_reset_a_day() -> None:
    rung = taken(StepKind.SOFT_RESET, 0)
    assert not rung.has_budget(POLICY, at(86_399))
    assert rung.has_budget(POLICY, at(86_400))


def test_a_budget_that_the_owner_changes_counts_at_once() -> None:
    rung = taken(StepKind.TX_PROFILE, 0)
    assert rung.has_budget(replace(POLICY, tx_profile_budget=2), at(1))
    assert terms(StepKind.EXTERNAL, replace(POLICY, external_budget=4)).most == 4
    assert terms(StepKind.INOPERATIVE, replace(POLICY, inoperative_budget=5)).most == 5


def test_what_is_kept_is_bounded() -> None:
    assert len(taken(StepKind.REMOTE_STOP, *range(100)).sent) == MOST_KEPT


@pytest.mark.parametrize("kind", StepKind)
def test_every_step_has_its_terms(kind: StepKind) -> None:
    assert terms(kind, POLICY).most == (3 if kind is StepKind.REMOTE_STOP else 1)


@pytest.mark.parametrize(
    ("kind", "seconds"), [(StepKind.REMOTE_STOP, 900.0), (StepKind.SOFT_RESET, 86_400.0), (StepKind.EXTERNAL, 120.0)]
)
def test_what_was_taken_long_enough_ago_counts_no_more(kind: StepKind, seconds: float) -> None:
    rung = taken(kind, 0)
    assert not rung.is_fresh(POLICY, at(seconds - 1))
    assert rung.is_fresh(POLICY, at(seconds))
    assert Rung(kind).is_fresh(POLICY, at(0))
