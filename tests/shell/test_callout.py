"""The step external: one POST, tried again, given up; what came of it is said once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ocpp_watchdog.core.decisions import CallOut
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId, UniqueId
from ocpp_watchdog.shell.notify import callout
from ocpp_watchdog.shell.notify.callout import MOST_WAITING, CallOuts, CallOutSettings, body
from views import ORDERED, episode_view

BOX = ChargePointId("box")
CALL = CallOut(UniqueId("wd-0123456789abcdef"), ConnectorId(1), ORDERED.later(43.0), episode_view())


class Relay:
    """What is called: answers these, one after the other, the last for ever."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.bodies: list[dict[str, object]] = []

    async def taken(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status)


async def at_once(_: float) -> None:
    await asyncio.sleep(0)


@asynccontextmanager
async def calling(relay: Relay, **numbers: float) -> AsyncIterator[CallOuts]:
    """Calls that reach this relay."""
    application = web.Application()
    application.router.add_post("/off", relay.taken)
    async with TestServer(application) as server, asyncio.TaskGroup() as group:
        calls = CallOuts(CallOutSettings(str(server.make_url("/off")), **numbers), at_once)
        task = group.create_task(calls.run(), name="calls")
        yield calls
        task.cancel()


def always() -> bool:
    return True


async def came_of(calls: CallOuts, wanted: Callable[[], bool] = always) -> bool:
    said: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    calls.call(BOX, CALL, wanted, said.set_result)
    async with asyncio.timeout(20):
        return await said


async def test_a_call_that_is_taken_is_done() -> None:
    relay = Relay(204)
    async with calling(relay) as calls:
        assert await came_of(calls)
    assert relay.bodies == [body(BOX, CALL)]


def test_the_body_says_what_to_do_where_and_why() -> None:
    assert body(BOX, CALL) == {
        "schema": "ocpp-watchdog/call/1",
        "action": "switch_off",
        "id": "wd-0123456789abcdef",
        "at": "2025-10-01T13:19:52Z",
        "charge_point": "box",
        "connector": 1,
        "episode": 1,
        "ordered": "2025-10-01T13:19:09Z",
    }


async def test_a_server_that_is_not_ready_is_called_again_with_the_same_id() -> None:
    relay = Relay(503, 200)
    async with calling(relay) as calls:
        assert await came_of(calls)
    assert [said["id"] for said in relay.bodies] == ["wd-0123456789abcdef"] * 2


async def test_a_server_that_refuses_is_not_called_again() -> None:
    relay = Relay(404)
    async with calling(relay) as calls:
        assert not await came_of(calls)
    assert len(relay.bodies) == 1


async def test_a_call_that_nobody_wants_any_more_is_not_tried_again() -> None:
    relay, wanted = Relay(503, 200), [True, False]
    async with calling(relay) as calls:
        assert not await came_of(calls, lambda: wanted.pop(0))
    assert len(relay.bodies) == 1


async def test_a_server_that_never_takes_it_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async with calling(Relay(503), give_up_seconds=0.05) as calls:
        assert not await came_of(calls)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("ocpp_watchdog")]
    assert any("HTTP status 503" in line for line in said)
    assert not any("/off" in line for line in said)


async def test_where_nobody_is_to_be_called_nothing_is_taken() -> None:
    assert not await came_of(CallOuts(CallOutSettings()))


async def test_what_breaks_on_the_way_is_not_taken_and_the_next_call_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    relay = Relay(200)
    async with calling(relay) as calls:
        with monkeypatch.context() as broken:
            broken.setattr(callout, "request", breaks)
            assert not await came_of(calls)
        assert await came_of(calls)


async def test_of_too_many_calls_the_newest_are_not_taken() -> None:
    calls = CallOuts(CallOutSettings("http://127.0.0.1:9/"))
    said: list[bool] = []
    for _ in range(MOST_WAITING + 2):
        calls.call(BOX, CALL, always, said.append)
    assert said == [False, False]
