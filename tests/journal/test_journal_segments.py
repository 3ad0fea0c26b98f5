"""Segments: named safely, appended to in whole lines, closed off, given up and begun anew."""

from __future__ import annotations

import errno
import os
import stat
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_kit import BOX, NOON

from ocpp_watchdog.shell.journal import segments
from ocpp_watchdog.shell.journal.names import Name, day_of, folder_of, parse, segments_in
from ocpp_watchdog.shell.journal.segments import Segments

DAY = date(2025, 10, 1)
NAUGHTY = [
    "../x",
    "..",
    "",
    "/etc/passwd",
    "%2e%2e",
    "a\0b",
    "x" * 1_024,
    "Ä",
    "\ud800",
    ".hidden",
    "a/b",
    "CON",
    "~",
    "a b\n",
]


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


# -- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("charge_point", NAUGHTY)
def test_S8_a_folder_is_safe_whatever_the_id(charge_point: str, tmp_path: Path) -> None:
    name = folder_of(charge_point)
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
    assert len(name) <= 61
    assert (tmp_path / name).resolve().parent == tmp_path.resolve()


@given(st.lists(st.text(max_size=60), unique=True, max_size=30))
def test_S8_no_two_ids_share_a_folder_not_even_where_case_is_not_told(ids: list[str]) -> None:
    names = {folder_of(each).lower() for each in [*ids, *NAUGHTY, "box", "BOX", "Box"]}
    assert len(names) == len({*ids, *NAUGHTY, "box", "BOX", "Box"})


def test_the_folder_of_a_plain_id_can_be_recognised() -> None:
    assert folder_of("ACTEC-EV-AC22K").startswith("ACTEC-EV-AC22K-")


def test_names_are_read_as_they_are_written_and_stand_in_order() -> None:
    names = [Name(DAY, 1), Name(DAY, 2), Name(DAY, 10, ".jsonl.gz"), Name(date(2025, 10, 2), 1)]
    assert [str(name) for name in names[:3]] == ["2025-10-01.jsonl", "2025-10-01.2.jsonl", "2025-10-01.10.jsonl.gz"]
    assert [parse(str(name)) for name in names] == names == sorted(names)
    for odd in ("2025-13-01.jsonl", "2025-10-01.jsonl.part", "2025-10-01.0.jsonl", "x", "2025-10-01.jsonl.gz.part"):
        assert parse(odd) is None


# -- lines -------------------------------------------------------------------------------------------------------


def test_lines_of_a_day_stand_in_one_segment_in_order_and_private(tmp_path: Path) -> None:
    store = Segments(tmp_path / "frames")
    for word in ("one", "two"):
        store.add(BOX, NOON, word)
        store.write()
    store.add(BOX, NOON, "three")
    store.add("other", NOON, "theirs")
    store.write()
    store.sync()
    folder = tmp_path / "frames" / folder_of(BOX)
    assert files(folder) == {"2025-10-01.jsonl": "one\ntwo\nthree\n"}
    assert store.lines_written == 4
    assert stat.S_IMODE((folder / "2025-10-01.jsonl").stat().st_mode) == 0o600
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o700}


def test_another_day_is_another_segment_and_one_that_comes_back_goes_on(tmp_path: Path) -> None:
    store = Segments(tmp_path)
    for days, word in ((0, "a"), (1, "b"), (0, "c")):
        store.add(BOX, NOON + days * 86_400, word)
        store.write()
    assert files(tmp_path) == {"2025-10-01.jsonl": "a\nc\n", "2025-10-02.jsonl": "b\n"}


def test_a_large_segment_is_followed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "LARGEST_SEGMENT", 8)
    store = Segments(tmp_path)
    for word in ("12345678", "a", "b"):
        store.add(BOX, NOON, word)
        store.write()
    assert files(tmp_path) == {"2025-10-01.2.jsonl": "a\nb\n", "2025-10-01.jsonl": "12345678\n"}


def test_only_so_many_are_open_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_OPEN", 3)
    store = Segments(tmp_path)
    for _ in range(2):
        for number in range(10):
            store.add(f"box{number}", NOON, "x")
        store.write()
        assert len(os.listdir("/proc/self/fd")) < 100
        assert len(store._open) == 3
    assert set(files(tmp_path).values()) == {"x\nx\n"}


def test_P15_a_torn_last_line_is_closed_off_at_the_next_start(tmp_path: Path) -> None:
    store = Segments(tmp_path)
    store.add(BOX, NOON, "whole")
    store.write()
    store.close()
    (path,) = tmp_path.rglob("*.jsonl")
    path.write_text('whole\n{"torn')
    again = Segments(tmp_path)
    again.add(BOX, NOON, "next")
    again.write()
    assert path.read_text() == 'whole\n{"torn\nnext\n'


# -- failures ----------------------------------------------------------------------------------------------------


class Disk:
    """os.write that fails, or writes half, as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: int | None = None
        self.room: int | None = None
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, fd: int, data: bytes) -> int:
        if self.error is not None and not self.room:
            raise OSError(self.error, os.strerror(self.error))
        if self.room:
            data, self.room = data[: self.room], 0
        return self._write(fd, data)


def test_P3_what_a_full_disk_does_not_take_waits_and_no_half_line_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, store = Disk(monkeypatch), Segments(tmp_path)
    store.add(BOX, NOON, "before")
    store.write()
    disk.error, disk.room = errno.ENOSPC, 3
    for word in ("one", "two"):
        store.add(BOX, NOON, word)
        with pytest.raises(OSError, match="No space"):
            store.write()
    assert files(tmp_path) == {"2025-10-01.jsonl": "before\n"}, "no empty segments, no halves"
    disk.error = None
    store.add(BOX, NOON, "three")
    store.write()
    assert files(tmp_path) == {"2025-10-01.2.jsonl": "one\ntwo\nthree\n", "2025-10-01.jsonl": "before\n"}
    assert store.lines_written == 4
    assert store.waiting_bytes == 0


def test_P3_one_folder_that_cannot_be_written_hinders_no_other(tmp_path: Path) -> None:
    (tmp_path / folder_of(BOX)).write_text("a file where the folder should be")
    store = Segments(tmp_path)
    store.add(BOX, NOON, "mine")
    store.add("other", NOON, "theirs")
    with pytest.raises(FileExistsError):
        store.write()
    assert (tmp_path / folder_of("other") / "2025-10-01.jsonl").read_text() == "theirs\n"
    assert store.lines_written == 1


def test_what_waits_is_bounded_and_the_oldest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_WAITING_BYTES", 10)
    store = Segments(tmp_path)
    for word in ("aaaa", "bbbb", "cccc"):
        store.add(BOX, NOON, word)
    assert store.drop() == 1
    assert store.drop() == 0
    store.write()
    assert files(tmp_path) == {"2025-10-01.jsonl": "bbbb\ncccc\n"}
    for charge_point in ("a", "b"):
        store.add(charge_point, NOON, "x" * 20)
    assert store.drop() == 2
    assert store.waiting_bytes == 0


def test_P3_a_segment_that_cannot_be_synced_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Segments(tmp_path)
    store.add(BOX, NOON, "one")
    store.write()

    def fails(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(OSError, match="Input/output"):
            store.sync()
    store.add(BOX, NOON, "two")
    store.write()
    store.sync()
    assert files(tmp_path) == {"2025-10-01.2.jsonl": "two\n", "2025-10-01.jsonl": "one\n"}


# -- who may touch a file ----------------------------------------------------------------------------------------


def test_an_open_segment_cannot_be_claimed_and_a_claimed_one_is_not_gone_on_with(tmp_path: Path) -> None:
    store = Segments(tmp_path)
    store.add(BOX, NOON, "one")
    store.write()
    (path,) = tmp_path.rglob("*.jsonl")
    assert not store.claim(path)
    store.close_other_days(DAY)
    assert not store.claim(path)
    store.close_other_days(day_of(NOON + 86_400))
    assert store.claim(path)
    store.add(BOX, NOON, "two")
    store.write()
    assert files(tmp_path) == {"2025-10-01.2.jsonl": "two\n", "2025-10-01.jsonl": "one\n"}
    store.release(path)


def test_a_segment_that_was_packed_is_followed_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / folder_of(BOX)
    folder.mkdir()
    (folder / "2025-10-01.jsonl.gz").write_text("")
    store = Segments(tmp_path)
    store.add(BOX, NOON, "x")
    store.write()
    assert [str(name) for name, _ in segments_in(folder)] == ["2025-10-01.jsonl.gz", "2025-10-01.2.jsonl"]
    assert list(segments_in(tmp_path / "none")) == []
