"""Which answers have to be read: of those that change a limit, a transaction, or what is known of the charge point."""

from __future__ import annotations

from ocpp_watchdog.core.asked import ANSWER_MATTERS, METER_VALUES, UNREAD
from ocpp_watchdog.core.events import ConfigurationRequested, MeterSampled, ProfileRequested


def test_what_waits_unread_is_a_meter_values_call_whose_answer_changes_nothing() -> None:
    assert UNREAD.action == METER_VALUES == "MeterValues"
    assert not isinstance(UNREAD.request, ANSWER_MATTERS)


def test_answers_that_change_something_are_read() -> None:
    assert {ProfileRequested, ConfigurationRequested} <= set(ANSWER_MATTERS)
    assert MeterSampled not in ANSWER_MATTERS
