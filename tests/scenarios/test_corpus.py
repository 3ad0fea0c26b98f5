"""Real excerpts, file by file, against a table written by hand from the corpus's own description.

An excerpt shows little; what it does not show is unknown. So the table names the phases the connector may end in, and
one rule stands above it: nobody is called obedient without a reading that says so.
"""

from __future__ import annotations

import json

import pytest

from ocpp_watchdog.core.decisions import NoticeKind, Phase
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import Direction
from scenarios import recorded
from scenarios.oracle import passed_actions
from scenarios.playbook import Playbook

pytestmark = pytest.mark.skipif(not recorded.HERE, reason=recorded.ABSENT)

NOTHING_KNOWN = {Phase.UNKNOWN}
NOT_JUDGED = {Phase.UNKNOWN, Phase.SETTLING}
NO_READING = {Phase.UNKNOWN, Phase.SETTLING, Phase.BLIND}
SEEN_FINE = {Phase.OBEYING}

ENDS = {
    "003-zj-beny-15028.log": (SEEN_FINE, "0 A unanswered, 6 A after 69 s, then one reading of 0 A"),
    "004-wallbox-1245.log": (NOT_JUDGED, "0 A again and again, ends 6 s after the first; no reading"),
    "006-heidelberg-17836.log": (NO_READING, "6 A answered NotSupported; no reading"),
    "007-grizzl-e-899.log": (NOTHING_KNOWN, "configuration only"),
    "010-abl-7458.log": (NOTHING_KNOWN, "a status only"),
    "011-evbox-8116.log": (NO_READING, "a limit inside RemoteStartTransaction, no transaction yet"),
    "013-wallbox-pulsar-16768.log": (NOT_JUDGED, "0 A Rejected, then the excerpt ends"),
    "015-wallbox-26468.log": (NOTHING_KNOWN, "answers without their requests"),
    "017-enplus-15552.log": (NOTHING_KNOWN, "an idle reading, no limit"),
    "019-abb-terra-ac-6817.log": (NO_READING, "a TxProfile without a known transaction"),
    "022-grizzl-e-442.log": (NOTHING_KNOWN, "16 A, but no limit was ever ordered"),
    "023-zj-beny-1078.log": (NO_READING | SEEN_FINE, "14 A accepted; the only reading has a stray comma, 13.6 A"),
    "026-microocpp-1970-311.log": (NOTHING_KNOWN, "status of 1970"),
    "027-project-ev-15768.log": (NOTHING_KNOWN, "TriggerMessage Rejected for ever"),
    "028-ebee-78.log": (NO_READING, "a profile under a wrong name, refused"),
    "029-goe-249.log": (NO_READING, "a TxProfile of transaction 0, no reading"),
    "031-entratek-15612.log": (NO_READING, "11.2 A accepted, no reading"),
    "033-wallbox-pulsar-ha-2.log": (NOTHING_KNOWN, "20 A, but no limit was ever ordered"),
    "035-evbox-elvi-14721.log": (NOTHING_KNOWN, "RemoteStop rejected, no limit"),
    "037-sungrow-1789.log": (NO_READING, "9 A unanswered"),
    "039-wallbox-2152.log": (NOTHING_KNOWN, "configuration only"),
    "040-goe-leo-2025-12-23.log": (SEEN_FINE, "0 A for 20 s: superseded before its deadline; limits kept"),
    "041-acchargepoint-leo-2026-02-16.log": (NO_READING, "0 W with nothing plugged in; a session within its limits"),
    "042-evbox-leo-2026-02-14-a.log": (NO_READING, "0 A; suspended and silent: not violating, not proven"),
    "043-evbox-leo-2026-02-14-b.log": (NO_READING, "11.2 A refreshed, no reading at all"),
    "045-actec-evcc-proxy-2025-12-19.log": (NOTHING_KNOWN, "no limit"),
    "046-actec-evcc-2025-10-01-commands.log": (NO_READING, "commands without answers and readings"),
    "048-anker-style-16843.log": (NOTHING_KNOWN, "no limit"),
    "049-wallbox-mikuso-81.log": (NOT_JUDGED, "0 A accepted, then the excerpt ends"),
    "050-charge-amps-halo-15943.log": (NOTHING_KNOWN, "no limit"),
    "052-openevse-787.log": (NOTHING_KNOWN, "a StopTransaction and a status"),
    "053-unnamed-32078.log": (NO_READING, "25 A accepted, no reading after"),
    "055-goe-243.log": (NO_READING, "a limit inside RemoteStartTransaction, unanswered"),
    "056-simplecharge-697.log": (NOTHING_KNOWN, "BootNotification only"),
    "059-actec-ocpp-tester-2025-09-02.log": (NOTHING_KNOWN, "central side only"),
    "060-steve-tabs-1916.log": (NOTHING_KNOWN, "answers only"),
    "062-evbox-elvi-12821.log": (NOTHING_KNOWN, "no limit"),
    "063-microocpp-370.log": (NOTHING_KNOWN, "a session's end, no limit"),
}
"""Phases a connector may end in, and what the excerpt shows."""

SILENT_STOPS = (("19:54:41.2", "19:57:39.9"), ("19:58:10.4", "19:58:40.3"))
"""EVBox, 042: from the last reading of charging to the next raise, and the second stop to the end. Local time."""


def end_phases(play: Playbook) -> set[Phase]:
    """Phases at the end, of every connector that is known; nothing known counts as unknown."""
    return {view.phase for view in play.view().connectors} or {Phase.UNKNOWN}


def is_reading(text: str) -> bool:
    """A MeterValues that can be read."""
    try:
        return bool(json.loads(text.replace("[,", "["))[2] == "MeterValues")
    except (ValueError, IndexError, KeyError):
        return False


def local_seconds(word: str) -> float:
    """Seconds since midnight of h:m:s."""
    hours, minutes, seconds = (float(part) for part in word.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def test_the_table_has_a_row_for_each_excerpt() -> None:
    assert set(ENDS) == set(recorded.corpus())


@pytest.mark.parametrize("file", ENDS)
def test_an_excerpt_ends_in_a_phase_that_it_can_show(file: str) -> None:
    play = recorded.replay(recorded.corpus()[file])
    assert end_phases(play) <= ENDS[file][0], ENDS[file][1]


@pytest.mark.parametrize("file", ENDS)
def test_no_excerpt_leads_to_an_episode_or_a_stop(file: str) -> None:
    play = recorded.replay(recorded.corpus()[file])
    assert play.trace.notices() == []
    assert play.trace.stops() == []


@pytest.mark.parametrize("file", ENDS)
def test_no_excerpt_leads_to_any_frame_where_questions_are_off(file: str) -> None:
    play = recorded.replay(recorded.corpus()[file], Policy(may_question=False))
    assert play.trace.injects == []


@pytest.mark.parametrize("file", ENDS)
def test_nobody_is_obeying_before_a_reading_says_so(file: str) -> None:
    play = recorded.replay(recorded.corpus()[file])
    first = min((frame.at for frame in play.trace.passed if is_reading(frame.text)), default=float("inf"))
    early = [seen for seen in play.trace.seen if seen.phase is Phase.OBEYING and seen.at < first]
    assert early == []


def test_the_go_e_is_never_even_suspect() -> None:
    play = recorded.replay(recorded.corpus()["040-goe-leo-2025-12-23.log"])
    assert set(play.trace.phases()) <= {Phase.UNKNOWN, Phase.SETTLING, Phase.OBEYING}
    assert not play.trace.findings() & {"over_limit", "stale_meter", "contradiction", "control_frozen"}


def test_the_go_es_stop_is_superseded_before_its_deadline() -> None:
    play = recorded.replay(recorded.corpus()["040-goe-leo-2025-12-23.log"])
    stop = next(frame.at for frame in play.trace.passed if '"limit":0' in frame.text.replace(" ", ""))
    assert play.trace.phase_at(stop + 10.0) is Phase.SETTLING
    assert play.trace.phase_at(stop + 29.0) in (Phase.SETTLING, Phase.OBEYING)
    assert play.trace.phase_at(stop + 40.0) is Phase.OBEYING


@pytest.mark.parametrize(("begin", "end"), SILENT_STOPS)
def test_the_silent_evbox_is_neither_violating_nor_proven(begin: str, end: str) -> None:
    tape = recorded.corpus()["042-evbox-leo-2026-02-14-a.log"]
    play = recorded.replay(tape)
    first, last = (local_seconds(word) - local_seconds("19:53:45.188") for word in (begin, end))
    shown = [seen.phase for seen in play.trace.seen if first <= seen.at - play.begin <= last]
    shown += [phase for phase in [play.trace.phase_at(play.begin + first)] if phase is not None]
    assert shown
    assert set(shown) <= {Phase.SETTLING, Phase.BLIND}


def test_a_rejected_zero_is_a_finding() -> None:
    play = recorded.replay(recorded.corpus()["013-wallbox-pulsar-16768.log"])
    assert "stop_refused" in play.trace.findings()


def test_every_call_of_an_excerpt_went_through() -> None:
    play = recorded.replay(recorded.corpus()["040-goe-leo-2025-12-23.log"])
    assert passed_actions(play.trace, Direction.TO_CHARGE_POINT).count("SetChargingProfile") == 30
    assert play.trace.notices(NoticeKind.ALARM) == []
