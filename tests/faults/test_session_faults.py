"""Sessions and identity: restarts of the central system, second connections, crowds, strange names, the end."""

from __future__ import annotations

import asyncio
import base64
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fault_net import fault_proxy
from fault_stage import (
    Central,
    Stage,
    charging,
    down,
    free_port,
    known_for_a_while,
    masked,
    others_wait,
    reading,
    ready,
    round_trip,
    spawned,
    staged,
    up,
)
from side_by_side import alone, side_by_side

import examples
from ocpp_watchdog.core import wire
from shell.relay_stage import ACCEPTED, OK, Peer, basic, request

Measured = Callable[[str], None]
LOCAL = "127.0.0.1"
GONE_SECONDS = 30.0
RETRY_SECONDS = 3.0


# -- the central system restarts ---------------------------------------------------------------------------------


@side_by_side
async def test_S1_a_killed_central_system_costs_neither_transaction_nor_limit_nor_episode(folder: Path) -> str:
    """It is a process at an address, killed while an ignored stop is on record; mode observe: nothing of ours is sent,
    so that everything that arrives can be compared."""
    address = (LOCAL, free_port())
    judge = {"settle_seconds": 5}
    async with Central().serving() as central:
        with spawned(folder, address, mode="observe", judge=judge, connect_timeout=2) as program:
            stage = Stage(await ready(program), central)
            async with fault_proxy(central.address, address) as host:
                charger, upstream = await stage.joined()
                await charging(charger, upstream)
                await known_for_a_while(charger, upstream)
                order = examples.set_limit("p2", 0, time.time())
                await down(charger, upstream, order, examples.status_result("p2"))
                for number in range(1, 6):
                    await asyncio.sleep(4.0)
                    await up(charger, upstream, reading(number), examples.result(f"m{number}"))
                before = await program.page()
                assert before.total("episodes_total") == 1
                host.process.send_signal(signal.SIGKILL)
                closed = await charger.is_ended(5.0)
                assert closed <= 1.0
            tries = await _refused_until(stage, time.monotonic() + GONE_SECONDS)
            async with fault_proxy(central.address, address):
                charger, upstream = await stage.joined()
                await upstream.gets_nothing(1.0)
                await charger.gets_nothing(1.0)
                await up(charger, upstream, reading(9), examples.result("m9"))
                page = await program.page()
                for name in ("commanded_limit_amperes", "limit_in_force_amperes", "episodes_total"):
                    assert page.total(name) == before.total(name), name
                since = "episode_open_since_timestamp_seconds"
                assert page.total(since) == before.total(since)
                assert page.total("injected_calls_total") == 0
                await stage.hang_up()
                return f"charge point closed after {closed:.2f} s; {tries} tries refused, then joined; all kept"


async def _refused_until(stage: Stage, end: float) -> int:
    """A charge point tries as it would; each try is dialled, and refused."""
    tries = 0
    while time.monotonic() < end:
        charger = await stage.dial()
        assert (await charger.head(10.0)).status == 502
        tries += 1
        await asyncio.sleep(RETRY_SECONDS)
    return tries


# -- two of one name ---------------------------------------------------------------------------------------------


@asynccontextmanager
async def answering(charger: Peer) -> AsyncIterator[Counter[int]]:
    """A charge point that lives: it answers pings. Counts what it got, by opcode."""
    got: Counter[int] = Counter()

    async def live() -> None:
        while True:
            raw = await charger.frame(3600.0)
            opcode = raw[0] & wire.OPCODE
            got[opcode] += 1
            if opcode == wire.PING:
                await charger.send(masked(wire.payload_of(raw), wire.PONG))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(live())
        try:
            yield got
        finally:
            task.cancel()


async def test_S2_a_second_connection_is_refused_while_the_first_answers(stage: Stage, measured: Measured) -> None:
    before = await stage.program.page()
    charger, central = await stage.joined("TWICE")
    async with answering(charger):
        began = time.monotonic()
        newcomer = await stage.dial("TWICE", source="127.0.0.9")
        head = await newcomer.head()
        seconds = time.monotonic() - began
    assert head.status == 409
    assert stage.central.dialled == 1
    await central.gets_nothing()
    await round_trip(charger, central)
    page = await stage.program.page()
    assert page.total("duplicate_connections_total") - before.total("duplicate_connections_total") == 1
    await stage.program.says(r"a second connection of a live charge point id: refused.*charge_point=TWICE", 5.0)
    measured(f"409 after {seconds:.3f} s, one upstream session, event and metric")


@side_by_side
async def test_S5_two_that_fight_for_one_id_are_held_back(folder: Path) -> str:
    """Twenty tries a second for a minute against a charge point that lives."""
    async with staged(folder) as stage:
        charger, central = await stage.joined("FOUGHT")
        await stage.program.page()
        statuses: Counter[int] = Counter()
        async with answering(charger):
            descriptors, spent = stage.program.descriptors, stage.program.cpu_seconds
            began, most = time.monotonic(), 0
            for number in range(1200):
                await asyncio.sleep(max(0.0, began + number / 20 - time.monotonic()))
                rival = await stage.dial("FOUGHT", source="127.0.0.9")
                statuses[(await rival.head()).status] += 1
                rival.writer.transport.abort()
                most = max(most, stage.program.descriptors)
            share = (stage.program.cpu_seconds - spent) / (time.monotonic() - began)
        await round_trip(charger, central)
        lines = stage.program.log().count("a second connection of a live charge point id")
        assert set(statuses) == {409, 429}
        assert statuses[409] <= 6 + 60 / 10 + 1
        assert stage.central.dialled == 1
        assert most <= descriptors + 4
        assert 1 <= lines <= 10
        return (
            f"{statuses[409]} x 409, {statuses[429]} x 429, {lines} log lines, "
            f"at most {most - descriptors:+d} descriptors, {share:.1%} CPU, the holder unharmed"
        )


@alone
async def test_S6_five_hundred_at_once_are_served_and_nobody_else_waits(tmp_path: Path, measured: Measured) -> None:
    async with staged(tmp_path) as stage:
        pairs = [await stage.joined(f"OTHER-{n}") for n in range(4)]
        heads: list[int] = []

        async def come(number: int) -> None:
            charger = await stage.dial(f"N{number}", source=f"127.0.0.{2 + number % 4}")
            heads.append((await charger.head(20.0)).status)

        async with others_wait(pairs) as waits:
            began = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for number in range(500):
                    group.create_task(come(number))
                    await asyncio.sleep(0.001)
            seconds = time.monotonic() - began
        assert heads == [101] * 500
        assert seconds <= 10.0
        assert waits.is_bearable, str(waits)
        assert (await stage.program.page()).value("connections", side="charge_point") == 504
    measured(f"500 served in {seconds:.1f} s, {waits} (both ends in one test process)")


# -- names and passwords -----------------------------------------------------------------------------------------


async def test_S7_who_is_not_on_the_list_or_has_no_password_is_refused_before_dialling(
    tmp_path: Path, measured: Measured
) -> None:
    listed = {"KNOWN": {"password": "s3cret"}, "OPEN": {}}
    async with staged(tmp_path, charge_points=listed) as stage:
        for name, more, status in (
            ("STRANGER", (), 404),
            ("KNOWN", (), 401),
            ("KNOWN", (basic("KNOWN", b"wrong"),), 401),
            ("known", (basic("known", b"s3cret"),), 404),
            ("%4BNOWN", (), 401),
        ):
            charger = await stage.dial(name, *more)
            assert (await charger.head()).status == status, name
        assert stage.central.dialled == 0
        await stage.joined("OPEN")
        await stage.joined("KNOWN", basic("KNOWN", b"s3cret"))
        assert "s3cret" not in stage.program.log() + (await stage.program.page()).text
        assert base64.b64encode(b"KNOWN:s3cret").decode() not in stage.program.log()
    measured("404 and 401, nobody dialled; the right password passes")


NAMES = {
    "parent": b"../x",
    "parent_encoded": b"%2e%2e",
    "parent_in_one": b"..%2f..%2fetc%2fpasswd",
    "nul": b"%00",
    "long": b"N" * 1024,
    "utf8": b"W%C3%A4chter",
    "raw_utf8": "Wächter".encode(),
    "blank": b"a b",
    "newline": b"a%0d%0aX: y",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
async def test_S8_a_strange_name_is_forwarded_byte_for_byte_or_refused(
    name: bytes, stage: Stage, measured: Measured
) -> None:
    folder = stage.program.log_file.parent
    before = sorted(folder.rglob("*"))
    strange = await stage.open()
    await strange.send(request(b"/" + name))
    head = await strange.head()
    if head.status == 101:
        arrived = await stage.central.arrival()
        assert stage.central.heads[-1].target == b"/" + name
        await round_trip(strange, arrived)
    else:
        assert 400 <= head.status < 500
    assert sorted(folder.rglob("*")) == before, "a file was made"
    assert (await stage.program.get("/healthz"))[0] == 200
    measured(f"{name[:12]!r}: {head.status}")


async def test_S8_names_that_differ_in_case_are_two_charge_points(stage: Stage, measured: Measured) -> None:
    (lower, low), (upper, high) = await stage.joined("twin"), await stage.joined("TWIN")
    await lower.send(masked("lower"))
    await upper.send(masked("upper"))
    await low.gets(masked("lower"))
    await high.gets(masked("upper"))
    page = await stage.program.page()
    assert page.value("connected", charge_point="twin") == page.value("connected", charge_point="TWIN") == 1
    measured("two sessions")


# -- what the central system answers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [("ocpp1.6", ""), ("ocpp2.0.1, ocpp1.6", "ocpp1.6"), ("ocpp2.0.1", "ocpp2.0.1"), ("", ""), ("soap", "ocpp1.6")],
)
async def test_S9_the_subprotocol_is_the_central_systems_choice(
    offered: str, chosen: str, stage: Stage, measured: Measured
) -> None:
    stage.central.answer = OK + (f"Sec-WebSocket-Protocol: {chosen}\r\n\r\n".encode() if chosen else b"\r\n")
    ask = request(b"/S9").replace(b"Sec-WebSocket-Protocol: ocpp1.6\r\n", b"")
    line = f"Sec-WebSocket-Protocol: {offered}\r\n\r\n".encode() if offered else b"\r\n"
    charger = await stage.open()
    await charger.send(ask[:-2] + line)
    head = await charger.head()
    assert stage.central.heads[-1].headers.get(b"sec-websocket-protocol", []) == ([offered.encode()] if offered else [])
    assert head.headers.get(b"sec-websocket-protocol", []) == ([chosen.encode()] if chosen else [])
    measured(f"offered {offered or 'none'}, got {chosen or 'none'}")


async def test_S10_a_401_reaches_the_charge_point_and_its_retry_passes(stage: Stage, measured: Measured) -> None:
    stage.central.answer = (
        b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
    )
    first = await stage.dial("S10")
    head = await first.head()
    assert head.status == 401
    assert head.headers[b"www-authenticate"] == [b'Basic realm="x"']
    stage.central.answer = ACCEPTED
    await stage.central.arrival()
    charger, central = await stage.joined("S10", basic("S10", b"hush-hush"))
    await round_trip(charger, central)
    assert stage.central.heads[-1].headers[b"authorization"] == [basic("S10", b"hush-hush").partition(b": ")[2]]
    told = stage.program.log() + (await stage.program.page()).text
    assert "hush-hush" not in told
    assert base64.b64encode(b"S10:hush-hush").decode() not in told
    measured("401 with WWW-Authenticate, then 101; password in no log and no metric")


@pytest.mark.parametrize(("status", "more"), [("404 Not Found", b""), ("503 Busy", b"Retry-After: 7\r\n")])
async def test_S11_a_refusal_is_mirrored(status: str, more: bytes, stage: Stage, measured: Measured) -> None:
    stage.central.answer = b"HTTP/1.1 " + status.encode() + b"\r\n" + more + b"Content-Length: 4\r\n\r\nnope"
    charger = await stage.dial("S11")
    head = await charger.head()
    assert head.status == int(status.split(maxsplit=1)[0])
    assert head.headers.get(b"retry-after", []) == ([b"7"] if more else [])
    assert (await charger.rest()) == b"nope"
    measured(f"{status} with headers and body")


# -- the end -----------------------------------------------------------------------------------------------------


async def test_S16_sigterm_says_1012_to_everybody_and_leaves_with_0(tmp_path: Path, measured: Measured) -> None:
    async with staged(tmp_path) as stage:
        pairs = [await stage.joined(f"N{n}") for n in range(20)]
        await charging(*pairs[0])
        began = time.monotonic()
        stage.program.process.send_signal(signal.SIGTERM)
        async with asyncio.TaskGroup() as group:
            closes = [group.create_task(end.close_code()) for pair in pairs for end in pair]
        assert [close.result() for close in closes] == [1012] * 40
        assert await stage.program.stops() == 0
        seconds = time.monotonic() - began
        assert seconds <= 10.0
        assert "Traceback" not in stage.program.log()
    measured(f"40 of 40 ends got Close 1012, exit 0 after {seconds:.2f} s")
