"""Tests of the harness itself: `python -m pytest` in this folder (starts a real sink)."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bench
import document
import goals
import payload
import proc
import report
import stats
import targets

HERE = Path(__file__).parent


def free_port() -> int:
    """A port nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_meter_values_frame_is_valid_ocpp_of_about_1_kb() -> None:
    frame = payload.call_frame(b"CP0001-1", payload.meter_values_tail())
    kind, unique_id, action, body = json.loads(frame)
    assert (kind, unique_id, action) == (2, "CP0001-1", "MeterValues")
    measurands = [s["measurand"] for s in body["meterValue"][0]["sampledValue"]]
    assert measurands.count("Current.Import") == 3
    assert 900 < len(frame) < 1300


def test_quantiles_are_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert stats.quantile(values, 0.5) == 50
    assert stats.quantile(values, 0.99) == 99
    assert math.isnan(stats.quantile([], 0.5))


def test_ratios_pair_equal_rounds() -> None:
    mine = {1: {"m": 2.0}, 2: {"m": 9.0}}
    base = {1: {"m": 1.0}, 2: {"m": 3.0}}
    assert report.ratios(mine, base, "m") == [2.0, 3.0]


def test_steps_of_one_target_survive_the_comma_split() -> None:
    names = ["direct", "aiohttp-naive+json", "sqlite", "haproxy"]
    assert bench.targets_with_work(names) == ["direct", "aiohttp-naive+json,sqlite", "haproxy"]


def test_cpu_reading_sees_work_done_here() -> None:
    before = proc.cpu_seconds([os.getpid()])
    sum(range(2_000_000))
    assert proc.cpu_seconds([os.getpid()]) > before


def test_interval_of_five_is_their_range_and_of_ten_leaves_out_the_extremes() -> None:
    five, ten = stats.interval([3.0, 1.0, 2.0, 5.0, 4.0]), stats.interval([float(n) for n in range(10)])
    assert (five.low, five.middle, five.high) == (1.0, 3.0, 5.0)
    assert five.confidence == pytest.approx(0.9375)
    assert (ten.low, ten.high) == (1.0, 8.0)
    assert ten.confidence >= 0.9


def test_interval_of_few_says_that_it_is_not_sure() -> None:
    assert stats.interval([1.0, 2.0]).confidence == 0.5
    assert stats.interval([math.nan]).count == 0


def standing(values: list[float], *, at_least: bool = False) -> str:
    """How a goal of 1.0 stands after these rounds."""
    goal = goals.Goal("a goal", "closed-64", "m", 1.0, at_least=at_least)
    rows = {number: {"m": value} for number, value in enumerate(values)}
    return goals.standing(goal, goals.measured(goal, "mine", {"closed-64": {"mine": rows}}))


def test_a_goal_is_met_only_when_its_whole_interval_is() -> None:
    assert standing([0.7, 0.8, 0.9]) == "met"
    assert standing([0.7, 0.8, 1.1]) == "likely"
    assert standing([0.7, 1.1, 1.2]) == "missed"
    assert standing([1.1, 1.2, 0.9], at_least=True) == "likely"
    assert standing([]) == "-"


def test_a_goal_with_two_anchors_is_held_against_the_worse_of_each_round() -> None:
    goal = goals.Goal("a goal", "open-4000", "m", 1.0, anchors=("a", "b"))
    rows = {"mine": {1: {"m": 4.0}}, "a": {1: {"m": 2.0}}, "b": {1: {"m": 8.0}}}
    assert goals.measured(goal, "mine", {"open-4000": rows}).middle == 0.5


def test_latencies_of_a_late_generator_do_not_count() -> None:
    goal = goals.Goal("a goal", "open-4000", "m", 1.0, quiet=True)
    late = {1: {"m": 9.0, "generator_lag_p99_us": 5000.0}, 2: {"m": 0.5, "generator_lag_p99_us": 90.0}}
    assert goals.measured(goal, "mine", {"open-4000": {"mine": late}}).middle == 0.5


def test_a_document_is_filled_between_its_marks_and_nowhere_else(tmp_path: Path) -> None:
    row = {"label": "haproxy", "round": 1, "phase": "closed-64", "metrics": {"calls_per_s": 12345.0}}
    results = tmp_path / "results.jsonl"
    results.write_text(json.dumps(row) + "\n")
    text = "before\n<!-- bench:main -->\nold\n<!-- bench:end -->\nbehind\n"
    filled = document.fill(text, document.read([results]))
    assert filled.startswith("before\n<!-- bench:main -->\n|")
    assert "12,345" in filled
    assert "old" not in filled
    assert filled.endswith("<!-- bench:end -->\nbehind\n")
    assert document.fill(filled, document.read([results])) == filled


def test_every_mark_of_the_template_is_known() -> None:
    marks = document.fill((HERE / "tables.md.in").read_text(), document.read([]))
    assert marks.count("bench:end") == len(document.BLOCKS)


def test_costs_alone_are_those_of_the_program_and_judging_is_dearer_than_relaying(tmp_path: Path) -> None:
    code = "import spent; spent.REPEATS, spent.CALLS, spent.WARM_UP = 3, 200, 50; spent.main()"
    out = tmp_path / "spent.jsonl"
    subprocess.run([sys.executable, "-c", code, "--out", str(out)], cwd=HERE, check=True, timeout=60)
    row = json.loads(out.read_text())
    alone, *_, judged, surplus = row["metrics"].values()
    assert (row["label"], row["phase"]) == ("ocpp-watchdog", "spent")
    assert 0 < alone < surplus < judged


def test_only_what_judges_is_asked_to_detect() -> None:
    phases = [bench.CLOSED_1, bench.DETECT]
    assert bench.phases_for("haproxy", phases) == [bench.CLOSED_1]
    assert bench.phases_for("ocpp-watchdog-relay", phases) == [bench.CLOSED_1]
    assert bench.phases_for("ocpp-watchdog", phases) == phases


@pytest.mark.parametrize(
    "name",
    [
        "direct",
        "aiohttp-naive",
        "aiohttp-raw",
        "aiohttp-callback-uvloop",
        "aiohttp-splice-uvloop",
        "picows",
        "websockets",
        *targets.OURS,
    ],
)
def test_every_python_relay_answers_all_calls(name: str, tmp_path: Path) -> None:
    phases = [
        {"kind": "closed", "name": "c", "conns": 4, "seconds": 0.3, "warmup_s": 0.1},
        {"kind": "open", "name": "o", "conns": 4, "rate": 100, "seconds": 0.5, "warmup_s": 0.1},
    ]
    closed, opened = run_phases(name, phases, tmp_path)
    assert closed["errors"] == opened["errors"] == opened["unanswered"] == 0
    assert closed["calls_per_s"] > 100
    assert 80 < opened["calls_per_s"] < 120


@pytest.mark.slow
def test_an_ignored_stop_is_detected_by_this_program(tmp_path: Path) -> None:
    spec = bench.DETECT | {"points": 3, "load_conns": 4, "load_rate": 50}
    (found,) = run_phases("ocpp-watchdog", [spec], tmp_path)
    assert found["unordered"] == found["errors"] == found["unanswered"] == 0
    assert found["calm_missed"] == found["loaded_missed"] == 0
    assert 0 < found["calm_answer_p50_us"] < found["calm_sample_p50_us"] < 50_000


@pytest.mark.slow
def test_a_relay_that_does_not_judge_detects_nothing(tmp_path: Path) -> None:
    spec = bench.DETECT | {"points": 2, "load_conns": 2, "load_rate": 50}
    (found,) = run_phases("ocpp-watchdog-relay", [spec], tmp_path)
    assert found["calm_missed"] == found["loaded_missed"] == 2


def run_phases(name: str, phases: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """The metrics of these phases for a target in front of a sink."""
    sink_port, port = free_port(), free_port()
    sink = targets.start([sys.executable, str(HERE / "sink.py"), "--port", str(sink_port)], sink_port, {0})
    relay = None
    try:
        if name == "direct":
            port = sink_port
        else:
            context = targets.Context(port, sink_port, folder)
            relay = targets.start(targets.command_for(name)(context), port, {0})
        plan = {
            "url": f"ws://127.0.0.1:{port}",
            "relay_pid": relay.pid if relay else None,
            "sink_pid": sink.pid,
            "phases": phases,
        }
        done = subprocess.run(
            [sys.executable, str(HERE / "loadgen.py")],
            input=json.dumps(plan).encode(),
            stdout=subprocess.PIPE,
            check=True,
            timeout=120,
        )
        return [json.loads(line)["metrics"] for line in done.stdout.splitlines()]
    finally:
        if relay is not None:
            targets.stop(relay)
        targets.stop(sink)
