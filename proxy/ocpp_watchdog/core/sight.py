"""What a watch has to know of the charge point around it, and what it may wish for.

Shared vocabulary between station and watches; decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from ocpp_watchdog.core.decisions import StepKind
from ocpp_watchdog.core.evidence import claims_nothing, is_silent_on_flow
from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.ledger import Ledger
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.samples import Sample
from ocpp_watchdog.core.terms import Moment, Status, TransactionId
from ocpp_watchdog.core.units import Limit


@dataclass(slots=True)
class Sight:
    """The charge point as one connector sees it; the station keeps it true.

    usable_id: transaction id that may be sent. transaction_since: when the open transaction began, None without one.
    transaction_claimed: the last MeterValues named a transaction that was not stopped, usable or not. in_maintenance:
    the owner wants nothing sent for a while (observe mode). quiet_until: no question before (monotonic seconds).
    may_question: this charge point never refused one. may_ask_schedule: nor a GetCompositeSchedule. id_tag: of the
    newest transaction. others_charge: what is allowed goes on at another connector. shares_id: one that is not to be
    stopped carries the same id. status_since: when the status became what it is; quiet_since: first status other than
    Charging since the last over sample; status_at: when one was heard last.
    """

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {
        "ledger": "handed in",
        "others_charge": "handed in",
        "shares_id": "handed in",
    }
    connected: bool = False
    connected_at: Moment | None = None
    disconnected_at: Moment | None = None
    usable_id: TransactionId | None = None
    transaction_since: Moment | None = None
    transaction_stopped_at: Moment | None = None
    transaction_claimed: bool = False
    quiet_until: Mono = 0.0
    may_question: bool = True
    in_maintenance: bool = False
    may_ask_schedule: bool = True
    id_tag: str = ""
    ledger: Ledger = field(default_factory=Ledger)
    others_charge: Callable[[], bool] = field(default=lambda: False)
    shares_id: Callable[[], bool] = field(default=lambda: False)
    status: Status | None = None
    quiet_since: Moment | None = None
    status_since: Moment | None = None
    status_at: Moment | None = None

    def notified(self, status: Status | None, now: Moment) -> None:
        """StatusNotification; status None: not one of OCPP 1.6."""
        if status is not self.status:
            self.status_since = now
        self.status, self.status_at = status, now
        if status in {None, Status.CHARGING}:
            self.quiet_since = None
        elif self.quiet_since is None:
            self.quiet_since = now

    @property
    def is_suspended(self) -> bool:
        """The status is SuspendedEV or SuspendedEVSE."""
        return self.status in {Status.SUSPENDED_EV, Status.SUSPENDED_EVSE}

    def flow_seen(self) -> None:
        """An over sample came: what the status said before proves no stop."""
        self.quiet_since = None

    def charging_since_before(self, mono: float) -> bool:
        """The status is Charging and has been since before this moment (monotonic seconds)."""
        return self.status is Status.CHARGING and self.status_since is not None and self.status_since.mono < mono


class Aim(Enum):
    """What a CALL of ours is for. Of the ladder: a step against an ignored stop, or against an ignored limit above 0.
    Questions: for readings, for the composite schedule. What follows a step: our own profile is cleared, the connector
    set back, the transaction started anew. STOP_NOW, SELFTEST: the owner's."""

    STEP = "step"
    LIMIT_STEP = "limit_step"
    READINGS = "readings"
    SCHEDULE = "schedule"
    CLEAR = "clear"
    SET_BACK = "set_back"
    RESTART = "restart"
    STOP_NOW = "stop_now"
    SELFTEST = "selftest"


QUESTIONS = frozenset({Aim.READINGS, Aim.SCHEDULE})
AFTERCARE = frozenset({Aim.CLEAR, Aim.SET_BACK, Aim.RESTART})
LASTING = frozenset({Aim.LIMIT_STEP, Aim.RESTART, Aim.SELFTEST})
"""What must be remembered before it is sent: it goes out once, or leaves something behind that must be undone."""


@dataclass(frozen=True, slots=True)
class Want:
    """A CALL of ours that is wished for: action and payload as they go out (an empty action: no CALL, the shell is to
    call somebody else). why: in words of the rules. kind, transaction_id: of a step. by_owner: ordered by name. brings:
    id and limit of a profile of our own."""

    aim: Aim
    action: str
    payload: str
    why: str = ""
    kind: StepKind | None = None
    transaction_id: TransactionId | None = None
    by_owner: bool = False
    brings: tuple[int, Limit] | None = None

    @property
    def step(self) -> StepKind:
        """Which step it is; asked of steps only."""
        assert self.kind is not None
        return self.kind

    @property
    def is_urgent(self) -> bool:
        """It leaves a busy channel after the longest wait; the others are dropped then."""
        return self.aim in (Aim.STEP, Aim.STOP_NOW) or (self.aim is Aim.SELFTEST and self.kind is not None)


class FlowWithoutTransaction:
    """Current although no transaction is open (T7): connectors are supervised, not transactions."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {"_policy": "handed in"}
    _policy: Policy
    _since: Mono | None
    _last: Mono | None

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._since = None
        self._last = None

    def add(self, sample: Sample, *, transaction_open: bool) -> None:
        """The newest sample of the connector."""
        if is_silent_on_flow(sample.reading):
            return
        self._last = sample.measured
        if transaction_open or claims_nothing(sample.reading, self._policy):
            self._since = None
        elif self._since is None:
            self._since = sample.measured

    @property
    def is_found(self) -> bool:
        """It has lasted for more than the settle time."""
        if self._since is None or self._last is None:
            return False
        return self._last - self._since > self._policy.settle_seconds
