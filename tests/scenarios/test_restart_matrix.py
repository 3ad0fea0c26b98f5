"""The program dies in each phase of an episode, the central system does this or that as soon as the wallbox is back,
while a car charges at the other connector as it may.

The oracle looks for whatever must not be (invariants 1 to 8); here stands what must come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from ocpp_watchdog.core.decisions import Phase, StepKind
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.station import OwnerAction
from scenarios.peers import Traits
from scenarios.profile import pick
from scenarios.test_restart import killed
from scenarios.world import IGNORES, World

BOTH = replace(IGNORES, connectors=(1, 2))
DEAF = replace(BOTH, stops_after=None)
SLOW_TO_ANSWER = replace(DEAF, stop_answer_seconds=8.0)
WHOLE = Policy(ladder=(StepKind.REPEAT_LIMIT, StepKind.TX_PROFILE, StepKind.REMOTE_STOP))


@dataclass(frozen=True)
class Death:
    """When the program dies, in seconds after the stop, and what it is in the middle of. acts: a stop must follow where
    the order goes on."""

    at: float
    traits: Traits = DEAF
    lane_seconds: float = 0.0
    acts: bool = True
    policy: Policy = field(default_factory=Policy)
    phase: Phase = Phase.REMEDYING
    before: Callable[[World], None] = lambda _: None


def stands_down(world: World) -> None:
    world.later(44.0, lambda: world.play.owner(OwnerAction.STAND_DOWN))


DEATHS = {
    "settling": Death(20.0, phase=Phase.SETTLING),
    "suspect": Death(38.0, phase=Phase.SUSPECT),
    "in the lane": Death(44.0, lane_seconds=3.0, phase=Phase.VIOLATING),
    "not answered": Death(46.0, SLOW_TO_ANSWER),
    "proof awaited": Death(55.0),
    "proved": Death(60.0, BOTH, acts=False),
    "second try": Death(75.0),
    "exhausted": Death(200.0, acts=False, phase=Phase.EXHAUSTED),
    "stood down": Death(60.0, acts=False, phase=Phase.STOOD_DOWN, before=stands_down),
    "own profile": Death(100.0, replace(DEAF, tx_obeys=True), acts=False, policy=WHOLE),
}
ORDERS: dict[str, tuple[tuple[float, float], ...]] = {
    "says nothing": (),
    "repeats 0 A": ((0.5, 0.0), (70.0, 0.0)),
    "raises": ((0.5, 6.0),),
    "lowers and raises": ((0.5, 0.0), (5.0, 6.0)),
    "raises and takes it back": ((0.5, 6.0), (5.0, 0.0)),
    "raises and stops anew": ((0.5, 6.0), (30.0, 0.0)),
}


def lived(death: Death, orders: tuple[tuple[float, float], ...]) -> tuple[World, float]:
    """The story, and when the wallbox was back (seconds after the start)."""
    world = World(death.traits, policy=death.policy, mortal=True, lane_seconds=death.lane_seconds)
    world.play.at(1.5, lambda: world.order(16.0, 2))
    world.charge().stop()
    death.before(world)
    world.run(death.at)
    assert world.phase() is death.phase
    killed(world)
    world.play.mortal = False  # it dies once
    back = world.play.t
    for seconds, amperes in orders:
        world.play.at(back + seconds, lambda amperes=amperes: world.central.order(amperes))  # type: ignore[misc]
    world.play.run(back + 400.0)
    return world, back


ROWS = [
    (death, orders)
    for row, death in enumerate(DEATHS)
    for column, orders in enumerate(ORDERS)
    if (row + 2 * column) % pick(3, 1) == 0  # a third of them, each of either kind; all with HYPOTHESIS_PROFILE=deep
]


@pytest.mark.parametrize(("death", "orders"), ROWS)
def test_P1_whatever_the_program_was_at_it_goes_on_as_the_order_wants(death: str, orders: str) -> None:
    how = DEATHS[death]
    world, back = lived(how, ORDERS[orders])
    assert world.wrong() == []
    trace = world.play.trace
    assert {int(written.inject.connector) for written in trace.written} <= {1}, "the other one may charge"
    later = [written for written in trace.stops(1) if written.at - world.play.begin > back]
    if orders in ("raises", "lowers and raises"):
        assert later == []
        assert world.play.connector().episode is None
    elif orders == "raises and stops anew":
        assert later or how.traits.stops_after is not None or how.traits.tx_obeys or len(trace.stops(1)) == 3
    elif how.acts or (death == "own profile" and orders == "raises and takes it back"):
        assert later, "our profile went with the raise, and is not tried twice in an episode"
    else:
        assert later == []
    assert world.phase(2) is Phase.OBEYING


@pytest.mark.parametrize("death", ["not answered", "proof awaited", "second try", "exhausted"])
def test_P1_an_alarm_that_was_told_is_not_told_again(death: str) -> None:
    world, _ = lived(DEATHS[death], ORDERS["repeats 0 A"])
    assert world.said().count("alarm") == 1


def test_P1_our_own_profile_goes_when_the_order_is_raised_after_a_restart() -> None:
    world, back = lived(DEATHS["own profile"], ORDERS["raises"])
    cleared = [w.at for w in world.play.trace.written if w.inject.action == "ClearChargingProfile"]
    assert len(cleared) == 1
    assert cleared[0] - world.play.begin - back < 12.0
    assert world.box.plugs[1].current > 5.0, "the car charges as it may"
