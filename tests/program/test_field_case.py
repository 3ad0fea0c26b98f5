"""The field case of 2025-10-01 through the whole program: real sockets, a simulated wallbox, a stand-in for evcc.

6 and 7 A are kept, 11 A are not followed, 0 A is accepted and ignored. Times are seconds after the 0 A.
"""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from leaping import lived
from whole_program import BOX, OURS, WALLBOX, Page, Tale, page_of, tale

from ocpp_watchdog.core.decisions import Ending, FactKind, Mode, NoticeKind, Phase, Record, StepOutcome
from ocpp_watchdog.simulator.central_station import CentralOptions
from ocpp_watchdog.simulator.central_system import FIELD_CASE

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "webhook.schema.json"
PLUGGED_BEFORE_SECONDS = 3.0
"""The transaction then begins with the first order, and the readings come 3, 13, 23 ... s after the last one."""

LABELS = {"charge_point": BOX, "connector": "1"}
INTERVAL = 10.0
FIELD_SECONDS = (43.0 - INTERVAL, 43.0 + INTERVAL)
"""On the day the deciding sample came after 43 s; one reading earlier or later is the same judgement."""


def within(seconds: float, window: tuple[float, float]) -> bool:
    return window[0] <= seconds <= window[1]


def connector(page: Page, name: str, **labels: str) -> float:
    return page.value(name, **LABELS, **labels)


# -- enforce -----------------------------------------------------------------------------------------------------


async def the_day(told: Tale) -> list[Page]:
    """Play the orders of the day; gives a scrape late in each of the four."""
    await told.until(lambda: BOX in told.central.stations and told.central.stations[BOX].set_up.is_set())
    told.box.plug_in()
    await told.clock.sleep(PLUGGED_BEFORE_SECONDS)
    began, pages = told.clock.mono(), []
    async with asyncio.TaskGroup() as group:
        group.create_task(told.central.run_field_case(BOX))
        last = 0.0
        for wait, _ in FIELD_CASE[1:]:
            last += wait
            await told.sleep(began + last - 3.0 - told.clock.mono())
            pages.append(await page_of(told))
        await told.until(lambda: told.limits()[-1:] == [0.0] and len(told.limits()) > len(FIELD_CASE))
        told.mark()
        await told.until(lambda: told.injected("RemoteStopTransaction"), 120.0)
        await told.sleep(2.0)
        pages.append(await page_of(told))
    return pages


def test_the_field_case_is_found_out_and_stopped() -> None:
    async def story() -> None:
        async with tale("ignores-zero", evcc="off", plugged=False) as told:
            six, seven, eleven, zero = await the_day(told)
            transaction = told.central.log.calls("received", "StopTransaction")[0].payload["transactionId"]
            await told.until(lambda: told.told(NoticeKind.ALL_CLEAR), 150.0)
            await told.sleep(20.0)
            end = await page_of(told)
            await told.everything_passed()

            for amperes, page in ((6.0, six), (7.0, seven)):
                assert connector(page, "commanded_limit_amperes") == amperes
                assert connector(page, "limit_in_force_amperes") == amperes
                assert 6.3 < connector(page, "measured_current_amperes", phase="L1") < 6.7
                assert page.ones("phase", "phase", **LABELS) == {"obeying"}
                assert page.ones("finding", "finding", **LABELS) == set()
                assert connector(page, "episodes_total") == 0
            assert connector(eleven, "commanded_limit_amperes") == 11.0
            assert eleven.ones("finding", "finding", **LABELS) == {"raise_not_followed"}
            assert connector(eleven, "episodes_total") == 0

            (sent,) = told.injected("RemoteStopTransaction")
            assert within(sent, FIELD_SECONDS), sent
            assert deciding_sample(told) == pytest.approx(sent, abs=0.5)
            assert [entry.payload for entry in told.ours()] == [{"transactionId": transaction}]
            assert connector(zero, "commanded_limit_amperes") == 0.0
            assert zero.ones("phase", "phase", **LABELS) == {"remedying"}
            assert connector(zero, "episodes_total") == 1
            assert not math.isnan(connector(zero, "episode_open_since_timestamp_seconds"))
            assert zero.value("injected_calls_total") == 2, "the stop, and the question for the schedule"
            assert told.box.current_amperes() == 0.0

            assert end.ones("phase", "phase", **LABELS) == {"obeying"}
            assert end.value("steps_total", charge_point=BOX, step="remote_stop", outcome="proved") == 1
            assert 30.0 < connector(end, "energy_against_orders_watthours_total") < 80.0
            assert math.isnan(connector(end, "episode_open_since_timestamp_seconds"))
            assert end.value("withheld_answers_total") == 2
            assert end.total("faults_total") == 0
            assert end.value("degraded") == 0
            the_web_hook_was_told_once(told)

    lived(story())


def deciding_sample(told: Tale) -> float:
    """When the second sample after the deadline came that lies at least 8 s behind the first."""
    order = told.orders()[-1]
    asked = json.loads(order.text)[1]
    answer = next(entry for entry in told.box.log if entry.way == "sent" and entry.text.startswith(f'[3,"{asked}"'))
    deadline = answer.mono - told.ordered + 30.0
    readings = [entry.mono - told.ordered for entry in told.sent_readings()]
    counting = [at for at in readings if at > deadline + 0.5]
    return next(at for at in counting if at >= counting[0] + 8.0)


def the_web_hook_was_told_once(told: Tale) -> None:
    """One alarm when it is found out, one all-clear a minute after the current is gone, both as documented."""
    validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    for body in told.hook.bodies:
        validator.validate(body)
    kinds = told.hook.kinds()
    assert (kinds[0], kinds[-1]) == ("alarm", "all_clear")
    assert set(kinds[1:-1]) == {"step"}
    (alarm,), (clear,) = told.hook.posted("alarm"), told.hook.posted("all_clear")
    (sent,) = told.injected("RemoteStopTransaction")
    assert told.after(alarm) == pytest.approx(sent, abs=1.0)
    (gone,) = (event.mono - told.ordered for event in told.happenings if event.name == "transaction_stopped")
    assert 60.0 - INTERVAL <= told.after(clear) - gone <= 60.0 + INTERVAL
    last = told.hook.bodies[-1]
    assert last["episode"]["ending"] == "obeyed"
    assert last["charge_point"] == BOX
    assert [step["outcome"] for step in last["steps"]] == ["proved"]


# -- observe -----------------------------------------------------------------------------------------------------


def test_observe_mode_sends_nothing_and_records_what_it_would_have_sent() -> None:
    async def story() -> None:
        async with tale("ignores-zero", mode=Mode.OBSERVE) as told:
            await told.charging()
            await told.stop()
            await told.sleep(240.0)
            page = await page_of(told)
            await told.everything_passed()

            assert told.ours() == []
            assert page.value("injected_calls_total") == 0
            assert told.box.current_amperes() > 6.0, "nobody stopped it"
            kept = [fact.record for fact in told.proxy.records.facts if fact.record.kind is FactKind.STEP]
            (step,) = [record.step for record in kept if record.step is not None]
            assert step.outcome is StepOutcome.WOULD_SEND
            assert step.transaction_id == told.box.transaction_id()
            assert within(told.after(step.decided.mono), FIELD_SECONDS)
            assert step.sent is None
            assert told.hook.kinds() == ["alarm"]
            assert told.hook.bodies[0]["steps"][-1]["outcome"] == "would_send"
            assert told.connector().phase is Phase.VIOLATING
            assert page.value("enforcing", charge_point=BOX) == 0
            assert page.value("observed_steps_total", charge_point=BOX) == 1
            assert page.value("steps_total", charge_point=BOX, step="remote_stop", outcome="sent") == 0

    lived(story())


def test_observe_mode_asks_nothing_of_a_silent_charge_point() -> None:
    async def story() -> None:
        async with tale("silent-ignores", mode=Mode.OBSERVE) as told:
            await told.charging()
            await told.stop()
            await told.sleep(150.0)
            assert told.ours() == []
            assert told.connector().phase is Phase.BLIND

    lived(story())


# -- what evcc can make of it ------------------------------------------------------------------------------------


def test_in_sun_mode_the_stop_comes_while_evccs_order_still_stands() -> None:
    async def story() -> None:
        async with tale(evcc="pv", central=CentralOptions(sun_amperes=10.0, cycle_seconds=10.0)) as told:
            await the_sun_goes_down(told)
            await told.until(lambda: told.told(NoticeKind.ALL_CLEAR), 200.0)
            await told.everything_passed()
            (sent,) = told.injected("RemoteStopTransaction")
            assert within(sent, FIELD_SECONDS)
            assert told.said() == ["alarm", "all_clear"]
            assert told.box.current_amperes() == 0.0

    lived(story())


def test_in_sun_mode_a_box_that_ignores_stops_too_is_caught_sooner_in_the_second_cycle() -> None:
    async def story() -> None:
        options = CentralOptions(sun_amperes=10.0, cycle_seconds=10.0)
        async with tale("remote-stop-ignored", evcc="pv", central=options) as told:
            await the_sun_goes_down(told)
            first_order = told.ordered
            await told.until(lambda: told.limits()[-1:] == [6.0], 120.0)
            raised = told.orders()[-1].mono
            await told.until(lambda: told.limits()[-1:] == [0.0], 300.0)
            (first,) = told.injected("RemoteStopTransaction")
            assert within(first, FIELD_SECONDS)
            assert all(entry.mono < raised for entry in told.ours()), "something new went out after the raise"
            told.mark()
            await told.until(lambda: told.limits()[-1:] == [6.0], 120.0)
            second = next(at for at in told.injected("RemoteStopTransaction") if at > 0)
            assert 30.0 < second <= 30.0 + INTERVAL + 1.0, "one sample is enough now"
            await told.until(lambda: told.limits()[-1:] == [0.0], 300.0)
            await told.sleep(60.0)
            sent = [entry.mono for entry in told.ours() if entry.action == "RemoteStopTransaction"]
            assert len(sent) == 3, "the budget of 15 minutes"
            assert min(b - a for a, b in pairwise(sent)) >= 30.0
            told.ordered = first_order
            assert told.said()[:4] == ["alarm", "superseded", "alarm", "superseded"]
            assert told.said()[4:6] == ["alarm", "exhausted"]
            await told.everything_passed()

    lived(story())


async def the_sun_goes_down(told: Tale) -> None:
    """10 A of sun, then none: 6 A for three minutes, then 0 A."""
    await told.charging()
    told.central.set_sun(0.0)
    await told.until(lambda: told.limits()[-1:] == [0.0], 300.0)
    told.mark()


def test_a_central_system_with_remote_start_undoes_the_stop_and_is_named() -> None:
    async def story() -> None:
        evcc = CentralOptions(limit_amperes=6.0, remote_start=True)
        async with tale(central=evcc, wallbox=replace(WALLBOX, prepares_again_seconds=2.0)) as told:
            await told.charging()
            transactions = [told.box.transaction_id()]
            await told.stop()
            await told.until(lambda: told.told(NoticeKind.EXHAUSTED), 240.0)
            transactions.append(told.box.transaction_id())
            await told.everything_passed()
            assert told.said() == ["alarm", "remote_start", "exhausted"], "said once, not each time"
            (sent, *more) = told.injected("RemoteStopTransaction")
            assert within(sent, FIELD_SECONDS)
            assert len(more) == 2
            stopped = [entry.payload["transactionId"] for entry in told.ours()]
            assert stopped[0] == transactions[0]
            assert len(set(stopped)) == 3, "each stop names the transaction that runs then"
            assert transactions[1] not in stopped
            assert told.hook.bodies[-1]["episode"]["remote_start_seen"]

    lived(story())


def test_a_raise_before_the_stop_is_confirmed_ignored_ends_the_matter() -> None:
    async def story() -> None:
        async with tale("ignores-zero") as told:
            await told.charging()
            await told.stop()
            await told.clock.sleep_until(told.ordered + 40.0)
            allow_current_again(told)
            await told.sleep(120.0)
            assert told.ours() == []
            assert told.said() == []
            assert told.box.current_amperes() > 6.0
            await told.everything_passed()

    lived(story())


def test_a_raise_while_a_stop_waits_for_its_turn_cancels_it() -> None:
    """The wallbox's broken readings are never answered, so the channel is not idle and the stop waits for 10 s."""

    async def story() -> None:
        async with tale("invalid-json") as told:
            await told.charging()
            await told.stop()
            await told.until(lambda: told.steps(StepOutcome.WAITING), 60.0)
            allow_current_again(told)
            await told.sleep(60.0)
            assert told.ours() == []
            assert told.steps()[-1].outcome is StepOutcome.CANCELLED
            assert told.said() == ["alarm", "superseded"]
            await told.everything_passed()

    lived(story())


def allow_current_again(told: Tale) -> None:
    told.central.set_limit(8.0)
    told.central.set_mode("now")


def test_an_episode_ends_superseded_when_current_is_ordered_again() -> None:
    async def story() -> None:
        async with tale("remote-stop-ignored") as told:
            await told.charging()
            await told.stop()
            await told.until(lambda: told.injected("RemoteStopTransaction"), 90.0)
            await told.sleep(5.0)
            allow_current_again(told)
            await told.sleep(60.0)
            closed = [each for each in told.decisions if isinstance(each, Record) and each.episode]
            assert closed[-1].episode is not None
            assert closed[-1].episode.ending is Ending.SUPERSEDED
            assert told.said() == ["alarm", "superseded"]
            assert len(told.ours()) == 1
            assert all(OURS in entry.text for entry in told.ours())
            await told.everything_passed()

    lived(story())
