"""The simulated charge point speaks OCPP 1.6 as a box should: orders, answers, coming back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from simulator_stories import NAME, SPEED, START_UTC, Story, story

from ocpp_watchdog.simulator.central_channel import Outcome
from ocpp_watchdog.simulator.central_station import CentralOptions
from ocpp_watchdog.simulator.central_system import CentralSystemSimulator
from ocpp_watchdog.simulator.charge_point import ChargePointSimulator, ConnectionOptions
from ocpp_watchdog.simulator.clock import SimClock
from ocpp_watchdog.simulator.living import living
from ocpp_watchdog.simulator.meter import MeterOptions
from ocpp_watchdog.simulator.wallbox import WallboxOptions

PROFILE: dict[str, Any] = {
    "chargingProfileId": 7,
    "stackLevel": 9,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8.0}],
    },
}


async def ask(tale: Story, action: str, **payload: Any) -> Outcome:
    """A CALL of the central system and what became of it."""
    await tale.until(lambda: tale.central.stations and tale.central.stations[NAME].set_up.is_set())
    return await tale.central.stations[NAME].channel.call(action, payload)


async def test_configuration_can_be_read_and_changed():
    async with story() as tale:
        some = await ask(tale, "GetConfiguration", key=["NumberOfConnectors", "Nonsense"])
        assert some.payload["configurationKey"] == [{"key": "NumberOfConnectors", "readonly": True, "value": "1"}]
        assert some.payload["unknownKey"] == ["Nonsense"]
        assert (await ask(tale, "ChangeConfiguration", key="Nonsense", value="1")).payload["status"] == "NotSupported"
        assert (await ask(tale, "ChangeConfiguration", key="NumberOfConnectors", value="2")).payload[
            "status"
        ] == "Rejected"
        assert (await ask(tale, "ChangeConfiguration", key="HeartbeatInterval", value="x")).payload[
            "status"
        ] == "Rejected"
        assert (await ask(tale, "ChangeConfiguration", key="HeartbeatInterval", value="20")).accepted
        await tale.until(lambda: tale.box.log.calls("sent", "Heartbeat"), 60)


async def test_a_new_sample_interval_acts_at_once():
    async with story() as tale:
        await tale.charging()
        await ask(tale, "ChangeConfiguration", key="MeterValueSampleInterval", value="600")
        await tale.clock.sleep(12)
        begin = tale.clock.mono()
        await tale.clock.sleep(30)
        assert contexts(tale, begin) <= {"Trigger"}
        await ask(tale, "ChangeConfiguration", key="MeterValueSampleInterval", value="5")
        await tale.until(lambda: "Sample.Periodic" in contexts(tale, begin), 60)


def contexts(tale: Story, since: float) -> set[str]:
    """The contexts of all sampled values since a moment."""
    found: set[str] = set()
    for payload in tale.samples_since(since):
        meter_value: Any = payload["meterValue"]
        found |= {sample["context"] for sample in meter_value[0]["sampledValue"]}
    return found


async def test_a_transaction_profile_needs_a_transaction_and_goes_before_the_default():
    async with story() as tale:
        refused = await ask(tale, "SetChargingProfile", connectorId=1, csChargingProfiles=PROFILE)
        assert refused.payload["status"] == "Rejected"
        await tale.charging()
        assert (await ask(tale, "SetChargingProfile", connectorId=1, csChargingProfiles=PROFILE)).accepted
        await tale.until(lambda: 7.9 < tale.box.current_amperes() < 8.2)
        composite: Any = (await ask(tale, "GetCompositeSchedule", connectorId=1, duration=60)).payload
        assert composite["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 8.0}]
        watts: Any = await ask(tale, "GetCompositeSchedule", connectorId=1, duration=60, chargingRateUnit="W")
        assert watts.payload["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == 5520
        assert (await ask(tale, "ClearChargingProfile", id=7)).accepted
        assert (await ask(tale, "ClearChargingProfile", id=7)).payload["status"] == "Unknown"
        await tale.until(lambda: 5.9 < tale.box.current_amperes() < 6.2)


async def test_a_maximum_for_the_whole_charge_point_caps_everything_and_belongs_on_connector_zero():
    highest = {**PROFILE, "chargingProfilePurpose": "ChargePointMaxProfile", "chargingProfileKind": "Absolute"}
    highest["chargingSchedule"] = {**PROFILE["chargingSchedule"], "startSchedule": "2026-11-20T00:00:00Z"}
    async with story() as tale:
        await tale.charging()
        tale.central.set_limit(12.0, at_once=True)
        await tale.until(lambda: tale.box.current_amperes() > 11.9)
        assert not (await ask(tale, "SetChargingProfile", connectorId=1, csChargingProfiles=highest)).accepted
        assert (await ask(tale, "SetChargingProfile", connectorId=0, csChargingProfiles=highest)).accepted
        await tale.until(lambda: 7.9 < tale.box.current_amperes() < 8.2)


async def test_an_inoperative_connector_finishes_its_transaction_first():
    async with story() as tale:
        await tale.charging()
        scheduled = await ask(tale, "ChangeAvailability", connectorId=1, type="Inoperative")
        assert scheduled.payload["status"] == "Scheduled"
        tale.box.unplug()
        await tale.until(lambda: tale.box.status() == "Unavailable")
        assert (await ask(tale, "ChangeAvailability", connectorId=0, type="Operative")).accepted
        await tale.until(lambda: tale.box.status() == "Available")


async def test_a_remote_start_carries_its_tag_and_its_profile():
    async with story(wallbox=WallboxOptions(start="remote")) as tale:
        assert not (await ask(tale, "RemoteStartTransaction", connectorId=1, idTag="ME")).accepted
        tale.box.plug_in()
        started = await ask(
            tale, "RemoteStartTransaction", connectorId=1, idTag="ME", chargingProfile={**PROFILE, "stackLevel": 0}
        )
        assert started.accepted
        await tale.until(lambda: 7.9 < tale.box.current_amperes() < 8.2)
        assert tale.box.log.calls("sent", "StartTransaction")[-1].payload["idTag"] == "ME"
        assert not (await ask(tale, "RemoteStartTransaction", connectorId=1, idTag="ME")).accepted


async def test_a_remote_stop_of_another_transaction_is_rejected():
    async with story() as tale:
        await tale.charging()
        assert not (await ask(tale, "RemoteStopTransaction", transactionId=1)).accepted
        assert tale.box.current_amperes() > 5


@pytest.mark.parametrize("kind", ["Soft", "Hard"])
async def test_a_reset_ends_the_transaction_and_boots_again(kind: str):
    async with story() as tale:
        await tale.charging()
        begin = tale.clock.mono()
        await ask(tale, "Reset", type=kind)
        await tale.until(lambda: tale.told("rebooted") and tale.told("boot_answered")[1:])
        await tale.until(lambda: tale.box.log.calls("sent", "StopTransaction"))
        stop = tale.box.log.calls("sent", "StopTransaction")[-1]
        assert stop.payload["reason"] == f"{kind}Reset"
        assert tale.box.log.calls("sent", "BootNotification")[-1].mono - begin > 9


async def test_what_a_simple_box_does_not_have_is_said():
    async with story() as tale:
        assert (await ask(tale, "UnlockConnector", connectorId=1)).payload["status"] == "NotSupported"
        assert (await ask(tale, "DataTransfer", vendorId="x")).payload["status"] == "UnknownVendorId"
        assert (await ask(tale, "ClearCache")).payload["status"] == "Accepted"
        assert (await ask(tale, "GetLocalListVersion")).kind == "error"
        nothing = await ask(tale, "TriggerMessage", requestedMessage="FirmwareStatusNotification")
        assert nothing.payload["status"] == "NotImplemented"
        assert not (await ask(tale, "TriggerMessage", requestedMessage="MeterValues", connectorId=9)).accepted


@pytest.mark.parametrize("requested", ["BootNotification", "Heartbeat", "StatusNotification"])
async def test_messages_can_be_asked_for(requested: str):
    async with story() as tale:
        await tale.until(lambda: tale.central.stations and tale.central.stations[NAME].set_up.is_set())
        before = len(tale.box.log.calls("sent", requested))
        assert (await ask(tale, "TriggerMessage", requestedMessage=requested)).accepted
        await tale.until(lambda: len(tale.box.log.calls("sent", requested)) > before, 30)


async def test_never_more_than_one_call_of_the_box_is_open():
    async with story() as tale:
        await tale.charging()
        await tale.clock.sleep(30)
        open_calls = 0
        for entry in tale.box.log:
            kind = entry.decoded()[0]
            open_calls += (entry.way == "sent" and kind == 2) - (entry.way == "received" and kind in {3, 4})
            assert open_calls <= 1


async def test_a_full_car_suspends_the_charging_itself():
    async with story() as tale:
        await tale.charging()
        tale.box.set_car_amperes(0.0)
        await tale.until(lambda: tale.box.status() == "SuspendedEV")
        assert tale.box.current_amperes() == 0


async def test_a_transaction_that_ends_offline_is_told_after_coming_back():
    async with story(connection=ConnectionOptions(reconnect_seconds=8.0)) as tale:
        await tale.charging()
        tale.box.drop()
        await tale.until(lambda: not tale.box.connected)
        tale.box.unplug()
        await tale.until(lambda: tale.box.log.calls("sent", "StopTransaction"))
        stop = tale.box.log.calls("sent", "StopTransaction")[-1]
        boot = tale.box.log.calls("sent", "BootNotification")[-1]
        assert stop.payload["reason"] == "EVDisconnected"
        assert stop.mono > boot.mono


async def test_after_coming_back_without_boot_evcc_waits_a_minute():
    connection = ConnectionOptions(boots_again=False, reconnect_seconds=1.0)
    async with story(connection=connection) as tale:
        await tale.charging()
        tale.box.drop()
        await tale.until(lambda: tale.told("disconnected")[1:] and tale.box.connected)
        back = tale.clock.mono()
        tale.central.set_mode("off")
        await tale.until(lambda: tale.limits()[-1][1] == 0, 150)
        assert tale.limits()[-1][0] - back > 55
        assert len(tale.told("boot_answered")) == 1


async def test_a_box_that_finds_nobody_tries_again_less_and_less_often():
    clock = SimClock(SPEED, START_UTC)
    refusals: list[float] = []
    box = ChargePointSimulator(
        "ws://127.0.0.1:1",
        NAME,
        clock=clock,
        connection=ConnectionOptions(reconnect_seconds=2.0, longest_reconnect_seconds=16.0),
        narrator=lambda happening: refusals.append(happening.mono) if happening.name == "connection_refused" else None,
    )
    async with living(box):
        while len(refusals) < 4:
            await asyncio.sleep(0.01)
    assert refusals[1] - refusals[0] > 3.9
    assert refusals[3] - refusals[2] > 15.9


async def test_a_box_that_is_pending_boots_again_after_the_interval():
    async with story(central=CentralOptions(known=frozenset({"other"}))) as tale:
        await tale.until(lambda: tale.box.log.calls("sent", "BootNotification")[1:], 120)
        first, second = tale.box.log.calls("sent", "BootNotification")[:2]
        assert second.mono - first.mono > 59
        assert not tale.box.log.calls("sent", "StatusNotification")


async def test_the_digits_are_those_the_options_ask_for():
    wallbox = WallboxOptions(
        measurands=("Current.Import", "Power.Active.Import", "Energy.Active.Import.Register", "Current.Offered"),
        meter=MeterOptions(
            decimals=1, register_step_wh=100.0, power_per_phase=False, reported_phases=("L1",), jitter_amperes=0.0
        ),
    )
    async with story(wallbox=wallbox) as tale:
        await tale.charging()
        begin = tale.clock.mono() + 3
        await tale.until(lambda: tale.samples_since(begin))
        meter_value: Any = tale.samples_since(begin)[-1]["meterValue"]
        told = [(each["measurand"], each.get("phase"), each["value"]) for each in meter_value[0]["sampledValue"]]
    assert ("Current.Import", "L1", "6.0") in told
    assert ("Current.Offered", None, "6.0") in told
    assert ("Energy.Active.Import.Register", None, "12300") in told
    assert [phase for measurand, phase, _ in told if measurand == "Power.Active.Import"] == [None]


async def test_a_box_does_not_follow_a_redirect():
    async with story(connection=ConnectionOptions(empty_segment=True, password="secret")) as tale:
        await tale.until(lambda: tale.told("connection_refused"))
        assert tale.box.target.endswith(f"//{NAME}")
        assert not tale.central.stations


async def test_a_password_is_sent_as_basic_authentication():
    heads: list[bytes] = []
    done = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()
        done.set()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    box = ChargePointSimulator(f"ws://127.0.0.1:{port}", "A B", connection=ConnectionOptions(password="secret"))
    async with living(box):
        await asyncio.wait_for(done.wait(), 10)
    server.close()
    await server.wait_closed()
    head = heads[0].decode()
    assert head.startswith("GET /A%20B HTTP/1.1\r\n")
    assert "Authorization: Basic QSBCOnNlY3JldA==" in head
    assert "Sec-WebSocket-Protocol: ocpp1.6" in head


async def test_a_box_outlives_its_central_system_and_the_next_one_learns_of_the_transaction():
    clock = SimClock(SPEED, START_UTC)
    told: list[str] = []
    async with living(
        central := CentralSystemSimulator(clock=clock, mode="now", options=CentralOptions(cycle_seconds=10))
    ):
        await central.started.wait()
        box = ChargePointSimulator(
            f"ws://127.0.0.1:{central.port}", NAME, clock=clock, narrator=lambda happening: told.append(happening.name)
        )
        box.plug_in()
        async with living(box):
            await until(clock, lambda: box.transaction_id() and box.current_amperes() > 5)
            await central.stop()
            await until(clock, lambda: "connection_refused" in told)
            restarted = CentralSystemSimulator(port=central.port, clock=clock)
            async with living(restarted):
                await restarted.wait_until_set_up(NAME)
                await until(clock, lambda: restarted.believed_transaction(NAME) == box.transaction_id())
                await until(clock, lambda: restarted.believed_status(NAME) == "SuspendedEVSE")
    assert told.count("transaction_started") == 1


async def until(clock: SimClock, claim: Callable[[], object], seconds: float = 300.0) -> None:
    """Wait until a claim holds, at most simulated seconds."""
    end = clock.mono() + seconds
    while not claim():
        assert clock.mono() < end, "not in time"
        await clock.sleep(0.5)
