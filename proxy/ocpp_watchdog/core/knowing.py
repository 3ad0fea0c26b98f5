"""What is known of one charge point between two frames: its connectors, orders and transactions, and what it refuses.

Keeps the watches in line with the ledger and the transactions. Understands no frame (``hearing.py`` does) and decides
nothing.
"""

from __future__ import annotations

import math
from functools import partial
from typing import ClassVar

from ocpp_watchdog.core.acquaintance import Acquaintance
from ocpp_watchdog.core.alike import Alike
from ocpp_watchdog.core.asked import UNREAD, Asked
from ocpp_watchdog.core.chronicle import Chronicle
from ocpp_watchdog.core.decisions import Count, CountKind, Decision
from ocpp_watchdog.core.devices import Recognise, nobody
from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.ledger import Ledger
from ocpp_watchdog.core.pairing import Pairing
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.rungs import MOST_KEPT
from ocpp_watchdog.core.skim import Waiting
from ocpp_watchdog.core.terms import ConnectorId, Moment, Status
from ocpp_watchdog.core.transactions import Transactions
from ocpp_watchdog.core.watch import Watch

FIRST_CONNECTOR = ConnectorId(1)
MOST_CONNECTORS = 32


class Knowing:
    """Everything known of one charge point. last_action: action of the frame heard last, "" when it was unreadable.
    memory_version: another number whenever something is worth remembering that was not so before."""

    __slots__ = (
        "_acquaintance", "_alike", "_chronicle", "_commands", "_connected", "_evidence_mono", "_ledger", "_loads",
        "_maintenance_until", "_may_ask_schedule", "_may_question", "_next_schedule", "_out", "_pairing",
        "_reports_on_zero_only", "_resets", "_status_on_zero_only", "_transactions", "_waiting", "_watches",
        "last_action", "memory_version", "policy",
    )  # fmt: skip

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {
        "policy": "handed in",
        "last_action": "of a frame",
        "memory_version": "counts changes since the start",
        "_loads": "handed in",
        "_alike": "learned anew",
        "_pairing": "the peers' CALLs die with their connection",
        "_chronicle": "commands that are not answered die with their connection",
        "_watches": "made anew, one by one",
        "_out": "empty between two calls",
        "_next_schedule": "worked out anew",
        "_waiting": "what was not read yet was not needed",
        "_evidence_mono": "of the clock that is gone",
    }
    policy: Policy
    last_action: str
    memory_version: int
    _loads: Loads
    _connected: bool
    _acquaintance: Acquaintance
    _alike: Alike
    _pairing: Pairing[Asked]
    _ledger: Ledger
    _transactions: Transactions
    _chronicle: Chronicle
    _watches: dict[ConnectorId, Watch]
    _commands: int
    _reports_on_zero_only: bool
    _status_on_zero_only: bool
    _may_question: bool
    _may_ask_schedule: bool
    _resets: Recent[Mono]
    _maintenance_until: Moment | None
    _out: list[Decision]
    _next_schedule: Mono | None
    _waiting: Waiting
    _evidence_mono: Mono

    def __init__(self, policy: Policy, loads: Loads, recognise: Recognise = nobody) -> None:
        self.policy = policy
        self.last_action = ""
        self.memory_version = 0
        self._loads = loads
        self._connected = False
        self._acquaintance = Acquaintance(policy, recognise)
        self._alike = Alike(loads)
        self._pairing = Pairing(UNREAD)
        self._ledger = Ledger()
        self._transactions = Transactions()
        self._chronicle = Chronicle()
        self._watches = {}
        self._commands = 0
        self._reports_on_zero_only = True
        self._status_on_zero_only = True
        self._may_question = True
        self._may_ask_schedule = True
        self._resets = Recent(MOST_KEPT)
        self._maintenance_until = None
        self._out = []
        self._next_schedule = None
        self._evidence_mono = -math.inf
        self._waiting = Waiting()
        self._watch(FIRST_CONNECTOR)

    # -- order and limit ---------------------------------------------------------------------------------------

    def _follow_order(self, watch: Watch, key: str, text: str, now: Moment) -> None:
        watch.ordered_anything = self._ledger.ordered_anything(watch.connector)
        watch.ordered(self._ledger.order(watch.connector, now.utc), key, text, now)

    def _follow_limits(self, now: Moment) -> None:
        changes: list[float] = []
        for watch in self._watches.values():
            watch.limit_in_force(self._ledger.in_force(watch.connector, now.utc), now)
            change = self._ledger.next_change(watch.connector, now.utc)
            if change is not None:
                changes.append(change)
        self._next_schedule = now.mono + max(0.0, min(changes) - now.utc) if changes else None

    def _follow_schedule(self, now: Moment) -> None:
        """Time alone may have moved order and limit."""
        for watch in self._watches.values():
            self._follow_order(watch, "", "", now)
        if self._next_schedule is not None and now.mono >= self._next_schedule:
            self._follow_limits(now)

    def _has_stop_order(self) -> bool:
        return any(watch.tracker.standing is not None for watch in self._watches.values())

    # -- what it refuses, and what goes on at its other connectors ---------------------------------------------

    def _never_question(self) -> None:
        """This charge point refused a TriggerMessage once, or left it unanswered: never ask again."""
        self._may_question = False
        self.memory_version += 1
        for watch in self._watches.values():
            watch.sight.may_question = False

    def _never_ask_schedule(self) -> None:
        """The same of GetCompositeSchedule."""
        self._may_ask_schedule = False
        for watch in self._watches.values():
            watch.sight.may_ask_schedule = False

    def _others_charge(self, connector: ConnectorId) -> bool:
        """What no stop order forbids goes on at another connector: a transaction, or charging by its status where the
        transaction began before we looked."""
        return any(
            (watch.sight.transaction_since is not None or watch.sight.status is Status.CHARGING)
            and not watch.tracker.is_standing
            for number, watch in self._watches.items()
            if number != connector
        )

    def _shares_id(self, connector: ConnectorId) -> bool:
        """Another connector that is not to be stopped carries the same transaction id: a stop by it may end that one.
        (The order that stands there may be obeyed.)"""
        carrying = self._transactions.carrying(self._transactions.usable_id(connector))
        return any(other != connector and not self._watch(other).is_to_be_stopped for other in carrying)

    # -- connectors ----------------------------------------------------------------------------------------------

    def _watch(self, connector: ConnectorId, now: Moment | None = None) -> Watch:
        watch = self._watches.get(connector)
        if watch is not None:
            return watch
        watch = self._new_watch(connector)
        if len(self._watches) >= MOST_CONNECTORS:
            return watch  # nonsense: looked at once, not kept
        self._watches[connector] = watch
        watch.sight.may_question = self._may_question
        watch.sight.may_ask_schedule = self._may_ask_schedule
        watch.sight.in_maintenance = self._maintenance_until is not None
        first = self._watches[FIRST_CONNECTOR].sight
        if self._connected and first.connected_at is not None:
            watch.connected(first.connected_at)
        if now is not None:
            self._follow_order(watch, "", "", now)
            watch.limit_in_force(self._ledger.in_force(connector, now.utc), now)
        return watch

    def _new_watch(self, connector: ConnectorId) -> Watch:
        """One that nothing is known of yet."""
        watch = Watch(connector, self.policy, self._resets)
        watch.sight.ledger = self._ledger
        watch.sight.others_charge = partial(self._others_charge, connector)
        watch.sight.shares_id = partial(self._shares_id, connector)
        return watch

    def _update_sight(self, connector: ConnectorId) -> None:
        sight, transaction = self._watch(connector).sight, self._transactions.current(connector)
        sight.usable_id = self._transactions.usable_id(connector)
        sight.transaction_since = transaction.started if transaction is not None else None
        if transaction is not None:
            sight.id_tag = transaction.id_tag

    def _count(self, kind: CountKind) -> None:
        self._out.append(Count(kind))
