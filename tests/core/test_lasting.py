"""A station that is killed and made anew from its memory: what it knows again, what it counts as sent, what is gone.

The desk's clock goes on over a restart. That a monotonic clock which begins anew changes nothing, ``shifted`` proves
over every number of a station at once; the scenarios (``test_restart.py``) live whole stories with one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import get_args, get_origin

import pytest
from station_kit import IGNORED, ONE, START, Desk, moment

import examples
from ocpp_watchdog.core.decisions import (
    Count,
    CountKind,
    Decision,
    FactKind,
    FindingKind,
    Mode,
    NoticeKind,
    Phase,
    StepKind,
    StepOutcome,
    WakeAt,
)
from ocpp_watchdog.core.devices import nobody
from ocpp_watchdog.core.errors import UnusableMemory
from ocpp_watchdog.core.keeping import declared, is_part, not_remembered, remembered
from ocpp_watchdog.core.lasting import Lasting
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.station import OwnerAction, Station
from ocpp_watchdog.core.terms import ChargePointId, Moment

FIRST_VERSION = Path(__file__).with_name("memory-version-1.json")


class Mortal(Desk):
    """A desk whose program can be killed."""

    def __init__(self, policy: Policy | None = None) -> None:
        super().__init__(policy)
        self.lives = 1

    def killed(self, seconds: float = 3.0) -> list[Decision]:
        """The program dies now and starts again so many seconds later."""
        kept = json.loads(json.dumps(self.station.memory(self.now), allow_nan=False))
        self.lives += 1
        self.station = new_station(self.lives, self.station.policy)
        self.t += seconds
        self.wake = None
        return self.do(self.station.restore(kept, self.now))

    def stops_sent(self) -> list[float]:
        return [round(t) for t, action in self.wire() if action == "RemoteStopTransaction"]


def new_station(life: int = 1, policy: Policy | None = None) -> Station:
    names = iter(range(1, 1000))
    return Station(ChargePointId("BOX1"), policy or Policy(), json.loads, lambda: f"wd-{life:03d}{next(names):013d}")


def rich() -> Mortal:
    """Two connectors, an episode with a step that is out, a limit in watts, a transaction that was found, commands that
    were refused and not answered, a remote start that waits, maintenance that ended, a question refused."""
    desk = Mortal()
    desk.begin(1, 2)
    desk.flow(IGNORED[:6])
    desk.flow((-5.5,), connector=2)
    desk.box(examples.boot(desk.number()))
    desk.limit(11_000, unit="W", connector=2)
    desk.limit(9, connector=2, answer="Rejected")
    desk.limit(8, connector=2, answer=None)
    desk.asks(remote_start_with_profile, None)
    desk.to(0)
    desk.limit(0)
    desk.flow(IGNORED[6:])
    desk.flow((43.2,), connector=2)
    desk.limit(0, connector=2)
    return desk


def remote_start_with_profile(name: str) -> str:
    chosen = examples.profile(10, START.utc, purpose="TxProfile")
    return examples.call(name, "RemoteStartTransaction", {"connectorId": 2, "idTag": "x", "chargingProfile": chosen})


# -- stories -----------------------------------------------------------------------------------------------------------


def test_an_open_episode_is_known_right_after_a_restart_and_nothing_is_said_or_sent() -> None:
    desk = Mortal()
    desk.ignored()
    desk.answer(desk.stop())
    said = desk.killed()
    assert [decision for decision in said if not isinstance(decision, WakeAt)] == []
    seen = desk.view()
    assert seen.episode is not None
    assert (seen.episode.number, seen.episodes_total, seen.phase) == (1, 1, Phase.REMEDYING)
    assert [step.outcome for step in seen.episode.steps] == [StepOutcome.ACCEPTED]
    assert seen.commanded is not None
    assert seen.commanded.is_zero
    assert seen.transaction_id == 7
    assert FindingKind.OUT_OF_SIGHT in {finding.kind for finding in seen.findings}
    assert desk.station.view(desk.now).vendor == ""
    assert desk.station.has_spoken


def test_the_ladder_goes_on_where_it_was_within_its_budget() -> None:
    desk = Mortal()
    desk.ignored()
    desk.answer(desk.stop())
    desk.killed()
    desk.connect()
    desk.flow(range(90, 1000, 10))
    assert desk.stops_sent() == [43, 90, 120, 943, 990]
    assert desk.notices().count(NoticeKind.ALARM) == 1


def test_a_step_that_is_out_is_unanswered_and_its_late_answer_still_understood() -> None:
    desk = Mortal()
    desk.ignored()
    stop = desk.stop()
    desk.killed()
    assert desk.outcomes()[-1] == "unanswered"
    assert desk.last_step().why == "connection lost"
    desk.connect()
    said = desk.do(desk.station.own_answer(examples.status_result(stop.unique_id, "Accepted"), desk.now))
    assert Count(CountKind.LATE_ANSWER) in said
    assert desk.outcomes()[-1] == "accepted"


def test_a_step_that_was_handed_over_and_never_said_to_be_written_counts_as_sent() -> None:
    desk = Mortal()
    desk.writes = False
    desk.ignored()
    desk.killed()
    assert desk.outcomes() == ["waiting", "sent", "unanswered"]
    assert desk.last_step().sent == Moment(moment(43).utc, moment(43).mono)
    desk.connect()
    desk.writes = True
    desk.flow(range(76, 950, 10))
    assert desk.stops_sent() == [76, 106, 943], "the one at 43, sent or not, is one of three in fifteen minutes"


def test_a_step_that_waited_for_its_turn_was_not_sent() -> None:
    desk = Mortal()
    desk.begin()
    desk.flow(IGNORED[:6])
    desk.to(0)
    desk.limit(0)
    desk.flow(IGNORED[6:-1])
    desk.meter(43, 6.5, answered=False)
    assert desk.outcomes() == ["waiting"]
    desk.killed()
    assert desk.outcomes() == ["waiting", "not_sent"]
    assert desk.wire() == []


def test_an_owners_stop_that_may_have_gone_out_is_counted() -> None:
    desk = Mortal()
    desk.begin()
    desk.writes = False
    desk.owner(OwnerAction.STOP_NOW)
    desk.killed()
    assert desk.texts(FactKind.OWNER) == ["stop_now", "stop_now sent"]


def test_a_question_that_was_out_is_no_reason_never_to_ask_again() -> None:
    desk = Mortal()
    desk.begin()
    desk.limit(0)
    desk.to(-60)
    assert desk.question()
    desk.killed()
    desk.connect()
    desk.flow((-20,))
    assert desk.station.view(desk.now).connected


def test_a_charge_point_that_was_out_of_sight_is_not_lost_twice() -> None:
    desk = Mortal()
    desk.ignored()
    desk.drop()
    before = desk.outcomes()
    desk.killed(100.0)
    assert desk.outcomes() == before
    assert desk.view().phase is Phase.VIOLATING or desk.view().phase is Phase.REMEDYING


def test_nothing_is_confirmed_before_a_sample_of_this_life_counts() -> None:
    desk = Mortal()
    desk.begin()
    desk.flow(IGNORED[:6])
    desk.to(0)
    desk.limit(0)
    desk.flow((3, 13, 23, 33))
    desk.killed()
    desk.to(60)
    assert desk.notices() == []
    desk.connect()
    desk.meter(65, 6.5)
    assert desk.notices() == [], "time stamps say nothing yet: it may have waited in a queue"
    desk.flow((91, 101))
    assert desk.notices() == [NoticeKind.ALARM, NoticeKind.STEP]


def test_a_boot_meanwhile_leaves_the_order_and_puts_the_limit_in_doubt() -> None:
    desk = Mortal()
    desk.begin()
    desk.limit(0)
    desk.killed()
    desk.connect()
    desk.says(examples.boot, {"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 300})
    desk.status("Charging")
    seen = desk.view()
    assert seen.commanded is not None
    assert seen.commanded.is_zero
    assert desk.station._watches[ONE].in_force is not None
    assert desk.station._watches[ONE].in_force.unconfirmed


def test_a_schedule_that_falls_to_zero_while_the_program_is_away_is_a_stop_order_when_it_is_back() -> None:
    desk = Mortal()
    desk.begin()
    falls = examples.profile(16, desk.now.utc)
    schedule = falls["chargingSchedule"]
    assert isinstance(schedule, dict)
    schedule["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": 16}, {"startPeriod": 100, "limit": 0}]
    payload = {"connectorId": 1, "csChargingProfiles": falls}
    desk.asks(lambda name: examples.call(name, "SetChargingProfile", payload))
    desk.killed(200.0)
    assert desk.facts(FactKind.STOP_ORDERED)
    assert desk.view().stop_ordered == desk.now


@pytest.mark.parametrize("action", [OwnerAction.ACKNOWLEDGE, OwnerAction.STAND_DOWN])
def test_what_the_owner_said_holds(action: OwnerAction) -> None:
    desk = Mortal()
    desk.ignored()
    desk.owner(action)
    desk.killed()
    episode = desk.station._watches[ONE].episode
    if action is OwnerAction.STAND_DOWN:
        assert episode is None
        assert desk.view().phase is Phase.STOOD_DOWN
    else:
        assert episode is not None
        assert episode.acknowledged


def test_maintenance_goes_on_and_ends_in_time() -> None:
    desk = Mortal()
    desk.begin()
    desk.do(desk.station.maintain(desk.now.later(600.0), desk.now))
    desk.killed(60.0)
    assert desk.station.view(desk.now).maintenance_until == moment(PLUGGED_END)
    desk.to(600)
    assert desk.station.view(desk.now).maintenance_until is None


PLUGGED_END = -110.0 + 600.0


@pytest.mark.parametrize("broken", ["text", {"version": 99}, {}])
def test_what_cannot_be_used_leaves_the_station_as_it_was(broken: object) -> None:
    station = new_station()
    with pytest.raises(UnusableMemory):
        station.restore(broken, START)
    assert station.view(START) == new_station().view(START)
    assert station.memory_version == 0


def test_damage_deep_inside_leaves_the_station_as_it_was() -> None:
    desk = rich()
    station = new_station()
    kept = desk.station.memory(desk.now)
    objects = kept["objects"]
    assert isinstance(objects, list)
    kept["objects"] = objects[:-1]
    with pytest.raises(UnusableMemory):
        station.restore(kept, desk.now)
    assert station.view(desk.now) == new_station().view(desk.now)


def test_a_memory_of_the_first_version_is_understood_for_ever() -> None:
    """The file was written by ``rich`` (``python tests/core/test_lasting.py`` writes it). After a release it is never
    written again: fields may come and go, but who updates in an episode must not lose it."""
    kept = json.loads(FIRST_VERSION.read_text("utf-8"))
    station = new_station(2)
    now = moment(60.0)
    station.restore(kept, now)
    one, two = station.view(now).connectors
    assert (one.episode is not None, one.episodes_total, two.episodes_total) == (True, 1, 0)
    assert (one.transaction_id, two.transaction_id) == (7, 8)
    assert one.commanded is not None
    assert one.commanded.is_zero
    assert (StepKind.REMOTE_STOP, StepOutcome.UNANSWERED, 1) in one.steps
    assert station.has_spoken


# -- other numbers -----------------------------------------------------------------------------------------------------


def test_another_mode_holds_from_now_on_and_nothing_is_forgotten() -> None:
    desk = Mortal()
    desk.ignored()
    desk.answer(desk.stop())
    desk.do(desk.station.use(Policy(mode=Mode.OBSERVE), nobody, desk.now))
    desk.flow(range(53, 200, 10))
    assert desk.stops_sent() == [43]
    assert desk.view().episode is not None
    desk.do(desk.station.use(Policy(), nobody, desk.now))
    desk.flow(range(203, 300, 10))
    assert desk.stops_sent() == [43, 193, 223]


def test_other_numbers_reach_every_part() -> None:
    desk = Mortal()
    desk.begin()
    desk.limit(0)
    before = desk.view().deadline_mono
    desk.do(desk.station.use(Policy(settle_seconds=50.0), nobody, desk.now))
    after = desk.view().deadline_mono
    assert before is not None
    assert after == before + 20.0


# -- when it is worth saving -------------------------------------------------------------------------------------------


def versions(desk: Desk, *happenings: object) -> list[int]:
    """By how much the version moved at each happening."""
    moved = []
    for happening in happenings:
        before = desk.station.memory_version
        assert callable(happening)
        happening()
        moved.append(desk.station.memory_version - before)
    return moved


def test_the_version_moves_when_something_is_worth_remembering_and_not_with_each_reading() -> None:
    desk = Mortal()
    moved = versions(
        desk,
        desk.connect,
        desk.plug,
        lambda: desk.limit(16),
        lambda: desk.limit(0),
        lambda: desk.owner(OwnerAction.STAND_DOWN),
        lambda: desk.status("SuspendedEV"),
        desk.drop,
    )
    assert all(moved)
    calm = Mortal()
    calm.begin()
    assert versions(
        calm,
        lambda: calm.flow((-50, -40, -30)),
        lambda: calm.says(lambda name: examples.call(name, "Heartbeat", {})),
        lambda: calm.to(-20),
    ) == [0, 0, 0]


def test_readings_under_a_stop_order_are_remembered_every_minute_and_against_one_every_five_seconds() -> None:
    desk = Mortal()
    desk.begin()
    desk.flow((-60, -50), 16.0)
    desk.limit(0)
    before = desk.station.memory_version
    desk.flow([-45.0 + second / 2 for second in range(100)], 0.0)
    assert desk.station.memory_version - before == 1
    flowing = Mortal()
    flowing.ignored()
    flowing.answer(flowing.stop())
    before = flowing.station.memory_version
    flowing.flow([44.0 + second / 2 for second in range(20)])
    assert flowing.station.memory_version - before == 2


# -- every field -------------------------------------------------------------------------------------------------------


def parts(part: object) -> Iterator[object]:
    yield part
    for name in remembered(type(part)):
        if is_part(type(getattr(part, name))):
            yield from parts(getattr(part, name))
    if isinstance(part, Lasting):
        for watch in part._watches.values():
            yield from parts(watch)


def attributes(thing: object) -> set[str]:
    slots = {name for base in type(thing).__mro__ for name in getattr(base, "__slots__", ())}
    return {name for name in slots if hasattr(thing, name)} | set(getattr(thing, "__dict__", ()))


def test_every_attribute_of_every_part_is_remembered_or_said_not_to_be() -> None:
    seen = list(parts(rich().station))
    assert len(seen) > 15
    for part in seen:
        kind = type(part)
        unknown = attributes(part) - set(declared(kind))
        assert not unknown, f"{kind.__name__} has {unknown}: annotate them in the class, or they are forgotten"
        forgotten = not_remembered(kind)
        assert set(forgotten) <= set(declared(kind)), f"{kind.__name__} forgets what it has not"
        assert all(forgotten.values()), "say why"


def test_this_test_sees_an_attribute_that_nobody_declared() -> None:
    desk = rich()
    desk.station._voice.new_thing = 1  # type: ignore[attr-defined]
    with_it = next(part for part in parts(desk.station) if hasattr(part, "new_thing"))
    assert attributes(with_it) - set(declared(type(with_it))) == {"new_thing"}


def kinds(hint: object) -> Iterator[type]:
    """Dataclasses and parts that a field of this type may hold."""
    if isinstance(hint, type) and get_origin(hint) is None:
        yield hint
    for argument in get_args(hint):
        yield from kinds(argument)


def test_everything_that_can_hang_on_a_station_can_be_kept() -> None:
    waiting, seen = [Station], set[type]()
    while waiting:
        kind = waiting.pop()
        seen.add(kind)
        forgotten = not_remembered(kind)
        for name, hint in declared(kind).items():
            if name in forgotten and name != "_watches":
                continue
            below = {one for one in kinds(hint) if is_dataclass(one) or is_part(one)}
            waiting += below - seen - {Moment}
        if is_part(kind):
            remembered(kind)
        else:
            make_codecs(kind)
    assert len(seen) > 30


def make_codecs(kind: type) -> None:
    from ocpp_watchdog.core.keeping import codec

    for hint in declared(kind).values():
        codec(hint)


# -- every number ------------------------------------------------------------------------------------------------------


def shifted(one: object, other: object, by: float, where: str = "station") -> Iterator[str]:
    """Where two graphs of objects differ in anything but a shift of every moment on the monotonic clock."""
    if type(one) is not type(other):
        yield f"{where}: {one!r} and {other!r}"
    elif isinstance(one, Moment) and isinstance(other, Moment):
        if one.utc != other.utc or abs(one.mono - other.mono - by) > 1e-6:
            yield f"{where}: {one} and {other}"
    elif isinstance(one, float) and isinstance(other, float):
        is_mono = 4_000.0 < one < 8_000.0
        if abs(one - other - (by if is_mono else 0.0)) > 1e-6 and one != other:
            yield f"{where}: {one} and {other}"
    elif is_part(type(one)):
        for name in remembered(type(one)):
            yield from shifted(getattr(one, name), getattr(other, name), by, f"{where}.{name}")
    elif is_dataclass(one):
        for field in fields(one):
            yield from shifted(getattr(one, field.name), getattr(other, field.name), by, f"{where}.{field.name}")
    elif isinstance(one, dict) and isinstance(other, dict):
        yield from shifted(list(one.items()), list(other.items()), by, where)
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        if len(one) != len(other):
            yield f"{where}: {len(one)} and {len(other)}"
        for number, (left, right) in enumerate(zip(one, other, strict=False)):
            yield from shifted(left, right, by, f"{where}[{number}]")
    elif not isinstance(one, Enum) and one != other:
        yield f"{where}: {one!r} and {other!r}"


def test_nothing_but_the_monotonic_clock_differs_afterwards() -> None:
    """Each number between 4,000 and 8,000 stands on the monotonic clock of this story: a field that forgot to say so
    (``Mono``) does not move with it."""
    desk = rich()
    desk.drop()
    desk.to(desk.t + 1.0)
    by = 1_000_000.0
    kept = json.loads(json.dumps(desk.station.memory(desk.now)))
    station = new_station(2)
    before = desk.station
    station.restore(kept, Moment(desk.now.utc, desk.now.mono - by))
    assert list(shifted(before, station, by)) == []
    for connector, watch in before._watches.items():
        assert list(shifted(watch, station._watches[connector], by, f"watch {connector}")) == []


def test_what_was_one_object_is_one_object() -> None:
    desk = Mortal()
    desk.ignored()
    desk.killed()
    watch = desk.station._watches[ONE]
    assert watch.episode is not None
    assert watch.episode.order is watch.tracker.standing
    assert watch.episode.energy is watch.trial.energy
    assert watch.episode.readings is watch.trial.readings
    assert watch.episode.readings.most == 1024


def test_a_memory_stays_small() -> None:
    desk = Mortal()
    desk.ignored()
    desk.flow(range(50, 9_000, 10))
    kept = json.dumps(desk.station.memory(desk.now))
    assert len(kept) < 60_000


if __name__ == "__main__":
    told = rich()
    FIRST_VERSION.write_text(json.dumps(told.station.memory(told.now), indent=1) + "\n", "utf-8")
