"""The parts joined, on real sockets: what a charge point and its central system notice of the program."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestServer

from ocpp_watchdog import app, known, logs
from ocpp_watchdog.app import Proxy, background, is_reloadable, running
from ocpp_watchdog.core.decisions import FactKind, Mode, NoticeKind, Notify, Record, Severity
from ocpp_watchdog.core.station import Station
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId
from ocpp_watchdog.settings import BadSettingError, Settings, fixed, load
from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.shell.relay import Contest, Duplicate
from ocpp_watchdog.shell.tally import Tally
from views import ORDERED, episode_view

BOOT = '[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'
BOOTED = '[3,"1",{"status":"Accepted","currentTime":"2025-10-01T13:19:09Z","interval":300}]'


@dataclass
class Central:
    """A central system that answers everything alike, and remembers."""

    heard: list[str] = field(default_factory=list)
    closed_with: list[int | None] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("ocpp1.6",))
        await socket.prepare(request)
        async for message in socket:
            self.heard.append(message.data)
            await socket.send_str(BOOTED)
        self.closed_with.append(socket.close_code)
        return socket


@asynccontextmanager
async def scene(**settings: Any) -> AsyncIterator[tuple[Proxy, Central]]:
    """The whole proxy between nobody yet and a central system."""
    central = Central()
    pages = web.Application()
    pages.router.add_get("/{path:.*}", central.handle)
    async with TestServer(pages) as server:
        url = f"ws://127.0.0.1:{server.port}"
        usual: dict[str, Any] = {"listen": "127.0.0.1:0", "central_system": url, "admin": {"listen": "127.0.0.1:0"}}
        chosen = fixed(**usual | settings)
        async with running(chosen, Clock()) as proxy:
            yield proxy, central


@asynccontextmanager
async def charge_point(proxy: Proxy, name: str = "box") -> AsyncIterator[ClientWebSocketResponse]:
    async with ClientSession() as session, session.ws_connect(f"{proxy.url}/{name}", protocols=("ocpp1.6",)) as socket:
        yield socket


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def page(proxy: Proxy, path: str) -> tuple[int, str]:
    async with ClientSession() as session, session.get(proxy.admin_url + path) as response:
        return response.status, await response.text()


async def test_a_frame_is_relayed_judged_and_counted() -> None:
    async with scene() as (proxy, central), charge_point(proxy) as box:
        await box.send_str(BOOT)
        assert (await box.receive()).data == BOOTED
        assert central.heard == [BOOT]
        watch = proxy.watches.get(ChargePointId("box"))
        assert watch is not None
        assert watch.station.view(proxy.clock.now()).vendor == "V"
        _, text = await page(proxy, "/metrics")
    up, down = "to_central_system", "to_charge_point"
    for direction in (up, down):
        assert f'ocpp_watchdog_frames_total{{action="BootNotification",direction="{direction}"}} 1.0' in text
        assert f'ocpp_watchdog_relay_delay_seconds_count{{direction="{direction}"}} 0.0' not in text
    assert 'ocpp_watchdog_connected{charge_point="box"} 1.0' in text
    assert 'ocpp_watchdog_connections{side="central_system"} 1.0' in text
    assert "ocpp_watchdog_central_system_reachable 1.0" in text
    assert 'ocpp_watchdog_sessions_total{charge_point="box"} 1.0' in text
    assert 'ocpp_watchdog_last_message_timestamp_seconds{charge_point="box"} NaN' not in text
    assert 'ocpp_watchdog_handshake_refusals_total{reason="silent"} 0.0' in text


async def test_P10_frames_go_on_when_the_judge_raises_on_each(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the judge is broken")

    monkeypatch.setattr(Station, "receive", broken)
    async with scene() as (proxy, central), charge_point(proxy) as box:
        for _ in range(30):
            await box.send_str(BOOT)
            assert (await box.receive()).data == BOOTED
        assert len(central.heard) == 30
        assert proxy.tally.faults["judge"] == 60
        assert (await page(proxy, "/healthz"))[0] == 503
        _, text = await page(proxy, "/metrics")
    assert "ocpp_watchdog_degraded 1.0" in text
    assert "the judge is broken" in caplog.text


async def test_R13_at_the_end_every_charge_point_gets_1012() -> None:
    async with ClientSession() as session:
        async with scene() as (proxy, central):
            box = await session.ws_connect(f"{proxy.url}/box", protocols=("ocpp1.6",))
            await box.send_str(BOOT)
            await box.receive()
        message = await box.receive()
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1012)
        await eventually(lambda: central.closed_with == [1012])


async def test_ready_while_the_central_system_can_be_reached() -> None:
    async with scene() as (proxy, _):
        assert await page(proxy, "/readyz") == (200, "ready\n")
    settings = fixed(
        listen="127.0.0.1:0", central_system="ws://127.0.0.1:9", admin={"listen": "127.0.0.1:0"}, connect_timeout=0.2
    )
    async with running(settings, Clock()) as proxy:
        assert await page(proxy, "/readyz") == (503, "the central system cannot be reached\n")
        assert "ocpp_watchdog_central_system_reachable NaN" in (await page(proxy, "/metrics"))[1]
        with pytest.raises(WSServerHandshakeError):
            async with charge_point(proxy):
                pass
        assert "ocpp_watchdog_central_system_reachable 0.0" in (await page(proxy, "/metrics"))[1]


async def test_S7_only_listed_charge_points_are_let_in_and_a_password_is_checked() -> None:
    async with scene(charge_points={"box": {}, "locked": {"password": "geheim"}}) as (proxy, _):
        async with charge_point(proxy) as box:
            await box.send_str(BOOT)
        for name in ("stranger", "locked"):
            async with ClientSession() as session:
                with pytest.raises(WSServerHandshakeError, match=r"40[14]"):
                    await session.ws_connect(f"{proxy.url}/{name}", protocols=("ocpp1.6",))
        _, text = await page(proxy, "/metrics")
    assert 'ocpp_watchdog_connected{charge_point="locked"} 0.0' in text, "it is expected, and not there"
    assert "stranger" not in text, "W11: an unknown id is never a label"
    assert 'ocpp_watchdog_handshake_refusals_total{reason="not_admitted"} 1.0' in text


async def test_a_witness_sees_what_is_decided_and_facts_are_kept() -> None:
    seen: list[Notify | Record] = []
    fact = Record(FactKind.NOTE, ConnectorId(1), ORDERED, "why")
    notice = Notify(NoticeKind.ALARM, Severity.CRITICAL, ConnectorId(1), ORDERED, episode_view())
    async with running(alone(), Clock(), lambda _, decision: seen.append(decision)) as proxy:
        watch = proxy.watches.of(ChargePointId("box"))
        proxy.watches.judge(watch, lambda _: [fact, notice])
        assert [kept.record for kept in proxy.records.facts] == [fact]
    assert seen == [fact, notice]


def alone(**settings: Any) -> Settings:
    """Settings of a proxy whose central system is away."""
    free = "127.0.0.1:0"
    return fixed(listen=free, central_system="ws://127.0.0.1:9", admin={"listen": free}, **settings)


async def test_an_alarm_is_posted_to_the_hook_and_its_address_is_never_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    bodies: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return web.Response(status=204)

    pages = web.Application()
    pages.router.add_post("/{path:.*}", take)
    async with TestServer(pages) as server:
        settings = alone(webhook={"url": str(server.make_url("/geheim"))})
        async with running(settings, Clock()) as proxy:
            notice = Notify(NoticeKind.ALARM, Severity.CRITICAL, ConnectorId(1), ORDERED, episode_view())
            proxy.watches.judge(proxy.watches.of(ChargePointId("box")), lambda _: [notice])
            await eventually(lambda: proxy.tally.notifications["webhook", "delivered"] == 1)
    assert [(body["kind"], body["charge_point"]) for body in bodies] == [("alarm", "box")]
    ours = [line.getMessage() for line in caplog.records if not line.name.startswith("aiohttp")]
    assert ours
    assert "geheim" not in "".join(ours)


async def test_a_failed_start_is_the_errors_own_and_leaves_nothing_behind() -> None:
    with pytest.raises(BadSettingError, match=r"tls\.certificate"):
        async with running(alone(tls={"certificate": "nowhere.pem", "key": "nowhere.key"}), Clock()):
            pass
    async with running(alone(), Clock()) as proxy:
        taken = proxy.url.removeprefix("ws://")
        with pytest.raises(OSError, match="in use"):
            async with running(alone().model_copy(update={"listen": taken}), Clock()):
                pass
    left = {task.get_name() for task in asyncio.all_tasks()}
    assert left.isdisjoint({"notify", "notify by webhook", "heartbeat", "care"})


# -- what runs beside it -----------------------------------------------------------------------------------------


async def test_work_that_breaks_is_counted_and_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "RESTART_SECONDS", 0.0)
    tally, begun = Tally(), 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        raise RuntimeError("broken")

    async with background({"notify": work}, Clock(), tally):
        await eventually(lambda: begun >= 3)
    assert tally.faults["notify"] >= 2


async def test_what_the_block_raises_comes_out_as_it_is() -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    with pytest.raises(KeyError, match="mine"):
        async with background({"care": work}, Clock(), Tally()):
            raise KeyError("mine")


def test_only_a_fight_is_worth_an_alarm() -> None:
    told: list[str] = []

    class Care:
        def duplicate(self, charge_point: str, newcomer: str, holder: str) -> None:
            told.append(charge_point)

    for outcome in Contest:
        found = Duplicate(ChargePointId(outcome.value), "192.0.2.1", "192.0.2.2", outcome)
        app.fought(Care(), found)  # type: ignore[arg-type]
    assert told == ["refused", "limited"]


def test_our_ids_carry_our_prefix_and_are_new_each_time() -> None:
    ids = {app.new_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"wd-[0-9a-f]{16}", unique_id) for unique_id in ids)


# -- reload ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("central_system", True),
        ("tls.certificate", True),
        ("webhook.url", True),
        ("log.level", True),
        ("charge_points", True),
        ("charge_points.box.password", True),
        ("charge_points.box.mode", True),
        ("charge_points.box.judge.zero_amperes", True),
        ("listen", False),
        ("mode", True),
        ("judge.zero_amperes", True),
        ("admin.listen", False),
    ],
)
def test_it_is_known_what_can_be_reloaded(name: str, *, answer: bool) -> None:
    assert is_reloadable(name) is answer


async def test_a_reload_changes_whom_is_dialled_and_let_in_without_ending_a_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    monkeypatch.setattr("ocpp_watchdog.settings.USUAL_FILES", (tmp_path / "settings.yaml",))
    caplog.set_level("INFO")
    async with scene() as (proxy, central), charge_point(proxy) as box:
        url = proxy.relay.settings.central_system
        text = f"listen: 127.0.0.1:0\ncentral_system: {url}\nadmin: {{listen: '127.0.0.1:0'}}\n"
        (tmp_path / "settings.yaml").write_text(text)
        settings = load()
        (tmp_path / "settings.yaml").write_text(
            text.replace(url, "ws://127.0.0.1:9")
            + "language: de\nmode: observe\njudge: {settle_seconds: 20}\nconnect_timeout: 0.2\nwebhook: {url: 'http://127.0.0.1:9/'}\n"
        )
        settings = await app.reload(settings, proxy)
        assert proxy.notices.language == "de"
        assert proxy.notices.ways.names == ("webhook",)
        assert (settings.mode, settings.central_system) == ("observe", "ws://127.0.0.1:9")
        assert "mode is reloaded" in caplog.text
        (watch,) = proxy.watches
        assert (watch.station.policy.mode, watch.station.policy.settle_seconds) == (Mode.OBSERVE, 20.0)
        assert proxy.watches.of(ChargePointId("new one")).station.policy.mode is Mode.OBSERVE
        await box.send_str(BOOT)
        assert (await box.receive()).data == BOOTED, "the session goes on"
        async with ClientSession() as session:
            with pytest.raises(WSServerHandshakeError, match=r"50[24]"):
                await session.ws_connect(f"{proxy.url}/other", protocols=("ocpp1.6",))
        (tmp_path / "settings.yaml").write_text("stall: [")
        assert await app.reload(settings, proxy) is settings
        assert "the settings are kept as they were" in caplog.text
        assert central.heard == [BOOT]


def test_what_the_owner_set_for_a_charge_point_is_kept_from_what_is_known() -> None:
    settings = fixed(charge_points={"HALO-1": {"judge": {"settle_seconds": 20}}})
    assert settings.owners_numbers("HALO-1") == {"settle_seconds"}
    assert settings.owners_numbers("other") == frozenset()
    device = known.acquainted(settings, "HALO-1", Clock(), Tally())("Charge Amps AB", "HALO", "170")
    assert device.tune(settings.policy("HALO-1")).settle_seconds == 20
    assert device.tune(settings.policy("HALO-1")).meter_is_shared is True


def test_knowledge_that_cannot_be_read_is_a_counted_fault_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: str) -> None:
        raise ValueError("no such file")

    monkeypatch.setattr(known.library, "recognise", broken)
    monkeypatch.setattr(known.library, "shipped", broken)
    tally = Tally()
    known.read_knowledge(Clock(), tally)
    device = known.acquainted(fixed(), "HALO-1", Clock(), tally)("Charge Amps AB", "HALO", "170")
    assert device.name == ""
    assert tally.faults["knowledge"] == 2


async def test_the_state_says_what_is_repaired() -> None:
    settings = fixed(charge_points={"box": {"repairs": {"timestamps": True}}})
    watch = app.build(settings, Clock()).watches.of(ChargePointId("box"))
    assert app.shown(watch, settings)(Clock().now()).repairs == ("timestamps",)
