from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core.profiles import (
    MOST_INSTALLED,
    ChargingProfile,
    Criteria,
    IdScope,
    Installed,
    Profiles,
    clear,
    dispute,
    end_transaction,
    install,
    is_valid,
    matches,
    overriding,
    repeated,
    unconfirm,
)
from ocpp_watchdog.core.terms import WHOLE_CHARGE_POINT, ConnectorId, ProfileKind, Purpose, RateUnit, TransactionId
from ocpp_watchdog.core.units import Limit
from profile_examples import ABSURD, BEGINNING, amperes, steps, tx, whole

ONE, TWO = ConnectorId(1), ConnectorId(2)
DEFAULT, UPPER = amperes(16.0), amperes(8.0, profile_id=2, stack_level=3)
MAXIMUM, RUNNING = whole(32.0), tx(10.0)
ALL = (
    Installed(WHOLE_CHARGE_POINT, MAXIMUM, 10.0),
    Installed(ONE, DEFAULT, 20.0),
    Installed(ONE, UPPER, 30.0),
    Installed(ONE, RUNNING, 40.0),
    Installed(TWO, DEFAULT, 50.0),
)


def ids(profiles: Profiles) -> list[tuple[int, int]]:
    return [(held.connector, held.profile.profile_id) for held in profiles]


@pytest.mark.parametrize(
    ("purpose", "connector", "valid"),
    [
        (Purpose.CHARGE_POINT_MAX, 0, True),
        (Purpose.CHARGE_POINT_MAX, 1, False),
        (Purpose.TX_DEFAULT, 0, True),
        (Purpose.TX_DEFAULT, 1, True),
        (Purpose.TX, 0, False),
        (Purpose.TX, 1, True),
    ],
)
def test_purpose_is_valid_where_ocpp_allows_it(purpose: Purpose, connector: int, valid: bool) -> None:
    assert is_valid(ConnectorId(connector), amperes(6.0, purpose=purpose)) is valid


def test_profile_is_installed_behind_what_is_there() -> None:
    profiles = install((), ONE, DEFAULT, 5.0)
    assert profiles == (Installed(ONE, DEFAULT, 5.0, unconfirmed=False, disputed=False),)
    assert install(profiles, ONE, UPPER, 6.0) == (*profiles, Installed(ONE, UPPER, 6.0))


def test_same_id_replaces_whatever_its_purpose_and_level() -> None:
    successor = tx(6.0, profile_id=2, stack_level=1)
    assert install(ALL, ONE, successor, 60.0) == (ALL[0], ALL[1], ALL[3], ALL[4], Installed(ONE, successor, 60.0))


def test_same_id_on_another_connector_stays_unless_ids_are_unique_in_the_charge_point() -> None:
    successor = amperes(6.0, stack_level=5)
    assert ids(install(ALL, ONE, successor, 60.0)) == [(0, 50), (1, 2), (1, 9), (2, 1), (1, 1)]
    literal = install(ALL, ONE, successor, 60.0, IdScope.CHARGE_POINT)
    assert ids(literal) == [(0, 50), (1, 2), (1, 9), (1, 1)]


def test_same_purpose_and_level_on_the_same_connector_replaces_whatever_the_id() -> None:
    assert ids(install(ALL, ONE, amperes(6.0, profile_id=7), 60.0)) == [(0, 50), (1, 2), (1, 9), (2, 1), (1, 7)]


def test_same_level_of_another_purpose_stays() -> None:
    assert ids(install(ALL, TWO, tx(6.0), 60.0)) == [*ids(ALL), (2, 9)]


def test_unfitting_purpose_is_installed_too_and_replaces() -> None:
    assert ids(install(ALL[1:2], ONE, whole(6.0, profile_id=1), 60.0)) == [(1, 1)]


def test_oldest_is_forgotten_when_there_are_too_many() -> None:
    profiles: Profiles = ()
    for number in range(MOST_INSTALLED + 3):
        profiles = install(profiles, ONE, amperes(6.0, profile_id=number, stack_level=number), float(number))
    assert len(profiles) == MOST_INSTALLED
    assert profiles[0].profile.profile_id == 3


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        (Criteria(), []),
        (Criteria(profile_id=1), [0, 2, 3]),
        (Criteria(profile_id=1, connector=ONE, stack_level=99), [0, 2, 3]),
        (Criteria(connector=ONE), [0, 4]),
        (Criteria(connector=WHOLE_CHARGE_POINT), [1, 2, 3, 4]),
        (Criteria(purpose=Purpose.TX_DEFAULT), [0, 3]),
        (Criteria(stack_level=0), [2]),
        (Criteria(connector=ONE, purpose=Purpose.TX_DEFAULT, stack_level=3), [0, 1, 3, 4]),
        (Criteria(connector=TWO, purpose=Purpose.TX), [0, 1, 2, 3, 4]),
    ],
)
def test_clear_removes_what_the_criteria_name(criteria: Criteria, left: list[int]) -> None:
    assert clear(ALL, criteria) == tuple(ALL[number] for number in left)
    assert [matches(held, criteria) for held in ALL] == [number not in left for number in range(len(ALL))]


def test_clear_leaves_what_came_after_it() -> None:
    assert clear(ALL, Criteria(), asked_utc=30.0) == ALL[3:]


def test_dispute_marks_what_the_criteria_name_and_removes_nothing() -> None:
    profiles = dispute(ALL, Criteria(profile_id=1), asked_utc=20.0)
    assert [held.disputed for held in profiles] == [False, True, False, False, False]
    assert ids(profiles) == ids(ALL)


def test_new_profile_is_neither_disputed_nor_unconfirmed() -> None:
    profiles = install(unconfirm(dispute(ALL, Criteria())), ONE, DEFAULT, 60.0)
    assert profiles[-1] == Installed(ONE, DEFAULT, 60.0)
    assert all(held.disputed and held.unconfirmed for held in profiles[:-1])


def test_boot_leaves_everything_unconfirmed() -> None:
    profiles = unconfirm(ALL)
    assert all(held.unconfirmed for held in profiles)
    assert ids(profiles) == ids(ALL)


def test_end_of_transaction_ends_the_tx_profiles_of_its_connector() -> None:
    other = Installed(TWO, RUNNING, 60.0)
    assert end_transaction((*ALL, other), ONE) == (ALL[0], ALL[1], ALL[2], ALL[4], other)


def test_end_of_transaction_leaves_a_tx_profile_that_came_after_it() -> None:
    assert end_transaction(ALL, ONE, asked_utc=39.0) == ALL
    assert ids(end_transaction(ALL, ONE, asked_utc=40.0)) == [(0, 50), (1, 1), (1, 2), (2, 1)]


def test_profiles_that_differ_in_one_period_are_different() -> None:
    assert len({amperes(6.0), amperes(6.0), amperes(7.0)}) == 2


@given(st.lists(st.tuples(st.integers(0, 2).map(ConnectorId), ABSURD), max_size=12), st.sampled_from(IdScope))
def test_no_two_profiles_hold_the_same_place(wanted: list, scope: IdScope) -> None:  # type: ignore[type-arg]
    profiles: Profiles = ()
    for number, (connector, profile) in enumerate(wanted):
        profiles = install(profiles, connector, profile, float(number), scope)
        assert profiles[-1].profile == profile
    places = [(held.connector, held.profile.purpose, held.profile.stack_level) for held in profiles]
    assert len(set(places)) == len(places)
    known = [(scope is IdScope.CHARGE_POINT or held.connector, held.profile.profile_id) for held in profiles]
    assert len(set(known)) == len(known)


# -- profiles of our own -------------------------------------------------------------------------------------------


NOTHING_FLOWS = Limit(0.0, 0.0, 3, 0.0, None, (1,))


def test_evccs_profile_is_repeated_with_a_fresh_start_and_nothing_else_changed() -> None:
    again = repeated(DEFAULT, BEGINNING + 100.7)
    assert again.start_schedule == BEGINNING + 40.0
    assert replace(again, start_schedule=DEFAULT.start_schedule) == DEFAULT


@pytest.mark.parametrize(
    "profile",
    [
        amperes(0.0, kind=ProfileKind.RELATIVE, start_schedule=None),
        amperes(0.0, start_schedule=None),
        amperes(0.0, duration=3600.0),
        amperes(0.0, periods=steps((0.0, 16.0), (600.0, 0.0))),
        amperes(0.0, periods=steps((60.0, 0.0))),
        amperes(0.0, kind=ProfileKind.RECURRING),
    ],
)
def test_a_schedule_that_a_fresh_start_would_change_is_repeated_as_it_was(profile: ChargingProfile) -> None:
    assert repeated(profile, BEGINNING + 100.0) == profile


def test_a_profile_of_our_own_overrules_and_collides_with_none_that_is_known() -> None:
    own = overriding(ALL, TWO, TransactionId(7), NOTHING_FLOWS, BEGINNING)
    assert (own.purpose, own.transaction_id, own.unit, own.periods) == (
        Purpose.TX,
        TransactionId(7),
        RateUnit.AMPERES,
        steps((0.0, 0.0)),
    )
    assert own.profile_id == 102
    assert own.stack_level == 3
    assert own.start_schedule == BEGINNING - 60.0


def test_the_id_is_another_where_ours_is_taken_and_the_level_is_above_a_rivals() -> None:
    rival = Installed(ONE, tx(10.0, profile_id=101, stack_level=5), 1.0)
    own = overriding((*ALL, rival), ONE, TransactionId(7), NOTHING_FLOWS, BEGINNING)
    assert (own.profile_id, own.stack_level) == (201, 6)
    assert overriding((), ONE, TransactionId(7), NOTHING_FLOWS, BEGINNING).stack_level == 0


def test_the_unit_is_that_of_the_order() -> None:
    own = overriding((), ONE, TransactionId(7), Limit(6.0, 1380.0, 1, None, 1380.0, (1,)), BEGINNING)
    assert own.unit is RateUnit.WATTS
    assert own.periods == steps((0.0, 1380.0), phases=1)
