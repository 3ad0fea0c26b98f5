"""Rings of objects go in the end, young ones by count and old ones by the hour."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from ocpp_watchdog.shell import sweeping


class Ring:
    """Knows itself."""

    def __init__(self) -> None:
        self.ring = self


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def forgotten() -> weakref.ref[Ring]:
    return weakref.ref(Ring())


async def swept(ring: weakref.ref[Ring]) -> None:
    """Sweep until it is gone."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(sweeping.sweep(0.01))
        async with asyncio.timeout(10):
            while ring() is not None:
                await asyncio.sleep(0.01)
        task.cancel()


async def test_what_is_new_goes_with_the_hour() -> None:
    sweeping.settle()
    ring = forgotten()
    await swept(ring)


async def test_what_was_kept_as_old_goes_with_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "HOURS_OF_A_DAY", 3)
    kept = Ring()
    ring = weakref.ref(kept)
    sweeping.settle()
    del kept
    gc.collect()
    assert ring() is not None, "it is not looked at before the day is over"
    await swept(ring)


def test_nothing_looks_through_everything_by_count() -> None:
    sweeping.settle()
    assert gc.get_threshold()[2] > 1_000_000
    assert gc.get_freeze_count() > 0
