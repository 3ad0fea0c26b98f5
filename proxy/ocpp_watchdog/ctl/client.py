"""The owner's orders from a shell: asks the running proxy over its API and says in one line what happened.

Address and password come from the settings; a password on a command line could be read by everybody on the machine.
"""

from __future__ import annotations

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from aiohttp import ClientError, ClientSession, ClientTimeout

from ocpp_watchdog.setting_kinds import reached
from ocpp_watchdog.settings import Settings
from ocpp_watchdog.texts.catalogue import PHASES, Language
from ocpp_watchdog.texts.owner import CTL
from ocpp_watchdog.texts.wording import NOTHING, clock_time, figures, number, place

DONE, REFUSED, UNREACHABLE = 0, 1, 2
"""Exit codes."""
ANSWER_SECONDS = 15.0
CLIENT = {"X-Ocpp-Watchdog-Client": "ctl"}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Target:
    """The running proxy. address: host:port of its pages."""

    address: str
    language: Language
    password: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://{self.address}/api/v1"


def target(settings: Settings, address: str | None) -> Target:
    """The proxy these settings belong to. address: another one than they name. Raises ValueError."""
    password = settings.admin.password
    secret = None if password is None else password.get_secret_value()
    return Target(reached(address or settings.admin.listen), settings.language, secret)


class CtlError(Exception):
    """It ends here: a line for the user, and the exit code."""

    def __init__(self, line: str, code: int) -> None:
        super().__init__(line)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said. body: a JSON object."""

    status: int
    body: Mapping[str, Any]


class Api:
    """The API of one proxy."""

    def __init__(self, session: ClientSession, at: Target) -> None:
        self._session = session
        self._at = at

    async def get(self, path: str) -> Answer:
        """Look at something. Raises CtlError."""
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> Answer:
        """Order something. Raises CtlError."""
        return await self._ask("POST", path, {} if body is None else body)

    async def _ask(self, method: str, path: str, body: Mapping[str, object] | None) -> Answer:
        at, language = self._at, self._at.language
        try:
            async with self._session.request(method, at.url + path, json=body, allow_redirects=False) as response:
                answer = Answer(response.status, _object(await response.text(errors="replace")))
        except (ClientError, OSError, TimeoutError) as error:
            number_of_error = getattr(error, "errno", None)
            why = os.strerror(number_of_error) if number_of_error else type(error).__name__
            raise CtlError(CTL["unreachable"](language, address=at.address, why=why), UNREACHABLE) from None
        if answer.status == 401:
            raise CtlError(CTL["password"](language), REFUSED)
        if not answer.body:
            raise CtlError(CTL["stranger"](language, address=at.address), UNREACHABLE)
        if "error" in answer.body:
            raise CtlError(str(answer.body["error"]["text"][language.value]), REFUSED)
        return answer


def authorization(at: Target) -> dict[str, str]:
    """The header that carries the password, if there is one."""
    if at.password is None:
        return {}
    return {"Authorization": "Basic " + b64encode(f"ctl:{at.password}".encode()).decode()}


def _object(text: str) -> Mapping[str, Any]:
    """The object in an answer of ours; empty when it is none."""
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    is_ours = isinstance(body, dict) and ("error" in body or str(body.get("schema", "")).startswith("ocpp-watchdog/"))
    return body if is_ours else {}


Work = Callable[[Api, Target, Say], Awaitable[int]]


def carry_out(work: Work, at: Target, say: Say, complain: Say) -> int:
    """Do it; gives the exit code. say: what happened; complain: why nothing did."""

    async def done() -> int:
        timeout = ClientTimeout(total=ANSWER_SECONDS)
        async with ClientSession(headers=CLIENT | authorization(at), timeout=timeout, trust_env=False) as session:
            return await work(Api(session, at), at, say)

    try:
        return asyncio.run(done())
    except CtlError as error:
        complain(str(error))
        return error.code


# -- which connector ---------------------------------------------------------------------------------------------

Connector = tuple[str, int]


def connectors(state: Mapping[str, Any]) -> list[Connector]:
    """All charge points with their connectors, as the state names them."""
    return [
        (station["charge_point"], each["connector"])
        for station in state["charge_points"]
        for each in station["connectors"]
    ]


def choose(state: Mapping[str, Any], charge_point: str | None, connector: int | None, language: Language) -> Connector:
    """The one that is meant; connector 0: all of that charge point. Raises CtlError with a list if it is not clear."""
    known = connectors(state)
    if not known:
        raise CtlError(CTL["nothing"](language), REFUSED)
    listed = "".join(f"\n  {place(*each, language)}" for each in known)
    found = [each for each in known if charge_point in (None, each[0]) and connector in (None, 0, each[1])]
    if not found:
        where = place(charge_point or "", connector, language)
        raise CtlError(CTL["no_such"](language, where=where) + listed, REFUSED)
    if connector == 0 and len({each[0] for each in found}) == 1:
        return found[0][0], 0
    if len(found) > 1:
        raise CtlError(CTL["which"](language, flags="--charge-point, --connector") + listed, REFUSED)
    return found[0]


def choose_charge_point(state: Mapping[str, Any], charge_point: str | None, language: Language) -> str:
    """The charge point that is meant. Raises CtlError with a list when it is not clear."""
    known = [str(station["charge_point"]) for station in state["charge_points"]]
    if not known:
        raise CtlError(CTL["nothing"](language), REFUSED)
    listed = "".join(f"\n  {each}" for each in known)
    found = [each for each in known if charge_point in (None, each)]
    if not found:
        raise CtlError(CTL["no_such"](language, where=charge_point or NOTHING) + listed, REFUSED)
    if len(found) > 1:
        raise CtlError(CTL["which"](language, flags="--charge-point") + listed, REFUSED)
    return found[0]


def path_of(charge_point: str, connector: int | None = None) -> str:
    """The path of a charge point or connector in the API."""
    path = f"/charge-points/{quote(charge_point, safe='')}"
    return path if connector is None else f"{path}/connectors/{connector}"


# -- the verbs ---------------------------------------------------------------------------------------------------


def order(name: str, charge_point: str | None, connector: int | None, *, as_json: bool) -> Work:
    """stand-down, stop-now or acknowledge."""

    async def work(api: Api, at: Target, say: Say) -> int:
        state = (await api.get("/state")).body
        chosen = choose(state, charge_point, connector, at.language)
        return report(await api.post(f"{path_of(*chosen)}/{name}"), at, say, as_json=as_json)

    return work


def maintenance(minutes: float, charge_point: str | None, *, as_json: bool) -> Work:
    """Send nothing for so many minutes; 0 ends it."""

    async def work(api: Api, at: Target, say: Say) -> int:
        chosen = choose_charge_point((await api.get("/state")).body, charge_point, at.language)
        answer = await api.post(f"{path_of(chosen)}/maintenance", {"minutes": minutes})
        return report(answer, at, say, as_json=as_json)

    return work


def test_alarm(*, as_json: bool) -> Work:
    """A test alarm by every way."""

    async def work(api: Api, at: Target, say: Say) -> int:
        return report(await api.post("/test-alarm"), at, say, as_json=as_json)

    return work


def status(*, as_json: bool) -> Work:
    """A line for each connector."""

    async def work(api: Api, at: Target, say: Say) -> int:
        state = (await api.get("/state")).body
        if as_json:
            say(json.dumps(state))
            return DONE
        for line in status_lines(state, at.language):
            say(line)
        return DONE

    return work


def report(answer: Answer, at: Target, say: Say, *, as_json: bool) -> int:
    """Say what became of it; gives the exit code."""
    results = answer.body["results"]
    if as_json:
        say(json.dumps(answer.body))
    else:
        for result in results:
            say(result["text"][at.language.value])
    return DONE if all(result["result"] == "done" for result in results) else REFUSED


def status_lines(state: Mapping[str, Any], language: Language) -> list[str]:
    """What the judge sees, a line for each connector."""
    if not state["charge_points"]:
        return [CTL["nothing"](language)]
    return [
        "; ".join([_status(station["charge_point"], each, language), *_remarks(station, each, language)])
        for station in state["charge_points"]
        for each in station["connectors"]
    ]


def _status(charge_point: str, seen: Mapping[str, Any], language: Language) -> str:
    limit, reading = seen["commanded"], seen["reading"]
    return CTL["status"](
        language,
        where=place(charge_point, seen["connector"], language),
        phase=PHASES[seen["phase"]](language),
        ordered=NOTHING if limit is None else f"{number(limit['amperes'], 0, language)} A",
        measured=NOTHING
        if reading is None
        else figures(reading["currents"], reading["current"], reading["power"], language),
        status=seen["status"] or NOTHING,
    )


def _remarks(station: Mapping[str, Any], seen: Mapping[str, Any], language: Language) -> list[str]:
    remarks = []
    if seen["episode"] is not None:
        remarks.append(CTL["ignored"](language, since=_on_the_wall(seen["episode"]["ordered"])))
    if seen["is_inoperative"]:
        remarks.append(CTL["inoperative"](language))
    if not station["connected"]:
        remarks.append(CTL["away"](language))
    if station["maintenance_until"] is not None:
        remarks.append(CTL["paused"](language, until=_on_the_wall(station["maintenance_until"])))
    return remarks


def _on_the_wall(iso: str) -> str:
    return clock_time(datetime.fromisoformat(iso).timestamp())
