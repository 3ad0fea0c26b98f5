"""ISO 8601 as charge points write it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core.timestamps import instant, stamp, timestamp

NOON = 1704110400.0  # 2024-01-01T12:00:00Z


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01T12:00:00Z",
        "2024-01-01t12:00:00z",
        "2024-01-01 12:00:00",
        "2024-01-01T12:00:00",
        "2024-01-01T12:00Z",
        "2024-01-01T12:00",
        " 2024-01-01T12:00:00Z ",
        "2024-01-01T12:00:00 Z",
        "2024-01-01T12:00:00.000Z",
        "2024-01-01T12:00:00+00:00",
        "2024-01-01T14:00:00+02",
        "2024-01-01T14:00:00+0200",
        "2024-01-01T14:00:00+02:00",
        "2024-01-01T14:00:00 +02:00",
        "2024-01-01T06:30:00-05:30",
        "2024-01-02T00:00:00+12:00",
        "2023-12-31T23:59:60-12:00",
    ],
)
def test_same_instant_is_read_in_every_spelling(text: str) -> None:
    assert timestamp(text) == NOON


@pytest.mark.parametrize(
    ("text", "fraction"),
    [(".5Z", 0.5), (",5Z", 0.5), (".788", 0.788), (".379399+00:00", 0.379399), ("." + "3" * 100_000 + "Z", 1 / 3)],
)
def test_fraction_has_any_length(text: str, fraction: float) -> None:
    assert timestamp("2024-01-01T12:00:00" + text) == pytest.approx(NOON + fraction, abs=1e-6)


def test_1970_is_a_time() -> None:
    assert timestamp("1970-01-01T00:00:00Z") == 0.0
    assert timestamp("1970-01-01T00:01:23.5Z") == 83.5


@pytest.mark.parametrize(
    "value",
    [
        "0000-00-00T00:00:00.000Z",
        "222222017-10-27T10:00:00Z",
        "yesterday",
        "",
        "2024-01-01",
        "20240101T120000Z",
        "2024-13-01T12:00:00Z",
        "2024-00-01T12:00:00Z",
        "2024-01-00T12:00:00Z",
        "2024-01-32T12:00:00Z",
        "2023-02-29T12:00:00Z",
        "2100-02-29T12:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T12:60:00Z",
        "2024-01-01T12:00:61Z",
        "2024-01-01T12:00:00+24:00",
        "2024-01-01T12:00:00+2",
        "2024-01-01T12:00:00.Z",
        "2024-01-01T12:00:00X",
        "２024-01-01T12:00:00Z",
        "1969-12-31T23:59:59Z",
        "2201-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        None,
        1704110400,
        True,
        [1, 2, 3],
    ],
)
def test_anything_else_is_no_time_of_a_charge_point(value: object) -> None:
    assert timestamp(value) is None


def test_end_of_2200_is_still_a_time() -> None:
    assert timestamp("2200-12-31T23:59:59Z") == datetime(2200, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("9999-12-31T23:59:59Z", 253402300799.0), ("0001-01-01T00:00:00Z", -62135596800.0)],
)
def test_instant_knows_for_ever_and_the_empty_time_of_go(text: str, seconds: float) -> None:
    assert instant(text) == seconds


def test_year_nought_is_no_instant() -> None:
    assert instant("0000-01-01T00:00:00Z") is None


def test_endless_blanks_are_refused_in_linear_time() -> None:
    began = time.process_time()
    assert timestamp("2024-01-01T12:00:00" + " " * 200_000 + "X") is None
    assert time.process_time() - began < 0.5


@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001 - the zone is drawn beside it
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_every_instant_is_the_one_of_the_calendar(naive: datetime, offset: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert instant(moment.isoformat()) == pytest.approx(
        (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds(), abs=1e-4
    )


@given(st.text(alphabet="0123456789-:TZ+. ", max_size=40))
def test_reading_a_time_never_raises(text: str) -> None:
    seconds = timestamp(text)
    assert seconds is None or seconds >= 0.0


@pytest.mark.parametrize(
    ("utc", "text"),
    [
        (1_759_324_749.9, "2025-10-01T13:19:09Z"),
        (-62_135_596_800.0, "0001-01-01T00:00:00Z"),
        (253_402_300_799.0, "9999-12-31T23:59:59Z"),
        (253_402_300_800.0, None),
        (1e300, None),
        (float("nan"), None),
    ],
)
def test_a_time_is_written_as_evcc_writes_it_where_its_year_has_four_digits(utc: float, text: str | None) -> None:
    assert stamp(utc) == text
