"""The app for Home Assistant OS, as far as it can be judged without a Supervisor: its files, its start, its ingress."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import stat
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urljoin

import jsonschema
import pytest
import yaml
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from ocpp_watchdog.app import running
from ocpp_watchdog.settings import BadSettingError, Settings, fixed, load
from ocpp_watchdog.shell.clock import Clock

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "deploy" / "homeassistant"
HADOLINT = Path(sysconfig.get_path("scripts")) / "hadolint"
SCHEMA = json.loads((Path(__file__).parent / "app.schema.json").read_text("utf-8"))
PASSWORD = "pw-of-the-broker"
TOKEN = "token-of-the-supervisor"
PREFIX = "/api/hassio_ingress/abc"
EVERYTHING = {
    "central_system": "ws://192.168.1.20:8887",
    "listen": "0.0.0.0:8890",
    "mode": "observe",
    "language": "de",
    "ladder": {"steps": ["repeat_limit", "remote_stop"], "after_stop": "restart", "enforce_limits": True},
    "mqtt": {"url": "mqtt://elsewhere:1883", "user": "me", "password": "own-pw"},
    "ntfy": {"url": "https://ntfy.sh/topic", "token": "t"},
    "webhook": {"url": "https://example.org/hook"},
    "apprise": {"urls": ["json://localhost"]},
    "heartbeat": {"url": "https://example.org/beat"},
    "log": {"level": "warning"},
}


def config() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((APP / "config.yaml").read_text("utf-8"))
    return found


def translation(language: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((APP / "translations" / f"{language}.yaml").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def start() -> ModuleType:
    spec = importlib.util.spec_from_file_location("app_start", APP / "start.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- its files -----------------------------------------------------------------------------------------------------


def test_the_configuration_is_one_by_the_documentation() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(config())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(config() | {"schema": {"mode": "choice(a|b)"}})


def test_it_has_the_version_of_the_program() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert config()["version"] == project["version"]


def options(schema: dict[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, bool]]:
    """(path, kind, whether it is a list) of each."""
    for name, kind in schema.items():
        if isinstance(kind, dict):
            yield from options(kind, (*prefix, name))
        else:
            yield (*prefix, name), kind[0] if isinstance(kind, list) else kind, isinstance(kind, list)


def field(path: tuple[str, ...]) -> FieldInfo:
    section: type[BaseModel] = Settings
    for step in path[:-1]:
        kind = section.model_fields[step].annotation
        assert isinstance(kind, type)
        assert issubclass(kind, BaseModel)
        section = kind
    return section.model_fields[path[-1]]


def kinds(annotation: Any) -> set[Any]:
    """All types and literal values that an annotation is made of."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    inner = get_args(annotation)
    found = {annotation} if not inner else set()
    for each in inner:
        found |= kinds(each)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        found |= {str(each.value) for each in annotation}
    return found


@pytest.mark.parametrize(("path", "kind", "is_list"), tuple(options(config()["schema"])), ids=str)
def test_every_option_is_a_setting_of_its_kind(path: tuple[str, ...], kind: str, is_list: bool) -> None:
    assert kind.endswith("?"), "what is left out keeps the program's own default, which stands nowhere else"
    setting = field(path)
    known = kinds(setting.annotation)
    assert is_list == isinstance(setting.get_default(call_default_factory=True), tuple | list)
    if kind.startswith("list("):
        assert set(kind[5:-2].split("|")) == {each for each in known if isinstance(each, str)}
    elif kind == "bool?":
        assert bool in known
    elif kind == "password?":
        assert SecretStr in known
    else:
        assert kind == "str?"
        assert known & {str, SecretStr}
        assert "password" not in path[-1]


def test_no_option_has_a_default_and_every_section_is_there() -> None:
    sections = {name for name, kind in config()["schema"].items() if isinstance(kind, dict)}
    assert config()["options"] == {name: {} for name in sections}, "a section that is missing cannot be saved"


def test_every_option_together_is_good(tmp_path: Path) -> None:
    (tmp_path / "options.json").write_text(json.dumps(EVERYTHING))
    assert load(config=tmp_path / "options.json").ladder.after_stop == "restart"
    named = {path for path, *_ in options(config()["schema"])}
    assert named == {
        (name, *more)
        for name, value in EVERYTHING.items()
        for more in ([(inner,) for inner in value] if isinstance(value, dict) else [()])
    }


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_option_is_explained(language: str) -> None:
    assert set(translation(language)) == {"configuration"}
    said = translation(language)["configuration"]
    assert list(said) == list(config()["schema"])
    for name, kind in config()["schema"].items():
        inner = said[name].get("fields", {})
        assert list(inner) == (list(kind) if isinstance(kind, dict) else [])
        for each in (said[name], *inner.values()):
            assert each["name"].strip()
            assert each["description"].strip().endswith(".")


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint has no build for this machine")
def test_the_linter_of_dockerfiles_has_nothing_to_say() -> None:
    done = subprocess.run([HADOLINT, APP / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_the_image_copies_is_in_the_folder_and_its_addresses_agree(start: ModuleType) -> None:
    lines = (APP / "Dockerfile").read_text("utf-8").splitlines()
    copied = [line.split()[1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    assert copied == ["ocpp_watchdog-*.whl", "start.py"], "the program itself comes from make homeassistant-app"
    assert (APP / "start.py").is_file()
    port = config()["ingress_port"]
    assert start.APP["admin"]["listen"].endswith(f":{port}")
    assert f"[PORT:{port}]/healthz" in config()["watchdog"]
    assert any("io.hass.version" in line for line in lines)


def test_the_documentation_names_what_a_person_needs() -> None:
    text = (APP / "DOCS.md").read_text("utf-8")
    for word in ("make homeassistant-app", "ws://<Home Assistant>:8890/<id>", "ocpp-watchdog.yaml", "Not tried"):
        assert word in text
    assert "homeassistant-app:" in (ROOT / "Makefile").read_text("utf-8")
    assert "CHANGELOG.md" in (APP / "CHANGELOG.md").read_text("utf-8")


# -- its start -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def supervisor(answer: Any) -> AsyncIterator[tuple[str, list[str]]]:
    """A stand-in for the Supervisor: address, and the keys that it was shown. None: no broker is installed."""
    keys: list[str] = []

    async def service(request: web.Request) -> web.Response:
        keys.append(request.headers.get("Authorization", ""))
        if answer is None:
            return web.json_response({"result": "error", "message": "Service not enabled"}, status=400)
        return web.json_response({"result": "ok", "data": answer})

    pages = web.Application()
    pages.router.add_get("/services/mqtt", service)
    async with TestServer(pages) as server:
        yield f"http://127.0.0.1:{server.port}", keys


BROKER = {"host": "core-mosquitto", "port": 1883, "ssl": False, "username": "addons", "password": PASSWORD}


async def told(start: ModuleType, folder: Path, options: object, answer: Any = None) -> dict[str, Any]:
    """What the proxy is told with these options, and the owner's file of the folder."""
    (folder / "options.json").write_text(json.dumps(options))
    places = folder / "options.json", folder / "ocpp-watchdog.yaml"
    async with supervisor(answer) as (url, _):
        found: dict[str, Any] = await asyncio.to_thread(start.settings, *places, url, TOKEN)
    return found


async def test_untouched_it_is_ready_for_ingress_and_uses_the_broker_that_is_offered(
    start: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = await told(start, tmp_path, config()["options"], BROKER)
    settings = fixed(**values)
    assert settings.admin.trusted_proxy == "172.30.32.2"
    assert settings.mqtt.url is not None
    assert settings.mqtt.url.get_secret_value() == "mqtt://core-mosquitto:1883"
    assert (settings.mqtt.user, settings.mqtt.password) == ("addons", SecretStr(PASSWORD))
    said = capsys.readouterr().err
    assert "core-mosquitto" in said
    assert PASSWORD not in said


async def test_the_key_is_shown_and_a_broker_with_tls_is_verified(start: ModuleType) -> None:
    async with supervisor(BROKER | {"ssl": True, "port": 8883}) as (url, keys):
        found = await asyncio.to_thread(start.offered_broker, url, TOKEN)
    assert keys == [f"Bearer {TOKEN}"]
    assert found["url"] == "mqtts://core-mosquitto:8883"


async def test_without_a_broker_or_without_an_answer_it_goes_on_without(start: ModuleType, tmp_path: Path) -> None:
    assert fixed(**await told(start, tmp_path, {})).mqtt.url is None
    for found in ({}, {"host": "x"}, ["odd"]):
        assert (await told(start, tmp_path, {}, found)).get("mqtt") == {}
    assert start.offered_broker("http://127.0.0.1:1", TOKEN) == {}
    assert start.offered_broker("http://127.0.0.1:1", None) == {}


async def test_options_win_over_the_owners_file_and_that_over_an_offer(start: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "ocpp-watchdog.yaml").write_text(
        'mode: observe\nlanguage: de\ncharge_points: {"box": {}}\nmqtt: {discovery_prefix: null, url: "mqtt://mine:1"}\n'
    )
    values = await told(start, tmp_path, {"mode": "enforce", "central_system": "", "mqtt": {"user": "me"}}, BROKER)
    settings = fixed(**values)
    assert (str(settings.mode), str(settings.language), list(settings.charge_points)) == ("enforce", "de", ["box"])
    assert settings.central_system == "ws://127.0.0.1:8887", "a field that was cleared says nothing"
    assert settings.mqtt.url is not None
    assert settings.mqtt.url.get_secret_value() == "mqtt://mine:1"
    assert (settings.mqtt.user, settings.mqtt.password, settings.mqtt.discovery_prefix) == ("me", None, None)
    assert fixed(**await told(start, tmp_path, EVERYTHING, BROKER)).mqtt.user == "me"


@pytest.mark.parametrize("text", ["mode: [", "- a\n", "\udcff"])
async def test_a_file_that_cannot_be_used_is_one_line(start: ModuleType, tmp_path: Path, text: str) -> None:
    (tmp_path / "ocpp-watchdog.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=r"ocpp-watchdog\.yaml: ") as error:
        await told(start, tmp_path, {})
    assert "\n" not in str(error.value)


def test_what_is_written_is_for_one_user_alone_and_the_program_takes_it(start: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "state" / "settings.json"
    for _ in range(2):
        start.write({"mqtt": {"password": PASSWORD}}, file, os.getuid())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert load(config=file).mqtt.password == SecretStr(PASSWORD)
    file.write_text('{"no_such": 1}')
    with pytest.raises(BadSettingError):
        load(config=file)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up its rights")
def test_it_gives_up_its_rights_and_the_key_before_the_proxy_begins(tmp_path: Path) -> None:
    (tmp_path / "options.json").write_text("{}")
    code = (
        "import os, sys, start\nfrom pathlib import Path\n"
        "here = Path(sys.argv[1])\n"
        "start.OPTIONS, start.OWNERS_FILE, start.SUPERVISOR = here / 'options.json', here / 'no', 'http://127.0.0.1:1'\n"
        "os.execvp = lambda *order: print(order, os.getresuid(), os.getresgid(), os.getgroups(),\n"
        "    [name for name, value in os.environ.items() if value == 'secret'])\n"
        "start.main()\n"
    )
    around = {"OCPP_WATCHDOG_CONFIG": str(tmp_path / "state" / "settings.json"), "PYTHONPATH": str(APP)}
    keys = {"SUPERVISOR_TOKEN": "secret", "HASSIO_TOKEN": "secret", "PYTHONDONTWRITEBYTECODE": "1"}
    order = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(order, env=os.environ | around | keys, capture_output=True, text=True, check=False)
    ids = "(8890, 8890, 8890)"
    assert done.stdout.strip() == f"('ocpp-watchdog', ['ocpp-watchdog', 'run']) {ids} {ids} [] []", done.stderr
    assert (tmp_path / "state" / "settings.json").stat().st_uid == 8890


def can_have_a_network() -> bool:
    """Root, and allowed to make network namespaces."""
    order = ["unshare", "--net", "ip", "link", "set", "lo", "up"]
    try:
        return os.geteuid() == 0 and subprocess.run(order, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not can_have_a_network(), reason="needs root, and ip and unshare")
def test_the_whole_start_serves_the_supervisor_and_nobody_else(tmp_path: Path) -> None:
    network = "ip link set lo up && ip addr add 172.30.32.1/32 dev lo && ip addr add 172.30.32.2/32 dev lo"
    inside = Path(__file__).with_name("inside_app.py")
    words = " ".join(f"'{each}'" for each in (sys.executable, inside, APP, tmp_path))
    order = ["unshare", "--net", "sh", "-c", f"{network} && exec {words}"]
    around = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(order, env=around, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    everywhere = {path: [200, 403] for path in ("/", "/metrics", "/api/v1/state")} | {"/healthz": [200, 200]}
    assert found["seen"] == everywhere, found["log"]
    assert (found["health"], found["ended"]) == (0, 0), found["log"]
    assert "mode is observe" in found["log"]
    assert "secret" not in found["log"]


# -- its ingress ---------------------------------------------------------------------------------------------------


@asynccontextmanager
async def ingress(target: str) -> AsyncIterator[str]:
    """A page of Home Assistant's, below a path of its own: the way it and the Supervisor pass requests on."""

    async def handle(request: web.Request) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name not in ("Content-Length",)}
        headers |= {"X-Ingress-Path": PREFIX, "X-Forwarded-Host": request.host, "X-Forwarded-Proto": "http"}
        async with (
            ClientSession() as session,
            session.request(
                request.method, f"{target}/{request.match_info['path']}", headers=headers, data=await request.read()
            ) as answer,
        ):
            dropped = ("Transfer-Encoding", "Content-Length", "Content-Encoding", "Content-Type")
            passed = {name: value for name, value in answer.headers.items() if name not in dropped}
            kind = answer.content_type
            return web.Response(body=await answer.read(), status=answer.status, headers=passed, content_type=kind)

    pages = web.Application()
    pages.router.add_route("*", PREFIX + "/{path:.*}", handle)
    async with TestServer(pages) as server:
        yield f"http://127.0.0.1:{server.port}{PREFIX}/"


async def test_the_pages_are_served_through_ingress_and_orders_are_taken_there() -> None:
    admin = {"listen": "127.0.0.1:0", "trusted_proxy": "127.0.0.1"}
    settings = fixed(listen="127.0.0.1:0", admin=admin)
    async with running(settings, Clock()) as proxy, ingress(proxy.admin_url) as url, ClientSession() as session:
        async with session.get(url) as page:
            assert page.status == 200
            assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
            text = await page.text()
        for link in ("metrics", "healthz"):
            assert f'"{link}"' in text
            async with session.get(urljoin(url, link)) as answer:
                assert answer.status == 200
        order, origin = urljoin(url, "api/v1/test-alarm"), url.partition(PREFIX)[0]
        async with session.post(order, json={}, headers={"Origin": "https://evil.example"}) as answer:
            assert answer.status == 403
        async with session.post(order, json={}, headers={"Origin": origin}) as answer:
            assert answer.status == 200, await answer.text()
