"""Readings, samples, limits and moments for the tests of the judge, written shortly.

Time is one number: seconds since the order that is judged. Both clocks show it, shifted by ``ZERO``.
"""

from __future__ import annotations

from dataclasses import replace

from examples import START_MONO, START_UTC
from ocpp_watchdog.core.measurements import Reading, Sampled, assemble
from ocpp_watchdog.core.samples import Sample
from ocpp_watchdog.core.terms import ConnectorId, Moment
from ocpp_watchdog.core.units import Limit, amperes, watts

ZERO = Moment(START_UTC, START_MONO)
ONE = ConnectorId(1)
TWO = ConnectorId(2)
PHASES = ("L1", "L2", "L3")


def at(seconds: float) -> Moment:
    """The instant so many seconds after zero."""
    return ZERO.later(seconds)


def mono(seconds: float) -> float:
    """The same on the monotonic clock alone."""
    return ZERO.mono + seconds


def reading(
    seconds: float,
    current: str = "",
    power: str = "",
    register: str = "",
    *,
    one_current: str = "",
    powers: str = "",
    offered: str = "",
    voltage: str = "",
    stamp: float | None = None,
    has_stamp: bool = True,
    context: str = "",
    is_export: bool = False,
    connector: ConnectorId = ONE,
) -> Reading:
    """A reading that arrived at ``seconds``, as the decoder makes it of the texts of a charge point.

    current, powers: phases separated by blanks, A and W; one_current: A without phase; power W and register Wh without
    phase. stamp: the charge point's clock, in seconds since zero, else the arrival.
    """
    way = "Export" if is_export else "Import"
    sampled = [_value(text, f"Current.{way}", "A", phase, context) for text, phase in _phases(current)]
    sampled += [_value(text, f"Power.Active.{way}", "W", phase, context) for text, phase in _phases(powers)]
    whole = (
        (one_current, f"Current.{way}", "A"),
        (power, f"Power.Active.{way}", "W"),
        (register, f"Energy.Active.{way}.Register", "Wh"),
        (offered, "Current.Offered", "A"),
        (voltage, "Voltage", "V"),
    )
    sampled += [_value(text, measurand, unit, "", context) for text, measurand, unit in whole if text]
    timestamp = ZERO.utc + (seconds if stamp is None else stamp) if has_stamp else None
    made = assemble(connector, at(seconds), timestamp, None, sampled)
    assert made is not None, "a reading must read something"
    return made


def sample(seconds: float, *texts: str, arrived: float | None = None, **more: str) -> Sample:
    """A reading measured at ``seconds``; it arrived then, or later."""
    made = reading(seconds, *texts, **more)  # type: ignore[arg-type]
    there = at(seconds if arrived is None else arrived)
    return Sample(mono(seconds), there, replace(made, arrived=there))


def limit(
    bound_amperes: float | None = None, bound_watts: float | None = None, phases: int = 3, ids: tuple[int, ...] = (1,)
) -> Limit:
    """A limit said in amperes per phase, in watts, or in both."""
    in_amperes = [bound_amperes] if bound_amperes is not None else []
    in_watts = [bound_watts] if bound_watts is not None else []
    return Limit(
        min(in_amperes + [amperes(bound, phases) for bound in in_watts]),
        min(in_watts + [watts(bound, phases) for bound in in_amperes]),
        phases,
        bound_amperes,
        bound_watts,
        ids,
    )


def _phases(text: str) -> list[tuple[str, str]]:
    return list(zip(text.split(), PHASES, strict=False))


def _value(text: str, measurand: str, unit: str, phase: str, context: str) -> Sampled:
    return text, measurand, unit, phase, context, "", ""
