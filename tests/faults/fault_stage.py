"""The real process ``ocpp-watchdog run`` with a file of its own, and raw ends on both sides of it.

Its insides are looked at from outside only: the metrics page, its log, and what the kernel tells about the process.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fault_net import HERE_NET, Net, socket_in
from prometheus_client.parser import text_string_to_metric_families

import examples
from ocpp_watchdog.core import wire
from shell.relay_stage import ACCEPTED, MASK, Head, Peer, plain, request

MIB = 1 << 20
STARTS_WITHIN_SECONDS = 60.0
ENDS_WITHIN_SECONDS = 10.0
POOL = min(32, (os.cpu_count() or 1) + 4)
"""Threads that asyncio keeps for names and pages once they were needed."""
PREFIX = "OCPP_WATCHDOG_"
Address = tuple[str, int]


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def masked(text: str | bytes, opcode: int = wire.TEXT) -> bytes:
    """A frame of a charge point."""
    return wire.frame(opcode, text.encode() if isinstance(text, str) else text, MASK)


def unmasked(text: str | bytes, opcode: int = wire.TEXT) -> bytes:
    """A frame of a central system."""
    return plain(text.encode() if isinstance(text, str) else text, opcode)


# -- the process -------------------------------------------------------------------------------------------------


class Page:
    """One scrape of /metrics."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples = {
            (sample.name.removeprefix("ocpp_watchdog_"), frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """One sample. Raises KeyError when there is none."""
        return self.samples[name, frozenset(labels.items())]

    def total(self, name: str, **labels: str) -> float:
        """Sum of the samples of one name with these labels among theirs."""
        return sum(value for (n, pairs), value in self.samples.items() if n == name and labels.items() <= set(pairs))

    def ones(self, name: str, label: str) -> set[str]:
        """Values of a label whose sample is 1."""
        return {dict(pairs)[label] for (n, pairs), value in self.samples.items() if n == name and value == 1.0}


JOURNAL_FILES = (".jsonl", ".jsonl.gz", ".raw", ".db", ".db-wal", ".db-shm")


def _place(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""  # closed meanwhile


@dataclass
class Program:
    """A running proxy."""

    process: subprocess.Popen[bytes]
    log_file: Path
    net: Net
    front: Address = ("", 0)
    admin: Address = ("", 0)

    @property
    def pid(self) -> int:
        return self.process.pid

    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace")

    def status(self, key: str) -> int:
        """A number of /proc/PID/status: KiB where it is memory."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{key}:\s+(\d+)", text, re.MULTILINE)[1])  # type: ignore[index]

    @property
    def rss(self) -> int:
        """Bytes."""
        return self.status("VmRSS") * 1024

    def forget_peak(self) -> None:
        """Let the highest memory use begin anew."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    @property
    def peak(self) -> int:
        """Bytes, since ``forget_peak``."""
        return self.status("VmHWM") * 1024

    @property
    def descriptors(self) -> int:
        """Open ones, those of the journal's own files left out: a segment stays open for its day, 64 at most."""
        places = (_place(entry) for entry in Path(f"/proc/{self.pid}/fd").iterdir())
        return sum(not place.endswith(JOURNAL_FILES) for place in places)

    @property
    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body of one of its pages."""
        peer = await connected(self.admin, self.net)
        try:
            await peer.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            head = await peer.head(20.0)
            return head.status, (await peer.rest(20.0)).decode()
        finally:
            peer.writer.transport.abort()

    async def page(self) -> Page:
        status, text = await self.get("/metrics")
        assert status == 200, text
        return Page(text)

    async def is_empty(self, descriptors: int, threads: int, seconds: float = 10.0) -> None:
        """No session, no connection, no more descriptors and threads than before."""
        end = time.monotonic() + seconds
        while True:
            page = await self.page()
            left = {
                "charge points": page.value("connections", side="charge_point"),
                "central systems": page.value("connections", side="central_system"),
                "descriptors": max(0, self.descriptors - descriptors),
                "threads": max(0, self.status("Threads") - max(threads, 1 + POOL)),
            }
            if not any(left.values()):
                return
            assert time.monotonic() < end, f"left behind: {left}"
            await asyncio.sleep(0.2)

    async def says(self, words: str, seconds: float = STARTS_WITHIN_SECONDS, times: int = 1) -> re.Match[str]:
        """Wait until its log matches so often; gives the last match."""
        end = time.monotonic() + seconds
        while len(found := list(re.finditer(words, self.log()))) < times:
            assert self.process.poll() is None, f"it ended: {self.log()}"
            assert time.monotonic() < end, f"not said within {seconds} s: {words!r} in {self.log()[-2000:]}"
            await asyncio.sleep(0.05)
        return found[-1]

    async def stops(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + ENDS_WITHIN_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < end, "it does not stop"
            await asyncio.sleep(0.02)
        return self.process.returncode


def environment() -> dict[str, str]:
    """Ours, without settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    return kept | {"PYTHONUNBUFFERED": "1"}


@contextmanager
def spawned(folder: Path, central: Address, net: Net = HERE_NET, **settings: Any) -> Iterator[Program]:
    """Start it; ``ready`` says when it listens. Killed at the end when it still lives. settings: of its file."""
    host = "127.0.0.1" if net is HERE_NET else "0.0.0.0"
    values = {
        "listen": f"{host}:0",
        "central_system": f"ws://{central[0]}:{central[1]}",
        "admin": {"listen": "127.0.0.1:0"},
        **settings,
    }
    config, log = folder / "ocpp-watchdog.yaml", folder / "log.txt"
    config.write_text(json.dumps(values))
    command = [*net.inside, sys.executable, "-m", "ocpp_watchdog", "run", "--config", str(config)]
    with log.open("wb") as err:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=err, stderr=err
        )
    try:
        yield Program(process, log, net)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


async def ready(program: Program) -> Program:
    """Wait until it listens."""
    found = await program.says(r"dial ws://([\d.]+):(\d+)/<id>")
    program.front = (found[1], int(found[2]))
    found = await program.says(r"are on http://([\d.]+):(\d+)")
    program.admin = (found[1], int(found[2]))
    return program


# -- the ends ----------------------------------------------------------------------------------------------------


async def connected(address: Address, net: Net = HERE_NET, source: str = "", patience: float = 15.0) -> Peer:
    """A connection from this part of the net."""
    sock = socket_in(net)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            sock.bind((source, 0))
        async with asyncio.timeout(patience):
            await asyncio.get_running_loop().sock_connect(sock, address)
        return Peer(*await asyncio.open_connection(sock=sock, limit=1 << 22))
    except BaseException:
        sock.close()
        raise


def hang_up(peers: Sequence[Peer]) -> None:
    """End all that are still there."""
    for peer in peers:
        if not peer.writer.transport.is_closing() or peer.writer.transport.get_write_buffer_size():
            peer.writer.transport.abort()


class Central:
    """A central system that accepts every upgrade. answer: what it says to one; empty: nothing."""

    def __init__(self) -> None:
        self.answer = ACCEPTED
        self.address: Address = ("", 0)
        self.heads: list[Head] = []
        self._arrivals: asyncio.Queue[Peer] = asyncio.Queue()
        self._expected: dict[bytes, asyncio.Future[Peer]] = {}
        self._peers: list[Peer] = []

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        self._peers.append(peer)
        with suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            head = await peer.head(60.0)
            self.heads.append(head)
            if self.answer:
                writer.write(self.answer)
            expected = self._expected.pop(head.target, None)
            if expected is None:
                self._arrivals.put_nowait(peer)
            else:
                expected.set_result(peer)

    async def arrival(self, patience: float = 15.0) -> Peer:
        async with asyncio.timeout(patience):
            return await self._arrivals.get()

    def hang_up(self) -> None:
        """End every connection."""
        hang_up(self._peers)

    def expect(self, target: bytes) -> asyncio.Future[Peer]:
        """The next one with this target, among many side by side. Call it before the charge point dials."""
        self._expected[target] = asyncio.get_running_loop().create_future()
        return self._expected[target]

    @property
    def dialled(self) -> int:
        """How often anybody connected."""
        return len(self._peers)

    @asynccontextmanager
    async def serving(self, address: Address = ("127.0.0.1", 0), net: Net = HERE_NET) -> AsyncIterator[Central]:
        """Listen while the block lasts."""
        sock = socket_in(net)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        server = await asyncio.start_server(self._arrived, sock=sock, limit=1 << 22, backlog=2048)
        self.address = server.sockets[0].getsockname()
        try:
            yield self
        finally:
            server.close()
            self.hang_up()
            await asyncio.sleep(0.01)


@dataclass
class Stage:
    """A proxy between its ends. front: where charge points dial, if that is not the proxy itself."""

    program: Program
    central: Central
    charger_net: Net = HERE_NET
    front: Address | None = None
    _peers: list[Peer] = field(default_factory=list)

    async def open(self, source: str = "") -> Peer:
        """A charge point connects and says nothing yet."""
        peer = await connected(self.front or self.program.front, self.charger_net, source)
        self._peers.append(peer)
        return peer

    async def dial(self, name: str = "CP1", *more: bytes, source: str = "") -> Peer:
        """A charge point connects and asks."""
        peer = await self.open(source)
        await peer.send(request(b"/" + name.encode(), *more))
        return peer

    async def joined(self, name: str = "CP1", *more: bytes, source: str = "") -> tuple[Peer, Peer]:
        """(charge point, central system) of a new session."""
        charger = await self.dial(name, *more, source=source)
        central = await self.central.arrival()
        head = await charger.head(15.0)
        assert head.status == 101, head.line
        return charger, central

    async def is_alive(self, name: str = "ALIVE") -> None:
        """A new session works."""
        charger, central = await self.joined(name)
        await round_trip(charger, central)
        charger.leave()
        await central.is_ended()

    async def hang_up(self) -> None:
        """Every charge point is gone at once, and so are the other ends."""
        hang_up(self._peers)
        self.central.hang_up()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def staged(folder: Path, **settings: Any) -> AsyncIterator[Stage]:
    """A proxy of its own between ends on the loopback."""
    async with Central().serving() as central:
        with spawned(folder, central.address, **settings) as program:
            stage = Stage(await ready(program), central)
            try:
                yield stage
            finally:
                await stage.hang_up()


# -- what they say -----------------------------------------------------------------------------------------------


async def round_trip(charger: Peer, central: Peer, text: str = '[2,"1","Heartbeat",{}]') -> float:
    """A message each way; seconds that took."""
    began = time.monotonic()
    for sender, receiver, wired in ((charger, central, masked(text)), (central, charger, unmasked(text))):
        await sender.send(wired)
        await receiver.gets(wired)
    return time.monotonic() - began


async def up(charger: Peer, central: Peer, text: str, answer: str, patience: float = 15.0) -> None:
    """A CALL of the charge point and its answer."""
    await charger.send(masked(text))
    await central.gets(masked(text), patience)
    await central.send(unmasked(answer))
    await charger.gets(unmasked(answer), patience)


async def down(charger: Peer, central: Peer, text: str, answer: str, patience: float = 15.0) -> None:
    """A CALL of the central system and its answer."""
    await central.send(unmasked(text))
    await charger.gets(unmasked(text), patience)
    await charger.send(masked(answer))
    await central.gets(masked(answer), patience)


def reading(number: int, amperes: str = "6.52", register: int | None = None) -> str:
    """MeterValues taken now; the last digit of a current that flows moves, as on a live meter."""
    moving = (amperes, amperes, amperes[:-1] + str(number % 10)) if float(amperes) else (amperes,) * 3
    values = examples.current_values(moving)
    if register is not None:
        values.append(examples.sampled("Energy.Active.Import.Register", str(register), "Wh"))
    return examples.meter_values(f"m{number}", values, examples.iso(time.time()))


async def charging(charger: Peer, central: Peer, limit: int = 16, amperes: str = "6.52") -> None:
    """Boot, a transaction, an order of ``limit`` A and one reading."""
    now = time.time()
    await up(charger, central, examples.boot("b"), examples.boot_result("b", now))
    await up(charger, central, examples.start_transaction("s", now), examples.start_result("s"))
    await up(charger, central, examples.status("c", "Charging", now), examples.result("c"))
    await down(charger, central, examples.set_limit("p1", limit, now), examples.status_result("p1"))
    await up(charger, central, reading(0, amperes), examples.result("m0"))


async def known_for_a_while(charger: Peer, central: Peer) -> None:
    """Readings for 35 s: how late those of the first 30 s come tells nothing about this charge point's clock."""
    for number in range(100, 107):
        await asyncio.sleep(5.0)
        await up(charger, central, reading(number), examples.result(f"m{number}"))


async def numbers(peer: Peer, sends: bool, wrap: Any, many: int, apart: float) -> None:
    """Send numbered messages."""
    for number in range(many if sends else 0):
        await peer.send(wrap(b"%07d" % number))
        await asyncio.sleep(apart)


async def numbers_arrive(peer: Peer, many: int, patience: float) -> None:
    """The numbered messages come: each, once, in order."""
    for number in range(many):
        raw = await peer.frame(patience)
        assert wire.payload_of(raw) == b"%07d" % number, (number, raw)


async def all_arrive(charger: Peer, central: Peer, many: int, apart: float, patience: float) -> None:
    """Numbered messages both ways at once: none lost, doubled or out of order."""
    async with asyncio.TaskGroup() as group:
        group.create_task(numbers(charger, True, masked, many, apart))
        group.create_task(numbers(central, True, unmasked, many, apart))
        group.create_task(numbers_arrive(central, many, patience))
        group.create_task(numbers_arrive(charger, many, patience))


@dataclass
class Waits:
    """What sessions that have nothing to do with a fault waited, and how late the test itself was woken (seconds)."""

    round_trips: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)

    @property
    def p99(self) -> float:
        return percentile(self.round_trips, 0.99)

    @property
    def is_bearable(self) -> bool:
        """Below 100 ms at p99. A round trip is four awakenings; what each is late for want of a core is not ours."""
        return self.p99 < 0.1 + 4 * percentile(self.late, 0.99)

    def __str__(self) -> str:
        late = percentile(self.late, 0.99) * 1000
        return f"others' p99 {self.p99 * 1000:.1f} ms (the test's own awakenings: {late:.1f} ms late)"


@asynccontextmanager
async def others_wait(pairs: Sequence[tuple[Peer, Peer]]) -> AsyncIterator[Waits]:
    """While the block lasts, sessions that have nothing to do with it talk."""
    over, waits = asyncio.Event(), Waits()

    async def talk(charger: Peer, central: Peer) -> None:
        while not over.is_set():
            waits.round_trips.append(await round_trip(charger, central))
            began = time.monotonic()
            await asyncio.sleep(0.02)
            waits.late.append(time.monotonic() - began - 0.02)

    async with asyncio.TaskGroup() as group:
        for pair in pairs:
            group.create_task(talk(*pair))
        try:
            yield waits
        finally:
            over.set()


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
