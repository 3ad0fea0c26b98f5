"""Decisions and views are values, their words are those of the rules, and what is not known is None."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import get_args

import pytest

from core.builders import ONE, at
from ocpp_watchdog.core import decisions
from ocpp_watchdog.core.decisions import (
    ConnectorView,
    Count,
    CountKind,
    Decision,
    Ending,
    EvidenceClass,
    FactKind,
    Finding,
    FindingKind,
    Inject,
    Mode,
    Phase,
    Record,
    Release,
    Severity,
    StepKind,
    StepOutcome,
    StepRecord,
    WakeAt,
)
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.terms import UniqueId

VALUES = [
    kind
    for kind in vars(decisions).values()
    if isinstance(kind, type) and is_dataclass(kind) and kind not in (Reading, ConnectorView)
]
"""The two others are made for every reading; the type checker keeps them (test_values.py)."""


def test_phases_are_those_of_the_rules_in_the_order_of_the_match() -> None:
    words = "unknown stood_down exhausted remedying violating blind settling suspect obeying"
    assert [phase.value for phase in Phase] == words.split()


def test_findings_are_those_of_the_rules() -> None:
    words = (
        "raise_not_followed under_delivery over_limit stale_meter contradiction control_frozen phase_violation "
        "charging_without_transaction stop_refused stop_unanswered clock_skew out_of_sight"
    )
    assert {kind.value for kind in FindingKind} == set(words.split())


def test_classes_of_evidence_are_those_of_the_rules_in_the_order_of_the_match() -> None:
    words = "hidden slight flowing undecided contradicted live frozen"
    assert [kind.value for kind in EvidenceClass] == words.split()


def test_endings_are_those_of_the_rules() -> None:
    assert {ending.value for ending in Ending} == {"obeyed", "silent", "superseded", "stood_down"}


def test_modes_are_enforce_and_observe() -> None:
    assert {mode.value for mode in Mode} == {"enforce", "observe"}


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_every_value_is_frozen_and_has_slots(kind: type) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(kind)


def test_a_decision_cannot_be_changed_on_its_way() -> None:
    wake = WakeAt(12.0)
    with pytest.raises(FrozenInstanceError):
        wake.mono = 13.0  # type: ignore[misc]


def test_every_decision_can_be_told_from_the_others() -> None:
    kinds = get_args(Decision)
    assert len(set(kinds)) == len(kinds) == 8
    assert set(kinds) <= set(VALUES)


def test_nothing_to_wait_for_is_said_in_so_many_words() -> None:
    assert WakeAt().mono is None
    assert WakeAt() == WakeAt(None) != WakeAt(0.0)


def test_a_step_that_only_waits_was_not_sent_and_forced_nothing() -> None:
    record = StepRecord(StepKind.REMOTE_STOP, StepOutcome.WAITING, at(0))
    assert (record.sent, record.transaction_id, record.unique_id, record.why, record.forced) == (None,) * 3 + (
        "",
        False,
    )


def test_a_fact_may_stand_alone() -> None:
    record = Record(FactKind.NOTE, ONE, at(0))
    assert (record.text, record.episode, record.step) == ("", None, None)


def test_a_finding_without_a_culprit_names_none() -> None:
    assert Finding(FindingKind.OVER_LIMIT, Severity.WARNING).cause == ""


def test_decisions_of_the_same_content_are_the_same_decision() -> None:
    inject = Inject(UniqueId("wd-1"), "TriggerMessage", "[]", ONE, 10.0, False)
    assert inject == Inject(UniqueId("wd-1"), "TriggerMessage", "[]", ONE, 10.0, False)
    assert Release() == Release()
    assert Count(CountKind.UNDECODABLE) != Count(CountKind.MENDED)


def test_no_value_takes_a_number_for_what_is_not_known() -> None:
    """Unknown is None (STYLE 5): a field that may be unknown says so in its type and never defaults to a number."""
    for kind in VALUES:
        for field in fields(kind):
            if field.default is not None and "None" in str(field.type):
                assert not isinstance(field.default, int | float), f"{kind.__name__}.{field.name}"
