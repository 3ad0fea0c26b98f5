"""The step ``external``: one address is called to switch a relay, tried again with backoff, given up after a while.

Not a way to people: what came of it goes back to the judge, and what proves it is the meter. Calls do not wait for each
other. The address may carry a token: it is never logged.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tenacity import AsyncRetrying, RetryError, retry_if_exception_type, stop_after_delay, wait_exponential, wait_random

from ocpp_watchdog.core.decisions import CallOut
from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.shell.notify.sending import NotTakenError, RefusedError, request
from ocpp_watchdog.texts.wording import iso

log = logging.getLogger(__name__)

SCHEMA = "ocpp-watchdog/call/1"
MOST_WAITING = 64
NOT_TAKEN = False
HEADERS = {"Content-Type": "application/json"}
Json = dict[str, object]
Done = Callable[[bool], None]
Wanted = Callable[[], bool]


class NoLongerWantedError(Exception):
    """There is no reason for the call any more: the order was raised, or obeyed, before it was taken."""


@dataclass(frozen=True, slots=True)
class CallOutSettings:
    """url: where to, empty: nobody is to be called. try_seconds: one attempt. give_up_seconds: all attempts."""

    url: str = field(repr=False, default="")
    try_seconds: float = 5.0
    give_up_seconds: float = 30.0


def body(charge_point: ChargePointId, call: CallOut) -> Json:
    """What is posted, as plain values. Times RFC 3339 UTC; id tags are not in it. The same id means the same call,
    tried again."""
    episode = call.episode
    return {
        "schema": SCHEMA,
        "action": "switch_off",
        "id": call.unique_id,
        "at": iso(call.at.utc),
        "charge_point": charge_point,
        "connector": call.connector,
        "episode": None if episode is None else episode.number,
        "ordered": None if episode is None else iso(episode.ordered.utc),
    }


class CallOuts:
    """``call`` returns at once; ``run`` is a task of the owner's."""

    def __init__(self, settings: CallOutSettings, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.settings = settings
        self._sleep = sleep
        self._waiting: list[tuple[Json, Wanted, Done]] = []
        self._news = asyncio.Event()

    def call(self, charge_point: ChargePointId, call: CallOut, wanted: Wanted, done: Done) -> None:
        """Call, and say once whether it was taken. Where nobody is to be called, or too many wait, it was not. wanted:
        asked before each try."""
        if not self.settings.url or len(self._waiting) >= MOST_WAITING:
            done(NOT_TAKEN)
            return
        self._waiting.append((body(charge_point, call), wanted, done))
        self._news.set()

    async def run(self) -> None:
        """Deliver calls, each in a task of its own, for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._news.wait()
                self._news.clear()
                waiting, self._waiting = self._waiting, []
                for said, wanted, done in waiting:
                    group.create_task(self._deliver(said, wanted, done), name="call out")

    async def _deliver(self, said: Json, wanted: Wanted, done: Done) -> None:
        was_taken = NOT_TAKEN
        try:
            was_taken = await self._attempts(json.dumps(said).encode(), wanted)
        except Exception:  # top of a task: one call that breaks stops no other
            log.exception("the call to the configured address failed")
        done(was_taken)

    async def _attempts(self, content: bytes, wanted: Wanted) -> bool:
        settings = self.settings

        async def attempt() -> None:
            if not wanted():
                raise NoLongerWantedError("nobody wants it any more")
            await request("POST", settings.url, settings.try_seconds, body=content, headers=HEADERS)

        tries = AsyncRetrying(
            sleep=self._sleep,
            stop=stop_after_delay(settings.give_up_seconds),
            wait=wait_exponential(multiplier=0.5, max=5.0) + wait_random(0.0, 0.5),
            retry=retry_if_exception_type(NotTakenError),
        )
        try:
            async with asyncio.timeout(settings.give_up_seconds + settings.try_seconds):
                await tries(attempt)
        except (RetryError, RefusedError, NoLongerWantedError, TimeoutError) as gone:
            reason = gone.last_attempt.exception() if isinstance(gone, RetryError) else gone
            log.error("the call to the configured address was not taken: %s", reason or type(gone).__name__)
            return False
        return True
