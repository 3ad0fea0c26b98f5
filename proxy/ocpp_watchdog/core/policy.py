"""How strict the judge is and what it may do: one value, handed down once by the shell.

Defaults are those of the domain rules; knowledge about a device may change them for one charge point. The parts of one
station share one policy, so that such a change reaches all of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from ocpp_watchdog.core.decisions import Mode, StepKind


class AfterStop(StrEnum):
    """What follows a stop of ours when the central system wants current again: the alarm says it, or the transaction is
    started anew."""

    NOTIFY = "notify"
    RESTART = "restart"


class SetBack(StrEnum):
    """Who sets a connector back to Operative that we set Inoperative: the owner, or the program after the all-clear."""

    OWNER = "owner"
    ALL_CLEAR = "all_clear"


@dataclass(frozen=True, slots=True)
class Policy:
    """Numbers in seconds, amperes and watts; the names say which. Frozen for everybody but ``become``.

    ladder: the steps, in the order they are walked. Budgets are per episode; those of remote_stop and soft_reset per
    window. The last six are for devices: boundary_slack_seconds: a period of a schedule may begin so much late.
    frame_gap_seconds: nothing of ours closer behind another frame. power_counts: power is not nonsense.
    status_is_evidence: no status goes missing. zero_is_asserted: the firmware writes 0 A because it is suspended, not
    because nothing flows. meter_is_shared: a suspended connector may show the current of another.
    """

    mode: Mode = Mode.ENFORCE
    settle_seconds: float = 30.0
    raise_settle_seconds: float = 90.0
    answer_seconds: float = 10.0
    confirm_span_seconds: float = 8.0
    zero_amperes: float = 1.0
    zero_watts: float = 200.0
    tolerance_amperes: float = 1.0
    tolerance_watts: float = 200.0
    tolerance_share: float = 0.08
    fast_interval_seconds: float = 15.0
    question_after_seconds: float = 5.0
    quiet_after_start_seconds: float = 20.0
    take_back_seconds: float = 10.0
    superseded_memory_seconds: float = 900.0
    clear_after_seconds: float = 60.0
    remote_stop_budget: int = 3
    remote_stop_window_seconds: float = 900.0
    remote_stop_spacing_seconds: float = 30.0
    proof_seconds: float = 30.0
    idle_call_seconds: float = 10.0
    turn_seconds: float = 10.0
    own_answer_seconds: float = 10.0
    reconnect_seconds: float = 30.0
    blind_seconds: float = 60.0
    skew_seconds: float = 30.0
    reminder_seconds: float = 900.0
    may_question: bool = True
    ladder: tuple[StepKind, ...] = (StepKind.REMOTE_STOP,)
    repeat_limit_budget: int = 1
    tx_profile_budget: int = 1
    inoperative_budget: int = 1
    soft_reset_budget: int = 1
    soft_reset_window_seconds: float = 86_400.0
    external_budget: int = 1
    external_seconds: float = 60.0
    step_cool_down_seconds: float = 120.0
    after_stop: AfterStop = AfterStop.NOTIFY
    restart_after_seconds: float = 120.0
    set_back: SetBack = SetBack.OWNER
    enforce_limits: bool = False
    composite_schedule_question: bool = True
    boundary_slack_seconds: float = 0.0
    frame_gap_seconds: float = 0.0
    power_counts: bool = True
    status_is_evidence: bool = True
    zero_is_asserted: bool = False
    meter_is_shared: bool = False

    def become(self, other: Policy) -> None:
        """Take over every value of another one, for whoever holds this one. The station alone does that, to its own."""
        for field in fields(self):
            object.__setattr__(self, field.name, getattr(other, field.name))
