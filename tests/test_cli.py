"""The verbs, as somebody at a shell sees them: what is printed, and the exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from ocpp_watchdog import __version__
from ocpp_watchdog.cli import run

COMMAND = [sys.executable, "-m", "ocpp_watchdog"]


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ocpp_watchdog.settings.USUAL_FILES", (Path("ocpp-watchdog.yaml"),))


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_check_config_prints_each_setting_with_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ocpp-watchdog.yaml").write_text("stall: 7\nwebhook: {url: 'https://hook.example/geheim'}\n")
    assert run(["check-config", "--mode", "observe"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^stall +7\.0 +ocpp-watchdog\.yaml$", said, re.MULTILINE)
    assert re.search(r"^mode +observe +flag$", said, re.MULTILINE)
    assert re.search(r"^listen +0\.0\.0\.0:8890 +default$", said, re.MULTILINE)
    assert "geheim" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--mode", "destroy"], "mode: Input should be 'enforce' or 'observe'"),
        (["check-config", "--admin.listen", "x"], "admin.listen: must be host:port"),
        (["check-config", "--config", "nowhere.yaml"], "nowhere.yaml: cannot be read (No such file or directory)"),
        (["demo", "--once", "--fault", "none-such"], "fault: there is no 'none-such'"),
        (["demo", "--speed", "1000"], "speed: Input should be less than or equal to 60"),
        (["simulate", "charge-point", "--fault", "none-such"], "unknown fault 'none-such'"),
        (["simulate", "charge-point", "--connectors", "x"], "charge_point.connectors: "),
    ],
)
def test_a_bad_setting_is_one_line_that_names_it_and_exit_78(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 78
    told = capsys.readouterr().err
    assert told.startswith(f"ocpp-watchdog: {said}")
    assert told.count("\n") == 1


def test_certificates_are_tried_by_check_config(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--tls.certificate", "nowhere.pem", "--tls.key", "nowhere.key"]
    assert run(["check-config", *flags]) == 78
    assert "tls.certificate: cannot be used" in capsys.readouterr().err
    flags = ["--central-system", "wss://evcc", "--central-system-tls.ca", "nowhere.pem"]
    assert run(["check-config", *flags]) == 78
    assert "central_system_tls.ca: cannot be used" in capsys.readouterr().err


def test_a_misspelt_flag_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "--lissten", "x"]) == 2
    assert "--lissten" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["version", "healthcheck"])
def test_a_small_verb_does_not_wait_for_the_large_libraries(verb: str) -> None:
    """A container asks for its health every half minute, on a small computer."""
    told = f"from ocpp_watchdog.cli import run; import sys; run([{verb!r}]); print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=60, check=True)
    loaded = ended.stdout.splitlines()[-1].split()
    assert "ocpp_watchdog.settings" in loaded
    assert not {"aiohttp", "alembic", "ocpp", "prometheus_client", "sqlalchemy"} & set(loaded)


def test_without_a_verb_the_verbs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) != 0
    told = capsys.readouterr().err
    for verb in ("run", "check-config", "demo", "simulate", "version"):
        assert verb in told


def test_help_says_what_a_flag_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "central-system", "--help"]) == 0
    assert "Port to listen on" in capsys.readouterr().out
    assert run(["run", "--help"]) == 0
    assert "enforce acts on an ignored stop" in capsys.readouterr().out


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert run(["run", "--listen", address, "--admin.listen", "127.0.0.1:0"]) == 1
    told = capsys.readouterr().err
    assert "in use" in told
    assert "Traceback" not in told


# -- as a process of its own -------------------------------------------------------------------------------------


@contextmanager
def process(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [*COMMAND, *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | variables
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def line_with(started: subprocess.Popen[str], text: str) -> str:
    """The next line of the log with this text in it."""
    assert started.stderr is not None
    seen = []
    for line in started.stderr:
        seen.append(line)
        if text in line:
            return line
    raise AssertionError(f"{text!r} was never said, but: {seen}")


PORTS = ("--listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_S16_the_proxy_ends_with_0_on_a_signal(number: signal.Signals) -> None:
    with process("run", *PORTS) as started:
        line_with(started, "metrics and health are on")
        began = time.monotonic()
        started.send_signal(number)
        assert started.wait(10) == 0
        assert time.monotonic() - began < 10


def test_the_proxy_serves_its_pages() -> None:
    with process("run", *PORTS) as started:
        line = line_with(started, "metrics and health are on")
        url = re.search(r"http://\S+:\d+", line)
        assert url is not None
        with urlopen(f"{url.group()}/metrics") as answer:
            assert b"ocpp_watchdog_build_info" in answer.read()
        with urlopen(f"{url.group()}/healthz") as answer:
            assert answer.read() == b"ok\n"


def test_P14_a_reload_takes_over_what_it_can_and_keeps_all_when_the_file_is_broken() -> None:
    path = Path("ocpp-watchdog.yaml")
    path.write_text("stall: 45\n")
    with process("run", *PORTS) as started:
        line_with(started, "metrics and health are on")
        path.write_text("stall: 7\nadmin: {allowed_hosts: [home]}\nlog: {format: json}\n")
        started.send_signal(signal.SIGHUP)
        line_with(started, "stall is reloaded")
        assert "admin.allowed_hosts has changed and needs a restart" in line_with(started, "has changed")
        path.write_text("stall: [\n")
        started.send_signal(signal.SIGHUP)
        assert line_with(started, "the settings are kept as they were").startswith("{"), "the log's format is reloaded"
        started.send_signal(signal.SIGTERM)
        assert started.wait(10) == 0


@pytest.mark.parametrize("verb", [["demo"], ["simulate", "central-system", "--port", "0"]])
def test_ctrl_c_ends_a_play_without_a_traceback(verb: list[str]) -> None:
    with process(*verb) as started:
        assert started.stdout is not None
        assert started.stdout.readline()
        started.send_signal(signal.SIGINT)
        assert started.wait(10) == 130
        assert started.stderr is not None
        assert started.stderr.read() == ""


def test_a_bad_setting_ends_the_process_with_78() -> None:
    with process("run", OCPP_WATCHDOG_MODE="destroy") as started:
        assert started.wait(10) == 78


def test_knowledge_lists_the_devices_and_says_what_is_known_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["knowledge"]) == 0
    said = capsys.readouterr().out
    assert "Charge Amps Halo: 94 facts" in said
    assert "AcTEC EV-AC22K: 13 facts" in said
    assert run(["knowledge", "Charge Amps", "Halo", "173"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Charge Amps Halo, firmware 173: ")
    assert "HALO-UPG-01  [DANGER]  upgrade" in said
    assert "settle_seconds 60" in said
    assert "release notes" in said
    assert run(["knowledge", "Charge Amps", "Halo", "--language", "de"]) == 0
    assert "Firmware unbekannt: 94 Tatsachen können zutreffen" in capsys.readouterr().out
    assert run(["knowledge", "Nobody", "Nothing"]) == 0
    assert capsys.readouterr().out == 'Nothing is known of vendor "Nobody", model "Nothing".\n'


def test_knowledge_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["knowledge", "--json"]) == 0
    assert {device["device"] for device in json.loads(capsys.readouterr().out)} >= {"charge-amps-halo"}
    assert run(["knowledge", "AcTEC", "EV-AC22K", "V1.17.9", "--json"]) == 0
    known = json.loads(capsys.readouterr().out)
    assert known["firmware"] == "1.17.9"
    assert known["policy"]["may_question"] is False
    assert {"id", "applies", "fact", "effect", "sources", "weight"} <= set(known["facts"][0])


def test_without_a_verb_the_verbs_are_named_as_they_are_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    told = capsys.readouterr().err
    assert told.startswith("ocpp-watchdog: a verb is needed: run, check-config, notify-test, ")
    assert run(["ctl"]) == 2
    assert capsys.readouterr().err.startswith("ocpp-watchdog: a verb is needed: status, stand-down, ")


@pytest.mark.parametrize("verb", ["run", "demo", "init", "analyze", "report", "knowledge"])
def test_help_shows_choices_as_they_are_typed(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "--language {de,en}" in said
    assert not re.search(r"\{[^}]*[A-Z]{2}[^}]*\}|default: [A-Z]{2,}\)", said)


def test_every_choice_that_help_shows_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "--help"]) == 0
    shown = re.findall(r"--(\S+) (tuple\[)?\{([a-z_,]+)\}", " ".join(capsys.readouterr().out.split()))
    given = [(name, choice) for name, _, choices in shown for choice in choices.split(",")]
    assert {name for name, _ in given} >= {"mode", "language", "ladder.steps", "ladder.after-stop", "ladder.set-back"}
    for name, choice in given:
        more = ["--ladder.external.url", "http://relay.example/off"] if choice == "external" else []
        assert run(["check-config", f"--{name}", choice, *more]) == 0, (name, choice, capsys.readouterr().err)


def test_who_reads_only_the_head_of_what_is_printed_hears_no_complaint() -> None:
    with subprocess.Popen([*COMMAND, "knowledge", "Charge Amps", "Halo", "171"], stdout=-1, stderr=-1) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.parametrize("taken", ["listen", "admin.listen"])
def test_an_address_that_is_taken_is_named(taken: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        addresses = {"listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0", taken: address}
        flags = [word for name, value in addresses.items() for word in (f"--{name}", value)]
        assert run(["run", "--journal", "off", *flags]) == 1
    assert capsys.readouterr().err == f"ocpp-watchdog: {address}: Address already in use\n"


def test_the_stand_in_for_evcc_says_that_its_port_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        assert run(["simulate", "central-system", "--port", str(holder.getsockname()[1])]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert str(holder) not in told
    assert "address already in use" in told.lower()


def test_a_journal_that_has_recorded_nothing_yet_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    for verb in ("report", "bundle"):
        assert run([verb]) == 2
        assert capsys.readouterr().err.startswith(f"ocpp-watchdog: nothing was recorded yet in {tmp_path}")
