"""Names of folders and segments: safe whatever a charge point calls itself, and never the same for two of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

READABLE = 40
DIGEST = 20
PLAIN, PACKED, PARTIAL = ".jsonl", ".jsonl.gz", ".part"
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.([1-9]\d{0,5}))?(\.jsonl(?:\.gz)?)")


def folder_of(charge_point: str) -> str:
    """The folder of this charge point: what can be read of its id, and a digest of it that tells it from all others
    (also where a file system knows no case)."""
    digest = sha256(charge_point.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST]
    return f"{_UNSAFE.sub('_', charge_point[:READABLE])}-{digest}"


def make_private(folder: Path) -> None:
    """The folder exists; what of it had to be made is its owner's alone. Raises OSError."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def day_of(utc: float) -> date:
    """The day of a moment, UTC."""
    return datetime.fromtimestamp(utc, UTC).date()


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """Name of one segment. number: 1, 2, ... of that day."""

    day: date
    number: int
    suffix: str = PLAIN

    def __str__(self) -> str:
        number = "" if self.number == 1 else f".{self.number}"
        return f"{self.day.isoformat()}{number}{self.suffix}"


def parse(name: str) -> Name | None:
    """The name of a segment, None when it is none."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        return Name(date.fromisoformat(found[1]), int(found[2] or 1), found[3])
    except ValueError:
        return None


def segments_in(folder: Path) -> Iterator[tuple[Name, Path]]:
    """The segments of one charge point's folder, oldest first; a folder that is not there has none."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except FileNotFoundError:
        return
    for name in sorted(found for found in map(parse, names) if found is not None):
        yield name, folder / str(name)
