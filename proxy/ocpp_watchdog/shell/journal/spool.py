"""Where frames go first when many come: onto the disk as they are, at a tenth of the cost of a line, lines made later.

Files of records, each a few frames (``raw.py``) with length and checksum, so that a torn or flipped end is known as
such. Used by one thread; of what it does for many frames only joining them keeps the interpreter. Raises OSError as it
comes; nothing of a batch is kept then.
"""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from zlib import crc32

from ocpp_watchdog.shell.journal.names import make_private
from ocpp_watchdog.shell.journal.raw import cut

log = logging.getLogger(__name__)

FOLDER, SUFFIX = "spool", ".raw"
LARGEST_FILE = 8 * 1024 * 1024
"""A file that is full is synced, which costs as much as writing a megabyte."""

HEAD = struct.Struct("<4sII")
MARK = b"WDF2"


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

    def append(self, pieces: Sequence[bytes]) -> None:
        """Write these frames behind all others."""
        body = b"".join(pieces)
        head = HEAD.pack(MARK, len(body), crc32(body))
        fd = self._file()
        try:
            _write(fd, head, body)
        except OSError:
            with suppress(OSError):  # else the checksum tells
                os.ftruncate(fd, self._written)
            self._close()
            raise
        self._written += len(head) + len(body)
        self.size += len(head) + len(body)
        self._dirty = True
        if self._written >= LARGEST_FILE:
            self.sync()
            self._close()

    def sync(self) -> None:
        """Bring everything onto the disk."""
        if self._fd is not None and self._dirty:
            os.fsync(self._fd)
            self._dirty = False

    def oldest(self) -> list[bytes]:
        """The frames of the oldest file in pieces, in order. It is not written to any more."""
        path = self._files[0]
        if len(self._files) == 1:
            self._close()
        data = path.read_bytes()
        pieces: list[bytes] = []
        at = 0
        while at < len(data):
            body = _record(data, at)
            if body is None:
                self.damaged += 1
                log.error("%s is damaged at byte %s; what stands before is kept", path.name, at)
                break
            pieces += cut(body)
            at += HEAD.size + len(body)
        return pieces

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


def _write(fd: int, head: bytes, body: bytes) -> None:
    """Write both, nearly always in one call: each gives the interpreter away and wants it back."""
    done = os.writev(fd, (head, body))
    while done < len(head):
        done += os.write(fd, head[done:])
    view = memoryview(body)[done - len(head) :]
    while view:
        view = view[os.write(fd, view) :]


def _record(data: bytes, at: int) -> bytes | None:
    """The body of the record that begins here; None: it is not whole."""
    if len(data) - at < HEAD.size:
        return None
    mark, size, check = HEAD.unpack_from(data, at)
    body = data[at + HEAD.size : at + HEAD.size + size]
    return body if mark == MARK and len(body) == size and crc32(body) == check else None
