"""A real Home Assistant beside the test, on loopback: begun, told of a broker, looked at and used over its own API."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from processes import free_port, process, ready

PYTHON = os.environ.get("HOMEASSISTANT")
"""The Python that has Home Assistant."""
BEGINS_WITHIN_SECONDS = 180.0
ENDS_WITHIN_SECONDS = 30.0
OWNER = {"name": "Owner", "username": "owner", "password": "pw-of-the-owner", "language": "en"}
KEEP_PORT = "http/config/promote"
QUIET = "logger:\n  default: warning\n"


@dataclass
class Home:
    """session: carries the owner's token. url: where it is. token: as it was given."""

    session: ClientSession
    url: str
    folder: Path
    token: Mapping[str, Any] = field(default_factory=dict)

    async def get(self, path: str) -> Any:
        async with self.session.get(self.url + path) as response:
            assert response.status == 200, (path, response.status, await response.text())
            return await response.json()

    async def post(self, path: str, values: Mapping[str, Any]) -> Any:
        async with self.session.post(self.url + path, json=values) as response:
            assert response.status in {200, 201}, (path, response.status, await response.text())
            return await response.json()

    async def listed(self, kind: str) -> list[dict[str, Any]]:
        """A whole registry, by its command (``config/device_registry/list``)."""
        answer = await self.told(kind)
        assert answer["success"], answer
        found = answer["result"]
        assert isinstance(found, list)
        return found

    async def told(self, kind: str) -> dict[str, Any]:
        """The answer to one command."""
        async with self.session.ws_connect(self.url + "/api/websocket", max_msg_size=0) as line:
            assert (await line.receive_json())["type"] == "auth_required"
            await line.send_json({"type": "auth", "access_token": self.token["access_token"]})
            assert (await line.receive_json())["type"] == "auth_ok"
            await line.send_json({"id": 1, "type": kind})
            answer: dict[str, Any] = await line.receive_json()
            return answer

    async def entities(self) -> dict[str, str]:
        """Those of MQTT: the id they have there by the id that we gave them."""
        found = await self.listed("config/entity_registry/list")
        return {each["unique_id"]: each["entity_id"] for each in found if each["platform"] == "mqtt"}

    async def state(self, entity: str) -> dict[str, Any]:
        """What it shows; ``state`` is empty while it is not there."""
        found: dict[str, Any] = (await self.states()).get(entity, {"state": "", "attributes": {}})
        return found

    async def states(self) -> dict[str, dict[str, Any]]:
        return {each["entity_id"]: each for each in await self.get("/api/states")}

    async def call(self, service: str, entity: str) -> None:
        """``button.press`` and the like."""
        domain, _, name = service.partition(".")
        await self.post(f"/api/services/{domain}/{name}", {"entity_id": entity})

    async def use_broker(self, port: int, user: str, password: str) -> None:
        """Set up the integration MQTT as its owner does on the page; what stands in other fields stays."""
        flow = "/api/config/config_entries/flow"
        form = await self.post(flow, {"handler": "mqtt", "show_advanced_options": False})
        assert form["type"] == "form", form
        values = filled(form["data_schema"]) | {"broker": "127.0.0.1", "port": port}
        values |= {"username": user, "password": password}
        done = await self.post(f"{flow}/{form['flow_id']}", values)
        assert done["type"] == "create_entry", done

    async def finish_onboarding(self) -> None:
        """Else its pages ask where the house is."""
        about = {"client_id": f"{self.url}/", "redirect_uri": f"{self.url}/"}
        for step, values in (("core_config", {}), ("analytics", {}), ("integration", about)):
            await self.post(f"/api/onboarding/{step}", values)
        await self.told(KEEP_PORT)  # newer versions ask whether to keep it; older ones do not know the command

    def complaints(self) -> list[str]:
        """Lines of its log about MQTT that are at least a warning."""
        lines = (self.folder / "home-assistant.log").read_text("utf-8").splitlines()
        return [line for line in lines if "mqtt" in line.lower() and ("WARNING" in line or "ERROR" in line)]


def filled(fields: list[dict[str, Any]]) -> dict[str, Any]:
    """What a form sends when nothing is changed in it: like the page, the first choice where there is no default."""
    found: dict[str, Any] = {}
    for each in fields:
        chooser = each.get("selector", {})
        if each.get("type") == "expandable":
            found[each["name"]] = filled(each["schema"])
        elif "default" in each:
            found[each["name"]] = each["default"]
        elif each.get("required") and "boolean" in chooser:
            found[each["name"]] = False
        elif each.get("required") and "select" in chooser:
            first = chooser["select"]["options"][0]
            found[each["name"]] = first["value"] if isinstance(first, dict) else first
    return found


def prepared(folder: Path) -> tuple[int, bool]:
    """Its port, and whether it was never there before. The port stays: newer versions read it once and for ever."""
    file = folder / "configuration.yaml"
    if file.exists():
        return int(file.read_text().partition("server_port: ")[2].split()[0]), False
    port = free_port()
    folder.mkdir()
    file.write_text(f"http:\n  server_host: 127.0.0.1\n  server_port: {port}\n{QUIET}")
    return port, True


@asynccontextmanager
async def home(folder: Path) -> AsyncIterator[Home]:
    """One that runs while the block lasts. A folder that was used before is taken up where it was left."""
    assert PYTHON is not None
    port, is_new = prepared(folder)
    url = f"http://127.0.0.1:{port}"
    order = (PYTHON, "-m", "homeassistant", "--config", str(folder), "--skip-pip")
    async with process(folder, *order, patience=ENDS_WITHIN_SECONDS), ClientSession() as session:
        await ready(f"{url}/manifest.json", folder, BEGINS_WITHIN_SECONDS)
        found = Home(session, url, folder)
        code = await _first_owner(found) if is_new else await _known_owner(found)
        about = {"client_id": f"{url}/", "grant_type": "authorization_code", "code": code}
        async with session.post(f"{url}/auth/token", data=about) as response:
            found.token = await response.json()
        session.headers["Authorization"] = f"Bearer {found.token['access_token']}"
        yield found


async def _first_owner(home: Home) -> str:
    given = await home.post("/api/onboarding/users", {**OWNER, "client_id": f"{home.url}/"})
    return str(given["auth_code"])


async def _known_owner(home: Home) -> str:
    about = {"client_id": f"{home.url}/", "handler": ["homeassistant", None], "redirect_uri": f"{home.url}/"}
    form = await home.post("/auth/login_flow", about)
    who = {name: OWNER[name] for name in ("username", "password")}
    done = await home.post(f"/auth/login_flow/{form['flow_id']}", {"client_id": f"{home.url}/", **who})
    return str(done["result"])
