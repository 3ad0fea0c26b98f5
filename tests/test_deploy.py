"""The sample settings file is complete, valid, and says the defaults."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ocpp_watchdog.core.repairs import FOR_CENTRAL_SYSTEM, FOR_CHARGE_POINT, KINDS, Dialect
from ocpp_watchdog.provenance import effective
from ocpp_watchdog.setting_repairs import CONFIGURATION, ProfileDialect, RepairsOn
from ocpp_watchdog.settings import Settings, load

SAMPLE = Path(__file__).resolve().parents[1] / "deploy" / "ocpp-watchdog.yaml"


@pytest.fixture(autouse=True)
def _no_other_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp_watchdog.settings.USUAL_FILES", ())


def leaves(values: dict[str, object], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in values.items():
        found |= leaves(value, f"{prefix}{name}.") if isinstance(value, dict) and value else {prefix + name}
    return found


def test_the_sample_is_valid_and_changes_nothing() -> None:
    sample, usual = load(config=SAMPLE), load()
    assert sample.model_dump() == usual.model_dump()


def test_the_sample_names_every_setting_there_is() -> None:
    said = leaves(yaml.safe_load(SAMPLE.read_text("utf-8")))
    assert said == {row.name for row in effective(load())}


def test_the_sample_stands_in_the_order_of_the_settings() -> None:
    said = list(yaml.safe_load(SAMPLE.read_text("utf-8")))
    assert said == [name for name in Settings.model_fields if name != "config"]


def test_every_setting_of_the_sample_is_commented() -> None:
    lines = SAMPLE.read_text("utf-8").splitlines()
    bare = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if line and not line.startswith(("#", " ")) and not before.startswith("#")
    ]
    assert bare == []


def test_the_example_in_the_comments_is_valid(tmp_path: Path) -> None:
    text = SAMPLE.read_text("utf-8")
    example = [line[4:] for line in text.splitlines() if line.startswith("#   ")]
    path = tmp_path / "example.yaml"
    path.write_text("\n".join(example), "utf-8")
    box = load(config=path).charge_points["ACTEC-1"]
    assert box.judge.settle_seconds == 60
    on = load(config=path).repairs("ACTEC-1")
    assert on.names == KINDS
    assert on.profile_dialect == Dialect()
    assert dict(on.configuration) == CONFIGURATION


def test_every_setting_of_a_repair_stands_in_the_example() -> None:
    text = SAMPLE.read_text("utf-8")
    for section in (RepairsOn, ProfileDialect):
        assert all(f"#         {name}:" in text or f"#           {name}:" in text for name in section.model_fields)


def test_the_page_of_repairs_names_each_of_them_and_every_action_that_can_be_answered() -> None:
    page = (SAMPLE.parents[1] / "docs" / "repairs.md").read_text("utf-8")
    for name in (*KINDS, *RepairsOn.model_fields, *ProfileDialect.model_fields, *FOR_CHARGE_POINT, *FOR_CENTRAL_SYSTEM):
        assert name in page, name
