"""How long the journal keeps what: closed segments are packed, old ones go, those of a day with an episode stay longer.

One thread of low priority, once an hour, sooner when much was written. Where it is not known which days had an episode,
nothing is removed. A clock that jumped is not believed until the next time.
"""

from __future__ import annotations

import gzip
import logging
import math
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from threading import get_native_id

from ocpp_watchdog.core.terms import Moment
from ocpp_watchdog.past import PastEpisode
from ocpp_watchdog.shell.journal.names import PACKED, PARTIAL, PLAIN, Name, day_of, folder_of, segments_in
from ocpp_watchdog.shell.journal.segments import Segments
from ocpp_watchdog.shell.journal.working import Worker
from ocpp_watchdog.shell.timekeeping import Time

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
LOOKS_BETWEEN = 60
"""Looks from one tidying to the next when little is written."""

MUCH = 1 / 16
"""Of the bytes that may be kept: so much more is worth a tidying."""

CHUNK = 256 * 1024
NICE = 15
JUMP_SECONDS = 3_600.0
FIRST_DAY = date(2020, 1, 1)
"""Frames of earlier days were recorded by a clock that was not set: they say nothing about their age."""

DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Retention:
    """frames_days, frames_bytes: of frames; episodes_days: of episodes with the frames of their days, whatever their
    size."""

    frames_days: int = 30
    frames_bytes: int = 1024**3
    episodes_days: int = 365


@dataclass(frozen=True, slots=True)
class _Held:
    """A segment on the disk."""

    name: Name
    path: Path
    size: int


Episodes = Callable[[float], list[PastEpisode]]
"""The episodes since a moment (POSIX seconds). Raises whatever it likes when they cannot be known."""


class Keeper(Worker):
    """The thread. size: bytes of all segments; failures only grows."""

    def __init__(
        self,
        segments: Segments,
        retention: Retention,
        clock: Time,
        episodes: Episodes,
        forget: Callable[[Moment], None],
    ) -> None:
        """forget: lets the old facts go; called with the moment it is."""
        super().__init__("journal keeper")
        self._segments = segments
        self._retention = retention
        self._clock = clock
        self._episodes = episodes
        self._forget = forget
        self._measured = 0
        self._bytes_then = 0
        self._before: Moment | None = None

    @property
    def size(self) -> int:
        """Bytes of all segments: counted at the last tidying, and what was written since."""
        return self._measured + self._segments.bytes_written - self._bytes_then

    def _run(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, get_native_id(), NICE)
        looks = 0
        while not self._stopping.is_set():
            grown = self._segments.bytes_written - self._bytes_then
            if looks % LOOKS_BETWEEN == 0 or grown > self._retention.frames_bytes * MUCH:
                looks = 0
                try:
                    self.tidy()
                except OSError as error:
                    self.failures += 1
                    log.error("the journal could not be tidied (%s); it is tried again", error)
                except Exception:  # top of a thread
                    self.failures += 1
                    log.exception("the journal could not be tidied; it is tried again")
            looks += 1
            self._stopping.wait(LOOK_SECONDS)

    def tidy(self) -> None:
        """Pack and remove what is to be packed and removed."""
        now = self._clock.now()
        before, self._before = self._before, now
        self._pack_closed(day_of(now.utc))
        written = self._segments.bytes_written
        held = list(self._held())
        has_jumped = before is not None and abs(now.utc - before.utc - (now.mono - before.mono)) > JUMP_SECONDS
        removed = 0
        if not has_jumped and day_of(now.utc) >= FIRST_DAY:
            removed = self._remove(held, now)
            self._forget(now)
        self._measured, self._bytes_then = sum(one.size for one in held) - removed, written

    # -- packing -------------------------------------------------------------------------------------------------

    def _pack_closed(self, today: date) -> None:
        for folder in self._folders():
            for partial in folder.glob(f"*{PARTIAL}"):
                partial.unlink(missing_ok=True)
            for name, path in segments_in(folder):
                if self._stopping.is_set():
                    return
                if name.suffix == PLAIN and name.day != today and self._segments.claim(path):
                    self._pack(path)
                    self._segments.release(path)

    def _pack(self, path: Path) -> None:
        """Pack a closed segment; at any moment either it or the packed one is there whole."""
        packed = path.with_name(path.name.removesuffix(PLAIN) + PACKED)
        if not packed.exists():
            partial = packed.with_name(packed.name + PARTIAL)
            if not self._packed_into(partial, path):
                return
            partial.rename(packed)
            _sync_folder(packed.parent)
        path.unlink()

    def _packed_into(self, partial: Path, path: Path) -> bool:
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as out, path.open("rb") as source:
            with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=6, mtime=0) as packing:
                while chunk := source.read(CHUNK):
                    if self._stopping.is_set():
                        return False
                    packing.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        return True

    # -- removing ------------------------------------------------------------------------------------------------

    def _remove(self, held: list[_Held], now: Moment) -> int:
        """Remove what is too old, then the oldest of what is too much; gives how many bytes."""
        kept_until = day_of(now.utc) - timedelta(days=self._retention.frames_days)
        too_much = sum(one.size for one in held) - self._retention.frames_bytes
        if too_much <= 0 and not any(FIRST_DAY <= one.name.day < kept_until for one in held):
            return 0
        protected = self._days_with_episodes(now)
        removed = 0
        for one in sorted(held, key=lambda one: one.name):
            is_old = FIRST_DAY <= one.name.day < kept_until
            if (one.path.parent.name, one.name.day) in protected or not (is_old or removed < too_much):
                continue
            if self._segments.claim(one.path):
                one.path.unlink(missing_ok=True)
                self._segments.release(one.path)
                removed += one.size
        return removed

    def _days_with_episodes(self, now: Moment) -> set[tuple[str, date]]:
        """Folder and day of the segments that hold an episode, the order that began it included."""
        found: set[tuple[str, date]] = set()
        for episode in self._episodes(now.utc - self._retention.episodes_days * DAY_SECONDS):
            ended = now.utc if episode.ended is None else episode.ended.utc
            days = math.floor(ended / DAY_SECONDS) - math.floor(episode.ordered.utc / DAY_SECONDS)
            first = day_of(episode.ordered.utc)
            folder = folder_of(episode.charge_point)
            found.update((folder, first + timedelta(days=more)) for more in range(days + 1))
        return found

    def _held(self) -> Iterator[_Held]:
        for folder in self._folders():
            for name, path in segments_in(folder):
                with suppress(FileNotFoundError):
                    yield _Held(name, path, path.stat().st_size)

    def _folders(self) -> list[Path]:
        with suppress(FileNotFoundError):
            return sorted(path for path in self._segments.folder.iterdir() if path.is_dir())
        return []


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
