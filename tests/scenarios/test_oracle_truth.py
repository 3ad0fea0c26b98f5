"""The part of the oracle that knows what flowed, on traces made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ocpp_watchdog.core.decisions import (
    CallOut,
    Ending,
    NoticeKind,
    StepKind,
)
from ocpp_watchdog.core.terms import ConnectorId, UniqueId
from scenarios import truth
from scenarios.handmade import BEGAN, STOPPED, moment, right, told
from scenarios.peers import Box, Delivered, Plug, Traits
from scenarios.playbook import Playbook
from scenarios.trace import Step, Trace


def world(**traits: object) -> tuple[Trace, Box]:
    """The right trace beside a charge point that drew 6.5 A until 1044 and was read every 10 s."""
    trace = right()
    trace.steps.append(Step("tick", (moment(BEGAN + 300),), []))
    box = Box(Playbook(), Traits(**traits))  # type: ignore[arg-type]
    box.plugs[1].truth = [(900.2, 6.5), (STOPPED + 1, 0.0)]
    for number in range(26):
        at = BEGAN - 77.0 + 10 * number
        flows = 6.5 if at <= STOPPED else 0.0
        box.delivered.append(Delivered(1, at, at, flows, flows, honest=True))
    return trace, box


def test_the_right_run_is_right_in_truth() -> None:
    assert truth.verdict(*world()) == []


def test_acting_on_nothing_is_noticed() -> None:
    trace, box = world()
    box.plugs[1].truth = [(900.2, 6.5), (BEGAN + 20, 0.0)]
    found = truth.verdict(trace, box)
    assert any("RemoteStop although nothing flowed" in sentence for sentence in found)
    assert any("alarm although nothing flowed" in sentence for sentence in found)


def test_not_acting_is_noticed() -> None:
    trace, box = world()
    trace.written.clear()
    box.delivered = [replace(note, flows=6.5, shown=6.5) for note in box.delivered]
    box.plugs[1].truth = [(900.2, 6.5)]
    trace.told.pop()
    assert any("nothing was sent" in sentence for sentence in truth.verdict(trace, box))


def ignored_for_ever(*ladder: StepKind) -> tuple[Trace, Box]:
    """6.5 A flow on, and nothing is sent, although the owner has these steps."""
    trace, box = world()
    trace.policy = replace(trace.policy, ladder=ladder)
    trace.written.clear()
    box.delivered = [replace(note, flows=6.5, shown=6.5) for note in box.delivered]
    box.plugs[1].truth = [(900.2, 6.5)]
    trace.told.pop()
    return trace, box


def is_missed(trace: Trace, box: Box) -> bool:
    return any("nothing was sent" in sentence for sentence in truth.verdict(trace, box))


@pytest.mark.parametrize("kind", StepKind)
def test_not_acting_is_noticed_whatever_the_owners_ladder(kind: StepKind) -> None:
    assert is_missed(*ignored_for_ever(kind))
    assert is_missed(*ignored_for_ever(*StepKind))


def test_without_a_ladder_nothing_can_be_missed() -> None:
    assert not is_missed(*ignored_for_ever())


def test_a_call_to_the_owners_relay_is_acting() -> None:
    trace, box = ignored_for_ever(StepKind.EXTERNAL)
    trace.calls.append((STOPPED + 0.1, CallOut(UniqueId("wd-1"), ConnectorId(1), moment(STOPPED), None)))
    assert not is_missed(trace, box)


def test_a_step_that_was_taken_before_may_be_used_up() -> None:
    trace, box = ignored_for_ever(StepKind.EXTERNAL)
    trace.calls.append((BEGAN - 5, CallOut(UniqueId("wd-1"), ConnectorId(1), moment(BEGAN - 5), None)))
    assert not is_missed(trace, box)


def test_in_a_second_round_only_the_stop_is_sure_to_come() -> None:
    for kind, is_sure in ((StepKind.REMOTE_STOP, True), (StepKind.INOPERATIVE, False)):
        trace, box = ignored_for_ever(kind)
        trace.told.insert(0, told(BEGAN - 300, NoticeKind.SUPERSEDED, ending=Ending.SUPERSEDED))
        assert is_missed(trace, box) is is_sure


def test_a_reset_of_a_charge_point_with_two_connectors_is_never_sure_to_come() -> None:
    trace, box = ignored_for_ever(StepKind.SOFT_RESET)
    box.plugs[2] = Plug()
    assert not is_missed(trace, box)


@pytest.mark.parametrize("traits", [{"decimals": 0}, {"meter": "frozen"}, {"register_step": 100.0}, {"stamp": "none"}])
def test_not_acting_on_doubtful_meters_is_not_held_against_the_program(traits: dict[str, object]) -> None:
    trace, box = world(**traits)
    trace.written.clear()
    box.delivered = [replace(note, flows=6.5, shown=6.5) for note in box.delivered]
    assert not any("nothing was sent" in sentence for sentence in truth.verdict(trace, box))


def test_an_all_clear_within_a_minute_of_an_over_sample_is_noticed() -> None:
    trace, box = world()
    trace.told[-1] = told(STOPPED + 50, NoticeKind.ALL_CLEAR, ending=Ending.OBEYED)
    assert any("over sample in the last 60 s" in sentence for sentence in truth.verdict(trace, box))


def test_an_all_clear_out_of_silence_is_noticed() -> None:
    trace, box = world()
    box.delivered = [note for note in box.delivered if note.measured <= STOPPED]
    assert any("without a single sample" in sentence for sentence in truth.verdict(trace, box))
