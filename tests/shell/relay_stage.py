"""Both ends of a relay, on raw sockets: a charge point that dials it and a central system that it dials.

Nothing here knows WebSocket beyond frames, so what is asserted are the bytes that really arrive.
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ocpp_watchdog.core import wire
from ocpp_watchdog.core.terms import Direction
from ocpp_watchdog.shell.relay import Duplicate, Relay, RelaySettings

PATIENCE = 5.0
UP, DOWN = Direction.TO_CENTRAL_SYSTEM, Direction.TO_CHARGE_POINT
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
MASK = b"\x01\x02\x03\x04"
OK = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
    % ACCEPT
)
ACCEPTED = OK + b"Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
UPGRADE = (
    b"Upgrade: websocket",
    b"Connection: Upgrade",
    b"Sec-WebSocket-Key: " + KEY,
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Protocol: ocpp1.6",
)


def request(target: bytes = b"/CP1", *more: bytes, lines: tuple[bytes, ...] = UPGRADE, method: bytes = b"GET") -> bytes:
    return b"\r\n".join((method + b" " + target + b" HTTP/1.1", b"Host: proxy.test:8890", *lines, *more, b"", b""))


def masked(payload: bytes, opcode: int = wire.TEXT) -> bytes:
    return wire.frame(opcode, payload, MASK)


def plain(payload: bytes, opcode: int = wire.TEXT) -> bytes:
    return wire.frame(opcode, payload, None)


def part(opcode: int, payload: bytes, *, final: bool, key: bytes | None) -> bytes:
    whole = wire.frame(opcode, payload, key)
    return bytes((opcode | (wire.FIN if final else 0),)) + whole[1:]


@dataclass
class Head:
    """First line and headers as they came; names in lower case, repeated ones in order."""

    line: bytes
    headers: dict[bytes, list[bytes]]
    raw: bytes

    @property
    def status(self) -> int:
        return int(self.line.split()[1])

    @property
    def target(self) -> bytes:
        return self.line.split()[1]


class Peer:
    """One end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def head(self, patience: float = PATIENCE) -> Head:
        async with asyncio.timeout(patience):
            raw = await self.reader.readuntil(b"\r\n\r\n")
        line, *rest = raw[:-4].split(b"\r\n")
        headers: dict[bytes, list[bytes]] = {}
        for name, _, value in (header.partition(b":") for header in rest):
            headers.setdefault(name.lower(), []).append(value.strip())
        return Head(line, headers, raw)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(PATIENCE):
            await self.writer.drain()

    async def exactly(self, size: int, patience: float = PATIENCE) -> bytes:
        async with asyncio.timeout(patience):
            return await self.reader.readexactly(size)

    async def gets(self, expected: bytes, patience: float = PATIENCE) -> None:
        """The next bytes are these."""
        got = await self.exactly(len(expected), patience)
        assert got == expected

    async def frame(self, patience: float = PATIENCE) -> bytes:
        """The next whole frame."""
        async with asyncio.timeout(patience):
            raw = await self.reader.readexactly(2)
            while not wire.measure(raw, 0)[0]:
                raw += await self.reader.readexactly(wire.measure(raw, 0)[1] - len(raw))
            head, length = wire.measure(raw, 0)
            return raw + await self.reader.readexactly(head + length - len(raw))

    async def rest(self, patience: float = PATIENCE) -> bytes:
        """Everything up to the FIN; an RST raises ConnectionResetError."""
        async with asyncio.timeout(patience):
            return await self.reader.read()

    async def gets_nothing(self, seconds: float = 0.15) -> None:
        try:
            async with asyncio.timeout(seconds):
                got = await self.reader.read(1000)
        except TimeoutError:
            return
        raise AssertionError(f"got {got!r}")

    async def is_ended(self, patience: float = PATIENCE) -> float:
        """Seconds until the connection is over, by FIN or RST; what still comes is thrown away."""
        began = time.monotonic()
        with suppress(ConnectionError):
            await self.rest(patience)
        return time.monotonic() - began

    async def close_code(self, patience: float = PATIENCE) -> int | None:
        """Read on to a Close frame and return its code."""
        while True:
            raw = await self.frame(patience)
            if raw[0] & wire.OPCODE == wire.CLOSE:
                return wire.close_code(wire.payload_of(raw))

    def fin(self) -> None:
        self.writer.write_eof()

    def leave(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass
class Recorder:
    """A judge that remembers, and that does what a test wants it to do."""

    wants_messages: bool = True
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    on_opened: Callable[[Any], None] | None = None
    on_received: Callable[[Any, Direction, bytes], None] | None = None
    link: Any = None
    busy: bool = False
    injections: list[bytes] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def _call(self, *call: Any) -> None:
        assert not self.busy, "a call of the judge inside another one"
        self.calls.append(call)
        self.news.set()

    def opened(self, link: Any) -> None:
        self._call("opened")
        self.link = link
        if self.on_opened is not None:
            self.on_opened(link)

    def passed(self, direction: Direction, frames: bytes) -> None:
        payload = wire.payload_of(frames)
        self._call("received", direction, payload, frames[0] & wire.OPCODE == wire.TEXT)
        self.busy = True
        try:
            if self.on_received is not None:
                self.on_received(self.link, direction, payload)
        finally:
            self.busy = False

    def repaired(self, direction: Direction, frame: Any) -> None:
        self._call("repaired", direction, bytes(frame), frame.original, frame.repairs)

    def answered(self, direction: Direction, frames: bytes, reply: bytes, repairs: str) -> None:
        self._call("answered", direction, frames, wire.payload_of(reply), repairs)

    def withheld(self, frames: bytes) -> None:
        self._call("withheld", wire.payload_of(frames))

    def injected(self, frame: bytes) -> None:
        assert not self.busy, "a call of the judge inside another one"
        self.injections.append(frame)

    def unjudged(self, direction: Direction, size: int) -> None:
        self._call("unjudged", direction, size)

    def held(self, count: int) -> None:
        self._call("held", count)

    def written(self, done: bool) -> None:
        self._call("written", done)

    def closed(self, reason: str) -> None:
        self._call("closed", reason)
        self.over.set()

    def of(self, *kinds: str) -> list[tuple[Any, ...]]:
        return [call for call in self.calls if call[0] in kinds]

    async def told(self, *call: Any) -> None:
        """Wait until the judge has been called so."""
        async with asyncio.timeout(PATIENCE):
            while call not in self.calls:
                self.news.clear()
                await self.news.wait()

    def inject(self, text: str, *, give_up_in: float = 10.0, wanted: Callable[[], bool] = lambda: True) -> None:
        self.link.inject(text, wanted, self.written, asyncio.get_running_loop().time() + give_up_in)


class Stage:
    """A relay, its central system, and the charge points that dial it."""

    relay: Relay

    def __init__(self, arrivals: asyncio.Queue[Peer], tls: ssl.SSLContext | None) -> None:
        self.judges: list[Recorder] = []
        self.prepare: Callable[[Recorder], None] = lambda judge: None
        self.alarms: list[Duplicate] = []
        self.delays: list[tuple[Direction, float]] = []
        self._arrivals = arrivals
        self._tls = tls
        self._peers: list[Peer] = []

    async def dial(self, data: bytes = b"") -> Peer:
        """A charge point connects and sends this."""
        names = {"ssl": self._tls, "server_hostname": "localhost"} if self._tls else {}
        reader, writer = await asyncio.open_connection("127.0.0.1", self.relay.port, limit=1 << 22, **names)
        peer = Peer(reader, writer)
        self._peers.append(peer)
        if data:
            await peer.send(data)
        return peer

    async def arrival(self, patience: float = PATIENCE) -> Peer:
        """The next connection at the central system."""
        async with asyncio.timeout(patience):
            peer = await self._arrivals.get()
        self._peers.append(peer)
        return peer

    @property
    def nobody_was_dialled(self) -> bool:
        return self._arrivals.empty()

    async def joined(self, ask: bytes | None = None, answer: bytes = ACCEPTED) -> tuple[Peer, Peer]:
        """(charge point, central system), joined."""
        charge_point = await self.dial(request() if ask is None else ask)
        central_system = await self.arrival()
        await central_system.head()
        await central_system.send(answer)
        head = await charge_point.head()
        assert head.status == 101
        return charge_point, central_system

    @property
    def judge(self) -> Recorder:
        return self.judges[-1]

    async def until(self, what: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Wait until the relay has noticed."""
        async with asyncio.timeout(patience):
            while not what():
                await asyncio.sleep(0.005)

    async def hang_up(self) -> None:
        while not self._arrivals.empty():
            self._peers.append(self._arrivals.get_nowait())
        for peer in self._peers:
            peer.writer.transport.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def staged(
    tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None,
    *,
    judged: bool = True,
    judges: Callable[[str, str], Any] | None = None,
    delay: Callable[[Direction, float], None] | None = None,
    duplicate: Callable[[Duplicate], None] | None = None,
    menders: Callable[[str], Any] | None = None,
    **changes: Any,
) -> AsyncIterator[Stage]:
    """A relay in front of a central system. tls: (server's, client's context) for both legs. changes: of settings."""
    arrivals: asyncio.Queue[Peer] = asyncio.Queue()
    loop_server = await asyncio.start_server(
        lambda reader, writer: arrivals.put_nowait(Peer(reader, writer)),
        "127.0.0.1",
        0,
        limit=1 << 22,
        ssl=tls[0] if tls else None,
    )
    port = loop_server.sockets[0].getsockname()[1]
    central = f"wss://localhost:{port}" if tls else f"ws://127.0.0.1:{port}"
    settings = RelaySettings(central_system=central, host="127.0.0.1", port=0, flush=0.3)
    if tls:
        settings = replace(settings, server_tls=tls[0], client_tls=tls[1])
    settings = replace(settings, **changes)

    stage = Stage(arrivals, tls[1] if tls else None)

    def judge(charge_point: str, peer: str) -> Recorder:
        made = Recorder()
        stage.prepare(made)
        stage.judges.append(made)
        return made

    relay = Relay(
        settings,
        judges or (judge if judged else None),
        delay=delay or (lambda direction, seconds: stage.delays.append((direction, seconds))),
        duplicate=duplicate or stage.alarms.append,
        menders=menders,
    )
    stage.relay = relay
    async with relay:
        try:
            yield stage
        finally:
            await stage.hang_up()
            loop_server.close()
    assert not relay.sessions
    assert relay.counters.charge_point_connections == 0
    assert relay.counters.central_system_connections == 0


def basic(user: str, password: bytes) -> bytes:
    return b"Authorization: Basic " + base64.b64encode(user.encode() + b":" + password)


def blocked_sender(sock: socket.socket, data: bytes, most: int, seconds: float) -> int:
    """Send until nothing is taken any more for a while; return how many bytes were taken. For a thread of its own."""
    sock.setblocking(False)
    sent, last = 0, time.monotonic()
    at = 0
    while sent < most and time.monotonic() - last < seconds:
        try:
            taken = sock.send(data[at:])
        except BlockingIOError:
            threading.Event().wait(0.005)
            continue
        at = (at + taken) % len(data)
        sent += taken
        last = time.monotonic()
    return sent


def random_text(size: int) -> bytes:
    return base64.b64encode(os.urandom(size))[:size]
