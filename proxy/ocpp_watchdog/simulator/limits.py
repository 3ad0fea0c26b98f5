"""What an obedient charge point makes of charging profiles: a small model of its own (OCPP 1.6 §3.13), in amperes.

Shares nothing with the proxy's own model, so that a mistake in one shows against the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .clock import posix_seconds

NOMINAL_VOLTS = 230.0
SMALLEST_AMPERES = 6.0
"""The control pilot cannot signal less (IEC 61851-1); below it a charge point suspends."""
RECURRENCE_SECONDS = {"Daily": 86_400.0, "Weekly": 604_800.0}

Profile = Mapping[str, Any]
"""A csChargingProfiles object with the wire's names, as it was accepted."""


@dataclass(frozen=True, slots=True)
class Running:
    """The transaction of a connector: its id (None while the central system has not given one) and its start on the
    charge point's clock, POSIX seconds."""

    transaction_id: int | None
    started_utc: float


@dataclass(slots=True)
class ProfileStore:
    """The profiles a charge point has accepted, with the connector each was set on (0: the whole charge point)."""

    profiles: list[tuple[int, Profile]] = field(default_factory=list)

    def install(self, connector: int, profile: Profile) -> None:
        """Add a profile; it replaces one of the same id, or of the same purpose and stack level, on its connector."""

        def stays(entry: tuple[int, Profile]) -> bool:
            where, other = entry
            same_place = where == connector
            same_slot = (
                other["chargingProfilePurpose"] == profile["chargingProfilePurpose"]
                and other["stackLevel"] == profile["stackLevel"]
            )
            return not (same_place and (same_slot or other["chargingProfileId"] == profile["chargingProfileId"]))

        self.profiles = [*filter(stays, self.profiles), (connector, profile)]

    def clear(self, wanted: Mapping[str, Any]) -> bool:
        """Remove what a ClearChargingProfile names (an id alone decides; otherwise all fields given). Was there any?"""

        def named(entry: tuple[int, Profile]) -> bool:
            where, profile = entry
            if wanted.get("id") is not None:
                return bool(profile["chargingProfileId"] == wanted["id"])
            return (
                wanted.get("connectorId") in {None, where}
                and wanted.get("chargingProfilePurpose") in {None, profile["chargingProfilePurpose"]}
                and wanted.get("stackLevel") in {None, profile["stackLevel"]}
            )

        kept = [entry for entry in self.profiles if not named(entry)]
        removed = len(kept) < len(self.profiles)
        self.profiles = kept
        return removed

    def end_transaction(self, connector: int) -> None:
        """Drop the TxProfiles of a connector: they end with its transaction."""
        self.profiles = [
            entry
            for entry in self.profiles
            if not (entry[0] == connector and entry[1]["chargingProfilePurpose"] == "TxProfile")
        ]

    def amperes_at(self, connector: int, utc: float, running: Running | None) -> float | None:
        """The limit per phase at a moment on the charge point's clock; None: no profile says anything."""
        transaction = self._prevailing("TxProfile", connector, utc, running) if running else None
        if transaction is None:
            transaction = self._prevailing("TxDefaultProfile", connector, utc, running)
        highest = self._prevailing("ChargePointMaxProfile", connector, utc, running)
        return min((limit for limit in (transaction, highest) if limit is not None), default=None)

    def periods(
        self, connector: int, utc: float, seconds: int, running: Running | None, unlimited: float
    ) -> list[tuple[int, float]]:
        """The composite schedule: (whole seconds from now, amperes per phase), only where it changes."""
        moments = {0} | {
            offset
            for _, profile in self.profiles
            for begin in _beginnings(profile, utc, seconds, running)
            for offset in (int(begin - utc), int(begin - utc + (profile["chargingSchedule"].get("duration") or 0)))
        }
        periods: list[tuple[int, float]] = []
        for offset in sorted(moment for moment in moments if 0 <= moment < max(1, seconds)):
            limit = self.amperes_at(connector, utc + offset, running)
            amperes = unlimited if limit is None else limit
            if not periods or periods[-1][1] != amperes:
                periods.append((offset, amperes))
        return periods

    def _prevailing(self, purpose: str, connector: int, utc: float, running: Running | None) -> float | None:
        """The limit of the highest active profile of a purpose; at the same level the connector's own goes first."""
        best: tuple[tuple[int, int], float] | None = None
        for where, profile in self.profiles:
            if profile["chargingProfilePurpose"] != purpose or where not in {0, connector}:
                continue
            if purpose == "TxProfile" and not _belongs(profile, running):
                continue
            limit = _limit(profile, utc, running)
            rank = (profile["stackLevel"], int(where > 0))
            if limit is not None and (best is None or rank > best[0]):
                best = (rank, limit)
        return None if best is None else best[1]


def _belongs(profile: Profile, running: Running | None) -> bool:
    """Whether a TxProfile is meant for the running transaction."""
    wanted = profile.get("transactionId")
    return running is not None and (wanted is None or wanted == running.transaction_id)


def _start(profile: Profile, utc: float, running: Running | None) -> float | None:
    """When the schedule that covers ``utc`` began; None: it has not begun."""
    given = posix_seconds(profile["chargingSchedule"].get("startSchedule"))
    charging_since = running.started_utc if running else utc
    if profile["chargingProfileKind"] == "Relative" or given is None:
        return charging_since
    if given > utc:
        return None
    if profile["chargingProfileKind"] == "Recurring":
        every = RECURRENCE_SECONDS[profile.get("recurrencyKind") or "Daily"]
        return utc - (utc - given) % every
    return given


def _limit(profile: Profile, utc: float, running: Running | None) -> float | None:
    """Amperes per phase a profile allows at a moment; None: it is not active."""
    valid_from, valid_to = posix_seconds(profile.get("validFrom")), posix_seconds(profile.get("validTo"))
    if (valid_from is not None and utc < valid_from) or (valid_to is not None and utc >= valid_to):
        return None
    schedule = profile["chargingSchedule"]
    start = _start(profile, utc, running)
    if start is None or (schedule.get("duration") is not None and utc - start >= schedule["duration"]):
        return None
    begun = [period for period in schedule["chargingSchedulePeriod"] if period["startPeriod"] <= utc - start]
    if not begun:
        return None
    period = max(begun, key=lambda each: int(each["startPeriod"]))
    limit = float(period["limit"])
    if schedule["chargingRateUnit"] == "W":
        return limit / (NOMINAL_VOLTS * (period.get("numberPhases") or 3))
    return limit


def _beginnings(profile: Profile, utc: float, seconds: int, running: Running | None) -> Iterator[float]:
    """The moments in the next ``seconds`` at which a profile may change its mind."""
    for text in (profile.get("validFrom"), profile.get("validTo")):
        moment = posix_seconds(text)
        if moment is not None:
            yield moment
    given = posix_seconds(profile["chargingSchedule"].get("startSchedule"))
    starts = {_start(profile, utc, running), _start(profile, utc + seconds, running), given}
    for start in starts - {None}:
        for period in profile["chargingSchedule"]["chargingSchedulePeriod"]:
            yield float(start or 0.0) + period["startPeriod"]
