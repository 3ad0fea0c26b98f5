"""The frame-exact relay: a door before aiohttp, a dial with h11, then two joined connections (DESIGN 2)."""

from ocpp_watchdog.shell.relay.reception import Contest, Duplicate
from ocpp_watchdog.shell.relay.server import Relay
from ocpp_watchdog.shell.relay.settings import (
    REFUSALS,
    CentralSystem,
    KeepAlive,
    RelayCounters,
    RelaySettings,
    central_system,
)

__all__ = [
    "REFUSALS",
    "CentralSystem",
    "Contest",
    "Duplicate",
    "KeepAlive",
    "Relay",
    "RelayCounters",
    "RelaySettings",
    "central_system",
]
