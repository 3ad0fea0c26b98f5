"""Closed segments are packed; old frames and facts go, those of an episode stay."""

from __future__ import annotations

import gzip
import stat
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from journal_kit import BOX, NOON, ONE, look, step

from ocpp_watchdog.core.decisions import FactKind, OrderRecord, Record
from ocpp_watchdog.core.terms import Moment, UniqueId
from ocpp_watchdog.past import PastEpisode
from ocpp_watchdog.shell.journal.keeping import Keeper, Retention
from ocpp_watchdog.shell.journal.names import folder_of
from ocpp_watchdog.shell.journal.rows import rows_of, session_began
from ocpp_watchdog.shell.journal.segments import Segments
from ocpp_watchdog.shell.journal.store import Store, parsed
from shell_fakes import FakeClock
from views import episode_view, reading

DAY = 86_400.0
TODAY = date(2025, 10, 1)


def episode(ordered: float, ended: float | None) -> PastEpisode:
    over = None if ended is None else Moment(ended, 0.0)
    began = Moment(ordered, 0.0)
    flags = (False, False, False)
    return PastEpisode("box", 1, 1, began, began, "", "", *flags, 1.0, False, over, "", (), "", "")


class Room:
    """A folder of segments and who keeps it."""

    def __init__(self, folder: Path, retention: Retention | None = None) -> None:
        self.clock = FakeClock(NOON, 5_000.0)
        self.segments = Segments(folder)
        self.folder = folder / folder_of(BOX)
        self.episodes: list[PastEpisode] = []
        self.forgotten: list[Moment] = []
        self.asked_since: list[float] = []
        self.keeper = Keeper(self.segments, retention or Retention(), self.clock, self._episodes, self.forgotten.append)

    def _episodes(self, since: float) -> list[PastEpisode]:
        self.asked_since.append(since)
        return self.episodes

    def write(self, *days: int, words: str = "line") -> None:
        for days_ago in days:
            self.segments.add(BOX, NOON - days_ago * DAY, words)
            self.segments.write()

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


def test_segments_of_other_days_are_packed_whole_and_private(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.write(1, 0, words="one")
    room.write(0, words="two")
    room.keeper.tidy()
    assert room.names() == ["2025-09-30.jsonl.gz", "2025-10-01.jsonl"]
    packed = room.folder / "2025-09-30.jsonl.gz"
    assert gzip.decompress(packed.read_bytes()) == b"one\n"
    assert stat.S_IMODE(packed.stat().st_mode) == 0o600
    room.keeper.tidy()
    assert room.names() == ["2025-09-30.jsonl.gz", "2025-10-01.jsonl"]


def test_a_segment_of_yesterday_that_is_still_open_is_left_alone(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.write(1)
    room.keeper.tidy()
    assert room.names() == ["2025-09-30.jsonl"]
    room.segments.close_other_days(TODAY)
    room.keeper.tidy()
    assert room.names() == ["2025-09-30.jsonl.gz"]


def test_what_a_kill_left_of_packing_is_put_in_order(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.folder.mkdir()
    (room.folder / "2025-09-29.jsonl.gz.part").write_text("half")
    (room.folder / "2025-09-29.jsonl").write_text("whole\n")
    (room.folder / "2025-09-30.jsonl").write_text("packed already\n")
    (room.folder / "2025-09-30.jsonl.gz").write_bytes(gzip.compress(b"packed already\n"))
    room.keeper.tidy()
    assert room.names() == ["2025-09-29.jsonl.gz", "2025-09-30.jsonl.gz"]
    assert gzip.decompress((room.folder / "2025-09-29.jsonl.gz").read_bytes()) == b"whole\n"
    assert gzip.decompress((room.folder / "2025-09-30.jsonl.gz").read_bytes()) == b"packed already\n"


def test_frames_go_after_thirty_days_but_not_those_of_a_day_with_an_episode(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.write(33, 32, 31, 30, 29, 0)
    room.episodes = [episode(NOON - 32.2 * DAY, NOON - 31.9 * DAY)]
    room.keeper.tidy()
    assert room.names() == [
        f"{TODAY - timedelta(days=ago)}.jsonl{gz}" for ago, gz in ((32, ".gz"), (30, ".gz"), (29, ".gz"), (0, ""))
    ]
    assert room.asked_since == [NOON - 365 * DAY]
    assert room.forgotten == [room.clock.now()]


def test_an_episode_over_midnight_and_an_open_one_keep_all_their_days(tmp_path: Path) -> None:
    room = Room(tmp_path, Retention(frames_days=1))
    room.write(9, 8, 7, 4, 3, 2, 0)
    room.episodes = [episode(NOON - 8.6 * DAY, NOON - 7.4 * DAY), episode(NOON - 3 * DAY, None)]
    room.keeper.tidy()
    kept = [9, 8, 7, 3, 2, 0]
    assert [name[:10] for name in room.names()] == [str(TODAY - timedelta(days=ago)) for ago in kept]


def test_beyond_the_size_the_oldest_go_but_not_those_with_an_episode(tmp_path: Path) -> None:
    room = Room(tmp_path, Retention(frames_bytes=5_000))
    room.folder.mkdir()
    for ago in (5, 4, 3, 2):
        (room.folder / f"{TODAY - timedelta(days=ago)}.jsonl.gz").write_bytes(b"x" * 2_000)
    room.episodes = [episode(NOON - 5 * DAY, NOON - 5 * DAY)]
    room.keeper.tidy()
    assert [name[8:10] for name in room.names()] == ["26", "29"], "4,000 are left, the episode's among them"
    assert room.keeper.size == 4_000
    room.write(0, words="x" * 99)
    assert room.keeper.size == 4_100


def test_without_knowing_the_episodes_nothing_is_removed(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.write(40, 0)

    def unknown(since: float) -> list[PastEpisode]:
        raise OSError("no database")

    room.keeper._episodes = unknown
    with pytest.raises(OSError, match="no database"):
        room.keeper.tidy()
    assert len(room.names()) == 2


def test_P5_a_clock_that_jumped_removes_nothing_until_it_proves_right(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.write(1, 0)
    room.keeper.tidy()
    room.clock.moment = Moment(NOON + 12 * 365 * DAY, room.clock.moment.mono + 60.0)  # 2037
    room.keeper.tidy()
    assert len(room.names()) == 2
    assert len(room.forgotten) == 1
    room.clock.advance(3_600.0)
    room.segments.close()
    room.keeper.tidy()
    assert room.names() == []


def test_P5_frames_of_a_clock_that_was_not_set_are_not_old(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.clock.moment = Moment(100.0, 5.0)
    room.segments.add(BOX, 50.0, "x")
    room.segments.write()
    room.keeper.tidy()
    room.clock.moment = Moment(NOON, 10.0)
    room.keeper.tidy()
    room.clock.advance(3_600.0)
    room.segments.close()
    room.keeper.tidy()
    assert room.names() == ["1970-01-01.jsonl.gz"]


def test_an_empty_folder_is_nothing_to_tidy(tmp_path: Path) -> None:
    room = Room(tmp_path / "none")
    room.keeper.tidy()
    assert room.keeper.size == 0


def test_the_thread_tidies_at_once_survives_a_failure_and_ends(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.write(1)
    room.segments.close()
    (tmp_path / "odd").mkdir()
    room.folder.chmod(0o700)
    room.keeper._forget = lambda now: 1 / 0  # type: ignore[assignment,return-value]
    room.keeper.start()
    while not room.keeper.failures:
        room.keeper.join(0.01)
    room.keeper.stop()
    assert room.keeper.join(5)
    assert room.names() == ["2025-09-30.jsonl.gz"]


# -- facts -------------------------------------------------------------------------------------------------------


def test_old_facts_go_those_of_an_episode_later(url: str) -> None:
    ordered = episode_view().ordered
    far, near = ordered.later(-40 * DAY), ordered.later(5.0)
    store = Store(parsed(url))
    rows = [*rows_of(BOX, step()), session_began(BOX, "s1", "", far)]
    for moment in (far, near):
        rows += rows_of(BOX, Record(FactKind.NOTE, ONE, moment, "note"))
        rows += rows_of(BOX, Record(FactKind.SAMPLE, ONE, moment, "over", subject=replace(reading(), arrived=moment)))
        asked = OrderRecord(UniqueId("1"), "SetChargingProfile", ONE, moment, "", None)
        rows += rows_of(BOX, Record(FactKind.ORDER, ONE, moment, "requested", subject=asked))
    store.write(rows)
    tables = ("notes", "samples", "orders", "sessions", "episodes", "steps")

    def left() -> list[int]:
        return [len(look(url, f"SELECT * FROM {table}")) for table in tables]

    assert left() == [2, 2, 2, 1, 1, 1]
    store.forget(ordered.utc + 100 * DAY, ordered.utc - 100 * DAY)
    assert left() == [1, 1, 1, 1, 1, 1], "what lies around the episode is kept with it"
    store.forget(ordered.utc + 500 * DAY, ordered.utc + 400 * DAY)
    assert left() == [0, 0, 0, 0, 0, 0]
    store.close()


def test_a_folder_that_cannot_be_read_is_one_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(tmp_path)

    def refused(_: Path) -> None:
        room.keeper.stop()
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(Path, "iterdir", refused)
    room.keeper.start()
    assert room.keeper.join(10.0)
    assert room.keeper.failures == 1
    (line,) = caplog.records
    assert line.exc_info is None
    assert str(tmp_path) in line.getMessage()
