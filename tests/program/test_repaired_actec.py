"""A simulated AcTEC and the stand-in for evcc: nothing works without repairs; with them it charges and is stopped."""

from __future__ import annotations

import json
from typing import Any

from leaping import lived
from whole_program import BOX, Tale, limit_of, page_of, tale

from ocpp_watchdog.core.decisions import StepOutcome
from ocpp_watchdog.simulator.transcript import LogEntry
from ocpp_watchdog.simulator.wallbox import NO_TIME, WallboxOptions

ACTEC = WallboxOptions(vendor="AcTEC", model="EV-AC22K", firmware="V1.17.9", sample_seconds=10.0)
QUESTIONS = ["GetConfiguration", "ChangeAvailability", "TriggerMessage"]
ANSWER_FOR = {"answer_for": [*QUESTIONS, "FirmwareStatusNotification"]}
WHOLE = {**ANSWER_FOR, "profile_dialect": {}, "power_factor": 10, "timestamps": True}


def repaired(**repairs: Any) -> dict[str, Any]:
    return {"charge_points": {BOX: {"repairs": repairs}}}


def actions(entries: list[LogEntry], action: str) -> list[LogEntry]:
    return [entry for entry in entries if entry.action == action and entry.text.lstrip().startswith("[2")]


def was_set_up(told: Tale) -> bool:
    return BOX in told.central.stations and told.central.stations[BOX].set_up.is_set()


def test_without_repairs_evcc_never_gets_going_with_an_actec() -> None:
    async def story() -> None:
        async with tale("actec", wallbox=ACTEC) as told:
            await told.sleep(400)
            assert not was_set_up(told)
            assert told.limits() == [], "not one limit was ever ordered"

    lived(story())


def test_with_the_questions_answered_and_no_dialect_no_limit_has_an_effect() -> None:
    async def story() -> None:
        async with tale("actec", wallbox=ACTEC, **repaired(**ANSWER_FOR, timestamps=True)) as told:
            await told.until(lambda: was_set_up(told))
            await told.until(lambda: told.limits()[-1:] == [6.0])
            await told.sleep(60)
            assert told.box.current_amperes() > 15, "6 A were ordered and accepted"

    lived(story())


def test_with_repairs_an_actec_starts_is_charged_and_is_stopped() -> None:
    async def story() -> None:
        async with tale("actec", wallbox=ACTEC, **repaired(**WHOLE)) as told:
            await told.until(lambda: was_set_up(told), seconds=30.0)
            await told.charging()
            assert 5.9 < told.box.current_amperes() < 6.1
            transaction = told.box.transaction_id()
            await told.stop()
            await told.sleep(150)
            page = await page_of(told)

            assert told.box.current_amperes() == 0, "the stop, ignored as 0 W, was made to happen"
            assert told.said() == ["alarm", "unproven"], (
                "no readings come after its transaction, and it cannot be asked"
            )
            stops = [step for step in told.steps(StepOutcome.SENT) if step.transaction_id == transaction]
            assert len(stops) == 1
            the_orders_went_out_in_watts(told)
            the_judge_knows_what_was_asked(told)
            evcc_was_told_the_truth(told)
            the_rest_passed_as_it_came(told)
            for name in ("answer_for", "power_factor", "timestamps", "profile_dialect"):
                assert page.value("repairs", repair=name) == 1
                assert page.value("repaired_messages_total", repair=name) > 0

    lived(story())


def the_orders_went_out_in_watts(told: Tale) -> None:
    asked = [limit_of(entry) for entry in actions(list(told.central.log), "SetChargingProfile")]
    shapes: list[Any] = [entry.payload["csChargingProfiles"] for entry in told.orders()]
    assert told.limits() == [amperes * 690 for amperes in asked]
    assert {6.0, 0.0} <= set(asked)
    assert {shape["chargingProfileId"] for shape in shapes} == {231}
    assert {shape["chargingSchedule"]["chargingRateUnit"] for shape in shapes} == {"W"}


def the_judge_knows_what_was_asked(told: Tale) -> None:
    commanded = told.connector().commanded
    assert commanded is not None
    assert commanded.amperes == 0.0
    reading = told.connector().reading
    assert reading is not None
    assert (reading.power or 0.0) > 4_000, "the power that was sent on, ten times what came"


def evcc_was_told_the_truth(told: Tale) -> None:
    """The questions were answered at once, the power is whole, and no time is impossible."""
    to_box, at_evcc = list(told.box.log), list(told.central.log)
    for action in QUESTIONS[:2]:
        assert actions(at_evcc, action), f"evcc asks {action}"
        assert not [entry for entry in actions(to_box, action) if entry.way == "received"]
    assert not actions(at_evcc, "FirmwareStatusNotification")
    said = [entry for entry in actions(to_box, "FirmwareStatusNotification") if entry.way == "sent"]
    assert len(said) > 10
    assert all(entry.text != NO_TIME and NO_TIME not in entry.text for entry in at_evcc)
    assert any(NO_TIME in entry.text for entry in to_box)
    powers = [power_of(entry) for entry in actions(at_evcc, "MeterValues")]
    assert max(powers) > 4_000
    assert max(power_of(entry) for entry in actions(to_box, "MeterValues")) < 500


def power_of(entry: LogEntry) -> float:
    samples: Any = json.loads(entry.text)[3]["meterValue"][0]["sampledValue"]
    return sum(float(each["value"]) for each in samples if each["measurand"] == "Power.Active.Import")


def the_rest_passed_as_it_came(told: Tale) -> None:
    """Every message that no repair names came out to the byte, in order."""

    def rest(entries: list[LogEntry], way: str, named: tuple[str, ...]) -> list[str]:
        return [entry.text for entry in entries if entry.way == way and not is_named(entry.text, named)]

    up, down = ("MeterValues", "StatusNotification", "FirmwareStatusNotification"), ("SetChargingProfile", *QUESTIONS)
    sent, received = rest(list(told.box.log), "sent", up), rest(list(told.central.log), "received", up)
    assert len(received) > 10
    assert [text for text in sent if '"wd-' not in text] == answers_of_ours_out(received, told)
    sent, received = rest(list(told.central.log), "sent", down), rest(list(told.box.log), "received", down)
    calls = [text for text in received if '"wd-' not in text and text.startswith("[2")]
    assert calls == [text for text in sent if text.startswith("[2")]
    assert len(calls) > 5


def is_named(text: str, actions: tuple[str, ...]) -> bool:
    return text.lstrip().startswith("[2") and any(f'"{action}"' in text for action in actions)


def answers_of_ours_out(received: list[str], told: Tale) -> list[str]:
    """What evcc received, without the answers that the proxy gave in the wallbox's place."""
    asked = [entry for entry in told.central.log if is_named(entry.text, tuple(QUESTIONS)) and entry.way == "sent"]
    ids = {json.loads(entry.text)[1] for entry in asked}
    return [text for text in received if not (text.startswith("[3") and json.loads(text)[1] in ids)]
