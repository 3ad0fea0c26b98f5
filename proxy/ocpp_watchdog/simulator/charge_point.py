"""A simulated charge point on a real WebSocket: connects, comes back, keeps one CALL outstanding.

What it does with orders is `wallbox.py`; how it misbehaves is `faults.py`.
"""

# The ocpp package ships without types.
# mypy: disable-error-code="import-untyped"

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote

import aiohttp
from ocpp.charge_point import remove_nones, serialize_as_dict, snake_to_camel_case
from ocpp.messages import Call, unpack
from yarl import URL

from .clock import SimClock
from .faults import NONE, Faults
from .link import Link, LinkClosedError
from .orders import Orders
from .station_protocol import StationProtocol
from .transcript import Narrator, Transcript, say_nothing
from .wallbox import BROKEN, Outgoing, Wallbox, WallboxOptions

TICK_SECONDS = 0.5
SUBPROTOCOL = "ocpp1.6"


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How a simulated charge point connects. Times are simulated seconds."""

    password: str | None = None
    """Basic authentication with the charge point's id as user; None: none."""
    empty_segment: bool = False
    """Dial ``//ID``, as some boxes do."""
    reconnect_seconds: float = 3.0
    """The first wait after a lost connection; doubled up to ``longest_reconnect_seconds``."""
    longest_reconnect_seconds: float = 60.0
    answer_seconds: float = 30.0
    """How long a CALL waits for its answer."""
    boots_again: bool = True
    """BootNotification after every reconnect, not only after a reboot."""
    handshake_seconds: float = 20.0


class ChargePointSimulator:
    """One charge point that dials ``url`` (``ws://host:port``, without its id) as ``charge_point_id``.

    ``run`` works until it is cancelled. Ground truth: ``current_amperes``, ``energy_wh``, ``log``.
    """

    def __init__(
        self,
        url: str,
        charge_point_id: str,
        faults: Faults = NONE,
        clock: SimClock | None = None,
        *,
        options: WallboxOptions | None = None,
        connection: ConnectionOptions | None = None,
        narrator: Narrator = say_nothing,
    ) -> None:
        self.clock = clock or SimClock()
        self.charge_point_id = charge_point_id
        self.log = Transcript(self.clock)
        self._connection = connection or ConnectionOptions()
        slash = "//" if self._connection.empty_segment else "/"
        self.target = f"{url.rstrip('/')}{slash}{quote(charge_point_id, safe='')}"
        self.wallbox = Wallbox(
            charge_point_id, faults, self.clock, options or WallboxOptions(), network=self, narrator=narrator
        )
        self.orders = Orders(self.wallbox)
        self._waiting: deque[Outgoing] = deque()
        self._anything = asyncio.Event()
        self._link: Link | None = None
        self._booted = False
        self._away_until = 0.0
        self._chance = Random(charge_point_id)

    # --- ground truth and hands ---

    def current_amperes(self, connector: int = 1) -> float:
        """What truly flows, amperes on the most loaded phase."""
        return max(self.wallbox.connectors[connector].circuit.currents())

    def energy_wh(self, connector: int = 1) -> float:
        """What has truly flowed, the register without rounding."""
        circuit = self.wallbox.connectors[connector].circuit
        circuit.advance(self.clock.mono())
        return circuit.energy_wh

    def transaction_id(self, connector: int = 1) -> int | None:
        """The id of the running transaction; None: none runs, or it has no id yet."""
        transaction = self.wallbox.connectors[connector].transaction
        return None if transaction is None else transaction.transaction_id

    def status(self, connector: int = 1) -> str | None:
        """The status last reported on this connection."""
        return self.wallbox.connectors[connector].reported

    def plug_in(self, connector: int = 1, car_amperes: float = 32.0) -> None:
        """A car is plugged in that draws at most ``car_amperes`` per phase."""
        self.wallbox.plug_in(connector, car_amperes)

    def unplug(self, connector: int = 1) -> None:
        """The car leaves."""
        self.wallbox.unplug(connector)

    def set_car_amperes(self, amperes: float, connector: int = 1) -> None:
        """The car now takes at most this per phase; 0: it is full (SuspendedEV)."""
        self.wallbox.connectors[connector].car_amperes = amperes

    def set_error(self, error_code: str, connector: int = 1) -> None:
        """Report an error code with the status (``NoError``: it is over)."""
        self.wallbox.connectors[connector].error_code = error_code
        self.wallbox.report(self.wallbox.connectors[connector], always=True)

    # --- the wallbox's network ---

    @property
    def connected(self) -> bool:
        """Whether the WebSocket is open."""
        return self._link is not None

    @property
    def ready(self) -> bool:
        """Connected, and BootNotification has been accepted."""
        return self._link is not None and self._booted

    def post(self, outgoing: Outgoing) -> None:
        """Queue a CALL; what is not durable is dropped while offline."""
        if self._link is not None or outgoing.durable:
            self._waiting.append(outgoing)
            self._anything.set()

    def drop(self) -> None:
        """Lose the TCP connection without a Close."""
        if self._link is not None:
            self._link.drop()

    def reboot(self, seconds: float) -> None:
        """Close, stay away, boot."""
        self._away_until = self.clock.mono() + seconds
        self._booted = False
        self.drop()

    # --- life ---

    async def run(self) -> None:
        """Live until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick_for_ever(), name=f"{self.charge_point_id} ticks")
            group.create_task(self._connect_for_ever(), name=f"{self.charge_point_id} connects")

    async def _tick_for_ever(self) -> None:
        while True:
            self.wallbox.tick()
            await self.clock.sleep(TICK_SECONDS)

    async def _connect_for_ever(self) -> None:
        wait = self._connection.reconnect_seconds
        tracing = aiohttp.TraceConfig()
        tracing.on_request_redirect.append(_stay)
        async with aiohttp.ClientSession(trace_configs=[tracing]) as session:
            while True:
                await self.clock.sleep_until(self._away_until)
                self.wallbox.rebooting = False
                try:
                    lived = await self._connect(session)
                except (aiohttp.ClientError, OSError, TimeoutError) as error:
                    lived = False
                    self.wallbox.tell("connection_refused", reason=str(error))
                wait = (
                    self._connection.reconnect_seconds
                    if lived
                    else min(wait * 2, self._connection.longest_reconnect_seconds)
                )
                await self.clock.sleep(wait)

    async def _connect(self, session: aiohttp.ClientSession) -> bool:
        """One connection from handshake to end. Result: whether anybody ever spoke OCPP to us on it."""
        async with asyncio.timeout(self.clock.real_seconds(self._connection.handshake_seconds) + 1.0):
            websocket = await session.ws_connect(
                URL(self.target, encoded=True), protocols=(SUBPROTOCOL,), headers=self._headers(), max_msg_size=0
            )
        if websocket.protocol != SUBPROTOCOL:
            await websocket.close()
            self.wallbox.tell("connection_refused", reason="no subprotocol")
            return False
        link = self._link = Link(websocket, self.charge_point_id, self.log)
        self._booted = self._booted and not self._connection.boots_again
        self.wallbox.tell("connected", target=self.target)
        try:
            self.wallbox.tell("disconnected", reason=await self._serve(link))
        finally:
            self._link = None
            self._waiting = deque(outgoing for outgoing in self._waiting if outgoing.durable)
            await websocket.close()
        return link.heard

    def _headers(self) -> dict[str, str]:
        password = self._connection.password
        if password is None:
            return {}
        credentials = f"{self.charge_point_id}:{password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}

    async def _serve(self, link: Link) -> str:
        """Speak OCPP on one connection until it ends; the result says how it ended.

        The reader alone sees the end. No task of the group may raise for it: a group that ends by an error of a child
        loses, on Python 3.11, a cancellation that comes at the same moment.
        """
        real_timeout = self.clock.real_seconds(self._connection.answer_seconds)
        protocol = StationProtocol(self.orders, link, real_timeout, self._next_id)
        calls: asyncio.Queue[str] = asyncio.Queue()
        works = {
            "answers": self._answer(protocol, calls),
            "sends": self._send(link, protocol),
            "pings": self._ping(link),
            "heartbeats": self._beat(),
        }
        reason = ""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_until_closed(work), name=f"{self.charge_point_id} {name}")
                for name, work in works.items()
            ]
            try:
                await self._read(link, protocol, calls)
            except LinkClosedError as ended:
                reason = str(ended)
            finally:
                for task in tasks:
                    task.cancel()
        return reason

    def _next_id(self) -> str:
        return str(self._chance.randrange(10**8, 10**9))

    async def _read(self, link: Link, protocol: StationProtocol, calls: asyncio.Queue[str]) -> None:
        """Answers go to who waits for them at once; CALLs wait in line."""
        while True:
            text = await link.recv()
            if text.lstrip().removeprefix("[").lstrip().startswith("2"):
                calls.put_nowait(text)
            else:
                await protocol.route_message(text)

    async def _answer(self, protocol: StationProtocol, calls: asyncio.Queue[str]) -> None:
        while True:
            text = await calls.get()
            await self.clock.sleep(self.wallbox.faults.answer_seconds)
            if not self._swallowed(text):
                await protocol.route_message(text)
                self.wallbox.tick()

    def _swallowed(self, text: str) -> bool:
        try:
            message = unpack(text)
        except Exception:  # whatever it is, the ocpp package words the answer
            return False
        payload = message.payload
        return isinstance(payload, dict) and self.orders.swallows(message.action, payload)

    async def _send(self, link: Link, protocol: StationProtocol) -> None:
        """One CALL after the other; BootNotification goes first."""
        if not self._booted:
            await self._boot(protocol)
        while True:
            while self._waiting:
                outgoing = self._waiting[0]
                result = await self._deliver(link, protocol, outgoing)
                self._waiting.popleft()
                if outgoing.answered is not None:
                    outgoing.answered(result)
            self._anything.clear()
            await self._anything.wait()

    async def _boot(self, protocol: StationProtocol) -> None:
        while not self._booted:
            result = await self._call(protocol, self.wallbox.boot_notification())
            status = None if result is None else result.status
            self._booted = status == "Accepted"
            self.wallbox.tell("boot_answered", status=status)
            if not self._booted:
                await self.clock.sleep(self._connection.answer_seconds if result is None else result.interval or 60)
            elif result.interval:
                self.wallbox.configuration.keys["HeartbeatInterval"].value = str(result.interval)
        for connector in self.wallbox.connectors.values():
            connector.reported = None
        self.wallbox.tick()

    async def _deliver(self, link: Link, protocol: StationProtocol, outgoing: Outgoing) -> Any:
        if not outgoing.broken:
            return await self._call(protocol, outgoing.payload)
        payload = remove_nones(snake_to_camel_case(serialize_as_dict(outgoing.payload)))
        text = Call(self._next_id(), type(outgoing.payload).__name__, payload).to_json().replace(*BROKEN)
        await link.send(text)
        # Nobody answers what nobody can read, and a box that writes such things does not wait for it either.
        await self.clock.sleep(1.0)
        return None

    async def _call(self, protocol: StationProtocol, payload: Any) -> Any:
        """The answer as the ocpp package words it; None for a CALLERROR, an odd answer, or none."""
        try:
            return await protocol.call(payload)
        except TimeoutError:
            self.wallbox.tell("call_unanswered", action=type(payload).__name__)
        return None

    async def _ping(self, link: Link) -> None:
        last = self.clock.mono()
        while True:
            await self.clock.sleep(1.0)
            every = self.wallbox.configuration.seconds("WebSocketPingInterval")
            if every > 0 and self.clock.mono() >= last + every:
                last = self.clock.mono()
                await link.ping()

    async def _beat(self) -> None:
        last = self.clock.mono()
        while True:
            await self.clock.sleep(1.0)
            every = self.wallbox.configuration.seconds("HeartbeatInterval")
            if self.ready and every > 0 and self.clock.mono() >= last + every:
                last = self.clock.mono()
                self.post(Outgoing(self.wallbox.heartbeat()))


async def _until_closed(work: Coroutine[Any, Any, None]) -> None:
    """Work that ends when its connection does."""
    with suppress(LinkClosedError):
        await work


async def _stay(*_: object) -> None:
    """A box does not follow a redirect (evcc answers ``//ID`` with one)."""
    raise aiohttp.ClientError("redirected")
