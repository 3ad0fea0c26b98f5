"""The owner's test on each simulated fault, with the whole program and evcc's stand-in: what it prints, what it sends.

evcc allows 16 A and does what it does: it orders its limit again when it sees the car suspended, every half minute.
"""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from leaping import lived
from whole_program import BOX, Tale, tale

from ocpp_watchdog.core.decisions import FactKind, Mode, Record
from ocpp_watchdog.core.exercise import End, SelfTestView
from ocpp_watchdog.core.supervision import Obstacle, SupervisedStation
from ocpp_watchdog.core.terms import ConnectorId
from ocpp_watchdog.simulator.central_station import CentralOptions
from ocpp_watchdog.simulator.faults import FAULTS
from ocpp_watchdog.simulator.wallbox import WallboxOptions
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.selftest import end_lines, part_line

SIXTEEN = 16.0
WALLBOX = WallboxOptions(sample_seconds=10.0, start_seconds=60.0, prepares_again_seconds=5.0)
"""Prepares again after a transaction, and takes a minute to start by itself."""

DOWN_TO_6 = (
    "16 A: nothing to see, no more than that flowed before (16.1 A)",
    "10 A: followed after 10 s (10.0 A)",
    "6 A: followed after 10 s (6.0 A)",
)
STUCK = (
    "16 A: nothing to see, no more than that flowed before (6.5 A)",
    "10 A: nothing to see, no more than that flowed before (6.5 A)",
    "6 A: nothing to see, no more than that flowed before (6.5 A)",
)
IGNORED = "0 A: IGNORED, after 40 s (6.5 A). The energy register rises as this current says it must."
NEVER_GONE = "evcc's limit: nothing to see, the current had never gone"
STOPPED = "RemoteStopTransaction: followed after 12 s (0.0 A)"
STARTED = "RemoteStartTransaction: followed after 0 s"
LEFT_OUT = "RemoteStartTransaction: left out, the transaction was not ended"
OBEYS = "0 A is obeyed."
IGNORES = "0 A is IGNORED."
OPEN = "Whether 0 A is obeyed was not shown."
REMEDY = "The remedy is there: RemoteStopTransaction ends the charging."
NO_REMEDY = "The remedy is NOT there: RemoteStopTransaction does not end the charging. Only the device itself helps."
NOT_SHOWN = "Whether the remedy is there was not shown."
NEVER_ORDERED = ("mute-to-questions", "actec")
"""evcc gives up on them while it sets them up."""
LOST = "Broken off: the connection was lost."


@dataclass(frozen=True)
class Row:
    """What the test prints about one fault. connector: the one that is tested. tolerance: of the seconds. may_miss:
    words that stand there or not, for two things fall on the same moment."""

    fault: str
    lines: tuple[str, ...]
    connector: int = 1
    tolerance: float = 2.0
    may_miss: str = ""


ROWS = (
    Row(
        "none",
        (
            *DOWN_TO_6,
            "0 A: followed after 1 s (0.0 A)",
            "evcc's limit: followed after 10 s (16.1 A)",
            STOPPED,
            STARTED,
            OBEYS,
            REMEDY,
        ),
    ),
    Row(
        "ignores-zero",
        (
            *STUCK,
            IGNORED,
            NEVER_GONE,
            STOPPED,
            STARTED,
            IGNORES,
            REMEDY,
        ),
    ),
    Row(
        "ignores-zero-only",
        (
            *DOWN_TO_6,
            IGNORED,
            NEVER_GONE,
            STOPPED,
            STARTED,
            IGNORES,
            REMEDY,
        ),
    ),
    Row(
        "obeys-late",
        (
            "16 A: nothing to see, no more than that flowed before (16.1 A)",
            "10 A: followed after 20 s (10.0 A)",
            "6 A: followed after 20 s (6.0 A)",
            "0 A: followed after 10 s (0.0 A)",
            "evcc's limit: followed after 10 s (16.1 A)",
            STOPPED,
            STARTED,
            OBEYS,
            REMEDY,
        ),
    ),
    Row(
        "frozen-meter",
        (
            *DOWN_TO_6,
            "0 A: cannot be said, the readings are not alive (6.0 A)."
            " The energy register rises too little for that; the readings may be stale.",
            NEVER_GONE,
            STOPPED,
            STARTED,
            OPEN,
            REMEDY,
        ),
    ),
    Row(
        "hidden-flow",
        (
            *STUCK,
            "0 A: IGNORED, after 40 s (0.0 A)."
            " Current and power read 0, but the register goes on counting: the register is believed.",
            "evcc's limit: followed after 10 s (6.5 A)",
            STOPPED,
            STARTED,
            IGNORES,
            REMEDY,
        ),
    ),
    Row(
        "silent-while-suspended",
        (
            *DOWN_TO_6,
            "0 A: cannot be said, no readings came",
            "evcc's limit: followed after 10 s (16.1 A)",
            STOPPED,
            STARTED,
            OPEN,
            REMEDY,
        ),
    ),
    Row(
        "silent-ignores",
        (
            *STUCK,
            "0 A: cannot be said, no readings came",
            "evcc's limit: followed after 10 s (6.5 A)",
            STOPPED,
            STARTED,
            OPEN,
            REMEDY,
        ),
    ),
    Row(
        "remote-stop-ignored",
        (
            *STUCK,
            IGNORED,
            NEVER_GONE,
            "RemoteStopTransaction: IGNORED, after 30 s (6.5 A)",
            LEFT_OUT,
            IGNORES,
            NO_REMEDY,
        ),
    ),
    Row(
        "remote-stop-refused",
        (
            *STUCK,
            IGNORED,
            NEVER_GONE,
            "RemoteStopTransaction: refused",
            LEFT_OUT,
            IGNORES,
            NO_REMEDY,
        ),
    ),
    Row(
        "stops-transaction-keeps-flowing",
        (
            *STUCK,
            IGNORED,
            NEVER_GONE,
            "RemoteStopTransaction: the transaction is over, the current is not (6.5 A)",
            STARTED,
            IGNORES,
            NO_REMEDY,
        ),
    ),
    Row(
        "profile-refused",
        (
            "16 A: refused",
            "10 A: refused",
            "6 A: refused",
            "0 A: refused",
            "evcc's limit: not needed, nothing of ours was taken",
            STOPPED,
            STARTED,
            "0 A is REFUSED.",
            REMEDY,
        ),
    ),
    Row(
        "wrong-clock",
        (
            "16 A: nothing to see, no more than that flowed before (16.1 A)",
            "10 A: IGNORED, after 32 s (16.1 A)",
            "6 A: IGNORED, after 32 s (16.1 A)",
            "0 A: IGNORED, after 32 s (16.1 A). The energy register rises as this current says it must.",
            NEVER_GONE,
            STOPPED,
            STARTED,
            IGNORES,
            REMEDY,
        ),
    ),
    Row(
        "power-tenth",
        (
            *STUCK,
            IGNORED,
            NEVER_GONE,
            STOPPED,
            STARTED,
            IGNORES,
            REMEDY,
        ),
    ),
    Row(
        "invalid-json",
        (
            "16 A: not sent, the channel was never free",
            "10 A: not sent, the channel was never free",
            "6 A: not sent, the channel was never free",
            "0 A: not sent, the channel was never free",
            "evcc's limit: not needed, nothing of ours was taken",
            "RemoteStopTransaction: followed after 11 s (0.0 A)",
            STARTED,
            OPEN,
            REMEDY,
        ),
        # The stop falls on the moment of a sample, which reads 0 A when the stop is the faster of the two.
        tolerance=12.0,
    ),
    Row(
        "drops-at-stop",
        (
            *STUCK,
            "0 A: broken off",
            LOST,
            OPEN,
            NOT_SHOWN,
        ),
    ),
    Row(
        "reboots-at-stop",
        (
            *DOWN_TO_6,
            "0 A: broken off",
            LOST,
            OPEN,
            NOT_SHOWN,
        ),
    ),
    Row(
        "slow-answers",
        (
            *STUCK,
            IGNORED,
            NEVER_GONE,
            "RemoteStopTransaction: followed after 22 s (0.0 A)",
            "RemoteStartTransaction: followed after 10 s; never answered",
            IGNORES,
            REMEDY,
        ),
        # Its answer and the end of waiting for it.
        may_miss="; never answered",
        tolerance=6.0,
    ),
    Row(
        "two-connectors",
        (
            *STUCK,
            IGNORED,
            NEVER_GONE,
            STOPPED,
            STARTED,
            IGNORES,
            REMEDY,
        ),
        connector=2,
    ),
)


async def run_through(told: Tale, connector: int = 1) -> SelfTestView:
    """Begin, and look each second until it is over."""
    watch = told.proxy.watches.get(BOX)
    assert watch is not None
    station = watch.station
    assert isinstance(station, SupervisedStation)
    told.proxy.watches.judge(watch, partial(station.begin_selftest, ConnectorId(connector)))
    for _ in range(900):
        seen = station.selftest
        assert seen is not None
        if seen.is_over:
            return seen
        told.proxy.watches.judge(watch, station.watch_selftest)
        await told.clock.sleep(1.0)
    raise AssertionError(f"it does not end: {station.selftest}")


def printed(seen: SelfTestView) -> tuple[str, ...]:
    """What a person reads of it."""
    lines = [part_line(part, Language.EN) for part in seen.parts]
    return (*filter(None, lines), *end_lines(seen, Language.EN))


def numbers(lines: tuple[str, ...]) -> tuple[list[str], list[float], list[float]]:
    """The lines with their seconds and measured amperes taken out, these seconds, these amperes."""
    said = "\n".join(lines)
    seconds = [float(each) for each in re.findall(r"after (\d+) s", said)]
    amperes = [float(each) for each in re.findall(r"\((\d+\.\d) A\)", said)]
    return re.sub(r"after \d+ s|\(\d+\.\d A\)", "#", said).splitlines(), seconds, amperes


def with_sixteen_amperes(fault: str, mode: Mode = Mode.ENFORCE) -> AbstractAsyncContextManager[Tale]:
    """A tale in which evcc allows 16 A on every connector."""
    connectors = tuple(range(1, FAULTS[fault].connectors + 1))
    return tale(fault, mode=mode, central=CentralOptions(limit_amperes=SIXTEEN, connectors=connectors), wallbox=WALLBOX)


def test_every_fault_has_a_row() -> None:
    assert {row.fault for row in ROWS} | {"profile-unanswered", *NEVER_ORDERED} == set(FAULTS)


@pytest.mark.parametrize("row", ROWS, ids=[row.fault for row in ROWS])
def test_each_fault_is_told_as_it_is_and_evccs_limit_comes_back(row: Row) -> None:
    async def story() -> None:
        async with with_sixteen_amperes(row.fault) as told:
            await told.charging()
            seen = await run_through(told, row.connector)
            lines, seconds, amperes = numbers(printed(seen))
            expected, until, flowing = numbers(row.lines)
            if row.may_miss:
                lines, expected = ([line.removesuffix(row.may_miss) for line in each] for each in (lines, expected))
            assert lines == expected
            assert seconds == pytest.approx(until, abs=row.tolerance)
            assert amperes == pytest.approx(flowing, abs=0.3)
            assert told.said(row.connector) == [], "no episode opens against the car by our own orders"
            assert seen.restored is not False
            sent = [entry.payload for entry in told.ours() if entry.action == "SetChargingProfile"]
            assert all(limit_in(payload) <= SIXTEEN for payload in sent)
            await told.everything_passed(connections_were_lost=row.fault in {"drops-at-stop", "reboots-at-stop"})

    lived(story())


def limit_in(payload: dict[str, Any]) -> float:
    """The limit in a SetChargingProfile of ours."""
    return float(payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"])


def test_a_wallbox_that_never_answers_profiles_is_stopped_all_the_same() -> None:
    """Which part evcc's own unanswered orders leave undecided is a matter of moments."""

    async def story() -> None:
        async with with_sixteen_amperes("profile-unanswered") as told:
            await told.charging()
            lines = printed(await run_through(told))
            assert OBEYS not in lines
            assert lines[-1] == REMEDY

    lived(story())


@pytest.mark.parametrize("fault", NEVER_ORDERED)
def test_a_wallbox_that_evcc_never_orders_anything_of_cannot_be_tested(fault: str) -> None:
    async def story() -> None:
        async with tale(fault) as told:
            await told.until(lambda: told.box.current_amperes() > 5.0)
            await told.sleep(60.0)
            watch = told.proxy.watches.get(BOX)
            assert watch is not None
            assert watch.station.selftest_plan(ConnectorId(1), told.proxy.clock.now()) is Obstacle.NO_PROFILE

    lived(story())


def test_in_observe_mode_it_runs_by_name_and_is_recorded() -> None:
    async def story() -> None:
        async with with_sixteen_amperes("none", Mode.OBSERVE) as told:
            await told.charging()
            assert (await run_through(told)).end is End.DONE
            facts = [each.text for each in told.decisions if isinstance(each, Record) and each.kind is FactKind.OWNER]
            assert facts[0] == "selftest"
            assert "selftest remote_stop: followed" in facts
            assert facts[-1] == "selftest over: done"

    lived(story())


@pytest.mark.parametrize("mode", ["off", "pv"])
def test_evcc_changes_its_mind_and_what_it_ordered_stands(mode: Any) -> None:
    async def story() -> None:
        async with with_sixteen_amperes("none") as told:
            await told.charging()
            watch = told.proxy.watches.get(BOX)
            assert watch is not None
            station = watch.station
            told.proxy.watches.judge(watch, partial(station.begin_selftest, ConnectorId(1)))
            await told.sleep(8.0)
            if mode == "pv":
                told.central.set_sun(8.0)
            told.central.set_mode(mode)
            for _ in range(60):
                told.proxy.watches.judge(watch, station.watch_selftest)
                await told.sleep(1.0)
            seen = station.selftest
            assert seen is not None
            assert (seen.end, seen.is_over) == (End.CENTRAL_SYSTEM, True)
            assert told.limits()[-1] == (0 if mode == "off" else 8)
            assert told.said() == []

    lived(story())
