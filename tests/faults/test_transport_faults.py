"""Slow, sliced, corrupt, broken, frozen and refusing transports, made on the loopback in front of the real process."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from fault_net import Lab, Net, fault_proxy, lab
from fault_stage import (
    MIB,
    Central,
    Stage,
    all_arrive,
    charging,
    free_port,
    masked,
    others_wait,
    reading,
    ready,
    round_trip,
    spawned,
    staged,
    unmasked,
)
from side_by_side import alone, lasting, side_by_side, wants_lab

import examples
from ocpp_watchdog.core import wire
from shell.relay_stage import Peer, random_text

Measured = Callable[[str], None]
LOCAL = "127.0.0.1"
FROZEN_SECONDS = lasting(65.0, 300.0)


# -- slow and sliced ---------------------------------------------------------------------------------------------


@side_by_side
async def test_T6_two_seconds_of_latency_are_no_timeout_and_no_violation(folder: Path) -> str:
    """Both links 2 s +- 1 s each way. The box obeys, and its readings from before the order come after it."""
    behind = (LOCAL, free_port())
    async with Central().serving() as central, fault_proxy(central.address, behind) as far:
        with spawned(folder, behind) as program:
            await ready(program)
            async with fault_proxy(program.front, (LOCAL, free_port())) as near:
                stage = Stage(program, central, front=near.address)
                for each in (far, near):
                    await each.do("delay 2 1")
                try:
                    return await _obeys_slowly(stage)
                finally:
                    await stage.hang_up()


async def _obeys_slowly(stage: Stage) -> str:
    began = time.monotonic()
    charger, central = await stage.joined()
    handshake = time.monotonic() - began
    await charging(charger, central)
    order = examples.set_limit("p2", 0, time.time())
    await central.send(unmasked(order))
    async with asyncio.timeout(40.0):
        async with asyncio.TaskGroup() as group:
            group.create_task(_reads(charger, "6.52", 1, 2))
            await charger.gets(unmasked(order), 20.0)
            await charger.send(masked(examples.status_result("p2")))
            group.create_task(_reads(charger, "0.00", 10, 5))
            got: list[bytes] = []
            while len(got) < 8:
                got.append(wire.payload_of(await central.frame(20.0)))
    page = await stage.program.page()
    assert page.value("connected", charge_point="CP1") == 1
    assert page.total("episodes_total") == 0
    assert page.total("injected_calls_total") == 0
    assert page.total("faults_total") == 0
    return f"handshake took {handshake:.1f} s, session kept, 0 episodes, 0 CALLs of ours"


async def _reads(charger: Peer, amperes: str, first: int, many: int) -> None:
    for number in range(first, first + many):
        await charger.send(masked(reading(number, amperes)))
        await asyncio.sleep(2.0)


async def test_T7_slices_of_one_byte_work(stage: Stage, measured: Measured) -> None:
    async with fault_proxy(stage.program.front, (LOCAL, free_port())) as link:
        await link.do("slice 1 0")
        sliced = Stage(stage.program, stage.central, front=link.address)
        charger, central = await sliced.joined("SLICED")
        await all_arrive(charger, central, 100, 0.0, 20.0)
        await sliced.hang_up()
    measured("handshake and 100 messages each way, byte by byte")


# -- ends of every kind ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("how", ["rst_mid_frame", "fin_mid_frame", "fin", "half_close"])
async def test_T8_an_end_of_one_leg_is_told_within_a_second_and_nothing_partial_arrives(
    way: str, how: str, stage: Stage, measured: Measured
) -> None:
    charger, central = await stage.joined(f"T8-{way}-{how}")
    sender, receiver, wrap = (charger, central, masked) if way == "up" else (central, charger, unmasked)
    whole, half = wrap("whole"), wrap("x" * 5000)[:2500]
    await sender.send(whole + (half if "mid" in how else b""))
    await receiver.gets(whole)
    began = time.monotonic()
    if how == "rst_mid_frame":
        sender.reset()
    elif how == "half_close":
        sender.fin()
    else:
        sender.writer.write_eof()
        sender.leave()
    async with asyncio.timeout(5.0):
        rest = b""
        try:
            rest = await receiver.reader.read()
        except ConnectionError:
            assert how == "rst_mid_frame"
    seconds = time.monotonic() - began
    assert rest == b"", "half a frame arrived"
    assert seconds <= 1.0
    await stage.is_alive()
    measured(f"{seconds:.2f} s")


SESSIONS = 60


@pytest.mark.parametrize("fault", ["flip", "double"])
async def test_T9_damaged_bytes_are_never_mended(fault: str, stage: Stage, measured: Measured) -> None:
    """What arrives is what was sent, damage and all, up to some frame; behind it only a Close of ours may stand."""
    chance, cut = Random(f"T9 {fault}"), 0
    for number in range(SESSIONS):
        charger, central = await stage.joined(f"T9-{number}")
        raw = bytearray(b"".join(masked(b'[2,"%d","Heartbeat",{}]' % n) for n in range(20)))
        at = chance.randrange(len(raw))
        if fault == "flip":
            raw[at] ^= 1 << chance.randrange(8)
        else:
            raw[at:at] = raw[at : at + chance.randint(1, 40)]
        await charger.send(bytes(raw))
        charger.fin()
        got = await _all_of(central)
        same = next((n for n, (a, b) in enumerate(zip(got, raw, strict=False)) if a != b), min(len(got), len(raw)))
        rest = got[same:]
        cut += same < len(raw)
        assert not rest or rest[0] & wire.OPCODE == wire.CLOSE, (number, at, rest)
        central.leave()
        await charger.is_ended(6.0)
    await stage.is_alive()
    measured(f"{SESSIONS} sessions: {SESSIONS - cut} arrived whole as damaged, {cut} cut before a broken frame; alive")


async def _all_of(peer: Peer) -> bytes:
    """Everything up to the end, whatever kind of end it is."""
    got = b""
    try:
        async with asyncio.timeout(6.0):
            while piece := await peer.reader.read(1 << 16):
                got += piece
    except ConnectionError:
        pass
    return got


# -- frozen and slow peers ---------------------------------------------------------------------------------------


@side_by_side
async def test_T10_a_frozen_charge_point_costs_little_and_is_not_kept_for_ever(folder: Path) -> str:
    """Two sessions of a process that is stopped: for one data waits, in the other a CALL is open."""
    async with staged(folder) as stage:
        link = (LOCAL, free_port())
        async with fault_proxy(stage.program.front, link) as frozen:
            stage.front = link
            charger, central = await stage.joined("FULL")
            _, quiet = await stage.joined("QUIET")
            stage.front = None
            frozen.process.send_signal(signal.SIGSTOP)
            try:
                before = stage.program.rss
                await quiet.send(unmasked(examples.set_limit("p1", 6, time.time())))
                began = time.monotonic()
                central.writer.write(unmasked(b"x" * MIB) * 24)
                with_data = await central.is_ended(60.0)
                grown = stage.program.rss - before
                assert with_data <= 50.0
                assert grown <= 16 * MIB
                assert central.writer.transport.get_write_buffer_size() > 0 or central.writer.transport.is_closing()
                await stage.program.says("QUIET: a message was left unanswered", 90.0)
                alarmed = time.monotonic() - began
                assert (await stage.program.page()).value("connected", charge_point="QUIET") == 1, "alarmed, not cut"
                await asyncio.sleep(max(0.0, began + FROZEN_SECONDS - time.monotonic()))
                await stage.is_alive()
            finally:
                frozen.process.send_signal(signal.SIGCONT)
        charger.writer.transport.abort()
        return f"memory +{grown / MIB:.1f} MiB, ended after {with_data:.1f} s, open CALL alarmed after {alarmed:.0f} s"


@alone
@pytest.mark.parametrize("way", ["up", "down"])
async def test_T11_a_slow_reader_holds_back_its_sender_and_nobody_else(
    way: str, tmp_path: Path, measured: Measured
) -> None:
    async with staged(tmp_path) as stage:
        pairs = [await stage.joined(f"OTHER-{n}") for n in range(4)]
        charger, central = await stage.joined("SLOW")
        sender, reader, wrap = (charger, central, masked) if way == "up" else (central, charger, unmasked)
        reader.writer.transport.pause_reading()
        before, message = stage.program.rss, wrap(random_text(1 << 16))
        taken = 0
        async with others_wait(pairs) as waits:
            end = time.monotonic() + 6.0
            while time.monotonic() < end and taken < 64 * MIB:
                sender.writer.write(message)
                try:
                    async with asyncio.timeout(2.0):
                        await sender.writer.drain()
                except TimeoutError:
                    break
                taken += len(message)
        grown = stage.program.rss - before
        assert taken <= 16 * MIB
        assert grown <= 16 * MIB
        assert waits.is_bearable, str(waits)
    measured(f"blocked after {taken / MIB:.1f} MiB, memory +{grown / MIB:.1f} MiB, {waits}")


# -- no central system -------------------------------------------------------------------------------------------


@side_by_side
async def test_T12_a_central_system_that_refuses_is_a_502_and_costs_no_cpu(folder: Path) -> str:
    nobody = (LOCAL, free_port())
    with spawned(folder, nobody, connect_timeout=10) as program:
        stage = Stage(await ready(program), Central())
        await program.page()
        spent, began = program.cpu_seconds, time.monotonic()
        statuses = []
        for _ in range(3):
            charger = await stage.dial()
            statuses.append((await charger.head(12.0)).status)
        seconds = time.monotonic() - began
        share = (program.cpu_seconds - spent) / seconds
        assert statuses == [502] * 3
        assert share < 0.01
        waiting = await stage.dial()
        await asyncio.sleep(1.0)
        async with Central().serving(nobody) as late:
            await late.arrival(5.0)
            assert (await waiting.head(5.0)).status == 101, "dialled again while the charge point waits"
        await stage.hang_up()
        return f"502 three times in {seconds:.0f} s, {share:.2%} CPU; found within 5 s when it came back"


@side_by_side
async def test_T13_a_central_system_that_says_nothing_is_a_504_and_waiting_dials_are_bounded(folder: Path) -> str:
    async with Central().serving() as central, fault_proxy(central.address, (LOCAL, free_port())) as silent:
        await silent.do("hang")
        with spawned(folder, silent.address) as program:
            stage = Stage(await ready(program), central)
            await program.page()
            descriptors, threads = program.descriptors, program.status("Threads")
            began = time.monotonic()
            first = await stage.dial("FIRST")
            crowd = [await stage.dial(f"N{n}", source=f"127.0.0.{2 + n % 4}") for n in range(1100)]
            head = await first.head(15.0)
            seconds = time.monotonic() - began
            answers = [(await each.head(15.0)).status for each in crowd]
            await stage.hang_up()
            assert head.status == 504
            assert seconds <= 10.5
            assert set(answers) <= {503, 504}
            busy = answers.count(503)
            assert busy >= len(crowd) - 1024, "dials that wait are bounded"
            await silent.do("pass")
            await silent.do("rst")
            await program.is_empty(descriptors, threads)
            await stage.is_alive()
            await stage.hang_up()
            return f"504 after {seconds:.1f} s; of 1101 at once {busy} were sent away with 503, nothing left"


# -- names -------------------------------------------------------------------------------------------------------


@side_by_side
@wants_lab
async def test_T14_a_name_that_does_not_resolve_blocks_nobody_and_a_new_address_is_used_at_the_next_dial(
    folder: Path,
) -> str:
    """Own hosts file and resolv.conf in a mount namespace; the name server is an address that nobody answers at."""
    hosts, resolver = folder / "hosts", folder / "resolv.conf"
    names(hosts)
    resolver.write_text("nameserver 10.77.2.9\noptions timeout:2 attempts:1\n")
    mounts = f'mount --bind "{hosts}" /etc/hosts && mount --bind "{resolver}" /etc/resolv.conf && exec "$@"'
    with lab() as net:
        inside = Net(net.relay.name, ("sh", "-c", mounts, "sh"))
        async with (
            Central().serving(("10.77.2.1", 9100), inside) as one,
            Central().serving(("10.77.1.1", 9100), inside) as two,
        ):
            with spawned(folder, ("central.test", 9100), inside, connect_timeout=8) as program:
                return await _follows_the_name(net, Stage(await ready(program), one, net.charger), two, hosts)


def names(file: Path, *lines: str) -> None:
    """Write a file in place: it stays the one that is mounted."""
    file.write_text("\n".join(("127.0.0.1 localhost", *lines, "")))


async def _follows_the_name(net: Lab, stage: Stage, two: Central, hosts: Path) -> str:
    stage.front = ("10.77.1.1", stage.program.front[1])
    lost = await stage.dial("LOST")
    slowest, end = 0.0, time.monotonic() + 4.0
    while time.monotonic() < end:
        began = time.monotonic()
        assert (await stage.program.get("/healthz"))[0] == 200
        slowest = max(slowest, time.monotonic() - began)
        await asyncio.sleep(0.05)
    assert (await lost.head(15.0)).status in {502, 504}
    assert slowest < 2.0, "the loop was blocked by a name"
    for address, central in (("10.77.2.1", stage.central), ("10.77.1.1", two)):
        names(hosts, f"{address} central.test")
        other = Stage(stage.program, central, net.charger, stage.front)
        pair = await other.joined()
        await round_trip(*pair)
        await other.hang_up()
        await pair[1].is_ended()
    await stage.hang_up()
    return f"slowest page during the lookup {slowest * 1000:.0f} ms; the next dial used the new address"
