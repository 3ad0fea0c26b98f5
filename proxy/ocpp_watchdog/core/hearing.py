"""What passes between one charge point and its central system, understood and told to those it concerns.

Pairs answers with their CALLs and keeps ledger, transactions and watches up to date. The lower half of the station: it
hears everything and says nothing.
"""

from __future__ import annotations

from ocpp_watchdog.core import chronicle, translate, wire
from ocpp_watchdog.core.acquaintance import Scene
from ocpp_watchdog.core.asked import ANSWER_MATTERS, METER_VALUES, Asked
from ocpp_watchdog.core.decisions import CountKind
from ocpp_watchdog.core.events import (
    Answer,
    AvailabilityRequested,
    Booted,
    ClearRequested,
    ConfigurationRequested,
    FirmwareStatusNotified,
    MeterSampled,
    OtherRequested,
    ProfileRequested,
    RemoteStartRequested,
    Request,
    ScheduleRequested,
    StatusNotified,
    TransactionRequested,
    TransactionStopped,
    TriggerRequested,
)
from ocpp_watchdog.core.frames import Call, CallError, CallResult, Opaque, decode
from ocpp_watchdog.core.keys import odd_keys
from ocpp_watchdog.core.knowing import FIRST_CONNECTOR, Knowing
from ocpp_watchdog.core.ledger import ClearProfiles, SetProfile
from ocpp_watchdog.core.pairing import Pending
from ocpp_watchdog.core.profiles import ChargingProfile
from ocpp_watchdog.core.skim import Unread
from ocpp_watchdog.core.terms import WHOLE_CHARGE_POINT, ConnectorId, Direction, Moment, Status, UniqueId
from ocpp_watchdog.core.watch import Watch

UP = Direction.TO_CENTRAL_SYSTEM
OLDEST_START_SECONDS = 86400.0
LONGEST_HEAD = 64
"""Characters in which a CALL names its action, if its id is not longer than any should be."""

TENSE_SECONDS = 5.0
CALM_SECONDS = 60.0
"""So much evidence may be lost by a restart: while current flows against an order, and while none does."""


class Hearing(Knowing):
    """Everything known of one charge point, kept true by what passes."""

    def read_ahead(self) -> bool:
        """Read what waits and think nothing of it yet, which is half of the work of a tick: frames may pass before the
        other half. False: of what waits nothing can be read like this."""
        self._waiting.ahead = [
            (unread.frame, known[1])
            for unread in self._waiting.look()
            if (known := self._alike.read(_text(unread.frame), unread.at)) is not None
        ]
        return bool(self._waiting.ahead)

    def _read_waiting(self) -> None:
        """Read what waits, as of when it passed."""
        for unread in self._waiting.take():
            request = self._waiting.taken_ahead(unread.frame) or self._read(unread)
            if request is not None:
                self._sampled(request, unread.at)
        self._waiting.ahead = []

    def _read(self, unread: Unread) -> MeterSampled | None:
        """Readings of a frame that waited; None: it has none, and is counted."""
        text = _text(unread.frame)
        known = self._alike.read(text, unread.at)
        if known is not None:
            return known[1]
        frame = decode(text, self._loads)
        if not isinstance(frame, Call):
            self._count(CountKind.UNDECODABLE)
            return None
        self._count_oddities(frame, text)
        request = translate.read_request(frame, Direction.TO_CENTRAL_SYSTEM, unread.at)
        if isinstance(request, MeterSampled):
            return request
        self._count(CountKind.UNREADABLE_PAYLOAD)
        return None

    def _hear(self, direction: Direction, text: str, now: Moment) -> None:
        known = self._alike.read(text, now) if direction is UP and METER_VALUES in text[:LONGEST_HEAD] else None
        if known is not None and METER_VALUES not in self._acquaintance.watched:
            self._hear_readings(*known, text, now)
            return
        frame = decode(text, self._loads)
        if isinstance(frame, Call):
            self._call(frame, direction, text, now)
        elif isinstance(frame, Opaque):
            self.last_action = ""
            self._count(CountKind.UNDECODABLE)
        else:
            self._answer(frame, text, direction, now)

    def _hear_readings(self, unique_id: UniqueId, request: MeterSampled, text: str, now: Moment) -> None:
        """A MeterValues CALL, read already: ``_call`` without what does not concern it."""
        self.last_action = METER_VALUES
        if self._pairing.is_repeated(UP, unique_id, text):
            self._count(CountKind.REPEATED_CALL)
            self._pairing.open_again(UP, unique_id, now)
            return
        self._commands += 1
        asked = Asked(METER_VALUES, request, str(self._commands))
        self._pairing.open(Pending(unique_id, UP, asked, text, now.mono))
        self._sampled(request, now)

    # -- frames ------------------------------------------------------------------------------------------------

    def _call(self, call: Call, direction: Direction, text: str, now: Moment) -> None:
        self.last_action = call.action
        self._count_oddities(call, text)
        if self._pairing.is_repeated(direction, call.unique_id, text):
            self._count(CountKind.REPEATED_CALL)
            self._pairing.open_again(direction, call.unique_id, now)
            return
        request = translate.read_request(call, direction, now)
        self._commands += 1
        key = str(self._commands)
        self._pairing.open(Pending(call.unique_id, direction, Asked(call.action, request, key), text, now.mono))
        if call.action in self._acquaintance.watched:
            self._out += self._acquaintance.passed(call.action, call.payload, self._scene(), now)
        if isinstance(request, MeterSampled):
            self._sampled(request, now)
        elif isinstance(request, OtherRequested):
            if not request.readable:
                self._count(CountKind.UNREADABLE_PAYLOAD)
        else:
            self._requested(request, key, text, now)
            self._keep_command(call.unique_id, request, text, now)

    def _count_oddities(self, call: Call, text: str) -> None:
        """What other receivers may have read differently, or not at all."""
        for kind in [CountKind.MENDED] if call.mended else odd_keys(text, call.payload):
            self._count(kind)

    def _keep_command(self, unique_id: UniqueId, request: Request, text: str, now: Moment) -> None:
        if type(request) in chronicle.ACTIONS:
            connector = chronicle.connector_of(request) or FIRST_CONNECTOR
            commanded = self._ledger.order(connector, now.utc)
            self._out += self._chronicle.requested(unique_id, request, text, commanded, now)

    def _requested(self, request: Request, key: str, text: str, now: Moment) -> None:
        self.memory_version += 1
        match request:
            case ProfileRequested():
                self._commanded(request.connector, SetProfile(request.connector, request.profile), key, text, now)
            case ClearRequested():
                self._commanded(WHOLE_CHARGE_POINT, ClearProfiles(request.criteria), key, text, now)
            case RemoteStartRequested():
                self._remote_start(request, key, now)
            case AvailabilityRequested():
                for watch in self._watches.values():
                    if request.connector in (WHOLE_CHARGE_POINT, watch.connector):
                        watch.availability_ordered(now)
            case Booted():
                self._out += self._acquaintance.booted(request, now)
                self._ledger.booted()
                self._follow_limits(now)
            case FirmwareStatusNotified():
                self._acquaintance.firmware_status(request.status)
            case StatusNotified():
                self._status(request, now)
            case TransactionRequested():
                self._transaction_requested(request, now)
            case TransactionStopped():
                self._transaction_stopped(request, now)
            case _:
                pass  # what the central system asks of the charge point besides, its answer will tell

    def _answer(self, frame: CallResult | CallError, text: str, direction: Direction, now: Moment) -> None:
        pending = self._pairing.close(direction, frame.unique_id)
        if pending is None:
            self.last_action = ""
            self._count(CountKind.UNKNOWN_ANSWER)
            return
        asked = pending.request
        self.memory_version += isinstance(asked.request, ANSWER_MATTERS)
        answered = translate.read_answer(asked.request, frame)
        self.last_action = asked.action
        self._out += self._chronicle.answered(frame.unique_id, asked.request, answered.answer, text, now)
        if asked.action in self._acquaintance.watched:
            self._out += self._acquaintance.answered(asked.action, answered.status, self._scene(), now)
        match asked.request:
            case ProfileRequested() | ClearRequested() | RemoteStartRequested():
                self._command_answered(asked.key, answered.answer, now)
            case TransactionRequested() as request:
                if answered.transaction_id is not None:
                    connector = self._connector_of_start(request.connector)
                    self._transactions.answered(connector, answered.transaction_id)
                    self._ledger.transaction_identified(connector, answered.transaction_id)
                    self._keep_transaction(connector, "answered", now)
                    self._update_sight(connector)
            case ConfigurationRequested():
                if answered.firmware:
                    self._out += self._acquaintance.firmware_said(answered.firmware, now)
            case TriggerRequested() as request:
                if request.message == METER_VALUES and answered.answer is not Answer.ACCEPTED:
                    self._never_question()
            case ScheduleRequested():
                if answered.answer is not Answer.ACCEPTED:
                    self._never_ask_schedule()
            case _:
                pass

    def _expired(self, request: Request) -> None:
        self._count(CountKind.EXPIRED_CALL)
        if isinstance(request, TriggerRequested) and request.message == METER_VALUES:
            self._never_question()
        elif isinstance(request, ScheduleRequested):
            self._never_ask_schedule()

    # -- commands of the central system ------------------------------------------------------------------------

    def _commanded(
        self, connector: ConnectorId, command: SetProfile | ClearProfiles, key: str, text: str, now: Moment
    ) -> None:
        self._ledger.requested(key, command, now.utc)
        says_zero = isinstance(command, SetProfile) and _says_zero(command.profile)
        if connector != WHOLE_CHARGE_POINT:
            self._watch(connector)
        for watch in self._watches.values():
            is_meant = connector in (WHOLE_CHARGE_POINT, watch.connector)
            is_meant = is_meant and (says_zero or not watch.tracker.is_standing)  # else it repeats no stop
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

    # -- what the charge point says ----------------------------------------------------------------------------

    def _status(self, request: StatusNotified, now: Moment) -> None:
        connector = request.connector
        if connector != WHOLE_CHARGE_POINT:
            self._status_on_zero_only = False
        elif self._status_on_zero_only and len(self._watches) == 1 and request.status is not Status.AVAILABLE:
            connector = FIRST_CONNECTOR
        else:  # the whole charge point is Available while a connector charges
            if self._status_on_zero_only and request.status is Status.AVAILABLE:  # or that was all that will be said
                for watch in self._watches.values():
                    watch.forget_restart("the cable may have been unplugged", now)
            return
        watch = self._watch(connector, now)
        watch.sight.notified(request.status, now)
        if request.status is Status.AVAILABLE:
            watch.forget_restart("the cable was unplugged", now)
        elif request.status is not None:
            watch.cable_seen(now)
        before = self._transactions.current(connector)
        if self._transactions.status(connector, request.status):
            self._out += chronicle.transaction(connector, before, "available", now, is_over=True)
            watch.transaction_stopped(now)
            self._ledger.transaction_stopped(connector, now.utc)
            self._follow_limits(now)
        if request.status is Status.AVAILABLE:
            self._ledger.available(connector)
            self._follow_limits(now)
        self._update_sight(connector)

    def _sampled(self, request: MeterSampled, now: Moment) -> None:
        connector = request.connector
        self._waiting.was_read(connector, now)
        if connector == WHOLE_CHARGE_POINT:
            if not self._reports_on_zero_only or len(self._watches) > 1:
                return  # the sum of all connectors, or the house: convicts nobody
            connector = FIRST_CONNECTOR
        elif self._reports_on_zero_only:
            self._reports_on_zero_only = False
            self._watch(FIRST_CONNECTOR).forget_samples(now)
        watch = self._watch(connector, now)
        reported = request.readings[0].transaction_id if request.readings else None
        found = self._transactions.reported(connector, reported, watch.sight.status, now)
        if found is not None:
            self._ledger.transaction_started(connector, found, "", now.utc)
            self._keep_transaction(connector, "reported", now)
        self._update_sight(connector)
        watch.sight.transaction_claimed = self._transactions.is_claimed(reported)
        if self.policy.meter_is_shared and self._shows_another(watch):
            return
        for reading in request.readings:
            watch.sampled(reading if self.policy.power_counts else reading.without_power(), now)
        if found is not None or watch.tracker.standing is not None:
            self._remember_evidence(watch, now, at_once=found is not None)

    def _shows_another(self, watch: Watch) -> bool:
        """It is suspended while another connector charges: what its readings say may flow there."""
        others = (other for other in self._watches.values() if other is not watch)
        return watch.sight.is_suspended and any(other.sight.status is Status.CHARGING for other in others)

    def _remember_evidence(self, watch: Watch, now: Moment, *, at_once: bool) -> None:
        """Readings under a stop order are worth remembering, but not each of them."""
        is_tense = watch.episode is not None or watch.trial.is_over
        if at_once or now.mono - self._evidence_mono >= (TENSE_SECONDS if is_tense else CALM_SECONDS):
            self._evidence_mono = now.mono
            self.memory_version += 1

    def _transaction_requested(self, request: TransactionRequested, now: Moment) -> None:
        connector = self._connector_of_start(request.connector)
        self._acquaintance.transaction_started(now)
        before = self._transactions.current(connector)
        self._out += chronicle.transaction(connector, before, "another began", now, is_over=True)
        self._transactions.requested(connector, request.id_tag, now)
        self._keep_transaction(connector, "requested", now)
        said = request.timestamp
        is_plausible = said is not None and now.utc - OLDEST_START_SECONDS <= said <= now.utc
        started = said if said is not None and is_plausible else now.utc
        self._ledger.transaction_started(connector, None, request.id_tag, started)
        self._watch(connector, now).forget_restart("a transaction has begun", now)
        for watch in self._watches.values():  # a question to any connector may end the young transaction
            quiet_until = now.mono + self.policy.quiet_after_start_seconds
            watch.sight.quiet_until = max(watch.sight.quiet_until, quiet_until)
        self._update_sight(connector)
        self._follow_schedule(now)
        self._follow_limits(now)

    def _connector_of_start(self, connector: ConnectorId) -> ConnectorId:
        """A charge point that knows one connector only may call it 0."""
        return FIRST_CONNECTOR if connector == WHOLE_CHARGE_POINT and len(self._watches) == 1 else connector

    def _transaction_stopped(self, request: TransactionStopped, now: Moment) -> None:
        before = self._transactions.open()
        connector = self._transactions.stopped(request.transaction_id)
        if connector is None:
            return
        self._out += chronicle.transaction(connector, before[connector], request.reason, now, is_over=True)
        self._ledger.transaction_stopped(connector, now.utc)
        self._watch(connector).transaction_stopped(now, request.reason)
        self._update_sight(connector)
        self._follow_limits(now)

    def _keep_transaction(self, connector: ConnectorId, what: str, now: Moment) -> None:
        self._out += chronicle.transaction(connector, self._transactions.current(connector), what, now)

    def _scene(self) -> Scene:
        return Scene(
            transaction_open=bool(self._transactions.open()),
            is_unavailable=any(watch.sight.status is Status.UNAVAILABLE for watch in self._watches.values()),
        )


def _text(frames: bytes) -> str:
    return wire.payload_of(frames).decode("utf-8", "replace")


def _says_zero(profile: ChargingProfile) -> bool:
    """The profile itself forbids charging from its start, and not only what is left when it is put beside others."""
    return profile.periods[0].limit <= 0.0
