"""The JSON API on the administration address: what the judge sees, and the owner's orders. Described in docs/api.md.

Who may ask is decided before (``gate``). Whatever is wrong with a request is an answer with a code and a sentence.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler

from ocpp_watchdog.core.decisions import EpisodeView, Record, StationView
from ocpp_watchdog.core.terms import Moment
from ocpp_watchdog.shell.ports import Orders, Outcomes, Result
from ocpp_watchdog.shell.timekeeping import Time
from ocpp_watchdog.shell.web import plain
from ocpp_watchdog.shell.web.errors import API, refusal
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.owner import order_text
from ocpp_watchdog.texts.wording import iso

V1 = API + "v1"
BODY_BYTES = 16_384
BODY_SECONDS = 5.0
AT_ONCE = 50
"""So many charge points are looked at before others get the loop: there may be thousands."""
USUAL_EPISODES = 50
MOST_EPISODES = 1_000
ENDLESS = 1e9
CLIENT = "X-Ocpp-Watchdog-Client"
CLIENTS = frozenset({"ctl", "page"})
STATUS = {
    Result.DONE: 200,
    Result.REFUSED: 409,
    Result.NOT_CONNECTED: 409,
    Result.UNKNOWN_CHARGE_POINT: 404,
    Result.UNKNOWN_CONNECTOR: 404,
    Result.FAILED: 500,
}

Json = dict[str, object]
Look = Callable[[Moment], StationView]


class BadRequestError(Exception):
    """code: a key of ``REQUESTS``. Becomes the answer."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the API gets what it shows, and who takes orders. views: one look for each charge point. kept: the records
    that are kept, the oldest first, each with its charge point."""

    clock: Time
    views: Callable[[], Iterable[Look]]
    kept: Callable[[], Iterable[tuple[str, Record]]]
    orders: Orders


def routes(sources: Sources) -> list[web.AbstractRouteDef]:
    """Everything below /api/v1."""
    orders = sources.orders
    charge_point, one = V1 + "/charge-points/{id}", V1 + "/charge-points/{id}/connectors/{connector}"
    table: list[web.AbstractRouteDef] = [
        web.get(f"{V1}/state", _answering(partial(state, sources))),
        web.get(f"{V1}/episodes", _answering(partial(episodes, sources))),
        web.post(f"{V1}/test-alarm", _answering(partial(_test_alarm, orders))),
        web.post(f"{charge_point}/maintenance", _answering(partial(_maintenance, orders))),
    ]
    for name, order in (
        ("stand-down", orders.stand_down),
        ("stop-now", orders.stop_now),
        ("acknowledge", orders.acknowledge),
        ("set-back", orders.set_back),
    ):
        handler = _answering(partial(_ordered, order))
        table += [web.post(f"{charge_point}/{name}", handler), web.post(f"{one}/{name}", handler)]
    begin, abort = partial(_selftest_order, orders.begin_selftest), partial(_selftest_order, orders.abort_selftest)
    table += [
        web.get(f"{one}/selftest", _answering(partial(_selftest, sources))),
        web.post(f"{one}/selftest", _answering(begin)),
        web.post(f"{one}/selftest/abort", _answering(abort)),
    ]
    return table


def _answering(handler: Callable[[web.Request], Awaitable[web.Response]]) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except BadRequestError as bad:
            return refusal(request, bad.status, bad.code)

    return answer


# -- what can be seen --------------------------------------------------------------------------------------------


async def state(sources: Sources, request: web.Request) -> web.Response:
    """All charge points, or the one named by ``?charge_point=``."""
    wanted, shown = request.query.get("charge_point"), []
    now = sources.clock.now()
    for number, look in enumerate(sources.views(), 1):
        now = sources.clock.now()
        seen = look(now)
        if wanted in (None, str(seen.charge_point)):
            shown.append(seen)
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)

    def text() -> str:
        stations = [plain.station(seen, now) for seen in shown]
        return json.dumps({"schema": "ocpp-watchdog/state/1", "at": iso(now.utc), "charge_points": stations})

    return web.json_response(text=await asyncio.to_thread(text))


async def episodes(sources: Sources, request: web.Request) -> web.Response:
    """The newest episodes, ``?limit=`` of them, of all charge points or the one named by ``?charge_point=``."""
    wanted, limit, now = request.query.get("charge_point"), _limit(request), sources.clock.now()
    views = [look(now) for look in sources.views()]
    found = [each for each in newest(views, sources.kept()) if wanted in (None, each[0])][:limit]

    def text() -> str:
        shown = [plain.episode(named, seen, now) for named, seen in found]
        return json.dumps({"schema": "ocpp-watchdog/episodes/1", "at": iso(now.utc), "episodes": shown})

    return web.json_response(text=await asyncio.to_thread(text))


def newest(views: Iterable[StationView], kept: Iterable[tuple[str, Record]]) -> list[tuple[str, EpisodeView]]:
    """Every episode once, as it is known last, the newest first: those that are open, and those of the records."""
    found: dict[tuple[str, int, float], tuple[str, EpisodeView]] = {}
    of_records = [(named, record.episode) for named, record in kept if record.episode is not None]
    is_open = [(str(view.charge_point), one.episode) for view in views for one in view.connectors if one.episode]
    for named, episode in [*of_records, *is_open]:
        found[named, episode.connector, episode.opened.utc] = named, episode
    return sorted(found.values(), key=lambda each: each[1].opened.utc, reverse=True)


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", str(USUAL_EPISODES))
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MOST_EPISODES):
        raise BadRequestError(400, "bad_limit")
    return int(text)


# -- orders ------------------------------------------------------------------------------------------------------

Order = Callable[[str, int | None, str], Outcomes]


async def _ordered(order: Order, request: web.Request) -> web.Response:
    await fields(request)
    return told(order(request.match_info["id"], connector_of(request), who(request)))


async def _maintenance(orders: Orders, request: web.Request) -> web.Response:
    given = await fields(request, "minutes")
    minutes = given.get("minutes")
    if not isinstance(minutes, int | float) or isinstance(minutes, bool):
        raise BadRequestError(400, "not_json")
    minutes = float(minutes) if abs(minutes) < ENDLESS else ENDLESS
    return told(orders.maintenance(request.match_info["id"], minutes, who(request)))


async def _test_alarm(orders: Orders, request: web.Request) -> web.Response:
    await fields(request)
    return told(orders.test_alarm(who(request)))


async def _selftest(sources: Sources, request: web.Request) -> web.Response:
    state = sources.orders.selftest(request.match_info["id"], connector_of(request) or 0)
    return web.json_response(plain.selftest(state, sources.clock.now()))


async def _selftest_order(order: Callable[[str, int, str], Outcomes], request: web.Request) -> web.Response:
    await fields(request)
    return told(order(request.match_info["id"], connector_of(request) or 0, who(request)))


def told(outcomes: Outcomes) -> web.Response:
    """What became of each, with a sentence; the status is that of the first that was not done."""
    results: list[Json] = [
        {
            "action": each.action,
            "charge_point": each.charge_point or None,
            "connector": each.connector,
            "result": str(each.result),
            "reason": each.reason or None,
            "until": None if each.until is None else iso(each.until),
            "text": {
                str(language): order_text(each.sentence, each.charge_point, each.connector, each.until, language)
                for language in Language
            },
        }
        for each in outcomes
    ]
    status = next((STATUS[each.result] for each in outcomes if each.result is not Result.DONE), 200)
    return web.json_response({"schema": "ocpp-watchdog/orders/1", "results": results}, status=status)


def connector_of(request: web.Request) -> int | None:
    """The connector in the path, None when none is named. Raises BadRequestError."""
    text = request.match_info.get("connector")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 4):
        raise BadRequestError(400, "bad_connector")
    return int(text)


def who(request: web.Request) -> str:
    """Who gave the order, for the record: what the client calls itself, and its address."""
    client = request.headers.get(CLIENT, "")
    return f"{client if client in CLIENTS else 'api'}@{request.remote or '?'}"


async def fields(request: web.Request, *known: str) -> Mapping[str, object]:
    """The body of an order: a JSON object with no fields but these, or nothing. Raises BadRequestError.

    A foreign page cannot send application/json without asking first, and nobody here answers such a question.
    """
    if request.content_type != "application/json":
        raise BadRequestError(415, "content_type")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await request.content.read(BODY_BYTES + 1) if request.can_read_body else b""
            while len(body) <= BODY_BYTES and (more := await request.content.read(BODY_BYTES)):
                body += more
    except TimeoutError:
        raise BadRequestError(408, "too_slow") from None
    if len(body) > BODY_BYTES:
        raise BadRequestError(413, "too_large")
    try:
        given = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise BadRequestError(400, "not_json") from None
    if not isinstance(given, dict) or not set(given) <= set(known):
        raise BadRequestError(400, "not_json")
    return given


def guarded(request: web.Request, status: int) -> web.Response:
    """The answer of the API in the place of one that was made elsewhere."""
    codes = {404: "not_found", 405: "method", 413: "too_large"}
    headers: dict[str, str] | None = {"Allow": "GET, POST"} if status == 405 else None
    return refusal(request, status, codes.get(status, "broken"), headers)
