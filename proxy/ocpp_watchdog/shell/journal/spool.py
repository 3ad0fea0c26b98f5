"""Where frames go first when many come: onto the disk as they are, at a tenth of the cost of a line, lines made later.

Files of records, each a few frames with length and checksum, so that a torn or flipped end is known as such. Used by
one thread. Raises OSError as it comes; nothing of a batch is kept then.
"""

from __future__ import annotations

import logging
import marshal
import os
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from zlib import crc32

from ocpp_watchdog.core.mending import Repaired
from ocpp_watchdog.core.terms import ChargePointId, Direction, Moment
from ocpp_watchdog.shell.journal.names import make_private
from ocpp_watchdog.shell.journal.tracks import Track
from ocpp_watchdog.shell.ports import Passage, Passed

log = logging.getLogger(__name__)

FOLDER, SUFFIX = "spool", ".raw"
LARGEST_FILE = 1024 * 1024
HEAD = struct.Struct("<4sII")
MARK = b"WDF1"
MARSHAL_VERSION = 4
"""Of the format inside a record, the same since Python 3.4."""

PASSAGES = tuple(Passage)


class Spool:
    """The files of one folder, oldest first. damaged: records that could not be read; size: bytes of all files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._fd: int | None = None
        self._written = 0
        self._dirty = False
        self.size = 0
        self._files = self._found()
        self.damaged = 0

    @property
    def is_empty(self) -> bool:
        """Nothing waits here."""
        return not self._files

    def append(self, passed: Sequence[Passed]) -> None:
        """Write these frames behind all others; those of a session nobody opened are left out."""
        body = marshal.dumps(packed(passed), MARSHAL_VERSION)
        record = memoryview(HEAD.pack(MARK, len(body), crc32(body)) + body)
        fd = self._file()
        done = 0
        try:
            while done < len(record):
                done += os.write(fd, record[done:])
        except OSError:
            with suppress(OSError):  # else the checksum tells
                os.ftruncate(fd, self._written)
            self._close()
            raise
        self._written += done
        self.size += done
        self._dirty = True
        if self._written >= LARGEST_FILE:
            self.sync()
            self._close()

    def sync(self) -> None:
        """Bring everything onto the disk."""
        if self._fd is not None and self._dirty:
            os.fsync(self._fd)
            self._dirty = False

    def oldest(self) -> list[Passed]:
        """The frames of the oldest file, in order. It is not written to any more."""
        path = self._files[0]
        if len(self._files) == 1:
            self._close()
        data = path.read_bytes()
        frames: list[Passed] = []
        at = 0
        while at < len(data):
            body = _record(data, at)
            if body is None:
                self.damaged += 1
                log.error("%s is damaged at byte %s; what stands before is kept", path.name, at)
                break
            frames += unpacked(marshal.loads(body))
            at += HEAD.size + len(body)
        return frames

    def remove_oldest(self) -> None:
        """Its frames are lines now."""
        path = self._files.pop(0)
        with suppress(FileNotFoundError):
            self.size -= path.stat().st_size
            path.unlink()

    def close(self) -> None:
        """Sync and close."""
        try:
            self.sync()
        finally:
            self._close()

    def _file(self) -> int:
        if self._fd is None:
            make_private(self._folder)
            number = int(self._files[-1].stem) + 1 if self._files else 1
            path = self._folder / f"{number:08d}{SUFFIX}"
            self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._files.append(path)
            self._written = 0
        return self._fd

    def _close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _found(self) -> list[Path]:
        """What an earlier process left. A folder that cannot be read is the business of the first write."""
        try:
            found = sorted(path for path in self._folder.iterdir() if path.suffix == SUFFIX and path.stem.isdecimal())
            self.size = sum(path.stat().st_size for path in found)
        except OSError:
            return []
        return found


def packed(passed: Iterable[Passed]) -> list[tuple[object, ...]]:
    """Frames as plain values."""
    forwarded, up = Passage.FORWARDED, Direction.TO_CENTRAL_SYSTEM
    return [
        (
            track.charge_point,
            track.session,
            0 if passage is forwarded else PASSAGES.index(passage),
            direction is up,
            frames if type(frames) is bytes else _plain(frames),
            utc,
            mono,
        )
        for track, passage, direction, frames, utc, mono in passed
        if isinstance(track, Track)
    ]


def _plain(frames: bytes) -> object:
    if isinstance(frames, Repaired):
        return bytes(frames), frames.repairs, bytes(frames.original)
    return bytes(frames)


def unpacked(values: Iterable[tuple[object, ...]]) -> list[Passed]:
    """The same frames again."""
    tracks: dict[tuple[object, object], Track] = {}
    return [_entry(tracks, *value) for value in values]


def _entry(tracks: dict[tuple[object, object], Track], *value: object) -> Passed:
    charge_point, session, passage, is_up, frames, utc, mono = value
    track = tracks.get((charge_point, session))
    if track is None:
        track = Track(ChargePointId(str(charge_point)), str(session), Moment(0.0, 0.0))
        tracks[charge_point, session] = track
    direction = Direction.TO_CENTRAL_SYSTEM if is_up else Direction.TO_CHARGE_POINT
    if isinstance(frames, tuple):
        sent, repairs, original = frames
        whole: bytes = Repaired(sent, original, repairs)
    else:
        whole = frames if isinstance(frames, bytes) else b""
    assert isinstance(passage, int)
    assert isinstance(utc, float)
    assert isinstance(mono, float)
    return (track, PASSAGES[passage], direction, whole, utc, mono)


def _record(data: bytes, at: int) -> bytes | None:
    """The body of the record that begins here; None: it is not whole."""
    if len(data) - at < HEAD.size:
        return None
    mark, size, check = HEAD.unpack_from(data, at)
    body = data[at + HEAD.size : at + HEAD.size + size]
    return body if mark == MARK and len(body) == size and crc32(body) == check else None
