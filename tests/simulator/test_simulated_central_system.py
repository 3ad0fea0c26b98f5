"""The stand-in for evcc does on the wire what the real one was recorded doing."""

from __future__ import annotations

import asyncio
import json
import re
from itertools import pairwise
from random import Random

import aiohttp
import pytest
from simulator_stories import BOOT, NAME, central_only, dial, next_answer, recording, story

from ocpp_watchdog.simulator.central_channel import CallChannel
from ocpp_watchdog.simulator.central_check import Answered, Complaint, read
from ocpp_watchdog.simulator.central_frames import go_json, limit_number
from ocpp_watchdog.simulator.central_station import CentralOptions
from ocpp_watchdog.simulator.clock import SimClock, whole_seconds
from ocpp_watchdog.simulator.wallbox import WallboxOptions


def faceless(text: str) -> str:
    """A CALL of evcc without what changes from run to run."""
    text = re.sub(r'^\[2,"\d{1,10}",', '[2,"ID",', text)
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)


def is_set_up(text: str) -> bool:
    """Whether a frame is a CALL of evcc; what it asks by its clock (the age of readings) is left out."""
    return text.startswith("[2") and not re.search(r'"requestedMessage":"MeterValues","connectorId"', text)


async def test_set_up_and_first_orders_are_the_recorded_frames_in_the_recorded_order():
    recorded = [
        str(frame["raw"])
        for frame in recording("evcc-a-obeys")
        if frame["dir"] == "cs->cp" and float(str(frame["t"])) < 5 and is_set_up(str(frame["raw"]))
    ]
    # Slowly, because evcc asks a box for BootNotification that takes more than 5 s to send it.
    async with story(speed=10.0) as tale:
        await tale.until(lambda: len(tale.limits()) == 2)
        sent = [entry.text for entry in tale.central.log if entry.way == "sent" and is_set_up(entry.text)]
    assert [faceless(text) for text in sent] == [faceless(text) for text in recorded]


async def test_switching_on_sends_the_recorded_profile_twice():
    recorded = [
        faceless(str(frame["raw"]))
        for frame in recording("evcc-a-obeys")
        if "SetChargingProfile" in str(frame["raw"]) and 12 < float(str(frame["t"])) < 13
    ]
    async with story() as tale:
        await tale.charging()
        await tale.until(lambda: len(tale.limits()) >= 4)
        orders = [entry for entry in tale.central.log if entry.action == "SetChargingProfile"][2:4]
    assert [faceless(entry.text) for entry in orders] == recorded
    starts = [re.search(r'"startSchedule":"([^"]+)"', entry.text) for entry in orders]
    for start, order in zip(starts, orders, strict=True):
        assert start is not None
        assert start.group(1) in {whole_seconds(order.utc - 60 - late) for late in range(20)}


async def test_every_odd_frame_of_the_recording_gets_the_recorded_answer():
    frames = recording("evcc-g-odd")
    first = next(index for index, frame in enumerate(frames) if "nobody-asked" in str(frame["raw"]))
    asked: list[tuple[str, list[str]]] = []
    for frame in frames[first:]:
        if frame["dir"] == "cp->cs":
            asked.append((str(frame["raw"]), []))
        elif not str(frame["raw"]).startswith("[2"):
            asked[-1][1].append(masked(str(frame["raw"])))
    assert len(asked) > 70
    async with (
        central_only(CentralOptions(silence_seconds=1e6, call_seconds=1e6), speed=1.0) as central,
        aiohttp.ClientSession() as session,
        dial(session, central.port) as socket,
    ):
        for text, answers in asked:
            await socket.send_str(text)
            for answer in answers:
                assert masked(await next_answer(socket)) == answer, text
        await socket.send_str('[2,"the end","Heartbeat",{}]')
        assert '"the end"' in await next_answer(socket)


def masked(text: str) -> str:
    """An answer of evcc without its clock and its counter."""
    text = re.sub(r'"currentTime":"[^"]+"', '"currentTime":"NOW"', text)
    return re.sub(r'"transactionId":[1-9]\d+', '"transactionId":"N"', text)


async def test_in_mode_off_an_ignored_stop_is_repeated_after_seventy_seconds():
    async with story("ignores-zero") as tale:
        await tale.charging()
        tale.central.set_mode("off")
        await tale.until(lambda: len([1 for _, limit in tale.limits() if limit == 0]) >= 4, 400)
        stops = [moment for moment, limit in tale.limits() if limit == 0][1:]
        doubts = tale.told("out_of_sync")
    gaps = [later - sooner for sooner, later in pairwise(stops)]
    assert len(doubts) >= len(gaps)
    assert all(50 < gap < 130 for gap in gaps)
    assert [limit for _, limit in tale.limits()][-3:] == [0, 0, 0]


async def test_in_sun_mode_an_ignored_stop_stands_a_minute_and_is_taken_back():
    async with story("ignores-zero", speed=120.0) as tale:
        await tale.charging()
        tale.central.set_mode("pv")
        await tale.until(lambda: [limit for _, limit in tale.limits()][-4:] == [0, 6, 0, 6], 900)
        stop, raise_, again, _ = (moment for moment, _ in tale.limits()[-4:])
    assert 50 < raise_ - stop < 130
    assert 225 < again - stop < 400


async def test_with_remote_start_a_stopped_transaction_is_started_again_in_mode_off():
    options = CentralOptions(cycle_seconds=10.0, remote_start=True)
    wallbox = WallboxOptions(start="remote", prepares_again_seconds=20.0)
    async with story("ignores-zero", central=options, wallbox=wallbox) as tale:
        await tale.charging()
        tale.central.set_mode("off")
        await tale.until(lambda: tale.limits()[-1][1] == 0)
        first = tale.box.transaction_id()
        assert tale.box.orders.remote_stop(first or 0) == "Accepted"
        await tale.until(lambda: tale.box.transaction_id() not in {None, first} and tale.box.current_amperes() > 6)
        entries = list(tale.central.log)
    told = [index for index, entry in enumerate(entries) if entry.payload.get("status") == "Preparing"]
    starts = [index for index, entry in enumerate(entries) if entry.action == "RemoteStartTransaction"]
    assert [entries[index].payload for index in starts] == [{"connectorId": 1, "idTag": "evcc"}] * 2
    assert len(told) == 2
    # Right behind the answer to the StatusNotification, unless other CALLs of evcc are in the way.
    assert all(0 < start - status <= 12 for start, status in zip(starts, told, strict=True))


async def test_a_stop_shows_no_power_until_the_next_newer_sample():
    async with story("stops-transaction-keeps-flowing") as tale:
        await tale.charging()
        await tale.until(lambda: (tale.central.believed_power_watts(NAME) or 0) > 4000)
        tale.box.orders.remote_stop(tale.box.transaction_id() or 0)
        await tale.until(lambda: tale.central.believed_power_watts(NAME) == 0)
        assert tale.box.current_amperes() > 6
        await tale.until(lambda: (tale.central.believed_power_watts(NAME) or 0) > 4000, 40)
        assert tale.central.believed_transaction(NAME) == 0
        assert tale.central.believed_status(NAME) == "Finishing"


async def test_an_error_code_keeps_evcc_from_ordering_the_stop():
    async with story("ignores-zero") as tale:
        await tale.charging()
        orders = len(tale.limits())
        tale.box.set_error("OtherError")
        await tale.until(lambda: tale.central.stations[NAME].beliefs[1].error_code == "OtherError")
        tale.central.set_mode("off")
        await tale.clock.sleep(35)
        assert len(tale.limits()) == orders
        tale.box.set_error("NoError")
        await tale.until(lambda: len(tale.limits()) == orders + 1, 30)


async def test_readings_are_asked_for_when_they_grow_old():
    async with story(wallbox=WallboxOptions(measurands=("Current.Import",))) as tale:
        await tale.until(lambda: tale.central.stations and tale.central.stations[NAME].set_up.is_set())
        begin = tale.clock.mono()
        await tale.clock.sleep(60)
        asked = [entry for entry in tale.central.log.calls("sent", "TriggerMessage") if entry.mono > begin]
    assert 2 <= len(asked) <= 7
    assert all(entry.payload == {"requestedMessage": "MeterValues", "connectorId": 1} for entry in asked)


async def test_an_unanswered_order_holds_the_next_one_back_for_a_minute():
    async with story("profile-unanswered", speed=120.0) as tale:
        await tale.until(lambda: len(tale.central.log.calls("sent", "SetChargingProfile")) >= 2, 200)
        calls = tale.central.log.calls("sent")
        first = next(index for index, entry in enumerate(calls) if entry.action == "SetChargingProfile")
        assert calls[first + 1].mono - calls[first].mono > 58


async def test_power_mode_orders_watts():
    async with story(wallbox=WallboxOptions(rate_unit="Power")) as tale:
        await tale.charging()
        orders = tale.central.log.calls("sent", "SetChargingProfile")
    assert '"chargingRateUnit":"W","chargingSchedulePeriod":[{"startPeriod":0,"limit":4140}]' in orders[-1].text


async def test_an_odd_answer_gets_a_callerror_and_is_not_taken():
    async with central_only() as central, aiohttp.ClientSession() as session, dial(session, central.port) as socket:
        await socket.send_str(BOOT)
        asked: list[object] = []
        while not asked:
            message = json.loads(await socket.receive_str(timeout=10))
            asked = message if message[0] == 2 else []
        await socket.send_str(json.dumps([3, asked[1], {"status": "Maybe"}]))
        refused = json.loads(await next_answer(socket))
        assert refused[:3] == [4, asked[1], "GenericError"]
        await socket.send_str(json.dumps([3, asked[1], {"status": "Accepted"}]))
        following = json.loads(await socket.receive_str(timeout=10))
        assert following[2] == "GetConfiguration"


async def test_a_box_that_never_boots_is_asked_to_and_set_up_after_a_minute():
    async with (
        central_only(CentralOptions(silence_seconds=1e6)) as central,
        aiohttp.ClientSession() as session,
        dial(session, central.port) as socket,
    ):
        first = json.loads(await socket.receive_str(timeout=10))
        assert first[2:] == ["TriggerMessage", {"requestedMessage": "BootNotification"}]
        assert central.clock.mono() > 4
        await socket.send_str(json.dumps([3, first[1], {"status": "Accepted"}]))
        again = json.loads(await socket.receive_str(timeout=10))
        assert again[2:] == ["TriggerMessage", {"requestedMessage": "BootNotification"}]
        await socket.send_str(json.dumps([3, again[1], {"status": "Rejected"}]))
        assert json.loads(await socket.receive_str(timeout=10))[2] == "ChangeAvailability"
        assert central.clock.mono() > 58


def test_a_box_that_answers_twice_in_one_frame_says_nothing_to_evcc():
    assert read('[2,"a","Heartbeat",{}][2,"b","Heartbeat",{}]') is None


def test_a_payload_that_is_no_object_is_named_with_gos_package():
    complaint = read('[2,"a","SetChargingProfile",[]]')
    assert isinstance(complaint, Complaint)
    assert "Go value of type smartcharging.SetChargingProfileRequest" in complaint.text


@pytest.mark.parametrize(
    ("amperes", "unit", "text"),
    [(6.0, "A", "6"), (6.5, "A", "6.5"), (6.59, "A", "6.5"), (9.2, "A", "9.2"), (0.0, "A", "0"), (6.0, "W", "4140")],
)
def test_limits_are_written_as_go_writes_them(amperes: float, unit: str, text: str):
    assert go_json(limit_number(amperes, unit, 3)) == text


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ([3, "ID", {"status": "Accepted"}], None),
        ([3, "ID", {"status": "Accepted", "extra": 1}], None),
        ([3, "ID", {"status": "Accepted"}, 1], None),
        ([4, "ID", "NotSupported", "no"], None),
        ([3, "ID", {}], "OccurenceConstraintViolation"),
        ([3, "ID", None], "FormationViolation"),
        ([3, "ID", []], "FormationViolation"),
        ([4, "ID", "MyOwnCode", "no", {}], "GenericError"),
        ([4, "ID", "NotSupported"], "FormationViolation"),
    ],
)
async def test_an_answer_is_taken_or_complained_about_as_recorded(answer: list[object], complaint: str | None):
    channel = CallChannel(SimClock(), 60.0, Random(1))
    sent: list[str] = []

    async def send(text: str) -> None:
        sent.append(text)

    async with asyncio.TaskGroup() as group:
        work = group.create_task(channel.run(send))
        await asyncio.sleep(0)
        asked = channel.post("ChangeAvailability", {"connectorId": 0, "type": "Operative"})
        while not sent:
            await asyncio.sleep(0)
        unique_id = json.loads(sent[0])[1]
        heard = read(json.dumps(answer).replace('"ID"', json.dumps(unique_id)))
        assert isinstance(heard, Answered)
        said = channel.take(heard)
        if complaint is None:
            assert said is None
            assert asked.done()
        else:
            assert json.loads(said or "[]")[:3] == [4, unique_id, complaint]
            assert not asked.done()
        work.cancel()
    assert asked.done()


async def test_what_is_queued_is_lost_with_the_connection():
    async with story() as tale:
        await tale.until(lambda: tale.central.stations and tale.central.stations[NAME].set_up.is_set())
        channel = tale.central.stations[NAME].channel
        asked = [channel.post("ClearCache", {}) for _ in range(3)]
        tale.box.drop()
        await tale.until(lambda: all(each.done() for each in asked))
        assert asked[-1].result().kind == "lost"
        await tale.until(lambda: not tale.central.is_connected(NAME))
        assert channel.post("ClearCache", {}).result().kind == "lost"


async def test_a_suspended_status_keeps_evcc_quiet_whatever_flows():
    async with story("hidden-flow") as tale:
        await tale.charging()
        tale.central.set_mode("off")
        await tale.until(lambda: tale.box.status() == "SuspendedEVSE")
        orders = len(tale.limits())
        await tale.clock.sleep(100)
        assert len(tale.limits()) == orders
        assert tale.box.current_amperes() > 6


async def test_the_sun_switches_on_after_its_delay_and_sets_the_current():
    options = CentralOptions(cycle_seconds=10.0, enable_delay_seconds=30.0)
    async with story(central=options) as tale:
        await tale.until(lambda: tale.limits() and tale.limits()[-1][1] == 0)
        tale.central.set_mode("pv")
        tale.box.plug_in()
        await tale.until(lambda: tale.central.believed_status(NAME) == "Preparing")
        begin = tale.clock.mono()
        tale.central.set_sun(9.2)
        await tale.until(lambda: tale.limits()[-1][1] == 9.2)
        assert tale.limits()[-1][0] - begin > 29
        tale.central.set_sun(3.0)
        await tale.until(lambda: tale.limits()[-1][1] == 6)
