"""What the readings prove at a limit of 0 A: over or not, confirmed or not, and the class of the evidence
(watchdog rules 2). Seconds are counted from the order; the deadline is 30 s later unless said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.builders import mono, reading, sample
from ocpp_watchdog.core.decisions import EvidenceClass
from ocpp_watchdog.core.evidence import (
    ACTING,
    STALE,
    Judged,
    Situation,
    claimed_watts,
    claims_nothing,
    classify,
    counts,
    is_confirmed,
    is_live,
    is_silent_on_flow,
    judge_at_zero,
    register_is_over,
    share,
)
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.samples import Sample

POLICY = Policy()
SITUATION = Situation(
    ordered=mono(0),
    deadline=mono(30),
    step=1.0,
    is_fast=True,
    is_charging=False,
    charging_since_before=False,
    single_is_enough=False,
)
SLOW = replace(SITUATION, is_fast=False)
CHARGING = replace(SITUATION, is_charging=True)


def judge(series: Sequence[Sample], situation: Situation = SITUATION) -> Judged:
    """The last sample of the series."""
    return judge_at_zero(series, len(series) - 1, situation, POLICY)


def over_by_register(*series: Sample, situation: Situation = SITUATION) -> bool:
    """What the register says at the last sample."""
    return register_is_over(series, len(series) - 1, situation, POLICY)


def class_of(*series: Sample, situation: Situation = SITUATION) -> EvidenceClass:
    """The class of the last sample."""
    return classify(series, len(series) - 1, judge(series, situation), situation, POLICY)[0]


def confirmed(*series: Sample, situation: Situation = SITUATION) -> bool:
    """Whether the last sample completes the proof."""
    since = [index for index, one in enumerate(series) if one.measured >= situation.ordered]
    return is_confirmed([judge_at_zero(series, index, situation, POLICY) for index in since], situation)


def zero(seconds: float, register: str) -> Sample:
    """Current and power say 0."""
    return sample(seconds, "0.00 0.00 0.00", "0", register)


def flow(seconds: float, register: str = "") -> Sample:
    """6 A on three phases: 4140 W at nominal voltage, 11.5 Wh in 10 s. The digits differ from sample to sample."""
    return sample(seconds, f"6.0{int(seconds) % 9 + 1} 6.00 6.00", "4140", register)


def seen_flowing(seconds: float, register: str) -> Sample:
    """The same in figures that never change."""
    return sample(seconds, "6.00 6.00 6.00", "4140", register)


# -- what a reading claims -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "power", "says_nothing"),
    [
        ("1.0", "", True),
        ("1.01", "", False),
        ("0.0 0.0 1.01", "", False),
        ("", "200", True),
        ("", "201", False),
        ("0.0", "201", False),
        ("1.01", "0", False),
        ("", "-4000", True),
    ],
)
def test_above_one_ampere_or_two_hundred_watts_something_flows(current: str, power: str, says_nothing: bool) -> None:
    assert claims_nothing(reading(0, current, power), POLICY) is says_nothing


def test_a_reading_of_the_register_alone_claims_nothing_and_is_silent_on_flow() -> None:
    silent = reading(0, "", "", "1000")
    assert claims_nothing(silent, POLICY)
    assert is_silent_on_flow(silent)
    assert not is_silent_on_flow(reading(0, "0.0"))
    assert not is_silent_on_flow(reading(0, "", "0"))


@pytest.mark.parametrize(
    ("made", "watts"),
    [
        (reading(0, "6.0 6.0 6.0", "4280"), 4140.0),
        (reading(0, "6.0 6.0 6.0", "414"), 414.0),
        (reading(0, "6.0 6.0 6.0"), 4140.0),
        (reading(0, "6.0"), 1380.0),
        (reading(0, one_current="6.0"), 1380.0),
        (reading(0, "", "4280"), 4280.0),
        (reading(0, "", "", "1000"), None),
    ],
)
def test_the_claimed_power_is_the_smaller_of_power_and_currents(made: Reading, watts: float | None) -> None:
    assert claimed_watts(made) == (watts if watts is None else pytest.approx(watts))


# -- over or low ---------------------------------------------------------------------------------------------------


def test_current_above_one_ampere_is_over() -> None:
    judged = judge([sample(40, "0.0 0.0 1.01", "0")])
    assert (judged.is_over, judged.is_low, judged.register_over) == (True, False, False)
    assert judged.speaks


def test_one_ampere_is_low() -> None:
    judged = judge([sample(40, "1.0", "200")])
    assert (judged.is_over, judged.is_low) == (False, True)
    assert judged.speaks


def test_power_alone_can_be_over_but_does_not_acquit_a_current() -> None:
    assert judge([sample(40, "0.5", "201")]).is_over
    assert judge([sample(40, "6.0", "0")]).is_over


def test_zeros_are_over_when_the_register_says_so() -> None:
    judged = judge([zero(20, "1000"), zero(30, "1012"), zero(40, "1024")])
    assert (judged.is_over, judged.is_low, judged.register_over) == (True, False, True)


def test_it_is_known_whether_nothing_but_the_register_says_over() -> None:
    assert judge([zero(20, "1000"), zero(30, "1012")]).by_register_only
    assert judge([sample(30, "", "", "1000"), sample(40, "", "", "1012")]).by_register_only
    assert not judge([flow(20, "1000"), flow(30, "1012")]).by_register_only
    assert not judge([zero(20, "1000"), zero(30, "1000")]).by_register_only


def test_current_is_over_whatever_the_register_says() -> None:
    judged = judge([flow(30, "1000"), flow(40, "1000")])
    assert (judged.is_over, judged.register_over) == (True, False)


def test_a_reading_that_carries_nothing_that_flows_says_neither() -> None:
    judged = judge([sample(40, offered="6.0")])
    assert not judged.speaks


# -- a register alone ----------------------------------------------------------------------------------------------


def test_a_register_alone_that_rises_after_the_deadline_is_over() -> None:
    judged = judge([sample(30, "", "", "1000"), sample(40, "", "", "1012")])
    assert (judged.is_over, judged.is_low, judged.register_over) == (True, False, True)


def test_a_register_alone_is_not_over_by_what_it_counted_while_settling() -> None:
    assert not judge([sample(29.9, "", "", "1000"), sample(40, "", "", "1012")]).is_over


@pytest.mark.parametrize(
    ("last", "register", "is_low"), [(65, "1000", True), (65, "1001", True), (64.9, "1000", False)]
)
def test_a_register_alone_is_low_when_it_stood_still_for_a_minute_but_for_one_step(
    last: float, register: str, is_low: bool
) -> None:
    judged = judge([sample(5, "", "", "1000"), sample(last, "", "", register)])
    assert (judged.is_over, judged.is_low) == (False, is_low)


def test_what_the_register_did_before_the_order_does_not_make_it_stand_still() -> None:
    assert not judge([sample(-1, "", "", "1000"), sample(65, "", "", "1000")]).speaks


def test_a_register_that_rose_slowly_says_neither() -> None:
    assert not judge([sample(5, "", "", "1000"), sample(65, "", "", "1003")]).speaks


def test_a_register_alone_says_neither_where_other_readings_carry_currents() -> None:
    assert not judge([sample(5, "", "", "1000"), flow(35), sample(65, "", "", "1000")]).speaks


def test_a_register_of_unknown_step_says_neither() -> None:
    still = [sample(5, "", "", "1000"), sample(65, "", "", "1000")]
    assert not judge(still, replace(SITUATION, step=None)).speaks


# -- the register says over ----------------------------------------------------------------------------------------


def test_two_steps_in_a_short_interval_are_over() -> None:
    assert over_by_register(zero(20, "1000"), zero(30, "1002"))


def test_exactly_two_hundred_watts_on_average_are_not_over() -> None:
    """Two steps less one in 18 s: 1 Wh in 18 s is 200 W."""
    assert not over_by_register(zero(20, "1000"), zero(38, "1002"))
    assert over_by_register(zero(20, "1000"), zero(37.9, "1002"))


def test_one_step_is_not_enough() -> None:
    assert not over_by_register(zero(20, "1000"), zero(21, "1001"))


def test_a_register_that_did_not_rise_since_the_reading_before_is_not_over() -> None:
    assert over_by_register(zero(20, "1000"), zero(30, "1012"))
    assert not over_by_register(zero(20, "1000"), zero(30, "1012"), zero(40, "1012"))


def test_a_coarse_register_is_measured_over_as_many_readings_as_two_steps_take() -> None:
    tens = replace(SITUATION, step=10.0)
    assert not over_by_register(zero(20, "1000"), zero(30, "1010"), situation=tens)
    assert over_by_register(zero(20, "1000"), zero(30, "1010"), zero(40, "1020"), situation=tens)


def test_only_the_shortest_interval_counts() -> None:
    """Much flowed before, 108 W on average in the last 100 s."""
    assert not over_by_register(zero(11, "1000"), zero(12, "5000"), zero(112, "5004"))


def test_readings_without_a_register_are_passed_over() -> None:
    assert over_by_register(zero(20, "1000"), sample(25, "0.0"), zero(30, "1012"), sample(31, "0.0"), zero(32, "1013"))


def test_without_register_step_or_earlier_reading_nothing_is_said() -> None:
    assert not over_by_register(zero(20, "1000"), sample(30, "0.0"))
    assert not over_by_register(zero(20, "1000"), zero(30, "1012"), situation=replace(SITUATION, step=None))
    assert not over_by_register(zero(30, "1012"))
    assert not over_by_register(sample(20, "0.0"), zero(30, "1012"))


def test_two_readings_of_one_moment_make_no_interval() -> None:
    assert not over_by_register(zero(30, "1000"), zero(30, "1012"))


def test_against_a_reading_of_zero_an_interval_begins_at_a_reading_of_zero() -> None:
    assert not over_by_register(flow(20, "1000"), zero(30, "1012"))
    assert over_by_register(flow(20, "1000"), zero(30, "1012"), zero(40, "1024"))


def test_against_a_reading_of_zero_an_interval_begins_when_the_order_shows() -> None:
    assert not over_by_register(zero(9.9, "1000"), zero(40, "1012"))
    assert over_by_register(zero(10, "1000"), zero(40, "1012"))


def test_a_reading_of_two_amperes_is_no_reading_of_zero() -> None:
    """A car that drew little and obeyed at 25 s."""
    assert not over_by_register(sample(20, "2.0", "", "1000"), zero(40, "1004"))


def test_idle_current_cannot_be_told_from_a_car_that_draws_little_before_the_deadline() -> None:
    assert not over_by_register(sample(29.9, "2.0", "", "1000"), sample(40, "2.0", "", "1004"))
    assert over_by_register(sample(30, "2.0", "", "1000"), sample(40, "2.0", "", "1004"))


def test_an_interval_that_begins_at_a_register_alone_begins_after_the_deadline() -> None:
    """Nothing tells whether charging had ended there."""
    assert not over_by_register(sample(20, "", "", "1000"), zero(40, "1012"))
    assert over_by_register(sample(30, "", "", "1000"), zero(40, "1012"))
    assert over_by_register(sample(30, "", "", "1000"), sample(31, "0.0"), zero(40, "1012"))


def test_a_reading_that_claims_flow_may_be_measured_from_any_reading() -> None:
    assert over_by_register(flow(-5, "1000"), flow(5, "1012"))


def test_a_register_that_drops_out_for_one_reading_did_not_rise() -> None:
    """A fall means reset or re-base (smart-charging 2.3): 1000 kWh in half a minute are no energy."""
    assert not over_by_register(zero(20, "1000080"), zero(50, "0"), zero(80, "1000080"), situation=SLOW)


def test_a_register_that_begins_anew_is_measured_from_there() -> None:
    assert over_by_register(zero(20, "1000080"), zero(30, "0"), zero(40, "12"))
    assert not over_by_register(zero(20, "1000080"), zero(30, "0"), zero(40, "0"))


# -- S -------------------------------------------------------------------------------------------------------------


def share_of(*series: Sample, step: float | None = 1.0) -> float | None:
    """S of the last sample."""
    return share(series, len(series) - 1, step)


def test_the_share_is_rise_plus_half_a_step_by_what_was_claimed() -> None:
    assert share_of(seen_flowing(30, "1000"), seen_flowing(40, "1012")) == pytest.approx(12.5 / 11.5)
    assert share_of(seen_flowing(30, "1000"), seen_flowing(40, "1000")) == pytest.approx(0.5 / 11.5)


def test_the_share_takes_the_newest_reading_over_which_five_steps_were_due() -> None:
    """At 4140 W 50 Wh are due after 43.5 s: the reading 50 s ago counts, not the one of 40 s or 60 s ago."""
    registers = ("900", "1000", "1010", "1020", "1030", "1040", "1050")
    series = [seen_flowing(10.0 * number, register) for number, register in enumerate(registers)]
    assert share_of(*series, step=10.0) == pytest.approx((50 + 5) / 57.5)


def test_where_no_reading_is_far_enough_back_the_oldest_counts() -> None:
    series = [seen_flowing(10.0 * number, str(1000 + 10 * number)) for number in range(4)]
    assert share_of(*series, step=10.0) == pytest.approx((30 + 5) / 34.5)


def test_the_share_is_not_known_before_two_steps_were_due() -> None:
    """4140 W: 20 Wh are due after 17.4 s."""
    assert share_of(seen_flowing(30, "1000"), seen_flowing(47, "1020"), step=10.0) is None
    assert share_of(seen_flowing(30, "1000"), seen_flowing(48, "1020"), step=10.0) == pytest.approx(25 / 20.7)


def test_the_share_looks_back_one_minute_and_no_further() -> None:
    assert share_of(seen_flowing(0, "1000"), seen_flowing(60, "1069"), step=10.0) == pytest.approx(74 / 69)
    assert share_of(seen_flowing(0, "1000"), seen_flowing(60.5, "1069"), step=10.0) is None


def test_readings_without_a_register_do_not_hide_the_share() -> None:
    series = [seen_flowing(20, "1000"), seen_flowing(30, ""), seen_flowing(40, "1023")]
    assert share_of(*series) == pytest.approx(23.5 / 23)


def test_a_register_that_fell_says_nothing_across_the_fall() -> None:
    assert share_of(seen_flowing(20, "5000"), seen_flowing(30, "0"), seen_flowing(40, "10"), step=10.0) is None
    assert share_of(seen_flowing(20, "5000"), seen_flowing(30, "0"), seen_flowing(40, "12")) == pytest.approx(
        12.5 / 11.5
    )


@pytest.mark.parametrize(
    "last",
    [
        sample(40, "6.0 6.0 6.0", "4140"),
        sample(40, "", "", "1012"),
        sample(40, "6.0 6.0 6.0", "0", "1012"),
        sample(40, "", "-4140", "1012"),
    ],
    ids=["no register", "no claim", "power of zero", "power that flows back"],
)
def test_without_register_or_claim_there_is_no_share(last: Sample) -> None:
    assert share_of(seen_flowing(30, "1000"), last) is None


def test_without_a_step_there_is_no_share() -> None:
    assert share_of(seen_flowing(30, "1000"), seen_flowing(40, "1012"), step=None) is None


def test_a_first_reading_has_no_share() -> None:
    assert share_of(seen_flowing(30, "1000")) is None


# -- live or frozen ------------------------------------------------------------------------------------------------


def live(*series: Sample, situation: Situation = SITUATION) -> bool:
    """Whether the figures move at the last sample."""
    return is_live(series, len(series) - 1, situation)


def test_current_digits_that_change_are_live() -> None:
    assert live(sample(20, "6.53 6.30"), sample(30, "6.53 6.31"))


def test_current_digits_that_stay_are_not() -> None:
    assert not live(*(sample(seconds, "6.53 6.30") for seconds in (-10, 0, 10, 20)))


def test_trailing_zeros_are_no_change() -> None:
    assert not live(sample(20, "6.50"), sample(30, "6.5"))


def test_a_change_against_the_last_reading_before_the_order_counts() -> None:
    assert live(sample(-5, "16.02"), sample(35, "6.53"))
    assert live(sample(-5, "16.02"), sample(25, "6.53"), sample(35, "6.53"))


def test_only_the_last_three_readings_count_once_there_are_three_since_the_order() -> None:
    same = [sample(seconds, "6.53") for seconds in (15, 25, 35)]
    assert not live(sample(-5, "16.02"), *same)
    assert not live(sample(5, "16.02"), *same)
    assert live(sample(5, "6.53"), sample(15, "16.02"), sample(25, "6.53"), sample(35, "6.53"))


def test_only_one_reading_before_the_order_counts() -> None:
    assert not live(sample(-15, "16.02"), sample(-5, "6.53"), sample(35, "6.53"))


def test_a_reading_from_before_the_order_and_before_a_gap_proves_no_movement() -> None:
    """The reading that a frozen meter repeats may have been lost with the connection."""
    back_at_once = replace(SITUATION, session_began=sample(-2, "6.5").arrived.mono)
    assert not live(sample(-5, "16.02"), sample(35, "6.53"), situation=back_at_once)
    assert live(sample(-1, "16.02"), sample(35, "6.53"), situation=back_at_once)
    back_later = replace(SITUATION, session_began=sample(30, "6.5").arrived.mono)
    assert live(sample(25, "16.02"), sample(35, "6.53"), situation=back_later), "since the order all of them count"


def test_a_single_reading_is_not_live() -> None:
    assert not live(sample(35, "6.53"))


@pytest.mark.parametrize(("text", "is_believed"), [("6", True), ("6.5", True), ("6.50", True), ("6.53", False)])
def test_at_most_one_decimal_is_believed_while_charging(text: str, is_believed: bool) -> None:
    same = [sample(seconds, text) for seconds in (5, 15, 25, 35)]
    assert live(*same, situation=CHARGING) is is_believed
    assert not live(*same)


def test_without_currents_power_that_changes_is_live() -> None:
    assert live(sample(25, "", "1413"), sample(35, "", "1417"))
    assert not live(sample(25, "", "1413"), sample(35, "", "1413"))


def test_with_currents_power_that_changes_proves_nothing() -> None:
    assert not live(sample(25, "6.53", "1413"), sample(35, "6.53", "1417"))


@pytest.mark.parametrize(
    ("watts", "is_believed"), [("1410", True), ("1410.0", True), ("1413", False), ("1410.5", False)]
)
def test_without_currents_tens_of_watts_are_believed_while_charging(watts: str, is_believed: bool) -> None:
    same = [sample(seconds, "", watts) for seconds in (5, 15, 25, 35)]
    assert live(*same, situation=CHARGING) is is_believed
    assert not live(*same)


def test_a_register_alone_is_not_live() -> None:
    assert not live(sample(25, "", "", "1000"), sample(35, "", "", "1012"), situation=CHARGING)


def test_readings_that_carry_no_current_do_not_hide_that_currents_change() -> None:
    """Some send each measurand in an element of its own; the currents change from one to the next all the same."""
    apart = [
        *(sample(25, "6.53"), sample(25, "", "1413"), sample(25, "", "", "1000")),
        *(sample(35, "6.57"), sample(35, "", "1413"), sample(35, "", "", "1012")),
        sample(45, "6.51"),
    ]
    assert live(*apart)


# -- classes, first match wins -------------------------------------------------------------------------------------


def test_acting_classes_lead_to_the_ladder_and_stale_ones_to_an_alarm_alone() -> None:
    assert {EvidenceClass.HIDDEN, EvidenceClass.FLOWING, EvidenceClass.LIVE} == ACTING
    assert {EvidenceClass.CONTRADICTED, EvidenceClass.FROZEN} == STALE


def test_zeros_against_a_rising_register_are_hidden() -> None:
    series = [zero(20, "1000"), zero(30, "1012"), zero(40, "1024")]
    assert classify(series, 2, judge(series), SITUATION, POLICY) == (EvidenceClass.HIDDEN, None)


@pytest.mark.parametrize(
    ("current", "power", "expected"),
    [
        ("3.00", "", EvidenceClass.SLIGHT),
        ("1.01", "", EvidenceClass.SLIGHT),
        ("3.00 3.00 3.00", "99", EvidenceClass.SLIGHT),
        ("3.00", "100", EvidenceClass.FROZEN),
        ("3.01", "", EvidenceClass.FROZEN),
        ("3.01", "0", EvidenceClass.FROZEN),
    ],
)
def test_a_small_current_without_power_is_slight(current: str, power: str, expected: EvidenceClass) -> None:
    assert class_of(sample(40, current, power)) is expected


def test_a_small_current_is_not_slight_when_the_register_is_over() -> None:
    small = [
        sample(seconds, "2.50", "99", register) for seconds, register in ((20, "1000"), (30, "1012"), (40, "1024"))
    ]
    assert class_of(*small) is not EvidenceClass.SLIGHT


def test_idle_current_is_slight_although_energy_flowed_before_the_order() -> None:
    """An obedient charge point with capacitive idle current and a slow meter (traps, smart-charging 6.5): what the
    register counted until the stop took hold says nothing about now. An obedient car is never accused."""
    charging, stopped = sample(-25, "16.0 16.1 16.0", "11000", "100000"), sample(35, "1.52 1.48 1.50", "20", "100092")
    assert class_of(charging, stopped, situation=SLOW) is EvidenceClass.SLIGHT


@pytest.mark.parametrize(
    ("rise", "counted", "expected"),
    [
        ("1010", 1.05, EvidenceClass.FLOWING),
        ("1007.5", 0.8, EvidenceClass.FLOWING),
        ("1007.4", 0.79, EvidenceClass.UNDECIDED),
        ("1004.5", 0.5, EvidenceClass.UNDECIDED),
        ("1004.4", 0.49, EvidenceClass.CONTRADICTED),
        ("1000", 0.05, EvidenceClass.CONTRADICTED),
    ],
)
def test_a_known_share_decides(rise: str, counted: float, expected: EvidenceClass) -> None:
    """3600 W for 10 s: 10 Wh were claimed."""
    series = [sample(30, "", "3600", "1000"), sample(40, "", "3600", rise)]
    kind, found = classify(series, 1, judge(series, CHARGING), CHARGING, POLICY)
    assert (kind, found) == (expected, pytest.approx(counted))


def test_moving_digits_do_not_help_against_a_register_that_stands_still() -> None:
    assert class_of(flow(30, "1000"), flow(40, "1000")) is EvidenceClass.CONTRADICTED


def test_without_a_share_moving_digits_are_live_and_still_ones_frozen() -> None:
    series = [flow(30), flow(40)]
    assert classify(series, 1, judge(series), SITUATION, POLICY) == (EvidenceClass.LIVE, None)
    assert class_of(sample(30, "6.53", "1500"), sample(40, "6.53", "1500")) is EvidenceClass.FROZEN


# -- confirmed -----------------------------------------------------------------------------------------------------


def test_a_fast_charge_point_needs_two_over_samples_eight_seconds_apart() -> None:
    assert not confirmed(flow(31))
    assert not confirmed(flow(31), flow(38.9))
    assert confirmed(flow(31), flow(39))
    assert confirmed(flow(31), flow(35), flow(39))


def test_samples_measured_before_the_deadline_do_not_count() -> None:
    assert not confirmed(flow(20), flow(30), flow(37))
    assert not confirmed(flow(22), flow(30))


def test_samples_received_before_the_deadline_do_not_count() -> None:
    """A clock that is set right in between can make a sample look newer than its arrival."""
    early = replace(flow(31), arrived=flow(29).arrived)
    assert not confirmed(early, flow(39))


def test_samples_that_waited_for_more_than_a_minute_do_not_count() -> None:
    assert counts(sample(31, "6.0", arrived=91), SITUATION.deadline)
    assert not counts(sample(31, "6.0", arrived=91.1), SITUATION.deadline)
    assert not confirmed(sample(31, "6.0", arrived=91.1), flow(92))


def test_a_low_sample_in_between_begins_anew() -> None:
    assert not confirmed(flow(31), zero(41, ""), flow(51))
    assert confirmed(flow(31), zero(41, ""), flow(51), flow(61))


def test_a_sample_that_says_nothing_is_not_below() -> None:
    assert confirmed(flow(31), sample(35, offered="6.0"), flow(41))


def test_one_over_sample_of_a_slow_charge_point_proves_nothing_by_itself() -> None:
    assert not confirmed(flow(45), situation=SLOW)


@pytest.mark.parametrize(
    ("first", "last", "is_proof"), [(10, 31, True), (9.9, 31, False), (25, 33, True), (25, 32.9, False)]
)
def test_a_slow_one_needs_an_over_sample_after_ten_seconds_and_eight_before(
    first: float, last: float, is_proof: bool
) -> None:
    assert confirmed(flow(first), flow(last), situation=SLOW) is is_proof
    assert not confirmed(flow(first), flow(last))


def test_a_low_sample_between_the_two_of_a_slow_one_acquits() -> None:
    assert not confirmed(flow(12), zero(22, ""), flow(45), situation=SLOW)


def test_one_sample_of_a_slow_one_is_enough_when_the_register_rose_since_the_order() -> None:
    assert confirmed(sample(5, "0.0", "", "1000"), flow(45, "1001"), situation=SLOW)
    assert not confirmed(sample(5, "0.0", "", "1000"), flow(45, "1000"), situation=SLOW)
    assert not confirmed(sample(-5, "0.0", "", "1000"), flow(45, "1040"), situation=SLOW)
    assert not confirmed(sample(5, "0.0", "", "1000"), flow(45), situation=SLOW)
    assert not confirmed(sample(5, "0.0"), flow(45, "1000"), situation=SLOW)


def test_one_sample_of_a_slow_one_is_enough_when_it_has_been_charging_since_before_the_order() -> None:
    charging = replace(SLOW, charging_since_before=True)
    assert confirmed(flow(45), situation=charging)
    assert not confirmed(flow(30), situation=charging)
    assert not confirmed(flow(45), situation=replace(charging, is_fast=True))


def test_one_sample_is_not_enough_where_nothing_but_the_register_says_over() -> None:
    """That the register rose is the evidence itself; one that lags behind rises once more after a stop."""
    charging = replace(SLOW, charging_since_before=True)
    assert not confirmed(zero(12, "1000"), zero(45, "1040"), situation=charging)
    assert not confirmed(sample(30, "", "", "1000"), sample(45, "", "", "1040"), situation=charging)
    assert confirmed(zero(12, "1000"), zero(45, "1040"), zero(60, "1057"), situation=charging)
    assert confirmed(zero(12, "1000"), flow(45, "1040"), situation=charging)


def test_one_sample_is_enough_when_the_last_order_was_superseded_a_short_while_ago() -> None:
    before = replace(SITUATION, single_is_enough=True)
    assert confirmed(flow(31), situation=before)
    assert not confirmed(flow(29), situation=before)
    assert confirmed(flow(31), situation=replace(before, is_fast=False))


def test_nothing_at_all_confirms_nothing() -> None:
    assert not is_confirmed([], SITUATION)


# -- whole traces --------------------------------------------------------------------------------------------------


def trace(gap: float, phase: float, stops: float, step: int, until: float = 200.0) -> list[Sample]:
    """Readings of a true meter: 11 kW until the car stops (for ever when that is later than ``until``)."""
    made: list[Sample] = []
    seconds = phase - 120.0
    while seconds < until:
        energy = 100_000 + 11_000 * (min(seconds, stops) + 120.0) / 3600.0
        shown = f"{int(energy // step * step)}"
        current = "0.00 0.00 0.00" if seconds >= stops else f"16.0{len(made) % 10} 16.01 16.02"
        made.append(sample(seconds, current, "0" if seconds >= stops else "11000", shown))
        seconds += gap
    return made


STEPS = st.sampled_from((1, 10, 100, 1000))


@given(gap=st.floats(5, 70), phase=st.floats(0, 70), stops=st.floats(0, 30), step=STEPS)
def test_an_obedient_car_is_never_accused(gap: float, phase: float, stops: float, step: int) -> None:
    situation = replace(SLOW, step=float(step), charging_since_before=True, single_is_enough=True)
    series = trace(gap, phase, stops, step)
    for index, one in enumerate(series):
        if one.measured > situation.deadline:
            assert not judge_at_zero(series, index, situation, POLICY).is_over


@given(phase=st.floats(0, 10), step=STEPS)
def test_a_meter_of_ten_seconds_convicts_whoever_ignores_the_order_within_a_minute(phase: float, step: int) -> None:
    situation = replace(SITUATION, step=float(step))
    series = trace(10, phase, 1000, step, until=60)
    assert confirmed(*series, situation=situation)
    assert class_of(*series, situation=situation) in ACTING


@pytest.mark.parametrize(("step", "power"), [(10, 1380.0), (100, 11_000.0), (100, 4140.0)])
def test_zeros_against_a_coarse_register_that_keeps_rising_are_convicted_in_the_end(step: int, power: float) -> None:
    """VV-08 with a register whose steps are further apart than the readings (hidden: the register wins). A reading of
    zeros between two steps is no proof of a stop: that takes a minute without a step (smart-charging 6.3)."""
    situation = replace(SITUATION, step=float(step))
    series = [zero(float(t), str(int((100_000 + power * t / 3600) // step * step))) for t in range(-60, 600, 10)]
    assert any(confirmed(*series[:end], situation=situation) for end in range(10, len(series) + 1))


def test_a_zero_between_two_steps_of_a_register_that_was_over_is_no_proof_of_a_stop() -> None:
    """100 Wh at 4140 W take 87 s; it proves neither that a try worked nor that the order is obeyed."""
    hundreds = replace(SITUATION, step=100.0)
    series = [zero(float(t), str(int((100_000 + 4140 * t / 3600) // 100 * 100))) for t in range(-60, 300, 10)]
    told = [judge_at_zero(series, index, hundreds, POLICY) for index in range(len(series))]
    first = next(index for index, judged in enumerate(told) if judged.is_over)
    assert not any(judged.is_low for judged in told[first:])


def test_a_zero_is_low_again_when_the_next_step_is_overdue() -> None:
    """Three steps of 10 Wh within 60 s, then none: a charge point that stopped late."""
    tens = replace(SITUATION, step=10.0)
    rising = [zero(10.0 * number, str(1000 + 10 * (number // 2))) for number in range(2, 9)]
    still = [zero(10.0 * number, "1040") for number in range(9, 16)]
    told = [judge([*rising, *still[:end]], tens) for end in range(len(still) + 1)]
    assert told[0].is_over
    assert not told[1].is_low
    assert told[-1].is_low


def test_a_reading_without_the_register_between_two_steps_changes_nothing() -> None:
    situation = replace(SITUATION, step=10.0)
    series = [zero(31, "100000"), zero(40, "100020"), sample(45, "0.00 0.00 0.00", "0"), zero(48, "100020")]
    judged = judge_at_zero(series, len(series) - 1, situation, POLICY)
    assert (judged.is_over, judged.is_low) == (False, False)


def test_a_zero_that_is_asserted_because_it_is_suspended_proves_nothing_without_the_register() -> None:
    """Halo from 185: 0 A is written while suspended."""
    asserted = replace(SITUATION, zero_is_asserted=True)
    hollow = judge([sample(40, "0.0", "0")], asserted)
    assert (hollow.is_over, hollow.is_low, hollow.speaks) == (False, False, False)
    assert judge([sample(40, "0.0", "0")]).is_low
    assert judge([zero(40, "1000")], asserted).is_low
    assert judge([flow(40)], asserted).is_over
