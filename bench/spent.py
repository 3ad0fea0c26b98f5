"""What one call costs inside the program, part by part: microseconds of CPU for a MeterValues CALL and its CALLRESULT.

    python spent.py [--fast] [--out results.jsonl] [--profile]

Each part is run alone in this process, warm, on the frames of the load generator; so it shows shares, and the lower
bound of what `bench.py` measures of the running program; the kernel and the event loop are the rest. Readings that are
10 s apart, as real ones are, are all judged; of those that come 50 times a second while no stop is ordered the program
reads only some.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import logging
import pstats
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ocpp_watchdog import app, fast
from ocpp_watchdog.core import frames, translate, wire
from ocpp_watchdog.core.terms import ChargePointId, Direction, Moment
from ocpp_watchdog.settings import fixed
from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.shell.ports import Judge
from ocpp_watchdog.shell.relay.session import RelaySession
from ocpp_watchdog.shell.session import Session

from payload import call_frame, meter_values_tail, result_frame

sys.path.insert(0, str(Path(__file__).parent / "relays"))
from watchdog import hide

UP, DOWN = Direction.TO_CENTRAL_SYSTEM, Direction.TO_CHARGE_POINT
MASK = b"\x5a\xc3\x17\x88"
REPEATS, CALLS, WARM_UP = 9, 2000, 500
NOW = Moment(1_795_190_589.0, 5_000.0)

Pair = tuple[bytes, bytes]
Work = Callable[[bytes, bytes], object]
"""Takes a CALL and its CALLRESULT."""


class Wire(asyncio.Transport):
    """A connection that takes whatever is written. protocol: what its reads are given to."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: asyncio.BaseProtocol | None = None

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def read(self, data: bytes) -> None:
        """As an event loop does it."""
        leg = self.protocol
        assert isinstance(leg, asyncio.BufferedProtocol)
        leg.get_buffer(-1)[: len(data)] = data  # type: ignore[index]
        leg.buffer_updated(len(data))


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = NOW.mono
        self.clock = Clock(wall=lambda: NOW.utc - NOW.mono + self.seconds, monotonic=lambda: self.seconds)


def texts() -> list[Pair]:
    """CALLs and their CALLRESULTs, each with an id of its own."""
    tail = meter_values_tail()
    ids = [b"CP0001-%08d" % number for number in range(CALLS)]
    return [(call_frame(unique_id, tail), result_frame(unique_id)) for unique_id in ids]


def on_the_wire(pair: Pair) -> Pair:
    """The same as they come from the sockets: what a charge point sends is masked."""
    return wire.frame(wire.TEXT, pair[0], MASK), wire.frame(wire.TEXT, pair[1], None)


def cost(pairs: list[Pair], prepare: Callable[[], Work]) -> float:
    """Microseconds a call, the least of some repeats. prepare: gives what is to be measured, made anew."""
    best = float("inf")
    for _ in range(REPEATS):
        work = prepare()
        for pair in pairs[:WARM_UP]:
            work(*pair)
        began = time.process_time()
        for pair in pairs[WARM_UP:]:
            work(*pair)
        best = min(best, (time.process_time() - began) / (CALLS - WARM_UP) * 1e6)
    return best


def relaying(proxy: app.Proxy) -> Work:
    """The relay alone: from a read to a write."""
    return joined(proxy, None, None)


def everything(proxy: app.Proxy, hand: Hand, apart: float) -> Work:
    """All that the program does between two sockets, with so many seconds between the calls, for a new charge point."""
    work = joined(proxy, Session(proxy.watches), proxy.tally.delay)

    def later(call: bytes, result: bytes) -> None:
        hand.seconds += apart
        work(call, result)

    return later


def joined(proxy: app.Proxy, judge: Judge | None, delay: Callable[[Direction, float], None] | None) -> Work:
    """A session of the relay between two connections that lead nowhere."""
    name = ChargePointId(f"CP{len(proxy.watches)}")
    session = RelaySession(proxy.relay, proxy.relay.settings, name, "127.0.0.1", judge=judge, delay=delay)
    near, far = Wire(), Wire()
    session.join(near, far, memoryview(bytearray(1 << 16)))
    session.begin(b"", b"")

    def work(call: bytes, result: bytes) -> None:
        near.read(call)
        far.read(result)

    return work


def understanding(loads: frames.Loads) -> Work:
    """Decoding and translating, no judgement."""

    def work(call: bytes, result: bytes) -> None:
        frame = frames.decode(call.decode(), loads)
        assert isinstance(frame, frames.Call)
        translate.read_request(frame, UP, NOW)
        frames.decode(result.decode(), loads)

    return work


def parts(loads: frames.Loads, proxy: app.Proxy, hand: Hand) -> dict[str, float]:
    """Every part by name; `all` contains the others."""
    plain = texts()
    wired = [on_the_wire(pair) for pair in plain]
    nothing = cost(plain, lambda: lambda call, result: None)
    found = {
        "the relay alone, from read to write": cost(wired, lambda: relaying(proxy)),
        "unmask the copy": cost(wired, lambda: lambda call, result: (wire.payload_of(call), wire.payload_of(result))),
        "text to JSON values": cost(plain, lambda: lambda call, result: (loads(call.decode()), loads(result.decode()))),
        "text to JSON values to request": cost(plain, lambda: understanding(loads)),
        "**all, readings 10 s apart**": cost(wired, lambda: everything(proxy, hand, 10.0)),
        "**all, 50 readings a second**": cost(wired, lambda: everything(proxy, hand, 0.02)),
    }
    return {name: value - nothing for name, value in found.items()}


async def run(args: argparse.Namespace) -> None:
    """Print the table; append it to a result file; print a profile."""
    hand = Hand()
    proxy = app.build(fixed(judge={"may_question": False}), hand.clock)
    found = parts(fast.decoder(), proxy, hand)
    label = "ocpp-watchdog-fast" if args.fast else "ocpp-watchdog"
    for name, value in found.items():
        print(f"{value:8.2f}  {name}")
    if args.out is not None:
        with args.out.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps({"label": label, "round": 1, "phase": "spent", "metrics": found}) + "\n")
    if args.profile:
        for apart in (10.0, 0.02):
            print(f"--- {apart:g} s apart")
            profile(everything(proxy, hand, apart))
    proxy.watches.stop()


def profile(work: Work) -> None:
    """Where the time goes. cProfile makes small functions look dear."""
    pairs = [on_the_wire(pair) for pair in texts()]
    watched = cProfile.Profile()
    watched.enable()
    for pair in pairs:
        work(*pair)
    watched.disable()
    pstats.Stats(watched, stream=sys.stdout).sort_stats("tottime").print_stats(20)


def main() -> None:
    """Command line entry point. The program's timers need a running loop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="with uvloop and msgspec")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--profile", action="store_true", help="where the time goes, by function")
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if not args.fast:
        hide()
    with asyncio.Runner(loop_factory=fast.loop_factory()) as runner:
        runner.run(run(args))


if __name__ == "__main__":
    main()
