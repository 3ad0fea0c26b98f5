"""The two threads of the journal: order, bounds, failures and healing, and how they end."""

from __future__ import annotations

import errno
import json
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from journal_kit import BOX, DOWN, NOON, TRACK, at, eventually, lines, look, note, order, passed

from ocpp_watchdog.core import wire
from ocpp_watchdog.core.decisions import FactKind, Record
from ocpp_watchdog.shell.journal import facts as facts_module
from ocpp_watchdog.shell.journal import frames as frames_module
from ocpp_watchdog.shell.journal.facts import Fact, FactWriter
from ocpp_watchdog.shell.journal.frames import FrameWriter
from ocpp_watchdog.shell.journal.journal import COMMIT_SECONDS
from ocpp_watchdog.shell.journal.rows import remembered, rows_of
from ocpp_watchdog.shell.journal.store import Store, StoreError, parsed
from ocpp_watchdog.shell.ports import Passage
from ocpp_watchdog.trace import TraceLine
from shell_fakes import FakeClock


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames_module, "PAUSES", (0.02, 0.05))
    monkeypatch.setattr(frames_module, "ROUND_SECONDS", 0.02)
    monkeypatch.setattr(facts_module, "PAUSES", (0.0, 0.05))


@pytest.fixture
def frames(tmp_path: Path) -> Iterator[FrameWriter]:
    writer = FrameWriter(tmp_path / "frames", FakeClock(NOON, 0.0), json.loads)
    yield writer
    writer.stop()
    if writer._thread.is_alive():
        assert writer.join(10)


def written(writer: FrameWriter) -> list[TraceLine]:
    writer.stop()
    assert writer.join(10)
    return lines(writer.segments.folder)


# -- frames ------------------------------------------------------------------------------------------------------


def test_every_message_is_a_line_with_all_that_is_known_of_it(frames: FrameWriter) -> None:
    frames.start()
    frames.tap(passed('[2,"1","Heartbeat",{}]', 0.25))
    frames.tap(passed('[3,"1",{}]', 0.5, direction=DOWN))
    frames.tap(passed('[2,"wd-1","RemoteStopTransaction",{}]', passage=Passage.OURS, direction=DOWN))
    frames.tap(passed('[3,"wd-1",{}]', passage=Passage.WITHHELD))
    frames.tap(passed(b"\xff\xfe", opcode=wire.BINARY))
    frames.tap(passed(passage=Passage.TOO_LARGE))
    found = written(frames)
    assert found[0] == TraceLine(NOON + 0.25, BOX, TRACK_UP, '[2,"1","Heartbeat",{}]', mono=1_000.25, session="s1")
    assert [line.direction for line in found[:2]] == [TRACK_UP, DOWN]
    assert [(line.ours, line.withheld) for line in found] == [
        *((False, False), (False, False), (True, False)),
        *((False, True), (False, False), (False, False)),
    ]
    assert [line.decodable for line in found] == [True, True, True, True, False, False]
    assert [line.note for line in found[4:]] == ["binary", "too large to be kept"]
    assert found[4].text == "\ufffd\ufffd"
    assert frames.segments.lines_written == 6


TRACK_UP = passed()[2]


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        ('[2,"1","A",{}]', True),
        ("nonsense", False),
        ("[]", False),
        ('[2,"1"', False),
        ('[3,"1",{"a":"\\ud800"}]', True),
    ],
)
def test_F9_what_cannot_be_read_is_kept_and_marked(frames: FrameWriter, text: str, is_read: bool) -> None:
    frames.start()
    frames.tap(passed(text))
    (line,) = written(frames)
    assert (line.text, line.decodable) == (text, is_read)


def test_a_fragmented_message_is_one_line(frames: FrameWriter) -> None:
    frames.start()
    track, passage, direction, _, utc, mono = passed()
    parts = b'\x01\x05[2,"1' + b'\x80\x0e","Reset",{}] '
    frames.tap((track, passage, direction, parts, utc, mono))
    (line,) = written(frames)
    assert line.text == '[2,"1","Reset",{}] '


def test_under_load_all_is_kept_in_order(frames: FrameWriter) -> None:
    count = 9_000
    for number in range(count):
        frames.tap(passed(f'[2,"{number}","MeterValues",{{}}]', number / 1_000))
    frames.start()
    found = written(frames)
    assert [line.text[3:].split('"')[1] for line in found] == [str(number) for number in range(count)]
    assert frames.dropped == 0


def test_a_session_nobody_opened_and_a_frame_that_cannot_be_written_down_hide_no_other(frames: FrameWriter) -> None:
    frames.tap(passed(track=object()))
    frames.tap((TRACK, Passage.FORWARDED, TRACK_UP, b"\x81", NOON, 1.0))  # half a head
    frames.tap(passed("[3]"))
    frames.start()
    assert [line.text for line in written(frames)] == ["[3]"]
    assert (frames.failures, frames.dropped) == (1, 1)


def test_what_is_not_on_the_disk_yet_is_known_by_its_age(frames: FrameWriter) -> None:
    assert math.isnan(frames.oldest_unwritten_utc)
    frames.tap(passed(seconds=3.0))
    frames.tap(passed(seconds=4.0))
    assert frames.oldest_unwritten_utc == NOON + 3.0
    frames.start()
    eventually(lambda: math.isnan(frames.oldest_unwritten_utc))
    assert len(lines(frames.segments.folder)) == 2


def test_P3_a_queue_that_nobody_works_off_is_bounded_and_counted(
    frames: FrameWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames_module, "SMALL_QUEUE", 2)
    monkeypatch.setattr(frames_module, "MOST_QUEUED", 5)
    for number in range(8):
        frames.tap(passed(str(number)))
    frames.bound()
    assert (frames.queued, frames.dropped) == (5, 3)
    monkeypatch.setattr(frames_module, "MOST_QUEUED_BYTES", 2 * len(frames.queue[2]))
    frames.bound()
    assert (frames.queued, frames.dropped) == (2, 6)
    frames.start()
    assert [line.text for line in written(frames)] == ["6", "7"]


def test_P3_a_disk_that_fails_is_told_once_and_heals(
    frames: FrameWriter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fault: list[int] = [errno.ENOSPC]
    write = os.write

    def failing(fd: int, data: bytes) -> int:
        if fault and threading.current_thread().name == "journal frames":
            raise OSError(fault[0], os.strerror(fault[0]))
        return write(fd, data)

    monkeypatch.setattr(os, "write", failing)
    frames.start()
    frames.tap(passed('[3,"1",{}]'))
    eventually(lambda: frames.failures >= 3)
    assert frames.is_down
    frames.tap(passed('[3,"2",{}]'))
    fault.clear()
    eventually(lambda: not frames.is_down)
    assert [line.text for line in written(frames)] == ['[3,"1",{}]', '[3,"2",{}]']
    assert frames.dropped == 0
    told = [record.levelname for record in caplog.records if record.name.endswith("frames")]
    assert told == ["ERROR", "WARNING"]


def test_P4_a_sync_that_takes_long_loses_nothing_and_its_age_shows(
    frames: FrameWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda fd: release.wait(20))
    frames.start()
    frames.tap(passed(seconds=1.0))
    eventually(lambda: frames.segments.lines_written == 1)
    for number in range(2, 50):
        frames.tap(passed(seconds=float(number)))
    assert frames.oldest_unwritten_utc == NOON + 1.0
    release.set()
    assert len(written(frames)) == 49


@pytest.mark.parametrize(("utc", "day"), [(100.0, "1970-01-01"), (2_147_483_700.0, "2038-01-19"), (NOON, "2025-10-01")])
def test_P5_a_wall_clock_that_is_wrong_or_jumps_costs_no_frame_and_both_clocks_are_kept(
    frames: FrameWriter, utc: float, day: str
) -> None:
    for number, wall in enumerate((NOON, utc, NOON - 3_600.0)):
        frames.tap((*passed(f'[3,"{number}",{{}}]')[:4], wall, 1_000.0 + number))
    frames.start()
    found = sorted(written(frames), key=lambda line: line.mono or 0.0)
    assert [(line.utc, line.mono) for line in found] == [(NOON, 1_000.0), (utc, 1_001.0), (NOON - 3_600.0, 1_002.0)]
    assert [path.name for path in frames.segments.folder.rglob(f"{day}.jsonl")] == [f"{day}.jsonl"]


# -- facts -------------------------------------------------------------------------------------------------------


def facts_of(url: str) -> FactWriter:
    return FactWriter(parsed(url), FakeClock(NOON, 0.0))


def put(writer: FactWriter, record: Record, table: str = "") -> None:
    writer.put(Fact(record.at.utc, table, lambda: rows_of(BOX, record)))


def committed(writer: FactWriter, seconds: float = 20.0) -> bool | None:
    """What a wish is told; None: nothing in this time."""
    told: list[bool] = []
    done = threading.Event()

    def tell(is_done: bool) -> None:
        told.append(is_done)
        done.set()

    writer.committed(tell)
    done.wait(seconds)
    return told[0] if told else None


def ended(writer: FactWriter) -> None:
    writer.stop()
    assert writer.join(20)


def texts(url: str) -> list[str]:
    return [row["text"] for row in look(url, "SELECT text FROM notes ORDER BY id")]


def test_what_was_put_before_is_there_when_the_wish_is_told(url: str) -> None:
    writer = facts_of(url)
    writer.start()
    for number in range(250):
        put(writer, note(str(number), number))
    assert committed(writer) is True
    assert texts(url) == [str(number) for number in range(250)]
    assert math.isnan(writer.oldest_unwritten_utc)
    assert writer.written == 250
    ended(writer)


def test_a_wish_is_quick_and_does_not_wait_for_company(url: str) -> None:
    writer = facts_of(url)
    writer.start()
    assert writer.opened.wait(20)
    spent = []
    for number in range(20):
        put(writer, note(str(number), number))
        began = time.monotonic()
        assert committed(writer)
        spent.append(time.monotonic() - began)
    assert sorted(spent)[10] < 0.05, "a step goes out within 50 ms"
    ended(writer)


def test_what_was_put_before_the_end_is_written(url: str) -> None:
    writer = facts_of(url)
    for number in range(30):
        put(writer, note(str(number), number))
    writer.start()
    put(writer, note("last", 99))
    ended(writer)
    assert len(texts(url)) == 31


def test_a_fact_that_cannot_be_written_hides_no_other(url: str, caplog: pytest.LogCaptureFixture) -> None:
    writer = facts_of(url)
    put(writer, note("one"))
    writer.put(Fact(NOON, "", lambda: [*rows_of(BOX, note("two")), *_bad_row()]))
    writer.put(Fact(NOON, "", lambda: [{}["no rows"]]))
    put(writer, note("three"))
    writer.start()
    assert committed(writer)
    assert texts(url) == ["one", "two", "three"]
    assert (writer.dropped, writer.failures, writer.is_down) == (2, 2, False)
    ended(writer)


def _bad_row() -> list[Any]:
    (row,) = rows_of(BOX, note())
    return [facts_module.Row("notes", row.values | {"at_utc": None})]


class Failing:
    """``Store.write`` that fails as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.why = ""
        self.times = 0
        write = Store.write

        def failing(store: Store, rows: Any) -> None:
            if self.why:
                self.times += 1
                raise StoreError(self.why)
            write(store, rows)

        monkeypatch.setattr(Store, "write", failing)


def test_P3_a_store_that_fails_is_told_once_keeps_the_facts_and_heals(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing, writer = Failing(monkeypatch), facts_of(url)
    failing.why = "database or disk is full"
    writer.start()
    put(writer, note("one"))
    assert committed(writer) is False
    eventually(lambda: failing.times >= 3)
    began = time.monotonic()
    assert committed(writer) is False
    assert time.monotonic() - began < COMMIT_SECONDS / 2, "known to be down: nobody waits"
    put(writer, note("two", 1.0))
    failing.why = ""
    eventually(lambda: not writer.is_down)
    assert committed(writer) is True
    assert texts(url) == ["one", "two"]
    assert writer.dropped == 0
    told = [record.levelname for record in caplog.records if record.name.endswith("facts")]
    assert told == ["ERROR", "WARNING"]
    ended(writer)


def test_a_store_that_is_not_there_at_the_start_is_opened_later(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    url = f"sqlite:///{tmp_path}/state/journal.db"
    writer = facts_of(url)
    writer.start()
    put(writer, note("one"))
    assert writer.opened.wait(20)
    assert writer.is_down
    (tmp_path / "state").unlink()
    eventually(lambda: not writer.is_down)
    ended(writer)
    assert texts(url) == ["one"]


def test_P3_facts_that_wait_are_bounded_readings_go_first(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_module, "MOST_QUEUED", 10)
    monkeypatch.setattr(facts_module, "MOST_LOST_AT_ONCE", 2)
    writer = facts_of(url)
    for number in range(6):
        put(writer, note(str(number), number))
        put(writer, note(f"reading {number}", number), "samples")
    assert writer.dropped == 5
    for number in range(6, 12):
        put(writer, note(str(number), number))
    writer.start()
    assert committed(writer)
    kept = texts(url)
    assert [text for text in kept if text.startswith("reading")] == []
    assert kept == ["2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]
    ended(writer)


def test_P15_a_damaged_database_is_set_aside_and_a_fresh_one_begun(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path}/journal.db"
    first = facts_of(url)
    first.start()
    for number in range(60):
        put(first, note("x" * 900, number))
    ended(first)
    file = tmp_path / "journal.db"
    data = bytearray(file.read_bytes())
    data[4_096:] = os.urandom(len(data) - 4_096)
    file.write_bytes(data)
    second = facts_of(url)
    second.start()
    put(second, note("fresh"))
    assert committed(second)
    ended(second)
    assert second.set_aside == 1
    assert texts(url) == ["fresh"]
    assert (tmp_path / "journal.db.corrupt-1759320000").read_bytes() == data
    assert any("is damaged" in record.message for record in caplog.records)


def test_P15_what_can_be_read_of_a_damaged_databases_memory_is_taken_along(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/journal.db"
    first = facts_of(url)
    first.put(Fact(NOON, "memory", lambda: [remembered(BOX, {"n": 1}, NOON)]))
    for number in range(200):
        put(first, note("x" * 900, number))
    first.start()
    ended(first)
    file = tmp_path / "journal.db"
    data = bytearray(file.read_bytes())
    middle = data.find(b"x" * 900, len(data) // 2)
    data[middle - 3_000 : middle + 3_000] = os.urandom(6_000)
    file.write_bytes(data)
    second = facts_of(url)
    second.start()
    put(second, note("fresh"))
    assert committed(second)
    ended(second)
    assert (second.set_aside, second.memories) == (1, {"box": '{"n":1}'})
    third = facts_of(url)
    third.start()
    ended(third)
    assert third.memories == {"box": '{"n":1}'}


def test_P15_a_database_that_is_damaged_while_it_is_open_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/journal.db"
    writer = facts_of(url)
    writer.start()
    put(writer, note("one"))
    assert committed(writer)
    (tmp_path / "journal.db").write_bytes(os.urandom(60_000))
    write = Store.write

    def notices(store: Store, rows: Any) -> None:
        monkeypatch.setattr(Store, "write", write)
        raise StoreError("database disk image is malformed", is_corrupt=True)

    monkeypatch.setattr(Store, "write", notices)
    put(writer, note("two"))
    eventually(lambda: writer.failures == 1 and not writer.is_down)
    ended(writer)
    assert texts(url)[-1] == "two", "mended from the write-ahead log, or begun anew"


def test_chores_are_done_in_turn_and_one_that_fails_is_not_tried_again(url: str) -> None:
    writer = facts_of(url)
    done: list[str] = []

    def fails(store: Store) -> None:
        done.append("failing")
        raise StoreError("no")

    put(writer, note("one"))
    writer.ask(fails)
    writer.start()
    eventually(lambda: writer.failures == 1 and not writer.is_down)
    writer.ask(lambda store: done.append("done"))
    eventually(lambda: done == ["failing", "done"])
    ended(writer)
    assert texts(url) == ["one"]


def test_what_is_remembered_is_given_at_the_next_start(url: str) -> None:
    first = facts_of(url)
    first.put(Fact(NOON, "memory", lambda: [remembered(BOX, {"n": 1}, NOON)]))
    first.start()
    ended(first)
    assert first.memories == {}
    second = facts_of(url)
    second.start()
    assert second.opened.wait(20)
    assert second.memories == {"box": '{"n":1}'}
    ended(second)


def test_an_order_told_twice_in_one_batch_is_one_row(url: str) -> None:
    writer = facts_of(url)
    put(writer, order())
    put(writer, order(answer="accepted"))
    writer.start()
    ended(writer)
    assert [row["answer"] for row in look(url, "SELECT answer FROM orders")] == ["accepted"]
    assert order().kind == FactKind.ORDER
    assert at() == note().at


def test_the_end_does_not_hang_on_a_store_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    hang: Callable[[Store, Any], None] = lambda store, rows: release.wait(20) and None  # noqa: E731
    monkeypatch.setattr(Store, "write", hang)
    writer = facts_of(f"sqlite:///{tmp_path}/journal.db")
    writer.start()
    put(writer, note())
    eventually(lambda: writer._taken)
    writer.stop()
    assert not writer.join(0.1)
    release.set()
    assert writer.join(20)
