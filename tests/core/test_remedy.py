from __future__ import annotations

import pytest
from station_kit import SEVEN, Bench, in_amperes, in_watts, moment, stop_want

from ocpp_watchdog.core.decisions import EvidenceClass, FactKind, Mode, NoticeKind, Severity, StepKind, StepOutcome
from ocpp_watchdog.core.escalation import State
from ocpp_watchdog.core.ledger import InForce, SetProfile
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.sight import Aim
from ocpp_watchdog.core.terms import Status, TransactionId, UniqueId
from ocpp_watchdog.core.watchdog import Phase, phase
from profile_examples import amperes

EIGHT = TransactionId(8)


def ignored(policy: Policy | None = None) -> Bench:
    """An episode is open since 43, and a stop is wished for."""
    bench = Bench(policy)
    bench.ignored()
    return bench


def refused_until(bench: Bench, t: float) -> None:
    """Readings every ten seconds from 53 on; every stop is refused."""
    for at in range(53, int(t) + 1, 10):
        if bench.watch.wants:
            unique_id = bench.send(f"wd-{at}")
            bench.answered(unique_id, StepOutcome.REFUSED)
        bench.read(at, 6.5)


# -- when a try is due (watchdog rules 5) ------------------------------------------------------------------------------


def test_a_confirmed_violation_with_living_figures_asks_for_the_stop_at_once() -> None:
    bench = ignored()
    assert bench.t == 43
    assert bench.watch.wants == [stop_want()]


def test_the_stop_is_wished_for_once_until_something_came_of_it() -> None:
    bench = ignored()
    bench.tick()
    bench.queue()
    bench.read(53, 6.5)
    assert bench.watch.wants == []
    assert bench.outcomes() == ["waiting"]


def test_without_a_usable_id_the_step_is_skipped_once_and_the_record_says_why() -> None:
    bench = Bench()
    bench.watch.sight.usable_id = None
    bench.ignored()
    bench.flow([53, 63])
    assert bench.watch.wants == []
    assert bench.steps() == [("skipped", "no usable transaction id")]


def test_an_id_that_becomes_known_later_is_used() -> None:
    bench = Bench()
    bench.watch.sight.usable_id = None
    bench.ignored()
    bench.watch.sight.usable_id = EIGHT
    bench.read(53, 6.5)
    assert bench.wanted() == stop_want(EIGHT)


def test_id_zero_is_an_id_when_the_central_system_gave_it() -> None:
    bench = Bench()
    bench.watch.sight.usable_id = TransactionId(0)
    bench.ignored()
    assert bench.wanted().transaction_id == 0


def test_a_refused_stop_is_tried_again_after_thirty_seconds() -> None:
    bench = ignored()
    refused_until(bench, 63)
    bench.read(72.9, 6.5)
    assert bench.watch.wants == []
    bench.to(73.0)
    assert bench.wanted() == stop_want()


def test_readings_measured_before_the_last_try_say_nothing_about_it() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.REFUSED)
    bench.to(80)
    bench.tick()
    assert bench.watch.wants == []


def test_three_tries_in_fifteen_minutes_are_all() -> None:
    bench = ignored()
    refused_until(bench, 333)
    sent = [record.step.sent for record in bench.facts(FactKind.STEP) if record.step and record.text == "live"]
    assert sorted({at.mono - moment(0).mono for at in sent if at}) == [43, 73, 103]
    assert phase(bench.watch, bench.now) is Phase.EXHAUSTED


def test_when_the_first_try_is_fifteen_minutes_old_the_next_one_follows() -> None:
    bench = ignored()
    refused_until(bench, 933)
    assert bench.watch.wants == []
    bench.read(942.9, 6.5)
    bench.to(943)
    assert bench.wanted() == stop_want()


def test_nothing_is_tried_on_evidence_that_came_too_long_ago() -> None:
    bench = ignored()
    bench.queue()
    bench.watch.step_withdrawn(StepOutcome.NOT_SENT, "busy", bench.now)
    bench.t = 103
    bench.tick()
    assert bench.watch.wants == []


def test_no_try_follows_in_the_dark_when_its_time_has_come() -> None:
    bench = ignored(Policy(remote_stop_spacing_seconds=300.0))
    bench.answered(bench.send(), StepOutcome.REFUSED)
    bench.read(53, 6.5)  # the last for a long while
    bench.to(400)
    assert bench.watch.is_blind(bench.now)
    assert bench.watch.wants == []
    bench.read(410, 6.5)
    assert bench.wanted() == stop_want()


def test_no_further_try_when_figures_that_lived_have_frozen_since() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.REFUSED)
    for at in (48, 53, 58, 63, 68, 78):
        bench.read(at, "6.53")
    assert bench.watch.trial.evidence is not None
    assert bench.watch.trial.evidence.evidence is EvidenceClass.FROZEN
    assert bench.watch.wants == []
    bench.flow([88, 98])
    assert bench.wanted() == stop_want()


def test_nothing_is_sent_while_it_is_disputed_which_limit_is_in_force() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.REFUSED)
    before = bench.watch.in_force
    bench.watch.in_force = InForce(None, (None,), uncertain=False, disputed=True, unconfirmed=False)
    bench.flow([53, 63, 73, 83])
    assert bench.watch.wants == []
    bench.watch.in_force = before
    bench.read(93, 6.5)
    assert bench.wanted() == stop_want()


@pytest.mark.parametrize("amperes", ["6.53", "2.00"])
def test_no_step_without_evidence_that_allows_it(amperes: str) -> None:
    bench = Bench()
    bench.watch.sight.notified(Status.SUSPENDED_EVSE, moment(-100))
    bench.ignored(amperes)
    bench.flow([53, 63], amperes)
    assert bench.watch.wants == []
    assert bench.outcomes() == []


def test_a_stop_in_watts_that_may_be_a_mistake_is_only_alarmed() -> None:
    bench = Bench()
    bench.flow([-57, -47, -37, -27])
    bench.to(0)
    bench.order(in_watts(0.0))
    bench.flow([3, 13, 23, 33, 43, 53])
    assert bench.notices() == [NoticeKind.ALARM]
    assert bench.watch.wants == []
    assert not bench.watch.is_exhausted(bench.now)


# -- at the moment of writing (watchdog rules 6) -----------------------------------------------------------------------


def test_a_stop_is_wanted_as_long_as_everything_that_led_to_it_holds() -> None:
    bench = ignored()
    bench.queue()
    assert bench.watch.step_is_wanted(bench.want, bench.now)


def test_a_stop_that_nobody_waits_for_is_not_wanted() -> None:
    bench = ignored()
    assert not bench.watch.step_is_wanted(bench.want, bench.now)
    bench.send()
    assert not bench.watch.step_is_wanted(bench.want, bench.now)


def test_another_transaction_cancels_the_stop() -> None:
    bench = ignored()
    bench.queue()
    bench.watch.sight.usable_id = EIGHT
    assert not bench.watch.step_is_wanted(bench.want, bench.now)


def test_a_raise_cancels_the_stop() -> None:
    bench = ignored()
    bench.queue()
    bench.order(in_amperes(6.0), answer=None)
    assert not bench.watch.step_is_wanted(bench.want, bench.now)


def test_an_end_to_all_limits_cancels_the_stop() -> None:
    bench = ignored()
    bench.queue()
    bench.order(None, answer=None)
    assert not bench.watch.step_is_wanted(bench.want, bench.now)


def test_a_raise_that_is_taken_back_wants_the_stop_again() -> None:
    bench = ignored()
    bench.queue()
    bench.order(in_amperes(6.0), answer=None)
    bench.order(in_amperes(0.0), answer=None)
    assert bench.watch.step_is_wanted(bench.want, bench.now)


def test_a_reading_that_shows_obedience_cancels_the_stop() -> None:
    bench = ignored()
    bench.queue()
    bench.read(44, 0)
    assert not bench.watch.step_is_wanted(bench.want, bench.now)


def test_the_owner_standing_down_cancels_the_stop() -> None:
    bench = ignored()
    bench.queue()
    bench.watch.stand_down(bench.now)
    bench.collect()
    assert not bench.watch.step_is_wanted(bench.want, bench.now)
    assert bench.steps()[-1] == ("cancelled", "stood_down")


def test_a_lost_connection_cancels_the_stop() -> None:
    bench = ignored()
    bench.queue()
    bench.watch.disconnected(bench.now)
    bench.collect()
    assert not bench.watch.step_is_wanted(bench.want, bench.now)
    assert bench.steps()[-1] == ("not_sent", "connection lost")


def test_a_step_that_has_begun_has_reason_to_go_on_until_the_order_is_raised_or_obeyed() -> None:
    bench = ignored()
    bench.send()
    assert bench.watch.step_has_reason()
    bench.watch.disconnected(bench.now)
    assert bench.watch.step_has_reason()
    bench.watch.connected(bench.now)
    bench.flow([76], 0.0)
    assert not bench.watch.step_has_reason()


def test_a_stop_that_never_went_out_says_why_and_counts_against_no_budget() -> None:
    bench = ignored()
    for t in (53, 63, 73, 83):
        bench.queue()
        bench.watch.step_withdrawn(StepOutcome.NOT_SENT, "at the moment of writing", bench.now)
        bench.read(t, 6.5)
    bench.send()
    assert bench.outcomes() == ["waiting", "not_sent"] * 4 + ["waiting", "sent"]
    assert [record.why for record in bench.watch.ladder.records[:4]] == ["at the moment of writing"] * 4


def test_withdrawing_what_is_already_on_the_wire_changes_nothing() -> None:
    bench = ignored()
    bench.send()
    bench.watch.step_withdrawn(StepOutcome.CANCELLED, "too late", bench.now)
    assert bench.watch.out == []
    assert bench.watch.ladder.state is State.OUT


def test_a_step_on_the_wire_is_told_with_its_record() -> None:
    bench = ignored()
    bench.send(forced=True)
    notice = bench.notice(NoticeKind.STEP)
    assert notice.severity is Severity.WARNING
    assert notice.step == bench.last_step()
    assert notice.step is not None
    assert (notice.step.outcome, notice.step.forced, notice.step.sent) == (StepOutcome.SENT, True, moment(43))


def test_a_step_without_an_episode_is_a_fact_and_no_message() -> None:
    bench = Bench()
    bench.watch.wants = [stop_want()]
    bench.send()
    assert bench.outcomes() == ["waiting", "sent"]
    assert bench.notices() == []


def test_a_step_written_as_the_episode_ended_still_counts_against_the_budget() -> None:
    """A stop that is already written wins (watchdog rules 6), and every frame sent counts (5)."""
    bench = ignored()
    bench.queue()
    bench.watch.stand_down(bench.now)
    bench.watch.step_written(bench.want, bench.now, forced=False)
    bench.collect()
    assert bench.watch.ladder.last_sent_mono == moment(43).mono
    assert NoticeKind.STEP not in bench.notices()


# -- proof -------------------------------------------------------------------------------------------------------------


def test_accepted_is_not_success() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    assert bench.last_step().outcome is StepOutcome.ACCEPTED
    assert phase(bench.watch, bench.now) is Phase.REMEDYING


def test_an_answer_to_a_stop_nobody_knows_is_no_fact() -> None:
    bench = ignored()
    bench.send("wd-1")
    bench.answered(UniqueId("wd-9"), StepOutcome.ACCEPTED)
    assert bench.outcomes() == ["waiting", "sent"]


def test_a_low_reading_proves_the_step() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.read(53, 0)
    assert bench.outcomes() == ["waiting", "sent", "accepted", "proved"]


def test_current_after_the_proof_withdraws_it_and_the_next_try_follows() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.read(53, 0)
    bench.flow([63, 73.5])
    assert bench.steps()[-1] == ("not_proved", "current again after the proof")
    assert bench.wanted().transaction_id == SEVEN


def test_current_that_goes_on_for_thirty_seconds_after_accepted_fails_the_step() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.flow([53, 63, 72.9])
    assert bench.outcomes()[-1] == "accepted"
    bench.to(73)
    assert bench.outcomes()[-1] == "not_proved"
    assert bench.wanted().transaction_id == SEVEN


def test_a_slow_meter_is_given_two_intervals_for_the_proof() -> None:
    bench = Bench()
    bench.t = -400
    bench.watch.connected(bench.now)
    bench.flow(range(-355, 0, 60))
    bench.to(0)
    bench.order(in_amperes(0.0))
    bench.flow([5, 65])
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.to(184.9)
    assert bench.outcomes()[-1] == "accepted"
    bench.to(185)
    assert bench.outcomes()[-1] == "not_proved"


def test_silence_after_the_transaction_stopped_proves_the_step_when_the_status_agrees() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.to(45)
    bench.watch.transaction_stopped(bench.now)
    bench.watch.sight.notified(Status.FINISHING, bench.now)
    bench.to(73)
    assert bench.outcomes()[-1] == "proved"


def test_a_reading_before_the_transaction_stopped_does_not_spoil_the_silence() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.read(44, 6.5)
    bench.to(45)
    bench.watch.transaction_stopped(bench.now)
    bench.watch.sight.notified(Status.FINISHING, bench.now)
    bench.to(73)
    assert bench.outcomes()[-1] == "proved"


def test_a_low_reading_in_the_silence_is_the_proof_itself() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.to(45)
    bench.watch.transaction_stopped(bench.now)
    bench.watch.sight.notified(Status.FINISHING, bench.now)
    bench.read(46, 0)
    bench.to(80)
    assert bench.outcomes()[-1] == "proved"
    assert bench.facts(FactKind.STEP)[-1].at == moment(46)


@pytest.mark.parametrize("status", [None, Status.CHARGING])
def test_silence_proves_nothing_while_the_status_does_not_say_that_it_stopped(status: Status | None) -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.to(45)
    bench.watch.transaction_stopped(bench.now)
    bench.watch.sight.notified(status, bench.now)
    bench.to(73)
    assert bench.outcomes()[-1] == "not_proved"


def test_silence_without_a_stopped_transaction_proves_nothing() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.to(45)
    bench.watch.sight.notified(Status.SUSPENDED_EVSE, bench.now)
    bench.to(73)
    assert bench.outcomes()[-1] == "not_proved"


def test_a_transaction_that_stopped_before_the_try_proves_nothing() -> None:
    bench = ignored()
    bench.watch.sight.notified(Status.FINISHING, bench.now)
    bench.watch.transaction_stopped(moment(42))
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.to(73)
    assert bench.outcomes()[-1] == "not_proved"


def test_current_after_the_transaction_stopped_is_no_silence() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.to(45)
    bench.watch.transaction_stopped(bench.now)
    bench.watch.sight.notified(Status.FINISHING, bench.now)
    bench.flow([46, 53, 63])
    bench.to(73)
    assert bench.outcomes()[-1] == "not_proved"


def test_the_time_for_proof_waits_while_the_charge_point_is_out_of_sight() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.to(50)
    bench.watch.disconnected(bench.now)
    bench.to(100)
    bench.tick()
    assert bench.outcomes()[-1] == "accepted"


def test_after_a_reconnect_the_proof_still_waits_for_a_reading() -> None:
    """Deadlines that need samples wait (watchdog rules 3)."""
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.read(53, 6.5)
    bench.to(55)
    bench.watch.disconnected(bench.now)
    bench.to(70)
    bench.watch.connected(bench.now)
    bench.to(74)
    bench.tick()
    assert bench.outcomes()[-1] == "accepted"


def test_after_a_reconnect_no_try_follows_before_a_reading_has_come() -> None:
    """After reconnect nothing is confirmed before one counting sample has come (watchdog rules 3)."""
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.REFUSED)
    bench.read(53, 6.5)
    bench.to(55)
    bench.watch.disconnected(bench.now)
    bench.to(60)
    bench.watch.connected(bench.now)
    bench.to(80)
    assert bench.watch.wants == []


def test_a_try_that_never_went_out_is_never_proved() -> None:
    """A record says what became of its own try: the second one was cancelled, whatever the reading says later."""
    bench = ignored()
    bench.answered(bench.send("wd-1"), StepOutcome.REFUSED)
    bench.flow([53, 63, 73.5])
    bench.queue("wd-2")
    bench.read(75, 0)
    bench.watch.step_withdrawn(StepOutcome.CANCELLED, "no longer wanted", bench.now)
    bench.read(85, 0)
    assert [record.sent for record in bench.watch.ladder.records] == [moment(43), None]
    assert bench.watch.ladder.records[1].outcome is StepOutcome.CANCELLED


# -- nothing more can be done ------------------------------------------------------------------------------------------


def test_nothing_is_exhausted_without_an_episode() -> None:
    bench = Bench()
    assert not bench.watch.is_exhausted(bench.now)
    bench.watch.remind(bench.now)
    assert bench.watch.out == []
    assert bench.watch.reminder_at() is None


def test_nothing_is_exhausted_while_a_step_is_under_way() -> None:
    bench = ignored()
    refused_until(bench, 103)
    bench.send("wd-3")
    bench.read(113, 6.5)
    assert not bench.watch.ladder.ahead(bench.now)
    assert not bench.watch.is_exhausted(bench.now)


def test_nothing_is_exhausted_when_the_last_reading_is_low() -> None:
    bench = ignored()
    refused_until(bench, 133)
    assert bench.watch.is_exhausted(bench.now)
    bench.read(143, 0)
    assert not bench.watch.is_exhausted(bench.now)


def test_nothing_is_exhausted_when_nothing_could_be_sent_and_nothing_flows_any_more() -> None:
    bench = Bench()
    bench.watch.sight.usable_id = None
    bench.ignored()
    assert phase(bench.watch, bench.now) is Phase.EXHAUSTED
    bench.read(53, 0.0)
    assert phase(bench.watch, bench.now) is not Phase.EXHAUSTED


def test_who_only_looks_on_has_nothing_to_exhaust() -> None:
    bench = Bench(Policy(mode=Mode.OBSERVE))
    bench.watch.sight.usable_id = None
    bench.ignored()
    assert phase(bench.watch, bench.now) is Phase.VIOLATING
    assert NoticeKind.EXHAUSTED not in bench.notices()


def test_the_end_of_the_budget_is_told_once() -> None:
    bench = ignored()
    refused_until(bench, 133)
    notice = bench.notice(NoticeKind.EXHAUSTED)
    assert (notice.severity, notice.at) == (Severity.CRITICAL, moment(113))
    assert bench.watch.reminder_at() == moment(113 + 900).mono


def test_reminders_come_every_fifteen_minutes_until_acknowledged() -> None:
    bench = ignored(Policy(remote_stop_window_seconds=100_000.0))
    refused_until(bench, 113 + 1900)
    assert bench.notices().count(NoticeKind.EXHAUSTED) == 1
    reminders = [notice.at for notice in bench.said if getattr(notice, "kind", None) is NoticeKind.REMINDER]
    assert reminders == [moment(1013), moment(1913)]
    bench.watch.acknowledge(bench.now)
    bench.collect()
    assert bench.watch.reminder_at() is None
    bench.flow(range(2023, 4000, 10))
    assert bench.notices().count(NoticeKind.REMINDER) == 2
    assert phase(bench.watch, bench.now) is Phase.EXHAUSTED


def test_a_reminder_waits_while_the_readings_are_low() -> None:
    bench = ignored(Policy(remote_stop_window_seconds=100_000.0, clear_after_seconds=5_000.0))
    refused_until(bench, 133)
    bench.flow(range(143, 1100, 10), 0)
    assert NoticeKind.REMINDER not in bench.notices()
    bench.read(1103, 6.5)
    assert bench.notices()[-1] is NoticeKind.REMINDER


def test_no_id_at_the_alarm_is_not_told_twice() -> None:
    """The alarm itself says that the charge point must be stopped by hand (watchdog rules 5)."""
    bench = Bench()
    bench.watch.sight.usable_id = None
    bench.ignored()
    assert bench.watch.is_exhausted(bench.now)
    assert bench.notices() == [NoticeKind.ALARM]
    bench.flow(range(53, 943, 10))
    assert bench.notices() == [NoticeKind.ALARM]
    bench.read(943, 6.5)
    assert bench.notices() == [NoticeKind.ALARM, NoticeKind.REMINDER]


def test_current_that_outlives_its_transaction_is_told() -> None:
    """The worst case (T7): StopTransaction came, current goes on, and there is no id left to stop. The alarm was sent
    before and spoke of a remedy; exhausted, reminders until acknowledged (watchdog rules 3)."""
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    bench.to(45)
    bench.watch.transaction_stopped(bench.now)
    bench.watch.sight.usable_id = None
    bench.watch.sight.transaction_since = None
    bench.flow([53, 63, 73, 83, 93])
    assert phase(bench.watch, bench.now) is Phase.EXHAUSTED
    assert NoticeKind.EXHAUSTED in bench.notices()


# -- observe mode ------------------------------------------------------------------------------------------------------


def test_observe_mode_records_what_it_would_have_sent_and_sends_nothing() -> None:
    bench = Bench(Policy(mode=Mode.OBSERVE))
    bench.ignored()
    bench.flow([53, 63, 73, 83])
    assert bench.watch.wants == []
    assert bench.steps() == [("would_send", "observe mode")]
    assert (bench.last_step().transaction_id, bench.last_step().decided) == (SEVEN, moment(43))
    assert not bench.watch.may_act()
    assert not bench.watch.is_exhausted(bench.now)


def test_observe_mode_says_when_it_could_not_have_sent() -> None:
    bench = Bench(Policy(mode=Mode.OBSERVE))
    bench.watch.sight.usable_id = None
    bench.ignored()
    assert bench.steps() == [("skipped", "no usable transaction id")]


def test_observe_mode_would_do_nothing_about_a_doubtful_zero_watts() -> None:
    bench = Bench(Policy(mode=Mode.OBSERVE))
    bench.flow([-57, -47, -37, -27])
    bench.to(0)
    bench.order(in_watts(0.0))
    bench.flow([3, 13, 23, 33, 43, 53])
    assert bench.notices() == [NoticeKind.ALARM]
    assert bench.outcomes() == []


# -- the whole ladder --------------------------------------------------------------------------------------------------


def bench_with(*steps: StepKind, mode: Mode = Mode.ENFORCE, profile: bool = True) -> Bench:
    """0 A is ignored; the last order is known, unless profile is off."""
    bench = Bench(Policy(ladder=steps, mode=mode))
    if profile:
        order = SetProfile(bench.watch.connector, amperes(0.0))
        bench.watch.sight.ledger.requested("1", order, bench.now.utc)
    bench.ignored()
    return bench


@pytest.mark.parametrize(
    ("kind", "action", "payload"),
    [
        (StepKind.REPEAT_LIMIT, "SetChargingProfile", '"chargingProfilePurpose":"TxDefaultProfile"'),
        (StepKind.TX_PROFILE, "SetChargingProfile", '"transactionId":7'),
        (StepKind.REMOTE_STOP, "RemoteStopTransaction", '{"transactionId":7}'),
        (StepKind.INOPERATIVE, "ChangeAvailability", '{"connectorId":1,"type":"Inoperative"}'),
        (StepKind.SOFT_RESET, "Reset", '{"type":"Soft"}'),
        (StepKind.EXTERNAL, "", ""),
    ],
)
def test_each_step_asks_for_its_own(kind: StepKind, action: str, payload: str) -> None:
    bench = bench_with(kind)
    want = bench.wanted()
    assert (want.kind, want.action, want.aim) == (kind, action, Aim.STEP)
    assert payload in want.payload


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (StepKind.REPEAT_LIMIT, "no profile to repeat"),
        (StepKind.TX_PROFILE, "no usable transaction id"),
        (StepKind.INOPERATIVE, "set inoperative already"),
        (StepKind.SOFT_RESET, "another connector is charging"),
    ],
)
def test_a_step_that_cannot_be_taken_says_why_and_the_next_one_is(kind: StepKind, why: str) -> None:
    bench = Bench(Policy(ladder=(kind, StepKind.EXTERNAL)))
    bench.watch.sight.usable_id = None
    bench.watch.sight.others_charge = lambda: True
    bench.watch.made_inoperative(bench.now)
    bench.ignored()
    assert bench.steps() == [("skipped", why)]
    assert bench.wanted().kind is StepKind.EXTERNAL


def test_a_stop_by_an_id_that_an_innocent_connector_has_too_is_not_sent_and_the_next_step_is() -> None:
    bench = Bench(Policy(ladder=(StepKind.REMOTE_STOP, StepKind.EXTERNAL)))
    bench.watch.sight.shares_id = lambda: True
    bench.ignored()
    assert bench.steps() == [("skipped", "another connector has the same transaction id")]
    assert bench.wanted().kind is StepKind.EXTERNAL


def test_an_id_that_is_shared_by_the_moment_of_writing_cancels_the_stop() -> None:
    bench = ignored()
    bench.queue()
    bench.watch.sight.shares_id = lambda: True
    assert not bench.watch.step_is_wanted(bench.want, bench.now)


def test_a_step_left_over_from_another_day_is_told_as_used_up() -> None:
    bench = Bench(Policy(ladder=(StepKind.SOFT_RESET, StepKind.REMOTE_STOP)))
    bench.watch.ladder.sent_beside(StepKind.SOFT_RESET, bench.now)
    bench.ignored()
    assert bench.steps() == [("skipped", "budget used up")]


def test_what_was_not_proved_in_a_superseded_episode_is_told_as_skipped() -> None:
    bench = Bench(Policy(ladder=(StepKind.EXTERNAL, StepKind.REMOTE_STOP)))
    bench.watch.superseded_mono = moment(-100).mono
    bench.ignored()
    assert bench.steps() == [("skipped", "not proved in the last episode, which was superseded")]
    assert bench.wanted().kind is StepKind.REMOTE_STOP


def test_the_ladder_is_exhausted_only_at_its_very_end() -> None:
    bench = bench_with(StepKind.SOFT_RESET, StepKind.INOPERATIVE)
    bench.answered(bench.send("wd-1"), StepOutcome.REFUSED)
    assert not bench.watch.is_exhausted(bench.now)
    assert bench.watch.may_try(bench.now)
    bench.read(53, 6.5)
    bench.answered(bench.send("wd-2"), StepOutcome.REFUSED)
    bench.read(63, 6.5)
    assert bench.watch.is_exhausted(bench.now)
    assert bench.notices()[-1] is NoticeKind.EXHAUSTED


def test_a_profile_of_ours_is_left_behind_when_it_is_written_even_as_its_episode_ends() -> None:
    bench = bench_with(StepKind.TX_PROFILE)
    bench.queue()
    bench.watch.stand_down(bench.now)
    bench.watch.step_written(bench.want, bench.now, forced=False)
    assert bench.watch.leftovers.profile is not None
    bench.watch.step_answered(UniqueId("wd-1"), bench.want, StepOutcome.REFUSED, bench.now)
    assert bench.watch.leftovers.profile is None


def test_observe_mode_tells_of_each_step_when_it_would_have_had_its_turn() -> None:
    bench = bench_with(StepKind.REPEAT_LIMIT, StepKind.TX_PROFILE, StepKind.REMOTE_STOP, mode=Mode.OBSERVE)
    bench.flow([53, 63, 73, 83, 93, 103, 113, 123])
    told = [(step.kind, step.decided) for record in bench.facts(FactKind.STEP) if (step := record.step)]
    assert told == [
        (StepKind.REPEAT_LIMIT, moment(43)),
        (StepKind.TX_PROFILE, moment(73)),
        (StepKind.REMOTE_STOP, moment(103)),
    ]
    assert bench.watch.wants == []


def test_when_the_next_try_is_due_is_known_where_time_decides() -> None:
    bench = ignored()
    assert not Bench().watch.may_try(bench.now)
    bench.answered(bench.send(), StepOutcome.REFUSED)
    assert bench.watch.next_try_mono(bench.now) == moment(73).mono
