"""The web hook: delivered, tried again, given up; never in the way, never telling its address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ocpp_watchdog.core.decisions import Ending, Explanation, NoticeKind, Notify, Severity, StepOutcome, Warn
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId
from ocpp_watchdog.shell.notify import message
from ocpp_watchdog.shell.notify.notices import Notices
from ocpp_watchdog.shell.notify.webhook import Webhook, WebhookSettings
from ocpp_watchdog.shell.tally import Tally
from ocpp_watchdog.texts.catalogue import Language
from views import ORDERED, episode_view, step_record

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "webhook.schema.json"
TOKEN = "s3cret-token"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Receiver:
    """A server that answers with the statuses given, in order, the last for ever."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.bodies: list[dict[str, object]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(json.loads(await request.text()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, headers={"Location": "http://192.0.2.1/"} if status == 302 else {})


@asynccontextmanager
async def hook(answer: Answer, tally: Tally, **settings: float) -> AsyncIterator[Webhook]:
    """A web hook that runs against a server with this answer; waiting between tries takes no time."""

    async def no_wait(_: float) -> None:
        await asyncio.sleep(0)

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app) as server:
        chosen = WebhookSettings(str(server.make_url(f"/{TOKEN}")), **settings)  # type: ignore[arg-type]
        webhook = Webhook(chosen, tally, sleep=no_wait)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(webhook.run())
            try:
                yield webhook
            finally:
                task.cancel()


async def settled(tally: Tally) -> None:
    """Wait until nothing waits to be delivered."""
    async with asyncio.timeout(10):
        while tally.notifications_waiting:
            await asyncio.sleep(0.001)


def alarm(**changes: object) -> Notify:
    return Notify(NoticeKind.ALARM, Severity.CRITICAL, ConnectorId(1), ORDERED.later(43.0), episode_view(**changes))


async def test_a_message_is_posted_as_json() -> None:
    receiver, tally = Receiver(204), Tally()
    async with hook(receiver.answer, tally) as webhook:
        webhook.post({"kind": "alarm"})
        await settled(tally)
    assert receiver.bodies == [{"kind": "alarm"}]
    assert dict(tally.notifications) == {"delivered": 1}


async def test_a_server_that_is_busy_is_tried_again() -> None:
    receiver, tally = Receiver(503, 429, 200), Tally()
    async with hook(receiver.answer, tally) as webhook:
        webhook.post({"kind": "alarm"})
        await settled(tally)
    assert len(receiver.bodies) == 3
    assert dict(tally.notifications) == {"delivered": 1}


@pytest.mark.parametrize("status", [302, 400, 401, 404, 410])
async def test_a_server_that_refuses_is_not_asked_again(status: int, caplog: pytest.LogCaptureFixture) -> None:
    receiver, tally = Receiver(status), Tally()
    async with hook(receiver.answer, tally) as webhook:
        webhook.post({"kind": "alarm"})
        await settled(tally)
    assert len(receiver.bodies) == 1
    assert dict(tally.notifications) == {"undelivered": 1}
    assert TOKEN not in caplog.text
    assert str(status) in caplog.text


async def test_P12_a_server_that_hangs_costs_its_own_message_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    tally = Tally()
    async with hook(hang, tally, try_seconds=0.05, give_up_seconds=0.2) as webhook:
        webhook.post({"kind": "alarm"})
        await settled(tally)
    assert dict(tally.notifications) == {"undelivered": 1}
    assert TOKEN not in caplog.text


async def test_a_server_that_is_away_is_given_up_after_a_while(caplog: pytest.LogCaptureFixture) -> None:
    tally = Tally()
    settings = WebhookSettings(f"http://127.0.0.1:9/{TOKEN}", try_seconds=1.0, give_up_seconds=0.1)
    webhook = Webhook(settings, tally)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(webhook.run())
        webhook.post({"kind": "alarm"})
        await settled(tally)
        task.cancel()
    assert dict(tally.notifications) == {"undelivered": 1}
    assert TOKEN not in caplog.text


def test_the_queue_is_bounded_and_drops_the_oldest() -> None:
    tally = Tally()
    webhook = Webhook(WebhookSettings("http://127.0.0.1:9/", queue=3), tally)
    for number in range(10):
        webhook.post({"number": number})
    assert dict(tally.notifications) == {"dropped": 7}
    assert tally.notifications_waiting == 3


async def test_what_waits_is_delivered_in_order() -> None:
    receiver, tally = Receiver(200), Tally()
    async with hook(receiver.answer, tally) as webhook:
        for number in range(5):
            webhook.post({"number": number})
        await settled(tally)
    assert [body["number"] for body in receiver.bodies] == [0, 1, 2, 3, 4]


def test_the_address_is_in_no_representation() -> None:
    assert TOKEN not in repr(WebhookSettings(f"http://192.0.2.1/{TOKEN}"))


# -- the body ----------------------------------------------------------------------------------------------------


def notices() -> list[dict[str, object]]:
    """One body of every kind."""
    closed = episode_view(ended=ORDERED.later(120.0), ending=Ending.OBEYED, steps=(step_record(StepOutcome.PROVED),))
    bodies = [
        message.notice("box", Notify(kind, Severity.WARNING, ConnectorId(1), ORDERED, closed, step_record()))
        for kind in NoticeKind
    ]
    bodies.append(message.notice("box", alarm(evidence=(), readings=())))
    bodies.append(message.about_ourselves("degraded", ORDERED.utc, None, parts="judge"))
    bodies.append(message.about_ourselves("duplicate", ORDERED.utc, "box", newcomer="192.0.2.1", holder="192.0.2.2"))
    bodies.append(message.about_ourselves("unanswered", ORDERED.utc, "box"))
    return bodies


@pytest.mark.parametrize("body", notices(), ids=lambda body: str(body["kind"]))
def test_every_body_is_as_documented(body: dict[str, object]) -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(body)))


def test_the_alarm_says_what_was_ordered_what_flows_and_how_that_is_known() -> None:
    body = message.notice("box", alarm())
    text = body["text"]
    assert isinstance(text, dict)
    assert "6.5 / 6.3 / 6.5 A, 4290 W" in text["en"]
    assert "6,5 / 6,3 / 6,5 A, 4290 W" in text["de"]
    assert "The current readings are alive." in text["en"]


def test_only_the_newest_evidence_is_sent() -> None:
    many = episode_view().evidence * 50
    body = message.notice("box", alarm(evidence=many))
    assert isinstance(body["evidence"], list)
    assert len(body["evidence"]) == 20


def test_notices_go_to_the_log_in_the_owners_language_and_to_the_hook(caplog: pytest.LogCaptureFixture) -> None:
    posted: list[dict[str, object]] = []
    caplog.set_level("INFO")
    notices = Notices(Language.DE, posted.append)
    notices.tell(ChargePointId("box"), alarm())
    notices.tell_about_ourselves("degraded", ORDERED.utc, parts="judge")
    assert "Ladestopp" in caplog.text
    assert "eingeschränkt" in caplog.text
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert [body["kind"] for body in posted] == ["alarm", "degraded"]


def test_without_a_hook_the_log_is_enough(caplog: pytest.LogCaptureFixture) -> None:
    notices = Notices(Language.EN, None)
    notices.tell(ChargePointId("box"), alarm())
    notices.tell_about_ourselves("duplicate", ORDERED.utc, "box", newcomer="192.0.2.1", holder="192.0.2.2")
    assert "a stop (0 A) was ordered" in caplog.text


def test_a_dangerous_command_is_told_once_in_both_languages(caplog: pytest.LogCaptureFixture) -> None:
    posted: list[dict[str, object]] = []
    notices = Notices(Language.DE, posted.append)
    told = Warn("HALO-UPG-01", Severity.CRITICAL, "UpdateFirmware", ORDERED, "It breaks.", "Es bricht.", is_told=True)
    notices.warn(ChargePointId("box"), told)
    notices.warn(ChargePointId("box"), replace(told, is_told=False))
    assert caplog.text.count("UpdateFirmware ist hindurchgegangen") == 1
    assert "(HALO-UPG-01). Es bricht." in caplog.text
    (body,) = posted
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(body)))
    assert body["text"] == {
        "de": "box: UpdateFirmware ist hindurchgegangen und kann diesem Gerät schaden (HALO-UPG-01). Es bricht.",
        "en": "box: UpdateFirmware passed and is known to harm this device (HALO-UPG-01). It breaks.",
    }


def test_an_alarm_ends_with_what_is_known_of_the_device() -> None:
    explained = (Explanation("HALO-SC-02", "So it is.", "So ist es."),)
    text = message.notice("box", replace(alarm(), explained=explained))["text"]
    assert isinstance(text, dict)
    assert text["en"].endswith("Known of this device (HALO-SC-02): So it is.")
    assert text["de"].endswith("Zu diesem Gerät ist bekannt (HALO-SC-02): So ist es.")
