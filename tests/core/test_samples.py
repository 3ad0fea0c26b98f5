"""When a reading was measured, which readings can be used, and how fast they come (watchdog rules 2)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.builders import at, mono, reading
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.samples import LAGS, MOST_SAMPLES, Sample, Samples
from ocpp_watchdog.core.terms import Context

RECONNECT_SECONDS = 30.0
FAST_SECONDS = 15.0


def samples_since(connected: float = -1000.0) -> Samples:
    """Samples of a connector whose session began then."""
    samples = Samples(RECONNECT_SECONDS)
    samples.connected(at(connected))
    return samples


def add(samples: Samples, made: Reading) -> Sample:
    """A reading that can be used."""
    sample = samples.add(made)
    assert sample is not None
    return sample


# -- when it was measured ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [0.0, 90.0, -90.0, 7200.0, -86_400.0])
def test_a_constant_clock_error_is_harmless(error: float) -> None:
    samples = samples_since()
    for seconds in (0.0, 10.0, 20.0):
        sample = add(samples, reading(seconds, "6.5", stamp=seconds + error))
        assert sample.measured == pytest.approx(mono(seconds), abs=1e-5)


def test_a_queued_reading_is_as_old_as_it_is() -> None:
    samples = samples_since()
    add(samples, reading(0, "6.5"))
    queued = add(samples, reading(100, "6.5", stamp=40))
    assert queued.measured == pytest.approx(mono(40), abs=1e-5)
    assert queued.arrived == at(100)


def test_the_smallest_delay_of_the_last_five_readings_counts() -> None:
    samples = samples_since()
    for number, delay in enumerate((5.0, 1.0, 4.0, 3.0, 2.0)):
        add(samples, reading(10.0 * number, "6.5", stamp=10.0 * number - delay))
    assert add(samples, reading(60, "6.5", stamp=60 - 7.0)).measured == pytest.approx(mono(60 - 7 + 1), abs=1e-5)
    assert add(samples, reading(70, "6.5", stamp=70 - 7.0)).measured == pytest.approx(mono(70 - 7 + 2), abs=1e-5)


def test_no_reading_is_measured_after_it_arrived() -> None:
    samples = samples_since(0.0)
    add(samples, reading(40, "6.5", stamp=20))  # the one that teaches 20 s of delay
    samples.connected(at(50))
    early = add(samples, reading(55, "6.5", stamp=54))
    assert early.measured == mono(55)


def test_without_a_time_stamp_it_counts_as_measured_on_arrival() -> None:
    assert add(samples_since(), reading(3, "6.5", has_stamp=False)).measured == mono(3)


def test_without_a_time_stamp_it_does_not_count_in_the_first_seconds_after_a_reconnect() -> None:
    samples = samples_since(0.0)
    assert samples.add(reading(29.9, "6.5", has_stamp=False)) is None
    assert add(samples, reading(30.0, "6.5", has_stamp=False)).measured == mono(30)


def test_in_the_first_seconds_the_delay_is_not_learnt() -> None:
    samples = samples_since(0.0)
    for seconds in (40, 50):
        add(samples, reading(seconds, "6.5", stamp=seconds - 2))
    samples.connected(at(100))
    add(samples, reading(101, "6.5", stamp=100.9))  # a live one among the queued: 0.1 s of delay, not learnt
    assert add(samples, reading(140, "6.5", stamp=138)).measured == pytest.approx(mono(140), abs=1e-5)


def test_in_the_first_seconds_the_delay_known_before_is_used() -> None:
    samples = samples_since(0.0)
    add(samples, reading(40, "6.5", stamp=38))
    samples.connected(at(100))
    assert add(samples, reading(110, "6.5", stamp=80)).measured == pytest.approx(mono(82), abs=1e-5)


def test_nobody_can_say_when_it_was_measured_before_any_delay_is_known() -> None:
    samples = samples_since(0.0)
    early = reading(5, "6.5", stamp=4)
    assert samples.add(early) is None
    assert samples.last_reading is early
    assert not samples.series


# -- which readings can be used ------------------------------------------------------------------------------------


@pytest.mark.parametrize("context", [Context.TRANSACTION_END, Context.INTERRUPTION_BEGIN, Context.INTERRUPTION_END])
def test_what_speaks_of_the_past_is_no_sample(context: Context) -> None:
    samples = samples_since()
    assert samples.add(reading(0, "6.5", context=context)) is None
    assert samples.last is None
    assert samples.skew_seconds is None


@pytest.mark.parametrize("context", ["Sample.Periodic", "Sample.Clock", "Trigger", "Transaction.Begin", "Other", "odd"])
def test_any_other_context_is_live(context: str) -> None:
    assert samples_since().add(reading(0, "6.5", context=context)) is not None


def test_exports_count_where_nothing_else_is_known() -> None:
    assert samples_since().add(reading(0, "6.5", is_export=True)) is not None


def test_exports_say_nothing_once_imports_are_known() -> None:
    samples = samples_since()
    add(samples, reading(0, "6.5"))
    assert samples.add(reading(10, "6.5", is_export=True)) is None
    assert samples.import_seen


def test_it_is_remembered_whether_currents_were_ever_reported() -> None:
    samples = samples_since()
    add(samples, reading(0, "", "1400"))
    assert not samples.current_seen
    add(samples, reading(10, "0.0"))
    add(samples, reading(20, "", "0"))
    assert samples.current_seen


# -- the series ----------------------------------------------------------------------------------------------------


def test_samples_stand_in_the_order_they_were_measured() -> None:
    samples = samples_since()
    first = add(samples, reading(0, "1.0"))
    last = add(samples, reading(20, "3.0"))
    late = add(samples, reading(25, "2.0", stamp=10))
    assert list(samples.series) == [first, late, last]
    assert samples.last is last


def test_of_two_measured_at_once_the_later_one_is_the_last() -> None:
    samples = samples_since()
    add(samples, reading(0, "1.0"))
    second = add(samples, reading(0, "2.0"))
    assert samples.last is second


def test_since_gives_the_newest_first_and_nothing_from_before() -> None:
    samples = samples_since()
    made = [add(samples, reading(seconds, "6.5", has_stamp=False)) for seconds in (0, 10, 20, 30)]
    assert list(samples.since(mono(10))) == [made[3], made[2]]
    assert list(samples.since(mono(-1))) == made[::-1]
    assert list(samples.since(mono(30))) == []


def test_the_series_is_bounded_and_forgets_the_oldest() -> None:
    samples = samples_since()
    for number in range(MOST_SAMPLES + 3):
        add(samples, reading(10.0 * number, "6.5", has_stamp=False))
    assert len(samples.series) == MOST_SAMPLES
    assert samples.series[0].measured == mono(30)


def test_a_sample_that_is_given_is_in_the_series() -> None:
    """An old reading behind a full series is not kept; whoever looks for it must not be sent looking."""
    samples = samples_since()
    for number in range(MOST_SAMPLES):
        add(samples, reading(10.0 * number, "6.5"))
    oldest = samples.series[0]
    assert samples.add(reading(10.0 * MOST_SAMPLES, "6.5", stamp=-5)) is None
    assert len(samples.series) == MOST_SAMPLES
    assert samples.series[0] is oldest


# -- intervals -----------------------------------------------------------------------------------------------------


def every(seconds: float, times: int) -> Samples:
    """So many readings, so many seconds apart."""
    samples = samples_since()
    for number in range(times):
        add(samples, reading(seconds * number, "6.5", has_stamp=False))
    return samples


def test_one_reading_has_no_interval() -> None:
    assert every(10, 0).interval() is None
    assert every(10, 1).interval() is None
    assert every(10, 2).interval() == 10


def test_the_interval_is_the_median_gap_of_the_last_five_readings() -> None:
    samples = samples_since()
    for seconds in (0, 600, 610, 621, 630, 690):  # gaps of the last five: 10, 11, 9, 60
        add(samples, reading(seconds, "6.5", has_stamp=False))
    assert samples.interval() == pytest.approx(10.5)


def test_what_was_measured_at_one_moment_is_one_reading_for_the_interval() -> None:
    """Each measurand in an element of its own, once a minute."""
    samples = samples_since()
    for seconds in (0, 60, 120):
        for _ in range(3):
            add(samples, reading(seconds, "6.5"))
    assert samples.interval() == pytest.approx(60.0)
    assert samples.is_fast(FAST_SECONDS), "three readings are too few to say"
    add(samples, reading(180, "6.5"))
    assert not samples.is_fast(FAST_SECONDS)
    assert samples.interval() == pytest.approx(60.0)
    for seconds in (190, 200, 210, 220, 220):
        add(samples, reading(seconds, "6.5"))
    assert samples.interval() == pytest.approx(10.0), "of the last five moments, not of all"


@pytest.mark.parametrize(
    ("seconds", "times", "is_fast"), [(10, 5, True), (15, 5, True), (15.1, 5, False), (60, 3, True), (60, 4, False)]
)
def test_fast_is_a_gap_of_at_most_fifteen_seconds_or_fewer_than_four_readings(
    seconds: float, times: int, is_fast: bool
) -> None:
    assert every(seconds, times).is_fast(FAST_SECONDS) is is_fast


# -- register and clock --------------------------------------------------------------------------------------------


def test_one_step_is_the_largest_power_of_ten_that_divides_all_readings_of_the_register() -> None:
    samples = samples_since()
    assert samples.register_step is None
    for seconds, text, step in ((0, "", None), (10, "12000", 1000.0), (20, "12300", 100.0), (30, "12400", 100.0)):
        add(samples, reading(seconds, "6.5", "", text))
        assert samples.register_step == step
    add(samples, reading(40, "", "", "12407.5"))
    assert samples.register_step == 0.1


def test_the_clock_skew_is_that_of_the_least_delayed_reading() -> None:
    samples = samples_since()
    assert samples.skew_seconds is None
    for number, delay in enumerate((44.0, 41.0, 43.0)):
        add(samples, reading(10.0 * number, "6.5", stamp=10.0 * number - delay))
    assert samples.skew_seconds == pytest.approx(-41.0, abs=1e-5)


def test_a_clock_that_is_ahead_has_a_skew_above_zero() -> None:
    samples = samples_since()
    add(samples, reading(0, "6.5", stamp=75))
    assert samples.skew_seconds == pytest.approx(75.0, abs=1e-5)


def test_the_skew_forgets_a_clock_that_was_set_right() -> None:
    samples = samples_since()
    add(samples, reading(0, "6.5", stamp=3600))
    for number in range(1, LAGS + 1):
        add(samples, reading(10.0 * number, "6.5"))
    assert samples.skew_seconds == pytest.approx(0.0, abs=1e-5)
    assert samples.last is samples.series[-1]
    assert samples.last.measured == pytest.approx(mono(10.0 * LAGS), abs=1e-5)


# -- whatever comes in ---------------------------------------------------------------------------------------------

Arrival = tuple[float, float | None, bool]
ARRIVALS: st.SearchStrategy[list[Arrival]] = st.lists(
    st.tuples(st.floats(0, 100), st.none() | st.floats(-1e5, 1e5), st.booleans()), max_size=60
)


@given(ARRIVALS)
def test_whatever_comes_in_the_series_is_ordered_and_measured_in_the_past(arrivals: list[Arrival]) -> None:
    samples = samples_since(0.0)
    now = 0.0
    for gap, stamp, reconnects in arrivals:
        now += gap
        if reconnects:
            samples.connected(at(now))
        sample = samples.add(reading(now, "6.5", stamp=stamp, has_stamp=stamp is not None))
        assert sample is None or sample in samples.series
        assert sample is None or sample.measured <= mono(now)
    measured = [kept.measured for kept in samples.series]
    assert measured == sorted(measured)
    assert samples.last is None or samples.last.measured == measured[-1]


def test_a_clock_that_stands_still_says_nothing_while_the_figures_move() -> None:
    samples = samples_since()
    first = add(samples, reading(0, "6.50"))
    assert first.measured == mono(0)
    for seconds in (60, 120, 180):
        stuck = replace(reading(0, f"6.5{seconds // 60}"), arrived=at(seconds))
        assert add(samples, stuck).measured == mono(seconds)
    again = replace(reading(0, "6.53"), arrived=at(240))
    assert add(samples, again).measured < mono(240), "the same figures again are an old reading"
    risen = replace(reading(0, "6.53"), arrived=at(300), energy=12.0)
    assert add(samples, risen).measured == mono(300), "a register that rises is a figure that moves"


def test_a_reading_said_again_teaches_nothing_about_the_delay() -> None:
    samples = samples_since()
    add(samples, reading(0, "6.50"))
    for seconds in range(20, 30):
        assert add(samples, replace(reading(0, "6.50"), arrived=at(seconds))).measured == mono(0)
    assert add(samples, reading(40, "6.51")).measured == mono(40)


def test_a_clock_that_stands_still_cannot_be_replaced_by_the_arrival_right_after_a_reconnect() -> None:
    samples = samples_since()
    add(samples, reading(0, "6.50"))
    samples.connected(at(100))
    assert samples.add(replace(reading(0, "6.51"), arrived=at(110))) is None


# -- a queue, and a clock that was set ---------------------------------------------------------------------------------


def in_time(*times: float) -> Samples:
    """Readings that came at once, the last lags are 0."""
    samples = samples_since()
    for seconds in times:
        add(samples, reading(seconds, "6.5", stamp=seconds))
    return samples


def ages(samples: Samples, arrivals: list[tuple[float, float]]) -> list[float]:
    """Readings that arrive at one second and are stamped with another; how old each is taken to be."""
    added = (add(samples, reading(came, "6.5", stamp=stamped)) for came, stamped in arrivals)
    return [round(sample.arrived.mono - sample.measured, 3) for sample in added]


def test_readings_that_come_out_of_a_queue_stay_old_however_long_it_lasts() -> None:
    samples = in_time(0, 10, 20, 30, 40)
    late = [(110 + 10 * number, 50 + 10 * number) for number in range(40)]
    assert ages(samples, late) == [60.0] * 40
    assert ages(samples, [(511, 510), (520, 520)]) == [1.0, 0.0], "the queue is empty"


def test_a_queue_that_grows_slowly_is_one_too() -> None:
    samples = in_time(0, 10, 20, 30, 40)
    late = [(50 + 13 * number, 50 + 10 * number) for number in range(20)]
    assert ages(samples, late)[-1] > 40


def test_a_clock_that_was_set_back_is_believed_after_five_readings() -> None:
    samples = in_time(0, 10, 20, 30, 40)
    late = [(50 + 10 * number, 10 * number - 550) for number in range(6)]
    assert ages(samples, late) == [600.0, 600.0, 600.0, 600.0, 0.0, 0.0]


def test_a_clock_that_was_set_back_by_less_than_an_interval_is_believed_too() -> None:
    samples = in_time(0, 60, 120, 180, 240)
    late = [(300 + 60 * number, 285 + 60 * number) for number in range(6)]
    assert ages(samples, late) == [15.0] * 4 + [0.0, 0.0]


def test_a_queue_is_not_believed_to_last_for_ever() -> None:
    samples = in_time(0, 10, 20, 30, 40)
    late = [(110 + 10 * number, 50 + 10 * number) for number in range(96)]
    assert ages(samples, late)[-2:] == [0.0, 0.0]


def test_a_clock_that_is_set_while_a_queue_lasts_ends_it() -> None:
    samples = in_time(0, 10, 20, 30, 40)
    late = [(110, 50), (120, 60), *((130 + 10 * number, 10 * number - 470) for number in range(5))]
    assert ages(samples, late)[-1] == 0.0


def test_a_charge_point_that_is_new_and_sends_what_it_had_kept_is_not_believed_until_that_is_over() -> None:
    samples = samples_since(0.0)
    kept = [(31 + 2 * number, -400 + 10 * number) for number in range(9)]
    first, *others = (samples.add(reading(came, "6.5", stamp=stamped)) for came, stamped in kept)
    assert first is not None
    assert others == [None] * 8, "faster than they were measured"
    assert samples.add(reading(60, "6.5", stamp=60)) is None, "the one that shows that the others were late"
    assert ages(samples, [(70, 70), (80, 80)]) == [0.0, 0.0]


@pytest.mark.parametrize("seconds", [121.0, 400.0])
def test_two_minutes_after_it_was_met_a_charge_point_may_send_in_heaps(seconds: float) -> None:
    samples = samples_since(0.0)
    add(samples, reading(seconds, "6.5", stamp=seconds - 20))
    assert ages(samples, [(seconds + 1, seconds - 10), (seconds + 2, seconds)]) == [0.0, 0.0]


def test_several_readings_in_one_frame_are_no_heap() -> None:
    samples = samples_since(0.0)
    assert ages(samples, [(50, 30), (50, 40), (50, 50)]) == [0.0, 0.0, 0.0]
