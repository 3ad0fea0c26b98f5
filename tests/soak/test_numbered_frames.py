"""Numbered frames without end through the real process, while peers restart at random.

Every frame is made from its session, its direction and its number, so what must arrive is known to the last byte. What
arrives on a connection is compared as it comes: it must be what was sent, from the beginning and without a gap. A
connection that lived to its end must have brought everything.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from fault_stage import MIB, Stage, staged

from ocpp_watchdog.core import wire
from shell.relay_stage import MASK, Peer

SOAK = "SOAK"
FRAMES = "SOAK_FRAMES"
"""How many frames, both ways together; 10^6 unless it says otherwise."""

SIDE_BY_SIDE = 8
AT_ONCE = 40
SEED = 20
LONGEST_SECONDS = 1200.0
MOST_GROWN = 80 * MIB
"""Of frames that come faster than they are written 64 MiB may wait for the journal; their number changes nothing."""

pytestmark = pytest.mark.skipif(not os.environ.get(SOAK), reason=f"takes minutes: set {SOAK}=1 (make soak)")


@dataclass
class Counts:
    """What happened so far."""

    left: int
    sessions: int = 0
    lived: int = 0
    restarted: int = 0
    sent: int = 0
    arrived: int = 0
    sent_and_lived: int = 0
    arrived_and_lived: int = 0


@dataclass(frozen=True)
class Script:
    """What one end sends: ``many`` frames, in writes of up to AT_ONCE."""

    seed: str
    many: int
    key: bytes | None

    def writes(self) -> Iterator[tuple[int, bytes]]:
        """(frames in it, bytes)."""
        chance, number = Random(self.seed), 0
        while number < self.many:
            size = min(chance.randint(1, AT_ONCE), self.many - number)
            yield size, b"".join(self._frame(number + n, chance) for n in range(size))
            number += size

    def _frame(self, number: int, chance: Random) -> bytes:
        filling = f"{chance.getrandbits(64):016x}" * chance.choice((0, 1, 1, 4, 4, 30, 200))
        if chance.random() < 0.1:
            return wire.frame(wire.BINARY, f"{self.seed} {number} {filling}".encode(), self.key)
        kind = "DataTransfer" if chance.random() < 0.5 else "MeterValues"
        text = f'[2,"{self.seed} {number}","{kind}",{{"vendorId":"{filling}"}}]'
        return wire.frame(wire.TEXT, text.encode(), self.key)


async def send(peer: Peer, script: Script, counts: Counts) -> None:
    """All of it, as fast as it is taken."""
    for frames, raw in script.writes():
        peer.writer.write(raw)
        counts.sent += frames
        async with asyncio.timeout(60.0):
            await peer.writer.drain()


async def compare(peer: Peer, script: Script, counts: Counts) -> None:
    """The other end's script arrives, byte for byte; IncompleteReadError when the connection ends before."""
    for frames, raw in script.writes():
        cut: asyncio.IncompleteReadError | None = None
        try:
            async with asyncio.timeout(60.0):
                got = await peer.reader.readexactly(len(raw))
        except asyncio.IncompleteReadError as end:
            got, cut = end.partial, end
        assert raw.startswith(got), f"changed or out of order: {script.seed}"
        counts.arrived += frames if cut is None else _whole_frames(got)
        if cut is not None:
            raise cut


def _whole_frames(raw: bytes) -> int:
    """How many frames these bytes are; the last one must be whole: nothing half is ever delivered."""
    at = frames = 0
    while at < len(raw):
        head, length = wire.measure(raw, at)
        assert head, "half a frame arrived"
        at += head + length
        frames += 1
    assert at == len(raw), "half a frame arrived"
    return frames


async def one_session(stage: Stage, name: str, chance: Random, counts: Counts) -> None:
    """Join, talk both ways, and either live to the end or be cut down on the way."""
    expected = stage.central.expect(b"/" + name.encode())
    charger = await stage.dial(name)
    async with asyncio.timeout(30.0):
        central = await expected
    assert (await charger.head(30.0)).status == 101
    many = min(chance.randint(200, 3000), max(1, counts.left // 2))
    counts.left -= 2 * many
    counts.sessions += 1
    number = counts.sessions
    up = Script(f"{name}.{number}.up", many, MASK)
    down = Script(f"{name}.{number}.down", many, None)
    falls = chance.choice((None, None, charger, central))
    mine = Counts(0)
    work = (send(charger, up, mine), send(central, down, mine))
    reads = (compare(central, up, mine), compare(charger, down, mine))
    async with asyncio.TaskGroup() as group:
        fall = group.create_task(_falls(falls, chance.uniform(0.0, 0.4)))
        done = await asyncio.gather(*work, *reads, return_exceptions=True)
        fall.cancel()
    broken = [error for error in done if isinstance(error, BaseException)]
    for error in broken:
        if not isinstance(error, ConnectionError | asyncio.IncompleteReadError):
            raise error
    counts.sent += mine.sent
    counts.arrived += mine.arrived
    if broken:
        assert falls is not None, f"a connection broke that nobody had broken: {broken}"
        counts.restarted += 1
    else:
        counts.lived += 1
        counts.sent_and_lived += mine.sent
        counts.arrived_and_lived += mine.arrived
    for end in (charger, central):
        end.writer.transport.abort()


async def _falls(peer: Peer | None, seconds: float) -> None:
    """This end's process dies after a while: the kernel resets its connection."""
    await asyncio.sleep(seconds)
    if peer is not None and not peer.writer.transport.is_closing():
        peer.reset()


async def test_numbered_frames_pass_whole_while_peers_restart(tmp_path: Path) -> None:
    wanted = int(os.environ.get(FRAMES, "1000000"))
    counts = Counts(wanted)
    async with staged(tmp_path, connect_timeout=20) as stage:
        await stage.program.page()
        descriptors, threads, rss = stage.program.descriptors, stage.program.status("Threads"), stage.program.rss
        began = time.monotonic()

        async def worker(number: int) -> None:
            chance = Random(f"{SEED} {number}")
            while counts.left > 1:
                assert time.monotonic() - began < LONGEST_SECONDS, counts
                await one_session(stage, f"SOAK{number}", chance, counts)

        async with asyncio.TaskGroup() as group:
            for number in range(SIDE_BY_SIDE):
                group.create_task(worker(number))
        seconds = time.monotonic() - began
        await stage.program.is_empty(descriptors, threads)
        page = await stage.program.page()
        grown = stage.program.rss - rss
        assert page.total("faults_total") == 0
        assert page.total("injected_calls_total") == 0
        assert "Traceback" not in stage.program.log()
    assert counts.sent_and_lived == counts.arrived_and_lived
    assert counts.lived
    assert counts.restarted
    assert grown <= MOST_GROWN, f"memory +{grown / MIB:.1f} MiB"
    print(
        f"\n{counts.sent:,} frames sent on {counts.sessions} connections, {counts.restarted} of them cut down; "
        f"{counts.arrived:,} arrived, 0 changed, 0 out of order, none half; on the {counts.lived} that lived "
        f"{counts.arrived_and_lived:,} of {counts.sent_and_lived:,}; {seconds:.0f} s, memory {grown / MIB:+.1f} MiB"
    )
