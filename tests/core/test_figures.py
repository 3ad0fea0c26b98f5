"""Numbers as charge points write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core.figures import figure, step


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("6", (6.0, "6")),
        ("0", (0.0, "0")),
        ("0.0", (0.0, "0")),
        ("0.000000", (0.0, "0")),
        ("-0.0", (0.0, "0")),
        ("6.00", (6.0, "6")),
        ("6.", (6.0, "6")),
        (".5", (0.5, "0.5")),
        ("100", (100.0, "100")),
        ("100.0", (100.0, "100")),
        ("0.50", (0.5, "0.5")),
        ("006.50", (6.5, "6.5")),
        ("06", (6.0, "6")),
        ("00", (0.0, "0")),
        ("1349.20", (1349.2, "1349.2")),
        (" 6.5 ", (6.5, "6.5")),
        ("6.5\0", (6.5, "6.5")),
        ("+6.5", (6.5, "6.5")),
        ("-8.70", (-8.7, "-8.7")),
        ("2e+01", (20.0, "20")),
        ("1.25E-1", (0.125, "0.125")),
        ("1,5", (1.5, "1.5")),
        ("6.123456789012345678", (6.123456789012345678, "6.123456789012345678")),
        ("1e-30", (0.0, "0")),
        ("1e20", (1e20, "100000000000000000000")),
        (6, (6.0, "6")),
        (6.50, (6.5, "6.5")),
        (2e01, (20.0, "20")),
        (1e-7, (1e-7, "0.0000001")),
        (0, (0.0, "0")),
    ],
)
def test_number_is_read_with_its_canonical_digits(value: str | float, expected: tuple[float, str]) -> None:
    assert figure(value) == expected


@pytest.mark.parametrize(
    ("value", "shift", "expected"),
    [
        ("0.43", 3, (430.0, "430")),
        ("3051.10", 3, (3051100.0, "3051100")),
        ("6530", -3, (6.53, "6.53")),
        (8.94, 3, (8940.0, "8940")),
    ],
)
def test_number_is_scaled_in_decimals(value: str | float, shift: int, expected: tuple[float, str]) -> None:
    assert figure(value, shift) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "abc",
        "6.5 A",
        "1.2.3",
        "1,234.5",
        "1,234,5",
        "1_000",
        "٣",
        "²",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "1e21",
        "1e999",
        "1e999999999999999999999",
        "1" * 41,
        "--1",
        float("nan"),
        float("inf"),
        1e20,
        10**400,
        True,
    ],
)
def test_anything_else_is_no_number(value: str | float) -> None:
    assert figure(value) is None


@given(st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, places=4))
def test_both_ways_of_reading_agree_with_decimal(number: Decimal) -> None:
    for text in (f"{number:f}", f" {number:f}"):
        got = figure(text)
        assert got is not None
        assert got[0] == float(number)
        assert Decimal(got[1]) == number
        assert "." not in got[1] or got[1][-1] not in "0."


@pytest.mark.parametrize(
    ("digits", "expected"),
    [("0", 1000.0), ("7", 1.0), ("120", 10.0), ("5000000", 1000.0), ("1.5", 0.1), ("1.25", 0.01), ("0.00001", 0.001)],
)
def test_step_is_the_largest_power_of_ten_that_divides_the_number(digits: str, expected: float) -> None:
    assert step(digits) == expected


def test_a_figure_that_comes_again_is_read_as_before() -> None:
    assert [figure("16.50") for _ in range(2)] == [(16.5, "16.5")] * 2
    assert (figure("16.50", 3), figure("16.50", -3)) == ((16500.0, "16500"), (0.0165, "0.0165"))
