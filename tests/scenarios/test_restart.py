"""The program dies at any moment and starts again with what it remembered, on a machine whose monotonic clock begins
anew: no step is doubled, no budget won, no alarm told twice, and an open episode goes on.

A memory is kept whenever the station says that it changed, so these stories also tell whether it says so often enough.
What the journal adds to that (commits, files, power loss) is tested with the whole program.
"""

from __future__ import annotations

import random
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import rule

import examples
from ocpp_watchdog.core.decisions import NoticeKind, Phase
from scenarios.peers import Traits
from scenarios.profile import pick
from scenarios.test_invariants import LOOK, Histories
from scenarios.world import IGNORES, World

NEW_MACHINE = 12.0
"""A monotonic clock right behind a boot."""


def mortal(traits: Traits = IGNORES, lane_seconds: float = 0.0, seed: int = 1) -> World:
    return World(traits, mortal=True, lane_seconds=lane_seconds, seed=seed).charge()


def killed(world: World, seconds: float = 3.0, mono: float = NEW_MACHINE, *, boots: bool = False) -> World:
    """Killed now, started again so many seconds later; the charge point is back a second after that."""
    world.play.die()
    world.play.wait(seconds)
    world.play.rise(mono)
    world.play.wait(1.0)
    world.play.connect()
    if boots:
        world.box.say(examples.boot(world.box.new_id()))
    world.play.wait(0.5)
    world.box.flush()
    return world


# -- any moment of any history -----------------------------------------------------------------------------------------


class Mortals(Histories):
    """A history in which the program dies now and then."""

    mortal = True

    @rule(
        seconds=st.sampled_from([0.5, 3.0, 40.0, 1000.0]),
        mono=st.sampled_from([NEW_MACHINE, 4_000.0, 9_000_000.0]),
        boots=st.booleans(),
    )
    def die(self, seconds: float, mono: float, *, boots: bool) -> None:
        box = self.world.box
        killed(self.world, seconds, mono, boots=boots)
        if boots:
            box.show(1, box.plugs[1].status)

    @rule(seconds=st.sampled_from([0.0, 0.3, 5.0]))
    def die_in_an_episode(self, seconds: float) -> None:
        self.world.stop()
        self.world.play.wait(45.0 + seconds)
        killed(self.world)


TestMortals = Mortals.TestCase
TestMortals.settings = settings(LOOK, max_examples=pick(15, 2000))


# -- every moment of one history ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(pick(12, 200)))
def test_the_field_case_with_a_kill_at_a_random_moment_ends_as_it_must(seed: int) -> None:
    chance = random.Random(seed)
    traits = replace(IGNORES, stops_after=chance.choice([None, 1.0]), stop_answer_seconds=chance.choice([0.05, 5.0]))
    world = mortal(traits, lane_seconds=chance.choice([0.0, 0.3]), seed=seed).stop()
    world.run(chance.uniform(0.0, 200.0))
    killed(world, chance.choice([0.5, 3.0, 20.0]), mono=chance.choice([NEW_MACHINE, 5_000_000.0]))
    world.run(420.0)
    assert world.wrong() == []
    assert world.said(NoticeKind.ALARM) == ["alarm"]
    assert 1 <= len(world.sent()) <= 3
    if traits.stops_after is not None:
        assert world.said() == ["alarm", "all_clear"]


def test_two_kills_a_minute_never_win_a_fourth_stop_in_fifteen_minutes() -> None:
    world = mortal(replace(IGNORES, stops_after=None)).stop()
    for _ in range(24):
        world.play.wait(31.0)
        killed(world)
    assert world.wrong() == []
    assert world.said() == ["alarm"]
    assert len(world.sent()) <= 3


def test_after_a_kill_in_an_episode_the_next_stop_goes_out_when_the_clocks_are_known_again() -> None:
    world = mortal(replace(IGNORES, stops_after=None)).stop().run(50.0)
    killed(world)
    assert world.phase() is Phase.REMEDYING
    world.run(120.0)
    assert world.sent() == [pytest.approx(43.0, abs=0.1), pytest.approx(93.0, abs=10.1)]


def test_an_order_that_was_obeyed_stays_obeyed() -> None:
    world = mortal(Traits(obeys_after=2.0)).stop().run(60.0)
    killed(world, 30.0)
    world.run(400.0)
    assert world.said() == []
    assert world.sent() == []
    assert world.wrong() == []


def test_a_raise_ends_the_episode_that_was_open_when_the_program_died() -> None:
    world = mortal(replace(IGNORES, stops_after=None)).stop().run(50.0)
    killed(world)
    world.order(16.0)
    world.play.wait(30.0)
    assert world.said() == ["alarm", "superseded"]


def test_a_second_round_needs_one_sample_also_when_the_program_died_between() -> None:
    world = mortal(replace(IGNORES, interval=10.0, stops_after=None)).stop().run(60.0)
    world.order(6.0)
    world.play.wait(20.0)
    killed(world)
    world.play.wait(60.0)
    world.stop().run(60.0)
    first = next(at for at in world.sent() if at > 0)
    assert first == pytest.approx(38.0, abs=5.1), "one over sample is enough"


def test_what_the_charge_point_said_of_questions_is_known_for_good() -> None:
    slow = replace(IGNORES, interval=300.0, trigger="Rejected")
    world = mortal(slow).stop().run(50.0)
    assert len(world.asked()) == 1
    killed(world)
    world.order(16.0)
    world.play.wait(30.0)
    world.stop().run(100.0)
    assert [at for at in world.asked() if at > 0] == []


# -- asleep ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", ["both clocks", "wall clock"])
@pytest.mark.parametrize("after", [20.0, 41.0, 44.0, 60.0, 80.0])
def test_P6_whoever_slept_for_an_hour_sends_no_burst_and_believes_nothing_old(after: float, steps: str) -> None:
    """SIGSTOP stops the process (both clocks go on), suspend the machine (the monotonic clock stands)."""
    world = World(replace(IGNORES, stops_after=None)).charge().stop().run(after)
    sent = len(world.sent())
    if steps == "both clocks":
        world.play.clock.advance(3600.0)
    else:
        world.play.clock.utc += 3600.0
    asleep_until = world.play.t - world.ordered
    world.play.wait(0.0)
    assert len(world.sent()) == sent, "nothing new was measured yet"
    world.play.wait(300.0)
    woken = [at for at in world.sent()[sent:] if at >= asleep_until]
    assert 1 <= len(woken) <= 3
    assert all(later - earlier >= 30.0 for earlier, later in zip(world.sent(), world.sent()[1:], strict=False))
    assert world.said(NoticeKind.ALARM) == ["alarm"]


# -- the charge point starts anew, or the program in the middle of it -----------------------------------------------


@pytest.mark.parametrize("boots", [True, False])
@pytest.mark.parametrize("dies", [True, False])
@pytest.mark.parametrize("after", [44.0, 60.0, 100.0])
def test_O20_a_charge_point_that_boots_or_dials_anew_in_an_episode_wins_nothing(
    after: float, *, dies: bool, boots: bool
) -> None:
    world = World(replace(IGNORES, stops_after=None), mortal=dies).charge().stop().run(after)
    if dies:
        killed(world, boots=boots)
    else:
        world.play.drop()
        world.play.wait(4.0)
        world.play.connect()
        if boots:
            world.box.say(examples.boot(world.box.new_id()))
        world.box.flush()
    world.box.show(1, "Charging")
    world.run(400.0)
    assert world.wrong() == []
    assert world.said() == ["alarm"]
    assert len(world.sent()) == 3


def test_O17_a_program_that_starts_in_the_middle_of_a_transaction_waits_for_an_order_of_its_own_time() -> None:
    world = World(IGNORES)
    world.play.connect()
    world.box.begin(3.0)
    world.box.plug_in()
    world.play.wait(60.0)
    world.order(0)
    world.play.die()
    world.play.rise_without_memory()
    world.play.connect()
    world.box.show(1, "Charging")
    world.play.wait(300.0)
    assert world.phase() is Phase.UNKNOWN
    assert world.sent() == []
    assert world.asked() == []
    world.stop().run(70.0)
    assert world.said() == ["alarm"]
    assert world.sent(), "the transaction's id was reported in readings meanwhile"
