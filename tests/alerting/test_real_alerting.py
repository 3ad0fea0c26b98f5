"""From the ignored stop to the owner's phone, with Debian's Prometheus and Alertmanager: issue, DESIGN 7.

Wallbox, evcc and the proxy play at many times the speed; Prometheus, Alertmanager and the processes are real.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from real_programs import ALERTMANAGER, PROMETHEUS, Watching, watching

from fast_world import BOX, World, world
from processes import until

pytestmark = [
    pytest.mark.skipif("ALERTING" not in os.environ, reason="half a minute: make test-alerting"),
    pytest.mark.skipif(
        PROMETHEUS is None or ALERTMANAGER is None,
        reason="Debian's packages prometheus and prometheus-alertmanager are not installed",
    ),
]

LABELS = {"charge_point": BOX, "connector": "1", "job": "ocpp-watchdog", "severity": "critical"}
NO_ALL_CLEAR_SECONDS = 8.0


@dataclass
class Stage(World):
    """Everybody, and who watches the proxy."""

    watching: Watching

    async def told(self, name: str, status: str, seconds: float) -> None:
        """Wait until the owner heard it."""
        owner = self.watching.owner
        await until(
            lambda: owner.statuses(name)[-1:] == [status], seconds, f"{name} {status}; heard: {owner.heard[-5:]}"
        )


@asynccontextmanager
async def stage(folder: Path, fault: str, **more: Any) -> AsyncIterator[Stage]:
    async with world(folder, fault, **more) as found, watching(folder, found.ports[1]) as programs:
        yield Stage(**vars(found), watching=programs)


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
