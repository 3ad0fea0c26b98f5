"""What an analysis makes of special stories: real steps, raises, holes, cut orders, several boxes, long logs."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

import examples
from analysis.log_writers import Passed, evcc, open_ocpp_trace
from analysis.survey_kit import orders_of, report_of, survey_of
from ocpp_watchdog import trace
from ocpp_watchdog.analysis import tracks
from ocpp_watchdog.core.terms import Direction
from ocpp_watchdog.knowledge.library import recognise
from ocpp_watchdog.report.document import document
from ocpp_watchdog.report.model import Caveat, Outcome, Report, Why
from ocpp_watchdog.texts.catalogue import Language

START = examples.START_UTC
LIVING = ("6.50", "6.30", "6.44")


class Log:
    """A log in the making; ``t`` is seconds since its beginning."""

    def __init__(self, name: str = "B") -> None:
        self.name = name
        self.frames: list[Passed] = []
        self._number = 0
        self.box(0.0, examples.start_transaction("t1", START), examples.start_result("t1"))
        self.box(0.1, examples.status("t2", "Charging"), examples.result("t2"))

    def box(self, t: float, text: str, answer: str | None = None) -> None:
        self._add(t, text, sent=False)
        if answer is not None:
            self._add(t + 0.01, answer, sent=True)

    def order(self, t: float, limit: float, answer: str | None = "Accepted") -> None:
        self._number += 1
        self._add(t, examples.set_limit(f"o{self._number}", limit, START + t), sent=True)
        if answer is not None:
            self._add(t + 0.02, examples.status_result(f"o{self._number}", answer), sent=False)

    def readings(self, begin: float, end: float, amperes: tuple[str, ...] = LIVING) -> None:
        t = begin
        while t < end:
            self._number += 1
            jitter = [f"{float(value) + (self._number % 7) / 100:.2f}" if value != "0" else "0" for value in amperes]
            uid = f"r{self._number}"
            stamp = examples.iso(START + t, 3)
            text = examples.meter_values(uid, examples.current_values(jitter), stamp)
            self.box(t, text, examples.result(uid))
            t += 10.0

    def _add(self, t: float, text: str, *, sent: bool) -> None:
        self.frames.append(Passed(START + t, self.name, sent, text))

    def report(self) -> Report:
        return report_of(open_ocpp_trace(sorted(self.frames, key=lambda frame: frame.utc)))


def rows(report: Report) -> list[tuple[str, Outcome, Why]]:
    return [(order.label, order.outcome, order.why) for order in orders_of(report)]


def test_a_stop_that_was_never_obeyed_before_a_raise_is_superseded() -> None:
    log = Log()
    log.order(1.0, 10.0)
    log.readings(5.0, 120.0)
    log.order(60.0, 0.0)
    log.order(121.0, 10.0)
    log.readings(125.0, 230.0)
    report = log.report()
    assert rows(report) == [
        ("10 A", Outcome.OBEYED, Why.NONE), ("0 A", Outcome.VIOLATED, Why.NONE), ("10 A", Outcome.OBEYED, Why.NONE),
    ]  # fmt: skip
    first, stop, last = orders_of(report)
    assert stop.episode is not None
    assert stop.episode.ending == "superseded"
    assert first.episode is last.episode is None


def test_our_own_stops_take_the_place_of_those_that_would_have_been_sent() -> None:
    log = Log()
    log.order(1.0, 10.0)
    log.readings(5.0, 80.0)
    log.order(30.0, 0.0)
    log.readings(80.0, 200.0, ("0", "0", "0"))
    lines = open_ocpp_trace(sorted(log.frames, key=lambda frame: frame.utc)).splitlines()
    stop = '[2,"wd-0123456789abcdef","RemoteStopTransaction",{"transactionId":77}]'
    answer = '[3,"wd-0123456789abcdef",{"status":"Accepted"}]'
    ours = [
        trace.TraceLine(START + 76.0, "B", Direction.TO_CHARGE_POINT, stop, ours=True),
        trace.TraceLine(START + 76.1, "B", Direction.TO_CENTRAL_SYSTEM, answer, withheld=True),
    ]
    place = next(number for number, line in enumerate(lines) if trace.decode(line).utc > START + 76.0)  # type: ignore[union-attr]
    lines[place:place] = [trace.encode(line) for line in ours]
    report = report_of("\n".join(lines))
    (order,) = [order for order in orders_of(report) if order.is_stop]
    assert order.episode is not None
    assert order.episode.ending == "obeyed"
    (step,) = order.episode.steps
    assert (step.outcome, step.transaction_id, round(step.after)) == ("proved", 77, 46)
    (command,) = [command for command in report.stations[0].commands if command.ours]
    assert (command.action, command.answer) == ("RemoteStopTransaction", "Accepted")


def test_a_hole_makes_the_judge_begin_anew() -> None:
    log = Log()
    log.order(1.0, 10.0)
    log.readings(5.0, 40.0)
    log.order(41.0, 0.0)
    log.readings(2_000.0, 2_100.0)  # what was ordered in between nobody knows
    report = log.report()
    assert rows(report) == [("10 A", Outcome.OBEYED, Why.NONE), ("0 A", Outcome.UNDETERMINED, Why.LOG_ENDS)]
    assert orders_of(report)[1].observed < 1.0
    assert dict(report.stations[0].caveats)[Caveat.HOLES] == 1


def test_an_order_cut_by_a_pager_is_no_order_to_be_held_against_anybody() -> None:
    log = Log()
    log.order(1.0, 0.0)
    log.readings(5.0, 20.0)
    log.order(21.0, 16.0)
    log.readings(25.0, 120.0)
    text = evcc(sorted(log.frames, key=lambda frame: frame.utc))
    lines = [line[:110] + ">" if '"limit":16' in line else line for line in text.splitlines()]
    report = report_of("\n".join(lines))
    assert rows(report) == [("0 A", Outcome.UNDETERMINED, Why.LOG_ENDS)]
    assert dict(report.stations[0].caveats)[Caveat.UNREADABLE_ORDER] == 1
    assert rows(report_of(text))[0][1] is Outcome.UNDETERMINED


def test_the_same_log_without_the_raise_is_a_violation() -> None:
    log = Log()
    log.order(1.0, 0.0)
    log.readings(5.0, 120.0)
    assert rows(log.report()) == [("0 A", Outcome.VIOLATED, Why.NONE)]


@pytest.mark.parametrize(("answer", "why"), [("Rejected", Why.REFUSED), (None, Why.UNANSWERED), ("Accepted", Why.NONE)])
def test_a_limit_that_is_not_in_force_is_not_violated(answer: str | None, why: Why) -> None:
    log = Log()
    log.order(1.0, 6.0, answer)
    log.readings(5.0, 120.0, ("15.50", "15.30", "15.44"))
    (row,) = rows(log.report())
    assert row == ("6 A", Outcome.VIOLATED if why is Why.NONE else Outcome.UNDETERMINED, why)


def test_charge_points_are_judged_each_by_its_own() -> None:
    good, bad = Log("good"), Log("bad")
    for log, amperes in ((good, ("0", "0", "0")), (bad, LIVING)):
        log.order(1.0, 0.0)
        log.readings(5.0, 120.0, amperes)
    frames = sorted([*good.frames, *bad.frames], key=lambda frame: frame.utc)
    report = report_of(evcc(frames))
    assert [(s.charge_point, s.total(Outcome.VIOLATED), s.total(Outcome.OBEYED)) for s in report.stations] == [
        ("bad", 1, 0), ("good", 0, 1),
    ]  # fmt: skip


def test_a_long_log_keeps_what_went_wrong_and_counts_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracks, "MOST_ORDERS", 5)
    log = Log()
    log.order(1.0, 0.0)
    log.readings(5.0, 100.0)
    for number in range(20):
        log.order(100.0 + 100.0 * number, 8.0 + number % 2)
        log.readings(105.0 + 100.0 * number, 195.0 + 100.0 * number)
    report = log.report()
    assert len(orders_of(report)) <= 5
    assert orders_of(report)[0].outcome is Outcome.VIOLATED
    assert sum(report.total(outcome) for outcome in Outcome) == 21
    assert Caveat.LEFT_OUT in dict(report.stations[0].caveats)


def test_memory_does_not_grow_with_the_log() -> None:
    peaks = []
    for hours in (1, 4):
        log = Log()
        for number in range(hours * 12):
            log.order(300.0 * number, 8.0 + number % 3)
            log.readings(300.0 * number + 5.0, 300.0 * number + 295.0)
        text = open_ocpp_trace(log.frames)
        report_of(text[:20_000])
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        lines = iter(text.splitlines())
        report_of_lines(lines)
        peaks.append(tracemalloc.get_traced_memory()[1] - before - len(text) * 2)
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2_000_000, peaks


def report_of_lines(lines: object) -> None:
    survey_of(lines)  # type: ignore[arg-type]


def test_the_judge_hears_of_repaired_frames_what_the_running_one_heard() -> None:
    log = Log()
    log.order(1.0, 0.0)
    log.readings(5.0, 120.0)
    lines = []
    for text in open_ocpp_trace(sorted(log.frames, key=lambda frame: frame.utc)).splitlines():
        line = trace.decode(text)
        assert line is not None
        if "SetChargingProfile" in line.text:  # 0 A went out as 0 W
            line = replace(line, original=line.text, text=line.text.replace('"A"', '"W"'), note="profile_dialect")
        lines.append(trace.encode(line))
    asked = '[2,"q","SetChargingProfile",{"connectorId":1,"csChargingProfiles":{}}]'
    unseen = trace.TraceLine(START + 60.0, "B", Direction.TO_CHARGE_POINT, asked, withheld=True, note="answer_for")
    reply = trace.TraceLine(
        START + 60.1, "B", Direction.TO_CENTRAL_SYSTEM, '[3,"q",{"status":"Accepted"}]', ours=True, note="answer_for"
    )
    place = next(n for n, text in enumerate(lines) if (trace.decode(text) or unseen).utc > START + 61.0)
    lines[place:place] = [trace.encode(unseen), trace.encode(reply)]
    report = report_of("\n".join(lines))
    assert rows(report) == [("0 A", Outcome.VIOLATED, Why.NONE)]
    assert len(report.stations[0].commands) == 1


def test_a_report_says_how_many_frames_were_repaired() -> None:
    text = '[2,"1","SetChargingProfile",{}]'
    line = trace.TraceLine(1_795_000_000.0, "B", Direction.TO_CHARGE_POINT, text, original=text, note="profile_dialect")
    report = report_of(trace.encode(line) + "\n" + trace.encode(replace(line, original=None, note="")))
    assert dict(report.caveats)[Caveat.REPAIRED] == 1


def test_a_command_that_is_known_to_harm_the_device_is_marked() -> None:
    utc = examples.START_UTC
    update = '[2,"u","UpdateFirmware",{"location":"https://x.example/a","retrieveDate":"2026-11-20T16:00:00Z"}]'
    frames = [
        Passed(utc, "H", False, examples.boot("b", "Charge Amps AB", "HALO", "171")),
        Passed(utc, "H", True, examples.boot_result("b", utc)),
        Passed(utc + 880.0, "H", True, update),
        Passed(utc + 881.0, "H", False, '[3,"u",{}]'),
    ]
    for language, word in (("en", "Take care: HALO-UPG"), ("de", "Vorsicht: HALO-UPG")):
        report, _ = survey_of(open_ocpp_trace(frames).splitlines(), recognise=recognise, language=language)
        (command,) = report.stations[0].commands
        assert (command.action, command.answer) == ("UpdateFirmware", "answered")
        for name in ("r.md", "r.html"):
            assert word in document(report, name, Language(language))[name]
