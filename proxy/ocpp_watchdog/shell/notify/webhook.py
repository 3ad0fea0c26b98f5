"""One alarm that leaves the machine: a POST with a JSON body, tried again with backoff, given up after a while.

The queue is bounded and drops its oldest message: a server that hangs costs old news, never a frame and never memory.
The address may carry a token: it is never logged, and redirects are not followed.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientTimeout
from tenacity import AsyncRetrying, RetryError, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from ocpp_watchdog.shell.tally import Tally

log = logging.getLogger(__name__)

WORTH_ANOTHER_TRY = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """url: where to. try_seconds: one attempt. give_up_seconds: all attempts of one message. queue: messages kept."""

    url: str = field(repr=False)
    try_seconds: float = 10.0
    give_up_seconds: float = 300.0
    queue: int = 100


class _NotTakenError(Exception):
    """The server answered, but not with success, or not at all; another try may help."""


class _RefusedError(Exception):
    """The server will not take this message, ever."""


class Webhook:
    """A queue and one worker. ``post`` may be called from anywhere on the loop; ``run`` is a task of the owner's."""

    def __init__(
        self, settings: WebhookSettings, tally: Tally, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._settings = settings
        self._tally = tally
        self._sleep = sleep
        self._queue: deque[bytes] = deque()
        self._news = asyncio.Event()

    def use(self, settings: WebhookSettings) -> None:
        """Send what comes from now on as these settings say."""
        self._settings = settings

    def post(self, body: Mapping[str, object]) -> None:
        """Queue one message; the oldest is dropped when there is no room."""
        while len(self._queue) >= self._settings.queue:
            self._queue.popleft()
            self._tally.notifications["dropped"] += 1
            self._tally.notifications_waiting -= 1
        self._queue.append(json.dumps(body).encode())
        self._tally.notifications_waiting += 1
        self._news.set()

    async def run(self) -> None:
        """Deliver messages, oldest first, for ever."""
        timeout = ClientTimeout(total=None)
        async with ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                await self._news.wait()
                while self._queue:
                    await self._deliver(session, self._queue.popleft())
                self._news.clear()

    async def _deliver(self, session: ClientSession, body: bytes) -> None:
        outcome = "undelivered"
        try:
            outcome = await self._attempts(session, body)
        finally:
            self._tally.notifications[outcome] += 1
            self._tally.notifications_waiting -= 1

    async def _attempts(self, session: ClientSession, body: bytes) -> str:
        settings = self._settings
        tries = AsyncRetrying(
            sleep=self._sleep,
            stop=stop_after_delay(settings.give_up_seconds),
            wait=wait_exponential_jitter(initial=1.0, max=60.0, jitter=1.0),
            retry=retry_if_exception_type(_NotTakenError),
        )
        try:
            async with asyncio.timeout(settings.give_up_seconds + settings.try_seconds):
                await tries(self._once, session, body)
        except (RetryError, _RefusedError, TimeoutError) as gone:
            reason = gone.last_attempt.exception() if isinstance(gone, RetryError) else gone
            log.error("a message could not be delivered to the web hook: %s", reason)
            return "undelivered"
        except Exception:  # top of a task: one message that cannot be sent stops no other
            log.exception("the web hook failed on a message")
            return "undelivered"
        return "delivered"

    async def _once(self, session: ClientSession, body: bytes) -> None:
        settings = self._settings
        try:
            async with session.post(
                settings.url,
                data=body,
                headers={"Content-Type": "application/json"},
                allow_redirects=False,
                timeout=ClientTimeout(total=settings.try_seconds),
            ) as response:
                status = response.status
        except (ClientError, OSError, TimeoutError) as error:
            # The text of an aiohttp error may quote the address, which may carry a token: only its kind is told.
            raise _NotTakenError(type(error).__name__) from None
        if status < 300:
            return
        if status >= 500 or status in WORTH_ANOTHER_TRY:
            raise _NotTakenError(f"HTTP status {status}")
        raise _RefusedError(f"HTTP status {status}")
