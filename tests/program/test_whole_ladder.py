"""The whole ladder against wallboxes that obey one step each, with evcc in mode off, in sun mode, and with remote
start.

What goes out, in which order, and how it ends: on real sockets, with the real program and the stand-in for evcc.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import whole_program
from aiohttp import web
from leaping import leaping, lived
from whole_program import Hook, Tale, tale

from ocpp_watchdog.core.decisions import Phase, StepOutcome
from ocpp_watchdog.simulator.central_station import CentralOptions
from ocpp_watchdog.simulator.faults import LADDER_FAULTS
from ocpp_watchdog.simulator.transcript import LogEntry

RELAY = "relay-opened"
"""Nothing that OCPP can say is obeyed; a relay of the owner's cuts the current."""
STEPS = ["repeat_limit", "tx_profile", "remote_stop", "inoperative", "soft_reset"]
ACTIONS = {"RemoteStopTransaction": "remote_stop", "Reset": "soft_reset", "ClearChargingProfile": "clear"}
QUESTIONS = {"GetCompositeSchedule", "TriggerMessage"}

REPEAT = ("repeat_limit",)
PROFILE = (*REPEAT, "tx_profile")
STOP = (*PROFILE, "remote_stop")
TRIES = (*STOP, "remote_stop", "remote_stop")
OUT = (*TRIES, "inoperative")
RESET = (*OUT, "soft_reset")
CLEARED = (*PROFILE, "clear", "remote_stop")
OBEYED = ("alarm", "all_clear")
BEATEN = ("alarm", "exhausted")
SUN = ("alarm", "superseded", "alarm", "superseded")


@dataclass(frozen=True)
class Row:
    """What goes out, what is said, and how it is in the end: ten minutes after the first order in sun mode (the 0 A
    stands for about a minute of every four), seven minutes else."""

    fault: str
    mode: str
    sent: tuple[str, ...]
    said: tuple[str, ...] = OBEYED
    ends: Phase = Phase.OBEYING
    flows: bool = False


ROWS = (
    Row("repeat-obeyed", "off", REPEAT),
    Row("repeat-obeyed", "sun", REPEAT),
    Row("repeat-obeyed", "remote start", REPEAT),
    Row("tx-profile-obeyed", "off", PROFILE),
    Row("tx-profile-obeyed", "sun", PROFILE),
    Row("tx-profile-obeyed", "remote start", PROFILE),
    Row("remote-stop-obeyed", "off", STOP),
    # In the second cycle nothing is tried again that was not proved in the first: the stop comes at once.
    Row("remote-stop-obeyed", "sun", CLEARED, ("alarm", "superseded", "alarm", "all_clear")),
    Row("remote-stop-obeyed", "remote start", STOP),
    Row("inoperative-obeyed", "off", (*OUT, "operative")),
    # In sun mode the order stands too short for what comes after the stop.
    Row("inoperative-obeyed", "sun", (*CLEARED, "remote_stop"), SUN, Phase.SETTLING, flows=True),
    Row("inoperative-obeyed", "remote start", (*OUT, "operative")),
    Row("reset-obeyed", "off", RESET),
    Row("reset-obeyed", "sun", (*CLEARED, "remote_stop"), SUN, Phase.SETTLING, flows=True),
    # evcc takes the connector into service again after the reset, and starts it.
    Row("reset-obeyed", "remote start", RESET, ("alarm", "remote_start", "exhausted"), Phase.EXHAUSTED, flows=True),
    Row("nothing-obeyed", "off", RESET, BEATEN, Phase.EXHAUSTED, flows=True),
    Row("nothing-obeyed", "sun", (*CLEARED, "remote_stop"), SUN, Phase.SETTLING, flows=True),
    Row("nothing-obeyed", "remote start", RESET, BEATEN, Phase.EXHAUSTED, flows=True),
    Row(RELAY, "off", (*RESET, "external", "operative")),
    # The relay is not reached in sun mode, where the order stands too short for what comes after the stop.
    Row(RELAY, "sun", (*CLEARED, "remote_stop"), SUN, Phase.SETTLING, flows=True),
    Row(RELAY, "remote start", (*RESET, "external", "operative")),
)


def test_every_step_and_every_mode_has_its_row() -> None:
    modes = ("off", "sun", "remote start")
    faults = (*LADDER_FAULTS, RELAY)
    assert {(row.fault, row.mode) for row in ROWS} == {(fault, mode) for fault in faults for mode in modes}


def sent(told: Tale, relay: Relay) -> tuple[str, ...]:
    """What went out, questions left out, in order."""
    calls = [(entry.mono, name(entry.action, json.dumps(entry.payload))) for entry in told.ours() if is_step(entry)]
    called = [(at - told.clock.began, "external") for at in relay.times]
    return tuple(each for _, each in sorted([*calls, *called]))


def is_step(entry: LogEntry) -> bool:
    return entry.action not in QUESTIONS


def name(action: str, payload: str) -> str:
    if action == "SetChargingProfile":
        return "tx_profile" if "TxProfile" in payload else "repeat_limit"
    if action == "ChangeAvailability":
        return "inoperative" if "Inoperative" in payload else "operative"
    return ACTIONS[action]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.fault}, {row.mode}" for row in ROWS])
def test_the_ladder_ends_where_the_wallbox_obeys(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(whole_program.FAULTS, row.fault, LADDER_FAULTS.get(row.fault, LADDER_FAULTS["nothing-obeyed"]))

    async def story() -> None:
        options = CentralOptions(limit_amperes=6.0, connectors=(1,), remote_start=row.mode == "remote start")
        async with relay_of(row) as relay, tale(row.fault, central=options, ladder=ladder(relay)) as told:
            relay.opens = lambda: told.box.set_car_amperes(0.0)
            await told.charging()
            await in_mode(told, row.mode)
            assert sent(told, relay) == row.sent
            assert tuple(told.said()) == row.said
            assert told.connector().phase is row.ends
            assert (told.box.current_amperes() > 1.0) == row.flows

    lived(story())


class Relay(Hook):
    """The owner's switch."""

    def __init__(self) -> None:
        super().__init__()
        self.opens: Callable[[], None] = lambda: None

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert (body["schema"], body["action"], body["connector"]) == ("ocpp-watchdog/call/1", "switch_off", 1)
        self.times.append(asyncio.get_running_loop().time())
        self.opens()
        return web.Response(status=204)


@asynccontextmanager
async def relay_of(row: Row) -> AsyncIterator[Relay]:
    """The relay listens where the row has one."""
    relay = Relay()
    if row.fault != RELAY:
        yield relay
        return
    with leaping().still():
        serving = relay.serving()
        await serving.__aenter__()
    try:
        yield relay
    finally:
        await serving.__aexit__(None, None, None)


def ladder(relay: Relay) -> dict[str, object]:
    """All steps; the relay at the end, where there is one."""
    settings: dict[str, object] = {"steps": STEPS, "set_back": "all_clear"}
    return settings if not relay.url else settings | {"steps": [*STEPS, "external"], "external": {"url": relay.url}}


async def in_mode(told: Tale, mode: str) -> None:
    """evcc orders 0 A for its own reasons, and time passes."""
    if mode != "sun":
        await told.stop()
        await told.sleep(420.0)
        return
    told.central.set_sun(0.0)
    told.central.set_mode("pv")
    await told.until(lambda: told.limits()[-1:] == [0], seconds=400.0)
    told.mark()
    await told.sleep(600.0)


def test_a_relay_that_is_not_ready_is_called_again_only_until_the_order_is_raised() -> None:
    class Busy(Relay):
        async def _take(self, request: web.Request) -> web.Response:
            await super()._take(request)
            return web.Response(status=503)

    async def story() -> None:
        relay = Busy()
        with leaping().still():
            serving = relay.serving()
            await serving.__aenter__()
        try:
            external = {"url": relay.url, "give_up_seconds": 50.0}
            async with tale(ladder={"steps": ["external"], "external": external}) as told:
                await told.charging()
                await told.stop()
                await told.until(lambda: len(relay.times) >= 3, seconds=90.0)
                told.central.set_mode("now")
                await told.until(lambda: told.limits()[-1] > 0, seconds=40.0)
                tries = len(relay.times)
                await told.sleep(60.0)
                assert len(relay.times) == tries
                assert told.steps(StepOutcome.REFUSED)
        finally:
            await serving.__aexit__(None, None, None)

    lived(story())
