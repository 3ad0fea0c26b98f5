"""What the charge point shows after an order of the owner's test: obeyed or not, and from when on.

Pure: the connector as it is now and the order that is under way in, what shows out. Knows the evidence rules of the
watchdog and nothing of what comes next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ocpp_watchdog.core.decisions import EvidenceClass
from ocpp_watchdog.core.evidence import (
    ACTING,
    ORDER_SHOWS_SECONDS,
    Judged,
    Situation,
    claims_nothing,
    classify,
    is_silent_on_flow,
    judge_at_zero,
)
from ocpp_watchdog.core.exercise import Found, Scene
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.samples import Sample, Samples
from ocpp_watchdog.core.terms import Moment, Status
from ocpp_watchdog.core.units import DEFAULT_PHASES, watts

FRESH_SECONDS = 30.0
"""How long a reading is fresh while nobody knows how often they come; else twice as long as they come."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An order that was sent. deadline: until when it must show; give_up: when no reading is waited for any more (both
    monotonic seconds). before: the last sample before it."""

    amperes: float
    sent: float
    deadline: float
    give_up: float
    before: Sample | None


@dataclass(frozen=True, slots=True)
class Shown:
    """found None: not decided yet, and the rest is how it looks so far. since: from when on it shows (monotonic
    seconds). sample: the reading that says so."""

    found: Found | None
    since: float | None = None
    sample: Sample | None = None
    evidence: EvidenceClass | None = None


WAITING = Shown(None)


def limit_shows(scene: Scene, order: UnderWay, policy: Policy, now: Moment) -> Shown:
    """A limit above 0: the first reading that keeps to it, or one after the deadline that does not."""
    for sample in _since(scene.samples, order.sent):
        exceeds = _exceeds(sample, order.amperes, policy)
        if exceeds is False:
            was_over = order.before is not None and _exceeds(order.before, order.amperes, policy)
            return Shown(Found.FOLLOWED if was_over else Found.NOTHING_TO_SEE, sample.measured, sample)
        if exceeds and sample.measured > order.deadline:
            return Shown(Found.IGNORED, sample.measured, sample)
    return Shown(Found.SILENT) if now.mono >= order.give_up else WAITING


def zero_shows(scene: Scene, order: UnderWay, policy: Policy, now: Moment) -> Shown:
    """0 A: two readings that say so, the last one when the order had time to show, or one after the deadline that does
    not."""
    low: list[Sample] = []
    over = WAITING
    for sample in _since(scene.samples, order.sent):
        judged, situation = _at_zero(scene, sample, order, policy)
        if judged.is_over:
            low, evidence = [], _class_of(scene, judged, situation, policy)
            over = Shown(None, sample.measured, sample, evidence)
            if sample.measured > order.deadline and evidence is not EvidenceClass.UNDECIDED:
                return replace(over, found=_weighed(evidence))
        elif judged.is_low:
            low.append(sample)
    is_late = now.mono >= order.give_up
    if not low:
        return replace(over, found=Found.STALE if over.sample else Found.SILENT) if is_late else over
    is_sure = low[-1].measured >= order.sent + ORDER_SHOWS_SECONDS and _stays_low(low, scene, policy)
    was_over = order.before is not None and not claims_nothing(order.before.reading, policy)
    found = Found.FOLLOWED if was_over else Found.NOTHING_TO_SEE
    return Shown(found if is_sure or is_late else None, low[0].measured, low[0])


def return_shows(scene: Scene, order: UnderWay, policy: Policy, now: Moment) -> Shown:
    """The central system's limit again: current comes back, if it was gone."""
    before = order.before
    is_fresh = before is not None and order.sent - before.measured <= 2.0 * (scene.samples.interval() or FRESH_SECONDS)
    if before is not None and is_fresh and not claims_nothing(before.reading, policy):
        return Shown(Found.NOTHING_TO_SEE)
    for sample in _since(scene.samples, order.sent):
        if not is_silent_on_flow(sample.reading) and not claims_nothing(sample.reading, policy):
            return Shown(Found.FOLLOWED, sample.measured, sample)
    return Shown(Found.IGNORED) if now.mono >= order.deadline else WAITING


def stop_shows(scene: Scene, order: UnderWay, over_mono: float | None, policy: Policy, now: Moment) -> Shown:
    """RemoteStopTransaction: the current is gone by measurement, or the transaction is over in silence. over_mono: when
    the transaction was over, None: it is not. Once another one has begun nothing more is to be learned."""
    said = [sample for sample in _since(scene.samples, order.sent) if not is_silent_on_flow(sample.reading)]
    last = said[-1] if said else None
    is_late = now.mono >= order.deadline or (over_mono is not None and scene.transaction_open)
    if last is not None and claims_nothing(last.reading, policy):
        first = _first_low(said, policy)
        return Shown(Found.FOLLOWED, first.measured, first) if over_mono is not None or is_late else WAITING
    if not is_late:
        return WAITING
    at = None if last is None else last.measured
    if over_mono is None:
        return Shown(Found.IGNORED, at, last)
    still_charges = scene.status is Status.CHARGING and not scene.transaction_open
    if still_charges or (last is not None and last.measured > over_mono):
        return Shown(Found.TRANSACTION_ONLY, at, last)
    if scene.transaction_open:
        return Shown(Found.UNPROVEN, over_mono)
    return Shown(Found.FOLLOWED, over_mono)


def _exceeds(sample: Sample, amperes: float, policy: Policy) -> bool | None:
    """More flows than that, tolerance included. None: it does not say."""
    reading = sample.reading
    if reading.highest_current is not None:
        tolerance = max(policy.tolerance_amperes, policy.tolerance_share * amperes)
        return reading.highest_current > amperes + tolerance
    if reading.power is None:
        return None
    most = watts(amperes, DEFAULT_PHASES)
    return reading.power > most + max(policy.tolerance_watts, policy.tolerance_share * most)


def _stays_low(low: list[Sample], scene: Scene, policy: Policy) -> bool:
    """Two readings far enough apart say so, and the register did not rise between them."""
    first, last = low[0], low[-1]
    seconds = last.measured - first.measured
    if seconds < policy.confirm_span_seconds:
        return False
    before, after = first.reading.energy, last.reading.energy
    if before is None or after is None:
        return True
    return (after - before - (scene.samples.register_step or 0.0)) * 3600.0 <= policy.zero_watts * seconds


def _at_zero(scene: Scene, sample: Sample, order: UnderWay, policy: Policy) -> tuple[Judged, Situation]:
    situation = Situation(
        ordered=order.sent,
        deadline=order.deadline,
        step=scene.samples.register_step,
        is_fast=True,
        is_charging=scene.status is Status.CHARGING,
        charging_since_before=False,
        single_is_enough=False,
    )
    series = scene.samples.series
    return judge_at_zero(series, series.index(sample), situation, policy), situation


def _class_of(scene: Scene, judged: Judged, situation: Situation, policy: Policy) -> EvidenceClass:
    series = scene.samples.series
    return classify(series, series.index(judged.sample), judged, situation, policy)[0]


def _weighed(evidence: EvidenceClass) -> Found:
    """What an over sample after the deadline is worth: idle current is none, and stale digits convict nobody."""
    if evidence is EvidenceClass.SLIGHT:
        return Found.FOLLOWED
    return Found.IGNORED if evidence in ACTING else Found.STALE


def _first_low(said: list[Sample], policy: Policy) -> Sample:
    """Where the last run of readings without current begins; the last one is such."""
    first = said[-1]
    for sample in reversed(said):
        if not claims_nothing(sample.reading, policy):
            break
        first = sample
    return first


def _since(samples: Samples, mono: float) -> list[Sample]:
    """Samples measured after this moment, the oldest first."""
    return list(samples.since(mono))[::-1]
