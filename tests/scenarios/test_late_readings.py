"""Readings that wait in a queue before they are sent, without a word about it: each comes later than the one before it,
then all alike. What was measured before a car obeyed must not pass for what flows now; and a clock that was set must
not make a living meter look old for good.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scenarios.peers import Traits
from scenarios.world import IGNORES, ORDERED, World

OBEYS = Traits(obeys_after=2.0)
ONSET = 60.0
HELD = (12.0, 20.0, 30.0, 45.0, 60.0, 90.0)
MOST_CAUGHT = 2


def late(seconds: float, traits: Traits = OBEYS, since: float = ONSET) -> World:
    """From a minute before the stop on every reading comes so late."""
    world = World(traits)
    world.play.at(since, lambda: setattr(world.box, "delay", lambda: seconds))
    return world.charge()


@pytest.mark.parametrize("seconds", HELD)
def test_readings_that_are_late_alike_accuse_nobody_who_obeys(seconds: float) -> None:
    world = late(seconds).stop().run(300.0)
    assert world.sent() == []
    assert world.said() == []


@pytest.mark.parametrize("seconds", [12.0, 30.0, 45.0])
def test_who_ignores_the_stop_is_caught_by_late_readings_when_they_are_of_after_the_deadline(seconds: float) -> None:
    world = late(seconds, IGNORES).stop().run(300.0)
    assert world.sent()[0] <= 30.0 + 15.0 + 10.0 + seconds


def test_a_queue_that_empties_slowly_after_a_reconnect_accuses_nobody_who_obeys() -> None:
    """Nothing is heard for five minutes; then one of the queued readings every two seconds, for longer than the thirty
    seconds in which none of them is believed. evcc orders 0 A as soon as the wallbox is back."""
    world = World(OBEYS).charge()
    play, box = world.play, world.box
    play.drop()
    play.wait(300.0)
    play.connect()
    waiting, box.queue = box.queue, []
    for number, (text, _) in enumerate(waiting):
        play.after(2.0 * number, lambda text=text: play.from_box(text))  # type: ignore[misc]
    box.delay = lambda: max(0.0, 2.0 * len(waiting) - (play.t - 420.0))
    world.stop().run(300.0)
    assert world.sent() == []
    assert world.said() == []


def set_back(seconds: float, at: float) -> Callable[[World], None]:
    """The charge point's clock is set back by so much, at this moment."""

    def change(world: World) -> None:
        clock = type(world.box).clock

        def slow(utc: float | None = None) -> float:
            return clock(world.box, utc) - (seconds if world.play.t >= at else 0.0)

        world.box.clock = slow  # type: ignore[method-assign]

    return change


@pytest.mark.parametrize("seconds", [15.0, 45.0, 120.0, 3600.0])
@pytest.mark.parametrize("at", [ORDERED - 5.0, ORDERED + 15.0])
def test_a_clock_that_was_set_back_hides_no_ignored_stop(seconds: float, at: float) -> None:
    world = World(IGNORES)
    set_back(seconds, at)(world)
    world.charge().stop().run(300.0)
    assert world.sent(), "the last five readings say what the clock is now"
    assert world.sent()[0] <= 120.0


@pytest.mark.parametrize("seconds", [15.0, 120.0, 3600.0])
def test_a_clock_that_was_set_while_nothing_was_heard_hides_no_ignored_stop_for_good(seconds: float) -> None:
    """Silence, and then late time stamps: that may be a queue. It is not believed to be one for ever."""
    world = World(IGNORES)
    set_back(seconds, ORDERED - 60.0)(world)
    world.play.at(ORDERED - 70.0, lambda: setattr(world.box, "reading", False))
    world.play.at(ORDERED - 8.0, lambda: setattr(world.box, "reading", True))
    world.charge().stop().run(1500.0)
    assert world.sent()
