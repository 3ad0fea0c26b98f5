"""Links that go dark, one way or both, cut, lossy, slow, or destroyed: real ones, between namespaces."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from fault_stage import all_arrive, charging, known_for_a_while, masked, reading, round_trip, unmasked
from lab_stage import lab_staged
from side_by_side import lasting, side_by_side, wants_lab

import examples
from ocpp_watchdog.core import wire
from shell.relay_stage import Peer

TOLD_WITHIN_SECONDS = 45.0
DARK_SECONDS = lasting(60.0, 600.0)
LOSSY_SECONDS = lasting(55.0, 300.0)


async def a_dark_charge_point(folder: Path, fault: str) -> str:
    """The charge point's link goes dark in the middle of a transaction."""
    async with lab_staged(folder) as (net, stage):
        program = stage.program
        await program.page()  # what the page needs once and keeps is there
        descriptors, threads = program.descriptors, program.status("Threads")
        charger, central = await stage.joined()
        await charging(charger, central)
        before = await program.page()
        phase = before.ones("phase", "phase")
        net.do(fault, "a")
        dark = time.monotonic()
        told = await central.is_ended(60.0)
        assert told <= TOLD_WITHIN_SECONDS, told
        page = await program.page()
        assert page.value("connected", charge_point="CP1") == 0
        assert page.ones("phase", "phase") == phase
        assert "out_of_sight" in page.ones("finding", "finding")
        measured = {key: value for key, value in page.samples.items() if key[0] == "measured_current_amperes"}
        assert measured == {key: value for key, value in before.samples.items() if key in measured} or not any(
            value == 0 for value in measured.values()
        )
        await program.is_empty(descriptors, threads)
        await asyncio.sleep(max(0.0, dark + DARK_SECONDS - time.monotonic()))
        assert "out_of_sight" in (await program.page()).ones("finding", "finding")
        net.do("heal", "a")
        await stage.is_alive()
        return f"central system told after {told:.1f} s, phase {'+'.join(phase)} kept, nothing left"


@side_by_side
@wants_lab
async def test_T1_a_charge_point_out_of_reach_is_noticed_and_nothing_is_claimed(folder: Path) -> str:
    return await a_dark_charge_point(folder, "dark")


@side_by_side
@wants_lab
async def test_T3_a_charge_point_that_can_hear_and_not_speak_is_noticed_too(folder: Path) -> str:
    return await a_dark_charge_point(folder, "oneway")


@side_by_side
@wants_lab
async def test_T2_the_judge_acts_while_the_central_system_is_out_of_reach(folder: Path) -> str:
    """The stop order was given before; the readings that convict come while nobody there can see them."""
    async with lab_staged(folder, judge={"settle_seconds": 5}) as (net, stage):
        await stage.program.page()
        descriptors, threads = stage.program.descriptors, stage.program.status("Threads")
        charger, central = await stage.joined()
        await charging(charger, central)
        await known_for_a_while(charger, central)
        await down_order(charger, central)
        net.do("dark", "b")
        dark = time.monotonic()
        stopped = 0.0
        async with asyncio.TaskGroup() as group:
            group.create_task(keeps_reading(charger, 8))
            async with asyncio.timeout(TOLD_WITHIN_SECONDS):
                while True:
                    try:
                        raw = await charger.frame(TOLD_WITHIN_SECONDS)
                    except (asyncio.IncompleteReadError, ConnectionError):
                        break
                    assert raw[0] & wire.OPCODE == wire.TEXT
                    kind, uid, action, *_ = json.loads(wire.payload_of(raw))
                    assert kind == 2, "something was answered in the central system's name"
                    assert uid.startswith("wd-")
                    if action == "RemoteStopTransaction":
                        stopped = time.monotonic() - dark
                        await charger.send(masked(examples.status_result(uid, "Rejected")))
        told = time.monotonic() - dark
        assert stopped, f"the judge did not act: {stage.program.log()}"
        await stage.program.is_empty(descriptors, threads)
        net.do("heal", "b")
        await stage.is_alive()
        return f"RemoteStopTransaction after {stopped:.1f} s in the dark, told after {told:.1f} s, nothing answered"


async def down_order(charger: Peer, central: Peer) -> None:
    """A stop order, accepted."""
    order, answer = examples.set_limit("p2", 0, time.time()), examples.status_result("p2")
    await central.send(unmasked(order))
    await charger.gets(unmasked(order))
    await charger.send(masked(answer))
    await central.gets(masked(answer))


async def keeps_reading(charger: Peer, many: int) -> None:
    """Readings of 6.5 A, five seconds apart, whoever hears them."""
    for number in range(1, many):
        await charger.send(masked(reading(number)))
        await asyncio.sleep(5.0)


@side_by_side
@wants_lab
async def test_T4_a_cable_out_for_five_seconds_costs_nothing(folder: Path) -> str:
    async with lab_staged(folder) as (net, stage):
        charger, central = await stage.joined()

        async def fault() -> None:
            await asyncio.sleep(3.0)
            net.do("cut", "a")
            await asyncio.sleep(5.0)
            net.do("heal", "a")

        async with asyncio.TaskGroup() as group:
            group.create_task(fault())
            group.create_task(all_arrive(charger, central, 300, 0.05, 30.0))
        await round_trip(charger, central)
        return "same session, 300 + 300 messages in order"


@side_by_side
@wants_lab
async def test_T5_loss_and_a_slow_line_are_no_dead_peer(folder: Path) -> str:
    """20 % loss, then 64 kbit/s, on the charge point's link."""
    many = int(LOSSY_SECONDS * 10)
    async with lab_staged(folder) as (net, stage):
        charger, central = await stage.joined()
        for fault, value in (("loss", "20"), ("rate", "64kbit")):
            net.do(fault, "a", value)
            await all_arrive(charger, central, many, 0.1, 60.0)
            net.do("heal", "a")
        await round_trip(charger, central)
        return f"same session, 2 x {many} messages each way in order"


@side_by_side
@wants_lab
async def test_T15_destroyed_connections_end_both_and_the_charge_point_is_back_at_its_next_try(folder: Path) -> str:
    async with lab_staged(folder) as (net, stage):
        worst = back = 0.0
        for links in ("a", "b", "ab"):
            charger, central = await stage.joined()
            await round_trip(charger, central)
            for link in links:
                net.do("rst", link)
            began = time.monotonic()
            async with asyncio.TaskGroup() as group:
                ends = [group.create_task(end.is_ended(3.0)) for end in (charger, central)]
            worst = max(worst, *(end.result() for end in ends))
            began = time.monotonic()
            pair = await stage.joined()
            await round_trip(*pair)
            back = max(back, time.monotonic() - began)
            pair[0].leave()
            await pair[1].is_ended()
        assert back <= 1.0
        return f"both ended within {worst:.2f} s, back {back:.2f} s after dialling"


# -- a charge point that comes back ------------------------------------------------------------------------------


@side_by_side
@wants_lab
async def test_S3_a_charge_point_is_let_in_while_its_old_session_is_half_open(folder: Path) -> str:
    async with lab_staged(folder) as (net, stage):
        charger, central = await stage.joined()
        await charging(charger, central)
        net.drop_port(charger.writer.get_extra_info("sockname")[1])
        began = time.monotonic()
        again, central_again = await stage.joined()
        seconds = time.monotonic() - began
        assert seconds <= 3.0
        await central.is_ended()
        await round_trip(again, central_again)
        assert (await stage.program.page()).value("connected", charge_point="CP1") == 1
        return f"accepted after {seconds:.2f} s, one upstream session"


@side_by_side
@wants_lab
async def test_S4_what_the_old_session_does_later_never_touches_the_new_one(folder: Path) -> str:
    async with lab_staged(folder) as (net, stage):
        charger, central = await stage.joined()
        await charging(charger, central, limit=7)
        net.drop_port(charger.writer.get_extra_info("sockname")[1])
        again, central_again = await stage.joined()
        before = await stage.program.page()
        net.let_go()
        charger.writer.write(masked("late words of the old session") * 3)
        central.leave()
        await asyncio.sleep(0.5)
        charger.writer.transport.abort()
        await asyncio.sleep(1.5)
        await round_trip(again, central_again)
        await again.gets_nothing()
        await central_again.gets_nothing()
        page = await stage.program.page()
        assert page.value("connected", charge_point="CP1") == 1
        for name in ("phase", "commanded_limit_amperes", "limit_in_force_amperes", "measured_current_amperes"):
            shown = {key: str(value) for key, value in page.samples.items() if key[0] == name}
            assert shown == {key: str(value) for key, value in before.samples.items() if key[0] == name}
        assert page.value("commanded_limit_amperes", charge_point="CP1", connector="1") == 7
        return "old one ended late: connected 1, limit 7 A and phase kept"
