"""Charging profiles as values, and the rules by which they are installed, replaced, cleared and ended.

Every function takes what is installed on one charge point and gives what is installed afterwards; nothing is changed in
place. Rules R1 to R22 of the domain notes. Knows neither schedules in time (``schedule.py``) nor who asked
for what (``ledger.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from itertools import count
from typing import ClassVar

from ocpp_watchdog.core.terms import (
    WHOLE_CHARGE_POINT,
    ConnectorId,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
    TransactionId,
)
from ocpp_watchdog.core.units import DEFAULT_PHASES, Limit

OWN_IDS = 100
"""Profile ids of our own are small (some charge points count no further) and larger than any that evcc uses: it takes
the number of profiles that the charge point can hold."""
DATED_BACK_SECONDS = 60.0
MOST_INSTALLED = 64
"""More profiles than any charge point holds; beyond it the oldest is forgotten, so that nothing grows without bound."""


@dataclass(frozen=True, slots=True)
class SchedulePeriod:
    """start: seconds from the schedule's start. limit: in the schedule's unit. number_phases None: absent (means 3)."""

    KEPT_BRIEFLY: ClassVar[bool] = True
    start: float
    limit: float
    number_phases: int | None


@dataclass(frozen=True, slots=True)
class ChargingProfile:
    """ChargingProfile §7.8 with its one ChargingSchedule §7.13. Times POSIX seconds; periods sorted by start."""

    profile_id: int
    stack_level: int
    purpose: Purpose
    kind: ProfileKind
    recurrency: Recurrency | None
    transaction_id: TransactionId | None
    valid_from: float | None
    valid_to: float | None
    unit: RateUnit
    start_schedule: float | None
    duration: float | None
    periods: tuple[SchedulePeriod, ...]

    def __hash__(self) -> int:
        """Cheap, since a schedule may hold thousands of periods; equality still looks at all of them."""
        return hash((self.profile_id, self.stack_level, self.purpose, self.start_schedule, len(self.periods)))


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a ClearChargingProfile names; None: not named."""

    profile_id: int | None = None
    connector: ConnectorId | None = None
    purpose: Purpose | None = None
    stack_level: int | None = None


class IdScope(Enum):
    """Where a chargingProfileId is unique (R4): evcc uses one id for all connectors, the text of OCPP means one charge
    point."""

    CONNECTOR = "connector"
    CHARGE_POINT = "charge_point"


@dataclass(frozen=True, slots=True)
class Installed:
    """A profile that the charge point holds. installed_at_utc: POSIX seconds of the request that brought it, since a
    late answer changes nothing about the order in which the charge point took the requests.

    unconfirmed: the charge point has booted since, and many lose their profiles then (R22). disputed: the charge point
    says that it does not hold it (R21).
    """

    connector: ConnectorId
    profile: ChargingProfile
    installed_at_utc: float
    unconfirmed: bool = False
    disputed: bool = False


Profiles = tuple[Installed, ...]
"""What one charge point holds, in the order it came."""


def is_valid(connector: ConnectorId, profile: ChargingProfile) -> bool:
    """The purpose is allowed on this connector (R6): ChargePointMaxProfile on 0 only, TxProfile above 0 only."""
    if profile.purpose is Purpose.CHARGE_POINT_MAX:
        return connector == WHOLE_CHARGE_POINT
    return profile.purpose is Purpose.TX_DEFAULT or connector > WHOLE_CHARGE_POINT


def install(
    profiles: Profiles,
    connector: ConnectorId,
    profile: ChargingProfile,
    utc: float,
    scope: IdScope = IdScope.CONNECTOR,
) -> Profiles:
    """Give what is installed after SetChargingProfile was accepted (R1); ``utc`` is when it was asked for.

    Whatever has the same id within the scope goes (R4, §5.16.3), and whatever has the same purpose and stack level on
    the same connector (R5, §3.13.2); neither ever comes back. A profile that ``is_valid`` turns down is installed too:
    the charge point accepted it, so what it replaced is no longer certain. It never limits anything.
    """
    kept = [held for held in profiles if not _replaces(connector, profile, held, scope)]
    return (*kept, Installed(connector, profile, utc))[-MOST_INSTALLED:]


def matches(installed: Installed, criteria: Criteria) -> bool:
    """ClearChargingProfile means this profile (R21): with an id only the id counts (E3.26), without one all that is
    named must fit (E3.25); connector 0 means what was set on connector 0."""
    if criteria.profile_id is not None:
        return installed.profile.profile_id == criteria.profile_id
    return (
        criteria.connector in (None, installed.connector)
        and criteria.purpose in (None, installed.profile.purpose)
        and criteria.stack_level in (None, installed.profile.stack_level)
    )


def clear(profiles: Profiles, criteria: Criteria, asked_utc: float = math.inf) -> Profiles:
    """Give what is left after ClearChargingProfile was accepted (R21). What came after ``asked_utc`` stays."""
    return tuple(held for held in profiles if held.installed_at_utc > asked_utc or not matches(held, criteria))


def dispute(profiles: Profiles, criteria: Criteria, asked_utc: float = math.inf) -> Profiles:
    """Mark what ClearChargingProfile named and the charge point says it does not hold (R21, answer Unknown). What came
    after ``asked_utc`` cannot be meant."""
    return tuple(
        replace(held, disputed=True) if held.installed_at_utc <= asked_utc and matches(held, criteria) else held
        for held in profiles
    )


def unconfirm(profiles: Profiles) -> Profiles:
    """Mark everything as it is after BootNotification: it should have survived (E3.37), and often has not (R22)."""
    return tuple(replace(held, unconfirmed=True) for held in profiles)


def end_transaction(profiles: Profiles, connector: ConnectorId, asked_utc: float = math.inf) -> Profiles:
    """Give what is left when the transaction of this connector is over: its TxProfiles are gone (R14). Those that came
    after ``asked_utc`` were not its own and stay."""
    return tuple(
        held
        for held in profiles
        if held.connector != connector or held.profile.purpose is not Purpose.TX or held.installed_at_utc > asked_utc
    )


def repeated(profile: ChargingProfile, utc: float) -> ChargingProfile:
    """The same profile to be sent again, with a fresh startSchedule where that changes nothing of what it says: one
    period, without an end, dated. A minute in the past, as evcc dates it (§5.16.4: no gap)."""
    is_dated = profile.kind is ProfileKind.ABSOLUTE and profile.start_schedule is not None
    is_plain = len(profile.periods) == 1 and profile.periods[0].start == 0.0 and profile.duration is None
    return replace(profile, start_schedule=float(int(utc)) - DATED_BACK_SECONDS) if is_dated and is_plain else profile


def overriding(
    known: Profiles, connector: ConnectorId, transaction_id: TransactionId, limit: Limit, utc: float
) -> ChargingProfile:
    """A TxProfile of our own with this limit for the running transaction: it overrules every TxDefaultProfile (R13).

    Its id is none of the known ones, and no other connector's. Its stack level is the highest known one (a charge point
    may take no higher), or the one above the highest TxProfile of the connector.
    """
    ids = {held.profile.profile_id for held in known}
    profile_id = next(number for number in count(OWN_IDS + connector, OWN_IDS) if number not in ids)
    rivals = [
        held.profile.stack_level for held in known if held.connector == connector and held.profile.purpose is Purpose.TX
    ]
    levels = [held.profile.stack_level for held in known]
    unit = RateUnit.WATTS if limit.bound_amperes is None else RateUnit.AMPERES
    most = limit.watts if limit.bound_amperes is None else limit.bound_amperes
    phases = limit.number_phases if limit.number_phases < DEFAULT_PHASES else None
    return ChargingProfile(
        profile_id=profile_id,
        stack_level=max(rivals) + 1 if rivals else max(levels, default=0),
        purpose=Purpose.TX,
        kind=ProfileKind.ABSOLUTE,
        recurrency=None,
        transaction_id=transaction_id,
        valid_from=None,
        valid_to=None,
        unit=unit,
        start_schedule=float(int(utc)) - DATED_BACK_SECONDS,
        duration=None,
        periods=(SchedulePeriod(0.0, most, phases),),
    )


def _replaces(connector: ConnectorId, profile: ChargingProfile, held: Installed, scope: IdScope) -> bool:
    same_connector = held.connector == connector
    if held.profile.profile_id == profile.profile_id and (same_connector or scope is IdScope.CHARGE_POINT):
        return True
    return same_connector and (held.profile.purpose, held.profile.stack_level) == (profile.purpose, profile.stack_level)
