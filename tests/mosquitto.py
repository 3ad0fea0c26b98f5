"""Debian's Mosquitto, started by a test on the loopback, and somebody who hears everything it carries."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from processes import free_port

HOST = "127.0.0.1"
PASSWORD = "pw-of-the-broker"
USER = "watchdog"


def program(name: str) -> str:
    """Where it is installed; the test is skipped where it is not."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install mosquitto)")
    return found


@dataclass
class Broker:
    """lines: of its configuration, beside the listener. It keeps nothing over a restart, as a fresh one."""

    folder: Path
    lines: tuple[str, ...] = ("allow_anonymous true",)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        file = self.folder / "mosquitto.conf"
        owner = ("user root",) if os.geteuid() == 0 else ()
        file.write_text("\n".join((f"listener {self.port} {HOST}", "persistence false", *owner, *self.lines)) + "\n")
        output = (self.folder / "mosquitto.log").open("ab")
        self.process = subprocess.Popen([program("mosquitto"), "-c", str(file)], stdout=output, stderr=output)
        output.close()
        for _ in range(500):
            with socket.socket() as probe:
                probe.settimeout(0.2)
                if probe.connect_ex((HOST, self.port)) == 0:
                    return
            assert self.process.poll() is None, (self.folder / "mosquitto.log").read_text()
            os.sched_yield()
            self._wait(0.02)
        raise AssertionError("Mosquitto does not listen")

    def _wait(self, seconds: float) -> None:
        assert self.process is not None
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """It keeps its connections, and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def broker(folder: Path, *lines: str) -> Iterator[Broker]:
    """One that runs while the block lasts."""
    found = Broker(folder, lines or ("allow_anonymous true",))
    found.start()
    try:
        yield found
    finally:
        found.stop()


def with_passwords(folder: Path) -> tuple[str, str]:
    """Lines of a configuration that lets only ``USER`` in."""
    file = folder / "passwords"
    file.write_text(f"{USER}:{PASSWORD}\n")
    file.chmod(0o600)
    subprocess.run([program("mosquitto_passwd"), "-U", str(file)], check=True, capture_output=True)
    return "allow_anonymous false", f"password_file {file}"


@dataclass
class Ear:
    """came: every message in order: topic, text, and whether the broker had kept it. held: the newest of each topic."""

    client: aiomqtt.Client
    came: list[tuple[str, str, bool]] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)

    def json(self, topic: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.held[topic])
        return found

    def texts(self, topic: str) -> list[str]:
        return [text for where, text, _ in self.came if where == topic]

    async def until(self, claim: Callable[[], object], seconds: float = 15.0) -> None:
        """Wait for a claim; a KeyError is a claim that does not hold yet."""
        try:
            async with asyncio.timeout(seconds):
                while not holds(claim):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not within {seconds} s; last: {self.came[-6:]}") from None

    async def say(self, topic: str, text: str, *, retain: bool = False) -> None:
        await self.client.publish(topic, text, qos=1, retain=retain)


def holds(claim: Callable[[], object]) -> bool:
    try:
        return bool(claim())
    except KeyError:
        return False


@asynccontextmanager
async def listening(port: int, **options: Any) -> AsyncIterator[Ear]:
    """Hear everything while the block lasts."""
    async with aiomqtt.Client(HOST, port, **options) as client:
        await client.subscribe("#", qos=1)
        ear = Ear(client)

        async def hear() -> None:
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                text = message.payload.decode()
                ear.came.append((str(message.topic), text, bool(message.retain)))
                ear.held[str(message.topic)] = text

        async with asyncio.TaskGroup() as group:
            task = group.create_task(hear(), name="ear")
            try:
                yield ear
            finally:
                task.cancel()
