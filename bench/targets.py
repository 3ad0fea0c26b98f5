"""The reference relays and how to start each as a fresh process."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import string
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
RELAYS = HERE / "relays"


@dataclass(frozen=True, slots=True)
class Context:
    """What a command line needs to know."""

    port: int
    upstream_port: int
    directory: Path

    @property
    def upstream(self) -> str:
        """The central system's base URL."""
        return f"ws://127.0.0.1:{self.upstream_port}"

    def render(self, template: str) -> Path:
        """Fill in a configuration template and write it to the scratch directory."""
        text = (RELAYS / template).read_text()
        path = self.directory / template.removesuffix(".in")
        path.write_text(
            string.Template(text).substitute(port=self.port, upstream_port=self.upstream_port, directory=self.directory)
        )
        return path


Command = Callable[[Context], list[str]]


def _tool(name: str, variable: str) -> str:
    """A tool's path: the environment variable, else PATH, else the places where this folder keeps its own."""
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", str(HERE / ".venv-mitmproxy" / "bin")))
    path = os.environ.get(variable) or shutil.which(name, path=places)
    if path is None:
        raise SystemExit(f"{name} not found (install it or set {variable})")
    return path


def _python(script: str, *extra: str) -> Command:
    def command(context: Context) -> list[str]:
        return [
            sys.executable,
            str(RELAYS / script),
            "--port",
            str(context.port),
            "--upstream",
            context.upstream,
            *extra,
        ]

    return command


def _aiohttp(mode: str, loop: str, *extra: str) -> Command:
    return _python("aiohttp_relay.py", "--mode", mode, "--loop", loop, "--work", "none", *extra)


def _haproxy(context: Context) -> list[str]:
    return [_tool("haproxy", "HAPROXY"), "-q", "-db", "-f", str(context.render("haproxy.cfg.in"))]


def _nginx(context: Context) -> list[str]:
    return [_tool("nginx", "NGINX"), "-p", str(context.directory), "-c", str(context.render("nginx.conf.in"))]


def _socat(context: Context) -> list[str]:
    listen = f"TCP-LISTEN:{context.port},bind=127.0.0.1,reuseaddr,fork,backlog=4096,nodelay,max-children=6000"
    return [_tool("socat", "SOCAT"), listen, f"TCP:127.0.0.1:{context.upstream_port},nodelay"]


def _node(context: Context) -> list[str]:
    return [_tool("node", "NODE"), str(RELAYS / "node_relay.js"), str(context.port), str(context.upstream_port)]


def _mitmproxy(context: Context) -> list[str]:
    return [
        _tool("mitmdump", "MITMDUMP"),
        "--quiet",
        "--mode",
        f"reverse:http://127.0.0.1:{context.upstream_port}",
        "--listen-host",
        "127.0.0.1",
        "--listen-port",
        str(context.port),
        "--set",
        "flow_detail=0",
        "--set",
        f"confdir={context.directory}",
    ]


def _watchdog(part: str, *extra: str) -> Command:
    plain = _python("watchdog.py", "--part", part, *extra)
    return lambda context: [*plain(context), "--directory", str(context.directory)]


OURS: dict[str, Command] = {
    "ocpp-watchdog": _watchdog("product"),
    "ocpp-watchdog-fast": _watchdog("product", "--fast"),
    "ocpp-watchdog-fast-nojournal": _watchdog("product", "--fast", "--journal", "off"),
    "ocpp-watchdog-relay": _watchdog("relay"),
    "ocpp-watchdog-fast-relay": _watchdog("relay", "--fast"),
}
JUDGING = ("ocpp-watchdog", "ocpp-watchdog-fast")
"""The targets that notice an ignored stop."""

REFERENCE: dict[str, Command] = OURS | {
    "socat": _socat,
    "haproxy": _haproxy,
    "nginx": _nginx,
    "node-http-proxy": _node,
    "mitmproxy": _mitmproxy,
    "websockets": _python("websockets_relay.py"),
    "picows": _python("picows_relay.py"),
    "aiohttp-naive": _aiohttp("naive", "asyncio"),
    "aiohttp-raw": _aiohttp("raw", "asyncio"),
    "aiohttp-naive-uvloop": _aiohttp("naive", "uvloop"),
    "aiohttp-raw-uvloop": _aiohttp("raw", "uvloop"),
    "aiohttp-callback-uvloop": _aiohttp("callback", "uvloop"),
    "aiohttp-naive-read64k": _aiohttp("naive", "asyncio", "--read-size", "65536"),
    "aiohttp-splice": _aiohttp("splice", "asyncio"),
    "aiohttp-splice-read64k": _aiohttp("splice", "asyncio", "--read-size", "65536"),
    "aiohttp-splice-uvloop": _aiohttp("splice", "uvloop"),
    "aiohttp-splice-fastnet": _aiohttp("splice", "fastnet"),
    "aiohttp-pipe-uvloop": _aiohttp("pipe", "uvloop"),
}


_TOOLS = {
    "socat": ("socat", "SOCAT"),
    "haproxy": ("haproxy", "HAPROXY"),
    "nginx": ("nginx", "NGINX"),
    "node-http-proxy": ("node", "NODE"),
    "mitmproxy": ("mitmdump", "MITMDUMP"),
}


def is_available(name: str) -> bool:
    """Whether the tool that a target needs is there (node: with its package)."""
    if name not in _TOOLS:
        return True
    try:
        tool = _tool(*_TOOLS[name])
    except SystemExit:
        return False
    if name != "node-http-proxy":
        return True
    asked = subprocess.run([tool, "-e", "require('http-proxy')"], capture_output=True, check=False, cwd=RELAYS)
    return asked.returncode == 0


def command_for(name: str) -> Command:
    """A reference relay by name; `NAME+step,step` adds per-frame work to an aiohttp relay."""
    if "+" not in name:
        return REFERENCE[name]
    base, _, work = name.partition("+")
    plain = REFERENCE[base]

    def command(context: Context) -> list[str]:
        argv = [argument for argument in plain(context)]
        if "--work" in argv:
            argv[argv.index("--work") + 1] = work
            return argv
        return [*argv, "--work", work]

    return command


def wait_for_port(port: int, process: subprocess.Popen[bytes], timeout: float = 20.0) -> None:
    """Wait until something listens, or fail."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{process.args!r} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(0.3)
                return
        time.sleep(0.05)
    raise SystemExit(f"{process.args!r} does not listen on {port}")


def start(argv: list[str], port: int, cpus: set[int], scratch: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a process in its own session, pinned, and wait until it listens.

    Temporary files (journals) go below `scratch`, which the caller removes.
    """
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=None if os.environ.get("BENCH_DEBUG") else subprocess.DEVNULL,
        env=os.environ | ({"TMPDIR": str(scratch)} if scratch else {}),
        start_new_session=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cpus),
    )
    wait_for_port(port, process)
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process started by `start`, with its children (its own session only)."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(timeout=3)
            break
        except subprocess.TimeoutExpired:
            continue
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
