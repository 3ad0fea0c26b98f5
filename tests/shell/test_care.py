"""The program looks after itself: failing parts, fights for an id, and whether the central system is there."""

from __future__ import annotations

import asyncio

import pytest

from ocpp_watchdog.shell import care as care_module
from ocpp_watchdog.shell.care import Care, Reach
from ocpp_watchdog.shell.tally import Tally
from shell_fakes import FakeClock


class Room:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.tally = Tally()
        self.relay_faults = 0
        self.told: list[tuple[str, str | None, dict[str, str]]] = []
        self.care = Care(self.clock, self.tally, self.tell, lambda: self.relay_faults)

    def tell(self, kind: str, at_utc: float, charge_point: str | None = None, **values: str) -> None:
        assert at_utc == self.clock.now().utc
        self.told.append((kind, charge_point, values))


def test_R12_a_degraded_program_says_so_once_and_names_the_part() -> None:
    room = Room()
    room.care.look()
    assert room.told == []
    room.tally.fault("judge", room.clock.now().mono)
    room.care.look()
    room.care.look()
    assert room.told == [("degraded", None, {"parts": "judge"})]


def test_a_second_spell_is_told_again() -> None:
    room = Room()
    for _ in range(2):
        room.tally.fault("judge", room.clock.now().mono)
        room.care.look()
        room.clock.advance(301)
        room.care.look()
    assert [kind for kind, _, _ in room.told] == ["degraded", "degraded"]


def test_only_the_parts_of_this_spell_are_named() -> None:
    room = Room()
    for part in ("judge", "notify"):
        room.tally.fault(part, room.clock.now().mono)
        room.care.look()
        room.clock.advance(301)
        room.care.look()
    assert [values["parts"] for _, _, values in room.told] == ["judge", "notify"]


def test_what_breaks_in_the_relay_counts_too() -> None:
    room = Room()
    room.relay_faults = 2
    room.care.look()
    room.care.look()
    assert room.tally.faults["relay"] == 2
    assert room.told == [("degraded", None, {"parts": "relay"})]


async def test_it_looks_by_itself_well_within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    assert care_module.LOOK_SECONDS <= 60
    monkeypatch.setattr(care_module, "LOOK_SECONDS", 0.001)
    room = Room()
    room.tally.fault("judge", room.clock.now().mono)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(room.care.run())
        async with asyncio.timeout(20):
            while not room.told:
                await asyncio.sleep(0.001)
        task.cancel()


def test_S5_a_fight_for_an_id_is_told_once_in_ten_minutes() -> None:
    room = Room()
    for _ in range(20):
        room.care.duplicate("box", "192.0.2.1", "192.0.2.2")
    room.care.duplicate("other", "192.0.2.1", "192.0.2.2")
    assert [charge_point for _, charge_point, _ in room.told] == ["box", "other"]
    assert room.told[0] == ("duplicate", "box", {"newcomer": "192.0.2.1", "holder": "192.0.2.2"})
    room.clock.advance(601)
    room.care.duplicate("box", "192.0.2.1", "192.0.2.2")
    assert len(room.told) == 3


def test_W11_what_is_remembered_of_fights_is_bounded() -> None:
    room = Room()
    for number in range(3_000):
        room.care.duplicate(f"box-{number}", "a", "b")
    assert len(room.care._quiet_until) <= 1_000


def test_R10_who_does_not_answer_is_told_of_once_an_hour() -> None:
    room = Room()
    for _ in range(5):
        room.care.unanswered("box")
    room.care.duplicate("box", "192.0.2.1", "192.0.2.2")
    room.clock.advance(3_601)
    room.care.unanswered("box")
    assert [kind for kind, _, _ in room.told] == ["unanswered", "duplicate", "unanswered"]


async def test_the_central_system_is_there_when_its_door_opens() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        assert await Reach("127.0.0.1", port, lambda: False).is_there()
    assert not await Reach("127.0.0.1", port, lambda: False).is_there()


async def test_a_live_session_is_proof_enough() -> None:
    assert await Reach("127.0.0.1", 9, lambda: True).is_there()


async def test_the_door_is_not_tried_at_every_question() -> None:
    tried = 0

    def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tried
        tried += 1
        writer.close()

    server = await asyncio.start_server(count, "127.0.0.1", 0)
    async with server:
        reach = Reach("127.0.0.1", server.sockets[0].getsockname()[1], lambda: False)
        for _ in range(10):
            assert await reach.is_there()
        async with asyncio.timeout(20):
            while not tried:
                await asyncio.sleep(0.001)
    assert tried == 1
