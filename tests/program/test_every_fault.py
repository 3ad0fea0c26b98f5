"""One row for each simulated fault: what goes out, what is said, how it ends, with evcc in mode off.

The wallbox charges at 6 A, then evcc orders 0 A; readings come 3, 13, 23 ... s after that. Windows are seconds after
the order as it reached the wallbox: the deadline is 30 s after its answer, the second counting sample at 43 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from leaping import lived
from whole_program import BOX, Tale, page_of, tale

from ocpp_watchdog.core.decisions import Phase, StepOutcome
from ocpp_watchdog.simulator.faults import FAULTS

Window = tuple[float, float]
CONFIRMED: Window = (42.0, 45.0)
LATER: Window = (46.0, 55.0)
TRIES = (CONFIRMED, (72.0, 76.0), (102.0, 107.0))
OBEYED = ("alarm", "all_clear")
NOTHING: tuple[str, ...] = ()
SPACING_SECONDS = 30.0


@dataclass(frozen=True)
class Row:
    """stops: a window for each RemoteStopTransaction. questions: how many TriggerMessages of ours at most. finds: the
    findings that must show; may_find: those that may, and no others. flows: whether current flows in the end. lasts:
    seconds played."""

    fault: str
    said: tuple[str, ...] = OBEYED
    stops: tuple[Window, ...] = (CONFIRMED,)
    questions: int = 0
    ends: Phase = Phase.OBEYING
    finds: frozenset[str] = frozenset()
    may_find: frozenset[str] = frozenset()
    flows: bool = False
    lasts: float = 150.0
    connector: int = 1
    connections_are_lost: bool = False


def found(*names: str) -> frozenset[str]:
    return frozenset(names)


ROWS = (
    Row("none", NOTHING, ()),
    Row("ignores-zero"),
    Row("ignores-zero-only"),
    Row("obeys-late", NOTHING, ()),
    # It obeys, but what it shows is a current that the register denies: nobody may act on that.
    Row("frozen-meter", ("alarm",), (), ends=Phase.VIOLATING, finds=found("stale_meter")),
    Row("hidden-flow", finds=found("contradiction")),
    # Silence is neither obedience nor its opposite: one question, then blind.
    Row("silent-while-suspended", NOTHING, (), 1, Phase.BLIND),
    Row("silent-ignores", NOTHING, (), 1, Phase.BLIND, flows=True),
    Row("remote-stop-ignored", ("alarm", "exhausted"), TRIES, ends=Phase.EXHAUSTED, flows=True),
    Row("remote-stop-refused", ("alarm", "exhausted"), TRIES, ends=Phase.EXHAUSTED, flows=True),
    # The transaction is over, so nothing is left that could be stopped.
    Row(
        "stops-transaction-keeps-flowing",
        ("alarm", "exhausted"),
        ends=Phase.EXHAUSTED,
        finds=found("charging_without_transaction"),
        flows=True,
    ),
    Row("profile-refused", finds=found("stop_refused")),
    Row("profile-unanswered", finds=found("stop_unanswered")),
    # By its own clock the order begins a minute later; by ours the current goes on too long. evcc asks such a box for
    # readings every 2 s, so two of them that lie 8 s apart are in sooner.
    Row("wrong-clock", stops=((38.0, 45.0),), finds=found("clock_skew")),
    Row("power-tenth", finds=found("contradiction")),
    # Nobody answers what nobody can read: the channel is never idle, and the stop goes out 10 s later all the same.
    Row("invalid-json", stops=(LATER,), lasts=170.0),
    Row("drops-at-stop", finds=found("out_of_sight", "stop_unanswered"), connections_are_lost=True),
    # Each time evcc says 0 A again it boots, forgets, and charges on: new episodes under one order, one budget.
    Row(
        "reboots-at-stop",
        (*OBEYED, *OBEYED, "alarm", "exhausted"),
        (CONFIRMED, (68.0, 120.0), (150.0, 220.0)),
        ends=Phase.EXHAUSTED,
        finds=found("out_of_sight"),
        may_find=found("contradiction"),
        flows=True,
        lasts=320.0,
        connections_are_lost=True,
    ),
    Row("slow-answers", questions=1, stops=(LATER,), lasts=170.0),
    Row("two-connectors", connector=2),
)


def test_every_fault_has_a_row() -> None:
    assert [*(row.fault for row in ROWS), "mute-to-questions", "actec"] == list(FAULTS)


@pytest.mark.parametrize("row", ROWS, ids=[row.fault for row in ROWS])
def test_each_fault_is_answered_as_the_rules_say(row: Row) -> None:
    async def story() -> None:
        async with tale(row.fault) as told:
            await told.charging()
            transaction = told.box.transaction_id(row.connector)
            await told.stop()
            before = told.proxy.relay.counters.injected
            assert before == 0, "something of ours went out before a stop was ordered"
            await told.sleep(row.lasts)
            page = await page_of(told)
            await told.everything_passed(connections_were_lost=row.connections_are_lost)

            assert told.said() == list(row.said)
            the_stops_are_as_said(told, row, transaction)
            assert len(told.injected("TriggerMessage")) <= row.questions
            assert len(told.ours()) == len(row.stops) + len(told.injected("TriggerMessage")), "nothing else"
            assert told.schedules_asked() <= told.said().count("alarm"), "once an episode"
            assert row.finds <= told.findings(row.connector) <= row.finds | row.may_find
            assert told.connector(row.connector).phase is row.ends
            assert (told.box.current_amperes(row.connector) > 1.0) == row.flows
            assert page.value("degraded") == 0
            assert page.ones("phase", "phase", charge_point=BOX, connector=str(row.connector)) == {row.ends.value}

    lived(story())


def the_stops_are_as_said(told: Tale, row: Row, transaction: int | None) -> None:
    """In their windows, 30 s apart, the first for the transaction that ran, and none in vain without a record."""
    sent = told.injected("RemoteStopTransaction")
    assert len(sent) == len(row.stops), sent
    for at, (first, last) in zip(sent, row.stops, strict=True):
        assert first <= at <= last, sent
    assert all(later - earlier >= SPACING_SECONDS - 0.1 for earlier, later in pairwise(sent))
    stopped = [entry.payload["transactionId"] for entry in told.ours() if entry.action == "RemoteStopTransaction"]
    assert stopped[:1] == [transaction] * bool(row.stops)
    assert [told.after(step.sent.mono) for step in told.steps(StepOutcome.SENT) if step.sent] == pytest.approx(
        sent, abs=0.5
    )


def test_of_two_connectors_the_obedient_one_is_left_alone() -> None:
    async def story() -> None:
        async with tale("two-connectors") as told:
            await told.charging()
            obedient, other = told.box.transaction_id(1), told.box.transaction_id(2)
            await told.stop()
            await told.sleep(150.0)
            assert [entry.payload["transactionId"] for entry in told.ours()] == [other]
            assert told.box.transaction_id(1) == obedient
            assert told.said(1) == []
            assert told.phases(1) == {Phase.SETTLING, Phase.OBEYING}

    lived(story())


def test_a_box_that_evcc_gives_up_on_is_never_ordered_anything_and_nothing_is_claimed() -> None:
    async def story() -> None:
        async with tale("mute-to-questions") as told:
            await told.until(lambda: told.box.current_amperes() > 5.0)
            await told.sleep(300.0)
            assert told.limits() == []
            assert told.ours() == []
            assert told.said() == []
            assert told.phases() == {Phase.UNKNOWN}
            await told.everything_passed()

    lived(story())
