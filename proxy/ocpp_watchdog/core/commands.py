"""The commands that move limits, and what they and the charge point's doings make of the books.

Pure effects: books in, books out. Knows neither answers nor time passing (``ledger.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from ocpp_watchdog.core.outcomes import Books
from ocpp_watchdog.core.profiles import (
    ChargingProfile,
    Criteria,
    IdScope,
    Profiles,
    clear,
    dispute,
    end_transaction,
    install,
    unconfirm,
)
from ocpp_watchdog.core.terms import ConnectorId


@dataclass(frozen=True, slots=True)
class SetProfile:
    """SetChargingProfile on a connector (0: the whole charge point)."""

    connector: ConnectorId
    profile: ChargingProfile


@dataclass(frozen=True, slots=True)
class ClearProfiles:
    """ClearChargingProfile."""

    criteria: Criteria


Command = SetProfile | ClearProfiles


class CommandAnswer(Enum):
    """What is known of the answer. Unknown, to a ClearChargingProfile, counts as ACCEPTED here: what should go is not
    there."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"


def changed(profiles: Profiles, command: Command, utc: float, scope: IdScope, cleared_by: float = math.inf) -> Profiles:
    """Give what is installed after the command asked for at ``utc``. What came after ``cleared_by`` is not cleared."""
    if isinstance(command, SetProfile):
        return install(profiles, command.connector, command.profile, utc, scope)
    return clear(profiles, command.criteria, cleared_by)


def performed(books: Books, command: Command, utc: float, scope: IdScope) -> Books:
    """The charge point has taken the command (R1, R21)."""
    return Books(changed(books.in_force, command, utc, scope), changed(books.ordered, command, utc, scope))


def disputed(books: Books, criteria: Criteria, asked_utc: float) -> Books:
    """The charge point holds nothing of what was to be cleared. In force nothing changes but is disputed (R21); of the
    order it is gone, since nobody wants it any more."""
    return Books(dispute(books.in_force, criteria, asked_utc), clear(books.ordered, criteria, asked_utc))


def ended(books: Books, connector: ConnectorId) -> Books:
    """The transaction is over (R14). The order outlives it."""
    return Books(end_transaction(books.in_force, connector), books.ordered)


def followed(books: Books, connector: ConnectorId, by_utc: float) -> Books:
    """Another transaction has begun: what was asked for the one before, by then, is over for the order too."""
    return Books(end_transaction(books.in_force, connector, by_utc), end_transaction(books.ordered, connector, by_utc))


def booted(books: Books) -> Books:
    """The charge point may have lost everything (R22). The order stands."""
    return Books(unconfirm(books.in_force), books.ordered)
