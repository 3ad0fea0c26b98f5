"""Runs simulators side by side for as long as a block lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol


class Runs(Protocol):
    """A simulator."""

    async def run(self) -> None:
        """Live until cancelled."""


@asynccontextmanager
async def living(*peers: Runs) -> AsyncIterator[None]:
    """Run all ``peers`` while the block is open; an error in one of them ends the block.

    An error comes out as it is, not wrapped in a group of one.
    """
    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(peer.run(), name=type(peer).__name__) for peer in peers]
            try:
                yield
            except Exception as error:
                failure = error
            finally:
                for task in tasks:
                    task.cancel()
    except ExceptionGroup as failures:
        if len(failures.exceptions) > 1:
            raise
        failure = failures.exceptions[0]
    if failure is not None:
        raise failure
