"""The compliance test tool's charge point cases pass through the running program, and it adds nothing. DESIGN R5, 5.

Plain: 2 s of silence behind each case. With ``CONFORMANCE=1``: 60 s, which is longer than a stop order
may take to show.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import octt
import pytest

IS_FULL = os.environ.get("CONFORMANCE") == "1"
SILENCE_SECONDS = 60.0 if IS_FULL else 2.0
has_fast = pytest.mark.skipif(
    importlib.util.find_spec("uvloop") is None, reason="the extra fast is not installed: no uvloop"
)


@pytest.mark.parametrize("loop", ["asyncio", pytest.param("uvloop", marks=has_fast)])
async def test_every_case_passes_frame_for_frame_and_nothing_is_added(loop: str, tmp_path: Path) -> None:
    outcome = await octt.perform(tmp_path, silence=SILENCE_SECONDS, fast=loop == "uvloop")
    assert outcome.failures == {}
    assert outcome.wrong == []
    assert outcome.loop in (loop, "unknown")
    steps = sum(len(play.steps) for play in outcome.played)
    assert outcome.tally.messages.total() == 2 * steps


def test_all_cases_and_their_variants_are_played() -> None:
    every = octt.plays()
    assert len({play.case for play in every}) == 54
    assert len({play.charge_point for play in every}) == len(every) == 54 + 24


def test_every_cut_is_followed_by_a_new_connection() -> None:
    for play in octt.plays():
        for step in play.steps:
            events = list(step.get("pre", ()))
            assert events.count(octt.CUT) == events.count(octt.RESTORED), play.charge_point
            assert not any(
                word in event
                for event in events
                for word in ("cut", "restored (")
                if event not in (octt.CUT, octt.RESTORED)
            ), play.charge_point


async def test_a_frame_in_the_silence_fails(tmp_path: Path) -> None:
    """The check itself: a byte that the other side did not write is noticed, before and behind the last frame."""
    play = octt.plays()[0]
    async with octt.Central().serving() as central:
        settings = {
            "listen": "127.0.0.1:0",
            "central_system": f"ws://127.0.0.1:{central.port}",
            "admin": {"listen": "127.0.0.1:0"},
        }
        async with octt.program(tmp_path, settings) as running:
            stage = octt.Stage(play, running.front, central, octt.Tally())
            await stage.connect()
            ends = stage.ends()
            await ends[octt.DOWN].send(ends[octt.DOWN].wired(b'[2,"wd-1","RemoteStopTransaction",{"transactionId":1}]'))
            with pytest.raises(octt.DiffersError, match="in the silence"):
                await stage.be_silent(2.0)
            await ends[octt.DOWN].send(ends[octt.DOWN].wired(b'[2,"wd-2","Reset",{"type":"Soft"}]'))
            with pytest.raises(octt.DiffersError, match="sent"):
                await stage.carry(octt.DOWN, [2, "1", "ClearCache", {}])
            ends[octt.UP].writer.transport.abort()
