"""Writes the numbers of result files into a Markdown document, between its marks; what stands outside stays.

<!-- bench:goals -->
... replaced ...
<!-- bench:end -->
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goals import FAST, GOALS, MOST_LAG_US, PLAIN, measured, standing
from report import Results, load, number, ratios
from stats import Interval, interval, quantile, spread

_BLOCK = re.compile(r"(<!-- bench:(\w+) -->\n)(.*?)(<!-- bench:end -->)", re.DOTALL)
_CPU = "relay_cpu_s_per_1000_frames"
BASE = "haproxy"


@dataclass(frozen=True, slots=True)
class Source:
    """All that result files hold."""

    results: Results
    heads: list[dict[str, Any]]
    samples: dict[str, dict[str, list[float]]]  # label -> which latency -> microseconds of all rounds


def read(paths: Iterable[Path]) -> Source:
    """Result files together; the same phase, target and round in a later file replaces the earlier."""
    results: Results = defaultdict(lambda: defaultdict(dict))
    heads: list[dict[str, Any]] = []
    samples: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for path in paths:
        for phase, labels in load(path).items():
            for label, rounds in labels.items():
                results[phase][label] |= rounds
        for line in path.read_text().splitlines():
            row = json.loads(line)
            if "machine" in row:
                heads.append(row["machine"])
            for name, values in row.get("samples", {}).items():
                samples[row["label"]][name] += values
    return Source(results, heads, samples)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _span(found: Interval, digits: int) -> str:
    if not found.count:
        return "-"
    if found.count == 1:
        return number(found.middle, digits)
    return f"{number(found.middle, digits)} [{number(found.low, digits)}..{number(found.high, digits)}]"


def machine(source: Source) -> str:
    """Where, when and with what."""
    if not source.heads:
        return "Not recorded."
    last = source.heads[-1]
    versions = ", ".join(f"{name} {value}" for name, value in last["versions"].items())
    dates = " to ".join(sorted({head["date"] for head in source.heads}))
    commits = ", ".join(dict.fromkeys(head["commit"] for head in source.heads))
    rounds = max((len(r) for labels in source.results.values() for r in labels.values()), default=0)
    windows = [m for labels in source.results.values() for found in labels.values() for m in found.values()]
    foreign = [m["foreign_cores"] for m in windows if "foreign_cores" in m]
    low, middle, high = spread(foreign)
    lines = [
        f"- Date: {dates}. Program at commit {commits or '?'} (`+`: with changes that were not committed).",
        f"- Machine: {last['cores']} cores ({last['cpu']}), {last['memory_gib']} GiB, Linux {last['kernel']}, "
        f"{last['system']}, {last['python']}.",
        f"- Versions: {versions}.",
        f"- Up to {rounds} rounds, interleaved, each target a fresh process. Other processes used {number(middle, 2)} "
        f"[{number(low, 2)}..{number(high, 2)}] cores while it was measured.",
    ]
    if rounds < 5 or middle > 0.2:
        why = "fewer than five rounds" if rounds < 5 else "others used the machine"
        lines.append(f"- **Preliminary: {why}.** Intervals are then min..max and do not have their 90 %.")
    return "\n".join(lines)


def _standing_cells(label: str, source: Source) -> Callable[[Any], list[str]]:
    def cells(goal: Any) -> list[str]:
        found = measured(goal, label, source.results)
        digits = 2 if goal.limit < 1000 else 0
        return [_span(found, digits), standing(goal, found)]

    return cells


def goals(source: Source) -> str:
    """Each goal, and how both installations stand."""
    fast, plain = _standing_cells(FAST, source), _standing_cells(PLAIN, source)
    rows = []
    for goal in GOALS:
        sign = ">=" if goal.at_least else "<="
        limit = f"{sign} {goal.limit:,g}{'x' if goal.unit == 'x' else ' ' + goal.unit if goal.unit else ''}"
        rows.append([goal.name, limit, *fast(goal), *plain(goal)])
    note = (
        "\n\n*met*: the whole interval is; *likely*: the median is; *missed*: the median is not. Latencies count only "
        f"in windows whose generator was at most {MOST_LAG_US:.0f} us late (p99)."
    )
    return _table(["goal", "limit", f"`{FAST}`", "", f"`{PLAIN}`", ""], rows) + note


def _with_ratio(results: Results, phase: str, metric: str, label: str, scale: float, digits: int) -> str:
    rounds = results.get(phase, {}).get(label, {})
    values = [metrics.get(metric, math.nan) * scale for metrics in rounds.values()]
    if metric.startswith("service_"):
        kept = {n: m for n, m in rounds.items() if m.get("generator_lag_p99_us", 0.0) <= MOST_LAG_US}
        values = [metrics.get(metric, math.nan) * scale for metrics in kept.values()]
        rounds = kept
    found = interval(values)
    if not found.count:
        return "-"
    ratio = interval(ratios(rounds, results.get(phase, {}).get(BASE, {}), metric))
    text = number(found.middle, digits)
    return text if not ratio.count or label == BASE else f"{text} (x{_span(ratio, 2)})"


_MAIN = (
    ("CPU us/frame, saturated", "closed-64", _CPU, 1000.0, 2),
    ("calls/s", "closed-64", "calls_per_s", 1.0, 0),
    ("p50 us at 4,000/s", "open-4000", "service_p50_us", 1.0, 0),
    ("p99 us at 4,000/s", "open-4000", "service_p99_us", 1.0, 0),
    ("CPU us/frame at 4,000/s", "open-4000", _CPU, 1000.0, 1),
    ("CPU us/frame, fleet", "open-fleet", _CPU, 1000.0, 1),
    ("RTT p50 us", "closed-1", "p50_us", 1.0, 0),
    ("CPU ms/connect", "connect", "relay_cpu_ms_per_connect", 1.0, 2),
)


def main_table(source: Source) -> str:
    """Every target, the important numbers, ratios to HAProxy."""
    results = source.results
    labels = list(dict.fromkeys(label for _, phase, *_ in _MAIN for label in results.get(phase, {})))
    used = [column for column in _MAIN if results.get(column[1])]
    rows = []
    for label in labels:
        cores = interval([m.get("relay_cores", math.nan) for m in results.get("closed-64", {}).get(label, {}).values()])
        cells = [_with_ratio(results, *column[1:3], label, *column[3:]) for column in used]
        rows.append([f"`{label}`", *cells, _span(cores, 2)])
    return _table(["target", *(f"{column[0]}" for column in used), "relay cores, saturated"], rows)


def detect(source: Source) -> str:
    """Detection latency, all rounds pooled."""
    rows = []
    for label, kinds in source.samples.items():
        for name, where in (("calm", "idle relay"), ("loaded", "1,000 calls/s beside")):
            sample, answer = sorted(kinds.get(f"{name}_sample", [])), sorted(kinds.get(f"{name}_answer", []))
            missed = sum(int(m.get(f"{name}_missed", 0)) for m in source.results["detect"].get(label, {}).values())
            cells = [number(quantile(of, q) / 1e3, 2) for of in (sample, answer) for q in (0.5, 0.99, 1.0)]
            rows.append([f"`{label}`", where, str(len(sample)), *cells, str(missed)])
    figures = ["p50 ms", "p99 ms", "max ms"]
    head = ["target", "", "stops", *figures, *(f"from the answer: {name}" for name in figures), "missed"]
    return _table(head, rows) if rows else "Not measured."


def memory(source: Source) -> str:
    """Idle connections."""
    rows = []
    for label, rounds in source.results.get("idle", {}).items():
        columns = ("rss_base_mib", "rss_kib_per_conn_1000", "rss_kib_per_conn_5000", "rss_5000_mib", "alive_5000")
        values = [spread([m.get(name, math.nan) for m in rounds.values()])[1] for name in columns]
        idle = spread([m.get("idle_relay_cores", math.nan) for m in rounds.values()])[1]
        cells = [number(value, digits) for value, digits in zip(values, (1, 1, 1, 0, 0), strict=True)]
        rows.append([f"`{label}`", *cells, number(idle, 3)])
    head = ["target", "RSS at rest MiB", "KiB/conn @1,000", "KiB/conn @5,000", "RSS @5,000 MiB", "held", "idle cores"]
    return _table(head, rows) if rows else "Not measured."


def spent(source: Source) -> str:
    """What a call costs inside the program."""
    found = {label: next(iter(rounds.values())) for label, rounds in source.results.get("spent", {}).items()}
    if not found:
        return "Not measured."
    names = list(dict.fromkeys(name for parts in found.values() for name in parts))
    rows = [[name, *(number(parts.get(name, math.nan), 1) for parts in found.values())] for name in names]
    return _table(["part, us per call (CALL and CALLRESULT)", *(f"`{label}`" for label in found)], rows)


BLOCKS: dict[str, Callable[[Source], str]] = {
    "machine": machine,
    "goals": goals,
    "main": main_table,
    "detect": detect,
    "memory": memory,
    "spent": spent,
}


def fill(text: str, source: Source) -> str:
    """The document with every block written anew. Raises KeyError for a mark of an unknown block."""
    return _BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]](source)}\n{found[4]}", text)
