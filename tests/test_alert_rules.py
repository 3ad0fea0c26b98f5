"""The rules for Prometheus: tried with promtool, complete in words, and no open alarm ends while the proxy is down."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ocpp_watchdog.core.decisions import FindingKind, Phase
from ocpp_watchdog.shell.metrics.table import TABLE

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "deploy" / "prometheus"
RUNBOOK = ROOT / "docs" / "runbook.md"
ANNOTATIONS = {"summary", "description", "summary_de", "description_de", "runbook_url"}
OF_PROMETHEUS = {"OcppProxyDown", "OcppProxyMissing", "Watchdog"}
WANTED = {
    "OcppStopIgnored": {"critical"},
    "OcppStopNotAccepted": {"critical", "warning"},
    "OcppLadderExhausted": {"critical"},
    "OcppLimitExceeded": {"warning"},
    "OcppMeterStale": {"critical", "warning"},
    "OcppNoMeasurand": {"warning"},
    "OcppBlind": {"warning"},
    "OcppChargePointSilent": {"warning"},
    "OcppCentralSystemDown": {"critical"},
    "OcppProxyDown": {"critical"},
    "OcppProxyMissing": {"critical"},
    "OcppClockSkew": {"warning"},
    "OcppFlapping": {"warning"},
    "OcppDegraded": {"warning"},
    "OcppJournalBehind": {"warning"},
    "OcppNotificationsUndelivered": {"warning"},
    "Watchdog": {"none"},
}


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


ALERTS = [rule for group in loaded(FOLDER / "rules.yml")["groups"] for rule in group["rules"] if "alert" in rule]
OURS = [rule for rule in ALERTS if rule["alert"] not in OF_PROMETHEUS]
TESTS = sorted((FOLDER / "tests").glob("*.yml"))


def name_of(rule: Any) -> str:
    return f"{rule['alert']}-{rule['labels']['severity']}"


def tool(name: str, *arguments: str) -> str:
    """Output of a checked program of Debian's packages prometheus and prometheus-alertmanager."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} (Debian packages prometheus, prometheus-alertmanager) is not installed")
    done = subprocess.run([name, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_promtool_plays_the_rules(path: Path) -> None:
    assert "SUCCESS" in tool("promtool", "test", "rules", f"tests/{path.name}")


def test_the_examples_are_valid() -> None:
    tool("promtool", "check", "config", "prometheus.yml")
    tool("amtool", "check-config", "alertmanager.yml")


def test_every_alert_that_is_wanted_is_there() -> None:
    severities: dict[str, set[str]] = {}
    for rule in ALERTS:
        severities.setdefault(rule["alert"], set()).add(rule["labels"]["severity"])
    assert severities == WANTED


def test_every_alert_is_played_firing_and_silent() -> None:
    played = (FOLDER / "tests" / "alerts.yml").read_text("utf-8")
    for name, kinds in WANTED.items():
        for severity in kinds:
            labels = rf'alertname="{name}", alertstate="firing", .*severity="{severity}"'
            assert re.search(labels, played), f"{name} ({severity}) is never seen firing"
        silent = re.search(rf'expr: ALERTS{{alertname="{name}"}}\n\s+exp_samples: \[\]', played)
        assert silent or name == "Watchdog", f"{name} is never seen silent"


@pytest.mark.parametrize("rule", ALERTS, ids=name_of)
def test_every_alert_speaks_both_languages_and_has_its_page_in_the_runbook(rule: Any) -> None:
    words = rule["annotations"]
    assert set(words) == ANNOTATIONS
    assert words["summary"] != words["summary_de"]
    labels = [set(re.findall(r"\$labels\.(\w+)", words[key])) for key in ("summary", "summary_de")]
    assert labels[0] == labels[1]
    page, _, anchor = words["runbook_url"].partition("#")
    assert page == "docs/runbook.md"
    headings = re.findall(r"^## (\w+)$", RUNBOOK.read_text("utf-8"), re.MULTILINE)
    assert anchor in {heading.lower() for heading in headings}


def test_the_runbook_has_a_page_for_nothing_else() -> None:
    headings = re.findall(r"^## (\w+)$", RUNBOOK.read_text("utf-8"), re.MULTILINE)
    assert set(headings) == set(WANTED)


@pytest.mark.parametrize("rule", OURS, ids=name_of)
def test_what_fires_goes_on_while_the_proxy_cannot_be_read(rule: Any) -> None:
    """DESIGN 7: the first all-clear comes from the proxy itself. promtool plays some; all have the same form."""
    _, _, held = " ".join(rule["expr"].split()).rpartition(" or (")
    by = re.search(r"^max by \(([\w, ]+)\) \(ALERTS\{([^}]*)\}\) unless on \([\w, ]+\) ocpp_watchdog\S*\)$", held)
    assert by is not None, held
    assert f'alertname="{rule["alert"]}"' in by[2]
    assert 'alertstate="firing"' in by[2]
    twins = [other for other in OURS if other["alert"] == rule["alert"]]
    assert (f'severity="{rule["labels"]["severity"]}"' in by[2]) == (len(twins) > 1)
    assert by[1].split(", ")[:2] == ["job", "instance"], "what mutes it goes by these"


def test_the_rules_name_what_the_proxy_exports_and_no_phase_or_finding_that_is_not_there() -> None:
    text = "\n".join(rule["expr"] for rule in ALERTS)
    assert set(re.findall(r"\b(ocpp_watchdog_\w+)", text)) <= {series.full_name for series in TABLE}
    for label, kinds in (("phase", Phase), ("finding", FindingKind)):
        named = {one for found in re.findall(rf'\b{label}[!=~]+"([^"]+)"', text) for one in found.split("|")}
        assert named
        assert named <= {str(kind) for kind in kinds}


def test_the_job_of_the_example_is_the_one_the_rules_go_by() -> None:
    jobs = {job["job_name"] for job in loaded(FOLDER / "prometheus.yml")["scrape_configs"]}
    assert jobs == {"ocpp-watchdog"}
    itself = "\n".join(rule["expr"] for rule in ALERTS if rule["alert"] in OF_PROMETHEUS)
    assert set(re.findall(r'job="([^"]+)"', itself)) == jobs


def test_a_proxy_that_is_down_mutes_the_rest_and_not_itself() -> None:
    rules = loaded(FOLDER / "alertmanager.yml")["inhibit_rules"]
    assert {tuple(rule["source_matchers"]) for rule in rules} == {
        ('alertname="OcppProxyDown"',),
        ('alertname="OcppProxyMissing"',),
    }
    for rule in rules:
        for name in WANTED:
            muted = all(
                bool(re.fullmatch(matcher.split('"')[1], name)) != ("!~" in matcher)
                for matcher in rule["target_matchers"]
            )
            assert muted == (name not in OF_PROMETHEUS), name


def test_the_watchdog_has_a_way_of_its_own() -> None:
    routes = loaded(FOLDER / "alertmanager.yml")["route"]["routes"]
    assert [route["receiver"] for route in routes if route["matchers"] == ['alertname="Watchdog"']] == [
        "dead-mans-switch"
    ]
