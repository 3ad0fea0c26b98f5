"""What flows through one connector, and how the meter of the charge point words it.

The circuit is the truth; the meter adds the restlessness of real digits (the field case: 6.53/6.28/6.43 A at
1460/1410/1410 W) and, on order, lies.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random

from .faults import Faults

PHASE_SHARE = (1.0046, 0.9662, 0.9892)
"""How the three phases of the field case differ."""
PHASE_VOLTS = (223.6, 224.5, 219.3)
IDLE_VOLTS = (230.4, 230.9, 229.8)

Sample = dict[str, str]
"""One SampledValue with the wire's names."""


@dataclass(slots=True)
class Circuit:
    """The current of one connector and the energy it has carried.

    ``amperes``: nominal, per phase, on ``phases`` phases; ``energy_wh``: the register, unrounded; ``mono``: the
    simulated moment up to which it is counted.
    """

    phases: int
    energy_wh: float
    mono: float
    amperes: float = 0.0
    offered: float = 0.0
    """Amperes per phase the charge point believes it offers."""

    def currents(self) -> tuple[float, float, float]:
        """Amperes of L1, L2, L3 without any noise."""
        one, two, three = (
            self.amperes * share if phase < self.phases else 0.0 for phase, share in enumerate(PHASE_SHARE)
        )
        return one, two, three

    def watts(self) -> float:
        """The power of all phases."""
        return sum(amperes * volts for amperes, volts in zip(self.currents(), PHASE_VOLTS, strict=True))

    def advance(self, mono: float) -> None:
        """Count the energy up to a later moment."""
        self.energy_wh += self.watts() * max(0.0, mono - self.mono) / 3600.0
        self.mono = max(self.mono, mono)


@dataclass(frozen=True, slots=True)
class MeterOptions:
    """How a meter words its readings."""

    decimals: int = 2
    """Digits behind the point of a current."""
    register_step_wh: float = 1.0
    """The register moves in steps of this many Wh."""
    power_step_w: float = 10.0
    """Power per phase is cut to a multiple of this."""
    power_per_phase: bool = True
    """Power is given per phase; otherwise as one total without phase."""
    reported_phases: tuple[str, ...] = ("L1", "L2", "L3")
    """The phases that currents, powers and voltages are given for."""
    jitter_amperes: float = 0.03
    """Readings scatter evenly by this much around the truth; 0: every reading of a steady current is the same."""


@dataclass(slots=True)
class Meter:
    """The meter of one connector: words the truth, or what its faults make of it."""

    circuit: Circuit
    options: MeterOptions
    chance: Random
    held: list[Sample] | None = None
    """The readings that a frozen meter repeats; None while it is alive."""

    def read(self, measurands: Collection[str], context: str, faults: Faults, *, stopped: bool) -> list[Sample]:
        """The sampled values of this moment, in the order of ``measurands``.

        stopped: a 0 A order stands, which some faults wait for.
        """
        if faults.frozen_meter and stopped and self.held is not None:
            return [{**sample, "context": context} for sample in self.held if sample["measurand"] in measurands]
        samples = [
            {
                "value": value,
                "context": context,
                "measurand": measurand,
                **({"phase": phase} if phase else {}),
                "unit": unit,
            }
            for measurand in measurands
            for value, phase, unit in self._values(measurand, faults, stopped=stopped)
        ]
        if self.circuit.amperes > 0:
            self.held = samples
        return samples

    def register_wh(self) -> int:
        """The register as it is shown, cut to its step."""
        step = self.options.register_step_wh
        return int(math.floor(self.circuit.energy_wh / step) * step)

    def _values(self, measurand: str, faults: Faults, *, stopped: bool) -> Sequence[tuple[str, str, str]]:
        """(value, phase, unit) of each sample of one measurand; nothing for a measurand it does not know."""
        flows = self.circuit.amperes > 0
        shows = flows and not (faults.hidden_flow and stopped)
        currents = [self._scatter(amperes) if shows else 0.0 for amperes in self.circuit.currents()]
        nominal = PHASE_VOLTS if flows else IDLE_VOLTS
        match measurand:
            case "Energy.Active.Import.Register":
                return [(str(self.register_wh()), "", "Wh")]
            case "Current.Offered":
                return [(f"{self.circuit.offered:.1f}", "", "A")]
            case "Current.Import":
                return self._per_phase([f"{amperes:.{self.options.decimals}f}" for amperes in currents], "A")
            case "Power.Active.Import":
                watts = [
                    amperes * volts * faults.power_factor for amperes, volts in zip(currents, nominal, strict=True)
                ]
                if self.options.power_per_phase:
                    return self._per_phase([self._cut(value) for value in watts], "W")
                return [(self._cut(sum(watts)), "", "W")]
            case "Voltage":
                blind = faults.voltage_zero and flows
                volts = [0.0 if blind else value + self.chance.uniform(-0.3, 0.3) for value in nominal]
                return self._per_phase([f"{value:.1f}" for value in volts], "V")
        return []

    def _per_phase(self, values: Sequence[str], unit: str) -> list[tuple[str, str, str]]:
        named = zip(("L1", "L2", "L3"), values, strict=True)
        return [(value, phase, unit) for phase, value in named if phase in self.options.reported_phases]

    def _scatter(self, amperes: float) -> float:
        if not amperes:
            return 0.0
        return max(0.0, amperes + self.chance.uniform(-1, 1) * self.options.jitter_amperes)

    def _cut(self, watts: float) -> str:
        step = self.options.power_step_w
        return f"{math.floor(watts / step) * step:g}"


MEASURANDS = ("Power.Active.Import", "Energy.Active.Import.Register", "Current.Import", "Voltage")
"""What the meter tells unless it is told otherwise; ``Current.Offered`` is the fifth it knows."""
