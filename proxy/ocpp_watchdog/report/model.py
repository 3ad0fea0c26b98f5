"""What a report says, as frozen values: every renderer shows the same. Times are POSIX seconds, durations seconds.

Unknown is None. Knows no language and no layout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from ocpp_watchdog.core.terms import ConnectorId

Triple = tuple[float | None, float | None, float | None]


class Outcome(StrEnum):
    """What became of an order."""

    OBEYED = "obeyed"
    VIOLATED = "violated"
    NOT_FOLLOWED = "not_followed"
    DOUBTFUL = "doubtful"
    UNDETERMINED = "undetermined"


class Why(StrEnum):
    """Why nothing can be said, or what the evidence is."""

    NONE = ""
    REPLACED_EARLY = "replaced_early"
    LOG_ENDS = "log_ends"
    NO_READINGS = "no_readings"
    BY_STATUS_ONLY = "by_status_only"
    NOTHING_PLUGGED_IN = "nothing_plugged_in"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    NOT_IN_FORCE = "not_in_force"
    UNCONFIRMED = "unconfirmed"
    WEAK_EVIDENCE = "weak_evidence"
    STALE_METER = "stale_meter"
    CAUSE_VEHICLE = "cause_vehicle"
    CAUSE_CHARGE_POINT = "cause_charge_point"
    CAUSE_UNKNOWN = "cause_unknown"
    PERHAPS_A_MISTAKE = "perhaps_a_mistake"


class Caveat(StrEnum):
    """What limits everything in the report."""

    WHOLE_SECONDS = "whole_seconds"
    ZONE_UNKNOWN = "zone_unknown"
    HOLES = "holes"
    CUT_FRAMES = "cut_frames"
    UNREADABLE_ORDER = "unreadable_order"
    UNPLACED_LINES = "unplaced_lines"
    UNTIMED = "untimed"
    REPAIRED = "repaired"
    UNDECODABLE = "undecodable"
    ANSWERS_MISSING = "answers_missing"
    NO_READINGS_AT_ALL = "no_readings_at_all"
    NO_ORDERS = "no_orders"
    NO_REGISTER = "no_register"
    CLOCK_SKEW = "clock_skew"
    LEFT_OUT = "left_out"
    OWN_METER = "own_meter"
    NOT_CERTIFIED = "not_certified"
    REDACTED = "redacted"


class Cause(StrEnum):
    """What may be behind an order that is ignored, to be tested in this order."""

    HIDDEN_PROFILE = "hidden_profile"
    DEFAULT_AT_START = "default_at_start"
    CLOCK_BEHIND = "clock_behind"
    MISSING_KEYS = "missing_keys"
    LOCAL_LIMITER = "local_limiter"


@dataclass(frozen=True, slots=True)
class Point:
    """One reading. after: since the order it is shown with."""

    utc: float
    after: float
    currents: Triple
    current: float | None
    power: float | None
    energy: float | None
    offered: float | None = None

    @property
    def highest(self) -> float | None:
        """The highest phase current in A."""
        known = [value for value in (*self.currents, self.current) if value is not None]
        return max(known, default=None)


@dataclass(frozen=True, slots=True)
class Command:
    """A CALL towards the charge point. text, answer_text: exactly as they went over the wire. label: what it asks for
    in short ("6 A"). answer: Accepted, Rejected, an error code ...; empty: none seen. order: number of the order that
    it gave or repeated, None when it gave none. ours: the proxy sent it. warning: what it is known to do to this
    device.
    """

    utc: float
    connector: ConnectorId | None
    action: str
    label: str
    text: str
    answer: str = ""
    answer_text: str = ""
    delay: float | None = None
    order: int | None = None
    ours: bool = False
    details: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """A finding of the judge while an order stood. after: seconds since the order."""

    kind: str
    severity: str
    cause: str
    after: float


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the ladder, sent or, in observe mode, not."""

    kind: str
    outcome: str
    utc: float
    after: float
    transaction_id: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Episode:
    """An ignored stop. evidence: class of the deciding sample; opened_after: seconds since the order."""

    ordered: float
    opened: float
    opened_after: float
    evidence: str
    is_acting: bool
    share: float | None
    energy_wh: float
    energy_is_integrated: bool
    steps: tuple[Step, ...]
    ended: float | None
    ending: str
    remote_start_seen: bool
    perhaps_a_mistake: bool
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """What one connector was asked for, from its command to the next that asked for something else.

    amperes, watts: the ceiling as it was said (None: not in that unit); label: in short. commands: how many asked for
    it. ended None: the log ends with it. observed: seconds from order to its end. deadline: seconds from the order
    until a stop must have shown. answer, delay: of its first command. believed: what evcc's own log showed as charge
    power while it stood: (seconds since the order, W).
    """

    number: int
    connector: ConnectorId
    began: float
    ended: float | None
    observed: float
    label: str
    amperes: float | None
    watts: float | None
    is_stop: bool
    commands: int
    text: str
    answer: str
    delay: float | None
    readings: int
    points: tuple[Point, ...]
    outcome: Outcome
    why: Why
    verdict: str
    severity: str
    findings: tuple[Noted, ...]
    status: str
    deadline: float | None
    episode: Episode | None = None
    believed: tuple[tuple[float, float], ...] = ()
    by_schedule: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a chart: begin and end (POSIX seconds), lowest and highest value in it."""

    begin: float
    end: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Commanded against measured. commanded: (from when, amperes per phase or None for no known order), in order.
    phases: for L1, L2, L3, or one unnamed line, stretches in order. violations: (begin, end) of episodes."""

    begin: float
    end: float
    commanded: tuple[tuple[float, float | None], ...]
    phases: tuple[tuple[str, tuple[Span, ...]], ...]
    violations: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Connector:
    """One connector. left_out: orders that are counted and not shown, by outcome."""

    connector: ConnectorId
    orders: tuple[Order, ...]
    left_out: tuple[tuple[Outcome, int], ...]
    chart: Chart | None
    energy_wh: float
    readings: int
    has_register: bool

    def total(self, outcome: Outcome) -> int:
        """Orders with this outcome, those left out included."""
        shown = sum(order.outcome is outcome for order in self.orders)
        return shown + sum(count for kind, count in self.left_out if kind is outcome)


@dataclass(frozen=True, slots=True)
class DeviceFact:
    """Something known about this device. weight: info, warning or hazard; advice may be empty."""

    text: str
    source: str
    weight: str = ""
    advice: str = ""


Explain = Callable[[str, str, str, str], "tuple[DeviceFact, ...]"]
"""vendor, model, firmware, language -> what is known of the device."""


def nothing_known(_vendor: str, _model: str, _firmware: str, _language: str) -> tuple[DeviceFact, ...]:
    """For tests, and where no knowledge is at hand."""
    return ()


@dataclass(frozen=True, slots=True)
class Station:
    """One charge point. vendor, model, firmware: as it said itself, empty where the log does not show it."""

    charge_point: str
    vendor: str
    model: str
    firmware: str
    begin: float
    end: float
    frames: int
    commands: tuple[Command, ...]
    commands_left_out: int
    connectors: tuple[Connector, ...]
    transactions: int
    clock_skew: float | None
    caveats: tuple[tuple[Caveat, float], ...]
    causes: tuple[Cause, ...] = ()
    facts: tuple[DeviceFact, ...] = ()

    def total(self, outcome: Outcome) -> int:
        """Orders with this outcome on all connectors."""
        return sum(connector.total(outcome) for connector in self.connectors)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the frames came from. form: trace, evcc, library, plain or journal."""

    name: str
    form: str
    lines: int
    frames: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything. zone_seconds: offset of the times shown from UTC; zone_name: how to call it."""

    version: str
    sources: tuple[Source, ...]
    begin: float
    end: float
    zone_seconds: int
    stations: tuple[Station, ...]
    caveats: tuple[tuple[Caveat, float], ...] = ()
    settings: tuple[tuple[str, str], ...] = field(default=())

    def total(self, outcome: Outcome) -> int:
        """Orders with this outcome on all charge points."""
        return sum(station.total(outcome) for station in self.stations)
