"""What steps leave behind: when our profile says the same, and how what failed is tried again."""

from __future__ import annotations

from station_kit import SEVEN, in_amperes, in_watts, moment

from ocpp_watchdog.core.leftovers import Leftovers, OwnProfile, Restart


def test_our_profile_says_what_the_central_system_orders_or_not() -> None:
    own = OwnProfile(101, SEVEN, in_amperes(0.0))
    assert own.says(in_amperes(0.0))
    assert not own.says(in_amperes(6.0))
    assert not own.says(in_watts(0.0))
    assert not own.says(None)


def test_what_failed_is_tried_again_at_longer_and_longer_intervals() -> None:
    left = Leftovers(is_asked=True)
    assert left.must_wait(moment(0))
    pauses = []
    for _ in range(10):
        left.failed(moment(0))
        assert left.again_at is not None
        pauses.append(left.again_at - moment(0).mono)
    assert pauses == [60, 120, 240, 480, *[900] * 6]
    assert left.must_wait(moment(899))
    assert not left.must_wait(moment(900))


def test_what_worked_or_died_with_its_session_leaves_no_pause() -> None:
    left = Leftovers(is_asked=True)
    left.failed(moment(0))
    left.settled()
    assert (left.tries, left.again_at, left.is_asked) == (0, None, False)
    left.is_asked = True
    left.connected()
    assert not left.must_wait(moment(0))


def test_a_new_start_must_see_the_cable_in_the_session_it_is_made_in() -> None:
    left = Leftovers(restart=Restart("tag"))
    left.connected()
    assert left.restart == Restart("tag", is_in_sight=False)


def test_whether_anything_is_left_to_be_undone() -> None:
    assert Leftovers().are_none
    assert not Leftovers(restart=Restart("tag")).are_none
