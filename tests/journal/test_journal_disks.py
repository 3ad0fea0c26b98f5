"""P3, P4: disks that are full, read-only or slow, made for real. Frames go on, it is alarmed, it heals.

Needs root for mounts; `make journal-faults`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from journal_kit import lines, look
from journal_scene import Scene, scene

import examples
from ocpp_watchdog.shell.journal.store import Store

SMALL = "2m"
PATIENCE_SECONDS = 30.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 2 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


async def until(claim: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not claim():
            await asyncio.sleep(0.05)


async def trips(told: Scene, name: str, count: int = 60) -> float:
    """Messages from the charge point with their answers; the 99th percentile in seconds."""
    spent = []
    for number in range(count):
        began = time.monotonic()
        await told.asks(examples.call(f"{name}{number}", "Heartbeat", {}))
        spent.append(time.monotonic() - began)
        await asyncio.sleep(0.02)
    return sorted(spent)[-1 if count < 100 else -2]


def is_degraded(told: Scene) -> bool:
    return told.proxy.tally.is_degraded(told.proxy.clock.now().mono)


def fill(folder: Path) -> Path:
    """Take all there is."""
    file = folder / "filler"
    with file.open("wb", buffering=0) as out:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while True:
                    out.write(b"x" * size)
            except OSError:
                continue
    return file


async def test_P3_a_full_disk_stops_nothing_but_the_journal_is_alarmed_and_heals(disk: Path) -> None:
    url = f"sqlite:///{disk}/journal.db"
    async with scene(url, disk, speed=1.0) as told:
        await trips(told, "before", 20)
        await asyncio.sleep(1.0)
        assert not is_degraded(told)
        filler = fill(disk)
        slowest = await trips(told, "full")
        await told.ordered("o1", 16.0)
        await until(lambda: is_degraded(told))
        slowest = max(slowest, await trips(told, "still"))
        filler.unlink()
        assert told.proxy.journal is not None
        await until(lambda: not told.proxy.journal.is_down if told.proxy.journal else False)
        await trips(told, "after", 20)
        await told.ordered("o2", 10.0)
        assert len([text for text in told.central.heard if "Heartbeat" in text]) == 160, "not one frame was lost"
        assert slowest < 1.0
    kept = [line.text for line in lines(disk / "frames")]
    for name in ("before", "full", "still", "after"):
        assert [text for text in kept if f'"{name}' in text], name
    orders = look(url, "SELECT unique_id, answer FROM orders ORDER BY requested_utc")
    assert [(row["unique_id"], row["answer"]) for row in orders] == [("o1", "accepted"), ("o2", "accepted")]


async def test_P3_a_read_only_disk_at_the_start_stops_nothing_and_heals(disk: Path) -> None:
    remount(disk, "ro")
    url = f"sqlite:///{disk}/journal.db"
    async with scene(url, disk, speed=1.0) as told:
        await trips(told, "before", 20)
        await told.ordered("o1", 16.0)
        await until(lambda: is_degraded(told))
        remount(disk, "rw")
        await until(lambda: not told.proxy.journal.is_down if told.proxy.journal else False)
        await trips(told, "after", 20)
    kept = [line.text for line in lines(disk / "frames")]
    assert [text for text in kept if '"before' in text]
    assert [text for text in kept if '"after' in text]
    assert [row["unique_id"] for row in look(url, "SELECT unique_id FROM orders")] == ["o1"]


async def test_P4_a_disk_that_syncs_in_two_seconds_holds_no_frame_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, write = os.fsync, Store.write

    def slow(fd: int) -> None:
        time.sleep(2.0)
        fsync(fd)

    def slowly(store: Store, rows: Any) -> None:
        time.sleep(2.0)
        write(store, rows)

    monkeypatch.setattr(os, "fsync", slow)
    monkeypatch.setattr(Store, "write", slowly)
    url = f"sqlite:///{tmp_path}/journal.db"
    async with scene(url, tmp_path, speed=1.0) as told:
        assert await trips(told, "slow", 200) < 0.1
        await told.ordered("o1", 16.0)
    assert len([line for line in lines(tmp_path / "frames") if '"slow' in line.text]) == 400
    assert [row["answer"] for row in look(url, "SELECT answer FROM orders")] == ["accepted"]
