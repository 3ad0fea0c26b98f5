"""A sign of life: one address is fetched again and again while the judge is alive. What listens there alarms when it
stays away (a dead man's switch outside this machine)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from ocpp_watchdog.shell.notify.sending import NotTakenError, RefusedError, request
from ocpp_watchdog.shell.tally import Tally

log = logging.getLogger(__name__)

IDLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Beat:
    """url: what is fetched; None: nothing. every_seconds: how often. try_seconds: time one fetch may take."""

    url: str | None = field(default=None, repr=False)
    every_seconds: float = 60.0
    try_seconds: float = 10.0


class Heartbeat:
    """is_alive: the judge is alive and its last judgement is fresh."""

    def __init__(self, beat: Beat, is_alive: Callable[[], bool], tally: Tally) -> None:
        self.beat = beat
        self._is_alive = is_alive
        self._tally = tally
        self._was_sent = True

    async def run(self) -> None:
        """Beat for ever; the first at once."""
        while True:
            if self.beat.url is None:
                await asyncio.sleep(IDLE_SECONDS)  # a reload may bring one
            else:
                await self.once(self.beat.url)
                await asyncio.sleep(self.beat.every_seconds)

    async def once(self, url: str) -> None:
        """One beat, when the judge is alive."""
        if not self._is_alive():
            self._tally.heartbeats["withheld"] += 1
            return
        try:
            await request("GET", url, self.beat.try_seconds)
        except (NotTakenError, RefusedError) as reason:
            self._tally.heartbeats["failed"] += 1
            if self._was_sent:  # the next beat is the next try: only the first of a row is said
                log.error("the heartbeat was not taken: %s", reason)
            self._was_sent = False
        else:
            self._tally.heartbeats["sent"] += 1
            self._was_sent = True
