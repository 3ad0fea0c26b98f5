"""Everything Prometheus can see, made at the moment of the scrape from snapshots of the stations and plain counters.

Prefix ``ocpp_watchdog_``, base units in the names. One unit is not the base one on purpose: energy is in watt-hours, as
on the meter, the bill and every dashboard of this field. Labels are bounded: a charge point is a label once the central
system accepted it, an action only when OCPP 1.6 knows it. All series of a charge point exist from its connection on:
counters at 0, gauges at NaN until known, because a commanded limit of 0 is a stop order and not a default.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from ocpp_watchdog.core.decisions import (
    ConnectorView,
    CountKind,
    EpisodeView,
    FindingKind,
    Phase,
    StationView,
    StepKind,
    StepOutcome,
)
from ocpp_watchdog.core.terms import ConnectorId, Direction, Moment
from ocpp_watchdog.shell.tally import KNOWN_ACTIONS, OTHER_ACTION, PARTS, Tally
from ocpp_watchdog.shell.timekeeping import Time

PREFIX = "ocpp_watchdog_"
FIRST_CONNECTOR = ConnectorId(1)
CONNECTOR_LABELS = ("charge_point", "connector")
LINES = ("L1", "L2", "L3")
NOTIFICATION_OUTCOMES = ("delivered", "undelivered", "dropped")
ADMIN_REFUSALS = ("host", "password")


@dataclass(frozen=True, slots=True)
class RelayNumbers:
    """What the relay counted. connections: open ones per side. refusals: handshakes that ended without a session, per
    reason. injected: CALLs of ours written. withheld: answers to them. held: CALLs of the central system that wait."""

    connections: Mapping[str, int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    injected: int = 0
    withheld: int = 0
    held: int = 0


class Snapshot(Collector):
    """One look at everything. Its families may be made in any thread: views are values, counters plain numbers."""

    def __init__(
        self, now: Moment, views: Sequence[StationView], tally: Tally, relay: RelayNumbers, build: dict[str, str]
    ) -> None:
        self._now = now
        self._views = views
        self._tally = tally
        self._relay = relay
        self._build = build

    def collect(self) -> Iterator[Metric]:
        """All families, in a fixed order."""
        yield from _of_stations(self._views)
        yield from _of_connectors(self._views)
        yield from _of_traffic(self._tally, self._relay)
        yield from _of_ourselves(self._tally, self._now, self._build)


class Metrics(Collector):
    """A collector for a registry of the caller's. A station that cannot be seen is left out and counted as a fault."""

    def __init__(
        self,
        clock: Time,
        tally: Tally,
        stations: Callable[[], Iterable[Callable[[Moment], StationView]]],
        relay: Callable[[], RelayNumbers],
        build: Mapping[str, str],
    ) -> None:
        self._clock = clock
        self._tally = tally
        self._stations = stations
        self._relay = relay
        self._build = dict(build)

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the stations."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """All families, in a fixed order."""
        return self.frozen().collect()

    def frozen(self) -> Snapshot:
        """All that is known now, to be made into families later and elsewhere: that takes longer than a frame may wait
        when there are hundreds of charge points."""
        now = self._clock.now()
        return Snapshot(now, tuple(self._views(now)), self._tally, self._relay(), self._build)

    def _views(self, now: Moment) -> Iterator[StationView]:
        for view in self._stations():
            try:
                seen = view(now)
            except Exception:  # one station that cannot be seen hides no other
                self._tally.fault("metrics", now.mono)
            else:
                yield seen


# -- families ----------------------------------------------------------------------------------------------------


def _gauge(name: str, says: str, labels: Sequence[str] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, says, labels=labels)


def _counter(name: str, says: str, labels: Sequence[str] = ()) -> CounterMetricFamily:
    return CounterMetricFamily(PREFIX + name, says, labels=labels)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _label(text: str) -> str:
    """A charge point's id as a label: what UTF-8 cannot carry (lone surrogates) is replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _of_stations(views: Sequence[StationView]) -> Iterator[Metric]:
    connected = _gauge("connected", "1 while a session of this charge point is open.", ("charge_point",))
    skew = _gauge("clock_skew_seconds", "Charge point's clock minus ours; NaN until known.", ("charge_point",))
    enforcing = _gauge("enforcing", "1 in mode enforce, 0 in mode observe.", ("charge_point",))
    for view in views:
        label = (_label(view.charge_point),)
        connected.add_metric(label, float(view.connected))
        skew.add_metric(label, _or_nan(view.clock_skew_seconds))
        enforcing.add_metric(label, float(view.mode == "enforce"))
    yield from (connected, skew, enforcing)


GAUGES: tuple[tuple[str, str, Callable[[ConnectorView], float | None]], ...] = (
    (
        "commanded_limit_amperes",
        "Newest order of the central system, per phase. 0 is a stop order; NaN: none is known.",
        lambda seen: seen.commanded.amperes if seen.commanded else None,
    ),
    (
        "commanded_limit_watts",
        "Newest order of the central system, all phases. 0 is a stop order; NaN: none is known.",
        lambda seen: seen.commanded.watts if seen.commanded else None,
    ),
    (
        "limit_in_force_amperes",
        "Limit made of the accepted commands only, per phase. NaN: none is known.",
        lambda seen: seen.in_force.amperes if seen.in_force else None,
    ),
    (
        "measured_power_watts",
        "Power.Active.Import of the last meter values, all phases, as reported. NaN until known.",
        lambda seen: seen.reading.power if seen.reading else None,
    ),
    (
        "last_meter_values_timestamp_seconds",
        "When the last meter values arrived, by our clock. NaN: none came.",
        lambda seen: seen.reading_at.utc if seen.reading_at else None,
    ),
    (
        "episode_open_since_timestamp_seconds",
        "When the open episode (an ignored stop) was found out. NaN: none is open.",
        lambda seen: episode.opened.utc if (episode := _open_episode(seen)) else None,
    ),
)

COUNTERS: tuple[tuple[str, str, Callable[[ConnectorView], float]], ...] = (
    ("episodes", "Ignored stops found out.", lambda seen: seen.episodes_total),
    (
        "energy_against_orders_watt_hours",
        "Energy that flowed against stop orders; from the register where there is one, else integrated.",
        lambda seen: seen.energy_against_orders_wh,
    ),
)


def _open_episode(seen: ConnectorView) -> EpisodeView | None:
    return seen.episode if seen.episode is not None and seen.episode.ended is None else None


def _of_connectors(views: Sequence[StationView]) -> Iterator[Metric]:
    seen = [(labels, connector) for view in views for labels, connector in _connectors(view)]
    for name, says, value_of in GAUGES:
        gauge = _gauge(name, says, CONNECTOR_LABELS)
        for labels, connector in seen:
            gauge.add_metric(labels, _or_nan(value_of(connector) if connector else None))
        yield gauge
    for name, says, count_of in COUNTERS:
        counter = _counter(name, says, CONNECTOR_LABELS)
        for labels, connector in seen:
            counter.add_metric(labels, count_of(connector) if connector else 0)
        yield counter
    yield from (_currents(seen), _phases(seen), _findings(seen), _steps(seen))


Seen = Sequence[tuple[tuple[str, str], ConnectorView | None]]


def _connectors(view: StationView) -> Iterator[tuple[tuple[str, str], ConnectorView | None]]:
    """Labels and view of every connector; connector 1 from the first moment on (every charge point has it, §2.2)."""
    charge_point = _label(view.charge_point)
    if all(seen.connector != FIRST_CONNECTOR for seen in view.connectors):
        yield (charge_point, str(FIRST_CONNECTOR)), None
    for seen in view.connectors:
        yield (charge_point, str(seen.connector)), seen


def _currents(seen: Seen) -> Metric:
    says = "Current.Import of the last meter values; phase `any`: the charge point names none. NaN until known."
    gauge = _gauge("measured_current_amperes", says, (*CONNECTOR_LABELS, "phase"))
    for labels, connector in seen:
        reading = connector.reading if connector else None
        for index, line in enumerate(LINES):
            gauge.add_metric((*labels, line), _or_nan(reading.currents[index] if reading else None))
        gauge.add_metric((*labels, "any"), _or_nan(reading.current if reading else None))
    return gauge


def _phases(seen: Seen) -> Metric:
    gauge = _gauge(
        "phase", "1 for the phase the judge sees this connector in, 0 for the others.", (*CONNECTOR_LABELS, "phase")
    )
    for labels, connector in seen:
        current = connector.phase if connector else Phase.UNKNOWN
        for phase in Phase:
            gauge.add_metric((*labels, phase), float(phase is current))
    return gauge


def _findings(seen: Seen) -> Metric:
    gauge = _gauge("finding", "1 while the judge holds this finding.", (*CONNECTOR_LABELS, "finding"))
    for labels, connector in seen:
        held = {finding.kind for finding in connector.findings} if connector else set()
        for kind in FindingKind:
            gauge.add_metric((*labels, kind), float(kind in held))
    return gauge


def _steps(seen: Seen) -> Metric:
    counter = _counter("steps", "Steps of the ladder by what became of them.", (*CONNECTOR_LABELS, "step", "outcome"))
    for labels, connector in seen:
        known = {(step, outcome): count for step, outcome, count in connector.steps} if connector else {}
        for step in StepKind:
            for outcome in StepOutcome:
                counter.add_metric((*labels, step, outcome), known.get((step, outcome), 0))
    return counter


def _of_traffic(tally: Tally, relay: RelayNumbers) -> Iterator[Metric]:
    frames = _counter("frames", "Messages judged, by direction and action.", ("direction", "action"))
    for direction in Direction:
        for action in (*sorted(KNOWN_ACTIONS), OTHER_ACTION):
            frames.add_metric((direction, action), tally.frames[direction][action])
    connections = _gauge("connections", "Open connections per side.", ("side",))
    for side, count in relay.connections.items():
        connections.add_metric((side,), count)
    refusals = _counter("handshake_refusals", "Charge points that got no session, by reason.", ("reason",))
    for reason, count in relay.refusals.items():
        refusals.add_metric((reason,), count)
    yield from (frames, connections, refusals)
    for name, says, count in (
        ("duplicate_connections", "Second connections of a charge point id that was in use.", relay.duplicates),
        ("injected_calls", "CALLs of our own that were written.", relay.injected),
        ("withheld_answers", "Answers to CALLs of our own, kept from the central system.", relay.withheld),
    ):
        counter = _counter(name, says)
        counter.add_metric((), count)
        yield counter
    held = _gauge("held_calls", "CALLs of the central system that wait while one of ours is open.")
    held.add_metric((), relay.held)
    yield from (held, _delays(tally))
    yield from _of_nonsense(tally)


def _delays(tally: Tally) -> Metric:
    says = "From the arrival of bytes to their being handed on; judging comes after and is not in it."
    histogram = HistogramMetricFamily(PREFIX + "relay_delay_seconds", says, labels=("direction",))
    for direction, delays in tally.delays.items():
        histogram.add_metric((direction,), delays.buckets(), delays.total_seconds)
    return histogram


def _of_nonsense(tally: Tally) -> Iterator[Metric]:
    failures = _counter("decode_failures", "Messages that are not OCPP-J; they were forwarded.")
    failures.add_metric((), tally.nonsense[CountKind.UNDECODABLE])
    yield failures
    nonsense = _counter("peer_nonsense", "Odd things a peer sent, by kind; they were forwarded.", ("kind",))
    for kind in CountKind:
        if kind is not CountKind.UNDECODABLE:
            nonsense.add_metric((kind,), tally.nonsense[kind])
    nonsense.add_metric(("binary",), tally.binary_messages)
    nonsense.add_metric(("too_large",), tally.unjudged_messages)
    yield nonsense


def _of_ourselves(tally: Tally, now: Moment, build: dict[str, str]) -> Iterator[Metric]:
    faults = _counter("faults", "What broke in a part of ours while frames went on.", ("part",))
    for part in PARTS:
        faults.add_metric((part,), tally.faults[part])
    degraded = _gauge("degraded", "1 when something of ours broke within the last five minutes.")
    degraded.add_metric((), float(tally.is_degraded(now.mono)))
    sent = _counter("notifications", "Messages to people, by what became of them.", ("outcome",))
    for outcome in NOTIFICATION_OUTCOMES:
        sent.add_metric((outcome,), tally.notifications[outcome])
    waiting = _gauge("notifications_waiting", "Messages to people that are not delivered yet.")
    waiting.add_metric((), tally.notifications_waiting)
    refused = _counter("admin_refusals", "Requests to this page that were refused, by reason.", ("reason",))
    for reason in ADMIN_REFUSALS:
        refused.add_metric((reason,), tally.admin_refusals[reason])
    yield from (faults, degraded, sent, waiting, refused)
    yield InfoMetricFamily(PREFIX + "build", "What runs here.", value=build)
