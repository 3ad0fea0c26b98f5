"""The orders of one connector, each with what the judge saw while it stood, and what that makes of it in the end.

The judge decides (``core``); here its views are collected per order and put into one outcome. Bounded: of long logs the
orders that went well are only counted.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field, replace

from ocpp_watchdog.analysis.strip import Strip
from ocpp_watchdog.core.decisions import ConnectorView, EpisodeView, Phase
from ocpp_watchdog.core.evidence import ACTING
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.terms import ConnectorId, Moment, Status
from ocpp_watchdog.core.units import Limit
from ocpp_watchdog.core.watchdog import Verdict, verdict
from ocpp_watchdog.report import model
from ocpp_watchdog.report.model import Noted, Order, Outcome, Point, Why

MOST_ORDERS = 1_000
FIRST_POINTS = 8
LAST_POINTS = 8
MOST_EPISODE_POINTS = 120
MOST_BELIEVED = 16
QUIET = frozenset({Status.SUSPENDED_EV, Status.SUSPENDED_EVSE, Status.FINISHING, Status.PREPARING})
CAUSES = {"vehicle": Why.CAUSE_VEHICLE, "charge_point": Why.CAUSE_CHARGE_POINT}
VERDICTS = (
    "OVER_LIMIT", "STALE_METER", "CHARGING_WITHOUT_TRANSACTION", "CONTRADICTION", "CONTROL_FROZEN", "PHASE_VIOLATION",
    "RAISE_NOT_FOLLOWED", "UNDER_DELIVERY", "COMPLIANT", "SETTLING", "NO_DATA", "UNKNOWN",
)  # fmt: skip
"""The gravest first: what an order is remembered for."""

RANK = {kind: number for number, kind in enumerate(VERDICTS)}
GRAVE = {"critical": 2, "warning": 1, "info": 0, "": 0}


@dataclass(slots=True)
class Standing:
    """An order while it stands."""

    number: int
    began: Moment
    limit: Limit | None
    label: str
    text: str
    by_schedule: bool
    commands: int = 0
    answer: str = ""
    delay: float | None = None
    readings: int = 0
    first: list[Reading] = field(default_factory=list)
    last: deque[Reading] = field(default_factory=lambda: deque(maxlen=LAST_POINTS))
    findings: dict[str, Noted] = field(default_factory=dict)
    episode: EpisodeView | None = None
    was_compliant: bool = False
    was_in_force: bool = False
    deadline: float | None = None
    last_view: ConnectorView | None = None
    worst: Verdict | None = None
    believed: list[tuple[float, float]] = field(default_factory=list)

    @property
    def is_stop(self) -> bool:
        """It forbids charging."""
        return self.limit is not None and self.limit.is_zero


class Track:
    """One connector through a log."""

    def __init__(self, connector: ConnectorId) -> None:
        self.connector = connector
        self.standing: Standing | None = None
        self.orders: list[Order] = []
        self.left_out: Counter[Outcome] = Counter()
        self.strip = Strip()
        self.readings = 0
        self.has_register = False
        self.energy_wh = 0.0
        self._energy_before_wh = 0.0
        self._numbers = 0
        self._last_reading: Reading | None = None

    # -- what is seen ----------------------------------------------------------------------------------------------

    def look(self, seen: ConnectorView, now: Moment) -> None:
        """Take in what the judge shows of the connector."""
        self.energy_wh = self._energy_before_wh + seen.energy_against_orders_wh
        standing = self.standing
        reading = seen.reading
        if reading is not None and reading is not self._last_reading:
            self._last_reading = reading
            self._measured(reading, now)
        if standing is None or not _same(standing.limit, seen.commanded):
            return
        standing.last_view = seen
        if seen.deadline_mono is not None:
            standing.deadline = max(0.0, seen.deadline_mono - standing.began.mono)
        if not standing.was_in_force and seen.in_force is not None and _same(seen.in_force, standing.limit):
            standing.was_in_force = True
        self._judged(standing, seen, now)

    def stands(self, commanded: Limit | None) -> bool:
        """This is the order already."""
        return _same(None if self.standing is None else self.standing.limit, commanded)

    def follow(self, commanded: Limit | None, label: str, text: str, now: Moment, *, by_schedule: bool) -> int | None:
        """The order as it is now; gives its number, None when there is none."""
        if self.standing is not None:
            if _same(self.standing.limit, commanded):
                return self.standing.number
            self.close(now, is_end=False)
        elif commanded is None:
            return None
        self.strip.commanded(now.utc, None if commanded is None else commanded.amperes)
        self._numbers += 1
        self.standing = Standing(self._numbers, now, commanded, label, text, by_schedule)
        return self._numbers

    def repeated(self) -> None:
        """One more command asked for the standing order."""
        if self.standing is not None:
            self.standing.commands += 1

    def answered(self, number: int | None, answer: str, delay: float) -> None:
        """A command that gave the standing order was answered."""
        standing = self.standing
        if standing is not None and standing.number == number and not standing.answer:
            standing.answer, standing.delay = answer, delay

    def told(self, episode: EpisodeView) -> None:
        """The judge says something of an episode; of one that is over only this tells how it ended."""
        standing = self.standing
        if standing is not None and standing.is_stop:
            standing.episode = episode
            return
        for index in range(len(self.orders) - 1, -1, -1):
            order = self.orders[index]
            if order.episode is not None:  # it ended after the order that it is about: never obeyed, then raised
                began = Moment(order.began, episode.ordered.mono + order.began - episode.ordered.utc)
                self.orders[index] = replace(order, episode=_episode(episode, began))
                return

    def believed(self, watts: float, now: Moment) -> None:
        """evcc's own log showed this charge power."""
        standing = self.standing
        if standing is not None and len(standing.believed) < MOST_BELIEVED:
            standing.believed.append((now.mono - standing.began.mono, watts))

    def new_judge(self, now: Moment) -> None:
        """What comes has nothing to do with what was: the judge forgot everything, and so do the orders."""
        if self.standing is not None:
            self.close(now, is_end=True)
            self.strip.commanded(now.utc, None)
        self._energy_before_wh = self.energy_wh
        self._last_reading = None

    # -- orders ----------------------------------------------------------------------------------------------------

    def close(self, now: Moment, *, is_end: bool) -> None:
        """The standing order is over; is_end: because the log is."""
        standing, self.standing = self.standing, None
        if standing is None or standing.limit is None:
            return  # no limit is no order: nothing can be disobeyed
        order = _finished(standing, self.connector, now, is_end=is_end)
        if order.episode is not None:
            end = order.episode.ended
            self.strip.violated(order.began, order.began + order.observed if end is None else end)
        self.orders.append(order)
        if len(self.orders) > MOST_ORDERS:
            self._make_room()

    def _make_room(self) -> None:
        """Count the oldest order that is of least interest, and let it go."""
        for dull in (Outcome.OBEYED, Outcome.UNDETERMINED, Outcome.NOT_FOLLOWED):
            for index, order in enumerate(self.orders):
                if order.outcome is dull:
                    self.left_out[dull] += 1
                    del self.orders[index]
                    return
        self.left_out[self.orders.pop(0).outcome] += 1

    def _measured(self, reading: Reading, now: Moment) -> None:
        self.readings += 1
        self.has_register = self.has_register or reading.energy is not None
        self.strip.measured(now.utc, reading)
        standing = self.standing
        if standing is None:
            return
        standing.readings += 1
        if len(standing.first) < FIRST_POINTS:
            standing.first.append(reading)
        else:
            standing.last.append(reading)

    def _judged(self, standing: Standing, seen: ConnectorView, now: Moment) -> None:
        after = now.mono - standing.began.mono
        for finding in seen.findings:
            kind = finding.kind.value
            known = standing.findings.get(kind)
            if known is None or GRAVE[finding.severity] > GRAVE[known.severity]:
                since = after if known is None else known.after
                standing.findings[kind] = Noted(kind, finding.severity.value, finding.cause, since)
        if seen.episode is not None and standing.is_stop:
            standing.episode = seen.episode
        if seen.episode is not None and not standing.is_stop:
            return  # the episode of the stop before, which a raise has ended but for ten seconds
        found = verdict(seen)
        if standing.worst is None or RANK[found.kind] < RANK[standing.worst.kind]:
            standing.worst = found
        if seen.phase is Phase.OBEYING and not seen.is_rising and standing.readings:
            standing.was_compliant = True


def point_of(reading: Reading, began: Moment) -> Point:
    """A reading beside the order it came after."""
    return Point(
        reading.arrived.utc,
        reading.arrived.mono - began.mono,
        reading.currents,
        reading.current,
        reading.power,
        reading.energy,
        reading.offered_amperes,
    )


def _same(one: Limit | None, other: Limit | None) -> bool:
    if one is other:
        return True
    if one is None or other is None:
        return one is other
    return (one.bound_amperes, one.bound_watts, one.number_phases) == (
        other.bound_amperes,
        other.bound_watts,
        other.number_phases,
    )


# -- outcome -------------------------------------------------------------------------------------------------------


def _finished(standing: Standing, connector: ConnectorId, now: Moment, *, is_end: bool) -> Order:
    seen = standing.last_view
    found = standing.worst
    outcome, why = _outcome(standing, now, is_end=is_end)
    limit = standing.limit
    return Order(
        number=standing.number,
        connector=connector,
        began=standing.began.utc,
        ended=None if is_end else now.utc,
        observed=now.mono - standing.began.mono,
        label=standing.label,
        amperes=None if limit is None else limit.bound_amperes,
        watts=None if limit is None else limit.bound_watts,
        is_stop=standing.is_stop,
        commands=standing.commands,
        text=standing.text,
        answer=standing.answer,
        delay=standing.delay,
        readings=standing.readings,
        points=tuple(point_of(reading, standing.began) for reading in (*standing.first, *standing.last)),
        outcome=outcome,
        why=why,
        verdict="" if found is None else found.kind,
        severity="" if found is None else found.severity,
        findings=tuple(standing.findings.values()),
        status="" if seen is None or seen.status is None else seen.status.value,
        deadline=standing.deadline,
        episode=None if standing.episode is None else _episode(standing.episode, standing.began),
        believed=tuple(standing.believed),
        by_schedule=standing.by_schedule,
    )


def _outcome(standing: Standing, now: Moment, *, is_end: bool) -> tuple[Outcome, Why]:
    if standing.is_stop:
        return _outcome_of_stop(standing, now, is_end=is_end)
    if "over_limit" in standing.findings or "phase_violation" in standing.findings:
        return Outcome.VIOLATED, Why.NONE
    for kind in ("raise_not_followed", "under_delivery"):
        if kind in standing.findings and _is_last(standing, kind):
            return Outcome.NOT_FOLLOWED, CAUSES.get(standing.findings[kind].cause, Why.CAUSE_UNKNOWN)
    if not standing.was_in_force:
        return Outcome.UNDETERMINED, _unanswered(standing)
    if _phase(standing) is Phase.SUSPECT:
        return Outcome.UNDETERMINED, Why.UNCONFIRMED
    if standing.was_compliant:
        return Outcome.OBEYED, Why.NONE
    return Outcome.UNDETERMINED, _unseen(standing, is_end=is_end)


def _outcome_of_stop(standing: Standing, now: Moment, *, is_end: bool) -> tuple[Outcome, Why]:
    episode = standing.episode
    if episode is not None:
        return _outcome_of_episode(episode)
    phase = _phase(standing)
    if standing.was_compliant and phase is Phase.OBEYING:
        return Outcome.OBEYED, Why.NONE
    if phase is Phase.SUSPECT:
        weak = standing.last_view is not None and standing.readings > 2
        return Outcome.UNDETERMINED, Why.WEAK_EVIDENCE if weak else Why.UNCONFIRMED
    if standing.deadline is not None and now.mono - standing.began.mono < standing.deadline:
        return Outcome.UNDETERMINED, Why.LOG_ENDS if is_end else Why.REPLACED_EARLY
    if standing.answer and not standing.was_in_force and not standing.readings:
        return Outcome.UNDETERMINED, _unanswered(standing)
    return Outcome.UNDETERMINED, _unseen(standing, is_end=is_end)


def _outcome_of_episode(episode: EpisodeView) -> tuple[Outcome, Why]:
    evidence = {record.evidence for record in episode.evidence}
    if not evidence & ACTING:
        return Outcome.DOUBTFUL, Why.STALE_METER
    return Outcome.VIOLATED, Why.PERHAPS_A_MISTAKE if episode.alarm_only else Why.NONE


def _phase(standing: Standing) -> Phase | None:
    return None if standing.last_view is None else standing.last_view.phase


def _is_last(standing: Standing, kind: str) -> bool:
    """The finding stood to the end: a car that came up late has followed."""
    return standing.last_view is not None and any(f.kind.value == kind for f in standing.last_view.findings)


def _unanswered(standing: Standing) -> Why:
    if not standing.answer:
        return Why.UNANSWERED
    return Why.NOT_IN_FORCE if standing.answer == "Accepted" else Why.REFUSED


def _unseen(standing: Standing, *, is_end: bool) -> Why:
    status = standing.last_view.status if standing.last_view is not None else None
    is_open = standing.last_view is not None and standing.last_view.transaction_open
    if status is Status.AVAILABLE and not is_open:
        return Why.NOTHING_PLUGGED_IN
    if standing.is_stop and status in QUIET:
        return Why.BY_STATUS_ONLY
    if standing.readings:
        return Why.LOG_ENDS if is_end else Why.REPLACED_EARLY
    return Why.NO_READINGS


def _episode(seen: EpisodeView, began: Moment) -> model.Episode:
    last = next((record for record in reversed(seen.evidence) if record.evidence in ACTING), None)
    deciding = last or (seen.evidence[-1] if seen.evidence else None)
    points = [point_of(reading, began) for reading in seen.readings]
    return model.Episode(
        ordered=seen.ordered.utc,
        opened=seen.opened.utc,
        opened_after=seen.opened.mono - seen.ordered.mono,
        evidence="" if deciding is None else deciding.evidence.value,
        is_acting=last is not None,
        share=None if deciding is None else deciding.share,
        energy_wh=seen.energy_wh,
        energy_is_integrated=seen.energy_is_integrated,
        steps=tuple(
            model.Step(
                step.kind.value, step.outcome.value, step.decided.utc, step.decided.mono - seen.ordered.mono,
                step.transaction_id, step.why,
            )
            for step in seen.steps
            if step.decided.mono >= seen.ordered.mono
        ),
        ended=None if seen.ended is None else seen.ended.utc,
        ending="" if seen.ending is None else seen.ending.value,
        remote_start_seen=seen.remote_start_seen,
        perhaps_a_mistake=seen.alarm_only and last is not None,
        points=tuple(points[:MOST_EPISODE_POINTS]),
    )  # fmt: skip
