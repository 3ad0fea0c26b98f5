"""The real process: SIGTERM flushes the journal in time (DESIGN R13), in the state folder it was given."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import stat
import sys
import time
from pathlib import Path

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from journal_kit import lines, look
from journal_scene import Central

import examples

STARTS_WITHIN_SECONDS = 60.0
STOPS_WITHIN_SECONDS = 10.0


async def test_S16_a_stop_of_the_process_leaves_nothing_unwritten(tmp_path: Path) -> None:
    state, central, pages = tmp_path / "state", Central(), web.Application()
    pages.router.add_get("/{path:.*}", central.handle)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OCPP_WATCHDOG_")}
    async with TestServer(pages) as server, ClientSession() as session:
        where = ("--listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "ocpp_watchdog", "run", *where, "--central-system", f"ws://127.0.0.1:{server.port}"),
            cwd=tmp_path,
            env=kept | {"STATE_DIRECTORY": f"{state}:/nowhere", "PYTHONUNBUFFERED": "1"},
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            url = await _url(process)
            async with session.ws_connect(f"{url}/box", protocols=("ocpp1.6",)) as box:
                for number in range(300):
                    await box.send_str(examples.call(f"h{number}", "Heartbeat", {}))
                    await box.receive_str(timeout=10)
                began = time.monotonic()
                process.send_signal(signal.SIGTERM)
                _, said = await process.communicate()
                assert time.monotonic() - began < STOPS_WITHIN_SECONDS
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0
    assert b"ERROR" not in said
    assert len(lines(state / "frames")) == 600
    (row,) = look(f"sqlite:///{state}/journal.db", "SELECT * FROM sessions")
    assert row["ended_utc"] is not None
    assert {stat.S_IMODE(path.stat().st_mode) for path in state.rglob("*") if path.is_file()} == {0o600}


async def _url(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(STARTS_WITHIN_SECONDS):
        while line := (await process.stderr.readline()).decode():
            if found := re.search(r"dial (ws://127\.0\.0\.1:\d+)/<id>", line):
                return found[1]
    raise AssertionError("it never said where to dial")
