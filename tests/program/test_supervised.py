"""The real process under a service manager: an own notify socket hears what systemd would hear (faults P9)."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from raw_ends import Central, Wires

from program.test_process import Program, environment

INTERVAL_SECONDS = 0.6
BLOCKING_JUDGE = """
import sys, time
from ocpp_watchdog.__main__ import main
from ocpp_watchdog.core.station import Station
hear = Station.receive
def receive(self, direction, text, now):
    if "BLOCK" in text:
        time.sleep(60)
    return hear(self, direction, text, now)
Station.receive = receive
sys.exit(main())
"""


class Manager:
    """What a service manager hears."""

    def __init__(self, heard: socket.socket) -> None:
        self._heard = heard

    async def hears(self, word: str, within: float = 30.0) -> None:
        """Wait until this is said."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(within):
            while (await loop.sock_recv(self._heard, 1024)).decode() != word:
                pass

    async def is_silent_for(self, seconds: float) -> bool:
        """Drop what was said until now; does anything come afterwards?"""
        while True:
            try:
                self._heard.recv(1024)
            except BlockingIOError:
                break
        await asyncio.sleep(seconds)
        try:
            self._heard.recv(1024)
        except BlockingIOError:
            return True
        return False


@pytest.fixture
def notify(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.setblocking(False)
        yield heard


@asynccontextmanager
async def supervised(folder: Path, notify: socket.socket, *code: str) -> AsyncIterator[tuple[Program, Wires]]:
    async with Central().serving() as central:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *(code or ("-m", "ocpp_watchdog")),
            *("run", "--listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0"),
            *("--central-system", f"ws://127.0.0.1:{central.port}"),
            cwd=folder,
            env=environment(NOTIFY_SOCKET=notify.getsockname(), WATCHDOG_USEC=str(int(INTERVAL_SECONDS * 1e6))),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        running = Program(process)
        try:
            wires = Wires(await running.says(r"dial (ws://127\.0\.0\.1:\d+)/<id>"), central)
            yield running, wires
            wires.hang_up()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_it_is_ready_lives_and_says_that_it_stops(tmp_path: Path, notify: socket.socket) -> None:
    manager = Manager(notify)
    async with supervised(tmp_path, notify) as (running, _):
        await manager.hears("READY=1")
        await manager.hears("WATCHDOG=1")
        await manager.hears("WATCHDOG=1", within=2 * INTERVAL_SECONDS)
        running.process.send_signal(signal.SIGTERM)
        await manager.hears("STOPPING=1")
        assert (await running.ends())[0] == 0


async def test_fault_P9_a_judge_that_does_not_come_back_stops_the_signs_of_life(
    tmp_path: Path, notify: socket.socket
) -> None:
    manager = Manager(notify)
    async with supervised(tmp_path, notify, "-c", BLOCKING_JUDGE) as (_, wires):
        charge_point, central = await wires.joined("CP1")
        await charge_point.send(charge_point.wired(b'[2,"1","Heartbeat",{}]'))
        assert await central.text() == b'[2,"1","Heartbeat",{}]'
        await manager.hears("WATCHDOG=1")
        await charge_point.send(charge_point.wired(b'[2,"2","DataTransfer",{"vendorId":"BLOCK"}]'))
        assert b"BLOCK" in await central.text()  # it was on its way before anybody thought about it
        await asyncio.sleep(0.1)
        assert await manager.is_silent_for(2 * INTERVAL_SECONDS)
