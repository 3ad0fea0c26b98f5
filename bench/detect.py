"""Phase `detect`: how long from the reading that proves an ignored stop to our RemoteStopTransaction.

Each charge point lives the field case: it starts a transaction, is ordered 0 A (the sink does that right behind its
answer to StartTransaction), accepts, and goes on drawing 6.5 A. Two readings after the deadline, 9 s apart, prove it;
the second one is the deciding one, and its instant is known here. Measured at the charge point:

  from the sample   deciding MeterValues sent -> RemoteStopTransaction received; two passes through the relay and the
                    central system's answer included
  from the answer   the CALLRESULT to it received -> RemoteStopTransaction received: ours wait for an idle channel, so
                    this is what the program itself took

The program trusts no reading of the first 30 s of a session, and a stop has 30 s to show: so each charge point waits
40 s. They all wait at the same time, each `spacing_s` behind the one before. The first half is decided on an otherwise
idle relay, the second half under an open loop of `load_rate` calls a second over `load_conns` other connections.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from picows import WSFrame, WSMsgType, WSTransport

from generator import ChargePoint, Metrics, OpenLoop, Pids, Window, close_all, connect, connect_all
from stats import latency_summary

FIRST_PROOF_S = 31.0
DECIDING_S = 40.0
PATIENCE_S = 3.0
WATTS = 4300.0
FIRST_NUMBER = 50_000


def reading(watt_hours: float, sequence: int) -> dict[str, object]:
    """MeterValues.req of the field case: 6.5 A on three phases, living digits, a register that counts along."""
    moving = random.Random(sequence)
    amperes = [f"{6.5 + moving.uniform(-0.04, 0.04):.2f}" for _ in range(3)]
    samples = [
        {"value": value, "measurand": "Current.Import", "unit": "A", "phase": f"L{line}"}
        for line, value in enumerate(amperes, 1)
    ]
    samples.append({"value": f"{WATTS:.0f}", "measurand": "Power.Active.Import", "unit": "W"})
    samples.append({"value": f"{watt_hours:.0f}", "measurand": "Energy.Active.Import.Register", "unit": "Wh"})
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"connectorId": 1, "meterValue": [{"timestamp": stamp, "sampledValue": samples}]}


class Wallbox(ChargePoint):
    """A charge point that accepts 0 A and goes on charging. Instants are `perf_counter` seconds, None: not yet."""

    def __init__(self, identity: str) -> None:
        super().__init__(identity)
        self.began = 0.0
        self.ordered: float | None = None
        self.decided: float | None = None
        self.answered: float | None = None
        self.stopped: float | None = None
        self.transaction: int | None = None
        self.too_early = False
        self._deciding_id = ""

    def start(self) -> None:
        """The frames that make it a charging charge point."""
        self.began = time.monotonic()
        self._say("BootNotification", {"chargePointVendor": "AcTEC", "chargePointModel": "EV-AC22K"})
        charging = {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}
        self._say("StatusNotification", charging)
        stamp = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._say("StartTransaction", {"connectorId": 1, "idTag": "LAB", "meterStart": 1_000_000, "timestamp": stamp})

    def read(self) -> None:
        """One reading."""
        self._say("MeterValues", self._now())

    def decide(self) -> None:
        """The reading that proves it."""
        self.too_early = self.stopped is not None
        payload = self._now()
        self.decided = perf_counter()
        self._deciding_id = self._say("MeterValues", payload)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Answer what is asked, note what is waited for."""
        now = perf_counter()
        if frame.msg_type is not WSMsgType.TEXT:
            return
        message = json.loads(frame.get_payload_as_bytes())
        if message[0] == 2:
            self._asked(message[1], message[2], message[3], now)
        elif message[1] == self._deciding_id:
            self.answered = now
        elif message[2].get("transactionId"):
            self.transaction = int(message[2]["transactionId"])

    def _asked(self, unique_id: str, action: str, payload: dict[str, Any], now: float) -> None:
        if action == "RemoteStopTransaction":
            self.stopped = self.stopped or now
            self.errors += payload.get("transactionId") != self.transaction
        elif action == "SetChargingProfile":
            self.ordered = now
        else:
            self.errors += 1
        self._send([3, unique_id, {"status": "Accepted"}])

    def _now(self) -> dict[str, object]:
        charged = WATTS * (time.monotonic() - self.began) / 3600
        return reading(1_000_000 + charged, self.sequence) | {"transactionId": self.transaction}

    def _say(self, action: str, payload: dict[str, Any]) -> str:
        self.sequence += 1
        unique_id = f"{self.identity}-{self.sequence}"
        self._send([2, unique_id, action, payload])
        return unique_id

    def _send(self, message: list[object]) -> None:
        assert self.transport is not None
        self.transport.send(WSMsgType.TEXT, json.dumps(message, separators=(",", ":")).encode())


async def live(url: str, box: Wallbox, wait: float) -> None:
    """One charge point from its connection to the deciding reading, and what comes of it."""
    await asyncio.sleep(wait)
    try:
        await connect(url, box)
    except Exception as error:
        box.errors += 1
        print(f"connect {box.identity}: {error!r}", file=sys.stderr)
        return
    box.start()
    await asyncio.sleep(FIRST_PROOF_S)
    box.read()
    await asyncio.sleep(DECIDING_S - FIRST_PROOF_S)
    box.decide()
    deadline = perf_counter() + PATIENCE_S
    while box.stopped is None and perf_counter() < deadline:
        await asyncio.sleep(0.05)


async def phase_detect(url: str, spec: dict[str, Any], pids: Pids) -> Metrics:
    """Both halves; `samples` holds every latency in microseconds, to be pooled over rounds."""
    count, spacing = int(spec["points"]), float(spec["spacing_s"])
    calm = [Wallbox(f"WB{FIRST_NUMBER + n}") for n in range(count)]
    loaded = [Wallbox(f"WB{FIRST_NUMBER + count + n}") for n in range(count)]
    span = count * spacing
    load_at = DECIDING_S + span + PATIENCE_S
    second_half = span + PATIENCE_S + 1.5  # its first decision falls 1.5 s after the load began
    lives = [live(url, box, n * spacing) for n, box in enumerate(calm)]
    lives += [live(url, box, second_half + n * spacing) for n, box in enumerate(loaded)]
    running = asyncio.gather(*lives)
    window = Window(pids)
    await asyncio.sleep(load_at)
    others, _, failures = await connect_all(url, int(spec["load_conns"]), 16)
    traffic = OpenLoop(others, float(spec["load_rate"]))
    traffic.start()
    await running
    traffic.stop()
    unanswered = await traffic.drain()
    metrics = window.close(frames=0)
    samples: dict[str, list[float]] = {}
    for name, boxes in (("calm", calm), ("loaded", loaded)):
        proved = [box for box in boxes if box.stopped is not None and not box.too_early]
        from_sample = [box.stopped - box.decided for box in proved if box.stopped and box.decided]
        from_answer = [box.stopped - box.answered for box in proved if box.stopped and box.answered]
        metrics |= latency_summary(from_sample, f"{name}_sample_")
        metrics |= latency_summary(from_answer, f"{name}_answer_")
        metrics[f"{name}_missed"] = len(boxes) - len(proved)
        samples[f"{name}_sample"] = [round(value * 1e6, 1) for value in from_sample]
        samples[f"{name}_answer"] = [round(value * 1e6, 1) for value in from_answer]
    metrics |= latency_summary(traffic.service, "service_")
    metrics |= latency_summary(traffic.lags, "generator_lag_")
    metrics["unordered"] = sum(box.ordered is None for box in calm + loaded)
    metrics["unanswered"] = len(unanswered)
    metrics["errors"] = failures + sum(point.errors for point in [*calm, *loaded, *others])
    metrics["samples"] = samples
    await close_all([*calm, *loaded, *others])
    return metrics
