"""Many frames at once: on the disk as they are, lines later, each once, whatever is killed or damaged in between."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from journal_kit import BOX, DOWN, NOON, TRACK, eventually, lines, passed, pieces

from ocpp_watchdog.core.mending import Repaired
from ocpp_watchdog.core.terms import ChargePointId, Moment
from ocpp_watchdog.shell.journal import frames as frames_module
from ocpp_watchdog.shell.journal import spool as spool_module
from ocpp_watchdog.shell.journal.frames import FrameWriter
from ocpp_watchdog.shell.journal.raw import Understanding
from ocpp_watchdog.shell.journal.segments import Segments
from ocpp_watchdog.shell.journal.spool import Spool
from ocpp_watchdog.shell.journal.tracks import Track
from ocpp_watchdog.shell.ports import Passage, Passed
from shell_fakes import FakeClock

OTHER = Track(ChargePointId("other"), "s2", Moment(0.0, 0.0))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames_module, "PAUSES", (0.02, 0.05))
    monkeypatch.setattr(frames_module, "ROUND_SECONDS", 0.02)
    monkeypatch.setattr(frames_module, "BUSY", 10)
    monkeypatch.setattr(frames_module, "BATCH", 8)
    monkeypatch.setattr(frames_module, "STRETCH", 8)
    monkeypatch.setattr(spool_module, "LARGEST_FILE", 4_000)


def writer_in(folder: Path) -> FrameWriter:
    return FrameWriter(folder, FakeClock(NOON, 0.0), json.loads)


def numbered(first: int, end: int) -> list[Passed]:
    """Every third of another charge point."""
    tracks = (TRACK, TRACK, OTHER)
    return [passed(f'[2,"{number}","A",{{}}]', number / 100, track=tracks[number % 3]) for number in range(first, end)]


def texts(folder: Path) -> list[str]:
    """In the order of time."""
    return [line.text for line in sorted(lines(folder), key=lambda line: line.utc)]


def spooled(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "spool").glob("*"))


def finished(writer: FrameWriter) -> None:
    writer.stop()
    assert writer.join(20)


def test_everything_comes_out_as_it_went_in(tmp_path: Path) -> None:
    repaired = Repaired(b"\x81\x03[3]", b"\x81\x03[2]", "meter_power")
    whole = [
        passed("[2]"),
        passed("[3]", direction=DOWN, passage=Passage.OURS, track=OTHER),
        passed(passage=Passage.TOO_LARGE),
        (TRACK, Passage.WITHHELD, DOWN, repaired, NOON, 1.0),
        (TRACK, Passage.FORWARDED, DOWN, bytearray(b"\x81\x03[3]"), NOON, 1.0),
    ]
    spool = Spool(tmp_path)
    spool.append(pieces([*whole, passed(track=object())]))
    found = list(Understanding().read(spool.oldest()))
    assert [entry[1:] for entry in found] == [entry[1:] for entry in whole]
    told = [entry[0] for entry in found]
    assert [(track.charge_point, track.session) for track in told if isinstance(track, Track)][:2] == [
        (BOX, "s1"),
        ("other", "s2"),
    ]
    again = found[3][3]
    assert isinstance(again, Repaired)
    assert (again.original, again.repairs) == (repaired.original, "meter_power")
    (path,) = (tmp_path / "spool").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    spool.remove_oldest()
    assert (spool.is_empty, spool.size) == (True, 0)


def test_many_frames_go_through_the_spool_and_come_out_in_order(tmp_path: Path) -> None:
    writer = writer_in(tmp_path)
    for entry in numbered(0, 300):
        writer.tap(entry)
    writer.start()
    eventually(lambda: writer.segments.lines_written == 300)
    for entry in numbered(300, 303):
        writer.tap(entry)
    eventually(lambda: writer.segments.lines_written == 303 and writer.spooled_bytes == 0)
    finished(writer)
    assert texts(tmp_path) == [f'[2,"{number}","A",{{}}]' for number in range(303)]
    for folder in tmp_path.iterdir():
        own = [line.utc for line in lines(folder)]
        assert own == sorted(own)
    assert spooled(tmp_path) == []


def test_what_the_end_leaves_in_the_spool_is_made_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames_module, "MOST_AT_THE_END", 1)
    writer = writer_in(tmp_path)
    for entry in numbered(0, 200):
        writer.tap(entry)
    writer.start()
    finished(writer)
    assert len(spooled(tmp_path)) > 1
    again = writer_in(tmp_path)
    again.start()
    eventually(lambda: again.spooled_bytes == 0)
    finished(again)
    assert texts(tmp_path) == [f'[2,"{number}","A",{{}}]' for number in range(200)]


@pytest.mark.parametrize("done", [0, 1, 20, 40])
def test_P2_a_kill_while_lines_are_made_neither_loses_nor_doubles_one(tmp_path: Path, done: int) -> None:
    """The file is still in the spool, and some of its lines are in the segments, the last one torn."""
    spool = Spool(tmp_path)
    entries = numbered(0, 40)
    spool.append(pieces(entries))
    spool.close()
    first = writer_in(tmp_path)
    first._make_lines(entries[:done], in_full=False)
    first.segments.write()
    first.segments.close()
    for path in tmp_path.rglob("*.jsonl"):
        path.write_text(path.read_text() + '{"schemaVersion":"1.1","time')
    second = writer_in(tmp_path)
    second.start()
    eventually(lambda: second.spooled_bytes == 0)
    finished(second)
    assert texts(tmp_path) == [f'[2,"{number}","A",{{}}]' for number in range(40)]


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: data[:-40] + b"?" + data[-39:]])
def test_P15_a_damaged_end_of_the_spool_costs_its_own_record_only(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    spool = Spool(tmp_path)
    for first in range(0, 24, 8):
        spool.append(pieces(numbered(first, first + 8)))
    spool.close()
    (path,) = (tmp_path / "spool").iterdir()
    path.write_bytes(damage(path.read_bytes()))
    writer = writer_in(tmp_path)
    writer.start()
    eventually(lambda: writer.spooled_bytes == 0)
    finished(writer)
    assert texts(tmp_path) == [f'[2,"{number}","A",{{}}]' for number in range(16)]
    assert writer.dropped == 1, "it is counted"


def test_P3_a_full_disk_keeps_the_frames_in_memory_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, write = [errno.ENOSPC], os.write

    def failing(fd: int, data: bytes) -> int:
        if fault:
            write(fd, data[:7])
            raise OSError(fault[0], os.strerror(fault[0]))
        return write(fd, data)

    monkeypatch.setattr(os, "write", failing)
    writer = writer_in(tmp_path)
    for entry in numbered(0, 100):
        writer.tap(entry)
    writer.start()
    eventually(lambda: writer.failures >= 2)
    assert writer.is_down
    fault.clear()
    eventually(lambda: writer.segments.lines_written == 100 and writer.spooled_bytes == 0)
    finished(writer)
    assert writer.dropped == 0
    assert texts(tmp_path) == [f'[2,"{number}","A",{{}}]' for number in range(100)]


def test_lines_are_made_although_frames_keep_coming_when_the_spool_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames_module, "MOST_SPOOLED", 1)
    monkeypatch.setattr(frames_module, "BUSY", 0)
    writer = writer_in(tmp_path)
    for entry in numbered(0, 100):
        writer.tap(entry)
    writer._round(is_last=False)
    assert writer.segments.lines_written > 0
    monkeypatch.setattr(frames_module, "LARGEST_SPOOL", 1)
    for entry in numbered(100, 110):
        writer.tap(entry)
    writer._round(is_last=False)
    assert writer.dropped == 10


def test_a_write_that_fails_while_the_spool_is_worked_off_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = writer_in(tmp_path)
    for entry in numbered(0, 30):
        writer.tap(entry)
    writer._put_away()
    write = Segments.write

    def fails(segments: Segments) -> None:
        monkeypatch.setattr(Segments, "write", write)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Segments, "write", fails)
    with pytest.raises(OSError, match="Input/output"):
        writer._work_off(1)
    writer._work_off(10)
    assert texts(tmp_path) == [f'[2,"{number}","A",{{}}]' for number in range(30)]


def test_a_folder_that_cannot_be_looked_into_does_not_keep_the_program_from_starting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert writer_in(tmp_path / "file").spooled_bytes == 0
