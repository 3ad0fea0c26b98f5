"""The newest few of something.

What a ``deque(maxlen=...)`` is, for the few items that a charge point needs of each kind: an empty deque takes 760
bytes, and a judge that thousands of charge points have needs six.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


class Recent(list[T]):
    """A list that keeps at most ``most`` items, oldest first; only ``append`` adds to it."""

    __slots__ = ("most",)

    def __init__(self, most: int, items: Iterable[T] = ()) -> None:
        """items: the oldest first; of too many the newest are kept."""
        super().__init__()
        self.most = most
        for item in items:
            self.append(item)

    def append(self, item: T) -> None:
        """Add the newest; the oldest goes when there are too many."""
        super().append(item)
        if len(self) > self.most:
            del self[0]
