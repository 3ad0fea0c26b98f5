"""evcc's door: which requests become a WebSocket, and what the others are told (Go's ``net/http`` and ``gorilla``)."""

from __future__ import annotations

import base64
import binascii
import posixpath
from urllib.parse import unquote

from aiohttp import web

SUBPROTOCOL = "ocpp1.6"
NOT_GO = ("Server", "Date", "Content-Type")
"""Headers that evcc's 101 does not carry."""


def charge_point_id(request: web.Request) -> str:
    """The one path segment, percent-decoded."""
    return unquote(_path(request)[1:])


def subprotocol(request: web.Request) -> tuple[str, ...]:
    """``ocpp1.6`` when it is offered, in this case, in the **first** header line of its kind; else nothing."""
    first = request.headers.getall("Sec-WebSocket-Protocol", [""])[0]
    return (SUBPROTOCOL,) if SUBPROTOCOL in {part.strip() for part in first.split(",")} else ()


def answer_without_websocket(request: web.Request) -> web.Response | None:
    """The answer to a request that does not become a WebSocket; None: it does."""
    path = _path(request)
    cleaned = posixpath.normpath(path).replace("//", "/")
    # Newer aiohttp turns this away by itself, older ones let it in.
    if "Host" not in request.headers and request.version >= (1, 1):
        response = web.Response(status=400, text="400 Bad Request: missing required Host header")
        response.force_close()
        return response
    if "//" in path or "/../" in f"{path}/" or "/./" in f"{path}/":
        return web.Response(status=301, headers={"Location": cleaned, "Content-Length": "0"})
    if not _is_one_segment(path):
        return web.Response(status=404, text="404 page not found\n")
    if request.method != "GET":
        return web.Response(status=405, text="Method Not Allowed\n")
    if not _is_upgrade(request):
        return web.Response(status=400, text="Bad Request\n", headers={"Sec-Websocket-Version": "13"})
    return None


async def bare(_request: web.Request, response: web.StreamResponse) -> None:
    """Take from a 101 what evcc's does not have, and write ``Upgrade`` as evcc does."""
    if response.status != 101:
        return
    for name in NOT_GO:
        response.headers.popall(name, None)
    if "Connection" in response.headers:
        values = list(response.headers.items())
        response.headers.clear()
        for name, value in values:
            response.headers.add(name, "Upgrade" if name.lower() == "connection" else value)


def _path(request: web.Request) -> str:
    return request.raw_path.split("?", 1)[0]


def _is_one_segment(path: str) -> bool:
    segment = path[1:]
    return bool(segment) and "/" not in segment and "%2f" not in segment.lower()


def _is_upgrade(request: web.Request) -> bool:
    headers = request.headers
    upgrade = headers.get("Upgrade", "").strip().lower() == "websocket"
    connection = "upgrade" in {part.strip().lower() for part in headers.get("Connection", "").split(",")}
    try:
        key = base64.b64decode(headers.get("Sec-WebSocket-Key", ""), validate=True)
    except binascii.Error:
        key = b""
    return upgrade and connection and headers.get("Sec-WebSocket-Version") == "13" and len(key) == 16
