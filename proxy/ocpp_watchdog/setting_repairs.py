"""Settings of the repairs of one charge point: all off unless switched on by name (docs/repairs.md)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ocpp_watchdog.core.repairs import Dialect, Repairs
from ocpp_watchdog.setting_kinds import Section

AnswerableAction = Literal[
    "ChangeAvailability",
    "ChangeConfiguration",
    "GetCompositeSchedule",
    "GetConfiguration",
    "TriggerMessage",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "SecurityEventNotification",
    "SignedFirmwareStatusNotification",
]
CONFIGURATION = {
    "NumberOfConnectors": "1",
    "SupportedFeatureProfiles": "Core,SmartCharging",
    "ChargingScheduleAllowedChargingRateUnit": "Current",
    "ChargeProfileMaxStackLevel": "0",
    "MaxChargingProfilesInstalled": "1",
}
"""What evcc wants to know; without RemoteTrigger among the profiles it sends no TriggerMessage."""


class ProfileDialect(Section):
    """The one shape of SetChargingProfile that a wallbox obeys; the defaults are the AcTEC's."""

    watts_per_ampere: float = Field(default=690.0, gt=0, le=1_000, description="of all phases together")
    profile_id: int = Field(default=231, ge=0, le=2**31 - 1, description="chargingProfileId")
    stack_level: int = Field(default=0, ge=0, le=1_000, description="stackLevel")
    number_phases: int = Field(default=3, ge=1, le=3, description="numberPhases of the period")
    duration_seconds: int = Field(default=86_400, ge=1, le=86_400, description="duration of the schedule")


class RepairsOn(Section):
    """Repairs of one charge point: all off unless switched on here. What they change is journaled as it came, too."""

    answer_for: frozenset[AnswerableAction] = Field(
        default=frozenset(), description="actions that the proxy answers, and does not forward"
    )
    configuration: dict[str, str] = Field(
        default=CONFIGURATION, description="keys and values of the answer to GetConfiguration"
    )
    trigger_message: Literal["Accepted", "Rejected", "NotImplemented"] = Field(
        default="NotImplemented", description="the answer to TriggerMessage"
    )
    power_factor: float | None = Field(default=None, gt=0, le=1_000, description="power readings times this")
    timestamps: bool = Field(default=False, description="impossible times become the time of arrival")
    profile_dialect: ProfileDialect | None = Field(default=None, description="charging profiles in one shape")

    def values(self) -> Repairs:
        """As the core takes them."""
        dialect = None if self.profile_dialect is None else Dialect(**self.profile_dialect.model_dump())
        plain = self.model_dump(exclude={"profile_dialect"})
        return Repairs(**plain, profile_dialect=dialect)
