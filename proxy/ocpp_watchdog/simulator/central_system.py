"""A stand-in for evcc as central system, on a real socket: the door, the sessions, the load points.

It does what the real program was recorded to do, its weaknesses included.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .central_door import answer_without_websocket, bare, charge_point_id, subprotocol
from .central_load_point import LoadPoint, Mode
from .central_station import CentralOptions, Station
from .clock import SimClock
from .transcript import Narrator, Transcript, say_nothing

FIELD_CASE: tuple[tuple[float, float], ...] = ((0.0, 6.0), (166.0, 7.0), (93.0, 11.0), (128.0, 0.0))
"""The orders of the real case (2025-10-01, 15:12:42 to 15:19:09): (seconds since the one before, amperes)."""


@dataclass(slots=True)
class _Session:
    """One open WebSocket. ``heard``: simulated mono of the last message or ping."""

    request: web.Request
    websocket: web.WebSocketResponse
    heard: float
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class CentralSystemSimulator:
    """A central system at ``ws://host:port/<id>``; port 0 takes a free one (``port`` says which, after ``started``).

    ``run`` works until it is cancelled. Control: ``set_mode``, ``set_limit``, ``set_sun``, ``run_field_case``.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: SimClock | None = None,
        mode: Mode = "off",
        *,
        options: CentralOptions | None = None,
        narrator: Narrator = say_nothing,
    ) -> None:
        self.host, self.port = host, port
        self.clock = clock or SimClock()
        self.options = options or CentralOptions()
        self.log = Transcript(self.clock)
        self.started = asyncio.Event()
        self.stopped = asyncio.Event()
        self.stations: dict[str, Station] = {}
        self.load_points: dict[tuple[str, int], LoadPoint] = {}
        self._mode: Mode = mode
        self._narrator = narrator
        self._last_transaction = int(self.clock.utc())
        self._sessions: dict[str, _Session] = {}
        self._group: asyncio.TaskGroup | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    # --- control and belief ---

    def set_mode(self, mode: Mode, charge_point: str | None = None) -> None:
        """off, now or pv, for one charge point or all; acts at once."""
        if charge_point is None:
            self._mode = mode
        for load_point in self._chosen(charge_point):
            load_point.mode = mode
            load_point.poke()

    def set_limit(self, amperes: float, charge_point: str | None = None, *, at_once: bool = False) -> None:
        """The current of mode now, amperes per phase; acts at the next cycle, or at once."""
        for load_point in self._chosen(charge_point):
            load_point.limit_amperes = amperes
            if at_once:
                load_point.poke()

    def set_sun(self, amperes: float, charge_point: str | None = None) -> None:
        """What the sun gives in mode pv, amperes per phase; acts at the next cycle."""
        for load_point in self._chosen(charge_point):
            load_point.sun_amperes = amperes

    def _chosen(self, charge_point: str | None) -> list[LoadPoint]:
        return [point for (name, _), point in self.load_points.items() if charge_point in {None, name}]

    def is_connected(self, charge_point: str) -> bool:
        """Whether a WebSocket of this id is open."""
        return charge_point in self._sessions

    def believed_power_watts(self, charge_point: str, connector: int = 1) -> float | None:
        """What evcc shows as charging power now; None where it shows an error."""
        return self.stations[charge_point].beliefs[connector].power_watts(self.clock.utc())

    def believed_status(self, charge_point: str, connector: int = 1) -> str | None:
        """The status evcc believes."""
        return self.stations[charge_point].beliefs[connector].status

    def believed_transaction(self, charge_point: str, connector: int = 1) -> int:
        """The running transaction as evcc knows it; 0: none."""
        return self.stations[charge_point].beliefs[connector].transaction_id

    async def wait_until_set_up(self, charge_point: str) -> None:
        """Wait until a charge point has connected and its set-up is done."""
        while charge_point not in self.stations or not self.stations[charge_point].set_up.is_set():
            await self.clock.sleep(0.2)

    async def run_field_case(self, charge_point: str, pace: float = 1.0) -> None:
        """Order 6, 7, 11 and 0 A as on that day; ``pace`` 0.5 halves the waits. Needs the charge point set up."""
        for wait, amperes in FIELD_CASE:
            await self.clock.sleep(wait * pace)
            if amperes:
                self.set_limit(amperes, charge_point)
                self.set_mode("now", charge_point)
            else:
                self.set_mode("off", charge_point)

    # --- life ---

    async def run(self) -> None:
        """Serve until cancelled."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        application.on_response_prepare.append(bare)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self.host, self.port)
            await site.start()
            self.port = int(runner.addresses[0][1])
            async with asyncio.TaskGroup() as group:
                self._group = group
                self.started.set()
                await self._stopping.wait()
                for task in self._tasks:
                    task.cancel()
        finally:
            self._group = None
            for session in list(self._sessions.values()):
                _abort(session.request)
            await runner.cleanup()
            self.stopped.set()

    async def stop(self) -> None:
        """End ``run`` as a crash would: all connections reset, the port free again."""
        self._stopping.set()
        await self.stopped.wait()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        refusal = answer_without_websocket(request)
        if refusal is not None:
            return refusal
        websocket = web.WebSocketResponse(
            protocols=subprotocol(request),
            autoping=False,
            autoclose=False,
            compress=False,
            timeout=0.05,
            max_msg_size=0,
        )
        await websocket.prepare(request)
        name = charge_point_id(request)
        if websocket.ws_protocol is None:
            await websocket.close(code=1002, message=b"invalid or unsupported subprotocol")
        elif name in self._sessions:
            await websocket.close(code=1008, message=b"a connection with this ID already exists")
        else:
            await self._serve(name, _Session(request, websocket, self.clock.mono()))
        return websocket

    async def _serve(self, name: str, session: _Session) -> None:
        station = self._station(name)
        self._sessions[name] = session

        async def send(text: str) -> None:
            if not session.websocket.closed:
                self.log.add(name, "sent", text)
                try:
                    await session.websocket.send_str(text)
                except ConnectionError:
                    _abort(session.request)

        async with asyncio.TaskGroup() as group:

            def spawn(work: Coroutine[Any, Any, None]) -> None:
                task = group.create_task(work, name=f"central system for {name}")
                session.tasks.add(task)
                task.add_done_callback(session.tasks.discard)

            try:
                station.connected(send, spawn)
                spawn(self._watch_silence(session))
                await self._read(name, station, session)
            finally:
                del self._sessions[name]
                for task in list(session.tasks):
                    task.cancel()
                station.disconnected()

    async def _read(self, name: str, station: Station, session: _Session) -> None:
        while True:
            message = await session.websocket.receive()
            match message.type:
                case web.WSMsgType.TEXT:
                    text = str(message.data)
                case web.WSMsgType.BINARY:
                    text = bytes(message.data).decode("utf-8", "replace")
                case web.WSMsgType.PING:
                    session.heard = self.clock.mono()
                    with suppress(ConnectionError):
                        await session.websocket.pong(bytes(message.data))
                    continue
                case web.WSMsgType.PONG:
                    continue
                case web.WSMsgType.CLOSE:
                    await session.websocket.close(code=int(message.data or 1000))
                    return
                case _:
                    return
            session.heard = self.clock.mono()
            self.log.add(name, "received", text)
            await station.receive(text)

    async def _watch_silence(self, session: _Session) -> None:
        """Sixty seconds after the last message or ping: FIN, without a Close frame."""
        while (left := session.heard + self.options.silence_seconds - self.clock.mono()) > 0:
            await self.clock.sleep(left)
        if session.request.transport is not None:
            session.request.transport.close()

    def _station(self, name: str) -> Station:
        if name not in self.stations:
            station = self.stations[name] = Station(
                name, self.clock, self.options, self._next_transaction, self._narrator
            )
            if station.known:
                self._live(station.keep_readings_fresh(), f"readings of {name}")
                for connector in self.options.connectors:
                    load_point = self.load_points[name, connector] = LoadPoint(station, connector, self._mode)
                    self._live(load_point.run(), f"load point {name} {connector}")
        return self.stations[name]

    def _live(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Start work that ends with this central system."""
        if self._group is None:
            work.close()
        else:
            self._tasks.append(self._group.create_task(work, name=name))

    def _next_transaction(self) -> int:
        self._last_transaction += 1
        return self._last_transaction


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
