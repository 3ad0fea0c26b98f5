"""The whole program with a real broker, in real time: orders reach the judge, notices the broker, and no secret it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, web
from aiohttp.test_utils import TestServer
from test_secrets import FRAMES, PASSWORD, PLANTED, TAG, TOKEN, VISITOR, credentials

from mosquitto import HOST, Broker, Ear, broker, listening
from ocpp_watchdog.app import Proxy, reload, running
from ocpp_watchdog.core.decisions import FactKind, NoticeKind, Notify, Severity
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId
from ocpp_watchdog.settings import Settings, load
from ocpp_watchdog.shell.clock import Clock
from views import ORDERED, episode_view

ANSWER = {
    "status": "Accepted",
    "currentTime": "2025-10-01T13:19:09Z",
    "interval": 300,
    "transactionId": 7,
    "idTagInfo": {"status": "Accepted", "parentIdTag": TAG},
}
HERE = f"ocpp-watchdog/{VISITOR}"
CONFIG = f"homeassistant/device/ocpp_watchdog_{VISITOR}/config"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Broker]:
    with broker(tmp_path) as found:
        yield found


async def _central(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(protocols=("ocpp1.6",))
    await socket.prepare(request)
    async for message in socket:
        with contextlib.suppress(ValueError, IndexError):
            await socket.send_str(json.dumps([3, json.loads(message.data)[1], ANSWER]))
    return socket


@asynccontextmanager
async def program(folder: Path, port: int) -> AsyncIterator[tuple[Proxy, Settings]]:
    """The whole proxy with this broker, from a settings file, and a central system that accepts everything."""
    pages = web.Application()
    pages.router.add_get("/{path:.*}", _central)
    async with TestServer(pages) as server:
        file = folder / "settings.yaml"
        file.write_text(
            f"listen: 127.0.0.1:0\nadmin: {{listen: '127.0.0.1:0'}}\ncentral_system: ws://127.0.0.1:{server.port}\n"
            f"charge_points: {{{VISITOR}: {{password: {PASSWORD}}}}}\njournal: 'off'\n"
            f"mqtt: {{url: 'mqtt://{HOST}:{port}', user: me, password: {TOKEN}, try_seconds: 1}}\n"
        )
        settings = load(config=file)
        async with running(settings, Clock()) as proxy:
            yield proxy, settings


@asynccontextmanager
async def visitor(proxy: Proxy) -> AsyncIterator[ClientWebSocketResponse]:
    async with (
        ClientSession() as session,
        session.ws_connect(f"{proxy.url}/{VISITOR}", protocols=("ocpp1.6",), headers=credentials(PASSWORD)) as socket,
    ):
        boot = f'[2,"b","BootNotification",{{"chargePointVendor":"V","chargePointModel":"M","iccid":"{TAG}"}}]'
        await socket.send_str(boot)
        await socket.receive(5.0)
        yield socket


def owners(proxy: Proxy) -> list[tuple[str, str]]:
    return [(each.record.text, each.record.who) for each in proxy.records.facts if each.record.kind is FactKind.OWNER]


async def test_a_button_reaches_the_proxy_and_its_answer_comes_back(tmp_path: Path, mosquitto: Broker) -> None:
    async with listening(mosquitto.port) as ear, program(tmp_path, mosquitto.port) as (proxy, _), visitor(proxy):
        await ear.until(lambda: ear.json(f"{HERE}/state")["connected"] == "ON")
        assert ear.json(CONFIG)["device"]["manufacturer"] == "V"
        await ear.say(f"{HERE}/maintenance/set", "ON")
        await ear.until(lambda: ear.json(f"{HERE}/state")["maintenance"] == "ON")
        assert ear.json(f"{HERE}/state")["mode"] == "observe"
        await ear.say(f"{HERE}/maintenance/set", "OFF")
        await ear.until(lambda: ear.json(f"{HERE}/state")["maintenance"] == "OFF")
        await ear.say("ocpp-watchdog/test_alarm/set", "PRESS")
        await ear.until(lambda: ear.json("ocpp-watchdog/event")["event_type"] == "test_alarm")
        assert {who for _, who in owners(proxy)} == {"mqtt"}
        assert len(owners(proxy)) == 3


async def test_an_alarm_is_an_event_and_is_not_kept(tmp_path: Path, mosquitto: Broker) -> None:
    async with listening(mosquitto.port) as ear, program(tmp_path, mosquitto.port) as (proxy, _):
        await ear.until(lambda: ear.held["ocpp-watchdog/status"] == "online" and proxy.mqtt.is_connected)
        alarm(proxy)
        await ear.until(lambda: ear.json(f"{HERE}/event")["event_type"] == "alarm")
        async with listening(mosquitto.port) as late:
            await late.until(lambda: late.held["ocpp-watchdog/status"] == "online")
            await asyncio.sleep(0.3)
            assert f"{HERE}/event" not in late.held


def alarm(proxy: Proxy) -> None:
    episode = replace(episode_view(), order_text=f'[2,"1","SetChargingProfile",{{"idTag":"{TAG}"}}]')
    notice = Notify(NoticeKind.ALARM, Severity.CRITICAL, ConnectorId(1), ORDERED, episode)
    proxy.notices.tell(ChargePointId(VISITOR), notice)


async def test_W12_nothing_that_was_planted_is_on_the_broker(
    tmp_path: Path, mosquitto: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        listening(mosquitto.port) as ear,
        program(tmp_path, mosquitto.port) as (proxy, _),
        visitor(proxy) as socket,
    ):
        await ear.until(lambda: ear.json(f"{HERE}/state")["connected"] == "ON")
        about = {"connectorId": 1, "idTag": TAG, "meterStart": 0, "timestamp": "2025-10-01T13:19:09Z"}
        for frame in (*FRAMES, json.dumps([2, "s", "StartTransaction", about])):
            await socket.send_str(frame)
        alarm(proxy)
        await ear.until(lambda: ear.json(f"{HERE}/1/state")["transaction"] is True)
        await ear.until(lambda: ear.json(f"{HERE}/event")["event_type"] == "alarm")
    said = "\n".join(f"{topic} {text}" for topic, text, _ in ear.came)
    logged = "\n".join(line.getMessage() for line in caplog.records if line.name.startswith("ocpp_watchdog"))
    assert {CONFIG, f"{HERE}/state", f"{HERE}/1/state", f"{HERE}/event"} <= set(ear.held), "it was searched"
    assert "mqtt" in logged.lower()
    for secret in PLANTED:
        for name, text in {"broker": said, "log": logged}.items():
            where = text.find(secret)
            assert where < 0, f"{name}: {text[max(0, where - 200) : where + 100]}"


async def test_a_broker_that_hangs_holds_up_no_frame_and_not_the_end(tmp_path: Path, mosquitto: Broker) -> None:
    loop = asyncio.get_running_loop()
    async with program(tmp_path, mosquitto.port) as (proxy, _):
        async with visitor(proxy) as socket:
            async with asyncio.timeout(10.0):
                while not proxy.mqtt.is_connected:
                    await asyncio.sleep(0.02)
            mosquitto.freeze()
            slowest = 0.0
            for number in range(300):
                began = loop.time()
                await socket.send_str(f'[2,"h{number}","Heartbeat",{{}}]')
                await socket.receive(5.0)
                slowest = max(slowest, loop.time() - began)
                await asyncio.sleep(0.01)
            assert slowest < 1.0
        ended = loop.time()
    assert loop.time() - ended < 9.0, "SIGTERM ends the program within ten seconds (DESIGN R13)"


async def test_taken_out_of_the_settings_it_takes_everything_away(tmp_path: Path, mosquitto: Broker) -> None:
    async with (
        listening(mosquitto.port) as ear,
        program(tmp_path, mosquitto.port) as (proxy, settings),
        visitor(proxy),
    ):
        await ear.until(lambda: ear.held[CONFIG] and ear.held[f"{HERE}/state"])
        assert "mqtt" in proxy.tally.ways
        file = tmp_path / "settings.yaml"
        kept = [line for line in file.read_text().splitlines() if not line.startswith("mqtt:")]
        file.write_text("\n".join(kept))
        await reload(settings, proxy)
        await ear.until(lambda: ear.held[CONFIG] == "" and ear.held["ocpp-watchdog/status"] == "")
        await nothing_is_kept(mosquitto)
        assert "mqtt" not in proxy.tally.ways


async def nothing_is_kept(mosquitto: Broker) -> None:
    async with listening(mosquitto.port) as late:
        await asyncio.sleep(0.5)
        assert left(late) == []


def left(ear: Ear) -> list[Any]:
    return [topic for topic, text in ear.held.items() if text]
