"""CALLs of our own towards one charge point: wanted, given their turn, on the wire, answered or given up.

One at a time, when the channel is idle, and asked once more at the moment of writing (watchdog rules 6). Says what
became of each; what follows from it is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

from ocpp_watchdog.core import payloads
from ocpp_watchdog.core.decisions import Inject
from ocpp_watchdog.core.frames import CallError, CallResult, Loads, decode, encode_call
from ocpp_watchdog.core.keeping import Last
from ocpp_watchdog.core.pairing import OwnCall, Turn, Wanted
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.sight import LASTING, Aim, Want
from ocpp_watchdog.core.terms import ConnectorId, Moment, UniqueId

MOST_OWN_CALLS = 256
REMEMBERED_OWN_CALLS = 96
"""More than can wait at a time, and enough for whatever is still answered after a restart."""
SILENT_SHELL_SECONDS = 1.0
QUESTION_WRITE_SECONDS = 1.0
"""Whatever is not urgent and finds no gap is not worth waiting for: it must not delay a step."""


@dataclass(slots=True)
class Own:
    """A CALL of ours, from the wish to the last answer that may still come. is_settled: it was answered or given up; an
    answer that comes then is late."""

    unique_id: UniqueId
    connector: ConnectorId
    want: Want
    is_settled: bool = False


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """An answer to a CALL of ours. is_done: the charge point does what was asked, or says so."""

    own: Own
    frame: CallResult | CallError
    text: str
    is_done: bool
    is_late: bool


class Voice:
    """What we say to one charge point. new_id gives a fresh unique id for each CALL."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {
        "_policy": "handed in",
        "_loads": "handed in",
        "_new_id": "handed in",
    }
    _policy: Policy
    _loads: Loads
    _new_id: Callable[[], str]
    _turn: Turn
    _own: Annotated[dict[UniqueId, Own], Last(REMEMBERED_OWN_CALLS)]

    def __init__(self, policy: Policy, loads: Loads, new_id: Callable[[], str]) -> None:
        self._policy = policy
        self._loads = loads
        self._new_id = new_id
        self._turn = Turn(policy.turn_seconds)
        self._own = {}

    @property
    def is_busy(self) -> bool:
        """Something waits or is out."""
        return self._turn.out is not None or self._turn.has_waiting

    def has_stop_of_owner(self, connector: ConnectorId) -> bool:
        """The owner's stop of this connector is on its way."""
        return any(
            own.want.aim is Aim.STOP_NOW and own.connector == connector and not own.is_settled
            for own in self._own.values()
        )

    def new_id(self) -> UniqueId:
        """A fresh unique id."""
        return UniqueId(self._new_id())

    def want(self, connector: ConnectorId, want: Want, now: Moment) -> Own:
        """A CALL waits for its turn."""
        own = Own(self.new_id(), connector, want)
        self._own[own.unique_id] = own
        if len(self._own) > MOST_OWN_CALLS:
            settled = [key for key, other in self._own.items() if other.is_settled]
            for key in settled[:1]:
                del self._own[key]
        text = encode_call(own.unique_id, want.action, want.payload)
        self._turn.want(Wanted(own.unique_id, want.action, text, connector, want.is_urgent, now.mono))
        return own

    def speak(
        self, now: Moment, idle_at: float | None, is_wanted: Callable[[Own], bool]
    ) -> tuple[list[Own], Inject | None]:
        """Give the turn to whoever is next. idle_at: when the channel is idle, None when it is.

        Result: the CALLs that will not go out (what is not urgent and waited too long, whatever is not wanted any
        more), and the one that goes out now.
        """
        is_idle = idle_at is None or now.mono >= idle_at
        dropped = [self._forget(wanted.unique_id) for wanted in self._turn.overdue(now, is_idle)]
        while (out := self._turn.take(now, is_idle)) is not None:
            own = self._own[out.wanted.unique_id]
            if is_wanted(own):
                return dropped, self._inject(out, own, now)
            self._turn.done()
            dropped.append(self._forget(own.unique_id))
        return dropped, None

    def out(self, unique_id: UniqueId) -> Own | None:
        """The CALL with this id if it is the one that is out, else None."""
        out = self._turn.out
        return self._own[unique_id] if out is not None and out.wanted.unique_id == unique_id else None

    def written(self, unique_id: UniqueId, now: Moment) -> tuple[Own, bool] | None:
        """The CALL that is out is on the wire; with whether its turn was forced on a busy channel."""
        own, out = self.out(unique_id), self._turn.out
        if own is None or out is None:
            return None
        out.written = now
        return own, out.forced

    def not_written(self, unique_id: UniqueId) -> Own | None:
        """The CALL that is out never reached the wire."""
        if self.out(unique_id) is None:
            return None
        self._turn.done()
        return self._forget(unique_id)

    def answered(self, text: str) -> OwnAnswer | None:
        """An answer of the charge point to a CALL of ours; None: to none we know.

        A late one counts as well: what the charge point does matters, not what we gave up on.
        """
        frame = decode(text, self._loads)
        if not isinstance(frame, CallResult | CallError):
            return None
        own = self._own.get(frame.unique_id)
        if own is None:
            return None
        is_late, own.is_settled = own.is_settled, True
        if self.out(own.unique_id) is not None:
            self._turn.done()
        return OwnAnswer(own, frame, text, payloads.is_done(own.want.action, frame), is_late)

    def give_up(self, now: Moment) -> tuple[Own, bool] | None:
        """The CALL that is out and was not answered in time (its effect is unknown), or nobody said what became of it;
        with whether it was written. The channel is free again."""
        at, out = self._given_up_at(), self._turn.out
        if at is None or now.mono < at or out is None:
            return None
        own = self._own[out.wanted.unique_id]
        own.is_settled = True
        self._turn.done()
        return own, out.written is not None

    @property
    def has_spoken(self) -> bool:
        """Something of ours went out, and may still be answered."""
        return bool(self._own)

    def unsure(self) -> tuple[UniqueId, float] | None:
        """The CALL that was given to the shell, and when (monotonic seconds), of which nobody said yet whether it was
        written."""
        out = self._turn.out
        return None if out is None or out.written is not None else (out.wanted.unique_id, out.taken)

    def disconnected(self) -> None:
        """Whatever waited or was out died with the connection; an answer that still comes is late."""
        if self._turn.out is not None:
            self._own[self._turn.out.wanted.unique_id].is_settled = True
        for wanted in self._turn.forget():
            self._forget(wanted.unique_id)

    def next_at(self, idle_at: float | None) -> float | None:
        """When ``speak`` or ``give_up`` next has something to do by time alone (monotonic seconds)."""
        times = [at for at in (self._turn.next_at(idle_at), self._given_up_at()) if at is not None]
        return min(times) if times else None

    def _given_up_at(self) -> float | None:
        out = self._turn.out
        if out is None:
            return None
        if out.written is None:  # the shell has not said what became of it: nobody may wait for ever
            return out.taken + self._patience(out.wanted) + SILENT_SHELL_SECONDS
        return out.written.mono + self._policy.own_answer_seconds

    def _patience(self, wanted: Wanted) -> float:
        """Seconds in which it must find its way onto the wire."""
        return self._policy.turn_seconds if wanted.is_step else QUESTION_WRITE_SECONDS

    def _forget(self, unique_id: UniqueId) -> Own:
        return self._own.pop(unique_id)

    def _inject(self, out: OwnCall, own: Own, now: Moment) -> Inject:
        wanted = out.wanted
        return Inject(
            wanted.unique_id,
            wanted.action,
            wanted.text,
            wanted.connector,
            now.mono + self._patience(wanted),
            wanted.is_step,
            own.want.aim in LASTING,
        )
