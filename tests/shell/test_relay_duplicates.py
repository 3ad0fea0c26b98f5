"""R11: one session per charge point id."""

import asyncio
import logging
import time

import pytest
from relay_stage import ACCEPTED, Peer, basic, masked, request, staged

from ocpp_watchdog.core import wire
from ocpp_watchdog.shell.relay import Contest

CALL = b'[2,"1","Heartbeat",{}]'


async def answer_pings(peer: Peer) -> None:
    """Be a charge point that lives."""
    while True:
        frame = await peer.frame(60)
        if frame[0] & wire.OPCODE == wire.PING:
            await peer.send(masked(wire.payload_of(frame), wire.PONG))


async def passes(charge_point, central_system):
    await charge_point.send(masked(CALL))
    await central_system.gets(masked(CALL))


async def test_relay_R11_a_newcomer_is_refused_while_the_old_charge_point_answers():
    async with staged() as stage, asyncio.TaskGroup() as tasks:
        charge_point, central_system = await stage.joined()
        alive = tasks.create_task(answer_pings(charge_point))
        began = time.monotonic()
        newcomer = await stage.dial(request())
        assert (await newcomer.head()).status == 409
        assert time.monotonic() - began < 1
        assert stage.nobody_was_dialled
        await passes(charge_point, central_system)
        assert [(alarm.charge_point, alarm.newcomer, alarm.holder, alarm.outcome) for alarm in stage.alarms] == [
            ("CP1", "127.0.0.1", "127.0.0.1", Contest.REFUSED)
        ]
        assert stage.relay.counters.duplicates == 1
        assert stage.relay.counters.refusals == {"duplicate": 1}
        alive.cancel()


async def test_relay_R11_a_silent_charge_point_makes_room_within_its_probe():
    async with staged(duplicate_probe=0.2) as stage:
        _, old_central_system = await stage.joined()
        old_judge = stage.judge
        began = time.monotonic()
        newcomer = await stage.dial(request())
        central_system = await stage.arrival()
        assert 0.15 < time.monotonic() - began < 1
        assert old_judge.of("closed") == [("closed", "replaced by a new connection")]
        assert await old_central_system.rest() == b""
        await central_system.head()
        await central_system.send(ACCEPTED)
        await newcomer.head()
        await passes(newcomer, central_system)
        assert stage.alarms[0].outcome is Contest.REPLACED
        assert len(stage.relay.sessions) == 1


@pytest.mark.parametrize("how", ["fin", "close"])
async def test_relay_R11_an_old_session_that_is_ending_makes_room_at_once_and_without_alarm(how):
    async with staged(duplicate_probe=5, flush=2) as stage:
        charge_point, old_central_system = await stage.joined()
        if how == "fin":
            charge_point.fin()
            await old_central_system.rest()
        else:
            await charge_point.send(masked(b"\x03\xe8", wire.CLOSE))
            await old_central_system.close_code()
        pair = await stage.joined()
        await passes(*pair)
        assert not stage.alarms


async def test_relay_R11_an_old_session_that_ends_while_it_is_asked_makes_room_at_once():
    async with staged(duplicate_probe=5) as stage:
        charge_point, _ = await stage.joined()
        newcomer = await stage.dial(request())
        assert (await charge_point.frame())[0] & wire.OPCODE == wire.PING
        charge_point.reset()
        central_system = await stage.arrival(1)
        await central_system.head()
        await central_system.send(ACCEPTED)
        await newcomer.head()
        await passes(newcomer, central_system)


async def test_relay_R11_what_ends_late_of_an_old_session_does_not_touch_the_new_one():
    async with staged(duplicate_probe=0.1) as stage:
        _, old_central_system = await stage.joined()
        pair = await stage.joined()
        await old_central_system.is_ended()
        old_central_system.leave()
        old = stage.judges[0]
        old.link.close(1000, "late")
        old.link.release_calls()
        old.inject("late")
        assert old.calls[-1] == ("written", False)
        await passes(*pair)
        assert list(stage.relay.sessions) == ["CP1"]
        assert stage.relay.sessions["CP1"] is stage.judges[1].link


async def test_relay_R11_ids_are_told_apart_by_the_last_segment_decoded_and_by_case():
    async with staged(duplicate_probe=0.05) as stage:
        for target in (b"/CP1", b"/cp1", b"/CP%2f1", b"/%43P1%00", b"/%ff", b"/%fe"):
            await stage.joined(request(target))
        assert sorted(stage.relay.sessions) == sorted(["CP1", "cp1", "CP/1", "CP1\0", "\\xff", "\\xfe"])
        assert stage.relay.counters.duplicates == 0
        await stage.joined(request(b"/other/%43%501"))
        assert stage.relay.counters.duplicates == 1


async def test_relay_R11_handshakes_of_one_id_take_turns():
    async with staged(duplicate_probe=0.1) as stage:
        first = await stage.dial(request())
        central_system = await stage.arrival()
        second = await stage.dial(request())
        await second.gets_nothing(0.1)
        assert stage.nobody_was_dialled
        await central_system.send(ACCEPTED)
        await first.head()
        await central_system.head()
        other = await stage.arrival()
        await other.send(ACCEPTED)
        assert (await second.head()).status == 101
        assert await first.is_ended() < 1


async def test_relay_R11_a_newcomer_that_waits_too_long_for_its_turn_is_sent_away():
    async with staged(connect_timeout=0.3) as stage:
        first, second = [await stage.dial(request()) for _ in range(2)]
        # Both wait equally long; on a busy machine the second may get its turn in the moment the first gives up.
        assert (await second.head()).status in {503, 504}
        assert (await first.head()).status == 504


async def test_relay_R11_the_password_of_a_newcomer_is_checked_first():
    async with staged(admitted={"CP1": "right"}) as stage:
        await stage.joined(request(b"/CP1", basic("CP1", b"right")))
        newcomer = await stage.dial(request(b"/CP1", basic("CP1", b"wrong")))
        assert (await newcomer.head()).status == 401
        assert stage.relay.counters.duplicates == 0


async def test_relay_R11_two_that_fight_are_held_back_and_not_told_of_for_ever(caplog):
    caplog.set_level(logging.WARNING)
    async with staged(fight_burst=4, fight_refill=30) as stage, asyncio.TaskGroup() as tasks:
        charge_point, central_system = await stage.joined()
        alive = tasks.create_task(answer_pings(charge_point))
        statuses = []
        for _ in range(20):
            newcomer = await stage.dial(request())
            head = await newcomer.head()
            statuses.append(head.status)
            newcomer.leave()
        assert statuses == [409] * 4 + [429] * 16
        assert head.headers[b"retry-after"] == [b"30"]
        assert stage.relay.counters.duplicates == 20
        assert 1 <= len(stage.alarms) <= 4
        assert len(caplog.records) <= 10
        await passes(charge_point, central_system)
        await stage.until(lambda: stage.relay.counters.charge_point_connections == 1)
        alive.cancel()


async def test_relay_R11_an_alarm_that_fails_changes_nothing():
    def fail(duplicate):
        raise RuntimeError("no alarm today")

    async with staged(duplicate=fail) as stage, asyncio.TaskGroup() as tasks:
        charge_point, _ = await stage.joined()
        alive = tasks.create_task(answer_pings(charge_point))
        newcomer = await stage.dial(request())
        assert (await newcomer.head()).status == 409
        assert stage.relay.counters.faults == 1
        alive.cancel()
