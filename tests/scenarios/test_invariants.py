"""Generated histories against the invariants (watchdog rules 7): whatever comes in, whatever the meter is like.

Two machines: one central system and one charge point that may do anything a charge point has been seen to do, and the
same with two connectors. At the end of each history the oracle speaks; then the history is lived again and must give
the same decisions. ``HYPOTHESIS_PROFILE=deep`` looks longer.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from dataclasses import replace
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

import examples
from ocpp_watchdog.core.decisions import Mode, StepKind
from ocpp_watchdog.core.policy import AfterStop, Policy, SetBack
from ocpp_watchdog.core.station import OwnerAction
from ocpp_watchdog.core.terms import Direction
from scenarios.peers import Traits
from scenarios.playbook import Playbook, live_again
from scenarios.profile import DEEP, pick
from scenarios.world import World

LOOK = settings(
    max_examples=pick(20, 3000),
    stateful_step_count=pick(25, 60),
    deadline=None,
    derandomize=not DEEP,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink) if DEEP else (Phase.explicit, Phase.generate),
)

SECONDS = st.floats(0.0, 120.0).map(lambda value: round(value, 2))
WORDS = st.sampled_from(["Accepted", "Accepted", "Accepted", "Rejected", "NotSupported", "error", None])
LIMITS = st.sampled_from([0.0, 0.0, 0.0, 6.0, 7.0, 16.0])

TRAITS = st.builds(
    Traits,
    interval=st.sampled_from([5.0, 10.0, 10.0, 15.0, 30.0, 60.0]),
    jitter=st.sampled_from([0.0, 0.0, 1.0, 4.0]),
    draw=st.sampled_from([6.5, 6.5, 16.0, 2.0, 0.6]),
    noise=st.sampled_from([0.0, 0.05, 0.05, 0.4]),
    decimals=st.sampled_from([0, 1, 2, 2, 3]),
    phases=st.sampled_from([1, 3, 3]),
    stamp=st.sampled_from(["seconds", "seconds", "seconds", "millis", "none", "garbage", "zero"]),
    skew=st.sampled_from([0.0, 0.0, -30.0, 90.0, -7200.0, 5400.0]),
    currents=st.sampled_from([True, True, True, False]),
    power=st.sampled_from([1.0, 1.0, 0.1, 0.0, None]),
    register_step=st.sampled_from([None, None, 1.0, 10.0, 100.0]),
    register_share=st.sampled_from([1.0, 1.0, 1.0, 0.6, 0.2, 0.0]),
    answer=WORDS,
    answer_seconds=st.sampled_from([0.05, 0.1, 2.0, 9.5, 14.0]),
    obeys_after=st.sampled_from([None, None, None, 1.0, 25.0, 40.0]),
    meter=st.sampled_from(["true", "true", "true", "frozen", "zeros"]),
    silent_when_stopped=st.booleans(),
    honest_status=st.booleans(),
    stop_answer=WORDS,
    stop_answer_seconds=st.sampled_from([0.05, 3.0, 12.0]),
    repeat_obeys=st.booleans(),
    tx_answer=WORDS,
    tx_obeys=st.booleans(),
    clear_answer=WORDS,
    inoperative_answer=st.sampled_from(["Accepted", "Scheduled", "Rejected", None]),
    inoperative_stops=st.booleans(),
    reset_answer=WORDS,
    reset_stops=st.booleans(),
    schedule_answer=st.sampled_from(["Accepted", "Accepted", "Rejected", None]),
    schedule_limit=st.sampled_from([0.0, 6.5, -1.0]),
    stops_after=st.sampled_from([None, 0.5, 1.0, 20.0]),
    ends_transaction=st.sampled_from([True, True, False]),
    goes_on_after_end=st.sampled_from([False, False, True]),
    drops_at_stop=st.sampled_from([False, False, False, True]),
    trigger=WORDS,
    reported=st.sampled_from(["own", "own", None, 0, -1, 4711, 2**63 - 1]),
)


class Meeting(NamedTuple):
    """Who meets whom: the central system's ways, and the shell's."""

    remote_start: bool
    transaction: int | None
    lane_seconds: float
    seed: int
    same_ids: bool


MEETINGS = st.builds(
    Meeting,
    st.booleans(),
    st.sampled_from([None, None, 0, -1, 2**31, 2**63 - 1]),
    st.sampled_from([0.0, 0.0, 0.0, 0.2, 6.0]),
    st.integers(0, 99),
    st.sampled_from([False, False, True]),
)


class Owner(NamedTuple):
    """What the owner wants."""

    ladder: tuple[StepKind, ...]
    after_stop: AfterStop
    set_back: SetBack
    composite_schedule_question: bool
    enforce_limits: bool


OWNERS = st.builds(
    Owner,
    st.one_of(
        st.just((StepKind.REMOTE_STOP,)),
        st.just(tuple(StepKind)),
        st.lists(st.sampled_from(list(StepKind)), min_size=1, max_size=6, unique=True).map(tuple),
    ),
    st.sampled_from(list(AfterStop)),
    st.sampled_from(list(SetBack)),
    st.booleans(),
    st.booleans(),
)
NONSENSE = st.one_of(
    st.text(max_size=60),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8), st.lists, max_leaves=8
    ).map(json.dumps),
    st.sampled_from(
        [
            "[2]",
            "[]",
            "{}",
            '[2,"x","MeterValues",{}]',
            '[2,"x","MeterValues",{"connectorId":1,"meterValue":{}}]',
            '[2,"x","MeterValues",{"connectorId":1,"meterValue":[{"sampledValue":[{"value":"NaN"}]}]}]',
            '[2,"x","MeterValues",{"connectorId":1,"meterValue":[{"sampledValue":[{"value":"1e999","unit":"A"}]}]}]',
            '[2,"x","MeterValues",{"connectorId":"1","meterValue":[{"sampledValue":[{"value":1}]}]}]',
            '[2,"x","StatusNotification",{"connectorId":1,"status":"Bored","errorCode":7}]',
            '[2,"x","StartTransaction",{"connectorId":null}]',
            '[2,"x","StopTransaction",{"transactionId":"7"}]',
            '[2,"x","BootNotification",{}]',
            '[2,"x","SetChargingProfile",{"connectorId":1,"csChargingProfiles":{}}]',
            '[2,"x","ClearChargingProfile",null]',
            '[3,"x",{}]',
            '[4,"x"]',
            '[3,"wd-0000000000000001",{"status":"Accepted"}]',
            '[4,"wd-0000000000000001","NotSupported","",{}]',
            '[2,"wd-0000000000000001","Reset",{"type":"Soft"}]',
            "[" * 3000,
            '["\\ud800"]',
        ]
    ),
)


class Histories(RuleBasedStateMachine):
    """One connector."""

    connectors: tuple[int, ...] = (1,)
    mortal = False

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @initialize(
        traits=TRAITS,
        mode=st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.ENFORCE, Mode.OBSERVE]),
        may_question=st.booleans(),
        owner=OWNERS,
        meeting=MEETINGS,
        times=st.tuples(st.floats(2.5, 60.0), st.floats(5.0, 200.0)),
    )
    def begin(
        self,
        traits: Traits,
        mode: Mode,
        *,
        may_question: bool,
        owner: Owner,
        meeting: Meeting,
        times: tuple[float, float],
    ) -> None:
        first, warm = times
        self.world = World(
            replace(traits, connectors=self.connectors),
            policy=Policy(mode=mode, may_question=may_question, **owner._asdict()),
            remote_start=meeting.remote_start,
            transaction=meeting.transaction,
            same_ids=meeting.same_ids,
            lane_seconds=meeting.lane_seconds,
            seed=meeting.seed,
            mortal=self.mortal,
        )
        self.world.play.called_out = self.world.box.relay_opens if meeting.seed % 2 else None
        self.world.play.call_succeeds = (True, False, None)[meeting.seed % 3]
        self.world.charge(until=warm, first=round(first, 2))

    # -- time and the central system -----------------------------------------------------------------------------

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.world.play.wait(seconds)

    @rule(minutes=st.integers(3, 20))
    def wait_long(self, minutes: int) -> None:
        self.world.play.wait(minutes * 60.0)

    @rule(limit=LIMITS, connector=st.sampled_from([1, 2]))
    def order(self, limit: float, connector: int) -> None:
        if connector in self.connectors:
            self.world.order(limit, connector)
            self.world.play.wait(0.5)

    @rule()
    def stop_and_wait(self) -> None:
        self.world.stop()
        self.world.play.wait(75.0)

    @rule(seconds=st.sampled_from([1.0, 5.0, 9.0, 11.0]))
    def raise_and_return(self, seconds: float) -> None:
        self.world.order(6.0)
        self.world.play.wait(seconds)
        self.world.stop()

    @rule()
    def sun_cycle(self) -> None:
        self.world.stop()
        self.world.play.wait(60.0)
        self.world.order(6.0)
        self.world.play.wait(120.0)

    @rule(action=st.sampled_from(["GetConfiguration", "Heartbeat", "TriggerMessage"]))
    def ask(self, action: str) -> None:
        payload: dict[str, object] = {"requestedMessage": "MeterValues"} if action == "TriggerMessage" else {}
        self.world.central.ask(action, payload)

    @rule(action=st.sampled_from(["MeterValues", "StatusNotification", "StartTransaction"]))
    def fall_silent(self, action: str) -> None:
        self.world.central.mute ^= {action}

    # -- the charge point ----------------------------------------------------------------------------------------

    @rule(word=WORDS)
    def answer_otherwise(self, word: str | None) -> None:
        self.world.box.traits = replace(self.world.box.traits, stop_answer=word)

    @rule(after=st.sampled_from([None, 1.0, 20.0]))
    def obey_otherwise(self, after: float | None) -> None:
        self.world.box.traits = replace(self.world.box.traits, obeys_after=after)

    @rule(status=st.sampled_from(["Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Preparing", "Faulted"]))
    def claim(self, status: str) -> None:
        self.world.box.show(1, status)

    @rule()
    def unplug_and_return(self) -> None:
        self.world.box.unplug(1)
        self.world.play.wait(5.0)
        self.world.box.plug_in(1)

    @rule()
    def be_quiet(self) -> None:
        self.world.box.reading = not self.world.box.reading

    @rule()
    def repeat_itself(self) -> None:
        stamped = self.world.traits.stamp in ("seconds", "millis")
        readings = [frame for frame in self.world.play.trace.passed[-40:] if '"MeterValues"' in frame.text]
        if readings and stamped:
            self.world.play.from_box(readings[-1].text)

    @rule(delays=st.lists(st.sampled_from([0.0, 0.0, 3.0, 40.0, None]), min_size=1, max_size=3))
    def rough_sea(self, delays: list[float | None]) -> None:
        stamped = self.world.traits.stamp in ("seconds", "millis")
        # Late and without a usable time stamp is measured on arrival, by the rules: nobody could tell.
        waiting = [seconds for seconds in delays if stamped or not seconds]
        self.world.box.delay = lambda: waiting.pop() if waiting else 0.0

    @rule(seconds=st.sampled_from([0.0, 12.0, 45.0, 90.0]))
    def come_late(self, seconds: float) -> None:
        """Every reading from now on, until it is said otherwise."""
        if self.world.traits.stamp in ("seconds", "millis"):
            self.world.box.delay = lambda: seconds

    @rule(seconds=st.sampled_from([15.0, 90.0, 3600.0]))
    def set_clock_back(self, seconds: float) -> None:
        self.world.box.set_back += seconds

    # -- the link and the owner ----------------------------------------------------------------------------------

    @precondition(lambda self: self.world.play.connected)
    @rule(seconds=st.sampled_from([0.5, 5.0, 40.0, 200.0]), boots=st.booleans())
    def reconnect(self, seconds: float, boots: bool) -> None:
        play, box = self.world.play, self.world.box
        play.drop()
        play.wait(seconds)
        if play.connected:
            return
        play.connect()
        if boots:
            box.say(examples.boot(box.new_id()))
        box.show(1, box.plugs[1].status)
        play.wait(0.5)
        box.flush()

    @precondition(lambda self: not self.world.play.connected)
    @rule()
    def come_back(self) -> None:
        self.world.play.connect()
        self.world.box.flush()

    @rule(action=st.sampled_from(list(OwnerAction)))
    def owner(self, action: OwnerAction) -> None:
        self.world.play.owner(action)

    @rule(text=NONSENSE, direction=st.sampled_from(list(Direction)))
    def nonsense(self, text: str, direction: Direction) -> None:
        play = self.world.play
        peer, play.to_box, play.to_central = (play.to_box, play.to_central), None, None
        (play.from_box if direction is Direction.TO_CENTRAL_SYSTEM else play.from_central)(text)
        play.to_box, play.to_central = peer

    def teardown(self) -> None:
        self.world.play.wait(30.0)
        assert self.world.wrong() == []


class TwoConnectors(Histories):
    """Two connectors; commands are accepted, so that the newest command of one never undoes the other's."""

    connectors = (1, 2)

    @rule(stubborn=st.sets(st.sampled_from([1, 2])))
    def choose(self, stubborn: set[int]) -> None:
        box = self.world.box
        box.traits = replace(box.traits, answer="Accepted", answer_seconds=0.1, obeys_after=2.0)
        box.stubborn = stubborn


TestHistories = Histories.TestCase
TestHistories.settings = LOOK
TestTwoConnectors = TwoConnectors.TestCase
TestTwoConnectors.settings = settings(LOOK, max_examples=pick(12, 1500))


# -- bounds ------------------------------------------------------------------------------------------------------------


def reach(thing: object) -> int:
    """How many objects hang on this one; functions, classes and modules are not counted."""
    seen: set[int] = set()
    waiting: list[Any] = [thing]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, (type, ModuleType, FunctionType)):
            continue
        seen.add(id(item))
        waiting.extend(gc.get_referents(item))
    return len(seen)


def flood_of_calls(play: Playbook, begin: int, end: int) -> None:
    """CALLs of all kinds that nobody answers, in both directions, and frames that nobody can read."""
    for number in range(begin, end):
        uid, utc = f"f{number}", play.clock.utc
        where, level = number % 4, number % 50
        play.from_box(examples.status(uid + "s", "Charging", utc, where))
        play.from_box(examples.start_transaction(uid + "t", utc, connector=where))
        play.from_central(examples.set_limit(uid, number % 3, utc, profile_id=number, level=level, connector=where))
        play.from_central(examples.call(uid + "c", "GetConfiguration", {}))
        play.from_central(f'[2,"{uid}","Reset"')
        play.wait(0.7)


def flood_of_answers(play: Playbook, begin: int, end: int) -> None:
    """Profiles and transactions that are all accepted, on many levels."""
    for number in range(begin, end):
        uid, utc = f"f{number}", play.clock.utc
        where, level = number % 3, number % 500
        play.from_central(examples.set_limit(uid, 6 + number % 9, utc, profile_id=number, level=level, connector=where))
        play.from_box(examples.status_result(uid))
        play.from_box(examples.start_transaction(uid + "t", utc, connector=where))
        play.from_central(examples.start_result(uid + "t", number))
        play.from_central(examples.result("nobody" + uid))
        play.wait(0.7)


def flood_of_readings(play: Playbook, begin: int, end: int) -> None:
    """Readings that rise, under a stop order that nobody obeys."""
    if begin == 0:
        play.from_central(examples.set_limit("p", 0, play.clock.utc))
    for number in range(begin, end):
        values = examples.current_values((f"6.5{number % 10}", "6.42")) + examples.register_value(str(12345 + number))
        play.from_box(examples.meter_values(f"f{number}", values, examples.iso(play.clock.utc), transaction=number))
        play.from_central(examples.result(f"f{number}"))
        play.wait(1.0)


@pytest.mark.parametrize(
    ("flood", "rounds"), [(flood_of_calls, 300), (flood_of_answers, 250), (flood_of_readings, 2000)]
)
def test_nothing_grows_without_bound(flood: Callable[[Playbook, int, int], None], rounds: int) -> None:
    play = Playbook(watch=False)
    play.connect()
    flood(play, 0, rounds)
    play.trace.steps.clear()
    first = reach(play.station)
    flood(play, rounds, 2 * rounds)
    play.trace.steps.clear()
    assert reach(play.station) <= first * 1.05 + 500


def test_a_charge_point_that_names_connectors_without_end_fills_no_memory() -> None:
    play = Playbook(watch=False)
    play.connect()
    for number in range(600):
        play.from_box(examples.status(f"s{number}", "Charging", play.clock.utc, number))
        play.from_central(examples.result(f"s{number}"))
        play.wait(0.1)
    assert len(play.view().connectors) <= 100


def test_an_episode_that_never_ends_does_not_grow_for_ever() -> None:
    world = World(Traits(obeys_after=None, stops_after=None), watch=False).charge().stop().run(4 * 3600.0)
    first = reach(world.play.station)
    world.run(12 * 3600.0)
    assert world.said() == ["alarm"]
    assert reach(world.play.station) <= first * 1.5 + 2000


@settings(LOOK, max_examples=pick(80, 20_000))
@given(frames=st.lists(st.tuples(NONSENSE, st.sampled_from(list(Direction)), st.floats(0, 30)), max_size=25))
def test_no_frame_raises_and_the_same_frames_give_the_same_decisions(
    frames: list[tuple[str, Direction, float]],
) -> None:
    play = Playbook()
    play.connect()
    for text, direction, seconds in frames:
        (play.from_box if direction is Direction.TO_CENTRAL_SYSTEM else play.from_central)(text)
        play.wait(seconds)
    assert play.trace.stops() == []
    assert live_again(play.trace, play.policy) is None


def test_a_tick_is_harmless_at_any_moment() -> None:
    busy = World(Traits(obeys_after=None)).charge()
    for number in range(200):
        busy.play.at(busy.play.t + 0.73 * number, lambda: busy.play._say("tick"))
    busy.stop().run(200.0)
    calm = World(Traits(obeys_after=None)).charge().stop().run(200.0)
    assert busy.sent() == calm.sent()
    assert busy.said() == calm.said()
