"""What is seen and said, on an MQTT broker: retained states, events, and the owner's orders back.

``topics`` names what is where, ``payloads`` and ``discovery`` say what is in it, ``board`` knows what the broker has
not been told yet; they are pure. ``bridge`` holds the connection. The library (aiomqtt, an extra) is imported there,
and only once a broker is configured.
"""

from __future__ import annotations

from ocpp_watchdog.shell.mqtt.board import Place
from ocpp_watchdog.shell.mqtt.bridge import Bridge, BridgeSettings, NotTakenError, send_once
from ocpp_watchdog.shell.mqtt.topics import Topics

__all__ = ("Bridge", "BridgeSettings", "NotTakenError", "Place", "Topics", "send_once")
