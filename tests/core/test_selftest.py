"""The owner's test as a machine: what it asks for, what ends it, and that the central system's limit comes back.

Times are seconds since the test began. A reading every ten seconds keeps to what was last taken, unless told otherwise.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from station_kit import in_amperes, moment, reading
from test_exercise import profile

from ocpp_watchdog.core.commands import ClearProfiles, Command, SetProfile
from ocpp_watchdog.core.decisions import StepOutcome
from ocpp_watchdog.core.exercise import Ask, End, Found, Part, Scene, plan
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.profiles import Criteria
from ocpp_watchdog.core.samples import Samples
from ocpp_watchdog.core.selftest import AGAIN_SECONDS, MOST_TRIES, SelfTest
from ocpp_watchdog.core.terms import ConnectorId, Purpose, Status, TransactionId

ONE = ConnectorId(1)
BASE = SetProfile(ONE, profile())
SEVEN = TransactionId(7)
TAKEN, REFUSED = StepOutcome.ACCEPTED, StepOutcome.REFUSED


class Bench:
    """A test that was just begun while 16 A flow, and everything around it."""

    def __init__(self, base: SetProfile = BASE, *, ordered: float = 6.0, id_tag: str = "T") -> None:
        self.t = 0.0
        self.samples = Samples(30.0)
        self.samples.connected(moment(-120))
        self.samples.add(reading(-5, 16.0))
        self.scene = Scene(
            connected=True,
            samples=self.samples,
            transaction_id=SEVEN,
            transaction_open=True,
            status=Status.CHARGING,
            newest=base,
            key="1",
            ordered=in_amperes(ordered),
        )
        parts = plan(in_amperes(ordered), id_tag=id_tag)
        now = moment(0)
        self.test = SelfTest(ONE, base, self.scene, parts, id_tag=id_tag, policy=Policy(), now=now)
        self.asked: list[Ask] = []
        self.look()

    def look(self) -> None:
        self.test.look(self.scene, moment(self.t))
        self.asked += self.test.asks
        self.test.asks = []

    def to(self, t: float) -> Bench:
        """Let time pass with somebody who watches, and with everything that falls due on the way."""
        while self.t < t:
            due = [at - moment(0).mono for at in self.test.next_at(self.scene) if at > moment(self.t).mono]
            self.t = min([t, self.t + 5.0, *due])
            self.test.watched(moment(self.t))
            self.look()
        return self

    def change(self, **changes: object) -> Bench:
        self.scene = replace(self.scene, **changes)  # type: ignore[arg-type]
        self.look()
        return self

    def read(self, t: float, amperes: float) -> Bench:
        self.to(t)
        self.samples.add(reading(t, amperes))
        self.look()
        return self

    def write(self, t: float) -> Ask:
        self.to(t)
        ask = self.asked[-1]
        assert self.test.wants(ask)
        self.test.written(ask, moment(t))
        self.look()
        return ask

    def answer(self, t: float, outcome: StepOutcome = TAKEN) -> Bench:
        self.to(t)
        self.test.settled(self.asked[-1], outcome, moment(t))
        self.look()
        return self

    def taken(self, t: float, outcome: StepOutcome = TAKEN) -> Bench:
        """What is asked goes out and is answered at once."""
        self.write(t)
        return self.answer(t, outcome)

    def command(self, command: Command | None, *, ordered: float | None = 6.0) -> Bench:
        """The central system says something."""
        key = str(int(self.scene.key) + 1)
        return self.change(newest=command, key=key, ordered=None if ordered is None else in_amperes(ordered))

    @property
    def parts(self) -> list[Part]:
        return [ask.part for ask in self.asked]

    @property
    def found(self) -> list[Found | None]:
        return [part.found for part in self.test.view().parts]

    @property
    def end(self) -> tuple[End | None, bool, bool | None]:
        seen = self.test.view()
        return seen.end, seen.is_over, seen.restored

    def limit(self, index: int = -1) -> object:
        """The limit in a SetChargingProfile that was asked for."""
        profile = self.asked[index].payload["csChargingProfiles"]
        assert isinstance(profile, dict)
        return profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]

    def walked(self) -> Bench:
        """Down to 0 A and back, everything obeyed: it is 40, and the stop is asked for."""
        self.taken(0).read(5, 6.0)
        self.taken(5).read(15, 0.0).read(25, 0.0)
        return self.taken(25).read(35, 6.0)


def test_everything_is_walked_in_order_and_told_with_its_seconds() -> None:
    bench = Bench()
    assert (bench.parts, bench.limit()) == ([Part.LIMIT], 6)
    bench.taken(1)
    assert bench.parts == [Part.LIMIT], "the reading is waited for"
    bench.read(5, 6.0)
    assert (bench.parts[-1], bench.limit()) == (Part.LIMIT, 0)
    bench.taken(6).read(15, 0.0).read(25, 0.0)
    assert (bench.parts[-1], bench.limit()) == (Part.RESTORE, 16)
    bench.taken(26).read(35, 6.0)
    assert bench.asked[-1] == Ask(Part.REMOTE_STOP, "RemoteStopTransaction", {"transactionId": 7}, SEVEN)
    bench.taken(36).read(40, 0.0).change(transaction_open=False, transaction_id=None, status=Status.FINISHING)
    assert bench.parts[-1] is Part.REMOTE_STOP, "a new start waits for Preparing"
    bench.change(status=Status.PREPARING)
    assert bench.asked[-1] == Ask(Part.REMOTE_START, "RemoteStartTransaction", {"connectorId": 1, "idTag": "T"})
    bench.taken(42).to(44)
    bench.change(transaction_open=True, transaction_id=TransactionId(8))
    assert bench.found == [Found.FOLLOWED] * 5
    assert [part.seconds for part in bench.test.view().parts] == pytest.approx([4, 9, 9, 4, 2])
    assert [part.answer for part in bench.test.view().parts] == ["accepted"] * 5
    assert bench.end == (End.DONE, True, True)
    assert bench.test.next_at(bench.scene) == []
    bench.to(200)
    assert len(bench.asked) == 5


def test_what_is_refused_is_left_and_nothing_needs_to_be_put_back() -> None:
    bench = Bench(id_tag="").taken(1, REFUSED).taken(2, REFUSED)
    assert bench.found[:3] == [Found.REFUSED, Found.REFUSED, Found.SKIPPED]
    bench.taken(3, REFUSED)
    assert bench.end == (End.DONE, True, True)


def test_a_refused_limit_leaves_the_last_one_that_was_taken() -> None:
    bench = Bench().taken(0).read(5, 6.0).taken(5, REFUSED)
    assert bench.parts[-1] is Part.RESTORE
    assert bench.limit() == 16


def test_what_is_never_answered_is_judged_by_the_readings_all_the_same() -> None:
    bench = Bench()
    bench.write(0)
    bench.read(5, 6.0)
    assert bench.found[0] is None, "one CALL at a time"
    bench.answer(10, StepOutcome.UNANSWERED)
    assert bench.found[0] is Found.FOLLOWED
    assert bench.test.view().parts[0].answer == "unanswered"


def test_what_finds_no_turn_is_not_sent() -> None:
    bench = Bench().to(10)
    bench.test.dropped(moment(10))
    bench.look()
    assert bench.found[0] is Found.NOT_SENT
    assert bench.parts == [Part.LIMIT, Part.LIMIT]
    bench.to(20)
    bench.test.dropped(moment(20))
    bench.look()
    assert bench.found[2] is Found.SKIPPED, "nothing was altered"


def test_a_stop_that_is_ignored_is_not_started_anew() -> None:
    bench = Bench().walked().taken(36)
    for t in (40, 50, 60, 67):
        bench.read(t, 6.0)
    assert bench.found[3:] == [Found.IGNORED, Found.SKIPPED]
    assert bench.end == (End.DONE, True, True)


def test_a_transaction_that_begins_by_itself_needs_no_start() -> None:
    bench = Bench().walked().taken(36).read(40, 0.0).change(transaction_open=False, status=Status.FINISHING)
    bench.change(transaction_open=True, transaction_id=TransactionId(8))
    assert bench.found[4] is Found.BY_ITSELF


def test_a_new_start_does_not_wait_for_preparing_for_ever() -> None:
    bench = Bench().walked().taken(36).read(40, 0.0).change(transaction_open=False, status=Status.FINISHING)
    bench.to(69)
    assert bench.parts[-1] is Part.REMOTE_STOP
    bench.to(70)
    assert bench.parts[-1] is Part.REMOTE_START
    bench.taken(70).to(101)
    assert bench.found[4] is Found.IGNORED


def test_current_that_does_not_come_back_holds_nothing_up() -> None:
    bench = Bench().taken(0).read(5, 6.0).taken(5).read(15, 0.0).read(25, 0.0).taken(25).to(114)
    assert bench.found[2] is None
    bench.to(115)
    assert bench.found[2] is Found.IGNORED
    assert bench.parts[-1] is Part.REMOTE_STOP


# -- what ends it --------------------------------------------------------------------------------------------------


def test_the_owner_breaks_it_off_and_the_limit_comes_back() -> None:
    bench = Bench().taken(0).to(3)
    bench.test.abort(moment(3))
    bench.test.abort(moment(3), End.UNWATCHED)
    bench.look()
    assert bench.found[:2] == [Found.BROKEN_OFF, None]
    assert (bench.parts[-1], bench.limit()) == (Part.RESTORE, 16)
    assert bench.end == (End.OWNER, False, None)
    bench.taken(4)
    assert bench.end == (End.OWNER, True, True)
    bench.look()
    bench.to(100)
    assert len(bench.asked) == 2


def test_what_has_not_gone_out_yet_is_not_wanted_any_more() -> None:
    bench = Bench()
    bench.test.abort(moment(3))
    bench.look()
    assert not bench.test.wants(bench.asked[0])
    assert bench.end == (End.OWNER, False, None), "what becomes of it is waited for"
    bench.test.dropped(moment(3))
    bench.look()
    assert bench.end == (End.OWNER, True, None)


def test_an_abort_while_an_order_is_out_waits_for_its_answer() -> None:
    bench = Bench()
    bench.write(0)
    bench.test.abort(moment(1))
    bench.look()
    assert bench.parts == [Part.LIMIT]
    bench.answer(2)
    assert bench.found[0] is Found.BROKEN_OFF
    bench.to(12)
    assert bench.parts == [Part.LIMIT, Part.RESTORE]


def test_an_abort_between_two_parts_breaks_none_off() -> None:
    bench = Bench().taken(0)
    bench.test.abort(moment(0))
    assert Found.BROKEN_OFF in bench.found
    parts = plan(in_amperes(6.0), id_tag="T")
    fresh = SelfTest(ONE, BASE, bench.scene, parts, id_tag="T", policy=Policy(), now=moment(0))
    fresh.abort(moment(0))
    assert [part.found for part in fresh.view().parts] == [None] * 5


def test_nobody_watches() -> None:
    bench = Bench().taken(0)
    bench.t = 31
    bench.look()
    assert bench.test.view().end is End.UNWATCHED
    assert bench.parts[-1] is Part.RESTORE


def test_a_lost_connection_ends_it_and_the_limit_comes_back_with_the_next_one() -> None:
    bench = Bench().taken(0).change(connected=False)
    assert bench.end == (End.DISCONNECTED, False, None)
    assert bench.test.next_at(bench.scene) == []
    bench.to(60).change(connected=True)
    assert (bench.parts[-1], bench.limit()) == (Part.RESTORE, 16)
    bench.change(connected=False)
    bench.change(connected=True)
    assert bench.parts == [Part.LIMIT, Part.RESTORE, Part.RESTORE], "the first one died with its connection"
    bench.taken(61)
    assert bench.end == (End.DISCONNECTED, True, True)


def test_a_limit_that_is_not_taken_back_is_tried_again_and_given_up_loudly() -> None:
    bench = Bench().taken(0)
    bench.test.abort(moment(0))
    bench.look()
    for number in range(MOST_TRIES):
        bench.taken(number * AGAIN_SECONDS, REFUSED)
    assert bench.parts == [Part.LIMIT] + [Part.RESTORE] * MOST_TRIES
    bench.to(100)
    assert bench.end == (End.OWNER, True, False)


def test_a_limit_that_was_not_taken_back_on_the_way_is_tried_again_at_the_end() -> None:
    bench = Bench(id_tag="").taken(0).read(5, 6.0).taken(5).read(15, 0.0).read(25, 0.0).taken(25, REFUSED)
    assert bench.found[2] is Found.REFUSED
    bench.taken(26, REFUSED).to(40)
    assert bench.parts[-1] is Part.RESTORE
    bench.taken(40)
    assert bench.end == (End.DONE, True, True)


@pytest.mark.parametrize("ordered", [0.0, 10.0, None])
def test_another_order_of_the_central_system_ends_it_and_stands(ordered: float | None) -> None:
    bench = Bench().taken(0).command(BASE, ordered=ordered)
    assert bench.end == (End.CENTRAL_SYSTEM, True, True)
    assert bench.parts == [Part.LIMIT], "its own order has taken the place of ours"


def test_an_order_for_another_place_leaves_ours_to_be_put_back() -> None:
    other = SetProfile(ONE, replace(profile(), profile_id=2, stack_level=1))
    bench = Bench().taken(0).command(other, ordered=0.0)
    assert bench.test.view().end is End.CENTRAL_SYSTEM
    assert (bench.parts[-1], bench.limit()) == (Part.RESTORE, 16)
    elsewhere = Bench().taken(0).command(SetProfile(ConnectorId(0), profile()), ordered=0.0)
    assert elsewhere.parts[-1] is Part.RESTORE


def test_a_cleared_profile_is_not_put_back() -> None:
    bench = Bench().taken(0).command(ClearProfiles(Criteria()), ordered=None)
    assert bench.end == (End.CENTRAL_SYSTEM, True, True)


def test_a_clear_that_changes_nothing_of_the_order_ends_it_too() -> None:
    assert Bench().taken(0).command(ClearProfiles(Criteria())).test.view().end is End.CENTRAL_SYSTEM


@pytest.mark.parametrize(
    "criteria",
    [
        Criteria(profile_id=9),
        Criteria(connector=ConnectorId(0)),
        Criteria(purpose=Purpose.CHARGE_POINT_MAX),
        Criteria(stack_level=5),
    ],
)
def test_a_clear_that_does_not_mean_ours_leaves_it_to_be_put_back(criteria: Criteria) -> None:
    bench = Bench().taken(0).command(ClearProfiles(criteria), ordered=None)
    assert bench.test.view().end is End.CENTRAL_SYSTEM
    assert (bench.parts[-1], bench.limit()) == (Part.RESTORE, 16)


@pytest.mark.parametrize(
    "criteria", [Criteria(profile_id=BASE.profile.profile_id), Criteria(connector=ONE, purpose=Purpose.TX_DEFAULT)]
)
def test_a_clear_that_means_ours_clears_it(criteria: Criteria) -> None:
    bench = Bench().taken(0).command(ClearProfiles(criteria), ordered=None)
    assert bench.end == (End.CENTRAL_SYSTEM, True, True)


@pytest.mark.parametrize("ordered", [0.0, 3.0, 10.0])
def test_an_order_that_moves_by_its_schedule_alone_ends_it_and_the_schedule_is_put_back(ordered: float) -> None:
    bench = Bench().taken(0).change(ordered=in_amperes(ordered))
    assert bench.test.view().end is End.CENTRAL_SYSTEM
    assert bench.parts == [Part.LIMIT, Part.RESTORE]


def test_an_order_that_falls_to_zero_by_its_schedule_after_the_stop_starts_nothing_anew() -> None:
    bench = Bench().walked().taken(36).change(ordered=in_amperes(10.0))
    assert bench.test.view().end is None, "the limit is back, only a stop is of interest"
    bench.change(ordered=in_amperes(0.0))
    assert bench.end == (End.CENTRAL_SYSTEM, True, True)
    assert Part.REMOTE_START not in bench.parts


def test_the_same_limit_again_begins_the_part_under_way_anew() -> None:
    bench = Bench().taken(0).read(5, 6.0).taken(5).read(10, 0.0).command(BASE)
    assert (bench.parts, bench.limit()) == ([Part.LIMIT] * 3, 0)
    assert bench.test.view().parts[1].sent is None
    bench.taken(11).read(21, 0.0).read(31, 0.0)
    assert bench.found[1] is Found.FOLLOWED
    assert bench.test.view().parts[1].seconds == pytest.approx(10), "counted from the second time"
    assert bench.parts[-1] is Part.RESTORE


def test_who_is_overruled_again_and_again_goes_on_undecided() -> None:
    bench = Bench().taken(0).read(5, 6.0)
    for t in (6, 16):
        bench.taken(t).command(BASE)
    bench.taken(26).read(36, 0.0).command(BASE)
    assert bench.found[1:3] == [Found.OVERRULED, Found.BY_ITSELF]
    assert bench.test.view().parts[1].seconds == pytest.approx(10)
    assert bench.parts[-1] is Part.REMOTE_STOP


def test_who_is_overruled_before_the_order_went_out_just_sends_it() -> None:
    bench = Bench().command(BASE)
    assert bench.parts == [Part.LIMIT]
    bench.taken(1).read(5, 6.0)
    assert bench.found[0] is Found.FOLLOWED


def test_an_order_that_is_out_when_it_is_overruled_too_often_is_left_to_its_answer() -> None:
    bench = Bench().taken(0).read(5, 6.0)
    for t in (6, 16):
        bench.taken(t).command(BASE)
    bench.command(BASE)
    assert bench.found[1] is Found.OVERRULED
    assert not bench.test.wants(bench.asked[-1])
    bench.test.dropped(moment(16))
    bench.look()
    assert bench.found[1] is Found.OVERRULED
    assert bench.test.view().parts[2].found is Found.BY_ITSELF


def test_the_same_limit_again_while_it_is_put_back_changes_nothing() -> None:
    bench = Bench().taken(0).read(5, 6.0).taken(5).read(15, 0.0).read(25, 0.0).taken(25).command(BASE)
    assert bench.found[2] is None
    assert bench.test.view().end is None


def test_after_the_stop_only_a_stop_order_ends_it() -> None:
    bench = Bench().walked().taken(36).command(BASE, ordered=10.0)
    assert bench.test.view().end is None
    bench.command(BASE, ordered=0.0)
    assert bench.end == (End.CENTRAL_SYSTEM, True, True)


def test_an_order_that_comes_while_the_limit_is_put_back_is_the_one_that_stands() -> None:
    bench = Bench().taken(0)
    bench.test.abort(moment(1))
    bench.to(10)
    assert bench.parts[-1] is Part.RESTORE
    bench.command(SetProfile(ONE, replace(profile(), stack_level=0)), ordered=13.0)
    assert not bench.test.wants(bench.asked[-1])
    bench.test.dropped(moment(10))
    bench.look()
    assert bench.end == (End.OWNER, True, True)


@pytest.mark.parametrize("changes", [{"transaction_open": False}, {"transaction_id": TransactionId(8)}])
def test_a_transaction_that_ends_by_itself_ends_the_walk(changes: dict[str, object]) -> None:
    bench = Bench().taken(0).change(**changes)
    assert bench.test.view().end is End.TRANSACTION_OVER
    assert bench.parts[-1] is Part.RESTORE


def test_a_profile_of_the_transaction_goes_with_it() -> None:
    base = SetProfile(ONE, replace(profile(), purpose=Purpose.TX, transaction_id=SEVEN))
    bench = Bench(base).taken(0).change(transaction_open=False)
    assert bench.end == (End.TRANSACTION_OVER, True, True)


def test_a_test_resumed_after_a_restart_only_puts_the_limit_back() -> None:
    bench = Bench()
    bench.test = SelfTest.owing(ONE, BASE, bench.scene, policy=Policy(), now=moment(0))
    bench.asked.clear()
    bench.look()
    assert bench.parts == [Part.RESTORE]
    bench.taken(1)
    assert bench.end == (End.DISCONNECTED, True, True)


def test_what_is_owed_is_the_profile_to_put_back() -> None:
    bench = Bench()
    assert bench.test.owed == BASE, "what is on its way may be written at any moment"
    bench.write(0)
    assert bench.test.owed == BASE
    bench.answer(0).read(5, 6.0).taken(5).read(15, 0.0).read(25, 0.0).taken(25)
    assert bench.test.owed is None
