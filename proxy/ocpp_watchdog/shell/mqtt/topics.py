"""Names of topics, and what a topic that came in orders. Pure.

A charge point chooses its id, and an id may hold what means something in a topic (``/``, ``+``, ``#``): each letter
that is not plainly harmless is written as ``%`` and its number, so that two ids never meet in one topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

ONLINE, OFFLINE = "online", "offline"
ON, OFF = "ON", "OFF"
PRESS = "PRESS"
STATE = "state"
HARMLESS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
EPISODE = "episode"
SET = "set"


class Order(StrEnum):
    """What the owner may order over MQTT; the last level but one of its topic."""

    STAND_DOWN = "stand_down"
    STOP_NOW = "stop_now"
    MAINTENANCE = "maintenance"
    TEST_ALARM = "test_alarm"


PAYLOADS = {
    Order.STAND_DOWN: (PRESS,),
    Order.STOP_NOW: (PRESS,),
    Order.MAINTENANCE: (ON, OFF),
    Order.TEST_ALARM: (PRESS,),
}
"""What each order may carry; everything else is none."""


@dataclass(frozen=True, slots=True)
class Command:
    """An order that came. charge_point: empty where it concerns none. payload: one of ``PAYLOADS``."""

    order: Order
    charge_point: str
    connector: int | None
    payload: str


@dataclass(frozen=True, slots=True)
class Topics:
    """prefix: of all topics of ours. discovery_prefix: where Home Assistant looks; None: nothing is announced."""

    prefix: str
    discovery_prefix: str | None

    @property
    def status(self) -> str:
        """``online`` or ``offline``, the last will."""
        return f"{self.prefix}/status"

    @property
    def birth(self) -> str | None:
        """Where Home Assistant says that it is there."""
        return None if self.discovery_prefix is None else f"{self.discovery_prefix}/status"

    @property
    def test_alarm(self) -> str:
        """Where a test alarm is ordered."""
        return f"{self.prefix}/{Order.TEST_ALARM}/{SET}"

    @property
    def orders(self) -> tuple[str, ...]:
        """Filters of all topics that carry orders."""
        return f"{self.prefix}/+/+/+/{SET}", f"{self.prefix}/+/{Order.MAINTENANCE}/{SET}", self.test_alarm

    @property
    def kept(self) -> tuple[str, ...]:
        """Filters of what the broker keeps: tells what an earlier life left there."""
        return f"{self.prefix}/+/{STATE}", f"{self.prefix}/+/+/{STATE}", f"{self.prefix}/+/+/{EPISODE}"

    def below(self, charge_point: str) -> str:
        """Everything of one charge point begins so."""
        return f"{self.prefix}/{level(charge_point)}/"

    def charge_point(self, charge_point: str) -> str:
        """State of a charge point, retained."""
        return self.below(charge_point) + STATE

    def event(self, charge_point: str) -> str:
        """What people are told, once each; empty id: about the proxy itself."""
        return self.below(charge_point) + "event" if charge_point else f"{self.prefix}/event"

    def maintenance(self, charge_point: str) -> str:
        """Where maintenance is ordered."""
        return f"{self.below(charge_point)}{Order.MAINTENANCE}/{SET}"

    def connector(self, charge_point: str, connector: int, what: str) -> str:
        """``state`` and ``episode``, retained; ``reading``, not retained."""
        return f"{self.below(charge_point)}{connector}/{what}"

    def order(self, charge_point: str, connector: int, order: Order) -> str:
        """Where an order about one connector is given."""
        return self.connector(charge_point, connector, f"{order}/{SET}")

    def discovery(self, charge_point: str) -> str | None:
        """Where a charge point is announced as a device; None: it is not."""
        return None if self.discovery_prefix is None else f"{self.discovery_prefix}/device/{node(charge_point)}/config"

    def command(self, topic: str, payload: str) -> Command | None:
        """What a message orders; None: nothing that is known here."""
        levels = topic.removeprefix(self.prefix + "/").split("/")
        match levels:
            case [Order.TEST_ALARM, "set"]:
                found = Command(Order.TEST_ALARM, "", None, payload)
            case [charge_point, Order.MAINTENANCE, "set"]:
                found = Command(Order.MAINTENANCE, unquote(charge_point), None, payload)
            case [charge_point, number, (Order.STAND_DOWN | Order.STOP_NOW) as order, "set"] if is_connector(number):
                found = Command(Order(order), unquote(charge_point), int(number), payload)
            case _:
                return None
        return found if payload in PAYLOADS[found.order] else None

    def charge_point_of(self, topic: str) -> str | None:
        """The charge point of which this topic keeps something, None when it is none of ``kept``."""
        match topic.removeprefix(self.prefix + "/").split("/"):
            case [charge_point, "state"]:
                return unquote(charge_point)
            case [charge_point, number, "state" | "episode"] if is_connector(number):
                return unquote(charge_point)
        return None


def level(charge_point: str) -> str:
    """An id as one level of a topic."""
    return quote(charge_point, safe="", errors="replace")


def node(charge_point: str) -> str:
    """An id as Home Assistant wants it: letters, digits, ``_`` and ``-``. What is else, and ``_``, becomes ``_`` and a
    number of two digits, so that no two ids meet."""
    code = charge_point.encode("utf-8", "replace")
    letters = (chr(byte) if byte in HARMLESS else f"_{byte:02x}" for byte in code)
    return "ocpp_watchdog_" + "".join(letters)


def is_connector(text: str) -> bool:
    """A number as OCPP gives to connectors, and no longer than one."""
    return text.isascii() and text.isdecimal() and len(text) <= 6
