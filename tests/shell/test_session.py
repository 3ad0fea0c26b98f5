"""One connected charge point: frames reach the station, its timer rings, and nothing that breaks here gets out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

import examples
from ocpp_watchdog.core import wire
from ocpp_watchdog.core.decisions import Count, CountKind, Decision, WakeAt
from ocpp_watchdog.core.mending import Repaired
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.station import Station
from ocpp_watchdog.core.terms import ChargePointId, Direction, Moment
from ocpp_watchdog.shell.ports import Passage, Passed
from ocpp_watchdog.shell.session import Session, Watch, Watches
from ocpp_watchdog.shell.tally import Tally
from shell_fakes import FakeClock, FakeLink, FakeStation
from views import connector_view

BOX = ChargePointId("box")
UP, DOWN = Direction.TO_CENTRAL_SYSTEM, Direction.TO_CHARGE_POINT


def framed(payload: bytes, opcode: int = wire.TEXT) -> bytes:
    return wire.frame(opcode, payload, b"abcd")


class Room:
    """Watches with fakes around them."""

    def __init__(self, most: int = 10) -> None:
        self.clock = FakeClock()
        self.tally = Tally()
        self.performed: list[Decision] = []
        self.stations: dict[ChargePointId, FakeStation] = {}
        self.watches = Watches(self.clock, self.tally, self, self.new_station, most)

    def perform(self, watch: Watch, decisions: Sequence[Decision]) -> None:
        self.performed.extend(decisions)
        for decision in decisions:
            if isinstance(decision, WakeAt):
                watch.wake_at(decision.mono)

    def new_station(self, charge_point: ChargePointId) -> FakeStation:  # type: ignore[override]
        self.stations[charge_point] = FakeStation()
        return self.stations[charge_point]

    def connect(self, charge_point: str = "box") -> tuple[Session, FakeLink]:
        session, link = Session(self.watches), FakeLink(ChargePointId(charge_point))
        session.opened(link)
        return session, link

    @property
    def asked(self) -> list[str]:
        return [question for question, _ in self.stations[BOX].asked]


def test_a_message_reaches_the_station_as_text_and_is_counted_by_action() -> None:
    room = Room()
    session, _ = room.connect()
    session.passed(UP, framed('[2,"1","Heartbeat",{}]\u00e4'.encode()))
    assert room.stations[BOX].asked[-1] == ("receive", (UP, '[2,"1","Heartbeat",{}]\u00e4'))
    assert room.tally.frames[UP]["Heartbeat"] == 1


def test_sessions_are_counted_and_it_is_known_when_the_charge_point_spoke_last() -> None:
    room = Room()
    room.connect()
    watch = room.watches.get(BOX)
    assert watch is not None
    assert watch.heard_utc is None
    session, _ = room.connect()
    room.clock.advance(7)
    session.passed(UP, framed(b"[]"))
    room.clock.advance(7)
    session.passed(DOWN, framed(b"[]"))
    assert watch.sessions == 2
    assert watch.heard_utc == room.clock.now().utc - 7


def test_bytes_that_are_no_utf8_are_judged_with_replacements() -> None:
    room = Room()
    session, _ = room.connect()
    session.passed(UP, framed(b"\xff\xfe"))
    assert room.stations[BOX].asked[-1] == ("receive", (UP, "\ufffd\ufffd"))


def test_an_action_nobody_knows_is_counted_as_other() -> None:
    room = Room()
    session, _ = room.connect()
    room.stations[BOX].last_action = "Mine\n{evil}"
    session.passed(DOWN, framed(b"x"))
    assert +room.tally.frames[DOWN] == {"other": 1}


def test_binary_messages_are_counted_and_judged_for_a_central_system_may_take_them_for_text() -> None:
    room = Room()
    session, _ = room.connect()
    session.passed(UP, framed(b"[]", opcode=wire.BINARY))
    assert room.stations[BOX].asked[-1] == ("receive", (UP, "[]"))
    assert room.tally.binary_messages == 1


def test_oversized_messages_are_counted_and_not_judged() -> None:
    room = Room()
    session, _ = room.connect()
    session.unjudged(UP, 300_000)
    assert room.asked == ["connected"]
    assert room.tally.unjudged_messages == 1


def test_a_skimmed_message_is_counted_and_not_read() -> None:
    room = Room()
    session, _ = room.connect()
    station = room.stations[BOX]
    station.last_action = "MeterValues"
    station.skims = [Count(CountKind.MENDED)]
    session.passed(UP, framed(b"[2,"))
    assert room.asked == ["connected"]
    assert +room.tally.frames[UP] == {"MeterValues": 1}
    assert room.performed[-1] == Count(CountKind.MENDED)
    station.skims = None
    session.passed(UP, framed(b"[2,"))
    assert room.asked == ["connected", "receive"]


def test_a_judge_that_fails_to_skim_is_asked_to_read() -> None:
    room = Room()
    session, _ = room.connect()
    room.stations[BOX].skims = RuntimeError("broken")
    session.passed(UP, framed(b"[2,"))
    assert room.tally.faults["judge"] == 1
    assert room.asked == ["connected", "receive"]


def test_a_tap_hears_of_every_message_in_order_before_it_is_judged() -> None:
    room, passed = Room(), []
    tapped = Session(room.watches, passed.append)
    tapped.opened(FakeLink(BOX))
    tapped.passed(UP, framed(b"[2]"))
    tapped.injected(framed(b"ours"))
    room.clock.advance(2)
    tapped.withheld(framed(b"[3]"))
    tapped.unjudged(DOWN, 300_000)
    utc, mono = room.clock.utc(), room.clock.mono()
    assert passed == [
        (tapped, Passage.FORWARDED, UP, framed(b"[2]"), utc - 2, mono - 2),
        (tapped, Passage.OURS, DOWN, framed(b"ours"), utc - 2, mono - 2),
        (tapped, Passage.WITHHELD, UP, framed(b"[3]"), utc, mono),
        (tapped, Passage.TOO_LARGE, DOWN, b"", utc, mono),
    ]


def test_a_tap_that_breaks_is_counted_and_the_message_is_judged() -> None:
    room = Room()

    def broken(_: Passed) -> None:
        raise OSError("no room")

    session = Session(room.watches, broken)
    session.passed(UP, framed(b"early"))
    session.opened(FakeLink(BOX))
    session.passed(UP, framed(b"[2]"))
    assert room.tally.faults["journal"] == 2
    assert room.asked == ["connected", "receive"]


def test_an_answer_that_was_kept_back_reaches_the_station() -> None:
    room = Room()
    session, _ = room.connect()
    session.withheld(framed(b'[3,"wd-0123456789abcdef",{}]'))
    assert room.stations[BOX].asked[-1] == ("own_answer", '[3,"wd-0123456789abcdef",{}]')


def test_the_station_lives_on_over_sessions() -> None:
    room = Room()
    first, _ = room.connect()
    first.closed("gone")
    second, _ = room.connect()
    second.closed("gone")
    assert room.asked == ["connected", "disconnected"] * 2
    assert len(room.watches) == 1


def test_S4_a_late_end_of_an_old_session_does_not_touch_the_new_one() -> None:
    room = Room()
    old, _ = room.connect()
    _, link = room.connect()
    old.closed("late")
    watch = room.watches.get(BOX)
    assert watch is not None
    assert watch.link is link
    assert room.asked == ["connected", "connected"]


def test_after_an_injection_later_sessions_look_for_late_answers() -> None:
    room = Room()
    session, link = room.connect()
    assert link.calls == []
    watch = room.watches.of(BOX)
    watch.has_injected = True
    session.closed("gone")
    _, link = room.connect()
    assert link.calls == ["arm"]


def test_P10_a_judge_that_raises_on_every_frame_is_counted_and_lets_nothing_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    room = Room()
    session, _ = room.connect()
    room.stations[BOX].fails = True
    for _ in range(25):
        session.passed(UP, framed(b"x"))
    assert room.tally.faults["judge"] == 25
    assert room.tally.is_degraded(room.clock.now().mono)
    assert not room.tally.is_judging
    assert len(caplog.records) == 1, "a traceback for each of ten thousand frames a second would fill the disk"
    room.stations[BOX].fails = False
    session.passed(UP, framed(b"x"))
    assert room.tally.is_judging
    assert room.tally.is_degraded(room.clock.now().mono)
    room.clock.advance(301)
    assert not room.tally.is_degraded(room.clock.now().mono)


def test_a_station_that_cannot_be_made_costs_the_judgement_and_nothing_else() -> None:
    room = Room()

    def broken(_: ChargePointId) -> FakeStation:
        raise RuntimeError("no station")

    room.watches = Watches(room.clock, room.tally, room, broken)  # type: ignore[arg-type]
    session, _ = room.connect()
    session.passed(UP, framed(b"x"))
    session.withheld(framed(b"x"))
    session.closed("gone")
    assert room.tally.faults["judge"] == 1
    assert len(room.watches) == 0


async def rang(room: Room, times: int) -> None:
    """Wait until the station was ticked so often."""
    async with asyncio.timeout(20):
        while room.asked.count("tick") < times:
            await asyncio.sleep(0)


async def test_the_timer_rings_once_at_the_moment_asked_for() -> None:
    room = Room()
    room.connect()
    watch = room.watches.of(BOX)
    watch.wake_at(room.clock.now().mono + 60.0)
    watch.wake_at(room.clock.now().mono)
    await rang(room, 1)
    await asyncio.sleep(0.01)
    assert room.asked.count("tick") == 1, "the second replaced the first"


async def test_what_waits_is_read_in_a_turn_of_its_own_before_the_tick() -> None:
    room = Room()
    room.connect()
    room.stations[BOX].waits = True
    room.watches.of(BOX).wake_at(room.clock.now().mono)
    async with asyncio.timeout(5):
        while "read_ahead" not in room.asked:
            await asyncio.sleep(0)
    assert "tick" not in room.asked, "frames pass in between"
    await rang(room, 1)
    assert room.asked[-2:] == ["read_ahead", "tick"]


async def test_a_message_that_comes_between_reading_and_tick_may_put_it_off() -> None:
    room = Room()
    room.connect()
    room.stations[BOX].waits = True
    watch, now = room.watches.of(BOX), room.clock.now().mono
    watch.wake_at(now)
    async with asyncio.timeout(5):
        while "read_ahead" not in room.asked:
            await asyncio.sleep(0)
    watch.wake_at(now + 0.01)
    await asyncio.sleep(0.03)
    assert "tick" not in room.asked
    room.clock.advance(0.01)
    await rang(room, 1)
    assert room.stations[BOX].asked[-1] == ("tick", now + 0.01)


async def test_a_timer_that_is_early_is_set_again() -> None:
    room = Room()
    room.connect()
    watch = room.watches.of(BOX)
    due = room.clock.now().mono + 0.002
    watch.wake_at(due)
    await asyncio.sleep(0.02)
    assert "tick" not in room.asked, "the simulated clock has not got there, whatever the real one says"
    room.clock.advance(0.002)
    await rang(room, 1)
    assert room.stations[BOX].asked[-1] == ("tick", due)


async def test_a_timer_that_would_ring_too_early_is_left_alone_and_set_again_when_it_rings() -> None:
    room = Room()
    room.connect()
    watch = room.watches.of(BOX)
    now = room.clock.now().mono
    watch.wake_at(now + 0.002)
    first = watch._timer
    watch.wake_at(now + 0.004)
    assert watch._timer is first
    room.clock.advance(0.003)
    await asyncio.sleep(0.01)
    assert "tick" not in room.asked
    room.clock.advance(0.001)
    await rang(room, 1)
    assert room.stations[BOX].asked[-1] == ("tick", now + 0.004)


async def test_what_a_tick_decides_is_performed_and_may_set_the_timer_again() -> None:
    room = Room()
    room.connect()
    room.stations[BOX].answers["tick"] = [WakeAt(room.clock.now().mono)]
    room.watches.of(BOX).wake_at(room.clock.now().mono)
    await rang(room, 3)
    room.watches.stop()
    seen = room.asked.count("tick")
    await asyncio.sleep(0.01)
    assert room.asked.count("tick") == seen


async def test_the_timer_can_be_called_off() -> None:
    room = Room()
    room.connect()
    watch = room.watches.of(BOX)
    watch.wake_at(room.clock.now().mono)
    watch.wake_at(None)
    await asyncio.sleep(0.01)
    assert "tick" not in room.asked


def test_W11_the_oldest_idle_charge_point_is_forgotten_when_there_are_too_many() -> None:
    room = Room(most=3)
    sessions = {name: room.connect(name)[0] for name in ("a", "b", "c")}
    sessions["a"].closed("gone")
    sessions["b"].closed("gone")
    room.connect("a")[0].closed("gone")
    room.connect("d")
    assert [watch.charge_point for watch in room.watches] == ["c", "a", "d"]


def test_a_charge_point_with_an_open_episode_is_never_forgotten() -> None:
    room = Room(most=1)
    room.connect()[0].closed("gone")
    room.stations[BOX].connectors = (connector_view(),)
    room.stations[BOX].owes = True
    for name in ("other", "third", "fourth"):
        room.connect(name)[0].closed("gone")
        room.stations[ChargePointId(name)].owes = True
    assert room.watches.get(BOX) is not None


def test_a_charge_point_whose_budget_is_used_is_not_forgotten_while_there_is_room_for_twice_as_many(
    caplog: pytest.LogCaptureFixture,
) -> None:
    room = Room(most=2)
    for name in ("a", "b", "c", "d"):
        room.connect(name)[0].closed("gone")
        room.stations[ChargePointId(name)].owes = True
    assert [watch.charge_point for watch in room.watches] == ["a", "b", "c", "d"]
    assert room.tally.faults["memory"] == 0
    room.connect("e")
    assert [watch.charge_point for watch in room.watches] == ["b", "c", "d", "e"]
    assert room.tally.faults["memory"] == 1
    assert "with what it owes" in caplog.text


def test_where_everybody_is_connected_nobody_is_forgotten() -> None:
    room = Room(most=1)
    for name in ("a", "b", "c"):
        room.connect(name)
        room.stations[ChargePointId(name)].owes = True
    assert len(room.watches) == 3


async def test_a_tick_that_breaks_is_tried_again_a_second_later() -> None:
    room = Room()
    session, _ = room.connect()
    watch, station = room.watches.get(BOX), room.stations[BOX]
    assert watch is not None
    station.fails = True
    watch.wake_at(room.clock.now().mono)
    room.clock.advance(0.01)
    await asyncio.sleep(0.02)
    assert room.tally.faults["judge"] == 1
    assert watch._timer is not None
    watch.stop_timer()
    session.closed("over")


# -- over a restart ----------------------------------------------------------------------------------------------------


class Remembering(Room):
    """Watches that are told what was remembered, with real stations. kept: what ``recall`` gives."""

    def __init__(self, kept: object = None) -> None:
        super().__init__()
        self.kept = kept
        self.changes: list[ChargePointId] = []
        self.watches = Watches(
            self.clock, self.tally, self, self.new_station, recall=self.recall, changed=self.changes.append
        )

    def perform(self, watch: Watch, decisions: Sequence[Decision]) -> None:
        self.performed.extend(decisions)

    def recall(self, charge_point: ChargePointId) -> object:
        if isinstance(self.kept, Exception):
            raise self.kept
        return self.kept

    def new_station(self, charge_point: ChargePointId) -> Station:  # type: ignore[override]
        return Station(charge_point, Policy(), json.loads, lambda: "wd-0000000000000001")


def session_with_a_stop_order(room: Remembering, *, answered: bool = True) -> Session:
    session, _ = room.connect()
    session.passed(DOWN, framed(examples.set_limit("7", 0, room.clock.now().utc).encode()))
    if answered:
        session.passed(UP, framed(examples.status_result("7").encode()))
    return session


def test_a_charge_point_met_first_is_given_what_was_remembered_before_it_is_connected() -> None:
    before = Remembering()
    session_with_a_stop_order(before, answered=False)
    after = Remembering(json.loads(json.dumps(before.watches.memory(BOX))))
    after.watches.expect([BOX])
    watch = after.watches.get(BOX)
    assert watch is not None
    (seen,) = watch.station.view(after.clock.now()).connectors
    assert seen.stop_ordered is not None
    assert not watch.station.view(after.clock.now()).connected
    assert not watch.has_injected
    assert any(isinstance(decision, WakeAt) for decision in after.performed), "an answer is awaited"
    after.connect()
    assert after.watches.of(BOX) is watch


def test_after_a_restart_late_answers_to_calls_of_ours_are_still_kept_from_the_central_system() -> None:
    before = Remembering()
    session_with_a_stop_order(before)
    watch = before.watches.of(BOX)
    before.clock.advance(40)
    watch.station.tick(before.clock.now())
    assert watch.station.has_spoken
    after = Remembering(json.loads(json.dumps(before.watches.memory(BOX))))
    _, link = after.connect()
    assert link.calls == ["arm"]


def test_nothing_is_remembered_of_whom_nobody_knows() -> None:
    assert Remembering().watches.memory(BOX) is None


@pytest.mark.parametrize("kept", [{"version": 99}, "nonsense", OSError("no journal"), {"version": 1}])
def test_what_cannot_be_used_is_counted_and_the_charge_point_begins_anew(
    kept: object, caplog: pytest.LogCaptureFixture
) -> None:
    room = Remembering(kept)
    session_with_a_stop_order(room)
    assert room.tally.faults["memory"] == 1
    assert "memory failed" in caplog.text or "cannot be used" in caplog.text
    (seen,) = room.watches.of(BOX).station.view(room.clock.now()).connectors
    assert seen.stop_ordered is not None


def test_a_restore_that_breaks_leaves_a_fresh_station(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(self: Station, kept: object, now: Moment) -> list[Decision]:
        self.last_action = "half restored"
        raise RuntimeError

    monkeypatch.setattr(Station, "restore", breaks)
    room = Remembering({})
    watch = room.watches.of(BOX)
    assert watch.station.last_action == ""
    assert room.tally.faults["memory"] == 1


def test_somebody_is_told_when_there_is_more_to_remember_and_only_then() -> None:
    room = Remembering()
    session = session_with_a_stop_order(room)
    assert room.changes
    room.changes.clear()
    session.passed(UP, framed(examples.call("8", "Heartbeat", {}).encode()))
    assert room.changes == []
    session.passed(UP, framed(examples.status("9", "Charging", room.clock.now().utc).encode()))
    assert room.changes == [BOX]


# -- repairs -----------------------------------------------------------------------------------------------------


def test_of_a_repaired_command_the_judge_hears_what_was_asked_and_of_a_reading_what_was_sent_on() -> None:
    room = Room()
    passed: list[Passed] = []
    session = Session(room.watches, passed.append)
    session.opened(FakeLink(BOX))
    order = Repaired(framed(b"4140 W"), framed(b"6 A"), "profile_dialect")
    reading = Repaired(framed(b"4485 W, now"), framed(b"448.5 W"), "power_factor, timestamps", framed(b"4485 W"))
    session.repaired(DOWN, order)
    session.repaired(UP, reading)
    received = [about for question, about in room.stations[BOX].asked if question == "receive"]
    assert received == [(DOWN, "6 A"), (UP, "4485 W")]
    assert [(entry[1], entry[2], entry[3]) for entry in passed] == [
        (Passage.FORWARDED, DOWN, order),
        (Passage.FORWARDED, UP, reading),
    ]
    assert all(isinstance(entry[3], Repaired) for entry in passed)
    assert room.tally.repaired == {"profile_dialect": 1, "power_factor": 1, "timestamps": 1}
    watch = room.watches.get(BOX)
    assert watch is not None
    assert watch.heard_utc is not None


def test_of_an_answered_message_the_judge_hears_nothing_and_the_journal_both() -> None:
    room = Room()
    passed: list[Passed] = []
    session = Session(room.watches, passed.append)
    session.opened(FakeLink(BOX))
    session.answered(DOWN, framed(b"question"), framed(b"answer"), "answer_for")
    session.answered(UP, framed(b"chatter"), framed(b"{}"), "answer_for")
    assert room.asked == ["connected"]
    assert [(entry[1], entry[2], bytes(entry[3])) for entry in passed] == [
        (Passage.WITHHELD, DOWN, framed(b"question")),
        (Passage.OURS, UP, framed(b"answer")),
        (Passage.WITHHELD, UP, framed(b"chatter")),
        (Passage.OURS, DOWN, framed(b"{}")),
    ]
    assert room.tally.repaired == {"answer_for": 2}


def test_a_session_nobody_judges_takes_repaired_messages_all_the_same() -> None:
    room = Room()
    session = Session(room.watches)
    session.repaired(UP, Repaired(framed(b"a"), framed(b"b"), "timestamps"))
    session.answered(UP, framed(b"a"), framed(b"b"), "answer_for")
    assert sum(room.tally.repaired.values()) == 2
