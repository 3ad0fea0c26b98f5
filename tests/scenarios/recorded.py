"""Recordings and logs of real programs as a stream of (seconds, direction, text), and their replay through a station.

``../shared`` lies beside the repository; without it there is nothing to replay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import examples
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import Direction
from scenarios.playbook import Playbook

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
RECORDINGS = SHARED / "recordings"
FRAMES = SHARED / "corpus" / "frames.jsonl"
LOGS = SHARED / "corpus" / "logs"
HERE = SHARED.exists()
ABSENT = "the recordings beside the repository (../shared) are absent"

ZONE_STEP_SECONDS = 900.0
"""Offsets between a log's clock and UTC are whole quarters of an hour; what is left over is a late time stamp."""

CLOCKS = (
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S",
    "%d.%m.%Y, %H:%M:%S",
    "%H:%M:%S.%f",
)
DIRECTIONS = {"cp->cs": Direction.TO_CENTRAL_SYSTEM, "cs->cp": Direction.TO_CHARGE_POINT}
STAMP = re.compile(r'"(?:currentTime|timestamp)"\s*:\s*"([^"]+)"')
LOG_LINE = re.compile(r"TRACE (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) (recv|send) \S+: (.*)$")


@dataclass(frozen=True, slots=True)
class Line:
    """One frame. t: seconds on a clock that only grows."""

    t: float
    direction: Direction
    text: str


@dataclass(frozen=True, slots=True)
class Tape:
    """A recording. utc: POSIX seconds at t = 0."""

    lines: tuple[Line, ...]
    utc: float

    @property
    def end(self) -> float:
        """When the last frame passed."""
        return self.lines[-1].t

    def orders(self, limit: float) -> list[float]:
        """When this limit was ordered: times of the SetChargingProfiles that follow another limit, or none."""
        found: list[float] = []
        last: float | None = None
        for line in self.lines:
            match = re.search(r'"limit":\s*([0-9.]+)', line.text)
            if line.direction is Direction.TO_CHARGE_POINT and "SetChargingProfile" in line.text and match:
                if float(match[1]) == limit and last != limit:
                    found.append(line.t)
                last = float(match[1])
        return found


def utc_of(text: str) -> float | None:
    """The first time stamp in a frame, as POSIX seconds."""
    for word in STAMP.findall(text):
        try:
            found = datetime.fromisoformat(word).timestamp()
        except ValueError:
            continue
        if found > 1e9:
            return found
    return None


def recording(name: str) -> Tape:
    """One of ../shared/recordings; utc by the first time in it."""
    lines = []
    for raw in (RECORDINGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(raw)
        lines.append(Line(float(entry["t"]), DIRECTIONS[entry["dir"]], entry["raw"]))
    first = next((line.t, utc_of(line.text)) for line in lines if utc_of(line.text) is not None)
    return Tape(tuple(lines), (first[1] or 0.0) - first[0])


def evcc_log(name: str) -> Tape:
    """A trace log of evcc: whole seconds, so frames of one second follow each other by a millisecond."""
    lines: list[Line] = []
    first = 0.0
    for raw in (LOGS / name).read_text(encoding="utf-8").splitlines():
        match = LOG_LINE.search(raw)
        if match is None:
            continue
        at = datetime.strptime(match[1] + "+0000", "%Y/%m/%d %H:%M:%S%z").timestamp()
        first = first or at
        t = max(at - first, lines[-1].t + 0.001 if lines else 0.0)
        direction = Direction.TO_CENTRAL_SYSTEM if match[2] == "recv" else Direction.TO_CHARGE_POINT
        lines.append(Line(t, direction, match[3]))
    return Tape(tuple(lines), first)


@cache
def corpus() -> dict[str, Tape]:
    """frames.jsonl by file, in the order it stands."""
    entries: dict[str, list[dict[str, str]]] = {}
    for raw in FRAMES.read_text(encoding="utf-8").splitlines():
        entry = json.loads(raw)
        entries.setdefault(entry["file"], []).append(entry)
    return {file: _tape(found) for file, found in entries.items()}


def _tape(entries: list[dict[str, str]]) -> Tape:
    lines: list[Line] = []
    first: float | None = None
    offset: float | None = None
    for entry in entries:
        at = _log_time(entry["ts"])
        if at is None:
            t = lines[-1].t + 1.0 if lines else 0.0
        else:
            first = at if first is None else first
            t = max(at - first, lines[-1].t if lines else 0.0)
        lines.append(Line(t, DIRECTIONS[entry["direction"]], entry["raw"]))
        said = utc_of(entry["raw"])
        if offset is None and said is not None and at is not None:
            offset = round((said - at) / ZONE_STEP_SECONDS) * ZONE_STEP_SECONDS
    return Tape(tuple(lines), (first or examples.START_UTC) + (offset or 0.0))


def _log_time(text: str | None) -> float | None:
    """The log's own clock, read as if it were UTC; a bare time of day falls on one day."""
    if text is None:
        return None
    clean = text.strip("[]").replace(",", ".", 1) if "[" in text or re.match(r"\d{4}-", text) else text
    for pattern in CLOCKS:
        try:
            found = datetime.strptime(clean + " +0000", pattern + " %z")  # noqa: DTZ007
        except ValueError:
            continue
        return found.replace(year=2025).timestamp() if found.year == 1900 else found.timestamp()
    raise ValueError(f"a clock nobody knows: {text}")


def every_frame() -> Iterator[Line]:
    """Everything that was ever recorded, in no meaningful order of time."""
    for tape in corpus().values():
        yield from tape.lines
    for path in sorted(RECORDINGS.glob("*.jsonl")):
        yield from recording(path.stem).lines


def replay(tape: Tape, policy: Policy | None = None, *, tail: float = 0.0, watch: bool = True) -> Playbook:
    """Live a recording again. What we send is answered Accepted 50 ms later and has no effect: a tape cannot react."""
    play = Playbook(policy, clock=examples.FakeClock(utc=tape.utc), watch=watch)

    def answer(text: str) -> None:
        if '"wd-' in text[:12]:
            uid = json.loads(text)[1]
            play.after(0.05, lambda: play.from_box(examples.status_result(uid)))

    play.to_box = answer
    play.connect()
    feed(play, tape.lines)
    play.run(tape.end + tail)
    return play


def feed(play: Playbook, lines: Iterable[Line]) -> None:
    """Put every frame on the playbook's time line."""
    for line in lines:
        way = play.from_box if line.direction is Direction.TO_CENTRAL_SYSTEM else play.from_central
        play.at(line.t, lambda way=way, text=line.text: way(text))  # type: ignore[misc]
