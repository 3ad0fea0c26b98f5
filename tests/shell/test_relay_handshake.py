"""R1 to R4 and R8: what reaches the central system, and what the charge point is answered."""

import asyncio
import socket
from dataclasses import replace

import pytest
from relay_stage import ACCEPTED, KEY, OK, UPGRADE, Peer, masked, plain, request, staged


async def answered(stage, ask, answer=ACCEPTED):
    """(what the central system was asked, what the charge point was answered)."""
    charge_point = await stage.dial(ask)
    central_system = await stage.arrival()
    asked = await central_system.head()
    await central_system.send(answer)
    return asked, await charge_point.head()


async def refused(stage, ask):
    """What the charge point is answered without anybody being dialled."""
    charge_point = await stage.dial(ask)
    head = await charge_point.head()
    assert await charge_point.rest() == b""
    assert stage.nobody_was_dialled
    return head


# -- R1 path and query -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        b"/CP1",
        b"/CP%20a%2Fb%c3%A9",
        b"/ocpp/1.6/CP1?tok=a%26b&x=1",
        b"/a;b=c/CP:1?//two//slashes",
        b"/CP1?",
        b"/x/../CP1",
    ],
)
async def test_relay_R1_path_and_query_reach_the_central_system_as_they_came(target):
    async with staged() as stage:
        asked, _ = await answered(stage, request(target))
        assert asked.target == target


@pytest.mark.parametrize(
    ("target", "repaired"),
    [(b"//CP1", b"/CP1"), (b"/ocpp//CP1", b"/ocpp/CP1"), (b"///a////CP1/", b"/a/CP1"), (b"//CP1?a=//b", b"/CP1?a=//b")],
)
async def test_relay_R1_empty_path_segments_are_dropped(target, repaired):
    async with staged() as stage:
        asked, _ = await answered(stage, request(target))
        assert asked.target == repaired


async def test_relay_R1_the_repair_can_be_switched_off():
    async with staged(repair_path=False) as stage:
        asked, _ = await answered(stage, request(b"//CP1/"))
        assert asked.target == b"//CP1/"
        assert list(stage.relay.sessions) == ["CP1"]


async def test_relay_R1_a_fragment_is_dropped():
    async with staged() as stage:
        asked, _ = await answered(stage, request(b"/CP1?a=b#part"))
        assert asked.target == b"/CP1?a=b"


async def test_relay_R1_the_path_of_the_central_system_comes_first():
    async with staged() as stage:
        settings = stage.relay.settings
        await stage.relay.reload(replace(settings, central_system=settings.central_system + "/base/"))
        asked, _ = await answered(stage, request(b"/CP1?x"))
        assert asked.target == b"/base/CP1?x"


@pytest.mark.parametrize(
    "target", [b"http://proxy.test/CP1", b"*", b"CP1", b"/CP\xc3\xa9", b"/CP\xff", b"proxy.test:80", b"/CP 1", b"?CP1"]
)
async def test_relay_R1_anything_but_an_ascii_path_is_a_400(target):
    async with staged() as stage:
        assert (await refused(stage, request(target))).status == 400


@pytest.mark.parametrize("target", [b"/", b"//", b"/?a=b"])
async def test_relay_R1_a_path_that_names_no_charge_point_is_a_404(target):
    async with staged() as stage:
        assert (await refused(stage, request(target))).status == 404


# -- R2 the handshake ------------------------------------------------------------------------------------------------


async def test_relay_R2_the_charge_point_waits_for_the_central_systems_answer():
    async with staged() as stage:
        charge_point = await stage.dial(request())
        central_system = await stage.arrival()
        await central_system.head()
        await charge_point.gets_nothing()
        await central_system.send(ACCEPTED)
        assert (await charge_point.head()).status == 101


async def test_relay_R2_headers_pass_as_they_came():
    raw = b"\x01\x23\x45\x67\x89\xab\xcd\xef".replace(b"\x01", b"!") + b"\xff\xfe\x80"
    async with staged() as stage:
        asked, _ = await answered(
            stage,
            request(
                b"/CP1",
                b"authorization: Basic " + raw,
                b"X-tEsT: 7",
                b"X-Test: 8",
                b"User-Agent: CP/1 (x)",
                b"Origin: null",
            ),
        )
        assert b"\r\nauthorization: Basic " + raw + b"\r\n" in asked.raw
        assert b"\r\nX-tEsT: 7\r\nX-Test: 8\r\nUser-Agent: CP/1 (x)\r\nOrigin: null\r\n" in asked.raw
        assert asked.headers[b"sec-websocket-key"] == [KEY]
        assert asked.headers[b"sec-websocket-version"] == [b"13"]


async def test_relay_R2_hop_by_hop_headers_are_each_legs_own():
    async with staged() as stage:
        lines = (b"Connection: keep-alive, Upgrade, X-Hop", b"Upgrade: websocket", *UPGRADE[2:])
        more = (b"X-Hop: 1", b"Keep-Alive: 5", b"TE: trailers", b"Proxy-Authorization: x", b"Expect: 100-continue")
        asked, _ = await answered(stage, request(b"/CP1", *more, lines=lines))
        assert asked.headers[b"connection"] == [b"Upgrade"]
        assert asked.headers[b"upgrade"] == [b"websocket"]
        for gone in (b"x-hop", b"keep-alive", b"te", b"proxy-authorization", b"expect"):
            assert gone not in asked.headers


async def test_relay_R2_host_names_the_central_system():
    async with staged() as stage:
        asked, _ = await answered(stage, request())
        assert asked.headers[b"host"] == [stage.relay.settings.central_system.removeprefix("ws://").encode()]


async def test_relay_R2_the_charge_points_address_is_added():
    async with staged() as stage:
        asked, _ = await answered(stage, request(b"/CP1", b"X-Forwarded-For: 192.0.2.1"))
        assert asked.headers[b"x-forwarded-for"] == [b"192.0.2.1", b"127.0.0.1"]


async def test_relay_R2_adding_the_address_can_be_switched_off():
    async with staged(forwarded_for=False) as stage:
        asked, _ = await answered(stage, request())
        assert b"x-forwarded-for" not in asked.headers


@pytest.mark.parametrize("version", [b"8", b"14", b"013", b""])
async def test_relay_R2_another_version_of_websocket_is_refused(version):
    async with staged() as stage:
        lines = tuple(line for line in UPGRADE if b"Version" not in line)
        head = await refused(stage, request(b"/CP1", b"Sec-WebSocket-Version: " + version, lines=lines))
        assert (head.status, head.headers[b"sec-websocket-version"]) == (426, [b"13"])


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (request(b"/CP1", b"Content-Length: 5"), 400),
        (request(b"/CP1", b"Transfer-Encoding: chunked"), 400),
        (request(lines=()), 426),
        (request(lines=UPGRADE[1:]), 426),
        (request(lines=(UPGRADE[0], *UPGRADE[2:])), 426),
        (request(lines=tuple(line for line in UPGRADE if b"Key" not in line)), 400),
        (request(b"/CP1", b"Sec-WebSocket-Key: again"), 400),
        (request(method=b"POST"), 405),
    ],
)
async def test_relay_R2_what_is_no_upgrade_of_version_13_is_refused_without_dialling(ask, status):
    async with staged() as stage:
        assert (await refused(stage, ask)).status == status


async def test_relay_R2_a_content_length_of_nothing_is_no_body():
    async with staged() as stage:
        asked, head = await answered(stage, request(b"/CP1", b"Content-Length: 0"))
        assert head.status == 101
        assert b"content-length" not in asked.headers


@pytest.mark.parametrize("pause", [False, True])
async def test_relay_R2_what_the_charge_point_sends_early_is_forwarded_right_after_the_101(pause):
    async with staged() as stage:
        charge_point = await stage.dial(request() + (b"" if pause else masked(b"early")))
        central_system = await stage.arrival()
        await central_system.head()
        if pause:
            await charge_point.send(masked(b"early"))
            await stage.until(lambda: True)
        await central_system.gets_nothing(0.05)
        await central_system.send(ACCEPTED)
        await central_system.gets(masked(b"early"))
        await charge_point.head()
        await charge_point.send(masked(b"late"))
        await central_system.gets(masked(b"late"))
        assert [payload for _, _, payload, _ in stage.judge.of("received")] == [b"early", b"late"]


async def test_relay_R2_a_charge_point_that_sends_much_early_is_held_back_and_nothing_is_lost():
    stream = b"".join(masked(b"%d " % number + b"x" * 60_000) for number in range(100))
    async with staged() as stage:
        charge_point = await stage.dial(request())
        central_system = await stage.arrival()
        await central_system.head()
        charge_point.writer.write(stream)
        await asyncio.sleep(0.2)
        waiting = charge_point.writer.transport.get_write_buffer_size()
        assert waiting > 0, "more than 64 KiB and the sockets' buffers was taken before the 101"
        await central_system.send(ACCEPTED)
        await central_system.gets(stream)


async def test_relay_R2_what_comes_with_the_101_is_forwarded():
    async with staged() as stage:
        charge_point = await stage.dial(request())
        central_system = await stage.arrival()
        await central_system.head()
        await central_system.send(ACCEPTED + plain(b"early") + plain(b"cut")[:2])
        assert (await charge_point.head()).status == 101
        await charge_point.gets(plain(b"early"))
        await central_system.send(plain(b"cut")[2:])
        await charge_point.gets(plain(b"cut"))


async def test_relay_R2_a_request_that_comes_byte_by_byte_is_served():
    async with staged() as stage:
        charge_point = await stage.dial()
        for byte in b"\r\n" + request() + masked(b"early"):
            charge_point.writer.write(bytes((byte,)))
            await asyncio.sleep(0)
        central_system = await stage.arrival()
        await central_system.head()
        await central_system.send(ACCEPTED)
        await central_system.gets(masked(b"early"))


# -- R3 the answer ---------------------------------------------------------------------------------------------------


async def test_relay_R3_the_101_is_the_central_systems_own():
    async with staged() as stage:
        _, head = await answered(stage, request(), OK.replace(b"websocket", b"WebSocket") + b"X-From: there\r\n\r\n")
        assert head.headers[b"x-from"] == [b"there"]
        assert head.headers[b"upgrade"] == [b"WebSocket"]
        assert head.headers[b"connection"] == [b"Upgrade"]
        assert set(head.headers) == {b"upgrade", b"connection", b"sec-websocket-accept", b"x-from"}


@pytest.mark.parametrize("chosen", [None, b"ocpp1.6", b"ocpp2.0.1"])
async def test_relay_R3_the_subprotocol_is_the_one_that_the_central_system_chose(chosen):
    async with staged() as stage:
        lines = (*UPGRADE[:4], b"Sec-WebSocket-Protocol: ocpp2.0.1, ocpp1.6")
        line = b"Sec-WebSocket-Protocol: " + chosen + b"\r\n" if chosen else b""
        asked, head = await answered(stage, request(lines=lines), OK + line + b"\r\n")
        assert asked.headers[b"sec-websocket-protocol"] == [b"ocpp2.0.1, ocpp1.6"]
        assert head.headers.get(b"sec-websocket-protocol") == ([chosen] if chosen else None)


async def refusal(stage, answer) -> tuple[Peer, bytes]:
    charge_point = await stage.dial(request())
    central_system = await stage.arrival()
    await central_system.head()
    await central_system.send(answer)
    central_system.fin()
    return charge_point, await charge_point.rest()


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (b"401 Unauthorized", b'WWW-Authenticate: Basic realm="x"\r\nWWW-Authenticate: Digest realm="\xe4"\r\n'),
        (b"403 Verboten", b""),
        (b"404 Not Found", b"Set-Cookie: a=1\r\nset-cookie: b=2\r\n"),
        (b"503 Service Unavailable", b"Retry-After: 5\r\n"),
        (b"301 Moved Permanently", b"Location: /elsewhere\r\n"),
        (b"426 Upgrade Required", b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
        (b"200 OK", b"Content-Encoding: gzip\r\n"),
    ],
)
async def test_relay_R3_a_refusal_passes_with_its_status_headers_and_body(status, line):
    body = b"\x1f\x8b no \0"
    async with staged() as stage:
        _, got = await refusal(stage, b"HTTP/1.1 " + status + b"\r\n" + line + b"Content-Length: 7\r\n\r\n" + body)
        head, _, sent = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 " + status + b"\r\n" + line)
        assert sent == body
        assert head[len(b"HTTP/1.1 " + status + b"\r\n" + line) :] == b"Content-Length: 7\r\nConnection: close"
        assert stage.relay.counters.refusals == {"central_system": 1}


async def test_relay_R3_a_chunked_refusal_arrives_whole():
    async with staged() as stage:
        _, got = await refusal(
            stage, b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
        assert got == b"HTTP/1.1 403 No\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabcde"


async def test_relay_R3_a_refusal_that_ends_with_the_connection_arrives_whole():
    async with staged() as stage:
        _, got = await refusal(stage, b"HTTP/1.0 403 No\r\n\r\nabc")
        assert got == b"HTTP/1.1 403 No\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"


async def test_relay_R3_a_refusal_without_a_body_has_none():
    async with staged() as stage:
        _, got = await refusal(stage, b"HTTP/1.1 204 No Content\r\n\r\n")
        assert got == b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


async def test_relay_R3_a_body_of_a_refusal_is_cut_at_64_kib():
    async with staged() as stage:
        _, got = await refusal(stage, b"HTTP/1.1 403 No\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 200_000)
        assert got == b"HTTP/1.1 403 No\r\nContent-Length: 65536\r\nConnection: close\r\n\r\n" + b"x" * 65536


@pytest.mark.parametrize(
    "ask",
    [
        request(lines=()),
        request(method=b"POST"),
        request(b"*"),
        request(b"/"),
        request(b"/CP1", b"Authorization: a\x01b"),
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"GET /CP1 HTTP/3.9\r\n\r\n",
        b"HELLO\r\n\r\n",
        b"GET /" + b"x" * 40_000,
        b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n",
        request(b"/CP1", b"Connection: close"),
    ],
)
async def test_relay_R3_no_answer_names_the_software(ask):
    async with staged(connect_timeout=0.2, central_system="ws://127.0.0.1:1") as stage:
        charge_point = await stage.dial(ask)
        got = await charge_point.rest()
        assert got.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))
        head, _, body = got.partition(b"\r\n\r\n")
        assert body == b""
        names = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
        assert names <= {b"content-length", b"connection", b"upgrade", b"sec-websocket-version", b"allow"}
        for word in (b"ocpp", b"watchdog", b"python", b"aiohttp"):
            assert word not in got.lower()


async def test_relay_R3_nothing_behind_a_request_is_taken_for_a_second_one():
    async with staged() as stage:
        charge_point, central_system = await stage.joined(request() + request(b"/CP2"))
        assert stage.nobody_was_dialled
        assert list(stage.relay.sessions) == ["CP1"]
        del charge_point, central_system


# -- R4 no central system --------------------------------------------------------------------------------------------


async def test_relay_R4_a_central_system_that_refuses_connections_is_a_502_after_some_tries():
    async with staged(connect_timeout=0.5, central_system="ws://127.0.0.1:1") as stage:
        began = asyncio.get_running_loop().time()
        charge_point = await stage.dial(request())
        head = await charge_point.head()
        assert head.status == 502
        assert 0.4 < asyncio.get_running_loop().time() - began < 2


async def test_relay_R4_a_central_system_that_comes_back_in_time_is_reached():
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    async with staged(central_system=f"ws://127.0.0.1:{port}") as stage:
        charge_point = await stage.dial(request())
        await charge_point.gets_nothing(0.2)

        async def accept(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ACCEPTED)
            await reader.read()
            writer.close()

        async with await asyncio.start_server(accept, "127.0.0.1", port):
            assert (await charge_point.head()).status == 101
            charge_point.leave()
            await stage.judges[0].over.wait()


async def test_relay_R4_a_silent_central_system_is_a_504():
    async with staged(connect_timeout=0.3) as stage:
        charge_point = await stage.dial(request())
        central_system = await stage.arrival()
        assert (await charge_point.head()).status == 504
        assert await central_system.is_ended() < 1


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"", b"\0\0\0\0", b"HTTP/1.1 200", b"x" * 40_000])
async def test_relay_R4_a_central_system_that_speaks_no_http_is_a_502(answer):
    async with staged() as stage:
        _, got = await refusal(stage, answer)
        assert got.startswith(b"HTTP/1.1 502 ")


async def test_relay_R4_early_hints_are_skipped():
    async with staged() as stage:
        _, head = await answered(stage, request(), b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ACCEPTED)
        assert head.status == 101


@pytest.mark.parametrize("how", ["leave", "fin", "reset"])
async def test_relay_R4_the_dial_is_given_up_when_the_charge_point_leaves(how):
    async with staged() as stage:
        charge_point = await stage.dial(request())
        central_system = await stage.arrival()
        await central_system.head()
        getattr(charge_point, how)()
        assert await central_system.is_ended() < 1
        await stage.until(lambda: stage.relay.counters.charge_point_connections == 0)


async def test_relay_R4_a_charge_point_that_leaves_while_nobody_answers_ends_the_tries():
    async with staged(central_system="ws://127.0.0.1:1") as stage:
        charge_point = await stage.dial(request())
        await stage.until(lambda: stage.relay.counters.charge_point_connections == 1)
        charge_point.leave()
        await stage.until(lambda: stage.relay.counters.charge_point_connections == 0)


# -- R8 no compression -----------------------------------------------------------------------------------------------


async def test_relay_R8_no_extension_is_offered():
    async with staged() as stage:
        asked, head = await answered(
            stage, request(b"/CP1", b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
        )
        assert b"sec-websocket-extensions" not in asked.headers
        assert b"sec-websocket-extensions" not in head.headers


async def test_relay_R8_an_extension_that_nobody_offered_is_not_accepted():
    async with staged() as stage:
        charge_point = await stage.dial(request())
        central_system = await stage.arrival()
        await central_system.head()
        await central_system.send(OK + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
        assert (await charge_point.head()).status == 502
        assert await central_system.is_ended() < 1
