"""Wallbox, evcc and the proxy in a process of its own, all at ten times the speed: for tests beside real programs."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocpp_watchdog.simulator.central_station import CentralOptions
from ocpp_watchdog.simulator.central_system import CentralSystemSimulator
from ocpp_watchdog.simulator.charge_point import ChargePointSimulator, ConnectionOptions
from ocpp_watchdog.simulator.clock import SimClock
from ocpp_watchdog.simulator.faults import FAULTS
from ocpp_watchdog.simulator.living import living
from ocpp_watchdog.simulator.wallbox import WallboxOptions
from processes import free_port, process, ready, until

SPEED = 10.0
BOX = "ACTEC-EV-AC22K"
PROGRAM = Path(__file__).with_name("fast_proxy.py")


@dataclass
class World:
    """The proxy can be killed and begun again at the same addresses. ports: of the charge points, and of the pages."""

    central: CentralSystemSimulator
    box: ChargePointSimulator
    folder: Path
    settings: dict[str, Any]
    ports: tuple[int, int]
    since: float

    @asynccontextmanager
    async def proxy(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """A new one, which runs until the block ends or somebody kills it."""
        order = (sys.executable, str(PROGRAM), str(SPEED), str(self.since), json.dumps(self.settings))
        async with process(self.folder, *order) as running:
            await ready(f"http://127.0.0.1:{self.ports[1]}/healthz", self.folder)
            yield running

    async def charging(self) -> None:
        """Wait until current flows."""
        await until(lambda: self.box.current_amperes() > 5, 30.0, "it charges")

    async def ignored_stop(self) -> None:
        """Charge, and order 0 A; the wallbox goes on."""
        await self.charging()
        await asyncio.sleep(40.0 / SPEED)  # the judge needs readings from before the stop
        self.central.set_mode("off")


@asynccontextmanager
async def world(
    folder: Path, fault: str, *, password: str | None = None, id_tag: str = "LOCAL", **more: Any
) -> AsyncIterator[World]:
    """All but the proxy. password: of the wallbox; more: settings of the proxy."""
    since = time.time()
    clock = SimClock(SPEED, since)
    options = CentralOptions(limit_amperes=6.0, connectors=(1,))
    central = CentralSystemSimulator(clock=clock, mode="now", options=options)
    ports = free_port(), free_port()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(living(central))
        await central.started.wait()
        settings = {
            "listen": f"127.0.0.1:{ports[0]}",
            "central_system": f"ws://127.0.0.1:{central.port}",
            "admin": {"listen": f"127.0.0.1:{ports[1]}"},
            "journal": f"sqlite:///{folder}/journal.db",
        } | more
        url, wallbox = f"ws://127.0.0.1:{ports[0]}", WallboxOptions(sample_seconds=10.0, id_tag=id_tag)
        connection = ConnectionOptions(password=password)
        box = ChargePointSimulator(url, BOX, FAULTS[fault], clock, options=wallbox, connection=connection)
        box.plug_in()
        await stack.enter_async_context(living(box))
        yield World(central, box, folder, settings, ports, since)
