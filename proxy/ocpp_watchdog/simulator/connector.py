"""One connector of a simulated charge point: the plug, the transaction, what the car may draw and what it does draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .faults import Faults
from .limits import SMALLEST_AMPERES, Running
from .meter import Circuit, Meter

RAISE_SECONDS = 2.0
"""How long a car takes to follow a higher limit."""

Start = Literal["offered", "plugged", "remote"]
"""When a transaction begins: with the first current on offer after plugging in, at once, or only when told."""


@dataclass(slots=True)
class Transaction:
    """A running transaction. ``transaction_id``: None until the central system has given one; ``started_utc``: on the
    charge point's clock."""

    id_tag: str
    started_utc: float
    transaction_id: int | None = None


@dataclass(slots=True)
class Connector:
    """The state of one connector; all times are simulated seconds of the clock's ``mono``."""

    number: int
    circuit: Circuit
    meter: Meter
    faults: Faults
    plugged_since: float | None = None
    car_amperes: float = 32.0
    available: bool = True
    transaction: Transaction | None = None
    finished: bool = False
    """A transaction has ended and the car is still plugged in."""
    keeps_flowing: bool = False
    """The transaction has ended and the current has not."""
    reported: str | None = None
    """The status last reported on this connection."""
    pending: tuple[float, float] | None = None
    """The current that is on its way: (amperes, moment)."""
    next_sample: float = 0.0
    error_code: str = "NoError"
    mended: bool = False
    """A step was obeyed: limits have an effect again."""
    stops_ignored: int = 0

    def running(self) -> Running | None:
        """The transaction as the limit model wants it."""
        if self.transaction is None:
            return None
        return Running(self.transaction.transaction_id, self.transaction.started_utc)

    def target(self, limit: float | None, max_amperes: float) -> float:
        """Amperes per phase that this connector, faults and all, will give under a limit (None: none)."""
        if self.plugged_since is None:
            return 0.0
        wanted = min(self.car_amperes, max_amperes)
        stuck = min(self.faults.stuck_amperes, wanted)
        if self.transaction is None:
            return stuck if self.keeps_flowing else 0.0
        if self.faults.ignores_all_limits and not self.mended:
            return stuck
        if limit is None:
            return wanted
        if limit >= SMALLEST_AMPERES:
            return min(limit, wanted)
        return stuck if self.faults.ignores_zero and not self.mended else 0.0

    def flow(self, target: float, now: float) -> bool:
        """Let the current follow its target, in time. Has it changed?"""
        self.circuit.advance(now)
        if target == self.circuit.amperes:
            self.pending = None
            return False
        if self.pending is None or self.pending[0] != target:
            slow = self.faults.stop_after_seconds if target < self.circuit.amperes else RAISE_SECONDS
            self.pending = (target, now + slow)
        if now < self.pending[1]:
            return False
        self.circuit.amperes, self.pending = target, None
        return True

    def cut(self, now: float) -> None:
        """Open the contactor at once."""
        self.circuit.advance(now)
        self.circuit.amperes, self.pending = 0.0, None

    def status(self, limit: float | None, target: float) -> str:
        """The status that this connector reports."""
        stopped = limit is not None and limit < SMALLEST_AMPERES
        if self.transaction is not None:
            if stopped and self.faults.claims_suspended:
                return "SuspendedEVSE"
            if self.circuit.amperes > 0 or target > 0:
                return "Charging"
            return "SuspendedEVSE" if stopped else "SuspendedEV"
        if not self.available:
            return "Unavailable"
        if self.plugged_since is None:
            return "Available"
        return "Finishing" if self.finished else "Preparing"
