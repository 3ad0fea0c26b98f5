"""The clock as the parts of the shell see it: a port, like those of ``ports``. Who reads the time is ``clock``."""

from __future__ import annotations

from typing import Protocol

from ocpp_watchdog.core.terms import Moment


class Time(Protocol):
    """Gives the time, and turns a moment into a wait."""

    def now(self) -> Moment:
        """This instant on both clocks."""

    def utc(self) -> float:
        """The wall clock alone, POSIX seconds: the ``utc`` of ``now``."""

    def mono(self) -> float:
        """The clock that never jumps, seconds: the ``mono`` of ``now``. Both are for the path of every frame."""

    def seconds_until(self, mono: float) -> float:
        """Real seconds until the monotonic clock shows this, 0.0 when it has passed."""
