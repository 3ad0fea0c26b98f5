"""The MQTT bridge as the settings want it, and the way by which notices go over it."""

from __future__ import annotations

import importlib.util
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ocpp_watchdog.settings import BadSettingError, Settings
from ocpp_watchdog.shell.mqtt import Bridge, BridgeSettings, NotTakenError, Topics, send_once
from ocpp_watchdog.shell.mqtt.board import text_of
from ocpp_watchdog.shell.mqtt.discovery import Announcement
from ocpp_watchdog.shell.mqtt.payloads import event
from ocpp_watchdog.shell.notify import sending
from ocpp_watchdog.shell.notify.message import Message
from ocpp_watchdog.shell.notify.way import Delivery
from ocpp_watchdog.texts.catalogue import Language

PORTS = {"mqtt": 1883, "mqtts": 8883}
GIVE_UP_SECONDS = 300.0


Send = Callable[[str, str, float], Awaitable[None]]
"""Sends a text to a topic, in so many seconds. Raises NotTakenError."""


@dataclass(frozen=True, slots=True)
class ByMqtt:
    """Notices as events: machines want to know each of them."""

    publish: Send
    topics: Topics
    language: Language

    def wants(self, message: Message) -> bool:
        """Every one."""
        return True

    async def send(self, message: Message, seconds: float) -> None:
        """One message to the broker. Raises NotTakenError."""
        topic = self.topics.event(str(message.body["charge_point"] or ""))
        text = text_of(event(message.body, message.text[self.language]))
        try:
            await self.publish(topic, text, seconds)
        except NotTakenError as error:
            raise sending.NotTakenError(str(error)) from None


def bridge_settings(settings: Settings, version: str) -> BridgeSettings | None:
    """None: no broker is configured. Raises BadSettingError: without the library, or for a file that cannot be used."""
    mqtt = settings.mqtt
    if mqtt.url is None:
        return None
    if importlib.util.find_spec("aiomqtt") is None:
        raise BadSettingError("mqtt.url: aiomqtt is missing: pip install 'ocpp-watchdog[mqtt]'")
    parts = urlsplit(mqtt.url.get_secret_value())
    password = unquote(parts.password) if parts.password else None
    topics = Topics(mqtt.topic_prefix, mqtt.discovery_prefix)
    return BridgeSettings(
        host=parts.hostname or "",
        port=parts.port or PORTS[parts.scheme],
        announcement=Announcement(topics, settings.language, mqtt.expire_seconds, version),
        ca=str(mqtt.ca or ""),
        tls=_tls(settings) if parts.scheme == "mqtts" else None,
        user=mqtt.user or (unquote(parts.username) if parts.username else None),
        password=password if mqtt.password is None else mqtt.password.get_secret_value(),
        maintenance_minutes=mqtt.maintenance_minutes,
        try_seconds=mqtt.try_seconds,
        admitted=frozenset(settings.charge_points) or None,
    )


def by_mqtt(bridge: Bridge, wanted: BridgeSettings | None) -> list[Delivery]:
    """The way of notices over MQTT; empty when there is no broker."""
    return [] if wanted is None else [_delivery(bridge.send, wanted)]


def once_by_mqtt(settings: Settings, version: str) -> list[Delivery]:
    """The same for a program that keeps no connection: each message has its own. Raises BadSettingError."""
    wanted = bridge_settings(settings, version)
    if wanted is None:
        return []

    async def send(topic: str, text: str, _: float) -> None:
        await send_once(wanted, topic, text)

    return [_delivery(send, wanted)]


def _delivery(publish: Send, wanted: BridgeSettings) -> Delivery:
    sender = ByMqtt(publish, wanted.topics, wanted.announcement.language)
    return Delivery("mqtt", sender, wanted.try_seconds, GIVE_UP_SECONDS)


def _tls(settings: Settings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.mqtt.ca)
    except (OSError, ssl.SSLError) as error:
        raise BadSettingError(f"mqtt.ca: cannot be used ({error.strerror or error})") from None
