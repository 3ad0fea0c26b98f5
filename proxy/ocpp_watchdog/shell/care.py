"""The program looks after itself: what of it is failing, who fights for an id, is the central system there."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from ocpp_watchdog.shell.tally import PARTS, Tally
from ocpp_watchdog.shell.timekeeping import Time
from ocpp_watchdog.texts.catalogue import Said

LOOK_SECONDS = 10.0
QUIET_SECONDS = 600.0
LONG_QUIET_SECONDS = 3_600.0
MOST_QUIET = 1_000
REACH_SECONDS = 2.0
REACH_MEMORY_SECONDS = 5.0


class Tell(Protocol):
    """Tells people something about the program itself."""

    def __call__(self, kind: str, at_utc: float, charge_point: str | None = None, **values: Said) -> None:
        """kind: a key of the catalogue; values: what it has placeholders for."""


class Care:
    """Tells what is failing once per spell, who fights for an id at most every ten minutes, who does not answer hourly.

    relay_faults: how often something in the relay broke, so far.
    """

    def __init__(self, clock: Time, tally: Tally, tell: Tell, relay_faults: Callable[[], int]) -> None:
        self._clock = clock
        self._tally = tally
        self._tell = tell
        self._relay_faults = relay_faults
        self._relay_faults_seen = 0
        self._was_degraded = False
        self._faults_before: Counter[str] = Counter()
        self._quiet_until: dict[tuple[str, str], float] = {}

    async def run(self) -> None:
        """Look every ten seconds, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Tell that the program is degraded when it was not at the last look."""
        now, faults = self._clock.now(), self._relay_faults()
        for _ in range(faults - self._relay_faults_seen):
            self._tally.fault("relay", now.mono)
        self._relay_faults_seen = faults
        is_degraded = self._tally.is_degraded(now.mono)
        if is_degraded and not self._was_degraded:
            parts = ", ".join(part for part in PARTS if self._tally.faults[part] > self._faults_before[part])
            self._tell("degraded", now.utc, parts=parts)
        if not is_degraded:
            self._faults_before = Counter(self._tally.faults)
        self._was_degraded = is_degraded

    def duplicate(self, charge_point: str, newcomer: str, holder: str) -> None:
        """A second connection of a live id was turned away."""
        if self._is_new("duplicate", charge_point, QUIET_SECONDS):
            self._tell("duplicate", self._clock.now().utc, charge_point, newcomer=newcomer, holder=holder)

    def unanswered(self, charge_point: str) -> None:
        """A CALL was open for so long that nobody waits for its answer any more (DESIGN R10)."""
        if self._is_new("unanswered", charge_point, LONG_QUIET_SECONDS):
            self._tell("unanswered", self._clock.now().utc, charge_point)

    def _is_new(self, kind: str, charge_point: str, quiet_seconds: float) -> bool:
        """Whether this was not told lately."""
        mono = self._clock.now().mono
        if mono < self._quiet_until.get((kind, charge_point), float("-inf")):
            return False
        if len(self._quiet_until) >= MOST_QUIET:
            self._quiet_until.clear()
        self._quiet_until[kind, charge_point] = mono + quiet_seconds
        return True


class Reach:
    """Is the central system there? A session says so; else its door is tried, at most every five seconds."""

    def __init__(self, host: str, port: int, has_session: Callable[[], bool]) -> None:
        self._host = host
        self._port = port
        self._has_session = has_session
        self._is_there = False
        self._fresh_until = float("-inf")

    async def is_there(self) -> bool:
        """Charge points can be served now."""
        if self._has_session():
            return True
        now = asyncio.get_running_loop().time()
        if now >= self._fresh_until:
            self._fresh_until = now + REACH_MEMORY_SECONDS
            self._is_there = await self._try()
        return self._is_there

    async def _try(self) -> bool:
        try:
            async with asyncio.timeout(REACH_SECONDS):
                _, writer = await asyncio.open_connection(self._host, self._port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True
