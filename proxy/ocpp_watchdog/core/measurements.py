"""Meter values, normalised per connector and measurand: base units, phases sorted out, nonsense dropped.

Knows what a sampled value means (smart-charging rules 2, quirks of real charge points), not how it stands in a payload.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from decimal import Decimal
from typing import NamedTuple

from ocpp_watchdog.core.figures import LONGEST, Figure, figure, step
from ocpp_watchdog.core.terms import ConnectorId, Context, Moment
from ocpp_watchdog.core.values import value


@value
class Reading:
    """One meterValue element in base units.

    connector: as reported. arrived: when the frame passed. timestamp: the charge point's own, POSIX seconds, None when
    absent or unreadable (0000-00-00, year before 1970 or after 2200). context: ReadingContext text as reported, default
    Sample.Periodic; the first one stated by a sample that is used.
    transaction_id: the reported integer or None.
    currents: Current.Import of L1, L2, L3 in A (None: not reported). current: Current.Import without phase, None beside
    phase currents, which decide (it may be their sum).
    power: total Power.Active.Import in W (without phase, else the sum of phases). powers: per phase.
    energy: Energy.Active.Import.Register total in Wh (without phase, else the sum of phases).
    energy_step: the largest power of ten in Wh that divides this register value (from its decimal text), 0.001 to 1000.
    voltages: L1..L3 in V. offered_amperes, offered_watts: Current.Offered (max), Power.Offered (sum), None when absent.
    digits: canonical text of the current figures with trailing zeros removed, for "do the digits change"; empty
    without currents. power_digits: same for power. decimals: the most decimals any current figure has after trailing
    zeros are removed (0 without currents). is_dc: a phaseless voltage above 300 V stands beside a phaseless current.
    is_export: no import measurand stood in the element, so the figures are those of the export ones, as magnitudes.
    unique_id: of the CALL that brought it, shortened when it is longer than any id may be; empty when it is not known.
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
    unique_id: str = field(default="", compare=False)  # the same reading twice is one, whatever CALL brought it

    def without_power(self) -> Reading:
        """The same, as if no power had been reported: some devices report a tenth of it."""
        return replace(self, powers=(None, None, None), power=None, power_digits="")

    @property
    def highest_current(self) -> float | None:
        """The highest phase current in A, None when no current was reported."""
        highest = self.current
        for current in self.currents:
            if current is not None and (highest is None or current > highest):
                highest = current
        return highest


Sampled = tuple[str | float, str, str, str, str, str, str]
"""SampledValue §7.43 as it stands: value, measurand, unit, phase, context, format, location; empty where the charge
point says nothing. A plain tuple, because tens of thousands come in a second."""

# -- what a sampled value is -------------------------------------------------------------------------------------

_CURRENT, _POWER, _ENERGY, _VOLTAGE, _OFFERED_AMPERES, _OFFERED_WATTS = range(6)


def _either_case(table: dict[str, int]) -> dict[str, int]:
    """The table as the specification spells it, and in lower case for everybody else."""
    return table | {name.lower(): entry for name, entry in table.items()}


_OTHERS = {"Voltage": _VOLTAGE, "Current.Offered": _OFFERED_AMPERES, "Power.Offered": _OFFERED_WATTS}
_IMPORTS = _either_case(
    {"Current.Import": _CURRENT, "Power.Active.Import": _POWER, "Energy.Active.Import.Register": _ENERGY} | _OTHERS
)
_EXPORTS = _either_case(
    {"Current.Export": _CURRENT, "Power.Active.Export": _POWER, "Energy.Active.Export.Register": _ENERGY} | _OTHERS
)

# Powers of ten to the base unit. Apparent power is the nearest thing to active power that some meters know. MWh: nobody
# counts in milliwatt hours.
_AMPERES = _either_case({"A": 0, "": 0, "mA": -3, "Amp": 0, "Amps": 0, "Ampere": 0, "Amperes": 0})
_WATTS = _either_case({"W": 0, "": 0, "kW": 3, "VA": 0, "kVA": 3, "Watt": 0, "Watts": 0})
_WATT_HOURS = _either_case({"Wh": 0, "": 0, "kWh": 3, "MWh": 6})
_VOLTS = _either_case({"V": 0, "": 0, "mV": -3, "Volt": 0, "Volts": 0})
_UNITS = (_AMPERES, _WATTS, _WATT_HOURS, _VOLTS, _AMPERES, _WATTS)
_KIND_OF_UNIT = {unit: kind for kind in (_CURRENT, _POWER, _ENERGY, _VOLTAGE) for unit in _UNITS[kind] if unit}

# Places of a figure within its measurand. N and phases nobody has heard of have none; line voltages are voltages only.
_PLACES, _TOTAL, _LINE = 10, 3, 4
_LINES, _OFFERS, _ALL_PLACES = _VOLTAGE * _PLACES + _LINE, _OFFERED_AMPERES * _PLACES, _PLACES * 6
_PHASES = _either_case({"": 3, "L1": 0, "L2": 1, "L3": 2, "L1-N": 7, "L2-N": 8, "L3-N": 9})
_VOLTAGE_PHASES = _PHASES | _either_case({"L1-L2": 4, "L2-L3": 5, "L3-L1": 6})
_PHASES_OF = (_PHASES, _PHASES, _PHASES, _VOLTAGE_PHASES, _PHASES, _PHASES)

_MOST = (1e4, 1e7, 1e12, 1e5, 1e4, 1e7)
_NOISE_AMPERES = 0.5
_CONTEXTS = frozenset(Context)


def _kind(measurand: str, unit: str, context: str, kinds: Mapping[str, int]) -> int | None:
    """Which figure a sample is; without measurand its unit tells more than the default, a register (Alfen)."""
    name = measurand.strip().lower()
    if name:
        return kinds.get(name)
    kind = _KIND_OF_UNIT.get(unit.strip().lower(), _ENERGY)
    if kind == _CURRENT and context and context not in _CONTEXTS:
        return None  # context "CurrentMax" is a setting, not an import
    return kind


def _fitting(kind: int, got: Figure, *, is_export: bool) -> Figure | None:
    """The figure, None when it is absurd. A negative current is noise or nonsense; power may flow back."""
    value, digits = got
    if is_export:
        value, digits = abs(value), digits.lstrip("-")
    if kind == _CURRENT and -_NOISE_AMPERES <= value < 0.0:
        return 0.0, digits
    least = -_MOST[kind] if kind in (_POWER, _ENERGY) else 0.0
    return (value, digits) if least <= value <= _MOST[kind] else None


# -- one element -------------------------------------------------------------------------------------------------

_Triple = tuple[float | None, float | None, float | None]
_Numbers = tuple[int, int, int]
_ABSENT = -1
"""Number of a figure that is not there: the last of the list of figures, where None stands."""

_NO_PHASES: _Numbers = (_ABSENT, _ABSENT, _ABSENT)
_NO_FIGURES: _Triple = (None, None, None)
_PERIODIC = Context.SAMPLE_PERIODIC.value
_HIGHEST_AC_VOLTS = 300.0
_ROOT_OF_THREE = 3.0**0.5


class _Order(NamedTuple):
    """Which of the figures of an element is which, by number. context: the first stated beside one of them."""

    currents: _Numbers
    current: int
    powers: _Numbers
    power: int
    energies: _Numbers
    energy: int
    voltages: _Numbers
    lines: _Numbers
    volts: int
    has_offers: bool
    offered: list[int]
    offered_watts: _Numbers
    offered_power: int
    context: str
    is_empty: bool


class Layout:
    """What each sample of a meterValue element is, whatever its figure: elements that differ in figures only share it.

    The same measurand and phase twice: the last counts. Samples at the Inlet of a connector above 0 belong to the whole
    charge point and are left out.
    """

    __slots__ = ("_connector", "_is_export", "_most", "_order", "_places", "_slots")

    def __init__(self, connector: ConnectorId, sampled: Sequence[Sampled]) -> None:
        """sampled: the figures in it are not looked at."""
        self._connector = connector
        self._slots = _slots(connector, sampled, _IMPORTS)
        is_flow_known = any(kind < _VOLTAGE for _, kind, _, _, _ in self._slots)
        self._is_export = not is_flow_known and _names_only_exports(sampled)
        if self._is_export:
            self._slots = _slots(connector, sampled, _EXPORTS)
        self._order = _ordered(self._slots)
        self._places = [(number, shift) for number, _, _, shift, _ in self._slots]
        self._most = [_MOST[kind] for _, kind, _, _, _ in self._slots]

    def reading(
        self,
        values: Sequence[str | float],
        arrived: Moment,
        timestamp: float | None,
        transaction_id: int | None,
        unique_id: str = "",
    ) -> Reading | None:
        """The reading that these figures make, one for each sample; None: no current, power, energy or offer is among
        them. Raises nothing."""
        figures = [figure(values[number], shift) for number, shift in self._places]
        order = self._order
        for got, most in zip(figures, self._most, strict=True):
            if got is None or not 0.0 <= got[0] <= most:
                figures, order = self._fitting(figures)
                break
        if order.is_empty:
            return None
        figures.append(None)
        currents, digits = _phases(figures, order.currents)
        powers, power_digits = _phases(figures, order.powers)
        phaseless, power, volts = figures[order.current], figures[order.power], figures[order.volts]
        if digits:
            phaseless = None
        elif phaseless:
            digits.append(phaseless[1])
        if power:
            power_digits.append(power[1])
        register = figures[order.energy] or _sum(_phases(figures, order.energies)[1])
        amperes_offered, watts_offered = _offered(figures, order)
        return Reading(
            self._connector,
            arrived,
            timestamp,
            order.context,
            transaction_id,
            currents,
            phaseless[0] if phaseless else None,
            powers,
            power[0] if power else _added(powers),
            register[0] if register else None,
            step(register[1]) if register else None,
            _voltages(figures, order),
            amperes_offered,
            watts_offered,
            "/".join(digits),
            "/".join(power_digits),
            max([len(text.partition(".")[2]) for text in digits], default=0),
            phaseless is not None and volts is not None and volts[0] > _HIGHEST_AC_VOLTS,
            self._is_export,
            unique_id,
        )

    def _fitting(self, figures: Sequence[Figure | None]) -> tuple[list[Figure | None], _Order]:
        """Those that are not absurd, with their order."""
        fitting = [
            (slot, got)
            for slot, said in zip(self._slots, figures, strict=True)
            if said and (got := _fitting(slot[1], said, is_export=self._is_export))
        ]
        return [got for _, got in fitting], _ordered([slot for slot, _ in fitting])


def assemble(
    connector: ConnectorId,
    arrived: Moment,
    timestamp: float | None,
    transaction_id: int | None,
    sampled: Sequence[Sampled],
    *,
    unique_id: str = "",
) -> Reading | None:
    """Make one reading of the sampled values of one meterValue element; None: no current, power, energy or offer in it.
    Raises nothing."""
    layout = Layout(connector, sampled)
    return layout.reading([sample[0] for sample in sampled], arrived, timestamp, transaction_id, unique_id)


_Slot = tuple[int, int, int, int, str]
"""A sample of use: its number in the element, kind, place, power of ten to the base unit, context."""


def _slots(connector: ConnectorId, sampled: Sequence[Sampled], kinds: Mapping[str, int]) -> list[_Slot]:
    slots: list[_Slot] = []
    for number, (_, measurand, unit, phase, context, encoding, location) in enumerate(sampled):
        kind = kinds.get(measurand)
        if kind is None:
            kind = _kind(measurand, unit, context, kinds)
            if kind is None:
                continue
        # The first look finds nearly all; the second is for odd letters and blanks.
        shift = _UNITS[kind].get(unit)
        place = _PHASES_OF[kind].get(phase)
        if shift is None or place is None:
            shift = _UNITS[kind].get(unit.strip().lower())
            place = _PHASES_OF[kind].get(phase.strip().lower())
            if shift is None or place is None:
                continue
        if encoding and encoding.strip().lower() == "signeddata":
            continue
        if location and connector and location.strip().lower() == "inlet":
            continue
        slots.append((number, kind, kind * _PLACES + place, shift, context))
    return slots


def _names_only_exports(sampled: Sequence[Sampled]) -> bool:
    """Some charge points call export what the vehicle draws; beside any import it is what flows back."""
    names = {measurand.strip().lower() for _, measurand, *_ in sampled}
    flows = {name for name in names if not name or _IMPORTS.get(name, _EXPORTS.get(name, _VOLTAGE)) < _VOLTAGE}
    return bool(flows) and all(name in _EXPORTS for name in flows)


def _ordered(slots: Sequence[_Slot]) -> _Order:
    """The order of these, in which their figures stand in a list of their own."""
    at: list[int] = [_ABSENT] * _ALL_PLACES
    stated, is_empty = "", True
    for number, (_, kind, place, _, context) in enumerate(slots):
        at[place] = number
        stated = stated or context
        is_empty = is_empty and kind == _VOLTAGE
    offers = at[_OFFERS:]
    return _Order(
        _numbers(at, _CURRENT),
        at[_CURRENT * _PLACES + _TOTAL],
        _numbers(at, _POWER),
        at[_POWER * _PLACES + _TOTAL],
        _numbers(at, _ENERGY),
        at[_ENERGY * _PLACES + _TOTAL],
        _numbers(at, _VOLTAGE),
        (at[_LINES], at[_LINES + 1], at[_LINES + 2]),
        at[_VOLTAGE * _PLACES + _TOTAL],
        max(offers) != _ABSENT,
        offers[:_PLACES],
        _numbers(at, _OFFERED_WATTS),
        at[_OFFERED_WATTS * _PLACES + _TOTAL],
        stated.strip()[:LONGEST].encode("ascii", "replace").decode() or _PERIODIC,
        is_empty,
    )


def _numbers(at: Sequence[int], kind: int) -> _Numbers:
    """L1, L2, L3 of one kind; L1-N is preferred to L1."""
    l1, l2, l3, _, _, _, _, n1, n2, n3 = at[kind * _PLACES : (kind + 1) * _PLACES]
    return l1 if n1 == _ABSENT else n1, l2 if n2 == _ABSENT else n2, l3 if n3 == _ABSENT else n3


def _phases(figures: list[Figure | None], numbers: _Numbers) -> tuple[_Triple, list[str]]:
    """Figures of L1, L2, L3, and the texts of those that are known."""
    if numbers == _NO_PHASES:
        return _NO_FIGURES, []
    l1, l2, l3 = figures[numbers[0]], figures[numbers[1]], figures[numbers[2]]
    values = l1[0] if l1 else None, l2[0] if l2 else None, l3[0] if l3 else None
    return values, [phase[1] for phase in (l1, l2, l3) if phase]


def _added(phases: _Triple) -> float | None:
    known = [value for value in phases if value is not None]
    return round(sum(known), 6) if known else None


def _sum(digits: Sequence[str]) -> Figure | None:
    """The registers of the phases added as decimals, so that the step stays what it is."""
    return figure(f"{sum(map(Decimal, digits)):f}") if digits else None


def _offered(figures: list[Figure | None], order: _Order) -> tuple[float | None, float | None]:
    """Current.Offered, the largest; Power.Offered, without phase or the sum of the phases."""
    if not order.has_offers:
        return None, None
    amperes = [got[0] for got in [figures[number] for number in order.offered] if got]
    watts = figures[order.offered_power]
    return max(amperes, default=None), watts[0] if watts else _added(_phases(figures, order.offered_watts)[0])


def _voltages(figures: list[Figure | None], order: _Order) -> _Triple:
    """Voltages to neutral; where only one between phases is known, that divided by the root of three."""
    phases, _ = _phases(figures, order.voltages)
    if order.lines == _NO_PHASES:
        return phases
    between, _ = _phases(figures, order.lines)
    l1, l2, l3 = (
        line / _ROOT_OF_THREE if phase is None and line is not None else phase
        for phase, line in zip(phases, between, strict=True)
    )
    return l1, l2, l3
