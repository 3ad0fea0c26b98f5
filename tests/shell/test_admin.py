"""The pages: right answers for the right visitors."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse
from prometheus_client.registry import Collector

from ocpp_watchdog.shell.web import gate
from ocpp_watchdog.shell.web.admin import Condition, application, serving
from ocpp_watchdog.shell.web.api import Sources
from ocpp_watchdog.shell.web.gate import AdminAccess
from shell_fakes import FakeClock, FakeOrders

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
Ready = Callable[[], Awaitable[Condition]]


class Pages:
    """The application with conditions that can be changed, and what it refused."""

    def __init__(self) -> None:
        self.health = Condition("ok")
        self.readiness = Condition("ready")
        self.refused: list[str] = []
        self.failed: list[str] = []
        self.look: Callable[[], Collector] = lambda: self.registry
        self.registry = CollectorRegistry()
        Gauge("ocpp_watchdog_test", "A gauge.", registry=self.registry).set(7)

    async def ready(self) -> Condition:
        return self.readiness

    @asynccontextmanager
    async def served(self, access: AdminAccess | None = None) -> AsyncIterator[str]:
        app = application(
            look=self.look,
            health=lambda: self.health,
            readiness=self.ready,
            access=access or AdminAccess(LOOPBACK),
            refused=self.refused.append,
            failed=self.failed.append,
            title="ocpp-watchdog <9>",
            sources=Sources(FakeClock(), list, list, FakeOrders()),
        )
        async with serving(app, "127.0.0.1", 0) as (host, port):
            yield f"http://{host}:{port}"


def basic(password: str) -> str:
    return "Basic " + b64encode(f"me:{password}".encode()).decode()


async def get(url: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    async with ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.text(), dict(response.headers)


async def test_metrics_are_served_in_the_plain_format() -> None:
    async with Pages().served() as url:
        status, text, headers = await get(f"{url}/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert [family.name for family in parse(text)] == ["ocpp_watchdog_test"]


async def test_metrics_are_served_as_openmetrics_to_who_asks_for_it() -> None:
    async with Pages().served() as url:
        _, text, headers = await get(f"{url}/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert [family.name for family in parse_openmetrics(text)] == ["ocpp_watchdog_test"]


async def test_health_and_readiness_say_503_with_the_reason() -> None:
    pages = Pages()
    async with pages.served() as url:
        assert (await get(f"{url}/healthz"))[:2] == (200, "ok\n")
        assert (await get(f"{url}/readyz"))[:2] == (200, "ready\n")
        pages.health, pages.readiness = Condition("broken", is_good=False), Condition("nobody there", is_good=False)
        assert (await get(f"{url}/healthz"))[:2] == (503, "broken\n")
        assert (await get(f"{url}/readyz"))[:2] == (503, "nobody there\n")


async def test_the_index_links_relatively_and_runs_no_script() -> None:
    async with Pages().served() as url:
        status, text, headers = await get(url)
    assert status == 200
    assert re.findall('href="([^"]*)"', text) == ["metrics", "healthz", "readyz", "api/v1/state", "api/v1/episodes"]
    assert "&lt;9&gt;" in text
    assert "<script" not in text
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("path", ["/", "/metrics", "/nowhere"])
async def test_nothing_names_the_software(path: str) -> None:
    async with Pages().served() as url:
        _, _, headers = await get(url + path)
    assert "Server" not in headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8891", "127.0.0.1.evil.example", ""])
async def test_W10_a_foreign_host_header_is_refused(host: str) -> None:
    pages = Pages()
    async with pages.served() as url:
        status, text, _ = await get(f"{url}/metrics", Host=host)
    assert status == 421
    assert "ocpp_watchdog_test" not in text
    assert pages.refused == ["host"]


@pytest.mark.parametrize("host", ["localhost:8891", "LOCALHOST", "127.0.0.1", "[::1]:8891", "[::1]"])
async def test_the_names_of_this_machine_are_served(host: str) -> None:
    async with Pages().served() as url:
        assert (await get(f"{url}/healthz", Host=host))[0] == 200


async def test_W3_a_password_is_asked_for_and_a_wrong_one_is_slowed_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "WRONG_PASSWORD_SECONDS", 0.01)
    pages = Pages()
    async with pages.served(AdminAccess(password="pässword")) as url:
        status, text, headers = await get(f"{url}/metrics")
        assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="ocpp-watchdog"')
        assert "ocpp_watchdog_test" not in text
        assert (await get(f"{url}/metrics", Authorization=basic("wrong")))[0] == 401
        assert (await get(f"{url}/metrics", Authorization="Basic %%%"))[0] == 401
        assert (await get(f"{url}/metrics", Authorization=basic("pässword")))[0] == 200
        assert (await get(f"{url}/healthz"))[0] == 200
    assert pages.refused == ["password"] * 3


async def test_P11_a_page_that_cannot_be_made_is_counted_and_quotes_nothing() -> None:
    def broken() -> Collector:
        raise RuntimeError("secret detail")

    pages = Pages()
    pages.look = broken
    async with pages.served() as url:
        status, text, _ = await get(f"{url}/metrics")
        assert (status, text) == (500, "this page could not be made\n")
        assert (await get(f"{url}/nowhere"))[0] == 404
        assert (await get(f"{url}/healthz"))[0] == 200
    assert pages.failed == ["metrics"]


async def test_without_allowed_hosts_any_name_is_served() -> None:
    async with Pages().served(AdminAccess()) as url:
        assert (await get(f"{url}/healthz", Host="watchdog.home"))[0] == 200


async def test_a_malformed_request_is_not_quoted_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with Pages().served() as url:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic c2VjcmV0\x01\r\n\r\n")
        await writer.drain()
        assert b" 400 " in (await reader.readline())
        writer.close()
    assert "c2VjcmV0" not in caplog.text


async def test_behind_a_proxy_that_has_asked_any_name_is_served_and_its_page_may_frame_ours() -> None:
    pages = Pages()
    async with pages.served(AdminAccess(password="pw", trusted_proxy="127.0.0.1")) as url:
        status, _, headers = await get(f"{url}/", Host="home.example:8123")
        assert status == 200
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert pages.refused == []


async def test_W10_a_proxy_on_this_machine_does_not_open_the_door_to_names_that_a_foreign_page_brings() -> None:
    pages = Pages()
    access = AdminAccess(LOOPBACK | {"home.example"}, password="pw", trusted_proxy="127.0.0.1")
    async with pages.served(access) as url:
        assert (await get(f"{url}/metrics", Host="evil.example:8891"))[0] == 421
        assert (await get(f"{url}/metrics", Host="home.example:8123"))[0] == 200
    assert pages.refused == ["host"]


async def test_whoever_comes_past_the_proxy_is_asked_or_where_no_password_is_set_turned_away() -> None:
    pages = Pages()
    async with pages.served(AdminAccess(trusted_proxy="172.30.32.2")) as url:
        for path in ("/", "/metrics", "/api/v1/state"):
            status, text, headers = await get(url + path)
            assert (status, "ocpp_watchdog_test" in text) == (403, False)
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert (await get(f"{url}/healthz"))[0] == 200
    assert pages.refused == ["address"] * 3
    async with Pages().served(AdminAccess(password="pw", trusted_proxy="172.30.32.2")) as url:
        assert (await get(f"{url}/metrics", Authorization=basic("pw")))[0] == 200


async def test_the_page_names_its_links_so_that_they_hold_below_any_path() -> None:
    async with Pages().served() as url:
        _, text, _ = await get(f"{url}/")
    assert 'href="metrics"' in text
    assert 'href="/' not in text


def test_the_password_is_in_no_representation() -> None:
    assert "geheim" not in repr(AdminAccess(password="geheim"))
