"""The proxy in the middle of netlab's three namespaces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fault_net import CENTRAL, RELAY, Lab, lab
from fault_stage import Central, Stage, ready, spawned


@asynccontextmanager
async def lab_staged(folder: Path, **settings: Any) -> AsyncIterator[tuple[Lab, Stage]]:
    """Charge point, proxy and central system, each in a namespace of its own, with links a and b between them."""
    with lab() as net:
        async with Central().serving((CENTRAL, 9100), net.central) as central:
            with spawned(folder, central.address, net.relay, **settings) as program:
                await ready(program)
                stage = Stage(program, central, net.charger, (RELAY, program.front[1]))
                try:
                    yield net, stage
                finally:
                    await stage.hang_up()
