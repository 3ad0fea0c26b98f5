"""Settings of the ways to people. Nothing here reads anything."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from ocpp_watchdog.setting_kinds import BrokerUrl, Seconds, Section, ShortSeconds, TopicPrefix, TopicUrl, WebUrl


class Delivery(Section):
    """How a way to people is used."""

    try_seconds: Seconds = Field(default=10.0, description="time one attempt may take")
    give_up_seconds: Seconds = Field(default=300.0, description="time all attempts of one message may take")
    queue: int = Field(
        default=100, ge=1, le=10_000, description="messages kept while the server is away; the oldest goes first"
    )


class Webhook(Delivery):
    """Where every notice is sent as JSON."""

    url: WebUrl | None = Field(default=None, description="address; may carry a token and is kept secret")


class Ntfy(Delivery):
    """Push messages by ntfy."""

    url: TopicUrl | None = Field(default=None, description="the topic's address, https://ntfy.sh/<topic>; kept secret")
    token: SecretStr | None = Field(default=None, description="access token of a protected topic")


class Apprise(Delivery):
    """Any other target, by the library apprise (an extra)."""

    try_seconds: Seconds = Field(default=30.0, description="time one attempt may take")
    urls: tuple[SecretStr, ...] = Field(default=(), description="one URL per target; kept secret")


class Heartbeat(Section):
    """An address that is fetched while the judge is alive; what listens there alarms when it stays away."""

    url: WebUrl | None = Field(default=None, description="address; may carry a token and is kept secret")
    every_seconds: Seconds = Field(default=60.0, description="time between two")
    try_seconds: Seconds = Field(default=10.0, description="time one may take")


class Mqtt(Section):
    """States, events and orders over MQTT (an extra), found by Home Assistant by itself."""

    url: BrokerUrl | None = Field(
        default=None, description="the broker, mqtt://host:1883 or mqtts://host:8883; kept secret"
    )
    ca: Path | None = Field(default=None, description="PEM file with an own certificate authority for mqtts://")
    user: str | None = Field(default=None, description="user name at the broker")
    password: SecretStr | None = Field(default=None, description="and its password")
    topic_prefix: TopicPrefix = Field(default="ocpp-watchdog", description="what every topic of ours begins with")
    discovery_prefix: TopicPrefix | None = Field(
        default="homeassistant", description="where Home Assistant looks for devices; null: nothing is announced"
    )
    expire_seconds: Seconds = Field(default=300.0, description="a reading older than this is shown as unavailable")
    maintenance_minutes: float = Field(
        default=60.0, gt=0, le=1440, description="how long the switch maintenance turns it on"
    )
    try_seconds: ShortSeconds = Field(default=5.0, description="longest time the broker may take for one message")
