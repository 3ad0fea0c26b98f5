"""What the owner's test will do, and the profile it varies."""

from __future__ import annotations

import pytest
from station_kit import START, in_amperes

from ocpp_watchdog.core.exercise import Part, limited, plan
from ocpp_watchdog.core.profiles import ChargingProfile, SchedulePeriod
from ocpp_watchdog.core.terms import ProfileKind, Purpose, RateUnit


def profile(unit: RateUnit = RateUnit.AMPERES, number_phases: int | None = None) -> ChargingProfile:
    """evcc's own: TxDefaultProfile, one period of 16."""
    return ChargingProfile(
        profile_id=1,
        stack_level=0,
        purpose=Purpose.TX_DEFAULT,
        kind=ProfileKind.ABSOLUTE,
        recurrency=None,
        transaction_id=None,
        valid_from=None,
        valid_to=None,
        unit=unit,
        start_schedule=START.utc - 3600.0,
        duration=None,
        periods=(SchedulePeriod(0.0, 16.0, number_phases), SchedulePeriod(60.0, 6.0, None)),
    )


@pytest.mark.parametrize(
    ("ordered", "walk"), [(32.0, [16, 10, 6, 0]), (16.0, [16, 10, 6, 0]), (11.0, [10, 6, 0]), (5.0, [0])]
)
def test_never_more_is_walked_than_the_central_system_orders(ordered: float, walk: list[float]) -> None:
    parts = plan(in_amperes(ordered), id_tag="T")
    assert [part.amperes for part in parts if part.part is Part.LIMIT] == walk
    assert [part.part for part in parts[-3:]] == [Part.RESTORE, Part.REMOTE_STOP, Part.REMOTE_START]


def test_without_an_id_tag_nothing_is_started_anew() -> None:
    assert plan(in_amperes(16.0), id_tag="")[-1].part is Part.REMOTE_STOP


def test_the_varied_profile_takes_the_place_of_the_central_systems_own() -> None:
    varied = limited(profile(), 10.0, START.utc)
    assert (varied.profile_id, varied.stack_level, varied.purpose) == (1, 0, Purpose.TX_DEFAULT)
    assert varied.periods == (SchedulePeriod(0.0, 10.0, None),)
    assert varied.start_schedule == START.utc - 60.0, "dated anew, so that it is in force at once"


@pytest.mark.parametrize(("number_phases", "limit"), [(None, 6900.0), (1, 2300.0)])
def test_a_profile_in_watts_stays_in_watts(number_phases: int | None, limit: float) -> None:
    varied = limited(profile(RateUnit.WATTS, number_phases), 10.0, START.utc)
    assert (varied.unit, varied.periods[0].limit) == (RateUnit.WATTS, limit)
