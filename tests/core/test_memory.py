"""The document: version, charge point, both clocks, a check over all of it; and how long ago it was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from ocpp_watchdog.core import memory
from ocpp_watchdog.core.errors import UnusableMemory
from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId, Moment

BOX = ChargePointId("BOX1")
WRITTEN = Moment(1_700_000_000.0, 5_000.0)


@dataclass
class Station:
    NOT_REMEMBERED: ClassVar[dict[str, str]] = {}
    since: Mono = 0.0


@dataclass
class Watch:
    NOT_REMEMBERED: ClassVar[dict[str, str]] = {"episode": "for a test"}
    episode: int | None = None
    samples: list[int] = field(default_factory=list)


def document(**changes: object) -> dict[str, object]:
    """As written, with changes that the check knows of."""
    watches = {ConnectorId(1): Watch(samples=[1]), ConnectorId(2): Watch(1)}
    written = json.loads(json.dumps(memory.written(BOX, Station(4_990.0), watches, WRITTEN)))
    changed = {name: part for name, part in (written | changes).items() if name != "check"}
    return changed | {"check": memory.check(changed)}


def read(kept: object, now: Moment = WRITTEN) -> tuple[Station, dict[ConnectorId, Watch], Moment]:
    station, watches = Station(-1.0), {}

    def new_watch(connector: ConnectorId) -> Watch:
        watches[connector] = Watch()
        return watches[connector]

    try:
        return station, watches, memory.read(kept, BOX, station, new_watch, now)
    except UnusableMemory:
        assert station == Station(-1.0), "what is damaged changes nothing"
        raise


def test_station_and_connectors_come_back() -> None:
    station, watches, saved = read(document(), Moment(WRITTEN.utc + 3.0, 40.0))
    assert station == Station(27.0)
    assert watches == {1: Watch(samples=[1]), 2: Watch()}
    assert saved == Moment(WRITTEN.utc, 37.0)


def test_an_open_episode_is_seen_from_outside() -> None:
    assert memory.has_open_episode(document())
    assert not memory.has_open_episode(memory.written(BOX, Station(), {ConnectorId(1): Watch()}, WRITTEN))
    assert not memory.has_open_episode("nonsense")


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (None, "expected"),
        ([], "expected"),
        ({}, "of version None"),
        (document(version=2), "of version 2"),
        (document(version="1"), "of version 1"),
        (document(charge_point="BOX2"), "of another charge point"),
        (document() | {"utc": 1.0}, "damaged"),
        (document(utc=None), "a number"),
        (document(mono="x"), "a number"),
        (document(objects=3), "an array"),
        (document(station=3), "an object"),
        (document(connectors=[[1]]), "an array"),
        (document(connectors=[["1", {}]]), "a connector is a number"),
        (document(connectors=[[1, {"samples": ["x"]}]]), "int was expected"),
    ],
)
def test_what_cannot_be_used_is_refused(kept: object, reason: str) -> None:
    with pytest.raises(UnusableMemory, match=reason):
        read(kept)


def test_a_flipped_bit_is_noticed() -> None:
    text = json.dumps(document())
    flipped = [text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :] for place in range(len(text))]
    readable = [kept for kept in map(loaded, flipped) if kept is not None]
    assert len(readable) > 100
    for kept in readable:
        with pytest.raises(UnusableMemory):
            read(kept)


def loaded(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (Moment(WRITTEN.utc + 60.0, 10.0), 60.0),
        (Moment(WRITTEN.utc + 60.0, 5_060.0), 60.0),
        (Moment(WRITTEN.utc + 60.0, 900_000.0), 60.0),
        (Moment(WRITTEN.utc + 3_600.0, 5_060.0), 60.0),
        (Moment(WRITTEN.utc - 3_600.0, 5_060.0), 0.0),
        (Moment(5.0, 10.0), 0.0),
    ],
    ids=["machine started anew", "same machine", "longer up", "set forward", "set back", "clock not set"],
)
def test_the_shorter_of_both_clocks_says_how_long_ago_it_was(now: Moment, seconds: float) -> None:
    assert memory.saved_at(WRITTEN.utc, WRITTEN.mono, now) == Moment(WRITTEN.utc, now.mono - seconds)


def test_the_same_state_gives_the_same_document() -> None:
    make: Callable[[], dict[str, object]] = lambda: memory.written(BOX, Station(), {}, WRITTEN)  # noqa: E731
    assert make() == make()
