"""Ways to people: delivered, tried again, given up; never in each other's way, never telling a secret."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ocpp_watchdog.core.decisions import NoticeKind, Notify, Severity, StepOutcome, Warn
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId
from ocpp_watchdog.shell.notify import apprise as apprise_way
from ocpp_watchdog.shell.notify import way
from ocpp_watchdog.shell.notify.apprise import Apprise, BadUrlError, NotInstalledError, target
from ocpp_watchdog.shell.notify.heartbeat import Beat, Heartbeat
from ocpp_watchdog.shell.notify.message import Message, of_notice, of_ourselves
from ocpp_watchdog.shell.notify.notices import Notices
from ocpp_watchdog.shell.notify.ntfy import Ntfy
from ocpp_watchdog.shell.notify.sending import NotTakenError, RefusedError, Sender, request
from ocpp_watchdog.shell.notify.way import Delivery, Ways
from ocpp_watchdog.shell.notify.webhook import Webhook
from ocpp_watchdog.shell.tally import Tally
from ocpp_watchdog.texts.catalogue import Language, Sentence
from shell_fakes import FakeClock
from views import ORDERED, episode_view, step_record

TOKEN = "s3cret-token"
BOX = ChargePointId("box")
BREAKS = Sentence(de="Es bricht.", en="It breaks.")
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
CLOSING = (NoticeKind.ALL_CLEAR, NoticeKind.UNPROVEN, NoticeKind.SUPERSEDED, NoticeKind.STOOD_DOWN)


def notify(kind: NoticeKind = NoticeKind.ALARM, severity: Severity = Severity.CRITICAL, **changes: object) -> Notify:
    step = step_record() if kind is NoticeKind.STEP else None
    return Notify(kind, severity, ConnectorId(1), ORDERED.later(43.0), episode_view(**changes), step)


def numbered(number: int) -> Message:
    said = {language: str(number) for language in Language}
    return Message("alarm", Severity.CRITICAL, said, said, {"number": number})


@dataclass
class Receiver:
    """A server that answers with the statuses given, in order, the last for ever."""

    statuses: list[int]
    paths: list[str] = field(default_factory=list)
    bodies: list[dict[str, object]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.paths.append(f"{request.method} {request.path}")
        self.bodies.append(json.loads(text) if text else {})
        self.headers.append(dict(request.headers))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, headers={"Location": "http://192.0.2.1/"} if status == 302 else {})


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[Callable[[str], str]]:
    """A server; gives what makes its addresses."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield lambda path: str(server.make_url(path))


async def no_wait(_: float) -> None:
    await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


@dataclass
class Room:
    """Ways that run; waiting between tries takes no time."""

    tally: Tally
    ways: Ways
    lost: list[tuple[str, str, str]]

    async def settled(self) -> None:
        """Wait until nothing waits to be delivered."""
        async with asyncio.timeout(20):
            while any(self.tally.notifications_waiting.values()):
                await asyncio.sleep(0.001)


@asynccontextmanager
async def running(*deliveries: Delivery) -> AsyncIterator[Room]:
    tally, lost = Tally(), list[tuple[str, str, str]]()
    ways = Ways(tally, lambda way, message, reason: lost.append((way, message.kind, reason)), no_wait)
    ways.use(deliveries)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(ways.run())
        try:
            yield Room(tally, ways, lost)
        finally:
            task.cancel()


class Memory:
    """A sender that remembers, and fails as it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.sent: list[Message] = []

    def wants(self, message: Message) -> bool:
        return True

    async def send(self, message: Message, seconds: float) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)


class Hanging(Memory):
    async def send(self, message: Message, seconds: float) -> None:
        await asyncio.sleep(60)


# -- one way -----------------------------------------------------------------------------------------------------


async def test_a_message_is_posted_as_json() -> None:
    receiver = Receiver([204])
    async with served(receiver.answer) as url, running(Delivery("webhook", Webhook(url("/hook")))) as room:
        room.ways.post(numbered(1))
        await room.settled()
    assert receiver.bodies == [{"number": 1}]
    assert dict(room.tally.notifications) == {("webhook", "delivered"): 1}


async def test_a_server_that_is_busy_is_tried_again() -> None:
    receiver = Receiver([503, 429, 200])
    async with served(receiver.answer) as url, running(Delivery("webhook", Webhook(url("/hook")))) as room:
        room.ways.post(numbered(1))
        await room.settled()
    assert len(receiver.bodies) == 3
    assert dict(room.tally.notifications) == {("webhook", "delivered"): 1}


@pytest.mark.parametrize("status", [302, 400, 401, 404, 410])
async def test_a_server_that_refuses_is_not_asked_again(status: int, caplog: pytest.LogCaptureFixture) -> None:
    receiver = Receiver([status])
    async with served(receiver.answer) as url, running(Delivery("webhook", Webhook(url(f"/{TOKEN}")))) as room:
        room.ways.post(numbered(1))
        await room.settled()
    assert len(receiver.bodies) == 1
    assert room.lost == [("webhook", "alarm", f"HTTP status {status}")]
    assert dict(room.tally.notifications) == {("webhook", "undelivered"): 1}
    ours = "".join(line.getMessage() for line in caplog.records if not line.name.startswith("aiohttp"))
    assert TOKEN not in ours
    assert str(status) in ours


async def test_P12_a_server_that_hangs_holds_up_no_other_way() -> None:
    good = Memory()
    async with (
        served(hang) as url,
        running(Delivery("webhook", Webhook(url("/hook"))), Delivery("ntfy", good)) as room,
    ):
        for number in range(3):
            room.ways.post(numbered(number))
        await until(lambda: len(good.sent) == 3)
        assert room.tally.notifications_waiting == {"webhook": 3, "ntfy": 0}


async def test_P12_a_server_that_hangs_costs_its_own_messages(caplog: pytest.LogCaptureFixture) -> None:
    async with served(hang) as url:
        slow = Delivery("webhook", Webhook(url(f"/{TOKEN}")), try_seconds=0.05, give_up_seconds=0.1)
        async with running(slow) as room:
            room.ways.post(numbered(1))
            room.ways.post(numbered(2))
            await room.settled()
    assert room.tally.notifications == {("webhook", "undelivered"): 2}
    assert TOKEN not in caplog.text


async def test_a_sender_that_forgets_its_own_timeout_is_given_up_all_the_same() -> None:
    async with running(Delivery("webhook", Hanging(), try_seconds=0.05, give_up_seconds=0.05)) as room:
        room.ways.post(numbered(1))
        await room.settled()
    assert room.lost == [("webhook", "alarm", "no answer in time")]


async def test_a_server_that_is_away_is_given_up_after_a_while(caplog: pytest.LogCaptureFixture) -> None:
    nowhere = Delivery("webhook", Webhook(f"http://127.0.0.1:9/{TOKEN}"), try_seconds=1.0, give_up_seconds=0.1)
    async with running(nowhere) as room:
        room.ways.post(numbered(1))
        await room.settled()
    assert dict(room.tally.notifications) == {("webhook", "undelivered"): 1}
    assert TOKEN not in caplog.text


async def test_a_fault_of_ours_costs_one_message_and_is_no_end() -> None:
    sender = Memory(RuntimeError("a bug"))
    async with running(Delivery("webhook", sender)) as room:
        room.ways.post(numbered(1))
        room.ways.post(numbered(2))
        await room.settled()
    assert [message.body["number"] for message in sender.sent] == [2]
    assert room.lost == [("webhook", "alarm", "a fault of ours")]


def test_the_queue_is_bounded_and_drops_the_oldest() -> None:
    tally, lost = Tally(), list[object]()
    ways = Ways(tally, lambda way, message, reason: lost.append(message.body["number"]))
    ways.use([Delivery("webhook", Memory(), queue=3)])
    for number in range(10):
        ways.post(numbered(number))
    assert dict(tally.notifications) == {("webhook", "dropped"): 7}
    assert tally.notifications_waiting["webhook"] == 3
    assert lost == [0, 1, 2, 3, 4, 5, 6]


async def test_what_waits_is_delivered_in_order() -> None:
    sender = Memory()
    async with running(Delivery("webhook", sender)) as room:
        for number in range(5):
            room.ways.post(numbered(number))
        await room.settled()
    assert [message.body["number"] for message in sender.sent] == [0, 1, 2, 3, 4]


async def test_at_the_end_what_waits_gets_a_moment_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way, "FLUSH_SECONDS", 0.1)
    good = Memory()
    async with running(Delivery("webhook", good)) as room:
        room.ways.post(numbered(1))
        room.ways.post(numbered(2))
        await room.ways.flush()
        assert len(good.sent) == 2
    async with running(Delivery("webhook", Hanging())) as room:
        room.ways.post(numbered(1))
        async with asyncio.timeout(20):
            await room.ways.flush()
    assert room.lost == [("webhook", "alarm", "the program ended")]


async def test_a_reload_takes_ways_away_brings_others_and_keeps_what_waits() -> None:
    old, new, other = Hanging(), Memory(), Memory()
    async with running(Delivery("webhook", Hanging()), Delivery("gone", old, queue=9)) as room:
        for number in range(3):
            room.ways.post(numbered(number))
        await asyncio.sleep(0.01)
        room.ways.use([Delivery("webhook", new), Delivery("ntfy", other)])
        assert room.ways.names == ("webhook", "ntfy")
        await asyncio.sleep(0.01)
        assert room.tally.notifications_waiting["gone"] == 0
        assert {reason for way, _, reason in room.lost if way == "gone"} == {"the way was removed", "the program ended"}
        room.ways.post(numbered(3))
        await until(lambda: len(other.sent) > 0)
    assert [message.body["number"] for message in other.sent] == [3]


def test_no_address_and_no_token_is_in_a_representation() -> None:
    senders: list[Sender] = [
        Webhook(f"http://192.0.2.1/{TOKEN}"),
        Ntfy(f"http://192.0.2.1/{TOKEN}", Language.EN, TOKEN),
    ]
    for sender in senders:
        assert TOKEN not in repr(Delivery("way", sender))
    assert TOKEN not in repr(Beat(f"http://192.0.2.1/{TOKEN}"))


# -- ntfy --------------------------------------------------------------------------------------------------------


async def test_ntfy_gets_title_text_and_priority_in_the_owners_language() -> None:
    receiver = Receiver([200])
    async with served(receiver.answer) as url:
        sender = Ntfy(url("/my%20alarms"), Language.DE, TOKEN)
        await sender.send(of_notice("Zoë\nbox", notify()), 5.0)
        await Ntfy(url("/t"), Language.EN).send(of_notice("box", notify(NoticeKind.ALL_CLEAR, Severity.INFO)), 5.0)
    alarm, clear = receiver.bodies
    assert receiver.paths == ["POST /", "POST /"]
    assert alarm["topic"] == "my alarms"
    assert alarm["title"] == "Alarm: Zoë�box ignoriert den Ladestopp"
    assert "Ladestopp (0 A) angeordnet" in str(alarm["message"])
    assert (alarm["priority"], alarm["tags"]) == (5, ["rotating_light"])
    assert (clear["title"], clear["priority"], clear["tags"]) == ("All clear: box", 3, ["white_check_mark"])
    assert receiver.headers[0]["Authorization"] == f"Bearer {TOKEN}"
    assert "Authorization" not in receiver.headers[1]


async def test_ntfy_that_refuses_says_so() -> None:
    async with served(Receiver([403]).answer) as url:
        with pytest.raises(RefusedError, match=r"^HTTP status 403$"):
            await Ntfy(url("/t"), Language.EN).send(of_notice("box", notify()), 5.0)


# -- apprise -------------------------------------------------------------------------------------------------------


class Library:
    """In the place of apprise: answers as told, or hangs until it is let go."""

    def __init__(self, answer: bool | Exception = True, hangs: bool = False) -> None:
        self.answer = answer
        self.go_on = threading.Event()
        if not hangs:
            self.go_on.set()
        self.told: list[tuple[str, str, str]] = []

    def add(self, servers: str) -> bool:
        return True

    def notify(self, body: str, title: str, notify_type: str) -> bool | None:
        self.go_on.wait(30)
        self.told.append((body, title, notify_type))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_apprise_gets_title_text_and_type() -> None:
    library = Library()
    await Apprise(library, Language.EN).send(of_notice("box", notify()), 5.0)
    ((body, title, kind),) = library.told
    assert "a stop (0 A) was ordered" in body
    assert (title, kind) == ("Alarm: box ignores the stop", "failure")


@pytest.mark.parametrize("answer", [False, ValueError(TOKEN)])
async def test_apprise_that_fails_is_tried_again_and_tells_no_secret(answer: bool | Exception) -> None:
    with pytest.raises(NotTakenError, match=r"^apprise says no$"):
        await Apprise(Library(answer), Language.EN).send(of_notice("box", notify()), 5.0)


async def test_P12_a_target_that_hangs_in_its_thread_is_left_alone_and_starts_no_other() -> None:
    library = Library(hangs=True)
    sender = Apprise(library, Language.EN)
    with pytest.raises(NotTakenError, match="no answer in time"):
        await sender.send(of_notice("box", notify()), 0.05)
    with pytest.raises(NotTakenError, match="still hangs"):
        await sender.send(of_notice("box", notify()), 0.05)
    library.go_on.set()
    await until(lambda: len(library.told) > 0)
    assert len(library.told) == 1


OF_ITS_OWN = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
"""apprise's import, on Python below 3.13."""


@OF_ITS_OWN
async def test_the_real_apprise_delivers_to_a_json_target() -> None:
    pytest.importorskip("apprise")
    receiver = Receiver([200])
    async with served(receiver.answer) as url:
        sender = target(url("/hook").replace("http://", "json://"), Language.DE)
        await sender.send(of_notice("box", notify()), 20.0)
    assert receiver.bodies[0]["type"] == "failure"
    assert "Ladestopp" in str(receiver.bodies[0]["message"])


@OF_ITS_OWN
def test_a_url_that_apprise_does_not_know_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("apprise")
    with pytest.raises(BadUrlError):
        target(f"nonsense://{TOKEN}", Language.EN)
    assert TOKEN not in caplog.text


def test_without_the_extra_it_is_said_that_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(apprise_way, "import_module", missing)
    with pytest.raises(NotInstalledError):
        target("json://localhost", Language.EN)


# -- who is told what ----------------------------------------------------------------------------------------------


def told_to_people(*kinds: NoticeKind) -> list[str]:
    messages = [of_notice("box", notify(kind)) for kind in kinds]
    return [message.kind for message in messages if Ntfy("http://h/t", Language.EN).wants(message)]


@pytest.mark.parametrize("closing", CLOSING)
def test_people_get_one_message_for_an_episode_and_one_that_closes_it(closing: NoticeKind) -> None:
    assert told_to_people(NoticeKind.ALARM, NoticeKind.STEP, NoticeKind.STEP, closing) == ["alarm", closing]


def test_people_are_reminded_while_nothing_more_can_be_sent() -> None:
    course = (NoticeKind.ALARM, NoticeKind.STEP, NoticeKind.EXHAUSTED, NoticeKind.REMINDER, NoticeKind.ALL_CLEAR)
    assert told_to_people(*course) == ["alarm", "exhausted", "reminder", "all_clear"]


def test_machines_get_each_detail() -> None:
    assert all(Webhook("http://h/").wants(of_notice("box", notify(kind))) for kind in NoticeKind)


def test_that_the_central_system_undid_the_stop_is_said_in_the_next_message_to_people() -> None:
    assert told_to_people(NoticeKind.REMOTE_START) == []
    said = of_notice("box", notify(NoticeKind.ALL_CLEAR, remote_start_seen=True)).text
    assert "switch off the option remotestart" in said[Language.EN]
    assert "die Option remotestart ausschalten" in said[Language.DE]


# -- notices -----------------------------------------------------------------------------------------------------


def notices(*deliveries: Delivery, language: Language = Language.EN) -> tuple[Notices, Tally, FakeClock]:
    tally, clock = Tally(), FakeClock()
    made = Notices(language, clock.now, tally)
    made.use(language, list(deliveries))
    return made, tally, clock


def test_notices_go_to_the_log_in_the_owners_language_and_to_every_way(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    made, tally, _ = notices(Delivery("webhook", Memory()), Delivery("ntfy", Memory()), language=Language.DE)
    made.tell(BOX, notify())
    made.tell_about_ourselves("degraded", ORDERED.utc, parts="judge")
    made.tell_about_ourselves("test_alarm", ORDERED.utc)
    assert "Ladestopp" in caplog.text
    assert "eingeschränkt" in caplog.text
    assert "Testalarm" in caplog.text
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING", "WARNING"]
    assert tally.notifications_waiting == {"webhook": 3, "ntfy": 3}


def test_without_a_way_the_log_is_enough(caplog: pytest.LogCaptureFixture) -> None:
    made, _, _ = notices()
    made.tell(BOX, notify())
    made.tell_about_ourselves("duplicate", ORDERED.utc, "box", newcomer="192.0.2.1", holder="192.0.2.2")
    assert "a stop (0 A) was ordered" in caplog.text


def test_a_dangerous_command_is_told_once_in_both_languages(caplog: pytest.LogCaptureFixture) -> None:
    made, tally, _ = notices(Delivery("webhook", Memory()), language=Language.DE)
    told = Warn("HALO-UPG-01", Severity.CRITICAL, "UpdateFirmware", ORDERED, "It breaks.", "Es bricht.", is_told=True)
    made.warn(BOX, told)
    made.warn(BOX, replace(told, is_told=False))
    assert caplog.text.count("UpdateFirmware ist hindurchgegangen") == 1
    assert "(HALO-UPG-01): Es bricht." in caplog.text
    assert tally.notifications_waiting == {"webhook": 1}
    body = of_ourselves("danger", ORDERED.utc, "box", action="UpdateFirmware", fact="HALO-UPG-01", said=BREAKS).body
    assert body["text"] == {
        "de": "box: Gefahr! UpdateFirmware ist hindurchgegangen; zu diesem Gerät ist bekannt (HALO-UPG-01): Es bricht.",
        "en": "box: danger! UpdateFirmware passed; known of this device (HALO-UPG-01): It breaks.",
    }


def test_what_is_only_worth_knowing_of_a_device_stays_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    made, tally, _ = notices(Delivery("webhook", Memory()), language=Language.EN)
    told = Warn("HALO-SC-02", Severity.WARNING, "SetChargingProfile", ORDERED, "It waits.", "Es wartet.", is_told=True)
    made.warn(BOX, told)
    assert "box: SetChargingProfile passed. Known of this device (HALO-SC-02): It waits." in caplog.text
    assert not any(tally.notifications_waiting.values())


@asynccontextmanager
async def delivering(made: Notices) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.ways.run())
        try:
            yield
        finally:
            task.cancel()


async def test_P12_what_one_way_cannot_deliver_is_alarmed_by_the_others_and_hourly_at_most() -> None:
    broken = Memory(*(RefusedError("HTTP status 404") for _ in range(9)))
    good = Memory()
    made, tally, clock = notices(Delivery("webhook", broken), Delivery("ntfy", good))
    async with delivering(made):
        for _ in range(3):
            made.tell(BOX, notify())
        await until(lambda: len(good.sent) == 4)
        clock.advance(3_601)
        made.tell(BOX, notify())
        await until(lambda: len(good.sent) == 6)
    kinds = [message.kind for message in good.sent]
    assert kinds.count("undelivered") == 2
    said = next(message for message in good.sent if message.kind == "undelivered")
    assert said.text[Language.EN].startswith("A message did not arrive by webhook (HTTP status 404)")
    assert tally.notifications["webhook", "undelivered"] == 4
    assert broken.sent == []


async def test_ways_that_all_fail_do_not_tell_each_other_for_ever() -> None:
    one, other = (Memory(*(RefusedError("HTTP status 404") for _ in range(99))) for _ in range(2))
    made, tally, _ = notices(Delivery("webhook", one), Delivery("ntfy", other))
    async with delivering(made):
        made.tell(BOX, notify())
        await until(lambda: sum(tally.notifications.values()) == 4)
        await asyncio.sleep(0.02)
    assert tally.notifications == {("webhook", "undelivered"): 2, ("ntfy", "undelivered"): 2}


# -- heartbeat -----------------------------------------------------------------------------------------------------


async def test_the_heartbeat_fetches_its_address_while_the_judge_is_alive() -> None:
    receiver, tally, alive = Receiver([200]), Tally(), [True, False, True]
    async with served(receiver.answer) as url:
        heartbeat = Heartbeat(Beat(), lambda: alive.pop(0), tally)
        for _ in range(3):
            await heartbeat.once(url("/ping"))
    assert receiver.paths == ["GET /ping", "GET /ping"]
    assert tally.heartbeats == {"sent": 2, "withheld": 1}


async def test_a_heartbeat_that_is_not_taken_is_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    receiver, tally = Receiver([500, 500, 200, 500]), Tally()
    async with served(receiver.answer) as url:
        heartbeat = Heartbeat(Beat(), lambda: True, tally)
        for _ in range(4):
            await heartbeat.once(url(f"/{TOKEN}"))
    assert tally.heartbeats == {"failed": 3, "sent": 1}
    ours = [line.getMessage() for line in caplog.records if line.name.startswith("ocpp_watchdog")]
    assert ours == ["the heartbeat was not taken: HTTP status 500"] * 2


async def test_the_heartbeat_beats_by_itself_and_waits_for_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp_watchdog.shell.notify.heartbeat.IDLE_SECONDS", 0.001)
    receiver = Receiver([200])
    async with served(receiver.answer) as url, asyncio.TaskGroup() as group:
        heartbeat = Heartbeat(Beat(), lambda: True, Tally())
        task = group.create_task(heartbeat.run())
        await asyncio.sleep(0.01)
        assert receiver.paths == []
        heartbeat.beat = Beat(url("/ping"), every_seconds=0.001)
        await until(lambda: len(receiver.paths) >= 3)
        task.cancel()


def failing(times: int, mono: float, tally: Tally) -> Tally:
    for _ in range(times):
        tally.judge_failures_in_a_row += 1
        tally.fault("judge", mono)
    return tally


@pytest.fixture(name="tally")
def a_tally() -> Tally:
    return Tally()


def test_a_judge_that_was_never_asked_is_fresh(tally: Tally) -> None:
    assert tally.is_fresh(1_000.0)


def test_a_judge_that_fails_on_everything_is_not_alive(tally: Tally) -> None:
    assert failing(19, 1_000.0, tally).is_fresh(1_001.0)
    assert not failing(1, 1_001.0, tally).is_fresh(1_001.0)


def test_a_judge_that_has_not_judged_for_a_minute_although_it_was_asked_is_not_fresh(tally: Tally) -> None:
    failing(2, 1_000.0, tally)
    assert tally.is_fresh(1_059.0)
    assert not tally.is_fresh(1_061.0)
    tally.judge_failures_in_a_row = 0
    assert tally.is_fresh(1_061.0)


def test_what_breaks_beside_the_judge_leaves_it_fresh(tally: Tally) -> None:
    tally.fault("notify", 1_000.0)
    assert tally.is_fresh(2_000.0)


def test_a_step_that_failed_is_in_the_words_of_the_next_message() -> None:
    skipped = (step_record(StepOutcome.SKIPPED, why="no usable transaction id"),)
    said = of_notice("box", notify(NoticeKind.EXHAUSTED, steps=skipped)).text[Language.EN]
    assert "Please stop it by hand" in said


def test_what_the_program_says_of_itself_has_a_title() -> None:
    assert (
        of_ourselves("degraded", ORDERED.utc, None, parts="judge").title[Language.DE] == "Der Wächter ist eingeschränkt"
    )


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://127.0.0.1:9/?token=geheim", "Connection refused"),
        ("http://geheim.invalid/", "the name does not resolve"),
        ("https://127.0.0.1:{port}/geheim", "no TLS that can be trusted"),
    ],
)
async def test_why_a_server_was_not_reached_is_said_in_words_and_never_with_its_address(address: str, why: str) -> None:
    async with TestServer(web.Application()) as server:
        with pytest.raises(NotTakenError, match=f"^{why}$"):
            await request("GET", address.format(port=server.port), 5.0)
