"""What the tests of the journal are made of: facts, frames as they pass, a look into a store."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from ocpp_watchdog.core import wire
from ocpp_watchdog.core.decisions import FactKind, OrderRecord, Record, StepKind, StepOutcome, StepRecord
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId, Direction, Moment, TransactionId, UniqueId
from ocpp_watchdog.shell.journal.raw import pieces_of
from ocpp_watchdog.shell.journal.store import parsed
from ocpp_watchdog.shell.journal.tracks import Track
from ocpp_watchdog.shell.ports import Passage, Passed
from ocpp_watchdog.trace import TraceLine, decode
from views import ORDERED, episode_view

BOX = ChargePointId("box")
ONE = ConnectorId(1)
UP, DOWN = Direction.TO_CENTRAL_SYSTEM, Direction.TO_CHARGE_POINT
NOON = 1_759_320_000.0
"""2025-10-01 12:00 UTC."""

KEY = b"\x5a\xc3\x17\x88"
TRACK = Track(BOX, "s1", Moment(NOON, 1.0))


def at(seconds: float = 0.0) -> Moment:
    """Noon, and so much later."""
    return Moment(NOON + seconds, 1_000.0 + seconds)


def note(words: str = "why", seconds: float = 0.0) -> Record:
    return Record(FactKind.NOTE, ONE, at(seconds), words)


def step(outcome: StepOutcome = StepOutcome.WAITING, seconds: float = 0.0) -> Record:
    told = StepRecord(StepKind.REMOTE_STOP, outcome, at(seconds), None, TransactionId(7), UniqueId("wd-1"), "live")
    return Record(FactKind.STEP, ONE, at(seconds), "live", episode_view(), told)


def order(words: str = '[2,"1","SetChargingProfile",{}]', answer: str = "", unique_id: str = "1") -> Record:
    answered = at(1.0) if answer else None
    told = OrderRecord(UniqueId(unique_id), "SetChargingProfile", ONE, ORDERED, words, None, answer, answered)
    return Record(FactKind.ORDER, ONE, at(), "requested", subject=told)


def passed(
    words: str | bytes = '[2,"1","Heartbeat",{}]',
    seconds: float = 0.0,
    *,
    track: object = TRACK,
    passage: Passage = Passage.FORWARDED,
    direction: Direction = UP,
    opcode: int = wire.TEXT,
) -> Passed:
    payload = words.encode() if isinstance(words, str) else words
    frames = wire.frame(opcode, payload, KEY if direction is UP else None) if passage is not Passage.TOO_LARGE else b""
    return (track, passage, direction, frames, NOON + seconds, 1_000.0 + seconds)


def pieces(entries: Iterable[Passed]) -> list[bytes]:
    """These frames as they wait for the disk."""
    return [piece for entry in entries for piece in pieces_of(entry) or ()]


def look(url: str, statement: str) -> list[dict[str, Any]]:
    """Rows of a store that nobody writes to any more, or somebody still does."""
    engine = create_engine(parsed(url))
    try:
        with engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(text(statement))]
    finally:
        engine.dispose()


def lines(folder: Path) -> list[TraceLine]:
    """All whole lines of all segments below a folder, by name of the segment."""
    found: list[TraceLine] = []
    for path in sorted(folder.rglob("*.jsonl*")):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found += [line for each in data.decode().splitlines() if (line := decode(each)) is not None]
    return found


def eventually(claim: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for threads."""
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)
