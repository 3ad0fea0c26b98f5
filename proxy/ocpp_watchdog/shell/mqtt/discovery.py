"""A charge point as Home Assistant's device discovery wants it announced: one message, all entities as components.

Readings expire: a wallbox that went silent must not look as if its last current still flowed. Verdicts do not, they
hold until the judge says otherwise; when the proxy itself is gone, everything is unavailable.
"""

from __future__ import annotations

from dataclasses import dataclass

from ocpp_watchdog.core.decisions import NoticeKind, Phase, StationView
from ocpp_watchdog.shell.mqtt.payloads import Json, clean
from ocpp_watchdog.shell.mqtt.topics import OFF, OFFLINE, ON, ONLINE, PRESS, Order, Topics, node
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.mqtt import ENTITIES, OF_CONNECTOR

OF_OURSELVES = ("duplicate", "unanswered", "still_open", "danger", "degraded", "undelivered", "test_alarm")
EVENT_TYPES = (*(str(kind) for kind in NoticeKind), *OF_OURSELVES)
"""Everything that may be said of a charge point."""

NAME = "ocpp-watchdog"
OURSELVES = ""
"""In the place of a charge point's id."""

READINGS = {"current_l1": "A", "current_l2": "A", "current_l3": "A", "current": "A", "power": "W"}
CLASSES = {"A": "current", "W": "power"}


@dataclass(frozen=True, slots=True)
class Announcement:
    """How charge points are announced. version: of this program. expire_seconds: how long a reading holds."""

    topics: Topics
    language: Language
    expire_seconds: float
    version: str

    def device(self, seen: StationView, connectors: tuple[int, ...]) -> Json:
        """The whole message about one charge point. connectors: those that are known, at least one."""
        charge_point = seen.charge_point
        components = self._of_charge_point(charge_point)
        for connector in connectors:
            components |= self._of_connector(charge_point, connector, is_only=len(connectors) == 1)
        described = {"manufacturer": clean(seen.vendor), "model": clean(seen.model), "sw_version": clean(seen.firmware)}
        device: Json = {
            "identifiers": [node(charge_point)],
            "name": clean(charge_point),
            **{name: text for name, text in described.items() if text},
            "via_device": node(OURSELVES),
        }
        return self._message(device, components)

    def ourselves(self) -> Json:
        """The message about the proxy itself."""
        device: Json = {"identifiers": [node(OURSELVES)], "name": NAME, "sw_version": self.version}
        found: dict[str, Json] = {
            "event": self._event(OURSELVES, OF_OURSELVES),
            "test_alarm": {**_button(self.topics.test_alarm), "entity_category": "diagnostic"},
        }
        return self._message(device, self._all_named(OURSELVES, found))

    def _message(self, device: Json, components: dict[str, Json]) -> Json:
        return {
            "device": device,
            "origin": {"name": NAME, "sw_version": self.version},
            "availability_topic": self.topics.status,
            "payload_available": ONLINE,
            "payload_not_available": OFFLINE,
            "qos": 1,
            "components": components,
        }

    def _event(self, charge_point: str, event_types: tuple[str, ...]) -> Json:
        return {"platform": "event", "state_topic": self.topics.event(charge_point), "event_types": list(event_types)}

    def _all_named(self, charge_point: str, found: dict[str, Json]) -> dict[str, Json]:
        return {key: self._named(charge_point, key, key, None) | entity for key, entity in found.items()}

    def _of_charge_point(self, charge_point: str) -> dict[str, Json]:
        topics, state = self.topics, self.topics.charge_point(charge_point)
        found: dict[str, Json] = {
            "connected": {
                "platform": "binary_sensor",
                "device_class": "connectivity",
                "entity_category": "diagnostic",
                "state_topic": state,
                **_value("connected"),
            },
            "event": self._event(charge_point, EVENT_TYPES),
            "maintenance": {
                "platform": "switch",
                "entity_category": "config",
                "state_topic": state,
                "command_topic": topics.maintenance(charge_point),
                "payload_on": ON,
                "payload_off": OFF,
                **_value("maintenance"),
            },
        }
        return self._all_named(charge_point, found)

    def _of_connector(self, charge_point: str, connector: int, *, is_only: bool) -> dict[str, Json]:
        topics = self.topics
        state = {"state_topic": topics.connector(charge_point, connector, "state")}
        reading = topics.connector(charge_point, connector, "reading")
        found: dict[str, Json] = {
            "ordered": {**_sensor("A"), **state, **_value("ordered_amperes")},
            "phase": {
                "platform": "sensor",
                "device_class": "enum",
                "options": [str(phase) for phase in Phase],
                **state,
                **_value("phase"),
            },
            "stop_ignored": {
                "platform": "binary_sensor",
                "device_class": "problem",
                "json_attributes_topic": topics.connector(charge_point, connector, "episode"),
                **state,
                **_value("stop_ignored"),
            },
            "findings": {"platform": "sensor", "entity_category": "diagnostic", **state, **_value("findings")},
            "energy_against_orders": {
                "platform": "sensor",
                "device_class": "energy",
                "state_class": "total_increasing",
                "unit_of_measurement": "Wh",
                **state,
                **_value("energy_against_orders"),
            },
            "stand_down": _button(topics.order(charge_point, connector, Order.STAND_DOWN)),
            "stop_now": _button(topics.order(charge_point, connector, Order.STOP_NOW)),
        }
        for name, unit in READINGS.items():
            expiry = {"expire_after": max(1, int(self.expire_seconds))}
            found[name] = {**_sensor(unit), "state_topic": reading, **_value(name), **expiry}
        shown = None if is_only else connector
        return {
            f"{connector}_{name}": self._named(charge_point, f"{connector}_{name}", name, shown) | entity
            for name, entity in found.items()
        }

    def _named(self, charge_point: str, key: str, name: str, connector: int | None) -> Json:
        """connector None: it needs not be named."""
        text = ENTITIES[name](self.language)
        if connector is not None:
            text = OF_CONNECTOR(self.language, name=text, connector=str(connector))
        return {"unique_id": f"{node(charge_point)}_{key}", "name": text}


def _sensor(unit: str) -> Json:
    return {
        "platform": "sensor",
        "device_class": CLASSES[unit],
        "state_class": "measurement",
        "unit_of_measurement": unit,
    }


def _button(topic: str) -> Json:
    return {"platform": "button", "command_topic": topic, "payload_press": PRESS}


def _value(name: str) -> Json:
    return {"value_template": f"{{{{ value_json.{name} }}}}"}
