"""The door of the stand-in for evcc: what becomes a WebSocket, what does not, and how one ends."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from simulator_stories import BOOT, NAME, central_only, dial, next_answer

from ocpp_watchdog.simulator.central_station import CentralOptions


async def test_a_second_connection_of_a_live_id_is_closed_with_1008_after_the_101():
    async with (
        central_only() as central,
        aiohttp.ClientSession() as session,
        dial(session, central.port) as first,
        dial(session, central.port) as second,
    ):
        message = await second.receive(timeout=10)
        assert second.protocol == "ocpp1.6"
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1008)
        assert message.extra == "a connection with this ID already exists"
        await first.send_str('[2,"h","Heartbeat",{}]')
        assert '"h"' in await next_answer(first)


async def test_a_silent_connection_ends_without_a_close_frame():
    async with (
        central_only(speed=60.0) as central,
        aiohttp.ClientSession() as session,
        dial(session, central.port) as socket,
    ):
        begin = central.clock.mono()
        await asyncio.sleep(central.clock.real_seconds(30))
        await socket.ping()
        while (message := await socket.receive(timeout=20)).type is aiohttp.WSMsgType.TEXT:
            pass
        assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
        assert socket.close_code == 1006
        assert central.clock.mono() - begin > 85


async def test_an_unknown_charge_point_stays_pending_and_gets_no_call():
    async with (
        central_only(CentralOptions(known=frozenset({"other"}))) as central,
        aiohttp.ClientSession() as session,
        dial(session, central.port) as socket,
    ):
        await socket.send_str(BOOT)
        payload = json.loads(await socket.receive_str(timeout=10))[2]
        assert (payload["status"], payload["interval"]) == ("Pending", 60)
        await socket.send_str('[2,"h","Heartbeat",{}]')
        assert '"h"' in await socket.receive_str(timeout=10)
        await asyncio.sleep(central.clock.real_seconds(15))
        assert central.log.calls("sent") == []


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        (f"//{NAME}", 301, f"/{NAME}"),
        (f"/x/../{NAME}", 301, f"/{NAME}"),
        ("/", 404, None),
        (f"/ocpp/{NAME}", 404, None),
        (f"/{NAME}/", 404, None),
        ("/A%2FB", 404, None),
        (f"/{NAME}?a=b", 101, None),
        ("/A%20B", 101, None),
        ("/%C3%A4", 101, None),
    ],
)
async def test_the_door_answers_a_path(path: str, status: int, location: str | None):
    async with central_only() as central:
        head = await knock(central.port, path, f"Host: localhost\r\n{UPGRADE}Sec-WebSocket-Protocol: ocpp1.6\r\n")
    assert head[0].split()[1] == str(status)
    assert location is None or f"Location: {location}" in head


UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: 9MasVlKDtQOM4CFqGnMLgA==\r\n"
)


async def knock(port: int, path: str, headers: str, method: str = "GET") -> list[str]:
    """The head of the answer to a request written by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\n{headers}\r\n".encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    writer.close()
    await writer.wait_closed()
    return head.decode().rstrip().split("\r\n")


async def test_the_101_has_evccs_headers_and_no_others():
    async with central_only() as central:
        head = await knock(central.port, f"/{NAME}", f"Host: localhost\r\n{UPGRADE}Sec-WebSocket-Protocol: ocpp1.6\r\n")
    names = [line.split(":")[0] for line in head[1:]]
    assert names == ["Upgrade", "Connection", "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol"]
    assert "Connection: Upgrade" in head


async def test_the_door_refuses_what_is_no_upgrade():
    async with central_only() as central:
        old = await knock(central.port, f"/{NAME}", f"Host: localhost\r\n{UPGRADE.replace('13', '8', 1)}")
        posted = await knock(central.port, f"/{NAME}", "Host: localhost\r\nContent-Length: 0\r\n", "POST")
    assert old[0].split()[1] == "400"
    assert "Sec-Websocket-Version: 13" in old
    assert posted[0].split()[1] == "405"


@pytest.mark.parametrize("offered", [(), ("ocpp2.0.1",), ("OCPP1.6",)])
async def test_without_the_subprotocol_the_101_is_followed_by_1002(offered: tuple[str, ...]):
    async with (
        central_only() as central,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"ws://127.0.0.1:{central.port}/{NAME}", protocols=offered) as socket,
    ):
        message = await socket.receive(timeout=10)
        assert socket.protocol is None
        assert (message.data, message.extra) == (1002, "invalid or unsupported subprotocol")


async def test_only_the_first_subprotocol_line_is_read():
    lines = "Sec-WebSocket-Protocol: ocpp2.0.1\r\nSec-WebSocket-Protocol: ocpp1.6\r\n"
    async with central_only() as central:
        head = await knock(central.port, f"/{NAME}", f"Host: localhost\r\n{UPGRADE}{lines}")
    assert not [line for line in head if line.startswith("Sec-WebSocket-Protocol")]


async def test_binary_frames_count_as_text_and_a_close_is_echoed():
    async with central_only() as central, aiohttp.ClientSession() as session, dial(session, central.port) as socket:
        await socket.send_bytes(b'[2,"bin","Heartbeat",{}]')
        assert '"bin"' in await next_answer(socket)
        await socket.pong()
        await socket.close(code=4000)
        assert socket.close_code == 4000


async def test_a_request_without_host_is_refused():
    async with central_only() as central:
        head = await knock(central.port, f"/{NAME}", UPGRADE)
    assert head[0].split()[1] == "400"


async def test_a_key_that_is_no_base64_is_refused():
    async with central_only() as central:
        head = await knock(central.port, f"/{NAME}", f"Host: x\r\n{UPGRADE.replace('9Mas', '!!!!')}")
    assert head[0].split()[1] == "400"
