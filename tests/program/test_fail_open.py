"""Whatever breaks in judging, counting or telling, every frame goes on, it is counted, and it is said within a minute.

DESIGN R12. Parts of the running program are made to raise; numbered messages are counted at both raw ends, and a second
session, whose judge is whole, must notice nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientSession
from raw_ends import End, Wires, wired
from whole_program import Hook, Page, scrape

from examples import meter_values, result, sampled, set_limit, status_result
from ocpp_watchdog import app
from ocpp_watchdog.app import Proxy
from ocpp_watchdog.core.station import Station
from ocpp_watchdog.shell import care
from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.shell.tally import Tally

SPEED = 20.0
"""Seconds of the program's clock per second; what it does by the event loop's own time is scaled below."""

MANY = 300
SAID_WITHIN_SECONDS = 60.0
LAST_WORDS = 20
BROKEN, WHOLE = "BROKEN", "WHOLE"
QUESTIONS = ("connected", "disconnected", "receive", "skim", "tick", "own_answer", "may_send", "written", "view")


class OutOfOrderError(Exception):
    """What a broken part raises."""


@dataclass
class Room:
    """The running program, two sessions on it, and the web hook's server."""

    proxy: Proxy
    wires: Wires
    hook: Hook
    broken: tuple[End, End]
    whole: tuple[End, End]

    async def degraded_is_said(self) -> Page:
        """Wait until people are told; gives the page then. Fails when it takes more than a minute of the clock."""
        began = self.proxy.tally.last_fault_mono or self.proxy.clock.now().mono
        while "degraded" not in self.hook.kinds():
            assert self.proxy.clock.now().mono - began < SAID_WITHIN_SECONDS
            await asyncio.sleep(0.01)
        page = await scrape(self.proxy)
        assert page.value("degraded") == 1
        return page


@asynccontextmanager
async def room(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    """Everything, joined. What a test breaks before is broken from the first frame on."""
    monkeypatch.setattr(care, "LOOK_SECONDS", care.LOOK_SECONDS / SPEED)
    no_question = {"may_question": False}  # on a slow machine so much time passes that readings would be asked for
    async with (
        Hook().serving() as hook,
        wired(Clock(SPEED), webhook={"url": hook.url}, judge=no_question) as (proxy, wires),
    ):
        broken, whole = await wires.joined(BROKEN), await wires.joined(WHOLE)
        yield Room(proxy, wires, hook, broken, whole)


# -- numbered messages -------------------------------------------------------------------------------------------


def numbered_up(number: int) -> str:
    """The charge point's messages: readings, statuses, and answers that nobody asked for."""
    kinds = (
        lambda: meter_values(f"u{number}", [sampled("Current.Import", "6.5", "A")], "2026-11-20T16:03:09Z"),
        lambda: json.dumps([2, f"u{number}", "Heartbeat", {}]),
        lambda: json.dumps([2, f"u{number}", "StatusNotification", {"connectorId": 1, "status": "Charging"}]),
        lambda: status_result(f"d{number - 1}"),
    )
    return kinds[number % len(kinds)]()


def numbered_down(number: int) -> str:
    """The central system's."""
    kinds = (
        lambda: set_limit(f"d{number}", number % 16, 1_795_190_589.0),
        lambda: result(f"u{number - 1}"),
        lambda: json.dumps([2, f"d{number}", "TriggerMessage", {"requestedMessage": "MeterValues"}]),
    )
    return kinds[number % len(kinds)]()


async def none_is_lost(pair: tuple[End, End], many: int = MANY) -> None:
    """Send numbered messages both ways at once; each arrives, once, in order, as it was."""
    charge_point, central = pair
    up = [numbered_up(number).encode() for number in range(many)]
    down = [numbered_down(number).encode() for number in range(many)]
    async with asyncio.TaskGroup() as group:
        group.create_task(sends(charge_point, up))
        group.create_task(sends(central, down))
        group.create_task(gets(central, up))
        group.create_task(gets(charge_point, down))


async def sends(end: End, texts: Sequence[bytes]) -> None:
    for text in texts:
        await end.send(end.wired(text))
        await asyncio.sleep(0)


async def gets(end: End, texts: Sequence[bytes]) -> None:
    for text in texts:
        assert await end.text() == text


async def is_judged(room: Room) -> None:
    """The whole session's judge works: it learns a limit, says so on the page, and no frame is lost there."""
    charge_point, central = room.whole
    order = set_limit("limit-1", 7, 1_795_190_589.0).encode()
    await central.send(central.wired(order))
    assert await charge_point.text() == order
    answer = status_result("limit-1").encode()
    await charge_point.send(charge_point.wired(answer))
    assert await central.text() == answer
    page = await scrape(room.proxy)
    assert page.value("limit_in_force_amperes", charge_point=WHOLE, connector="1") == 7.0


# -- the judge ---------------------------------------------------------------------------------------------------


def raising(*names: str, error: type[Exception] = OutOfOrderError) -> type[Station]:
    """A station that raises on these questions."""

    def broken(*_: object) -> Any:
        raise error("broken on purpose")

    return type("Broken", (Station,), dict.fromkeys(names, broken))


def unmakeable(*_: object) -> Station:
    raise OutOfOrderError("cannot be made")


def breaks_for_one(monkeypatch: pytest.MonkeyPatch, station: Callable[..., Station]) -> None:
    """The charge point BROKEN gets this station, all others a whole one."""

    def factory(charge_point: str, *more: Any) -> Station:
        return station(charge_point, *more) if charge_point == BROKEN else Station(charge_point, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(app, "SupervisedStation", factory)


@pytest.mark.parametrize(
    ("station", "every_frame"),
    [
        (raising("receive", "skim"), True),
        (raising("receive", "skim", error=RecursionError), True),
        (raising("receive", "skim", error=MemoryError), True),
        (raising(*QUESTIONS), True),
        (raising("tick", "view"), False),
        (unmakeable, False),
    ],
    ids=["every_frame", "recursion", "memory", "every_question", "time_and_sight", "cannot_be_made"],
)
async def test_a_judge_that_raises_loses_no_frame_and_disturbs_nobody(
    station: Callable[..., Station],
    every_frame: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    breaks_for_one(monkeypatch, station)
    async with room(monkeypatch) as here:
        async with asyncio.TaskGroup() as group:
            group.create_task(none_is_lost(here.broken))
            group.create_task(none_is_lost(here.whole))
        await is_judged(here)
        page = await here.degraded_is_said()
        await none_is_lost(here.broken, LAST_WORDS)
        faults = page.total("faults_total")
        assert faults >= 2 * MANY if every_frame else faults >= 1
        assert page.value("injected_calls_total") == 0
    errors = [record for record in caplog.records if record.levelname == "ERROR" and record.exc_info]
    assert 1 <= len(errors) <= LAST_WORDS, "told, and not once for each frame"


async def test_a_judge_that_fails_on_everything_is_not_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "SupervisedStation", raising("receive", "skim"))
    async with room(monkeypatch) as here:
        await none_is_lost(here.broken)
        async with ClientSession() as session, session.get(f"{here.proxy.admin_url}/healthz") as response:
            assert response.status == 503


async def test_a_session_that_was_broken_is_judged_again_after_a_new_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        breaks_for_one(broken, unmakeable)
        async with room(broken) as here:
            await none_is_lost(here.broken, LAST_WORDS)
            broken.setattr(app, "SupervisedStation", Station)
            here.broken[0].writer.transport.abort()
            await here.broken[1].is_over()
            here.whole = await here.wires.joined(BROKEN)
            await none_is_lost(here.whole, LAST_WORDS)
            page = await scrape(here.proxy)
            assert page.value("connected", charge_point=BROKEN) == 1


# -- counting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", ["frame", "delay"])
async def test_a_counter_that_raises_loses_no_frame(count: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OutOfOrderError("cannot count")

    monkeypatch.setattr(Tally, count, broken)
    async with room(monkeypatch) as here:
        async with asyncio.TaskGroup() as group:
            group.create_task(none_is_lost(here.broken))
            group.create_task(none_is_lost(here.whole))
        page = await here.degraded_is_said()
        assert page.total("faults_total") >= (MANY if count == "frame" else 4)  # of the delays some are taken only
        await is_judged(here)


async def test_a_counter_that_raises_does_not_fill_a_disk(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise OutOfOrderError("cannot count")

    monkeypatch.setattr(Tally, "frame", broken)
    async with room(monkeypatch) as here:
        await none_is_lost(here.broken)
    assert 1 <= len([record for record in caplog.records if record.exc_info]) <= LAST_WORDS


async def test_a_page_that_cannot_be_made_loses_no_frame_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OutOfOrderError("cannot be read")

    async with room(monkeypatch) as here:
        with monkeypatch.context() as patch:
            patch.setattr(app, "relay_numbers", broken)
            async with asyncio.TaskGroup() as group:
                group.create_task(none_is_lost(here.broken))
                group.create_task(none_is_lost(here.whole))
                for _ in range(3):
                    await is_refused(here.proxy)
        page = await here.degraded_is_said()
        assert page.value("faults_total", part="metrics") >= 3
        await is_judged(here)


async def is_refused(proxy: Proxy) -> None:
    """The page answers, and not with a page."""
    async with ClientSession() as session, session.get(f"{proxy.admin_url}/metrics") as response:
        assert response.status == 500
        assert "cannot be read" not in await response.text()


# -- what peers send ---------------------------------------------------------------------------------------------


def big_meter_values(samples: int) -> bytes:
    """One MeterValues with so many samples."""
    values = [sampled("Current.Import", f"{number % 32}.5", "A") for number in range(samples)]
    return meter_values("big", values, "2026-11-20T16:03:09Z").encode()


@pytest.mark.parametrize(("samples", "is_judged_too"), [(20_000, False), (3_000, True)])
async def test_huge_meter_values_pass_first_and_hold_nobody_up(
    samples: int,
    is_judged_too: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    big = big_meter_values(samples)
    assert len(big) > 1 << 20 if samples == 20_000 else len(big) < 1 << 18
    async with room(monkeypatch) as here:
        charge_point, central = here.broken
        waits: list[float] = []
        for _ in range(5):
            began = time.process_time()  # this process works for all of them; what others work here counts for nobody
            async with asyncio.TaskGroup() as group:
                group.create_task(charge_point.send(charge_point.wired(big)))
                group.create_task(gets(central, [big]))
                group.create_task(none_is_lost(here.whole, 1))
            waits.append(time.process_time() - began)
        await none_is_lost(here.broken, LAST_WORDS)
        page = await scrape(here.proxy)
        assert page.value("peer_nonsense_total", kind="too_large") == (0 if is_judged_too else 5)
        assert page.total("faults_total") == 0
        await is_judged(here)
        assert min(waits) < 1.0, waits


GARBAGE: tuple[Callable[[int], bytes], ...] = (
    lambda number: b"garbage %d" % number,
    lambda number: b'[2,"%d","MeterValues",{"connectorId":1,"meterValue":[{"sampledValue":[,{' % number,
    lambda number: b'[2,"%d","Heartbeat",{}]\0' % number,
    lambda number: b'{"number":%d}' % number,
    lambda number: b"[%d]" % number,
    lambda number: b'[true,"%d","Heartbeat",{}]' % number,
    lambda number: b'[9,"%d",{}]' % number,
    lambda number: b'[2,["%d"],"Heartbeat",{}]' % number,
    lambda number: b'[2,"%d","%s",{}]' % (number, b"x" * 2000),
    lambda number: b'[2,"%d","Heartbeat",%s' % (number, b"[" * 5000),
    lambda number: b'[3,"%d",{"currentTime":"\\ud800"}]' % number,
    lambda number: b'[2,"%d","DataTransfer",{"data":%s}]' % (number, b"9" * 5000),
    lambda number: b'[2,"%d","MeterValues",{"connectorId":NaN,"meterValue":1e999}]' % number,
    lambda number: b'[4,"%d"]' % number,
    lambda number: b'[2,"%d","StatusNotification",{"connectorId":1,"status":"\xff\xfe"}]' % number,
    lambda number: b"" if number % 2 else b"\xef\xbb\xbf[]",
)


async def test_a_flood_of_nonsense_is_forwarded_counted_and_not_written_down(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    flood = [GARBAGE[number % len(GARBAGE)](number) for number in range(250 * len(GARBAGE))]
    async with room(monkeypatch) as here:
        charge_point, central = here.broken
        async with asyncio.TaskGroup() as group:
            group.create_task(sends(charge_point, flood))
            group.create_task(sends(central, flood))
            group.create_task(gets(central, flood))
            group.create_task(gets(charge_point, flood))
            group.create_task(none_is_lost(here.whole))
        page = await scrape(here.proxy)
        assert page.total("faults_total") == 0
        assert page.value("degraded") == 0
        assert page.value("decode_failures_total") >= len(flood)
        assert page.total("frames_total", action="other") >= len(flood)
        assert page.value("injected_calls_total") == 0
        await is_judged(here)
    assert len(caplog.records) <= LAST_WORDS, "a flood must not fill a disk"
