"""Rows that relaycheck plays: both ends of the real process, 105 cases, about a minute beside the other scenes."""

from __future__ import annotations

import asyncio
import functools
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


def plays(*wanted: str) -> Callable[[Callable[[], None]], Any]:
    """Makes a test of these cases."""

    def decorate(named: Callable[[], None]) -> Any:
        @functools.wraps(named)
        def look(cases: Cases, measured: Measured) -> None:
            passed(cases, measured, *wanted)

        return after(relaycheck)(look)

    return decorate


@plays("F13", "H20")
def test_T7_handshakes_and_frames_byte_by_byte() -> None: ...


@plays("X10", "X11", "X15")
def test_T8_abrupt_ends() -> None: ...


@plays("B01", "B02")
def test_T11_slow_readers() -> None: ...


@plays("H10")
def test_T12_refused() -> None: ...


@plays("S02")
def test_S2_twice() -> None: ...


@plays("H02", "H14")
def test_S8_encoded_and_endless_paths() -> None: ...


@plays("H05", "H06")
def test_S9_subprotocols() -> None: ...


@plays("H07", "H04")
def test_S10_authorization() -> None: ...


@plays("H08", "H09")
def test_S11_refusals() -> None: ...


@plays(*(f"X0{n}" for n in range(1, 10)))
def test_S12_close_codes_both_ways() -> None: ...


@plays("X12", "X13")
def test_S13_all_is_delivered_before_an_end() -> None: ...


@plays("X14")
def test_S14_a_dial_is_given_up() -> None: ...


@plays("X16", "X17")
def test_S15_impolite_ends() -> None: ...


@plays("E110", "E111", "E112", "E210", "E211", "E212", "E300")
def test_F1_text_that_is_not_utf_8() -> None: ...


@plays("E1", "E2", "E300")
def test_F2_frames_that_break_the_protocol() -> None: ...


@plays("F04")
def test_F3_texts_that_are_no_ocpp() -> None: ...


@plays("F02")
def test_F5_binary_frames() -> None: ...


@plays("F07", "F14", "E119", "E219")
def test_F6_giants() -> None: ...


@plays("F03")
def test_F10_bytes_of_the_json() -> None: ...


@plays("D01", "D02")
def test_F11_compression() -> None: ...


@after(relaycheck)
def test_F6_memory_of_the_whole_run_is_bounded(cases: Cases, measured: Measured) -> None:
    assert cases["end"]["peak"] <= 48 * MIB
    measured(f"highest memory in the whole of relaycheck: +{cases['end']['peak'] / MIB:.1f} MiB")
