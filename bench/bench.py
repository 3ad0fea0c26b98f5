"""Benchmark an OCPP 1.6J WebSocket relay against a direct connection and other relays.

  bench.py sink --port 19000
      Run the central system alone (to put a relay of your own in front of it).

  bench.py run --target ws://127.0.0.1:19000 --label direct \\
               --target ws://127.0.0.1:9000 --pid 4711 --label mine --out results.jsonl
      Measure one or more running targets, interleaved round by round. Give --label and
      --pid (0 for none) once per --target, in the same order. The sink must be running.

  bench.py suite --targets direct,haproxy,aiohttp-naive --rounds 5 --out results.jsonl
      Start the sink and each reference relay itself, a fresh process per round, interleaved.
      NAME+step,step adds per-frame work (relays/work.py) to an aiohttp or picows relay.

  bench.py compare results.jsonl --baseline direct,haproxy
      Print Markdown tables: medians over rounds, and the median of the per-round ratios with its interval.

  bench.py all [--goals | --quick] [--into ../docs/performance.md]
      The project's own run: this program beside the reference relays, memory, detection, and what a call is spent
      on; the numbers go into the document. --goals: only what the goals need, five rounds, some fifteen minutes.
      --quick: fewer targets, phases and rounds, some five minutes.

  bench.py document out/*.jsonl --into ../docs/performance.md
      Write machine, goals and tables between the marks of a document.

The generator and the sink are pinned to --harness-cpu, the relay to --relay-cpu.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import document
import machine
import proc
import targets
from report import compare

HERE = Path(__file__).parent
Phase = dict[str, Any]

CONNECT: Phase = {"kind": "connect", "name": "connect", "conns": 300, "parallel": 16}
CLOSED_1: Phase = {"kind": "closed", "name": "closed-1", "conns": 1, "seconds": 1.0, "warmup_s": 0.3, "light": True}
CLOSED_64: Phase = {"kind": "closed", "name": "closed-64", "conns": 64, "seconds": 2.0, "warmup_s": 0.4}
OPEN_1000: Phase = {
    "kind": "open",
    "name": "open-1000",
    "conns": 200,
    "rate": 1000,
    "seconds": 2.5,
    "warmup_s": 0.4,
    "light": True,
}
OPEN_4000: Phase = {
    "kind": "open",
    "name": "open-4000",
    "conns": 200,
    "rate": 4000,
    "seconds": 3.0,
    "warmup_s": 4.0,
    "light": True,
}
FLEET: Phase = {
    "kind": "open",
    "name": "open-fleet",
    "conns": 2500,
    "rate": 500,
    "seconds": 5.0,
    "warmup_s": 5.0,
    "light": True,
}
DETECT: Phase = {
    "kind": "detect",
    "name": "detect",
    "points": 100,
    "spacing_s": 0.04,
    "load_conns": 200,
    "load_rate": 1000,
    "light": True,
}
DETECT_FEW: Phase = DETECT | {"points": 25}
IDLE: Phase = {"kind": "idle", "name": "idle", "steps": [1000, 5000]}
IDLE_1000: Phase = {"kind": "idle", "name": "idle", "steps": [1000]}
PHASES: dict[str, Phase] = {
    p["name"]: p for p in (CONNECT, CLOSED_1, CLOSED_64, OPEN_1000, OPEN_4000, FLEET, IDLE, DETECT)
} | {"idle-1000": IDLE_1000, "detect-few": DETECT_FEW}
DEFAULT_PHASES = "connect,closed-1,closed-64,open-1000,open-4000"


@dataclass(frozen=True, slots=True)
class Target:
    """A running relay (or the sink itself)."""

    label: str
    url: str
    pid: int | None


def wait_for_quiet(limit: float, patience: float) -> None:
    """Wait until other work on the machine uses fewer than `limit` cores, or patience ends."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        before, began = proc.machine_time(), time.monotonic()
        time.sleep(0.4)
        busy = (proc.machine_time().busy - before.busy) / (time.monotonic() - began)
        if busy < limit:
            return


def measure(target: Target, phases: list[Phase], sink_pid: int | None, args: argparse.Namespace) -> list[Phase]:
    """Run the load generator against one target; returns its rows."""
    if target.pid:
        proc.pin(target.pid, {args.relay_cpu})
    rows: list[Phase] = []
    for phase in phases:
        light = bool(phase.get("light"))
        realtime = args.realtime and light
        for pid in (target.pid, sink_pid):
            if pid:
                proc.set_realtime(pid, realtime)
        if not realtime:
            wait_for_quiet(args.quiet_cores, args.quiet_patience)
        plan = {"url": target.url, "relay_pid": target.pid, "sink_pid": sink_pid, "phases": [phase]}
        done = subprocess.run(
            [
                *(["chrt", "-r", "10"] if realtime else []),
                *["taskset", "-c", str(args.harness_cpu), sys.executable, str(HERE / "loadgen.py")],
            ],
            input=json.dumps(plan).encode(),
            stdout=subprocess.PIPE,
            timeout=180,
            check=False,
        )
        if done.returncode != 0:
            print(f"{target.label} {phase['name']}: generator ended with {done.returncode}", file=sys.stderr)
        rows += [json.loads(line) for line in done.stdout.splitlines()]
    return rows


def record(rows: list[Phase], label: str, number: int, out: Path) -> None:
    """Append rows to the result file."""
    with out.open("a", encoding="utf-8") as handle:
        for row in rows:
            handle.write(json.dumps({"label": label, "round": number, "at": round(time.time()), **row}) + "\n")


def note_machine(out: Path) -> None:
    """The head of a result file: where and with what."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps({"machine": machine.describe()}) + "\n")


def start_sink(args: argparse.Namespace) -> subprocess.Popen[bytes]:
    """Start the central system on the harness core."""
    argv = [sys.executable, str(HERE / "sink.py"), "--port", str(args.sink_port)]
    return targets.start(argv, args.sink_port, {args.harness_cpu})


def command_run(args: argparse.Namespace) -> None:
    """`bench.py run`."""
    labels, pids = args.label or [], args.pid or []
    if len(labels) != len(args.target):
        raise SystemExit("give one --label per --target")
    pids += [0] * (len(args.target) - len(pids))
    running = [
        Target(label, url.rstrip("/"), pid or None) for label, url, pid in zip(labels, args.target, pids, strict=True)
    ]
    if args.sink_pid:
        proc.pin(args.sink_pid, {args.harness_cpu})
    phases = [PHASES[name] for name in args.phases.split(",")]
    for number in range(1, args.rounds + 1):
        for target in running:
            print(f"round {number} {target.label}", file=sys.stderr)
            record(measure(target, phases, args.sink_pid or None, args), target.label, number, args.out)


def command_suite(args: argparse.Namespace) -> None:
    """`bench.py suite`."""
    names = args.targets.split(",")
    names = targets_with_work(names)
    phases = [PHASES[name] for name in args.phases.split(",")]
    note_machine(args.out)
    sink = start_sink(args)
    try:
        for number in range(args.first_round, args.first_round + args.rounds):
            for index, name in enumerate(names):
                print(f"round {number} {name}", file=sys.stderr, flush=True)
                port = args.sink_port + 10 + index
                if name == "direct":
                    target = Target(name, f"ws://127.0.0.1:{args.sink_port}", None)
                    record(measure(target, phases_for(name, phases), sink.pid, args), name, number, args.out)
                    continue
                with tempfile.TemporaryDirectory(prefix="bench-") as directory:
                    context = targets.Context(port, args.sink_port, Path(directory))
                    relay = targets.start(targets.command_for(name)(context), port, {args.relay_cpu}, Path(directory))
                    try:
                        target = Target(name, f"ws://127.0.0.1:{port}", relay.pid)
                        record(measure(target, phases_for(name, phases), sink.pid, args), name, number, args.out)
                    finally:
                        targets.stop(relay)
    finally:
        targets.stop(sink)


def phases_for(name: str, phases: list[Phase]) -> list[Phase]:
    """The phases that say something about a target: only one that judges can detect anything."""
    return [phase for phase in phases if phase["kind"] != "detect" or name in targets.JUDGING]


def targets_with_work(names: list[str]) -> list[str]:
    """Undo the comma split inside `NAME+step,step`: a name that is no target is a step."""
    merged: list[str] = []
    for name in names:
        known = name == "direct" or name.partition("+")[0] in targets.REFERENCE
        if known or not merged:
            merged.append(name)
        else:
            merged[-1] += "," + name
    return merged


def command_sink(args: argparse.Namespace) -> None:
    """`bench.py sink`."""
    subprocess.run(
        ["taskset", "-c", str(args.harness_cpu), sys.executable, str(HERE / "sink.py"), "--port", str(args.port)],
        check=False,
    )


FEW = "haproxy,nginx,aiohttp-naive"
MORE = "socat,node-http-proxy,websockets,picows,mitmproxy,aiohttp-splice-uvloop"
OWN = ",".join(targets.OURS)
PRODUCT = ",".join(targets.JUDGING)
PLAN = (  # (name, targets, phases, rounds)
    ("main", f"direct,{FEW},{MORE},{OWN}", f"{DEFAULT_PHASES},open-fleet", 5),
    ("idle", f"{FEW},{OWN}", "idle", 1),
    ("detect", PRODUCT, "detect", 5),
)
GOALS_PLAN = (
    ("main", f"{FEW},{OWN}", "connect,closed-64,open-4000", 5),
    ("fleet", f"haproxy,aiohttp-naive,{PRODUCT}", "open-fleet", 1),
    ("heavy", "mitmproxy", "connect,closed-64", 1),
    ("idle", f"haproxy,aiohttp-naive,{PRODUCT}", "idle", 1),
    ("detect", PRODUCT, "detect", 2),
)
QUICK_PLAN = (
    ("main", f"{FEW},{OWN}", "connect,closed-64,open-4000", 2),
    ("idle", PRODUCT, "idle-1000", 1),
    ("detect", PRODUCT, "detect-few", 1),
)


def command_all(args: argparse.Namespace) -> None:
    """`bench.py all`."""
    made = []
    plan, prefix = (QUICK_PLAN, "quick-") if args.quick else (GOALS_PLAN, "goals-") if args.goals else (PLAN, "")
    began = time.monotonic()
    for name, wanted, phases, planned in plan:
        rounds = min(planned, args.rounds or planned)
        out = args.folder / f"{prefix}{name}.jsonl"
        out.unlink(missing_ok=True)
        there = [target for target in wanted.split(",") if target == "direct" or targets.is_available(target)]
        if not there:
            print(f"left out, not installed: {wanted}", file=sys.stderr)
            continue
        print(f"{time.monotonic() - began:.0f} s: {name}", file=sys.stderr, flush=True)
        flags = ["--realtime"] if os.geteuid() == 0 else []
        flags += ["--quiet-patience", "3"] if args.quick or args.goals else []
        run = ["suite", "--targets", ",".join(there), "--phases", phases, "--rounds", str(rounds), "--out", str(out)]
        made.append(out)
        command_suite(parser().parse_args([*run, *flags]))
    for flags in ([], ["--fast"]):
        subprocess.run([sys.executable, str(HERE / "spent.py"), *flags, "--out", str(made[-1])], check=False)
    if args.into is not None:
        args.into.write_text(document.fill(args.into.read_text(), document.read(made)))
    else:
        print(document.fill((HERE / "tables.md.in").read_text(), document.read(made)))


def command_document(args: argparse.Namespace) -> None:
    """`bench.py document`."""
    args.into.write_text(document.fill(args.into.read_text(), document.read(args.results)))


def command_compare(args: argparse.Namespace) -> None:
    """`bench.py compare`."""
    phases = args.phases.split(",") if args.phases else None
    print(
        compare(
            args.results,
            args.baseline.split(","),
            phases,
            with_range=args.range,
            max_lag_us=args.max_lag_us,
        )
    )


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(required=True)

    def measuring(name: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name)
        sub.add_argument("--out", type=Path, required=True)
        sub.add_argument("--rounds", type=int, default=5)
        sub.add_argument("--phases", default=DEFAULT_PHASES, help=",".join(PHASES))
        sub.add_argument("--relay-cpu", type=int, default=1)
        sub.add_argument("--harness-cpu", type=int, default=0)
        sub.add_argument(
            "--realtime",
            action="store_true",
            help="real-time priority in the light phases (needs root): keeps neighbours out of latencies",
        )
        sub.add_argument("--quiet-cores", type=float, default=0.15, help="wait for foreign load below this")
        sub.add_argument("--quiet-patience", type=float, default=10.0, help="... for at most so many seconds")
        return sub

    run = measuring("run")
    run.add_argument("--target", action="append", required=True)
    run.add_argument("--label", action="append")
    run.add_argument("--pid", type=int, action="append")
    run.add_argument("--sink-pid", type=int, default=0)
    run.set_defaults(call=command_run)

    suite = measuring("suite")
    suite.add_argument("--targets", required=True, help="direct," + ",".join(targets.REFERENCE))
    suite.add_argument("--sink-port", type=int, default=19000)
    suite.add_argument("--first-round", type=int, default=1)
    suite.set_defaults(call=command_suite)

    sink = commands.add_parser("sink")
    sink.add_argument("--port", type=int, default=19000)
    sink.add_argument("--harness-cpu", type=int, default=0)
    sink.set_defaults(call=command_sink)

    whole = commands.add_parser("all")
    whole.add_argument("--quick", action="store_true")
    whole.add_argument("--goals", action="store_true", help="only what the goals of the document need")
    whole.add_argument("--rounds", type=int, default=0, help="at most so many (to try it out)")
    whole.add_argument("--into", type=Path, help="document to be written anew; default: the tables go to the screen")
    whole.add_argument("--folder", type=Path, default=HERE / "out", help="where the result files go")
    whole.set_defaults(call=command_all)

    written = commands.add_parser("document")
    written.add_argument("results", type=Path, nargs="+")
    written.add_argument("--into", type=Path, required=True)
    written.set_defaults(call=command_document)

    shown = commands.add_parser("compare")
    shown.add_argument("results", type=Path)
    shown.add_argument("--baseline", default="direct")
    shown.add_argument("--phases", default="")
    shown.add_argument("--range", action="store_true", help="show min..max next to each median")
    shown.add_argument(
        "--max-lag-us", type=float, default=math.inf, help="drop windows whose generator ran later than this (p99)"
    )
    shown.set_defaults(call=command_compare)
    return top


def main() -> None:
    """Command line entry point."""
    args = parser().parse_args()
    args.call(args)


if __name__ == "__main__":
    main()
