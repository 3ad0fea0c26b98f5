"""The functions behind ``simulate``: plain options in, lines for a person out."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ocpp_watchdog.simulator.cli import (
    CentralSystemRun,
    ChargePointRun,
    UnknownFaultError,
    build_charge_point,
    run_central_system,
    run_charge_point,
)
from ocpp_watchdog.simulator.clock import SimClock
from ocpp_watchdog.simulator.faults import EVERY_FAULT, FAULTS, LADDER_FAULTS


@asynccontextmanager
async def running(*works: Coroutine[Any, Any, None]):
    """Both verbs at once, until the block ends."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        yield
        for task in tasks:
            task.cancel()


async def seen(lines: list[str], words: str) -> str:
    """The first line that holds some words; waits for it."""
    async with asyncio.timeout(20):
        while True:
            for line in lines:
                if words in line:
                    return line
            await asyncio.sleep(0.01)


async def test_the_two_verbs_tell_the_story_of_an_ignored_stop():
    lines: list[str] = []
    central = run_central_system(
        CentralSystemRun(port=0, mode="now", amperes=6.0, cycle_seconds=10.0, speed=60.0), lines.append
    )
    async with running(central):
        address = (await seen(lines, "listens on")).split()[-1].removesuffix("/<id>")
        options = ChargePointRun(
            url=address, charge_point_id="W-1", fault="ignores-zero", speed=60.0, plug_in_seconds=2.0
        )
        async with running(run_charge_point(options, lines.append)):
            assert "limit=6.0" in await seen(lines, "profile_accepted")
            assert "transaction_id=" in await seen(lines, "transaction_started")
            assert "amperes=6.5" in await seen(lines, "current_changed")
    assert all("W-1" in line for line in lines[1:])


async def test_a_car_can_come_and_go_by_options():
    lines: list[str] = []
    async with running(run_central_system(CentralSystemRun(port=0, speed=60.0), lines.append)):
        address = (await seen(lines, "listens on")).split()[-1].removesuffix("/<id>")
        options = ChargePointRun(
            url=address, speed=60.0, plug_in_seconds=4.0, unplug_seconds=20.0, fault="two-connectors"
        )
        async with running(run_charge_point(options, lines.append)):
            assert "connector 1" in await seen(lines, "plugged_in")
            await seen(lines, "unplugged")
    assert len([line for line in lines if "unplugged" in line]) == 2


def test_an_unknown_fault_is_named_with_those_that_are_known():
    with pytest.raises(UnknownFaultError, match=r"'sulks'.*ignores-zero"):
        build_charge_point(ChargePointRun(fault="sulks"), SimClock(), print)


def test_every_fault_has_a_line_for_a_person():
    assert set(EVERY_FAULT) == {*FAULTS, *LADDER_FAULTS}
    assert all(fault.summary for fault in EVERY_FAULT.values())


def test_the_speed_of_a_clock_must_be_above_zero():
    with pytest.raises(ValueError, match="above zero"):
        SimClock(0.0)
