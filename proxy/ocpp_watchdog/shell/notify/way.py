"""A way to people: a bounded queue, tries with backoff, and given up after a while. Each way has its own.

The queue drops its oldest message: a server that hangs costs old news, never a frame, never memory, and no other way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tenacity import AsyncRetrying, RetryError, retry_if_exception_type, stop_after_delay, wait_exponential, wait_random

from ocpp_watchdog.shell.notify.message import Message
from ocpp_watchdog.shell.notify.sending import LATE, NotTakenError, RefusedError, Sender
from ocpp_watchdog.shell.tally import Tally

log = logging.getLogger(__name__)

DROPPED = "too many waited"
REMOVED = "the way was removed"
ENDED = "the program ended"
FLUSH_SECONDS = 1.0
BROKEN = "a fault of ours"

GaveUp = Callable[[str, Message, str], None]
"""Told of a message that will never arrive: the way, the message, and the reason (no secret)."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a way is used. name: in logs and metrics. try_seconds: one attempt. give_up_seconds: all attempts of one
    message. queue: messages kept."""

    name: str
    sender: Sender
    try_seconds: float = 10.0
    give_up_seconds: float = 300.0
    queue: int = 100


class Way:
    """A queue and one worker. ``post`` may be called from anywhere on the loop and returns at once.

    idle: nothing waits and nothing is under way.
    """

    def __init__(
        self, delivery: Delivery, tally: Tally, gave_up: GaveUp, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self.delivery = delivery
        self._tally = tally
        self._gave_up = gave_up
        self._sleep = sleep
        self._queue: deque[Message] = deque()
        self._news = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()

    def post(self, message: Message) -> None:
        """Queue one message, when this way wants it; the oldest is dropped when there is no room."""
        name = self.delivery.name
        if not self.delivery.sender.wants(message):
            return
        dropped = [self._queue.popleft() for _ in range(len(self._queue) + 1 - self.delivery.queue)]
        self._queue.append(message)
        self._tally.notifications_waiting[name] += 1
        self.idle.clear()
        self._news.set()
        for lost in dropped:
            self._done(lost, "dropped", DROPPED)

    def close(self) -> None:
        """Nobody will deliver what waits: the way is no longer wanted."""
        while self._queue:
            self._done(self._queue.popleft(), "undelivered", REMOVED)

    async def run(self) -> None:
        """Deliver messages, oldest first, for ever."""
        while True:
            await self._news.wait()
            while self._queue:
                await self._deliver(self._queue.popleft())
            self._news.clear()

    async def _deliver(self, message: Message) -> None:
        outcome, reason = "undelivered", ENDED
        try:
            outcome, reason = await self._attempts(message)
        finally:
            self._done(message, outcome, reason)

    def _done(self, message: Message, outcome: str, reason: str) -> None:
        name = self.delivery.name
        self._tally.notifications[name, outcome] += 1
        self._tally.notifications_waiting[name] -= 1
        if not self._tally.notifications_waiting[name]:
            self.idle.set()
        if outcome != "delivered":
            log.error("a message could not be delivered by %s: %s", name, reason, extra={"notice": message.kind})
            self._gave_up(name, message, reason)

    async def _attempts(self, message: Message) -> tuple[str, str]:
        delivery = self.delivery
        tries = AsyncRetrying(
            sleep=self._sleep,
            stop=stop_after_delay(delivery.give_up_seconds),
            wait=wait_exponential(multiplier=1.0, max=60.0) + wait_random(0.0, 1.0),
            retry=retry_if_exception_type(NotTakenError),
        )
        try:
            async with asyncio.timeout(delivery.give_up_seconds + delivery.try_seconds):
                await tries(delivery.sender.send, message, delivery.try_seconds)
        except RetryError as gone:
            return "undelivered", str(gone.last_attempt.exception())
        except RefusedError as refused:
            return "undelivered", str(refused)
        except TimeoutError:
            return "undelivered", LATE
        except Exception:  # top of a task: one message that cannot be sent stops no other
            log.exception("%s failed on a message", delivery.name)
            return "undelivered", BROKEN
        return "delivered", ""


class Ways:
    """All ways there are. ``run`` is one task of the owner's; a change of settings starts and ends workers in it."""

    def __init__(
        self, tally: Tally, gave_up: GaveUp, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._tally = tally
        self._gave_up = gave_up
        self._sleep = sleep
        self._ways: dict[str, Way] = {}
        self._changed = asyncio.Event()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the ways there are now."""
        return tuple(self._ways)

    def use(self, deliveries: Sequence[Delivery]) -> None:
        """From now on send as these say. What waits in a way that stays is sent by its new settings."""
        known, self._ways = self._ways, {}
        for delivery in deliveries:
            way = known.get(delivery.name) or Way(delivery, self._tally, self._gave_up, self._sleep)
            way.delivery = delivery
            self._ways[delivery.name] = way
        for name in known.keys() - self._ways.keys():
            known[name].close()
        self._tally.ways = self.names
        self._changed.set()

    def post(self, message: Message, but_not: str = "") -> None:
        """Queue one message in every way, or in all but one."""
        for name, way in self._ways.items():
            if name != but_not:
                way.post(message)

    async def flush(self) -> None:
        """Give what waits a moment to be delivered: the program ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                for way in self._ways.values():
                    await way.idle.wait()

    async def run(self) -> None:
        """Deliver, for ever."""
        workers: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                for name in workers.keys() - self._ways.keys():
                    workers.pop(name).cancel()
                for name, way in self._ways.items():
                    if name not in workers:
                        workers[name] = group.create_task(way.run(), name=f"notify by {name}")
                self._changed.clear()
                await self._changed.wait()
