from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core.ledger import (
    MOST_CONNECTORS,
    MOST_UNANSWERED,
    ClearProfiles,
    Command,
    CommandAnswer,
    InForce,
    Ledger,
    Newest,
    SetProfile,
)
from ocpp_watchdog.core.profiles import ChargingProfile, Criteria, IdScope, Profiles, clear, install
from ocpp_watchdog.core.schedule import limit_at
from ocpp_watchdog.core.terms import WHOLE_CHARGE_POINT, ConnectorId, ProfileKind, Purpose, RateUnit, TransactionId
from profile_examples import ABSURD, BEGINNING, DAY, ORDINARY, amperes, steps, tx, whole

ONE, TWO = ConnectorId(1), ConnectorId(2)
SEVEN, EIGHT = TransactionId(7), TransactionId(8)


class Story:
    """A ledger, told one thing a second. Keys are counted."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger = ledger or Ledger()
        self.now = BEGINNING
        self.count = 0

    def pass_time(self, seconds: float = 1.0) -> float:
        self.now += seconds
        return self.now

    def ask(self, command: Command) -> str:
        self.count += 1
        self.ledger.requested(f"{self.count}", command, self.pass_time())
        return f"{self.count}"

    def answer(self, key: str, accepted: bool | None = True) -> None:
        self.ledger.answered(key, accepted, self.pass_time())

    def put(self, profile: ChargingProfile, connector: ConnectorId = ONE, accepted: bool | None = True) -> str:
        key = self.ask(SetProfile(connector, profile))
        self.answer(key, accepted)
        return key

    def put_silently(self, profile: ChargingProfile, connector: ConnectorId = ONE) -> str:
        return self.ask(SetProfile(connector, profile))

    def clear(self, criteria: Criteria, accepted: bool | None = True) -> str:
        key = self.ask(ClearProfiles(criteria))
        self.answer(key, accepted)
        return key

    def start(self, transaction_id: int | None = 7, connector: ConnectorId = ONE, id_tag: str = "") -> None:
        known = None if transaction_id is None else TransactionId(transaction_id)
        self.ledger.transaction_started(connector, known, id_tag, self.pass_time())

    def identify(self, transaction_id: int, connector: ConnectorId = ONE) -> None:
        self.ledger.transaction_identified(connector, TransactionId(transaction_id))

    def stop(self, connector: ConnectorId = ONE) -> None:
        self.ledger.transaction_stopped(connector, self.pass_time())

    def in_force(self, connector: ConnectorId = ONE) -> InForce:
        found = self.ledger.in_force(connector, self.now)
        assert found is not None
        return found

    def limit(self, connector: ConnectorId = ONE) -> float | None:
        limit = self.in_force(connector).limit
        return None if limit is None else limit.amperes

    def possible(self, connector: ConnectorId = ONE) -> list[float | None]:
        return [None if limit is None else limit.amperes for limit in self.in_force(connector).possible]

    def order(self, connector: ConnectorId = ONE) -> float | None:
        limit = self.ledger.order(connector, self.now)
        return None if limit is None else limit.amperes

    def newest(self, connector: ConnectorId = ONE) -> Newest:
        found = self.ledger.newest(connector)
        assert found is not None
        return found


@pytest.fixture
def story() -> Story:
    return Story()


# -- in force ----------------------------------------------------------------------------------------------------------


def test_nothing_is_known_at_first(story: Story) -> None:
    assert story.ledger.in_force(ONE, BEGINNING) is None
    assert story.ledger.order(ONE, BEGINNING) is None
    assert story.ledger.next_change(ONE, BEGINNING) is None
    assert story.ledger.newest(ONE) is None
    assert story.ledger.connectors() == ()
    assert not story.ledger.ordered_anything(ONE)


def test_accepted_command_is_in_force(story: Story) -> None:
    story.put(amperes(6.0))
    found = story.in_force()
    assert story.limit() == 6.0
    assert found.possible == (found.limit,)
    assert [found.uncertain, found.disputed, found.unconfirmed] == [False, False, False]


def test_refused_command_leaves_the_previous_limit_in_force(story: Story) -> None:
    story.put(amperes(16.0))
    story.put(amperes(6.0), accepted=False)
    assert story.possible() == [16.0]


def test_refused_command_alone_leaves_the_baseline_unknown(story: Story) -> None:
    story.put(amperes(6.0), accepted=False)
    assert story.ledger.in_force(ONE, story.now) is None


def test_unknown_as_an_answer_to_a_set_is_a_refusal(story: Story) -> None:
    story.put(amperes(6.0), accepted=None)
    assert story.ledger.in_force(ONE, story.now) is None
    assert story.newest().answer is CommandAnswer.REFUSED


def test_limit_that_was_cleared_is_no_limit_and_not_unknown(story: Story) -> None:
    story.put(amperes(6.0))
    story.clear(Criteria())
    assert story.in_force().limit is None
    assert story.in_force().possible == (None,)


def test_command_on_connector_0_is_in_force_on_each_connector(story: Story) -> None:
    story.put(amperes(6.0), connector=WHOLE_CHARGE_POINT)
    assert story.limit(ONE) == story.limit(TWO) == story.limit(WHOLE_CHARGE_POINT) == 6.0


def test_command_on_one_connector_says_nothing_of_another(story: Story) -> None:
    story.put(amperes(6.0))
    assert story.ledger.in_force(TWO, story.now) is None
    assert story.order(TWO) is None


def test_ids_may_be_unique_in_the_charge_point() -> None:
    story = Story(Ledger(IdScope.CHARGE_POINT))
    story.put(amperes(6.0))
    story.put(amperes(16.0), connector=TWO)
    assert story.limit(ONE) is None
    assert story.limit(TWO) == 16.0


def test_both_outcomes_are_possible_while_there_is_no_answer(story: Story) -> None:
    story.put(amperes(16.0))
    key = story.put_silently(amperes(6.0))
    story.ledger.connection_lost()
    assert story.possible() == [6.0, 16.0]
    assert story.limit() == 16.0
    assert story.in_force().uncertain
    story.pass_time(3600.0)
    story.answer(key)
    assert story.possible() == [6.0]
    assert not story.in_force().uncertain


def test_first_command_without_answer_may_be_no_limit_at_all(story: Story) -> None:
    story.put_silently(amperes(6.0))
    assert story.possible() == [6.0, None]
    assert story.limit() is None


def test_newer_accepted_command_settles_the_open_one(story: Story) -> None:
    story.put(amperes(16.0))
    late = story.put_silently(amperes(6.0))
    story.put(amperes(8.0))
    assert story.possible() == [8.0]
    story.answer(late)
    assert story.possible() == [8.0]
    assert story.order() == 8.0


def test_answer_belongs_to_the_newer_command_when_a_key_is_used_again(story: Story) -> None:
    story.ledger.requested("same", SetProfile(ONE, amperes(16.0)), story.pass_time())
    story.ledger.requested("same", SetProfile(ONE, amperes(6.0)), story.pass_time())
    story.answer("same")
    assert story.possible() == [6.0]


def test_key_that_is_used_again_is_as_young_as_its_newer_command(story: Story) -> None:
    story.ledger.requested("same", SetProfile(TWO, amperes(16.0)), story.pass_time())
    for _ in range(MOST_UNANSWERED - 1):
        story.put_silently(amperes(16.0), connector=TWO)
    story.ledger.requested("same", SetProfile(ONE, amperes(6.0)), story.pass_time())
    story.put_silently(amperes(16.0), connector=TWO)
    story.answer("same")
    assert story.newest(ONE).answer is CommandAnswer.ACCEPTED


def test_unknown_key_and_second_answer_change_nothing(story: Story) -> None:
    key = story.put(amperes(6.0))
    before = story.in_force(), story.newest()
    story.answer("never asked")
    story.answer(key, accepted=False)
    assert (story.in_force(), story.newest()) == before


def test_largest_of_many_outcomes_counts(story: Story) -> None:
    for limit in (16.0, 6.0, 10.0):
        story.put_silently(amperes(limit), connector=WHOLE_CHARGE_POINT)
    assert story.possible() == [6.0, 10.0, 16.0, None]


def test_clear_that_is_not_answered_may_have_cleared(story: Story) -> None:
    story.put(amperes(6.0))
    key = story.ask(ClearProfiles(Criteria()))
    assert story.possible() == [6.0, None]
    story.answer(key, accepted=False)
    assert story.possible() == [6.0]


def test_clear_answered_unknown_disputes_the_limit(story: Story) -> None:
    story.put(amperes(6.0))
    story.put(whole(32.0), connector=WHOLE_CHARGE_POINT)
    story.clear(Criteria(profile_id=1), accepted=None)
    assert story.limit() == 6.0
    assert story.in_force().disputed
    assert story.order() == 32.0
    assert not story.in_force(TWO).disputed


def test_clear_answered_unknown_disputes_nothing_that_came_after_it(story: Story) -> None:
    key = story.ask(ClearProfiles(Criteria()))
    story.put(amperes(6.0))
    story.answer(key, accepted=None)
    assert story.limit() == story.order() == 6.0
    assert not story.in_force().disputed


def test_boot_leaves_the_limit_unconfirmed_until_it_is_set_again(story: Story) -> None:
    story.put(amperes(6.0))
    story.ledger.booted()
    assert story.limit() == story.order() == 6.0
    assert story.in_force().unconfirmed
    story.put(amperes(6.0))
    assert not story.in_force().unconfirmed


# -- transactions ------------------------------------------------------------------------------------------------------


def test_tx_profile_is_in_force_while_its_transaction_runs(story: Story) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.put(tx(6.0, 7))
    assert story.limit() == 6.0
    story.stop()
    assert story.limit() == 16.0


def test_available_ends_the_transaction_like_a_stop(story: Story) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.put(tx(6.0, 7))
    story.ledger.available(ONE)
    story.start(8)
    assert story.possible() == [16.0]


def test_transaction_that_was_never_stopped_ends_with_the_next(story: Story) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.put(tx(6.0))
    story.start(8)
    assert story.possible() == [16.0]
    assert story.order() == 16.0


def test_until_its_id_is_known_a_start_may_be_the_same_transaction(story: Story) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.put(tx(6.0))
    story.start(None)
    assert story.possible() == [6.0, 16.0]
    assert story.order() == 6.0
    story.identify(7)
    assert story.possible() == [6.0]
    story.start(None)
    story.identify(8)
    assert story.possible() == [16.0]


def test_start_that_is_sent_once_more_changes_nothing(story: Story) -> None:
    story.put(amperes(16.0))
    story.ledger.remote_start_requested("r", ONE, "TAG", tx(6.0))
    story.answer("r")
    story.start(None)
    story.start(None)
    story.start(7)
    assert story.possible() == [6.0]
    assert story.order() == 6.0


def test_id_is_compared_over_a_start_that_is_sent_once_more(story: Story) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.put(tx(6.0))
    story.start(None)
    story.start(None)
    assert story.order() == 6.0
    story.identify(8)
    assert story.possible() == [16.0]
    assert story.order() == 16.0


def test_start_that_is_sent_once_more_may_bring_the_id_itself(story: Story) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.put(tx(6.0))
    story.start(None)
    story.start(8)
    assert story.possible() == [16.0]
    assert story.order() == 16.0


def test_other_id_for_a_known_transaction_means_another_transaction(story: Story) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.put(tx(6.0))
    story.identify(7)
    assert story.limit() == 6.0
    story.identify(8)
    assert story.limit() == story.order() == 16.0


def test_id_without_a_transaction_means_nothing(story: Story) -> None:
    story.put(amperes(16.0))
    story.put(tx(6.0))
    story.identify(7)
    assert story.limit() == 16.0


def test_boot_may_resume_the_transaction(story: Story) -> None:
    story.start(7)
    story.put(tx(6.0, 7))
    story.ledger.booted()
    assert story.limit() == 6.0
    assert story.in_force().unconfirmed


def test_relative_schedule_begins_anew_with_each_transaction(story: Story) -> None:
    story.put(amperes(0.0, kind=ProfileKind.RELATIVE, periods=steps((0.0, 6.0), (60.0, 16.0))))
    assert story.ledger.next_change(ONE, story.now) is None
    story.start(7)
    assert story.ledger.next_change(ONE, story.now) == story.now + 60.0
    story.pass_time(60.0)
    assert story.limit() == story.order() == 16.0
    story.stop()
    assert story.limit() == 6.0
    assert story.order() == 16.0
    story.start(8)
    assert story.limit() == story.order() == 6.0


def test_transaction_that_is_seen_again_keeps_its_start(story: Story) -> None:
    story.put(amperes(0.0, kind=ProfileKind.RELATIVE, periods=steps((0.0, 6.0), (60.0, 16.0))))
    story.start(None)
    story.pass_time(60.0)
    story.start(7)
    assert story.limit() == story.order() == 16.0
    story.start(7)
    assert story.limit() == story.order() == 16.0
    story.stop()
    story.start(7)
    assert story.limit() == story.order() == 6.0
    story.pass_time(60.0)
    story.start(None)
    assert story.limit() == story.order() == 6.0


def test_number_of_connectors_remembered_is_bounded(story: Story) -> None:
    for number in range(MOST_CONNECTORS + 5):
        story.put(amperes(6.0), connector=ConnectorId(number))
        story.start(7, connector=ConnectorId(number))
        story.in_force(ConnectorId(number))
    assert len(story.ledger.connectors()) == MOST_CONNECTORS
    assert not story.ledger.ordered_anything(ConnectorId(4))
    assert story.order(ConnectorId(MOST_CONNECTORS)) == 6.0


# -- remote start ------------------------------------------------------------------------------------------------------


def test_profile_of_a_remote_start_is_in_force_with_its_transaction(story: Story) -> None:
    story.put(amperes(16.0))
    story.ledger.remote_start_requested("r", ONE, "TAG", tx(6.0))
    story.answer("r")
    assert story.limit() == story.order() == 16.0
    story.start(7)
    assert story.limit() == story.order() == 6.0
    story.stop()
    assert story.limit() == 16.0
    assert story.order() == 6.0


def test_profile_of_a_remote_start_follows_the_id_tag(story: Story) -> None:
    story.ledger.remote_start_requested("r", None, "TAG", tx(6.0))
    story.answer("r")
    story.start(7, id_tag="OTHER")
    assert story.ledger.in_force(ONE, story.now) is None
    story.start(8, connector=TWO, id_tag="TAG")
    assert story.limit(TWO) == 6.0
    assert story.ledger.ordered_anything(TWO)


def test_profile_of_a_remote_start_replaces_one_of_its_level(story: Story) -> None:
    story.put(tx(16.0))
    story.ledger.remote_start_requested("r", ONE, "TAG", tx(6.0, profile_id=30))
    story.answer("r")
    story.start(7)
    assert story.possible() == [6.0]
    assert story.order() == 6.0


def test_remote_start_may_be_answered_after_the_transaction_began(story: Story) -> None:
    for accepted, expected in ((True, [6.0]), (False, [16.0])):
        told = Story()
        told.put(amperes(16.0))
        told.ledger.remote_start_requested("r", ONE, "TAG", tx(6.0))
        told.start(7)
        assert told.possible() == [6.0, 16.0]
        assert told.order() == 16.0
        told.answer("r", accepted=accepted)
        assert told.possible() == expected
        assert told.order() == expected[0]


def test_refused_remote_start_leads_to_nothing(story: Story) -> None:
    story.put(amperes(16.0))
    story.ledger.remote_start_requested("r", ONE, "TAG", tx(6.0))
    story.answer("r", accepted=False)
    story.start(7)
    assert story.possible() == [16.0]


@pytest.mark.parametrize("end", [Ledger.booted, lambda ledger: ledger.available(ONE)])
def test_remote_start_that_led_to_nothing_is_forgotten(story: Story, end: Callable[[Ledger], None]) -> None:
    story.put(amperes(16.0))
    story.ledger.remote_start_requested("r", ONE, "TAG", tx(6.0))
    story.answer("r")
    end(story.ledger)
    story.start(7)
    assert story.possible() == [16.0]


# -- the order ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["pending", "refused", "accepted"])
def test_newest_command_is_the_order_whatever_its_answer(story: Story, answer: str) -> None:
    story.put(amperes(16.0))
    key = story.put_silently(amperes(0.0))
    if answer != "pending":
        story.answer(key, accepted=answer == "accepted")
    assert story.order() == 0.0
    assert story.newest().answer is CommandAnswer(answer)


def test_refused_command_is_no_order_any_more_when_another_comes(story: Story) -> None:
    story.put(amperes(16.0))
    story.put(amperes(0.0), accepted=False)
    story.put(whole(32.0), connector=WHOLE_CHARGE_POINT)
    assert story.order() == 16.0


def test_command_for_another_connector_does_not_take_the_place_of_the_newest(story: Story) -> None:
    story.put(amperes(0.0), accepted=False)
    story.put(amperes(16.0), connector=TWO)
    assert story.order(ONE) == 0.0
    assert story.order(TWO) == 16.0


def test_order_on_connector_0_is_an_order_on_each_connector(story: Story) -> None:
    story.put_silently(amperes(0.0), connector=WHOLE_CHARGE_POINT)
    assert story.order(ONE) == story.order(TWO) == story.order(WHOLE_CHARGE_POINT) == 0.0
    assert story.ledger.ordered_anything(TWO)
    assert story.newest(TWO).key == "1"
    story.put_silently(amperes(16.0), connector=TWO)
    assert story.newest(TWO).key == "2"
    assert story.newest(ONE).key == story.newest(WHOLE_CHARGE_POINT).key == "1"
    story.put_silently(amperes(6.0), connector=WHOLE_CHARGE_POINT)
    assert story.newest(TWO).key == "3"


def test_refused_clear_is_the_order_too(story: Story) -> None:
    story.put(amperes(0.0))
    key = story.clear(Criteria(), accepted=False)
    assert story.order() is None
    assert story.limit() == 0.0
    assert story.newest().key == key


def test_clear_takes_back_a_command_that_was_refused(story: Story) -> None:
    story.put(amperes(16.0, profile_id=3, stack_level=1))
    story.put(amperes(0.0, stack_level=2), accepted=False)
    story.clear(Criteria(profile_id=1), accepted=False)
    assert story.order() == 16.0
    assert story.newest().command == ClearProfiles(Criteria(profile_id=1))


def test_clear_that_names_nothing_of_the_order_leaves_it_alone(story: Story) -> None:
    key = story.put(amperes(0.0), accepted=False)
    story.clear(Criteria(profile_id=77))
    story.clear(Criteria(connector=TWO))
    assert story.order() == 0.0
    assert story.newest().key == key
    assert story.ledger.connectors() == (ONE, TWO)


def test_clear_concerns_the_connectors_on_which_it_names_something(story: Story) -> None:
    story.put(amperes(0.0))
    story.put(amperes(0.0, stack_level=2), connector=TWO)
    key = story.clear(Criteria(stack_level=2))
    assert story.order(ONE) == 0.0
    assert story.order(TWO) is None
    assert story.newest(TWO).key == key
    assert story.newest(ONE).key != key


def test_clear_alone_orders_no_limit(story: Story) -> None:
    story.clear(Criteria())
    assert not story.ledger.ordered_anything(ONE)
    assert story.ledger.in_force(ONE, story.now) is None


def test_refused_clear_does_not_take_away_what_a_later_remote_start_brings(story: Story) -> None:
    story.put(amperes(16.0))
    story.ledger.remote_start_requested("r", ONE, "TAG", tx(6.0))
    story.answer("r")
    story.clear(Criteria(), accepted=False)
    assert story.order() is None
    story.start(7)
    assert story.order() == 6.0


def test_newest_tells_when_it_was_asked_for_and_answered(story: Story) -> None:
    key = story.put_silently(amperes(6.0))
    asked = story.now
    command = SetProfile(ONE, amperes(6.0))
    assert story.newest() == Newest(key, command, asked, CommandAnswer.PENDING, None)
    story.answer(key)
    assert story.newest() == Newest(key, command, asked, CommandAnswer.ACCEPTED, asked + 1.0)


def test_clear_answered_unknown_counts_as_accepted(story: Story) -> None:
    story.put(amperes(6.0))
    story.clear(Criteria(), accepted=None)
    assert story.newest().answer is CommandAnswer.ACCEPTED
    assert story.order() is None
    story.put(whole(32.0), connector=WHOLE_CHARGE_POINT)
    assert story.order() == 32.0


def test_order_outlives_its_transaction_and_ends_with_the_next(story: Story) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.put(tx(0.0, 7))
    story.stop()
    story.ledger.available(ONE)
    assert story.limit() == 16.0
    assert story.order() == 0.0
    story.start(None)
    assert story.order() == 0.0
    story.identify(8)
    assert story.order() == 16.0


@pytest.mark.parametrize("accepted", [True, False])
def test_order_for_a_transaction_does_not_end_when_the_same_one_starts_again(story: Story, accepted: bool) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.put(tx(0.0), accepted=accepted)
    story.stop()
    story.start(7)
    assert story.order() == 0.0
    story.start(None)
    story.identify(7)
    assert story.order() == 0.0


@pytest.mark.parametrize("identified_later", [True, False])
def test_refused_order_for_a_transaction_ends_with_the_next_too(story: Story, identified_later: bool) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.put(tx(0.0), accepted=False)
    story.stop()
    assert story.order() == 0.0
    story.start(None if identified_later else 8)
    story.identify(8)
    assert story.order() == 16.0


def test_refused_default_order_does_not_end_with_a_transaction(story: Story) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.put(amperes(0.0), accepted=False)
    story.start(8)
    assert story.order() == 0.0


def test_order_for_a_transaction_that_was_never_seen_counts_until_one_starts_after_its_stop(story: Story) -> None:
    story.put(amperes(16.0))
    story.put(tx(0.0, 55), accepted=False)
    assert story.order() == 0.0
    story.stop()
    assert story.order() == 0.0
    story.start(None)
    assert story.order() == 16.0


def test_order_for_a_transaction_to_come_does_not_end_with_its_start(story: Story) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.stop()
    story.put(tx(6.0))
    story.start(8)
    assert story.limit() == story.order() == 6.0
    story.stop()
    story.put(tx(5.0), accepted=False)
    story.start(None)
    story.identify(9)
    assert story.order() == 5.0


def test_order_for_a_transaction_to_come_is_not_ended_by_a_second_end_of_the_one_before(story: Story) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.stop()
    story.put(tx(6.0), accepted=False)
    story.ledger.available(ONE)
    story.start(8)
    assert story.order() == 6.0


def test_clear_ends_nothing_when_another_transaction_starts(story: Story) -> None:
    story.put(amperes(0.0))
    story.start(7)
    story.clear(Criteria(), accepted=False)
    story.start(8)
    assert story.order() is None


def test_tx_profile_sent_with_the_new_transaction_is_not_ended_by_its_id(story: Story) -> None:
    story.put(amperes(16.0))
    story.start(7)
    story.start(None)
    story.put(tx(0.0), accepted=False)
    story.identify(8)
    assert story.order() == 0.0


def test_late_answer_is_understood_for_so_many_commands_only(story: Story) -> None:
    keys = [story.put_silently(amperes(6.0), connector=ConnectorId(number)) for number in range(MOST_UNANSWERED + 1)]
    story.answer(keys[0])
    assert story.newest(WHOLE_CHARGE_POINT).answer is CommandAnswer.PENDING
    story.answer(keys[1])
    assert story.newest(ONE).answer is CommandAnswer.ACCEPTED
    assert story.order(ONE) == 6.0


# -- time --------------------------------------------------------------------------------------------------------------


def test_next_change_is_the_first_of_order_and_limit_in_force(story: Story) -> None:
    story.put(amperes(16.0, valid_to=BEGINNING + 100.0))
    story.put_silently(amperes(6.0, profile_id=2, stack_level=1, valid_to=BEGINNING + 50.0))
    assert story.ledger.next_change(ONE, story.now) == BEGINNING + 50.0
    assert story.ledger.next_change(ONE, BEGINNING + 50.0) == BEGINNING + 100.0
    assert story.ledger.next_change(ONE, BEGINNING + 100.0) is None


def test_answer_from_memory_ends_with_the_period(story: Story) -> None:
    story.put(amperes(0.0, start_schedule=BEGINNING, periods=steps((0.0, 6.0), (60.0, 0.0))))
    assert [story.order(), story.limit()] == [6.0, 6.0]
    story.pass_time(BEGINNING + 59.0 - story.now)
    assert [story.order(), story.limit()] == [6.0, 6.0]
    story.pass_time(1.0)
    assert [story.order(), story.limit()] == [0.0, 0.0]
    story.pass_time(-1.0)
    assert [story.order(), story.limit()] == [6.0, 6.0]


def test_zero_watts_are_told_from_zero_amperes(story: Story) -> None:
    story.put(amperes(0.0, unit=RateUnit.WATTS))
    limit = story.ledger.order(ONE, story.now)
    assert limit is not None
    assert limit.is_zero_in_watts_only


# -- properties --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """One command and its answer; None: none."""

    command: Command
    accepted: bool | None


CONNECTORS = st.integers(0, 2).map(ConnectorId)
CRITERIA = st.builds(
    Criteria,
    profile_id=st.none() | st.integers(0, 4),
    connector=st.none() | CONNECTORS,
    purpose=st.none() | st.sampled_from(Purpose),
    stack_level=st.none() | st.integers(0, 2),
)


def commands(profile: st.SearchStrategy[ChargingProfile]) -> st.SearchStrategy[Command]:
    return st.one_of(st.builds(SetProfile, CONNECTORS, profile), st.builds(ClearProfiles, CRITERIA))


def changed(profiles: Profiles, command: Command, utc: float) -> Profiles:
    if isinstance(command, SetProfile):
        return install(profiles, command.connector, command.profile, utc)
    return clear(profiles, command.criteria)


@given(st.lists(st.builds(Said, commands(ORDINARY), st.sampled_from([True, True, False])), max_size=8), CONNECTORS)
def test_in_force_is_made_of_the_accepted_commands_only(said: list[Said], connector: ConnectorId) -> None:
    story = Story()
    accepted: Profiles = ()
    for one in said:
        story.answer(story.ask(one.command), one.accepted)
        accepted = changed(accepted, one.command, story.now) if one.accepted else accepted
    for after in (0.0, 3600.0, DAY):
        found = story.ledger.in_force(connector, story.now + after)
        limit = limit_at(accepted, connector, None, story.now + after)
        assert limit == (None if found is None else found.limit)


@given(st.lists(st.builds(Said, commands(ORDINARY), st.sampled_from([True, False, None])), max_size=5), CONNECTORS)
def test_order_is_the_accepted_commands_and_the_newest(said: list[Said], connector: ConnectorId) -> None:
    story = Story()
    story.start(7, connector=connector)
    for one in said:
        key = story.ask(one.command)
        if one.accepted is not None:
            story.answer(key, one.accepted)
    newest = story.ledger.newest(connector)
    counted: Profiles = ()
    for one in said:
        if one.accepted or (newest is not None and one.command is newest.command):
            counted = changed(counted, one.command, 0.0)
    transaction = story.ledger._transactions[connector].span()
    assert story.ledger.order(connector, story.now) == limit_at(counted, connector, transaction, story.now)


@given(st.lists(st.builds(Said, commands(ORDINARY), st.sampled_from([True, False, None])), max_size=5), CONNECTORS)
def test_no_possible_limit_is_above_an_accepted_charge_point_maximum(said: list[Said], connector: ConnectorId) -> None:
    story = Story()
    for one in said:
        key = story.ask(one.command)
        if one.accepted is not None:
            story.answer(key, one.accepted)
    story.put(whole(7.0, stack_level=99), connector=WHOLE_CHARGE_POINT)
    for limit in (*story.in_force(connector).possible, story.ledger.order(connector, story.now)):
        assert limit is not None
        assert limit.amperes <= 7.0


@given(
    st.lists(st.builds(Said, commands(ORDINARY), st.sampled_from([True, False, None])), max_size=4),
    CONNECTORS,
    st.integers(0, 8),
    st.lists(st.floats(0.0, 1.0), max_size=4),
)
def test_nothing_changes_before_the_next_change(
    said: list[Said], connector: ConnectorId, quarter_days: int, shares: list[float]
) -> None:
    story = Story()
    story.start(7, connector=connector)
    for one in said:
        key = story.ask(one.command)
        if one.accepted is not None:
            story.answer(key, one.accepted)
    utc = story.now + quarter_days * DAY / 4
    before = story.ledger.order(connector, utc), story.ledger.in_force(connector, utc)
    change = story.ledger.next_change(connector, utc)
    until = utc + 10 * DAY if change is None else change
    assert until > utc
    for sample in (*(utc + share * (until - utc) for share in shares), max(utc, math.nextafter(until, 0.0))):
        if sample < until:
            story.ledger.booted()  # so that nothing is answered from memory
            order, in_force = story.ledger.order(connector, sample), story.ledger.in_force(connector, sample)
            assert order == before[0]
            assert (in_force and in_force.possible) == (before[1] and before[1].possible)


KEYS = st.integers(0, 4).map(str)
UTC = st.floats(allow_nan=False)
IDS = st.none() | st.integers(-1, 9).map(TransactionId)
ANYTHING = st.one_of(
    st.tuples(st.just("requested"), KEYS, commands(ABSURD), UTC),
    st.tuples(st.just("answered"), KEYS, st.sampled_from([True, False, None]), UTC),
    st.tuples(st.just("remote_start_requested"), KEYS, st.none() | CONNECTORS, st.just("TAG"), st.none() | ABSURD),
    st.tuples(st.just("transaction_started"), CONNECTORS, IDS, st.sampled_from(["TAG", ""]), UTC),
    st.tuples(st.just("transaction_identified"), CONNECTORS, st.integers(-1, 9)),
    st.tuples(st.just("transaction_stopped"), CONNECTORS, UTC),
    st.tuples(st.just("available"), CONNECTORS),
    st.tuples(st.just("booted")),
    st.tuples(st.just("connection_lost")),
)


@given(st.lists(ANYTHING, max_size=20), CONNECTORS, UTC)
def test_nothing_raises_whatever_is_told(told: list[tuple[object, ...]], connector: ConnectorId, utc: float) -> None:
    ledger = Ledger()
    for name, *rest in told:
        getattr(ledger, str(name))(*rest)
        found = ledger.in_force(connector, utc)
        ledger.order(connector, utc)
        change = ledger.next_change(connector, utc)
        assert change is None or utc < change < math.inf
        assert found is None or found.uncertain is (len(found.possible) > 1)
        ledger.newest(connector)


@given(st.lists(ANYTHING, max_size=20), CONNECTORS)
def test_same_history_gives_the_same_answers_however_often_asked(
    told: list[tuple[object, ...]], connector: ConnectorId
) -> None:
    quiet, asked = Ledger(), Ledger()
    for name, *rest in told:
        getattr(quiet, str(name))(*rest)
        getattr(asked, str(name))(*rest)
        for utc in (BEGINNING, 0.0, BEGINNING + DAY):
            asked.order(connector, utc)
            asked.in_force(connector, utc)
    assert quiet.order(connector, BEGINNING) == asked.order(connector, BEGINNING)
    assert quiet.in_force(connector, BEGINNING) == asked.in_force(connector, BEGINNING)
    assert quiet.next_change(connector, BEGINNING) == asked.next_change(connector, BEGINNING)


def test_everything_that_may_be_installed_or_was_ordered_is_known_once(story: Story) -> None:
    assert story.ledger.known() == ()
    story.put(amperes(16.0))
    story.put(amperes(16.0))
    story.put_silently(amperes(6.0, profile_id=2, stack_level=2))
    story.put(amperes(8.0, profile_id=3, stack_level=3), accepted=False)
    assert sorted(held.profile.profile_id for held in story.ledger.known()) == [1, 2, 3]
