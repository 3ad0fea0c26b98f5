"""Both ends of the running program on raw sockets: what is compared are the bytes that really arrive.

Frames are built here and not with the program's own code, so that both cannot be wrong in the same way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any
from urllib.parse import urlsplit

from ocpp_watchdog.app import Proxy, running
from ocpp_watchdog.settings import fixed
from ocpp_watchdog.shell.clock import Clock

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN = 0x80
PATIENCE_SECONDS = 30.0
READ_LIMIT = 1 << 23

ASK = (
    "GET /{name} HTTP/1.1\r\nHost: proxy.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)
ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


def frame(opcode: int, payload: bytes, key: bytes | None = None, *, final: bool = True) -> bytes:
    """One frame as RFC 6455 §5.2 says. key: the mask of a client, None for a server."""
    first, masked, size = opcode | (FIN if final else 0), 0x80 if key else 0, len(payload)
    if size < 126:
        head = bytes((first, masked | size))
    elif size < 65_536:
        head = bytes((first, masked | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, masked | 127)) + size.to_bytes(8, "big")
    return head + (key or b"") + (mask(payload, key) if key else payload)


def mask(payload: bytes, key: bytes) -> bytes:
    """Mask or unmask."""
    many = (key * (len(payload) // 4 + 1))[: len(payload)]
    return bytes(a ^ b for a, b in zip(payload, many, strict=True))


class End:
    """One end of one connection. masks: makes the keys of a charge point, None for a central system."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, masks: Random | None) -> None:
        self.reader = reader
        self.writer = writer
        self._masks = masks

    def key(self) -> bytes | None:
        """A mask's key, or none."""
        return None if self._masks is None else self._masks.randbytes(4)

    def wired(self, text: bytes, opcode: int = TEXT) -> bytes:
        """A message in one frame, as this end sends it."""
        return frame(opcode, text, self.key())

    async def send(self, data: bytes) -> None:
        """Write, as fast as it is taken."""
        self.writer.write(data)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.writer.drain()

    async def exactly(self, size: int) -> bytes:
        """The next so many bytes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.readexactly(size)

    async def frame(self) -> tuple[int, bytes]:
        """The next whole frame: first byte, and payload without its mask."""
        first, second = await self.exactly(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(await self.exactly(2 if size == 126 else 8), "big")
        key = await self.exactly(4) if second & 0x80 else b""
        payload = await self.exactly(size)
        return first, mask(payload, key) if key else payload

    async def text(self) -> bytes:
        """The next message, which is text in one frame."""
        first, payload = await self.frame()
        assert first == FIN | TEXT, first
        return payload

    async def head(self) -> bytes:
        """An HTTP head."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def is_over(self) -> None:
        """The connection ends, by FIN; nothing comes before."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await self.reader.read() == b""


class Central:
    """A central system that accepts every upgrade at once. answers: False, it takes the request and says nothing."""

    def __init__(self) -> None:
        self.answers = True
        self.port = 0
        self._arrivals: asyncio.Queue[End] = asyncio.Queue()
        self._writers: list[asyncio.StreamWriter] = []

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        if self.answers:
            writer.write(ANSWER)
        self._arrivals.put_nowait(End(reader, writer, None))

    async def arrival(self) -> End:
        """The next one that dialled."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._arrivals.get()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Central]:
        """Listen while the block lasts; whoever is still there then is hung up on."""
        server = await asyncio.start_server(self._arrived, "127.0.0.1", 0, limit=READ_LIMIT)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.sleep(0)


class Wires:
    """The program's address, its central system, and the charge points that dial it."""

    def __init__(self, url: str, central: Central) -> None:
        self.central = central
        self._host, self._port = urlsplit(url).hostname, urlsplit(url).port
        self._ends: list[End] = []

    async def dial(self, name: str, seed: int = 1) -> End:
        """A charge point connects and asks for the upgrade."""
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=READ_LIMIT)
        end = End(reader, writer, Random(f"{seed} {name}"))
        self._ends.append(end)
        await end.send(ASK.format(name=name).encode())
        return end

    async def joined(self, name: str, seed: int = 1) -> tuple[End, End]:
        """(charge point, central system) of a new session."""
        charge_point = await self.dial(name, seed)
        central = await self.central.arrival()
        head = await charge_point.head()
        assert head.startswith(b"HTTP/1.1 101 "), head
        return charge_point, central

    def hang_up(self) -> None:
        """End every charge point's connection at once."""
        for end in self._ends:
            end.writer.transport.abort()


@asynccontextmanager
async def wired(clock: Clock | None = None, **settings: Any) -> AsyncIterator[tuple[Proxy, Wires]]:
    """The whole program, on real time unless a clock is given, between raw ends."""
    async with Central().serving() as central:
        values = fixed(
            listen="127.0.0.1:0",
            central_system=f"ws://127.0.0.1:{central.port}",
            admin={"listen": "127.0.0.1:0"},
            **settings,
        )
        async with running(values, clock or Clock()) as proxy:
            wires = Wires(proxy.url, central)
            try:
                yield proxy, wires
            finally:
                wires.hang_up()
