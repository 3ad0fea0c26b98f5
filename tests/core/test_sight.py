"""What a watch knows of the charge point around it, and current without a transaction (smart-charging T7)."""

from __future__ import annotations

import pytest

from core.builders import at, mono, sample
from ocpp_watchdog.core.decisions import StepKind
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.samples import Sample
from ocpp_watchdog.core.sight import Aim, FlowWithoutTransaction, Sight, Want
from ocpp_watchdog.core.terms import Status

POLICY = Policy()

# -- status --------------------------------------------------------------------------------------------------------


def notified(*told: tuple[float, Status | None]) -> Sight:
    """A sight after these StatusNotifications."""
    sight = Sight()
    for seconds, status in told:
        sight.notified(status, at(seconds))
    return sight


def test_at_first_nothing_is_known() -> None:
    sight = Sight()
    assert (sight.status, sight.quiet_since, sight.status_since) == (None, None, None)
    assert (sight.connected, sight.usable_id, sight.transaction_since) == (False, None, None)
    assert not sight.charging_since_before(mono(1e6))


def test_a_status_has_a_beginning_however_often_it_is_said() -> None:
    sight = notified((0, Status.PREPARING), (10, Status.CHARGING), (40, Status.CHARGING))
    assert (sight.status, sight.status_since) == (Status.CHARGING, at(10))


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.CHARGING])
def test_quiet_is_the_first_status_other_than_charging_since_the_last_flow(status: Status) -> None:
    sight = notified((0, Status.CHARGING), (10, status), (40, status), (50, Status.FINISHING))
    assert sight.quiet_since == at(10)
    sight.flow_seen()
    assert sight.quiet_since is None
    sight.notified(status, at(60))
    assert sight.quiet_since == at(60)


@pytest.mark.parametrize("status", [Status.CHARGING, None])
def test_charging_or_an_unknown_status_is_not_quiet(status: Status | None) -> None:
    assert notified((10, Status.FINISHING), (20, status)).quiet_since is None


def test_a_status_that_is_none_of_ocpp_is_no_status_and_ends_the_one_before() -> None:
    sight = notified((0, Status.CHARGING), (10, None), (20, Status.CHARGING))
    assert sight.status_since == at(20)
    assert notified((0, Status.CHARGING), (10, None)).status is None


def test_charging_since_before_the_order_means_from_an_earlier_moment_until_now() -> None:
    sight = notified((0, Status.CHARGING), (50, Status.CHARGING))
    assert sight.charging_since_before(mono(0.1))
    assert not sight.charging_since_before(mono(0))
    sight.notified(Status.SUSPENDED_EVSE, at(60))
    assert not sight.charging_since_before(mono(100))
    sight.notified(Status.CHARGING, at(70))
    assert not sight.charging_since_before(mono(30))


# -- flow without transaction --------------------------------------------------------------------------------------


def flow_after(*samples: tuple[Sample, bool]) -> FlowWithoutTransaction:
    """These samples came, each with whether a transaction was open."""
    flow = FlowWithoutTransaction(POLICY)
    for one, is_open in samples:
        flow.add(one, transaction_open=is_open)
    return flow


def test_nothing_is_found_at_first() -> None:
    assert not FlowWithoutTransaction(POLICY).is_found


@pytest.mark.parametrize(("last", "is_found"), [(30, False), (30.1, True)])
def test_current_without_transaction_is_found_when_it_lasts_longer_than_the_settle_time(
    last: float, is_found: bool
) -> None:
    assert flow_after((sample(0, "6.5"), False), (sample(last, "6.5"), False)).is_found is is_found


def test_power_without_transaction_is_found_too() -> None:
    assert flow_after((sample(0, "", "201"), False), (sample(31, "", "201"), False)).is_found


def test_current_within_a_transaction_is_none() -> None:
    assert not flow_after((sample(0, "6.5"), True), (sample(60, "6.5"), True)).is_found


def test_the_time_runs_from_the_first_current_without_transaction() -> None:
    flow = flow_after((sample(0, "6.5"), True), (sample(10, "6.5"), False), (sample(40, "6.5"), False))
    assert not flow.is_found
    flow.add(sample(41, "6.5"), transaction_open=False)
    assert flow.is_found


@pytest.mark.parametrize("last", [(sample(50, "1.0", "200"), False), (sample(50, "6.5"), True)])
def test_it_ends_with_a_low_sample_or_a_transaction(last: tuple[Sample, bool]) -> None:
    assert not flow_after((sample(0, "6.5"), False), (sample(40, "6.5"), False), last).is_found


def test_a_low_sample_begins_the_time_anew() -> None:
    flow = flow_after((sample(0, "6.5"), False), (sample(20, "0.0"), False), (sample(40, "6.5"), False))
    assert not flow.is_found


def test_readings_that_carry_no_flow_neither_begin_nor_end_nor_prolong_it() -> None:
    silent = sample(35, "", "", "1000"), False
    assert not flow_after((sample(0, "6.5"), False), silent).is_found
    assert flow_after((sample(0, "6.5"), False), silent, (sample(40, "6.5"), False)).is_found
    assert not flow_after((sample(0, "", "", "1000"), False), (sample(40, "6.5"), False)).is_found


@pytest.mark.parametrize("status", [None, *Status])
def test_two_of_the_statuses_are_suspended(status: Status | None) -> None:
    assert notified((0, status)).is_suspended is (status in (Status.SUSPENDED_EV, Status.SUSPENDED_EVSE))


# -- wishes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("aim", Aim)
def test_stops_and_steps_leave_a_busy_channel_and_nothing_else_does(aim: Aim) -> None:
    assert Want(aim, "X", "{}").is_urgent == (aim in {Aim.STEP, Aim.STOP_NOW})


def test_of_the_owners_test_only_the_stop_is_urgent() -> None:
    assert Want(Aim.SELFTEST, "X", "{}", kind=StepKind.REMOTE_STOP).is_urgent


# -- wishes --------------------------------------------------------------------------------------------------------


def test_a_step_knows_which_it_is_and_nobody_charges_beside_a_connector_unless_it_is_said() -> None:
    assert Want(Aim.STEP, "", "", kind=StepKind.EXTERNAL).step is StepKind.EXTERNAL
    assert not Sight().others_charge()


@pytest.mark.parametrize("aim", Aim)
def test_only_stops_leave_a_busy_channel(aim: Aim) -> None:
    assert Want(aim, "A", "{}").is_urgent is (aim in {Aim.STEP, Aim.STOP_NOW})
    assert Want(aim, "A", "{}", kind=StepKind.REMOTE_STOP).is_urgent is (aim in {Aim.STEP, Aim.STOP_NOW, Aim.SELFTEST})
