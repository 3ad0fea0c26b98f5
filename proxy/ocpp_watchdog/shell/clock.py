"""Reads the time and returns a ``Moment``; nobody else does.

Real time is the host's own two clocks. The demo and trials run the same program in time lapse: then both clocks are
made from one start instant and the monotonic clock times a speed, so that a jump of the host's clock disturbs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ocpp_watchdog.core.terms import Moment

stopwatch: Callable[[], float] = time.perf_counter
"""Real seconds for short differences: what something of ours took."""


ALLOWANCE_SECONDS = 60.0
"""A clock that is being set well may go back by this much."""

PATIENCE_SECONDS = 86_400.0


class Clock:
    """The only clock of the program.

    speed: simulated seconds per real second. starts_at: POSIX seconds the simulated wall clock shows at construction;
    None at speed 1 is the host's wall clock itself, None at any other speed starts from it.
    """

    def __init__(
        self,
        speed: float = 1.0,
        starts_at: float | None = None,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if speed <= 0.0:
            raise ValueError("speed must be above 0")
        self.speed = speed
        self._wall = wall
        self._monotonic = monotonic
        self._began = monotonic()
        self._starts_at = wall() if starts_at is None and speed != 1.0 else starts_at
        self.utc = wall if self._starts_at is None else lambda: self.now().utc
        self.mono = monotonic if self._starts_at is None else lambda: self.now().mono

    def now(self) -> Moment:
        """This instant on both clocks."""
        real = self._monotonic()
        if self._starts_at is None:
            return Moment(self._wall(), real)
        elapsed = (real - self._began) * self.speed
        return Moment(self._starts_at + elapsed, self._began + elapsed)

    def not_before(self, utc: float) -> bool:
        """Do not believe a wall clock that shows less than ``utc``, a moment that is known to have passed.

        A machine without battery or network starts anywhere in time. It then goes on from that moment until the wall
        clock shows more, for a day at most: by then it was set, or what was known is wrong. To be called before
        anybody asks for the time. Result: whether it is not believed.
        """
        wall, monotonic, began = self._wall, self._monotonic, self._monotonic()
        if self._starts_at is not None or wall() >= utc - ALLOWANCE_SECONDS:
            return False

        def believed() -> float:
            passed = monotonic() - began
            return max(wall(), utc + passed) if passed < PATIENCE_SECONDS else wall()

        self._wall = self.utc = believed
        return True

    def seconds_until(self, mono: float) -> float:
        """Real seconds until the monotonic clock shows ``mono``, 0.0 when it has passed: what to give to a timer."""
        return max(0.0, (mono - self.now().mono) / self.speed)
