"""The collector for a registry of the caller's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.registry import Collector

from ocpp_watchdog.core.decisions import StationView
from ocpp_watchdog.core.terms import Moment
from ocpp_watchdog.shell.metrics.look import Look, RelayNumbers, Told
from ocpp_watchdog.shell.metrics.table import TABLE
from ocpp_watchdog.shell.tally import Tally
from ocpp_watchdog.shell.timekeeping import Time


class Snapshot(Collector):
    """One look at everything. Its families may be made in any thread: views are values, counters plain numbers."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        """All families, in the order of the table."""
        return (series.family(self._look) for series in TABLE)


class Metrics(Collector):
    """A station that cannot be seen is left out and counted as a fault; so is a part that cannot tell its numbers.

    told: what other parts have to add; asked at each look, on the loop.
    """

    def __init__(
        self,
        clock: Time,
        tally: Tally,
        stations: Callable[[], Iterable[Callable[[Moment], StationView]]],
        relay: Callable[[], RelayNumbers],
        build: Mapping[str, str],
        *,
        told: Iterable[Callable[[], Told]] = (),
    ) -> None:
        self._clock = clock
        self._tally = tally
        self._stations = stations
        self._relay = relay
        self._build = dict(build)
        self._told = tuple(told)

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the stations."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """All families, in the order of the table."""
        return self.frozen().collect()

    def frozen(self) -> Snapshot:
        """All that is known now, to be made into families later and elsewhere: that takes longer than a frame may wait
        when there are hundreds of charge points."""
        now = self._clock.now()
        views, told = tuple(self._views(now)), self._all_told(now)
        return Snapshot(Look(now, views, self._tally, self._relay(), self._build, told))

    def _views(self, now: Moment) -> Iterator[StationView]:
        for view in self._stations():
            try:
                seen = view(now)
            except Exception:  # one station that cannot be seen hides no other
                self._tally.fault("metrics", now.mono)
            else:
                yield seen

    def _all_told(self, now: Moment) -> Told:
        numbers: dict[str, Mapping[tuple[str, ...], float]] = {}
        for tell in self._told:
            try:
                numbers |= tell()
            except Exception:  # nor does a part that cannot tell
                self._tally.fault("metrics", now.mono)
        return numbers
