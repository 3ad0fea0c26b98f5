"""W12: passwords, Authorization values, tokens and id tags are planted wherever they can be; none of them comes out.

The whole program lives through an ignored stop, wrong passwords, nonsense and broken requests, with its log at its most
talkative. Then everything that it wrote, showed and sent is searched.
"""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from leaping import lived
from whole_program import BOX, Hook, Tale, tale

from ocpp_watchdog.logs import JsonLines, TextLines
from ocpp_watchdog.simulator.charge_point import ConnectionOptions
from ocpp_watchdog.simulator.wallbox import WallboxOptions

TAG = "TAG-planted-0815"
PASSWORD = "pw-planted-box"
WRONG = "pw-planted-wrong"
ADMIN = "pw-planted-admin"
TOKEN = "token-planted"
VISITOR = "VISITOR"


def basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


PLANTED = (
    TAG,
    PASSWORD,
    WRONG,
    ADMIN,
    TOKEN,
    basic(BOX, PASSWORD),
    basic(VISITOR, PASSWORD),
    basic(VISITOR, WRONG),
    basic("me", ADMIN),
    basic("me", WRONG),
)

FRAMES = (
    f'[2,"1","Authorize",{{"idTag":"{TAG}"}}]',
    f'[2,"2","Authorize",{{"idTag":"{TAG}"',
    f'[2,"3","StartTransaction",{{"connectorId":1,"idTag":"{TAG}","meterStart":"x","timestamp":"{TAG}"}}]',
    f'[2,"4","DataTransfer",{{"vendorId":"v","data":"{PASSWORD}"}}]',
    f'[2,"5","{TAG}",{{}}]',
    f'[2,"6","FirmwareStatusNotification",{{"status":"{PASSWORD}"}}]',
    f'["{TAG}"]',
    f"{TAG} {PASSWORD}",
    f'[2,"7","StatusNotification",{{"connectorId":1,"errorCode":"NoError","status":"Available","info":"{TAG}"}}]',
    f'[2,"8","MeterValues",{{"connectorId":1,"meterValue":[{{"timestamp":"{TAG}","sampledValue":["{TAG}"]}}]}}]',
)


PEERS = re.compile(r"ocpp_watchdog\.simulator|ocpp$|ocpp\.")
"""Loggers of the simulated ends: what they say is their own."""


@contextmanager
def listening() -> Iterator[dict[str, io.StringIO]]:
    """Everything the program logs while the block lasts, in both formats."""
    told = {"text": io.StringIO(), "json": io.StringIO()}
    handlers = [logging.StreamHandler(told["text"]), logging.StreamHandler(told["json"])]
    for handler, formatter in zip(handlers, (TextLines(), JsonLines()), strict=True):
        handler.setFormatter(formatter)
        handler.addFilter(lambda line: not PEERS.match(line.name))
        handler.setLevel(logging.DEBUG)
        logging.getLogger().addHandler(handler)
    before = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        yield told
    finally:
        logging.getLogger().setLevel(before)
        for handler in handlers:
            logging.getLogger().removeHandler(handler)


async def raw(url: str, request: str) -> bytes:
    """Bytes sent as they are; what comes back."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request.encode())
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


def credentials(password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {basic(VISITOR, password)}"}


async def visits(told: Tale) -> None:
    """A second charge point that says its secrets everywhere, and others that get them wrong."""
    async with ClientSession() as session:
        url = f"{told.proxy.url}/{VISITOR}"
        with pytest.raises(WSServerHandshakeError, match="401"):
            await session.ws_connect(url, protocols=("ocpp1.6",), headers=credentials(WRONG))
        async with session.ws_connect(url, protocols=("ocpp1.6",), headers=credentials(PASSWORD)) as socket:
            for frame in FRAMES:
                await socket.send_str(frame)
            await socket.send_bytes(FRAMES[0].encode())
            await asyncio.sleep(0.2)
    wrong = f"Authorization: Basic {basic(VISITOR, WRONG)}"
    for host in (told.proxy.url, told.proxy.admin_url):
        await raw(host, f"GET /{VISITOR} HTTP/1.1\r\nHost: 127.0.0.1\r\n{wrong}\r\n broken: {PASSWORD}\r\n\r\n")
        await raw(host, f"GE\0T /{VISITOR} HTTP/1.1\r\nHost: 127.0.0.1\r\n{wrong}\r\n\r\n")
        await raw(host, f"GET /{VISITOR} HTTP/9.9\r\n{wrong}\r\n\r\n")


async def pages(told: Tale) -> list[str]:
    """Everything that the administration address shows, to those who know the password and to those who do not."""
    shown = []
    async with ClientSession() as session:
        for password in (ADMIN, WRONG):
            headers = {"Authorization": f"Basic {basic('me', password)}"}
            for path in ("/metrics", "/", "/healthz", "/readyz", "/api/v1/state", "/api/v1/episodes", "/nowhere"):
                accept = {"Accept": "application/openmetrics-text; version=1.0.0"} if password == ADMIN else {}
                async with session.get(told.proxy.admin_url + path, headers=headers | accept) as response:
                    shown.append(str(response.headers) + await response.text())
    return shown


def test_W12_nothing_that_was_planted_is_logged_shown_or_sent() -> None:
    async def story() -> None:
        hook, nowhere = Hook(), f"http://127.0.0.1:9/{TOKEN}"
        settings = {
            "charge_points": {BOX: {"password": PASSWORD}, VISITOR: {"password": PASSWORD}},
            "admin": {"listen": "127.0.0.1:0", "password": ADMIN},
            "ntfy": {"url": nowhere, "token": TOKEN, "give_up_seconds": 1},
            "heartbeat": {"url": nowhere},
        }
        with listening() as log:
            async with tale(
                hook=hook,
                wallbox=WallboxOptions(sample_seconds=10.0, id_tag=TAG),
                connection=ConnectionOptions(password=PASSWORD),
                **settings,
            ) as told:
                await told.charging()
                assert TAG in "".join(entry.text for entry in told.box.log), "it was planted"
                await told.stop()
                await told.sleep(150.0)
                await visits(told)
                shown = await pages(told)
        kinds = hook.kinds()
        assert {"alarm", "all_clear", "undelivered"} <= set(kinds), kinds
        said = {name: stream.getvalue() for name, stream in log.items()}
        assert "handshake refused: wrong_password" in said["text"]
        assert "ocpp_watchdog_decode_failures_total 0.0" not in "".join(shown)
        assert "malformed" in said["text"]
        everything = {**said, "pages": "".join(shown), "notices": "".join(map(str, hook.bodies))}
        for name, text in everything.items():
            assert len(text) > 100, f"{name}: nothing was searched"
            for secret in PLANTED:
                where = text.find(secret)
                assert where < 0, f"{name}: {text[max(0, where - 200) : where + 100]}"

    lived(story())


@pytest.mark.parametrize("secret", PLANTED)
def test_the_search_would_find_it(secret: str) -> None:
    with listening() as log:
        logging.getLogger("ocpp_watchdog.shell.test").debug("here is %s", secret)
        logging.getLogger("ocpp_watchdog.simulator.test").debug("a peer says %s", secret)
        logging.getLogger("ocpp").debug("a peer says %s", secret)
    assert [stream.getvalue().count(secret) for stream in log.values()] == [1, 1]
