"""An event loop whose time leaps: it stands while anything happens, and jumps to the next timer when nothing does.

Sockets are real, only waiting is not. So minutes of a story take seconds, and a busy machine makes a story slow but
never different: every part of the program, the relay's own timers too, lives on the one clock of this loop.
"""

from __future__ import annotations

import asyncio
import fcntl
import selectors
import termios
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.simulator.clock import SimClock

GRACE_SECONDS = 0.0003
LONG_GRACE_SECONDS = 0.005
"""Real time that bytes on their way over the loopback get before time leaps, the longer one right behind traffic. What
needs longer on a very busy machine costs a story the distance of two timers, half a second: no rule is that narrow."""

STILL_SECONDS = 0.01

Result = TypeVar("Result")
Ready = list[tuple[selectors.SelectorKey, int]]


class _Hands(selectors.SelectSelector):
    """Waits for sockets as usual; instead of waiting for a timer it moves the hands of the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 1_000.0
        self.held = 0
        self.is_busy: Callable[[], bool] = lambda: False
        self._had_traffic = False

    def select(self, timeout: float | None = None) -> Ready:
        if timeout is not None and timeout <= 0:
            return self._noted(super().select(0))
        ready = self._noted(super().select(self._grace()))
        if ready:
            return ready
        self._had_traffic = False
        if self.held or timeout is None or self.is_busy():
            return self._noted(super().select(STILL_SECONDS))
        self.seconds += timeout
        return []

    def _grace(self) -> float:
        """Nothing to wait for when every byte that was sent has arrived (an acknowledgement may be late, 40 ms)."""
        if not any(unacknowledged(descriptor) for descriptor in self.get_map()):
            return 0.0
        return LONG_GRACE_SECONDS if self._had_traffic else GRACE_SECONDS

    def _noted(self, ready: Ready) -> Ready:
        self._had_traffic |= bool(ready)
        return ready


def unacknowledged(descriptor: Any) -> bool:
    """Whether something that was written to this socket is still on its way."""
    try:
        return any(fcntl.ioctl(descriptor, termios.TIOCOUTQ, b"\0" * 4))
    except OSError:
        return False


class LeapingLoop(asyncio.SelectorEventLoop):
    """The loop. ``time`` is simulated seconds."""

    def __init__(self) -> None:
        self._hands = _Hands()
        super().__init__(self._hands)

    def time(self) -> float:
        return self._hands.seconds

    def run_in_executor(self, *work: Any) -> asyncio.Future[Any]:
        """As usual; time stands until the thread is done."""
        future = super().run_in_executor(*work)
        self._hands.held += 1
        future.add_done_callback(self._thread_is_done)
        return future

    async def shutdown_default_executor(self, *how: Any) -> None:
        """As usual; a thread that ends is no reason to leap over its time limit."""
        with self.still():
            await super().shutdown_default_executor(*how)

    def _thread_is_done(self, _: asyncio.Future[Any]) -> None:
        self._hands.held -= 1

    def stands_while(self, is_busy: Callable[[], bool]) -> None:
        """Time stands whenever this holds: threads that nobody waits for are at work."""
        self._hands.is_busy = is_busy

    @contextmanager
    def still(self) -> Iterator[None]:
        """Time stands while the block lasts."""
        self._hands.held += 1
        try:
            yield
        finally:
            self._hands.held -= 1


def lived(story: Coroutine[Any, Any, Result]) -> Result:
    """Run a story on a leaping loop of its own."""
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(story)


def leaping() -> LeapingLoop:
    """The loop that runs."""
    running = asyncio.get_running_loop()
    assert isinstance(running, LeapingLoop)
    return running


class LoopClock(SimClock):
    """The simulators' clock on the loop's time. began: the loop's time at its zero."""

    def __init__(self, start_utc: float) -> None:
        super().__init__(1.0, start_utc)
        self._loop = leaping()
        self.began = self._loop.time()

    def mono(self) -> float:
        return self._loop.time() - self.began


def program_clock(start_utc: float) -> Clock:
    """The program's clock on the loop's time."""
    return Clock(starts_at=start_utc, monotonic=leaping().time)
