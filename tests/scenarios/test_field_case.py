"""The case the program was built for, lived again with a charge point that listens to RemoteStopTransaction."""

from __future__ import annotations

import json

import pytest

import examples
from ocpp_watchdog.core.decisions import (
    EvidenceClass,
    FactKind,
    Mode,
    NoticeKind,
    Phase,
    Severity,
    StepOutcome,
)
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.watchdog import verdict
from scenarios.central import Central
from scenarios.oracle import CLOSING, complaints
from scenarios.playbook import Playbook, live_again

TRANSACTION = 1_759_324_000


class FieldBox:
    """Follows the script of the field; ends the transaction when RemoteStop comes, with StopTransaction 0.4 s later."""

    def __init__(self, play: Playbook) -> None:
        self.play = play
        self.stopped = False
        self.number = 0
        play.to_box = self.receive

    def new_id(self) -> str:
        self.number += 1
        return f"box{self.number}"

    def receive(self, text: str) -> None:
        kind, uid, action, *_ = json.loads(text)
        if kind == 2:
            self.play.after(0.05, lambda: self.play.from_box(examples.status_result(uid)))
        if kind == 2 and action == "RemoteStopTransaction":
            self.play.after(0.4, self.stop)

    def stop(self) -> None:
        self.stopped = True
        utc = self.play.clock.utc
        self.play.from_box(examples.stop_transaction(self.new_id(), utc, TRANSACTION))
        self.play.from_box(examples.status(self.new_id(), "Finishing", utc))

    def read(self, currents: tuple[str, ...], powers: tuple[str, ...]) -> None:
        utc = self.play.clock.utc
        if self.stopped:
            currents, powers = ("0.00",) * 3, ("0",) * 3
        self.play.from_box(examples.field_meter_values(self.new_id(), utc, currents, powers))


def seconds(local: str) -> float:
    """Seconds since the begin of the playbook."""
    return examples.field_utc(local) - examples.field_utc("15:12:00")


def play_field(mode: Mode = Mode.ENFORCE) -> Playbook:
    """The whole afternoon, and two minutes of readings after the last one of the report."""
    play = Playbook(Policy(mode=mode), clock=examples.FakeClock(utc=examples.field_utc("15:12:00")))
    box = FieldBox(play)
    central = Central(play, transaction=TRANSACTION)
    play.connect()
    play.from_box(examples.boot(box.new_id(), "AcTEC", "EV-AC22K", "V1.17.9"))
    play.at(1, lambda: play.from_box(examples.status(box.new_id(), "Preparing", play.clock.utc)))
    play.at(44, lambda: play.from_box(examples.start_transaction(box.new_id(), play.clock.utc)))
    play.at(45, lambda: play.from_box(examples.status(box.new_id(), "Charging", play.clock.utc)))
    for local, limit in examples.FIELD_COMMANDS:
        play.at(seconds(local), lambda limit=limit: central.order(limit))  # type: ignore[misc]
    for local, currents, powers in examples.FIELD_READINGS:
        play.at(seconds(local), lambda c=currents, p=powers: box.read(c, p))  # type: ignore[misc]
    last = seconds("15:19:52")
    for number in range(1, 13):
        row = examples.FIELD_READINGS[-1 - number % 4]
        play.at(last + 10 * number, lambda row=row: box.read(row[1], row[2]))  # type: ignore[misc]
    return play


def test_six_and_seven_amperes_are_kept_within_the_tolerance() -> None:
    play = play_field()
    for local in ("15:13:42", "15:16:12"):
        play.run(seconds(local) + 1)
        assert play.connector().phase is Phase.OBEYING
        assert play.connector().findings == ()
        assert verdict(play.connector()).kind == "COMPLIANT"


def test_the_raise_to_eleven_amperes_is_settling_and_then_not_followed() -> None:
    play = play_field()
    play.run(seconds("15:17:41") + 1)
    assert "raise_not_followed" not in play.trace.findings()
    assert verdict(play.connector()).kind == "SETTLING"
    play.run(seconds("15:18:42") + 1)
    (finding,) = play.connector().findings
    assert (finding.kind.value, finding.severity, finding.cause) == (
        "raise_not_followed",
        Severity.INFO,
        "undetermined",
    )
    assert play.connector().phase is Phase.OBEYING


def test_the_stop_goes_out_with_the_sample_of_15_19_52() -> None:
    play = play_field()
    play.run(seconds("15:19:52") + 30)
    (stop,) = play.trace.stops()
    assert stop.at - play.begin - seconds("15:19:09") == pytest.approx(43.0, abs=0.1)
    assert json.loads(stop.inject.text)[3] == {"transactionId": TRANSACTION}
    assert stop.last_evidence is EvidenceClass.LIVE


def test_nobody_speaks_before_15_19_52() -> None:
    play = play_field()
    play.run(seconds("15:19:51"))
    assert play.trace.notices() == []
    assert play.trace.injects == []
    assert play.connector().phase is Phase.SUSPECT


def test_at_15_19_52_the_limit_is_exceeded_and_the_control_is_frozen() -> None:
    play = play_field()
    play.run(seconds("15:19:52"))
    found = verdict(play.connector())
    assert (found.kind, found.severity) == ("OVER_LIMIT", "critical")
    assert "control_frozen" in play.trace.findings()


def test_there_is_one_alarm_and_one_all_clear_a_minute_after_the_current_is_gone() -> None:
    play = play_field()
    play.run(seconds("15:21:40"))
    alarm, clear = play.trace.notices(NoticeKind.ALARM, *CLOSING)
    assert alarm.kind is NoticeKind.ALARM
    assert alarm.at - play.begin == pytest.approx(seconds("15:19:52"), abs=0.1)
    assert clear.kind is NoticeKind.ALL_CLEAR
    assert seconds("15:20:51.9") <= clear.at - play.begin <= seconds("15:21:03")
    assert complaints(play.trace) == []
    assert live_again(play.trace, play.policy) is None


def test_the_episode_keeps_order_answer_readings_and_energy() -> None:
    play = play_field()
    play.run(seconds("15:21:40"))
    episode = play.trace.notices(NoticeKind.ALL_CLEAR)[0].notify.episode
    assert '"limit":0' in episode.order_text
    assert "SetChargingProfile" in episode.order_text
    assert episode.answer == "accepted"
    assert episode.deadline_mono - play.begin == pytest.approx(seconds("15:19:39.05"), abs=0.01)
    assert episode.energy_is_integrated
    # 4280 W against the order from 15:19:09, or from the deadline, until about 15:19:52.
    assert 10.0 < episode.energy_wh < 65.0
    assert [step.outcome for step in episode.steps][-1] is StepOutcome.PROVED
    arrivals = [reading.arrived.mono - play.begin for reading in episode.readings]
    assert seconds("15:19:12") in [pytest.approx(at, abs=0.01) for at in arrivals]


def test_in_observe_not_one_frame_goes_out_and_the_record_says_what_would_have() -> None:
    play = play_field(Mode.OBSERVE)
    play.run(seconds("15:21:40"))
    assert play.trace.injects == []
    assert len(play.trace.notices(NoticeKind.ALARM)) == 1
    would = [kept.record for kept in play.trace.kept if kept.record.step and kept.record.kind is FactKind.STEP]
    first = would[0].step
    assert first is not None
    assert first.outcome is StepOutcome.WOULD_SEND
    assert first.transaction_id == TRANSACTION
    assert first.decided.mono - play.begin == pytest.approx(seconds("15:19:52"), abs=0.1)
    assert first.why
    assert play.connector().phase is Phase.VIOLATING
