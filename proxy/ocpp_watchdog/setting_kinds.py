"""Kinds of values that settings may have, each checked where it is read. Nothing here reads anything."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from ocpp_watchdog.core.decisions import StepKind

ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Who listens there is reached from this machine at that."""


def split_address(address: str) -> tuple[str, int]:
    """``host:port`` or ``[v6]:port`` -> host and port. Raises ValueError."""
    host, separator, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not separator or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError("must be host:port")
    return host, int(port)


def in_url(host: str) -> str:
    """A host as URLs write it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def reached(address: str) -> str:
    """``host:port`` by which this machine itself reaches who listens at this address. Raises ValueError."""
    host, port = split_address(address)
    return f"{in_url(ANY_HOST.get(host, host))}:{port}"


def is_loopback(host: str) -> bool:
    """Only this machine can reach it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(text: str) -> str:
    split_address(text)
    return text


def _ip(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("must be an address in numbers") from None


def _websocket_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError("must be ws://host:port or wss://host:port")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must be ws://host:port without user, query or fragment")
    return text.rstrip("/")


def _web_url(secret: SecretStr) -> SecretStr:
    parts = urlsplit(secret.get_secret_value())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http:// or https:// address")
    return secret


def _topic_url(secret: SecretStr) -> SecretStr:
    parts = urlsplit(_web_url(secret).get_secret_value())
    if parts.query or parts.fragment or parts.path.strip("/").count("/") or not parts.path.strip("/"):
        raise ValueError("must be the address of a topic, https://server/topic")
    return secret


def _broker_url(secret: SecretStr) -> SecretStr:
    parts = urlsplit(secret.get_secret_value())
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or _port_of(parts) is None:
        raise ValueError("must be mqtt://host:port or mqtts://host:port")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be mqtt://host:port without path, query or fragment")
    return secret


def _port_of(parts: SplitResult) -> int | None:
    """The port, 0 when none is named; None when it is no port."""
    try:
        return parts.port or 0
    except ValueError:
        return None


def _topic(text: str) -> str:
    levels = text.split("/")
    if not all(levels) or text.startswith("$") or any(mark in text for mark in "+#") or not text.isprintable():
        raise ValueError("must be the name of an MQTT topic, without + and # and no / at its ends")
    return text


def _each_once(steps: tuple[StepKind, ...]) -> tuple[StepKind, ...]:
    if len(set(steps)) < len(steps):
        raise ValueError("each step at most once")
    return steps


def _quoted(key: object) -> object:
    if not isinstance(key, str):
        raise ValueError("the id must stand in quotes, or YAML reads it as a number")
    return key


AUTO, OFF = "auto", "off"


class JournalUrl(SecretStr):
    """Where facts are kept; a URL may carry a password."""

    @property
    def shown(self) -> str:
        """Without the password."""
        text = self.get_secret_value()
        if text in {AUTO, OFF}:
            return text
        parts = urlsplit(text)
        if parts.password is None:
            return text
        return text.replace(f":{parts.password}@", ":********@", 1)


def _journal(url: JournalUrl) -> JournalUrl:
    text = url.get_secret_value()
    scheme, separator, place = text.partition("://")
    is_known = scheme in {"sqlite", "postgresql"} and separator and len(place) > 1
    if text not in {AUTO, OFF} and not is_known:
        raise ValueError("must be auto, off, sqlite:///file or postgresql://user@host/database")
    return url


def _said_in_yaml(value: object) -> object:
    """YAML reads a bare ``off`` as false."""
    return OFF if value is False else value


Journal = Annotated[JournalUrl, BeforeValidator(_said_in_yaml), AfterValidator(_journal)]
Address = Annotated[str, AfterValidator(_address)]
Ip = Annotated[str, AfterValidator(_ip)]
WebSocketUrl = Annotated[str, AfterValidator(_websocket_url)]
WebUrl = Annotated[SecretStr, AfterValidator(_web_url)]
TopicUrl = Annotated[SecretStr, AfterValidator(_topic_url)]
BrokerUrl = Annotated[SecretStr, AfterValidator(_broker_url)]
TopicPrefix = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_topic)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
ZeroAmperes = Annotated[float, Field(gt=0, le=6)]
ZeroWatts = Annotated[float, Field(gt=0, le=1400)]
MoreAmperes = Annotated[float, Field(ge=0, le=6)]
MoreWatts = Annotated[float, Field(ge=0, le=1400)]
MoreShare = Annotated[float, Field(ge=0, le=0.5)]
Budget = Annotated[int, Field(ge=1, le=10)]
Spacing = Annotated[float, Field(ge=30, le=86_400)]
Window = Annotated[float, Field(ge=3600, le=7 * 86_400)]
ShortSeconds = Annotated[float, Field(gt=0, le=50)]
Steps = Annotated[tuple[StepKind, ...], Field(min_length=1), AfterValidator(_each_once)]
Id = Annotated[str, BeforeValidator(_quoted)]


class Section(BaseModel):
    """A part of the file: frozen, unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
