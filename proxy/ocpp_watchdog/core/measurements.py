"""Meter values, normalised per connector and measurand: base units, phases sorted out, nonsense dropped.

Knows what a sampled value means (smart-charging rules 2, quirks of real charge points), not how it stands in a payload.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from ocpp_watchdog.core.terms import ConnectorId, Context, Moment


@dataclass(frozen=True, slots=True)
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
        for value in self.currents:
            if value is not None and (highest is None or value > highest):
                highest = value
        return highest


Sampled = tuple[str | float, str, str, str, str, str, str]
"""SampledValue §7.43 as it stands: value, measurand, unit, phase, context, format, location; empty where the charge
point says nothing. A plain tuple, because tens of thousands come in a second."""

Figure = tuple[float, str]
"""A number and its canonical decimal text: no sign but minus, no leading or trailing zeros, no exponent."""


# -- numbers -----------------------------------------------------------------------------------------------------

_LONGEST = 40
_MAGNITUDE = 20
_AROUND = " \t\r\n\0"


def figure(value: str | float, shift: int = 0) -> Figure | None:
    """Read a number, times ten to the power ``shift``; None when it is none.

    Text may have blanks around it, a plus, an exponent, a decimal comma (no thousands separators). What is infinite,
    1e21 or more, or longer than 40 characters is no number.
    """
    if not isinstance(value, str):
        return _figure_of_text(repr(value), shift) if abs(value) < 1e20 else None
    # Nearly every value takes this short way; whatever looks odd takes the other one, which judges for itself.
    if not shift and len(value) < 16 and value.isascii() and value.replace(".", "", 1).isdigit():
        if "." not in value:
            if value[0] != "0":
                return float(value), value
        elif value[0] not in "0." or value[:2] == "0.":
            return float(value), value.rstrip("0").rstrip(".")
    return _figure_of_text(value.strip(_AROUND), shift)


def _figure_of_text(text: str, shift: int) -> Figure | None:
    if len(text) > _LONGEST or not text.isascii() or "_" in text:
        return None
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > _MAGNITUDE:
        return None
    if not number or number.adjusted() < -_MAGNITUDE:
        return 0.0, "0"
    number = number.scaleb(shift)
    digits = f"{number:f}"
    return float(number), digits.rstrip("0").rstrip(".") if "." in digits else digits


def _decimals(digits: str) -> int:
    return len(digits.partition(".")[2])


_STEPS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)


def _step(digits: str) -> float:
    """The largest power of ten, from 0.001 to 1000, that divides a number written canonically."""
    decimals = _decimals(digits)
    if decimals:
        return _STEPS[max(3 - decimals, 0)]
    zeros = len(digits) - len(digits.rstrip("0"))
    return _STEPS[6] if digits == "0" else _STEPS[3 + min(zeros, 3)]


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
_PLACES, _TOTAL, _LINE, _NEUTRAL = 10, 3, 4, 7
_FLOWS, _OFFERS = _VOLTAGE * _PLACES, _OFFERED_AMPERES * _PLACES
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

_Found = list[Figure | None]
_Triple = tuple[float | None, float | None, float | None]
_NOTHING_FOUND: _Found = [None] * (_PLACES * len(_UNITS))
_PERIODIC = Context.SAMPLE_PERIODIC.value
_HIGHEST_AC_VOLTS = 300.0
_ROOT_OF_THREE = 3.0**0.5


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

    The same measurand and phase twice: the last counts. Samples at the Inlet of a connector above 0 belong to the whole
    charge point and are left out. Raises nothing.
    """
    found, context = _collect(connector, sampled, _IMPORTS, is_export=False)
    is_export = not any(found[:_FLOWS]) and _names_only_exports(sampled)
    if is_export:
        found, context = _collect(connector, sampled, _EXPORTS, is_export=True)
    if not (any(found[:_FLOWS]) or any(found[_OFFERS:])):
        return None
    currents, digits = _phases(found, _CURRENT)
    powers, power_digits = _phases(found, _POWER)
    phaseless, power, watt_hours, volts = found[_TOTAL:_OFFERS:_PLACES]
    if digits:
        phaseless = None
    elif phaseless:
        digits.append(phaseless[1])
    if power:
        power_digits.append(power[1])
    register = watt_hours or _sum(_phases(found, _ENERGY)[1])
    amperes_offered, watts_offered = _offered(found)
    return Reading(
        connector,
        arrived,
        timestamp,
        context,
        transaction_id,
        currents,
        phaseless[0] if phaseless else None,
        powers,
        power[0] if power else _added(powers),
        register[0] if register else None,
        _step(register[1]) if register else None,
        _voltages(found),
        amperes_offered,
        watts_offered,
        "/".join(digits),
        "/".join(power_digits),
        max([len(text.partition(".")[2]) for text in digits]) if digits else 0,
        phaseless is not None and volts is not None and volts[0] > _HIGHEST_AC_VOLTS,
        is_export,
        unique_id,
    )


def _collect(
    connector: ConnectorId, sampled: Sequence[Sampled], kinds: Mapping[str, int], *, is_export: bool
) -> tuple[_Found, str]:
    """Each usable figure in its place, and the first context stated beside one."""
    found = _NOTHING_FOUND.copy()
    stated = ""
    for value, measurand, unit, phase, context, encoding, location in sampled:
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
        got = figure(value, shift)
        if got and not 0.0 <= got[0] <= _MOST[kind]:
            got = _fitting(kind, got, is_export=is_export)
        if got:
            found[kind * _PLACES + place] = got
            stated = stated or context
    return found, stated.strip()[:_LONGEST].encode("ascii", "replace").decode() or _PERIODIC


def _names_only_exports(sampled: Sequence[Sampled]) -> bool:
    """Some charge points call export what the vehicle draws; beside any import it is what flows back."""
    names = {measurand.strip().lower() for _, measurand, *_ in sampled}
    flows = {name for name in names if not name or _IMPORTS.get(name, _EXPORTS.get(name, _VOLTAGE)) < _VOLTAGE}
    return bool(flows) and all(name in _EXPORTS for name in flows)


def _phases(found: _Found, kind: int) -> tuple[_Triple, list[str]]:
    """Figures of L1, L2, L3 (L1-N is preferred to L1), and the texts of those that are known."""
    at = kind * _PLACES
    l1, l2, l3 = found[at + 7] or found[at], found[at + 8] or found[at + 1], found[at + 9] or found[at + 2]
    values = l1[0] if l1 else None, l2[0] if l2 else None, l3[0] if l3 else None
    return values, [phase[1] for phase in (l1, l2, l3) if phase]


def _added(phases: _Triple) -> float | None:
    known = [value for value in phases if value is not None]
    return round(sum(known), 6) if known else None


def _sum(digits: Sequence[str]) -> Figure | None:
    """The registers of the phases added as decimals, so that the step stays what it is."""
    return figure(f"{sum(map(Decimal, digits)):f}") if digits else None


def _offered(found: _Found) -> tuple[float | None, float | None]:
    """Current.Offered, the largest; Power.Offered, without phase or the sum of the phases."""
    if not any(found[_OFFERS:]):
        return None, None
    amperes = [got[0] for got in found[_OFFERS : _OFFERS + _PLACES] if got]
    watts = found[_OFFERED_WATTS * _PLACES + _TOTAL]
    return max(amperes, default=None), watts[0] if watts else _added(_phases(found, _OFFERED_WATTS)[0])


def _voltages(found: _Found) -> _Triple:
    """Voltages to neutral; where only one between phases is known, that divided by the root of three."""
    phases, _ = _phases(found, _VOLTAGE)
    between = found[_VOLTAGE * _PLACES + _LINE : _VOLTAGE * _PLACES + _NEUTRAL]
    if not any(between):
        return phases
    l1, l2, l3 = (
        line[0] / _ROOT_OF_THREE if phase is None and line else phase
        for phase, line in zip(phases, between, strict=True)
    )
    return l1, l2, l3
