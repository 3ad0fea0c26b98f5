"""Whole logs: form, joined frames, zones, moments, and what is said of a log that cannot be read well."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import examples
from ocpp_watchdog.core.terms import Direction
from ocpp_watchdog.readers.forms import Form
from ocpp_watchdog.readers.log import Believed, LoggedFrame, LogNotes, LogReader
from ocpp_watchdog.readers.timeline import BEGIN_MONO, Timeline
from ocpp_watchdog.trace import TraceLine, encode

CENTRAL, BOX = Direction.TO_CENTRAL_SYSTEM, Direction.TO_CHARGE_POINT
BEAT = '[2,"h","Heartbeat",{}]'
HEAD = "[ocpp  ] TRACE 2026/11/20"


def read(text: str, timeline: Timeline | None = None) -> tuple[list[LoggedFrame], LogNotes]:
    reader = LogReader("log", timeline or Timeline())
    found = [item for item in reader.frames(text.splitlines(keepends=True)) if isinstance(item, LoggedFrame)]
    return found, reader.notes


def evcc(*rows: tuple[str, str]) -> str:
    """Lines of evcc: (time of day, what follows it)."""
    return "".join(f"{HEAD} {clock} {rest}\n" for clock, rest in rows)


def beat_answer(clock: str) -> str:
    return f'send B: [3,"h",{{"currentTime":"2026-11-20T{clock}Z"}}]'


# -- lines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "form", "charge_point", "direction"),
    [
        (f"{HEAD} 16:03:09 recv B: {BEAT}", Form.EVCC, "B", CENTRAL),
        (f"{HEAD} 16:03:09 send my box: {BEAT}", Form.EVCC, "my box", BOX),
        (f"[ocpp] TRACE 2026/11/20 16:03:09 sent JSON message to B: {BEAT}", Form.EVCC, "B", BOX),
        (f"evcc  | {HEAD} 16:03:09 received JSON message from A:9: {BEAT}", Form.EVCC, "A:9", CENTRAL),
        (f"\x1b[36m{HEAD} 16:03:09 recv B: {BEAT}\x1b[0m", Form.EVCC, "B", CENTRAL),
        (f"2026-11-20 16:03:09.1 INFO (MainThread) [ocpp] B: receive message {BEAT}", Form.LIBRARY, "B", CENTRAL),
        (f"2026-11-20 16:03:09.1 INFO (MainThread) [ocpp] : receive message {BEAT}", Form.LIBRARY, "", CENTRAL),
        (f"INFO:ocpp:B: receive message {BEAT}", Form.LIBRARY, "B", CENTRAL),
        (f"[chargeBoxId=B, sessionId=1] Received: {BEAT}", Form.PLAIN, "B", CENTRAL),
        (f"12:00:00 from B: {BEAT} recv", Form.PLAIN, "", None),
        (f"2026-11-20 16:03:09 recv B: {BEAT}", Form.PLAIN, "B", CENTRAL),
        (f"2026-11-20 16:03:09 <<< {BEAT}", Form.PLAIN, "", CENTRAL),
        (f"16:03:09 RX (cp->cs) {BEAT}", Form.PLAIN, "", CENTRAL),
    ],
)
def test_a_line_is_placed(line: str, form: Form, charge_point: str, direction: Direction | None) -> None:
    frames, notes = read(line)
    if direction is None:
        assert (frames, notes.form, notes.unplaced) == ([], None, 1)
        return
    assert [(f.charge_point, f.direction, f.text) for f in frames] == [(charge_point, direction, BEAT)]
    assert notes.form is form


def test_a_frame_over_many_lines_is_joined() -> None:
    pretty = json.dumps(json.loads(examples.status("s", "Charging")), indent=2)
    frames, notes = read(evcc(("16:03:09", f"recv B: {pretty}"), ("16:03:10", f"recv B: {BEAT}")))
    assert [json.loads(frame.text) for frame in frames] == [json.loads(pretty), json.loads(BEAT)]
    assert (notes.cut, [frame.line for frame in frames]) == (0, [1, 1 + pretty.count("\n") + 1])


def test_a_frame_that_ends_a_line_with_a_bracket_is_joined_too() -> None:
    text = '[2,"m","MeterValues",{"meterValue":[]\n,"connectorId":1}]'
    frames, _ = read(evcc(("16:03:09", f"recv B: {text}")))
    assert json.loads(frames[0].text)[3] == {"meterValue": [], "connectorId": 1}


def test_what_a_log_writes_behind_a_frame_is_left_out() -> None:
    frames, _ = read(evcc(("16:03:09", f"recv B: {BEAT} (took 5ms)")))
    assert frames[0].text == BEAT


def test_a_frame_cut_by_a_pager_is_marked() -> None:
    order = examples.set_limit("1", 16.0, examples.START_UTC)
    frames, notes = read(evcc(("16:03:09", f"send B: {order[:60]}>"), ("16:03:10", f"recv B: {BEAT}")))
    assert [frame.is_cut for frame in frames] == [True, False]
    assert notes.cut == 1


def test_broken_json_that_is_whole_is_not_cut() -> None:
    frames, _ = read(evcc(("16:03:09", 'recv B: [2,"m","MeterValues",{"meterValue":[,{}]}]')))
    assert not frames[0].is_cut


def test_lines_between_frames_do_not_stick_to_them() -> None:
    text = (
        evcc(("16:03:09", f"recv B: {BEAT}")) + "some tool says hello [1, 2]\n" + evcc(("16:03:10", f"recv B: {BEAT}"))
    )
    frames, _ = read(text)
    assert [frame.text for frame in frames] == [BEAT, BEAT]


def test_several_stations_are_told_apart() -> None:
    frames, _ = read(evcc(("16:03:09", f"recv A: {BEAT}"), ("16:03:09", f"recv B: {BEAT}")))
    assert [frame.charge_point for frame in frames] == ["A", "B"]


def test_a_log_from_the_other_side_is_turned_round() -> None:
    log = f'[OCPP] Send: {BEAT}\n[OCPP] Recv: [3,"h",{{}}]\n'
    frames, notes = read(log)
    assert [frame.direction for frame in frames] == [CENTRAL, BOX]
    assert notes.is_turned
    answers_only, notes = read('[OCPP] Send: [3,"h",{}]\n')
    assert (answers_only[0].direction, notes.is_turned) == (BOX, False)


def test_evcc_says_what_it_takes_for_the_power() -> None:
    text = evcc(("16:03:09", f"recv B: {BEAT}")) + "[lp-1  ] DEBUG 2026/11/20 16:03:11 charge power: -12.5W\n"
    found = list(LogReader("log", Timeline()).frames(text.splitlines()))
    assert isinstance(found[1], Believed)
    assert (found[1].watts, found[1].at.mono) == (-12.5, BEGIN_MONO + 2.0)


# -- not recognised ------------------------------------------------------------------------------------------------


def test_what_is_no_log_says_where_it_begins() -> None:
    frames, notes = read("\n\n# a heading\nand more\n")
    assert (frames, notes.form, notes.first_unplaced) == ([], None, (3, "# a heading"))


def test_a_frame_that_nobody_can_place_is_counted() -> None:
    frames, notes = read(evcc(("16:03:09", f"recv B: {BEAT}")) + f"??? {BEAT}\n??? {BEAT}\n")
    assert len(frames) == 1
    assert (notes.unplaced, notes.first_unplaced) == (2, (2, f"??? {BEAT}"))


def test_an_empty_log_is_empty() -> None:
    assert read("")[1] == LogNotes("log")


# -- zones and moments ---------------------------------------------------------------------------------------------


def test_the_zone_comes_from_the_central_system_s_clock_before_that_of_the_box() -> None:
    liar = examples.status("s", "Charging", examples.START_UTC + 3600.0)
    frames, notes = read(evcc(("18:03:09", f"recv B: {liar}"), ("18:03:10", beat_answer("16:03:10"))))
    assert notes.zone.offset_seconds == 7200
    assert [frame.at.utc for frame in frames] == [examples.START_UTC, examples.START_UTC + 1.0]


def test_the_zone_comes_from_the_box_where_the_central_system_is_silent_and_from_a_schedule_at_last() -> None:
    by_status = read(evcc(("21:33:12", f"recv B: {examples.status('s', 'Charging')}")))[1]
    assert by_status.zone.offset_seconds == 5.5 * 3600
    order = examples.set_limit("1", 16.0, examples.START_UTC)
    by_order = read(evcc(("16:03:09", f"send B: {order}")))[1]
    assert (by_order.zone.offset_seconds, by_order.zone.is_known) == (0, True)
    unknown = read(evcc(("16:03:09", f"recv B: {BEAT}")))[1]
    assert (unknown.zone.offset_seconds, unknown.zone.is_known) == (0, False)


def test_the_end_of_summer_time_does_not_turn_time_back() -> None:
    rows = [
        ("2025/10/26 02:59:50", 'send B: [3,"h",{"currentTime":"2025-10-26T00:59:50Z"}]'),
        ("2025/10/26 02:00:05", f"recv B: {BEAT}"),
        ("2025/10/26 02:00:06", 'send B: [3,"h",{"currentTime":"2025-10-26T01:00:06Z"}]'),
    ]
    frames, _ = read("".join(f"[ocpp  ] TRACE {clock} {rest}\n" for clock, rest in rows))
    assert [frame.at.mono - BEGIN_MONO for frame in frames] == [0.0, 15.0, 16.0]
    assert not any(frame.is_new_log for frame in frames)


def test_the_beginning_of_summer_time_is_corrected_by_the_next_answer() -> None:
    rows = [
        ("2026/03/29 01:59:50", 'send B: [3,"h",{"currentTime":"2026-03-29T00:59:50Z"}]'),
        ("2026/03/29 03:00:05", 'send B: [3,"h",{"currentTime":"2026-03-29T01:00:05Z"}]'),
    ]
    frames, notes = read("".join(f"[ocpp  ] TRACE {clock} {rest}\n" for clock, rest in rows))
    assert frames[1].at.utc - frames[0].at.utc == 15.0
    assert notes.zone.offset_seconds == 7200


def test_frames_of_one_second_follow_each_other_by_a_millisecond() -> None:
    frames, notes = read(evcc(*[("16:03:09", f"recv B: {BEAT}")] * 3, ("16:03:10", f"recv B: {BEAT}")))
    assert [round(frame.at.mono - BEGIN_MONO, 6) for frame in frames] == [0.0, 0.001, 0.002, 1.0]
    assert not notes.is_fine


def test_time_never_runs_back_and_a_great_fall_is_another_log() -> None:
    frames, _ = read(evcc(("16:03:09", f"recv B: {BEAT}"), ("16:02:40", f"recv B: {BEAT}")))
    assert frames[1].at.mono == pytest.approx(BEGIN_MONO + 0.001)
    assert not frames[1].is_new_log
    frames, _ = read(evcc(("16:03:09", f"recv B: {BEAT}"), ("12:00:00", f"recv B: {BEAT}")))
    assert [frame.is_new_log for frame in frames] == [False, True]
    assert frames[1].at.mono > frames[0].at.mono


def test_a_bare_time_of_day_passes_midnight_and_gets_its_date_from_the_frames() -> None:
    log = (
        '[23:59:50,000] recv (cp->cs) [2,"b","Heartbeat",{}]\n'
        '[23:59:51,000] send (cs->cp) [3,"b",{"currentTime":"2025-12-19T22:59:51Z"}]\n'
        "[00:00:10,000] recv (cp->cs) " + BEAT + "\n"
    )
    frames, notes = read(log)
    assert [frame.at.mono - BEGIN_MONO for frame in frames] == [0.0, 1.0, 20.0]
    assert examples.iso(frames[0].at.utc) == "2025-12-19T22:59:50Z"
    assert notes.zone.offset_seconds == 3600


def test_a_frame_without_a_time_is_counted() -> None:
    frames, notes = read(f"INFO:ocpp:B: receive message {BEAT}\n" * 2)
    assert (len(frames), notes.untimed) == (2, 2)


@pytest.mark.parametrize(("between", "hole"), [(False, 1200.0), (True, 0.0)])
def test_a_silence_of_the_whole_log_is_a_hole_and_one_of_the_frames_is_not(*, between: bool, hole: float) -> None:
    alive = "[lp-1  ] DEBUG 2026/11/20 16:13:09 charger status: C\n" if between else ""
    log = evcc(("16:03:09", f"recv B: {BEAT}")) + alive + evcc(("16:23:09", f"recv B: {BEAT}"))
    frames, notes = read(log)
    assert [frame.hole_seconds for frame in frames] == [0.0, hole]
    assert notes.holes == (hole > 0)


def test_files_that_follow_each_other_share_one_time_line() -> None:
    timeline = Timeline()
    first, _ = read(evcc(("16:03:09", f"recv B: {BEAT}")), timeline)
    second, _ = read(evcc(("16:03:29", f"recv B: {BEAT}")), timeline)
    assert second[0].at.mono - first[0].at.mono == 20.0


def test_a_trace_s_own_clock_measures_a_session() -> None:
    def line(utc: str, mono: float, session: str) -> str:
        meta = {"mono": mono, "session": session, "ours": True, "withheld": True}
        record = {"timestamp": utc, "direction": "cp-to-csms", "chargePointId": "B", "raw": BEAT, "meta": meta}
        return json.dumps(record)

    log = [line("2026-01-01T00:00:00Z", 50.0, "1"), line("2026-01-01T05:00:00Z", 60.0, "1")]
    log += [line("2026-01-01T05:00:05Z", 3.0, "2")]
    frames, notes = read("\n".join(log))
    assert notes.form is Form.TRACE
    assert [frame.at.mono - BEGIN_MONO for frame in frames] == [0.0, 10.0, 15.0]
    assert [(frame.session, frame.ours, frame.withheld) for frame in frames] == [
        ("1", True, True), ("1", True, True), ("2", True, True),
    ]  # fmt: skip
    assert not any(frame.hole_seconds for frame in frames)


def test_of_repaired_messages_is_heard_what_the_running_judge_heard() -> None:
    def line(direction: Direction, text: str, original: str | None, note: str) -> str:
        return encode(TraceLine(1_795_000_000.0, "B", direction, text, original=original, note=note))

    asked, sent = '[2,"1","SetChargingProfile",{"a":6}]', '[2,"1","SetChargingProfile",{"w":4140}]'
    question = '[2,"2","GetConfiguration",{}]'
    log = [line(BOX, sent, asked, "profile_dialect"), line(CENTRAL, BEAT, "odd", "timestamps")]
    log += [line(BOX, question, None, "answer_for"), line(CENTRAL, '[3,"2",{}]', None, "answer_for")]
    frames, notes = read("\n".join(log))
    assert [frame.text for frame in frames] == [asked, BEAT]
    assert (notes.repaired, notes.unplaced) == (4, 0)


def test_an_array_of_records_is_a_trace_too() -> None:
    record = {"timestamp": "2026-01-01T00:00:00Z", "direction": "csms-to-cp", "raw": BEAT}
    frames, _ = read("[\n" + json.dumps(record) + ",\n" + json.dumps(record) + "\n]\n")
    assert [frame.direction for frame in frames] == [BOX, BOX]


@given(st.lists(st.text()))
def test_no_lines_make_it_raise(lines: list[str]) -> None:
    list(LogReader("log", Timeline()).frames(lines))


@given(st.lists(st.sampled_from([f"{HEAD} 16:03:09 recv B: {BEAT}", "", "x", "[", '{"a":1}', f"16:03:0{BEAT}", "}]"])))
def test_time_never_runs_back_whatever_the_lines(lines: list[str]) -> None:
    frames, _ = read("\n".join(lines))
    moments = [frame.at.mono for frame in frames]
    assert moments == sorted(moments)
