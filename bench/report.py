"""Reading result files and printing comparison tables."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stats import interval, spread

# phase -> label -> round -> metrics
Results = dict[str, dict[str, dict[int, dict[str, float]]]]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    metric: str
    title: str
    scale: float = 1.0
    digits: int = 0
    ratio: bool = True


_CPU = Column("relay_cpu_s_per_1000_frames", "CPU ms/1000 frames", 1000, 2)
_LATENCY = [
    Column("p50_us", "p50 us"),
    Column("p90_us", "p90 us", ratio=False),
    Column("p99_us", "p99 us"),
    Column("max_us", "max us", ratio=False),
]
_NOISE = [
    Column("relay_cores", "relay cores", digits=2, ratio=False),
    Column("relay_kernel_share", "of it kernel", digits=2, ratio=False),
    Column("foreign_cores", "foreign cores", digits=2, ratio=False),
    Column("errors", "errors", ratio=False),
]
COLUMNS: dict[str, list[Column]] = {
    "connect": [
        Column("connects_per_s", "connects/s"),
        Column("handshake_p50_us", "handshake p50 us"),
        Column("relay_cpu_ms_per_connect", "relay CPU ms/connect", digits=3),
        *_NOISE,
    ],
    "closed": [Column("calls_per_s", "calls/s"), *_LATENCY, _CPU, *_NOISE],
    "open": [
        Column("calls_per_s", "calls/s", ratio=False),
        *_LATENCY,
        Column("service_p50_us", "service p50 us"),
        Column("service_p99_us", "service p99 us"),
        _CPU,
        Column("unanswered", "unanswered", ratio=False),
        *_NOISE,
    ],
    "idle": [
        Column("rss_base_mib", "RSS at rest MiB", digits=1),
        Column("rss_kib_per_conn_1000", "RSS KiB/conn @1000", digits=1),
        Column("rss_kib_per_conn_5000", "RSS KiB/conn @5000", digits=1),
        Column("pss_kib_per_conn_1000", "PSS KiB/conn @1000", digits=1, ratio=False),
        Column("rss_5000_mib", "RSS @5000 MiB", digits=0, ratio=False),
        Column("idle_relay_cores", "idle cores @max", digits=4, ratio=False),
        Column("errors", "errors", ratio=False),
    ],
    "detect": [
        Column("calm_sample_p50_us", "idle: p50 ms", 1e-3, 2),
        Column("calm_sample_p99_us", "idle: p99 ms", 1e-3, 2),
        Column("calm_answer_p50_us", "idle, from the answer: p50 ms", 1e-3, 2, ratio=False),
        Column("calm_answer_p99_us", "idle, from the answer: p99 ms", 1e-3, 2, ratio=False),
        Column("loaded_sample_p50_us", "loaded: p50 ms", 1e-3, 2),
        Column("loaded_sample_p99_us", "loaded: p99 ms", 1e-3, 2),
        Column("loaded_answer_p99_us", "loaded, from the answer: p99 ms", 1e-3, 2, ratio=False),
        Column("calm_missed", "idle: missed", ratio=False),
        Column("loaded_missed", "loaded: missed", ratio=False),
        Column("foreign_cores", "foreign cores", digits=2, ratio=False),
        Column("errors", "errors", ratio=False),
    ],
}


def load(path: Path, max_lag_us: float = math.inf) -> Results:
    """Read a JSONL result file.

    Windows in which the generator itself ran late (p99 above `max_lag_us`) are left out:
    something else sat on the harness's core, or the hypervisor took it away.
    """
    results: Results = defaultdict(lambda: defaultdict(dict))
    for line in path.read_text().splitlines():
        row: dict[str, Any] = json.loads(line)
        if "phase" not in row:
            continue  # the head: machine and versions
        if row["metrics"].get("generator_lag_p99_us", 0.0) > max_lag_us:
            continue
        results[row["phase"]][row["label"]][row["round"]] = row["metrics"]
    return results


def ratios(rounds: dict[int, dict[str, float]], base: dict[int, dict[str, float]], metric: str) -> list[float]:
    """The ratio of each round to the same round of the baseline."""
    found = []
    for number, metrics in rounds.items():
        value = metrics.get(metric, math.nan)
        reference = base.get(number, {}).get(metric, math.nan)
        found.append(value / reference if reference else math.nan)
    return found


def number(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:,.{digits}f}"


def cell(values: list[float], column: Column, *, with_range: bool) -> str:
    low, middle, high = (value * column.scale for value in spread(values))
    text = number(middle, column.digits)
    if with_range and not math.isnan(middle):
        text += f" [{number(low, column.digits)}..{number(high, column.digits)}]"
    return text


def ratio_cell(values: list[float]) -> str:
    """Median of the per-round ratios and its interval (see `stats.interval`)."""
    found = interval(values)
    if not found.count:
        return "-"
    middle = number(found.middle, 2)
    return middle if found.count == 1 else f"{middle} [{number(found.low, 2)}..{number(found.high, 2)}]"


def table(results: Results, phase: str, baselines: list[str], *, with_range: bool) -> str:
    """A Markdown table of one phase: medians (and range), per-round ratios to each baseline."""
    columns = COLUMNS[phase.split("-")[0]]
    labels = results[phase]
    used = [c for c in columns if any(c.metric in m for r in labels.values() for m in r.values())]
    head = ["target", "rounds"]
    for column in used:
        head.append(column.title)
        if column.ratio:
            head += [f"x {name}" for name in baselines if name in labels]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for label, rounds in labels.items():
        row = [label, str(len(rounds))]
        for column in used:
            values = [metrics.get(column.metric, math.nan) for metrics in rounds.values()]
            row.append(cell(values, column, with_range=with_range))
            if column.ratio:
                row += [ratio_cell(ratios(rounds, labels[name], column.metric)) for name in baselines if name in labels]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def compare(
    path: Path, baselines: list[str], phases: list[str] | None, *, with_range: bool, max_lag_us: float = math.inf
) -> str:
    """All tables of a result file."""
    results = load(path, max_lag_us)
    parts = []
    for phase in results:
        if phases and phase not in phases:
            continue
        parts.append(f"### {phase}\n\n{table(results, phase, baselines, with_range=with_range)}\n")
    return "\n".join(parts)
