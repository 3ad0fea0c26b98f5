"""What evcc believes: by the box's own timestamps, and 0 W after every stop."""

from __future__ import annotations

from typing import Any

import pytest

from ocpp_watchdog.simulator.central_belief import Belief
from ocpp_watchdog.simulator.clock import posix_seconds, whole_seconds

NOW = posix_seconds("2026-11-20T16:00:00Z") or 0.0


def status(name: str, late: float = 0.0, **fields: Any) -> dict[str, Any]:
    """A StatusNotification that is ``late`` seconds old."""
    return {"connectorId": 1, "status": name, "errorCode": "NoError", "timestamp": whole_seconds(NOW - late), **fields}


def readings(late: float = 0.0, **fields: Any) -> dict[str, Any]:
    """MeterValues of 1460/1410/1410 W, ``late`` seconds old."""
    samples = [
        {"value": value, "measurand": "Power.Active.Import", "phase": phase, "unit": "W"}
        for phase, value in (("L1", "1460"), ("L2", "1410"), ("L3", "1410"))
    ]
    return {"meterValue": [{"timestamp": whole_seconds(NOW - late), "sampledValue": samples}], **fields}


def test_the_power_is_the_sum_of_the_phases():
    belief = Belief()
    belief.take_meter_values(readings())
    assert belief.power_watts(NOW) == 4280


def test_a_status_that_is_two_minutes_old_is_ignored_once_one_is_known():
    belief = Belief()
    assert belief.take_status(status("Available", late=120), NOW)
    assert not belief.take_status(status("Charging", late=120), NOW)
    assert belief.status == "Available"
    assert belief.take_status({**status("Charging"), "timestamp": None}, NOW)


def test_after_a_stop_samples_of_a_clock_that_is_behind_do_not_count():
    belief = Belief()
    belief.take_start(7)
    belief.take_meter_values(readings())
    belief.stop(NOW + 5)
    belief.take_meter_values(readings(late=-4))
    assert belief.power_watts(NOW + 6) == 0
    belief.take_meter_values(readings(late=-5))
    assert belief.power_watts(NOW + 6) == 4280


def test_old_readings_are_an_error_with_a_transaction_and_nothing_without():
    belief = Belief()
    belief.take_meter_values(readings(late=61))
    assert belief.power_watts(NOW) == 0
    belief.take_start(7)
    assert belief.power_watts(NOW) is None


def test_currents_without_power_are_no_power():
    belief = Belief()
    belief.take_meter_values(
        {
            "meterValue": [
                {
                    "timestamp": whole_seconds(NOW),
                    "sampledValue": [{"value": "6.5", "measurand": "Current.Import", "phase": "L1", "unit": "A"}],
                }
            ]
        }
    )
    assert belief.power_watts(NOW) == 0


@pytest.mark.parametrize(("value", "unit", "watts"), [("4.28", "kW", 4280.0), ("1,5", "kW", None), ("abc", None, None)])
def test_a_total_is_scaled_or_no_number_at_all(value: str, unit: str | None, watts: float | None):
    belief = Belief()
    sample = {"value": value, "measurand": "Power.Active.Import", **({"unit": unit} if unit else {})}
    belief.take_meter_values({"meterValue": [{"timestamp": whole_seconds(NOW), "sampledValue": [sample]}]})
    assert belief.power_watts(NOW) == watts


def test_available_ends_the_transaction():
    belief = Belief()
    belief.take_status(status("Charging"), NOW)
    belief.take_start(7)
    belief.take_status(status("Available"), NOW)
    assert belief.transaction_id == 0


def test_a_transaction_that_was_missed_is_taken_from_the_readings_while_charging():
    belief = Belief()
    belief.take_meter_values(readings(transactionId=5))
    assert belief.transaction_id == 0
    belief.take_status(status("Charging"), NOW)
    belief.take_meter_values(readings(transactionId=5))
    assert belief.transaction_id == 5


def test_readings_without_a_timestamp_are_nothing():
    belief = Belief()
    belief.take_meter_values({"meterValue": [{"sampledValue": [{"value": "1"}]}]})
    assert belief.age(NOW) == float("inf")


@pytest.mark.parametrize(("value", "offered"), [("6.0", True), ("0.0", False), ("x", None)])
def test_what_is_offered_decides_when_it_is_measured(value: str, offered: bool | None):
    belief = Belief()
    sample = {"value": value, "measurand": "Current.Offered", "unit": "A"}
    belief.take_meter_values({"meterValue": [{"timestamp": whole_seconds(NOW), "sampledValue": [sample]}]})
    assert belief.offered() is offered
