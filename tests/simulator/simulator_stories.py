"""Two simulated peers on loopback, in a time lapse, and a patient way of waiting for what they do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from ocpp_watchdog.simulator.central_station import CentralOptions
from ocpp_watchdog.simulator.central_system import CentralSystemSimulator
from ocpp_watchdog.simulator.charge_point import ChargePointSimulator, ConnectionOptions
from ocpp_watchdog.simulator.clock import SimClock
from ocpp_watchdog.simulator.faults import FAULTS
from ocpp_watchdog.simulator.living import living
from ocpp_watchdog.simulator.transcript import Happening
from ocpp_watchdog.simulator.wallbox import WallboxOptions

SPEED = 60.0
START_UTC = 1_795_190_589.0
"""2026-11-20T16:03:09Z, when the recordings were made."""
NAME = "SIM-1"
RECORDINGS = Path(__file__).resolve().parents[2] / ".." / "shared" / "recordings"


@dataclass
class Story:
    """A central system and a charge point that live on one clock."""

    clock: SimClock
    central: CentralSystemSimulator
    box: ChargePointSimulator
    happenings: list[Happening] = field(default_factory=list)

    async def until(self, claim: Callable[[], object], seconds: float = 300.0) -> None:
        """Wait until a claim holds; fail when it does not within simulated seconds."""
        end = self.clock.mono() + seconds
        while not claim():
            if self.clock.mono() > end:
                raise AssertionError(f"not within {seconds} s: {self.told()[-12:]}")
            await self.clock.sleep(0.25)

    async def charging(self) -> None:
        """Set up, plug in, mode now at 6 A, and wait until current flows."""
        # A car that comes before evcc's first stop would be charging already, and nothing would be switched on.
        await self.until(lambda: 0 in {limit for _, limit in self.limits()})
        self.central.set_limit(6.0)
        for number in self.box.wallbox.connectors:
            self.box.plug_in(number)
        await self.until(lambda: self.box.status() in {"Preparing", "Charging"})
        self.central.set_mode("now")
        await self.until(lambda: all(self.box.current_amperes(number) > 5 for number in self.box.wallbox.connectors))
        await self.until(lambda: all(self.box.transaction_id(number) for number in self.box.wallbox.connectors))

    def told(self, name: str | None = None) -> list[str]:
        """The names of what has happened, or the happenings of one name."""
        return [happening.name for happening in self.happenings if name in {None, happening.name}]

    def limits(self) -> list[tuple[float, float]]:
        """(simulated moment, limit) of every SetChargingProfile the central system has sent."""
        found = []
        for entry in self.central.log.calls("sent", "SetChargingProfile"):
            profile = entry.payload["csChargingProfiles"]
            assert isinstance(profile, dict)
            found.append((entry.mono, profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]))
        return found

    def samples_since(self, mono: float) -> list[dict[str, object]]:
        """The payloads of the MeterValues the charge point has sent since a moment."""
        return [entry.payload for entry in self.box.log.calls("sent", "MeterValues") if entry.mono >= mono]


@asynccontextmanager
async def story(
    fault: str = "none",
    *,
    speed: float = SPEED,
    central: CentralOptions | None = None,
    wallbox: WallboxOptions | None = None,
    connection: ConnectionOptions | None = None,
) -> AsyncIterator[Story]:
    """Both peers, running and connected to each other."""
    clock = SimClock(speed, START_UTC)
    happenings: list[Happening] = []
    peer = CentralSystemSimulator(
        clock=clock, options=central or CentralOptions(cycle_seconds=10.0), narrator=happenings.append
    )
    async with living(peer):
        await peer.started.wait()
        box = ChargePointSimulator(
            f"ws://127.0.0.1:{peer.port}",
            NAME,
            FAULTS[fault],
            clock,
            options=wallbox or WallboxOptions(),
            connection=connection,
            narrator=happenings.append,
        )
        async with living(box):
            yield Story(clock, peer, box, happenings)


@asynccontextmanager
async def central_only(
    options: CentralOptions | None = None, speed: float = SPEED
) -> AsyncIterator[CentralSystemSimulator]:
    """The central system alone."""
    peer = CentralSystemSimulator(clock=SimClock(speed, START_UTC), options=options)
    async with living(peer):
        await peer.started.wait()
        yield peer


def recording(name: str) -> list[dict[str, object]]:
    """The frames of one recording of the real evcc; skips where the recordings are not at hand."""
    path = RECORDINGS / f"{name}.jsonl"
    if not path.exists():
        pytest.skip("the recordings of the real evcc are not beside this repository")
    return [json.loads(line) for line in path.read_text().splitlines()]


def dial(session: aiohttp.ClientSession, port: int, path: str = f"/{NAME}", **options: object):
    """A WebSocket of a bare client."""
    return session.ws_connect(f"ws://127.0.0.1:{port}{path}", protocols=("ocpp1.6",), **options)


async def next_answer(socket: aiohttp.ClientWebSocketResponse) -> str:
    """The next frame that is no CALL."""
    while True:
        text = await socket.receive_str(timeout=10)
        if not text.startswith("[2"):
            return text


BOOT = '[2,"b1","BootNotification",{"chargePointVendor":"Lab","chargePointModel":"Box"}]'
