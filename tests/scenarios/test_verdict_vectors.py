"""The thirteen verdict vectors: frames made from a vector go through a whole station, its verdict is compared."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import examples
from ocpp_watchdog.core.decisions import Mode
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.watchdog import verdict
from scenarios.playbook import Playbook
from scenarios.recorded import SHARED

COPY = Path(__file__).resolve().parents[1] / "data" / "schedule-vectors.json"
ORIGINAL = SHARED / "domain" / "schedule-vectors.json"
SOURCE = COPY if COPY.exists() else ORIGINAL
LEAD_SECONDS = 60.0

if not SOURCE.exists():
    pytest.skip(
        "neither tests/data/schedule-vectors.json nor the original beside the repository", allow_module_level=True
    )

VECTORS: list[dict[str, Any]] = json.loads(SOURCE.read_text(encoding="utf-8"))["verdict_vectors"]


def posix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


class Run:
    """One vector put on a time line that begins a minute before its first event."""

    def __init__(self, vector: dict[str, Any]) -> None:
        self.vector = vector
        moments = [posix(entry["t"]) for entry in vector["limits"] + vector["samples"]]
        self.begin = min(moments) - LEAD_SECONDS
        self.end = max(moments)
        self.play = Playbook(Policy(mode=Mode.OBSERVE), clock=examples.FakeClock(utc=self.begin))
        self.play.connect()
        self.play.from_box(examples.start_transaction("s", self.begin))
        self.play.from_central(examples.start_result("s"))
        self.play.from_box(examples.status("c", "Charging", self.begin))
        self.play.from_central(examples.result("c"))
        for number, limit in enumerate(vector["limits"]):
            self.play.at(posix(limit["t"]) - self.begin, lambda n=number, entry=limit: self.order(n, entry))  # type: ignore[misc]
        for number, sample in enumerate(vector["samples"]):
            self.play.at(posix(sample["t"]) - self.begin, lambda n=number, entry=sample: self.read(n, entry))  # type: ignore[misc]

    def order(self, number: int, entry: dict[str, Any]) -> None:
        unit, limit = ("W", entry["limit_w"]) if "limit_w" in entry else ("A", entry["limit_a"])
        self.play.from_central(examples.set_limit(f"p{number}", limit, self.play.clock.utc, unit=unit))
        self.play.from_box(examples.status_result(f"p{number}"))

    def read(self, number: int, entry: dict[str, Any]) -> None:
        values = examples.current_values([str(value) for value in entry["current_a"]])
        if "power_w" in entry:
            values += examples.power_values([str(value) for value in entry["power_w"]])
        if "energy_wh" in entry:
            values += examples.register_value(str(entry["energy_wh"]))
        if "current_offered_a" in entry:
            values.append(examples.sampled("Current.Offered", str(entry["current_offered_a"]), "A"))
        stamp = entry.get("sample_timestamp", entry["t"])
        self.play.from_box(examples.meter_values(f"m{number}", values, stamp))
        self.play.from_central(examples.result(f"m{number}"))

    def at(self, moment: float) -> str:
        """Kind of the verdict at this moment."""
        self.play.run(moment - self.begin)
        return str(verdict(self.play.connector()).kind)


def test_there_are_thirteen_vectors() -> None:
    assert [vector["id"] for vector in VECTORS] == [f"VV-{number:02d}" for number in range(1, 14)]


def test_the_copy_is_the_original() -> None:
    if not (COPY.exists() and ORIGINAL.exists()):
        pytest.skip("only one of the two files is here")
    assert json.loads(COPY.read_text(encoding="utf-8")) == json.loads(ORIGINAL.read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_the_verdict_of_each_vector(vector: dict[str, Any]) -> None:
    run = Run(vector)
    expected = vector["expect"]
    run.at(run.end)
    found = verdict(run.play.connector())
    assert found.kind == expected["verdict"], vector["title"]
    assert found.severity == expected.get("severity", found.severity)
    assert found.cause == expected.get("cause", found.cause)


@pytest.mark.parametrize(
    "vector", [vector for vector in VECTORS if "not_before" in vector["expect"]], ids=lambda vector: vector["id"]
)
def test_a_verdict_with_a_window_comes_within_it(vector: dict[str, Any]) -> None:
    run = Run(vector)
    expected = vector["expect"]
    samples = [posix(sample["t"]) for sample in vector["samples"]]
    before = [moment for moment in samples if moment < posix(expected["not_before"])]
    for moment in before:
        assert run.at(moment) != expected["verdict"]
    assert run.at(posix(expected["not_after"])) == expected["verdict"]


def test_a_raise_is_still_settling_while_the_car_has_time() -> None:
    run = Run(VECTORS[2])
    assert run.at(posix("2025-10-01T13:17:41Z")) == "SETTLING"


def test_zeros_that_the_register_contradicts_are_convicted_by_the_register() -> None:
    run = Run(VECTORS[7])
    run.at(run.end)
    assert "contradiction" in {finding.kind.value for finding in run.play.connector().findings}
