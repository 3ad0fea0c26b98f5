"""Logs of the simulated wallbox and the stand-in for evcc, in every form, against what truly flowed."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import pytest

from analysis.log_writers import FORMS, Passed
from analysis.survey_kit import orders_of, report_of
from ocpp_watchdog.report.model import Order, Outcome, Why
from ocpp_watchdog.simulator.central_station import CentralOptions
from ocpp_watchdog.simulator.central_system import CentralSystemSimulator
from ocpp_watchdog.simulator.charge_point import ChargePointSimulator
from ocpp_watchdog.simulator.faults import FAULTS
from ocpp_watchdog.simulator.living import living
from program.leaping import LoopClock, lived
from simulator.simulator_stories import NAME, START_UTC, Story

OBSERVED_SECONDS = 120.0


class Truth(NamedTuple):
    """What passed, and the currents that truly flowed at the end of the stop, by connector."""

    frames: tuple[Passed, ...]
    flowing: dict[int, float]


@cache
def truth(fault: str) -> Truth:
    """6 A for half a minute, then 0 A for two; nobody stands between the two."""
    return lived(_told(fault))


async def _told(fault: str) -> Truth:
    clock = LoopClock(START_UTC)
    connectors = tuple(range(1, FAULTS[fault].connectors + 1))
    options = CentralOptions(cycle_seconds=10.0, connectors=connectors)
    central = CentralSystemSimulator(clock=clock, options=options)
    async with living(central):
        await central.started.wait()
        box = ChargePointSimulator(f"ws://127.0.0.1:{central.port}", NAME, FAULTS[fault], clock)
        async with living(box):
            story = Story(clock, central, box)
            await story.charging()
            await clock.sleep(30.0)
            central.set_mode("off")
            await story.until(lambda: story.limits()[-1][1] == 0)
            await clock.sleep(OBSERVED_SECONDS)
            flowing = {number: box.current_amperes(number) for number in connectors}
            frames = tuple(Passed(e.utc, NAME, e.way == "sent", e.text) for e in central.log.entries)
            return Truth(frames, flowing)


def last_stops(text: str) -> dict[int, Order]:
    """The last stop order of each connector."""
    return {order.connector: order for order in orders_of(report_of(text)) if order.is_stop}


IGNORED = (
    "ignores-zero", "ignores-zero-only", "hidden-flow", "profile-refused", "profile-unanswered", "power-tenth",
    "invalid-json", "slow-answers",
)  # fmt: skip
OBEYED = ("none", "obeys-late")
UNSEEN = ("silent-while-suspended", "silent-ignores")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fault", IGNORED)
def test_an_ignored_stop_is_found_in_every_form(fault: str, form: str) -> None:
    frames, flowing = truth(fault)
    assert flowing[1] > 3.0
    stop = last_stops(FORMS[form](frames))[1]
    assert (stop.outcome, stop.verdict) == (Outcome.VIOLATED, "OVER_LIMIT")
    assert stop.episode is not None
    assert stop.episode.opened_after < 70.0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fault", OBEYED)
def test_an_obeyed_stop_is_never_accused_in_any_form(fault: str, form: str) -> None:
    frames, flowing = truth(fault)
    assert flowing[1] < 0.5
    report = report_of(FORMS[form](frames))
    assert report.total(Outcome.VIOLATED) == report.total(Outcome.DOUBTFUL) == 0
    assert last_stops(FORMS[form](frames))[1].outcome is Outcome.OBEYED


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fault", UNSEEN)
def test_where_nothing_is_measured_nothing_is_said(fault: str, form: str) -> None:
    stop = last_stops(FORMS[form](truth(fault).frames))[1]
    assert (stop.outcome, stop.why) == (Outcome.UNDETERMINED, Why.BY_STATUS_ONLY)


@pytest.mark.parametrize("form", FORMS)
def test_of_two_connectors_the_guilty_one_is_named(form: str) -> None:
    frames, flowing = truth("two-connectors")
    assert (flowing[1] < 0.5, flowing[2] > 3.0) == (True, True)
    stops = last_stops(FORMS[form](frames))
    assert (stops[1].outcome, stops[2].outcome) == (Outcome.OBEYED, Outcome.VIOLATED)


def test_every_form_gives_the_same_orders() -> None:
    frames = truth("ignores-zero").frames
    rows = {
        form: [(order.label, order.outcome, order.commands) for order in orders_of(report_of(write(frames)))]
        for form, write in FORMS.items()
    }
    assert len({str(row) for row in rows.values()}) == 1, rows
