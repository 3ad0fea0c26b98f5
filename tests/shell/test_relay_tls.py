"""The same promises with TLS on both legs."""

import asyncio
import socket
import ssl
import time
from dataclasses import replace

import pytest
from relay_stage import ACCEPTED, DOWN, UP, masked, plain, random_text, request, staged

from ocpp_watchdog.core import wire

CALL = b'[2,"1","Heartbeat",{}]'
OURS = b'[3,"wd-0123456789abcdef",{}]'
BOTH = pytest.mark.parametrize("way", [UP, DOWN])


def sides(pair, way):
    charge_point, central_system = pair
    return (charge_point, central_system, masked) if way is UP else (central_system, charge_point, plain)


@BOTH
async def test_relay_R5_frames_of_any_size_pass_over_tls(tls, way):
    async with staged(tls) as stage:
        sender, reader, build = sides(await stage.joined(), way)
        for size in (0, 125, 126, 65_536, 200_000, 1 << 20):
            frame = build(random_text(size))
            await asyncio.gather(sender.send(frame), reader.gets(frame))


async def test_relay_R5_a_frame_of_ours_goes_in_and_its_answer_comes_out_over_tls(tls):
    async with staged(tls) as stage:
        charge_point, central_system = await stage.joined()
        stage.judge.inject("[2]")
        await charge_point.gets(plain(b"[2]"))
        await charge_point.send(masked(OURS) + masked(CALL))
        await central_system.gets(masked(CALL))
        assert stage.judge.of("withheld") == [("withheld", OURS)]


async def test_relay_R2_early_bytes_of_both_sides_are_forwarded_over_tls(tls):
    async with staged(tls) as stage:
        charge_point, central_system = await stage.joined(request() + masked(b"early"), ACCEPTED + plain(b"too"))
        await charge_point.gets(plain(b"too"))
        await central_system.gets(masked(b"early"))


async def test_relay_R3_a_refusal_arrives_over_tls(tls):
    async with staged(tls) as stage:
        charge_point = await stage.dial(request())
        central_system = await stage.arrival()
        await central_system.head()
        await central_system.send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
        assert (await charge_point.rest()).endswith(b"\r\n\r\nno")


@BOTH
async def test_relay_R7_a_leg_that_leaves_ends_the_other_after_all_that_came_before_over_tls(tls, way):
    async with staged(tls) as stage:
        sender, reader, build = sides(await stage.joined(), way)
        stream = b"".join(build(b"%d" % number) for number in range(1000))
        sender.writer.write(stream)
        sender.leave()
        began = time.monotonic()
        assert await reader.rest() == stream
        assert time.monotonic() - began < 1


@BOTH
async def test_relay_R7_a_reset_ends_the_other_leg_over_tls(tls, way):
    async with staged(tls) as stage:
        sender, reader, _ = sides(await stage.joined(), way)
        sender.reset()
        assert await reader.is_ended() < 1


@BOTH
async def test_relay_R7_a_close_passes_over_tls_and_ends_both(tls, way):
    async with staged(tls, close_patience=0.2) as stage:
        sender, reader, build = sides(await stage.joined(), way)
        close = build(wire.close_payload(4000, "why"), wire.CLOSE)
        await sender.send(close)
        await reader.gets(close)
        assert await reader.is_ended() < 2
        assert await sender.is_ended() < 2


@BOTH
async def test_relay_R9_a_close_of_ours_arrives_at_both_over_tls(tls, way):
    async with staged(tls, max_message=1000) as stage:
        sender, reader, build = sides(await stage.joined(), way)
        sender.writer.write(build(b"x" * 1001) + build(b"y" * 900) * 50)
        assert await sender.close_code() == 1009
        assert await reader.close_code() == 1009


@BOTH
async def test_relay_R9_a_slow_reader_holds_back_its_own_sender_over_tls(tls, way):
    async with staged(tls) as stage:
        sender, reader, build = sides(await stage.joined(), way)
        reader.writer.transport.pause_reading()
        frame = build(random_text(65_000))
        sender.writer.write(frame * 600)
        transports = stage.relay.sessions["CP1"].transports
        await stage.until(lambda: not all(transport.is_reading() for transport in transports))
        await asyncio.sleep(0.3)
        assert not all(transport.is_reading() for transport in transports)
        assert len(stage.judge.of("received")) * len(frame) < 16 << 20
        assert max(transport.get_write_buffer_size() for transport in transports) < 1 << 20
        reader.writer.transport.resume_reading()
        for _ in range(600):
            await reader.gets(frame)


async def test_relay_R13_stopping_closes_both_ends_over_tls(tls):
    async with staged(tls) as stage:
        charge_point, central_system = await stage.joined()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stage.relay.stop())
            assert await charge_point.close_code() == 1012
            assert await central_system.close_code() == 1012
            charge_point.leave()
            central_system.leave()


async def test_relay_R10_the_kernel_watches_both_connections_under_tls(tls):
    async with staged(tls) as stage:
        await stage.joined()
        for transport in stage.relay.sessions["CP1"].transports:
            sock = transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 35_000


async def test_fault_W4_a_central_system_that_cannot_be_verified_is_a_502_at_once(tls):
    async with staged(tls, client_tls=ssl.create_default_context()) as stage:
        charge_point = await stage.dial(request())
        assert (await charge_point.head(2)).status == 502
        assert stage.nobody_was_dialled


async def test_fault_W5_plain_text_on_the_tls_port_ends_and_others_are_served(tls):
    async with staged(tls) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.relay.port)
        writer.write(request())
        async with asyncio.timeout(10):
            assert not (await reader.read()).startswith(b"HTTP")
        writer.close()
        await stage.joined()


async def test_a_new_certificate_is_taken_over_without_ending_a_session(tls, certificate):
    async with staged(tls) as stage:
        charge_point, central_system = await stage.joined()
        fresh = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        fresh.load_cert_chain(certificate)
        asked = []
        fresh.sni_callback = lambda connection, name, context: asked.append(name)
        assert await stage.relay.reload(replace(stage.relay.settings, server_tls=fresh)) == ()
        await stage.joined(request(b"/CP2"))
        assert asked == ["localhost"]
        await charge_point.send(masked(CALL))
        await central_system.gets(masked(CALL))


async def test_nothing_is_left_behind_after_sessions_over_tls(tls):
    async with staged(tls) as stage:
        for number in range(10):
            charge_point, central_system = await stage.joined(request(b"/CP%d" % number))
            charge_point.leave()
            central_system.leave()
            await stage.judge.over.wait()
        assert not stage.relay.sessions
        assert not stage.relay.http.connections
