"""What evcc believes of one connector: status, transaction, readings, and the 0 W it assumes after a stop.

Trusts the charge point's timestamps, as evcc does. All times are simulated POSIX seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .clock import posix_seconds

STALE_SECONDS = 60.0
"""A status older than this is ignored once one is known; a reading older than this is timed out."""
ENABLED = {"Charging": True, "SuspendedEV": True, "SuspendedEVSE": False}
"""What a status says about being enabled; others say nothing."""
SCALE = {"kW": 1000.0, "kWh": 1000.0}
TRANSACTION_STATUSES = {"Charging", "SuspendedEV", "SuspendedEVSE"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading. ``value``: None when the text was no number; ``utc``: by the charge point's own timestamp."""

    value: float | None
    utc: float


@dataclass(slots=True)
class Belief:
    """One connector as evcc sees it. ``transaction_id``: 0 when there is none."""

    interval_seconds: float = 10.0
    status: str | None = None
    error_code: str = "NoError"
    transaction_id: int = 0
    readings: dict[tuple[str, str], Reading] = field(default_factory=dict)
    updated_utc: float | None = None
    """The timestamp of the newest MeterValues, or of the moment a stop was assumed."""

    def take_status(self, payload: Mapping[str, Any], now: float) -> bool:
        """A StatusNotification. Result: whether it was believed."""
        moment = posix_seconds(payload.get("timestamp"))
        if self.status is not None and moment is not None and now - moment > STALE_SECONDS:
            return False
        self.status = str(payload.get("status"))
        self.error_code = str(payload.get("errorCode", "NoError"))
        if self.status == "Available" and self.transaction_id:
            self.stop(now)
        return True

    def take_start(self, transaction_id: int) -> None:
        """A StartTransaction."""
        self.transaction_id = transaction_id

    def stop(self, now: float) -> None:
        """The transaction has ended: no power and no current, by evcc's own clock."""
        self.transaction_id = 0
        for measurand, phase in list(self.readings):
            if measurand.startswith(("Power.", "Current.")):
                self.readings[measurand, phase] = Reading(0.0, now)
        self.updated_utc = now

    def take_meter_values(self, payload: Mapping[str, Any]) -> None:
        """A MeterValues; samples older than what is known are dropped."""
        transaction = payload.get("transactionId")
        if isinstance(transaction, int) and not self.transaction_id and self.status in TRANSACTION_STATUSES:
            self.transaction_id = transaction
        for meter_value in payload.get("meterValue", ()):
            moment = posix_seconds(meter_value.get("timestamp"))
            if moment is not None:
                self._take(meter_value.get("sampledValue") or (), moment)

    def _take(self, samples: Sequence[Mapping[str, Any]], moment: float) -> None:
        for sample in samples:
            name = (sample.get("measurand") or "Energy.Active.Import.Register", sample.get("phase") or "")
            known = self.readings.get(name)
            if known is None or known.utc <= moment:
                self.readings[name] = Reading(_number(sample), moment)
        if self.updated_utc is None or self.updated_utc <= moment:
            self.updated_utc = moment

    def age(self, now: float) -> float:
        """Seconds since the newest reading, by its own timestamp; infinite when there is none."""
        return float("inf") if self.updated_utc is None else now - self.updated_utc

    def power_watts(self, now: float) -> float | None:
        """What evcc shows as charging power; None where it shows an error."""
        unknown = None if self.transaction_id else 0.0
        if self.age(now) > max(self.interval_seconds + 10.0, STALE_SECONDS):
            return unknown
        total = self.readings.get(("Power.Active.Import", ""))
        if total is not None:
            return total.value
        phases = [reading.value for (name, phase), reading in self.readings.items() if name == "Power.Active.Import"]
        known = [value for value in phases if value is not None]
        return sum(known) if phases and len(known) == len(phases) else unknown

    def offered(self) -> bool | None:
        """Whether anything is offered, when the charge point measures that; None: it does not."""
        values = [
            reading.value
            for (name, _), reading in self.readings.items()
            if name in {"Current.Offered", "Power.Offered"} and reading.value is not None
        ]
        return any(value > 0 for value in values) if values else None


def _number(sample: Mapping[str, Any]) -> float | None:
    try:
        return float(sample.get("value", "")) * SCALE.get(sample.get("unit") or "", 1.0)
    except (TypeError, ValueError):
        return None
