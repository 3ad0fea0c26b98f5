"""The dashboards: what the generator says, complete, and of metrics that exist. Their queries against a real
Prometheus are in ``tests/alerting``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from boards import FILES, FOLDER, METRIC, ROOT, load, panels, queries

from ocpp_watchdog.core.decisions import Phase
from test_readme import exported

SCHEMA = json.loads((Path(__file__).with_name("panel.schema.json")).read_text("utf-8"))
NOT_SHOWN = {
    "ocpp_watchdog_maintenance_until_timestamp_seconds": "a moment in the future, for alerts",
    "ocpp_watchdog_heartbeats_total": "whoever listens for the heartbeat alarms when it stays away",
    "ocpp_watchdog_admin_refusals_total": "of interest in a log, not in a chart",
    "ocpp_watchdog_dangerous_commands_total": "an alert tells it",
    "ocpp_watchdog_repairs": "a setting",
    "ocpp_watchdog_repaired_messages_total": "of interest to whoever switched a repair on; docs/repairs.md",
    "ocpp_watchdog_journal_oldest_unwritten_timestamp_seconds": "an alert tells it",
    "ocpp_watchdog_journal_written_total": "the size is shown",
    "ocpp_watchdog_journal_set_aside_total": "an alert tells it",
}
"""Metrics that no panel shows, and why."""
WITHOUT_UNIT = {"table", "state-timeline"}

boards = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def test_there_are_two() -> None:
    assert [path.stem for path in FILES] == ["charge-point", "overview"]


def test_making_them_again_changes_nothing(tmp_path: Path) -> None:
    pytest.importorskip("grafana_foundation_sdk", reason="the generator's library is not installed")
    done = subprocess.run(
        [sys.executable, ROOT / "grafana" / "build.py", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == {
        path.name: path.read_text("utf-8") for path in FILES
    }, "`make grafana` writes them anew"


@boards
def test_every_panel_keeps_to_the_schema(path: Path) -> None:
    for panel in panels(load(path)):
        jsonschema.Draft202012Validator(SCHEMA).validate(panel)


@boards
def test_every_panel_has_a_title_words_and_a_unit(path: Path) -> None:
    for panel in panels(load(path)):
        assert panel["title"]
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["type"] in WITHOUT_UNIT or panel["fieldConfig"]["defaults"]["unit"], panel["title"]


@boards
def test_panels_do_not_lie_over_each_other(path: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in load(path)["panels"]:
        at: dict[str, int] = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


@boards
def test_the_source_is_the_one_that_is_chosen(path: Path) -> None:
    board = load(path)
    assert board["templating"]["list"][0]["name"] == "datasource"
    for panel in panels(board):
        for one in (panel["datasource"], *(target["datasource"] for target in panel["targets"])):
            assert one == {"type": "prometheus", "uid": "${datasource}"}
    assert "id" not in board or board["id"] is None
    assert board["uid"].startswith("ocpp-watchdog-")


@boards
def test_one_charge_point_can_be_chosen(path: Path) -> None:
    names = [variable["name"] for variable in load(path)["templating"]["list"]]
    assert "charge_point" in names


def test_no_query_names_a_metric_that_is_not_exported() -> None:
    known = set(exported())
    for board, panel, expression in queries():
        named = {name.removesuffix("_bucket") for name in METRIC.findall(expression)}
        assert named, (board, panel)
        assert named <= known, (board, panel)


def test_every_metric_is_shown_or_there_is_a_reason() -> None:
    shown = {name.removesuffix("_bucket") for _, _, expression in queries() for name in METRIC.findall(expression)}
    assert set(exported()) - shown == set(NOT_SHOWN)


def test_every_phase_has_its_colour() -> None:
    board = next(path for path in FILES if path.stem == "overview")
    timeline: dict[str, Any] = next(panel for panel in panels(load(board)) if panel["type"] == "state-timeline")
    words = {value["text"] for value in timeline["fieldConfig"]["defaults"]["mappings"][0]["options"].values()}
    assert words == {phase.value.replace("_", " ") for phase in Phase}
    assert all(f'phase="{phase.value}"' in timeline["targets"][0]["expr"] for phase in Phase)


# -- provisioning ------------------------------------------------------------------------------------------------


def test_provisioning_finds_the_dashboards_and_the_source() -> None:
    provisioning = ROOT / "grafana" / "provisioning"
    provider = yaml.safe_load((provisioning / "dashboards" / "ocpp-watchdog.yaml").read_text("utf-8"))
    source = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text("utf-8"))
    mounts = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))["services"]["grafana"]["volumes"]
    inside = {mount.split(":")[1]: mount.split(":")[0] for mount in mounts}
    assert (ROOT / "deploy" / inside[provider["providers"][0]["options"]["path"]]).resolve() == FOLDER
    assert source["datasources"][0]["type"] == "prometheus"
    assert source["datasources"][0]["url"] == "http://127.0.0.1:9090"
