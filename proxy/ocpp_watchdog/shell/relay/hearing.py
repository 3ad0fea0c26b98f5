"""How a judge is told: guarded, in order, and never inside another call of it (DESIGN R12).

Theory of operation. What is told is told at once, unless the judge is inside a call of its own, or too much came at
once: a read of 64 KiB holds ten thousand empty messages, and while they are judged nobody else is served. Then the rest
waits, in order, and is told a little in each turn of the event loop; everything that is told meanwhile waits behind it.
It was all forwarded before, and ``behind`` says that whoever sent it is not to be read until the judge has caught up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from ocpp_watchdog.core.lane import Heard, What
from ocpp_watchdog.core.mending import Repaired
from ocpp_watchdog.core.terms import Direction
from ocpp_watchdog.shell.ports import Judge, Link
from ocpp_watchdog.shell.relay.settings import RelayCounters

MESSAGE = What.MESSAGE

AT_ONCE = 64
"""So much is told in one turn of the event loop."""


class Hearing:
    """The calls to one session's judge. Without a judge only callbacks are told. behind: something waits to be told."""

    __slots__ = ("_busy", "_caught_up", "_counters", "_judge", "_loop", "_todo", "behind", "fault", "wants_messages")

    def __init__(
        self,
        judge: Judge | None,
        counters: RelayCounters,
        fault: Callable[[], None],
        caught_up: Callable[[], None],
    ) -> None:
        """fault: counts and logs the exception that is being handled. caught_up: told when nothing waits any more."""
        self._judge = judge
        self._counters = counters
        self.fault = fault
        self._caught_up = caught_up
        self._loop = asyncio.get_running_loop()
        self._busy = False
        self.behind = False
        self._todo: list[Callable[[], None]] = []
        self.wants_messages = judge is not None and self.ask(lambda: judge.wants_messages)

    def opened(self, link: Link) -> None:
        if self._judge is not None:
            self.tell(partial(self._judge.opened, link))

    def closed(self, reason: str) -> None:
        """The last that is told; whatever still waits is told first, however much it is."""
        if self._judge is not None:
            self._todo.append(partial(self._judge.closed, reason))
        while self._todo and not self._busy:
            self._work_off()

    def held(self, count: int) -> None:
        if self._judge is not None:
            self.tell(partial(self._judge.held, count))

    def injected(self, frame: bytes) -> None:
        if self._judge is not None:
            self.tell(partial(self._judge.injected, frame))

    def answered(self, direction: Direction, frames: bytes, reply: bytes, repairs: str) -> None:
        if self._judge is not None:
            self.tell(partial(self._judge.answered, direction, frames, reply, repairs))

    def passed(self, direction: Direction, frames: bytes) -> None:
        """Tell one message that went out; by far the most are told here."""
        judge = self._judge
        if judge is None or not self.wants_messages:
            return
        if self._busy or self.behind:
            self._todo.append(partial(judge.passed, direction, frames))
            return
        self._busy = True
        try:
            judge.passed(direction, frames)
        except Exception:
            self.fault()
        self._busy = False
        if self._todo:
            self._work_off()

    def hear(self, direction: Direction, heard: list[Heard]) -> None:
        """Tell messages that went out or were kept back."""
        if self._busy or self.behind:
            self._later(direction, heard)
            return
        self._busy = True
        if len(heard) > AT_ONCE:
            self._later(direction, heard[AT_ONCE:])
            heard = heard[:AT_ONCE]
        judge = self._judge
        for one in heard:
            try:
                if one[0] is MESSAGE and judge is not None:
                    judge.passed(direction, one[1])
                else:
                    self._other(direction, one)
            except Exception:
                self.fault()
        self._busy = False
        if self._todo:
            self._work_off()

    def _later(self, direction: Direction, heard: list[Heard]) -> None:
        self._todo += [partial(self._one, direction, one) for one in heard]

    def _one(self, direction: Direction, one: Heard) -> None:
        if one[0] is MESSAGE and self._judge is not None:
            self._judge.passed(direction, one[1])
        else:
            self._other(direction, one)

    def _other(self, direction: Direction, one: Heard) -> None:
        what, frames, _, size = one
        if isinstance(frames, Repaired):
            if self._judge is not None:
                self._judge.repaired(direction, frames)
        elif what is What.ANSWER:
            self._counters.withheld += 1
            if self._judge is not None:
                self._judge.withheld(frames)
        elif what is What.UNJUDGED:
            self._counters.unjudged += 1
            if self._judge is not None:
                self._judge.unjudged(direction, size)

    def tell(self, what: Callable[[], None]) -> None:
        """Call this, now or after whatever waits."""
        self._todo.append(what)
        if not self._busy and not self.behind:
            self._work_off()

    def _work_off(self) -> None:
        """Tell what waits, as much as may be told in one turn of the loop."""
        self._busy = True
        left = AT_ONCE
        while self._todo and left:
            now = self._todo[:left]
            del self._todo[:left]
            left -= len(now)
            for what in now:
                try:
                    what()
                except Exception:
                    self.fault()
        self._busy = False
        if self._todo and not self.behind:
            self.behind = True
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self.behind = False
        self._work_off()
        if not self.behind:
            self._caught_up()

    def ask(self, question: Callable[[], bool]) -> bool:
        """Ask at once; whoever breaks says no."""
        try:
            return question()
        except Exception:
            self.fault()
            return False
