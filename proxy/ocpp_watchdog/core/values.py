"""Values of which tens of thousands are made in a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(kind: type[T]) -> type[T]:
    """A dataclass with slots that nobody may change: the type checker sees to it, for what is frozen at run time takes
    up to nine times as long to make."""
    return dataclass(slots=True, unsafe_hash=True)(kind)
