"""The configuration keys of a simulated charge point: what evcc reads, and what it may change."""

from __future__ import annotations

from dataclasses import dataclass

from .meter import MEASURANDS


@dataclass(slots=True)
class Key:
    """One configuration key."""

    value: str
    readonly: bool = True


def default_keys(connectors: int, rate_unit: str, supported: tuple[str, ...]) -> dict[str, Key]:
    """The keys of a charge point, in the order in which they are listed.

    rate_unit: ``Current``, ``Power`` or ``Current,Power``. supported: the measurands it can report.
    """
    return {
        "ChargeProfileMaxStackLevel": Key("8"),
        "ChargingScheduleAllowedChargingRateUnit": Key(rate_unit),
        "ChargingScheduleMaxPeriods": Key("24"),
        "ConnectionTimeOut": Key("60", readonly=False),
        "HeartbeatInterval": Key("60", readonly=False),
        "MaxChargingProfilesInstalled": Key("4"),
        "MeterValueSampleInterval": Key("60", readonly=False),
        "MeterValuesSampledData": Key(supported[0] if supported else "", readonly=False),
        "NumberOfConnectors": Key(str(connectors)),
        "SupportedFeatureProfiles": Key("Core,FirmwareManagement,SmartCharging,RemoteTrigger"),
        "WebSocketPingInterval": Key("30", readonly=False),
    }


@dataclass(slots=True)
class Configuration:
    """The keys with the rules of ChangeConfiguration (OCPP 1.6 §5.3)."""

    keys: dict[str, Key]
    supported_measurands: tuple[str, ...] = MEASURANDS

    def change(self, name: str, value: str) -> str:
        """Set a key; the result is the status of the answer."""
        key = self.keys.get(name)
        if key is None:
            return "NotSupported"
        if key.readonly or not self._fits(name, value):
            return "Rejected"
        key.value = value
        return "Accepted"

    def _fits(self, name: str, value: str) -> bool:
        if name == "MeterValuesSampledData":
            wanted = [measurand.strip() for measurand in value.split(",") if measurand.strip()]
            return all(measurand in self.supported_measurands for measurand in wanted)
        return value.isdigit()

    def seconds(self, name: str) -> float:
        """An interval key in seconds; 0 means: never."""
        key = self.keys.get(name)
        return float(key.value) if key is not None and key.value.isdigit() else 0.0

    def measurands(self) -> tuple[str, ...]:
        """What MeterValues hold at present."""
        return tuple(part.strip() for part in self.keys["MeterValuesSampledData"].value.split(",") if part.strip())
