"""The program as a process of its own, as systemd would start it: for what only a real process can show."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer
from journal_scene import Central

STARTS_WITHIN_SECONDS = 60.0


class Program:
    """The running process. url: where charge points dial; admin: where its pages are; said: its log so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.url = self.admin = ""
        self.said = ""

    async def ready(self) -> None:
        """It has said where to dial, and where its pages are."""
        async with asyncio.timeout(STARTS_WITHIN_SECONDS):
            while not (self.url and self.admin):
                await self._read()

    async def says(self, words: str, seconds: float) -> None:
        """Wait until it has logged these words."""
        async with asyncio.timeout(seconds):
            while words not in self.said:
                await self._read()

    async def _read(self) -> None:
        assert self.process.stderr is not None
        line = (await self.process.stderr.readline()).decode()
        assert line, f"it ended: {self.said}"
        self.said += line
        if found := re.search(r"dial (ws://127\.0\.0\.1:\d+)/<id>", line):
            self.url = found[1]
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            self.admin = found[0]

    async def ends(self, how: signal.Signals = signal.SIGTERM) -> str:
        """Ask it to end, or end it; gives all that it has logged."""
        self.process.send_signal(how)
        _, rest = await self.process.communicate()
        self.said += rest.decode()
        return self.said


@asynccontextmanager
async def central_system() -> AsyncIterator[tuple[Central, str]]:
    """One that answers everything, and where it listens."""
    central, pages = Central(), web.Application()
    pages.router.add_get("/{path:.*}", central.handle)
    async with TestServer(pages) as server:
        yield central, f"ws://127.0.0.1:{server.port}"


@asynccontextmanager
async def running(
    state: Path, central: str, listen: str = "127.0.0.1:0", environment: Mapping[str, str] | None = None
) -> AsyncIterator[Program]:
    """Start it with this state folder; whoever leaves kills what is left of it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OCPP_WATCHDOG_")}
    where = ("--listen", listen, "--admin.listen", "127.0.0.1:0", "--central-system", central)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ocpp_watchdog", "run", *where),
        cwd=state.parent,
        env=kept | {"STATE_DIRECTORY": f"{state}:/nowhere", "PYTHONUNBUFFERED": "1"} | dict(environment or {}),
        stderr=asyncio.subprocess.PIPE,
    )
    program = Program(process)
    try:
        await program.ready()
        yield program
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
