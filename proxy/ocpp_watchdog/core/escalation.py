"""The ladder of one connector: what has been tried against an ignored stop, and what may be tried next.

Theory of operation. The owner's steps stand in an order; one try of one step is under way at a time. A try is wanted
(it waits for a turn on the channel), then out (written, not answered), then accepted and waiting for proof. *Accepted*
is never success: only a sample proves a try, and an over sample afterwards withdraws the proof. The states of a try and
every allowed move are the table below; a move that is not listed is our bug and raises KeyError. After a try that
failed comes the same step again while its budget (``rungs.py``) lasts, then the next one; what time alone makes free
again (``remote_stop``, ``soft_reset``) comes round at the end. Policy about whether to act at all (evidence, order,
mode) lives in ``remedy.py``; this file only counts and remembers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar

from ocpp_watchdog.core.decisions import StepKind, StepOutcome, StepRecord
from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.rungs import MOST_KEPT, Rung
from ocpp_watchdog.core.terms import Moment, TransactionId, UniqueId

MOST_RECORDS = 64
NO_USABLE_ID = "no usable transaction id"
SHARED_ID = "another connector has the same transaction id"


class State(Enum):
    """Where the ladder of one episode stands."""

    READY = "ready"
    WAITING = "waiting"
    OUT = "out"
    PROVING = "proving"
    PROVED = "proved"
    FAILED = "failed"


class Signal(Enum):
    """What can happen to a try."""

    WANT = "want"
    WRITTEN = "written"
    WITHDRAWN = "withdrawn"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    LOST = "lost"
    PROOF = "proof"
    NO_PROOF = "no_proof"
    OVER = "over"
    NEW_EPISODE = "new_episode"


TRANSITIONS: dict[tuple[State, Signal], State] = {
    (State.READY, Signal.WANT): State.WAITING,
    (State.FAILED, Signal.WANT): State.WAITING,
    (State.WAITING, Signal.WRITTEN): State.OUT,
    (State.WAITING, Signal.WITHDRAWN): State.FAILED,
    (State.WAITING, Signal.LOST): State.FAILED,
    (State.OUT, Signal.ACCEPTED): State.PROVING,
    (State.OUT, Signal.REFUSED): State.FAILED,
    (State.OUT, Signal.UNANSWERED): State.FAILED,
    (State.OUT, Signal.LOST): State.FAILED,
    (State.OUT, Signal.PROOF): State.PROVED,
    (State.PROVING, Signal.PROOF): State.PROVED,
    (State.PROVING, Signal.NO_PROOF): State.FAILED,
    (State.FAILED, Signal.PROOF): State.PROVED,
    (State.FAILED, Signal.ACCEPTED): State.PROVING,
    (State.PROVED, Signal.OVER): State.FAILED,
    (State.PROVED, Signal.ACCEPTED): State.PROVED,
    (State.PROVED, Signal.REFUSED): State.PROVED,
    (State.PROVED, Signal.UNANSWERED): State.PROVED,
    (State.PROVED, Signal.LOST): State.PROVED,
    **{(state, Signal.NEW_EPISODE): State.READY for state in State},
}


def step(state: State, signal: Signal) -> State:
    """The whole machine. Raises KeyError on a move that must not happen."""
    return TRANSITIONS[state, signal]


@dataclass(slots=True)
class _Out:
    unique_id: UniqueId | None
    sent: Moment | None = None
    answered_mono: Mono | None = None


NO_STEP: frozenset[StepKind] = frozenset()


class Ladder:
    """Steps, tries and budgets of one connector. What must survive a restart: the budgets (``rungs[...].sent``, and
    ``used`` of an open episode), ``tried`` and ``worked``, which the next episode looks at, and of an open episode the
    records and the try that is under way."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {"_policy": "handed in", "_kinds": "handed in"}
    _policy: Policy
    _kinds: tuple[StepKind, ...] | None
    rungs: dict[StepKind, Rung]
    state: State
    records: list[StepRecord]
    _resets: Recent[Mono]
    barred: frozenset[StepKind]
    tried: frozenset[StepKind]
    worked: frozenset[StepKind]
    _place: int
    _out: _Out | None
    _all_outcomes: dict[tuple[StepKind, StepOutcome], int]

    def __init__(
        self, policy: Policy, kinds: Sequence[StepKind] | None = None, resets: Recent[Mono] | None = None
    ) -> None:
        self._policy = policy
        self._kinds = None if kinds is None else tuple(kinds)
        self.rungs = {}
        self._resets = Recent(MOST_KEPT) if resets is None else resets
        self.state = State.READY
        self.records = []
        self.barred = self.tried = self.worked = NO_STEP
        self._place = 0
        self._out = None
        self._all_outcomes = {}

    @property
    def kinds(self) -> tuple[StepKind, ...]:
        """The steps, in the order they are walked."""
        return self._policy.ladder if self._kinds is None else self._kinds

    @property
    def totals(self) -> dict[tuple[StepKind, StepOutcome], int]:
        """Outcomes counted since the connector is known."""
        return self._all_outcomes

    @property
    def last_sent_mono(self) -> float | None:
        """When the last step went out, in this episode or before."""
        return max((rung.sent[-1] for rung in self.rungs.values() if rung.sent), default=None)

    @property
    def has_sent(self) -> bool:
        """A try went out in this episode."""
        return any(record.sent is not None for record in self.records)

    @property
    def lacks_id(self) -> bool:
        """A step was passed over because no transaction id is known that can be used."""
        return any(record.why in (NO_USABLE_ID, SHARED_ID) for record in self.records)

    def sent_lately(self, kind: StepKind, now: Moment, seconds: float) -> bool:
        """A try of this step went out within the last ``seconds``, and not by the owner's hand."""
        return any(
            record.kind is kind and record.sent is not None and now.mono - record.sent.mono <= seconds
            for record in self.records
        )

    def is_fresh(self, now: Moment) -> bool:
        """Nothing was taken that still counts against a budget."""
        return all(rung.is_fresh(self._policy, now) for rung in self.rungs.values())

    def new_episode(self, *, superseded: bool = False) -> None:
        """Forget the tries, keep the budget. superseded: the last episode ended so a short while ago; what was not
        proved in it is not tried again, ``remote_stop`` excepted (watchdog rules 5). Where that would leave nothing,
        what was not reached in it is left."""
        self.barred = self._unproved() if superseded else frozenset()
        self.state = step(self.state, Signal.NEW_EPISODE)
        self.records = []
        self.tried = self.worked = frozenset()
        self._place = 0
        self._out = None
        for rung in self.rungs.values():
            rung.used = 0

    def _unproved(self) -> frozenset[StepKind]:
        unproved = frozenset(self.kinds) - self.worked - {StepKind.REMOTE_STOP}
        return unproved if unproved != frozenset(self.kinds) else unproved & self.tried

    def rung(self, kind: StepKind) -> Rung:
        """What was taken of this step, whether the owner's ladder has it or not: what a person orders counts too. A
        soft reset is the whole charge point's."""
        found = self.rungs.get(kind)
        if found is None:
            found = self.rungs[kind] = Rung(kind, self._resets) if kind is StepKind.SOFT_RESET else Rung(kind)
        return found

    # -- what may be tried -------------------------------------------------------------------------------------------

    @property
    def may_try(self) -> bool:
        """Nothing is under way or proved."""
        return self.state in {State.READY, State.FAILED}

    def ahead(self, now: Moment) -> list[Rung]:
        """The steps that have budget left, in the order they are to be tried: from where the ladder stands to its end,
        then those before."""
        ordered = (*self.kinds[self._place :], *self.kinds[: self._place])
        left = (self.rung(kind) for kind in ordered if kind not in self.barred)
        return [rung for rung in left if rung.has_budget(self._policy, now)]

    def used_up(self, now: Moment) -> list[StepKind]:
        """The steps that cannot be taken in this episode because of what was taken before it."""
        left = (self.rung(kind) for kind in self.kinds if kind not in self.barred)
        return [rung.kind for rung in left if not rung.used and not rung.has_budget(self._policy, now)]

    def is_in_budget(self, kind: StepKind, now: Moment) -> bool:
        """One that goes out now keeps budget and distance, whoever sent those before."""
        rung = self.rung(kind)
        return rung.has_budget(self._policy, now) and rung.is_apart(self._policy, now)

    def is_apart(self, kind: StepKind, now: Moment) -> bool:
        """The last one of this step is far enough away."""
        return self.rung(kind).is_apart(self._policy, now)

    def stop_is_apart(self, now: Moment) -> bool:
        """The last RemoteStopTransaction is 30 s ago. The owner's own needs no budget: it is a person who asks."""
        return self.is_apart(StepKind.REMOTE_STOP, now)

    def times(self) -> list[float]:
        """When something may be tried again by time alone (monotonic seconds), past moments too."""
        if not self.may_try:
            return []
        opens = (self.rung(kind).opens_at(self._policy) for kind in self.kinds if kind not in self.barred)
        return [at for at in opens if at is not None]

    def next_try_mono(self, now: Moment) -> float | None:
        """When the next try may go out, as far as time decides; None: something else is waited for, or nothing is
        left."""
        if not self.may_try:
            return None
        ahead = self.ahead(now)
        return ahead[0].opens_at(self._policy) if ahead else min(self.times(), default=None)

    # -- one try -------------------------------------------------------------------------------------------------------

    def want(
        self, kind: StepKind, unique_id: UniqueId, transaction_id: TransactionId | None, why: str, now: Moment
    ) -> StepRecord:
        """A try waits for its turn."""
        self.state = step(self.state, Signal.WANT)
        self._out = _Out(unique_id)
        record = StepRecord(kind, StepOutcome.WAITING, now, transaction_id=transaction_id, unique_id=unique_id, why=why)
        self._keep(record)
        return record

    def skip(
        self, kind: StepKind, outcome: StepOutcome, transaction_id: TransactionId | None, why: str, now: Moment
    ) -> StepRecord | None:
        """The step was not taken, or only would have been (observe mode); the record says why. None: it says so
        already."""
        record = StepRecord(kind, outcome, now, transaction_id=transaction_id, why=why)
        if any((one.kind, one.outcome, one.why) == (kind, outcome, why) for one in self.records):
            return None
        self._keep(record)
        self._count(record)
        return record

    def written(self, now: Moment, *, forced: bool) -> StepRecord:
        """The try is on the wire; from here it counts against the budget."""
        self.state = step(self.state, Signal.WRITTEN)
        record = self._update(StepOutcome.SENT, sent=now, forced=forced)
        self.rung(record.kind).take(now.mono)
        self.tried |= {record.kind}
        if record.kind in self.kinds:
            self._place = self.kinds.index(record.kind)
        self._out = _Out(record.unique_id, now)
        return record

    def sent_beside(self, kind: StepKind, now: Moment) -> None:
        """It went out and is no try of this episode (the owner's, or one whose episode has just ended): every frame
        sent counts."""
        self.rung(kind).sent.append(now.mono)

    def withdrawn(self, outcome: StepOutcome, why: str) -> StepRecord:
        """The try never went out: cancelled, or not sent in time."""
        self.state = step(self.state, Signal.WITHDRAWN)
        self._out = None
        return self._update(outcome, why=why)

    def answered(self, unique_id: UniqueId, outcome: StepOutcome, now: Moment) -> StepRecord | None:
        """An answer (late ones too), or 10 s without one. None: it belongs to no try of this episode, or changes
        nothing any more."""
        out = self._out
        if out is None or out.unique_id != unique_id or out.sent is None:
            return None
        if outcome is StepOutcome.ACCEPTED and out.answered_mono is not None:
            return None  # said twice
        signal = _SIGNALS[outcome]
        if (self.state, signal) not in TRANSITIONS:
            return None  # a second answer
        before = self.state
        self.state = step(self.state, signal)
        if outcome is StepOutcome.ACCEPTED:
            out.answered_mono = now.mono
        if before is State.PROVED:
            return None
        return self._update(outcome)

    def lost(self) -> StepRecord | None:
        """The connection is gone. A try that waited or was not answered has failed; one accepted still awaits proof."""
        if (self.state, Signal.LOST) not in TRANSITIONS:
            return None
        before = self.state
        self.state = step(self.state, Signal.LOST)
        if before is State.PROVED:
            return None
        outcome = StepOutcome.NOT_SENT if before is State.WAITING else StepOutcome.UNANSWERED
        return self._update(outcome, why="connection lost")

    def proof_deadline(self, interval: float | None) -> float | None:
        """Until when an accepted try may be proved: 30 s after Accepted or two intervals, whichever is longer."""
        if self.state is not State.PROVING or self._out is None or self._out.answered_mono is None:
            return None
        return self._out.answered_mono + max(self._policy.proof_seconds, 2.0 * (interval or 0.0))

    def proved(self) -> StepRecord | None:
        """The first counting sample at most 1 A after the try, or silence after StopTransaction."""
        if not self.has_sent or (self.state, Signal.PROOF) not in TRANSITIONS:
            return None
        self.state = step(self.state, Signal.PROOF)
        record = self._update(StepOutcome.PROVED, of_sent=True)
        self.worked |= {record.kind}
        return record

    def not_proved(self) -> StepRecord:
        """The time for proof is over."""
        self.state = step(self.state, Signal.NO_PROOF)
        return self._update(StepOutcome.NOT_PROVED)

    def over_again(self) -> StepRecord | None:
        """An over sample after the proof withdraws it. None: there was none to withdraw."""
        if self.state is not State.PROVED:
            return None
        self.state = step(self.state, Signal.OVER)
        record = self._update(StepOutcome.NOT_PROVED, why="current again after the proof", of_sent=True)
        self.worked -= {record.kind}
        return record

    def _keep(self, record: StepRecord) -> None:
        self.records.append(record)
        if len(self.records) > MOST_RECORDS:
            del self.records[0]

    def _update(
        self,
        outcome: StepOutcome,
        *,
        sent: Moment | None = None,
        forced: bool | None = None,
        why: str | None = None,
        of_sent: bool = False,
    ) -> StepRecord:
        """Change the record of the last try (of_sent: of the last one that went out) and count its outcome."""
        index = max(
            i
            for i, record in enumerate(self.records)
            if record.unique_id is not None and (record.sent is not None or not of_sent)
        )
        record = self.records[index]
        record = replace(
            record,
            outcome=outcome,
            sent=record.sent if sent is None else sent,
            forced=record.forced if forced is None else forced,
            why=record.why if why is None else why,
        )
        self.records[index] = record
        self._count(record)
        return record

    def _count(self, record: StepRecord) -> None:
        key = (record.kind, record.outcome)
        self._all_outcomes[key] = self._all_outcomes.get(key, 0) + 1


_SIGNALS = {
    StepOutcome.ACCEPTED: Signal.ACCEPTED,
    StepOutcome.REFUSED: Signal.REFUSED,
    StepOutcome.UNANSWERED: Signal.UNANSWERED,
}
