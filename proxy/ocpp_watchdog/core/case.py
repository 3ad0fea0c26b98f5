"""Everything known of one connector: its order, samples, episode and ladder, and how that is told to others.

The state that ``remedy.py`` and ``watch.py`` work on, with the few facts both derive from it. Decides nothing itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar

from ocpp_watchdog.core.decisions import (
    Decision,
    EpisodeView,
    FactKind,
    Mode,
    NoticeKind,
    Notify,
    Record,
    Severity,
    StepKind,
    StepRecord,
)
from ocpp_watchdog.core.episodes import Episode
from ocpp_watchdog.core.escalation import Ladder, State
from ocpp_watchdog.core.findings import AboveZero
from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.ledger import InForce
from ocpp_watchdog.core.leftovers import Leftovers
from ocpp_watchdog.core.orders import OrderTracker
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.questions import Questions
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.rungs import MOST_KEPT
from ocpp_watchdog.core.samples import Samples
from ocpp_watchdog.core.sight import FlowWithoutTransaction, Sight, Want
from ocpp_watchdog.core.terms import ConnectorId, Moment, Status
from ocpp_watchdog.core.trial import Trial
from ocpp_watchdog.core.units import Limit


@dataclass(slots=True)
class Case:
    """One connector. What is decided is appended to ``out``, what is wished for to ``wants``; the station empties both.

    commanded: the order, None when none is known. in_force: limit of the accepted commands. resets: when soft resets
    went out, for all connectors of the charge point together. limit_ladder, limits_open: of limits above 0, while one
    is exceeded. superseded_mono: when the last episode ended so; it ended otherwise, or there was none: long ago.
    """

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {
        "policy": "handed in",
        "out": "the station empties it",
        "wants": "the station empties it",
        "ticked": "of the clock that is gone",
    }
    connector: ConnectorId
    policy: Policy
    resets: Recent[Mono] = field(default_factory=lambda: Recent(MOST_KEPT))
    sight: Sight = field(default_factory=Sight)
    out: list[Decision] = field(default_factory=list)
    wants: list[Want] = field(default_factory=list)
    commanded: Limit | None = None
    in_force: InForce | None = None
    ordered_anything: bool = False
    episode: Episode | None = None
    episodes_total: int = 0
    energy_total_wh: float = 0.0
    tracker: OrderTracker = field(init=False)
    samples: Samples = field(init=False)
    above: AboveZero = field(init=False)
    ladder: Ladder = field(init=False)
    limit_ladder: Ladder = field(init=False)
    limits_open: bool = False
    trial: Trial = field(init=False)
    questions: Questions = field(init=False)
    flow: FlowWithoutTransaction = field(init=False)
    leftovers: Leftovers = field(default_factory=Leftovers)
    slight_noted: bool = False
    ticked: float = -math.inf
    was_under_way: bool = False
    withdrawn_mono: Mono = -math.inf
    superseded_mono: Mono = -math.inf

    def __post_init__(self) -> None:
        self.tracker = OrderTracker(self.policy)
        self.samples = Samples(self.policy.reconnect_seconds)
        self.above = AboveZero(self.policy)
        self.ladder = Ladder(self.policy, resets=self.resets)
        self.limit_ladder = Ladder(self.policy, (StepKind.REPEAT_LIMIT, StepKind.TX_PROFILE))
        self.trial = Trial(self.policy, self.samples)
        self.questions = Questions(self.policy)
        self.flow = FlowWithoutTransaction(self.policy)

    @property
    def mode(self) -> Mode:
        """The mode of this charge point; maintenance is observe mode for a while."""
        return Mode.OBSERVE if self.sight.in_maintenance else self.policy.mode

    @property
    def is_unknown(self) -> bool:
        """No limit was ordered since we look, or it is disputed."""
        return not self.ordered_anything or (self.in_force is not None and self.in_force.disputed)

    @property
    def is_under_way(self) -> bool:
        """A step is out, its proof is awaited, or the 60 s after it run; a disconnect changes nothing about that."""
        return self.ladder.state in {State.OUT, State.PROVING, State.PROVED} or self.was_under_way

    def is_blind(self, now: Moment) -> bool:
        """Something may flow and no sample came for 3 intervals, at least 60 s."""
        standing = self.tracker.is_standing and self.sight.status is not Status.AVAILABLE
        if self.sight.transaction_since is None and not standing:
            return False
        last, order = self.samples.last_reading, self.tracker.standing
        if last is not None and now.mono - last.arrived.mono < self.policy.blind_seconds:
            return False  # as nearly always
        starts = [self.sight.connected_at, self.sight.transaction_since, last.arrived if last is not None else None]
        if self.sight.transaction_since is None and order is not None:
            starts.append(order.began)
        known = [moment.mono for moment in starts if moment is not None]
        patience = max(self.policy.blind_seconds, 3.0 * (self.samples.interval() or 0.0))
        return bool(known) and now.mono - max(known) >= patience

    def owes_nothing(self, now: Moment) -> bool:
        """No order to be kept, nothing to be undone, no budget that is used: whoever is met anew may do no more."""
        is_calm = self.episode is None and self.tracker.standing is None and not self.limits_open
        is_fresh = self.ladder.is_fresh(now) and self.limit_ladder.is_fresh(now)
        return is_calm and is_fresh and self.leftovers.are_none

    def notify(self, kind: NoticeKind, severity: Severity, now: Moment, record: StepRecord | None = None) -> None:
        """Tell a person about the open episode; nothing without one."""
        seen = self.episode_view()
        if seen is not None:
            self.out.append(Notify(kind, severity, self.connector, now, seen, record))

    def record_step(self, record: StepRecord, now: Moment) -> None:
        """Keep a try of a step as a fact."""
        self.out.append(Record(FactKind.STEP, self.connector, now, record.why, self.episode_view(), record))

    def episode_view(self) -> EpisodeView | None:
        """The open episode as it stands, None without one."""
        if self.episode is None:
            return None
        seen = self.episode.view(self.ladder, self.commanded)
        return seen if self.leftovers.restart is None else replace(seen, restarts=True)
