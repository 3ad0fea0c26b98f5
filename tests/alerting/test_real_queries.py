"""Every query of the dashboards against a real Prometheus that watched an ignored stop: each gives a series."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from real_programs import PROMETHEUS
from test_real_alerting import Stage, pytestmark, stage  # noqa: F401  the mark is for this file too

from fast_world import BOX, SPEED

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "grafana"))
import pictures
from boards import queries

RANGE_SECONDS = 60
PUT_IN = {"$charge_point": BOX, "$__rate_interval": "10s", "$__range": f"{RANGE_SECONDS}s", "$__interval": "5s"}
NOBODY = {"url": "http://127.0.0.1:1/"}
"""Where messages to people go, so that there are numbers about them."""


def asked(expression: str) -> str:
    """The query as Grafana would send it."""
    for name, value in PUT_IN.items():
        expression = expression.replace(name, value)
    assert not re.search(r"\$\w", expression), expression
    return expression


async def series(url: str, expression: str) -> list[dict[str, Any]]:
    """What Prometheus gives for the last minute."""
    async with ClientSession() as session:
        async with session.get(f"{url}/api/v1/query", params={"query": "time()"}) as response:
            now = float((await response.json())["data"]["result"][0])
        window = {"query": asked(expression), "start": str(now - RANGE_SECONDS), "end": str(now), "step": "1"}
        async with session.get(f"{url}/api/v1/query_range", params=window) as response:
            body = await response.json()
    assert body["status"] == "success", (expression, body)
    result = body["data"]["result"]
    assert isinstance(result, list)
    return result


async def test_every_query_of_the_dashboards_gives_a_series(tmp_path: Path) -> None:
    assert PROMETHEUS is not None
    async with stage(tmp_path, "ignores-zero", webhook=NOBODY) as everybody, everybody.proxy():
        await everybody.ignored_stop()
        await everybody.told("OcppStopIgnored", "firing", 30.0)
        await everybody.told("OcppStopIgnored", "resolved", 40.0)
        await asyncio.sleep(2.0)
        empty = [
            (board, panel, expression)
            for board, panel, expression in queries()
            if not await series(everybody.watching.url, expression)
        ]
        assert empty == []
        if folder := os.environ.get("PICTURES"):
            await _draw(everybody, Path(folder))


async def _draw(everybody: Stage, folder: Path) -> None:
    """Pictures of the main charts for the docs, with the series they were drawn from."""
    url = everybody.watching.url
    kept = [
        {"board": board, "panel": panel, "expression": expression, "series": await series(url, expression)}
        for board, panel, expression in queries()
        if panel in ("Ordered against measured", "What the judge sees")
    ]
    pictures.write({"since": everybody.since, "speed": SPEED, "series": kept}, folder)
