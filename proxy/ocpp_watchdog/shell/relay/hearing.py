"""How a judge is told: guarded, in order, and never inside another call of it (DESIGN R12)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ocpp_watchdog.core.lane import Heard, What
from ocpp_watchdog.core.terms import Direction
from ocpp_watchdog.shell.ports import Judge, Link
from ocpp_watchdog.shell.relay.settings import RelayCounters

MESSAGE = What.MESSAGE


class Hearing:
    """The calls to one session's judge. Without a judge only callbacks are told."""

    __slots__ = ("_busy", "_counters", "_judge", "_todo", "fault", "wants_messages")

    def __init__(self, judge: Judge | None, counters: RelayCounters, fault: Callable[[], None]) -> None:
        """fault: counts and logs the exception that is being handled."""
        self._judge = judge
        self._counters = counters
        self.fault = fault
        self._busy = False
        self._todo: list[Callable[[], None]] = []  # what is told when the present call has returned
        self.wants_messages = judge is not None and self.ask(lambda: judge.wants_messages)

    def opened(self, link: Link) -> None:
        if self._judge is not None:
            self.tell(partial(self._judge.opened, link))

    def closed(self, reason: str) -> None:
        if self._judge is not None:
            self.tell(partial(self._judge.closed, reason))

    def held(self, count: int) -> None:
        if self._judge is not None:
            self.tell(partial(self._judge.held, count))

    def injected(self, frame: bytes) -> None:
        if self._judge is not None:
            self.tell(partial(self._judge.injected, frame))

    def hear(self, direction: Direction, heard: list[Heard]) -> None:
        """Tell messages that went out or were kept back."""
        if self._busy:
            self._todo.append(partial(self._all, direction, heard))
            return
        self._busy = True
        self._all(direction, heard)
        if self._todo:
            self._work_off()
        self._busy = False

    def _all(self, direction: Direction, heard: list[Heard]) -> None:
        judge = self._judge
        for what, frames, _, size in heard:
            try:
                if what is MESSAGE:
                    if judge is not None:
                        judge.passed(direction, frames)
                elif what is What.ANSWER:
                    self._counters.withheld += 1
                    if judge is not None:
                        judge.withheld(frames)
                else:
                    self._counters.unjudged += 1
                    if judge is not None:
                        judge.unjudged(direction, size)
            except Exception:
                self.fault()

    def tell(self, what: Callable[[], None]) -> None:
        """Call this, now or after the judge's present call."""
        self._todo.append(what)
        if not self._busy:
            self._busy = True
            self._work_off()
            self._busy = False

    def _work_off(self) -> None:
        while self._todo:
            try:
                self._todo.pop(0)()
            except Exception:
                self.fault()

    def ask(self, question: Callable[[], bool]) -> bool:
        """Ask at once; whoever breaks says no."""
        try:
            return question()
        except Exception:
            self.fault()
            return False
