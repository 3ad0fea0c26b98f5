"""Settings of the ways to people. Nothing here reads anything."""

from __future__ import annotations

from pydantic import Field, SecretStr

from ocpp_watchdog.setting_kinds import Seconds, Section, TopicUrl, WebUrl


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
