"""The ladder of one connector: what has been tried against an ignored stop, and what may be tried next.

Theory of operation. One step, ``remote_stop``, in up to three tries in fifteen minutes, thirty seconds apart. A try is
wanted (it waits for a turn on the channel), then out (written, not answered), then accepted and waiting for proof.
*Accepted* is never success: only a sample proves a try, and an over sample afterwards withdraws the proof. The states
and every allowed move are the table below; a move that is not listed is our bug and raises KeyError. Policy about
whether to act at all (evidence, order, mode) lives in ``watchdog.py``; this file only counts and remembers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar

from ocpp_watchdog.core.decisions import StepKind, StepOutcome, StepRecord
from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.terms import Moment, TransactionId, UniqueId

MOST_RECORDS = 64


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


class Ladder:
    """Tries, budget and cool-down of one connector. The budget outlives the episode."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {"_policy": "handed in"}
    _policy: Policy
    state: State
    records: list[StepRecord]
    _sent: Recent[Mono]
    _out: _Out | None
    _all_outcomes: dict[tuple[StepKind, StepOutcome], int]

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.state = State.READY
        self.records = []
        self._sent = Recent(policy.remote_stop_budget)
        self._out = None
        self._all_outcomes = {}

    @property
    def totals(self) -> dict[tuple[StepKind, StepOutcome], int]:
        """Outcomes counted since the connector is known."""
        return self._all_outcomes

    @property
    def last_sent_mono(self) -> float | None:
        """When the last try went out, in this episode or before."""
        return self._sent[-1] if self._sent else None

    @property
    def tried(self) -> bool:
        """A try went out in this episode."""
        return any(record.sent is not None for record in self.records)

    def new_episode(self) -> None:
        """Forget the tries, keep the budget."""
        self.state = step(self.state, Signal.NEW_EPISODE)
        self.records = []
        self._out = None

    def budget_left(self, now: Moment) -> bool:
        """Fewer than three tries went out in the last fifteen minutes."""
        if len(self._sent) < self._policy.remote_stop_budget:
            return True
        return now.mono - self._sent[0] >= self._policy.remote_stop_window_seconds

    def may_try(self, now: Moment) -> bool:
        """Nothing is under way, the last try is 30 s ago, and budget is left."""
        return self.state in {State.READY, State.FAILED} and self.is_spaced(now)

    def is_spaced(self, now: Moment) -> bool:
        """A frame that goes out now keeps budget and distance, whoever sent those before."""
        return self.is_apart(now) and self.budget_left(now)

    def is_apart(self, now: Moment) -> bool:
        """The last frame is 30 s ago. The owner's own order needs no budget: it is a person who asks."""
        last = self.last_sent_mono
        return last is None or now.mono - last >= self._policy.remote_stop_spacing_seconds

    def next_try_mono(self) -> float | None:
        """When ``may_try`` turns true by time alone, None when it waits for something else or is true."""
        if self.state not in {State.READY, State.FAILED} or not self._sent:
            return None
        spaced = self._sent[-1] + self._policy.remote_stop_spacing_seconds
        if len(self._sent) < self._policy.remote_stop_budget:
            return spaced
        return max(spaced, self._sent[0] + self._policy.remote_stop_window_seconds)

    def want(self, unique_id: UniqueId, transaction_id: TransactionId, why: str, now: Moment) -> StepRecord:
        """A try waits for its turn."""
        self.state = step(self.state, Signal.WANT)
        self._out = _Out(unique_id)
        record = StepRecord(
            StepKind.REMOTE_STOP, StepOutcome.WAITING, now, transaction_id=transaction_id, unique_id=unique_id, why=why
        )
        self._keep(record)
        return record

    def skip(self, outcome: StepOutcome, transaction_id: TransactionId | None, why: str, now: Moment) -> StepRecord:
        """The step was not taken (no usable id), or only would have been (observe mode); the record says why."""
        record = StepRecord(StepKind.REMOTE_STOP, outcome, now, transaction_id=transaction_id, why=why)
        self._keep(record)
        self._count(record)
        return record

    def written(self, now: Moment, *, forced: bool) -> StepRecord:
        """The try is on the wire; from here it counts against the budget."""
        self.state = step(self.state, Signal.WRITTEN)
        self._sent.append(now.mono)
        record = self._update(StepOutcome.SENT, sent=now, forced=forced)
        self._out = _Out(record.unique_id, now)
        return record

    def sent_beside(self, now: Moment) -> None:
        """A RemoteStopTransaction went out that is no try of this episode (the owner's, or one whose episode has just
        ended): every frame sent counts."""
        self._sent.append(now.mono)

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
        if not self.tried or (self.state, Signal.PROOF) not in TRANSITIONS:
            return None
        self.state = step(self.state, Signal.PROOF)
        return self._update(StepOutcome.PROVED, of_sent=True)

    def not_proved(self) -> StepRecord:
        """The time for proof is over."""
        self.state = step(self.state, Signal.NO_PROOF)
        return self._update(StepOutcome.NOT_PROVED)

    def over_again(self) -> StepRecord | None:
        """An over sample after the proof withdraws it. None: there was none to withdraw."""
        if self.state is not State.PROVED:
            return None
        self.state = step(self.state, Signal.OVER)
        return self._update(StepOutcome.NOT_PROVED, why="current again after the proof", of_sent=True)

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
