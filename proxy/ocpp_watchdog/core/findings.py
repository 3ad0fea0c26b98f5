"""What is wrong with limits above 0 A: findings, never a reason to act (unless the owner switches that on).

Holds the history of the limit in force of one connector and the samples against it (``smart-charging.md`` 6.1 to 6.3).
The ceiling at a moment is the largest limit in force during the settle time before it. Limits are compared in the unit
they were given in. Knows no orders, episodes or steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from ocpp_watchdog.core.decisions import Finding, FindingKind, Severity
from ocpp_watchdog.core.evidence import is_silent_on_flow
from ocpp_watchdog.core.keeping import Last, Mono
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.samples import Sample
from ocpp_watchdog.core.terms import Moment, Status
from ocpp_watchdog.core.units import DEFAULT_PHASES, NOMINAL_VOLTS, Limit

MOST_LIMITS = 64
REMEMBERED_LIMITS = 16
GRAVE_SHARE = 1.25
GRAVE_AMPERES = 4.0
GRAVE_AFTER_SECONDS = 60.0
PHASE_AFTER_SECONDS = 60.0
PHASE_LOADED_AMPERES = 1.0
REACTION_AMPERES = 0.5


@dataclass(frozen=True, slots=True)
class _Since:
    """A limit in force from a moment on; None: none is known to be in force, or it is in doubt."""

    mono: Mono
    limit: Limit | None


@dataclass(slots=True)
class _Change:
    """An accepted change of the limit that the current has not answered yet."""

    mono: Mono
    reduces: bool


@dataclass(slots=True)
class AboveZero:
    """Limits above 0 on one connector and how they are kept."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {"policy": "handed in"}
    policy: Policy
    _limits: Annotated[Recent[_Since], Last(REMEMBERED_LIMITS)] = field(default_factory=lambda: Recent(MOST_LIMITS))
    _deadline: Mono | None = None
    _over: list[Mono] = field(default_factory=list)
    _too_many_phases_since: Mono | None = None
    _raised_from: Limit | None = None
    _changes: list[_Change] = field(default_factory=list)
    _reference: float | None = None
    _last: Sample | None = None
    _grave_since: Mono | None = None

    def follow(self, limit: Limit | None, now: Moment) -> None:
        """The limit in force as it is now; None when none is known, or when it is in doubt."""
        previous = self._limits[-1].limit if self._limits else None
        if self._limits and _same(previous, limit):
            return
        self._limits.append(_Since(now.mono, limit))
        if limit is not None and (previous is None or limit.amperes < previous.amperes):
            self._deadline = now.mono + self.policy.settle_seconds
        else:
            self._deadline = None
        if previous is None or limit is None:
            self._changes.clear()
            self._raised_from = None
            self._grave_since = None if limit is None else self._grave_since
            return
        self._raised_from = previous if limit.amperes > previous.amperes else None
        self._note_change(previous, limit, now)

    def add(self, sample: Sample, status: Status | None) -> None:
        """A reading that counts for the present: nothing older than the newest known one is looked at, nor what carries
        neither current nor power."""
        is_old = self._last is not None and sample.measured < self._last.measured
        if is_old or is_silent_on_flow(sample.reading):
            return
        self._last = sample
        ceiling = self._ceiling(sample.measured)
        excess = self._excess(sample.reading, ceiling)
        if excess is None or excess <= 0.0:
            self._over.clear()
        else:
            self._over.append(sample.measured)
            del self._over[1:-1]
        if not self._over or not self._is_grave(sample, excess or 0.0):
            self._grave_since = None
        elif self._grave_since is None:
            self._grave_since = sample.measured
        self._watch_phases(sample, ceiling)
        self._watch_reaction(sample)
        if status is Status.SUSPENDED_EV:
            self._raised_from = None  # the car has had enough: it need not follow a raise

    @property
    def is_settling(self) -> bool:
        """No sample has been measured since the last reduction had its settle time, or none has come at all."""
        return self._last is None or (self._deadline is not None and self._last.measured <= self._deadline)

    @property
    def is_rising(self) -> bool:
        """The limit was raised and the current has not come up yet, but may still: 90 s are not over."""
        if self._raised_from is None or self._last is None:
            return False
        since = self._limits[-1]
        measured = _per_phase(self._last.reading)
        if since.limit is None or measured is None:
            return False
        is_early = self._last.measured <= since.mono + self.policy.raise_settle_seconds
        return is_early and measured < since.limit.amperes - self._tolerance(since.limit)

    @property
    def is_suspect(self) -> bool:
        """The newest sample was over."""
        return bool(self._over)

    @property
    def is_confirmed_over(self) -> bool:
        """Over the limit, confirmed by two samples."""
        return self._over_limit() is not None

    def findings(self, now: Moment) -> list[Finding]:
        """All that is wrong at this moment."""
        if not (
            self._over or self._changes or self._raised_from is not None or self._too_many_phases_since is not None
        ):
            return []  # as nearly always
        found = [self._over_limit(), self._phase_violation(), self._raise(now), self._frozen_control(now)]
        return [finding for finding in found if finding is not None]

    def _note_change(self, previous: Limit, limit: Limit, now: Moment) -> None:
        if abs(limit.amperes - previous.amperes) <= REACTION_AMPERES:
            return
        current = _per_phase(self._last.reading) if self._last else None
        if current is None:
            return
        if not self._changes:
            self._reference = current
        self._changes.append(_Change(now.mono, limit.amperes < current - REACTION_AMPERES))
        del self._changes[:-MOST_LIMITS]

    def _ceiling(self, mono: float) -> Limit | None:
        """The largest limit in force during the settle time before ``mono``; None: none, or one that is not known."""
        window: list[Limit] = []
        for since in reversed(self._limits):
            if since.mono > mono:
                continue
            if since.limit is None:
                return None
            window.append(since.limit)
            if since.mono <= mono - self.policy.settle_seconds:
                break
        else:
            return None  # before the first limit that we saw anything was allowed
        return window[0] if len(window) == 1 else max(window, key=lambda limit: limit.amperes)

    def _excess(self, reading: Reading, ceiling: Limit | None) -> float | None:
        """By how much a reading exceeds ceiling and tolerance, as a share of the ceiling; None: cannot be said."""
        if ceiling is None or ceiling.is_zero:
            return None
        figures = [self._excess_amperes(ceiling, reading), self._excess_watts(ceiling, reading)]
        known = [figure for figure in figures if figure is not None]
        return max(known) if known else None

    def _excess_amperes(self, ceiling: Limit, reading: Reading) -> float | None:
        if ceiling.bound_amperes is None or reading.is_dc:
            return None
        bound = ceiling.bound_amperes
        measured = _per_phase(reading)
        if measured is None and reading.current is not None:
            bound *= ceiling.number_phases  # without a phase it may be the sum
            measured = reading.current
        return None if measured is None else self._beyond(measured, bound, self.policy.tolerance_amperes)

    def _excess_watts(self, ceiling: Limit, reading: Reading) -> float | None:
        if ceiling.bound_watts is None:
            return None
        watts = reading.power
        if watts is None:
            phases = [value for value in reading.currents if value is not None]
            watts = NOMINAL_VOLTS * sum(phases) if phases else None
        return None if watts is None else self._beyond(watts, ceiling.bound_watts, self.policy.tolerance_watts)

    def _beyond(self, measured: float, bound: float, least: float) -> float:
        tolerance = max(least, self.policy.tolerance_share * bound)
        return 0.0 if measured <= bound + tolerance else (measured - bound) / bound

    def _over_limit(self) -> Finding | None:
        if len(self._over) < 2 or self._over[-1] - self._over[0] < self.policy.confirm_span_seconds:
            return None
        since = self._grave_since
        is_grave = since is not None and self._over[-1] - since >= GRAVE_AFTER_SECONDS
        return Finding(FindingKind.OVER_LIMIT, Severity.CRITICAL if is_grave else Severity.WARNING)

    def _is_grave(self, sample: Sample, excess: float) -> bool:
        ceiling, measured = self._limits[-1].limit, _per_phase(sample.reading)
        far_above = ceiling is not None and measured is not None and measured > ceiling.amperes + GRAVE_AMPERES
        return excess > GRAVE_SHARE - 1.0 or far_above

    def _watch_phases(self, sample: Sample, ceiling: Limit | None) -> None:
        currents = sample.reading.currents
        loaded = len([value for value in currents if value is not None and value > PHASE_LOADED_AMPERES])
        if ceiling is None or ceiling.is_zero or loaded <= ceiling.number_phases:
            self._too_many_phases_since = None
        elif self._too_many_phases_since is None:
            self._too_many_phases_since = sample.measured

    def _phase_violation(self) -> Finding | None:
        since = self._too_many_phases_since
        if since is None or self._last is None or self._last.measured - since < PHASE_AFTER_SECONDS:
            return None
        return Finding(FindingKind.PHASE_VIOLATION, Severity.WARNING)

    def _raise(self, now: Moment) -> Finding | None:
        """The raise not followed, or less than the limit taken by a car that could have more."""
        if self._raised_from is None or self._last is None or not self._limits:
            return None
        since, old = self._limits[-1], self._raised_from
        new = since.limit
        if new is None or self._last.measured <= since.mono + self.policy.raise_settle_seconds:
            return None
        measured = _per_phase(self._last.reading)
        if measured is None or measured <= PHASE_LOADED_AMPERES or now.mono < self._last.measured:
            return None
        if abs(measured - old.amperes) > self._tolerance(old) or measured >= new.amperes - self._tolerance(new):
            return None
        return self._blame(self._last.reading.offered_amperes, old, new)

    def _blame(self, offered: float | None, old: Limit, new: Limit) -> Finding:
        if offered is None:
            return Finding(FindingKind.RAISE_NOT_FOLLOWED, Severity.INFO, "undetermined")
        if offered >= new.amperes - self._tolerance(new):
            return Finding(FindingKind.UNDER_DELIVERY, Severity.INFO, "vehicle")
        if offered <= old.amperes + self._tolerance(old):
            return Finding(FindingKind.RAISE_NOT_FOLLOWED, Severity.WARNING, "charge_point")
        return Finding(FindingKind.RAISE_NOT_FOLLOWED, Severity.INFO, "undetermined")

    def _tolerance(self, limit: Limit) -> float:
        return max(self.policy.tolerance_amperes, self.policy.tolerance_share * limit.amperes)

    def _watch_reaction(self, sample: Sample) -> None:
        if self._reference is None or not self._changes:
            return
        measured = _per_phase(sample.reading)
        if measured is not None and abs(measured - self._reference) >= REACTION_AMPERES:
            self._changes.clear()

    def _frozen_control(self, now: Moment) -> Finding | None:
        """Two or more accepted changes without a reaction, a reduction below the measured value among them."""
        if self._last is None or len(self._changes) < 2:
            return None
        shown = [change for change in self._changes if self._last.measured > change.mono + self.policy.settle_seconds]
        if len(shown) < 2 or not any(change.reduces for change in shown) or now.mono < self._last.measured:
            return None
        return Finding(FindingKind.CONTROL_FROZEN, Severity.CRITICAL)


def _per_phase(reading: Reading) -> float | None:
    """The highest phase current in A; without currents estimated from power at nominal voltage. None: not known, or
    one current without a phase, which may be a sum."""
    phases = [value for value in reading.currents if value is not None]
    if phases:
        return max(phases)
    if reading.current is not None:
        return None
    powers = [value for value in reading.powers if value is not None]
    if powers:
        return max(powers) / NOMINAL_VOLTS
    return None if reading.power is None else reading.power / (NOMINAL_VOLTS * DEFAULT_PHASES)


def _same(one: Limit | None, other: Limit | None) -> bool:
    """Whether two limits ask for the same, whichever profile says so."""
    if one is None or other is None:
        return one is other
    return (one.amperes, one.watts, one.number_phases, one.bound_amperes, one.bound_watts) == (
        other.amperes,
        other.watts,
        other.number_phases,
        other.bound_amperes,
        other.bound_watts,
    )
