"""Limits above 0: over or not, phases, raises not followed, control that does not react (smart-charging 6.1 to 6.3).

Seconds are counted from the change of the limit that is judged. VV-.. are verdicts of ``schedule-vectors.json``.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.builders import at, limit, sample
from ocpp_watchdog.core.decisions import Finding, FindingKind, Severity
from ocpp_watchdog.core.findings import MOST_LIMITS, AboveZero
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.samples import Sample
from ocpp_watchdog.core.terms import Status
from ocpp_watchdog.core.units import Limit

POLICY = Policy()
SIXTEEN = limit(16)
OVER = Finding(FindingKind.OVER_LIMIT, Severity.WARNING)
GRAVE = Finding(FindingKind.OVER_LIMIT, Severity.CRITICAL)
PHASES = Finding(FindingKind.PHASE_VIOLATION, Severity.WARNING)
FROZEN = Finding(FindingKind.CONTROL_FROZEN, Severity.CRITICAL)
NOT_FOLLOWED = Finding(FindingKind.RAISE_NOT_FOLLOWED, Severity.INFO, "undetermined")


class Bench:
    """A connector whose limit was 16 A for long, unless told otherwise."""

    def __init__(self, before: Limit | None = SIXTEEN) -> None:
        self.above = AboveZero(POLICY)
        self.now = -600.0
        self.above.follow(before, at(self.now))

    def limit(self, seconds: float, new: Limit | None) -> Bench:
        """The limit in force changes."""
        self.above.follow(new, at(seconds))
        self.now = seconds
        return self

    def see(self, *samples: Sample, status: Status | None = Status.CHARGING) -> list[Finding]:
        """These samples come; what is found then."""
        for one in samples:
            self.above.add(one, status)
            self.now = max(self.now, one.arrived.mono - at(0).mono)
        return self.above.findings(at(self.now))


def draw(seconds: float, amperes: float) -> Sample:
    """Three phases at this current."""
    return sample(seconds, f"{amperes} {amperes} {amperes}")


def steady(amperes: float, first: float, last: float) -> list[Sample]:
    """A reading every ten seconds."""
    return [draw(first + 10.0 * number, amperes) for number in range(int((last - first) // 10) + 1)]


# -- over a limit --------------------------------------------------------------------------------------------------


def test_without_samples_nothing_is_found() -> None:
    bench = Bench()
    assert bench.see() == []
    assert bench.above.is_settling
    assert not bench.above.is_suspect
    assert not bench.above.is_rising


def test_two_samples_eight_seconds_apart_confirm_a_reduction_that_was_ignored() -> None:
    """VV-11."""
    bench = Bench().limit(0, limit(6))
    assert bench.see(draw(31, 8.0)) == []
    assert bench.above.is_suspect
    assert bench.see(draw(38.9, 8.0)) == []
    assert not bench.above.is_confirmed_over
    assert bench.see(draw(39, 8.0)) == [OVER]
    assert bench.above.is_confirmed_over


def test_what_is_drawn_while_the_reduction_settles_is_held_against_the_limit_before() -> None:
    """VV-10."""
    bench = Bench().limit(0, limit(6))
    assert bench.see(*steady(16.5, 0, 20), draw(29.9, 16.5)) == []
    assert not bench.above.is_suspect


def test_what_exceeded_the_limit_before_is_over_while_settling_too() -> None:
    assert Bench().limit(0, limit(6)).see(draw(5, 17.5), draw(15, 17.5)) == [OVER]


def test_a_sample_below_in_between_begins_anew() -> None:
    bench = Bench(limit(6))
    assert bench.see(draw(0, 8.0), draw(5, 6.0), draw(10, 8.0)) == []
    assert not Bench(limit(6)).see(draw(0, 8.0), draw(10, 8.0), draw(20, 6.0))


@pytest.mark.parametrize(
    ("bound", "amperes", "is_over"),
    [(6, 7.0, False), (6, 7.01, True), (16, 17.28, False), (16, 17.3, True), (32, 34.5, False), (32, 34.6, True)],
)
def test_the_tolerance_is_one_ampere_or_eight_percent(bound: float, amperes: float, is_over: bool) -> None:
    found = Bench(limit(bound)).see(draw(0, amperes), draw(10, amperes))
    assert found == ([OVER] if is_over else [])


@pytest.mark.parametrize(
    ("bound", "power", "is_over"),
    [(1000, "1200", False), (1000, "1201", True), (4140, "4471", False), (4140, "4472", True)],
)
def test_the_tolerance_in_watts_is_two_hundred_or_eight_percent(bound: float, power: str, is_over: bool) -> None:
    found = Bench(limit(bound_watts=bound)).see(sample(0, "", power), sample(10, "", power))
    assert found == ([OVER] if is_over else [])


def test_steady_values_of_the_field_case_are_within_tolerance() -> None:
    """VV-02: 6 A ordered, 6.5 A measured."""
    assert Bench(limit(6)).see(*(sample(t, "6.52 6.29 6.44", "4290") for t in (0, 10, 20, 30))) == []


def test_two_changes_in_quick_succession_are_judged_by_the_largest_of_the_last_thirty_seconds() -> None:
    """VV-12: 16 A, then 8 A, after 20 s 10 A. The raise does not postpone the deadline of the reduction."""
    quick = Bench().limit(0, limit(8)).limit(20, limit(10))
    assert quick.see(draw(30, 12.0), draw(38, 12.0)) == [OVER]
    assert Bench().limit(0, limit(8)).limit(20, limit(10)).see(draw(30, 11.0), draw(40, 11.0)) == []


def test_the_limit_before_counts_up_to_the_last_moment_of_the_settle_time() -> None:
    bench = Bench().limit(0, limit(6))
    bench.see(draw(29.9, 8.0))
    assert not bench.above.is_suspect
    bench.see(draw(30, 8.0))
    assert bench.above.is_suspect


def test_a_sample_from_before_the_change_is_held_against_the_limit_of_its_time() -> None:
    bench = Bench().limit(0, limit(6)).limit(40, limit(10))
    bench.see(sample(39, "8.0", arrived=41))
    assert bench.above.is_suspect
    bench.see(draw(41, 8.0))
    assert not bench.above.is_suspect


def test_nothing_is_judged_where_no_limit_is_known() -> None:
    assert Bench(None).see(draw(0, 80.0), draw(10, 80.0)) == []
    assert Bench().limit(0, None).see(draw(10, 80.0), draw(50, 80.0)) == []
    assert AboveZero(POLICY).findings(at(0)) == []
    fresh = AboveZero(POLICY)
    fresh.add(draw(0, 80.0), None)
    assert fresh.findings(at(0)) == []


def test_an_unknown_limit_within_the_settle_time_allows_anything() -> None:
    bench = Bench(None).limit(0, limit(6))
    assert bench.see(draw(10, 16.0), draw(29.9, 16.0)) == []
    assert bench.see(draw(31, 16.0), draw(41, 16.0)) == [OVER]


def test_before_the_first_limit_that_was_seen_anything_was_allowed() -> None:
    above = AboveZero(POLICY)
    above.follow(limit(6), at(0))
    for one in (draw(5, 16.0), draw(29, 16.0)):
        above.add(one, None)
    assert not above.is_suspect
    above.add(draw(30, 16.0), None)
    assert above.is_suspect


def test_a_limit_of_zero_is_judged_elsewhere() -> None:
    assert Bench(limit(0)).see(draw(0, 16.0), draw(60, 16.0)) == []


def test_the_same_limit_of_another_profile_is_no_change() -> None:
    bench = Bench().limit(0, limit(6)).limit(28, limit(6, ids=(7, 8)))
    assert bench.see(draw(31, 8.0), draw(40, 8.0)) == [OVER]


def test_a_limit_that_is_unknown_twice_is_no_change() -> None:
    bench = Bench(None).limit(0, None).limit(10, limit(6))
    assert bench.see(draw(41, 8.0), draw(50, 8.0)) == [OVER]


def test_a_reading_older_than_the_newest_is_not_looked_at() -> None:
    bench = Bench(limit(6))
    bench.see(draw(20, 6.0))
    assert bench.see(sample(10, "16.0", arrived=30), sample(19, "16.0", arrived=31)) == []
    assert not bench.above.is_suspect


def test_many_changes_forget_the_oldest_and_judge_nothing_they_do_not_remember() -> None:
    bench = Bench()
    for number in range(MOST_LIMITS + 5):
        bench.limit(0.1 * number, limit(6 + number % 2))
    assert bench.see(draw(7, 16.0), draw(15, 16.0)) == []
    assert bench.see(draw(60, 16.0), draw(70, 16.0)) == [OVER]


# -- which figure is held against which limit ----------------------------------------------------------------------


def test_a_limit_in_watts_is_compared_in_watts() -> None:
    """VV-13: 1380 W would be 2 A on three phases; the car takes 6 A on one."""
    one_phase = [sample(t, "6.1", "1400") for t in (0, 10)]
    assert Bench(limit(bound_watts=1380)).see(*one_phase) == []


def test_a_limit_in_amperes_is_compared_in_amperes() -> None:
    assert Bench(limit(16)).see(*(sample(t, "16.1 16.0 16.2", "99000") for t in (0, 10))) == []


def test_of_a_limit_in_both_units_the_one_exceeded_counts() -> None:
    both = limit(16, 4140)
    assert Bench(both).see(*(sample(t, "10.0 10.0 10.0", "6900") for t in (0, 10))) == [OVER]
    assert Bench(both).see(*(sample(t, "18.0 0.0 0.0", "4140") for t in (0, 10))) == [OVER]
    assert Bench(both).see(*(sample(t, "6.0 6.0 6.0", "4140") for t in (0, 10))) == []


def test_without_power_watts_are_those_of_the_currents() -> None:
    assert Bench(limit(bound_watts=4140)).see(draw(0, 7.0), draw(10, 7.0)) == [OVER]
    assert Bench(limit(bound_watts=4140)).see(draw(0, 6.1), draw(10, 6.1)) == []


def test_without_currents_amperes_are_estimated_from_power() -> None:
    by_phase = [sample(t, powers="3000 500 500") for t in (0, 10)]
    assert Bench(limit(11)).see(*by_phase) == [OVER]
    assert Bench(limit(12.5)).see(*by_phase) == []
    total = [sample(t, "", "6900") for t in (0, 10)]
    assert Bench(limit(8)).see(*total) == [OVER]
    assert Bench(limit(9.5)).see(*total) == []


def test_a_current_without_phase_is_held_against_the_sum_of_the_phases() -> None:
    assert Bench(limit(6)).see(*(sample(t, one_current="18.5") for t in (0, 10))) == []
    assert Bench(limit(6)).see(*(sample(t, one_current="19.5") for t in (0, 10))) == [OVER]
    assert Bench(limit(6, phases=1)).see(*(sample(t, one_current="7.5") for t in (0, 10))) == [OVER]


def test_direct_current_is_no_phase_current() -> None:
    direct = [sample(t, one_current="100", power="40000", voltage="400") for t in (0, 10)]
    assert Bench(limit(16)).see(*direct) == []
    assert Bench(limit(bound_watts=30000)).see(*direct) == [OVER]


def test_a_reading_without_current_and_power_is_not_over() -> None:
    silent = [sample(t, "", "", "1000") for t in (0, 10)]
    assert Bench(limit(6)).see(*silent) == []
    assert Bench(limit(bound_watts=4140)).see(*silent) == []
    assert Bench(limit(6)).see(*(sample(t, one_current="8.0", voltage="400") for t in (0, 10))) == []


def test_a_reading_that_says_nothing_of_the_flow_does_not_acquit() -> None:
    """Some send the register in a reading of its own between those of the currents."""
    apart = [draw(0, 8.0), sample(5, "", "", "1000"), draw(10, 8.0)]
    assert Bench(limit(6)).see(*apart) == [OVER]


# -- grave ---------------------------------------------------------------------------------------------------------


def test_a_quarter_above_the_limit_for_a_minute_is_critical() -> None:
    bench = Bench(limit(10))
    assert bench.see(*steady(12.6, 0, 50)) == [OVER]
    assert bench.see(draw(60, 12.6)) == [GRAVE]


def test_four_amperes_above_the_limit_for_a_minute_are_critical() -> None:
    assert Bench(limit(32)).see(*steady(36.0, 0, 60)) == [OVER]
    assert Bench(limit(32)).see(*steady(36.1, 0, 60)) == [GRAVE]


def test_less_than_that_stays_a_warning_however_long_it_lasts() -> None:
    assert Bench(limit(10)).see(*steady(12.4, 0, 600)) == [OVER]


def test_a_quarter_above_a_limit_in_watts_is_critical_too() -> None:
    assert Bench(limit(bound_watts=4000)).see(*(sample(t, "", "5100") for t in range(0, 61, 10))) == [GRAVE]


def test_only_what_lasted_a_minute_that_far_above_is_critical() -> None:
    """It has been a little over for long; the first sample far above does not make it critical."""
    bench = Bench(limit(10))
    assert bench.see(*steady(11.5, 0, 60), draw(70, 15.0)) == [OVER]
    assert bench.see(*steady(15.0, 80, 130)) == [GRAVE]


def test_what_was_over_is_no_graver_when_the_limit_is_not_known_any_more() -> None:
    bench = Bench(limit(10))
    bench.see(*steady(16.0, 0, 60))
    bench.limit(61, None)
    assert bench.above.findings(at(61)) == [OVER]


# -- phases --------------------------------------------------------------------------------------------------------


def test_more_phases_than_allowed_are_found_after_a_minute() -> None:
    bench = Bench(limit(16, phases=1))
    assert bench.see(*steady(6.0, 0, 50)) == []
    assert bench.see(draw(60, 6.0)) == [PHASES]


def test_phases_of_at_most_one_ampere_carry_nothing() -> None:
    assert Bench(limit(16, phases=1)).see(*(sample(t, "6.0 1.0 1.0") for t in range(0, 100, 10))) == []


def test_as_many_phases_as_allowed_are_no_violation() -> None:
    assert Bench(limit(16, phases=3)).see(*steady(6.0, 0, 100)) == []
    assert Bench(limit(16, phases=1)).see(*(sample(t, "0.0 6.0 0.0") for t in range(0, 100, 10))) == []


def test_the_minute_begins_anew_after_a_sample_on_one_phase() -> None:
    bench = Bench(limit(16, phases=1))
    assert bench.see(*steady(6.0, 0, 50), sample(55, "6.0 0.0 0.0"), *steady(6.0, 60, 110)) == []


def test_phases_are_not_counted_at_zero_or_without_a_limit() -> None:
    assert Bench(limit(0, phases=1)).see(*steady(6.0, 0, 100)) == []
    assert Bench(None).see(*steady(6.0, 0, 100)) == []


def test_a_reading_without_currents_does_not_begin_the_minute_anew() -> None:
    bench = Bench(limit(16, phases=1))
    assert bench.see(*steady(6.0, 0, 50), sample(55, "", "", "1000"), draw(60, 6.0)) == [PHASES]


# -- raises --------------------------------------------------------------------------------------------------------


def raised(before: float = 6.0, after: float = 11.0) -> Bench:
    """A raise at 0 s."""
    return Bench(limit(before)).limit(0, limit(after))


def test_a_raise_that_is_not_followed_is_found_after_ninety_seconds() -> None:
    """VV-03: nothing tells whether the car or the charge point is to blame."""
    bench = raised()
    assert bench.see(sample(90, "6.52 6.30 6.48")) == []
    assert bench.see(sample(91, "6.52 6.30 6.48")) == [NOT_FOLLOWED]


@pytest.mark.parametrize(
    ("offered", "finding"),
    [
        ("6.0", Finding(FindingKind.RAISE_NOT_FOLLOWED, Severity.WARNING, "charge_point")),
        ("7.0", Finding(FindingKind.RAISE_NOT_FOLLOWED, Severity.WARNING, "charge_point")),
        ("8.5", NOT_FOLLOWED),
        ("10.0", Finding(FindingKind.UNDER_DELIVERY, Severity.INFO, "vehicle")),
        ("11.0", Finding(FindingKind.UNDER_DELIVERY, Severity.INFO, "vehicle")),
    ],
)
def test_the_offered_current_tells_who_is_to_blame(offered: str, finding: Finding) -> None:
    """VV-04 and VV-05."""
    assert raised().see(sample(91, "6.5 6.3 6.4", offered=offered)) == [finding]


@pytest.mark.parametrize("amperes", [0.0, 1.0, 4.9, 7.1, 9.0, 10.0, 11.0])
def test_a_current_that_is_not_that_of_the_old_limit_or_that_follows_is_no_finding(amperes: float) -> None:
    assert raised().see(draw(91, amperes)) == []


def test_a_car_that_says_it_has_enough_need_not_follow() -> None:
    bench = raised()
    assert bench.see(draw(50, 6.0), status=Status.SUSPENDED_EV) == []
    assert bench.see(draw(91, 6.0)) == []


def test_the_raise_is_forgotten_with_the_next_reduction_and_with_the_limit() -> None:
    assert raised().limit(50, limit(6)).see(draw(150, 6.5)) == []
    assert raised().limit(50, None).see(draw(150, 6.5)) == []


def test_the_first_limit_is_no_raise() -> None:
    assert Bench(None).limit(0, limit(11)).see(draw(91, 6.0)) == []


def test_a_current_without_phase_does_not_tell_whether_a_raise_was_followed() -> None:
    assert raised().see(sample(91, one_current="6.5")) == []


def test_while_the_current_may_still_come_up_the_limit_is_rising() -> None:
    bench = raised()
    bench.see(draw(50, 6.0))
    assert bench.above.is_rising
    bench.see(draw(90, 6.0))
    assert bench.above.is_rising
    bench.see(draw(91, 6.0))
    assert not bench.above.is_rising


def test_nothing_is_rising_when_the_current_has_come_up_or_cannot_be_told() -> None:
    bench = raised()
    bench.see(draw(20, 10.5))
    assert not bench.above.is_rising
    bench.see(sample(30, one_current="6.0"))
    assert not bench.above.is_rising
    steady_limit = Bench()
    steady_limit.see(draw(0, 6.0))
    assert not steady_limit.above.is_rising


# -- settling ------------------------------------------------------------------------------------------------------


def test_a_reduction_is_settling_until_a_sample_was_measured_after_its_settle_time() -> None:
    bench = Bench()
    bench.see(draw(-10, 16.0))
    assert not bench.above.is_settling
    bench.limit(0, limit(6))
    assert bench.above.is_settling
    bench.see(draw(30, 6.0))
    assert bench.above.is_settling
    bench.see(draw(31, 6.0))
    assert not bench.above.is_settling


def test_a_raise_or_an_unknown_limit_does_not_settle() -> None:
    bench = raised()
    bench.see(draw(1, 6.0))
    assert not bench.above.is_settling
    bench.limit(10, None)
    assert not bench.above.is_settling


# -- control that does not react -----------------------------------------------------------------------------------


def field_case() -> Bench:
    """7, 11 and 0 A were accepted and 6.5 A flow on."""
    bench = Bench(limit(6))
    bench.see(sample(-120, "6.52 6.29 6.44"))
    bench.limit(-100, limit(7)).see(sample(-60, "6.59 6.36 6.53"))
    bench.limit(-50, limit(11)).see(sample(-10, "6.50 6.26 6.43"))
    return bench.limit(0, limit(0))


def test_two_changes_without_reaction_one_of_them_a_reduction_are_a_frozen_control() -> None:
    bench = field_case()
    assert bench.see(sample(30, "6.52 6.30 6.48")) == []
    assert bench.see(sample(31, "6.52 6.30 6.48")) == [FROZEN]


def test_raises_alone_are_no_frozen_control() -> None:
    bench = Bench(limit(6))
    bench.see(draw(-100, 6.5))
    bench.limit(-90, limit(8)).limit(-50, limit(11))
    assert FROZEN not in bench.see(draw(60, 6.5))


def test_one_change_without_reaction_is_no_frozen_control() -> None:
    bench = Bench(limit(16))
    bench.see(draw(-100, 16.0))
    assert FROZEN not in bench.limit(0, limit(6)).see(*steady(16.0, 31, 61))


def test_a_reaction_to_any_of_the_changes_shows_that_control_works() -> None:
    bench = field_case()
    bench.see(draw(20, 6.0))
    assert bench.see(sample(31, "6.52 6.30 6.48"), sample(60, "6.52 6.30 6.48")) == []


def test_a_reaction_below_half_an_ampere_is_none() -> None:
    bench = field_case()
    bench.see(sample(20, "6.05"))
    assert bench.see(sample(31, "6.05")) == [FROZEN]


def test_a_reduction_to_what_is_drawn_anyway_needs_no_reaction() -> None:
    bench = Bench(limit(16))
    bench.see(draw(-200, 6.0))
    bench.limit(-100, limit(11)).limit(-50, limit(8))
    assert bench.see(draw(60, 6.0)) == []


def test_changes_of_half_an_ampere_need_no_reaction() -> None:
    bench = Bench(limit(16))
    bench.see(draw(-200, 16.0))
    for number in range(1, 10):
        bench.limit(-200 + 10.0 * number, limit(16 - 0.5 * number))
    assert FROZEN not in bench.see(draw(60, 16.0))


def test_changes_before_any_current_was_known_are_not_waited_for() -> None:
    bench = Bench(limit(16)).limit(-100, limit(11)).limit(-50, limit(6))
    assert FROZEN not in bench.see(draw(60, 16.0))
    unknown = Bench(limit(16))
    unknown.see(sample(-200, one_current="16.0"))
    unknown.limit(-100, limit(11)).limit(-50, limit(6))
    assert FROZEN not in unknown.see(draw(60, 16.0))


def test_when_the_limit_becomes_unknown_all_changes_are_forgotten() -> None:
    bench = field_case()
    bench.limit(10, None)
    assert bench.see(sample(60, "6.52 6.30 6.48")) == []


def test_a_current_without_phase_is_no_reaction() -> None:
    bench = field_case()
    bench.see(sample(20, one_current="0.0"))
    assert bench.see(sample(31, "6.52 6.30 6.48")) == [FROZEN]


def test_a_register_between_two_currents_does_not_hide_a_frozen_control() -> None:
    bench = Bench(limit(6))
    bench.see(draw(-120, 6.5), sample(-110, "", "", "1000"))
    bench.limit(-100, limit(11)).limit(0, limit(0))
    assert bench.see(draw(31, 6.5)) == [FROZEN]


def test_changes_are_bounded() -> None:
    bench = Bench()
    bench.see(draw(-500, 16.0))
    for number in range(500):
        bench.limit(number, limit(6 + number % 2 * 5))
    assert len(bench.above._changes) == MOST_LIMITS


# -- whatever comes in ---------------------------------------------------------------------------------------------

LIMITS = (
    st.none()
    | st.builds(limit, st.integers(0, 40).map(float))
    | st.builds(lambda w: limit(bound_watts=w), st.integers(0, 22000).map(float))
)
EVENTS = st.lists(st.tuples(st.floats(0, 100), LIMITS, st.integers(0, 40), st.booleans()), max_size=40)


@given(EVENTS)
def test_nothing_within_every_limit_of_the_last_half_minute_is_ever_over(
    events: list[tuple[float, Limit | None, int, bool]],
) -> None:
    above, now = AboveZero(POLICY), 0.0
    for gap, new, amperes, is_change in events:
        now += gap
        if is_change:
            above.follow(new, at(now))
            continue
        above.add(draw(now, float(amperes)), Status.CHARGING)
        known = [since.limit for since in above._limits]
        allowed = [known_limit for known_limit in known if known_limit is not None]
        if all(
            (one.bound_amperes is None or amperes <= one.bound_amperes)
            and (one.bound_watts is None or amperes * 690 <= one.bound_watts)
            for one in allowed
        ):
            assert not above.is_suspect
        assert all(finding.kind in FindingKind for finding in above.findings(at(now)))
