"""The real process ``ocpp-watchdog run``: how it ends, and how it refuses settings. DESIGN R13 and 8."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from raw_ends import CLOSE, FIN, Central, Wires

STOPS_WITHIN_SECONDS = 10.0
STARTS_WITHIN_SECONDS = 90.0
EX_CONFIG = 78
GOING_AWAY = 1012
PREFIX = "OCPP_WATCHDOG_"


@dataclass
class Program:
    """A running process and the lines it has written."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    async def says(self, words: str) -> str:
        """The first line that matches; waits for it."""
        assert self.process.stderr is not None
        async with asyncio.timeout(STARTS_WITHIN_SECONDS):
            while True:
                line = (await self.process.stderr.readline()).decode()
                assert line, f"it ended: {self.lines}"
                self.lines.append(line)
                if found := re.search(words, line):
                    return found[1]

    async def ends(self) -> tuple[int, float]:
        """Exit code, and seconds it took."""
        began = time.monotonic()
        async with asyncio.timeout(STARTS_WITHIN_SECONDS):
            _, rest = await self.process.communicate()
        self.lines += rest.decode().splitlines()
        assert self.process.returncode is not None
        return self.process.returncode, time.monotonic() - began


def environment(**more: str) -> dict[str, str]:
    """Ours, without settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    return kept | {"PYTHONUNBUFFERED": "1"} | more


@asynccontextmanager
async def program(folder: Path, *arguments: str, **variables: str) -> AsyncIterator[Program]:
    """``ocpp-watchdog`` with these arguments, in a folder of its own; killed when the block ends and it lives."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "ocpp_watchdog", *arguments),
        cwd=folder,
        env=environment(**variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[Program, Wires]]:
    """The proxy as its owner starts it, with a central system behind it."""
    async with Central().serving() as central:
        where = ("--listen", "127.0.0.1:0", "--central-system", f"ws://127.0.0.1:{central.port}")
        async with program(folder, "run", *where, "--admin.listen", "127.0.0.1:0") as running:
            wires = Wires(await running.says(r"dial (ws://127\.0\.0\.1:\d+)/<id>"), central)
            try:
                yield running, wires
            finally:
                wires.hang_up()


# -- the end -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_tells_both_ends_and_leaves_with_0(number: signal.Signals, tmp_path: Path) -> None:
    async with serving(tmp_path) as (running, wires):
        charge_point, central = await wires.joined("CP1")
        for end, other in ((charge_point, central), (central, charge_point)):
            await end.send(end.wired(b'[2,"1","Heartbeat",{}]'))
            assert await other.text() == b'[2,"1","Heartbeat",{}]'
        running.process.send_signal(number)
        for end in (charge_point, central):
            first, payload = await end.frame()
            assert first == FIN | CLOSE
            assert int.from_bytes(payload[:2], "big") == GOING_AWAY
            await end.is_over()
        code, seconds = await running.ends()
        assert code == 0
        assert seconds < STOPS_WITHIN_SECONDS
        assert not [line for line in running.lines if "Traceback" in line or "ERROR" in line]


async def test_a_stop_waits_for_nobody_who_does_not_answer(tmp_path: Path) -> None:
    """One that never reads, one that waits at the door, one whose central system says nothing."""
    async with serving(tmp_path) as (running, wires):
        mute, deaf_central = await wires.joined("MUTE")
        mute.writer.transport.pause_reading()  # type: ignore[attr-defined]
        deaf_central.writer.write(deaf_central.wired(b"x" * (1 << 20)) * 4)
        wires.central.answers = False
        waiting = await wires.dial("WAITING")
        await wires.central.arrival()
        began = time.monotonic()
        running.process.terminate()
        assert (await waiting.head()).startswith(b"HTTP/1.1 503 "), "a dial under way is given up"
        assert time.monotonic() - began < 5.0
        code, seconds = await running.ends()
        assert code == 0
        assert seconds < STOPS_WITHIN_SECONDS


async def test_sighup_ends_no_session(tmp_path: Path) -> None:
    async with serving(tmp_path) as (running, wires):
        charge_point, central = await wires.joined("CP1")
        (tmp_path / "ocpp-watchdog.yaml").write_text("language: de\nadmin: {allowed_hosts: [box.local]}\n")
        running.process.send_signal(signal.SIGHUP)
        await running.says(r"(language is reloaded|admin.allowed_hosts has changed and needs a restart)")
        await running.says(r"(language is reloaded|admin.allowed_hosts has changed and needs a restart)")
        await charge_point.send(charge_point.wired(b"still here"))
        assert await central.text() == b"still here"
        (tmp_path / "ocpp-watchdog.yaml").write_text("langauge: de\n")
        running.process.send_signal(signal.SIGHUP)
        await running.says("the settings are kept as they were: (langauge)")
        await central.send(central.wired(b"here too"))
        assert await charge_point.text() == b"here too"
        running.process.terminate()
        assert (await running.ends())[0] == 0


# -- settings that cannot be used --------------------------------------------------------------------------------

BAD = {
    "unknown": ("listne: 127.0.0.1:1\n", "listne"),
    "wrong_kind": ("stall: soon\n", "stall"),
    "not_yaml": ("listen: [\n", "ocpp-watchdog.yaml"),
    "open_page": ("admin:\n  listen: 0.0.0.0:8891\n", "admin.listen"),
    "secret_kept": ("webhook:\n  url: s3cret://hook\n", "webhook.url"),
    "no_certificate": ("tls:\n  certificate: none.pem\n  key: none.pem\n", "tls.certificate"),
}


@pytest.mark.parametrize(("text", "named"), BAD.values(), ids=BAD)
async def test_a_bad_setting_is_one_line_and_78(text: str, named: str, tmp_path: Path) -> None:
    (tmp_path / "ocpp-watchdog.yaml").write_text(text)
    async with program(tmp_path, "run") as running:
        code, _ = await running.ends()
    assert code == EX_CONFIG
    (line,) = running.lines
    assert named in line
    assert "s3cret" not in line


async def test_a_bad_variable_is_one_line_and_78(tmp_path: Path) -> None:
    async with program(tmp_path, "run", **{PREFIX + "MOED": "observe"}) as running:
        code, _ = await running.ends()
    assert code == EX_CONFIG
    (line,) = running.lines
    assert PREFIX + "MOED" in line


async def test_an_address_that_is_taken_is_one_line_and_no_78(tmp_path: Path) -> None:
    async with Central().serving() as other:
        taken = ("--listen", f"127.0.0.1:{other.port}", "--admin.listen", "127.0.0.1:0")
        async with program(tmp_path, "run", *taken) as running:
            code, _ = await running.ends()
    assert code == 1
    (line,) = running.lines
    assert "in use" in line
