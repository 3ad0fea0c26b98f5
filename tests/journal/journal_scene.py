"""The running program with its journal between two ends that do as they are told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, web
from aiohttp.test_utils import TestServer

import examples
from ocpp_watchdog.app import Proxy, running
from ocpp_watchdog.settings import fixed
from ocpp_watchdog.shell.clock import Clock

SPEED = 50.0
"""Simulated seconds a second; what waits for a commit waits in real ones."""


@dataclass
class Central:
    """A central system that answers every CALL, and says what it is told to say."""

    socket: web.WebSocketResponse | None = None
    heard: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        self.socket = socket = web.WebSocketResponse(protocols=("ocpp1.6",))
        await socket.prepare(request)
        async for message in socket:
            text = message.data if isinstance(message.data, str) else message.data.decode()
            self.heard.append(text)
            if text[:3] == "[2,":
                name, action = json.loads(text)[1:3]
                await self.say(
                    examples.start_result(name, 7) if action == "StartTransaction" else examples.result(name)
                )
        return socket

    async def say(self, text: str) -> None:
        assert self.socket is not None
        self.said.append(text)
        await self.socket.send_str(text)


@dataclass
class Scene:
    proxy: Proxy
    central: Central
    box: ClientWebSocketResponse

    async def asks(self, text: str) -> None:
        """The charge point says it and is answered."""
        await self.box.send_str(text)
        assert (await self.box.receive_str(timeout=30)).startswith("[3,")

    async def ordered(self, name: str, amperes: float) -> None:
        """The central system orders it and is obeyed in words."""
        await self.central.say(examples.set_limit(name, amperes, self.utc))
        assert name in await self.box.receive_str(timeout=30)
        await self.box.send_str(examples.status_result(name))

    async def meter(self, name: str, amperes: str, energy: str) -> None:
        values = [*examples.current_values([amperes] * 3), *examples.register_value(energy)]
        await self.asks(examples.meter_values(name, values, examples.iso(self.utc, 3)))

    @property
    def utc(self) -> float:
        return self.proxy.clock.now().utc

    async def charging(self) -> None:
        """Transaction 7 runs with 16 A."""
        await self.asks(examples.status("s1", "Charging", self.utc))
        await self.asks(examples.start_transaction("t1", self.utc))
        await self.ordered("o1", 16.0)

    async def ignored(self) -> tuple[float, str]:
        """0 A is ordered and ignored until RemoteStopTransaction comes: real seconds from the convicting reading, and
        the frame."""
        await self.charging()
        await self.ordered("o2", 0.0)
        await asyncio.sleep(40 / SPEED)
        await self.meter("m1", "6.51", "1000")
        await asyncio.sleep(10 / SPEED)
        began = time.monotonic()
        await self.meter("m2", "6.53", "1030")
        stop = await self.box.receive_str(timeout=30)
        return time.monotonic() - began, stop


@asynccontextmanager
async def scene(url: str, folder: Path, speed: float = SPEED, **settings: Any) -> AsyncIterator[Scene]:
    central = Central()
    pages = web.Application()
    pages.router.add_get("/{path:.*}", central.handle)
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(pages))
        where = {"listen": "127.0.0.1:0", "central_system": f"ws://127.0.0.1:{server.port}"}
        settings |= {"journal": url, "frames": folder / "frames", "judge": {"may_question": False}}
        values = fixed(**where, admin={"listen": "127.0.0.1:0"}, **settings)
        proxy = await stack.enter_async_context(running(values, Clock(speed)))
        session = await stack.enter_async_context(ClientSession())
        box = await stack.enter_async_context(session.ws_connect(f"{proxy.url}/box", protocols=("ocpp1.6",)))
        yield Scene(proxy, central, box)
