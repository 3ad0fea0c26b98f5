"""The clock: real at speed 1, made of one start and the monotonic clock in time lapse."""

from __future__ import annotations

import pytest

from ocpp_watchdog.shell.clock import Clock


class Host:
    """The host's two clocks, moved by hand."""

    def __init__(self) -> None:
        self.wall_seconds = 1_759_324_749.0
        self.mono_seconds = 50.0

    def wall(self) -> float:
        return self.wall_seconds

    def mono(self) -> float:
        return self.mono_seconds

    def pass_time(self, seconds: float) -> None:
        self.wall_seconds += seconds
        self.mono_seconds += seconds


def test_real_time_is_the_hosts_own_clocks() -> None:
    host = Host()
    clock = Clock(wall=host.wall, monotonic=host.mono)
    host.pass_time(2.5)
    assert (clock.now().utc, clock.now().mono) == (host.wall_seconds, 52.5)


def test_a_jump_of_the_wall_clock_leaves_durations_alone() -> None:
    host = Host()
    clock = Clock(wall=host.wall, monotonic=host.mono)
    before = clock.now()
    host.wall_seconds -= 3600
    host.pass_time(1)
    assert clock.now().mono - before.mono == 1
    assert clock.now().utc - before.utc == -3599


def test_in_time_lapse_both_clocks_run_together_and_ignore_the_wall() -> None:
    host = Host()
    clock = Clock(30.0, 1_000_000.0, wall=host.wall, monotonic=host.mono)
    before = clock.now()
    host.wall_seconds += 9_999
    host.pass_time(2)
    assert clock.now().utc == 1_000_060.0
    assert clock.now().mono - before.mono == 60.0


def test_a_start_is_kept_at_speed_one_too() -> None:
    host = Host()
    clock = Clock(starts_at=1_000_000.0, wall=host.wall, monotonic=host.mono)
    host.pass_time(3)
    assert clock.now().utc == 1_000_003.0


def test_time_lapse_without_a_start_begins_now() -> None:
    host = Host()
    clock = Clock(10.0, wall=host.wall, monotonic=host.mono)
    assert clock.now().utc == host.wall_seconds


def test_a_timer_is_told_real_seconds_and_never_negative_ones() -> None:
    host = Host()
    clock = Clock(30.0, wall=host.wall, monotonic=host.mono)
    now = clock.now().mono
    assert clock.seconds_until(now + 60) == pytest.approx(2.0)
    assert clock.seconds_until(now - 60) == 0.0


def test_time_must_not_stand_still() -> None:
    with pytest.raises(ValueError, match="speed"):
        Clock(0.0)


def test_a_wall_clock_that_was_never_set_goes_on_from_what_is_known_until_it_is_set() -> None:
    host = Host()
    known = host.wall_seconds
    host.wall_seconds = 5.0
    clock = Clock(wall=host.wall, monotonic=host.mono)
    assert clock.not_before(known)
    assert clock.now().utc == clock.utc() == known
    host.pass_time(10)
    assert clock.now().utc == known + 10
    host.wall_seconds = known + 3_600
    assert clock.utc() == known + 3_600
    host.wall_seconds = known - 100
    assert clock.utc() == known + 10
    host.pass_time(86_400)
    assert clock.utc() == known - 100 + 86_400, "after a day the host must know"


def test_a_wall_clock_that_is_about_right_is_believed() -> None:
    host = Host()
    clock = Clock(wall=host.wall, monotonic=host.mono)
    assert not clock.not_before(host.wall_seconds - 3_600)
    assert not clock.not_before(host.wall_seconds + 30)
    assert clock.utc() == host.wall_seconds
    assert not Clock(30.0, 1_000.0, wall=host.wall, monotonic=host.mono).not_before(2_000.0), "time lapse has its own"
