"""What has been counted since the start: plain integers on the fast path, read by the metrics.

Ground floor of the shell like ``ports``: every part may count here, nobody decides by it except health.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import accumulate

from ocpp_watchdog.core.decisions import CountKind
from ocpp_watchdog.core.terms import Direction

KNOWN_ACTIONS = frozenset(
    {
        "Authorize",
        "BootNotification",
        "CancelReservation",
        "ChangeAvailability",
        "ChangeConfiguration",
        "ClearCache",
        "ClearChargingProfile",
        "DataTransfer",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "GetCompositeSchedule",
        "GetConfiguration",
        "GetDiagnostics",
        "GetLocalListVersion",
        "Heartbeat",
        "MeterValues",
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "SetChargingProfile",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
        "TriggerMessage",
        "UnlockConnector",
        "UpdateFirmware",
    }
)
"""The 28 actions of OCPP 1.6. What else comes is counted as ``other``: an action is a peer's text, and a label."""

UP = Direction.TO_CENTRAL_SYSTEM
OTHER_ACTION = "other"
PARTS = (
    "judge", "relay", "inject", "notify", "record", "journal", "memory", "metrics", "web", "timer", "care", "owner",
    "knowledge", "supervisor", "heartbeat", "mqtt",
)  # fmt: skip
DEGRADED_SECONDS = 300.0
JUDGE_IS_DEAD_AFTER = 20
FRESH_SECONDS = 60.0


DELAY_BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class Delays:
    """A histogram of seconds. counts: one per bound of ``DELAY_BOUNDS``, and one above them."""

    __slots__ = ("counts", "total_seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(DELAY_BOUNDS) + 1)
        self.total_seconds = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(DELAY_BOUNDS, seconds)] += 1
        self.total_seconds += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Upper bound as text and cumulative count, ``+Inf`` last."""
        names = (*(str(bound) for bound in DELAY_BOUNDS), "+Inf")
        return list(zip(names, accumulate(map(float, self.counts)), strict=True))


class Tally:
    """Counters of the judging side. All grow only, except ``judge_failures_in_a_row``.

    repaired: messages, by repair; repairs: charge points it is switched on for. Keys are bounded: directions and known
    actions, the parts above, the kinds of the core.
    """

    def __init__(self) -> None:
        self.frames: dict[Direction, Counter[str]] = {direction: Counter() for direction in Direction}
        self._up, self._down = self.frames[UP], self.frames[Direction.TO_CHARGE_POINT]
        self.faults: Counter[str] = Counter()
        self.nonsense: Counter[CountKind] = Counter()
        self.ways: tuple[str, ...] = ()
        self.notifications: Counter[tuple[str, str]] = Counter()
        self.heartbeats: Counter[str] = Counter()
        self.admin_refusals: Counter[str] = Counter()
        self.binary_messages = 0
        self.dangerous_commands = 0
        self.repaired: Counter[str] = Counter()
        self.repairs: Counter[str] = Counter()
        self.unjudged_messages = 0
        self.notifications_waiting: Counter[str] = Counter()
        self.delays = {direction: Delays() for direction in Direction}
        self.judge_failures_in_a_row = 0
        self.judge_failed_mono = 0.0
        self.last_fault_mono: float | None = None

    def frame(self, direction: Direction, action: str) -> None:
        """One message was judged."""
        counter = self._up if direction is UP else self._down
        counter[action if action in KNOWN_ACTIONS else OTHER_ACTION] += 1

    def delay(self, direction: Direction, seconds: float) -> None:
        """The relay handed something on so long after it arrived."""
        self.delays[direction].add(seconds)

    def fault(self, part: str, mono: float) -> None:
        """Something of ours broke in this part, and the frames went on."""
        self.faults[part] += 1
        self.last_fault_mono = mono
        if part == "judge" and self.judge_failures_in_a_row <= 1:
            self.judge_failed_mono = mono

    def is_degraded(self, mono: float) -> bool:
        """A fault of ours happened within the last five minutes."""
        return self.last_fault_mono is not None and mono - self.last_fault_mono < DEGRADED_SECONDS

    def is_fresh(self, mono: float) -> bool:
        """The judge is alive and its last judgement is fresh: nothing came after it that could not be judged, or not
        for longer than a minute."""
        fails = self.judge_failures_in_a_row
        return fails == 0 or (self.is_judging and mono - self.judge_failed_mono < FRESH_SECONDS)

    @property
    def is_judging(self) -> bool:
        """The judge did not fail on every one of the last 20 occasions."""
        return self.judge_failures_in_a_row < JUDGE_IS_DEAD_AFTER
