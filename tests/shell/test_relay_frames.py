"""R5 and R6: frames pass as they came; ours go in between messages, answers to ours come out, CALLs are held."""

import asyncio
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relay_stage import DOWN, MASK, UP, masked, part, plain, random_text, staged

from ocpp_watchdog.core import wire
from ocpp_watchdog.shell.relay.hearing import AT_ONCE

OURS = b'[3,"wd-0123456789abcdef",{"status":"Accepted"}]'
OUR_ERROR = b'[4,"wd-0123456789abcdef","NotSupported","",{}]'
STOP = '[2,"wd-0123456789abcdef","RemoteStopTransaction",{"transactionId":7}]'
STOP_FRAME = plain(STOP.encode())
CALL = b'[2,"17","SetChargingProfile",{}]'
ANSWER = b'[3,"18",{}]'


def frames(payload, *cuts, key):
    pieces = [payload[a:b] for a, b in zip((0, *cuts), (*cuts, None), strict=True)]
    last = len(pieces) - 1
    return [part(wire.TEXT if at == 0 else 0, piece, final=at == last, key=key) for at, piece in enumerate(pieces)]


# -- R5 as they came -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        b'[2 ,"x-1",  "DataTransfer",{"b":1.10,"a":1E3, "a":-0.0 ,"\\u00e9\\/":null}] \n',
        b"",
        b"hello",
        b'[2,"a","X",{}]\0',
        b"[][]",
        b"\xff\xfe not utf-8",
        b'[3,"nobody-asked",{}]',
        b'[2,"wd-0123456789abcdef","Reset",{}]',
    ],
)
async def test_relay_R5_whatever_a_message_says_passes_both_ways(payload):
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(payload))
        await central_system.gets(masked(payload))
        await central_system.send(plain(payload, wire.BINARY))
        await charge_point.gets(plain(payload, wire.BINARY))
        assert stage.judge.of("received") == [("received", UP, payload, True), ("received", DOWN, payload, False)]


@pytest.mark.parametrize("bits", [0x81 | 0x40, 0x83, 0x8B, 0x09, 0x80])
async def test_relay_R5_a_frame_that_breaks_the_protocol_passes_for_the_other_end_to_judge(bits):
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        odd = bytes((bits,)) + masked(b"odd")[1:]
        await charge_point.send(odd + masked(b"after"))
        await central_system.gets(odd + masked(b"after"))
        await central_system.send(odd)
        await charge_point.gets(odd)


async def test_relay_R5_one_read_is_forwarded_at_once_even_if_more_is_on_its_way():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(b"first") + masked(b"second")[:5])
        await central_system.gets(masked(b"first"))
        await central_system.gets_nothing(0.05)


async def test_relay_R5_fragments_stay_fragments():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        sent = frames(CALL, 3, 9, key=None)
        for frame in sent:
            await central_system.send(frame)
            await charge_point.gets(frame)
        assert stage.judge.of("received") == [("received", DOWN, CALL, True)]


@pytest.mark.parametrize("size", [125, 126, 65535, 65536, 200_000, 1 << 20, 4 << 20])
async def test_relay_R5_any_size_passes_both_ways(size):
    payload = random_text(size)
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        await asyncio.gather(charge_point.send(masked(payload)), central_system.gets(masked(payload)))
        await asyncio.gather(central_system.send(plain(payload)), charge_point.gets(plain(payload)))


async def test_relay_R5_many_messages_both_ways_at_once_keep_their_order():
    up, down = [[b"%d %d" % (number, side) for number in range(3000)] for side in (1, 2)]
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        all_up, all_down = b"".join(map(masked, up)), b"".join(map(plain, down))
        await asyncio.gather(
            charge_point.send(all_up),
            central_system.send(all_down),
            central_system.gets(all_up),
            charge_point.gets(all_down),
        )
        await stage.judge.told("received", DOWN, down[-1], True)
        await stage.judge.told("received", UP, up[-1], True)
        heard = stage.judge.of("received")
        assert [payload for _, way, payload, _ in heard if way is UP] == up
        assert [payload for _, way, payload, _ in heard if way is DOWN] == down


any_frames = st.builds(
    lambda first, payload, key: bytes((first,)) + wire.frame(wire.TEXT, payload, key)[1:],
    st.integers(0, 255).filter(lambda first: first & 0x0F != wire.CLOSE),
    st.one_of(st.binary(max_size=200), st.sampled_from([CALL, ANSWER, b"["])),
    st.one_of(st.none(), st.binary(min_size=4, max_size=4)),
)
streams = st.tuples(st.lists(any_frames, min_size=1, max_size=10), st.lists(st.integers(0, 2000), max_size=8))


async def test_relay_R5_random_streams_in_random_pieces_come_out_byte_for_byte():
    async with staged() as stage:
        loop = asyncio.get_running_loop()

        async def passes(up, down):
            charge_point, central_system = await stage.joined()
            for sender, reader, (sent, cuts) in (
                (charge_point, central_system, up),
                (central_system, charge_point, down),
            ):
                stream = b"".join(sent)
                places = sorted(cut % (len(stream) + 1) for cut in cuts)
                for a, b in zip([0, *places], [*places, len(stream)], strict=True):
                    await sender.send(stream[a:b])
                    await asyncio.sleep(0)
                await reader.gets(stream)
            charge_point.reset()
            await stage.judge.over.wait()
            central_system.leave()

        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(streams, streams)
        def run(up, down):
            asyncio.run_coroutine_threadsafe(passes(up, down), loop).result(20)

        await asyncio.to_thread(run)
        assert stage.relay.counters.faults == 0


# -- R5 frames of ours -----------------------------------------------------------------------------------------------


async def test_relay_R5_a_frame_of_ours_goes_out_at_once_and_its_answer_is_kept_back():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        stage.judge.inject(STOP)
        assert stage.judge.calls[-1] == ("written", True)
        assert stage.judge.injections == [STOP_FRAME]
        await charge_point.gets(STOP_FRAME)
        await charge_point.send(masked(b"before") + masked(OURS) + masked(b"after"))
        await central_system.gets(masked(b"before") + masked(b"after"))
        assert [call[0] for call in stage.judge.calls[-3:]] == ["received", "withheld", "received"]
        assert stage.judge.of("withheld") == [("withheld", OURS)]
        assert (stage.relay.counters.injected, stage.relay.counters.withheld) == (1, 1)


@pytest.mark.parametrize("answer", [OURS, OUR_ERROR, b' [ 3 , "wd-0123456789abcdef" , {} ]', OURS + b" " * 100_000])
async def test_relay_R5_late_double_and_error_answers_are_kept_back_too(answer):
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        stage.judge.link.arm()
        await charge_point.send(masked(answer) + masked(answer) + masked(b"end"))
        await central_system.gets(masked(b"end"))
        assert stage.judge.of("withheld") == [("withheld", answer)] * 2


@pytest.mark.parametrize("cuts", [(1,), (3,), (10,), (22,), (0, 0, 5)])
async def test_relay_R5_an_answer_in_fragments_is_kept_back_with_controls_in_between(cuts):
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        stage.judge.link.arm()
        ping = masked(b"ping", wire.PING)
        for frame in frames(OURS, *cuts, key=MASK):
            await charge_point.send(frame + ping)
            await central_system.gets(ping)
        await charge_point.send(masked(b"end"))
        await central_system.gets(masked(b"end"))
        assert stage.judge.of("withheld") == [("withheld", OURS)]


async def test_relay_R5_an_answer_that_comes_byte_by_byte_is_kept_back():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        stage.judge.link.arm()
        for byte in masked(ANSWER) + masked(OURS) + masked(b"end"):
            await charge_point.send(bytes((byte,)))
            await asyncio.sleep(0)
        await central_system.gets(masked(ANSWER) + masked(b"end"))


async def test_relay_R5_without_a_call_of_ours_nothing_is_looked_at():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(OURS))
        await central_system.gets(masked(OURS))


async def test_relay_R5_a_frame_of_ours_waits_for_the_end_of_a_fragmented_message():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        first, middle, last = frames(CALL, 3, 9, key=None)
        await central_system.send(first)
        await charge_point.gets(first)
        stage.judge.inject(STOP)
        await central_system.send(middle)
        await charge_point.gets(middle)
        assert not stage.judge.of("written")
        await central_system.send(last + plain(b"next"))
        await charge_point.gets(last + STOP_FRAME + plain(b"next"))
        assert [call for call in stage.judge.calls if call[0] != "opened"] == [
            ("received", DOWN, CALL, True),
            ("written", True),
            ("received", DOWN, b"next", True),
        ]


async def test_relay_R5_a_frame_of_ours_does_not_wait_for_half_a_frame():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        await central_system.send(plain(CALL)[:7])
        await charge_point.gets_nothing(0.05)
        stage.judge.inject(STOP)
        await central_system.send(plain(CALL)[7:])
        await charge_point.gets(STOP_FRAME + plain(CALL))


async def test_relay_R5_whether_it_is_still_wanted_is_asked_at_the_moment_of_writing():
    raised = []
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        stage.judge.on_received = lambda link, way, payload: raised.append(payload)
        first, last = frames(CALL, 9, key=None)
        await central_system.send(first)
        await charge_point.gets(first)
        stage.judge.inject(STOP, wanted=lambda: not raised)
        await central_system.send(last)
        await charge_point.gets(last)
        await stage.judge.told("written", False)
        await charge_point.gets_nothing(0.05)


async def test_relay_R5_a_frame_of_ours_is_reported_unsent_when_its_deadline_comes_first():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        first, last = frames(CALL, 9, key=None)
        await central_system.send(first)
        await charge_point.gets(first)
        stage.judge.inject(STOP, give_up_in=0.05)
        await stage.judge.told("written", False)
        await central_system.send(last + plain(b"next"))
        await charge_point.gets(last + plain(b"next"))


@pytest.mark.parametrize("end", ["close_up", "close_down", "broken_up", "broken_down", "fin", "reset"])
async def test_relay_R5_a_frame_of_ours_that_waits_is_reported_unsent_when_the_direction_ends(end):
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        await central_system.send(frames(CALL, 9, key=None)[0])
        await charge_point.gets(frames(CALL, 9, key=None)[0])
        stage.judge.inject(STOP)
        if end == "fin":
            central_system.fin()
        elif end == "reset":
            charge_point.reset()
        elif end == "close_up":
            await charge_point.send(masked(b"\x03\xe8", wire.CLOSE))
        elif end == "close_down":
            await central_system.send(plain(b"\x03\xe8", wire.CLOSE))
        elif end == "broken_up":
            await charge_point.send(part(0, b"x", final=True, key=MASK))
        else:
            await central_system.send(plain(b"x"))
        await stage.judge.told("written", False)
        stage.judge.calls.clear()
        stage.judge.inject(STOP)
        assert stage.judge.calls == [("written", False)]


async def test_relay_R5_a_frame_of_ours_after_the_end_of_the_session_is_reported_unsent():
    async with staged() as stage:
        charge_point, _ = await stage.joined()
        charge_point.reset()
        await stage.judge.over.wait()
        stage.judge.inject(STOP)
        stage.judge.link.arm()
        stage.judge.link.hold_calls()
        stage.judge.link.release_calls()
        stage.judge.link.close(1000, "")
        assert stage.judge.calls[-1] == ("written", False)


async def test_relay_R5_several_frames_of_ours_go_out_in_order():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        first, last = frames(CALL, 9, key=None)
        await central_system.send(first)
        await charge_point.gets(first)
        for text in ("a", "b", "c"):
            stage.judge.inject(text, wanted=lambda text=text: text != "b")
        await central_system.send(last)
        await charge_point.gets(last + plain(b"a") + plain(b"c"))
        assert stage.judge.injections == [plain(b"a"), plain(b"c")]
        assert stage.judge.of("written") == [("written", True), ("written", False), ("written", True)]


async def test_relay_R5_what_the_judge_causes_is_told_after_its_call_has_returned():
    def act(link, way, payload):
        if payload == b"go":
            link.hold_calls()
            stage.judge.inject(STOP)
        elif payload == b"release":
            link.release_calls()

    async with staged() as stage:
        stage.prepare = lambda judge: setattr(judge, "on_received", act)
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(b"go"))
        await charge_point.gets(STOP_FRAME)
        await central_system.send(plain(CALL))
        await stage.judge.told("held", 1)
        await charge_point.send(masked(b"release"))
        await charge_point.gets(plain(CALL))
        assert [call[:2] for call in stage.judge.calls] == [
            ("opened",),
            ("received", UP),
            ("written", True),
            ("held", 1),
            ("received", UP),
            ("received", DOWN),
            ("held", 0),
        ]


async def test_relay_R5_a_frame_of_ours_can_go_out_the_moment_the_session_opens():
    async with staged() as stage:
        stage.prepare = lambda judge: setattr(judge, "on_opened", lambda link: judge.inject(STOP))
        charge_point, central_system = await stage.joined()
        await charge_point.gets(STOP_FRAME)
        await charge_point.send(masked(OURS) + masked(b"end"))
        await central_system.gets(masked(b"end"))


# -- R5 holding the central system's CALLs ---------------------------------------------------------------------------


async def test_relay_R5_calls_are_held_while_answers_and_controls_flow():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        stage.judge.link.hold_calls()
        ping = plain(b"?", wire.PING)
        await central_system.send(
            plain(CALL) + plain(ANSWER) + ping + b"".join(frames(CALL, 1, 9, key=None)) + plain(b"x")
        )
        await charge_point.gets(plain(ANSWER) + ping + plain(b"x"))
        await charge_point.gets_nothing(0.05)
        assert stage.judge.of("held") == [("held", 2)]
        await charge_point.send(masked(CALL))
        await central_system.gets(masked(CALL))
        stage.judge.calls.clear()
        stage.judge.link.release_calls()
        await charge_point.gets(plain(CALL) + b"".join(frames(CALL, 1, 9, key=None)))
        assert stage.judge.calls == [("received", DOWN, CALL, True)] * 2 + [("held", 0)]
        assert stage.relay.counters.held == 2
        await central_system.send(plain(CALL))
        await charge_point.gets(plain(CALL))


async def test_relay_R5_held_calls_go_out_before_a_close():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        stage.judge.link.hold_calls()
        close = plain(b"\x03\xe8", wire.CLOSE)
        await central_system.send(plain(CALL) + close)
        await charge_point.gets(plain(CALL) + close)


async def test_relay_R5_held_calls_go_out_before_a_fin():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        stage.judge.link.hold_calls()
        await central_system.send(plain(CALL))
        await stage.judge.told("held", 1)
        central_system.fin()
        assert await charge_point.rest() == plain(CALL)
        assert ("received", DOWN, CALL, True) in stage.judge.calls


async def test_relay_R5_held_calls_die_with_the_charge_points_connection():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        stage.judge.link.hold_calls()
        await central_system.send(plain(CALL))
        await stage.judge.told("held", 1)
        charge_point.reset()
        await stage.judge.over.wait()
        charge_point, central_system = await stage.joined()
        await charge_point.gets_nothing(0.05)


async def test_relay_R5_more_than_64_held_calls_flow_all():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        stage.judge.link.hold_calls()
        await central_system.send(plain(CALL) * 64)
        await stage.judge.told("held", 64)
        await charge_point.gets_nothing(0.05)
        await central_system.send(plain(CALL))
        await charge_point.gets(plain(CALL) * 65)


# -- judging -----------------------------------------------------------------------------------------------------


async def test_relay_R9_messages_above_256_kib_are_relayed_and_counted():
    big = random_text((256 << 10) + 1)
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        await asyncio.gather(charge_point.send(masked(big)), central_system.gets(masked(big)))
        await stage.judge.told("unjudged", UP, len(big))
        assert stage.relay.counters.unjudged == 1
        assert not stage.judge.of("received")


async def test_a_judge_that_wants_no_messages_gets_none_but_its_own_answers():
    async with staged() as stage:
        stage.prepare = lambda judge: setattr(judge, "wants_messages", False)
        charge_point, central_system = await stage.joined()
        stage.judge.link.arm()
        await charge_point.send(masked(CALL) + masked(OURS))
        await central_system.gets(masked(CALL))
        await stage.judge.told("withheld", OURS)
        assert [call[0] for call in stage.judge.calls] == ["opened", "withheld"]


async def test_a_session_without_a_judge_is_relayed():
    async with staged(judged=False) as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(CALL))
        await central_system.gets(masked(CALL))


async def test_the_delay_of_the_first_read_and_of_one_in_sixteen_is_reported():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        for _ in range(17):
            await charge_point.send(masked(CALL))
            await central_system.gets(masked(CALL))
            await central_system.send(plain(ANSWER))
            await charge_point.gets(plain(ANSWER))
        assert [way for way, _ in stage.delays] == [UP, DOWN, UP, DOWN]
        assert all(0 <= seconds < 1 for _, seconds in stage.delays)


# -- many at once ----------------------------------------------------------------------------------------------------

FLOOD = [b"%d" % number for number in range(1000)]


async def test_many_messages_at_once_are_told_a_little_in_each_turn_and_in_order():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        heard = []

        async def count_in_each_turn():
            while not heard or heard[-1] <= len(FLOOD):
                heard.append(len(stage.judge.calls))
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            group.create_task(count_in_each_turn())
            await charge_point.send(b"".join(map(masked, FLOOD)))
            await central_system.gets(b"".join(map(masked, FLOOD)))
        assert [call[2] for call in stage.judge.of("received")] == FLOOD
        assert max(after - before for before, after in itertools.pairwise(heard)) <= 2 * AT_ONCE
        await charge_point.send(masked(b"later"))
        await central_system.gets(masked(b"later"))


async def test_what_a_judge_causes_waits_its_turn_behind_what_it_has_not_heard():
    async with staged() as stage:
        stage.prepare = lambda judge: setattr(
            judge, "on_received", lambda link, way, payload: judge.inject(STOP) if payload == b"0" else None
        )
        charge_point, _ = await stage.joined()
        await charge_point.send(b"".join(map(masked, FLOOD)))
        await charge_point.gets(STOP_FRAME)
        await stage.judge.told("written", True)
        kinds = [call[0] for call in stage.judge.calls]
        assert kinds.index("written") == len(FLOOD) + 1


async def test_a_session_that_ends_tells_first_what_still_waits():
    async with staged() as stage:
        charge_point, _ = await stage.joined()
        charge_point.writer.write(b"".join(map(masked, FLOOD)))
        charge_point.reset()
        await stage.judge.over.wait()
        heard = stage.judge.of("received")
        assert [call[2] for call in heard] == FLOOD[: len(heard)]
        assert stage.judge.calls[-1][0] == "closed"


# -- R6 pings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [b"", b"hi", b"x" * 125])
async def test_relay_R6_pings_and_pongs_pass_end_to_end(payload):
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        for opcode in (wire.PING, wire.PONG):
            await charge_point.send(masked(payload, opcode))
            await central_system.gets(masked(payload, opcode))
            await central_system.send(plain(payload, opcode))
            await charge_point.gets(plain(payload, opcode))


async def test_relay_R6_no_ping_is_answered_in_the_other_ends_name():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(b"?", wire.PING))
        await central_system.gets(masked(b"?", wire.PING))
        await charge_point.gets_nothing()


async def test_relay_R6_a_ping_of_ours_is_marked_and_its_pong_kept_back():
    async with staged() as stage, asyncio.TaskGroup() as tasks:
        charge_point, central_system = await stage.joined()
        asking = tasks.create_task(stage.relay.sessions["CP1"].answers(5))
        ping = await charge_point.frame()
        mark = wire.payload_of(ping)
        assert ping == plain(mark, wire.PING)
        assert mark.startswith(b"wd-")
        await charge_point.send(masked(mark, wire.PONG) + masked(mark, wire.PONG) + masked(b"end"))
        assert await asking
        await central_system.gets(masked(b"end"))


async def test_relay_R6_no_ping_of_ours_while_one_of_the_central_system_is_unanswered():
    async with staged() as stage, asyncio.TaskGroup() as tasks:
        charge_point, central_system = await stage.joined()
        await central_system.send(plain(b"theirs", wire.PING))
        await charge_point.gets(plain(b"theirs", wire.PING))
        asking = tasks.create_task(stage.relay.sessions["CP1"].answers(5))
        await charge_point.gets_nothing(0.05)
        await charge_point.send(masked(b"theirs", wire.PONG))
        await central_system.gets(masked(b"theirs", wire.PONG))
        assert await asking


async def test_relay_R6_a_ping_of_ours_can_go_out_inside_a_fragmented_message():
    async with staged() as stage, asyncio.TaskGroup() as tasks:
        charge_point, central_system = await stage.joined()
        first, last = frames(CALL, 9, key=None)
        await central_system.send(first)
        await charge_point.gets(first)
        asking = tasks.create_task(stage.relay.sessions["CP1"].answers(0.1))
        assert (await charge_point.frame())[0] == wire.FIN | wire.PING
        assert not await asking
        await central_system.send(last)
        await charge_point.gets(last)
