"""One charge point whole: frames, outcomes and ticks in, decisions out.

What is heard (``hearing.py``) moves the watches; their wishes get a turn on the channel (``speaking.py``). The station
never forwards, holds or alters anything: a frame is on its way before it comes here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import ClassVar

from ocpp_watchdog.core import payloads, watchdog
from ocpp_watchdog.core.asked import ANSWER_MATTERS, METER_VALUES
from ocpp_watchdog.core.decisions import (
    ConnectorView,
    Decision,
    FactKind,
    Inject,
    Mode,
    Notify,
    Record,
    StationView,
    StepKind,
    StepOutcome,
    WakeAt,
)
from ocpp_watchdog.core.devices import Recognise, nobody
from ocpp_watchdog.core.escalation import SHARED_ID
from ocpp_watchdog.core.frames import Loads, encode_payload
from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.sight import Aim, Want
from ocpp_watchdog.core.skim import Waiting, common
from ocpp_watchdog.core.speaking import Speaking
from ocpp_watchdog.core.terms import WHOLE_CHARGE_POINT, ChargePointId, ConnectorId, Direction, Moment, UniqueId
from ocpp_watchdog.core.watch import Watch
from ocpp_watchdog.core.wire import WHOLE_TEXT, beginning

DOWN = Direction.TO_CHARGE_POINT
NOTHING: Sequence[Decision] = ()


class OwnerAction(StrEnum):
    """What the owner can order by name."""

    STAND_DOWN = "stand_down"
    STOP_NOW = "stop_now"
    ACKNOWLEDGE = "acknowledge"
    SET_BACK = "set_back"


class Station(Speaking):
    """The judge of one charge point. Lives as long as the program knows the charge point, over many sessions.

    new_id gives a fresh unique id for a CALL of ours (``wd-`` and 16 random characters). Every method that returns
    decisions returns them in the order they are to be performed, and ends the list with one ``WakeAt`` whenever the
    moment of the next tick changed. Decisions are values; the same history gives the same decisions.
    """

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {
        "_wake": "the shell is told anew",
        "_skim_until": "worked out anew",
        "_may_wait": "worked out anew",
    }
    _wake: Mono | None
    _skim_until: Mono
    _may_wait: bool

    def __init__(
        self,
        charge_point: ChargePointId,
        policy: Policy,
        loads: Loads,
        new_id: Callable[[], str],
        recognise: Recognise = nobody,
    ) -> None:
        super().__init__(charge_point, replace(policy), loads, new_id, recognise)
        self._waiting = Waiting(charge_point)
        self._wake = None
        self._skim_until = -math.inf  # before it no frame of itself changes anything that was decided
        self._may_wait = False  # no stop order stands

    # -- the session -------------------------------------------------------------------------------------------

    def connected(self, now: Moment) -> list[Decision]:
        """A session began; one that was not said to have ended is over by that."""
        if self._connected:
            self._lose(now)
        self._pass_time(now)
        self._connected = True
        self.memory_version += 1
        self._acquaintance.connected(now)
        for watch in self._watches.values():
            watch.connected(now)
        return self._done(now)

    def disconnected(self, now: Moment) -> list[Decision]:
        """The session ended; whatever was open or waiting died with it."""
        self._pass_time(now)
        self._lose(now)
        return self._done(now)

    def _lose(self, now: Moment) -> None:
        self.memory_version += 1
        self._connected = False
        self._pairing.forget()
        self._voice.disconnected()
        self._ledger.connection_lost()
        for watch in self._watches.values():
            watch.disconnected(now)

    def receive(self, direction: Direction, text: str, now: Moment) -> list[Decision]:
        """A message was forwarded in this direction."""
        self._skim_until = -math.inf  # until all of it is thought through; what breaks on the way leaves it so
        self._catch_up(now)
        self._read_waiting()
        if direction is Direction.TO_CHARGE_POINT:
            self._told_mono = now.mono
        self._hear(direction, text, now)
        return self._done(now)

    def skim(self, direction: Direction, frame: bytes, utc: float, mono: float) -> Sequence[Decision] | None:
        """Deal with a frame that was forwarded at this moment by its first bytes where that is enough.

        frame: the raw frames of one message; it may be kept. None: it must be read whole and given to ``receive``.
        """
        if mono >= self._skim_until or frame[0] != WHOLE_TEXT:
            return None  # something of ours waits for the channel, or something is due
        found = common(beginning(frame))
        if found is None:
            return None
        answered, called, connector = found.groups()
        if answered is not None:
            return NOTHING if self.skim_answer(direction, answered, mono) else None
        if direction is DOWN or not self._may_wait or not self._waiting.wait(connector, frame, utc, mono):
            return None
        self._pairing.open_unread(called, mono)
        self.last_action = METER_VALUES
        due = self._waiting.due
        if due is None or due >= self._skim_until:
            return NOTHING
        self._wake = self._skim_until = due
        return [WakeAt(due)]

    def skim_answer(self, direction: Direction, unique_id: bytes, mono: float) -> bool:
        """As ``skim``, of what looks like a CALLRESULT with this id in a common form. False: it does not only close its
        CALL, or something is due, and it must be given to ``receive``."""
        if mono >= self._skim_until:
            return False
        if direction is DOWN and self._pairing.close_unread(unique_id):
            self.last_action = METER_VALUES
            return True
        pending = self._pairing.look(direction, UniqueId(unique_id.decode()))
        if pending is None or isinstance(pending.request.request, ANSWER_MATTERS):
            return False
        if pending.request.action in self._acquaintance.watched:
            return False
        self._pairing.close(direction, pending.unique_id)
        self.last_action = pending.request.action
        return True

    def tick(self, now: Moment) -> list[Decision]:
        """Time passed. Harmless at any moment."""
        self._pass_time(now)
        return self._done(now)

    def _catch_up(self, now: Moment) -> None:
        """The timer may be late: what has fallen due comes before what comes now."""
        if self._wake is not None and now.mono >= self._wake:
            self._pass_time(now)

    def _pass_time(self, now: Moment) -> None:
        self._read_waiting()
        if self._maintenance_until is not None and now.mono >= self._maintenance_until.mono:
            self._end_maintenance(now)
        for pending in self._pairing.expire(now):
            self._expired(pending.request.request)
        self._follow_schedule(now)
        for watch in self._watches.values():
            watch.tick(now)
        self._give_up(now)

    # -- CALLs of our own --------------------------------------------------------------------------------------

    def may_send(self, unique_id: UniqueId, now: Moment) -> bool:
        """Asked once more at the moment of writing, and before each try of a call to somebody else; False: cancelled
        (``not_written`` follows, or ``called_out`` of a call that has begun)."""
        self._skim_until = -math.inf
        self._follow_schedule(now)
        own = self._voice.out(unique_id)
        if own is None:
            return self._call_is_wanted(unique_id, now)
        return self._connected and self._is_wanted(own, now)

    def written(self, unique_id: UniqueId, now: Moment) -> list[Decision]:
        """The injected CALL is on the wire, or the call to somebody else has begun."""
        self._catch_up(now)
        return self._done(now) if self._was_written(unique_id, now) else []

    def not_written(self, unique_id: UniqueId, now: Moment) -> list[Decision]:
        """The injected CALL was cancelled, or found its direction closed or busy until its deadline."""
        self._catch_up(now)
        self._was_not_written(unique_id, now)
        return self._done(now)

    def own_answer(self, text: str, now: Moment) -> list[Decision]:
        """An answer to a CALL of ours (CALLRESULT or CALLERROR, late ones too) was kept from the central system."""
        self._catch_up(now)
        self._heard_answer(text, now)
        return self._done(now)

    def called_out(self, unique_id: UniqueId, now: Moment, *, delivered: bool) -> list[Decision]:
        """What came of a ``CallOut``. Too late, or twice: nothing."""
        self._catch_up(now)
        self._heard_of_call(unique_id, StepOutcome.ACCEPTED if delivered else StepOutcome.REFUSED, now)
        return self._done(now)

    def owner(self, action: OwnerAction, connector: ConnectorId, now: Moment) -> list[Decision]:
        """The owner said so. Of a connector that is not there nothing can be said."""
        self._catch_up(now)
        watch = self._watches.get(connector)
        if watch is None:
            self._out.append(Record(FactKind.OWNER, connector, now, f"{action.value}: no such connector"))
            return self._done(now)
        if action is OwnerAction.STAND_DOWN:
            watch.stand_down(now)
        elif action is OwnerAction.ACKNOWLEDGE:
            watch.acknowledge(now)
        elif action is OwnerAction.SET_BACK:
            watch.set_back_by_name(now)
        else:
            self._stop_by_hand(watch, now)
        return self._done(now)

    def maintain(self, until: Moment | None, now: Moment) -> list[Decision]:
        """Observe mode until then; it ends by itself, or at once with None (or a moment that has passed). Only ``mono``
        of it counts."""
        self._catch_up(now)
        if until is not None and until.mono > now.mono:
            self._follow_maintenance(until)
            text = f"maintenance for {until.mono - now.mono:.0f} s"
            self._out.append(Record(FactKind.OWNER, WHOLE_CHARGE_POINT, now, text))
        elif self._maintenance_until is not None:
            self._end_maintenance(now)
        return self._done(now)

    def _end_maintenance(self, now: Moment) -> None:
        self._follow_maintenance(None)
        self._out.append(Record(FactKind.OWNER, WHOLE_CHARGE_POINT, now, "maintenance ended"))

    def _follow_maintenance(self, until: Moment | None) -> None:
        self._maintenance_until = until
        for watch in self._watches.values():
            watch.sight.in_maintenance = until is not None

    def owes_nothing(self, now: Moment) -> bool:
        """Whoever forgets this charge point loses no order that stands, no budget, and nothing that must be undone."""
        is_free = not self._connected and self._maintenance_until is None
        return is_free and all(watch.owes_nothing(now) for watch in self._watches.values())

    # -- what can be seen --------------------------------------------------------------------------------------

    def view(self, now: Moment) -> StationView:
        """Everything that can be seen from outside, as of now. Looking changes nothing."""
        return StationView(
            charge_point=self.charge_point,
            mode=self.policy.mode if self._maintenance_until is None else Mode.OBSERVE,
            connected=self._connected,
            vendor=self._acquaintance.boot.vendor,
            model=self._acquaintance.boot.model,
            firmware=self._acquaintance.boot.firmware,
            device=self._acquaintance.name,
            dangerous_commands=self._acquaintance.dangerous_commands,
            clock_skew_seconds=self.clock_skew_seconds,
            connectors=self.connectors(now),
            maintenance_until=self._maintenance_until,
        )

    def connectors(self, now: Moment) -> tuple[ConnectorView, ...]:
        """The part of ``view`` that most are after."""
        watches = self._watches.items() if len(self._watches) == 1 else sorted(self._watches.items())
        return tuple([watchdog.view(watch, now) for _, watch in watches])

    @property
    def clock_skew_seconds(self) -> float | None:
        """Charge point's clock minus ours, None until known; of several connectors the one that is farthest off."""
        skews = [watch.samples.skew_seconds for watch in self._watches.values()]
        return max([skew for skew in skews if skew is not None], key=abs, default=None)

    def _stop_by_hand(self, watch: Watch, now: Moment) -> None:
        usable = self._transactions.usable_id(watch.connector)
        is_too_soon = not watch.ladder.stop_is_apart(now) or self._voice.has_stop_of_owner(watch.connector)
        if usable is None or not self._connected or is_too_soon:
            why = "no usable transaction id" if usable is None else "not connected"
            if is_too_soon:
                why = "one is on its way, or the last one is too close"
            self._out.append(Record(FactKind.OWNER, watch.connector, now, f"stop_now: {why}"))
            return
        self._out.append(Record(FactKind.OWNER, watch.connector, now, "stop_now"))
        if watch.sight.shares_id():
            self._out.append(Record(FactKind.OWNER, watch.connector, now, f"stop_now: {SHARED_ID}"))
        payload = encode_payload(payloads.remote_stop(usable))
        want = Want(Aim.STOP_NOW, payloads.REMOTE_STOP, payload, "", StepKind.REMOTE_STOP, usable, by_owner=True)
        self._voice.want(watch.connector, want, now)

    def _done(self, now: Moment) -> list[Decision]:
        """Collect what everybody decided, give turns, and say when to come back."""
        for watch in self._watches.values():
            if watch.tracker.standing is not None:
                watch.tick(now)  # what just came may have completed something whose time is already over
        self._take_wishes(now)
        self._speak(now)
        for watch in self._watches.values():
            if watch.out:
                self._collect(watch)
        if self._out:
            self.memory_version += any(map(_is_worth_remembering, self._out))
        wake = self._next_wake(now)
        self._skim_until = -math.inf if self._voice.is_busy else math.inf if wake is None else wake
        self._may_wait = not self._has_stop_order()
        if wake != self._wake:
            self._wake = wake
            self._out.append(WakeAt(wake))
        out, self._out = self._out, []
        return out

    def _next_wake(self, now: Moment) -> float | None:
        times = [watch.next_at() for watch in self._watches.values()]
        times += self._next_turn()
        times += (self._pairing.next_expiry(), self._waiting.due, self._next_schedule)
        if self._maintenance_until is not None:
            times.append(self._maintenance_until.mono)
        return min([at for at in times if at is not None and at > now.mono], default=None)


def _is_worth_remembering(decision: Decision) -> bool:
    """It comes with something that must survive. (Of readings see ``hearing.py``.)"""
    if isinstance(decision, Record):
        return decision.kind is not FactKind.SAMPLE
    return isinstance(decision, Inject | Notify)
