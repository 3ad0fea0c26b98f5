"""Every frame that the field and real programs have sent goes through the whole program as it came, both ways.

Judge and metrics are on, in mode enforce, on real time: replayed within seconds no deadline of a stop order passes, so
every byte at either end must be the other end's. What is compared is the wire: heads, masks, fragments and all.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from raw_ends import CLOSE, CONTINUATION, FIN, PING, TEXT, End, Wires, frame, wired
from whole_program import Page, scrape

from ocpp_watchdog.app import Proxy

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
FILES = sorted((SHARED / "recordings").glob("*.jsonl")) + sorted((SHARED / "corpus").glob("frames.jsonl"))
UP, DOWN = "to_central_system", "to_charge_point"
WAYS = {"cp->cs": UP, "cs->cp": DOWN}
JUDGED_AT_MOST = 256 * 1024
MOST_FRAGMENTS = 6
LONGEST_PIECE = 1500
SEED = 16

Script = list[tuple[str, bytes]]
"""(direction, payload) in the order recorded."""

Send = Callable[["Pair", Script], Awaitable[None]]

pytestmark = pytest.mark.skipif(not FILES, reason="the recordings and the corpus are not beside this repository")
every_file = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


def scripts(path: Path) -> dict[str, Script]:
    """The conversations of a file by name: a recording is one, the corpus one for each log."""
    found: dict[str, Script] = {}
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        name = str(row.get("file", path.name)).replace("/", "-")
        way = WAYS[row.get("dir") or row["direction"]]
        found.setdefault(name, []).append((way, row["raw"].encode("utf-8", "surrogatepass")))
    return found


@dataclass(frozen=True)
class Pair:
    """A session's two ends."""

    charge_point: End
    central: End

    def sender(self, way: str) -> End:
        return self.charge_point if way == UP else self.central

    def receiver(self, way: str) -> End:
        return self.central if way == UP else self.charge_point


async def opened(wires: Wires, name: str) -> Pair:
    return Pair(*await wires.joined(name, SEED))


# -- three ways to send them -------------------------------------------------------------------------------------


async def one_by_one(pair: Pair, script: Script) -> None:
    """Each frame when the one before has arrived, so that the order of both directions is the recorded one."""
    for way, text in script:
        raw = pair.sender(way).wired(text)
        await pair.sender(way).send(raw)
        assert await pair.receiver(way).exactly(len(raw)) == raw


async def all_at_once(pair: Pair, script: Script) -> None:
    """Each direction in one go."""
    async with asyncio.TaskGroup() as group:
        for way in (UP, DOWN):
            sender = pair.sender(way)
            raw = b"".join(sender.wired(text) for at, text in script if at == way)
            group.create_task(sender.send(raw))
            group.create_task(arrives(pair.receiver(way), raw))


async def in_pieces(pair: Pair, script: Script) -> None:
    """Each message in fragments with pings in between, and the bytes in reads that know nothing of frames."""
    async with asyncio.TaskGroup() as group:
        for way in (UP, DOWN):
            chance, sender = Random(f"{SEED} {way}"), pair.sender(way)
            raw = b"".join(piece for at, text in script if at == way for piece in fragments(sender, text, chance))
            group.create_task(dribble(sender, raw, chance))
            group.create_task(arrives(pair.receiver(way), raw))


async def arrives(end: End, raw: bytes) -> None:
    assert await end.exactly(len(raw)) == raw


async def dribble(end: End, raw: bytes, chance: Random) -> None:
    at = 0
    while at < len(raw):
        size = chance.choice((1, 2, 3, 7, 14, chance.randint(1, LONGEST_PIECE), LONGEST_PIECE))
        await end.send(raw[at : at + size])
        at += size
        await asyncio.sleep(0)


def fragments(end: End, text: bytes, chance: Random) -> Iterator[bytes]:
    """One message as frames of random sizes, empty ones too."""
    cuts = sorted(chance.randint(0, len(text)) for _ in range(chance.randrange(MOST_FRAGMENTS)))
    parts = [text[begin:end_] for begin, end_ in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    for number, part in enumerate(parts):
        opcode = TEXT if number == 0 else CONTINUATION
        yield frame(opcode, part, end.key(), final=number == len(parts) - 1)
        if chance.random() < 0.1:
            yield frame(PING, chance.randbytes(chance.randrange(126)), end.key())


# -- the tests ---------------------------------------------------------------------------------------------------


async def says_goodbye(pair: Pair) -> None:
    """A Close passes with its code and reason, is answered, and both ends are over: nothing else had come."""
    close = pair.charge_point.wired((1000).to_bytes(2, "big") + b"done", CLOSE)
    await pair.charge_point.send(close)
    assert await pair.central.exactly(len(close)) == close
    answer = pair.central.wired((1000).to_bytes(2, "big"), CLOSE)
    await pair.central.send(answer)
    assert await pair.charge_point.exactly(len(answer)) == answer
    pair.central.writer.write_eof()
    await pair.charge_point.is_over()
    pair.charge_point.writer.write_eof()
    await pair.central.is_over()


def nothing_of_ours_happened(proxy: Proxy, page: Page, said: Counter[str], large: int) -> None:
    """Nothing was sent, withheld or held; nothing broke; and every message was judged, in its direction."""
    for name in ("injected_calls_total", "withheld_answers_total", "held_calls", "degraded", "faults_total"):
        assert page.total(name) == 0, name
    assert proxy.relay.counters.faults == 0
    assert page.value("peer_nonsense_total", kind="too_large") == large
    assert sum(page.total("frames_total", direction=way) for way in (UP, DOWN)) == said.total() - large
    if not large:
        assert {way: page.total("frames_total", direction=way) for way in said} == dict(said)


@every_file
@pytest.mark.parametrize("send", [one_by_one, all_at_once, in_pieces])
async def test_recorded_frames_pass_byte_for_byte(path: Path, send: Send) -> None:
    said: Counter[str] = Counter()
    large = 0
    async with wired() as (proxy, wires):
        for name, script in scripts(path).items():
            pair = await opened(wires, name)
            await send(pair, script)
            await says_goodbye(pair)
            said.update(way for way, _ in script)
            large += sum(len(text) > JUDGED_AT_MOST for _, text in script)
        nothing_of_ours_happened(proxy, await scrape(proxy), said, large)


async def test_many_conversations_at_once_do_not_mix() -> None:
    everything = {f"{path.stem}-{name}": script for path in FILES for name, script in scripts(path).items()}
    async with wired() as (proxy, wires):
        pairs = {name: await opened(wires, name) for name in everything}
        async with asyncio.TaskGroup() as group:
            for name, script in everything.items():
                group.create_task(in_pieces(pairs[name], script))
            group.create_task(scraped_meanwhile(proxy))
        for pair in pairs.values():
            for end in (pair.charge_point, pair.central):
                assert end.reader.at_eof() is False
        page = await scrape(proxy)
    said = Counter(way for script in everything.values() for way, _ in script)
    large = sum(len(text) > JUDGED_AT_MOST for script in everything.values() for _, text in script)
    nothing_of_ours_happened(proxy, page, said, large)
    assert page.value("connections", side="charge_point") == len(everything)


async def scraped_meanwhile(proxy: Proxy) -> None:
    for _ in range(3):
        await scrape(proxy)


async def test_binary_and_empty_messages_and_pongs_pass_too() -> None:
    async with wired() as (proxy, wires):
        pair = await opened(wires, "CP1")
        for way in (UP, DOWN):
            for opcode, payload in ((0x2, b'[2,"1","Heartbeat",{}]'), (TEXT, b""), (0xA, b"unasked"), (PING, b"")):
                raw = pair.sender(way).wired(payload, opcode)
                await pair.sender(way).send(raw)
                assert await pair.receiver(way).exactly(len(raw)) == raw
                assert raw[0] == FIN | opcode
        await says_goodbye(pair)
        page = await scrape(proxy)
        assert page.value("peer_nonsense_total", kind="binary") == 2
        assert page.total("faults_total") == 0
