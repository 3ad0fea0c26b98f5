"""The API: what it shows has the shape that is documented, and orders come from the owner and from nobody else."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry
from yarl import URL

from ocpp_watchdog.core.decisions import (
    ConnectorView,
    Ending,
    EvidenceClass,
    FactKind,
    Finding,
    FindingKind,
    Record,
    Severity,
    StationView,
)
from ocpp_watchdog.core.exercise import End, Found, Part, PartReport, SelfTestView, plan
from ocpp_watchdog.core.terms import ConnectorId, Moment, Status
from ocpp_watchdog.shell.ports import Result, SelfTestState
from ocpp_watchdog.shell.web import api, gate, plain
from ocpp_watchdog.shell.web.admin import Condition, application, serving
from ocpp_watchdog.shell.web.api import Sources
from ocpp_watchdog.shell.web.gate import AdminAccess
from ocpp_watchdog.texts.owner import ORDERS, REQUESTS
from ocpp_watchdog.texts.selftest import OBSTACLES
from shell_fakes import FakeClock, FakeOrders
from views import ORDERED, SIX, connector_view, episode_view, reading, station_view

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMA = jsonschema.Draft202012Validator(json.loads((DOCS / "api.schema.json").read_text("utf-8")))
JSON = {"Content-Type": "application/json"}
STOP = "/api/v1/charge-points/box/connectors/1/stop-now"


class House:
    """The pages with made-up charge points behind them."""

    def __init__(self) -> None:
        self.views: list[StationView] = [station_view(connector_view())]
        self.kept: list[tuple[str, Record]] = []
        self.orders = FakeOrders()
        self.refused: list[str] = []
        self.failed: list[str] = []
        self.clock = FakeClock()
        self.url = ""

    @asynccontextmanager
    async def served(self, access: AdminAccess | None = None) -> AsyncIterator[House]:
        async def ready() -> Condition:
            return Condition("ready")

        app = application(
            look=CollectorRegistry,
            health=lambda: Condition("ok"),
            readiness=ready,
            access=access or AdminAccess(frozenset({"127.0.0.1"})),
            refused=self.refused.append,
            failed=self.failed.append,
            title="t",
            sources=Sources(self.clock, self._looks, lambda: self.kept, self.orders),
        )
        async with serving(app, "127.0.0.1", 0) as (host, port):
            self.url = f"http://{host}:{port}"
            yield self

    def _looks(self) -> list[Any]:
        return [partial(self._look, view) for view in self.views]

    @staticmethod
    def _look(view: StationView, now: Moment) -> StationView:
        return view

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, body: object = b"", headers: dict[str, str] | None = None) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.ask("POST", path, data=data, headers=JSON if headers is None else headers)

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        async with ClientSession() as session, session.request(method, self.url + path, **more) as response:
            assert response.content_type == "application/json", await response.text()
            body = await response.json()
        SCHEMA.validate(body)
        return response.status, body


def code(body: Any) -> str:
    """The code of an error, whose sentence must be the catalogue's."""
    found: str = body["error"]["code"]
    assert body["error"]["text"] == {"de": REQUESTS[found].de, "en": REQUESTS[found].en}
    return found


# -- looking -----------------------------------------------------------------------------------------------------


async def test_the_state_shows_every_field_of_the_judges_view() -> None:
    finding = Finding(FindingKind.CLOCK_SKEW, Severity.WARNING)
    seen = connector_view(findings=(finding,), status=Status.CHARGING, next_action="try", next_action_mono=1_050.0)
    house = House()
    house.views = [station_view(seen, clock_skew_seconds=float("nan"))]
    async with house.served():
        status, body = await house.get("/api/v1/state")
    assert status == 200
    (station,) = body["charge_points"]
    (shown,) = station["connectors"]
    assert set(station) == {field.name for field in fields(StationView)}
    names = {re.sub("_mono$", "_at", field.name) for field in fields(ConnectorView)}
    assert set(shown) == names
    assert station["clock_skew_seconds"] is None
    assert shown["phase"] == "violating"
    assert shown["status"] == "Charging"
    assert shown["findings"] == [{"kind": "clock_skew", "severity": "warning", "cause": ""}]
    assert shown["commanded"]["amperes"] == 0.0
    assert shown["deadline_at"] == "2025-10-01T13:19:49Z"
    assert shown["next_action_at"] == "2025-10-01T13:19:59Z"
    assert shown["reading"]["currents"] == [6.52, 6.3, 6.48]
    assert shown["steps"] == [{"step": "remote_stop", "outcome": "sent", "times": 1}]


async def test_the_state_of_one_charge_point_can_be_asked_for() -> None:
    house = House()
    house.views = [replace(station_view(), charge_point=f"box {number}") for number in range(120)]
    async with house.served():
        assert len((await house.get("/api/v1/state"))[1]["charge_points"]) == 120
        _, body = await house.get("/api/v1/state?charge_point=box%207")
    assert [each["charge_point"] for each in body["charge_points"]] == ["box 7"]


async def test_id_tags_are_masked_wherever_a_frame_is_shown() -> None:
    text = '[2,"1","RemoteStartTransaction",{"idTag": "GE\\"HEIM","parentIdTag":"AUCH","connectorId":1}]'
    house = House()
    house.views = [station_view(connector_view(episode=episode_view(order_text=text)))]
    async with house.served():
        _, body = await house.get("/api/v1/state")
    shown = body["charge_points"][0]["connectors"][0]["episode"]["order_text"]
    assert shown == '[2,"1","RemoteStartTransaction",{"idTag": "***","parentIdTag":"***","connectorId":1}]'


async def test_what_a_charge_point_says_is_a_string_and_nothing_else() -> None:
    nasty = '</script><script>alert("x")</script>\u2028\x00'
    house = House()
    house.views = [station_view(vendor=nasty)]
    async with house.served(), ClientSession() as session, session.get(house.url + "/api/v1/state") as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        text = await response.text()
    assert json.loads(text)["charge_points"][0]["vendor"] == nasty
    assert "\u2028" not in text


async def test_episodes_come_once_each_the_newest_first_as_they_are_known_last() -> None:
    def kept(**changes: Any) -> tuple[str, Record]:
        episode = episode_view(**changes)
        return "box", Record(FactKind.EPISODE_OPENED, ConnectorId(1), ORDERED, "", episode)

    first, second = ORDERED.later(43), ORDERED.later(900)
    house = House()
    house.kept = [
        kept(opened=first),
        ("box", Record(FactKind.NOTE, ConnectorId(1), ORDERED, "no episode")),
        kept(opened=first, ending=Ending.OBEYED, ended=ORDERED.later(120)),
        kept(opened=second, number=2, energy_wh=1.0),
    ]
    house.views = [station_view(connector_view(episode=episode_view(opened=second, number=2, energy_wh=9.0)))]
    async with house.served():
        _, body = await house.get("/api/v1/episodes")
        seen = [(each["number"], each["ending"], each["energy_wh"]) for each in body["episodes"]]
        assert seen == [(2, None, 9.0), (1, "obeyed", 51.6)]
        assert body["episodes"][0]["charge_point"] == "box"
        assert len((await house.get("/api/v1/episodes?limit=1"))[1]["episodes"]) == 1
        assert (await house.get("/api/v1/episodes?charge_point=other"))[1]["episodes"] == []


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "", "²", "9" * 50])
async def test_a_limit_that_is_none_is_a_400(limit: str) -> None:
    async with House().served() as house:
        status, body = await house.get(f"/api/v1/episodes?limit={limit}")
    assert (status, code(body)) == (400, "bad_limit")


def test_plain_values_of_every_kind() -> None:
    now = Moment(1_759_324_749.0, 1_000.0)
    assert plain.plain({"a": (1, True, None, float("inf"))}, now) == {"a": [1, True, None, None]}
    with pytest.raises(TypeError):
        plain.plain(object(), now)


# -- orders ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["stand-down", "stop-now", "acknowledge", "set-back"])
async def test_each_order_is_given_for_one_connector_and_for_all(name: str) -> None:
    async with House().served() as house:
        status, body = await house.post(f"/api/v1/charge-points/box/connectors/2/{name}")
        await house.post(f"/api/v1/charge-points/box/{name}", {})
    assert status == 200
    action = name.replace("-", "_")
    assert house.orders.given == [(action, "box", 2, "api@127.0.0.1"), (action, "box", None, "api@127.0.0.1")]
    (result,) = body["results"]
    assert (result["action"], result["connector"], result["result"]) == (action, 2, "done")
    assert result["text"]["en"] == ORDERS[action].en.format(where="box, connector 2")


@pytest.mark.parametrize(
    ("coded", "charge_point"), [("a%2Fb%20%25c", "a/b %c"), ("b%C3%B6x", "böx"), ("%3Cb%3E", "<b>")]
)
async def test_any_id_can_be_named(coded: str, charge_point: str) -> None:
    async with House().served() as house, ClientSession() as session:
        path = URL(f"{house.url}/api/v1/charge-points/{coded}/stop-now", encoded=True)
        async with session.post(path, headers=JSON) as response:
            assert response.status == 200
    assert house.orders.given[0][1] == charge_point


async def test_maintenance_takes_its_minutes_and_a_test_alarm_nothing() -> None:
    async with House().served() as house:
        assert (await house.post("/api/v1/charge-points/box/maintenance", {"minutes": 30}))[0] == 200
        assert (await house.post("/api/v1/charge-points/box/maintenance", {"minutes": 10**400}))[0] == 200
        assert (await house.post("/api/v1/test-alarm"))[0] == 200
    assert [each[:3] for each in house.orders.given] == [
        ("maintenance", "box", 30.0),
        ("maintenance", "box", api.ENDLESS),
        ("test_alarm", "", None),
    ]


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (Result.REFUSED, 409),
        (Result.NOT_CONNECTED, 409),
        (Result.UNKNOWN_CHARGE_POINT, 404),
        (Result.UNKNOWN_CONNECTOR, 404),
        (Result.FAILED, 500),
    ],
)
async def test_what_was_not_done_is_in_the_status_and_in_a_sentence(result: Result, status: int) -> None:
    house = House()
    house.orders.result = result
    house.orders.reason = "too_soon" if result is Result.REFUSED else ""
    async with house.served():
        got, body = await house.post(STOP)
    assert got == status
    assert body["results"][0]["text"]["de"]


@pytest.mark.parametrize(
    ("named", "who"), [("ctl", "ctl@127.0.0.1"), ("page", "page@127.0.0.1"), ("evil", "api@127.0.0.1")]
)
async def test_who_gave_the_order_is_passed_on(named: str, who: str) -> None:
    async with House().served() as house:
        await house.post(STOP, headers={**JSON, "X-Ocpp-Watchdog-Client": named})
    assert house.orders.given[0][3] == who


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"x", 400, "not_json"),
        (b"[]", 400, "not_json"),
        (b'{"hours": 1}', 400, "not_json"),
        (b"[" * 16_000, 400, "not_json"),
        (b"{}", 400, "not_json"),
        (b'{"minutes": true}', 400, "not_json"),
        (b'{"minutes": "5"}', 400, "not_json"),
        (b" " * 16_385, 413, "too_large"),
    ],
)
async def test_a_bad_body_is_an_answer_with_a_reason(body: bytes, status: int, said: str) -> None:
    async with House().served() as house:
        got, answer = await house.post("/api/v1/charge-points/box/maintenance", body)
    assert (got, code(answer)) == (status, said)
    assert house.orders.given == []


async def test_a_body_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "BODY_SECONDS", 0.05)
    async with House().served() as house:
        port = int(house.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST {STOP} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
        writer.write(head.encode())
        assert b" 408 " in await reader.readline()
        writer.close()
    assert house.orders.given == []


@pytest.mark.parametrize("connector", ["-1", "x", "1.5", "99999", "²"])
async def test_a_connector_that_is_no_number_is_a_400(connector: str) -> None:
    async with House().served() as house:
        got, answer = await house.post(f"/api/v1/charge-points/box/connectors/{connector}/stop-now")
    assert (got, code(answer)) == (400, "bad_connector")


async def test_what_is_not_there_and_what_breaks_is_json_too() -> None:
    house = House()
    house.orders.fails = True
    async with house.served():
        got, answer = await house.get("/api/v1/nothing")
        assert (got, code(answer)) == (404, "not_found")
        got, answer = await house.get(STOP)
        assert (got, code(answer)) == (405, "method")
        got, answer = await house.post(STOP)
        assert (got, code(answer)) == (500, "broken")
    assert house.failed == ["web"]


# -- the self-test -------------------------------------------------------------------------------------------------

SELFTEST = "/api/v1/charge-points/box/connectors/1/selftest"


async def test_a_plan_and_an_obstacle_are_told_in_sentences() -> None:
    house = House()
    async with house.served():
        status, body = await house.get(SELFTEST)
        assert (status, body["obstacle"], body["plan"], body["test"]) == (200, "no_transaction", [], None)
        assert body["text"]["en"] == [OBSTACLES["selftest.no_transaction"].en.format(where="box, connector 1")]
        house.orders.state = SelfTestState("", 0, "not_connected")
        assert (await house.get(SELFTEST))[1]["text"]["de"] == ["box, Anschluss 1: nicht verbunden."]
        house.orders.state = SelfTestState("", 0, "", plan(SIX, id_tag=""))
        _, body = await house.get(SELFTEST)
    assert body["obstacle"] is None
    assert body["plan"][0] == {"part": "limit", "amperes": 6.0}
    lines = body["text"]["en"]
    assert lines[0].startswith("box, connector 1: this goes to the charge point")
    assert lines[1] == "  1. a limit of 6 A (SetChargingProfile)"
    assert any("must be started anew at the device" in line for line in lines)


async def test_a_test_is_shown_part_by_part_and_with_its_upshot() -> None:
    parts = (
        PartReport(Part.LIMIT, 0.0, ORDERED, "accepted", Found.IGNORED, 40.0, 6.5, EvidenceClass.LIVE),
        PartReport(Part.REMOTE_STOP),
    )
    house = House()
    test = SelfTestView(ConnectorId(1), ORDERED, parts)
    house.orders.state = SelfTestState("", 0, "running", test=test)
    async with house.served():
        _, body = await house.get(SELFTEST)
        shown = body["test"]
        assert (shown["is_over"], shown["remedy"], shown["text"]["en"]) == (False, None, [])
        assert shown["parts"][0]["text"]["en"] == "0 A: IGNORED, after 40 s (6.5 A). The current readings are alive."
        assert shown["parts"][0]["sent"] == "2025-10-01T13:19:09Z"
        assert shown["parts"][1]["text"] is None
        over = replace(test, end=End.OWNER, is_over=True, restored=False)
        house.orders.state = SelfTestState("", 0, "no_transaction", test=over)
        shown = (await house.get(SELFTEST))[1]["test"]
    assert (shown["end"], shown["remedy"]) == ("owner", "remedy_unknown")
    assert shown["text"]["en"][0] == "Broken off."
    assert shown["text"]["en"][-1].startswith("EVCC'S LIMIT COULD NOT BE PUT BACK.")


async def test_a_test_is_begun_and_broken_off_like_any_order() -> None:
    async with House().served() as house:
        assert (await house.post(SELFTEST))[0] == 200
        assert (await house.post(SELFTEST + "/abort"))[0] == 200
        assert (await house.post(SELFTEST, headers={**JSON, "Origin": "https://evil.example"}))[0] == 403
        house.orders.result, house.orders.reason = Result.REFUSED, "episode"
        status, body = await house.post(SELFTEST)
    assert house.orders.given[:2] == [
        ("selftest", "box", 1, "api@127.0.0.1"),
        ("selftest_abort", "box", 1, "api@127.0.0.1"),
    ]
    assert status == 409
    assert body["results"][0]["text"]["en"] == OBSTACLES["selftest.episode"].en.format(where="box, connector 1")


# -- who may -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://["},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_W9_a_foreign_page_cannot_give_an_order(headers: dict[str, str]) -> None:
    async with House().served() as house:
        got, answer = await house.post(STOP, headers={**JSON, **headers})
    assert (got, code(answer)) == (403, "origin")
    assert house.orders.given == []
    assert house.refused == ["origin"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_W9_what_a_form_can_send_is_no_order(kind: str) -> None:
    async with House().served() as house:
        got, answer = await house.post(STOP, b"{}", {"Content-Type": kind})
    assert (got, code(answer)) == (415, "content_type")
    assert house.orders.given == []


async def test_our_own_page_may_give_an_order_and_one_behind_a_listed_name() -> None:
    async with House().served(AdminAccess(frozenset({"127.0.0.1", "home.example"}))) as house:
        for origin in (house.url, "https://home.example"):
            assert (await house.post(STOP, headers={**JSON, "Origin": origin}))[0] == 200


async def test_behind_a_proxy_our_own_page_may_give_an_order_and_a_foreign_one_may_not() -> None:
    named = {"X-Forwarded-Host": "home.example:8123"}
    async with House().served(AdminAccess(trusted_proxy="127.0.0.1")) as house:
        ours = {**JSON, **named, "Origin": "http://home.example:8123"}
        assert (await house.post(STOP, headers=ours))[0] == 200
        got, answer = await house.post(STOP, headers={**JSON, **named, "Origin": "https://evil.example"})
        assert (got, code(answer)) == (403, "origin")
    async with House().served(AdminAccess(password="pw", trusted_proxy="172.30.32.2")) as house:
        headers = {**ours, "Authorization": basic("pw")}
        assert (await house.post(STOP, headers=headers))[0] == 403, (
            "whom nobody trusts cannot say who he is forwarded for"
        )


async def test_no_answer_lets_a_foreign_page_read_it() -> None:
    async with House().served() as house, ClientSession() as session:
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        async with session.options(house.url + STOP, headers=headers) as response:
            assert response.status == 403
            assert not [name for name in response.headers if name.lower().startswith("access-control")]


def basic(password: str) -> str:
    return "Basic " + b64encode(f"me:{password}".encode()).decode()


async def test_W3_the_password_is_taken_as_basic_and_as_bearer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "WRONG_PASSWORD_SECONDS", 0.0)
    async with House().served(AdminAccess(password="geheim")) as house:
        for wrong in ({}, {"Authorization": "Bearer nein"}, {"Authorization": basic("nein")}):
            got, answer = await house.post(STOP, headers={**JSON, **wrong})
            assert (got, code(answer)) == (401, "password")
        assert house.orders.given == []
        for right in ("Bearer geheim", basic("geheim")):
            assert (await house.post(STOP, headers={**JSON, "Authorization": right}))[0] == 200


async def test_W3_who_guesses_too_often_is_not_even_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "WRONG_PASSWORD_SECONDS", 0.0)
    async with House().served(AdminAccess(password="geheim")) as house:
        for _ in range(gate.MOST_WRONG):
            assert (await house.get("/api/v1/state", Authorization="Bearer nein"))[0] == 401
        got, answer = await house.get("/api/v1/state", Authorization="Bearer geheim")
        assert (got, code(answer)) == (429, "too_many")
        monkeypatch.setattr(gate, "WINDOW_SECONDS", 0.0)
        assert (await house.get("/api/v1/state", Authorization="Bearer geheim"))[0] == 200


async def test_a_browsers_first_request_without_a_password_is_no_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "WRONG_PASSWORD_SECONDS", 0.0)
    async with House().served(AdminAccess(password="geheim")) as house:
        for _ in range(gate.MOST_WRONG + 1):
            assert (await house.get("/api/v1/state"))[0] == 401


def test_addresses_that_guess_are_forgotten_after_a_while_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MOST_ADDRESSES", 2)
    wrong = gate.WrongPasswords()
    for address in ("a", "b", "c"):
        for _ in range(gate.MOST_WRONG):
            wrong.add(address, 100.0)
    assert [wrong.are_too_many(address, 101.0) for address in ("a", "b", "c")] == [False, True, True]
    assert not wrong.are_too_many("b", 161.0)


# -- the description -----------------------------------------------------------------------------------------------


async def test_every_request_that_is_described_is_served_and_every_code_is_explained() -> None:
    text = (DOCS / "api.md").read_text("utf-8")
    described = {tuple(found.split(" ")) for found in re.findall(r"`((?:GET|POST) /api/\S+)`", text)}
    assert len(described) >= 7
    async with House().served() as house:
        for method, path in described:
            named = path.replace("{id}", "box").replace("{connector}", "1")
            ask = house.get(named) if method == "GET" else house.post(named, {"minutes": 1} if "maint" in path else {})
            assert (await ask)[0] == 200, path
    served = {route.method + " " + route.path for route in api.routes(_nobody()) if hasattr(route, "path")}
    alike = re.sub(r"\{\w+\}", "{}", text)
    for route in served:
        named = re.sub(r"\{\w+\}", "{}", route)
        assert named in alike or named.rpartition("/")[2] in ("stop-now", "acknowledge", "set-back"), route
    assert set(re.findall(r"`(\w+)`", text.partition("| status | `code` |")[2])) == set(REQUESTS)


def _nobody() -> Sources:
    return Sources(FakeClock(), list, list, FakeOrders())


def test_the_examples_have_the_shape_of_the_schema_and_the_words_of_the_catalogue() -> None:
    blocks = re.findall(r"```json\n(.*?)```", (DOCS / "api.md").read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        SCHEMA.validate(json.loads(block))
    shown = json.loads(blocks[0])["results"][0]["text"]
    assert shown["en"] == ORDERS["no_transaction"].en.format(where="ACTEC-1, connector 1")
    assert code(json.loads(blocks[1])) == "content_type"


def test_a_reading_that_is_shown_is_the_last_one_whole() -> None:
    shown = plain.plain(reading(), ORDERED)
    assert isinstance(shown, dict)
    assert shown["energy"] == 1234.0
    assert shown["voltages"] == [None, None, None]
