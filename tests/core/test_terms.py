"""The core's own words, held against those of the ``ocpp`` package."""

from __future__ import annotations

from enum import Enum

import pytest
from ocpp.v16 import enums

from ocpp_watchdog.core.terms import (
    WHOLE_CHARGE_POINT,
    Context,
    Direction,
    Moment,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
    Status,
)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Purpose, enums.ChargingProfilePurposeType),
        (ProfileKind, enums.ChargingProfileKindType),
        (Recurrency, enums.RecurrencyKind),
        (RateUnit, enums.ChargingRateUnitType),
        (Status, enums.ChargePointStatus),
        (Context, enums.ReadingContext),
    ],
)
def test_enumeration_says_the_words_of_ocpp(ours: type[Enum], theirs: type[Enum]) -> None:
    assert {member.value for member in ours} == {member.value for member in theirs}


def test_answer_takes_the_other_direction() -> None:
    assert Direction.TO_CENTRAL_SYSTEM.back is Direction.TO_CHARGE_POINT
    assert Direction.TO_CHARGE_POINT.back is Direction.TO_CENTRAL_SYSTEM


def test_moment_moves_both_clocks() -> None:
    assert Moment(utc=1_000.0, mono=5.0).later(2.5) == Moment(utc=1_002.5, mono=7.5)


def test_connector_0_is_the_whole_charge_point() -> None:
    assert WHOLE_CHARGE_POINT == 0
