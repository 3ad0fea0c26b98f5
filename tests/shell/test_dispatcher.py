"""Each decision reaches the part that performs it, in order, and what breaks stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from ocpp_watchdog.core.decisions import (
    CallOut,
    Count,
    CountKind,
    Decision,
    FactKind,
    Inject,
    NoticeKind,
    Notify,
    Record,
    Release,
    Severity,
    WakeAt,
    Warn,
)
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId, Moment, UniqueId
from ocpp_watchdog.shell import dispatcher
from ocpp_watchdog.shell.dispatcher import BeforeStep, CallSomebody, Dispatcher
from ocpp_watchdog.shell.ports import Link
from ocpp_watchdog.shell.tally import Tally
from shell_fakes import FakeClock, FakeLink, FakeStation
from views import episode_view

BOX = ChargePointId("box")
ID = UniqueId("wd-0123456789abcdef")
NOW = Moment(1_759_324_749.0, 1_000.0)


@dataclass
class Watched:
    charge_point: ChargePointId = BOX
    link: Link | None = field(default_factory=FakeLink)
    has_injected: bool = False
    release_timer: asyncio.TimerHandle | None = None
    station: FakeStation = field(default_factory=FakeStation)
    wakes: list[float | None] = field(default_factory=list)

    def wake_at(self, mono: float | None) -> None:
        self.wakes.append(mono)


class Room:
    """A dispatcher with everything around it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.tally = Tally()
        self.told: list[Notify] = []
        self.kept: list[Record] = []
        self.watched = Watched()
        self.fails_to_tell = False
        self.unanswered: list[str] = []
        self.dispatcher = Dispatcher(
            self.clock, self.tally, self.tell, lambda _, fact: self.kept.append(fact), self.unanswered.append
        )

    def calls(self, somebody: CallSomebody) -> None:
        """From now on there is somebody to be called."""
        records = lambda _, fact: self.kept.append(fact)  # noqa: E731
        self.dispatcher = Dispatcher(
            self.clock, self.tally, self.tell, records, self.unanswered.append, call_out=somebody
        )

    def tell(self, _: ChargePointId, notice: Notify) -> None:
        if self.fails_to_tell:
            raise OSError("no network")
        self.told.append(notice)

    def perform(self, *decisions: Decision) -> None:
        self.dispatcher.perform(self.watched, decisions)

    @property
    def link(self) -> FakeLink:
        assert isinstance(self.watched.link, FakeLink)
        return self.watched.link


def inject(write_before: float = 1_010.0) -> Inject:
    return Inject(ID, "RemoteStopTransaction", "[2,...]", ConnectorId(1), write_before, is_step=True)


def alarm() -> Notify:
    return Notify(NoticeKind.ALARM, Severity.CRITICAL, ConnectorId(1), NOW, episode_view())


async def test_calls_are_held_before_a_frame_of_ours_is_written_and_the_station_is_told() -> None:
    room = Room()
    room.perform(inject())
    assert room.link.calls == ["hold", "inject"]
    assert room.link.injected[0].text == "[2,...]"
    assert room.watched.station.asked == [("may_send", ID), ("written", ID)]
    assert room.watched.has_injected


async def test_the_deadline_becomes_loop_time() -> None:
    room = Room()
    before = asyncio.get_running_loop().time()
    room.perform(inject(write_before=1_007.0))
    assert room.link.injected[0].give_up_at == pytest.approx(before + 7.0, abs=0.5)


async def test_a_frame_that_is_no_longer_wanted_is_reported_as_not_written() -> None:
    room = Room()
    room.watched.station.wanted = False
    room.perform(inject())
    assert room.watched.station.asked == [("may_send", ID), ("not_written", ID)]


async def test_without_a_connection_a_frame_is_reported_as_not_written() -> None:
    room = Room()
    room.watched.link = None
    room.perform(inject())
    assert room.watched.station.asked == [("not_written", ID)]
    assert not room.watched.has_injected


async def test_a_link_that_breaks_is_counted_and_reported_as_not_written() -> None:
    room = Room()
    room.link.fails = True
    room.perform(inject(), WakeAt(5.0))
    assert room.tally.faults["inject"] == 1
    assert room.watched.station.asked == [("not_written", ID)]
    assert room.watched.wakes == [5.0]


async def test_a_judge_that_cannot_answer_at_the_moment_of_writing_means_no() -> None:
    room = Room()
    room.watched.station.fails = True
    room.perform(inject())
    assert room.tally.faults["judge"] == 2, "asked may_send, then told not_written: both failed, neither escaped"
    assert ("not_written", ID) in room.watched.station.asked


async def test_what_a_written_frame_causes_is_performed_behind_what_was_decided_with_it() -> None:
    room = Room()
    room.watched.station.answers["written"] = [WakeAt(2.0)]
    room.perform(inject(), WakeAt(1.0))
    assert room.watched.wakes == [1.0, 2.0]


async def test_what_is_held_is_let_go_after_ten_seconds_whatever_the_judge_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert dispatcher.LONGEST_HOLD_SECONDS == 10
    monkeypatch.setattr(dispatcher, "LONGEST_HOLD_SECONDS", 0.005)
    room = Room()
    room.perform(inject())
    room.watched.station.fails = True
    async with asyncio.timeout(20):
        while room.link.calls[-1] != "release":
            await asyncio.sleep(0.001)
    assert room.link.calls == ["hold", "inject", "release"]


async def test_a_release_in_time_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "LONGEST_HOLD_SECONDS", 0.005)
    room = Room()
    room.perform(inject(), inject(), Release())
    await asyncio.sleep(0.02)
    assert room.link.calls == ["hold", "inject", "hold", "release", "hold", "inject", "release"]


# -- a step is committed before it is sent -----------------------------------------------------------------------


class Commits:
    """A journal that calls back when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, Callable[[], None]]] = []

    def before_step(self, charge_point: ChargePointId, then: Callable[[], None]) -> None:
        self.waiting.append((charge_point, then))

    def commit(self) -> None:
        waiting, self.waiting = self.waiting, []
        for _, then in waiting:
            then()


def committing(before_step: BeforeStep, somebody: CallSomebody | None = None) -> Room:
    room = Room()
    room.dispatcher = Dispatcher(
        room.clock,
        room.tally,
        room.tell,
        lambda _, fact: room.kept.append(fact),
        room.unanswered.append,
        call_out=somebody,
        before_step=before_step,
    )
    return room


async def test_a_step_waits_for_its_commit_with_calls_held_and_what_follows_stays_behind_it() -> None:
    journal = Commits()
    room = committing(journal.before_step)
    room.watched.station.answers["written"] = [WakeAt(3.0)]
    room.perform(WakeAt(1.0), inject(), alarm(), WakeAt(2.0))
    room.perform(Count(CountKind.MENDED))
    assert room.link.calls == ["hold"]
    assert (room.watched.wakes, room.told, room.tally.nonsense.total()) == ([1.0], [], 0)
    journal.commit()
    assert room.link.calls == ["hold", "release", "hold", "inject"]
    assert room.watched.wakes == [1.0, 2.0, 3.0], "what the writing caused comes behind what was decided with it"
    assert (len(room.told), room.tally.nonsense.total()) == (1, 1)
    assert room.watched.station.asked == [("may_send", ID), ("written", ID)], "asked at the moment of writing"


async def test_what_leaves_something_behind_waits_for_its_commit_too() -> None:
    journal = Commits()
    room = committing(journal.before_step)
    room.perform(replace(inject(), is_step=False, is_lasting=True))
    assert room.link.injected == []
    journal.commit()
    assert len(room.link.injected) == 1


async def test_what_the_central_system_said_while_a_step_waited_is_heard_before_it_is_written() -> None:
    journal = Commits()
    room = committing(journal.before_step)
    room.perform(inject())

    def raised() -> None:
        room.watched.station.wanted = False  # a raise was held

    room.link.on_release = raised
    journal.commit()
    assert room.watched.station.asked == [("may_send", ID), ("not_written", ID)]


async def test_without_a_journal_what_waits_behind_a_question_of_ours_is_heard_before_a_step_too() -> None:
    room = Room()
    room.perform(replace(inject(), is_step=False))

    def raised() -> None:
        room.watched.station.wanted = False

    room.link.on_release = raised
    room.perform(inject())
    assert room.watched.station.asked[-2:] == [("may_send", ID), ("not_written", ID)]


async def test_a_commit_that_comes_twice_leaves_the_next_step_alone() -> None:
    journal = Commits()
    room = committing(journal.before_step)
    room.perform(inject())
    ((_, late),) = journal.waiting
    journal.commit()
    room.perform(replace(inject(), unique_id=UniqueId("wd-0000000000000002")))
    late()
    assert len(room.link.injected) == 1
    journal.commit()
    assert len(room.link.injected) == 2


async def test_other_charge_points_do_not_wait_for_a_commit() -> None:
    room = committing(Commits().before_step)
    other = Watched(ChargePointId("other"))
    room.perform(inject())
    room.dispatcher.perform(other, [WakeAt(7.0)])
    assert other.wakes == [7.0]


async def test_a_question_waits_for_no_commit() -> None:
    journal = Commits()
    room = committing(journal.before_step)
    room.perform(replace(inject(), is_step=False))
    assert room.link.calls == ["hold", "inject"]
    assert not journal.waiting


async def test_a_step_that_is_no_longer_wanted_after_its_commit_is_not_sent() -> None:
    journal = Commits()
    room = committing(journal.before_step)
    room.perform(inject())
    room.watched.station.wanted = False
    journal.commit()
    assert room.watched.station.asked == [("may_send", ID), ("not_written", ID)]


@pytest.mark.parametrize("link", [None, FakeLink()], ids=["gone", "another session"])
async def test_a_step_is_not_carried_into_another_session(link: FakeLink | None) -> None:
    journal = Commits()
    room = committing(journal.before_step)
    room.perform(inject(), WakeAt(1.0))
    room.watched.link = link
    journal.commit()
    assert room.watched.station.asked == [("not_written", ID)]
    assert link is None or link.calls == []
    assert room.watched.wakes == [1.0]


async def test_a_journal_that_breaks_holds_no_step_back() -> None:
    def breaks(charge_point: ChargePointId, then: Callable[[], None]) -> None:
        raise RuntimeError("no journal")

    room = committing(breaks)
    room.perform(inject(), WakeAt(1.0))
    assert room.link.calls == ["hold", "release", "hold", "inject"]
    assert room.tally.faults["journal"] == 1
    assert room.watched.wakes == [1.0]


async def test_a_journal_that_calls_back_at_once_or_twice_sends_one_frame() -> None:
    def twice(charge_point: ChargePointId, then: Callable[[], None]) -> None:
        then()
        then()

    room = committing(twice)
    room.perform(inject(), WakeAt(1.0))
    assert room.link.calls == ["hold", "release", "hold", "inject"]
    assert room.watched.wakes == [1.0]


async def test_a_link_that_breaks_after_the_commit_is_counted_and_reported_as_not_written() -> None:
    journal = Commits()
    room = committing(journal.before_step)
    room.perform(inject(), WakeAt(5.0))
    room.link.fails = True
    journal.commit()
    assert room.tally.faults["inject"] == 1
    assert room.watched.station.asked == [("not_written", ID)]
    assert room.watched.wakes == [5.0]


def test_release_lets_held_calls_go_and_needs_a_connection() -> None:
    room = Room()
    room.perform(Release())
    assert room.link.calls == ["release"]
    room.watched.link = None
    room.perform(Release())
    assert not room.tally.faults


def test_counts_facts_notices_and_timers_reach_their_parts() -> None:
    room = Room()
    fact = Record(FactKind.STEP, ConnectorId(1), NOW)
    room.perform(Count(CountKind.MENDED), fact, alarm(), WakeAt(None))
    assert room.tally.nonsense[CountKind.MENDED] == 1
    assert room.kept == [fact]
    assert [notice.kind for notice in room.told] == [NoticeKind.ALARM]
    assert room.watched.wakes == [None]


def test_a_call_that_nobody_answered_is_counted_and_told_of() -> None:
    room = Room()
    room.perform(Count(CountKind.EXPIRED_CALL), Count(CountKind.LATE_ANSWER))
    assert room.unanswered == [BOX]
    assert room.tally.nonsense[CountKind.EXPIRED_CALL] == 1


def test_a_notice_that_cannot_be_told_is_counted_and_stops_nothing_behind_it() -> None:
    room = Room()
    room.fails_to_tell = True
    room.perform(alarm(), WakeAt(7.0))
    assert room.tally.faults["notify"] == 1
    assert room.watched.wakes == [7.0]


async def test_a_station_that_asks_for_ever_does_not_hold_up_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "PAUSE_SECONDS", 0.001)
    room = Room()
    room.watched.link = None
    room.watched.station.answers["not_written"] = [inject()]
    room.perform(inject())
    assert len(room.watched.station.asked) == dispatcher.MOST_AT_ONCE
    assert room.tally.faults["inject"] == 1
    room.watched.station.answers["not_written"] = [WakeAt(9.0)]
    async with asyncio.timeout(20):
        while not room.watched.wakes:
            await asyncio.sleep(0.001)
    assert room.watched.wakes == [9.0]


async def test_a_warning_goes_to_whoever_tells_people_and_what_breaks_there_is_counted() -> None:
    room = Room()
    warned: list[str] = []
    told = Warn("BOX-1", Severity.CRITICAL, "Reset", NOW, "It breaks.", "Es bricht.", is_told=True)
    room.perform(told)
    room.dispatcher = Dispatcher(
        room.clock,
        room.tally,
        room.tell,
        lambda *_: None,
        lambda _: None,
        warn=lambda _, warning: warned.append(warning.fact),
    )
    room.perform(told)
    assert warned == ["BOX-1"]
    assert room.tally.dangerous_commands == 2


# -- calls to somebody else --------------------------------------------------------------------------------------


BEGUN = [("may_send", ID), ("written", ID)]


def call_out() -> CallOut:
    return CallOut(ID, ConnectorId(1), NOW, episode_view())


@pytest.mark.parametrize("delivered", [True, False])
def test_what_came_of_a_call_to_somebody_else_goes_back_to_the_station(delivered: bool) -> None:
    room = Room()
    room.calls(lambda box, call, wanted, done: done(delivered))
    room.watched.station.answers["called_out"] = [WakeAt(9.0)]
    room.perform(call_out())
    assert room.watched.station.asked == [*BEGUN, ("called_out", (ID, delivered))]
    assert room.watched.wakes == [9.0]


def test_where_nobody_is_to_be_called_the_step_has_failed() -> None:
    room = Room()
    room.perform(call_out())
    assert room.watched.station.asked == [*BEGUN, ("called_out", (ID, False))]


def test_a_call_that_is_no_longer_wanted_when_its_commit_is_there_is_not_made() -> None:
    journal, called = Commits(), []
    room = committing(journal.before_step, lambda *about: called.append(about))
    room.perform(call_out(), WakeAt(7.0))
    room.watched.station.wanted = False
    journal.commit()
    assert called == []
    assert room.watched.station.asked == [("may_send", ID), ("not_written", ID)]
    assert room.watched.wakes == [7.0]


def test_whoever_calls_may_ask_again_before_each_try() -> None:
    room, answers = Room(), []

    def somebody(box: ChargePointId, call: CallOut, wanted: Callable[[], bool], done: Callable[[bool], None]) -> None:
        answers.append(wanted())
        room.watched.station.wanted = False
        answers.append(wanted())

    room.calls(somebody)
    room.perform(call_out())
    assert answers == [True, False]


async def test_a_raise_that_waits_behind_a_call_of_ours_is_heard_before_somebody_is_called() -> None:
    room, called = Room(), []
    room.calls(lambda *about: called.append(about))
    room.perform(replace(inject(), is_step=False))

    def raised() -> None:
        room.watched.station.wanted = False

    room.link.on_release = raised
    room.perform(call_out())
    assert called == []
    assert room.link.calls[-2:] == ["release", "hold"], "what comes next waits again"


def test_a_call_that_breaks_is_counted_and_has_failed() -> None:
    room = Room()

    def breaks(*_: object) -> None:
        raise OSError("no network")

    room.calls(breaks)
    room.perform(call_out(), WakeAt(7.0))
    assert room.tally.faults["notify"] == 1
    assert room.watched.station.asked == [*BEGUN, ("not_written", ID), ("called_out", (ID, False))]
    assert room.watched.wakes == [7.0]


def test_a_judge_that_breaks_on_what_came_of_a_call_is_counted() -> None:
    room = Room()

    def somebody(box: ChargePointId, call: CallOut, wanted: Callable[[], bool], done: Callable[[bool], None]) -> None:
        room.watched.station.fails = True
        done(True)

    room.calls(somebody)
    room.perform(call_out())
    assert room.tally.faults["judge"] == 1
