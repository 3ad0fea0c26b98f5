"""The files frames are appended to: one folder a charge point, one segment a day, lines whole or not there at all.

Used by one thread. Raises OSError as it comes; what could not be written waits, bounded, and goes into a new segment
later. A segment that is open here is nobody else's: whoever packs or removes files asks ``claim`` first.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from threading import Lock

from ocpp_watchdog.shell.journal.names import PLAIN, Name, day_of, folder_of, make_private, segments_in

MOST_OPEN = 64
LARGEST_SEGMENT = 64 * 1024 * 1024
MOST_WAITING_BYTES = 32 * 1024 * 1024
LONGEST_TAIL = 4 * 1024 * 1024
NEW_FILE = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(slots=True)
class _Segment:
    """An open file. size: whole lines in it; dirty: not synced yet."""

    fd: int
    path: Path
    day: date
    size: int
    dirty: bool = False


@dataclass(slots=True)
class _Waiting:
    """Lines of one charge point and day that are not written yet."""

    lines: list[str] = field(default_factory=list)
    size: int = 0


class Segments:
    """All segments below one folder. lines_written, bytes_written: so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines_written = 0
        self.bytes_written = 0
        self._open: dict[str, _Segment] = {}
        self._waiting: dict[tuple[str, date], _Waiting] = {}
        self._waiting_bytes = 0
        self._given_up: set[Path] = set()
        self._claimed: set[Path] = set()
        self._lock = Lock()

    # -- lines ---------------------------------------------------------------------------------------------------

    def add(self, charge_point: str, utc: float, line: str) -> None:
        """Let this line (ASCII, without its end) wait for ``write``."""
        key = (charge_point, day_of(utc))
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = _Waiting()
        waiting.lines.append(line)
        waiting.size += len(line) + 1
        self._waiting_bytes += len(line) + 1

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait for ``write``."""
        return self._waiting_bytes

    def write(self) -> None:
        """Hand everything that waits to the operating system. Raises the first OSError after all were tried; what
        failed waits on."""
        failure = None
        for key, waiting in list(self._waiting.items()):
            try:
                self._append(*key, waiting)
            except OSError as error:
                failure = failure or error
                continue
            self.lines_written += len(waiting.lines)
            self.bytes_written += waiting.size
            self._waiting_bytes -= waiting.size
            del self._waiting[key]
        if failure is not None:
            raise failure

    def drop(self) -> int:
        """Forget the oldest of what waits beyond the bound; gives how many lines are lost."""
        lost = 0
        for key, waiting in list(self._waiting.items()):
            count, size = 0, 0
            for line in waiting.lines:
                if self._waiting_bytes - size <= MOST_WAITING_BYTES:
                    break
                count, size = count + 1, size + len(line) + 1
            del waiting.lines[:count]
            waiting.size -= size
            self._waiting_bytes -= size
            lost += count
            if not waiting.lines:
                del self._waiting[key]
        return lost

    def sync(self) -> None:
        """Bring what was written onto the disk. Raises OSError; that segment is then closed for good."""
        failure = None
        for charge_point, segment in list(self._open.items()):
            if not segment.dirty:
                continue
            try:
                os.fsync(segment.fd)
                segment.dirty = False
            except OSError as error:
                failure = failure or error
                self._give_up(charge_point, segment)
        if failure is not None:
            raise failure

    def close_other_days(self, today: date) -> None:
        """Close the segments of other days."""
        for charge_point, segment in list(self._open.items()):
            if segment.day != today:
                self._close(charge_point, segment)

    def close(self) -> None:
        """Sync and close everything."""
        for charge_point, segment in list(self._open.items()):
            self._close(charge_point, segment)

    def last_line(self, charge_point: str, day: date) -> str | None:
        """The last whole line of the newest segment of this day, None when there is none."""
        paths = [path for name, path in segments_in(self.folder / folder_of(charge_point)) if name.day == day]
        if not paths or paths[-1].suffix != PLAIN:
            return None
        with paths[-1].open("rb") as file:
            file.seek(max(0, paths[-1].stat().st_size - LONGEST_TAIL))
            whole = file.read().rpartition(b"\n")[0]
        return whole.rpartition(b"\n")[2].decode("ascii", "replace")

    # -- who may touch a file ------------------------------------------------------------------------------------

    def claim(self, path: Path) -> bool:
        """Whether this segment is closed; it is then never appended to again."""
        with self._lock:
            if any(segment.path == path for segment in self._open.values()):
                return False
            self._claimed.add(path)
            return True

    def release(self, path: Path) -> None:
        """The file under this name is gone."""
        with self._lock:
            self._claimed.discard(path)

    # -- files ---------------------------------------------------------------------------------------------------

    def _append(self, charge_point: str, day: date, waiting: _Waiting) -> None:
        segment = self._segment(charge_point, day)
        data = memoryview(("\n".join(waiting.lines) + "\n").encode("ascii"))
        done = 0
        try:
            while done < len(data):
                done += os.write(segment.fd, data[done:])
        except OSError:
            self._take_back(charge_point, segment)
            raise
        segment.size += done
        segment.dirty = True

    def _take_back(self, charge_point: str, segment: _Segment) -> None:
        """Half a batch must not stand there twice, nor half a line at all; the segment is given up."""
        with suppress(OSError):  # else a torn line stays, and readers step over it
            os.ftruncate(segment.fd, segment.size)
        self._give_up(charge_point, segment)

    def _give_up(self, charge_point: str, segment: _Segment) -> None:
        os.close(segment.fd)
        with self._lock:
            del self._open[charge_point]
            self._given_up.add(segment.path)
        if segment.size == 0:
            segment.path.unlink(missing_ok=True)
            self._given_up.discard(segment.path)

    def _close(self, charge_point: str, segment: _Segment) -> None:
        try:
            if segment.dirty:
                os.fsync(segment.fd)
        finally:
            os.close(segment.fd)
            with self._lock:
                del self._open[charge_point]

    def _segment(self, charge_point: str, day: date) -> _Segment:
        segment = self._open.pop(charge_point, None)
        if segment is not None:
            self._open[charge_point] = segment  # the youngest now
            if segment.day == day and segment.size < LARGEST_SEGMENT:
                return segment
            self._close(charge_point, segment)
        while len(self._open) >= MOST_OPEN:
            oldest = next(iter(self._open))
            self._close(oldest, self._open[oldest])
        return self._begin(charge_point, day)

    def _begin(self, charge_point: str, day: date) -> _Segment:
        folder = self.folder / folder_of(charge_point)
        make_private(folder)
        with self._lock:
            path = self._path(folder, day)
            fd = os.open(path, NEW_FILE, 0o600)
            try:
                size = _mended(fd)
            except OSError:
                os.close(fd)
                raise
            segment = self._open[charge_point] = _Segment(fd, path, day, size)
        return segment

    def _path(self, folder: Path, day: date) -> Path:
        """The segment of this day to go on with, or the next one."""
        counted = Counter[int]()
        for name, path in segments_in(folder):
            if name.day == day:
                counted[name.number] += name.suffix != PLAIN or not self._may_go_on(path)
        if not counted:
            return folder / str(Name(day, 1))
        last = max(counted)
        return folder / str(Name(day, last + 1 if counted[last] else last))

    def _may_go_on(self, path: Path) -> bool:
        is_ours = path not in self._claimed and path not in self._given_up
        return is_ours and path.stat().st_size < LARGEST_SEGMENT


def _mended(fd: int) -> int:
    """Close off the torn last line of a file that was not closed by us; gives its size."""
    size = os.fstat(fd).st_size
    if size and os.pread(fd, 1, size - 1) != b"\n":
        size += os.write(fd, b"\n")
    return size
