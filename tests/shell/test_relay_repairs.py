"""Sessions with repairs: what a repair names is changed or answered, everything else passes to the byte as ever."""

import asyncio
import json
import random

import pytest
from relay_stage import DOWN, MASK, UP, masked, part, plain, staged

from ocpp_watchdog.core import wire
from ocpp_watchdog.core.repairs import Dialect, Repairs, mend

REPAIRS = Repairs(
    answer_for=frozenset({"GetConfiguration", "FirmwareStatusNotification"}),
    configuration={"NumberOfConnectors": "1"},
    power_factor=10.0,
    timestamps=True,
    profile_dialect=Dialect(),
)
NOW = 1_759_324_749.0
QUESTION = b'[2,"17","GetConfiguration",{}]'
ANSWER = b'[3,"17",{"configurationKey":[{"key":"NumberOfConnectors","readonly":true,"value":"1"}]}]'
CHATTER = b'[2,"c1","FirmwareStatusNotification",{"status":"Installed"}]'
ODD_TIME = b'[2, "s1", "StatusNotification", {"status":"Charging","timestamp":"0000-00-00T00:00:00.000Z"}]'
RIGHT_TIME = b'[2,"s1","StatusNotification",{"status":"Charging","timestamp":"2025-10-01T13:19:09.000Z"}]'
ORDER = (
    b'[2,"18","SetChargingProfile",{"connectorId":1,"csChargingProfiles":{"chargingProfilePurpose":"TxDefaultProfile",'
    b'"chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":6}]}}}]'
)
STOP = '[2,"wd-0123456789abcdef","RemoteStopTransaction",{"transactionId":7}]'


def mender(charge_point):
    return lambda direction, text: mend(REPAIRS, direction, text, NOW, json.loads)


async def test_relay_repairs_a_question_is_answered_and_goes_nowhere():
    async with staged(menders=mender) as stage:
        charge_point, central_system = await stage.joined()
        await central_system.send(plain(QUESTION) + plain(b'[2,"20","Reset",{}]'))
        await charge_point.gets(plain(b'[2,"20","Reset",{}]'))
        reply = await central_system.frame()
        assert wire.payload_of(reply) == ANSWER
        assert reply[1] & wire.MASKED, "towards the central system every frame is masked"
        await stage.judge.told("answered", DOWN, plain(QUESTION), ANSWER, "answer_for")
        assert stage.judge.of("received") == [("received", DOWN, b'[2,"20","Reset",{}]', True)]


async def test_relay_repairs_the_chatter_of_a_charge_point_is_answered_unmasked():
    async with staged(menders=mender) as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(CHATTER))
        await charge_point.gets(plain(b'[3,"c1",{}]'))
        await central_system.gets_nothing(0.05)


async def test_relay_repairs_a_changed_message_keeps_its_mask_key_and_its_original_is_told():
    async with staged(menders=mender) as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(ODD_TIME))
        await central_system.gets(masked(RIGHT_TIME))
        await stage.judge.told("repaired", UP, masked(RIGHT_TIME), masked(ODD_TIME), "timestamps")


async def test_relay_repairs_an_order_takes_the_one_shape_unmasked():
    async with staged(menders=mender) as stage:
        charge_point, central_system = await stage.joined()
        await central_system.send(plain(ORDER))
        sent = await charge_point.frame()
        assert not sent[1] & wire.MASKED
        profile = json.loads(wire.payload_of(sent))[3]["csChargingProfiles"]
        assert profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == 4140
        await stage.judge.told("repaired", DOWN, sent, plain(ORDER), "profile_dialect")


async def test_relay_repairs_a_fragmented_message_is_repaired_whole_and_pings_do_not_wait():
    async with staged(menders=mender) as stage:
        charge_point, central_system = await stage.joined()
        first = part(wire.TEXT, ODD_TIME[:20], final=False, key=MASK)
        ping = wire.frame(wire.PING, b"there?", MASK)
        await charge_point.send(first + ping)
        await central_system.gets(ping)
        await central_system.gets_nothing(0.05)
        await charge_point.send(part(wire.CONTINUATION, ODD_TIME[20:], final=True, key=MASK))
        await central_system.gets(masked(RIGHT_TIME))


OTHERS = [
    b'[2 ,"x-1",  "DataTransfer",{"b":1.10,"a":1E3, "a":-0.0 ,"\\u00e9\\/":null}] \n',
    b"",
    b"hello",
    b'[2,"a","X",{}]\0',
    b"\xff\xfe not utf-8",
    b'[3,"17",{"configurationKey":[]}]',
    b'[4,"17","NotSupported","",{}]',
    b'[2,"wd-0123456789abcdef","Reset",{}]',
    b'[2,"m","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2025-10-01T13:19:09Z","sampledValue":'
    b'[{"value":"6.50","measurand":"Current.Import"}]}]}]',
    b'[2,"t","StartTransaction",{"connectorId":1,"idTag":"x","meterStart":0,"timestamp":"2025-10-01T13:19:09Z"}]',
    b'[2,"r","RemoteStopTransaction",{"transactionId":7}]',
    b"x" * 70_000,
    b"y" * 300_000,
]


@pytest.mark.parametrize("fragment", [0, 7, 1024])
async def test_relay_repairs_every_other_message_passes_to_the_byte_both_ways(fragment):
    """The repaired ones in between change nothing about their neighbours."""

    def frames(payload, key):
        if not fragment or len(payload) < 2 * fragment or len(payload) > 80_000:
            return wire.frame(wire.TEXT, payload, key)
        size = max(fragment, len(payload) // 50)
        pieces = [payload[at : at + size] for at in range(0, len(payload), size)]
        last = len(pieces) - 1
        return b"".join(
            part(wire.TEXT if at == 0 else wire.CONTINUATION, piece, final=at == last, key=key)
            for at, piece in enumerate(pieces)
        )

    async with staged(menders=mender) as stage:
        charge_point, central_system = await stage.joined()
        order = OTHERS * 3
        random.Random(fragment).shuffle(order)
        for sender, receiver, key, named, becomes in (
            (charge_point, central_system, MASK, ODD_TIME, masked(RIGHT_TIME)),
            (central_system, charge_point, None, ORDER, None),
        ):
            for payload in order:
                await asyncio.gather(sender.send(frames(payload, key)), receiver.gets(frames(payload, key)))
                await sender.send(wire.frame(wire.TEXT, named, key))
                if becomes is not None:
                    await receiver.gets(becomes)
                else:
                    assert (await receiver.frame()) != plain(named)


async def test_relay_repairs_without_a_repair_not_a_byte_is_looked_at():
    async with staged(menders=lambda charge_point: None) as stage:
        charge_point, central_system = await stage.joined()
        begun = part(wire.TEXT, ODD_TIME[:20], final=False, key=MASK)
        await charge_point.send(begun)
        await central_system.gets(begun)
        await central_system.send(plain(QUESTION))
        await charge_point.gets(plain(QUESTION))


@pytest.mark.parametrize("breaks", ["when asked", "when made"])
async def test_relay_repairs_a_repair_that_breaks_is_counted_and_the_message_passes_as_it_came(breaks):
    def broken(charge_point):
        if breaks == "when made":
            raise RuntimeError("no repairs today")
        return lambda direction, text: 1 / 0

    async with staged(menders=broken) as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(ODD_TIME))
        await central_system.gets(masked(ODD_TIME))
        assert stage.relay.counters.faults == 1


async def test_relay_repairs_a_frame_of_ours_goes_out_between_messages_and_its_answer_is_kept():
    async with staged(menders=mender) as stage:
        charge_point, central_system = await stage.joined()
        await central_system.send(part(wire.TEXT, ORDER[:30], final=False, key=None))
        stage.judge.inject(STOP)
        await charge_point.gets(plain(STOP.encode()))
        await central_system.send(part(wire.CONTINUATION, ORDER[30:], final=True, key=None))
        assert b"4140" in wire.payload_of(await charge_point.frame())
        await charge_point.send(masked(b'[3,"wd-0123456789abcdef",{"status":"Accepted"}]') + masked(ODD_TIME))
        await central_system.gets(masked(RIGHT_TIME))


async def test_relay_repairs_an_order_that_was_held_is_repaired_when_it_goes():
    async with staged(menders=mender) as stage:
        charge_point, central_system = await stage.joined()
        stage.judge.link.hold_calls()
        await central_system.send(plain(ORDER) + plain(QUESTION))
        reply = await central_system.frame()
        assert wire.payload_of(reply) == ANSWER, "an answer of ours waits for nobody"
        await charge_point.gets_nothing(0.05)
        stage.judge.link.release_calls()
        assert b"4140" in wire.payload_of(await charge_point.frame())


async def test_relay_repairs_an_answer_waits_for_the_end_of_a_message_too_large_to_gather():
    async with staged(menders=mender) as stage:
        charge_point, central_system = await stage.joined()
        large = part(wire.TEXT, b"x" * 300_000, final=False, key=MASK)
        await asyncio.gather(charge_point.send(large), central_system.gets(large))
        await central_system.send(plain(QUESTION))
        await central_system.gets_nothing(0.1)
        end = part(wire.CONTINUATION, b"x", final=True, key=MASK)
        await charge_point.send(end)
        await central_system.gets(end)
        assert wire.payload_of(await central_system.frame()) == ANSWER


async def test_relay_repairs_a_close_in_the_middle_of_a_message_lets_everything_out():
    async with staged(menders=mender) as stage:
        charge_point, central_system = await stage.joined()
        begun = part(wire.TEXT, ODD_TIME[:20], final=False, key=MASK)
        close = wire.frame(wire.CLOSE, wire.close_payload(1000, "bye"), MASK)
        await charge_point.send(begun + close)
        await central_system.gets(begun + close)


async def test_relay_repairs_a_fin_in_the_middle_of_a_message_lets_everything_out():
    async with staged(menders=mender) as stage:
        charge_point, central_system = await stage.joined()
        begun = part(wire.TEXT, ODD_TIME[:20], final=False, key=MASK)
        await charge_point.send(begun)
        await central_system.gets_nothing(0.05)
        charge_point.fin()
        await central_system.gets(begun)


async def test_relay_repairs_the_largest_message_is_still_the_largest():
    async with staged(menders=mender, max_message=100_000) as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(b"z" * 100_001))
        assert await central_system.close_code() == 1009


async def test_relay_repairs_over_tls(tls):
    async with staged(tls, menders=mender) as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(ODD_TIME))
        await central_system.gets(masked(RIGHT_TIME))
        await central_system.send(plain(QUESTION))
        assert wire.payload_of(await central_system.frame()) == ANSWER


async def test_relay_repairs_without_a_judge():
    async with staged(menders=mender, judged=False) as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(CHATTER) + masked(ODD_TIME))
        await charge_point.gets(plain(b'[3,"c1",{}]'))
        await central_system.gets(masked(RIGHT_TIME))
