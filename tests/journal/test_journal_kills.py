"""P2: sixty times kill -9 at random moments under load.

Nothing acknowledged is lost, nothing is corrupt, and of the frames at most the last second is missing. Real processes:
`make journal-faults`.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_kit import eventually, lines, look

from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.shell.journal.frames import FrameWriter

HERE = Path(__file__).parent
ROUNDS = 15
FOLDERS = {"a": 100, "b": 100, "c": 6_000, "d": 6_000}
"""Frames a second in each: lines are made at once, or the spool is in use."""

MILLION = 1_000_000
LAST_SECOND = 1.0


def numbers(path: Path) -> Iterator[tuple[int, float]]:
    for line in path.read_text().splitlines():
        number, _, mono = line.partition(" ")
        if mono:
            yield int(number), float(mono)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders after the kills."""
    folder = tmp_path_factory.mktemp("killed")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent), *sys.path])}
    processes = {
        name: subprocess.Popen(
            [sys.executable, str(HERE / "killed.py"), str(folder / name), str(ROUNDS), name, str(rate)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, rate in FOLDERS.items()
    }
    for process in processes.values():
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said
    return {name: folder / name for name in FOLDERS}


@pytest.mark.parametrize("name", FOLDERS)
def test_P2_no_committed_fact_is_lost_and_the_database_is_whole(killed: dict[str, Path], name: str) -> None:
    folder = killed[name]
    acknowledged = [number for number, _ in numbers(folder / "acknowledged")]
    assert len(acknowledged) > 5 * ROUNDS
    with sqlite3.connect(folder / "journal.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    kept = [int(row["text"]) for row in look(f"sqlite:///{folder}/journal.db", "SELECT text FROM notes ORDER BY id")]
    assert set(acknowledged) <= set(kept)
    assert len(kept) == len(set(kept))
    assert not list(folder.glob("*.corrupt-*"))


@pytest.mark.parametrize("name", FOLDERS)
def test_P2_at_most_the_last_second_of_frames_is_missing(killed: dict[str, Path], name: str) -> None:
    folder = killed[name]
    after = FrameWriter(folder / "frames", Clock(), str)  # the next start: what the spool still holds becomes lines
    after.start()
    eventually(lambda: after.spooled_bytes == 0, 120.0)
    after.stop()
    assert after.join(20)
    found = [int(line.text.split('"')[1]) for line in lines(folder / "frames")]
    assert len(found) == len(set(found)), "none is there twice"
    assert found == sorted(found), "all stand in order"
    kept = set(found)
    tapped = dict(numbers(folder / "tapped"))
    for each, killed_at in numbers(folder / "kills"):
        own = [number for number in tapped if number // MILLION == each]
        missing = [number for number in own if number not in kept]
        assert missing == own[len(own) - len(missing) :], "only the end is missing"
        assert max((killed_at - tapped[number] for number in missing), default=0.0) <= LAST_SECOND
    torn = [line for path in (folder / "frames").rglob("*.jsonl") for line in _torn(path)]
    assert len(torn) <= ROUNDS


def _torn(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if not line.endswith("}}")]
