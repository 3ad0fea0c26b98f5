"""What the phases are made of: charge points, the measured window, and calls at a fixed rate."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import struct
import sys
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

import proc
from payload import RESULT_PREFIX, SUBPROTOCOL, call_frame, meter_values_tail

_TAIL = meter_values_tail()
_TEXT = WSMsgType.TEXT
_HEADERS = [("Sec-WebSocket-Protocol", SUBPROTOCOL)]

Pids = tuple[int | None, int | None]
"""The relay's process and the sink's; None: there is none."""

Metrics = dict[str, Any]


class ChargePoint(WSListener):
    """One connection with at most one CALL in flight."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.transport: WSTransport | None = None
        self.sequence = 0
        self.expected = b""
        self.busy = False
        self.due = 0.0
        self.sent = 0.0
        self.errors = 0
        self.alive = False
        self.waiting: deque[float] = deque()
        self.on_reply: Callable[[ChargePoint, float], None] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Remember the transport."""
        self.transport = transport
        self.alive = True

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Count an unexpected end as an error."""
        if self.alive:
            self.alive = False
            self.errors += 1

    def call(self, due: float) -> None:
        """Send one MeterValues CALL that was due at `due`."""
        assert self.transport is not None
        self.sequence += 1
        unique_id = b"%s-%08d" % (self.identity.encode(), self.sequence)
        self.expected = RESULT_PREFIX + unique_id + b'"'
        self.busy = True
        self.due = due
        self.sent = perf_counter()
        self.transport.send(_TEXT, call_frame(unique_id, _TAIL))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Match a CALLRESULT to the outstanding CALL."""
        if frame.msg_type is not _TEXT:
            return
        now = perf_counter()
        if not frame.get_payload_as_bytes().startswith(self.expected):
            self.errors += 1
            return
        self.busy = False
        if self.on_reply is not None:
            self.on_reply(self, now)

    def close(self) -> None:
        """Drop the connection without waiting for the closing handshake."""
        self.alive = False
        if self.transport is not None:
            self.transport.disconnect(graceful=False)


class Window:
    """CPU and noise between the start and the end of a measured window."""

    def __init__(self, pids: Pids) -> None:
        relay_pid, sink_pid = pids
        self._relay = proc.descendants(relay_pid) if relay_pid else []
        self._ours = [os.getpid(), *(proc.descendants(sink_pid) if sink_pid else [])]
        self._start = (
            perf_counter(),
            proc.cpu_seconds(self._relay),
            proc.cpu_seconds(self._ours),
            proc.machine_time(),
            proc.user_and_system(self._relay),
        )

    def close(self, frames: int) -> Metrics:
        """Metrics of the window; `frames` is what the relay moved in it, both directions."""
        began, relay0, ours0, machine0, modes0 = self._start
        elapsed = perf_counter() - began
        relay = proc.cpu_seconds(self._relay) - relay0
        ours = proc.cpu_seconds(self._ours) - ours0
        machine = proc.machine_time()
        foreign = (machine.busy - machine0.busy) - relay - ours
        result = {
            "elapsed_s": elapsed,
            "harness_cores": ours / elapsed,
            "foreign_cores": max(0.0, foreign) / elapsed,
            "steal_cores": (machine.steal - machine0.steal) / elapsed,
        }
        if self._relay:
            result["relay_cores"] = relay / elapsed
            user, system = (now - then for now, then in zip(proc.user_and_system(self._relay), modes0, strict=True))
            if user + system:
                result["relay_kernel_share"] = system / (user + system)
            if frames:
                result["relay_cpu_s_per_1000_frames"] = relay / frames * 1000
        return result


async def connect(url: str, point: ChargePoint) -> float:
    """Open one connection; returns the seconds its handshake took."""
    began = perf_counter()
    await ws_connect(
        lambda: point,
        f"{url}/{point.identity}",
        extra_headers=_HEADERS,
        read_buffer_init_size=2048,
        websocket_handshake_timeout=20,
    )
    return perf_counter() - began


async def connect_all(
    url: str, count: int, parallel: int, first: int = 0
) -> tuple[list[ChargePoint], list[float], int]:
    """Open `count` connections; returns the live ones, the handshake times, the failures."""
    points: list[ChargePoint] = []
    times: list[float] = []
    failures = 0
    numbers = iter(range(first, first + count))

    async def worker() -> None:
        nonlocal failures
        for number in numbers:
            point = ChargePoint(f"CP{number:04d}")
            try:
                times.append(await connect(url, point))
            except Exception as error:
                failures += 1
                if failures <= 3:
                    print(f"connect {point.identity}: {error!r}", file=sys.stderr)
                continue
            points.append(point)

    await asyncio.gather(*(worker() for _ in range(parallel)))
    return points, times, failures


async def close_all(points: list[ChargePoint]) -> None:
    """Close every connection and let the relay notice."""
    for point in points:
        point.close()
    await asyncio.sleep(0.2)


class PacingTimer:
    """A periodic kernel timer (timerfd): microsecond pacing, unlike the event loop's 1 ms."""

    _CLOCK_MONOTONIC = 1
    _NONBLOCK = 0o4000

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = self._libc.timerfd_create(self._CLOCK_MONOTONIC, self._NONBLOCK)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def start(self, interval: float) -> None:
        """Fire every `interval` seconds, the first time one interval from now."""
        seconds, fraction = divmod(interval, 1)
        spec = struct.pack("@4l", int(seconds), int(fraction * 1e9), int(seconds), int(fraction * 1e9))
        if self._libc.timerfd_settime(self.fd, 0, spec, None) != 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def expirations(self) -> int:
        """How many periods have passed since the last call."""
        return int(struct.unpack("@Q", os.read(self.fd, 8))[0])

    def close(self) -> None:
        """Stop and release the timer."""
        os.close(self.fd)


class OpenLoop:
    """Calls at a fixed rate over these connections, each in its turn, whatever the replies do.

    A call that is due on a busy connection waits there (OCPP allows one outstanding CALL) on the relay's account:
    latency counts from the moment the call was due.
    """

    def __init__(self, points: list[ChargePoint], rate: float) -> None:
        self.points = points
        self.rate = rate
        self.latencies: list[tuple[float, float]] = []  # (due, seconds)
        self.service: list[float] = []  # seconds from the actual send
        self.lags: list[float] = []
        self._timer = PacingTimer()
        self._ticks = 0
        self._began = 0.0
        for point in points:
            point.on_reply = self._replied

    def start(self) -> None:
        """Begin to call."""
        gc.collect()
        self._began = perf_counter()
        self._timer.start(1 / self.rate)
        asyncio.get_running_loop().add_reader(self._timer.fd, self._tick)

    def stop(self) -> None:
        """Send nothing more; replies are still taken."""
        asyncio.get_running_loop().remove_reader(self._timer.fd)
        self._timer.close()

    async def drain(self, patience: float = 3.0) -> list[float]:
        """Wait for the replies that are missing; returns when each call without one was due."""
        deadline = perf_counter() + patience
        while any(p.busy for p in self.points) and perf_counter() < deadline:
            await asyncio.sleep(0.05)
        return [due for p in self.points for due in ([p.due] if p.busy else []) + list(p.waiting)]

    def _replied(self, point: ChargePoint, now: float) -> None:
        self.latencies.append((point.due, now - point.due))
        self.service.append(now - point.sent)
        if point.waiting:
            point.call(point.waiting.popleft())

    def _tick(self) -> None:
        for _ in range(self._timer.expirations()):
            self._ticks += 1
            due = self._began + self._ticks / self.rate
            self.lags.append(perf_counter() - due)
            point = self.points[self._ticks % len(self.points)]
            if point.busy:
                point.waiting.append(due)
            else:
                point.call(due)
