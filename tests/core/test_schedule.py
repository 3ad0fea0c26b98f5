from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core import units
from ocpp_watchdog.core.profiles import ChargingProfile, Installed, Profiles
from ocpp_watchdog.core.schedule import (
    TransactionSpan,
    active_period,
    limit_at,
    limit_of,
    next_change,
    period_at,
    prevailing,
    start_of_schedule,
)
from ocpp_watchdog.core.terms import (
    WHOLE_CHARGE_POINT,
    ConnectorId,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
    TransactionId,
)
from ocpp_watchdog.core.units import Limit
from profile_examples import ABSURD, BEGINNING, DAY, ORDINARY, WEEK, amperes, quarters, steps, tx, whole

ONE, TWO = ConnectorId(1), ConnectorId(2)
RUNNING = TransactionSpan(TransactionId(7), BEGINNING - 600.0)
RELATIVE, RECURRING = ProfileKind.RELATIVE, ProfileKind.RECURRING
DAILY = {"kind": RECURRING, "recurrency": Recurrency.DAILY, "start_schedule": BEGINNING}


def held(*profiles: ChargingProfile, connector: int = 1) -> Profiles:
    return tuple(Installed(ConnectorId(connector), profile, 0.0) for profile in profiles)


def amperes_at(
    profiles: Profiles, utc: float, transaction: TransactionSpan | None = RUNNING, connector: ConnectorId = ONE
) -> float | None:
    limit = limit_at(profiles, connector, transaction, utc)
    return None if limit is None else limit.amperes


# -- start, window and period ------------------------------------------------------------------------------------------


def test_nothing_installed_is_no_limit_and_never_changes() -> None:
    assert limit_at((), ONE, RUNNING, BEGINNING) is None
    assert next_change((), ONE, RUNNING, BEGINNING) is None


def test_absolute_schedule_begins_at_its_start() -> None:
    profile = amperes(6.0, start_schedule=BEGINNING)
    assert start_of_schedule(profile, RUNNING, BEGINNING - 0.25) is None
    assert start_of_schedule(profile, None, BEGINNING) == BEGINNING
    assert next_change(held(profile), ONE, None, BEGINNING - 5.0) == BEGINNING
    assert next_change(held(profile), ONE, None, BEGINNING) is None


@pytest.mark.parametrize(
    "profile",
    [
        amperes(6.0, kind=RELATIVE),
        amperes(6.0, kind=RELATIVE, start_schedule=None),
        amperes(6.0, start_schedule=None),
        amperes(6.0, kind=RECURRING, recurrency=Recurrency.DAILY, start_schedule=None),
    ],
)
def test_schedule_without_a_date_is_counted_from_the_transaction(profile: ChargingProfile) -> None:
    assert start_of_schedule(profile, RUNNING, BEGINNING) == BEGINNING - 600.0


def test_schedule_without_a_date_stands_at_its_start_while_there_is_no_transaction() -> None:
    profile = amperes(0.0, kind=RELATIVE, start_schedule=None, periods=steps((0.0, 6.0), (60.0, 16.0)))
    unknown = TransactionSpan(None, math.inf)
    for transaction in (None, unknown):
        for utc in (BEGINNING, BEGINNING + DAY):
            assert start_of_schedule(profile, transaction, utc) == utc
            assert amperes_at(held(profile), utc, transaction) == 6.0
            assert next_change(held(profile), ONE, transaction, utc) is None


def test_transaction_that_begins_on_a_clock_ahead_of_ours_stands_at_its_start_until_then() -> None:
    profiles = held(amperes(0.0, kind=RELATIVE, periods=steps((0.0, 6.0), (60.0, 16.0))))
    ahead = TransactionSpan(TransactionId(7), BEGINNING + 300.0)
    assert amperes_at(profiles, BEGINNING, ahead) == 6.0
    assert amperes_at(profiles, BEGINNING + 359.75, ahead) == 6.0
    assert amperes_at(profiles, BEGINNING + 360.0, ahead) == 16.0
    assert next_change(profiles, ONE, ahead, BEGINNING + 300.0) == BEGINNING + 360.0


@pytest.mark.parametrize(("recurrency", "length"), [(Recurrency.DAILY, DAY), (Recurrency.WEEKLY, WEEK)])
def test_recurring_schedule_begins_anew_each_round(recurrency: Recurrency, length: float) -> None:
    profile = amperes(6.0, kind=RECURRING, recurrency=recurrency, start_schedule=BEGINNING)
    assert start_of_schedule(profile, None, BEGINNING - 1.0) is None
    assert start_of_schedule(profile, None, BEGINNING + length - 0.25) == BEGINNING
    assert start_of_schedule(profile, None, BEGINNING + length) == BEGINNING + length
    assert start_of_schedule(profile, None, BEGINNING + 9.5 * length) == BEGINNING + 9 * length
    assert next_change(held(profile), ONE, None, BEGINNING - 1.0) == BEGINNING
    assert next_change(held(profile), ONE, None, BEGINNING + 9.5 * length) == BEGINNING + 10 * length


def test_recurring_schedule_that_does_not_say_how_runs_once() -> None:
    profile = amperes(6.0, kind=RECURRING, start_schedule=BEGINNING, duration=60.0)
    assert start_of_schedule(profile, None, BEGINNING + 10 * DAY) == BEGINNING
    assert active_period(profile, None, BEGINNING + DAY) is None


@pytest.mark.parametrize(
    ("anchor", "rounds"), [(1762467717.844311, 14_196), (759230446.6474556, 13_760), (0.5, 20_000)]
)
def test_rounding_does_not_move_the_turn_of_a_round(anchor: float, rounds: int) -> None:
    profile = amperes(6.0, kind=RECURRING, recurrency=Recurrency.DAILY, start_schedule=anchor)
    turn = anchor + rounds * DAY
    before = math.nextafter(turn, 0.0)
    assert start_of_schedule(profile, None, turn) == turn
    assert start_of_schedule(profile, None, before) == anchor + (rounds - 1) * DAY
    assert next_change(held(profile), ONE, None, before) == turn


def test_round_caps_duration_and_periods() -> None:
    profile = amperes(0.0, **DAILY, duration=3 * DAY, periods=steps((0.0, 6.0), (DAY, 16.0)))  # type: ignore[arg-type]
    assert amperes_at(held(profile), BEGINNING + DAY + 60.0) == 6.0


def test_nothing_is_left_after_the_duration() -> None:
    profiles = held(amperes(6.0, start_schedule=BEGINNING, duration=60.0))
    assert amperes_at(profiles, BEGINNING + 59.75) == 6.0
    assert amperes_at(profiles, BEGINNING + 60.0) is None
    assert next_change(profiles, ONE, RUNNING, BEGINNING) == BEGINNING + 60.0


def test_profile_applies_while_it_is_valid() -> None:
    profiles = held(amperes(6.0, valid_from=BEGINNING + 60.0, valid_to=BEGINNING + 120.0))
    found = [amperes_at(profiles, BEGINNING + after) for after in (59.75, 60.0, 119.75, 120.0)]
    assert found == [None, 6.0, 6.0, None]
    assert next_change(profiles, ONE, RUNNING, BEGINNING) == BEGINNING + 60.0
    assert next_change(profiles, ONE, RUNNING, BEGINNING + 60.0) == BEGINNING + 120.0
    assert next_change(profiles, ONE, RUNNING, BEGINNING + 120.0) is None


def test_period_begun_last_applies_in_whatever_order_they_stand() -> None:
    periods = steps((60.0, 16.0), (0.0, 6.0), (120.0, 8.0))
    assert period_at(periods, 0.0, 59.0) == periods[1]
    assert period_at(periods, 0.0, 60.0) == periods[0]
    assert period_at(periods, 0.0, 1e9) == periods[2]


def test_nothing_applies_before_the_first_period() -> None:
    assert period_at(steps((10.0, 6.0)), BEGINNING, BEGINNING + 9.0) is None


def test_period_that_would_begin_before_the_schedule_begins_with_it() -> None:
    profiles = held(amperes(0.0, start_schedule=BEGINNING, periods=steps((-5.0, 6.0))))
    assert amperes_at(profiles, BEGINNING - 1.0) is None
    assert amperes_at(profiles, BEGINNING) == 6.0
    assert next_change(profiles, ONE, None, BEGINNING - 1.0) == BEGINNING


def test_no_round_is_announced_before_the_first() -> None:
    profiles = held(amperes(0.0, **DAILY, periods=steps((0.0, 6.0), (60.0, 8.0))))  # type: ignore[arg-type]
    assert next_change(profiles, ONE, None, BEGINNING - 3.5 * DAY) == BEGINNING


# -- prevailing --------------------------------------------------------------------------------------------------------


def test_higher_level_prevails_even_when_it_allows_more() -> None:
    low, high = amperes(6.0), amperes(16.0, profile_id=2, stack_level=1)
    for profiles in (held(low, high), held(high, low)):
        assert amperes_at(profiles, BEGINNING) == 16.0


def test_lower_level_takes_over_when_the_higher_one_is_not_active() -> None:
    profiles = held(amperes(6.0), amperes(16.0, profile_id=2, stack_level=1, valid_to=BEGINNING))
    assert amperes_at(profiles, BEGINNING) == 6.0


def test_own_profile_of_the_connector_prevails_at_the_same_level_only() -> None:
    everywhere = Installed(WHOLE_CHARGE_POINT, amperes(16.0), 0.0)
    own = Installed(ONE, amperes(6.0), 0.0)
    for profiles in ((everywhere, own), (own, everywhere)):
        assert amperes_at(profiles, BEGINNING) == 6.0
        assert amperes_at(profiles, BEGINNING, connector=TWO) == 16.0
    above = Installed(WHOLE_CHARGE_POINT, amperes(10.0, stack_level=1), 0.0)
    assert amperes_at((above, own), BEGINNING) == 10.0


def test_tx_profile_is_put_above_the_default() -> None:
    profiles = held(amperes(6.0, stack_level=5), tx(16.0, stack_level=0))
    assert amperes_at(profiles, BEGINNING) == 16.0
    assert amperes_at(profiles, BEGINNING, None) == 6.0


@pytest.mark.parametrize(
    ("wanted", "running", "applies"),
    [(None, 7, True), (7, 7, True), (8, 7, False), (8, None, True), (None, None, True)],
)
def test_tx_profile_applies_to_the_transaction_it_names(wanted: int | None, running: int | None, applies: bool) -> None:
    transaction = TransactionSpan(None if running is None else TransactionId(running), BEGINNING)
    assert amperes_at(held(tx(6.0, wanted)), BEGINNING, transaction) == (6.0 if applies else None)


def test_unfitting_purpose_limits_nothing() -> None:
    assert limit_at(held(whole(6.0)), ONE, RUNNING, BEGINNING) is None
    assert limit_at(held(tx(6.0), connector=0), ONE, RUNNING, BEGINNING) is None
    assert next_change(held(whole(6.0, valid_to=BEGINNING + 60.0)), ONE, RUNNING, BEGINNING) is None


def test_other_connector_neither_limits_nor_changes_anything() -> None:
    profiles = held(amperes(6.0, valid_to=BEGINNING + 60.0), connector=2)
    assert limit_at(profiles, ONE, RUNNING, BEGINNING) is None
    assert next_change(profiles, ONE, RUNNING, BEGINNING) is None


def test_parts_of_the_limit_are_named() -> None:
    default, maximum = held(amperes(6.0))[0], held(whole(10.0), connector=0)[0]
    parts = prevailing((maximum, default), ONE, None, BEGINNING)
    assert [part.installed for part in parts] == [default, maximum]


# -- the number --------------------------------------------------------------------------------------------------------


def test_lower_of_maximum_and_default_counts() -> None:
    profiles = held(amperes(6.0)) + held(whole(10.0), connector=0)
    assert limit_at(profiles, ONE, None, BEGINNING) == Limit(6.0, 4140.0, 3, 6.0, None, (1, 50))
    profiles = held(amperes(16.0)) + held(whole(10.0), connector=0)
    assert limit_at(profiles, ONE, None, BEGINNING) == Limit(10.0, 6900.0, 3, 10.0, None, (1, 50))


def test_watts_are_converted_with_their_own_phases_and_stay_bound_as_watts() -> None:
    profiles = held(amperes(0.0, unit=RateUnit.WATTS, periods=steps((0.0, 3680.0), phases=1)))
    assert limit_at(profiles, ONE, None, BEGINNING) == Limit(16.0, 3680.0, 1, None, 3680.0, (1,))


def test_mixed_units_give_the_lower_of_each() -> None:
    default = amperes(0.0, periods=steps((0.0, 16.0), phases=1))
    profiles = held(default) + held(whole(2760.0, unit=RateUnit.WATTS), connector=0)
    limit = limit_at(profiles, ONE, None, BEGINNING)
    assert limit == Limit(4.0, 2760.0, 1, 16.0, 2760.0, (1, 50))


def test_no_part_is_no_limit() -> None:
    assert limit_of(()) is None


# -- properties --------------------------------------------------------------------------------------------------------

CONNECTORS = st.integers(0, 2).map(ConnectorId)
SPANS = st.none() | st.builds(
    TransactionSpan, st.none() | st.integers(6, 8).map(TransactionId), quarters(BEGINNING - DAY, BEGINNING + DAY)
)
INSTANTS = quarters(BEGINNING - 2 * DAY, BEGINNING + 4 * DAY)


def many(profile: st.SearchStrategy[ChargingProfile]) -> st.SearchStrategy[Profiles]:
    return st.lists(st.builds(Installed, CONNECTORS, profile, st.just(0.0)), max_size=5).map(tuple)


@given(many(ORDINARY), CONNECTORS, SPANS, INSTANTS, st.lists(st.floats(0.0, 1.0), max_size=5))
def test_limit_stays_until_the_next_change(
    profiles: Profiles, connector: ConnectorId, transaction: TransactionSpan | None, utc: float, shares: list[float]
) -> None:
    limit = limit_at(profiles, connector, transaction, utc)
    change = next_change(profiles, connector, transaction, utc)
    until = utc + 30 * DAY if change is None else change
    assert until > utc
    for sample in (utc + share * (until - utc) for share in (*shares, 0.5, 0.999)):
        if sample < until:
            assert limit_at(profiles, connector, transaction, sample) == limit
    assert limit_at(profiles, connector, transaction, max(utc, math.nextafter(until, 0.0))) == limit


@given(many(ORDINARY), CONNECTORS, SPANS, INSTANTS)
def test_limit_is_never_above_the_prevailing_charge_point_maximum(
    profiles: Profiles, connector: ConnectorId, transaction: TransactionSpan | None, utc: float
) -> None:
    maxima = tuple(one for one in profiles if one.profile.purpose is Purpose.CHARGE_POINT_MAX)
    maximum = limit_at(maxima, connector, transaction, utc)
    limit = limit_at(profiles, connector, transaction, utc)
    if maximum is None:
        return
    assert limit is not None
    assert limit.amperes <= maximum.amperes
    if maximum.bound_watts is not None:
        assert limit.watts <= maximum.bound_watts
    assert limit.number_phases <= maximum.number_phases


@given(many(ORDINARY), CONNECTORS, SPANS, INSTANTS)
def test_limit_is_made_of_what_was_said(
    profiles: Profiles, connector: ConnectorId, transaction: TransactionSpan | None, utc: float
) -> None:
    limit = limit_at(profiles, connector, transaction, utc)
    if limit is None:
        assert prevailing(profiles, connector, transaction, utc) == ()
        return
    said = {period.limit for one in profiles for period in one.profile.periods}
    assert {limit.bound_amperes, limit.bound_watts} - {None} <= said
    if limit.bound_watts is None:
        assert limit.watts == units.watts(limit.amperes, limit.number_phases)


@given(
    many(ABSURD | ORDINARY),
    CONNECTORS,
    st.none() | st.builds(TransactionSpan, st.none() | st.integers().map(TransactionId), st.floats(allow_nan=False)),
    st.floats(allow_nan=False) | INSTANTS,
)
def test_nothing_raises_whatever_the_profiles_say(
    profiles: Profiles, connector: ConnectorId, transaction: TransactionSpan | None, utc: float
) -> None:
    limit_at(profiles, connector, transaction, utc)
    change = next_change(profiles, connector, transaction, utc)
    assert change is None or utc < change < math.inf
