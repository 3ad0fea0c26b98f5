"""What the broker should hold and what it has been told: the difference is what is still to be sent. Pure.

Of each topic only the newest text waits, so that a slow broker costs old news and never memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ocpp_watchdog.core.decisions import ConnectorView, StationView
from ocpp_watchdog.core.terms import Moment
from ocpp_watchdog.shell.mqtt.discovery import OURSELVES, Announcement
from ocpp_watchdog.shell.mqtt.payloads import Json, connector_state, episode_state, reading_state, station_state

FIRST_CONNECTOR = 1


@dataclass(frozen=True, slots=True)
class Place:
    """One message. is_retained: the broker keeps it for whoever comes later. text empty: it is to be forgotten."""

    topic: str
    text: str
    is_retained: bool = True


class Board:
    """One broker's, for one connection."""

    def __init__(self, announcement: Announcement) -> None:
        self._announcement = announcement
        self._topics = announcement.topics
        self._told: dict[str, dict[str, int | None]] = {}  # hashes: a text is long, and there may be thousands
        self._waiting: dict[str, tuple[str | None, Place]] = {}  # None: of one that is forgotten
        self._seen: dict[str, StationView] = {}

    @property
    def charge_points(self) -> frozenset[str]:
        """Those that the broker holds something of."""
        return frozenset(self._told) - {OURSELVES}

    def see_ourselves(self) -> None:
        """The proxy is a device, too."""
        self._told.setdefault(OURSELVES, {})
        topic = self._topics.discovery(OURSELVES)
        if topic is not None:
            self._put(OURSELVES, Place(topic, text_of(self._announcement.ourselves())))

    def see(self, seen: StationView, now: Moment) -> None:
        """This is how it looks now."""
        charge_point = seen.charge_point
        before = self._seen.get(charge_point)
        if seen == before:
            return
        self._seen[charge_point] = seen
        self._told.setdefault(charge_point, {})
        for place in self._places(seen, before, now):
            self._put(charge_point, place)

    def remember(self, charge_point: str, topic: str | None = None) -> None:
        """The broker holds something of it, from an earlier life. topic: this."""
        told = self._told.setdefault(charge_point, {})
        if topic is not None:
            told.setdefault(topic, None)

    def repeat(self) -> None:
        """Tell everything once more: who listens has forgotten it."""
        self._seen.clear()
        self._told = {charge_point: dict.fromkeys(told) for charge_point, told in self._told.items()}
        self.see_ourselves()

    def clear(self) -> None:
        """Take away everything."""
        for charge_point in tuple(self._told):
            self.forget(charge_point)

    def forget(self, charge_point: str) -> None:
        """It is no more: take away what the broker holds of it."""
        self._seen.pop(charge_point, None)
        told = self._told.pop(charge_point, {})
        self._waiting = {topic: each for topic, each in self._waiting.items() if each[0] != charge_point}
        state = self._topics.charge_point(charge_point) if charge_point else None
        kept = [topic for topic in told if not topic.endswith("/reading")]
        for topic in dict.fromkeys([self._topics.discovery(charge_point), state, *kept]):
            if topic is not None:
                self._waiting[topic] = None, Place(topic, "")

    def next(self) -> Place | None:
        """What is to be sent next; it counts as told."""
        if not self._waiting:
            return None
        topic = next(iter(self._waiting))
        charge_point, place = self._waiting.pop(topic)
        if charge_point is not None:
            self._told[charge_point][topic] = hash(place.text)
        return place

    def _put(self, charge_point: str, place: Place) -> None:
        if self._told[charge_point].get(place.topic) == hash(place.text):
            self._waiting.pop(place.topic, None)  # it changed, and changed back before anybody was told
        else:
            self._waiting[place.topic] = charge_point, place

    def _places(self, seen: StationView, before: StationView | None, now: Moment) -> Iterator[Place]:
        topics, charge_point = self._topics, seen.charge_point
        discovery = topics.discovery(charge_point)
        if discovery is not None and (before is None or _described(seen) != _described(before)):
            yield Place(discovery, text_of(self._announcement.device(seen, _numbers(seen))))
        yield Place(topics.charge_point(charge_point), text_of(station_state(seen)))
        for each in seen.connectors:
            yield from self._of_connector(charge_point, each, now)

    def _of_connector(self, charge_point: str, seen: ConnectorView, now: Moment) -> Iterator[Place]:
        topics = self._topics
        yield Place(topics.connector(charge_point, seen.connector, "state"), text_of(connector_state(seen)))
        if seen.episode is not None:
            yield Place(topics.connector(charge_point, seen.connector, "episode"), text_of(episode_state(seen.episode)))
        at = seen.reading_at
        if seen.reading is not None and at is not None and now.mono - at.mono < self._announcement.expire_seconds:
            text = text_of(reading_state(seen.reading, at))
            yield Place(topics.connector(charge_point, seen.connector, "reading"), text, is_retained=False)


def _numbers(seen: StationView) -> tuple[int, ...]:
    """Every connector, the first one from the first moment on: every charge point has it (§2.2)."""
    return tuple(sorted({FIRST_CONNECTOR, *(each.connector for each in seen.connectors)}))


def _described(seen: StationView) -> tuple[object, ...]:
    """What an announcement is made of."""
    return seen.vendor, seen.model, seen.firmware, _numbers(seen)


def text_of(payload: Json) -> str:
    """As it goes to the broker."""
    return json.dumps(payload, allow_nan=False, separators=(",", ":"))
