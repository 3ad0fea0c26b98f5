"""Every device file: its schema, the words it may use, and the Halo's 94 facts against the specification."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from ocpp_watchdog.core.decisions import Ending, EvidenceClass, FindingKind, Phase, StepKind
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.knowledge import library
from ocpp_watchdog.knowledge.facts import DeviceFile, Weight
from ocpp_watchdog.knowledge.library import recognise, shipped
from ocpp_watchdog.knowledge.matcher import Applies, match

FOLDER = Path(library.__file__).parent
FILES = sorted((FOLDER / "devices").glob("*.json"))
SPECIFICATION = Path(__file__).resolve().parents[2].parent / "shared" / "domain" / "halo-firmware.json"
STEPS = {*StepKind, "inoperative", "soft_reset"}
MORE_WORDS = {"connection"}
WORDS = {*map(str, EvidenceClass), *map(str, Phase), *map(str, Ending), *map(str, FindingKind), *STEPS, *MORE_WORDS}
FIXED = {"remote_stop_budget", "reconnect_seconds", "turn_seconds"}
"""Read once when the station is made: a device file that set them would change nothing."""


def content(path: Path) -> dict[str, Any]:
    loaded = json.loads(path.read_text("utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def test_the_schema_is_the_one_the_program_reads_by() -> None:
    assert content(FOLDER / "schema.json") == DeviceFile.model_json_schema()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_device_file_keeps_the_schema_and_is_named_after_its_device(path: Path) -> None:
    jsonschema.Draft202012Validator(content(FOLDER / "schema.json")).validate(content(path))
    assert DeviceFile.model_validate(content(path)).device == path.stem


def test_every_file_is_shipped() -> None:
    assert [file.device for file in shipped()] == [path.stem for path in FILES]
    assert len(FILES) >= 2


@pytest.mark.parametrize("file", shipped(), ids=lambda file: file.device)
def test_a_device_file_speaks_words_the_judge_knows(file: DeviceFile) -> None:
    names = {field.name for field in fields(Policy)} - FIXED
    for fact in file.facts:
        assert set(fact.policy) <= names, fact.id
        for name, value in fact.policy.items():
            assert type(value) is type(getattr(Policy(), name)), fact.id
        assert set(fact.explains) <= WORDS, fact.id
        assert (fact.weight in (Weight.BLOCK, Weight.WARN)) or not fact.hazards or fact.policy, fact.id


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"firmware": {"pattern": "("}}, "regular expression"),
        ({"firmware": {"pattern": "177"}}, "exactly one group"),
        ({"match": {}}, "neither vendor nor model"),
        ({"facts": []}, "at least 1"),
        ({"surprise": 1}, "Extra inputs"),
        ({"sources": {"other": "x"}}, "not listed: notes"),
        ({"format": 2}, "Input should be 1"),
    ],
)
def test_a_broken_device_file_is_refused_with_its_reason(change: dict[str, Any], reason: str) -> None:
    good = content(FOLDER / "devices" / "actec-ev-ac22k.json")
    good["facts"] = [fact for fact in good["facts"] if fact["sources"] == ["notes"]]
    DeviceFile.model_validate(good)
    with pytest.raises(ValidationError, match=reason):
        DeviceFile.model_validate(good | change)


@pytest.mark.parametrize(
    ("firmware", "reason"),
    [({"from": "1", "only": ["2"]}, "either from and to, or only"), ({}, "names no version"), ({"to": "x"}, "numbers")],
)
def test_a_broken_range_is_refused(firmware: dict[str, Any], reason: str) -> None:
    good = content(FOLDER / "devices" / "actec-ev-ac22k.json")
    good["facts"][0]["firmware"] = firmware
    with pytest.raises(ValidationError, match=reason):
        DeviceFile.model_validate(good)


@pytest.mark.parametrize(
    "policy",
    [
        {"settle_seconds": 100_000.0},
        {"settle_seconds": True},
        {"settle_seconds": -1.0},
        {"zero_amperes": 40.0},
        {"mode": False},
        {"enforce_limits": True},
        {"may_question": 0.5},
    ],
)
def test_no_device_file_switches_off_what_is_done_about_an_ignored_stop(policy: dict[str, Any]) -> None:
    good = content(FOLDER / "devices" / "actec-ev-ac22k.json")
    good["facts"][0]["policy"] = policy
    with pytest.raises(ValidationError, match="no device may set"):
        DeviceFile.model_validate(good)


def test_no_id_is_used_twice() -> None:
    good = content(FOLDER / "devices" / "actec-ev-ac22k.json")
    good["facts"][1]["id"] = good["facts"][0]["id"]
    with pytest.raises(ValidationError, match="same id"):
        DeviceFile.model_validate(good)
    ids = [fact.id for file in shipped() for fact in file.facts]
    assert len(set(ids)) == len(ids)


# -- the Halo against the specification --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def specification() -> dict[str, Any]:
    if not SPECIFICATION.is_file():
        pytest.skip("the specification of the Halo facts is not here")
    return content(SPECIFICATION)


def halo() -> DeviceFile:
    return next(file for file in shipped() if file.device == "charge-amps-halo")


def test_all_facts_of_the_halo_are_there_with_their_words(specification: dict[str, Any]) -> None:
    facts = {fact.id: fact for fact in halo().facts}
    assert len(facts) == 94
    assert list(facts) == [said["id"] for said in specification["facts"]]
    for said in specification["facts"]:
        fact = facts[said["id"]]
        assert fact.fact.en == said["fact"]
        assert fact.effect.en == said["effect"]
        assert str(fact.weight) == said["severity"]
        assert list(fact.commands) == said.get("commands", [])
        assert (fact.advice.en if fact.advice else None) == said.get("advice")
        assert (fact.condition.en if fact.condition else None) == said.get("condition")


def test_each_listed_version_of_the_halo_has_exactly_its_facts(specification: dict[str, Any]) -> None:
    by_target = {"HALO-UPG-02"}  # it is about the version an update brings, whatever runs
    for release in specification["versions"]:
        known = recognise("Charge Amps AB", "HALO", str(release["version"]))
        assert {fact.id for fact in known.facts} == set(release["applies"]) | by_target, release["version"]
        assert {fact.applies for fact in known.facts} == {Applies.YES}


def test_releases_of_the_halo_are_those_of_the_notes(specification: dict[str, Any]) -> None:
    listed = [(str(one["version"]), one["released"], one["summary"]) for one in specification["versions"]]
    assert [(one.version, one.released, one.summary.en) for one in halo().firmware.releases] == listed


def test_every_dangerous_or_warning_command_of_the_halo_is_watched(specification: dict[str, Any]) -> None:
    facts = {fact.id: fact for fact in halo().facts}
    unseen = {"HALO-ST-02"}  # numberPhases that changed since an earlier command: told by the explanation
    for said in specification["facts"]:
        if said.get("commands") and said["severity"] in ("block", "warn") and said["id"] not in unseen:
            watched = {action for hazard in facts[said["id"]].hazards for action in hazard.actions}
            assert watched & set(said["commands"]), said["id"]


def test_the_smallest_file_of_the_documentation_passes() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "devices.md").read_text("utf-8")
    smallest = json.loads(text.partition("```json\n")[2].partition("```")[0])
    file = DeviceFile.model_validate(smallest)
    known = match([file], "Example GmbH", "Box 11", "v2.4.1")
    assert [fact.id for fact in known.facts] == ["EXAMPLE-1"]
    assert not match([file], "Example GmbH", "Box 11", "2.5")


def test_the_documentation_names_every_device() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "devices.md").read_text("utf-8")
    assert all(file.title in text and f"| {len(file.facts)} |" in text for file in shipped())


@pytest.mark.parametrize("file", shipped(), ids=lambda file: file.device)
def test_what_is_shipped_speaks_both_languages(file: DeviceFile) -> None:
    for fact in file.facts:
        for text in (fact.fact, fact.effect, fact.condition, fact.advice):
            assert text is None or text.de, fact.id
    assert all(release.summary.de for release in file.firmware.releases)
