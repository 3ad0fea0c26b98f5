"""Opens logs: plain, gzip, bzip2 or xz, from a file or from standard input, line by line. Says how far it has come."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

STANDARD_INPUT = "-"
_MAGIC = 8
_ZSTD = b"\x28\xb5\x2f\xfd"
_PACKED: tuple[tuple[bytes, Callable[[BinaryIO], gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile]], ...] = (
    (b"\x1f\x8b", lambda raw: gzip.GzipFile(fileobj=raw)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
)
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


class UnusableLogError(Exception):
    """A log that cannot be read; its text is one line that names it."""


class Lines:
    """The lines of one log. position: bytes taken from it so far, as they are stored."""

    def __init__(self, text: IO[str], position: Callable[[], int]) -> None:
        self._text = text
        self.position = position

    def __iter__(self) -> Iterator[str]:
        return iter(self._text)


@contextmanager
def opened(name: str) -> Iterator[Lines]:
    """The lines of a log, ``-`` for standard input. Raises UnusableLogError, while reading, too."""
    try:
        if name == STANDARD_INPUT:
            yield _lines(io.BufferedReader(_Counted(sys.stdin.buffer)))
        else:
            with Path(name).open("rb") as raw:
                yield _lines(raw)
    except (OSError, EOFError, lzma.LZMAError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UnusableLogError(f"{shown(name)}: {reason}") from None


def size_of(names: list[str]) -> int | None:
    """Bytes of all these logs together; None: it cannot be told."""
    total = 0
    for name in names:
        if name == STANDARD_INPUT:
            return None
        try:
            total += Path(name).stat().st_size
        except OSError:
            return None
    return total


def shown(name: str) -> str:
    """How a log is called in messages."""
    return "standard input" if name == STANDARD_INPUT else name


class _Counted(io.RawIOBase):
    """Standard input, which cannot tell its position."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        block = self._source.read(len(view))
        view[: len(block)] = block
        self._taken += len(block)
        return len(block)

    def tell(self) -> int:
        return self._taken


def _lines(raw: io.BufferedReader) -> Lines:
    magic = raw.peek(_MAGIC)[:_MAGIC]
    if magic.startswith(_ZSTD):
        raise OSError(0, "packed with zstd; unpack it first (zstd -d)")
    packed = next((unpack for mark, unpack in _PACKED if magic.startswith(mark)), None)
    source = raw if packed is None else packed(raw)
    encoding = "utf-8"
    if packed is None:
        encoding = next((name for mark, name in _MARKS if magic.startswith(mark)), encoding)
    text = io.TextIOWrapper(source, encoding=encoding, errors="replace", newline="\n")
    return Lines(text, raw.raw.tell)
