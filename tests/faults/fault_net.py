"""Where faults are made: netlab's namespaces, and the fault proxy with its control socket."""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

CONFORMANCE = Path(__file__).resolve().parents[1] / "conformance"
CLONE_NEWNET = 0x40000000
CHARGER, RELAY, CENTRAL = "10.77.1.2", "10.77.1.1", "10.77.2.2"

_numbers = count(1)


@dataclass(frozen=True)
class Net:
    """A network namespace by its name; empty: the one we are in."""

    name: str = ""
    before: tuple[str, ...] = ()

    @property
    def inside(self) -> list[str]:
        """What to write in front of a command, so that it runs there."""
        return [*(("ip", "netns", "exec", self.name) if self.name else ()), *self.before]


HERE_NET = Net()


def socket_in(net: Net) -> socket.socket:
    """A TCP socket belongs to the namespace in which it was made, whoever uses it afterwards."""
    if not net.name:
        return socket.socket()
    made: list[socket.socket | str] = []

    def make() -> None:
        with open(f"/run/netns/{net.name}") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                made.append(os.strerror(ctypes.get_errno()))
                return
        made.append(socket.socket())

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    result = made[0]
    if isinstance(result, str):
        raise OSError(result)
    return result


class Lab:
    """Three namespaces in a row, charger - relay - central; links a and b."""

    def __init__(self) -> None:
        self.prefix = f"f{os.getpid()}x{next(_numbers)}"
        self.charger, self.relay, self.central = (Net(f"{self.prefix}-{n}") for n in ("charger", "relay", "central"))

    def do(self, *words: str) -> None:
        """One of netlab's commands."""
        environment = os.environ | {"NETLAB": self.prefix}
        subprocess.run([CONFORMANCE / "netlab.sh", *words], check=True, capture_output=True, env=environment)

    def nft(self, *words: str) -> None:
        """A rule in the relay's namespace."""
        subprocess.run([*self.relay.inside, "nft", *words], check=True, capture_output=True)

    def drop_port(self, port: int) -> None:
        """Whoever uses this port at the charger's side hears nothing any more and is not heard."""
        self.nft("add", "table", "inet", "one")
        for hook, side in (("input", "sport"), ("output", "dport")):
            self.nft("add", "chain", "inet", "one", hook, f"{{ type filter hook {hook} priority 0; }}")
            self.nft("add", "rule", "inet", "one", hook, "tcp", side, str(port), "drop")

    def let_go(self) -> None:
        """Undo ``drop_port``."""
        self.nft("delete", "table", "inet", "one")


@contextmanager
def lab() -> Iterator[Lab]:
    """Namespaces of their own while the block lasts."""
    made = Lab()
    made.do("up")
    try:
        yield made
    finally:
        made.do("down")


class FaultProxy:
    """A running faultproxy.py: a process that can be told, stopped and killed."""

    def __init__(self, process: subprocess.Popen[bytes], control: Path, address: tuple[str, int]) -> None:
        self.process = process
        self.address = address
        self._control = control

    @property
    def is_there(self) -> bool:
        return self._control.exists()

    async def do(self, command: str) -> str:
        """One of its commands; what it answers."""
        reader, writer = await asyncio.open_unix_connection(str(self._control))
        writer.write(f"{command}\n".encode())
        answer = (await reader.readline()).decode().strip()
        writer.close()
        await writer.wait_closed()
        assert not answer.startswith("?"), answer
        return answer


@contextmanager
def _fault_proxy(to: tuple[str, int], listen: tuple[str, int]) -> Iterator[FaultProxy]:
    with tempfile.TemporaryDirectory(prefix="fp") as folder:  # a socket's path is at most 107 bytes long
        control = Path(folder) / "control"
        command = [sys.executable, str(CONFORMANCE / "faultproxy.py"), "--listen", f"{listen[0]}:{listen[1]}"]
        command += ["--to", f"{to[0]}:{to[1]}", "--control", str(control)]
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
        try:
            yield FaultProxy(process, control, listen)
        finally:
            process.kill()
            process.wait()


@asynccontextmanager
async def fault_proxy(to: tuple[str, int], listen: tuple[str, int]) -> AsyncIterator[FaultProxy]:
    """A fault proxy in front of ``to``; killed at the end."""
    with _fault_proxy(to, listen) as proxy:
        end = time.monotonic() + 30.0
        while not proxy.is_there:
            assert proxy.process.poll() is None, "the fault proxy ended"
            assert time.monotonic() < end, "the fault proxy does not start"
            await asyncio.sleep(0.02)
        yield proxy
