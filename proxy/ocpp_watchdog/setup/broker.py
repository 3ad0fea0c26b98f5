"""Does the MQTT broker take us? Connects once, sends nothing, and hangs up."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from enum import StrEnum

from ocpp_watchdog.shell.mqtt import BridgeSettings
from ocpp_watchdog.shell.mqtt.bridge import new_client


class Broker(StrEnum):
    """What was found at an address. SILENT: somebody may be there, but no broker answers; REFUSES: one does, and does
    not let us in."""

    GOOD = "good"
    NO_NAME = "no_name"
    NOBODY = "nobody"
    SILENT = "silent"
    BAD_CERTIFICATE = "bad_certificate"
    REFUSES = "refuses"


async def look(settings: BridgeSettings) -> tuple[Broker, str]:
    """Connect as the bridge would; gives the broker's own words, too, where it refuses."""
    try:
        async with asyncio.timeout(settings.try_seconds):
            _, writer = await asyncio.open_connection(settings.host, settings.port, ssl=settings.tls)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    except socket.gaierror:
        return Broker.NO_NAME, ""
    except TimeoutError:
        return Broker.SILENT, ""
    except ssl.SSLError:
        return Broker.BAD_CERTIFICATE, ""
    except OSError:
        return Broker.NOBODY, ""
    return await _greet(settings)


async def _greet(settings: BridgeSettings) -> tuple[Broker, str]:
    """Somebody takes the call: is it a broker, and are we let in?"""
    from aiomqtt import MqttError
    from aiomqtt.exceptions import MqttConnectError

    try:
        async with new_client(settings, with_will=False):
            return Broker.GOOD, ""
    except MqttConnectError as error:
        return Broker.REFUSES, str(error)
    except (MqttError, OSError):
        return Broker.SILENT, ""
