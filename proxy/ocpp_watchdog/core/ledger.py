"""What the central system asked of one charge point, what was answered, and what both make of the limits.

Two things are kept apart (watchdog rules 1). *In force* is what the accepted commands make, with both outcomes of every
command that is not answered (R3, ``outcomes.py``). The *order* is what was asked last: the accepted commands plus the
newest one, whatever its answer. Knows schedules and profiles; knows no frames, samples or deadlines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeVar

from ocpp_watchdog.core import schedule
from ocpp_watchdog.core.commands import (
    ClearProfiles,
    Command,
    CommandAnswer,
    SetProfile,
    booted,
    changed,
    disputed,
    ended,
    followed,
    performed,
)
from ocpp_watchdog.core.outcomes import Outcomes
from ocpp_watchdog.core.profiles import ChargingProfile, IdScope, Profiles, matches
from ocpp_watchdog.core.remote_starts import RemoteStarts
from ocpp_watchdog.core.schedule import Prevailing, TransactionSpan
from ocpp_watchdog.core.terms import WHOLE_CHARGE_POINT, ConnectorId, Purpose, TransactionId
from ocpp_watchdog.core.units import Limit

__all__ = ["ClearProfiles", "Command", "CommandAnswer", "InForce", "Ledger", "Newest", "SetProfile"]
MOST_UNANSWERED = 32
"""Commands whose late answer is still understood."""
MOST_CONNECTORS = 64
"""Connectors that anything is remembered of, connector 0 included."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest command that concerns a connector. Times are POSIX seconds; answered_utc None: no answer came yet."""

    key: str
    command: Command
    requested_utc: float
    answer: CommandAnswer
    answered_utc: float | None


@dataclass(frozen=True, slots=True)
class InForce:
    """What the accepted commands make of the limit on a connector.

    limit: the largest that is possible, None when that is no limit at all. possible: all different ones, the smallest
    first, no limit last. uncertain: there is more than one. disputed, unconfirmed: so is a profile that makes one of
    them (R21, R22).
    """

    limit: Limit | None
    possible: tuple[Limit | None, ...]
    uncertain: bool
    disputed: bool
    unconfirmed: bool


@dataclass(slots=True)
class _Asked:
    """A command with what became of it. booked: it is among the accepted ones. over: a TxProfile whose transaction was
    followed by another."""

    number: int
    key: str
    command: Command
    utc: float
    answer: CommandAnswer = CommandAnswer.PENDING
    answered_utc: float | None = None
    booked: bool = False
    over: bool = False


@dataclass(slots=True)
class _Transaction:
    """The newest transaction of a connector. ended_by: TxProfiles asked for later cannot have been meant for it.

    marker: number of the undecided end of the transaction before, whose id was before_id and which ended by
    before_ended_by; the id of this one will say whether it is another.
    """

    started_utc: float
    transaction_id: TransactionId | None = None
    running: bool = True
    ended_by: float = math.inf
    marker: int | None = None
    before_id: TransactionId | None = None
    before_ended_by: float = math.inf

    def span(self) -> TransactionSpan:
        return TransactionSpan(self.transaction_id, self.started_utc)


@dataclass(frozen=True, slots=True)
class _OrderSeen:
    """The order from one instant to another (POSIX seconds), as long as nothing but time passes."""

    since: float
    until: float
    limit: Limit | None


@dataclass(frozen=True, slots=True)
class _InForceSeen:
    since: float
    until: float
    in_force: InForce | None


class Ledger:
    """One charge point. Everything is told in the order it passed; ``utc`` is POSIX seconds.

    Grows only within the bounds above, whatever is told. A question is answered from memory when nothing happened since
    the last one and time alone cannot have changed the answer.
    """

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {
        "_scope": "handed in",
        **dict.fromkeys(("_orders_seen", "_in_force_seen"), "worked out anew"),
    }
    _scope: IdScope
    _outcomes: Outcomes
    _number: int
    _unanswered: dict[str, _Asked]
    _newest: dict[ConnectorId, _Asked]
    _named: dict[ConnectorId, None]
    _limited: dict[ConnectorId, None]
    _accepted: dict[ConnectorId, None]
    _remote_starts: RemoteStarts
    _transactions: dict[ConnectorId, _Transaction]
    _orders_seen: dict[ConnectorId, _OrderSeen]
    _in_force_seen: dict[ConnectorId, _InForceSeen]

    def __init__(self, scope: IdScope = IdScope.CONNECTOR) -> None:
        self._scope = scope
        self._outcomes = Outcomes()
        self._number = 0
        self._unanswered = {}
        self._newest = {}
        self._named = {}
        self._limited = {}
        self._accepted = {}
        self._remote_starts = RemoteStarts()
        self._transactions = {}
        self._orders_seen = {}
        self._in_force_seen = {}

    # -- commands ----------------------------------------------------------------------------------------------------

    def requested(self, key: str, command: Command, utc: float) -> None:
        """SetChargingProfile or ClearChargingProfile went out. A key that is used again means the newer command."""
        concerned = self._concerned(command)
        asked = self._ask(key, command, utc)
        for connector in concerned:
            _remember(self._newest, connector, asked)
        named = command.connector if isinstance(command, SetProfile) else command.criteria.connector
        if named is not None:
            _remember(self._named, named, None)
        if isinstance(command, SetProfile):
            _remember(self._limited, command.connector, None)
        self._forget_seen()

    def remote_start_requested(
        self, key: str, connector: ConnectorId | None, id_tag: str, profile: ChargingProfile | None
    ) -> None:
        """RemoteStartTransaction went out. Its TxProfile, if it has one, waits for the transaction (R20)."""
        self._remote_starts.requested(key, connector, id_tag, profile)

    def answered(self, key: str, accepted: bool | None, utc: float) -> None:
        """A command was answered, however late. accepted False: Rejected, NotSupported, any CALLERROR; None: Unknown,
        which only ClearChargingProfile knows. An unknown key, or a second answer, changes nothing."""
        self._remote_starts.answered(key, accepted=accepted is True)
        asked = self._unanswered.pop(key, None)
        if asked is None:
            return
        asked.answered_utc = utc
        asked.answer = CommandAnswer.ACCEPTED if accepted else CommandAnswer.REFUSED
        mattered = self._outcomes.decide(asked.number, applied=accepted is True)
        asked.booked = mattered and accepted is True
        if isinstance(asked.command, SetProfile):
            if accepted:
                _remember(self._accepted, asked.command.connector, None)
        elif accepted is None:
            asked.answer = CommandAnswer.ACCEPTED
            self._outcomes.apply(partial(disputed, criteria=asked.command.criteria, asked_utc=asked.utc))
        self._forget_seen()

    # -- what the charge point does ----------------------------------------------------------------------------------

    def transaction_started(
        self, connector: ConnectorId, transaction_id: TransactionId | None, id_tag: str, utc: float
    ) -> None:
        """StartTransaction, or a transaction that was found running. transaction_id None: ``transaction_identified``
        gives it later. utc: its start. A profile that came with RemoteStartTransaction becomes its TxProfile (R20)."""
        before = self._transactions.get(connector)
        now = _Transaction(utc)
        if before is not None:
            self._succeed(connector, before, now, transaction_id)
        _remember(self._transactions, connector, now)
        start = self._remote_starts.take(connector, id_tag)
        if start is not None:
            _remember(self._limited, connector, None)
            self._ask(start.key, SetProfile(connector, start.profile), utc)
            if start.accepted:
                self.answered(start.key, accepted=True, utc=utc)
        if transaction_id is not None:
            self.transaction_identified(connector, transaction_id)
        self._forget_seen()

    def transaction_identified(self, connector: ConnectorId, transaction_id: TransactionId) -> None:
        """The id of the newest transaction on this connector is known (T1, T2). Without a transaction: nothing."""
        now = self._transactions.get(connector)
        if now is None:
            return
        if now.marker is not None:
            if transaction_id != now.before_id:
                self._outcomes.decide(now.marker, applied=True)
                self._end_newest(connector, now.marker, now.before_ended_by)
            self._outcomes.decide(now.marker, applied=False)
            now.marker = None
        elif now.transaction_id not in (None, transaction_id):
            self._follow(connector, now.ended_by)
        now.transaction_id = transaction_id
        self._forget_seen()

    def transaction_stopped(self, connector: ConnectorId, utc: float) -> None:
        """StopTransaction: its TxProfiles are no longer in force (R14); the order does not change."""
        if connector not in self._transactions:
            _remember(self._transactions, connector, _Transaction(math.inf))
        self._end(connector, utc)

    def available(self, connector: ConnectorId) -> None:
        """StatusNotification Available: no transaction (T8), and no RemoteStartTransaction waits for one (R20)."""
        self._remote_starts.available(connector)
        self._end(connector, math.inf)

    def booted(self) -> None:
        """BootNotification: all that is in force is unconfirmed (R22), and no remote start is remembered. A transaction
        may be resumed, so its TxProfile ends with StopTransaction, Available or the next start, as ever."""
        self._remote_starts.forget()
        self._outcomes.apply(booted)
        self._forget_seen()

    def connection_lost(self) -> None:
        """The connection ended. What is not answered stays undecided (R3), and what is installed goes on applying
        (R22): nothing changes, and this is where the rule stands."""

    # -- questions ---------------------------------------------------------------------------------------------------

    def in_force(self, connector: ConnectorId, utc: float) -> InForce | None:
        """Give what is in force on a connector, None when no command that concerns it was ever accepted or is still
        undecided: an unknown baseline, not the absence of a limit."""
        return self._in_force_at(connector, utc).in_force

    def order(self, connector: ConnectorId, utc: float) -> Limit | None:
        """Give the limit that the central system asked for last, None when it asks for none (watchdog rules 1)."""
        return self._order_at(connector, utc).limit

    def next_change(self, connector: ConnectorId, utc: float) -> float | None:
        """Give the first instant after ``utc`` at which order or limit in force may change by time alone, None:
        never."""
        until = min(self._order_at(connector, utc).until, self._in_force_at(connector, utc).until)
        return None if until == math.inf else until

    def ordered_anything(self, connector: ConnectorId) -> bool:
        """A limit was asked for on this connector or on 0, whatever came of it."""
        return connector in self._limited or WHOLE_CHARGE_POINT in self._limited

    def newest(self, connector: ConnectorId) -> Newest | None:
        """Give the newest command that concerns the connector. One on connector 0 concerns all; a ClearChargingProfile
        concerns those on which it names something that was ordered."""
        asked = self._newest_asked(connector)
        if asked is None:
            return None
        return Newest(asked.key, asked.command, asked.utc, asked.answer, asked.answered_utc)

    def known(self) -> Profiles:
        """Give all that may be installed, or were ordered, each once."""
        sets = [*self._outcomes.in_force(), self._outcomes.ordered(), *map(self._order_profiles, self._newest)]
        return tuple(dict.fromkeys(held for profiles in sets for held in profiles))

    def connectors(self) -> tuple[ConnectorId, ...]:
        """Give the connectors that commands have named, sorted; 0 among them when one did."""
        return tuple(sorted(self._named))

    # -- inside ------------------------------------------------------------------------------------------------------

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _ask(self, key: str, command: Command, utc: float) -> _Asked:
        asked = _Asked(self._next_number(), key, command, utc)
        self._unanswered.pop(key, None)
        self._unanswered[key] = asked
        if len(self._unanswered) > MOST_UNANSWERED:
            del self._unanswered[next(iter(self._unanswered))]
        self._outcomes.split(asked.number, partial(performed, command=command, utc=utc, scope=self._scope))
        return asked

    def _concerned(self, command: Command) -> list[ConnectorId]:
        if isinstance(command, SetProfile):
            return [command.connector]
        held = {one for connector in (WHOLE_CHARGE_POINT, *self._newest) for one in self._order_profiles(connector)}
        return sorted({one.connector for one in held if matches(one, command.criteria)})

    def _newest_asked(self, connector: ConnectorId) -> _Asked | None:
        own, whole = self._newest.get(connector), self._newest.get(WHOLE_CHARGE_POINT)
        if own is None or whole is None:
            return own or whole
        return max(own, whole, key=lambda asked: asked.number)

    def _order_profiles(self, connector: ConnectorId) -> Profiles:
        """The accepted commands, and on top the newest unless it is among them."""
        accepted = self._outcomes.ordered()
        asked = self._newest_asked(connector)
        if asked is None or asked.booked or asked.over:
            return accepted
        return changed(accepted, asked.command, asked.utc, self._scope, cleared_by=asked.utc)

    def _succeed(
        self, connector: ConnectorId, before: _Transaction, now: _Transaction, transaction_id: TransactionId | None
    ) -> None:
        """One transaction follows another on the connector, or is the same one seen again: the ids tell."""
        if before.running and transaction_id is not None and before.transaction_id in (None, transaction_id):
            now.started_utc = before.started_utc
        if before.transaction_id is None and before.running:
            now.marker, now.before_id, now.before_ended_by = before.marker, before.before_id, before.before_ended_by
        elif before.transaction_id is not None and transaction_id is None:
            now.marker = self._next_number()
            now.before_id, now.before_ended_by = before.transaction_id, before.ended_by
            self._outcomes.split(now.marker, partial(followed, connector=connector, by_utc=before.ended_by))
        elif before.transaction_id is None or before.transaction_id != transaction_id:
            self._follow(connector, before.ended_by)

    def _follow(self, connector: ConnectorId, by_utc: float) -> None:
        """Another transaction began on the connector: the one before is over, for the order too."""
        self._outcomes.apply(partial(followed, connector=connector, by_utc=by_utc))
        self._end_newest(connector, self._next_number(), by_utc)

    def _end_newest(self, connector: ConnectorId, number: int, by_utc: float) -> None:
        asked = self._newest.get(connector)
        if asked is None or asked.number > number or asked.utc > by_utc or not isinstance(asked.command, SetProfile):
            return
        asked.over = asked.command.profile.purpose is Purpose.TX

    def _end(self, connector: ConnectorId, utc: float) -> None:
        transaction = self._transactions.get(connector)
        if transaction is not None and transaction.running:
            transaction.running = False
            transaction.ended_by = utc
        self._outcomes.apply(partial(ended, connector=connector))
        self._forget_seen()

    def _forget_seen(self) -> None:
        self._orders_seen.clear()
        self._in_force_seen.clear()

    def _order_at(self, connector: ConnectorId, utc: float) -> _OrderSeen:
        seen = self._orders_seen.get(connector)
        if seen is not None and seen.since <= utc < seen.until:
            return seen
        transaction = self._transactions.get(connector)
        # The order outlives its transaction, so the last one counts; where none was seen, any TxProfile is meant.
        span = TransactionSpan(None, math.inf) if transaction is None else transaction.span()
        profiles = self._order_profiles(connector)
        until = schedule.next_change(profiles, connector, span, utc)
        limit = schedule.limit_at(profiles, connector, span, utc)
        seen = _OrderSeen(utc, math.inf if until is None else until, limit)
        _remember(self._orders_seen, connector, seen)
        return seen

    def _in_force_at(self, connector: ConnectorId, utc: float) -> _InForceSeen:
        seen = self._in_force_seen.get(connector)
        if seen is not None and seen.since <= utc < seen.until:
            return seen
        transaction = self._transactions.get(connector)
        span = transaction.span() if transaction is not None and transaction.running else None
        sets = self._outcomes.in_force()
        changes = [schedule.next_change(profiles, connector, span, utc) for profiles in sets]
        in_force = None
        if self._has_baseline(connector, sets):
            in_force = _in_force([schedule.prevailing(profiles, connector, span, utc) for profiles in sets])
        until = min((change for change in changes if change is not None), default=math.inf)
        seen = _InForceSeen(utc, until, in_force)
        _remember(self._in_force_seen, connector, seen)
        return seen

    def _has_baseline(self, connector: ConnectorId, sets: list[Profiles]) -> bool:
        concerning = {connector, WHOLE_CHARGE_POINT}
        if not concerning.isdisjoint(self._accepted):
            return True
        return any(held.connector in concerning for profiles in sets for held in profiles)


def _in_force(outcomes: list[tuple[Prevailing, ...]]) -> InForce:
    possible = sorted({schedule.limit_of(parts) for parts in outcomes}, key=_size)
    prevailing = [part.installed for parts in outcomes for part in parts]
    return InForce(
        limit=possible[-1],
        possible=tuple(possible),
        uncertain=len(possible) > 1,
        disputed=any(installed.disputed for installed in prevailing),
        unconfirmed=any(installed.unconfirmed for installed in prevailing),
    )


def _size(limit: Limit | None) -> tuple[float, float, tuple[int, ...]]:
    return (math.inf, math.inf, ()) if limit is None else (limit.amperes, limit.watts, limit.profile_ids)


_Value = TypeVar("_Value")


def _remember(memory: dict[ConnectorId, _Value], connector: ConnectorId, value: _Value) -> None:
    """Keep the value as the newest of a bounded memory."""
    memory.pop(connector, None)
    memory[connector] = value
    if len(memory) > MOST_CONNECTORS:
        del memory[next(iter(memory))]
