"""What the frames of one connection are told with."""

from __future__ import annotations

from typing import Self

from ocpp_watchdog.core.terms import ChargePointId, Moment
from ocpp_watchdog.trace import Lines

_NUL = b"\0"


class Track:
    """One connection of a charge point: what its frames are told with. key: session and charge point as bytes."""

    __slots__ = ("_lines", "began", "charge_point", "key", "session")

    def __init__(self, charge_point: ChargePointId, session: str, began: Moment) -> None:
        self.charge_point = charge_point
        self.session = session
        self.began = began
        self.key = _NUL.join((session.encode(), charge_point.encode("utf-8", "surrogatepass")))
        self._lines: Lines | None = None

    @classmethod
    def of(cls, key: bytes) -> Self:
        """The same connection by its key; when it began is not known any more."""
        session, _, charge_point = key.partition(_NUL)
        return cls(ChargePointId(charge_point.decode("utf-8", "surrogatepass")), session.decode(), Moment(0.0, 0.0))

    @property
    def lines(self) -> Lines:
        """What its lines share."""
        if self._lines is None:
            self._lines = Lines(self.charge_point, self.session)
        return self._lines
