"""What the verbs ``simulate charge-point`` and ``simulate central-system`` do: plain functions over plain options.

The options are scalars with docstrings, so that whoever parses a command line can take them as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .central_load_point import Mode
from .central_station import CentralOptions
from .central_system import CentralSystemSimulator
from .charge_point import ChargePointSimulator, ConnectionOptions
from .clock import SimClock
from .connector import Start
from .faults import EVERY_FAULT
from .living import living
from .meter import MEASURANDS, MeterOptions
from .transcript import Happening
from .wallbox import WallboxOptions

Line = Callable[[str], None]


class UnknownFaultError(ValueError):
    """A fault name that is not in the registry; the text lists those that are."""


@dataclass(frozen=True, slots=True)
class ChargePointRun:
    """Options of ``simulate charge-point``."""

    url: str = "ws://127.0.0.1:8890"
    """Where to dial, without the charge point's id."""
    charge_point_id: str = "SIM-1"
    """The charge point's id, the last path segment."""
    fault: str = "none"
    """How it misbehaves; one of the names in the registry of faults."""
    speed: float = 1.0
    """How many times as fast as real time it lives."""
    connectors: int = 0
    """How many connectors; 0: as many as the fault needs, else one."""
    max_amperes: float = 16.0
    """The most it gives per phase, amperes."""
    phases: int = 3
    """Phases in use."""
    stuck_amperes: float = 6.5
    """Amperes per phase that flow on when an order is ignored."""
    start: Start = "offered"
    """When a transaction begins: offered (with the first current on offer), plugged (at once), remote (when told)."""
    prepares_again_seconds: float = 0.0
    """After a transaction, back to Preparing after so many seconds with the car still there; 0: never."""
    plug_in_seconds: float = 5.0
    """A car is plugged in so many seconds after the start; below 0: never."""
    unplug_seconds: float = 0.0
    """The car leaves so many seconds after the start; 0: never."""
    car_amperes: float = 32.0
    """The most the car takes per phase, amperes."""
    sample_seconds: float = 60.0
    """MeterValueSampleInterval until the central system changes it."""
    measurands: str = ",".join(MEASURANDS)
    """The measurands it can report, joined by commas."""
    decimals: int = 2
    """Digits behind the point of a current."""
    register_step_wh: float = 1.0
    """The energy register moves in steps of this many Wh."""
    power_per_phase: bool = True
    """Power per phase; otherwise one total."""
    rate_unit: str = "Current"
    """ChargingScheduleAllowedChargingRateUnit: Current or Power."""
    password: str = ""
    """Basic authentication with the id as user; empty: none."""
    empty_segment: bool = False
    """Dial ``//ID``, as some boxes do."""
    seed: int = 1
    """The same seed gives the same digits."""


@dataclass(frozen=True, slots=True)
class CentralSystemRun:
    """Options of ``simulate central-system``."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8887
    """Port to listen on; 0: a free one."""
    mode: Mode = "off"
    """off, now or pv."""
    amperes: float = 16.0
    """The current of mode now, amperes per phase."""
    sun_amperes: float = 0.0
    """What the sun gives in mode pv, amperes per phase."""
    cycle_seconds: float = 30.0
    """The control cycle."""
    unit: Literal["", "A", "W"] = ""
    """Unit of limits; empty: what the charge point's configuration says."""
    remote_start: bool = False
    """RemoteStartTransaction at every Preparing without a transaction."""
    connectors: int = 1
    """How many connectors of each charge point it manages."""
    known: str = ""
    """The configured charge point ids, joined by commas; empty: all are known."""
    field_case: str = ""
    """The id of a charge point to which the orders of the real case (6, 7, 11, 0 A) are given once it is set up."""
    speed: float = 1.0
    """How many times as fast as real time it lives."""
    start_utc: float = 0.0
    """POSIX seconds its clock starts at; 0: the real time."""


def build_charge_point(options: ChargePointRun, clock: SimClock, say: Line) -> ChargePointSimulator:
    """A charge point made of plain options. Raises UnknownFaultError."""
    if options.fault not in EVERY_FAULT:
        raise UnknownFaultError(f"unknown fault {options.fault!r}; known are: {', '.join(EVERY_FAULT)}")
    wallbox = WallboxOptions(
        connectors=options.connectors or None,
        max_amperes=options.max_amperes,
        phases=options.phases,
        start=options.start,
        rate_unit=options.rate_unit,
        measurands=tuple(part.strip() for part in options.measurands.split(",") if part.strip()),
        meter=MeterOptions(options.decimals, options.register_step_wh, power_per_phase=options.power_per_phase),
        sample_seconds=options.sample_seconds,
        prepares_again_seconds=options.prepares_again_seconds or None,
        seed=options.seed,
    )
    connection = ConnectionOptions(password=options.password or None, empty_segment=options.empty_segment)
    return ChargePointSimulator(
        options.url,
        options.charge_point_id,
        EVERY_FAULT[options.fault].stuck_at(options.stuck_amperes),
        clock,
        options=wallbox,
        connection=connection,
        narrator=_teller(say),
    )


async def run_charge_point(options: ChargePointRun, say: Line) -> None:
    """Live as a charge point until cancelled; ``say`` gets one line for each thing that happens."""
    clock = SimClock(options.speed)
    simulator = build_charge_point(options, clock, say)
    async with living(simulator):
        for number in simulator.wallbox.connectors:
            if options.plug_in_seconds >= 0:
                await clock.sleep_until(options.plug_in_seconds)
                simulator.plug_in(number, options.car_amperes)
        if options.unplug_seconds > 0:
            await clock.sleep_until(options.unplug_seconds)
            for number in simulator.wallbox.connectors:
                simulator.unplug(number)
        await asyncio.Event().wait()


def build_central_system(options: CentralSystemRun, clock: SimClock, say: Line) -> CentralSystemSimulator:
    """A central system made of plain options."""
    known = frozenset(part.strip() for part in options.known.split(",") if part.strip())
    return CentralSystemSimulator(
        options.host,
        options.port,
        clock,
        options.mode,
        options=CentralOptions(
            cycle_seconds=options.cycle_seconds,
            limit_amperes=options.amperes,
            sun_amperes=options.sun_amperes,
            unit=options.unit or None,
            remote_start=options.remote_start,
            connectors=tuple(range(1, options.connectors + 1)),
            known=known or None,
        ),
        narrator=_teller(say),
    )


async def run_central_system(options: CentralSystemRun, say: Line) -> None:
    """Live as a central system until cancelled; ``say`` gets one line for each thing that happens."""
    clock = SimClock(options.speed, options.start_utc or None)
    simulator = build_central_system(options, clock, say)
    async with living(simulator):
        await simulator.started.wait()
        say(f"central system listens on ws://{simulator.host}:{simulator.port}/<id>")
        if options.field_case:
            await simulator.wait_until_set_up(options.field_case)
            await simulator.run_field_case(options.field_case)
        await asyncio.Event().wait()


def _teller(say: Line) -> Callable[[Happening], None]:
    """A narrator that writes one line a happening."""

    def narrate(happening: Happening) -> None:
        where = f" connector {happening.connector}" if happening.connector else ""
        values = " ".join(f"{name}={value}" for name, value in happening.values.items())
        say(f"{happening.mono:9.1f} s  {happening.charge_point}{where}  {happening.name}  {values}".rstrip())

    return narrate
