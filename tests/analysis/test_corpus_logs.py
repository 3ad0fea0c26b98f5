"""Every log of the corpus against what its own description says that it shows: verdict, evidence, what stays open."""

from __future__ import annotations

import json

import pytest

from analysis.survey_kit import ABSENT, LOGS, SHARED, orders_of, outcomes_of, report_of_file
from ocpp_watchdog.readers.forms import Form
from ocpp_watchdog.readers.log import LoggedFrame, LogReader
from ocpp_watchdog.readers.timeline import Timeline
from ocpp_watchdog.report.model import Caveat, Outcome, Why

pytestmark = pytest.mark.skipif(not LOGS.exists(), reason=ABSENT)

END, W = Outcome, Why
NOTHING_ORDERED: tuple[tuple[str, Outcome, Why], ...] = ()

# Per log: its form, its frames, and its stop orders and others as (what, outcome, why); orders alike in a row are one.
TABLE = {
    "003-zj-beny-15028.log": (
        Form.EVCC, 17, (("0 A", END.UNDETERMINED, W.NO_READINGS), ("6 A", END.OBEYED, W.NONE)),
    ),
    "004-wallbox-1245.log": (
        Form.LIBRARY, 22, (("15 A", END.UNDETERMINED, W.REFUSED), ("0 A", END.UNDETERMINED, W.LOG_ENDS)),
    ),
    "006-heidelberg-17836.log": (Form.EVCC, 4, (("6 A", END.UNDETERMINED, W.REFUSED),)),
    "011-evbox-8116.log": (Form.EVCC, 6, NOTHING_ORDERED),
    "017-enplus-15552.log": (Form.EVCC, 4, NOTHING_ORDERED),
    "023-zj-beny-1078.log": (Form.LIBRARY, 8, (("14 A", END.OBEYED, W.NONE),)),
    "027-project-ev-15768.log": (Form.EVCC, 8, NOTHING_ORDERED),
    "033-wallbox-pulsar-ha-2.log": (Form.LIBRARY, 5, NOTHING_ORDERED),
    "039-wallbox-2152.log": (Form.LIBRARY, 5, NOTHING_ORDERED),
    "042-evbox-leo-2026-02-14-a.log": (
        Form.LIBRARY, 123,
        (
            ("16 A", END.UNDETERMINED, W.REPLACED_EARLY), ("15.4 A", END.UNDETERMINED, W.UNANSWERED),
            ("16 A", END.UNDETERMINED, W.REPLACED_EARLY), ("0 A", END.UNDETERMINED, W.BY_STATUS_ONLY),
            ("11.2 A", END.OBEYED, W.NONE), ("0 A", END.UNDETERMINED, W.LOG_ENDS),
        ),
    ),
    "043-evbox-leo-2026-02-14-b.log": (Form.LIBRARY, 51, (("11.2 A", END.UNDETERMINED, W.NO_READINGS),)),
    "045-actec-evcc-proxy-2025-12-19.log": (Form.PLAIN, 20, NOTHING_ORDERED),
    "046-actec-evcc-2025-10-01-commands.log": (
        Form.PLAIN, 5,
        (
            ("6 A", END.UNDETERMINED, W.UNANSWERED), ("7 A", END.UNDETERMINED, W.UNANSWERED),
            ("11 A", END.UNDETERMINED, W.UNANSWERED), ("0 A", END.UNDETERMINED, W.LOG_ENDS),
        ),
    ),
    "059-actec-ocpp-tester-2025-09-02.log": (Form.PLAIN, 17, NOTHING_ORDERED),
    "060-steve-tabs-1916.log": (Form.PLAIN, 4, NOTHING_ORDERED),
    "062-evbox-elvi-12821.log": (Form.EVCC, 4, NOTHING_ORDERED),
    "063-microocpp-370.log": (Form.PLAIN, 8, NOTHING_ORDERED),
    "070-evcc-2026-08-ignored-stop.log": (
        Form.EVCC, 314,
        (
            ("6 A", END.UNDETERMINED, W.NOTHING_PLUGGED_IN), ("0 A", END.UNDETERMINED, W.REPLACED_EARLY),
            ("6 A", END.OBEYED, W.NONE), ("7 A", END.OBEYED, W.NONE), ("0 A", END.VIOLATED, W.NONE),
        ),
    ),
    "071-evcc-2026-08-obeyed-stop.log": (
        Form.EVCC, 124,
        (
            ("6 A", END.UNDETERMINED, W.NOTHING_PLUGGED_IN), ("0 A", END.UNDETERMINED, W.REPLACED_EARLY),
            ("6 A", END.OBEYED, W.NONE), ("7 A", END.OBEYED, W.NONE), ("0 A", END.OBEYED, W.NONE),
        ),
    ),
}  # fmt: skip

LONG = {"040-goe-leo-2025-12-23.log": 218, "041-acchargepoint-leo-2026-02-16.log": 126}
"""Logs of many orders: what they show is said below, not order by order."""


def logged(name: str) -> tuple[list[LoggedFrame], LogReader]:
    reader = LogReader(name, Timeline())
    text = (LOGS / name).read_text("utf-8")
    return [item for item in reader.frames(text.splitlines()) if isinstance(item, LoggedFrame)], reader


def test_every_log_has_a_row() -> None:
    assert set(TABLE) | set(LONG) == {path.name for path in LOGS.glob("*.log")}


@pytest.mark.parametrize("name", TABLE)
def test_a_log_shows_what_its_description_says(name: str) -> None:
    form, frames, expected = TABLE[name]
    report = report_of_file(name)
    assert [(source.form, source.frames) for source in report.sources] == [(form.value, frames)]
    seen: list[tuple[str, Outcome, Why]] = []
    for order in orders_of(report):
        row = (order.label, order.outcome, order.why)
        if not seen or seen[-1] != row:
            seen.append(row)
    assert tuple(seen) == expected


@pytest.mark.parametrize("name", sorted({*TABLE, *LONG} - {"070-evcc-2026-08-ignored-stop.log"}))
def test_there_is_no_false_violation(name: str) -> None:
    assert not outcomes_of(report_of_file(name)) & {Outcome.VIOLATED, Outcome.DOUBTFUL}


@pytest.mark.parametrize("name", sorted(TABLE))
def test_nothing_is_called_obeyed_without_a_reading(name: str) -> None:
    for order in orders_of(report_of_file(name)):
        assert order.outcome is not Outcome.OBEYED or order.points


def frames_of_corpus() -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    if not SHARED.exists():
        return found
    for line in (SHARED / "corpus" / "frames.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        found.setdefault(entry["file"], []).append(entry)
    return found


@pytest.mark.parametrize("name", sorted({*TABLE, *LONG}))
def test_every_frame_is_found_with_its_direction_and_text(name: str) -> None:
    known = frames_of_corpus().get(name)
    frames, reader = logged(name)
    assert reader.notes.unplaced == 0
    if known is None or name == "060-steve-tabs-1916.log":  # the list of frames leaves its MeterValues out
        return
    ways = {"cp->cs": "to_central_system", "cs->cp": "to_charge_point"}
    assert [ways[entry["direction"]] for entry in known] == [frame.direction.value for frame in frames]
    assert [entry["raw"].split() for entry in known] == [frame.text.split() for frame in frames]


ZONES = {
    "003-zj-beny-15028.log": 10, "004-wallbox-1245.log": 2, "006-heidelberg-17836.log": 1, "011-evbox-8116.log": 2,
    "017-enplus-15552.log": 10, "023-zj-beny-1078.log": 11, "040-goe-leo-2025-12-23.log": 1,
    "046-actec-evcc-2025-10-01-commands.log": 2, "059-actec-ocpp-tester-2025-09-02.log": 2,
    "063-microocpp-370.log": 5.5, "070-evcc-2026-08-ignored-stop.log": 0,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ZONES))
def test_the_zone_of_a_log_is_inferred_from_its_frames(name: str) -> None:
    _, reader = logged(name)
    assert (reader.notes.zone.is_known, reader.notes.zone.offset_seconds) == (True, ZONES[name] * 3600)


def test_the_ignored_stop_is_convicted_at_45_s_with_its_energy() -> None:
    stop = orders_of(report_of_file("070-evcc-2026-08-ignored-stop.log"))[-1]
    assert stop.episode is not None
    assert (stop.episode.evidence, stop.episode.is_acting) == ("flowing", True)
    assert stop.episode.opened_after == pytest.approx(45.0, abs=1.5)
    assert stop.episode.energy_wh == pytest.approx(4485.0 * 290.0 / 3600.0, rel=0.1)  # until the box obeys at last
    assert not stop.episode.energy_is_integrated
    assert [step.outcome for step in stop.episode.steps] == ["would_send"]
    assert stop.commands == 5  # evcc asks again every 70 s: one order all the same
    assert "control_frozen" in {finding.kind for finding in stop.findings}


def test_the_go_e_keeps_its_limits_and_its_stop_was_too_short() -> None:
    report = report_of_file("040-goe-leo-2025-12-23.log")
    orders = orders_of(report)
    stops = [order for order in orders if order.is_stop]
    assert [(order.outcome, order.why) for order in stops] == [(Outcome.UNDETERMINED, Why.REPLACED_EARLY)]
    assert outcomes_of(report) == {Outcome.OBEYED, Outcome.UNDETERMINED}
    assert report.total(Outcome.OBEYED) >= 5
    assert sum(order.commands for order in orders) == 30
    assert (report.stations[0].vendor, report.stations[0].model) == ("go-e", "go-eCharger_V4")


def test_0_w_with_nothing_plugged_in_is_neither_obeyed_nor_violated() -> None:
    orders = orders_of(report_of_file("041-acchargepoint-leo-2026-02-16.log"))
    stops = [order for order in orders if order.is_stop]
    assert {order.label for order in stops} == {"0 W"}
    assert {order.outcome for order in stops} == {Outcome.UNDETERMINED}
    assert all(not order.readings for order in stops)


def test_limits_of_a_log_are_said() -> None:
    commands_only = report_of_file("046-actec-evcc-2025-10-01-commands.log")
    assert Caveat.WHOLE_SECONDS in dict(commands_only.caveats)
    assert {Caveat.ANSWERS_MISSING, Caveat.NO_READINGS_AT_ALL} <= set(dict(commands_only.stations[0].caveats))
    assert Caveat.ZONE_UNKNOWN in dict(report_of_file("062-evbox-elvi-12821.log").caveats)
    assert Caveat.NO_ORDERS in dict(report_of_file("017-enplus-15552.log").stations[0].caveats)
    assert Caveat.HOLES in dict(report_of_file("004-wallbox-1245.log").stations[0].caveats)
