"""The limit model of an obedient charge point, against the hand-made vectors and a few corners."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ocpp_watchdog.simulator.clock import posix_seconds
from ocpp_watchdog.simulator.limits import ProfileStore, Running

VECTORS = Path(__file__).resolve().parents[1] / "data" / "schedule-vectors.json"


def vectors() -> list[dict[str, Any]]:
    """The situations; the file belongs to the repository."""
    found: list[dict[str, Any]] = json.loads(VECTORS.read_text())["vectors"]
    return found


class Told:
    """A charge point that is told the events of a vector, and obeys."""

    def __init__(self) -> None:
        self.store = ProfileStore()
        self.running: dict[int, Running] = {}

    def take(self, event: dict[str, Any]) -> None:
        connector, accepted = event.get("connectorId", 0), event.get("result", "Accepted") == "Accepted"
        match event["type"]:
            case "set" if accepted:
                self.store.install(connector, event["profile"])
            case "clear" if accepted:
                self.store.clear(event["criteria"])
            case "tx_start":
                self.running[connector] = Running(event.get("transactionId"), seconds(event["t"]))
            case "tx_stop":
                self.running.pop(connector, None)
                self.store.end_transaction(connector)
            case "remote_start" if accepted and event.get("profile"):
                self.store.install(connector, event["profile"])
            case "status" if event.get("status") == "Available":
                self.store.end_transaction(connector)
            case "boot":
                for number in list(self.running):
                    self.running.pop(number)
                    self.store.end_transaction(number)


def seconds(text: str) -> float:
    moment = posix_seconds(text)
    assert moment is not None
    return moment


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["id"])
def test_the_limit_is_what_the_vector_says_or_allows(vector: dict[str, Any]):
    late = [
        {**event, "t": event["late_t"], "result": event["late_result"]}
        for event in vector["events"]
        if "late_t" in event
    ]
    told, events = Told(), sorted([*vector["events"], *late], key=lambda event: str(event["t"]))
    for expected in vector["expect"]:
        moment = seconds(expected["t"])
        while events and seconds(events[0]["t"]) <= moment:
            told.take(events.pop(0))
        connector = expected["connectorId"]
        limit = told.store.amperes_at(connector, moment, told.running.get(connector))
        allowed = [expected["limit_a"], *expected.get("alternatives_a", []), *expected.get("possible_limit_a", [])]
        assert any(limit == pytest.approx(value, abs=0.01) for value in allowed), (expected, limit)


def profile(**fields: Any) -> dict[str, Any]:
    """A TxDefaultProfile of 10 A without an end."""
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}]}
    return {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {**schedule, "startSchedule": "2026-11-20T12:00:00Z", **fields},
    }


NOON = seconds("2026-11-20T12:00:00Z")


def test_a_schedule_that_has_not_begun_limits_nothing():
    store = ProfileStore()
    store.install(1, profile())
    assert store.amperes_at(1, NOON - 1, None) is None
    assert store.amperes_at(1, NOON, None) == 10


def test_the_composite_schedule_lists_where_the_limit_changes():
    store = ProfileStore()
    store.install(
        1,
        profile(chargingSchedulePeriod=[{"startPeriod": 0, "limit": 10}, {"startPeriod": 20, "limit": 0}], duration=40),
    )
    assert store.periods(1, NOON + 5, 60, None, 16.0) == [(0, 10.0), (15, 0.0), (35, 16.0)]


def test_without_profiles_the_composite_schedule_is_what_the_charge_point_can_give():
    assert ProfileStore().periods(1, NOON, 60, None, 16.0) == [(0, 16.0)]


def test_clearing_nothing_says_so():
    assert not ProfileStore().clear({})
