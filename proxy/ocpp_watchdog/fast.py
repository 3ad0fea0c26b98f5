"""The extra ``fast``: a faster JSON decoder and event loop where they are installed, the standard ones else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from importlib import import_module

from ocpp_watchdog.core.frames import Loads

Loop = Callable[[], asyncio.AbstractEventLoop]


def decoder() -> Loads:
    """msgspec's JSON decoder, or the standard library's. Both read the same; the core's tests hold them to it."""
    try:
        loads: Loads = import_module("msgspec.json").decode
    except ImportError:
        return json.loads
    return loads


def loop_factory() -> Loop | None:
    """uvloop's loop, or None for the standard library's."""
    try:
        factory: Loop = import_module("uvloop").new_event_loop
    except ImportError:
        return None
    return factory
