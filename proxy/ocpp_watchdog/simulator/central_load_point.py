"""evcc's control of one connector: every cycle it compares what it wants with what it believes, and orders the rest.

Also when it believes wrongly: an ignored stop is "out of sync" after a minute, is taken as enabled, and stopped again.
"""

from __future__ import annotations

import asyncio
from typing import Literal

from .central_belief import ENABLED, Belief
from .central_station import Station

Mode = Literal["off", "now", "pv"]
GUARD_SECONDS = 60.0
"""So long after an order evcc does not wonder about a charge point that does otherwise."""
LATE_SECONDS = 5.0
CONNECTED = {"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"}


class LoadPoint:
    """One connector's control loop."""

    def __init__(self, station: Station, connector: int, mode: Mode) -> None:
        self.station, self.connector = station, connector
        self.mode: Mode = mode
        self.limit_amperes = station.options.limit_amperes
        self.sun_amperes = station.options.sun_amperes
        self.enabled: bool | None = None
        """What evcc takes the charger to be; None: it has not looked yet."""
        self.ordered_amperes: float | None = None
        self._clock = station.clock
        self._ordered_at = float("-inf")
        self._too_little_since: float | None = None
        self._enough_since: float | None = None
        self._poke = asyncio.Event()

    @property
    def belief(self) -> Belief:
        """What evcc believes of this connector."""
        return self.station.beliefs[self.connector]

    def poke(self) -> None:
        """Act now, not at the next cycle."""
        self._poke.set()

    async def run(self) -> None:
        """Control for ever. Cycles lie on a grid, so that waits between orders are whole cycles."""
        await self.station.set_up.wait()
        due = self._clock.mono()
        while True:
            await self._cycle(due)
            due = max(due + self.station.options.cycle_seconds, self._clock.mono())
            while await self._poked(due):
                await self._cycle(self._clock.mono())

    async def _poked(self, due: float) -> bool:
        """Wait for the next cycle. Result: whether somebody asked for one before."""
        wait = self._clock.real_seconds(max(0.0, due - self._clock.mono()))
        try:
            async with asyncio.timeout(wait):
                await self._poke.wait()
        except TimeoutError:
            return False
        self._poke.clear()
        return True

    async def _cycle(self, now: float) -> None:
        if not self.station.online:
            return
        first = self.enabled is None
        enabled = await self._is_enabled()
        if first:
            self.enabled = enabled
            if enabled:
                await self._order(self.station.options.min_amperes, now)
                enabled = await self._is_enabled()
        if self.belief.error_code != "NoError":
            self.station.tell("control_skipped", self.connector, error_code=self.belief.error_code)
            return
        self._synchronise(enabled, now)
        await self._set(self._wanted(now), now)

    async def _is_enabled(self) -> bool:
        """By status, else by what is offered, else by the composite schedule, else the last order."""
        by_status = ENABLED.get(self.belief.status or "")
        if by_status is not None:
            return by_status
        offered = self.belief.offered()
        if offered is not None:
            return offered
        outcome = await self.station.channel.call(
            "GetCompositeSchedule", {"connectorId": self.connector, "duration": 60}
        )
        schedule = outcome.payload.get("chargingSchedule")
        periods = schedule.get("chargingSchedulePeriod") if isinstance(schedule, dict) else None
        if outcome.accepted and periods:
            return bool(periods[0].get("limit", 0) > 0)
        return bool(self.enabled)

    def _synchronise(self, enabled: bool, now: float) -> None:
        """Take the charger's word a minute after the last order."""
        if enabled == self.enabled or now - self._ordered_at <= GUARD_SECONDS:
            return
        self.station.tell("out_of_sync", self.connector, expected=self.enabled, got=enabled)
        self.enabled = enabled

    def _wanted(self, now: float) -> float:
        """Amperes per phase that evcc wants to allow."""
        if self.mode == "off" or self.belief.status not in CONNECTED:
            return 0.0
        return self.limit_amperes if self.mode == "now" else self._from_the_sun(now)

    def _from_the_sun(self, now: float) -> float:
        options = self.station.options
        if self.sun_amperes >= options.min_amperes:
            self._too_little_since = None
            self._enough_since = now if self._enough_since is None else self._enough_since
            waits = not self.enabled and now - self._enough_since < options.enable_delay_seconds
            return 0.0 if waits else min(self.sun_amperes, self.limit_amperes)
        self._enough_since = None
        if not self.enabled:
            self._too_little_since = None
            return 0.0
        self._too_little_since = now if self._too_little_since is None else self._too_little_since
        spent = now - self._too_little_since > options.disable_delay_seconds
        return 0.0 if spent else options.min_amperes

    async def _set(self, wanted: float, now: float) -> None:
        """Order what has changed. Switching on takes the same profile twice: the limit, then the permission."""
        if wanted > 0 and wanted != self.ordered_amperes and not await self._order(wanted, now):
            return
        if wanted > 0 and not self.enabled:
            if await self._order(wanted, now):
                self.enabled = True
        elif wanted == 0 and self.enabled and await self._order(0.0, now):
            self.enabled = False

    async def _order(self, amperes: float, now: float) -> bool:
        accepted = await self.station.order(self.connector, amperes)
        if accepted:
            # Counted on the grid of cycles, so that the guard ends in the same cycle every time; a late answer counts.
            self.ordered_amperes, self._ordered_at = amperes, max(now, self._clock.mono() - LATE_SECONDS)
        return accepted
