"""From the ignored stop to the owner's phone, with Debian's Prometheus and Alertmanager: issue, DESIGN 7.

Wallbox, evcc and the proxy play at many times the speed; Prometheus, Alertmanager and the processes are real.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from real_programs import ALERTMANAGER, PROMETHEUS, Watching, free_port, proxy, until, watching

from ocpp_watchdog.simulator.central_station import CentralOptions
from ocpp_watchdog.simulator.central_system import CentralSystemSimulator
from ocpp_watchdog.simulator.charge_point import ChargePointSimulator
from ocpp_watchdog.simulator.clock import SimClock
from ocpp_watchdog.simulator.faults import FAULTS
from ocpp_watchdog.simulator.living import living
from ocpp_watchdog.simulator.wallbox import WallboxOptions

pytestmark = [
    pytest.mark.skipif("ALERTING" not in os.environ, reason="half a minute: make test-alerting"),
    pytest.mark.skipif(
        PROMETHEUS is None or ALERTMANAGER is None,
        reason="Debian's packages prometheus and prometheus-alertmanager are not installed",
    ),
]

SPEED = 10.0
BOX = "ACTEC-EV-AC22K"
LABELS = {"charge_point": BOX, "connector": "1", "job": "ocpp-watchdog", "severity": "critical"}
NO_ALL_CLEAR_SECONDS = 8.0


@dataclass
class Stage:
    """Everybody. The proxy can be killed and begun again at the same addresses."""

    central: CentralSystemSimulator
    box: ChargePointSimulator
    watching: Watching
    folder: Path
    settings: dict[str, Any]
    ports: tuple[int, int]
    since: float

    @asynccontextmanager
    async def proxy(self) -> AsyncIterator[asyncio.subprocess.Process]:
        async with proxy(self.folder, (SPEED, self.since), self.settings, self.ports[1]) as running:
            yield running

    async def ignored_stop(self) -> None:
        """Charge, and order 0 A; the wallbox goes on."""
        await until(lambda: self.box.current_amperes() > 5, 30.0, "it charges")
        await asyncio.sleep(40.0 / SPEED)  # the judge needs readings from before the stop
        self.central.set_mode("off")

    async def told(self, name: str, status: str, seconds: float) -> None:
        """Wait until the owner heard it."""
        owner = self.watching.owner
        await until(
            lambda: owner.statuses(name)[-1:] == [status], seconds, f"{name} {status}; heard: {owner.heard[-5:]}"
        )


@asynccontextmanager
async def stage(folder: Path, fault: str, **more: Any) -> AsyncIterator[Stage]:
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
        programs = await stack.enter_async_context(watching(folder, ports[1]))
        box = ChargePointSimulator(
            f"ws://127.0.0.1:{ports[0]}", BOX, FAULTS[fault], clock, options=WallboxOptions(sample_seconds=10.0)
        )
        box.plug_in()
        await stack.enter_async_context(living(box))
        yield Stage(central, box, programs, folder, settings, ports, since)


async def test_an_ignored_stop_reaches_the_owner_and_so_does_its_end(tmp_path: Path) -> None:
    async with stage(tmp_path, "ignores-zero") as everybody, everybody.proxy():
        owner = everybody.watching.owner
        await everybody.ignored_stop()
        await everybody.told("OcppStopIgnored", "firing", 30.0)
        alarm = next(one for one in owner.heard if one.name == "OcppStopIgnored")
        assert alarm.labels.items() >= LABELS.items()
        await everybody.told("OcppStopIgnored", "resolved", 40.0)
        assert owner.statuses("OcppStopIgnored") == ["firing", "resolved"]
        assert everybody.box.current_amperes() == 0.0
        assert owner.alive > 0, "the dead man's switch was fed"
        others = {one.name for one in owner.heard} - {"OcppStopIgnored", "OcppLimitExceeded"}
        assert not others, others


async def test_P13_a_proxy_that_is_killed_in_an_episode_is_alarmed_and_clears_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path, "remote-stop-ignored") as everybody:
        owner = everybody.watching.owner
        async with everybody.proxy() as running:
            await everybody.ignored_stop()
            await everybody.told("OcppStopIgnored", "firing", 30.0)
            killed = asyncio.get_running_loop().time()
            running.kill()
            await running.wait()
            await everybody.told("OcppProxyDown", "firing", 15.0)
            assert asyncio.get_running_loop().time() - killed < 120.0
            await asyncio.sleep(NO_ALL_CLEAR_SECONDS)
            assert {"OcppStopIgnored", "OcppProxyDown"} <= await everybody.watching.firing()
            assert "OcppStopIgnored" in await everybody.watching.muted()
            assert "OcppProxyDown" not in await everybody.watching.muted()
            assert owner.statuses("OcppStopIgnored") == ["firing"], "no all-clear while it is down"
        async with everybody.proxy():
            await everybody.told("OcppProxyDown", "resolved", 30.0)
            await asyncio.sleep(2.0)
            assert owner.statuses("OcppStopIgnored") == ["firing"], "nor because it is back"
            assert everybody.box.current_amperes() > 5
            everybody.box.unplug()
            everybody.central.set_mode("now")
            everybody.box.plug_in()
            await everybody.told("OcppStopIgnored", "resolved", 60.0)
        assert owner.statuses("OcppStopIgnored") == ["firing", "resolved"]
