"""Meter values, normalised per connector and measurand. (Contract; see the module's author.)"""

from __future__ import annotations

from dataclasses import dataclass

from ocpp_watchdog.core.terms import ConnectorId, Moment


@dataclass(frozen=True, slots=True)
class Reading:
    """One meterValue element in base units.

    connector: as reported. arrived: when the frame passed. timestamp: the charge point's own, POSIX seconds, None when
    absent or unreadable (0000-00-00, year before 1970 or after 2200). context: ReadingContext text as reported, default Sample.Periodic.
    transaction_id: the reported integer or None.
    currents: Current.Import of L1, L2, L3 in A (None: not reported). current: Current.Import without phase.
    power: total Power.Active.Import in W (without phase, else the sum of phases). powers: per phase.
    energy: Energy.Active.Import.Register total in Wh (without phase, else the sum of phases).
    energy_step: the largest power of ten in Wh that divides this register value (from its decimal text).
    voltages: L1..L3 in V. offered_amperes, offered_watts: Current.Offered (max), Power.Offered (sum), None when absent.
    digits: canonical text of the current figures with trailing zeros removed, for "do the digits change"; empty
    without currents. power_digits: same for power. decimals: the most decimals any current figure has after trailing
    zeros are removed (0 without currents). is_dc: a phaseless voltage above 300 V stands beside the current.
    """

    connector: ConnectorId
    arrived: Moment
    timestamp: float | None
    context: str
    transaction_id: int | None
    currents: tuple[float | None, float | None, float | None]
    current: float | None
    powers: tuple[float | None, float | None, float | None]
    power: float | None
    energy: float | None
    energy_step: float | None
    voltages: tuple[float | None, float | None, float | None]
    offered_amperes: float | None
    offered_watts: float | None
    digits: str
    power_digits: str
    decimals: int
    is_dc: bool
    is_export: bool = False

    @property
    def highest_current(self) -> float | None:
        """The highest phase current in A, None when no current was reported."""
        known = [value for value in (*self.currents, self.current) if value is not None]
        return max(known) if known else None
