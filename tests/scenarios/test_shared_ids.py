"""Two connectors whose transactions have the same id: some central systems answer every StartTransaction with 0, some
wallboxes give every transaction the same number. A stop by that id names both, so it may only go out when both are to
be stopped; else another step is taken, and the alarm says why.
"""

from __future__ import annotations

import pytest

from core.station_kit import Desk
from ocpp_watchdog.core.decisions import NoticeKind, StepKind
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.station import OwnerAction
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.wording import notice_text

STOP = "RemoteStopTransaction"
BEFORE = (-57, -47, -37, -27, -17, -7)
AFTER = (3, 13, 23, 33, 43, 53, 63, 73)
ONLY_STOP = Policy(composite_schedule_question=False)


def actions(desk: Desk) -> list[str]:
    return [action for _, action in desk.wire()]


def same_id(policy: Policy = ONLY_STOP, transaction: int = 0) -> Desk:
    """Two cars charge; both transactions have this id."""
    desk = Desk(policy)
    desk.connect()
    desk.to(-110)
    for connector in (1, 2):
        desk.plug(transaction, connector)
        desk.limit(16, connector=connector)
    return desk


def lived(desk: Desk, ordered: tuple[int, ...], flowing: tuple[int, ...]) -> Desk:
    """0 A is ordered on these at 0; on those current goes on flowing, on others with an order it falls."""
    for t in BEFORE:
        read(desk, t, (1, 2))
    desk.to(0)
    for connector in ordered:
        desk.limit(0, connector=connector)
    for t in AFTER:
        read(desk, t, flowing)
    return desk


def read(desk: Desk, t: float, flowing: tuple[int, ...]) -> None:
    for connector in (1, 2):
        desk.meter(t + connector / 10, 6.5 if connector in flowing else 0.0, connector=connector)


@pytest.mark.parametrize("transaction", [0, -1, 4711])
def test_a_stop_that_might_end_an_innocent_transaction_is_not_sent_and_the_alarm_says_why(transaction: int) -> None:
    desk = lived(same_id(transaction=transaction), ordered=(1,), flowing=(1, 2))
    assert actions(desk) == []
    alarm = desk.notice(NoticeKind.ALARM)
    assert "same id runs at another connector" in notice_text("BOX1", alarm, Language.EN)
    assert "derselben Nummer" in notice_text("BOX1", alarm, Language.DE)
    assert alarm.connector == 1


def test_who_obeys_the_same_order_is_innocent_too() -> None:
    desk = lived(same_id(), ordered=(1, 2), flowing=(1,))
    assert actions(desk) == []


def test_the_next_step_is_taken_instead() -> None:
    steps = (StepKind.REMOTE_STOP, StepKind.INOPERATIVE)
    desk = lived(same_id(Policy(ladder=steps, composite_schedule_question=False)), ordered=(1,), flowing=(1, 2))
    assert actions(desk)[0] == "ChangeAvailability"
    assert STOP not in actions(desk)


def test_a_profile_for_the_transaction_names_its_connector_and_may_be_sent() -> None:
    steps = (StepKind.TX_PROFILE, StepKind.REMOTE_STOP)
    desk = lived(same_id(Policy(ladder=steps, composite_schedule_question=False)), ordered=(1,), flowing=(1, 2))
    assert actions(desk)[0] == "SetChargingProfile"
    assert STOP not in actions(desk)


def test_where_both_are_to_be_stopped_the_stop_goes_out() -> None:
    desk = lived(same_id(), ordered=(1, 2), flowing=(1, 2))
    assert STOP in actions(desk)


def test_once_the_innocent_transaction_is_over_the_stop_goes_out() -> None:
    desk = lived(same_id(), ordered=(1,), flowing=(1, 2))
    desk.status("Available", 2)
    read(desk, 83, (1,))
    assert actions(desk) == [STOP]


def test_a_transaction_that_begins_elsewhere_with_the_same_id_cancels_the_stop_that_waits() -> None:
    desk = Desk(ONLY_STOP)
    desk.writes = False
    desk.begin()
    lived(desk, ordered=(1,), flowing=(1,))
    stop = desk.stop()
    assert stop is not None
    desk.plug(7, 2)
    assert not desk.station.may_send(stop.unique_id, desk.now)


def test_what_the_owner_orders_by_name_goes_out_all_the_same() -> None:
    desk = lived(same_id(), ordered=(1,), flowing=(1, 2))
    desk.owner(OwnerAction.STOP_NOW)
    assert actions(desk) == [STOP]


def test_a_stop_of_both_ends_the_one_whose_status_says_so() -> None:
    desk = lived(same_id(), ordered=(1, 2), flowing=(1, 2))
    desk.stops(0)
    desk.status("Finishing", 2)
    assert not desk.view(2).transaction_open
    assert desk.view(1).transaction_open
