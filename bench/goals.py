"""The goals, as data, and how a result file stands against them.

A goal is a ratio to another target of the same round, or a number. It is *met* when the whole interval is on the right
side, *likely* when the median is, *missed* when the median is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from report import Results, ratios
from stats import Interval, interval

PLAIN, FAST = "ocpp-watchdog", "ocpp-watchdog-fast"
MOST_LAG_US = 400.0
"""Windows whose generator was later than this (p99) are no measure of a relay's p99."""


@dataclass(frozen=True, slots=True)
class Goal:
    """name: in words. anchors: targets; the ratio is to the worst of them, none: the number itself counts.

    relay: it is about relaying only. scale: multiplies the metric (units of `limit`). at_least: more is better.
    quiet: only windows in which the generator was in time. journal: the anchor is the same target without the journal.
    """

    name: str
    phase: str
    metric: str
    limit: float
    unit: str = "x"
    anchors: tuple[str, ...] = ()
    relay: bool = False
    scale: float = 1.0
    at_least: bool = False
    quiet: bool = False
    journal: bool = False


_CPU = "relay_cpu_s_per_1000_frames"
GOALS: tuple[Goal, ...] = (
    Goal("service p50 at 4,000/s, to HAProxy", "open-4000", "service_p50_us", 1.05, anchors=("haproxy",), quiet=True),
    Goal("service p99 at 4,000/s, to HAProxy", "open-4000", "service_p99_us", 1.25, anchors=("haproxy",), quiet=True),
    Goal(
        "**service p99 at 4,000/s, to the worse of HAProxy and nginx**",
        "open-4000",
        "service_p99_us",
        1.0,
        anchors=("haproxy", "nginx"),
        quiet=True,
    ),
    Goal("service p99 at 4,000/s, journal on to off", "open-4000", "service_p99_us", 1.25, journal=True, quiet=True),
    Goal("CPU/frame saturated, relaying only, to HAProxy", "closed-64", _CPU, 1.10, anchors=("haproxy",), relay=True),
    Goal(
        "CPU/frame saturated, relaying only, to naive", "closed-64", _CPU, 0.70, anchors=("aiohttp-naive",), relay=True
    ),
    Goal("CPU/frame saturated, to HAProxy", "closed-64", _CPU, 1.60, anchors=("haproxy",)),
    Goal("**CPU/frame saturated, to naive that does nothing**", "closed-64", _CPU, 1.0, anchors=("aiohttp-naive",)),
    Goal("CPU/frame at 4,000/s, to HAProxy", "open-4000", _CPU, 1.15, anchors=("haproxy",)),
    Goal("CPU/frame at 4,000/s, to nginx", "open-4000", _CPU, 1.20, anchors=("nginx",)),
    Goal("calls/s on one core, to HAProxy", "closed-64", "calls_per_s", 0.65, anchors=("haproxy",), at_least=True),
    Goal("calls/s on one core", "closed-64", "calls_per_s", 45_000, unit="calls/s", at_least=True),
    Goal("RSS per idle connection", "idle", "rss_kib_per_conn_5000", 20.0, unit="KiB"),
    Goal("RSS with 5,000 idle connections", "idle", "rss_5000_mib", 150.0, unit="MiB"),
    Goal("idle CPU with 5,000 connections", "idle", "idle_relay_cores", 0.01, unit="cores"),
    Goal("connections held", "idle", "alive_5000", 5000, unit="", at_least=True),
    Goal("CPU per connection set-up", "connect", "relay_cpu_ms_per_connect", 0.45, unit="ms"),
    Goal("detection p99, idle relay", "detect", "calm_sample_p99_us", 50.0, unit="ms", scale=1e-3),
    Goal("detection p99, 1,000 calls/s beside", "detect", "loaded_sample_p99_us", 50.0, unit="ms", scale=1e-3),
)


def measured(goal: Goal, label: str, results: Results) -> Interval:
    """What a result file says about one goal for one target: over rounds, NaN when it says nothing."""
    label = f"{label}-relay" if goal.relay else label
    rounds = results.get(goal.phase, {}).get(label, {})
    if goal.quiet:
        rounds = {n: m for n, m in rounds.items() if m.get("generator_lag_p99_us", 0.0) <= MOST_LAG_US}
    anchors = (f"{label}-nojournal",) if goal.journal else goal.anchors
    if not anchors:
        return interval([metrics.get(goal.metric, math.nan) * goal.scale for metrics in rounds.values()])
    worst: list[float] = []
    for number, metrics in rounds.items():
        bases = [results.get(goal.phase, {}).get(anchor, {}) for anchor in anchors]
        found = [ratio for base in bases for ratio in ratios({number: metrics}, base, goal.metric)]
        kept = [ratio for ratio in found if not math.isnan(ratio)]
        worst.append((max(kept) if goal.at_least else min(kept)) if kept else math.nan)
    return interval(worst)


def standing(goal: Goal, found: Interval) -> str:
    """met, likely, missed, or a dash where nothing was measured."""
    if not found.count:
        return "-"
    sign = -1.0 if goal.at_least else 1.0
    edge = found.low if goal.at_least else found.high
    if sign * edge <= sign * goal.limit:
        return "met"
    return "likely" if sign * found.middle <= sign * goal.limit else "missed"
