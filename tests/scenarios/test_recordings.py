"""The yardstick on what was really recorded (watchdog rules 8): when the stop goes out, and where none may."""

from __future__ import annotations

import pytest

from ocpp_watchdog.core.decisions import Mode, NoticeKind, Phase, StepOutcome
from ocpp_watchdog.core.policy import Policy
from scenarios import recorded
from scenarios.oracle import CLOSING, complaints, steps_of
from scenarios.playbook import Playbook, live_again
from scenarios.recorded import Tape

pytestmark = pytest.mark.skipif(not recorded.HERE, reason=recorded.ABSENT)

WITHIN_SECONDS = 1.0
LOG_IGNORED = "070-evcc-2026-08-ignored-stop.log"
LOG_OBEYED = "071-evcc-2026-08-obeyed-stop.log"

SILENT = (
    "evcc-a-obeys",
    "evcc-c-duplicate",
    "evcc-f-unanswered-profile",
    "evcc-g-odd",
    "evcc-h-back-with-boot",
    "evcc-h-back-without-boot",
    "ocpp-rpc-npm",
    "ocpp-ws-cli-fuzz",
    "ocpp-ws-cli-test",
    "sap-simulator",
    "solidstudio-vcp",
    LOG_OBEYED,
)
VIOLATED = ("evcc-b-ignored", "evcc-b-ignored-remotestart", "evcc-b-ignored-pv", "em-ocpp-npm", LOG_IGNORED)


def tape_of(name: str) -> Tape:
    return recorded.evcc_log(name) if name.endswith(".log") else recorded.recording(name)


def first_stop_after(play: Playbook, ordered: float) -> float:
    """Seconds from this order to the first RemoteStop after it."""
    times = [written.at - play.begin for written in play.trace.stops() if written.at - play.begin > ordered]
    assert times, "no RemoteStop after the order"
    return times[0] - ordered


@pytest.mark.parametrize(
    ("name", "stop_order", "seconds"),
    [
        ("evcc-b-ignored", 1, 45.0),
        (LOG_IGNORED, 1, 45.0),
        ("evcc-b-ignored-remotestart", 1, 45.0),
        ("evcc-b-ignored-pv", 1, 43.0),
        ("evcc-b-ignored-pv", 2, 34.0),
        ("em-ocpp-npm", 0, 40.0),
    ],
)
def test_the_stop_goes_out_as_many_seconds_after_the_order_as_the_yardstick_says(
    name: str, stop_order: int, seconds: float
) -> None:
    tape = tape_of(name)
    play = recorded.replay(tape)
    ordered = tape.orders(0.0)[stop_order]
    assert first_stop_after(play, ordered) == pytest.approx(seconds, abs=WITHIN_SECONDS)


@pytest.mark.parametrize("name", VIOLATED)
def test_a_violated_recording_is_acted_on_within_all_invariants(name: str) -> None:
    play = recorded.replay(tape_of(name))
    assert complaints(play.trace) == []


@pytest.mark.parametrize("name", VIOLATED)
def test_in_observe_a_violated_recording_gets_its_alarm_and_not_one_frame(name: str) -> None:
    play = recorded.replay(tape_of(name), Policy(mode=Mode.OBSERVE))
    assert play.trace.injects == []
    assert play.trace.notices(NoticeKind.ALARM)
    assert StepOutcome.WOULD_SEND.value in steps_of(play.trace)
    assert complaints(play.trace) == []


@pytest.mark.parametrize("name", [*SILENT, *VIOLATED])
def test_the_same_recording_gives_the_same_decisions(name: str) -> None:
    play = recorded.replay(tape_of(name), watch=False)
    assert live_again(play.trace, play.policy) is None


@pytest.mark.parametrize("name", SILENT)
def test_an_obedient_recording_gets_neither_alarm_nor_stop(name: str) -> None:
    play = recorded.replay(tape_of(name), tail=120.0)
    assert play.trace.notices() == []
    assert play.trace.stops() == []
    assert complaints(play.trace) == []


@pytest.mark.parametrize("name", SILENT)
def test_an_obedient_recording_gets_no_frame_at_all_where_questions_are_off(name: str) -> None:
    play = recorded.replay(tape_of(name), Policy(may_question=False), tail=120.0)
    assert play.trace.injects == []


def test_the_obeyed_stop_is_seen_to_be_obeyed() -> None:
    play = recorded.replay(tape_of("evcc-a-obeys"))
    assert play.connector().phase is Phase.OBEYING
    assert not {Phase.SUSPECT, Phase.VIOLATING, Phase.REMEDYING} & set(play.trace.phases())


def test_in_sun_mode_each_cycle_has_its_episode_and_ends_superseded() -> None:
    tape = tape_of("evcc-b-ignored-pv")
    play = recorded.replay(tape, tail=20.0)
    closings = play.trace.notices(*CLOSING)
    assert [told.kind for told in play.trace.notices(NoticeKind.ALARM, *CLOSING)] == [
        NoticeKind.ALARM,
        NoticeKind.SUPERSEDED,
        NoticeKind.ALARM,
        NoticeKind.SUPERSEDED,
    ]
    for told, ordered, seconds in zip(closings, tape.orders(0.0)[1:], (60.0, 70.0), strict=True):
        ended = told.notify.episode.ended
        assert ended is not None
        assert ended.mono - play.begin - ordered == pytest.approx(seconds, abs=WITHIN_SECONDS)
        assert told.at - play.begin - ordered <= seconds + 10.0 + WITHIN_SECONDS


def test_an_ignored_stop_that_a_third_party_ends_has_one_alarm_and_one_all_clear() -> None:
    play = recorded.replay(tape_of("evcc-b-ignored"))
    kinds = [told.kind for told in play.trace.notices(NoticeKind.ALARM, *CLOSING)]
    assert kinds == [NoticeKind.ALARM, NoticeKind.ALL_CLEAR]
    assert len(play.trace.stops()) == 3
    assert play.trace.notices(NoticeKind.EXHAUSTED)


def test_the_energy_that_flowed_against_the_order_is_the_registers() -> None:
    tape = tape_of("evcc-b-ignored")
    play = recorded.replay(tape)
    (closing,) = play.trace.notices(NoticeKind.ALL_CLEAR)
    episode = closing.notify.episode
    assert not episode.energy_is_integrated
    # The register stood at 12382 Wh at the last reading before the order and at 12756 Wh in the end.
    assert episode.energy_wh == pytest.approx(12756 - 12388, abs=10)


def test_a_restart_by_the_central_system_does_not_end_the_episode() -> None:
    tape = tape_of("evcc-b-ignored-remotestart")
    play = recorded.replay(tape)
    assert len(play.trace.notices(NoticeKind.ALARM)) == 1
    assert play.trace.notices(*CLOSING) == []
    assert play.connector().episode is not None


def test_no_recorded_frame_upsets_the_station() -> None:
    play = Playbook(watch=False)
    play.connect()
    for number, line in enumerate(recorded.every_frame()):
        play.run(number * 0.2)
        recorded.feed(play, [recorded.Line(play.t, line.direction, line.text)])
    play.wait(60.0)
    assert len(play.trace.passed) > 3000
    assert play.view().connectors
