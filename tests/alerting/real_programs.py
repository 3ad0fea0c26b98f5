"""Debian's Prometheus and Alertmanager beside the proxy, on loopback, with what deploy/prometheus holds.

Of the rules only the waiting (`for`) is shortened, of the examples the intervals and addresses.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientSession, web

from processes import free_port, process, ready

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy" / "prometheus"
PROMETHEUS = shutil.which("prometheus")
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
INTERVAL = "1s"
DURATIONS = ("group_wait", "group_interval")


@dataclass(frozen=True, slots=True)
class Heard:
    """One alert in one message of the Alertmanager. at: seconds of the loop."""

    name: str
    status: str
    labels: dict[str, str]
    at: float


@dataclass
class Owner:
    """Who gets the Alertmanager's messages. alive: how often the dead man's switch was fed."""

    heard: list[Heard] = field(default_factory=list)
    alive: int = 0
    url: str = ""

    async def _alarm(self, request: web.Request) -> web.Response:
        body = await request.json()
        now = asyncio.get_running_loop().time()
        self.heard += [
            Heard(alert["labels"]["alertname"], alert["status"], alert["labels"], now) for alert in body["alerts"]
        ]
        return web.Response()

    async def _alive(self, _: web.Request) -> web.Response:
        self.alive += 1
        return web.Response()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Owner]:
        app = web.Application()
        app.router.add_post("/alarm", self._alarm)
        app.router.add_post("/alive", self._alive)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    def statuses(self, name: str) -> list[str]:
        """What was said about one alert, in order; repetitions once."""
        said = [one.status for one in self.heard if one.name == name]
        return [status for before, status in zip([None, *said], said, strict=False) if status != before]


# -- what deploy/prometheus holds, in a hurry ----------------------------------------------------------------------


def quick_rules() -> dict[str, Any]:
    """The rules with every `for` cut to one second; that there is no target is true while Prometheus looks for it."""
    rules: dict[str, Any] = yaml.safe_load((DEPLOY / "rules.yml").read_text("utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = "30s" if rule["alert"] == "OcppProxyMissing" else "1s"
    return rules


def quick_prometheus(proxy_port: int, alertmanager_port: int) -> dict[str, Any]:
    """The example with our ports, once a second."""
    config: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, "evaluation_interval": INTERVAL}
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{proxy_port}"]
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{alertmanager_port}"]
    return config


def quick_alertmanager(owner_url: str) -> dict[str, Any]:
    """The example with our owner, who is told at once."""
    config: dict[str, Any] = yaml.safe_load((DEPLOY / "alertmanager.yml").read_text("utf-8"))
    for route in (config["route"], *config["route"]["routes"]):
        route.update(dict.fromkeys(DURATIONS, INTERVAL))
    for receiver in config["receivers"]:
        for hook in receiver["webhook_configs"]:
            hook["url"] = owner_url + "/" + hook["url"].rpartition("/")[2]
    return config


# -- the programs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Watching:
    """Prometheus and Alertmanager that run, at these addresses."""

    owner: Owner
    url: str
    alertmanager: str

    async def firing(self) -> set[str]:
        """Names of the alerts that fire in Prometheus now."""
        async with ClientSession() as session, session.get(f"{self.url}/api/v1/alerts") as response:
            alerts = (await response.json())["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    async def muted(self) -> set[str]:
        """Names of the alerts that the Alertmanager keeps to itself now."""
        async with ClientSession() as session, session.get(f"{self.alertmanager}/api/v2/alerts") as response:
            alerts = await response.json()
        return {alert["labels"]["alertname"] for alert in alerts if alert["status"]["inhibitedBy"]}


@asynccontextmanager
async def watching(folder: Path, proxy_port: int) -> AsyncIterator[Watching]:
    """Both programs watch the proxy on this port."""
    assert PROMETHEUS is not None
    assert ALERTMANAGER is not None
    mine, manager = free_port(), free_port()
    places = {"prometheus": folder / "prometheus", "alertmanager": folder / "alertmanager"}
    for place in places.values():
        place.mkdir()
    async with Owner().serving() as owner:
        config = places["prometheus"] / "prometheus.yml"
        config.write_text(yaml.safe_dump(quick_prometheus(proxy_port, manager)))
        (places["prometheus"] / "rules.yml").write_text(yaml.safe_dump(quick_rules()))
        routes = places["alertmanager"] / "alertmanager.yml"
        routes.write_text(yaml.safe_dump(quick_alertmanager(owner.url)))
        async with (
            process(
                places["alertmanager"],
                *(ALERTMANAGER, f"--config.file={routes}", "--storage.path=data", "--cluster.listen-address="),
                f"--web.listen-address=127.0.0.1:{manager}",
            ),
            process(
                places["prometheus"],
                *(PROMETHEUS, f"--config.file={config}", "--storage.tsdb.path=data"),
                f"--web.listen-address=127.0.0.1:{mine}",
                f"--rules.alert.resend-delay={INTERVAL}",
            ),
        ):
            await ready(f"http://127.0.0.1:{manager}/-/ready", places["alertmanager"])
            await ready(f"http://127.0.0.1:{mine}/-/ready", places["prometheus"])
            yield Watching(owner, f"http://127.0.0.1:{mine}", f"http://127.0.0.1:{manager}")
