"""Frames and JSON that nobody should send: forwarded as they came, judged or not, and never a reason to stumble."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from fault_stage import MIB, Stage, charging, masked, others_wait, round_trip, staged, unmasked, up
from side_by_side import alone, is_slow, lasting

import examples
from ocpp_watchdog.core import wire
from shell.relay_stage import MASK, Peer

Measured = Callable[[str], None]
LIMIT = 4 * MIB


async def pass_both_ways(stage: Stage, name: str, frames: dict[str, bytes], opcode: int = wire.TEXT) -> None:
    """Each payload goes up and down as it came; nothing else does, and nothing breaks."""
    charger, central = await stage.joined(name)
    before = await stage.program.page()
    for what, payload in frames.items():
        for sender, receiver, raw in (
            (charger, central, masked(payload, opcode)),
            (central, charger, unmasked(payload, opcode)),
        ):
            await sender.send(raw)
            assert await receiver.exactly(len(raw)) == raw, what
    await round_trip(charger, central)
    page = await stage.program.page()
    assert page.total("faults_total") == before.total("faults_total")
    assert page.total("injected_calls_total") == before.total("injected_calls_total")


NO_OCPP = {
    "not_json": b"hello",
    "half": b'[2,"1","Heartbeat",{',
    "empty": b"",
    "blank": b" \n ",
    "trailing_nul": b'[2,"1","Heartbeat",{}]\0',
    "bom": b'\xef\xbb\xbf[2,"1","Heartbeat",{}]',
    "two": b'[2,"1","Heartbeat",{}][2,"2","Heartbeat",{}]',
    "object": b"{}",
    "number": b"5",
    "null": b"null",
}


async def test_F3_what_is_no_ocpp_is_forwarded_and_counted(stage: Stage, measured: Measured) -> None:
    before = await stage.program.page()
    await pass_both_ways(stage, "F3", NO_OCPP)
    page = await stage.program.page()
    opaque = page.total("decode_failures_total") - before.total("decode_failures_total")
    assert opaque >= 2 * 7
    measured(f"{2 * len(NO_OCPP)} forwarded unchanged, {opaque:.0f} judged opaque, 0 exceptions")


WRONG_SHAPES = {
    "nothing": b"[]",
    "true": b'[true,"a"]',
    "true_call": b'[true,"a","Heartbeat",{}]',
    "float": b'[2.0,"a","Heartbeat",{}]',
    "list": b'[["x"]]',
    "type_9": b'[9,"a",{}]',
    "type_0": b'[0,"a",{}]',
    "list_id": b'[2,["x"],"Heartbeat",{}]',
    "object_id": b'[3,{"x":1},{}]',
    "number_id": b"[3,1,{}]",
    "null_id": b'[4,null,"","",{}]',
    "long_id": b'[2,"' + b"x" * 10_000 + b'","Heartbeat",{}]',
    "object_action": b'[2,"a",{"b":1},{}]',
    "payload_list": b'[2,"a","MeterValues",[]]',
    "short": b'[2,"a"]',
    "long": b'[2,"a","Heartbeat",{},{},{},1]',
}


async def test_F4_lists_of_a_wrong_shape_are_forwarded(stage: Stage, measured: Measured) -> None:
    await pass_both_ways(stage, "F4", WRONG_SHAPES)
    measured(f"{2 * len(WRONG_SHAPES)} forwarded unchanged, 0 exceptions")


@pytest.mark.parametrize(("announced", "mib"), [(1 << 40, 0), (16 * MIB, 16)])
async def test_F6_what_is_over_the_limit_is_refused_at_its_header(
    announced: int, mib: int, stage: Stage, measured: Measured
) -> None:
    charger, central = await stage.joined(f"F6-{mib}")
    stage.program.forget_peak()
    before = stage.program.rss
    head = bytes((wire.FIN | wire.BINARY, 0x80 | 127)) + announced.to_bytes(8, "big") + MASK
    charger.writer.write(head)
    began = time.monotonic()
    for _ in range(mib):
        charger.writer.write(bytes(MIB))
    assert await central.close_code() == 1009
    assert await charger.close_code() == 1009
    seconds = time.monotonic() - began
    charger.leave()
    central.leave()
    grown = stage.program.peak - before
    assert grown <= 2 * LIMIT
    await stage.is_alive()
    measured(f"{announced >> 20} MiB announced: 1009 to both after {seconds:.2f} s, memory +{grown / MIB:.1f} MiB")


async def test_F7_a_hundred_thousand_brackets_are_forwarded_and_cost_little(stage: Stage, measured: Measured) -> None:
    charger, central = await stage.joined("F7")
    deep = {"up": masked(b"[" * 100_000), "call": masked(b'[2,"1","DataTransfer",' + b"[" * 100_000)}
    before, spent = await stage.program.page(), []
    for raw in deep.values():
        for _ in range(3):
            await charger.send(raw)
            assert await central.exactly(len(raw)) == raw
            spent.append(await round_trip(charger, central))
    page = await stage.program.page()
    assert page.total("faults_total") == before.total("faults_total")
    assert min(spent) <= 0.05
    measured(f"forwarded; the next message came {min(spent) * 1000:.1f} ms later (worst {max(spent) * 1000:.0f} ms)")


FIGURES = ("NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "9" * 5000, "-" + "9" * 400, "1" + "0" * 30)


async def test_F8_absurd_figures_become_no_measurement(stage: Stage, measured: Measured) -> None:
    charger, central = await stage.joined("F8")
    await charging(charger, central)
    for number, figure in enumerate(FIGURES):
        text = examples.meter_values(f"f{number}", examples.current_values(("VALUE",) * 3), examples.iso(time.time()))
        for each in (text.replace('"VALUE"', figure), text.replace("VALUE", figure)):
            await up(charger, central, each, examples.result(f"f{number}"))
        order = examples.set_limit(f"o{number}", 7, time.time()).replace('"limit":7', f'"limit":{figure}')
        await central.send(unmasked(order))
        await charger.gets(unmasked(order))
        answer = masked(examples.status_result(f"o{number}"))
        await charger.send(answer)
        await central.gets(answer)
    page = await stage.program.page()
    assert page.total("faults_total") == 0
    shown = {
        key: value
        for key, value in page.samples.items()
        if ("charge_point", "F8") in key[1] and ("amperes" in key[0] or "watts" in key[0] or "watt_hours" in key[0])
    }
    assert shown
    absurd = {key: value for key, value in shown.items() if math.isinf(value) or value > 100_000 or value < 0}
    assert not absurd, absurd
    measured(f"{3 * len(FIGURES)} messages forwarded, none of the figures on the page, 0 exceptions")


SURROGATE = {
    "tag": rb'[2,"1","StartTransaction",{"connectorId":1,"idTag":"\ud800","meterStart":1,"timestamp":"\udfff"}]',
    "vendor": rb'[2,"2","BootNotification",{"chargePointVendor":"\ud800","chargePointModel":"\udc00x"}]',
    "id": rb'[2,"\ud800","Heartbeat",{}]',
    "action": rb'[2,"3","\ud800",{}]',
    "status": rb'[2,"4","StatusNotification",{"connectorId":1,"errorCode":"\ud800","status":"\ud800","info":"\ud800"}]',
    "unit": rb'[2,"5","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"\ud800","sampledValue":'
    rb'[{"value":"\ud800","measurand":"\ud800","unit":"\ud800","phase":"\ud800"}]}]}]',
    "error": rb'[4,"1","\ud800","\ud800",{}]',
    "order": rb'[2,"6","SetChargingProfile",{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,'
    rb'"stackLevel":0,"chargingProfilePurpose":"\ud800","chargingProfileKind":"\ud800"}}]',
}


async def test_F9_lone_surrogates_are_forwarded_and_trip_nobody(stage: Stage, measured: Measured) -> None:
    await pass_both_ways(stage, "F9", SURROGATE)
    for path in ("/", "/metrics", "/healthz"):
        assert (await stage.program.get(path))[0] in {200, 404}, path
    assert "UnicodeEncodeError" not in stage.program.log()
    measured(f"{2 * len(SURROGATE)} forwarded, page and log whole")


KEYS = {
    "twice": b'[2,"1","Heartbeat",{"a":1,"a":2}]',
    "limit_twice": b'[2,"2","SetChargingProfile",{"connectorId":1,"connectorId":2,"csChargingProfiles":{}}]',
    "case": b'[2,"3","MeterValues",{"ConnectorId":1,"METERVALUE":[]}]',
    "both": b'[2,"4","StatusNotification",{"status":"Charging","Status":"Available","connectorid":1}]',
}


async def test_F10_double_keys_and_other_letter_case_are_forwarded(stage: Stage, measured: Measured) -> None:
    await pass_both_ways(stage, "F10", KEYS)
    measured(f"{2 * len(KEYS)} forwarded unchanged")


@is_slow
async def test_F10_double_keys_are_flagged(stage: Stage, measured: Measured) -> None:
    """Receivers differ about which of two equal keys counts, so somebody should be able to see that they came."""
    before = await stage.program.page()
    await pass_both_ways(stage, "F10-FLAG", {key: KEYS[key] for key in ("twice", "limit_twice")})
    page = await stage.program.page()
    flagged = sum(page.total(name) - before.total(name) for name in ("decode_failures_total", "peer_nonsense_total"))
    assert flagged >= 4
    measured(f"{flagged:.0f} of 4 flagged")


async def test_F11_a_deflate_bomb_stays_what_it_is(stage: Stage, measured: Measured) -> None:
    """Compression is never negotiated, so a compressed frame is a foreign one: it passes as it came."""
    charger, central = await stage.joined("F11", b"Sec-WebSocket-Extensions: permessage-deflate")
    assert b"sec-websocket-extensions" not in stage.central.heads[-1].headers
    stage.program.forget_peak()
    before = stage.program.rss
    raw = bytearray(masked(b"\xec\xc1\x01\x01\x00\x00\x00\x80\x90\xfe\xaf\xee" + bytes(65_000), wire.TEXT))
    raw[0] |= 0x40
    for _ in range(20):
        await charger.send(bytes(raw))
        assert await central.exactly(len(raw)) == bytes(raw)
    grown = stage.program.peak - before
    assert grown <= 48 * MIB
    measured(f"not offered on; 20 bombs of 64 KiB forwarded as they came, memory +{grown / MIB:.1f} MiB")


# -- floods: they want the machine for themselves ----------------------------------------------------------------

FLOOD_SECONDS = lasting(2.0, 6.0)
FLOODS = {"pings": masked(b"x", wire.PING) * 500, "empty_frames": masked(b"") * 500, "empty_fragments": b""}


async def swallow(peer: Peer) -> int:
    """Read and throw away."""
    got = 0
    with suppress(ConnectionError):
        while piece := await peer.reader.read(1 << 18):
            got += len(piece)
    return got


@alone
@pytest.mark.parametrize("kind", FLOODS)
async def test_F12_a_flood_of_one_session_holds_nobody_up(kind: str, tmp_path: Path, measured: Measured) -> None:
    fragment = bytes((wire.CONTINUATION, 0x80)) + MASK
    flood = FLOODS[kind] or fragment * 500
    async with staged(tmp_path) as stage:
        pairs = [await stage.joined(f"OTHER-{n}") for n in range(4)]
        charger, central = await stage.joined("FLOOD")
        if kind == "empty_fragments":
            await charger.send(bytes((wire.TEXT, 0x80)) + MASK)
        sent = 0
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(swallow(central))
            async with others_wait(pairs) as waits:
                end = time.monotonic() + FLOOD_SECONDS
                while time.monotonic() < end:
                    charger.writer.write(flood)
                    sent += 500
                    await charger.writer.drain()
            charger.writer.transport.abort()
            await reader
        assert waits.is_bearable, f"{waits}, worst {max(waits.round_trips):.3f} s, {sent} sent"
        assert "Traceback" not in stage.program.log()
        await stage.is_alive()
    measured(f"{kind}: {sent / FLOOD_SECONDS:,.0f} a second forwarded, {waits}")


@alone
async def test_F13_huge_meter_values_are_forwarded_first_and_hold_nobody_up(tmp_path: Path, measured: Measured) -> None:
    values = [examples.sampled("Current.Import", f"{n % 32}.5", "A") for n in range(20_000)]
    huge = masked(examples.meter_values("huge", values, examples.iso(time.time())))
    fitting = masked(examples.meter_values("fits", values[:3000], examples.iso(time.time())))
    assert len(huge) > MIB
    async with staged(tmp_path) as stage:
        pairs = [await stage.joined(f"OTHER-{n}") for n in range(4)]
        charger, central = await stage.joined("HUGE")
        took: list[float] = []
        async with others_wait(pairs) as waits:
            for _ in range(10):
                for raw in (huge, fitting):
                    began = time.monotonic()
                    await charger.send(raw)
                    assert await central.exactly(len(raw)) == raw
                    took.append(time.monotonic() - began)
                    await asyncio.sleep(0.2)
        page = await stage.program.page()
        assert waits.is_bearable, str(waits)
        assert page.value("peer_nonsense_total", kind="too_large") == 10
        assert page.total("faults_total") == 0
    measured(f"{len(huge) / MIB:.1f} MiB forwarded in {max(took) * 1000:.0f} ms at most, {waits}")


@alone
def test_F14_random_mutations_of_frames_trip_nobody(measured: Measured) -> None:
    """In a process of its own, so that its memory is its own."""
    command = [sys.executable, str(Path(__file__).with_name("fuzz_core.py")), str(int(lasting(20_000, 1_000_000)))]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=lasting(120.0, 900.0))
    told = json.loads(done.stdout)
    assert told["exceptions"] == 0, told["first"]
    assert told["slowest_seconds"] < 1.0
    assert told["grown_bytes"] <= 8 * MIB
    measured(
        f"{told['mutations']:,} mutations of {told['frames']} frames: 0 exceptions, slowest "
        f"{told['slowest_seconds'] * 1000:.0f} ms, memory {told['grown_bytes'] / MIB:+.1f} MiB"
    )


def test_the_payloads_are_what_they_claim_to_be() -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(NO_OCPP["two"])
    assert json.loads(SURROGATE["id"])[1] == "\ud800"
