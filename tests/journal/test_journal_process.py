"""The real process: SIGTERM flushes the journal in time (DESIGN R13), in the state folder it was given."""

from __future__ import annotations

import stat
import time
from pathlib import Path

from aiohttp import ClientSession
from journal_kit import lines, look
from real_process import central_system, running

import examples

STOPS_WITHIN_SECONDS = 10.0


async def test_S16_a_stop_of_the_process_leaves_nothing_unwritten(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with (
        central_system() as (_, where),
        running(state, where) as program,
        ClientSession() as session,
        session.ws_connect(f"{program.url}/box", protocols=("ocpp1.6",)) as box,
    ):
        for number in range(300):
            await box.send_str(examples.call(f"h{number}", "Heartbeat", {}))
            await box.receive_str(timeout=10)
        began = time.monotonic()
        said = await program.ends()
        assert time.monotonic() - began < STOPS_WITHIN_SECONDS
    assert program.process.returncode == 0
    assert "ERROR" not in said
    assert len(lines(state / "frames")) == 600
    (row,) = look(f"sqlite:///{state}/journal.db", "SELECT * FROM sessions")
    assert row["ended_utc"] is not None
    assert {stat.S_IMODE(path.stat().st_mode) for path in state.rglob("*") if path.is_file()} == {0o600}
