"""The whole program dies in the middle of an episode and starts again with its journal: P1, P17, O20 of the faults.

In leaping time the second life starts on a copy of the journal's files, made while the first was running: that is what
a machine without power leaves behind. A real process is killed for real.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from leaping import leaping, lived
from raw_ends import Central, Wires
from test_process import Program, program
from whole_program import BOX, START_UTC, Page, Tale, page_of, tale

from ocpp_watchdog.core.decisions import NoticeKind, Phase
from ocpp_watchdog.shell.clock import Clock

BACK_SECONDS = 3.0
"""kill -9 to the first relayed frame of a charge point that reconnects (faults P1)."""

OTHER_MACHINE_SECONDS = 1_000_000.0
SPACING = 29.9
LABELS = {"charge_point": BOX, "connector": "1"}


@pytest.fixture(autouse=True)
def _writes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In leaping time nothing is gained by gathering."""
    monkeypatch.setattr("ocpp_watchdog.shell.journal.facts.GATHER_SECONDS", 0.0)


@asynccontextmanager
async def kept(folder: Path, fault: str = "remote-stop-ignored", **more: Any) -> AsyncIterator[Tale]:
    """A story with a journal; time stands while facts are written, since no timer of the story knows that thread."""
    await asyncio.to_thread(folder.mkdir)
    where = {"journal": f"sqlite:///{folder}/journal.db", "frames": folder / "frames"}
    async with tale(fault, **where, **more) as told:
        leaping().stands_while(lambda: is_writing(told))
        yield told
        leaping().stands_while(lambda: False)


def is_writing(told: Tale) -> bool:
    journal = told.proxy.journal
    return journal is not None and not math.isnan(journal._facts.oldest_unwritten_utc)


async def killed(told: Tale, folder: Path, seconds: float = 2.0, utc: float | None = None) -> None:
    """The machine loses its power now and has it back so many seconds later; its monotonic clock is another. utc: what
    the wall clock shows then, None: what it should."""
    left = folder.with_name(folder.name + "-")
    with leaping().still():
        await asyncio.to_thread(shutil.copytree, folder, left)
        await told.dies()
        shutil.rmtree(folder)
        left.rename(folder)
    await told.clock.sleep(seconds)
    await risen(told, utc)


async def risen(told: Tale, utc: float | None = None) -> None:
    loop, began = leaping(), leaping().time()
    shown = START_UTC + told.clock.mono() if utc is None else utc
    clock = Clock(wall=lambda: shown + loop.time() - began, monotonic=lambda: loop.time() + OTHER_MACHINE_SECONDS)
    with leaping().still():
        await told.rises(clock)


async def is_back(told: Tale) -> None:
    await told.until(lambda: (watch := told.proxy.watches.get(BOX)) is not None and watch.link is not None, 120.0)


def as_it_must_be(told: Tale) -> list[float]:
    """One alarm, never more than the budget, never too close; gives when the stops reached the wallbox."""
    stops = told.injected("RemoteStopTransaction")
    assert told.said().count("alarm") == 1
    assert len(stops) <= 3
    assert all(later - earlier >= SPACING for earlier, later in pairwise(stops))
    assert told.proxy.tally.faults["memory"] == 0
    return stops


# -- in leaping time ---------------------------------------------------------------------------------------------


def test_P1_an_episode_goes_on_after_a_power_cut_without_doubling_a_step(tmp_path: Path) -> None:
    async def story() -> None:
        folder = tmp_path / "state"
        async with kept(folder) as told:
            await told.charging()
            await told.stop()
            await told.until(lambda: told.injected("RemoteStopTransaction"), 120.0)
            await told.sleep(3.0)
            await killed(told, folder)
            page = await page_of(told)
            opened = page.value("episode_open_since_timestamp_seconds", **LABELS)
            assert opened > START_UTC, "seen before the charge point is back: nobody takes its absence for an all-clear"
            await told.until(lambda: "still_open" in told.hook.kinds())
            await is_back(told)
            assert told.connector().phase in {Phase.REMEDYING, Phase.VIOLATING}
            await told.sleep(400.0)
            assert len(as_it_must_be(told)) == 3
            assert told.told(NoticeKind.EXHAUSTED)
            await told.everything_passed(connections_were_lost=True)

    lived(story())


@pytest.mark.parametrize("seed", range(4))
def test_P1_a_power_cut_at_any_moment_of_the_field_case_changes_how_long_it_takes_and_nothing_else(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)

    async def story() -> None:
        folder = tmp_path / "state"
        async with kept(folder, "ignores-zero") as told:
            await told.charging()
            await told.stop()
            await told.sleep(chance.randrange(240) / 4)
            await killed(told, folder, chance.choice([0.5, 3.0, 20.0]))
            await is_back(told)
            await told.until(lambda: told.told(NoticeKind.ALL_CLEAR), 240.0)
            assert as_it_must_be(told)
            assert told.said() == ["alarm", "all_clear"]

    lived(story())


def test_P17_a_clock_that_is_not_set_after_a_power_cut_wins_no_budget_and_raises_no_order(tmp_path: Path) -> None:
    async def story() -> None:
        folder = tmp_path / "state"
        async with kept(folder) as told:
            await told.charging()
            await told.stop()
            await told.until(lambda: len(told.injected("RemoteStopTransaction")) == 3, 240.0)
            await told.sleep(3.0)
            await killed(told, folder, utc=5.0)
            assert told.proxy.clock.now().utc > START_UTC
            await is_back(told)
            await told.sleep(300.0)
            assert len(as_it_must_be(told)) == 3
            assert told.said()[-1] != "superseded"
            assert told.connector().episode is not None

    lived(story())


def test_a_memory_that_is_damaged_is_counted_and_the_program_begins_anew(tmp_path: Path) -> None:
    async def story() -> None:
        folder = tmp_path / "state"
        async with kept(folder) as told:
            await told.charging()
            await told.stop()
            await told.until(lambda: told.told(NoticeKind.ALARM), 120.0)
            with leaping().still():
                await told.dies()
                with sqlite3.connect(folder / "journal.db") as facts:
                    facts.execute("UPDATE memory SET text = substr(text, 1, 99) || '\"episode_open\":true'")
                facts.close()
            await risen(told)
            await is_back(told)
            await told.sleep(30.0)
            assert told.proxy.tally.faults["memory"] == 1
            assert told.connector().episode is None
            await told.everything_passed(connections_were_lost=True)

    lived(story())


# -- real processes ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def started(folder: Path, central: Central, port: int = 0) -> AsyncIterator[tuple[Program, str, str]]:
    """The proxy as its owner starts it; with the addresses of its door and of its pages."""
    where = ("--listen", f"127.0.0.1:{port}", "--central-system", f"ws://127.0.0.1:{central.port}")
    store = ("--journal", f"sqlite:///{folder}/journal.db", "--frames", f"{folder}/frames")
    async with program(folder, "run", *where, *store, "--admin.listen", "127.0.0.1:0") as running:
        door = await running.says(r"dial (ws://127\.0\.0\.1:\d+)/<id>")
        yield running, door, await running.says(r"are on (http://127\.0\.0\.1:\d+)")


def seconds_needed(pid: int, passed: float) -> float:
    """Real seconds where the machine has time for us; else those that the processor worked for this process."""
    if os.getloadavg()[0] < (os.cpu_count() or 1):
        return passed
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


async def scraped(pages: str) -> Page:
    async with ClientSession() as session, session.get(f"{pages}/metrics") as response:
        return Page(await response.text())


def left_by_an_episode(folder: Path) -> None:
    """A journal with an open episode and a step that is out, as a power cut of just now leaves it."""

    async def story() -> None:
        lived_in = folder.with_name("lived-in")
        async with kept(lived_in) as told:
            await told.charging()
            await told.stop()
            await told.until(lambda: told.injected("RemoteStopTransaction"), 120.0)
            with leaping().still():
                await asyncio.to_thread(shutil.copytree, lived_in, folder)

    lived(story())


def test_P1_a_killed_process_is_back_within_three_seconds_and_knows_its_episode(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    left_by_an_episode(folder)

    async def story() -> None:
        async with Central().serving() as central:
            async with started(folder, central) as (running, door, pages):
                page = await scraped(pages)
                opened = page.value("episode_open_since_timestamp_seconds", **LABELS)
                assert opened > START_UTC
                wires = Wires(door, central)
                box, behind = await wires.joined(BOX)
                await box.send(box.wired(b'[2,"1","Heartbeat",{}]'))
                assert await behind.text() == b'[2,"1","Heartbeat",{}]'
                died = time.monotonic()
                running.process.kill()
                await running.process.wait()
                wires.hang_up()
            port = int(door.rpartition(":")[2])
            async with started(folder, central, port) as (again, door, pages):
                wires = Wires(door, central)
                box, behind = await wires.joined(BOX)
                await box.send(box.wired(b'[2,"2","Heartbeat",{}]'))
                assert await behind.text() == b'[2,"2","Heartbeat",{}]'
                assert seconds_needed(again.process.pid, time.monotonic() - died) < BACK_SECONDS
                page = await scraped(pages)
                assert page.value("episode_open_since_timestamp_seconds", **LABELS) == opened, again.lines
                assert page.total("steps_total", charge_point=BOX, outcome="sent") == 1, "not forgotten, not doubled"
                wires.hang_up()

    asyncio.run(story())
