from __future__ import annotations

import pytest
from station_kit import IGNORED, READINGS, SEVEN, Bench, in_amperes, moment, reading

from ocpp_watchdog.core.decisions import (
    Ending,
    EpisodeView,
    EvidenceClass,
    FactKind,
    Mode,
    NoticeKind,
    Severity,
    StepKind,
    StepOutcome,
)
from ocpp_watchdog.core.ledger import InForce
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import Status, TransactionId
from ocpp_watchdog.core.units import Limit
from ocpp_watchdog.core.watchdog import Phase, phase

ZERO, SIX, SIXTEEN = in_amperes(0.0), in_amperes(6.0), in_amperes(16.0)


def ordered(policy: Policy | None = None) -> Bench:
    """A charge point that charges, and 0 A ordered at 0."""
    bench = Bench(policy)
    bench.flow(IGNORED[:6])
    bench.to(0)
    bench.order(ZERO)
    return bench


def ignored(policy: Policy | None = None) -> Bench:
    bench = Bench(policy)
    bench.ignored()
    return bench


def in_force(limit: Limit | None, *, disputed: bool = False, unconfirmed: bool = False) -> InForce:
    return InForce(limit, (limit,), uncertain=False, disputed=disputed, unconfirmed=unconfirmed)


def episode(bench: Bench) -> EpisodeView:
    view = bench.watch.episode_view()
    assert view is not None
    return view


# -- orders (watchdog rules 1) -----------------------------------------------------------------------------------------


def test_a_stop_order_is_a_fact_with_the_frame_that_gave_it() -> None:
    bench = Bench()
    bench.to(0)
    bench.order(ZERO, text='[2,"1","SetChargingProfile",{}]')
    (fact,) = bench.facts(FactKind.STOP_ORDERED)
    assert (fact.at, fact.text) == (moment(0), '[2,"1","SetChargingProfile",{}]')


def test_an_order_above_zero_is_no_fact() -> None:
    bench = Bench()
    bench.order(SIXTEEN)
    bench.order(None)
    assert bench.said == []
    assert bench.watch.commanded is None


def test_zero_again_is_the_same_order() -> None:
    bench = ordered()
    bench.to(20)
    bench.order(ZERO)
    assert len(bench.facts(FactKind.STOP_ORDERED)) == 1
    standing = bench.watch.tracker.standing
    assert standing is not None
    assert standing.deadline(bench.policy) == moment(30).mono


def test_a_raise_ends_the_order_after_ten_seconds() -> None:
    bench = ordered()
    bench.read(13, 0)
    bench.to(20)
    bench.order(SIX)
    bench.to(29.9)
    assert bench.facts(FactKind.STOP_ENDED) == []
    bench.to(30)
    (fact,) = bench.facts(FactKind.STOP_ENDED)
    assert (fact.at, fact.text) == (moment(30), "raised")


def test_zero_within_ten_seconds_takes_the_raise_back_and_everything_goes_on() -> None:
    bench = ignored()
    bench.order(SIX)
    bench.to(52)
    bench.order(ZERO)
    bench.to(70)
    assert len(bench.facts(FactKind.STOP_ORDERED)) == 1
    assert bench.facts(FactKind.STOP_ENDED) == []
    assert episode(bench).ordered == moment(0)
    assert episode(bench).ended is None


def test_zero_after_ten_seconds_is_a_new_order() -> None:
    bench = ordered()
    bench.read(13, 0)
    bench.order(SIX)
    bench.to(24)
    bench.order(ZERO)
    assert [fact.at for fact in bench.facts(FactKind.STOP_ORDERED)] == [moment(0), moment(24)]


def test_an_answer_to_another_command_is_not_the_answer_to_the_stop() -> None:
    bench = Bench()
    bench.to(0)
    key = bench.order(ZERO, answer=None)
    bench.watch.order_answered("another", accepted=False, now=bench.now)
    assert episode_answer(bench) == "pending"
    bench.watch.order_answered(key, accepted=True, now=bench.now)
    assert episode_answer(bench) == "accepted"


def episode_answer(bench: Bench) -> str:
    standing = bench.watch.tracker.standing
    assert standing is not None
    return standing.answer.value


def test_an_order_unanswered_for_ten_seconds_is_unanswered_by_time_alone() -> None:
    bench = Bench()
    bench.to(0)
    bench.order(ZERO, answer=None)
    assert bench.watch.next_at() == moment(10).mono
    bench.to(10)
    assert episode_answer(bench) == "unanswered"


@pytest.mark.parametrize("answer", [True, False, None])
def test_accepted_refused_or_unanswered_the_alarm_is_the_same(answer: bool | None) -> None:
    bench = Bench()
    bench.flow(IGNORED[:6])
    bench.to(0)
    bench.order(ZERO, answer=answer)
    bench.flow(IGNORED[6:])
    assert bench.notice(NoticeKind.ALARM).at == moment(43)
    assert bench.wanted().transaction_id == SEVEN


def test_the_answer_time_moves_the_deadline() -> None:
    bench = Bench()
    bench.flow(IGNORED[:6])
    bench.to(0)
    key = bench.order(ZERO, answer=None)
    bench.to(9)
    bench.watch.order_answered(key, accepted=True, now=bench.now)
    bench.flow([13, 23, 33, 43])
    assert bench.notices() == []
    bench.read(53, 6.5)
    assert episode(bench).deadline_mono == moment(39).mono


# -- limits above 0 ----------------------------------------------------------------------------------------------------


def test_a_limit_in_force_is_watched() -> None:
    bench = Bench()
    bench.watch.limit_in_force(in_force(SIX), bench.now)
    bench.flow(range(-57, 0, 10), 9.0)
    assert [finding.kind.value for finding in bench.watch.above.findings(bench.now)] == ["over_limit"]


@pytest.mark.parametrize("doubt", ["disputed", "unconfirmed", "unknown"])
def test_a_limit_in_doubt_convicts_nobody(doubt: str) -> None:
    bench = Bench()
    doubtful = in_force(SIX, disputed=doubt == "disputed", unconfirmed=doubt == "unconfirmed")
    bench.watch.limit_in_force(None if doubt == "unknown" else doubtful, bench.now)
    bench.flow(range(-57, 0, 10), 9.0)
    assert bench.watch.above.findings(bench.now) == []


# -- samples that count (watchdog rules 2) -----------------------------------------------------------------------------


def test_readings_without_a_stop_order_convict_nobody() -> None:
    bench = Bench()
    bench.order(SIX)
    bench.flow(range(-57, 100, 10), 16.0)
    assert bench.notices() == []


def test_readings_of_the_settle_time_convict_nobody() -> None:
    bench = ordered()
    bench.flow([3, 13, 23, 29.9])
    bench.flow([33, 43], 0)
    assert bench.notices() == []
    assert not bench.watch.trial.is_over


def test_one_reading_after_the_deadline_is_only_a_suspicion() -> None:
    bench = ordered()
    bench.flow([3, 13, 23, 33])
    assert bench.notices() == []
    assert bench.watch.trial.is_over


def test_the_second_reading_after_the_deadline_convicts() -> None:
    bench = ignored()
    alarm = bench.notice(NoticeKind.ALARM)
    assert (alarm.at, alarm.severity) == (moment(43), Severity.CRITICAL)
    assert bench.texts(FactKind.EPISODE_OPENED) == ["live"]


def test_an_obedient_reading_in_between_begins_the_count_anew() -> None:
    bench = ordered()
    bench.flow([3, 13, 23, 33])
    bench.read(43, 0)
    bench.read(53, 6.5)
    assert bench.notices() == []


def test_readings_that_waited_in_a_queue_do_not_count() -> None:
    bench = ordered()
    bench.flow([3, 13])
    for t in (15, 20, 25, 29):
        bench.read(t, 6.5, arrives=60)
    assert bench.notices() == []
    assert not bench.watch.trial.is_over


def test_readings_that_come_more_than_a_minute_late_convict_nobody() -> None:
    """Freshness: arrival within 60 s (smart-charging 6.1)."""
    bench = ordered()
    bench.flow([3, 13])
    for t in (33, 43):
        bench.read(t, 6.5, arrives=t + 70)
    assert bench.notices() == []


def test_a_reading_older_than_the_newest_changes_no_verdict() -> None:
    bench = ordered()
    bench.flow([3, 13, 23, 33])
    bench.read(35, 0)
    bench.read(34, 6.5, arrives=45)
    assert not bench.watch.trial.is_over


def test_a_reading_nobody_can_place_in_time_is_left_out() -> None:
    bench = Bench()
    bench.watch.sampled(reading(bench.t, 6.5, context="Transaction.End"), bench.now)
    assert bench.watch.samples.last is None


def test_readings_while_a_raise_may_be_taken_back_are_not_judged() -> None:
    bench = ordered()
    bench.flow([3, 13, 23, 33])
    bench.to(35)
    bench.order(SIX)
    bench.read(43, 6.5)
    assert bench.notices() == []


def test_a_late_reading_from_before_the_order_is_not_held_against_it() -> None:
    bench = ordered()
    bench.read(-3, 6.5, arrives=35)
    assert bench.watch.trial.last is None
    assert list(bench.watch.trial.readings) == []


def test_a_reading_older_than_all_that_is_kept_does_no_harm() -> None:
    """Late and out of order (faults O9), under an order that has stood for an hour."""
    bench = ordered()
    bench.flow(range(3, 3603, 10), 0)
    bench.read(5, 6.5, arrives=3600)
    assert bench.notices() == []


def test_slight_current_is_a_note_and_no_alarm() -> None:
    bench = ordered()
    bench.flow(range(3, 200, 10), "2.00")
    assert bench.notices() == []
    assert bench.texts(FactKind.NOTE) == ["slight current at 0 A"]
    bench.order(SIX)
    bench.to(220)
    bench.order(ZERO)
    bench.flow(range(223, 400, 10), "2.00")
    assert len(bench.facts(FactKind.NOTE)) == 2


def test_frozen_figures_are_asked_about_once_and_then_alarmed_without_a_step() -> None:
    bench = Bench()
    bench.watch.sight.notified(Status.SUSPENDED_EVSE, moment(-100))
    bench.flow(IGNORED[:6], "6.53")
    bench.to(0)
    bench.order(ZERO)
    bench.flow([3, 13, 23, 33, 43], "6.53")
    assert bench.questions == ["frozen readings"]
    assert bench.notices() == []
    bench.read(53, "6.53")
    alarm = bench.notice(NoticeKind.ALARM)
    assert (alarm.severity, alarm.episode.alarm_only) == (Severity.WARNING, True)
    assert bench.watch.wants == []
    assert bench.questions == ["frozen readings"]


def test_figures_that_begin_to_move_allow_the_step_in_the_same_episode() -> None:
    bench = Bench()
    bench.watch.sight.notified(Status.SUSPENDED_EVSE, moment(-100))
    bench.flow(IGNORED[:6], "6.53")
    bench.to(0)
    bench.order(ZERO)
    bench.flow([3, 13, 23, 33, 43, 53], "6.53")
    assert episode(bench).alarm_only
    bench.read(63, "6.57")
    assert not episode(bench).alarm_only
    assert bench.wanted().why == "live"
    assert bench.notices() == [NoticeKind.ALARM]


def test_a_register_that_leaves_it_undecided_waits_for_the_next_reading() -> None:
    bench = Bench()
    for t in IGNORED[:6]:
        bench.read(t, 6.5, energy=str(10_000 + 12 * int(t + 57) // 10))
    bench.to(0)
    bench.order(ZERO)
    for t in IGNORED[6:]:
        bench.read(t, 6.5, energy=str(10_072 + 8 * int(t - 3) // 10))
    evidence = bench.watch.trial.evidence
    assert evidence is not None
    assert evidence.evidence is EvidenceClass.UNDECIDED
    assert bench.notices() == []


def test_a_register_that_contradicts_the_current_is_alarmed_without_a_step() -> None:
    bench = Bench()
    for t in IGNORED:
        if t == 3:
            bench.to(0)
            bench.order(ZERO)
        bench.read(t, 6.5, energy="10001")
    assert bench.texts(FactKind.EPISODE_OPENED) == ["contradicted"]
    assert bench.notice(NoticeKind.ALARM).severity is Severity.WARNING
    assert bench.watch.wants == []


def test_what_was_the_whole_charge_points_is_forgotten() -> None:
    bench = ordered()
    bench.flow([3, 13, 23, 33])
    bench.watch.forget_samples(bench.now)
    assert bench.watch.samples.last is None
    assert bench.watch.trial.last is None
    bench.read(43, 6.5)
    assert bench.notices() == []


def test_samples_are_forgotten_before_any_connection_too() -> None:
    bench = Bench()
    bench.watch.sight.connected_at = None
    bench.watch.forget_samples(bench.now)
    assert bench.watch.samples.last_reading is None


# -- episodes (watchdog rules 4) ---------------------------------------------------------------------------------------


def test_an_episode_keeps_the_order_its_frame_and_every_reading_since() -> None:
    bench = ignored()
    view = episode(bench)
    assert (view.number, view.connector, view.ordered, view.opened) == (1, 1, moment(0), moment(43))
    assert (view.order_text, view.answer, view.deadline_mono) == ("SetChargingProfile", "accepted", moment(30).mono)
    assert [one.arrived for one in view.readings] == [moment(t) for t in (3, 13, 23, 33, 43)]
    assert [(one.at, one.evidence) for one in view.evidence] == [(moment(43), EvidenceClass.LIVE)]
    assert (view.alarm_only, view.remote_start_seen, view.transaction_ended) == (False, False, False)
    assert (view.ended, view.ending, view.now_ordered) == (None, None, ZERO)


def test_an_episode_counts_what_flowed_and_says_that_it_was_integrated() -> None:
    bench = Bench()
    bench.ignored("6.5")  # one decimal while charging is believed to be live
    assert episode(bench).energy_is_integrated
    assert episode(bench).energy_wh == pytest.approx(6.5 * 690 * 40 / 3600)


def test_energy_against_orders_grows_over_all_episodes_by_the_register() -> None:
    bench = Bench()
    for t in (*IGNORED, 53):
        if t == 3:
            bench.to(0)
            bench.order(ZERO)
        bench.read(t, 6.5, energy=str(10_000 + 12 * (int(t) + 57) // 10))
    assert episode(bench).energy_wh == bench.watch.energy_total_wh == 60
    assert not episode(bench).energy_is_integrated


def test_evidence_is_kept_of_every_over_reading_in_the_episode() -> None:
    bench = ignored()
    bench.flow([53, 63])
    assert [one.at for one in episode(bench).evidence] == [moment(43), moment(53), moment(63)]


def test_a_minute_without_current_and_a_low_reading_is_the_all_clear() -> None:
    bench = ignored()
    bench.flow([53, 63, 73, 83, 93], 0)
    bench.to(102.9)
    assert bench.notices() == [NoticeKind.ALARM]
    assert bench.watch.next_at() == moment(103).mono
    bench.to(103)
    clear = bench.notice(NoticeKind.ALL_CLEAR)
    assert (clear.severity, clear.episode.ending, clear.episode.ended) == (Severity.INFO, Ending.OBEYED, moment(103))
    assert bench.texts(FactKind.EPISODE_CLOSED) == ["obeyed"]
    assert bench.watch.episode is None


def test_time_within_the_minute_closes_nothing() -> None:
    bench = ignored()
    bench.read(53, 0)
    bench.to(102)
    bench.tick()
    assert bench.notices() == [NoticeKind.ALARM]


def test_current_within_the_minute_puts_the_all_clear_off() -> None:
    bench = ignored()
    bench.flow([53, 63], 0)
    bench.read(73, 6.5)
    bench.flow(range(83, 133, 10), 0)
    bench.to(132.9)
    assert NoticeKind.ALL_CLEAR not in bench.notices()
    bench.to(133)
    assert NoticeKind.ALL_CLEAR in bench.notices()


def test_silence_alone_closes_nothing() -> None:
    bench = ignored()
    bench.to(1000)
    bench.tick()
    assert bench.notices() == [NoticeKind.ALARM]


def test_silence_and_a_status_other_than_charging_is_unproven_and_no_all_clear() -> None:
    bench = ignored()
    bench.to(50)
    bench.watch.sight.notified(Status.SUSPENDED_EVSE, bench.now)
    bench.to(109.9)
    assert bench.notices() == [NoticeKind.ALARM]
    bench.to(110)
    assert bench.notices() == [NoticeKind.ALARM, NoticeKind.UNPROVEN]
    assert bench.notice(NoticeKind.UNPROVEN).severity is Severity.WARNING


def test_the_silent_end_comes_by_time_alone_after_a_stop_that_failed() -> None:
    """No other moment that has passed may hide it."""
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.REFUSED)
    bench.to(50)
    bench.watch.sight.notified(Status.SUSPENDED_EVSE, bench.now)
    bench.to(200)
    assert bench.notices()[-1] is NoticeKind.UNPROVEN
    assert bench.facts(FactKind.EPISODE_CLOSED)[0].at == moment(110)


def test_a_status_from_before_the_last_over_reading_proves_no_silence() -> None:
    bench = Bench()
    bench.watch.sight.notified(Status.SUSPENDED_EVSE, moment(-100))
    bench.ignored()
    bench.to(1000)
    bench.tick()
    assert bench.notices() == [NoticeKind.ALARM]


def test_after_a_reconnect_the_silence_is_counted_from_the_connection() -> None:
    bench = ignored()
    bench.to(50)
    bench.watch.sight.notified(Status.SUSPENDED_EVSE, bench.now)
    bench.watch.disconnected(bench.now)
    bench.to(400)
    bench.watch.connected(bench.now)
    bench.to(459.9)
    assert bench.notices() == [NoticeKind.ALARM]
    bench.to(460)
    assert bench.notices()[-1] is NoticeKind.UNPROVEN


@pytest.mark.parametrize(("status", "is_proof"), [(Status.CHARGING, True), (Status.SUSPENDED_EVSE, False)])
def test_zeros_that_are_only_asserted_while_suspended_prove_the_stop_while_it_charges(
    status: Status, *, is_proof: bool
) -> None:
    bench = Bench(Policy(zero_is_asserted=True))
    bench.ignored()
    bench.watch.sight.status = status
    bench.flow([53, 63, 73, 83, 93], 0.0)
    bench.to(104)
    assert (NoticeKind.ALL_CLEAR in bench.notices()) is is_proof


def test_an_episode_goes_on_while_a_raise_may_still_be_taken_back() -> None:
    bench = Bench()
    bench.ignored()
    bench.send()
    bench.flow([53, 63, 73, 83, 93], 0.0)
    bench.to(98)
    bench.order(in_amperes(16.0))
    bench.to(107)  # the all-clear was due at 103
    assert bench.texts(FactKind.EPISODE_CLOSED) == []
    bench.to(109)
    assert bench.texts(FactKind.EPISODE_CLOSED) == ["obeyed"]
    assert bench.notices().count(NoticeKind.ALL_CLEAR) == 1


def test_a_disconnect_ends_no_episode() -> None:
    bench = ignored()
    bench.flow([53, 63], 0)
    bench.watch.disconnected(bench.now)
    bench.to(5000)
    bench.tick()
    assert bench.notices() == [NoticeKind.ALARM]


def test_after_a_reconnect_obedience_needs_a_reading_from_this_side_of_the_gap() -> None:
    bench = ignored()
    bench.flow([53, 63], 0)
    bench.watch.disconnected(bench.now)
    bench.to(300)
    bench.watch.connected(bench.now)
    bench.to(310)
    bench.tick()
    assert NoticeKind.ALL_CLEAR not in bench.notices()
    bench.read(335, 0)
    bench.tick()
    bench.collect()
    assert NoticeKind.ALL_CLEAR in bench.notices()


def test_a_connection_without_an_episode_is_nothing_to_speak_of() -> None:
    bench = Bench()
    bench.watch.disconnected(bench.now)
    assert bench.watch.out == []


def test_a_stop_under_way_is_lost_with_its_connection() -> None:
    bench = ignored()
    bench.send()
    bench.watch.disconnected(bench.now)
    bench.collect()
    assert bench.steps()[-1] == ("unanswered", "connection lost")


def test_a_raise_that_was_never_obeyed_supersedes_the_episode() -> None:
    bench = ignored()
    bench.to(60)
    bench.order(SIX)
    bench.to(70)
    notice = bench.notice(NoticeKind.SUPERSEDED)
    assert (notice.severity, notice.at) == (Severity.WARNING, moment(70))
    assert (notice.episode.ended, notice.episode.now_ordered) == (moment(60), SIX)


def test_a_raise_after_a_low_reading_is_the_all_clear() -> None:
    bench = ignored()
    bench.read(53, 0)
    bench.to(60)
    bench.order(SIX)
    bench.to(70)
    assert bench.notices() == [NoticeKind.ALARM, NoticeKind.ALL_CLEAR]
    assert bench.notice(NoticeKind.ALL_CLEAR).episode.ended == moment(60)


def test_after_an_order_that_was_never_obeyed_one_reading_is_enough() -> None:
    bench = ignored()
    bench.to(60)
    bench.order(SIX)
    bench.to(120)
    bench.order(ZERO)
    bench.flow([123, 133, 143])
    assert bench.notices() == [NoticeKind.ALARM, NoticeKind.SUPERSEDED]
    bench.read(153, 6.5)
    assert bench.notices()[-1] is NoticeKind.ALARM
    assert episode(bench).number == 2
    assert [one.arrived for one in episode(bench).readings] == [moment(t) for t in (123, 133, 143, 153)]


def test_a_violation_that_comes_back_under_the_same_order_is_a_new_episode() -> None:
    bench = ignored()
    bench.flow(range(53, 113, 10), 0)
    assert NoticeKind.ALL_CLEAR in bench.notices()
    bench.flow([113, 123])
    assert bench.watch.episodes_total == 2
    assert bench.notices() == [NoticeKind.ALARM, NoticeKind.ALL_CLEAR, NoticeKind.ALARM]


def test_the_end_of_the_transaction_is_no_end_of_the_episode() -> None:
    bench = ignored()
    bench.watch.transaction_stopped(bench.now)
    assert episode(bench).transaction_ended
    assert bench.watch.sight.transaction_stopped_at == moment(43)


def test_the_end_of_a_transaction_without_an_episode_is_remembered() -> None:
    bench = Bench()
    bench.watch.transaction_stopped(bench.now)
    assert bench.watch.sight.transaction_stopped_at == bench.now


def test_a_stop_that_waits_is_cancelled_when_the_episode_ends() -> None:
    bench = ignored()
    bench.queue()
    bench.to(44)
    bench.order(SIX)
    bench.to(54)
    assert ("cancelled", "superseded") in bench.steps()


# -- what is passed over in the second round ------------------------------------------------------------------------


def round_two(first: float, again: float) -> Bench:
    """0 A at 0, ignored, raised at ``first``; 0 A again at ``again``, ignored too."""
    bench = Bench(Policy(ladder=(StepKind.EXTERNAL, StepKind.REMOTE_STOP)))
    bench.flow(IGNORED[:6])
    bench.to(0)
    bench.order(ZERO)
    bench.flow(t for t in IGNORED[6:] if t < first)
    if bench.watch.episode is not None:
        bench.send()
    bench.to(first)
    bench.order(SIX)
    bench.to(again)
    bench.order(ZERO)
    bench.flow(again + t for t in (3, 13, 23, 33, 43))
    return bench


def test_after_an_episode_that_was_superseded_what_was_not_proved_is_passed_over() -> None:
    assert round_two(50, 110).wanted().kind is StepKind.REMOTE_STOP


def test_after_an_order_that_was_ignored_without_an_episode_nothing_is_passed_over() -> None:
    bench = round_two(25, 60)
    assert bench.watch.tracker.single_is_enough()
    assert bench.wanted().kind is StepKind.EXTERNAL


def test_a_quarter_of_an_hour_later_nothing_is_passed_over() -> None:
    bench = round_two(50, 50 + 901)
    assert bench.wanted().kind is StepKind.EXTERNAL


def test_a_low_reading_is_the_proof_of_the_step_and_current_again_withdraws_it() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.read(53, 0)
    assert bench.outcomes()[-1] == "proved"
    bench.read(63, 6.5)
    assert bench.steps()[-1] == ("not_proved", "current again after the proof")


def test_the_fact_that_a_proof_is_withdrawn_is_told_of_the_try_that_was_proved() -> None:
    bench = ignored()
    bench.answered(bench.send("wd-1"), StepOutcome.REFUSED)
    bench.flow([53, 63, 73.5])
    bench.queue("wd-2")
    bench.read(75, 0)
    bench.watch.step_withdrawn(StepOutcome.CANCELLED, "no longer wanted", bench.now)
    bench.read(85, 0)
    assert (bench.last_step().unique_id, bench.last_step().outcome) == ("wd-1", StepOutcome.PROVED)
    bench.read(95, 6.5)
    assert (bench.last_step().unique_id, bench.last_step().outcome) == ("wd-1", StepOutcome.NOT_PROVED)


def test_an_alarm_that_says_that_nothing_can_be_done_is_told_once() -> None:
    bench = Bench()
    bench.watch.sight.usable_id = None
    bench.ignored()
    bench.flow([53, 63])
    assert bench.notices() == [NoticeKind.ALARM]
    assert [step.why for step in bench.notice(NoticeKind.ALARM).episode.steps] == ["no usable transaction id"]
    assert bench.watch.next_at() == moment(943).mono


def test_where_there_is_no_episode_there_is_nothing_to_close() -> None:
    bench = ordered()
    bench.watch._close(Ending.OBEYED, bench.now)
    assert bench.facts(FactKind.EPISODE_CLOSED) == []
    assert bench.watch.out == []


def test_where_there_is_no_order_there_is_nothing_to_open() -> None:
    bench = ignored()
    found = bench.watch.trial.evidence
    assert found is not None
    other = Bench()
    other.watch._open(found, other.now)
    assert (other.watch.episode, other.watch.out) == (None, [])


# -- the owner ---------------------------------------------------------------------------------------------------------


def test_standing_down_closes_the_episode_at_once() -> None:
    bench = ignored()
    bench.watch.stand_down(bench.now)
    bench.collect()
    assert bench.notices() == [NoticeKind.ALARM, NoticeKind.STOOD_DOWN]
    assert bench.texts(FactKind.EPISODE_CLOSED) == ["stood_down"]
    assert bench.texts(FactKind.OWNER) == ["stand_down"]
    assert phase(bench.watch, bench.now) is Phase.STOOD_DOWN


def test_nothing_is_convicted_or_asked_while_stood_down() -> None:
    bench = ordered()
    bench.watch.stand_down(bench.now)
    bench.to(60)
    bench.flow(range(63, 200, 10))
    assert bench.notices() == []
    assert bench.questions == []
    assert bench.watch.wants == []


def test_standing_down_holds_until_the_next_stop_order_after_a_raise() -> None:
    bench = ignored()
    bench.watch.stand_down(bench.now)
    bench.to(50)
    bench.order(ZERO)
    bench.flow([53, 63, 73])
    assert bench.notices() == [NoticeKind.ALARM, NoticeKind.STOOD_DOWN]
    bench.order(SIX)
    bench.to(100)
    bench.order(ZERO)
    bench.flow([103, 113, 123, 133, 143])
    assert bench.notices()[2:] == [NoticeKind.ALARM]


def test_standing_down_while_current_is_allowed_does_not_switch_the_next_stop_off() -> None:
    """Until the next stop order after a raise (watchdog rules 3): the raise came before."""
    bench = Bench()
    bench.order(SIXTEEN)
    bench.watch.stand_down(bench.now)
    bench.ignored()
    assert NoticeKind.ALARM in bench.notices()


def test_acknowledging_is_kept_with_the_episode() -> None:
    bench = ignored()
    bench.watch.acknowledge(bench.now)
    assert bench.watch.episode is not None
    assert bench.watch.episode.acknowledged


def test_acknowledging_is_a_fact_also_without_an_episode() -> None:
    bench = Bench()
    bench.watch.acknowledge(bench.now)
    bench.collect()
    assert bench.texts(FactKind.OWNER) == ["acknowledge"]


# -- a new transaction asked for by the central system -----------------------------------------------------------------


def test_a_remote_start_after_our_stop_is_told_once() -> None:
    bench = ignored()
    bench.watch.remote_start_requested(bench.now)
    bench.collect()
    assert not episode(bench).remote_start_seen
    bench.send()
    bench.watch.remote_start_requested(bench.now)
    bench.watch.remote_start_requested(bench.now)
    bench.collect()
    assert bench.notices().count(NoticeKind.REMOTE_START) == 1
    assert bench.notice(NoticeKind.REMOTE_START).severity is Severity.CRITICAL
    assert episode(bench).remote_start_seen


def test_a_remote_start_without_an_episode_is_ordinary() -> None:
    bench = Bench()
    bench.watch.remote_start_requested(bench.now)
    assert bench.watch.out == []


# -- questions ---------------------------------------------------------------------------------------------------------


def test_without_a_counting_reading_it_is_asked_five_seconds_after_the_deadline() -> None:
    bench = ordered()
    assert bench.watch.next_at() == moment(35).mono
    bench.to(34.9)
    assert bench.questions == []
    bench.to(35)
    assert bench.questions == ["no counting sample"]
    assert bench.texts(FactKind.QUESTION) == ["no counting sample"]
    bench.to(500)
    assert bench.questions == ["no counting sample"]


def test_with_a_counting_reading_nothing_is_asked() -> None:
    bench = ordered()
    bench.read(33, 0)
    bench.to(500)
    assert bench.questions == []


def test_no_question_within_twenty_seconds_of_a_new_transaction() -> None:
    bench = ordered()
    bench.to(30)
    bench.watch.sight.quiet_until = moment(50).mono
    bench.to(49.9)
    assert bench.questions == []
    bench.to(50)
    assert bench.questions == ["no counting sample"]


def test_a_question_that_was_dropped_is_asked_again_a_minute_later() -> None:
    bench = ordered()
    bench.to(45)
    bench.watch.question_dropped(READINGS, bench.now)
    bench.to(104.9)
    assert bench.questions == ["no counting sample"]
    bench.to(105)
    assert bench.questions == ["no counting sample"] * 2


def test_a_question_that_comes_too_soon_after_another_is_asked_when_the_minute_is_over() -> None:
    bench = ordered()
    bench.to(36)
    bench.order(SIX)
    bench.to(46)
    bench.order(ZERO)
    bench.to(94.9)
    assert bench.questions == ["no counting sample"]
    bench.to(95)
    assert bench.questions == ["no counting sample"] * 2


def test_no_question_while_a_raise_may_be_taken_back() -> None:
    bench = ordered()
    bench.to(34)
    bench.order(SIX)
    bench.to(43)
    bench.tick()
    assert bench.questions == []


def test_a_question_is_wanted_under_a_standing_order_and_never_in_the_quiet_after_a_start() -> None:
    bench = ordered()
    watch = bench.watch
    bench.to(36)
    assert watch.question_is_wanted(READINGS, bench.now)
    watch.sight.quiet_until = moment(56).mono
    assert not watch.question_is_wanted(READINGS, moment(55.9))
    assert watch.question_is_wanted(READINGS, moment(56))
    watch.stand_down(bench.now)
    assert not watch.question_is_wanted(READINGS, moment(56))
    other = ordered()
    other.order(SIX)
    assert not other.watch.question_is_wanted(READINGS, other.now)


@pytest.mark.parametrize("why", ["observe", "policy", "refused once", "out of sight"])
def test_no_question_where_none_may_be_asked(why: str) -> None:
    policy = {"observe": Policy(mode=Mode.OBSERVE), "policy": Policy(may_question=False)}.get(why)
    bench = ordered(policy)
    bench.watch.sight.may_question = why != "refused once"
    if why == "out of sight":
        bench.watch.disconnected(bench.now)
    bench.to(500)
    bench.tick()
    assert bench.questions == []


def test_frozen_figures_are_not_asked_about_where_no_question_may_go_out() -> None:
    bench = Bench(Policy(may_question=False))
    bench.watch.sight.notified(Status.SUSPENDED_EVSE, moment(-100))
    bench.ignored("6.53")
    assert bench.questions == []
    assert bench.facts(FactKind.QUESTION) == []


def test_frozen_figures_are_asked_about_at_the_earliest_a_minute_after_another_question() -> None:
    """Questions are asked again at most once a minute (watchdog rules 6)."""
    bench = Bench()
    bench.t = -400
    bench.watch.connected(bench.now)
    bench.watch.sight.notified(Status.CHARGING, bench.now)
    bench.flow(range(-355, 0, 60), "6.53")
    bench.to(0)
    bench.order(ZERO)
    bench.read(35.1, "6.53")
    assert bench.questions == ["no counting sample"]


# -- a new episode under another id ------------------------------------------------------------------------------------


def test_a_new_transaction_under_the_same_order_is_the_same_episode() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.watch.transaction_stopped(bench.now)
    bench.watch.sight.usable_id = TransactionId(8)
    bench.flow([53, 63, 73.5])
    assert episode(bench).number == 1
    assert bench.wanted().transaction_id == 8


# -- what a device may need (DESIGN 9) ---------------------------------------------------------------------------------


def test_where_the_status_is_no_evidence_charging_makes_no_reading_live() -> None:
    """Halo up to 169: StatusNotifications go missing; "Charging" may be old."""
    believed, doubted = ignored_with("6.5", Policy()), ignored_with("6.5", Policy(status_is_evidence=False))
    assert episode(believed).evidence[0].evidence is EvidenceClass.LIVE
    assert episode(doubted).evidence[0].evidence is EvidenceClass.FROZEN
    assert episode(doubted).alarm_only


def ignored_with(digits: str, policy: Policy) -> Bench:
    """A stop that is ignored by figures that never change."""
    bench = Bench(policy)
    bench.watch.sight.notified(Status.CHARGING, moment(-100))
    bench.ignored(digits)
    bench.flow([53, 63], digits)
    return bench


@pytest.mark.parametrize(("asserted", "ending"), [(False, Ending.OBEYED), (True, Ending.SILENT)])
def test_an_asserted_zero_ends_an_episode_as_unproven_and_not_as_obeyed(asserted: bool, ending: Ending) -> None:
    bench = ignored(Policy(zero_is_asserted=asserted))
    bench.to(45)
    bench.watch.sight.notified(Status.SUSPENDED_EVSE, bench.now)
    for t in range(53, 200, 10):
        bench.read(t, 0.0)
    assert bench.facts(FactKind.EPISODE_CLOSED)[-1].text == ending
