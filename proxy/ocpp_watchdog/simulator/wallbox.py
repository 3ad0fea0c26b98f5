"""The charge point without its network: connectors, transactions, profiles, faults, and what it has to say.

Time moves in ``tick``; orders arrive through `orders.py`; messages leave through ``Network.post``.
"""

# The ocpp package ships without types.
# mypy: disable-error-code="import-untyped"

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Protocol

from ocpp.v16 import call

from .clock import SimClock, whole_seconds
from .configuration import Configuration, default_keys
from .connector import Connector, Start, Transaction
from .faults import NONE, Faults
from .limits import SMALLEST_AMPERES, ProfileStore
from .meter import MEASURANDS, Circuit, Meter, MeterOptions, Sample
from .transcript import Happening, Narrator, say_nothing

BROKEN = ('"sampledValue":[{', '"sampledValue":[,{')
"""What a valid MeterValues has, and what the one of `invalid-json` has instead (lbbrhzn/ocpp issue 1078)."""


NO_TIME = "0000-00-00T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class WallboxOptions:
    """What a simulated charge point is like when nothing is wrong with it."""

    vendor: str = "Simulated"
    model: str = "Wallbox"
    firmware: str = "1.0"
    connectors: int | None = None
    """How many connectors; None: what the fault needs, else one."""
    max_amperes: float = 16.0
    """The most it gives per phase."""
    phases: int = 3
    start: Start = "offered"
    start_seconds: float = 2.0
    """From plugging in (or the first current on offer) to StartTransaction."""
    id_tag: str = "LOCAL"
    register_wh: float = 12_345.0
    rate_unit: str = "Current"
    measurands: tuple[str, ...] = MEASURANDS
    meter: MeterOptions = field(default_factory=MeterOptions)
    sample_seconds: float = 60.0
    """MeterValueSampleInterval until somebody changes it."""
    prepares_again_seconds: float | None = None
    """After a transaction: from Finishing back to Preparing with the car still plugged in; None: never."""
    reboot_seconds: float = 10.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One CALL that waits to be sent.

    durable: kept while offline (transactions); others are dropped. broken: the text is spoilt on its way out.
    """

    payload: Any
    connector: int = 0
    durable: bool = False
    broken: bool = False
    answered: Callable[[Any], None] | None = None


class Network(Protocol):
    """What the charge point asks of its connection."""

    def post(self, outgoing: Outgoing) -> None:
        """Queue a CALL."""

    def drop(self) -> None:
        """Lose the TCP connection without a Close."""

    def reboot(self, seconds: float) -> None:
        """Close, stay away for a while, come back with BootNotification."""

    @property
    def ready(self) -> bool:
        """Connected, and BootNotification has been accepted."""


class Wallbox:
    """One charge point. Single-threaded: called from one event loop only."""

    def __init__(
        self,
        name: str,
        faults: Faults,
        clock: SimClock,
        options: WallboxOptions,
        *,
        network: Network,
        narrator: Narrator = say_nothing,
    ) -> None:
        self.name, self.faults, self.clock, self.options = name, faults, clock, options
        self.network, self.narrator = network, narrator
        chance = Random(options.seed)
        count = options.connectors or faults.connectors
        self.configuration = Configuration(
            default_keys(count, options.rate_unit, options.measurands), options.measurands
        )
        self.configuration.keys["MeterValueSampleInterval"].value = str(int(options.sample_seconds))
        self.profiles = ProfileStore()
        self.rebooting = False
        self.connectors: dict[int, Connector] = {}
        for number in range(1, count + 1):
            circuit = Circuit(options.phases, options.register_wh, clock.mono())
            meter = Meter(circuit, options.meter, chance)
            self.connectors[number] = Connector(number, circuit, meter, faults.on(number))
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._next_firmware = 0.0

    # --- time ---

    def utc(self) -> float:
        """The charge point's own clock, wrong when it is ordered to be."""
        return self.clock.utc() + self.faults.clock_offset_seconds

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something in simulated ``seconds``, at the next tick after that."""
        self._later.append((self.clock.mono() + seconds, do))

    def tick(self) -> None:
        """Let time pass: currents, statuses, transactions that begin, readings that are due."""
        now = self.clock.mono()
        due = [do for moment, do in self._later if moment <= now]
        self._later = [entry for entry in self._later if entry[0] > now]
        every = self.faults.firmware_seconds
        if every is not None and self.network.ready and now >= self._next_firmware:
            self._next_firmware = now + every
            self.network.post(Outgoing(call.FirmwareStatusNotification(status="Installed")))
        for do in due:
            do()
        for connector in self.connectors.values():
            self._tick(connector, now)

    def _tick(self, connector: Connector, now: float) -> None:
        if self.rebooting:
            connector.cut(now)
            return
        if self._begins(connector, now):
            self.begin(connector, self.options.id_tag)
        limit = self.limit(connector)
        target = connector.target(limit, self.options.max_amperes)
        connector.circuit.offered = self.options.max_amperes if limit is None else min(limit, self.options.max_amperes)
        if connector.faults.frozen_meter and connector.meter.held is None and self.told_to_stop(connector):
            self._read(connector, "Sample.Periodic")
        if connector.flow(target, now):
            self.tell("current_changed", connector.number, amperes=target)
        self.report(connector)
        if connector.transaction is not None and now >= connector.next_sample:
            every = self.configuration.seconds("MeterValueSampleInterval")
            connector.next_sample = max(connector.next_sample + every, now + 1.0)
            if every > 0:
                self.sample(connector, "Sample.Periodic")

    def _begins(self, connector: Connector, now: float) -> bool:
        """Whether a transaction begins by itself now."""
        free = connector.transaction is None and not connector.finished and connector.available
        if connector.plugged_since is None or not free or not self.network.ready or self.options.start == "remote":
            return False
        if now < connector.plugged_since + self.options.start_seconds:
            return False
        limit = self.limit(connector)
        return self.options.start == "plugged" or limit is None or limit >= SMALLEST_AMPERES

    def limit(self, connector: Connector) -> float | None:
        """The limit in force as an obedient charge point reads its profiles, by its own clock."""
        return self.profiles.amperes_at(connector.number, self.utc(), connector.running())

    def told_to_stop(self, connector: Connector) -> bool:
        """Whether a limit below 6 A is in force."""
        limit = self.limit(connector)
        return limit is not None and limit < SMALLEST_AMPERES

    # --- people ---

    def plug_in(self, number: int = 1, car_amperes: float = 32.0) -> None:
        """A car is plugged in that draws at most ``car_amperes`` per phase."""
        connector = self.connectors[number]
        connector.plugged_since, connector.car_amperes = self.clock.mono(), car_amperes
        connector.finished = False
        self.tell("plugged_in", number)

    def unplug(self, number: int = 1) -> None:
        """The car leaves; a transaction ends with it."""
        connector = self.connectors[number]
        connector.plugged_since, connector.keeps_flowing = None, False
        connector.cut(self.clock.mono())
        if connector.transaction is not None:
            self.end(connector, "EVDisconnected")
        connector.finished = False
        self.tell("unplugged", number)

    # --- transactions ---

    def begin(self, connector: Connector, id_tag: str) -> None:
        """Start a transaction; its id comes with the answer."""
        transaction = connector.transaction = Transaction(id_tag, self.utc())
        connector.finished, connector.keeps_flowing = False, False
        connector.next_sample = self.clock.mono() + self.configuration.seconds("MeterValueSampleInterval")

        def answered(result: Any) -> None:
            transaction.transaction_id = None if result is None else result.transaction_id
            self.tell("transaction_started", connector.number, transaction_id=transaction.transaction_id)
            if result is not None and result.id_tag_info.get("status") != "Accepted":
                self.end(connector, "DeAuthorized")

        payload = call.StartTransaction(
            connector_id=connector.number,
            id_tag=id_tag,
            meter_start=connector.meter.register_wh(),
            timestamp=whole_seconds(self.utc()),
        )
        self.network.post(Outgoing(payload, connector.number, durable=True, answered=answered))

    def end(self, connector: Connector, reason: str) -> None:
        """Stop the running transaction, if any."""
        transaction, connector.transaction = connector.transaction, None
        if transaction is None:
            return
        connector.finished = connector.plugged_since is not None
        if not connector.keeps_flowing:
            connector.cut(self.clock.mono())
        self.profiles.end_transaction(connector.number)
        payload = call.StopTransaction(
            meter_stop=connector.meter.register_wh(),
            timestamp=whole_seconds(self.utc()),
            transaction_id=transaction.transaction_id or 0,
            reason=reason,
        )
        self.network.post(Outgoing(payload, connector.number, durable=True))
        self.report(connector)
        self.tell("transaction_stopped", connector.number, reason=reason, transaction_id=transaction.transaction_id)
        if self.options.prepares_again_seconds is not None:
            self.later(self.options.prepares_again_seconds, partial(self._prepare_again, connector))

    def _prepare_again(self, connector: Connector) -> None:
        if connector.finished and connector.plugged_since is not None:
            connector.finished = False
            connector.plugged_since = self.clock.mono()

    # --- what it says ---

    def report(self, connector: Connector, *, always: bool = False) -> None:
        """Send StatusNotification when the status has changed, or always."""
        limit = self.limit(connector)
        status = connector.status(limit, connector.target(limit, self.options.max_amperes))
        if not self.network.ready or (status == connector.reported and not always):
            return
        suspended = status == "SuspendedEVSE" and connector.reported == "Charging"
        connector.reported = status
        payload = call.StatusNotification(
            connector_id=connector.number,
            error_code=connector.error_code,
            status=status,
            timestamp=NO_TIME if connector.faults.impossible_times else whole_seconds(self.utc()),
        )
        self.network.post(Outgoing(payload, connector.number))
        self.tell("status_reported", connector.number, status=status)
        if suspended:
            self.sample(connector, "Sample.Periodic")

    def sample(self, connector: Connector, context: str) -> None:
        """Send MeterValues, unless a fault forbids it."""
        if connector.faults.silent_when_suspended and self.told_to_stop(connector):
            return
        samples = self._read(connector, context)
        if not samples:
            return
        transaction = connector.transaction
        payload = call.MeterValues(
            connector_id=connector.number,
            transaction_id=None if transaction is None else transaction.transaction_id,
            meter_value=[{"timestamp": whole_seconds(self.utc()), "sampledValue": samples}],
        )
        broken = connector.faults.invalid_json and connector.circuit.amperes > 0
        self.network.post(Outgoing(payload, connector.number, broken=broken))

    def _read(self, connector: Connector, context: str) -> list[Sample]:
        """Look at the meter; a frozen one keeps what it shows while current flows."""
        connector.circuit.advance(self.clock.mono())
        stopped = self.told_to_stop(connector)
        return connector.meter.read(self.configuration.measurands(), context, connector.faults, stopped=stopped)

    def tell(self, name: str, connector: int = 0, **values: object) -> None:
        """Say what has happened to whoever listens."""
        happening = Happening(self.clock.utc(), self.clock.mono(), "charge_point", self.name, name, connector, values)
        self.narrator(happening)

    def boot_notification(self) -> Any:
        """The BootNotification of this charge point."""
        return call.BootNotification(
            charge_point_vendor=self.options.vendor,
            charge_point_model=self.options.model,
            firmware_version=self.options.firmware,
        )

    def heartbeat(self) -> Any:
        """A Heartbeat."""
        return call.Heartbeat()

    def reboot(self, *, forget: bool) -> None:
        """Go away and come back; ``forget``: without the profiles."""
        if forget:
            self.profiles.profiles.clear()
        self.rebooting = True
        self.tell("rebooted")
        for connector in self.connectors.values():
            connector.reported, connector.finished = None, False
        self.network.reboot(self.options.reboot_seconds)

    def faults_on(self, number: int) -> Faults:
        """The faults that an order for a connector meets; for connector 0: those of the first one that has any."""
        if number in self.connectors:
            return self.connectors[number].faults
        return next((each.faults for each in self.connectors.values() if each.faults != NONE), NONE)
