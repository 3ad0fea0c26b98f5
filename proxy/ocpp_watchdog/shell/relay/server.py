"""The relay as a whole: listens, owns every connection, and stops.

DESIGN 2. Its connections are those at the door, those that wait for the central system, and the sessions.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any, Self

from ocpp_watchdog.core.mending import Mend
from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.shell.ports import Judge, JudgeFactory, Menders
from ocpp_watchdog.shell.relay.admission import Admission
from ocpp_watchdog.shell.relay.dial import Answer, Dial
from ocpp_watchdog.shell.relay.door import Door, http_server
from ocpp_watchdog.shell.relay.leg import BUFFER_SIZE, keep_alive
from ocpp_watchdog.shell.relay.reception import Duplicate, Reception
from ocpp_watchdog.shell.relay.request import Upgrade, switching
from ocpp_watchdog.shell.relay.session import Delay, RelaySession
from ocpp_watchdog.shell.relay.settings import RelayCounters, RelaySettings

_log = logging.getLogger(__name__)

BACKLOG = 512
STOP_PATIENCE = 4.0
"""Seconds that sessions get to end after Close 1012, before they are aborted."""


class Relay:
    """Use as ``async with Relay(...) as relay``, or ``start`` and ``stop``. ``port`` is the one that was bound."""

    def __init__(
        self,
        settings: RelaySettings,
        judges: JudgeFactory | None = None,
        *,
        delay: Delay | None = None,
        stopwatch: Callable[[], float] | None = None,
        duplicate: Callable[[Duplicate], None] | None = None,
        menders: Menders | None = None,
    ) -> None:
        """judges: makes the judge of a new session; None relays only.

        delay: told how long a read took, in seconds of ``stopwatch``, from its arrival to the end of the write; the
        first of each leg and one in 16 from then on. stopwatch: without it the loop's clock, which may show the same
        time during one turn of the loop. duplicate: told of second connections of a live id. menders: gives the repairs
        of a new session. Whatever these raise is counted and logged.
        """
        self.settings = settings
        self.counters = RelayCounters()
        self.port = 0
        self.sessions: dict[ChargePointId, RelaySession] = {}
        self._judges = judges
        self._menders = menders
        self._delay = delay
        self.stopwatch = stopwatch or (lambda: asyncio.get_running_loop().time())
        self._admission = Admission(settings)
        self._reception = Reception(self, self._admission, duplicate)
        self._doors: set[Door] = set()
        self._all: set[RelaySession] = set()  # with those that a newcomer has replaced and that still end
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
        self.http = http_server(self._reception.handle)
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
        await self.http.shutdown(1.0)

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
            await loop.create_server(lambda: Door(self), sock=sock.dup(), backlog=BACKLOG, **options)
            for sock in self._sockets
        ]

    async def reload(self, settings: RelaySettings) -> tuple[str, ...]:
        """Take over what can change without ending a session, for everybody who comes from now on.

        The result names what was not taken over: host and port of the listening side, when they differ.
        """
        if settings.server_tls is not self.settings.server_tls:
            before, self._listeners = self._listeners, await self._listen(settings.server_tls)
            for listener in before:
                listener.close()
        old, self.settings = self.settings, settings
        self._admission.settings = settings
        return tuple(name for name in ("host", "port") if getattr(old, name) != getattr(settings, name))

    # -- doors and sessions report -------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        most = self.settings.handshakes_at_once
        return self._stopping or (most is not None and self._reception.under_way > most)

    def arrived(self, door: Door) -> bool:
        self._doors.add(door)
        self.counters.charge_point_connections += 1
        return self._admission.arrived(door.address) and not self._stopping

    def may_shake_hands(self, door: Door) -> bool:
        return self._admission.may_shake_hands(door.address, asyncio.get_running_loop().time())

    def refused(self, door: Door, why: str) -> None:
        self.counters.refusals[why] += 1
        if self._admission.may_log(why, door.address, asyncio.get_running_loop().time()):
            _log.warning("handshake refused: %s", why, extra={"peer": door.address})

    def left(self, door: Door) -> None:
        self._doors.discard(door)
        self._charge_point_gone(door.address)

    def fault(self, charge_point: ChargePointId) -> None:
        """Count and log the exception that is being handled: a judge that fails at every frame must not fill a disk."""
        self.counters.faults += 1
        if self._admission.may_log("fault", charge_point, asyncio.get_running_loop().time()):
            _log.exception("something beside the relay failed; frames go on", extra={"charge_point": charge_point})

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

    # -- a new session -------------------------------------------------------------------------------------------

    def join(self, door: Door, upgrade: Upgrade, caller: Dial, answer: Answer) -> None:
        """Answer 101 and join both connections; nothing is awaited in here."""
        charge_point, peer = upgrade.charge_point, door.address
        central_transport = caller.hand_over()
        keep_alive(central_transport, self.settings.keep_alive)
        judge = self._judge(charge_point, peer)
        mend = self._mend(charge_point)
        session = RelaySession(self, self.settings, charge_point, peer, judge=judge, delay=self._delay, mend=mend)
        transport, early = door.hand_over(switching(answer.reason, answer.headers))
        self._doors.discard(door)
        self._all.add(session)
        self.sessions[charge_point] = session
        self.counters.sessions += 1
        self.counters.central_system_connections += 1
        _log.info("connected", extra={"charge_point": charge_point, "peer": peer})
        session.join(transport, central_transport, self._view)
        session.begin(early, answer.early)

    def _mend(self, charge_point: ChargePointId) -> Mend | None:
        if self._menders is None:
            return None
        try:
            return self._menders(charge_point)
        except Exception:
            self.fault(charge_point)
            return None

    def _judge(self, charge_point: ChargePointId, peer: str) -> Judge | None:
        if self._judges is None:
            return None
        try:
            return self._judges(charge_point, peer)
        except Exception:
            self.fault(charge_point)
            return None


async def _bind(host: str, port: int) -> list[socket.socket]:
    """Bind every address that the name stands for, all on one port (0: the system chooses)."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            sock = socket.socket(family, socket.SOCK_STREAM)
            chosen = port or (bound[0].getsockname()[1] if bound else 0)
            bound.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.settimeout(0)
            sock.bind((address[0], chosen, *address[2:]))
    except OSError as error:
        for sock in bound:
            sock.close()
        error.filename = f"{host}:{port}"
        raise
    return bound
