"""Simulated time. Both simulators live on one of these, so that minutes of a story can pass in seconds.

Knows nothing of OCPP but how a central system and a charge point write a moment.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class SimClock:
    """A clock that runs ``speed`` times as fast as the real one.

    speed: 1.0 is real time, 30 is a time lapse. start_utc: POSIX seconds the simulated clock shows at its creation;
    None takes the real time.
    """

    def __init__(self, speed: float = 1.0, start_utc: float | None = None) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above zero: {speed}")
        self.speed = speed
        self._origin = time.monotonic()
        self._start_utc = time.time() if start_utc is None else start_utc

    def mono(self) -> float:
        """Simulated seconds since this clock was made; never jumps."""
        return (time.monotonic() - self._origin) * self.speed

    def utc(self) -> float:
        """Simulated POSIX seconds."""
        return self._start_utc + self.mono()

    def real_seconds(self, seconds: float) -> float:
        """How long simulated ``seconds`` last on a real clock."""
        return seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait for simulated ``seconds``; nothing for a negative value."""
        await asyncio.sleep(max(0.0, self.real_seconds(seconds)))

    async def sleep_until(self, mono: float) -> None:
        """Wait until ``mono()`` has reached the value given; grids made of these do not drift."""
        await self.sleep(mono - self.mono())


def whole_seconds(utc: float) -> str:
    """POSIX seconds as UTC text with whole seconds and ``Z``, cut and not rounded."""
    return datetime.fromtimestamp(int(utc), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def posix_seconds(text: object) -> float | None:
    """ISO 8601 text as POSIX seconds; a missing zone is read as UTC. None: no such text."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
