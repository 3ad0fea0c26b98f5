"""The numbers of the domain rules are the defaults; a policy is a value."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, asdict

import pytest

from ocpp_watchdog.core.decisions import Mode, StepKind
from ocpp_watchdog.core.policy import AfterStop, Policy, SetBack


def test_defaults_are_the_numbers_of_the_rules() -> None:
    assert asdict(Policy()) == {
        "mode": Mode.ENFORCE,  # DESIGN 4
        "settle_seconds": 30.0,  # watchdog 1
        "raise_settle_seconds": 90.0,  # smart-charging 6.1
        "answer_seconds": 10.0,  # watchdog 1
        "confirm_span_seconds": 8.0,  # watchdog 2
        "zero_amperes": 1.0,  # watchdog 2
        "zero_watts": 200.0,  # watchdog 2
        "tolerance_amperes": 1.0,  # smart-charging 6.1
        "tolerance_watts": 200.0,  # smart-charging 6.1
        "tolerance_share": 0.08,  # smart-charging 6.1
        "fast_interval_seconds": 15.0,  # watchdog 2
        "question_after_seconds": 5.0,  # watchdog 2
        "quiet_after_start_seconds": 20.0,  # watchdog 2
        "take_back_seconds": 10.0,  # watchdog 1
        "superseded_memory_seconds": 15 * 60.0,  # watchdog 2 and 5
        "clear_after_seconds": 60.0,  # watchdog 4
        "remote_stop_budget": 3,  # watchdog 5
        "remote_stop_window_seconds": 15 * 60.0,  # watchdog 5
        "remote_stop_spacing_seconds": 30.0,  # watchdog 5
        "proof_seconds": 30.0,  # watchdog 5
        "idle_call_seconds": 10.0,  # watchdog 6
        "turn_seconds": 10.0,  # watchdog 6
        "own_answer_seconds": 10.0,  # watchdog 5 and 6
        "reconnect_seconds": 30.0,  # watchdog 2
        "blind_seconds": 60.0,  # watchdog 3
        "skew_seconds": 30.0,  # smart-charging 2.4
        "reminder_seconds": 15 * 60.0,
        "may_question": True,
        # DESIGN 9: what a device may need; off until one is known
        "boundary_slack_seconds": 0.0,
        "frame_gap_seconds": 0.0,
        "power_counts": True,
        "status_is_evidence": True,
        "zero_is_asserted": False,
        "meter_is_shared": False,
        "ladder": (StepKind.REMOTE_STOP,),  # DESIGN 4
        "repeat_limit_budget": 1,  # DESIGN 4
        "tx_profile_budget": 1,  # DESIGN 4
        "inoperative_budget": 1,  # DESIGN 4
        "soft_reset_budget": 1,  # DESIGN 4
        "soft_reset_window_seconds": 24 * 60 * 60.0,  # DESIGN 4
        "external_budget": 1,  # DESIGN 4
        "external_seconds": 60.0,
        "step_cool_down_seconds": 120.0,
        "after_stop": AfterStop.NOTIFY,  # watchdog 5
        "restart_after_seconds": 120.0,  # watchdog 5
        "set_back": SetBack.OWNER,  # DESIGN 4
        "enforce_limits": False,  # DESIGN 4
        "composite_schedule_question": True,
    }


def test_a_policy_cannot_be_changed_behind_the_judge() -> None:
    policy = Policy()
    with pytest.raises(FrozenInstanceError):
        policy.mode = Mode.OBSERVE  # type: ignore[misc]


def test_two_policies_of_the_same_numbers_are_the_same_policy() -> None:
    assert Policy(settle_seconds=45.0) == Policy(settle_seconds=45.0) != Policy()


def test_a_policy_can_become_another_for_all_who_hold_it() -> None:
    policy, other = Policy(), Policy(settle_seconds=60.0, may_question=False)
    policy.become(other)
    assert policy == other
    assert policy is not other
    assert Policy() != other
