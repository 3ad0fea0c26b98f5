"""R12: whatever breaks beside the relay, frames go on, and it is counted."""

import asyncio

import pytest
from relay_stage import Recorder, masked, plain, request, staged

CALL = b'[2,"1","Heartbeat",{}]'
OURS = b'[3,"wd-0123456789abcdef",{}]'


class Broken(Recorder):
    """A judge that raises whenever it is called."""

    def __getattribute__(self, name):
        if name in {"opened", "passed", "withheld", "injected", "unjudged", "held", "closed"}:
            return broken
        return super().__getattribute__(name)


def broken(*call):
    raise RuntimeError("this judge is broken")


async def test_relay_R12_a_judge_that_raises_in_every_call_loses_no_frame():
    link = []

    class Opened(Broken):
        def __getattribute__(self, name):
            return link.append if name == "opened" else super().__getattribute__(name)

    async with staged(judges=lambda charge_point, peer: Opened(), judge_max=100) as stage:
        charge_point, central_system = await stage.joined()
        link[0].hold_calls()
        link[0].arm()
        for number in range(20):
            await charge_point.send(masked(b"%d" % number) + masked(OURS) + masked(b"x" * 200))
            await central_system.gets(masked(b"%d" % number) + masked(b"x" * 200))
        await central_system.send(plain(CALL) + plain(b"answer"))
        await charge_point.gets(plain(b"answer"))
        link[0].release_calls()
        await charge_point.gets(plain(CALL))
        charge_point.leave()
        central_system.leave()
        await stage.until(lambda: not stage.relay.sessions)
        assert stage.relay.counters.faults == 60 + 1 + 1 + 2 + 1


async def test_relay_R12_a_judge_that_raises_at_a_frame_of_ours_does_not_keep_it_back():
    link, written = [], []

    class Opened(Broken):
        def __getattribute__(self, name):
            return link.append if name == "opened" else super().__getattribute__(name)

    async with staged(judges=lambda charge_point, peer: Opened()) as stage:
        charge_point, _ = await stage.joined()
        link[0].inject(CALL.decode(), lambda: True, written.append, 0.0)
        await charge_point.gets(plain(CALL))
        assert written == [True]
        assert stage.relay.counters.faults == 1


async def test_relay_R12_a_judge_that_fails_at_every_frame_does_not_fill_the_log(caplog):
    async with staged(judges=lambda charge_point, peer: Broken()) as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(CALL) * 500)
        await central_system.gets(masked(CALL) * 500)
        await stage.until(lambda: stage.relay.counters.faults == 501)
    assert 1 <= len([record for record in caplog.records if record.exc_info]) <= 5


async def test_relay_R12_questions_and_reports_that_raise_send_nothing_and_break_nothing():
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        loop = asyncio.get_running_loop()
        stage.judge.link.inject("a", broken, stage.judge.written, loop.time() + 1)
        stage.judge.link.inject("b", lambda: True, broken, loop.time() + 1)
        await charge_point.gets(plain(b"b"))
        assert stage.judge.of("written") == [("written", False)]
        assert stage.relay.counters.faults == 2
        await charge_point.send(masked(CALL))
        await central_system.gets(masked(CALL))


async def test_relay_R12_without_a_judge_that_can_be_made_the_session_is_relayed():
    async with staged(judges=broken) as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(CALL))
        await central_system.gets(masked(CALL))
        assert stage.relay.counters.faults == 1


async def test_relay_R12_a_judge_that_cannot_say_what_it_wants_gets_nothing():
    class Mute(Recorder):
        def __getattribute__(self, name):
            return broken() if name == "wants_messages" else super().__getattribute__(name)

    async with staged(judges=lambda charge_point, peer: Mute()) as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(CALL))
        await central_system.gets(masked(CALL))
        assert stage.relay.counters.faults == 1


async def test_relay_R12_a_report_of_the_delay_that_raises_loses_no_frame():
    async with staged(delay=broken) as stage:
        charge_point, central_system = await stage.joined()
        await charge_point.send(masked(CALL))
        await central_system.gets(masked(CALL))
        assert stage.relay.counters.faults == 1


async def test_relay_R12_a_handshake_that_breaks_is_a_500_and_the_next_one_works(monkeypatch):
    async with staged() as stage:
        with monkeypatch.context() as patch:
            patch.setattr("ocpp_watchdog.shell.relay.reception.request_headers", broken)
            charge_point = await stage.dial(request())
            got = await charge_point.rest()
        assert got == b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        assert stage.relay.counters.faults == 1
        await stage.joined()


@pytest.mark.parametrize("payload", [b"[" * 100_000, b"\xff" * 1000, b'[2,"' + b"1" * 5000 + b'"]'])
async def test_relay_R12_the_relay_itself_never_parses(payload):
    async with staged() as stage:
        charge_point, central_system = await stage.joined()
        stage.judge.link.arm()
        stage.judge.link.hold_calls()
        await charge_point.send(masked(payload))
        await central_system.gets(masked(payload))
        assert stage.relay.counters.faults == 0
