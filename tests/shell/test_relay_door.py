"""The door: who gets in, how slowly, how often, and what is said about it (DESIGN 10)."""

import asyncio
import base64
import logging
import re
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
from relay_stage import ACCEPTED, UPGRADE, basic, masked, request, staged

from ocpp_watchdog.shell import relay
from ocpp_watchdog.shell.relay import REFUSALS, Relay, RelaySettings

SECRET = b"c3VwZXItc2VjcmV0"


# -- admission -------------------------------------------------------------------------------------------------------


async def status(stage, ask):
    charge_point = await stage.dial(ask)
    head = await charge_point.head()
    charge_point.leave()
    return head


async def test_an_id_that_is_not_on_the_list_is_a_404_and_nobody_is_dialled():
    async with staged(admitted={"CP1": None}) as stage:
        assert (await status(stage, request(b"/CP2"))).status == 404
        assert (await status(stage, request(b"/cp1"))).status == 404
        assert stage.nobody_was_dialled
        await stage.joined()
        assert stage.relay.counters.refusals == {"not_admitted": 2}


@pytest.mark.parametrize(
    "more", [(), (basic("CP1", b"wrong"),), (basic("CP1", b""),), (b"Authorization: Bearer right",)]
)
async def test_without_its_password_an_id_is_challenged_and_nobody_is_dialled(more):
    async with staged(admitted={"CP1": "right"}) as stage:
        head = await status(stage, request(b"/CP1", *more))
        assert head.status == 401
        assert head.headers[b"www-authenticate"] == [b'Basic realm="charge point", charset="UTF-8"']
        assert stage.nobody_was_dialled


@pytest.mark.parametrize(
    ("target", "password", "header"),
    [
        (b"/CP1", "right", basic("CP1", b"right")),
        (b"/CP1", "right", basic("somebody", b"right")),
        (b"/CP1", "ri:ght", basic("CP1", b"ri:ght")),
        (b"/CP1:9", "right", basic("CP1:9", b"right")),
        (b"/CP1", "schl\u00fcssel", basic("CP1", "schl\u00fcssel".encode())),
        (b"/CP1", "0123456789abCDEF", basic("CP1", b"0123456789abCDEF")),
        (b"/CP1", "0123456789abCDEF", basic("CP1", bytes.fromhex("0123456789abcdef"))),
        (b"/CP1", "right", b"authorization: basic " + base64.b64encode(b"CP1:right")),
    ],
)
async def test_with_its_password_an_id_is_let_in_and_the_password_passes_on(target, password, header):
    async with staged(admitted={"CP1": password, "CP1:9": password}) as stage:
        await stage.dial(request(target, header))
        central_system = await stage.arrival()
        assert header in (await central_system.head()).raw


async def test_guessing_passwords_is_slowed_down():
    async with staged(admitted={"CP1": "right"}) as stage:
        statuses = [(await status(stage, request(b"/CP1", basic("CP1", b"%d" % guess)))).status for guess in range(15)]
        assert statuses == [401] * 10 + [429] * 5
        assert (await status(stage, request())).status == 401


async def test_the_list_can_be_reloaded_without_ending_a_session():
    async with staged(admitted={"CP1": None}) as stage:
        charge_point, central_system = await stage.joined()
        settings = stage.relay.settings
        assert await stage.relay.reload(replace(settings, admitted={"CP2": None})) == ()
        assert (await status(stage, request(b"/CP3"))).status == 404
        await stage.joined(request(b"/CP2"))
        await charge_point.send(masked(b"still here"))
        await central_system.gets(masked(b"still here"))
        assert await stage.relay.reload(replace(settings, port=1, host="127.0.0.2")) == ("host", "port")
        with pytest.raises(ValueError, match="central system"):
            replace(settings, central_system="http://127.0.0.1")


# -- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"", b"GET /CP1 HTTP/1.1\r\n", request()[:-2]])
async def test_fault_W1_a_slow_handshake_ends(sent):
    async with staged(handshake_timeout=0.2) as stage:
        charge_point = await stage.dial(sent)
        began = time.monotonic()
        assert (await charge_point.rest()).startswith(b"HTTP/1.1 408 ")
        assert 0.1 < time.monotonic() - began < 1
        charge_point.leave()
        await stage.until(lambda: stage.relay.counters.charge_point_connections == 0)


async def test_fault_W1_a_connection_that_does_not_even_take_its_answer_is_given_up():
    async with staged(handshake_timeout=0.1) as stage:
        await stage.dial()
        await stage.until(lambda: stage.relay.counters.refusals["head_too_slow"] == 1)
        await stage.until(lambda: stage.relay.counters.charge_point_connections == 0, 2)


async def test_fault_W2_connections_of_one_address_are_limited():
    async with staged(connections_per_address=3) as stage:
        charge_point, central_system = await stage.joined()
        waiting = [await stage.dial() for _ in range(2)]
        beyond = await stage.dial()
        assert await beyond.is_ended() < 1
        assert stage.relay.counters.refusals == {"address_connections": 1}
        await charge_point.send(masked(b"still here"))
        await central_system.gets(masked(b"still here"))
        waiting[0].leave()
        await stage.until(lambda: stage.relay.counters.charge_point_connections == 2)
        await stage.joined(request(b"/CP2"))


async def test_fault_W2_handshakes_of_one_address_are_limited():
    async with staged(handshakes_per_second=0.1, handshake_burst=2) as stage:
        for ask in (request(b"*"), request(b"*"), request()):
            head = await status(stage, ask)
        assert (head.status, head.headers[b"retry-after"]) == (429, [b"5"])
        assert stage.nobody_was_dialled


async def test_fault_T13_handshakes_at_once_are_limited():
    async with staged(handshakes_at_once=2) as stage:
        for number in range(2):
            await stage.dial(request(b"/CP%d" % number))
            await stage.arrival()
        head = await status(stage, request(b"/CP9"))
        assert (head.status, head.headers[b"retry-after"]) == (503, [b"5"])


async def test_fault_W6_a_head_that_does_not_end_is_refused():
    async with staged() as stage:
        charge_point = await stage.dial()
        charge_point.writer.write(b"GET /" + b"x" * 70_000)
        assert (await charge_point.rest()).startswith(b"HTTP/1.1 431 ")


async def test_fault_S6_five_hundred_charge_points_at_once_are_served():
    async with staged() as stage:

        async def central():
            for _ in range(500):
                peer = await stage.arrival(20)
                await peer.head()
                await peer.send(ACCEPTED)

        async def one(number):
            charge_point = await stage.dial(request(b"/CP%d" % number))
            assert (await charge_point.head(20)).status == 101

        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(central())
            for number in range(500):
                tasks.create_task(one(number))
        assert time.monotonic() - began < 10
        assert len(stage.relay.sessions) == 500


async def test_the_relay_listens_on_every_address_of_a_name_and_one_port():
    async with staged(host="localhost") as stage:
        infos = await asyncio.get_running_loop().getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)
        for info in dict.fromkeys(infos):
            reader, writer = await asyncio.open_connection(info[4][0], stage.relay.port)
            writer.write(request(b"*"))
            assert (await reader.readline()).startswith(b"HTTP/1.1 400")
            writer.close()


async def test_an_address_that_is_taken_is_an_error_at_the_start():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await Relay(RelaySettings("ws://127.0.0.1:1", host="127.0.0.1", port=taken.getsockname()[1])).start()


# -- what is said ----------------------------------------------------------------------------------------------------


MALFORMED = [
    request(b"/CP1", b"Authorization: Basic " + SECRET + b"\x01"),
    request(b"/CP1", b"Authorization: Basic " + SECRET + b"\0x"),
    request(b"/CP1", b"Authorization : Basic " + SECRET),
    request(b"/CP1", b"Authorization: Basic " + SECRET + b"x" * 9000),
    request(b"/CP1", b"Authorization: Basic " + SECRET, b"Content-Length: -1"),
    request(b"/CP1?secret=" + SECRET + b"\x01"),
]


@pytest.mark.parametrize("ask", MALFORMED)
async def test_fault_W12_a_malformed_request_is_neither_logged_nor_answered_with_what_it_said(ask, caplog):
    caplog.set_level(logging.DEBUG)
    async with staged() as stage:
        charge_point = await stage.dial(ask)
        got = await charge_point.rest()
        assert got == b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        assert stage.relay.counters.refusals == {"malformed": 1}
    for record in caplog.records:
        text = logging.Formatter().format(record)
        assert SECRET.decode() not in text
        assert record.levelno <= logging.WARNING


async def test_fault_W12_no_password_is_logged_on_any_way_through_the_door(caplog):
    caplog.set_level(logging.DEBUG)
    header = b"Authorization: Basic " + SECRET
    async with staged(connect_timeout=0.2) as stage:
        await stage.joined(request(b"/CP1", header))
        for ask in (request(b"*", header), request(b"/", header), request(b"/CP2", header, lines=UPGRADE[1:])):
            await status(stage, ask)
        charge_point = await stage.dial(request(b"/CP3", header))
        assert (await charge_point.head()).status == 504
    assert caplog.records
    for record in caplog.records:
        assert SECRET.decode() not in logging.Formatter().format(record) + repr(record.__dict__)


async def test_fault_P16_malformed_requests_without_end_do_not_fill_the_log(caplog):
    caplog.set_level(logging.DEBUG)
    async with staged() as stage:
        for _ in range(50):
            await status(stage, b"HELLO\r\n\r\n")
        assert stage.relay.counters.refusals == {"malformed": 50}
    assert 1 <= len([record for record in caplog.records if record.name.startswith("ocpp_watchdog")]) <= 10


async def test_aiohttp_keeps_the_options_that_it_was_given(caplog):
    caplog.set_level(logging.DEBUG)
    async with staged() as stage:
        await status(stage, request(b"*"))
    assert not [record for record in caplog.records if record.name.startswith("aiohttp")]


def test_every_reason_of_a_refusal_is_known_in_advance() -> None:
    """So that its counter is there at 0 before the first."""
    folder = Path(relay.__file__).parent
    said = {
        word
        for file in folder.glob("*.py")
        for pattern in (r'Refusal\(HTTPStatus\.\w+, "(\w+)"', r'refused\(\w+, "(\w+)"\)')
        for word in re.findall(pattern, file.read_text("utf-8"))
    }
    assert said == set(REFUSALS)
