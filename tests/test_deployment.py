"""Container files and the systemd unit, as far as they can be judged without running them."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE, COMPOSE, UNIT = DEPLOY / "Dockerfile", DEPLOY / "compose.yaml", DEPLOY / "systemd" / "ocpp-watchdog.service"
HADOLINT = Path(sysconfig.get_path("scripts")) / "hadolint"
EXPOSURE = 15
"""Tenths: `systemd-analyze security` may say 1.5 at most."""

has_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def instructions() -> list[tuple[str, str]]:
    """(instruction, its words) of the last stage of the Dockerfile."""
    text = DOCKERFILE.read_text("utf-8").replace("\\\n", " ")
    lines = [line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    found = [(first.upper(), rest.strip()) for first, rest in lines]
    last = max(at for at, (name, _) in enumerate(found) if name == "FROM")
    return found[last:]


def compose() -> dict[str, Any]:
    values = yaml.safe_load(COMPOSE.read_text("utf-8"))
    assert isinstance(values, dict)
    return values


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text("utf-8").splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


# -- container ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint has no build for this machine")
def test_the_linter_of_dockerfiles_has_nothing_to_say() -> None:
    done = subprocess.run([HADOLINT, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_without_root_and_asks_the_program_how_it_is() -> None:
    words = dict(instructions())
    assert words["USER"] == "8890"
    assert 'CMD ["ocpp-watchdog", "healthcheck"]' in words["HEALTHCHECK"]
    assert words["ENTRYPOINT"] == '["ocpp-watchdog"]'


def test_everything_the_image_copies_is_let_in_and_there() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    copied = {
        word
        for line in DOCKERFILE.read_text("utf-8").splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)


@pytest.mark.skipif(
    importlib.util.find_spec("compose_spec") is None, reason="compose-spec has no build for this machine"
)
def test_the_compose_file_is_one() -> None:
    importlib.import_module("compose_spec").PyCompose.from_yaml(COMPOSE.read_text("utf-8")).validate()


def test_every_container_is_fenced_in() -> None:
    for name, service in compose()["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    assert compose()["services"]["proxy"]["read_only"] is True


def test_only_the_proxy_runs_without_a_profile() -> None:
    plain = [name for name, service in compose()["services"].items() if "profiles" not in service]
    assert plain == ["proxy"]
    monitoring = [name for name, service in compose()["services"].items() if service.get("profiles") == ["monitoring"]]
    assert monitoring == ["prometheus", "alertmanager", "grafana"]


def test_every_file_that_is_mounted_is_there() -> None:
    sources = [
        volume.split(":")[0]
        for service in compose()["services"].values()
        for volume in service["volumes"]
        if volume.startswith(".")
    ]
    assert sources
    assert [source for source in sources if not (DEPLOY / source).exists()] == []


# -- systemd -----------------------------------------------------------------------------------------------------


@has_systemd
def test_systemd_finds_the_sandbox_tight() -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}", UNIT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr


@has_systemd
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    """With a program that exists in place of ours, whose place it would miss."""
    copy = tmp_path / UNIT.name
    text = UNIT.read_text("utf-8")
    assert "ExecStart=/opt/ocpp-watchdog/bin/ocpp-watchdog run\n" in text
    copy.write_text(text.replace("/opt/ocpp-watchdog/bin/ocpp-watchdog", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert said == []


def test_systemd_is_told_what_the_program_does() -> None:
    said = unit()
    assert said["Type"] == ["notify"]
    assert said["RestartPreventExitStatus"] == ["78"]
    assert said["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert float(said["TimeoutStopSec"][0]) > 10.0  # it may take ten seconds to end (DESIGN R13)
