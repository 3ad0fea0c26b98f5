"""What a simulator received, sent and did, with simulated times: the ground truth a test or a narrator reads."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .clock import SimClock

Way = Literal["sent", "received"]
KEPT = 100_000
"""A simulator may run for weeks; only the last messages are kept."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One message on the wire of one charge point. ``utc`` and ``mono``: simulated seconds; ``text``: as it was."""

    utc: float
    mono: float
    charge_point: str
    way: Way
    text: str

    def decoded(self) -> list[object]:
        """The message as a JSON list; empty when it is none."""
        try:
            value = json.loads(self.text)
        except ValueError:
            return []
        return value if isinstance(value, list) else []

    @property
    def action(self) -> str | None:
        """The action of a CALL; None for anything else."""
        message = self.decoded()
        return message[2] if len(message) == 4 and message[0] == 2 and isinstance(message[2], str) else None

    @property
    def payload(self) -> dict[str, object]:
        """The payload of a CALL or CALLRESULT; empty for anything else."""
        message = self.decoded()
        last = message[-1] if message and message[0] in {2, 3} else None
        return last if isinstance(last, dict) else {}


@dataclass(slots=True)
class Transcript:
    """The last messages in order."""

    clock: SimClock
    entries: deque[LogEntry] = field(default_factory=lambda: deque(maxlen=KEPT))

    def add(self, charge_point: str, way: Way, text: str) -> None:
        """Write one message down, now."""
        self.entries.append(LogEntry(self.clock.utc(), self.clock.mono(), charge_point, way, text))

    def calls(self, way: Way, action: str | None = None, charge_point: str | None = None) -> list[LogEntry]:
        """The CALLs that went ``way``, all of them or of one action, of all charge points or one."""
        return [
            entry
            for entry in self.entries
            if entry.way == way
            and entry.action is not None
            and action in {None, entry.action}
            and charge_point in {None, entry.charge_point}
        ]

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing worth telling. ``peer``: ``charge_point`` or ``central_system``; ``name``: what happened, in the past
    tense; ``connector``: 0 for the whole charge point; ``values``: its numbers and words, by name."""

    utc: float
    mono: float
    peer: str
    charge_point: str
    name: str
    connector: int
    values: Mapping[str, object]


Narrator = Callable[[Happening], None]


def say_nothing(_happening: Happening) -> None:
    """The narrator of those who need none."""
