"""What doctor finds, and the remedy it names: each problem is made for real, or handed in as the proxy would say it."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ocpp_watchdog import cli
from ocpp_watchdog.settings import Settings, fixed
from ocpp_watchdog.setup import central, doctor, here, running
from ocpp_watchdog.setup.central import Central
from ocpp_watchdog.setup.doctor import Found, State
from ocpp_watchdog.setup.health import Health, health_at
from ocpp_watchdog.setup.running import Running
from ocpp_watchdog.texts.catalogue import Language
from setup_stand_ins import ACCEPT, http, saying
from test_app import BOOT, charge_point, scene

_real_clock = here.is_clock_set
NOW = 1_800_000_000.0
METER = (
    '[2,"3","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2025-10-01T13:00:00Z",'
    '"sampledValue":[{"value":"%s","measurand":"%s"}]}]}]'
)


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ocpp_watchdog.settings.USUAL_FILES", (Path("ocpp-watchdog.yaml"),))
    monkeypatch.setattr(here, "is_clock_set", lambda now_utc: True)


def settings_file(text: str) -> None:
    Path("ocpp-watchdog.yaml").write_text(text)


def by_code(found: list[Found]) -> dict[str, Found]:
    return {each.code: each for each in found}


async def examined(**settings: Any) -> dict[str, Found]:
    usual: dict[str, Any] = {"listen": "127.0.0.1:0", "admin": {"listen": "127.0.0.1:1"}}
    return by_code(await doctor.examine(fixed(**usual | settings), NOW))


# -- the central system ------------------------------------------------------------------------------------------


async def ocpp(request: web.Request) -> web.WebSocketResponse:
    answer = web.WebSocketResponse(protocols=("ocpp1.6",))
    await answer.prepare(request)
    await answer.receive()
    return answer


async def test_a_central_system_that_answers_with_ocpp_is_good() -> None:
    pages = web.Application()
    pages.router.add_get("/{path}", ocpp)
    async with TestServer(pages) as server:
        assert await central.look(f"ws://127.0.0.1:{server.port}") is Central.GOOD


async def test_another_protocol_is_none() -> None:
    answer = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    )
    async with saying(answer.encode()) as url:
        assert await central.look(url) is Central.NOT_OCPP  # the key is another one, or no protocol is named


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (http("200 OK"), Central.NOT_OCPP),
        (http("404 Not Found"), Central.NOT_OCPP),
        (http("401 Unauthorized"), Central.REFUSES),
        (b"SSH-2.0-x\r\n\r\n", Central.NOBODY),
        (None, Central.SILENT),
    ],
)
async def test_what_answers_something_else_is_told_apart(answer: bytes | None, what: Central) -> None:
    async with saying(answer) as url:
        assert await central.look(url, patience_seconds=0.3) is what


async def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert await central.look(f"ws://127.0.0.1:{port}") is Central.NOBODY


async def test_a_name_that_nobody_knows() -> None:
    assert await central.look("ws://no-such-name.invalid:8887") is Central.NO_NAME


async def test_a_certificate_that_cannot_be_read(tmp_path: Path) -> None:
    assert await central.look("wss://127.0.0.1:1", ca=tmp_path / "missing.pem") is Central.BAD_CERTIFICATE


async def test_tls_where_there_is_none() -> None:
    async with saying(http("400 Bad Request")) as url:
        assert await central.look(url.replace("ws:", "wss:")) in {Central.BAD_CERTIFICATE, Central.NOBODY}


@pytest.mark.parametrize("what", Central)
def test_every_kind_has_a_sentence_with_its_remedy(what: Central) -> None:
    found = doctor._central(fixed(central_system="ws://box.test:1"), what)
    for language in Language:
        assert "ws://box.test:1" in found.text(language)
    assert (found.state is State.GOOD) == (what is Central.GOOD)


# -- this machine ------------------------------------------------------------------------------------------------


async def test_a_port_that_is_taken_is_named_with_its_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        found = await examined(listen=f"127.0.0.1:{port}", admin={"listen": "127.0.0.1:0"})
    assert found["port_taken"].state is State.PROBLEM
    assert "ss -ltnp" in found["port_taken"].text(Language.EN)
    assert found["not_running"].state is State.UNKNOWN


async def test_an_address_that_is_not_ours() -> None:
    found = await examined(listen="192.0.2.7:8890")
    assert found["port_impossible"].state is State.PROBLEM


@pytest.mark.parametrize(("is_set", "code"), [(True, "clock_set"), (False, "clock_unset"), (None, "clock_unknown")])
async def test_the_clock(is_set: bool | None, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "is_clock_set", lambda now_utc: is_set)
    assert code in await examined()


def test_a_clock_that_was_never_set_is_found_without_asking_anybody() -> None:
    assert _real_clock(100.0) is False


@pytest.mark.parametrize(("said", "is_set"), [("yes", True), ("no", False), ("", None)])
def test_the_time_service_is_asked(
    said: str, is_set: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "timedatectl"
    tool.write_text(f"#!/bin/sh\necho {said}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(here, "SYNCHRONISED", tmp_path / "missing")
    monkeypatch.setattr(here.shutil, "which", lambda name: str(tool))
    assert _real_clock(NOW) is is_set


def test_a_time_service_that_left_its_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "synchronized"
    mark.touch()
    monkeypatch.setattr(here, "SYNCHRONISED", mark)
    assert _real_clock(NOW) is True


def test_without_a_time_service_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "SYNCHRONISED", tmp_path / "missing")
    monkeypatch.setattr(here.shutil, "which", lambda name: None)
    assert _real_clock(NOW) is None


@pytest.mark.parametrize(
    ("journal", "code"), [("off", "journal_off"), ("sqlite:///{folder}/new/journal.db", "journal_good")]
)
async def test_the_place_of_the_journal(journal: str, code: str, tmp_path: Path) -> None:
    assert code in await examined(journal=journal.format(folder=tmp_path))


async def test_a_journal_that_has_a_file_in_its_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = await examined(journal=f"sqlite:///{tmp_path}/file/journal.db")
    assert found["journal_bad"].values["why"] == "Not a directory"


def test_a_folder_without_rights_or_space_is_not_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert here.why_not_writable(tmp_path / "a" / "b") is None
    monkeypatch.setattr(here, "LEAST_BYTES", 1 << 62)
    assert here.why_not_writable(tmp_path) == errno.ENOSPC
    monkeypatch.setattr(here.os, "access", lambda path, how: False)
    assert here.why_not_writable(tmp_path) in {errno.EACCES, errno.EROFS}


def test_a_journal_that_fails_in_the_running_proxy_is_said() -> None:
    numbers = {"ocpp_watchdog_degraded": 1.0, "ocpp_watchdog_faults_total:journal": 3.0}
    kept = fixed(journal="sqlite:////nowhere/journal.db")
    assert [each.code for each in doctor._journal(kept, Running(is_good=True, numbers=numbers))] == ["journal_fails"]
    assert list(doctor._journal(kept, Running(is_good=True))) == []


# -- the running proxy -------------------------------------------------------------------------------------------


async def at_the_proxy(proxy: Any, central_url: str = "ws://127.0.0.1:1", **more: Any) -> dict[str, Found]:
    admin = {"listen": proxy.admin_url.removeprefix("http://")} | more.pop("admin", {})
    settings = fixed(listen="0.0.0.0:8890", central_system=central_url, admin=admin, **more)
    return by_code(await doctor.examine(settings, NOW))


async def test_a_proxy_that_nobody_dialled() -> None:
    async with scene() as (proxy, _):
        found = await at_the_proxy(proxy)
    assert found["running"].state is State.GOOD
    assert found["nobody_dialled"].state is State.PROBLEM
    assert found["nobody_dialled"].values["line"].endswith(":8890/<id>")
    assert "port_taken" not in found


async def test_readings_without_current_are_named_with_their_remedy() -> None:
    async with scene() as (proxy, _), charge_point(proxy) as box:
        for text in (BOOT, METER % ("4300", "Power.Active.Import")):
            await box.send_str(text)
            await box.receive()
        found = await at_the_proxy(proxy, charge_points={"box": {}, "other": {}})
    assert found["connected"].values == {"charge_point": "box"}
    assert found["no_current"].state is State.PROBLEM
    assert "MeterValuesSampledData" in found["no_current"].text(Language.DE)
    assert found["never_seen"].values["charge_point"] == "other"


async def test_readings_with_current_are_good_and_who_left_is_missed() -> None:
    async with scene() as (proxy, _):
        async with charge_point(proxy) as box:
            for text in (BOOT, METER % ("6.5", "Current.Import")):
                await box.send_str(text)
                await box.receive()
            assert (await at_the_proxy(proxy))["readings"].state is State.GOOD
        async with asyncio.timeout(20):
            while "not_connected" not in await at_the_proxy(proxy):
                await asyncio.sleep(0.01)


async def test_a_wrong_password_is_said() -> None:
    async with scene(admin={"listen": "127.0.0.1:0", "password": "right"}) as (proxy, _):
        assert "no_password" in await at_the_proxy(proxy, admin={"password": "wrong"})
        assert "no_password" not in await at_the_proxy(proxy, admin={"password": "right"})


def told(**values: Any) -> list[Found]:
    settings: Settings = values.pop("settings", fixed())
    proxy = Running(**values)
    return [
        *doctor._proxy(settings, proxy),
        *doctor._charge_points(settings, proxy.charge_points, proxy.numbers),
        *doctor._messages(settings, proxy.numbers),
    ]


def station(**more: Any) -> dict[str, Any]:
    return {"charge_point": "box", "connected": True, "clock_skew_seconds": None, "connectors": []} | more


def test_a_judge_that_fails_and_faults_are_said() -> None:
    found = by_code(told(is_good=False, charge_points=[], numbers={"ocpp_watchdog_degraded": 1.0}))
    assert {found["judge_fails"].state, found["degraded"].state} == {State.PROBLEM}


async def test_a_wallbox_that_dials_in_vain_is_not_told_to_be_missing() -> None:
    async with scene() as (proxy, _):
        assert "nobody_dialled" in await at_the_proxy(proxy)
        proxy.relay.counters.refusals["unreachable"] += 1
        found = await at_the_proxy(proxy)
    assert "nobody_dialled" not in found
    assert found["sent_away"].values["reasons"] == "unreachable"


def test_a_clock_that_is_off_is_said() -> None:
    found = by_code(told(is_good=True, charge_points=[station(clock_skew_seconds=-3600.4)]))
    assert found["skewed"].values["seconds"] == "-3600"
    assert "skewed" not in by_code(told(is_good=True, charge_points=[station(clock_skew_seconds=3.0)]))


def test_a_blind_connector_is_said() -> None:
    seen = {"connector": 1, "phase": "blind", "reading": None, "reading_at": "2025-10-01T13:00:00Z"}
    found = by_code(told(is_good=True, charge_points=[station(connectors=[seen])]))
    assert "2025-10-01T13:00:00Z" in found["blind"].text(Language.EN)


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ({"ocpp_watchdog_notifications_total:undelivered": 2.0}, "undelivered"),
        ({"ocpp_watchdog_notifications_total:dropped": 2.0}, "undelivered"),
        ({"ocpp_watchdog_notifications_total:delivered": 2.0}, "delivered"),
    ],
)
def test_messages_that_did_not_arrive_are_said(numbers: dict[str, float], code: str) -> None:
    settings = fixed(webhook={"url": "http://127.0.0.1:1/"})
    assert code in by_code(told(is_good=True, charge_points=[station()], numbers=numbers, settings=settings))


def test_without_any_way_for_messages_it_is_said() -> None:
    assert "no_way" in by_code(told(is_good=True, charge_points=[station()]))


# -- the verbs ---------------------------------------------------------------------------------------------------


async def test_the_verb_says_a_line_for_each_check_and_leaves_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    settings_file("central_system: ws://127.0.0.1:1\nlanguage: de\n")
    assert await asyncio.to_thread(cli.run, ["doctor"]) == 1
    said = capsys.readouterr().out
    assert "PROBLEM   An ws://127.0.0.1:1 nimmt niemand ab." in said
    assert said.splitlines()[-1].startswith("Probleme: ")


async def test_a_program_gets_json(capsys: pytest.CaptureFixture[str]) -> None:
    settings_file("central_system: ws://127.0.0.1:1\n")
    assert await asyncio.to_thread(cli.run, ["doctor", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == "ocpp-watchdog/doctor/1"
    assert {"check", "state", "text", "values"} == set(said["checks"][0])
    assert "central_nobody" in [each["check"] for each in said["checks"]]


def test_all_well_is_exit_0(capsys: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    assert doctor.report([doctor.good("clock_set")], Language.EN, said.append) == 0
    assert said == ["good     The clock follows a time server.", "All is well."]


async def test_healthcheck_asks_the_running_proxy(capsys: pytest.CaptureFixture[str]) -> None:
    async with scene() as (proxy, _):
        address = proxy.admin_url.removeprefix("http://")
        settings_file(f"admin:\n  listen: {address}\n")
        assert await asyncio.to_thread(cli.run, ["healthcheck"]) == 0
        proxy.tally.judge_failures_in_a_row = 1000
        assert await asyncio.to_thread(cli.run, ["healthcheck"]) == 1
    assert await asyncio.to_thread(cli.run, ["healthcheck"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "The proxy is running.",
        "The proxy is running, but its judge fails on every message.",
        f"No proxy answers at {address}.",
    ]


async def test_somebody_else_at_that_address_is_no_proxy() -> None:
    async with saying(http("404 Not Found")) as url:
        settings = fixed(admin={"listen": url.removeprefix("ws://")})
        assert await running.ask(settings) is None
        address = settings.admin.listen
        assert await asyncio.to_thread(health_at, address) is Health.GONE
