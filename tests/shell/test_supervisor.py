"""Signs of life for the service manager, at an own notify socket."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ocpp_watchdog.shell.supervisor import Supervisor


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.setblocking(False)
        yield heard


def words(manager: socket.socket) -> list[str]:
    said = []
    while True:
        try:
            said.append(manager.recv(1024).decode())
        except BlockingIOError:
            return said


@asynccontextmanager
async def pinging(supervisor: Supervisor) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervisor.ping())
        yield
        task.cancel()


async def test_it_gives_signs_of_life_as_often_as_wanted(manager: socket.socket) -> None:
    async with pinging(Supervisor(manager.getsockname(), 0.06)):
        await asyncio.sleep(0.2)
        said = words(manager)
    assert set(said) == {"WATCHDOG=1"}
    assert len(said) >= 3


async def test_who_holds_the_loop_stops_the_signs_of_life(manager: socket.socket) -> None:
    async with pinging(Supervisor(manager.getsockname(), 0.03)):
        await asyncio.sleep(0.05)
        words(manager)
        time.sleep(0.2)  # noqa: ASYNC251  what a judge that does not come back does to the loop
        assert words(manager) == []
        await asyncio.sleep(0.05)
        assert words(manager)[:1] == ["WATCHDOG=1"]


async def test_no_signs_of_life_where_none_are_wanted(manager: socket.socket) -> None:
    async with pinging(Supervisor(manager.getsockname(), None)):
        await asyncio.sleep(0.05)
    assert words(manager) == []


def test_an_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0ocpp-watchdog-test-notify")
        heard.setblocking(False)
        Supervisor("@ocpp-watchdog-test-notify", None).say("READY=1")
        assert words(heard) == ["READY=1"]


async def test_where_nobody_listens_nothing_happens() -> None:
    async with pinging(Supervisor(None, 0.01)):
        await asyncio.sleep(0.03)


def test_a_service_manager_that_is_gone_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Supervisor(str(tmp_path / "gone"), None).say("READY=1")
    assert "the service manager cannot be told READY=1" in caplog.text
