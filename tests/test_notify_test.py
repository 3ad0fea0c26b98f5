"""The ways that settings name, and the verb that tries each: what it says, what it returns, what it never tells."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ocpp_watchdog import ways
from ocpp_watchdog.settings import BadSettingError, Settings, fixed
from ocpp_watchdog.shell.notify import apprise
from ocpp_watchdog.ways import beat, deliveries, trial

SECRET = "s3cret"
IMGHDR = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Server:
    """Answers each path with its status, and remembers what came."""

    def __init__(self, **statuses: int) -> None:
        self.statuses = statuses
        self.came: list[tuple[str, str, dict[str, Any]]] = []
        self.url = ""

    async def _take(self, request: web.Request) -> web.Response:
        text = await request.text()
        self.came.append((request.method, request.path, json.loads(text) if text else {}))
        return web.Response(status=self.statuses.get(request.path.strip("/"), 200))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Server]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        async with TestServer(app) as server:
            self.url = str(server.make_url("/")).rstrip("/")
            yield self


def everything(url: str, **changes: Any) -> Settings:
    """Every way there is, at one server."""
    chosen = {
        "webhook": {"url": f"{url}/hook-{SECRET}"},
        "ntfy": {"url": f"{url}/topic-{SECRET}", "token": SECRET},
        "apprise": {"urls": [url.replace("http://", "json://") + "/one", url.replace("http://", "json://") + "/two"]},
        "heartbeat": {"url": f"{url}/ping-{SECRET}", "every_seconds": 7},
        "language": "de",
    }
    return fixed(**(chosen | changes))


@IMGHDR
def test_every_way_of_the_settings_is_there_with_its_own_numbers() -> None:
    settings = everything("http://192.0.2.1", ntfy={"url": "http://192.0.2.1/t", "try_seconds": 3, "queue": 4})
    found = {way.name: way for way in deliveries(settings)}
    assert list(found) == ["webhook", "ntfy", "apprise-1", "apprise-2"]
    assert (found["ntfy"].try_seconds, found["ntfy"].give_up_seconds, found["ntfy"].queue) == (3, 300, 4)
    assert found["apprise-1"].try_seconds == 30
    assert beat(settings).every_seconds == 7
    assert SECRET not in repr(found)


def test_without_settings_there_is_no_way_and_no_heartbeat() -> None:
    assert deliveries(fixed()) == []
    assert beat(fixed()).url is None


@IMGHDR
def test_a_url_that_apprise_cannot_use_is_named_by_its_number_alone() -> None:
    with pytest.raises(BadSettingError, match=r"^apprise\.urls: apprise cannot use number 2$"):
        deliveries(fixed(apprise={"urls": ["json://192.0.2.1/", f"nonsense://{SECRET}"]}))


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(url: str, language: object) -> object:
        raise apprise.NotInstalledError

    monkeypatch.setattr(ways, "target", missing)
    with pytest.raises(BadSettingError, match=r"pip install 'ocpp-watchdog\[apprise\]'"):
        deliveries(fixed(apprise={"urls": [f"json://{SECRET}/"]}))


@pytest.mark.parametrize("url", ["https://ntfy.sh", "https://ntfy.sh/", "https://ntfy.sh/a/b", "https://ntfy.sh/a?x=1"])
def test_the_address_of_a_topic_names_one(url: str) -> None:
    with pytest.raises(ValueError, match="must be the address of a topic"):
        fixed(ntfy={"url": url})


@IMGHDR
async def test_a_real_message_goes_by_every_way_and_it_is_said_which_took_it() -> None:
    async with Server().serving() as server:
        said: list[str] = []
        assert await trial(everything(server.url), said.append)
    assert said == [
        "webhook: angenommen",
        "ntfy: angenommen",
        "apprise-1: angenommen",
        "apprise-2: angenommen",
        "heartbeat: angenommen",
        "Angenommen heißt: Der Server hat es. Bitte nachsehen, ob es auch ankam.",
    ]
    bodies = {path: body for _, path, body in server.came}
    assert bodies[f"/hook-{SECRET}"]["kind"] == "test_alarm"
    assert bodies["/"]["topic"] == f"topic-{SECRET}"
    assert bodies["/"]["title"] == "Testalarm"
    assert bodies["/one"]["title"] == bodies["/two"]["title"] == "Testalarm"
    assert ("GET", f"/ping-{SECRET}", {}) in server.came


async def test_one_that_fails_is_said_and_makes_the_whole_fail() -> None:
    async with Server(**{f"hook-{SECRET}": 404}).serving() as server:
        said: list[str] = []
        assert not await trial(everything(server.url, apprise={}, language="en"), said.append)
    assert said[:3] == ["webhook: NOT taken (HTTP status 404)", "ntfy: taken", "heartbeat: taken"]
    assert SECRET not in "".join(said)


async def test_a_heartbeat_alone_tells_nobody_anything() -> None:
    async with Server().serving() as server:
        said: list[str] = []
        assert not await trial(fixed(heartbeat={"url": f"{server.url}/ping"}), said.append)
    assert said == ["heartbeat: taken", "No way is configured: set webhook.url, ntfy.url, apprise.urls or mqtt.url."]


async def run(folder: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """The verb as its owner calls it; exit code and everything it wrote."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OCPP_WATCHDOG_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "ocpp_watchdog", "notify-test", *arguments),
        cwd=folder,
        env=kept | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def test_the_verb_leaves_with_0_when_all_took_it_and_with_1_when_one_did_not(tmp_path: Path) -> None:
    async with Server(bad=500).serving() as server:
        (tmp_path / "ocpp-watchdog.yaml").write_text(f"ntfy: {{url: '{server.url}/topic'}}\n")
        assert await run(tmp_path, OCPP_WATCHDOG_NTFY__TOKEN=SECRET) == (
            0,
            "ntfy: taken\nTaken means: the server has it. Please look whether it arrived.\n",
        )
        code, said = await run(tmp_path, f"--webhook.url={server.url}/bad")
    assert code == 1
    assert said.startswith("webhook: NOT taken (HTTP status 500)\nntfy: taken\n")
    assert await run(tmp_path, "--ntfy.url=nonsense") == (
        78,
        "ocpp-watchdog: ntfy.url: must be an http:// or https:// address\n",
    )
