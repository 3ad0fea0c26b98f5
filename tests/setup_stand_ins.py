"""Central systems of every kind, for whoever looks whether one is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@asynccontextmanager
async def saying(answer: bytes | None) -> AsyncIterator[str]:
    """Answer every call with these bytes and hang up; None: say nothing. Gives the ws:// address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(65_536)
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http(status: str) -> bytes:
    """An answer without a body."""
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
