"""Times at the head of a line, in the forms that logs have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.readers.times import Known, LogTime, read_time, time_at_the_start


def at(*parts: int, fraction: float = 0.0) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp() + fraction  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("head", "seconds", "known", "is_fine"),
    [
        ("2026/11/20 16:03:09", at(2026, 11, 20, 16, 3, 9), Known.WALL, False),
        ("2026-11-20 16:03:09.250", at(2026, 11, 20, 16, 3, 9, fraction=0.25), Known.WALL, True),
        ("2026-11-20 16:03:09,250 - app", at(2026, 11, 20, 16, 3, 9, fraction=0.25), Known.WALL, True),
        ("2026-11-20T16:03:09Z", at(2026, 11, 20, 16, 3, 9), Known.INSTANT, False),
        ("2026-11-20T16:03:09.5+02:00", at(2026, 11, 20, 14, 3, 9, fraction=0.5), Known.INSTANT, True),
        ("2026-11-20 16:03:09 -0530", at(2026, 11, 20, 21, 33, 9), Known.INSTANT, False),
        ("[INFO]\t2025-12-13\t16:30:16,627\tWebS", at(2025, 12, 13, 16, 30, 16, fraction=0.627), Known.WALL, True),
        (">>> 30.11.2024, 11:23:18 send", at(2024, 11, 30, 11, 23, 18), Known.WALL, False),
        ("9/11/2024 3:14:24 PM recv", at(2024, 9, 11, 15, 14, 24), Known.WALL, False),
        ("9/11/2024 12:14:24 AM recv", at(2024, 9, 11, 0, 14, 24), Known.WALL, False),
        ("Sep 23 12:39:33 evcc", at(1972, 9, 23, 12, 39, 33), Known.NO_YEAR, False),
        ("Mär  3 02:00:00 evcc", at(1972, 3, 3, 2, 0, 0), Known.NO_YEAR, False),
        ("Dez 31 23:59:59 evcc", at(1972, 12, 31, 23, 59, 59), Known.NO_YEAR, False),
        ("Feb 29 10:00:00 evcc", at(1972, 2, 29, 10, 0, 0), Known.NO_YEAR, False),
        ("[09:35:55,576] recv", 9 * 3600 + 35 * 60 + 55.576, Known.NO_DATE, True),
    ],
)  # fmt: skip
def test_a_time_is_read(head: str, seconds: float, known: Known, *, is_fine: bool) -> None:
    found = read_time(head)
    assert found is not None
    assert found == LogTime(pytest.approx(seconds, abs=1e-6), known, is_fine)  # type: ignore[arg-type]


@pytest.mark.parametrize("head", ["", "no time here", "12:34", "2026/13/40", "Xyz 3", "1.2.3.4:9000", "25:61:61 x"])
def test_what_is_no_time_is_none(head: str) -> None:
    assert read_time(head) is None


def test_a_date_that_does_not_exist_leaves_the_time_of_day() -> None:
    found = read_time("2026/13/40 12:00:00")
    assert found is not None
    assert found.known is Known.NO_DATE


@pytest.mark.parametrize(
    ("line", "has"),
    [
        ("2026/11/20 16:03:09 anything", True),
        ("[09:35:55,576] anything", True),
        ("Okt 01 15:19:09 evcc[1]: x", True),
        ("INFO | 2026-11-20 16:03:09 x", True),
        ('"timestamp": "2026-11-20T16:03:09Z",', False),
        ("}]", False),
        ('"value": "12:30:00"', False),
    ],
)
def test_a_line_begins_with_a_time_or_goes_on_with_the_one_before(line: str, *, has: bool) -> None:
    assert (time_at_the_start(line) is not None) is has


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    read_time(text)
    time_at_the_start(text)
