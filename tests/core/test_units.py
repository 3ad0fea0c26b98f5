from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core import units
from ocpp_watchdog.core.units import Limit

SIX_AMPERES = Limit(amperes=6.0, watts=4140.0, number_phases=3, bound_amperes=6.0, bound_watts=None, profile_ids=(1,))


@pytest.mark.parametrize(("said", "meant"), [(None, 3), (1, 1), (2, 2), (3, 3), (0, 3), (-1, 3), (4, 3)])
def test_number_of_phases_is_3_unless_it_is_a_possible_one(said: int | None, meant: int) -> None:
    assert units.phases(said) == meant


@pytest.mark.parametrize(
    ("watts", "number_phases", "amperes"), [(11_000.0, 3, 15.942), (3_680.0, 1, 16.0), (0.0, 3, 0)]
)
def test_watts_become_amperes_per_phase_at_nominal_voltage(watts: float, number_phases: int, amperes: float) -> None:
    assert units.amperes(watts, number_phases) == pytest.approx(amperes, abs=0.001)


def test_amperes_become_watts_of_all_phases() -> None:
    assert units.watts(6.0, 3) == 4_140.0
    assert units.watts(6.0, 1) == 1_380.0


@given(st.floats(0.0, 1e6), st.integers(1, 3))
def test_conversion_there_and_back_gives_the_same(amperes: float, number_phases: int) -> None:
    assert units.amperes(units.watts(amperes, number_phases), number_phases) == pytest.approx(amperes)


@pytest.mark.parametrize(
    ("changes", "is_zero", "in_watts_only"),
    [
        ({}, False, False),
        ({"amperes": 0.0, "watts": 0.0, "bound_amperes": 0.0}, True, False),
        ({"amperes": -1.0, "watts": -690.0, "bound_amperes": -1.0}, True, False),
        ({"amperes": 0.0, "watts": 0.0, "bound_amperes": None, "bound_watts": 0.0}, True, True),
        ({"amperes": 0.0, "watts": 0.0, "bound_amperes": 16.0, "bound_watts": 0.0}, True, True),
        ({"amperes": 0.0, "watts": 0.0, "bound_amperes": 0.0, "bound_watts": 0.0}, True, False),
        ({"bound_amperes": None, "bound_watts": 4140.0}, False, False),
    ],
)
def test_zero_knows_in_which_unit_it_was_said(
    changes: dict[str, float | None], is_zero: bool, in_watts_only: bool
) -> None:
    limit = replace(SIX_AMPERES, **changes)  # type: ignore[arg-type]
    assert limit.is_zero is is_zero
    assert limit.is_zero_in_watts_only is in_watts_only
