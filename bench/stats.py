"""Small statistics helpers (no third-party dependency)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


def quantile(ordered: Sequence[float], q: float) -> float:
    """Nearest-rank quantile of an already sorted sequence (0 < q <= 1)."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


def latency_summary(seconds: Iterable[float], prefix: str = "") -> dict[str, float]:
    """p50/p90/p99/max of latencies given in seconds, reported in microseconds."""
    ordered = sorted(seconds)
    return {
        f"{prefix}p50_us": quantile(ordered, 0.50) * 1e6,
        f"{prefix}p90_us": quantile(ordered, 0.90) * 1e6,
        f"{prefix}p99_us": quantile(ordered, 0.99) * 1e6,
        f"{prefix}max_us": (ordered[-1] if ordered else math.nan) * 1e6,
    }


@dataclass(frozen=True, slots=True)
class Interval:
    """A median with the interval that holds the true one. confidence: how surely, 0 to 1 (0.94 for five values)."""

    low: float
    middle: float
    high: float
    count: int
    confidence: float


def interval(values: Sequence[float], wanted: float = 0.9) -> Interval:
    """The median and the narrowest pair of ordered values that holds the true median with confidence `wanted`.

    Exact for any distribution (binomial), nothing is drawn at random: min..max of five values has 94 %. With fewer
    than five even min..max has less than `wanted`; the confidence says so. NaN is left out.
    """
    kept = sorted(value for value in values if not math.isnan(value))
    count = len(kept)
    if not count:
        return Interval(math.nan, math.nan, math.nan, 0, 0.0)
    outside, cut, confidence = 0.0, 0, 1 - 2 * 0.5**count
    for rank in range(1, (count + 1) // 2):
        outside += math.comb(count, rank - 1) * 0.5**count
        covered = 1 - 2 * (outside + math.comb(count, rank) * 0.5**count)
        if covered < wanted:
            break
        cut, confidence = rank, covered
    return Interval(kept[cut], median(kept), kept[count - 1 - cut], count, confidence)


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """(min, median, max), ignoring NaN; all NaN when nothing is left."""
    kept = [v for v in values if not math.isnan(v)]
    if not kept:
        return (math.nan, math.nan, math.nan)
    return (min(kept), median(kept), max(kept))
