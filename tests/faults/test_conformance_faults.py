"""Rows that relaycheck plays: both ends of the real process, 105 cases, about a minute beside the other scenes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fault_net import CONFORMANCE
from fault_stage import MIB, free_port, ready, spawned
from side_by_side import after

Measured = Callable[[str], None]
Cases = Mapping[str, Mapping[str, Any]]
PLAYS_WITHIN_SECONDS = 200.0


async def relaycheck(folder: Path) -> Cases:
    """Every case by its id; ``end`` tells how the process looked afterwards."""
    port, out = free_port(), folder / "out.json"
    with spawned(folder, ("127.0.0.1", port), connect_timeout=4) as program:
        await ready(program)
        await program.page()
        before, threads = program.descriptors, program.status("Threads")
        program.forget_peak()
        rss = program.rss
        command = [sys.executable, str(CONFORMANCE / "relaycheck.py"), "--front", f"127.0.0.1:{program.front[1]}"]
        command += ["--listen", f"127.0.0.1:{port}", "--pid", str(program.pid), "--json", str(out), "-q"]
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
        try:
            async with asyncio.timeout(PLAYS_WITHIN_SECONDS):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
        await program.is_empty(before, threads)
        page = await program.page()
        end = {"peak": program.peak - rss, "faults": page.total("faults_total"), "log": program.log()}
        return {case["id"]: case for case in json.loads(out.read_text())["cases"]} | {"end": end}


def passed(cases: Cases, measured: Measured, *wanted: str) -> None:
    """All cases whose id begins so passed, and the process was well at the end."""
    found = {name: case for name, case in cases.items() if name.startswith(wanted)}
    assert all(any(name.startswith(want) for name in found) for want in wanted), "a case is missing"
    failed = {name: case["note"] for name, case in found.items() if case["verdict"] == "FAIL"}
    assert not failed, failed
    assert cases["E300"]["verdict"] == "PASS", "not alive afterwards"
    assert cases["end"]["faults"] == 0
    assert "Traceback" not in cases["end"]["log"]
    slowest = max(case["s"] for case in found.values())
    measured(f"relaycheck {', '.join(wanted)}: {len(found)} of {len(found)} passed, slowest {slowest:.1f} s")


def row(*wanted: str, name: str) -> Any:
    """A test of these cases."""

    def look(cases: Cases, measured: Measured) -> None:
        passed(cases, measured, *wanted)

    look.__name__ = look.__qualname__ = name
    return after(relaycheck)(look)


test_T7_handshakes_and_frames_byte_by_byte = row("F13", "H20", name="test_T7_handshakes_and_frames_byte_by_byte")
test_T8_abrupt_ends = row("X10", "X11", "X15", name="test_T8_abrupt_ends")
test_T11_slow_readers = row("B01", "B02", name="test_T11_slow_readers")
test_T12_refused = row("H10", name="test_T12_refused")
test_S2_twice = row("S02", name="test_S2_twice")
test_S8_encoded_and_endless_paths = row("H02", "H14", name="test_S8_encoded_and_endless_paths")
test_S9_subprotocols = row("H05", "H06", name="test_S9_subprotocols")
test_S10_authorization = row("H07", "H04", name="test_S10_authorization")
test_S11_refusals = row("H08", "H09", name="test_S11_refusals")
test_S12_close_codes_both_ways = row(*(f"X0{n}" for n in range(1, 10)), name="test_S12_close_codes_both_ways")
test_S13_all_is_delivered_before_an_end = row("X12", "X13", name="test_S13_all_is_delivered_before_an_end")
test_S14_a_dial_is_given_up = row("X14", name="test_S14_a_dial_is_given_up")
test_S15_impolite_ends = row("X16", "X17", name="test_S15_impolite_ends")
test_F1_text_that_is_not_utf_8 = row("E11", "E21", "E300", name="test_F1_text_that_is_not_utf_8")
test_F2_frames_that_break_the_protocol = row("E1", "E2", "E300", name="test_F2_frames_that_break_the_protocol")
test_F3_texts_that_are_no_ocpp = row("F04", name="test_F3_texts_that_are_no_ocpp")
test_F5_binary_frames = row("F02", name="test_F5_binary_frames")
test_F6_giants = row("F07", "F14", "E119", "E219", name="test_F6_giants")
test_F10_bytes_of_the_json = row("F03", name="test_F10_bytes_of_the_json")
test_F11_compression = row("D01", "D02", name="test_F11_compression")


@after(relaycheck)
def test_F6_memory_of_the_whole_run_is_bounded(cases: Cases, measured: Measured) -> None:
    assert cases["end"]["peak"] <= 48 * MIB
    measured(f"highest memory in the whole of relaycheck: +{cases['end']['peak'] / MIB:.1f} MiB")
