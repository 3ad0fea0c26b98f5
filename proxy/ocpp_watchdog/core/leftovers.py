"""What steps of ours leave behind at a charge point and must be undone, and when that is due (watchdog rules 5 and 7).

Plain values of one connector, with the few rules that need nothing else. All of it must survive a restart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.terms import Moment, TransactionId
from ocpp_watchdog.core.units import Limit

AGAIN_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 900.0


@dataclass(slots=True)
class OwnProfile:
    """A TxProfile of ours that the charge point holds, or may hold. It overrules whatever the central system orders, so
    it goes as soon as that is anything else; with its transaction it goes by itself (R14). before: one of the same
    transaction whose place it takes, unless it is refused."""

    profile_id: int
    transaction_id: TransactionId
    limit: Limit
    before: OwnProfile | None = None

    def says(self, order: Limit | None) -> bool:
        """The central system orders the same."""
        return order is not None and (order.bound_amperes, order.bound_watts) == (
            self.limit.bound_amperes,
            self.limit.bound_watts,
        )


@dataclass(slots=True)
class Inoperative:
    """The connector was set Inoperative by us. is_over: what it was for is over; it may be set back."""

    since: Moment
    is_over: bool = False


@dataclass(slots=True)
class Restart:
    """A transaction that we stopped and that may be started anew. ordered_since: since when the central system has been
    ordering current without a break (monotonic seconds), None while it does not. is_in_sight: the charge point has said
    in this session, and since our stop, that the cable is still there."""

    id_tag: str
    ordered_since: Mono | None = None
    is_in_sight: bool = True


@dataclass(slots=True)
class Leftovers:
    """Of one connector. is_asked: a CALL about it waits or is out; tries, again_at: what failed is tried again later,
    at longer and longer intervals. central_started: when the central system last asked for a new start."""

    profile: OwnProfile | None = None
    inoperative: Inoperative | None = None
    restart: Restart | None = None
    is_asked: bool = False
    tries: int = 0
    again_at: Mono | None = None
    central_started: Mono = -math.inf

    @property
    def are_none(self) -> bool:
        """Nothing is left to be undone."""
        return self.profile is None and self.inoperative is None and self.restart is None

    def must_wait(self, now: Moment) -> bool:
        """Something about it is under way, or has failed not long ago."""
        return self.is_asked or (self.again_at is not None and now.mono < self.again_at)

    def failed(self, now: Moment) -> None:
        """A CALL about it came to nothing."""
        self.is_asked = False
        self.again_at = now.mono + min(AGAIN_SECONDS * 2.0**self.tries, LONGEST_PAUSE_SECONDS)
        self.tries = min(self.tries + 1, 8)

    def settled(self) -> None:
        """A CALL about it did what it should."""
        self.is_asked = False
        self.tries, self.again_at = 0, None

    def connected(self) -> None:
        """Another session: whatever was asked in the last one died with it, and is asked again."""
        self.settled()
        if self.restart is not None:
            self.restart.is_in_sight = False  # nobody saw what became of the cable
