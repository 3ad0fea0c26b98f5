"""A charge point that is not ours, npm ocpp-rpc in strict mode, is stopped through the proxy.

Its library checks every message it sends and gets against the schemas of OCPP 1.6, so this also proves that our
RemoteStopTransaction is well formed for somebody else. Needs node and, once, ``npm ci --ignore-scripts`` in this
folder (``make test-npm`` does both); skipped without.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ocpp_watchdog.app import Proxy, running
from ocpp_watchdog.core.decisions import FactKind, NoticeKind, Notify, Phase, Record, StepOutcome
from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.settings import fixed
from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.simulator.central_station import CentralOptions
from ocpp_watchdog.simulator.central_system import CentralSystemSimulator
from ocpp_watchdog.simulator.clock import SimClock
from ocpp_watchdog.simulator.living import living

HERE = Path(__file__).resolve().parent
NODE = shutil.which("node")
MODULE = HERE / "node_modules" / "ocpp-rpc" / "package.json"
NAME = ChargePointId("RPC 01")
"""With a blank, which that library percent-encodes."""

SPEED = 15.0
"""Simulated seconds per second. The narrowest wait of the rules, 10 s for an answer, is then two thirds of a second."""

START_UTC = 1_795_190_589.0
PATIENCE_SECONDS = 40.0
USUAL = {"connected", "booted", "ordered", "started", "remote_stop", "stopped", "disconnected", "closed"}

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is not installed"),
    pytest.mark.skipif(not MODULE.is_file(), reason="npm module ocpp-rpc is missing: npm ci --ignore-scripts here"),
]


class ForeignClient:
    """The other program, and what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[dict[str, Any]] = []

    async def says(self, event: str, **values: object) -> dict[str, Any]:
        """The first line of this kind with these values; waits for it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for line in self.said:
                    if line["event"] == event and values.items() <= line.items():
                        return line
                assert self._process.stdout is not None
                line = await self._process.stdout.readline()
                assert line, f"it ended before it said {event}: {self.said[-5:]}"
                self.said.append(json.loads(line))

    async def leave(self) -> int:
        """Let it close its connection and end; gives its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self.says("closed")
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._process.wait()

    def oddities(self) -> list[dict[str, Any]]:
        """What it had to complain about: invalid or unknown messages, calls that failed."""
        return [line for line in self.said if line["event"] not in USUAL]


@asynccontextmanager
async def foreign_client(url: str, real_origin: float) -> AsyncIterator[ForeignClient]:
    """The program while the block lasts."""
    assert NODE is not None
    process = await asyncio.create_subprocess_exec(
        NODE,
        str(HERE / "charge_point.js"),
        *(url, NAME, str(SPEED), str(real_origin), str(START_UTC)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield ForeignClient(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_foreign_client_that_ignores_0_A_is_stopped_by_our_remote_stop() -> None:
    clock, real_origin = SimClock(SPEED, START_UTC), time.time()
    central = CentralSystemSimulator(clock=clock, mode="now", options=CentralOptions(limit_amperes=6.0))
    told: list[Notify | Record] = []
    async with living(central):
        await central.started.wait()
        settings = fixed(
            listen="127.0.0.1:0", central_system=f"ws://127.0.0.1:{central.port}", admin={"listen": "127.0.0.1:0"}
        )
        program_clock = Clock(SPEED, clock.utc())
        async with (
            running(settings, program_clock, lambda _, decision: told.append(decision)) as proxy,
            foreign_client(proxy.url, real_origin) as client,
        ):
            assert (await client.says("connected"))["protocol"] == "ocpp1.6"
            started = await client.says("started")
            await clock.sleep(35.0)
            central.set_mode("off")
            ordered = await client.says("ordered", limit=0)

            stop = await client.says("remote_stop")
            assert stop["transactionId"] == started["transactionId"]
            assert stop["messageId"].startswith("wd-")
            assert 38.0 <= stop["utc"] - ordered["utc"] <= 60.0
            await client.says("stopped", transactionId=started["transactionId"])

            await until(lambda: notices(told)[-1:] == [NoticeKind.ALL_CLEAR])
            assert notices(told) == [NoticeKind.ALARM, NoticeKind.STEP, NoticeKind.ALL_CLEAR]
            assert outcomes(told)[-1] is StepOutcome.PROVED
            assert phase(proxy) is Phase.OBEYING
            assert await client.leave() == 0
            assert (await client.says("disconnected"))["code"] == 1000
            assert client.oddities() == []

    received = [entry.text for entry in central.log if entry.way == "received"]
    assert [text for text in received if "StopTransaction" in text]
    assert not [text for text in received if "wd-" in text], "the central system saw an answer to a CALL of ours"


async def until(claim: Any) -> None:
    """Wait until a claim holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not claim():
            await asyncio.sleep(0.01)


def notices(told: list[Notify | Record]) -> list[NoticeKind]:
    """Kinds of what people were told."""
    return [decision.kind for decision in told if isinstance(decision, Notify)]


def outcomes(told: list[Notify | Record]) -> list[StepOutcome]:
    """What became of the steps, in order."""
    facts = [decision for decision in told if isinstance(decision, Record) and decision.kind is FactKind.STEP]
    return [fact.step.outcome for fact in facts if fact.step is not None]


def phase(proxy: Proxy) -> Phase:
    """Of connector 1, now."""
    watch = proxy.watches.get(NAME)
    assert watch is not None
    return watch.station.view(proxy.clock.now()).connectors[0].phase
