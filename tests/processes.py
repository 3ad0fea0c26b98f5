"""Programs that a test starts beside itself, on loopback, and ends with itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import ClientError, ClientSession

STARTS_WITHIN_SECONDS = 30.0


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@asynccontextmanager
async def process(folder: Path, *command: str, patience: float = 0.0) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program that is ended with the block; what it says goes into a file beside its data. patience: seconds that it
    may take to end by itself before it is killed."""
    with (folder / "output.log").open("ab") as output:
        running = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=output, stderr=output)
        try:
            yield running
        finally:
            if running.returncode is None and patience:
                running.terminate()
                with suppress(TimeoutError):
                    await asyncio.wait_for(running.wait(), patience)
            if running.returncode is None:
                running.kill()
                await running.wait()


async def until(claim: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until it holds."""
    try:
        async with asyncio.timeout(seconds):
            while not claim():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what}") from None


async def answers(url: str) -> bool:
    """Whether a server says 200."""
    try:
        async with ClientSession() as session, session.get(url) as response:
            return response.status == 200
    except (ClientError, OSError):
        return False


async def ready(url: str, folder: Path, seconds: float = STARTS_WITHIN_SECONDS) -> None:
    """Wait until a program answers."""
    try:
        async with asyncio.timeout(seconds):
            while not await answers(url):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"it does not start:\n{(folder / 'output.log').read_text()}") from None
