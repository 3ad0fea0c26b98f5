"""The OCPP compliance test tool's charge point cases, played through the running program from both ends at once.

``octt-scenarios.json`` writes each of the 54 cases as an ordered list of request and answer, some with variants. Every
play (a case or a variant) is a charge point of its own; all run side by side against one real process in mode enforce.
What one end writes must be, byte for byte and with nothing between, what the other end reads; behind the last frame
both ends listen for a while and must hear nothing. ``docs/conformance.md`` says what that can show and what not.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import yaml
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "program"))
from raw_ends import ANSWER, ASK, CLOSE, READ_LIMIT, End  # noqa: E402  (it lives beside this folder)

UP, DOWN = "to_central_system", "to_charge_point"
PREFIX = "OCPP_WATCHDOG_"
OPTIONAL = ("uvloop", "msgspec")
"""Modules of the extra ``fast``."""

CUT, RESTORED = "connection is cut", "connection is restored (new WebSocket)"
NORMAL_CLOSE = (1000).to_bytes(2, "big")
STARTS_WITHIN_SECONDS = 30.0
ENDS_WITHIN_SECONDS = 3.0
"""DESIGN R7 says 1 s after what came before was flushed; the rest is for a machine with other work."""

COUNTED_WITHIN_SECONDS = 5.0
UNTOUCHED = ("steps", "injected_calls", "withheld_answers", "decode_failures", "peer_nonsense", "faults")
"""Counters of the program that must stay at 0."""


class DiffersError(AssertionError):
    """A play did not go through as it was written."""


# -- the plays ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Play:
    """One case or variant. number: its place among all, which chooses how its frames are written."""

    number: int
    charge_point: str
    case: str
    title: str
    steps: Sequence[Mapping[str, Any]]


def scenarios() -> list[dict[str, Any]]:
    """The cases as the file has them."""
    found: list[dict[str, Any]] = json.loads((HERE / "octt-scenarios.json").read_text("utf-8"))["scenarios"]
    return found


def plays() -> list[Play]:
    """Every case, each followed by its variants."""
    found: list[Play] = []
    for case in scenarios():
        name, title = case["id"], case["title"]
        told = [(name, title, case["steps"])]
        for number, variant in enumerate(case.get("variants", ()), 1):
            told.append((f"{name}-v{number}", f"{title} ({variant['name']})", variant["steps"]))
        found += [Play(len(found) + at, of, name, title, steps) for at, (of, title, steps) in enumerate(told)]
    return found


def written(message: list[Any], number: int) -> bytes:
    """A message as JSON: without spaces as Go writes it, or with them as Python does."""
    separators = (",", ":") if number % 2 else (", ", ": ")
    return json.dumps(message, ensure_ascii=False, separators=separators).encode()


def unique_ids(number: int) -> Iterator[str]:
    """36 characters, or counted from 1 by both ends alike, so that both directions use the same ids."""
    random, at = Random(number), 0
    while True:
        at += 1
        yield str(at) if number % 3 == 0 else str(UUID(int=random.getrandbits(128), version=4))


def exchange(step: Mapping[str, Any], unique_id: str) -> tuple[list[Any], list[Any]]:
    """(CALL, its answer) of a step."""
    call = [2, unique_id, step["action"], step["payload"]]
    if "reply_error" in step:
        error = step["reply_error"]
        return call, [4, unique_id, error["code"], error["description"], error["details"]]
    return call, [3, unique_id, step["reply"]]


# -- the program -------------------------------------------------------------------------------------------------


@dataclass
class Program:
    """The running process. log: the file that it writes its lines to."""

    process: asyncio.subprocess.Process
    log: Path
    front: str = ""
    admin: str = ""

    async def says(self, words: str) -> str:
        """The first group of the first line that matches; waits for it."""
        async with asyncio.timeout(STARTS_WITHIN_SECONDS):
            while not (found := re.search(words, self.log.read_text("utf-8"))):
                if self.process.returncode is not None:
                    raise RuntimeError(
                        f"the program ended with {self.process.returncode}: {self.log.read_text('utf-8')}"
                    )
                await asyncio.sleep(0.05)
        return found[1]

    def loop(self) -> str:
        """The event loop that it really runs, by the libraries in its memory."""
        maps = Path(f"/proc/{self.process.pid}/maps")
        if not maps.exists():
            return "unknown"
        return "uvloop" if "/uvloop/" in maps.read_text("utf-8") else "asyncio"

    def complaints(self) -> list[str]:
        """Lines that speak of something broken."""
        lines = self.log.read_text("utf-8").splitlines()
        return [line for line in lines if re.search(r"Traceback|\b(ERROR|CRITICAL)\b", line)]


@asynccontextmanager
async def program(
    folder: Path, settings: Mapping[str, Any], *, python: str = sys.executable, fast: bool = False
) -> AsyncIterator[Program]:
    """``ocpp-watchdog run`` with these settings in a file, as its owner starts it; stopped when the block ends.

    fast: with what the extra ``fast`` brings into that interpreter. Without, its modules are hidden from the process.
    """
    file, log = folder / "ocpp-watchdog.yaml", folder / "log.txt"
    file.write_text(yaml.safe_dump(dict(settings)), "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    where = [str(HERE.parents[1] / "proxy")]
    if not fast:
        hidden = folder / "hidden"
        hidden.mkdir(exist_ok=True)
        for name in OPTIONAL:
            (hidden / f"{name}.py").write_text("raise ImportError('hidden')\n", "utf-8")
        where.insert(0, str(hidden))
    with log.open("wb") as lines:
        process = await asyncio.create_subprocess_exec(
            python,
            *("-m", "ocpp_watchdog", "run", "--config", str(file)),
            cwd=folder,
            env=kept | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(where)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
        )
    running = Program(process, log)
    try:
        running.front = await running.says(r"dial wss?://(\S+)/<id>")
        running.admin = await running.says(r"health are on (http://[^\s,]+)")
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 15.0)
            except TimeoutError:
                process.kill()
                await process.wait()


async def counters(running: Program) -> Counter[str]:
    """Its metrics by name; the frames that it judged by direction."""
    async with ClientSession() as session, session.get(f"{running.admin}/metrics") as response:
        text = await response.text()
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(text):
        name = family.name.removeprefix("ocpp_watchdog_")
        for sample in family.samples:
            if sample.name.endswith("_total"):
                found[f"{name} {sample.labels['direction']}" if name == "frames" else name] += int(sample.value)
    return found


# -- both ends ---------------------------------------------------------------------------------------------------


class Central:
    """A central system that accepts every upgrade at once and sorts who dialled by path."""

    def __init__(self) -> None:
        self.port = 0
        self._arrivals: dict[str, asyncio.Queue[End]] = {}
        self._writers: list[asyncio.StreamWriter] = []

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        self._of(head.split(b" ")[1].decode()).put_nowait(End(reader, writer, None))

    def _of(self, path: str) -> asyncio.Queue[End]:
        return self._arrivals.setdefault(path, asyncio.Queue())

    async def arrival(self, charge_point: str) -> End:
        """The next connection made for this charge point."""
        async with asyncio.timeout(STARTS_WITHIN_SECONDS):
            return await self._of(f"/{charge_point}").get()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Central]:
        """Listen while the block lasts; whoever is still there then is hung up on."""
        server = await asyncio.start_server(self._arrived, "127.0.0.1", 0, limit=READ_LIMIT, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.sleep(0)


@dataclass
class Tally:
    """What was played. messages: by direction. slowest_end: seconds from a cut at one end to the end of the other."""

    messages: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    slowest_end: float = 0.0


@dataclass
class Stage:
    """One play on its way through the program."""

    play: Play
    front: str
    central: Central
    tally: Tally
    charge_point: End | None = None
    central_system: End | None = None

    def ends(self) -> dict[str, End]:
        """Both ends by the direction in which they send."""
        assert self.charge_point is not None
        assert self.central_system is not None
        return {UP: self.charge_point, DOWN: self.central_system}

    async def connect(self) -> None:
        """The charge point dials; its request reaches the central system under its own id."""
        host, _, port = self.front.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=READ_LIMIT)
        self.charge_point = End(reader, writer, Random(f"{self.play.charge_point} {self.tally.connections}"))
        await self.charge_point.send(ASK.format(name=self.play.charge_point).encode())
        self.central_system = await self.central.arrival(self.play.charge_point)
        if headers(await self.charge_point.head()) != headers(ANSWER):
            raise DiffersError("the central system's answer to the upgrade was changed")
        self.tally.connections += 1

    async def cut(self) -> None:
        """The charge point's connection goes, by RST or by FIN; the other end must end and hear nothing before."""
        ends, began = self.ends(), time.monotonic()
        if self.play.number % 2:
            ends[UP].writer.transport.abort()
        else:
            ends[UP].writer.close()
        await over(ends[DOWN])
        self.tally.slowest_end = max(self.tally.slowest_end, time.monotonic() - began)
        ends[DOWN].writer.close()

    async def carry(self, way: str, message: list[Any]) -> None:
        """One message from one end to the other, the frame compared as bytes."""
        ends = self.ends()
        sender, other = ends[way], ends[DOWN if way == UP else UP]
        wire = sender.wired(written(message, self.play.number))
        await sender.send(wire)
        came = await other.exactly(len(wire))
        if came != wire:
            raise DiffersError(f"{way}: sent {wire[:200]!r}, came {came[:200]!r}")
        self.tally.messages[way] += 1

    async def play_steps(self) -> None:
        """The whole list. Before the first step the charge point is connected, unless that step begins with a cut:
        then there was a connection before."""
        ids = {UP: unique_ids(self.play.number), DOWN: unique_ids(self.play.number + 1000 * (self.play.number % 3 > 0))}
        await self.connect()
        for at, step in enumerate(self.play.steps, 1):
            asks, answers = (UP, DOWN) if step["from"] == "cp" else (DOWN, UP)
            call, answer = exchange(step, next(ids[asks]))
            try:
                for event in step.get("pre", ()):
                    if event == CUT:
                        await self.cut()
                    elif event == RESTORED:
                        await self.connect()
                await self.carry(asks, call)
                await self.carry(answers, answer)
            except (DiffersError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                raise DiffersError(f"{self.play.charge_point} step {at} {step['action']}: {error!r}") from error

    async def be_silent(self, seconds: float) -> None:
        """Nothing comes to either end for so long."""
        ends = self.ends()
        heard = await asyncio.gather(*(anything(end, seconds) for end in ends.values()))
        for way, data in zip(ends, heard, strict=True):
            if data is not None:
                raise DiffersError(f"{self.play.charge_point}: in the silence the sender of {way} got {data!r}")

    async def part(self) -> None:
        """A Close from the charge point, its echo, the end: the connection had been alive all the while."""
        ends = self.ends()
        for sender, other in ((ends[UP], ends[DOWN]), (ends[DOWN], ends[UP])):
            wire = sender.wired(NORMAL_CLOSE, CLOSE)
            await sender.send(wire)
            if await other.exactly(len(wire)) != wire:
                raise DiffersError(f"{self.play.charge_point}: the Close was changed")
        ends[DOWN].writer.close()
        await over(ends[UP])
        ends[UP].writer.close()


def headers(head: bytes) -> list[bytes]:
    """The status line and the headers of an answer; neither their order nor the case of their names means anything."""
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    return sorted(name.lower() + colon + value for name, colon, value in lines)


async def anything(end: End, seconds: float) -> bytes | None:
    """What comes within so many seconds; empty when the connection ended, None when nothing did."""
    try:
        async with asyncio.timeout(seconds):
            return await end.reader.read(4096)
    except ConnectionError:
        return b""
    except TimeoutError:
        return None


async def over(end: End) -> None:
    """The connection ends, and nothing comes before."""
    data = await anything(end, ENDS_WITHIN_SECONDS)
    if data is None:
        raise DiffersError(f"still open {ENDS_WITHIN_SECONDS} s after the other end went")
    if data:
        raise DiffersError(f"{data!r} came after the other end went")


# -- all of them -------------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """loop: what the process ran on. failures: what was wrong, by play. wrong: what the program itself showed."""

    loop: str
    silence: float
    played: list[Play]
    tally: Tally
    failures: dict[str, str]
    wrong: list[str]


async def perform(
    folder: Path, *, silence: float, python: str = sys.executable, fast: bool = False, listen: str = "127.0.0.1:0"
) -> Outcome:
    """Play everything side by side through one process of the program; seconds of silence behind each play."""
    tally, failures = Tally(), dict[str, str]()
    every = plays()
    async with Central().serving() as central:
        settings = {
            "listen": listen,
            "central_system": f"ws://127.0.0.1:{central.port}",
            "mode": "enforce",
            "connect_timeout": 4.0,
            "admin": {"listen": "127.0.0.1:0"},
        }
        async with program(folder, settings, python=python, fast=fast) as running:
            stages = [Stage(play, running.front, central, Tally()) for play in every]

            async def one(stage: Stage) -> None:
                try:
                    await stage.play_steps()
                    await stage.be_silent(silence)
                    await stage.part()
                except (DiffersError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                    failures[stage.play.charge_point] = str(error) or repr(error)
                finally:
                    tally.messages += stage.tally.messages
                    tally.connections += stage.tally.connections
                    tally.slowest_end = max(tally.slowest_end, stage.tally.slowest_end)
                    if stage.charge_point is not None:
                        stage.charge_point.writer.transport.abort()

            await asyncio.gather(*(one(stage) for stage in stages))
            wrong = await shown(running, tally)
            loop = running.loop()
        wrong += running.complaints()
        if running.process.returncode != 0:
            wrong.append(f"the program left with {running.process.returncode}")
    return Outcome(loop, silence, every, tally, failures, wrong)


async def shown(running: Program, tally: Tally) -> list[str]:
    """What the program's own counters say against it: every frame judged, and nothing done."""
    wanted = {f"frames {way}": tally.messages[way] for way in (UP, DOWN)}
    end = time.monotonic() + COUNTED_WITHIN_SECONDS
    while True:
        found = await counters(running)
        wrong = [f"{name}: {found[name]}, sent {count}" for name, count in wanted.items() if found[name] != count]
        if not wrong or time.monotonic() > end:
            break
        await asyncio.sleep(0.1)
    return wrong + [f"{name}: {found[name]}" for name in UNTOUCHED if found[name]]
