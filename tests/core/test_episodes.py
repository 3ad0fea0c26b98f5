"""An ignored stop from its conviction to its end: when it is over, and what flowed against the order (watchdog rules
4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.builders import ONE, at, limit, mono, sample
from ocpp_watchdog.core.decisions import Ending, EpisodeView, EvidenceClass, EvidenceRecord, StepKind, StepOutcome
from ocpp_watchdog.core.episodes import MOST_EVIDENCE, MOST_READINGS, EnergyAgainstOrder, Episode
from ocpp_watchdog.core.escalation import Ladder
from ocpp_watchdog.core.evidence import Judged
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.orders import StopAnswer, StopOrder
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.samples import Sample
from ocpp_watchdog.core.terms import Moment, TransactionId

POLICY = Policy()


def opened(seconds: float = 43.0) -> Episode:
    """An episode that was opened by an over sample."""
    over = sample(seconds, "6.5", "1500")
    return Episode(
        number=2,
        connector=ONE,
        order=StopOrder(at(0), ["1"], "[2,...]", StopAnswer.REFUSED, may_act=True),
        opened=at(seconds),
        deadline_mono=mono(30),
        alarm_only=False,
        last_over=over,
        energy=EnergyAgainstOrder(),
        readings=recent(over.reading),
    )


def recent(reading: Reading) -> Recent[Reading]:
    kept: Recent[Reading] = Recent(MOST_READINGS)
    kept.append(reading)
    return kept


def over(seconds: float, arrived: float | None = None) -> Judged:
    """An over sample."""
    return Judged(sample(seconds, "6.5", arrived=arrived), is_over=True, is_low=False, register_over=False)


def low(seconds: float) -> Judged:
    """A low sample."""
    return Judged(sample(seconds, "0.0"), is_over=False, is_low=True, register_over=False)


def mute(seconds: float) -> Judged:
    """A sample that says neither."""
    return Judged(sample(seconds, offered="6"), is_over=False, is_low=False, register_over=False)


# -- obeyed --------------------------------------------------------------------------------------------------------


def test_sixty_seconds_without_an_over_sample_and_a_low_one_among_them_are_obedience() -> None:
    episode = opened(43)
    episode.saw(low(53))
    assert not episode.is_obeyed(at(102.9), POLICY)
    assert episode.is_obeyed(at(103), POLICY)


def test_without_a_low_sample_nothing_is_obeyed() -> None:
    episode = opened(43)
    assert not episode.is_obeyed(at(1000), POLICY)
    episode.saw(mute(60))
    assert not episode.is_obeyed(at(1000), POLICY)


def test_an_over_sample_begins_the_sixty_seconds_anew_and_needs_a_low_one_after_it() -> None:
    episode = opened(43)
    episode.saw(low(53))
    episode.saw(over(80))
    assert not episode.is_obeyed(at(200), POLICY)
    episode.saw(low(139))
    assert not episode.is_obeyed(at(139.9), POLICY)
    assert episode.is_obeyed(at(140), POLICY)


def test_the_sixty_seconds_begin_when_the_over_sample_came() -> None:
    episode = opened(43)
    episode.saw(over(50, arrived=60))
    episode.saw(low(70))
    assert not episode.is_obeyed(at(119.9), POLICY)
    assert episode.is_obeyed(at(120), POLICY)


def test_a_sample_that_says_neither_leaves_everything_as_it_is() -> None:
    episode = opened(43)
    episode.saw(low(53))
    last, since = episode.last_over, episode.low_since
    episode.saw(mute(63))
    assert (episode.last_over, episode.low_since) == (last, since)


# -- silent --------------------------------------------------------------------------------------------------------


def silent_at(quiet_since: float | None, last_sample: float) -> float | None:
    """When an episode with an over sample at 43 s ends as silent, in seconds."""
    since = at(quiet_since) if quiet_since is not None else None
    found = opened(43).silent_at(since, at(last_sample), POLICY)
    return None if found is None else found - mono(0)


def test_no_sample_and_a_status_other_than_charging_for_a_minute_are_silence() -> None:
    assert silent_at(50, last_sample=43) == 110
    assert silent_at(50, last_sample=80) == 140


def test_without_a_status_other_than_charging_there_is_no_silence() -> None:
    assert silent_at(None, last_sample=43) is None


def test_a_status_from_before_the_last_over_sample_proves_nothing() -> None:
    assert silent_at(42.9, last_sample=43) is None
    assert silent_at(43, last_sample=43) == 103


# -- what can be seen ----------------------------------------------------------------------------------------------


def test_the_view_shows_the_episode_as_it_stands() -> None:
    episode, ladder, ordered = opened(43), Ladder(POLICY), limit(6)
    record = EvidenceRecord(at(43), mono(43), EvidenceClass.LIVE, None, episode.last_over.reading)
    step = ladder.skip(StepKind.REMOTE_STOP, StepOutcome.WOULD_SEND, TransactionId(7), "observe mode", at(43))
    episode.evidence.append(record)
    episode.energy.watt_hours, episode.energy.is_integrated = 12.5, True
    assert episode.view(ladder, ordered) == EpisodeView(
        number=2,
        connector=ONE,
        ordered=at(0),
        order_text="[2,...]",
        answer="refused",
        deadline_mono=mono(30),
        opened=at(43),
        evidence=(record,),
        readings=(episode.last_over.reading,),
        steps=(step,),
        energy_wh=12.5,
        energy_is_integrated=True,
        alarm_only=False,
        remote_start_seen=False,
        transaction_ended=False,
        ended=None,
        ending=None,
        now_ordered=ordered,
    )


def test_the_view_shows_how_it_ended() -> None:
    episode = opened(43)
    episode.ended, episode.ending = at(100), Ending.SUPERSEDED
    episode.remote_start_seen = episode.transaction_ended = episode.alarm_only = True
    view = episode.view(Ladder(POLICY), None)
    assert (view.ended, view.ending, view.now_ordered) == (at(100), Ending.SUPERSEDED, None)
    assert (view.remote_start_seen, view.transaction_ended, view.alarm_only) == (True, True, True)


def test_a_view_is_not_changed_by_what_comes_later() -> None:
    episode = opened(43)
    view = episode.view(Ladder(POLICY), None)
    episode.readings.append(over(53).sample.reading)
    assert len(view.readings) == 1


def test_evidence_is_bounded() -> None:
    episode = opened(43)
    for number in range(MOST_EVIDENCE + 5):
        moment: Moment = at(43 + number)
        episode.evidence.append(EvidenceRecord(moment, moment.mono, EvidenceClass.LIVE, None, episode.readings[0]))
    assert len(episode.evidence) == MOST_EVIDENCE


# -- energy --------------------------------------------------------------------------------------------------------


def energy_of(*samples: Sample) -> EnergyAgainstOrder:
    """What flowed over these samples."""
    energy = EnergyAgainstOrder()
    for one in samples:
        energy.add(one)
    return energy


def test_energy_is_what_the_register_counted() -> None:
    energy = EnergyAgainstOrder()
    counted = (sample(10.0 * n, "6.5", "1500", text) for n, text in enumerate(("1000", "1004", "1009")))
    added = [energy.add(one) for one in counted]
    assert added == [0.0, 4.0, 5.0]
    assert (energy.watt_hours, energy.is_integrated) == (9.0, False)


def test_a_register_that_falls_adds_nothing_and_counts_on_from_there() -> None:
    fallen = (sample(10.0 * n, "6.5", "", text) for n, text in enumerate(("5000", "0", "7")))
    assert energy_of(*fallen).watt_hours == 7.0


def test_a_register_that_drops_out_for_one_reading_adds_nothing() -> None:
    """A fall means reset or re-base (smart-charging 2.3): a megawatt hour in ten seconds did not flow."""
    dropped = (sample(10.0 * n, "0.0", "0", text) for n, text in enumerate(("1000080", "0", "1000080")))
    assert energy_of(*dropped).watt_hours == 0.0


def test_a_coarse_register_may_rise_by_a_step_at_once() -> None:
    assert energy_of(sample(0, "6.5", "", "41000"), sample(1, "6.5", "", "42000")).watt_hours == 1000.0


def test_without_a_register_power_is_integrated_and_marked_so() -> None:
    """1380 W for 60 s, then 690 W for 30 s; the power of the earlier sample holds until the next."""
    flowing = sample(0, "6.0", "1500"), sample(60, "3.0", "690")
    energy = energy_of(*flowing, sample(90, "0.0", "0"), sample(150, "0.0", "0"))
    assert energy.watt_hours == pytest.approx(23 + 5.75)
    assert energy.is_integrated


def test_one_sample_integrates_to_nothing() -> None:
    energy = energy_of(sample(0, "6.0"))
    assert (energy.watt_hours, energy.is_integrated) == (0.0, False)


def test_samples_that_claim_no_power_add_nothing() -> None:
    assert energy_of(sample(0, offered="6"), sample(60, "6.0")).watt_hours == 0.0
    assert not energy_of(sample(0, offered="6"), sample(60, "6.0")).is_integrated


def test_power_that_flows_back_is_not_taken_off() -> None:
    assert energy_of(sample(0, "", "-3600"), sample(10, "", "3600"), sample(20, "", "0")).watt_hours == 10.0


def test_two_samples_of_one_moment_add_nothing() -> None:
    assert energy_of(sample(10, "6.0"), sample(10, "6.0")).watt_hours == 0.0


def test_readings_between_two_of_the_register_are_not_counted_twice() -> None:
    energy = energy_of(sample(0, "6.0", "", "1000"), sample(10, "6.0"), sample(20, "6.0", "", "1008"))
    assert (energy.watt_hours, energy.is_integrated) == (8.0, False)


@given(st.lists(st.tuples(st.floats(0, 100), st.none() | st.integers(0, 100_000), st.integers(0, 32)), max_size=40))
def test_energy_never_falls(history: list[tuple[float, int | None, int]]) -> None:
    energy, now = EnergyAgainstOrder(), 0.0
    for gap, register, current in history:
        now += gap
        before = energy.watt_hours
        added = energy.add(sample(now, str(current), "", "" if register is None else str(register)))
        assert added >= 0.0
        assert energy.watt_hours == pytest.approx(before + added)
