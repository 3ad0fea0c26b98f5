"""The relay as a whole: listens, answers each charge point with what the central system answers, joins, and stops.

DESIGN 2. It owns every connection: those at the door, those that wait for the central system, and the sessions.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any, Self, cast

from aiohttp import web

from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.shell.ports import Judge, JudgeFactory
from ocpp_watchdog.shell.relay.admission import Admission, Verdict
from ocpp_watchdog.shell.relay.dial import Answer, Dial, Failure, dial
from ocpp_watchdog.shell.relay.door import Curtain, Door, http_server
from ocpp_watchdog.shell.relay.leg import BUFFER_SIZE, keep_alive
from ocpp_watchdog.shell.relay.request import (
    Refusal,
    Upgrade,
    passed_on,
    read_upgrade,
    request_headers,
    switching,
)
from ocpp_watchdog.shell.relay.session import Delay, RelaySession
from ocpp_watchdog.shell.relay.settings import RelayCounters, RelaySettings, central_system

_log = logging.getLogger(__name__)

STOP_PATIENCE = 4.0
"""Seconds that the sessions get to end after Close 1012, before they are aborted."""


class Contest(Enum):
    """How a second connection of a live id was answered."""

    REPLACED = "replaced"
    REFUSED = "refused"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A second connection of a live id: from whom, against whom, and what became of it."""

    charge_point: ChargePointId
    newcomer: str
    holder: str
    outcome: Contest


class Relay:
    """Use as ``async with Relay(...) as relay``, or ``start`` and ``stop``. ``port`` is the one that was bound."""

    def __init__(
        self,
        settings: RelaySettings,
        judges: JudgeFactory | None = None,
        *,
        delay: Delay | None = None,
        duplicate: Callable[[Duplicate], None] | None = None,
    ) -> None:
        """judges: makes the judge of a new session; None relays only. delay: told how long each read took from its
        arrival to the end of the write. duplicate: told of every second connection of a live id."""
        self.settings = settings
        self.counters = RelayCounters()
        self.port = 0
        self.sessions: dict[ChargePointId, RelaySession] = {}
        self._judges = judges
        self._delay = delay
        self._duplicate = duplicate
        self._admission = Admission(settings)
        self._central = central_system(settings.central_system)
        self._doors: set[Door] = set()
        self._all: set[RelaySession] = set()
        self._turns: dict[ChargePointId, tuple[asyncio.Lock, int]] = {}
        self._sockets: list[socket.socket] = []
        self._listeners: list[asyncio.Server] = []
        self._view = memoryview(bytearray(BUFFER_SIZE))
        self._stopping = False
        self._empty = asyncio.Event()

    # -- start and stop ------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        self.server = http_server(self._handle)
        self._sockets = await _bind(self.settings.host, self.settings.port)
        self.port = self._sockets[0].getsockname()[1]
        self._listeners = await self._listen(self.settings.server_tls)

    async def stop(self) -> None:
        """Close 1012 to both ends of every session, give dials up, and return when nothing is left (below 10 s)."""
        self._stopping = True
        for listener in self._listeners:
            listener.close()
        for sock in self._sockets:
            sock.close()
        for door in tuple(self._doors):
            door.give_up()
        for session in tuple(self._all):
            session.close(1012, "service restart")
        try:
            async with asyncio.timeout(STOP_PATIENCE):
                await self._wait_until_empty()
        except TimeoutError:
            for session in tuple(self._all):
                session.abort()
            for door in tuple(self._doors):
                door.abort()
            await self._wait_until_empty()
        await self.server.shutdown(1.0)

    async def _wait_until_empty(self) -> None:
        while self._all or self._doors:
            self._empty.clear()
            await self._empty.wait()

    async def _listen(self, tls: ssl.SSLContext | None) -> list[asyncio.Server]:
        """Listen on copies of the bound sockets, so that listening can begin anew without a gap."""
        loop = asyncio.get_running_loop()
        options: dict[str, Any] = {}
        if tls is not None:
            options = {"ssl": tls, "ssl_handshake_timeout": self.settings.handshake_timeout, "ssl_shutdown_timeout": 2}
        return [
            await loop.create_server(lambda: Door(self), sock=sock.dup(), backlog=512, **options)
            for sock in self._sockets
        ]

    async def reload(self, settings: RelaySettings) -> tuple[str, ...]:
        """Take over what can change without ending a session, for everybody who comes from now on.

        The result names what cannot: listen host and port. Raises ValueError for a bad central system.
        """
        central = central_system(settings.central_system)
        if settings.server_tls is not self.settings.server_tls:
            before, self._listeners = self._listeners, await self._listen(settings.server_tls)
            for listener in before:
                listener.close()
        old, self.settings, self._central = self.settings, settings, central
        self._admission.settings = settings
        return tuple(name for name in ("host", "port") if getattr(old, name) != getattr(settings, name))

    # -- doors and sessions report -------------------------------------------------------------------------------

    def arrived(self, door: Door) -> bool:
        self._doors.add(door)
        self.counters.charge_point_connections += 1
        return self._admission.arrived(door.address) and not self._stopping

    def left(self, door: Door) -> None:
        self._doors.discard(door)
        self._charge_point_gone(door.address)

    def session_over(self, session: RelaySession) -> None:
        self._all.discard(session)
        if self.sessions.get(session.charge_point) is session:
            del self.sessions[session.charge_point]
        self.counters.central_system_connections -= 1
        self._charge_point_gone(session.peer)
        _log.info("disconnected", extra={"charge_point": session.charge_point, "reason": session.reason})

    def _charge_point_gone(self, address: str) -> None:
        self.counters.charge_point_connections -= 1
        self._admission.left(address)
        if not self._all and not self._doors:
            self._empty.set()

    # -- one handshake -------------------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """aiohttp's handler: answers through the door and lets aiohttp go."""
        door = cast(Curtain, request.transport).door
        try:
            refusal = await self._admit(door, request)
        except Exception:
            _log.exception("a handshake failed")
            self.counters.faults += 1
            refusal = Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "fault")
        if refusal is not None:
            door.refuse(refusal)
        return web.Response()

    async def _admit(self, door: Door, request: web.BaseRequest) -> Refusal | None:
        """From the parsed head to a session or an answer. None: the charge point has been answered."""
        settings = self.settings
        upgrade = read_upgrade(request.method, request.raw_path, request.raw_headers, repair=settings.repair_path)
        if isinstance(upgrade, Refusal):
            return upgrade
        limited = self._limited(door.address)
        if limited is not None:
            return limited
        refused = await self._check(upgrade, door.address)
        if refused is not None:
            return refused
        return await self._in_turn(door, upgrade)

    def _limited(self, address: str) -> Refusal | None:
        most = self.settings.handshakes_at_once
        if most is not None and len(self._doors) > most:
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", _retry_after(5))
        if not self._admission.may_shake_hands(address, asyncio.get_running_loop().time()):
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "address_rate", _retry_after(5))
        return None

    async def _check(self, upgrade: Upgrade, address: str) -> Refusal | None:
        now = asyncio.get_running_loop().time()
        match self._admission.check(upgrade.charge_point, upgrade.authorization, address, now):
            case Verdict.ADMITTED:
                return None
            case Verdict.UNKNOWN:
                return Refusal(HTTPStatus.NOT_FOUND, "not_admitted")
            case Verdict.TOO_MANY_GUESSES:
                return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "guesses", _retry_after(10))
            case verdict:
                why = "no_password" if verdict is Verdict.NO_PASSWORD else "wrong_password"
                challenge = ((b"WWW-Authenticate", b'Basic realm="charge point", charset="UTF-8"'),)
                return Refusal(HTTPStatus.UNAUTHORIZED, why, challenge)

    async def _in_turn(self, door: Door, upgrade: Upgrade) -> Refusal | None:
        """One handshake at a time for each id: the next one then meets a session and is asked about it."""
        charge_point = upgrade.charge_point
        lock, waiting = self._turns.get(charge_point, (asyncio.Lock(), 0))
        self._turns[charge_point] = lock, waiting + 1
        try:
            async with AsyncExitStack() as stack:
                try:
                    async with asyncio.timeout(self.settings.connect_timeout):
                        await stack.enter_async_context(lock)
                except TimeoutError:
                    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", _retry_after(5))
                return await self._contest(door, upgrade) or await self._dial(door, upgrade)
        finally:
            lock, waiting = self._turns[charge_point]
            if waiting > 1:
                self._turns[charge_point] = lock, waiting - 1
            else:
                del self._turns[charge_point]

    async def _contest(self, door: Door, upgrade: Upgrade) -> Refusal | None:
        """A live session of this id is asked whether its charge point is still there (DESIGN R11)."""
        old = self.sessions.get(upgrade.charge_point)
        if old is None:
            return None
        if not self._admission.may_contest(upgrade.charge_point, asyncio.get_running_loop().time()):
            self._tell_duplicate(upgrade, door, old, Contest.LIMITED)
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "fight", _retry_after(int(self.settings.fight_refill)))
        if await old.answers(self.settings.duplicate_probe):
            self._tell_duplicate(upgrade, door, old, Contest.REFUSED)
            return Refusal(HTTPStatus.CONFLICT, "duplicate")
        if not old.over:
            self._tell_duplicate(upgrade, door, old, Contest.REPLACED)
            old.replace()
        await old.gone.wait()
        return None

    def _tell_duplicate(self, upgrade: Upgrade, door: Door, old: RelaySession, outcome: Contest) -> None:
        self.counters.duplicates += 1
        _log.warning(
            "a second connection of a live charge point id was %s",
            outcome.value,
            extra={"charge_point": upgrade.charge_point, "newcomer": door.address, "holder": old.peer},
        )
        if self._duplicate is not None:
            try:
                self._duplicate(Duplicate(upgrade.charge_point, door.address, old.peer, outcome))
            except Exception:
                self.counters.faults += 1
                _log.exception("the alarm about a duplicate failed")

    async def _dial(self, door: Door, upgrade: Upgrade) -> Refusal | None:
        settings, central = self.settings, self._central
        peer = door.address if settings.forwarded_for else None
        headers = request_headers(upgrade, central.authority, peer)
        caller, answer = await dial(settings, central, upgrade.target, headers)
        if caller is not None and isinstance(answer, Answer):
            return self._join(door, upgrade, caller, answer)
        if isinstance(answer, Answer):
            self.counters.refusals["central_system"] += 1
            door.answer(passed_on(answer.status, answer.reason, answer.headers, answer.body))
            return None
        return self._unreachable(upgrade, answer)

    def _unreachable(self, upgrade: Upgrade, failure: Failure) -> Refusal:
        if failure.ours:
            return Refusal(HTTPStatus.BAD_REQUEST, "headers")
        _log.warning("no central system: %s", failure.text, extra={"charge_point": upgrade.charge_point})
        if failure.silent:
            return Refusal(HTTPStatus.GATEWAY_TIMEOUT, "silent")
        return Refusal(HTTPStatus.BAD_GATEWAY, "unreachable")

    def _join(self, door: Door, upgrade: Upgrade, caller: Dial, answer: Answer) -> Refusal | None:
        """Answer 101 and join both connections; nothing is awaited in here."""
        if any(name.lower() == b"sec-websocket-extensions" for name, _ in answer.headers):
            caller.abandon()
            return Refusal(HTTPStatus.BAD_GATEWAY, "extension")
        if not door.is_open or caller.lost or caller.transport is None or self._stopping:
            caller.abandon()
            return Refusal(HTTPStatus.BAD_GATEWAY, "unreachable")
        keep_alive(caller.transport, self.settings.keep_alive)
        judge = self._judge(upgrade.charge_point, door.address)
        session = RelaySession(self, self.settings, upgrade.charge_point, door.address, judge=judge, delay=self._delay)
        transport, early = door.hand_over(switching(answer.reason, answer.headers))
        self._doors.discard(door)
        self._all.add(session)
        self.sessions[upgrade.charge_point] = session
        self.counters.sessions += 1
        self.counters.central_system_connections += 1
        _log.info("connected", extra={"charge_point": upgrade.charge_point, "peer": door.address})
        session.join(transport, caller.transport, self._view)
        session.begin(early, answer.early)
        return None

    def _judge(self, charge_point: ChargePointId, peer: str) -> Judge | None:
        if self._judges is None:
            return None
        try:
            return self._judges(charge_point, peer)
        except Exception:
            self.counters.faults += 1
            _log.exception("no judge could be made; the session is relayed all the same")
            return None


def _retry_after(seconds: int) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"Retry-After", b"%d" % seconds),)


async def _bind(host: str, port: int) -> list[socket.socket]:
    """Bind every address that the name stands for, all on one port."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            sock = socket.socket(family, socket.SOCK_STREAM)
            bound.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.settimeout(0)
            sock.bind((address[0], port or (bound[0].getsockname()[1] if len(bound) > 1 else 0), *address[2:]))
    except OSError:
        for sock in bound:
            sock.close()
        raise
    return bound
