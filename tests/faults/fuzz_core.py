"""Random mutations of frames into the core: a judge that lives through all of them, and one that is new now and then.

    python tests/faults/fuzz_core.py 100000 [SEED]

Prints one line of JSON: exceptions (with what caused them), the slowest message, how memory grew. The recordings beside
the repository are taken where they are; else the frames that the tests are written with.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "proxy"), str(ROOT / "tests")]

import examples  # noqa: E402
from ocpp_watchdog.core import wire  # noqa: E402
from ocpp_watchdog.core.lane import Lane  # noqa: E402
from ocpp_watchdog.core.policy import Policy  # noqa: E402
from ocpp_watchdog.core.station import Station  # noqa: E402
from ocpp_watchdog.core.terms import ChargePointId, Direction, Moment  # noqa: E402

SHARED = ROOT / ".." / "shared"
UP, DOWN = Direction.TO_CENTRAL_SYSTEM, Direction.TO_CHARGE_POINT
WAYS = {"cp->cs": UP, "cs->cp": DOWN, "to_central_system": UP, "to_charge_point": DOWN}
RENEWED_AFTER = 5000
LONGEST_TEXT = 20_000
ODD = (b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"[]", b"{}", b'""', b'"\\ud800"', b"9" * 400, b'"1,5"', b"2.0")
Frame = tuple[Direction, bytes]


def recorded() -> list[Frame]:
    """Frames to begin with."""
    found: list[Frame] = []
    for path in sorted((SHARED / "recordings").glob("*.jsonl")) + sorted((SHARED / "corpus").glob("frames.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            way = WAYS[row.get("dir") or row["direction"]]
            found.append((way, row["raw"].encode("utf-8", "surrogatepass")))
    return found or made()


def made() -> list[Frame]:
    now = examples.START_UTC
    up = [
        examples.boot("b"),
        examples.status("c", "Charging", now),
        examples.start_transaction("s", now),
        examples.meter_values("m", examples.current_values(("6.5", "6.4", "6.3")), examples.iso(now)),
        examples.status_result("p"),
        examples.stop_transaction("t", now),
    ]
    down = [examples.boot_result("b", now), examples.set_limit("p", 0, now), examples.start_result("s")]
    return [(UP, text.encode()) for text in up] + [(DOWN, text.encode()) for text in down]


def mutated(frames: list[Frame], chance: Random) -> Frame:
    """One frame, changed once to four times."""
    way, raw = chance.choice(frames)
    text = bytearray(raw)
    for _ in range(chance.randint(0, 4)):
        at, to = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
        match chance.randrange(7):
            case 0 if text:
                text[min(at, len(text) - 1)] ^= 1 << chance.randrange(8)
            case 1:
                del text[at : min(to, at + 20)]
            case 2:
                text[at:at] = text[at : min(to, at + 200)]
            case 3:
                other = chance.choice(frames)[1]
                text[at:] = other[chance.randint(0, len(other)) :]
            case 4:
                text[at : at + 1] = chance.choice(ODD)
            case 5:  # a value of the JSON
                colon = text.find(b":", at)
                end = min((n for n in (text.find(b",", colon), text.find(b"}", colon)) if n > colon), default=-1)
                if 0 <= colon < end:
                    text[colon + 1 : end] = chance.choice(ODD)
            case _:
                del text[to:]
    return (way if chance.random() < 0.95 else chance.choice((UP, DOWN))), bytes(text[:LONGEST_TEXT])


def resident() -> int:
    """Bytes of memory in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


class Fuzz:
    """Both judges and both lanes, and what befell them."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.frames = recorded()
        self.exceptions: list[str] = []
        self.slowest = 0.0
        self._ids = 0
        self._at = 0.0
        self._lasting = self._station()
        self._short = self._station()
        self._lanes = self._new_lanes()

    def _id(self) -> Any:
        self._ids += 1
        return f"wd-{self._ids:016x}"

    def _station(self) -> Station:
        station = Station(ChargePointId("FUZZ"), Policy(), json.loads, self._id)
        station.connected(self._now())
        return station

    def _now(self) -> Moment:
        return Moment(examples.START_UTC + self._at, examples.START_MONO + self._at)

    def _new_lanes(self) -> dict[Direction, Lane]:
        return {way: Lane(1 << 22, 1 << 18, copies=True) for way in (UP, DOWN)}

    def one(self, number: int) -> None:
        """One mutation: judged as text, and its wire form changed once and walked."""
        way, raw = mutated(self.frames, self.chance)
        self._at += self.chance.random()
        if number % RENEWED_AFTER == 0:
            self._short, self._lanes = self._station(), self._new_lanes()
        text, began = raw.decode("utf-8", "replace"), time.perf_counter()
        try:
            for station in (self._lasting, self._short):
                framed, now = wire.frame(wire.TEXT, raw, b"abcd" if way is UP else None), self._now()
                if station.skim(way, framed, now.utc, now.mono) is None:
                    station.receive(way, text, self._now())
                if number % 7 == 0:
                    station.own_answer(text, self._now())
                if number % 11 == 0:
                    station.tick(self._now())
                    station.view(self._now())
            self._walk(way, raw)
        except Exception as error:
            self.exceptions.append(f"{type(error).__name__}: {error} by {raw[:300]!r} {way}")
        self.slowest = max(self.slowest, time.perf_counter() - began)

    def _walk(self, way: Direction, raw: bytes) -> None:
        framed = bytearray(wire.frame(wire.TEXT, raw, b"abcd" if way is UP else None))
        if self.chance.random() < 0.1:
            framed[self.chance.randrange(min(14, len(framed)))] ^= 1 << self.chance.randrange(8)
        lane = self._lanes[way]
        lane.feed(bytes(framed))
        lane.heard, lane.signals = [], []
        if lane.stopped or lane.broken or lane.closed:
            self._lanes[way] = Lane(1 << 22, 1 << 18, copies=True)


def main(many: int, seed: int) -> dict[str, Any]:
    """Do so many; the result as a dictionary."""
    fuzz, began, before = Fuzz(seed), time.monotonic(), 0
    for number in range(many):
        fuzz.one(number)
        if number == many // 4:
            before = resident()
    return {
        "mutations": many,
        "frames": len(fuzz.frames),
        "exceptions": len(fuzz.exceptions),
        "first": fuzz.exceptions[:5],
        "slowest_seconds": fuzz.slowest,
        "grown_bytes": resident() - before,
        "seconds": time.monotonic() - began,
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 14)))
