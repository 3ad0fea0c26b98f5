"""What the running proxy says of itself, asked over its pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from prometheus_client.parser import text_string_to_metric_families

from ocpp_watchdog.ctl.client import authorization, target
from ocpp_watchdog.settings import Settings

PATIENCE_SECONDS = 5.0
TOLD_APART = ("outcome", "part", "reason")


@dataclass(frozen=True, slots=True)
class Running:
    """is_good: /healthz says so. charge_points: of /api/v1/state, None when the password is wrong. numbers: sums of
    the metrics over their labels, by name, and by ``name:outcome``, ``name:part`` or ``name:reason``."""

    is_good: bool
    charge_points: Sequence[Mapping[str, Any]] | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)


async def ask(settings: Settings) -> Running | None:
    """Ask the proxy these settings belong to; None: nobody of ours answers there."""
    where = target(settings, None)
    at = f"http://{where.address}"
    timeout = ClientTimeout(total=PATIENCE_SECONDS)
    try:
        async with ClientSession(timeout=timeout, trust_env=False, headers=authorization(where)) as session:
            async with session.get(f"{at}/healthz", allow_redirects=False) as response:
                is_good, is_ours = response.status == 200, response.status in {200, 503}
            if not is_ours:
                return None
            async with session.get(f"{at}/api/v1/state", allow_redirects=False) as response:
                if response.status != 200:
                    return Running(is_good)
                state = json.loads(await response.text(errors="replace"))
            async with session.get(f"{at}/metrics", allow_redirects=False) as response:
                numbers = _numbers(await response.text(errors="replace"))
    except (ClientError, OSError, TimeoutError, ValueError):
        return None
    found = state.get("charge_points") if isinstance(state, dict) else None
    return Running(is_good, found if isinstance(found, list) else None, numbers)


def _numbers(text: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            of = next((sample.labels[label] for label in TOLD_APART if sample.labels.get(label)), "")
            for name in (sample.name, f"{sample.name}:{of}") if of else (sample.name,):
                sums[name] = sums.get(name, 0.0) + sample.value
    return sums
