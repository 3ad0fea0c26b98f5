"""The connection to the broker: kept up, fed once a second, and read for the owner's orders.

Whatever happens here stops nothing else: every wait for the broker has an end, nothing piles up for one that is slow,
and one that is away is tried again, ever less often. An order that the broker kept (a retained message) is no order:
it would be given again at each connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ocpp_watchdog.core.decisions import StationView
from ocpp_watchdog.core.terms import ChargePointId, Moment
from ocpp_watchdog.shell.mqtt.board import Board, Place
from ocpp_watchdog.shell.mqtt.discovery import Announcement
from ocpp_watchdog.shell.mqtt.topics import OFFLINE, ON, ONLINE, Command, Order, Topics
from ocpp_watchdog.shell.ports import Orders
from ocpp_watchdog.shell.tally import Tally
from ocpp_watchdog.shell.timekeeping import Time

if TYPE_CHECKING:
    import aiomqtt

log = logging.getLogger(__name__)

WHO = "mqtt"
LOOK_SECONDS = 1.0
SLICE = 20
LONGEST_WAIT_SECONDS = 60.0
KEEPALIVE_SECONDS = 20
CLOSING_SECONDS = 1.0
OUTAGE_SECONDS = 120.0
MOST_ORDERS = 10_000
LONGEST_PAYLOAD = 64

View = Callable[[Moment], StationView]
Stations = Callable[[], Iterable[tuple[ChargePointId, View]]]


class NotTakenError(Exception):
    """The broker is not there, or did not take a message in time. Its text is no secret."""


@dataclass(frozen=True, slots=True)
class BridgeSettings:
    """The broker and how it is spoken to. tls None: none; ca: what it was made of. maintenance_minutes: what the switch
    turns on. try_seconds: longest wait for one answer. admitted: who may connect (None: anybody); who may not is
    forgotten."""

    host: str
    port: int
    announcement: Announcement
    ca: str = ""
    tls: ssl.SSLContext | None = field(default=None, compare=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    maintenance_minutes: float = 60.0
    try_seconds: float = 5.0
    admitted: frozenset[str] | None = None

    @property
    def topics(self) -> Topics:
        """All names."""
        return self.announcement.topics

    @property
    def place(self) -> tuple[str, int, Topics]:
        """Where things are kept: whoever has another one takes away what is here."""
        return self.host, self.port, self.topics


class Bridge:
    """``run`` is one task of the owner's. stations: every charge point with a look at it."""

    def __init__(
        self,
        clock: Time,
        tally: Tally,
        stations: Stations,
        orders: Orders,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.settings: BridgeSettings | None = None
        self._clock = clock
        self._tally = tally
        self._stations = stations
        self._orders = orders
        self._sleep = sleep
        self._client: aiomqtt.Client | None = None
        self._announced: set[str] = set()
        self._changed = asyncio.Event()
        self._failures = 0
        self._lost_mono: float | None = None

    @property
    def is_connected(self) -> bool:
        """The broker took us, and nothing says that it is gone."""
        return self._client is not None

    def use(self, settings: BridgeSettings | None) -> None:
        """From now on this broker; None: no more, and what it holds of us is taken away."""
        if settings != self.settings:
            self.settings = settings
            self._changed.set()

    async def send(self, topic: str, text: str, seconds: float) -> None:
        """Send one message that nobody keeps, now. Raises NotTakenError."""
        from aiomqtt import MqttError

        client = self._client
        if client is None:
            raise NotTakenError("not connected")
        try:
            await client.publish(topic, text, qos=1, timeout=seconds)
        except MqttError as error:
            end_if_cancelled()
            raise NotTakenError(str(error)) from None
        end_if_cancelled()

    async def run(self) -> None:
        """For ever: be connected while there is a broker to be connected to."""
        while True:
            self._changed.clear()
            settings = self.settings
            if settings is None:
                await self._changed.wait()
                continue
            await self._tried(settings)
            if not self._changed.is_set():
                await self._pause()

    # -- one connection --------------------------------------------------------------------------------------------

    async def _tried(self, settings: BridgeSettings) -> None:
        """One connection, until it ends or the settings change."""
        from aiomqtt import MqttError

        try:
            await self._connection(settings)
        except (MqttError, OSError, TimeoutError, ssl.SSLError) as error:
            self._note_failure(settings, str(error) or type(error).__name__)
        except ExceptionGroup as group:
            lost, broken = group.split((MqttError, OSError, TimeoutError))
            if broken is not None:
                raise broken from None
            self._note_failure(settings, str(lost.exceptions[0]) if lost else "")
        finally:
            self._client = None
        end_if_cancelled()

    async def _connection(self, settings: BridgeSettings) -> None:
        await knock(settings)
        async with new_client(settings, with_will=True) as client:
            board = Board(settings.announcement)
            for charge_point in self._announced:
                board.remember(charge_point)
            board.see_ourselves()
            await self._greet(client, settings)
            end_if_cancelled()
            self._client = client
            self._note_success(settings)
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [
                        group.create_task(self._listen(client, settings, board), name="mqtt in"),
                        group.create_task(self._tell(client, settings, board), name="mqtt out"),
                    ]
                    await self._changed.wait()
                    for task in tasks:
                        task.cancel()
                self._client = None
                if self.settings is None or self.settings.place != settings.place:
                    await self._leave(client, settings, board)
            except asyncio.CancelledError:
                await self._say_offline(client, settings)
                raise

    async def _greet(self, client: aiomqtt.Client, settings: BridgeSettings) -> None:
        topics = settings.topics
        birth = () if topics.birth is None else (topics.birth,)
        for topic in (*topics.orders, *birth, *topics.kept):
            await client.subscribe(topic, qos=1)
        await client.publish(topics.status, ONLINE, qos=1, retain=True)

    async def _leave(self, client: aiomqtt.Client, settings: BridgeSettings, board: Board) -> None:
        """The owner wants another broker, other names, or none: take away what this one holds."""
        board.clear()
        self._announced.clear()
        while (place := board.next()) is not None:
            await self._put(client, place)
        await client.publish(settings.topics.status, "", qos=1, retain=True)

    async def _say_offline(self, client: aiomqtt.Client, settings: BridgeSettings) -> None:
        """The program ends; a broker that is told so does not execute the last will."""
        with contextlib.suppress(Exception):
            await client.publish(settings.topics.status, OFFLINE, qos=1, retain=True, timeout=CLOSING_SECONDS)

    # -- out -------------------------------------------------------------------------------------------------------

    async def _tell(self, client: aiomqtt.Client, settings: BridgeSettings, board: Board) -> None:
        await self._sleep(LOOK_SECONDS)  # what the broker holds from an earlier life is here by now
        await client.unsubscribe(list(settings.topics.kept))
        end_if_cancelled()
        while True:
            await self._look(settings, board)
            while (place := board.next()) is not None:
                await self._put(client, place)
            await self._sleep(LOOK_SECONDS)

    async def _put(self, client: aiomqtt.Client, place: Place) -> None:
        await client.publish(place.topic, place.text, qos=1, retain=place.is_retained)
        end_if_cancelled()

    async def _look(self, settings: BridgeSettings, board: Board) -> None:
        """Look at every charge point, a few at a time: between them frames pass."""
        there: set[str] = set()
        for number, (charge_point, view) in enumerate(tuple(self._stations()), 1):
            if settings.admitted is not None and charge_point not in settings.admitted:
                continue
            there.add(charge_point)
            now = self._clock.now()
            try:
                board.see(view(now), now)
            except Exception:  # one that cannot be seen hides no other
                self._tally.fault("mqtt", now.mono)
            if number % SLICE == 0:
                await self._sleep(0)
        for gone in board.charge_points - there:
            if gone in self._announced or (settings.admitted is not None and gone not in settings.admitted):
                board.forget(gone)
        self._announced = there

    # -- in --------------------------------------------------------------------------------------------------------

    async def _listen(self, client: aiomqtt.Client, settings: BridgeSettings, board: Board) -> None:
        topics = settings.topics
        async for message in client.messages:
            topic, payload = str(message.topic), _text(message.payload)
            charge_point = topics.charge_point_of(topic)
            if topic == topics.birth:
                if payload == ONLINE:
                    board.repeat()
            elif charge_point is not None:
                if message.retain and payload:
                    board.remember(charge_point, topic)
            elif message.retain:
                log.warning("an order that the broker kept is not obeyed")
            else:
                self._obey(settings, topics.command(topic, payload))

    def _obey(self, settings: BridgeSettings, command: Command | None) -> None:
        if command is None:
            log.warning("an order over MQTT that is none: not obeyed")
            return
        charge_point, connector = command.charge_point, command.connector
        match command.order:
            case Order.STAND_DOWN:
                outcomes = self._orders.stand_down(charge_point, connector, WHO)
            case Order.STOP_NOW:
                outcomes = self._orders.stop_now(charge_point, connector, WHO)
            case Order.MAINTENANCE:
                minutes = settings.maintenance_minutes if command.payload == ON else 0.0
                outcomes = self._orders.maintenance(charge_point, minutes, WHO)
            case Order.TEST_ALARM:
                outcomes = self._orders.test_alarm(WHO)
        for outcome in outcomes:
            log.info("%s by MQTT: %s", outcome.action, outcome.reason or outcome.result)

    # -- when it is away -------------------------------------------------------------------------------------------

    def _note_success(self, settings: BridgeSettings) -> None:
        log.info("the MQTT broker at %s:%s took us", settings.host, settings.port)
        self._failures, self._lost_mono = 0, None

    def _note_failure(self, settings: BridgeSettings, reason: str) -> None:
        """The first of a row is said; an outage that lasts is counted as a fault, once."""
        now = self._clock.now().mono
        self._failures += 1
        if self._lost_mono is None:
            self._lost_mono = now
            log.error("no connection to the MQTT broker at %s:%s: %s", settings.host, settings.port, reason)
        elif now - self._lost_mono >= OUTAGE_SECONDS:
            self._lost_mono = float("inf")
            self._tally.fault("mqtt", now)

    async def _pause(self) -> None:
        """Before the next try: 1 s, and twice as long each time."""
        wait = min(LONGEST_WAIT_SECONDS, 2.0 ** min(self._failures - 1, 10))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(wait, 1.0)):
                await self._changed.wait()


def end_if_cancelled() -> None:
    """The library loses a cancellation that comes together with an answer or an error, and the program would not end.
    Raises CancelledError."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _text(payload: object) -> str:
    """What came, shortened; empty when it is no text."""
    if not isinstance(payload, bytes | bytearray):
        return ""
    return bytes(payload[:LONGEST_PAYLOAD]).decode("utf-8", "replace")


def new_client(settings: BridgeSettings, *, with_will: bool) -> aiomqtt.Client:
    """The library's own, not connected yet. with_will: the broker says that we are gone when it loses us."""
    import aiomqtt

    return aiomqtt.Client(
        settings.host,
        settings.port,
        username=settings.user,
        password=settings.password,
        tls_context=settings.tls,
        logger=log.getChild("client"),
        will=aiomqtt.Will(settings.topics.status, OFFLINE, qos=1, retain=True) if with_will else None,
        timeout=settings.try_seconds,
        keepalive=KEEPALIVE_SECONDS,
        max_queued_incoming_messages=MOST_ORDERS,
    )


async def knock(settings: BridgeSettings) -> None:
    """The library shakes hands over TLS in a thread that nothing can call back: first see whether somebody does. Raises
    OSError, TimeoutError."""
    if settings.tls is None:
        return
    async with asyncio.timeout(settings.try_seconds):
        _, writer = await asyncio.open_connection(settings.host, settings.port, ssl=settings.tls)
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(CLOSING_SECONDS):
            await writer.wait_closed()


async def send_once(settings: BridgeSettings, topic: str, text: str) -> None:
    """One message over a connection of its own. Raises NotTakenError."""
    from aiomqtt import MqttError

    try:
        await knock(settings)
        async with new_client(settings, with_will=False) as client:
            await client.publish(topic, text, qos=1)
    except (MqttError, OSError, TimeoutError) as error:
        raise NotTakenError(str(error) or type(error).__name__) from None
