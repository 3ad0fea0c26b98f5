"""What the frames of one connection are told with."""

from __future__ import annotations

from dataclasses import dataclass, field

from ocpp_watchdog.core.terms import ChargePointId, Moment
from ocpp_watchdog.trace import Lines


@dataclass(frozen=True, slots=True)
class Track:
    """One connection of a charge point: what its frames are told with. lines: what its lines share."""

    charge_point: ChargePointId
    session: str
    began: Moment
    lines: Lines = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", Lines(self.charge_point, self.session))
