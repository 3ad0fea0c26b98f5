"""One row for each fault of a charge point: what must be said, what must be sent and when, and how it ends.

Readings come 3, 13, 23 ... seconds after 0 A was ordered, the answer after 0.1 s, so the deadline is at 30.1 s and two
counting samples are in at 43 s. Times in the table are seconds after the order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from ocpp_watchdog.core.decisions import EvidenceClass, NoticeKind, Phase
from scenarios.peers import Traits
from scenarios.world import IGNORES, World

OBEYED = ["alarm", "all_clear"]
OPEN = ["alarm"]
NOTHING: list[str] = []
CONFIRMED = (43.0, 43.1)


@dataclass(frozen=True)
class Row:
    """A fault. sent: a window for each RemoteStop. ends: phase ten minutes later. finds: findings that must have shown.
    never: phases that must not have shown after the order."""

    name: str
    traits: Traits
    said: list[str]
    sent: tuple[tuple[float, float], ...] = ()
    ends: Phase = Phase.OBEYING
    finds: frozenset[str] = frozenset()
    never: frozenset[Phase] = frozenset()


REFUSED = frozenset({"stop_refused"})
UNANSWERED = frozenset({"stop_unanswered"})
STALE = frozenset({"stale_meter"})
TRIES = (CONFIRMED, (73.0, 90.0), (103.0, 140.0))
LATE = replace(IGNORES, stops_after=None)

ROWS = [
    Row("ignores_0_A", IGNORES, OBEYED, (CONFIRMED,)),
    Row("obeys_at_once", Traits(obeys_after=0.5), NOTHING, never=frozenset({Phase.SUSPECT, Phase.VIOLATING})),
    Row("obeys_20_s_late", Traits(obeys_after=20.0), NOTHING, never=frozenset({Phase.SUSPECT})),
    Row("obeys_29_s_late", Traits(obeys_after=29.0), NOTHING, never=frozenset({Phase.SUSPECT})),
    Row("obeys_36_s_late_between_two_samples", Traits(obeys_after=36.0), NOTHING),
    Row("obeys_50_s_late", Traits(obeys_after=50.0, stops_after=None), OBEYED, (CONFIRMED,)),
    Row(
        "frozen_meter_and_still_register",
        Traits(meter="frozen", register_step=1.0),
        OPEN,
        ends=Phase.VIOLATING,
        finds=STALE,
    ),
    Row("frozen_meter_no_register", Traits(meter="frozen"), OPEN, ends=Phase.VIOLATING, finds=STALE),
    Row("zeros_and_rising_register", replace(IGNORES, meter="zeros", register_step=1.0), OBEYED, (CONFIRMED,)),
    Row(
        "zeros_and_rising_register_in_tens",
        replace(IGNORES, meter="zeros", register_step=10.0),
        OBEYED,
        ((43.0, 75.0),),
    ),
    Row("no_readings_while_suspended_but_answers", Traits(silent_when_stopped=True), NOTHING, ends=Phase.BLIND),
    Row(
        "no_readings_while_suspended_and_refuses_to_be_asked",
        Traits(silent_when_stopped=True, trigger="Rejected"),
        NOTHING,
        ends=Phase.BLIND,
        never=frozenset({Phase.OBEYING, Phase.SUSPECT, Phase.VIOLATING}),
    ),
    Row("accepts_the_stop_and_goes_on", LATE, OPEN, TRIES, Phase.EXHAUSTED),
    Row("refuses_the_stop", replace(IGNORES, stop_answer="Rejected"), OPEN, TRIES, Phase.EXHAUSTED),
    Row("answers_the_stop_with_an_error", replace(IGNORES, stop_answer="error"), OPEN, TRIES, Phase.EXHAUSTED),
    Row("never_answers_the_stop", replace(IGNORES, stop_answer=None, stops_after=None), OPEN, TRIES, Phase.EXHAUSTED),
    Row(
        "refuses_the_profile",
        replace(IGNORES, answer="Rejected"),
        OBEYED,
        (CONFIRMED,),
        finds=REFUSED,
    ),
    Row(
        "does_not_know_profiles",
        replace(IGNORES, answer="NotSupported"),
        OBEYED,
        (CONFIRMED,),
        finds=REFUSED,
    ),
    Row(
        "answers_the_profile_with_an_error",
        replace(IGNORES, answer="error"),
        OBEYED,
        (CONFIRMED,),
        finds=REFUSED,
    ),
    Row(
        "never_answers_the_profile",
        replace(IGNORES, answer=None),
        OBEYED,
        (CONFIRMED,),
        finds=UNANSWERED,
    ),
    Row("answers_the_profile_after_9_s", replace(IGNORES, answer_seconds=9.0), OBEYED, ((53.0, 53.1),)),
    Row(
        "answers_the_profile_after_12_s",
        replace(IGNORES, answer_seconds=12.0),
        OBEYED,
        (CONFIRMED,),
        finds=UNANSWERED,
    ),
    Row("clock_an_hour_behind", replace(IGNORES, skew=-3600.0), OBEYED, (CONFIRMED,), finds=frozenset({"clock_skew"})),
    Row("clock_two_hours_ahead", replace(IGNORES, skew=7200.0), OBEYED, (CONFIRMED,), finds=frozenset({"clock_skew"})),
    Row("no_time_stamps", replace(IGNORES, stamp="none"), OBEYED, (CONFIRMED,)),
    Row("unreadable_time_stamps", replace(IGNORES, stamp="garbage"), OBEYED, (CONFIRMED,)),
    Row("time_stamps_of_zero", replace(IGNORES, stamp="zero"), OBEYED, (CONFIRMED,)),
    Row("power_a_tenth", replace(IGNORES, power=0.1), OBEYED, (CONFIRMED,)),
    Row("power_a_tenth_with_register", replace(IGNORES, power=0.1, register_step=1.0), OBEYED, (CONFIRMED,)),
    Row("power_zero", replace(IGNORES, power=0.0), OBEYED, (CONFIRMED,)),
    Row("no_power", replace(IGNORES, power=None), OBEYED, (CONFIRMED,)),
    Row("one_phase", replace(IGNORES, phases=1), OBEYED, (CONFIRMED,)),
    Row("says_it_is_suspended_and_draws", replace(IGNORES, obeys_after=None), OBEYED, (CONFIRMED,)),
    Row("reports_no_transaction", replace(IGNORES, reported=None), OBEYED, (CONFIRMED,)),
    Row("reports_transaction_0", replace(IGNORES, reported=0), OBEYED, (CONFIRMED,)),
    Row("readings_every_5_s", replace(IGNORES, interval=5.0), OBEYED, ((43.0, 43.1),)),
]


def live_through(row: Row) -> World:
    world = World(row.traits).charge().stop()
    return world.run(600.0)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_each_fault_is_answered_as_the_rules_say(row: Row) -> None:
    world = live_through(row)
    assert world.said() == row.said
    sent = world.sent()
    assert len(sent) == len(row.sent), sent
    for at, (first, last) in zip(sent, row.sent, strict=True):
        assert first <= at <= last, sent
    assert world.phase() is row.ends
    assert row.finds <= world.play.trace.findings()
    shown = {seen.phase for seen in world.play.trace.seen if seen.at - world.play.begin >= world.ordered}
    assert not shown & row.never


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_each_fault_leaves_the_oracle_silent(row: Row) -> None:
    assert live_through(row).wrong() == []


@pytest.mark.parametrize("row", [row for row in ROWS if row.said == OBEYED], ids=lambda row: row.name)
def test_the_all_clear_comes_a_minute_after_the_last_over_sample(row: Row) -> None:
    world = live_through(row)
    (clear,) = world.when(NoticeKind.ALL_CLEAR)
    last_over = max(
        note.measured - world.play.begin - world.ordered for note in world.box.delivered if note.flows > 1.0
    )
    assert last_over + 59.0 <= clear <= last_over + 75.0


@pytest.mark.parametrize(
    ("traits", "classes"),
    [
        (IGNORES, {EvidenceClass.LIVE}),
        (replace(IGNORES, register_step=1.0), {EvidenceClass.FLOWING}),
        (replace(IGNORES, meter="zeros", register_step=1.0), {EvidenceClass.HIDDEN}),
        (replace(IGNORES, decimals=0, noise=0.0, power=None), {EvidenceClass.LIVE}),
        (replace(IGNORES, decimals=1, noise=0.0, power=None), {EvidenceClass.LIVE}),
        (replace(IGNORES, currents=False), {EvidenceClass.LIVE}),
        (replace(IGNORES, currents=False, draw=10.0, noise=0.0), {EvidenceClass.LIVE}),
        (replace(IGNORES, draw=2.5, phases=1, noise=0.05), {EvidenceClass.LIVE}),
    ],
    ids=["live", "flowing", "hidden", "whole_amperes", "tenths", "power_only", "power_in_tens", "small_but_real"],
)
def test_evidence_that_convicts_leads_to_one_stop(traits: Traits, classes: set[EvidenceClass]) -> None:
    world = World(traits).charge().stop().run(300.0)
    assert world.said() == OBEYED
    assert len(world.sent()) == 1
    (stop,) = world.play.trace.stops()
    assert stop.last_evidence in classes
    assert world.wrong() == []


@pytest.mark.parametrize(
    ("traits", "said", "finds"),
    [
        (replace(IGNORES, draw=2.0, power=0.02), NOTHING, set()),
        (replace(IGNORES, draw=2.0, power=None), NOTHING, set()),
        (replace(IGNORES, register_step=1.0, register_share=0.65), NOTHING, set()),
        (replace(IGNORES, register_step=1.0, register_share=0.3), OPEN, {"stale_meter"}),
        (replace(IGNORES, register_step=1.0, register_share=0.0), OPEN, {"stale_meter"}),
        (replace(IGNORES, noise=0.0, draw=6.53), OPEN, {"stale_meter"}),
        (replace(IGNORES, currents=False, draw=6.5, noise=0.0), OPEN, {"stale_meter"}),
    ],
    ids=["slight", "slight_no_power", "undecided", "contradicted", "still", "frozen", "frozen_power"],
)
def test_evidence_that_does_not_convict_leads_to_no_stop(traits: Traits, said: list[str], finds: set[str]) -> None:
    world = World(traits).charge().stop().run(300.0)
    assert world.said() == said
    assert world.sent() == []
    assert finds <= world.play.trace.findings()
    assert world.wrong() == []


def test_tenths_while_suspended_are_frozen() -> None:
    world = World(replace(IGNORES, decimals=1, noise=0.0, power=None)).charge().stop()
    world.box.show(1, "SuspendedEVSE")
    world.run(300.0)
    assert world.sent() == []
    assert world.said() == OPEN


def test_a_frozen_meter_is_asked_once_before_it_is_called_stale() -> None:
    world = World(Traits(meter="frozen")).charge().stop().run(120.0)
    assert len(world.asked()) == 1
    (alarm,) = world.when(NoticeKind.ALARM)
    assert world.asked()[0] < alarm


def test_a_late_answer_takes_the_finding_back() -> None:
    world = World(replace(IGNORES, answer_seconds=12.0)).charge().stop()
    assert "stop_unanswered" not in world.run(9.9).findings()
    assert "stop_unanswered" in world.run(10.5).findings()
    assert "stop_unanswered" not in world.run(12.5).findings()


def test_a_refusal_is_critical_only_while_current_flows() -> None:
    world = World(replace(IGNORES, answer="Rejected")).charge().stop().run(20.0)
    found = {finding.kind.value: finding.severity.value for finding in world.play.connector().findings}
    assert found["stop_refused"] == "critical"
    calm = World(Traits(answer="Rejected", obeys_after=1.0)).charge().stop().run(20.0)
    found = {finding.kind.value: finding.severity.value for finding in calm.play.connector().findings}
    assert found["stop_refused"] != "critical"


def broken(spoil: Callable[[str], str]) -> World:
    """Everything the meter says from the stop order on is spoilt."""
    world = World(IGNORES).charge()
    send = world.play.from_box

    def say(text: str) -> None:
        send(spoil(text) if "sampledValue" in text else text)

    world.box.say = say  # type: ignore[method-assign]
    return world.stop().run(300.0)


@pytest.mark.parametrize(
    "spoil",
    [lambda text: text[:-9], lambda text: text.replace('"value"', '"value'), lambda text: "\x00" + text[5:]],
    ids=["cut_off", "open_quote", "nul"],
)
def test_readings_that_nobody_can_read_neither_upset_nor_convict(spoil: Callable[[str], str]) -> None:
    world = broken(spoil)
    assert world.said() == NOTHING
    assert world.sent() == []
    assert world.phase() is Phase.BLIND


def test_a_stray_comma_does_not_make_the_watchdog_go_silent() -> None:
    world = broken(lambda text: text.replace('"sampledValue": [', '"sampledValue": [,'))
    assert world.said() == OBEYED
    assert len(world.sent()) == 1
