"""One charge point whole: frames, outcomes and ticks in, decisions out.

Decodes what passes, pairs answers, tells ledger, transactions and watches what happened, and gives their wishes a turn
on the channel. It never forwards, holds or alters anything: a frame is on its way before it comes here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from ocpp_watchdog.core import translate, watchdog
from ocpp_watchdog.core.decisions import (
    Count,
    CountKind,
    Decision,
    FactKind,
    Inject,
    Record,
    Release,
    StationView,
    StepOutcome,
    WakeAt,
)
from ocpp_watchdog.core.events import (
    Answer,
    Booted,
    ClearRequested,
    MeterSampled,
    OtherRequested,
    ProfileRequested,
    RemoteStartRequested,
    RemoteStopRequested,
    Request,
    StatusNotified,
    TransactionRequested,
    TransactionStopped,
    TriggerRequested,
)
from ocpp_watchdog.core.frames import Call, CallError, CallResult, Loads, Opaque, decode, encode_call
from ocpp_watchdog.core.ledger import ClearProfiles, Ledger, SetProfile
from ocpp_watchdog.core.pairing import OwnCall, Pairing, Pending, Turn, Wanted
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import (
    WHOLE_CHARGE_POINT,
    ChargePointId,
    ConnectorId,
    Direction,
    Moment,
    Status,
    TransactionId,
    UniqueId,
)
from ocpp_watchdog.core.transactions import Transactions
from ocpp_watchdog.core.watch import WantStop, Watch

FIRST_CONNECTOR = ConnectorId(1)
MOST_CONNECTORS = 32
MOST_OWN_CALLS = 256
METER_VALUES = "MeterValues"
OWN_REQUEST = RemoteStopRequested(None)
"""Stands for any CALL of ours where an answer is read: all of them answer with a status."""

OLDEST_START_SECONDS = 86400.0


class OwnerAction(StrEnum):
    """What the owner can order by name."""

    STAND_DOWN = "stand_down"
    STOP_NOW = "stop_now"
    ACKNOWLEDGE = "acknowledge"


class _Own:
    """A CALL of ours, from the wish to the last answer that may still come."""

    __slots__ = ("by_owner", "connector", "is_answered", "is_stop", "transaction_id", "unique_id")

    def __init__(
        self, unique_id: UniqueId, connector: ConnectorId, transaction_id: TransactionId | None, *, by_owner: bool
    ) -> None:
        self.unique_id = unique_id
        self.connector = connector
        self.transaction_id = transaction_id
        self.is_stop = transaction_id is not None
        self.by_owner = by_owner
        self.is_answered = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """A CALL that passed. key: the ledger's name for a command; unique ids are reused by some."""

    action: str
    request: Request
    key: str


class Station:
    """The judge of one charge point. Lives as long as the program knows the charge point, over many sessions.

    new_id gives a fresh unique id for a CALL of ours (``wd-`` and 16 random characters). Every method that returns
    decisions returns them in the order they are to be performed, and ends the list with one ``WakeAt`` whenever the
    moment of the next tick changed. Decisions are values; the same history gives the same decisions.
    """

    last_action: str
    """Action of the frame received last ("" when it could not be read): for metrics."""

    def __init__(self, charge_point: ChargePointId, policy: Policy, loads: Loads, new_id: Callable[[], str]) -> None:
        self.charge_point = charge_point
        self.policy = policy
        self.last_action = ""
        self._loads = loads
        self._new_id = new_id
        self._connected = False
        self._boot = Booted("", "", "")
        self._pairing: Pairing[_Asked] = Pairing()
        self._turn = Turn(policy.turn_seconds)
        self._own: dict[UniqueId, _Own] = {}
        self._ledger = Ledger()
        self._transactions = Transactions()
        self._watches: dict[ConnectorId, Watch] = {}
        self._commands = 0
        self._reports_on_zero_only = True
        self._may_question = True
        self._out: list[Decision] = []
        self._wake: float | None = None
        self._next_schedule: float | None = None
        self._watch(FIRST_CONNECTOR)

    # -- the session -------------------------------------------------------------------------------------------

    def connected(self, now: Moment) -> list[Decision]:
        """A session began."""
        self._pass_time(now)
        self._connected = True
        for watch in self._watches.values():
            watch.connected(now)
        return self._done(now)

    def disconnected(self, now: Moment) -> list[Decision]:
        """The session ended; whatever was open or waiting died with it."""
        self._pass_time(now)
        self._connected = False
        self._pairing.forget()
        self._turn.forget()
        self._ledger.connection_lost()
        for watch in self._watches.values():
            watch.disconnected(now)
        return self._done(now)

    def receive(self, direction: Direction, text: str, now: Moment) -> list[Decision]:
        """A message was forwarded in this direction."""
        if self._wake is not None and now.mono >= self._wake:
            self._pass_time(now)  # the timer is late
        frame = decode(text, self._loads)
        if isinstance(frame, Call):
            self._call(frame, direction, text, now)
        elif isinstance(frame, Opaque):
            self.last_action = ""
            self._count(CountKind.UNDECODABLE)
        else:
            self._answer(frame, direction, now)
        return self._done(now)

    def tick(self, now: Moment) -> list[Decision]:
        """Time passed. Harmless at any moment."""
        self._pass_time(now)
        return self._done(now)

    def _pass_time(self, now: Moment) -> None:
        for pending in self._pairing.expire(now):
            self._expired(pending.request.request)
        self._follow_schedule(now)
        for watch in self._watches.values():
            watch.tick(now)
        self._give_up(now)

    # -- CALLs of our own --------------------------------------------------------------------------------------

    def may_send(self, unique_id: UniqueId, now: Moment) -> bool:
        """Asked once more at the moment of writing; False: cancelled (``not_written`` follows)."""
        own = self._own.get(unique_id)
        if own is None or not self._connected or self._out_id() != unique_id:
            return False
        self._follow_schedule(now)
        return self._is_still_wanted(own)

    def written(self, unique_id: UniqueId, now: Moment) -> list[Decision]:
        """The injected CALL is on the wire."""
        out, own = self._turn.out, self._own.get(unique_id)
        if out is None or own is None or out.wanted.unique_id != unique_id:
            return []
        out.written = now
        if own.is_stop:
            watch = self._watch(own.connector)
            if own.by_owner:
                watch.ladder.sent_by_owner(now)
                self._out.append(Record(FactKind.OWNER, own.connector, now, "stop_now sent"))
            else:
                watch.stop_written(now, forced=out.forced)
        return self._done(now)

    def not_written(self, unique_id: UniqueId, now: Moment) -> list[Decision]:
        """The injected CALL was cancelled, or found its direction closed or busy until its deadline."""
        own = self._own.pop(unique_id, None)
        if own is None:
            return []
        if self._out_id() == unique_id:
            self._turn.done()
            self._out.append(Release())
        if own.is_stop and not own.by_owner:
            outcome = StepOutcome.NOT_SENT if self._is_still_wanted(own) else StepOutcome.CANCELLED
            self._watch(own.connector).stop_withdrawn(outcome, "at the moment of writing", now)
        return self._done(now)

    def own_answer(self, text: str, now: Moment) -> list[Decision]:
        """An answer to a CALL of ours (CALLRESULT or CALLERROR, late ones too) was kept from the central system."""
        frame = decode(text, self._loads)
        own = self._own.get(frame.unique_id) if isinstance(frame, CallResult | CallError) else None
        if own is None or isinstance(frame, Call | Opaque):
            self._count(CountKind.UNKNOWN_ANSWER)
            return self._done(now)
        is_accepted = translate.read_answer(OWN_REQUEST, frame).answer is Answer.ACCEPTED
        if own.is_answered:
            self._count(CountKind.LATE_ANSWER)
        own.is_answered = True
        self._settle_own(own, StepOutcome.ACCEPTED if is_accepted else StepOutcome.REFUSED, now)
        return self._done(now)

    def owner(self, action: OwnerAction, connector: ConnectorId, now: Moment) -> list[Decision]:
        """The owner said so."""
        watch = self._watch(connector)
        if action is OwnerAction.STAND_DOWN:
            watch.stand_down(now)
        elif action is OwnerAction.ACKNOWLEDGE:
            watch.acknowledge(now)
        else:
            self._stop_by_hand(watch, now)
        return self._done(now)

    # -- what can be seen --------------------------------------------------------------------------------------

    def view(self, now: Moment) -> StationView:
        """Everything that can be seen from outside, as of now."""
        skews = [watch.samples.skew_seconds for watch in self._watches.values()]
        known = [skew for skew in skews if skew is not None]
        return StationView(
            charge_point=self.charge_point,
            mode=self.policy.mode,
            connected=self._connected,
            vendor=self._boot.vendor,
            model=self._boot.model,
            firmware=self._boot.firmware,
            clock_skew_seconds=max(known, key=abs) if known else None,
            connectors=tuple(watchdog.view(watch, now) for _, watch in sorted(self._watches.items())),
        )

    # -- frames ------------------------------------------------------------------------------------------------

    def _call(self, call: Call, direction: Direction, text: str, now: Moment) -> None:
        self.last_action = call.action
        if call.mended:
            self._count(CountKind.MENDED)
        if self._pairing.is_repeated(direction, call.unique_id, text):
            self._count(CountKind.REPEATED_CALL)
            return
        request = translate.read_request(call, direction, now)
        self._commands += 1
        key = str(self._commands)
        self._pairing.open(Pending(call.unique_id, direction, _Asked(call.action, request, key), text, now))
        if isinstance(request, MeterSampled):
            self._sampled(request, now)
        elif isinstance(request, OtherRequested):
            if not request.readable:
                self._count(CountKind.UNREADABLE_PAYLOAD)
        else:
            self._requested(request, key, text, now)

    def _requested(self, request: Request, key: str, text: str, now: Moment) -> None:
        match request:
            case ProfileRequested():
                self._commanded(request.connector, SetProfile(request.connector, request.profile), key, text, now)
            case ClearRequested():
                self._commanded(WHOLE_CHARGE_POINT, ClearProfiles(request.criteria), key, text, now)
            case RemoteStartRequested():
                self._remote_start(request, key, now)
            case Booted():
                self._boot = request
                self._ledger.booted()
                self._follow_limits(now)
            case StatusNotified():
                self._status(request, now)
            case TransactionRequested():
                self._transaction_requested(request, now)
            case TransactionStopped():
                self._transaction_stopped(request, now)
            case _:
                pass  # what the central system asks of the charge point besides, its answer will tell

    def _answer(self, frame: CallResult | CallError, direction: Direction, now: Moment) -> None:
        pending = self._pairing.close(direction, frame.unique_id)
        if pending is None:
            self.last_action = ""
            self._count(CountKind.UNKNOWN_ANSWER)
            return
        asked = pending.request
        answered = translate.read_answer(asked.request, frame)
        self.last_action = asked.action
        match asked.request:
            case ProfileRequested() | ClearRequested() | RemoteStartRequested():
                self._command_answered(asked.key, answered.answer, now)
            case TransactionRequested() as request:
                if answered.transaction_id is not None:
                    self._transactions.answered(request.connector, answered.transaction_id)
                    self._ledger.transaction_identified(request.connector, answered.transaction_id)
                    self._update_sight(request.connector)
            case TriggerRequested() as request:
                if request.message == METER_VALUES and answered.answer is not Answer.ACCEPTED:
                    self._never_question()
            case _:
                pass

    def _expired(self, request: Request) -> None:
        self._count(CountKind.EXPIRED_CALL)
        if isinstance(request, TriggerRequested) and request.message == METER_VALUES:
            self._never_question()

    # -- commands of the central system ------------------------------------------------------------------------

    def _commanded(
        self, connector: ConnectorId, command: SetProfile | ClearProfiles, key: str, text: str, now: Moment
    ) -> None:
        self._ledger.requested(key, command, now.utc)
        if connector != WHOLE_CHARGE_POINT:
            self._watch(connector)
        for watch in self._watches.values():
            is_meant = connector in (WHOLE_CHARGE_POINT, watch.connector)
            self._follow_order(watch, key if is_meant else "", text if is_meant else "", now)
        self._follow_limits(now)

    def _command_answered(self, key: str, answer: Answer, now: Moment) -> None:
        accepted = {Answer.ACCEPTED: True, Answer.REFUSED: False, Answer.UNKNOWN: None}[answer]
        self._ledger.answered(key, accepted, now.utc)
        for watch in self._watches.values():
            watch.order_answered(key, accepted=accepted is True, now=now)
        self._follow_schedule(now)
        self._follow_limits(now)

    def _remote_start(self, request: RemoteStartRequested, key: str, now: Moment) -> None:
        self._ledger.remote_start_requested(key, request.connector, request.id_tag, request.profile)
        for watch in self._watches.values():
            if request.connector in (None, watch.connector):
                watch.remote_start_requested(now)

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

    # -- what the charge point says ----------------------------------------------------------------------------

    def _status(self, request: StatusNotified, now: Moment) -> None:
        connector = request.connector
        if connector == WHOLE_CHARGE_POINT:
            return  # the whole charge point is Available while a connector charges
        watch = self._watch(connector, now)
        watch.sight.notified(request.status, now)
        if self._transactions.status(connector, request.status):
            watch.transaction_stopped(now)
        if request.status is Status.AVAILABLE:
            self._ledger.available(connector)
            self._follow_limits(now)
        self._update_sight(connector)

    def _sampled(self, request: MeterSampled, now: Moment) -> None:
        connector = request.connector
        if connector == WHOLE_CHARGE_POINT:
            if not self._reports_on_zero_only or len(self._watches) > 1:
                return  # the sum of all connectors, or the house: convicts nobody
            connector = FIRST_CONNECTOR
        elif self._reports_on_zero_only:
            self._reports_on_zero_only = False
            self._watch(FIRST_CONNECTOR).forget_samples(now)
        watch = self._watch(connector, now)
        reported = next((r.transaction_id for r in request.readings if r.transaction_id is not None), None)
        found = self._transactions.reported(connector, reported, watch.sight.status, now)
        if found is not None:
            self._ledger.transaction_started(connector, found, "", now.utc)
        self._update_sight(connector)
        for reading in request.readings:
            watch.sampled(reading, now)

    def _transaction_requested(self, request: TransactionRequested, now: Moment) -> None:
        self._transactions.requested(request.connector, request.id_tag, now)
        said = request.timestamp
        is_plausible = said is not None and now.utc - OLDEST_START_SECONDS <= said <= now.utc
        started = said if said is not None and is_plausible else now.utc
        self._ledger.transaction_started(request.connector, None, request.id_tag, started)
        watch = self._watch(request.connector, now)
        watch.sight.quiet_until = now.mono + self.policy.quiet_after_start_seconds
        self._update_sight(request.connector)
        self._follow_schedule(now)
        self._follow_limits(now)

    def _transaction_stopped(self, request: TransactionStopped, now: Moment) -> None:
        connector = self._transactions.stopped(request.transaction_id)
        if connector is None:
            return
        self._ledger.transaction_stopped(connector, now.utc)
        self._watch(connector).transaction_stopped(now)
        self._update_sight(connector)
        self._follow_limits(now)

    # -- turns -------------------------------------------------------------------------------------------------

    def _take_wishes(self, now: Moment) -> None:
        for watch in self._watches.values():
            wants, watch.wants = watch.wants, []
            for want in wants:
                if isinstance(want, WantStop):
                    own = self._want(watch.connector, want.transaction_id, now, by_owner=False)
                    watch.stop_wanted(own.unique_id, want, now)
                elif self._may_question:
                    self._want(watch.connector, None, now, by_owner=False)
            self._out += watch.out
            watch.out = []

    def _want(
        self, connector: ConnectorId, transaction_id: TransactionId | None, now: Moment, *, by_owner: bool
    ) -> _Own:
        own = _Own(UniqueId(self._new_id()), connector, transaction_id, by_owner=by_owner)
        self._own[own.unique_id] = own
        if len(self._own) > MOST_OWN_CALLS:
            del self._own[next(iter(self._own))]
        if transaction_id is None:
            action, payload = translate.TRIGGER, translate.trigger_meter_values(connector)
        else:
            action, payload = translate.REMOTE_STOP, translate.remote_stop(transaction_id)
        text = encode_call(own.unique_id, action, payload)
        self._turn.want(Wanted(own.unique_id, action, text, connector, own.is_stop, now.mono))
        return own

    def _speak(self, now: Moment) -> None:
        """Give the turn to whoever is next, when the channel allows it."""
        for wanted in self._turn.overdue(now):
            self._own.pop(wanted.unique_id, None)
            self._watch(wanted.connector).question_dropped(now)
        while self._connected:
            out = self._turn.take(now, self._is_idle(now))
            if out is None:
                return
            own = self._own[out.wanted.unique_id]
            if self._is_still_wanted(own):
                self._out.append(self._inject(out, now))
                return
            self._drop(own, now)

    def _inject(self, out: OwnCall, now: Moment) -> Inject:
        wanted = out.wanted
        return Inject(
            wanted.unique_id,
            wanted.action,
            wanted.text,
            wanted.connector,
            now.mono + self.policy.turn_seconds,
            wanted.is_step,
        )

    def _drop(self, own: _Own, now: Moment) -> None:
        """What was wanted is not wanted any more when its turn comes."""
        self._turn.done()
        self._own.pop(own.unique_id, None)
        if own.is_stop and not own.by_owner:
            self._watch(own.connector).stop_withdrawn(StepOutcome.CANCELLED, "no longer wanted", now)

    def _is_idle(self, now: Moment) -> bool:
        idle_at = self._pairing.idle_at(self.policy.idle_call_seconds)
        return idle_at is None or now.mono >= idle_at

    def _is_still_wanted(self, own: _Own) -> bool:
        if not own.is_stop:
            return self._may_question and self._watch(own.connector).tracker.is_standing
        if own.by_owner:
            return self._transactions.usable_id(own.connector) == own.transaction_id
        return self._watch(own.connector).stop_is_wanted(own.transaction_id)

    def _give_up(self, now: Moment) -> None:
        """Our CALL was not answered in time: its effect is unknown, the channel is free again."""
        out = self._turn.out
        if out is None or out.written is None or now.mono - out.written.mono < self.policy.own_answer_seconds:
            return
        self._settle_own(self._own[out.wanted.unique_id], StepOutcome.UNANSWERED, now)

    def _settle_own(self, own: _Own, outcome: StepOutcome, now: Moment) -> None:
        if self._out_id() == own.unique_id:
            self._turn.done()
            self._out.append(Release())
        if not own.is_stop:
            if outcome is not StepOutcome.ACCEPTED:
                self._never_question()
        elif own.by_owner:
            self._out.append(Record(FactKind.OWNER, own.connector, now, f"stop_now {outcome.value}"))
        else:
            self._watch(own.connector).stop_answered(own.unique_id, outcome, now)

    def _out_id(self) -> UniqueId | None:
        return None if self._turn.out is None else self._turn.out.wanted.unique_id

    def _never_question(self) -> None:
        """This charge point refused a TriggerMessage once, or left it unanswered: never ask again."""
        self._may_question = False
        for watch in self._watches.values():
            watch.sight.may_question = False

    def _stop_by_hand(self, watch: Watch, now: Moment) -> None:
        usable = self._transactions.usable_id(watch.connector)
        if usable is None:
            self._out.append(Record(FactKind.OWNER, watch.connector, now, "stop_now: no usable transaction id"))
            return
        self._out.append(Record(FactKind.OWNER, watch.connector, now, "stop_now"))
        self._want(watch.connector, usable, now, by_owner=True)

    # -- the rest ----------------------------------------------------------------------------------------------

    def _watch(self, connector: ConnectorId, now: Moment | None = None) -> Watch:
        watch = self._watches.get(connector)
        if watch is not None:
            return watch
        watch = Watch(connector, self.policy)
        if len(self._watches) >= MOST_CONNECTORS:
            return watch  # nonsense: looked at once, not kept
        self._watches[connector] = watch
        watch.sight.may_question = self._may_question
        first = self._watches[FIRST_CONNECTOR].sight
        if self._connected and first.connected_at is not None:
            watch.connected(first.connected_at)
        if now is not None:
            self._follow_order(watch, "", "", now)
            watch.limit_in_force(self._ledger.in_force(connector, now.utc), now)
        return watch

    def _update_sight(self, connector: ConnectorId) -> None:
        sight = self._watch(connector).sight
        transaction = self._transactions.current(connector)
        sight.usable_id = self._transactions.usable_id(connector)
        sight.transaction_since = transaction.started if transaction is not None else None

    def _count(self, kind: CountKind) -> None:
        self._out.append(Count(kind))

    def _done(self, now: Moment) -> list[Decision]:
        """Collect what everybody decided, give turns, and say when to come back."""
        self._take_wishes(now)
        self._speak(now)
        for watch in self._watches.values():
            self._out += watch.out
            watch.out = []
        wake = self._next_wake(now)
        if wake != self._wake:
            self._wake = wake
            self._out.append(WakeAt(wake))
        out, self._out = self._out, []
        return out

    def _next_wake(self, now: Moment) -> float | None:
        out = self._turn.out
        times: Iterable[float | None] = (
            *(watch.next_at(now) for watch in self._watches.values()),
            self._pairing.next_expiry(),
            self._turn.next_at(self._pairing.idle_at(self.policy.idle_call_seconds)),
            self._next_schedule,
            out.written.mono + self.policy.own_answer_seconds if out is not None and out.written is not None else None,
        )
        return min((at for at in times if at is not None and at > now.mono), default=None)
