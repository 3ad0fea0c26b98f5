"""What a series is, and how it becomes a family of Prometheus."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.samples import Exemplar

from ocpp_watchdog.shell.metrics.look import Look, label
from ocpp_watchdog.shell.tally import Delays

PREFIX = "ocpp_watchdog_"
LONGEST_ID = 64
"""Characters of a message id in an exemplar: OpenMetrics allows 128 for all labels of one, OCPP 36 for an id."""

ODD = re.compile(r"[^A-Za-z0-9._:/+-]")
"""A peer's id may hold anything; readers of OpenMetrics differ in what they make of an escaped quote in an exemplar."""


class Kind(StrEnum):
    """What Prometheus calls the type."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"
    HISTOGRAM = "histogram"


SUFFIXES = {Kind.COUNTER: "_total", Kind.INFO: "_info"}


class Row(NamedTuple):
    """One sample. labels: values, in the order of the series. message_id: what an exemplar points at, with when."""

    labels: tuple[str, ...]
    value: float | None
    message_id: str = ""
    at_utc: float | None = None


Rows = Callable[[Look], Iterable[Row]]


@dataclass(frozen=True, slots=True)
class Series:
    """One entry of the table. rows: every sample of a look; value None is unknown (NaN)."""

    name: str
    kind: Kind
    says: str
    labels: tuple[str, ...]
    rows: Rows

    @property
    def full_name(self) -> str:
        """As it is written in a query; of a histogram the stem."""
        return PREFIX + self.name + SUFFIXES.get(self.kind, "")

    def family(self, look: Look) -> Metric:
        """All samples of this look."""
        metric = Metric(PREFIX + self.name, self.says, self.kind)
        for row in self.rows(look):
            value = math.nan if row.value is None else row.value
            labels = dict(zip(self.labels, row.labels, strict=True))
            metric.add_sample(self.full_name, labels, value, exemplar=_exemplar(row))
        return metric


@dataclass(frozen=True, slots=True)
class DelaySeries:
    """A histogram of seconds, kept by the tally."""

    name: str
    says: str
    labels: tuple[str, ...]
    delays: Callable[[Look], Iterable[tuple[tuple[str, ...], Delays]]]
    kind: Kind = Kind.HISTOGRAM

    @property
    def full_name(self) -> str:
        """The stem of its three names."""
        return PREFIX + self.name

    def family(self, look: Look) -> Metric:
        """All buckets of this look."""
        histogram = HistogramMetricFamily(self.full_name, self.says, labels=self.labels)
        for labels, delays in self.delays(look):
            histogram.add_metric(labels, delays.buckets(), delays.total_seconds)
        return histogram


def told(name: str, labels: tuple[str, ...] = (), unknown: float | None = None) -> Rows:
    """Rows of a series another part tells; a series without labels is there before anything is told."""

    def rows(look: Look) -> Iterable[Row]:
        numbers = look.told.get(name, {} if labels else {(): math.nan if unknown is None else unknown})
        return (Row(tuple(map(label, values)), number) for values, number in numbers.items())

    return rows


def _exemplar(row: Row) -> Exemplar | None:
    if not row.message_id:
        return None
    message_id = ODD.sub("_", row.message_id[:LONGEST_ID])
    return Exemplar({"message_id": message_id}, 1.0, row.at_utc)
