"""The demo tells the truth: exit code and story fit what flows, whatever the wallbox does."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from ocpp_watchdog.cli import run
from ocpp_watchdog.core.decisions import Ending, FactKind, NoticeKind, Notify, Phase, Record, Severity, StepOutcome
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId
from ocpp_watchdog.demo.stage import DemoOptions, UnknownFaultError, play
from ocpp_watchdog.demo.story import Story
from ocpp_watchdog.simulator.faults import FAULTS
from ocpp_watchdog.simulator.transcript import Happening
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.demo import FAULT_SUMMARIES
from shell_fakes import FIELD_CASE_UTC
from views import ORDERED, ZERO, connector_view, episode_view, reading, step_record

BOX = ChargePointId("box")


# -- the story, without a stage ----------------------------------------------------------------------------------


class Teller:
    def __init__(self, language: Language = Language.EN, connectors: int = 1) -> None:
        self.lines: list[str] = []
        self.story = Story(self.lines.append, language, connectors)
        self.story.begin()

    def happens(self, peer: str, name: str, connector: int = 1, **values: object) -> None:
        self.story.happened(Happening(FIELD_CASE_UTC, 1_000.0, peer, "box", name, connector, values))

    def record(self, kind: FactKind, **more: object) -> None:
        self.story.decided(BOX, Record(kind, ConnectorId(1), ORDERED, "why", **more))  # type: ignore[arg-type]


def test_a_line_has_simulated_time_actor_and_text() -> None:
    teller = Teller()
    teller.happens("central_system", "limit_ordered", amperes=6.0, outcome="Accepted")
    assert teller.lines == ["15:19:09  evcc      orders 6 A; the answer is Accepted"]


def test_how_a_stop_is_taken_is_told_behind_the_order() -> None:
    teller = Teller()
    teller.happens("charge_point", "stop_ignored", amperes=6.5)
    teller.happens("central_system", "limit_ordered", amperes=0.0, outcome="Accepted")
    assert [line[10:].split()[0] for line in teller.lines] == ["evcc", "wallbox"]
    assert "orders the stop: 0 A" in teller.lines[0]
    assert "charges on with 6.5 A" in teller.lines[1]


def test_the_story_is_told_in_german_too() -> None:
    teller = Teller(Language.DE)
    teller.happens("charge_point", "current_changed", amperes=6.5)
    assert teller.lines == ["15:19:09  Wallbox   in Wahrheit fließen jetzt 6,5 A"]


def test_several_connectors_are_told_apart() -> None:
    teller = Teller(connectors=2)
    teller.happens("charge_point", "status_reported", connector=2, status="Charging")
    assert "[2] reports status Charging" in teller.lines[0]


def test_what_is_not_worth_a_line_gets_none() -> None:
    teller = Teller()
    teller.happens("charge_point", "boot_answered", status="Accepted")
    assert teller.lines == []


def test_nothing_is_told_before_the_story_begins() -> None:
    lines: list[str] = []
    story = Story(lines.append, Language.EN, 1)
    story.happened(Happening(FIELD_CASE_UTC, 0.0, "charge_point", "box", "connected", 0, {}))
    assert lines == []


def test_after_the_stop_order_every_reading_is_told_once_with_what_evcc_believes() -> None:
    teller = Teller()
    teller.story.seen(connector_view(phase=Phase.UNKNOWN), 0.0, ORDERED)
    assert teller.lines == [], "nobody wants to read hours of meter values"
    teller.record(FactKind.STOP_ORDERED)
    for view in (connector_view(reading=reading(energy=1.0)), connector_view(reading=reading(energy=2.0))):
        for _ in range(3):
            teller.story.seen(view, 0.0, ORDERED)
    meter = [line for line in teller.lines if "  meter" in line]
    assert meter == ["15:19:52  meter     6.5 / 6.3 / 6.5 A, 4290 W; evcc shows 0 W"] * 2


def test_the_reading_that_decided_stands_before_the_alarm() -> None:
    teller = Teller()
    teller.record(FactKind.STOP_ORDERED)
    teller.story.look = lambda: teller.story.seen(connector_view(), None, ORDERED)
    alarm = Notify(NoticeKind.ALARM, Severity.CRITICAL, ConnectorId(1), ORDERED.later(43), episode_view())
    teller.story.decided(BOX, alarm)
    assert ["meter" in line or "phase" in line for line in teller.lines] == [True, True, False]
    assert "current goes on flowing" in teller.lines[-1]
    assert "evcc shows - W" in teller.lines[0]


def test_while_it_settles_the_deadline_is_told() -> None:
    teller = Teller()
    view = connector_view(phase=Phase.SETTLING, deadline_mono=ORDERED.mono + 30, commanded=ZERO)
    teller.story.seen(view, None, ORDERED)
    assert teller.lines[-1].endswith("the stop must show by 15:19:39")


def test_steps_are_told_with_their_outcome_and_not_twice() -> None:
    teller = Teller()
    teller.record(FactKind.STEP, step=step_record(StepOutcome.PROVED), episode=episode_view())
    notice = Notify(NoticeKind.STEP, Severity.INFO, ConnectorId(1), ORDERED, episode_view(), step_record())
    teller.story.decided(BOX, notice)
    assert len(teller.lines) == 1
    assert "worked" in teller.lines[0]


def test_a_question_is_told() -> None:
    teller = Teller()
    teller.record(FactKind.QUESTION)
    assert "asks for fresh readings" in teller.lines[0]


def test_episodes_are_remembered() -> None:
    teller = Teller()
    teller.record(FactKind.EPISODE_OPENED, episode=episode_view())
    assert teller.story.open_episodes == {1}
    closed = episode_view(ending=Ending.OBEYED)
    teller.record(FactKind.EPISODE_CLOSED, episode=closed)
    assert teller.story.open_episodes == set()
    assert teller.story.closed_episodes == [closed]


def test_a_stop_that_ended_without_alarm_is_not_the_one_of_the_story() -> None:
    teller = Teller()
    teller.record(FactKind.STOP_ORDERED)
    teller.record(FactKind.STOP_ENDED)
    assert teller.story.stop_ordered is None


# -- the whole, on real sockets, in time lapse -------------------------------------------------------------------


async def played(**options: object) -> tuple[int, str]:
    lines: list[str] = []
    code = await play(DemoOptions(once=True, pace=0.05, **options), lines.append)  # type: ignore[arg-type]
    return code, "\n".join(lines)


async def test_the_ignored_stop_is_made_to_happen_and_the_metrics_show_it() -> None:
    code, story = await played()
    assert code == 0
    assert "accepts the stop and charges on with 6.5 A" in story
    assert "a stop (0 A) was ordered" in story
    assert re.search(r"RemoteStopTransaction of transaction \d+ worked: the measurement proves it", story)
    assert "Result: the stop was ignored, and the watchdog made it happen. 0.0 A flow now." in story
    after = re.search(r"The stop that worked went out at \S+: (\d+) s after the order", story)
    assert after is not None
    assert 38 <= int(after.group(1)) <= 60
    assert 'ocpp_watchdog_episodes_total{charge_point="ACTEC-EV-AC22K",connector="1"} 1.0' in story
    assert 'outcome="proved",step="remote_stop"} 1.0' in story


async def test_who_only_observes_sends_nothing_and_the_current_flows_on() -> None:
    code, story = await played(observe=True, language=Language.DE)
    assert code == 1
    assert "wäre jetzt gesendet worden" in story
    assert 'observed_steps_total{charge_point="ACTEC-EV-AC22K"} 1.0' in story
    assert 'outcome="sent"' not in story
    assert "beendet Transaktion" not in story
    assert "Es fließen immer noch 6,5 A" in story


async def test_an_obedient_wallbox_is_left_alone() -> None:
    code, story = await played(fault="none")
    assert code == 0
    assert "the wallbox obeyed the stop, and the watchdog did nothing" in story
    assert "_steps_total" not in story


async def test_a_wallbox_that_ignores_the_remedy_too_ends_with_1() -> None:
    code, story = await played(fault="remote-stop-ignored")
    assert code == 1
    assert "every step is used up" in story
    assert 'outcome="failed",step="remote_stop"} 3.0' in story
    assert "Result: the stop did not work. 6.5 A still flow." in story


async def test_an_unknown_fault_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownFaultError, match="ignores-zero"):
        await played(fault="nonsense")


# -- its report --------------------------------------------------------------------------------------------------


def test_the_demo_once_writes_its_report_and_says_where(tmp_path: Path) -> None:
    lines: list[str] = []
    report = tmp_path / "story.html"
    options = DemoOptions("ignores-zero", speed=60.0, once=True, report=report, pace=0.2)
    assert asyncio.run(play(options, lines.append)) == 0
    assert f"The report about it: {report}" in lines
    text = report.read_text("utf-8")
    assert all(
        word in text for word in ("VIOLATED", "sent by the watchdog", "worked: the measurement proves it", "<svg")
    )


def test_every_fault_is_explained_in_both_languages() -> None:
    said = {name: text(Language.EN) for name, text in FAULT_SUMMARIES.items()}
    assert said == {name: fault.summary for name, fault in FAULTS.items()}
    assert all(text(Language.DE) != text(Language.EN) for text in FAULT_SUMMARIES.values())


def test_a_misspelt_fault_leaves_no_folder_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(["demo", "--once", "--fault", "none-such"]) == 78
    assert list(tmp_path.iterdir()) == []
