"""The newest few of something."""

from __future__ import annotations

from ocpp_watchdog.core.recent import Recent


def test_the_oldest_goes_when_there_are_too_many() -> None:
    recent: Recent[int] = Recent(2)
    for number in (1, 2, 3):
        recent.append(number)
    assert recent == [2, 3]


def test_where_none_may_be_kept_none_is() -> None:
    recent: Recent[int] = Recent(0)
    recent.append(1)
    assert not recent


def test_of_too_many_to_begin_with_the_newest_are_kept() -> None:
    assert Recent(2, (1, 2, 3)) == [2, 3]
