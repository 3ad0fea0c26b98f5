"""Everything measured since the order: the last sample that counts, its evidence, and whether the proof is complete
(watchdog rules 2 and 4). Seconds are counted from the order; the deadline is 30 s later."""

from __future__ import annotations

from core.builders import at, mono, reading
from ocpp_watchdog.core.decisions import EvidenceClass, EvidenceRecord
from ocpp_watchdog.core.episodes import MOST_READINGS
from ocpp_watchdog.core.evidence import Judged, Situation
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.samples import MOST_SAMPLES, Sample, Samples
from ocpp_watchdog.core.trial import MOST_JUDGED, Trial

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


class Court:
    """A trial with its samples."""

    def __init__(self) -> None:
        self.samples = Samples(POLICY.reconnect_seconds)
        self.samples.connected(at(-1000))
        self.trial = Trial(POLICY, self.samples)

    def hear(self, made: Reading) -> Judged | None:
        """A reading comes in."""
        sample = self.samples.add(made)
        assert sample is not None
        return self.trial.take(sample, SITUATION, made.arrived)

    def flow(self, seconds: float, register: str = "", stamp: float | None = None) -> Judged | None:
        """6 A, with digits that move."""
        return self.hear(reading(seconds, f"6.0{int(seconds) % 9 + 1}", "1380", register, stamp=stamp))

    def low(self, seconds: float, register: str = "", stamp: float | None = None) -> Judged | None:
        """0 A."""
        return self.hear(reading(seconds, "0.00", "0", register, stamp=stamp))

    def disobeyed(self) -> bool | None:
        """Whether the last reading that shows anything was over."""
        return self.trial.disobeyed_since(SITUATION.ordered)


# -- samples that count --------------------------------------------------------------------------------------------


def test_nothing_is_known_at_first() -> None:
    trial = Court().trial
    assert (trial.last, trial.evidence, trial.is_over) == (None, None, False)
    assert not trial.is_confirmed(SITUATION)
    assert list(trial.readings) == []


def test_a_sample_before_the_deadline_is_kept_and_does_not_count() -> None:
    court = Court()
    assert court.flow(30) is None
    assert court.trial.last is None
    assert not court.trial.is_over
    assert len(court.trial.readings) == 1


def test_a_sample_after_the_deadline_counts() -> None:
    court = Court()
    judged = court.flow(31)
    assert judged is not None
    assert court.trial.last is judged
    assert court.trial.is_over


def test_a_sample_that_waited_for_more_than_a_minute_does_not_count() -> None:
    court = Court()
    court.flow(5)
    assert court.flow(100, stamp=39) is None
    assert court.flow(101, stamp=41) is not None


def test_a_low_sample_counts_and_says_that_nothing_flows() -> None:
    court = Court()
    court.flow(31)
    evidence = court.trial.evidence
    judged = court.low(41)
    assert judged is not None
    assert judged.is_low
    assert court.trial.last is judged
    assert not court.trial.is_over
    assert court.trial.evidence is evidence, "it is that of the last over sample"


def test_a_sample_that_says_neither_changes_nothing() -> None:
    court = Court()
    first = court.flow(31)
    assert court.hear(reading(41, offered="6.0")) is None
    assert court.trial.last is first
    assert len(court.trial.readings) == 2


def test_the_evidence_of_an_over_sample_is_written_down() -> None:
    court = Court()
    court.flow(25)
    made = reading(35, "6.53", "1500")
    court.hear(made)
    assert court.trial.evidence == EvidenceRecord(
        at(35), court.samples.series[-1].measured, EvidenceClass.LIVE, None, made
    )


def test_the_evidence_carries_the_share_where_it_is_known() -> None:
    court = Court()
    court.flow(25, "1000")
    court.flow(35, "1004")
    evidence = court.trial.evidence
    assert evidence is not None
    assert evidence.evidence is EvidenceClass.FLOWING
    assert evidence.share is not None
    assert 1.1 < evidence.share < 1.2


def test_a_late_reading_does_not_become_the_last() -> None:
    court = Court()
    court.low(0)
    last = court.low(60)
    assert court.flow(65, stamp=40) is None
    assert court.trial.last is last
    assert court.trial.evidence is None
    assert len(court.trial.readings) == 3


def test_a_late_reading_stands_in_its_place_in_the_proof() -> None:
    court = Court()
    court.flow(31)
    court.low(65, stamp=41)
    court.flow(66, stamp=55)
    assert not court.trial.is_confirmed(SITUATION)
    court.flow(75, stamp=64)
    assert court.trial.is_confirmed(SITUATION)


def test_two_counting_over_samples_complete_the_proof() -> None:
    court = Court()
    court.flow(31)
    assert not court.trial.is_confirmed(SITUATION)
    court.flow(41)
    assert court.trial.is_confirmed(SITUATION)


# -- a new order, a closed episode ---------------------------------------------------------------------------------


def test_a_new_order_begins_anew() -> None:
    court = Court()
    court.flow(31, "1000")
    court.flow(41, "1004")
    court.trial.forget()
    assert (court.trial.last, court.trial.evidence, court.disobeyed()) == (None, None, None)
    assert list(court.trial.readings) == []
    assert court.trial.energy.watt_hours == 0.0
    assert not court.trial.is_confirmed(SITUATION)


def test_after_an_episode_that_was_obeyed_the_low_sample_stands_between() -> None:
    court = Court()
    court.flow(31)
    court.flow(41)
    low = court.low(51)
    court.trial.new_episode(obeyed=True)
    assert court.trial.last is low
    court.flow(120)
    assert not court.trial.is_confirmed(SITUATION)
    court.flow(130)
    assert court.trial.is_confirmed(SITUATION)


def test_after_any_other_end_a_violation_needs_new_samples() -> None:
    court = Court()
    court.flow(31)
    court.flow(41)
    court.trial.new_episode(obeyed=False)
    assert (court.trial.last, court.trial.evidence) == (None, None)
    court.flow(120)
    assert not court.trial.is_confirmed(SITUATION)
    court.flow(130)
    assert court.trial.is_confirmed(SITUATION)


def test_readings_and_energy_of_a_closed_episode_are_left_to_it() -> None:
    court = Court()
    court.flow(31, "1000")
    court.flow(41, "1004")
    readings, energy = court.trial.readings, court.trial.energy
    court.trial.new_episode(obeyed=True)
    court.flow(51, "1008")
    assert (len(readings), energy.watt_hours) == (2, 4.0)
    assert len(court.trial.readings) == 1


def test_energy_is_counted_from_the_first_sample_on_and_late_readings_add_none() -> None:
    court = Court()
    court.flow(5, "1000")
    court.flow(25, "1008")
    court.flow(26, "1004", stamp=15)
    court.flow(35, "1012")
    assert court.trial.energy.watt_hours == 12.0
    assert not court.trial.energy.is_integrated


# -- obeyed or not at the raise ------------------------------------------------------------------------------------


def test_the_last_reading_measured_ten_seconds_after_the_order_tells_whether_it_was_obeyed() -> None:
    court = Court()
    assert court.disobeyed() is None
    court.flow(9.9)
    assert court.disobeyed() is None
    court.flow(10)
    assert court.disobeyed() is True
    court.low(20)
    assert court.disobeyed() is False


def test_a_reading_that_says_neither_does_not_tell() -> None:
    court = Court()
    court.flow(20)
    court.hear(reading(25, offered="6.0"))
    assert court.disobeyed() is True


def test_where_nothing_speaks_nobody_knows_whether_it_was_obeyed() -> None:
    court = Court()
    court.hear(reading(25, offered="6.0"))
    assert court.disobeyed() is None


# -- bounds --------------------------------------------------------------------------------------------------------


def test_what_is_kept_is_bounded() -> None:
    court = Court()
    for number in range(MOST_READINGS + 5):
        court.flow(float(number))
    assert len(court.trial.readings) == MOST_READINGS
    assert len(court.trial._judged) == MOST_JUDGED
    assert court.trial.is_confirmed(SITUATION)


def test_a_reading_older_than_all_that_is_kept_is_no_sample_and_breaks_nothing() -> None:
    court = Court()
    for number in range(MOST_SAMPLES + 20):
        court.low(10.0 + number)
    old: Sample | None = court.samples.add(reading(500, "6.0", stamp=11))
    assert old is None
    assert court.flow(501, stamp=250) is None
    assert not court.trial.is_over
