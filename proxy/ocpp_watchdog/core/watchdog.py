"""Phase, findings and verdict of one connector: derived from its watch, first match wins, never stored.

Watchdog rules 3 for the phases, ``smart-charging.md`` 6.2 for the verdicts. Reads, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from ocpp_watchdog.core.decisions import (
    ConnectorView,
    EvidenceClass,
    EvidenceRecord,
    Finding,
    FindingKind,
    Phase,
    Severity,
    StepKind,
    StepOutcome,
)
from ocpp_watchdog.core.evidence import ACTING, SHARE_TOO_MUCH, claims_nothing
from ocpp_watchdog.core.orders import StopAnswer
from ocpp_watchdog.core.terms import Moment, Status
from ocpp_watchdog.core.watch import Watch

SUSPENDED = frozenset({Status.SUSPENDED_EV, Status.SUSPENDED_EVSE})


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict in the words of ``smart-charging.md`` 6.2. severity: info, warning, critical or empty."""

    kind: str
    severity: str = ""
    cause: str = ""


def phase(watch: Watch, now: Moment) -> Phase:
    """The phase at this moment. A disconnect changes none: what is out of sight stays as it was."""
    now = watch.sight.disconnected_at or now
    if watch.is_unknown:
        return Phase.UNKNOWN
    if watch.tracker.stood_down:
        return Phase.STOOD_DOWN
    if watch.is_exhausted(now):
        return Phase.EXHAUSTED
    if watch.episode is not None:
        return Phase.REMEDYING if watch.is_under_way else Phase.VIOLATING
    if watch.above.is_confirmed_over and not watch.tracker.is_standing:
        return Phase.VIOLATING
    return Phase.BLIND if watch.is_blind(now) else _calm_phase(watch, now)


def findings(watch: Watch, now: Moment) -> tuple[Finding, ...]:
    """The set beside the phase."""
    found = [*_above(watch, now), *_of_the_stop(watch)]
    if watch.flow.is_found and watch.sight.transaction_since is None:
        found.append(Finding(FindingKind.CHARGING_WITHOUT_TRANSACTION, Severity.CRITICAL))
    skew = watch.samples.skew_seconds
    if skew is not None and abs(skew) > watch.policy.skew_seconds:
        found.append(Finding(FindingKind.CLOCK_SKEW, Severity.WARNING))
    if not watch.sight.connected:
        found.append(Finding(FindingKind.OUT_OF_SIGHT, Severity.INFO))
    return tuple(found)


def view(watch: Watch, now: Moment) -> ConnectorView:
    """Everything that can be seen of this connector."""
    order = watch.tracker.standing if watch.tracker.is_standing else None
    action, at = _next_action(watch, now)
    last = watch.samples.last_reading
    return ConnectorView(
        connector=watch.connector,
        phase=phase(watch, now),
        findings=findings(watch, now),
        commanded=watch.commanded,
        in_force=watch.in_force.limit if watch.in_force is not None else None,
        status=watch.sight.status,
        transaction_id=watch.sight.usable_id,
        transaction_open=watch.sight.transaction_since is not None,
        reading=last,
        reading_at=last.arrived if last is not None else None,
        stop_ordered=order.began if order is not None else None,
        deadline_mono=order.deadline(watch.policy) if order is not None else None,
        episode=watch.episode.view(watch.ladder, watch.commanded) if watch.episode is not None else None,
        energy_against_orders_wh=watch.energy_total_wh,
        episodes_total=watch.episodes_total,
        steps=_steps(watch),
        next_action=action,
        next_action_mono=at,
        is_rising=watch.above.is_rising,
        has_own_profile=watch.leftovers.profile is not None,
        is_inoperative=watch.leftovers.inoperative is not None,
    )


def _steps(watch: Watch) -> tuple[tuple[StepKind, StepOutcome, int], ...]:
    """Outcomes counted since the connector is known, against stops and against limits above 0."""
    if not watch.ladder.totals and not watch.limit_ladder.totals:
        return ()
    totals = dict(watch.ladder.totals)
    for key, times in watch.limit_ladder.totals.items():
        totals[key] = totals.get(key, 0) + times
    return tuple((kind, outcome, times) for (kind, outcome), times in totals.items())


def verdict(seen: ConnectorView) -> Verdict:
    """The view in one verdict, the gravest first."""
    if not seen.findings and seen.episode is None:
        return SETTLING if seen.is_rising else _OF_PHASE[seen.phase]  # as nearly always
    kinds = {finding.kind: finding for finding in seen.findings}
    if seen.episode is not None and FindingKind.STALE_METER not in kinds:
        return Verdict("OVER_LIMIT", Severity.CRITICAL.value)
    for kind in _VERDICTS:
        if kind in kinds:
            return Verdict(kind.value.upper(), kinds[kind].severity.value, kinds[kind].cause)
    return SETTLING if seen.is_rising else _OF_PHASE[seen.phase]


_VERDICTS = (
    FindingKind.OVER_LIMIT,
    FindingKind.STALE_METER,
    FindingKind.CHARGING_WITHOUT_TRANSACTION,
    FindingKind.CONTRADICTION,
    FindingKind.CONTROL_FROZEN,
    FindingKind.PHASE_VIOLATION,
    FindingKind.RAISE_NOT_FOLLOWED,
    FindingKind.UNDER_DELIVERY,
)

SETTLING = Verdict("SETTLING")
_OF_PHASE = dict.fromkeys(Phase, Verdict("COMPLIANT")) | {
    Phase.UNKNOWN: Verdict("UNKNOWN"),
    Phase.STOOD_DOWN: Verdict("UNKNOWN"),
    Phase.SETTLING: SETTLING,
    Phase.SUSPECT: SETTLING,
    Phase.BLIND: Verdict("NO_DATA"),
}


def _calm_phase(watch: Watch, now: Moment) -> Phase:
    order = watch.tracker.standing
    if order is None or order.raised is not None:
        if watch.above.is_settling:
            return Phase.SETTLING
        return Phase.SUSPECT if watch.above.is_suspect else Phase.OBEYING
    if watch.trial.last is None or now.mono <= order.deadline(watch.policy):
        return Phase.SETTLING
    return Phase.SUSPECT if watch.trial.is_over else Phase.OBEYING


def _above(watch: Watch, now: Moment) -> list[Finding]:
    """Findings of limits above 0. While 0 A is ordered only the control that does not react is of interest."""
    found = watch.above.findings(now)
    if not watch.tracker.is_standing:
        return found
    return [finding for finding in found if finding.kind is FindingKind.CONTROL_FROZEN]


def _of_the_stop(watch: Watch) -> list[Finding]:
    """Findings of a standing stop order: how it was answered, and what its evidence says of the meter."""
    order, evidence = watch.tracker.standing, watch.trial.evidence
    if order is None or order.raised is not None:
        return []
    found: list[Finding] = []
    last = watch.samples.last
    flows = last is not None and not claims_nothing(last.reading, watch.policy)
    kind = _ANSWER_FINDINGS.get(order.answer)
    if kind is not None:
        found.append(Finding(kind, Severity.CRITICAL if flows else Severity.WARNING))
    if evidence is None or not watch.trial.is_over:
        return found
    has_asked = watch.episode is not None  # the question about frozen readings brought nothing new
    if evidence.evidence is EvidenceClass.CONTRADICTED or (evidence.evidence is EvidenceClass.FROZEN and has_asked):
        found.append(Finding(FindingKind.STALE_METER, Severity.WARNING))
    severity = _disagreement(watch, evidence)
    if severity is not None:
        found.append(Finding(FindingKind.CONTRADICTION, severity))
    return found


_ANSWER_FINDINGS = {
    StopAnswer.REFUSED: FindingKind.STOP_REFUSED,
    StopAnswer.UNANSWERED: FindingKind.STOP_UNANSWERED,
}


def _disagreement(watch: Watch, evidence: EvidenceRecord) -> Severity | None:
    """Whether the channels of the meter, or meter and status, contradict each other."""
    too_much = evidence.share is not None and evidence.share > SHARE_TOO_MUCH
    if evidence.evidence is EvidenceClass.HIDDEN or too_much:
        return Severity.CRITICAL
    return Severity.WARNING if watch.sight.status in SUSPENDED and evidence.evidence in ACTING else None


def _next_action(watch: Watch, now: Moment) -> tuple[str, float | None]:
    """What will happen by itself next, and when (monotonic seconds)."""
    order, episode = watch.tracker.standing, watch.episode
    if order is None or order.raised is not None or watch.tracker.stood_down:
        return "", None
    if episode is None:
        deadline = order.deadline(watch.policy)
        return ("judge", deadline) if now.mono <= deadline else ("", None)
    if episode.low_since is not None:
        return "all_clear", episode.last_over.arrived.mono + watch.policy.clear_after_seconds
    proof = watch.proof_at()
    if proof is not None:
        return "proof", proof
    return ("try", watch.next_try_mono(now)) if watch.may_try(now) else ("", None)
