"""Load generator: N OCPP charge points against one WebSocket URL.

Runs as its own process: reads a JSON plan on stdin, writes one JSON object per phase
on stdout. Phases:

  connect  open `conns` connections, `parallel` at a time; rate and handshake latency
  closed   one outstanding MeterValues per connection, as fast as replies come
  open     a fixed offered rate from a kernel timer; latency counts from the moment the
           call was *due*, so a stalled relay is charged for every call it delayed
           (no coordinated omission). OCPP allows one outstanding CALL per charge point,
           so a call due on a busy connection waits its turn, on the relay's account.
  idle     hold N idle connections and read the relay's memory
  detect   charge points that ignore an ordered 0 A; see `detect.py`

Relay CPU is sampled around the measured window only (warm-up excluded).
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import uvloop

import proc
from detect import phase_detect
from generator import (
    ChargePoint,
    Metrics,
    OpenLoop,
    Pids,
    Window,
    close_all,
    connect_all,
)
from stats import latency_summary


async def phase_connect(url: str, spec: dict[str, Any], pids: Pids) -> Metrics:
    """Connection set-up rate."""
    window = Window(pids)
    points, times, failures = await connect_all(url, spec["conns"], spec["parallel"])
    metrics = window.close(frames=0)
    metrics["connects_per_s"] = len(points) / metrics["elapsed_s"]
    if "relay_cores" in metrics and points:
        metrics["relay_cpu_ms_per_connect"] = metrics["relay_cores"] * metrics["elapsed_s"] * 1000 / len(points)
    metrics["errors"] = failures
    metrics |= latency_summary(times, "handshake_")
    await close_all(points)
    return metrics


async def phase_closed(url: str, spec: dict[str, Any], pids: Pids) -> Metrics:
    """Closed loop: one outstanding call per connection, no think time."""
    points, _, failures = await connect_all(url, spec["conns"], 16)
    latencies: list[float] = []
    record = latencies.append
    stopped = False

    def on_reply(point: ChargePoint, now: float) -> None:
        record(now - point.sent)
        if not stopped:
            point.call(now)

    for point in points:
        point.on_reply = on_reply
        point.call(perf_counter())
    await asyncio.sleep(spec["warmup_s"])
    gc.collect()
    latencies.clear()
    window = Window(pids)
    await asyncio.sleep(spec["seconds"])
    calls = len(latencies)
    metrics = window.close(frames=2 * calls)
    stopped = True
    measured = latencies[:calls]
    metrics["calls_per_s"] = calls / metrics["elapsed_s"]
    metrics["errors"] = failures + sum(p.errors for p in points)
    metrics |= latency_summary(measured)
    await asyncio.sleep(0.1)
    await close_all(points)
    return metrics


async def phase_open(url: str, spec: dict[str, Any], pids: Pids) -> Metrics:
    """Open loop at a fixed offered rate, corrected for coordinated omission."""
    points, _, failures = await connect_all(url, spec["conns"], 16)
    traffic = OpenLoop(points, float(spec["rate"]))
    traffic.start()
    await asyncio.sleep(spec["warmup_s"])
    first_due = perf_counter()
    done_before = len(traffic.latencies)
    lags_before = len(traffic.lags)
    window = Window(pids)
    await asyncio.sleep(spec["seconds"])
    answered = len(traffic.latencies) - done_before
    metrics = window.close(frames=2 * answered)
    last_due = perf_counter()
    traffic.stop()
    unanswered = await traffic.drain()
    now = perf_counter()
    counted = [value for due, value in traffic.latencies if first_due <= due <= last_due]
    counted += [now - due for due in unanswered if first_due <= due <= last_due]
    metrics |= latency_summary(counted)
    metrics |= latency_summary(traffic.service[done_before:], "service_")
    metrics |= latency_summary(traffic.lags[lags_before:], "generator_lag_")
    metrics["offered_per_s"] = traffic.rate
    metrics["calls_per_s"] = answered / metrics["elapsed_s"]
    metrics["unanswered"] = len(unanswered)
    metrics["errors"] = failures + sum(p.errors for p in points)
    await close_all(points)
    return metrics


async def phase_idle(url: str, spec: dict[str, Any], pids: Pids) -> Metrics:
    """Memory of the relay with N idle connections, after each of the given steps."""
    relay_pid = pids[0]
    if relay_pid is None:
        return {}
    metrics: Metrics = {}
    # A few connections first: lazy imports and pools must not be booked on the idle ones.
    warm, _, _ = await connect_all(url, 20, 4, first=90_000)
    await close_all(warm)
    await asyncio.sleep(0.5)
    rss0, pss0 = proc.memory_bytes(proc.descendants(relay_pid))
    metrics["rss_base_mib"] = rss0 / 2**20
    points: list[ChargePoint] = []
    failed = 0
    for step in spec["steps"]:
        fresh, _, failures = await connect_all(url, step - len(points), 16, first=len(points))
        points += fresh
        failed += failures
        await asyncio.sleep(1.0)
        rss, pss = proc.memory_bytes(proc.descendants(relay_pid))
        metrics[f"rss_{step}_mib"] = rss / 2**20
        metrics[f"rss_kib_per_conn_{step}"] = (rss - rss0) / 1024 / max(1, len(points))
        metrics[f"pss_kib_per_conn_{step}"] = (pss - pss0) / 1024 / max(1, len(points))
        metrics[f"alive_{step}"] = sum(p.alive for p in points)
    window = Window(pids)
    await asyncio.sleep(2.0)
    metrics["idle_relay_cores"] = window.close(0).get("relay_cores", 0.0)
    metrics["errors"] = failed + sum(p.errors for p in points)
    await close_all(points)
    return metrics


_PHASES: dict[str, Callable[[str, dict[str, Any], Pids], Awaitable[Metrics]]] = {
    "connect": phase_connect,
    "closed": phase_closed,
    "open": phase_open,
    "idle": phase_idle,
    "detect": phase_detect,
}


async def run_plan(plan: dict[str, Any]) -> None:
    """Run every phase of the plan, printing one JSON line each."""
    pids = (plan.get("relay_pid"), plan.get("sink_pid"))
    for spec in plan["phases"]:
        metrics = await _PHASES[spec["kind"]](plan["url"], spec, pids)
        samples = metrics.pop("samples", None)
        row = {"phase": spec["name"], "metrics": metrics} | ({"samples": samples} if samples else {})
        print(json.dumps(row), flush=True)


def main() -> None:
    """Read the plan from stdin and run it."""
    plan = json.load(sys.stdin)
    uvloop.install()
    gc.freeze()
    asyncio.run(run_plan(plan))


if __name__ == "__main__":
    main()
