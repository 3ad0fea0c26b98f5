"""What to do, as frozen values, and what can be seen from outside. The shell performs a decision and adds nothing.

Times are ``Moment``; energy Wh; current A; power W. Unknown is None, never a number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId, Moment, Status, TransactionId, UniqueId
from ocpp_watchdog.core.units import Limit
from ocpp_watchdog.core.values import value


class Mode(StrEnum):
    """enforce walks the ladder, observe sends no frame at all."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class Phase(StrEnum):
    """Phase of one connector, watchdog rules 3. Derived, never stored."""

    UNKNOWN = "unknown"
    STOOD_DOWN = "stood_down"
    EXHAUSTED = "exhausted"
    REMEDYING = "remedying"
    VIOLATING = "violating"
    BLIND = "blind"
    SETTLING = "settling"
    SUSPECT = "suspect"
    OBEYING = "obeying"


class FindingKind(StrEnum):
    """The set beside the phase."""

    RAISE_NOT_FOLLOWED = "raise_not_followed"
    UNDER_DELIVERY = "under_delivery"
    OVER_LIMIT = "over_limit"
    STALE_METER = "stale_meter"
    CONTRADICTION = "contradiction"
    CONTROL_FROZEN = "control_frozen"
    PHASE_VIOLATION = "phase_violation"
    CHARGING_WITHOUT_TRANSACTION = "charging_without_transaction"
    STOP_REFUSED = "stop_refused"
    STOP_UNANSWERED = "stop_unanswered"
    CLOCK_SKEW = "clock_skew"
    OUT_OF_SIGHT = "out_of_sight"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Finding:
    """cause: charge_point, vehicle, undetermined, or empty where the question does not arise."""

    kind: FindingKind
    severity: Severity
    cause: str = ""


class EvidenceClass(StrEnum):
    """What the evidence of an over sample is made of, watchdog rules 2."""

    HIDDEN = "hidden"
    SLIGHT = "slight"
    FLOWING = "flowing"
    UNDECIDED = "undecided"
    CONTRADICTED = "contradicted"
    LIVE = "live"
    FROZEN = "frozen"


class Ending(StrEnum):
    """How an episode ended, watchdog rules 4."""

    OBEYED = "obeyed"
    SILENT = "silent"
    SUPERSEDED = "superseded"
    STOOD_DOWN = "stood_down"


class StepKind(StrEnum):
    """Steps of the ladder that do something (DESIGN 4)."""

    REPEAT_LIMIT = "repeat_limit"
    TX_PROFILE = "tx_profile"
    REMOTE_STOP = "remote_stop"
    INOPERATIVE = "inoperative"
    SOFT_RESET = "soft_reset"
    EXTERNAL = "external"


class StepOutcome(StrEnum):
    """What became of one try of a step. WOULD_SEND: observe mode."""

    WAITING = "waiting"
    SENT = "sent"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    NOT_SENT = "not_sent"
    PROVED = "proved"
    NOT_PROVED = "not_proved"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    WOULD_SEND = "would_send"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One try of a step. why: a short reason in words of the rules; forced: it left a channel that was not idle."""

    kind: StepKind
    outcome: StepOutcome
    decided: Moment
    sent: Moment | None = None
    transaction_id: TransactionId | None = None
    unique_id: UniqueId | None = None
    why: str = ""
    forced: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """The evidence at one over sample. share: S of the rules, None when the register says nothing yet."""

    at: Moment
    measured_mono: Mono
    evidence: EvidenceClass
    share: float | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class EpisodeView:
    """An ignored stop, whole. number: 1, 2, ... per connector since the station was made.

    order_text: the SetChargingProfile that ordered 0 A, as it went over the wire (empty when the schedule did).
    energy_wh: what flowed against the order so far; energy_is_integrated: no register, so integrated from power.
    alarm_only: the evidence allows no step (stale meter), or a 0 W order that may be a mistake.
    remote_start_seen: the central system answered our stop with RemoteStartTransaction.
    schedule_evidence: what the charge point's own composite schedule says: "hidden profile" (it allows current),
    "schedule right, current wrong", or empty; schedule_text: its answer as it came. restarts: the transaction that a
    step ended is to be started anew when current is ordered again.
    """

    number: int
    connector: ConnectorId
    ordered: Moment
    order_text: str
    answer: str
    deadline_mono: float
    opened: Moment
    evidence: tuple[EvidenceRecord, ...]
    readings: tuple[Reading, ...]
    steps: tuple[StepRecord, ...]
    energy_wh: float
    energy_is_integrated: bool
    alarm_only: bool
    remote_start_seen: bool
    transaction_ended: bool
    ended: Moment | None = None
    ending: Ending | None = None
    now_ordered: Limit | None = None
    schedule_evidence: str = ""
    schedule_text: str = ""
    restarts: bool = False


@value
class ConnectorView:
    """Everything that metrics, page and reports show of one connector.

    commanded: the newest order (None: none known). in_force: limit of the accepted commands. currents: L1, L2, L3 of
    the last reading. next_action_mono: when something will happen by itself, with next_action saying what. is_rising:
    the limit was raised and the car still has time to follow. has_own_profile, is_inoperative: a step of ours left a
    TxProfile, or the connector out of service, and it is not undone yet.
    """

    connector: ConnectorId
    phase: Phase
    findings: tuple[Finding, ...]
    commanded: Limit | None
    in_force: Limit | None
    status: Status | None
    transaction_id: TransactionId | None
    transaction_open: bool
    reading: Reading | None
    reading_at: Moment | None
    stop_ordered: Moment | None
    deadline_mono: float | None
    episode: EpisodeView | None
    energy_against_orders_wh: float
    episodes_total: int
    steps: tuple[tuple[StepKind, StepOutcome, int], ...]
    next_action: str = ""
    next_action_mono: float | None = None
    is_rising: bool = False
    has_own_profile: bool = False
    is_inoperative: bool = False


@dataclass(frozen=True, slots=True)
class StationView:
    """One charge point. clock_skew_seconds: charge point's clock minus ours, None until known. mode: what holds now;
    observe until maintenance_until where the owner wanted maintenance. device: its name in the knowledge,
    empty: unknown. dangerous_commands: so many passed that are known to harm it.
    repairs: those that are switched on; whoever shows the view fills them in."""

    charge_point: ChargePointId
    mode: Mode
    connected: bool
    vendor: str
    model: str
    firmware: str
    clock_skew_seconds: float | None
    connectors: tuple[ConnectorView, ...]
    maintenance_until: Moment | None = None
    device: str = ""
    dangerous_commands: int = 0
    repairs: tuple[str, ...] = ()


# -- decisions ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Inject:
    """Write this CALL of ours towards the charge point now; hold the central system's CALLs until ``Release``.

    write_before_mono: if the lane cannot take it by then, report it as not sent. is_step: a step, not a question.
    is_lasting: no step, but what it leaves behind must be known after a restart too.
    """

    unique_id: UniqueId
    action: str
    text: str
    connector: ConnectorId
    write_before_mono: float
    is_step: bool
    is_lasting: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """Nothing of ours is open any more: let the central system's held CALLs go."""


@dataclass(frozen=True, slots=True)
class CallOut:
    """Call the configured address (the step ``external``: it switches a relay), and say with ``Station.called_out``
    what came of it; after the seconds that the policy gives it counts as unanswered."""

    unique_id: UniqueId
    connector: ConnectorId
    at: Moment
    episode: EpisodeView | None


class NoticeKind(StrEnum):
    """What a person is told. ALARM once per episode, then exactly one closing kind."""

    ALARM = "alarm"
    ALL_CLEAR = "all_clear"
    UNPROVEN = "unproven"
    SUPERSEDED = "superseded"
    STOOD_DOWN = "stood_down"
    STEP = "step"
    REMOTE_START = "remote_start"
    EXHAUSTED = "exhausted"
    REMINDER = "reminder"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of this device that explains what is seen. fact: its id in the knowledge."""

    fact: str
    en: str
    de: str


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell somebody. episode: as it stands at this moment. explained: by what is known of the device."""

    kind: NoticeKind
    severity: Severity
    connector: ConnectorId
    at: Moment
    episode: EpisodeView
    step: StepRecord | None = None
    explained: tuple[Explanation, ...] = ()


class FactKind(StrEnum):
    """Facts worth keeping (the journal, the record of observe mode)."""

    STOP_ORDERED = "stop_ordered"
    STOP_ENDED = "stop_ended"
    EPISODE_OPENED = "episode_opened"
    EPISODE_CLOSED = "episode_closed"
    STEP = "step"
    QUESTION = "question"
    NOTE = "note"
    AFTERCARE = "aftercare"
    OWNER = "owner"
    ORDER = "order"
    TRANSACTION = "transaction"
    SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """A command of the central system about limits (SetChargingProfile, ClearChargingProfile) or about a start, as it
    went over the wire; told when it went out and again when it was answered.

    connector: as it names it, 0 the whole charge point, None when it names none. commanded: the order of that connector
    after it (of connector 1 for 0 or None), None when none is known. answer: accepted, refused or unknown, empty while
    there is none; answer_text: as it came.
    """

    unique_id: UniqueId
    action: str
    connector: ConnectorId | None
    requested: Moment
    text: str
    commanded: Limit | None
    answer: str = ""
    answered: Moment | None = None
    answer_text: str = ""


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """A transaction, told when it began, when its id became known, and when it ended. started: when we heard of it;
    with the connector this names it. answered: the id came with the answer to StartTransaction, else it was reported
    by the charge point."""

    started: Moment
    transaction_id: TransactionId | None
    id_tag: str
    answered: bool
    stopped: Moment | None = None


# What a record may be about besides an episode and a step.
Subject = OrderRecord | TransactionRecord | Reading


@dataclass(frozen=True, slots=True)
class Record:
    """Keep this fact. text: a sentence's worth of reason, in the words of the rules. subject: of the kinds order,
    transaction and sample (a reading under a stop order). who: of the kind owner, who gave the order
    (``ctl@127.0.0.1``)."""

    kind: FactKind
    connector: ConnectorId
    at: Moment
    text: str = ""
    episode: EpisodeView | None = None
    step: StepRecord | None = None
    subject: Subject | None = None
    who: str = ""


@dataclass(frozen=True, slots=True)
class Warn:
    """A command that is known to harm this device passed; it was not held back. fact: its id in the knowledge. en, de:
    what is so, what follows and what to do. is_told: tell people, or it was told a short while ago and only counts."""

    fact: str
    severity: Severity
    action: str
    at: Moment
    en: str
    de: str
    is_told: bool


class CountKind(StrEnum):
    """Peers' nonsense and other things that are counted, never complained about."""

    UNDECODABLE = "undecodable"
    MENDED = "mended"
    UNREADABLE_PAYLOAD = "unreadable_payload"
    UNKNOWN_ANSWER = "unknown_answer"
    REPEATED_CALL = "repeated_call"
    LATE_ANSWER = "late_answer"
    EXPIRED_CALL = "expired_call"
    DOUBLE_KEY = "double_key"
    OTHER_CASE = "other_case"


@dataclass(frozen=True, slots=True)
class Count:
    """Add one to a counter."""

    kind: CountKind


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Call ``tick`` at this moment (monotonic seconds), or earlier; None: there is nothing to wait for."""

    mono: float | None = field(default=None)


Decision = Inject | CallOut | Release | Notify | Record | Warn | Count | WakeAt
