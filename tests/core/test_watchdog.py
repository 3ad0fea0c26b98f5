from __future__ import annotations

import pytest
from station_kit import IGNORED, ONE, SEVEN, START, Bench, in_amperes, moment

from ocpp_watchdog.core.decisions import (
    ConnectorView,
    Finding,
    FindingKind,
    Mode,
    Phase,
    Severity,
    StepKind,
    StepOutcome,
)
from ocpp_watchdog.core.ledger import InForce
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import Status
from ocpp_watchdog.core.units import Limit
from ocpp_watchdog.core.watchdog import Verdict, findings, phase, verdict, view

ZERO, SIX, SIXTEEN = in_amperes(0.0), in_amperes(6.0), in_amperes(16.0)
CRITICAL, WARNING, INFO = Severity.CRITICAL, Severity.WARNING, Severity.INFO


def ordered(answer: bool | None = True) -> Bench:
    """A charge point that charges, and 0 A ordered at 0."""
    bench = Bench()
    bench.flow(IGNORED[:6])
    bench.to(0)
    bench.order(ZERO, answer=answer)
    return bench


def ignored(policy: Policy | None = None, amperes: float | str = 6.5) -> Bench:
    bench = Bench(policy)
    bench.ignored(amperes)
    return bench


def in_force(limit: Limit | None, *, disputed: bool = False) -> InForce:
    return InForce(limit, (limit,), uncertain=False, disputed=disputed, unconfirmed=False)


def limited(limit: Limit) -> Bench:
    """A limit is ordered and in force since the connection."""
    bench = Bench()
    bench.order(limit)
    bench.watch.limit_in_force(in_force(limit), bench.now)
    return bench


def phase_of(bench: Bench) -> Phase:
    return phase(bench.watch, bench.now)


def kinds(bench: Bench) -> dict[FindingKind, Severity]:
    return {finding.kind: finding.severity for finding in findings(bench.watch, bench.now)}


def seen(bench: Bench) -> ConnectorView:
    return view(bench.watch, bench.now)


def judged(bench: Bench) -> Verdict:
    return verdict(seen(bench))


# -- phases, the first that fits (watchdog rules 3) --------------------------------------------------------------------


def test_without_an_order_nothing_is_known() -> None:
    bench = Bench()
    bench.flow(range(-57, 100, 10), 16.0)
    assert phase_of(bench) is Phase.UNKNOWN
    assert judged(bench) == Verdict("UNKNOWN")


def test_a_disputed_limit_is_unknown() -> None:
    bench = ignored()
    bench.watch.limit_in_force(in_force(SIXTEEN, disputed=True), bench.now)
    assert phase_of(bench) is Phase.UNKNOWN


def test_nothing_is_done_about_a_limit_that_is_unknown() -> None:
    """No ladder step while unknown (watchdog rules 7, 3)."""
    bench = Bench()
    bench.watch.limit_in_force(in_force(SIXTEEN, disputed=True), bench.now)
    bench.ignored()
    assert phase_of(bench) is Phase.UNKNOWN
    assert bench.watch.wants == []


def test_the_owner_standing_down_is_a_phase_of_its_own() -> None:
    bench = ignored()
    bench.watch.stand_down(bench.now)
    assert phase_of(bench) is Phase.STOOD_DOWN


def test_exhausted_when_there_is_nothing_left_to_do() -> None:
    bench = Bench()
    bench.watch.sight.usable_id = None
    bench.ignored()
    assert phase_of(bench) is Phase.EXHAUSTED


def test_waiting_for_a_turn_is_still_violating() -> None:
    bench = ignored()
    assert phase_of(bench) is Phase.VIOLATING
    bench.queue()
    assert phase_of(bench) is Phase.VIOLATING


def test_a_step_that_is_out_accepted_or_proved_is_remedying() -> None:
    bench = ignored()
    name = bench.send()
    assert phase_of(bench) is Phase.REMEDYING
    bench.answered(name, StepOutcome.ACCEPTED)
    assert phase_of(bench) is Phase.REMEDYING
    bench.read(53, 0)
    assert phase_of(bench) is Phase.REMEDYING


def test_a_step_that_failed_is_violating_again() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.REFUSED)
    assert phase_of(bench) is Phase.VIOLATING


def test_observe_mode_is_violating() -> None:
    assert phase_of(ignored(Policy(mode=Mode.OBSERVE))) is Phase.VIOLATING


def test_evidence_for_an_alarm_only_is_violating() -> None:
    bench = Bench()
    bench.watch.sight.notified(Status.SUSPENDED_EVSE, moment(-100))
    bench.ignored("6.53")
    bench.read(53, "6.53")
    assert phase_of(bench) is Phase.VIOLATING


def test_a_limit_above_zero_that_is_exceeded_is_violating() -> None:
    bench = limited(SIX)
    bench.flow(range(-57, 0, 10), 9.0)
    assert phase_of(bench) is Phase.VIOLATING


def test_no_readings_for_a_minute_is_blind() -> None:
    bench = limited(SIXTEEN)
    bench.flow(range(-57, 0, 10), 6.5)
    bench.to(52)
    assert phase_of(bench) is Phase.OBEYING
    bench.to(53)
    assert phase_of(bench) is Phase.BLIND
    assert judged(bench) == Verdict("NO_DATA")


def test_a_stop_order_settles_until_a_counting_reading_has_come() -> None:
    bench = ordered()
    bench.flow([3, 13, 23])
    assert phase_of(bench) is Phase.SETTLING
    bench.to(31)
    assert phase_of(bench) is Phase.SETTLING
    assert judged(bench) == Verdict("SETTLING")
    bench.read(33, 0)
    assert phase_of(bench) is Phase.OBEYING
    assert judged(bench) == Verdict("COMPLIANT")


def test_one_over_reading_is_suspect() -> None:
    bench = ordered()
    bench.flow([3, 13, 23, 33])
    assert phase_of(bench) is Phase.SUSPECT
    assert judged(bench) == Verdict("SETTLING")


def test_a_limit_above_zero_settles_until_a_reading_has_come() -> None:
    bench = limited(SIX)
    assert phase_of(bench) is Phase.SETTLING
    bench.read(-57, 6.0)
    assert phase_of(bench) is Phase.OBEYING


def test_one_reading_above_a_limit_is_suspect() -> None:
    bench = limited(SIX)
    bench.flow([-57, -47], 6.0)
    bench.read(-37, 9.0)
    assert phase_of(bench) is Phase.SUSPECT


def test_a_raise_that_may_be_taken_back_is_judged_by_the_limit_in_force() -> None:
    bench = ordered()
    bench.watch.limit_in_force(in_force(ZERO), bench.now)
    bench.flow([3, 13, 23, 33])
    bench.to(35)
    bench.order(SIXTEEN)
    bench.watch.limit_in_force(in_force(SIXTEEN), bench.now)
    bench.read(36, 6.5)
    assert phase_of(bench) is Phase.OBEYING


@pytest.mark.parametrize("was", ["settling", "suspect", "violating", "blind"])
def test_a_disconnect_changes_no_phase(was: str) -> None:
    bench = ordered()
    bench.flow({"settling": [], "suspect": [3, 33], "violating": IGNORED[6:], "blind": []}[was])
    bench.to(90 if was == "blind" else bench.t)
    assert phase_of(bench).value == was
    bench.watch.disconnected(bench.now)
    bench.to(2000)
    assert phase_of(bench).value == was
    assert FindingKind.OUT_OF_SIGHT in kinds(bench)


def test_a_disconnect_leaves_the_exhausted_exhausted() -> None:
    bench = Bench()
    bench.watch.sight.usable_id = None
    bench.ignored()
    bench.watch.disconnected(bench.now)
    assert phase_of(bench) is Phase.EXHAUSTED


@pytest.mark.parametrize("outcome", [None, StepOutcome.ACCEPTED])
def test_a_disconnect_leaves_the_remedy_under_way(outcome: StepOutcome | None) -> None:
    """A disconnect changes no phase (watchdog rules 3), whatever becomes of the step."""
    bench = ignored()
    name = bench.send()
    if outcome is not None:
        bench.answered(name, outcome)
    bench.watch.disconnected(bench.now)
    assert phase_of(bench) is Phase.REMEDYING


# -- findings ----------------------------------------------------------------------------------------------------------


def test_an_obedient_charge_point_has_no_findings() -> None:
    bench = ordered()
    bench.flow([3, 13, 23], 0)
    assert findings(bench.watch, bench.now) == ()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(False, FindingKind.STOP_REFUSED), (None, FindingKind.STOP_UNANSWERED)],
)
def test_a_stop_that_is_not_accepted_is_found_and_critical_when_current_flows(
    answer: bool | None, kind: FindingKind
) -> None:
    bench = ordered(answer)
    bench.flow([3, 13])
    assert kinds(bench) == {kind: CRITICAL}
    bench.read(23, 0)
    assert kinds(bench) == {kind: WARNING}


def test_a_stop_unanswered_without_any_reading_is_a_warning() -> None:
    bench = Bench()
    bench.to(0)
    bench.order(ZERO, answer=None)
    bench.to(10)
    assert kinds(bench) == {FindingKind.STOP_UNANSWERED: WARNING}


def test_a_late_answer_takes_the_unanswered_back() -> None:
    bench = Bench()
    bench.to(0)
    key = bench.order(ZERO, answer=None)
    bench.to(15)
    bench.watch.order_answered(key, accepted=True, now=bench.now)
    assert kinds(bench) == {}


def test_a_raise_takes_the_findings_of_the_stop_away() -> None:
    bench = ordered(answer=False)
    bench.order(SIXTEEN)
    assert kinds(bench) == {}


def test_a_stop_refused_is_still_found_before_any_evidence() -> None:
    bench = ordered(answer=False)
    assert FindingKind.STOP_REFUSED in kinds(bench)


def test_a_register_that_stands_still_is_a_stale_meter() -> None:
    bench = Bench()
    for t in IGNORED:
        if t == 3:
            bench.to(0)
            bench.order(ZERO)
        bench.read(t, 6.5, energy="10001")
    assert kinds(bench) == {FindingKind.STALE_METER: WARNING}
    assert judged(bench) == Verdict("STALE_METER", "warning")


def test_frozen_figures_are_a_stale_meter_only_after_they_were_asked_about() -> None:
    bench = Bench()
    bench.watch.sight.notified(Status.SUSPENDED_EVSE, moment(-100))
    bench.ignored("6.53")
    assert FindingKind.STALE_METER not in kinds(bench)
    bench.read(53, "6.53")
    assert kinds(bench) == {FindingKind.STALE_METER: WARNING}


def test_current_while_the_status_says_suspended_is_a_contradiction() -> None:
    bench = ignored()
    bench.watch.sight.notified(Status.SUSPENDED_EV, bench.now)
    assert kinds(bench) == {FindingKind.CONTRADICTION: WARNING}


def test_a_register_that_runs_while_current_is_zero_is_a_grave_contradiction() -> None:
    bench = Bench()
    for t in (*IGNORED, 53, 63):
        if t == 3:
            bench.to(0)
            bench.order(ZERO)
        bench.read(t, 0, energy=str(10_001 + 12 * (int(t) + 57) // 10))
    assert kinds(bench)[FindingKind.CONTRADICTION] is CRITICAL
    assert judged(bench) == Verdict("OVER_LIMIT", "critical")


def test_a_register_that_grows_much_faster_than_the_current_says_is_a_grave_contradiction() -> None:
    """Current says 6 A, the register grows as if 16 A (faults O10)."""
    bench = Bench()
    for t in IGNORED:
        if t == 3:
            bench.to(0)
            bench.order(ZERO)
        bench.read(t, 6.5, energy=str(10_001 + 31 * (int(t) + 57) // 10))
    assert kinds(bench) == {FindingKind.CONTRADICTION: CRITICAL}


def test_current_without_a_transaction_is_found() -> None:
    bench = Bench()
    bench.watch.sight.transaction_since = None
    bench.order(SIXTEEN)
    bench.flow(range(-57, 0, 10))
    assert kinds(bench) == {FindingKind.CHARGING_WITHOUT_TRANSACTION: CRITICAL}
    assert judged(bench) == Verdict("CHARGING_WITHOUT_TRANSACTION", "critical")
    bench.watch.sight.transaction_since = bench.now
    assert kinds(bench) == {}


@pytest.mark.parametrize(("offset", "is_found"), [(29.0, False), (31.0, True), (-31.0, True)])
def test_a_clock_that_is_wrong_by_more_than_half_a_minute_is_found(offset: float, is_found: bool) -> None:
    bench = Bench()
    for t in range(-57, 0, 10):
        bench.read(t, 0.0, clock=offset)
    assert (FindingKind.CLOCK_SKEW in kinds(bench)) is is_found


def test_out_of_sight_is_a_finding_beside_the_phase() -> None:
    bench = limited(SIXTEEN)
    bench.flow(range(-57, 0, 10), 6.5)
    bench.watch.disconnected(bench.now)
    assert findings(bench.watch, bench.now) == (Finding(FindingKind.OUT_OF_SIGHT, INFO),)
    bench.watch.connected(bench.now)
    assert findings(bench.watch, bench.now) == ()


def test_while_zero_is_ordered_limits_above_zero_are_of_no_interest() -> None:
    bench = limited(SIX)
    bench.flow(range(-57, 0, 10), 9.0)
    assert kinds(bench) == {FindingKind.OVER_LIMIT: WARNING}
    bench.order(ZERO)
    assert kinds(bench) == {}


def test_control_that_reacts_to_nothing_is_found_under_a_stop_too() -> None:
    """The field case: 6, 7, 11, 0 A, and the current never moves."""
    bench = limited(SIX)
    bench.flow(range(-57, 0, 10))
    for t, limit in ((0, 7.0), (90, 11.0)):
        bench.to(t)
        bench.order(in_amperes(limit))
        bench.watch.limit_in_force(in_force(in_amperes(limit)), bench.now)
        bench.flow(range(t + 3, t + 90, 10))
    bench.to(180)
    bench.order(ZERO)
    bench.watch.limit_in_force(in_force(ZERO), bench.now)
    bench.flow(range(183, 233, 10))
    assert kinds(bench) == {FindingKind.CONTROL_FROZEN: CRITICAL}


# -- verdicts (smart-charging 6.2) -------------------------------------------------------------------------------------


def test_an_ignored_stop_is_over_the_limit_and_critical() -> None:
    assert judged(ignored()) == Verdict("OVER_LIMIT", "critical")


def test_a_raise_not_followed_names_its_cause() -> None:
    bench = limited(SIX)
    bench.flow(range(-57, 0, 10), 6.0)
    bench.order(SIXTEEN)
    bench.watch.limit_in_force(in_force(SIXTEEN), bench.now)
    for t in range(3, 113, 10):
        bench.read(t, 6.0, offered="6")
    assert judged(bench) == Verdict("RAISE_NOT_FOLLOWED", "warning", "charge_point")


def test_a_car_that_may_still_follow_a_raise_is_settling() -> None:
    bench = limited(SIX)
    bench.flow(range(-57, 0, 10), 6.0)
    bench.order(SIXTEEN)
    bench.watch.limit_in_force(in_force(SIXTEEN), bench.now)
    bench.read(3, 6.0)
    assert seen(bench).is_rising
    assert judged(bench) == Verdict("SETTLING")


def test_the_gravest_finding_is_the_verdict() -> None:
    bench = limited(SIX)
    bench.watch.sight.transaction_since = None
    bench.flow(range(-57, 0, 10), 9.0)
    assert set(kinds(bench)) == {FindingKind.OVER_LIMIT, FindingKind.CHARGING_WITHOUT_TRANSACTION}
    assert judged(bench) == Verdict("OVER_LIMIT", "warning")


def test_what_is_found_beside_the_current_is_no_verdict() -> None:
    bench = limited(SIX)
    bench.flow(range(-57, 0, 10), 6.0)
    before = judged(bench)
    bench.watch.disconnected(bench.now)
    assert set(kinds(bench)) == {FindingKind.OUT_OF_SIGHT}
    assert judged(bench) == before == Verdict("COMPLIANT")


def test_the_owner_standing_down_makes_nobody_compliant() -> None:
    """COMPLIANT: fresh samples, none over."""
    bench = ignored()
    bench.watch.stand_down(bench.now)
    bench.flow([53, 63])
    assert judged(bench).kind != "COMPLIANT"


# -- the view ----------------------------------------------------------------------------------------------------------


def test_the_view_of_an_idle_connector_knows_nothing_rather_than_zero() -> None:
    bench = Bench()
    bench.watch.sight.usable_id = None
    bench.watch.sight.transaction_since = None
    known = seen(bench)
    assert known == ConnectorView(
        connector=ONE,
        phase=Phase.UNKNOWN,
        findings=(),
        commanded=None,
        in_force=None,
        status=Status.CHARGING,
        transaction_id=None,
        transaction_open=False,
        reading=None,
        reading_at=None,
        stop_ordered=None,
        deadline_mono=None,
        episode=None,
        energy_against_orders_wh=0.0,
        episodes_total=0,
        steps=(),
        next_action="",
        next_action_mono=None,
    )


def test_the_view_of_an_ignored_stop_shows_it_whole() -> None:
    bench = Bench()
    bench.watch.limit_in_force(in_force(ZERO), bench.now)
    bench.ignored()
    bench.send()
    known = seen(bench)
    assert (known.commanded, known.in_force, known.status) == (ZERO, ZERO, Status.CHARGING)
    assert (known.transaction_id, known.transaction_open) == (SEVEN, True)
    assert (known.stop_ordered, known.deadline_mono) == (moment(0), moment(30).mono)
    assert known.reading is not None
    assert known.reading.currents == (6.54, 6.54, 6.54)
    assert known.reading_at == moment(43)
    assert known.episode == bench.watch.episode_view()
    assert known.episode is not None
    assert known.energy_against_orders_wh == known.episode.energy_wh > 0
    assert known.episodes_total == 1
    assert known.steps == ((StepKind.REMOTE_STOP, StepOutcome.SENT, 1),)


def test_a_raise_shows_no_stop_order_any_more() -> None:
    bench = ordered()
    bench.order(SIXTEEN)
    assert (seen(bench).stop_ordered, seen(bench).deadline_mono) == (None, None)
    assert seen(bench).commanded == SIXTEEN


# -- what happens next -------------------------------------------------------------------------------------------------


def next_of(bench: Bench) -> tuple[str, float | None]:
    known = seen(bench)
    at = known.next_action_mono
    return known.next_action, None if at is None else at - START.mono


def test_before_the_deadline_the_judgement_is_next() -> None:
    bench = ordered()
    assert next_of(bench) == ("judge", 30)
    bench.to(31)
    assert next_of(bench) == ("", None)


def test_with_a_low_reading_the_all_clear_is_next() -> None:
    bench = ignored()
    bench.read(53, 0)
    assert next_of(bench) == ("all_clear", 103)


def test_with_an_accepted_step_its_proof_is_next() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.ACCEPTED)
    assert next_of(bench) == ("proof", 73)


def test_with_a_failed_step_the_next_try_is_next() -> None:
    bench = ignored()
    bench.answered(bench.send(), StepOutcome.REFUSED)
    assert next_of(bench) == ("try", 73)


def test_with_a_raise_nothing_is_next() -> None:
    bench = ignored()
    bench.order(SIXTEEN)
    assert next_of(bench) == ("", None)


@pytest.mark.parametrize("why", ["observe", "alarm only", "no id", "stood down"])
def test_nothing_is_announced_that_will_not_follow(why: str) -> None:
    """next_action says what will happen by itself."""
    bench = Bench(Policy(mode=Mode.OBSERVE) if why == "observe" else None)
    if why == "no id":
        bench.watch.sight.usable_id = None
    if why == "alarm only":
        bench.watch.sight.notified(Status.SUSPENDED_EVSE, moment(-100))
    if why == "stood down":
        bench.to(0)
        bench.order(ZERO)
        bench.watch.stand_down(bench.now)
    else:
        bench.ignored("6.53" if why == "alarm only" else 6.5)
        bench.read(53, "6.53" if why == "alarm only" else 6.5)
    assert next_of(bench)[0] not in {"try", "judge"}


def test_steps_against_limits_above_zero_are_counted_with_the_others() -> None:
    bench = Bench()
    for ladder in (bench.watch.ladder, bench.watch.limit_ladder):
        ladder.skip(StepKind.TX_PROFILE, StepOutcome.SKIPPED, None, "", bench.now)
    assert view(bench.watch, bench.now).steps == ((StepKind.TX_PROFILE, StepOutcome.SKIPPED, 2),)
