"""``ocpp-watchdog ctl``, from the shell to the wallbox: what it says, what it sends, and its exit code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ocpp_watchdog import cli
from ocpp_watchdog.app import Proxy
from ocpp_watchdog.core.terms import ChargePointId, Direction
from ocpp_watchdog.ctl import client
from ocpp_watchdog.settings import fixed
from ocpp_watchdog.shell.web import plain
from ocpp_watchdog.texts.catalogue import Language
from test_app import BOOT, BOOTED, charge_point, eventually, scene
from views import ORDERED, connector_view, station_view

START = '[2,"2","StartTransaction",{"connectorId":1,"idTag":"T","meterStart":0,"timestamp":"2025-10-01T13:00:00Z"}]'
STARTED = '[3,"2",{"transactionId":7,"idTagInfo":{"status":"Accepted"}}]'


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ocpp_watchdog.settings.USUAL_FILES", (Path("ocpp-watchdog.yaml"),))


@dataclass
class Shell:
    """A shell beside a running proxy."""

    proxy: Proxy
    capsys: pytest.CaptureFixture[str]

    async def ctl(self, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        address = self.proxy.admin_url.removeprefix("http://")
        code = await asyncio.to_thread(cli.run, ["ctl", *words, "--address", address])
        said = self.capsys.readouterr()
        return code, said.out, said.err


@asynccontextmanager
async def shell(capsys: pytest.CaptureFixture[str], **settings: object) -> AsyncIterator[Shell]:
    async with scene(**settings) as (proxy, _):
        yield Shell(proxy, capsys)


async def test_status_says_a_line_for_each_connector(capsys: pytest.CaptureFixture[str]) -> None:
    async with shell(capsys) as at:
        assert await at.ctl("status") == (0, "No charge point has connected yet.\n", "")
        async with charge_point(at.proxy) as box:
            await box.send_str(BOOT)
            assert (await box.receive()).data == BOOTED
            line = "box, connector 1: nothing ordered yet; ordered -, measured -; status -"
            assert await at.ctl("status") == (0, line + "\n", "")
            await at.ctl("maintenance", "--minutes", "30")
            assert (await at.ctl("status"))[1].startswith(line + "; maintenance until ")
            code, out, _ = await at.ctl("status", "--json")
            assert code == 0
            assert json.loads(out)["charge_points"][0]["maintenance_until"]


async def test_stop_now_reaches_the_wallbox_and_is_recorded_with_who(capsys: pytest.CaptureFixture[str]) -> None:
    async with shell(capsys, mode="observe") as at, charge_point(at.proxy) as box:
        await box.send_str(BOOT)
        await box.receive()
        begin_transaction(at.proxy)
        code, out, _ = await at.ctl("stop-now")
        assert code == 0
        assert out.startswith("box, connector 1: RemoteStopTransaction is on its way. Only a measurement shows")
        frame = json.loads((await box.receive()).data)
        assert frame[2:] == ["RemoteStopTransaction", {"transactionId": 7}]
        facts = [fact.record for fact in at.proxy.records.facts if fact.record.who]
        assert [(fact.text, fact.who) for fact in facts] == [("stop_now", "ctl@127.0.0.1")]


def begin_transaction(proxy: Proxy) -> None:
    """Let transaction 7 run: the central system of these tests answers everything with BOOTED, so the judge is told."""
    watch = proxy.watches.get(ChargePointId("box"))
    assert watch is not None
    watch.station.receive(Direction.TO_CENTRAL_SYSTEM, START, proxy.clock.now())
    watch.station.receive(Direction.TO_CHARGE_POINT, STARTED, proxy.clock.now())


async def test_what_is_refused_is_one_line_and_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    async with shell(capsys) as at, charge_point(at.proxy) as box:
        await box.send_str(BOOT)
        await box.receive()
        sentence = "box, connector 1: no usable transaction id is known. Please stop it at the device.\n"
        assert await at.ctl("stop-now") == (1, sentence, "")
        code, out, _ = await at.ctl("stop-now", "--json")
        assert (code, json.loads(out)["results"][0]["reason"]) == (1, "no_transaction")
        assert (await at.ctl("acknowledge"))[:2] == (1, "box, connector 1: no ignored stop is open.\n")


async def test_stand_down_and_maintenance_and_a_test_alarm(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with shell(capsys) as at, charge_point(at.proxy) as box:
        await box.send_str(BOOT)
        await box.receive()
        assert (await at.ctl("stand-down", "--connector", "0"))[0] == 0
        sentence = "box, connector 1: ChangeAvailability Operative is on its way.\n"
        assert (await at.ctl("set-back"))[:2] == (0, sentence)
        assert (await at.ctl("maintenance", "--minutes", "30"))[0] == 0
        assert (await at.ctl("maintenance", "--minutes", "0"))[:2] == (0, "box: maintenance is over.\n")
        assert (await at.ctl("test-alarm"))[0] == 0
        assert "Test alarm" in caplog.text


async def test_who_is_meant_must_be_clear(capsys: pytest.CaptureFixture[str]) -> None:
    async with shell(capsys) as at:
        assert await at.ctl("stop-now") == (1, "", "ocpp-watchdog: No charge point has connected yet.\n")
        async with charge_point(at.proxy, "a"), charge_point(at.proxy, "b%20b"):
            await eventually(lambda: len(at.proxy.watches) == 2)
            listed = "\n  a, connector 1\n  b b, connector 1\n"
            for words in (("stop-now",), ("stand-down", "--connector", "1"), ("acknowledge", "--connector", "0")):
                code, _, err = await at.ctl(*words)
                assert code == 1
                assert "--charge-point, --connector:" + listed in err
            assert "There is no c. Known are:" + listed in (await at.ctl("stop-now", "--charge-point", "c"))[2]
            assert "a, connector 7" in (await at.ctl("stop-now", "--charge-point", "a", "--connector", "7"))[2]
            code, out, _ = await at.ctl("stand-down", "--charge-point", "b b")
            assert (code, out) == (
                0,
                "b b, connector 1: stood down; nothing more is done about this stop, the next one is judged again.\n",
            )
            assert "--charge-point:\n  a\n  b b\n" in (await at.ctl("maintenance", "--minutes", "5"))[2]
            assert "There is no c. " in (await at.ctl("maintenance", "--minutes", "5", "--charge-point", "c"))[2]


async def test_the_password_comes_from_the_settings_and_is_in_no_output(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ocpp_watchdog.shell.web.gate.WRONG_PASSWORD_SECONDS", 0.0)
    Path("own.yaml").write_text("admin: {password: gehäim}\nlanguage: de\n", "utf-8")  # noqa: ASYNC240
    async with scene(admin={"listen": "127.0.0.1:0", "password": "gehäim"}) as (proxy, _):
        at = Shell(proxy, capsys)
        code, out, err = await at.ctl("test-alarm")
        assert (code, out) == (1, "")
        assert err.startswith("ocpp-watchdog: A password is needed: admin.password")
        monkeypatch.setenv("OCPP_WATCHDOG_ADMIN__PASSWORD", "gehäim")
        assert (await at.ctl("test-alarm"))[0] == 0
        monkeypatch.delenv("OCPP_WATCHDOG_ADMIN__PASSWORD")
        code, out, err = await at.ctl("test-alarm", "--config", "own.yaml")
        assert (code, out) == (0, "Ein Testalarm geht über jeden eingerichteten Weg hinaus.\n")
        assert "gehäim" not in out + err + caplog.text


def test_there_is_no_flag_for_a_password(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("status", "stand-down", "stop-now", "acknowledge", "set-back", "maintenance", "test-alarm"):
        assert cli.run(["ctl", verb, "--help"]) == 0
        assert "password" not in capsys.readouterr().out


def test_a_proxy_that_is_not_there_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["ctl", "status", "--address", "127.0.0.1:9"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("ocpp-watchdog: The watchdog cannot be reached at 127.0.0.1:9 (Connection refused).")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"schema": "other"}', b"\xff", b'"x"'])
def test_something_else_that_answers_is_exit_2(body: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    with stranger(body) as address:
        assert cli.run(["ctl", "status", "--address", address]) == 2
    assert "Something other than the watchdog" in capsys.readouterr().err


@contextmanager
def stranger(body: bytes) -> Iterator[str]:
    """A web server that is not ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status", "--address", "x"], "address: must be host:port"),
        (["maintenance", "--minutes", "1441"], "maintenance.minutes: Input should be less than or equal to 1440"),
        (["maintenance"], "maintenance.minutes: must be given"),
        (["stop-now", "--connector", "x"], "stop_now.connector: "),
        (["status", "--config", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
    ],
)
def test_a_bad_flag_is_one_line_and_exit_78(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["ctl", *words]) == 78
    told = capsys.readouterr().err
    assert told.startswith(f"ocpp-watchdog: {said}")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:8891", "127.0.0.1:8891"),
        ("0.0.0.0:8891", "127.0.0.1:8891"),
        ("[::]:8891", "[::1]:8891"),
        ("[::1]:8891", "[::1]:8891"),
    ],
)
def test_the_address_is_that_of_the_settings(listen: str, address: str) -> None:
    settings = fixed(admin={"listen": listen, "password": "x"})
    assert client.target(settings, None) == client.Target(address, Language.EN, "x")
    assert "'x'" not in repr(client.target(settings, None))


def test_the_status_tells_of_a_stop_that_is_ignored_and_of_who_is_away() -> None:
    view = station_view(connector_view(), connected=False)
    (line,) = client.status_lines({"charge_points": [plain.station(view, ORDERED)]}, Language.EN)
    assert line.startswith(
        "box, connector 1: order violated; ordered 0 A, measured 6.5 / 6.3 / 6.5 A, 4290 W; status -"
    )
    assert "; stop ignored since " in line
    assert line.endswith("; not connected")


def test_the_status_says_what_the_ladder_took_out_of_service() -> None:
    view = station_view(connector_view(is_inoperative=True))
    (line,) = client.status_lines({"charge_points": [plain.station(view, ORDERED)]}, Language.EN)
    assert "; taken out of service by the watchdog (back: ctl set-back)" in line
