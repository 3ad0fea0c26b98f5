"""One charge point as evcc keeps it: its answers, the set-up after each BootNotification, the readings it asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any

from .central_belief import Belief
from .central_channel import CallChannel, Send
from .central_check import Answered, Asked, Complaint, read
from .central_frames import PROBED, Payload, charging_profile, result_text
from .clock import SimClock, whole_seconds
from .transcript import Happening, Narrator, say_nothing

BOOT_PATIENCE_SECONDS = 5.0
"""A box that evcc has never seen boot is asked for BootNotification after this."""
GO_ON_SECONDS = 60.0
"""Without BootNotification evcc takes a connection as usable after this."""
HEARTBEAT_SECONDS = 60
PING_SECONDS = 30


@dataclass(frozen=True, slots=True)
class CentralOptions:
    """What the owner has configured in evcc. Times are simulated seconds."""

    cycle_seconds: float = 30.0
    """The control cycle of a load point."""
    min_amperes: float = 6.0
    limit_amperes: float = 16.0
    """The current of mode now, until somebody sets another."""
    sun_amperes: float = 0.0
    """What the sun gives in mode pv, until somebody sets another."""
    phases: int = 3
    unit: str | None = None
    """``A`` or ``W``; None: what the charge point's configuration says."""
    remote_start: bool = False
    """RemoteStartTransaction at every Preparing without a transaction."""
    connectors: tuple[int, ...] = (1,)
    """The connectors that evcc manages."""
    known: frozenset[str] | None = None
    """The configured charge point ids; None: all."""
    interval_seconds: int = 10
    """The meter interval evcc wants."""
    check_seconds: float = 2.0
    """How often evcc looks at the age of the readings."""
    call_seconds: float = 60.0
    silence_seconds: float = 60.0
    enable_delay_seconds: float = 0.0
    disable_delay_seconds: float = 180.0
    seed: int = 1


class Station:
    """One charge point id, over all its connections. ``next_transaction``: gives out transaction ids."""

    def __init__(
        self,
        name: str,
        clock: SimClock,
        options: CentralOptions,
        next_transaction: Callable[[], int],
        narrator: Narrator = say_nothing,
    ) -> None:
        self.name, self.clock, self.options, self.narrator = name, clock, options, narrator
        self._next_transaction = next_transaction
        self.channel = CallChannel(clock, options.call_seconds, Random(f"{options.seed} {name}"))
        self.beliefs = {number: Belief(options.interval_seconds) for number in options.connectors}
        self.configuration: dict[str, str] = {}
        self.readonly: set[str] = set()
        self.online = False
        """Connected as the load point understands it."""
        self.set_up = asyncio.Event()
        self.known = options.known is None or name in options.known
        self._had_boot = self._setting_up = self._failed = False
        self._measured = asyncio.Event()
        self._spawn: Callable[[Coroutine[Any, Any, None]], object] | None = None
        self._send: Send | None = None

    # --- one connection ---

    def connected(self, send: Send, spawn: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        """A connection is open: ``send`` writes on it, ``spawn`` starts work that ends with it."""
        self._send, self._spawn, self._setting_up = send, spawn, False
        if self.known:
            spawn(self.channel.run(send))
            spawn(self._wait_for_boot())
        self.tell("connected")

    def disconnected(self) -> None:
        """The connection has ended."""
        self._send = self._spawn = None
        self.online = False
        self.tell("disconnected")

    async def receive(self, text: str) -> None:
        """Answer one message of the charge point, in evcc's words."""
        match read(text):
            case Complaint(complaint):
                await self._write(complaint)
            case Answered() as answer:
                objection = self.channel.take(answer)
                if objection is not None:
                    await self._write(objection)
            case Asked(unique_id, action, payload):
                await self._write(result_text(unique_id, self._answer(action, payload)))
                self._after(action, payload)
            case None:
                pass

    async def _write(self, text: str) -> None:
        if self._send is not None:
            await self._send(text)

    # --- what the charge point says ---

    def _answer(self, action: str, payload: dict[str, Any]) -> Payload:
        now = self.clock.utc()
        belief = self.beliefs.get(payload.get("connectorId", 0))
        match action:
            case "BootNotification":
                accepted = self.known and not self._failed
                status = "Accepted" if accepted else "Pending"
                return {"currentTime": whole_seconds(now), "interval": HEARTBEAT_SECONDS, "status": status}
            case "Heartbeat":
                return {"currentTime": whole_seconds(now)}
            case "StartTransaction":
                number = 0 if belief is None else self._next_transaction()
                if belief is not None:
                    belief.take_start(number)
                return {"idTagInfo": {"status": "Accepted"}, "transactionId": number}
            case "StopTransaction":
                for each in self.beliefs.values():
                    if each.transaction_id and each.transaction_id == payload.get("transactionId"):
                        each.stop(now)
                return {"idTagInfo": {"status": "Accepted"}}
            case "Authorize":
                return {"idTagInfo": {"status": "Accepted"}}
            case "DataTransfer":
                return {"status": "Accepted"}
            case "SignCertificate":
                return {"status": "Rejected"}
            case "StatusNotification":
                if belief is not None and belief.take_status(payload, now):
                    self._remote_start(payload.get("connectorId", 0), belief)
            case "MeterValues":
                if belief is not None:
                    belief.take_meter_values(payload)
                self._measured.set()
        return {}

    def _remote_start(self, connector: int, belief: Belief) -> None:
        """With remote start every Preparing without a transaction is answered with a start, in every mode."""
        if self.options.remote_start and belief.status == "Preparing" and not belief.transaction_id and self.known:
            self.channel.post("RemoteStartTransaction", {"connectorId": connector, "idTag": "evcc"})

    def _after(self, action: str, _payload: dict[str, Any]) -> None:
        if action != "BootNotification" or not self.known or self._failed or self._spawn is None:
            return
        self._had_boot = self.online = True
        if not self._setting_up:
            self._setting_up = True
            self._spawn(self._set_up())

    # --- set-up ---

    async def _wait_for_boot(self) -> None:
        """A box never seen before is asked for BootNotification twice; one that has booted once is waited for."""
        opened, new = self.clock.mono(), not self._had_boot
        await self.clock.sleep(BOOT_PATIENCE_SECONDS)
        if not self._had_boot:
            await self.channel.call("TriggerMessage", {"requestedMessage": "BootNotification"})
        await self.clock.sleep_until(opened + GO_ON_SECONDS)
        if self.online:
            return
        if new:
            self.channel.post("TriggerMessage", {"requestedMessage": "BootNotification"})
        self.online = True
        if not self.set_up.is_set() and not self._setting_up:
            self._setting_up = True
            await self._set_up()

    async def _set_up(self) -> None:
        """About fifteen CALLs, each after the answer of the one before."""
        await self.channel.call("ChangeAvailability", {"connectorId": 0, "type": "Operative"})
        listed = await self.channel.call("GetConfiguration", {})
        if listed.kind in {"timed_out", "error"}:
            self._failed = True
            self.tell("set_up_failed")
            return
        self._read_configuration(listed.payload)
        if "MeterValuesSampledData" not in self.readonly:
            await self._choose_measurands()
        if self.may_trigger:
            self._measured.clear()
            await self.channel.call("TriggerMessage", {"requestedMessage": "MeterValues"})
            await self._patience(self._measured)
        await self._change("MeterValueSampleInterval", str(self.options.interval_seconds))
        await self._change("WebSocketPingInterval", str(PING_SECONDS))
        if not self.set_up.is_set():
            await self._ask_for_status()
        self._setting_up = False
        self.set_up.set()
        self.tell("set_up")

    def _read_configuration(self, payload: dict[str, Any]) -> None:
        self.configuration, self.readonly = {}, set()
        for entry in payload.get("configurationKey") or ():
            self.configuration[entry["key"]] = entry.get("value") or ""
            if entry.get("readonly"):
                self.readonly.add(entry["key"])

    async def _choose_measurands(self) -> None:
        accepted = [name for name in PROBED if await self._change("MeterValuesSampledData", name)]
        longest = int(self.configuration.get("MeterValuesSampledDataMaxLength") or len(PROBED))
        if accepted:
            await self._change("MeterValuesSampledData", ",".join(accepted[:longest]))

    async def _change(self, key: str, value: str) -> bool:
        outcome = await self.channel.call("ChangeConfiguration", {"key": key, "value": value})
        return outcome.accepted

    async def _patience(self, event: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self.clock.real_seconds(GO_ON_SECONDS)):
                await event.wait()
        except TimeoutError:
            self.tell("meter_values_missing")

    async def _ask_for_status(self) -> None:
        """Only when no status has come yet: for all, after 30 s for the connector, given up at 60 s."""
        for extra in ({}, {"connectorId": self.options.connectors[0]}):
            if any(belief.status is not None for belief in self.beliefs.values()) or not self.may_trigger:
                return
            await self.channel.call("TriggerMessage", {"requestedMessage": "StatusNotification", **extra})
            deadline = self.clock.mono() + 30.0
            while self.clock.mono() < deadline and all(belief.status is None for belief in self.beliefs.values()):
                await self.clock.sleep(0.5)

    # --- readings and orders ---

    @property
    def may_trigger(self) -> bool:
        """Whether the charge point supports TriggerMessage, as far as it says."""
        profiles = [part.strip() for part in self.configuration.get("SupportedFeatureProfiles", "").split(",")]
        return "Core" not in profiles or "RemoteTrigger" in profiles

    async def keep_readings_fresh(self) -> None:
        """Ask for MeterValues whenever the last ones are older than the interval, by their own timestamps."""
        due = self.clock.mono()
        while True:
            due += self.options.check_seconds
            await self.clock.sleep_until(due)
            for number in self._stale():
                await self.channel.call("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": number})

    def _stale(self) -> list[int]:
        """The connectors whose readings are too old."""
        if not self.online or not self.set_up.is_set() or not self.may_trigger:
            return []
        now = self.clock.utc()
        return [number for number, belief in self.beliefs.items() if belief.age(now) > self.options.interval_seconds]

    @property
    def unit(self) -> str:
        """The unit of limits: W when the charge point's configuration says Power or W, else A."""
        if self.options.unit is not None:
            return self.options.unit
        allowed = self.configuration.get("ChargingScheduleAllowedChargingRateUnit", "")
        return "W" if allowed in {"Power", "W"} else "A"

    async def order(self, connector: int, amperes: float) -> bool:
        """SetChargingProfile. Result: whether it was accepted."""
        payload = charging_profile(
            connector,
            amperes,
            unit=self.unit,
            phases=self.options.phases,
            profile_id=int(self.configuration.get("MaxChargingProfilesInstalled") or 0),
            stack_level=int(self.configuration.get("ChargeProfileMaxStackLevel") or 0),
            utc=self.clock.utc(),
        )
        outcome = await self.channel.call("SetChargingProfile", payload)
        self.tell("limit_ordered", connector, amperes=amperes, outcome=outcome.payload.get("status", outcome.kind))
        return outcome.accepted

    def tell(self, name: str, connector: int = 0, **values: object) -> None:
        """Say what has happened to whoever listens."""
        self.narrator(
            Happening(self.clock.utc(), self.clock.mono(), "central_system", self.name, name, connector, values)
        )
