"""What the readings prove: over or not at a limit of 0 A, confirmed or not, and of what class the evidence is.

Pure functions over samples in the order they were measured (watchdog rules 2). Knows nothing of steps or episodes.
Currents A, power W, energy Wh, moments monotonic seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ocpp_watchdog.core.decisions import EvidenceClass
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.samples import Sample
from ocpp_watchdog.core.units import NOMINAL_VOLTS
from ocpp_watchdog.core.values import value

SLIGHT_AMPERES = 3.0
SLIGHT_WATTS = 100.0
SHARE_WINDOW_SECONDS = 60.0
SHARE_FLOWING = 0.8
SHARE_UNDECIDED = 0.5
SHARE_TOO_MUCH = 1.5
GOOD_STEPS = 5
MOST_WATTS = 1_000_000.0
"""No connector delivers more: a register that rose faster was reset, or dropped out, between."""

ORDER_SHOWS_SECONDS = 10.0
"""A reading measured this long after the order begins to say something about it."""

DIGITS_READINGS = 3
FRESH_SECONDS = 60.0

ACTING = frozenset({EvidenceClass.HIDDEN, EvidenceClass.FLOWING, EvidenceClass.LIVE})
STALE = frozenset({EvidenceClass.CONTRADICTED, EvidenceClass.FROZEN})


@value
class Situation:
    """What the evidence is judged against. ordered, deadline: monotonic seconds; step: register step in Wh.

    charging_since_before: the status has been Charging since before the order. single_is_enough: the last stop order of
    this connector ended superseded a short while ago. confirm_span: seconds between two samples that
    confirm. session_began: monotonic seconds.
    zero_is_asserted: a reading of 0 is written because the charge point is suspended, whatever flows.
    """

    ordered: float
    deadline: float
    step: float | None
    is_fast: bool
    is_charging: bool
    charging_since_before: bool
    single_is_enough: bool
    confirm_span: float = 8.0
    session_began: float = -math.inf
    zero_is_asserted: bool = False


@value
class Judged:
    """A sample held against a limit of 0. is_over and is_low both False: it says nothing about flow. by_register_only:
    nothing but the register says over.
    """

    sample: Sample
    is_over: bool
    is_low: bool
    register_over: bool

    by_register_only: bool = False

    @property
    def speaks(self) -> bool:
        """It says one thing or the other."""
        return self.is_over or self.is_low


def claims_nothing(reading: Reading, policy: Policy) -> bool:
    """Whether current and power, as far as they are reported, say that nothing flows."""
    current = reading.highest_current
    return (current is None or current <= policy.zero_amperes) and (
        reading.power is None or reading.power <= policy.zero_watts
    )


def claims_little(reading: Reading, policy: Policy) -> bool:
    """Whether current and power, as far as they are reported, speak of nothing or of idle current only."""
    current = reading.highest_current
    return (current is None or current <= SLIGHT_AMPERES) and (
        reading.power is None or reading.power <= policy.zero_watts
    )


def is_silent_on_flow(reading: Reading) -> bool:
    """Whether the reading carries neither current nor power."""
    return reading.highest_current is None and reading.power is None


def judge_at_zero(series: Sequence[Sample], index: int, situation: Situation, policy: Policy) -> Judged:
    """Hold sample ``index`` of the series against a limit of 0 A.

    Over: the highest phase above 1 A, or power above 200 W, or the register says so. Low: current (or, without current,
    power) says nothing flows and the register does not object; with neither, a register that stood still for a minute.
    """
    sample = series[index]
    reading = sample.reading
    by_register = register_is_over(series, index, situation, policy)
    if is_silent_on_flow(reading):
        return Judged(
            sample, by_register, not by_register and _stands_still(series, index, situation), by_register, by_register
        )
    claims_zero = claims_nothing(reading, policy)
    is_over = by_register or not claims_zero
    is_hollow = situation.zero_is_asserted and reading.energy is None
    is_low = not is_over and not is_hollow and not _is_between_steps(series, index, situation, policy)
    return Judged(sample, is_over, is_low, by_register, by_register and claims_zero)


def register_is_over(series: Sequence[Sample], index: int, situation: Situation, policy: Policy) -> bool:
    """Whether the register says "over".

    It rose since the reading before, and over the shortest interval ending here in which it rose by two steps the rise
    less one step is more than 200 W on average. Against a reading of 0 only intervals count whose other end is a
    reading of 0 too and was measured when the order began to show. Where neither current nor power is reported nothing
    tells when charging ended, so the interval must lie after the deadline: until then the energy was allowed.
    Nor does anything tell idle current from a car that draws little. A register that rose faster than any charge point
    can deliver was reset or dropped out.
    """
    watts = _register_watts(series, index, situation, policy)
    return watts is not None and policy.zero_watts < watts <= MOST_WATTS


def _register_watts(series: Sequence[Sample], index: int, situation: Situation, policy: Policy) -> float | None:
    """The average over the shortest interval that counts, one step taken off; None: there is none."""
    sample, step = series[index], situation.step
    energy = sample.reading.energy
    if energy is None or step is None:
        return None
    claims_zero = claims_little(sample.reading, policy)
    is_first = True
    for other in reversed(series[:index]):
        before = other.reading.energy
        if before is None:
            continue
        rise = energy - before
        if is_first and rise <= 0.0:
            return None
        is_first = False
        if rise < 2 * step * (1 - 1e-9):
            continue
        if claims_zero and not _may_open_interval(sample, other, situation, policy):
            return None
        seconds = sample.measured - other.measured
        return (rise - step) * 3600.0 / seconds if seconds > 0.0 else None
    return None


def _is_between_steps(series: Sequence[Sample], index: int, situation: Situation, policy: Policy) -> bool:
    """The register said "over" at its last step, and the next is not due yet: a reading of 0 in between proves no stop
    (``smart-charging.md`` 6.3)."""
    energy, step = series[index].reading.energy, situation.step
    if energy is None or step is None:
        return False
    last = index
    for number in range(index - 1, -1, -1):
        before = series[number].reading.energy
        if before is None:
            continue
        if before != energy:
            break
        last = number
        stood = series[index].measured - series[number].measured
        if stood * policy.zero_watts > 2.0 * step * 3600.0:
            return False  # whatever its last step said, the next is overdue
    watts = _register_watts(series, last, situation, policy)
    if watts is None or not policy.zero_watts < watts <= MOST_WATTS:
        return False
    return series[index].measured - series[last].measured < step * 3600.0 / watts


def claimed_watts(reading: Reading) -> float | None:
    """The smaller of power and 230 V times the phase currents; None when neither is reported."""
    by_current = _watts_of_currents(reading)
    figures = [watts for watts in (reading.power, by_current) if watts is not None]
    return min(figures) if figures else None


def share(series: Sequence[Sample], index: int, step: float | None) -> float | None:
    """S: how much of the energy that the sample claims did the register count. None: not known (yet).

    (rise since a reading at most 60 s older + half a step) / what the claimed power would have added, once two steps
    were due. Of the readings at most 60 s older the newest is taken over which five steps were due, so that one step
    more or less weighs little; where there is none, the oldest.
    """
    sample = series[index]
    energy, claimed = sample.reading.energy, claimed_watts(sample.reading)
    if energy is None or step is None or claimed is None or claimed <= 0.0:
        return None
    result: float | None = None
    for other in reversed(series[:index]):
        seconds = sample.measured - other.measured
        if seconds > SHARE_WINDOW_SECONDS:
            break
        if other.reading.energy is None:
            continue
        rise = energy - other.reading.energy
        due = claimed * seconds / 3600.0
        if rise < 0.0 or rise * 3600.0 > MOST_WATTS * seconds + step * 3600.0:
            break  # the register fell or jumped: reset or re-based, what lies before cannot be compared
        if due >= 2 * step:
            result = (rise + step / 2) / due
        if due >= GOOD_STEPS * step:
            break
    return result


def is_live(series: Sequence[Sample], index: int, situation: Situation) -> bool:
    """Whether the figures move as those of a living meter do (class *live* where the register says nothing).

    Current digits change, or have at most one decimal while the status is Charging; without currents: power changes, or
    comes in tens of watts while Charging. Looked at are the last three readings since the order, and while there are
    fewer the last one before it, unless the connection was lost between: nobody knows what was said meanwhile, and a
    meter that froze then would seem to have moved.
    """
    reading = series[index].reading
    began, ordered = situation.session_began, situation.ordered
    series = [other for other in series[: index + 1] if other.measured >= ordered or other.arrived.mono >= began]
    if reading.highest_current is not None:
        said = [(other.measured, other.reading.digits) for other in series if other.reading.digits]
        return _changes(said, situation.ordered) or (situation.is_charging and reading.decimals <= 1)
    if reading.power is None:
        return False
    said = [(other.measured, other.reading.power_digits) for other in series if other.reading.power_digits]
    return _changes(said, situation.ordered) or (situation.is_charging and reading.power % 10.0 == 0.0)


def classify(
    series: Sequence[Sample], index: int, judged: Judged, situation: Situation, policy: Policy
) -> tuple[EvidenceClass, float | None]:
    """The class of an over sample and S. First match wins, watchdog rules 2."""
    reading = judged.sample.reading
    highest = reading.highest_current
    if judged.register_over and claims_nothing(reading, policy):
        return EvidenceClass.HIDDEN, None
    is_small = highest is not None and highest <= SLIGHT_AMPERES
    if is_small and (reading.power is None or reading.power < SLIGHT_WATTS) and not judged.register_over:
        return EvidenceClass.SLIGHT, None
    counted = share(series, index, situation.step)
    if counted is not None:
        return _class_of_share(counted), counted
    return (EvidenceClass.LIVE if is_live(series, index, situation) else EvidenceClass.FROZEN), None


def is_confirmed(judged: Sequence[Judged], situation: Situation) -> bool:
    """Whether the newest sample completes the proof of an ignored stop.

    judged: all samples since the order, oldest first; the last one is the newest and is over. Counting are those that
    were measured and received after the deadline. Where nothing but the register says over, one sample is not enough:
    that the register rose is then the evidence itself, and one that lags behind rises once more after a stop.
    """
    chain = _over_run(judged)
    counting = [item.sample for item in chain if counts(item.sample, situation.deadline)]
    if not counting:
        return False
    last = counting[-1]
    if situation.single_is_enough or last.measured - counting[0].measured >= situation.confirm_span:
        return True
    if situation.is_fast or chain[-1].by_register_only:
        return False
    return (
        any(_came_first(item.sample, last, situation) for item in chain)
        or situation.charging_since_before
        or _rose_since(judged, last, situation.ordered)
    )


def counts(sample: Sample, deadline: float) -> bool:
    """Whether a sample counts against a stop order: measured and received after the deadline, and fresh. What waited in
    a queue for more than a minute says how it was, not how it is (``smart-charging.md`` 6.1)."""
    is_fresh = sample.arrived.mono - sample.measured <= FRESH_SECONDS
    return is_fresh and sample.measured > deadline and sample.arrived.mono > deadline


def _over_run(judged: Sequence[Judged]) -> list[Judged]:
    """The over samples with none below in between, oldest first. Where only the register says over, a reading of 0 that
    lies less than a minute before its next step is none below: between two steps of a register zeros prove nothing."""
    run: list[Judged] = []
    for item in reversed(judged):
        if item.is_low:
            next_over = run[-1] if run else item
            is_between_steps = next_over.by_register_only and item.sample.reading.energy is not None
            if not is_between_steps or next_over.sample.measured - item.sample.measured > SHARE_WINDOW_SECONDS:
                break
        if item.is_over:
            run.append(item)
    run.reverse()
    return run


def _came_first(earlier: Sample, last: Sample, situation: Situation) -> bool:
    is_late_enough = earlier.measured >= situation.ordered + ORDER_SHOWS_SECONDS
    return is_late_enough and last.measured - earlier.measured >= situation.confirm_span


def _rose_since(judged: Sequence[Judged], last: Sample, ordered: float) -> bool:
    energy = last.reading.energy
    known = [
        item.sample.reading.energy
        for item in judged
        if item.sample.reading.energy is not None and ordered <= item.sample.measured < last.measured
    ]
    return energy is not None and bool(known) and energy > known[0]


def _may_open_interval(sample: Sample, other: Sample, situation: Situation, policy: Policy) -> bool:
    is_plain = not is_silent_on_flow(sample.reading) and not is_silent_on_flow(other.reading)
    if not is_plain or not claims_nothing(sample.reading, policy):
        return other.measured >= situation.deadline
    return claims_nothing(other.reading, policy) and other.measured >= situation.ordered + ORDER_SHOWS_SECONDS


def _stands_still(series: Sequence[Sample], index: int, situation: Situation) -> bool:
    sample, step = series[index], situation.step
    energy = sample.reading.energy
    if energy is None or step is None:
        return False
    since = [other for other in series[:index] if other.measured >= situation.ordered]
    if not all(is_silent_on_flow(other.reading) for other in since):
        return False  # currents or power come in other readings: those speak
    return any(
        other.reading.energy is not None and energy - other.reading.energy <= step
        for other in since
        if sample.measured - other.measured >= SHARE_WINDOW_SECONDS
    )


def _watts_of_currents(reading: Reading) -> float | None:
    phases = [value for value in reading.currents if value is not None]
    if phases:
        return NOMINAL_VOLTS * sum(phases)
    return None if reading.current is None else NOMINAL_VOLTS * reading.current


def _changes(said: Sequence[tuple[float, str]], ordered: float) -> bool:
    """Whether the digits differ among the last three since the order; while there are fewer, the last one before it
    counts too. said: (measured, digits), oldest first."""
    last = said[-DIGITS_READINGS:]
    since = [digits for measured, digits in last if measured >= ordered]
    first_before = [digits for measured, digits in last if measured < ordered][-1:]
    return len({*first_before, *since} if len(since) < DIGITS_READINGS else set(since)) > 1


def _class_of_share(counted: float) -> EvidenceClass:
    if counted >= SHARE_FLOWING:
        return EvidenceClass.FLOWING
    return EvidenceClass.UNDECIDED if counted >= SHARE_UNDECIDED else EvidenceClass.CONTRADICTED
