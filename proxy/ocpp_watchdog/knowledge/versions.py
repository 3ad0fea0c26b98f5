"""Firmware versions as they can be compared: the numbers in a text, in their order."""

from __future__ import annotations

import re
from collections.abc import Sequence

Version = tuple[int, ...]

_NUMBERS = re.compile(r"\d+(?:\.\d+)*", re.ASCII)
MOST_DIGITS = 9
MOST_CHARACTERS = 200
"""What is longer is no version, and nothing is searched in it for ever."""


def version_of(text: str) -> Version | None:
    """The first dotted row of numbers in a text; None when there is none: ``V1.17.9`` gives (1, 17, 9)."""
    found = _NUMBERS.search(text[:MOST_CHARACTERS])
    if found is None:
        return None
    numbers = found.group().split(".")
    return tuple(map(int, numbers)) if all(len(number) <= MOST_DIGITS for number in numbers) else None


def running_version(said: str, pattern: str) -> Version | None:
    """The version in what a device says of itself, found by its pattern; None: unknown."""
    found = re.search(pattern, said[:MOST_CHARACTERS], re.ASCII | re.IGNORECASE)
    return version_of(found.group(1)) if found is not None and found.group(1) else None


def is_within(version: Version, first: str | None, last: str | None, only: Sequence[str] = ()) -> bool:
    """Whether a version lies in a range; ends are inclusive, None is open. only: exactly one of these."""
    if only:
        return any(version == version_of(name) for name in only)
    low, high = version_of(first or ""), version_of(last or "")
    return (low is None or version >= low) and (high is None or version[: len(high)] <= high)
