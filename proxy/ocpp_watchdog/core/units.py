"""Amperes, watts and phases: what a limit is, and how the two units meet.

R16: A is per phase, W the total of all phases; conversion uses the nominal voltage, never the measured one, and the
number of phases of the profile, 3 when it is absent (R17). Limits are compared in the unit they were given in; the
converted figure is for display.
"""

from __future__ import annotations

from dataclasses import dataclass

NOMINAL_VOLTS = 230.0
DEFAULT_PHASES = 3


def phases(number_phases: int | None) -> int:
    """Give the number of phases a profile means: 1 to 3; absent or anything else is 3 (R17)."""
    return number_phases if number_phases is not None and 1 <= number_phases <= DEFAULT_PHASES else DEFAULT_PHASES


def amperes(watts: float, number_phases: int) -> float:
    """Give the current per phase (A) of a total power (W) on so many phases, at nominal voltage (§7.12)."""
    return watts / (NOMINAL_VOLTS * number_phases)


def watts(amperes: float, number_phases: int) -> float:
    """Give the total power (W) of a current per phase (A) on so many phases, at nominal voltage (§7.12)."""
    return amperes * NOMINAL_VOLTS * number_phases


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit in force or ordered: the lower of ChargePointMaxProfile and TxProfile (or TxDefaultProfile).

    amperes: ceiling per phase, converted where a profile says W. watts: ceiling of all phases, converted where a
    profile says A. number_phases: the smallest of the profiles concerned. bound_amperes, bound_watts: what was really
    said in that unit, None when nothing was: the figures to compare measurements with. profile_ids: sorted ids of the
    profiles that prevail.
    """

    amperes: float
    watts: float
    number_phases: int
    bound_amperes: float | None
    bound_watts: float | None
    profile_ids: tuple[int, ...]

    @property
    def is_zero(self) -> bool:
        """Charging is forbidden (R23): 0 A, or 0 W."""
        return self.amperes <= 0.0 or self.watts <= 0.0

    @property
    def is_zero_in_watts_only(self) -> bool:
        """The zero was said in watts and in nothing else; older central systems computed such a zero by mistake."""
        return self.is_zero and (self.bound_amperes is None or self.bound_amperes > 0.0)
