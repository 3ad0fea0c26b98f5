"""From a look to the samples of single series: what takes more than a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ocpp_watchdog.core.decisions import (
    ConnectorView,
    CountKind,
    EpisodeView,
    EvidenceRecord,
    FindingKind,
    Phase,
    StationView,
    StepKind,
    StepOutcome,
    StepRecord,
)
from ocpp_watchdog.core.terms import Direction
from ocpp_watchdog.shell.metrics.look import ConnectorSeen, Look, label
from ocpp_watchdog.shell.metrics.series import Row, Rows, told
from ocpp_watchdog.shell.tally import KNOWN_ACTIONS, OTHER_ACTION

LINES = ("L1", "L2", "L3")
ANY_LINE = "any"

STEP_OUTCOMES: dict[str, frozenset[StepOutcome]] = {
    "sent": frozenset({StepOutcome.SENT}),
    "proved": frozenset({StepOutcome.PROVED}),
    "failed": frozenset({StepOutcome.REFUSED, StepOutcome.UNANSWERED, StepOutcome.NOT_PROVED}),
    "not_sent": frozenset({StepOutcome.NOT_SENT, StepOutcome.SKIPPED, StepOutcome.CANCELLED}),
}
"""Outcomes of a step as a label: few, so that the whole ladder stays within the bound. Waiting and accepted are on the
way to one of these; what observe mode would have sent has a series of its own."""


def of_stations(value_of: Callable[[StationView], float | None]) -> Rows:
    """One row for each charge point."""
    return lambda look: (Row((label(view.charge_point),), value_of(view)) for view in look.views)


def of_connectors(value_of: Callable[[ConnectorView], float | None], unknown: float | None = None) -> Rows:
    """One row for each connector. unknown: before anything is known of it."""
    return lambda look: (Row(seen.labels, value_of(seen.view) if seen.view else unknown) for seen in look.connectors)


def connected(look: Look) -> Iterator[Row]:
    """One row for each charge point, those that are only expected included."""
    yield from of_stations(lambda view: float(view.connected))(look)
    yield from told("connected", ("charge_point",))(look)


def one(value_of: Callable[[Look], float]) -> Rows:
    """One row without labels."""
    return lambda look: (Row((), value_of(look)),)


def episodes(look: Look) -> Iterator[Row]:
    for seen in look.connectors:
        episode = seen.view.episode if seen.view else None
        count = seen.view.episodes_total if seen.view else 0
        deciding = _deciding(episode) if episode else None
        if deciding is None:
            yield Row(seen.labels, count)
        else:
            yield Row(seen.labels, count, deciding.reading.unique_id, deciding.at.utc)


def _deciding(episode: EpisodeView) -> EvidenceRecord | None:
    """The last over sample before the episode was opened; None when it is no longer kept."""
    before = [record for record in episode.evidence if record.at.mono <= episode.opened.mono]
    return before[-1] if before else None


def open_since(look: Look) -> Iterator[Row]:
    for seen in look.connectors:
        episode = seen.open_episode
        yield Row(seen.labels, episode.opened.utc if episode else None)


def currents(look: Look) -> Iterator[Row]:
    for seen in look.connectors:
        reading = seen.view.reading if seen.view else None
        for index, line in enumerate(LINES):
            yield Row((*seen.labels, line), reading.currents[index] if reading else None)
        yield Row((*seen.labels, ANY_LINE), reading.current if reading else None)


def phases(look: Look) -> Iterator[Row]:
    for seen in look.connectors:
        current = seen.view.phase if seen.view else Phase.UNKNOWN
        for phase in Phase:
            yield Row((*seen.labels, phase), float(phase is current))


def findings(look: Look) -> Iterator[Row]:
    for seen in look.connectors:
        held = {finding.kind for finding in seen.view.findings} if seen.view else set()
        for kind in FindingKind:
            yield Row((*seen.labels, kind), float(kind in held))


def steps(look: Look) -> Iterator[Row]:
    for charge_point, connectors in look.connectors_by_charge_point.items():
        for step in StepKind:
            for name, outcomes in STEP_OUTCOMES.items():
                labels = (charge_point, step, name)
                newest = _newest(connectors, step, outcomes)
                count = _count(connectors, step, outcomes)
                at = None if newest is None else (newest.sent or newest.decided).utc
                yield Row(labels, count, newest.unique_id or "" if newest else "", at)


def observed_steps(look: Look) -> Iterator[Row]:
    wanted = frozenset({StepOutcome.WOULD_SEND})
    for charge_point, connectors in look.connectors_by_charge_point.items():
        yield Row((charge_point,), sum(_count(connectors, step, wanted) for step in StepKind))


def _count(connectors: list[ConnectorSeen], step: StepKind, outcomes: frozenset[StepOutcome]) -> int:
    counts = (count for seen in connectors if seen.view for count in seen.view.steps)
    return sum(times for kind, outcome, times in counts if kind is step and outcome in outcomes)


def _newest(connectors: list[ConnectorSeen], step: StepKind, outcomes: frozenset[StepOutcome]) -> StepRecord | None:
    """The newest try that ended so in a last episode; what went out has a message id."""
    episodes = (seen.view.episode for seen in connectors if seen.view)
    tries = [record for episode in episodes if episode for record in episode.steps if record.kind is step]
    if outcomes == STEP_OUTCOMES["sent"]:
        ended = [record for record in tries if record.sent is not None]
    else:
        ended = [record for record in tries if record.outcome in outcomes]
    return max(ended, key=lambda record: record.decided.mono, default=None)


def identities(look: Look) -> Iterator[Row]:
    for view in look.views:
        yield Row(tuple(map(label, (view.charge_point, view.vendor, view.model, view.firmware))), 1.0)


def frames(look: Look) -> Iterator[Row]:
    for direction in Direction:
        for action in (*sorted(KNOWN_ACTIONS), OTHER_ACTION):
            yield Row((direction, action), look.tally.frames[direction][action])


def nonsense(look: Look) -> Iterator[Row]:
    tally = look.tally
    for kind in CountKind:
        if kind is not CountKind.UNDECODABLE:
            yield Row((kind,), tally.nonsense[kind])
    yield Row(("binary",), tally.binary_messages)
    yield Row(("too_large",), tally.unjudged_messages)
