"""Generated histories around the owner's test: whatever happens, evcc's limit is back in the end, and never exceeded.

The wallbox here holds one limit: that of the last SetChargingProfile it took, evcc's or ours, answered or not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given, settings

from core.supervised_kit import Supervised
from ocpp_watchdog.core.decisions import Inject
from ocpp_watchdog.core.exercise import End
from scenarios.profile import DEEP, pick

LOOK = settings(
    max_examples=pick(60, 5000),
    deadline=None,
    derandomize=not DEEP,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink) if DEEP else (Phase.explicit, Phase.generate),
)

ORDERED = 16.0
WAYS = ("takes", "takes", "takes", "refuses", "is_silent", "takes_silently")


@dataclass
class Story:
    """A wallbox that charges at evcc's 16 A while its owner tests it."""

    desk: Supervised = field(default_factory=lambda: Supervised().charging(ORDERED))
    held: float = ORDERED
    evcc: float = ORDERED
    answered: int = 0
    is_there: bool = True
    is_running: bool = True

    def deal_with(self, way: str) -> None:
        """The wallbox deals with every CALL of ours that it has not dealt with."""
        while self.answered < len(self.desk.written):
            inject = self.desk.written[self.answered][1]
            self.answered += 1
            if way in ("takes", "takes_silently"):
                self._take(inject)
            if way in ("takes", "refuses") and self.is_there:
                self.desk.answer(inject, "Accepted" if way == "takes" else "Rejected")

    def _take(self, inject: Inject) -> None:
        _, _, action, payload = json.loads(inject.text)
        if action == "SetChargingProfile":
            self.held = payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
            assert self.held <= ORDERED, "never more than evcc had ordered"
        elif action == "RemoteStopTransaction" and self.is_running and self.is_there:
            self.stop()

    def stop(self) -> None:
        if self.is_running and self.is_there:
            self.is_running = False
            self.desk.stops()

    def plug(self) -> None:
        if not self.is_running and self.is_there:
            self.is_running = True
            self.desk.plug(8)

    def order(self, amperes: float) -> None:
        """evcc orders, and the wallbox takes it."""
        if self.is_there:
            self.deal_with("takes")  # evcc's CALL is held behind ours
            self.desk.limit(amperes)
            self.held = self.evcc = amperes

    def read(self, amperes: float) -> None:
        if self.is_there:
            self.desk.meter(self.desk.t + 1, amperes)

    def drop(self) -> None:
        if self.is_there:
            self.is_there = False
            self.answered = len(self.desk.written)  # what was on its way is lost
            self.desk.drop()

    def connect(self) -> None:
        if not self.is_there:
            self.is_there = True
            self.desk.connect()

    def wait(self, seconds: float) -> None:
        self.desk.later(seconds)


Act = tuple[str, float | str]

ACTS: st.SearchStrategy[Act] = st.one_of(
    st.tuples(st.just("deal_with"), st.sampled_from(WAYS)),
    st.tuples(st.just("deal_with"), st.just("takes")),
    st.tuples(st.just("read"), st.sampled_from([0.0, 0.0, 1.5, 6.0, 6.52, 10.0, 16.0])),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 5.0, 12.0, 40.0])),
    st.tuples(st.just("look"), st.just("")),
    st.tuples(st.just("look"), st.just("")),
    st.tuples(st.just("order"), st.sampled_from([0.0, 6.0, 16.0, 16.0])),
    st.tuples(st.sampled_from(["drop", "connect", "stop", "plug", "abort", "start"]), st.just("")),
)


def perform(story: Story, act: Act) -> None:
    """One act of the history."""
    name, value = act
    plain: dict[str, Callable[[], object]] = {
        "look": story.desk.look,
        "start": story.desk.start,
        "abort": lambda: story.desk.do(story.desk.tested.abort_selftest(story.desk.now)),
        "drop": story.drop,
        "connect": story.connect,
        "stop": story.stop,
        "plug": story.plug,
    }
    if name in plain:
        plain[name]()
    else:
        getattr(story, name)(value)


@LOOK
@given(st.lists(ACTS, max_size=40))
def test_however_it_goes_it_ends_and_evccs_limit_is_in_force(acts: list[Act]) -> None:
    story = Story()
    story.desk.start()
    for act in acts:
        perform(story, act)
    story.connect()
    for _ in range(120):
        story.deal_with("takes")
        story.wait(5.0)
    seen = story.desk.seen
    assert seen.is_over
    assert seen.end is not None
    assert seen.restored is False or story.held == story.evcc
    assert (seen.end is End.DONE) <= all(part.found is not None for part in seen.parts)


@LOOK
@given(st.lists(ACTS, max_size=25))
def test_the_same_history_gives_the_same_test(acts: list[Act]) -> None:
    stories = [Story(), Story()]
    for story in stories:
        story.desk.start()
        for act in acts:
            perform(story, act)
    assert stories[0].desk.seen == stories[1].desk.seen
    assert stories[0].desk.said == stories[1].desk.said
