"""The charge point's upgrade request and what becomes of it: rules without a socket (DESIGN R1, R2, R3).

Header values are bytes throughout: some charge points put raw key bytes into ``Authorization``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from ocpp_watchdog.core.terms import ChargePointId

Headers = list[tuple[bytes, bytes]]

_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer".split()
) | {b"transfer-encoding"}
_NOT_FORWARDED = _HOP_BY_HOP.union(
    b"host upgrade expect content-length http2-settings sec-websocket-extensions".split()
)
_NOT_RETURNED = _HOP_BY_HOP | {b"content-length"}
_EMPTY_SEGMENTS = re.compile(r"//+")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP answer of our own. why: the word it is counted under."""

    status: HTTPStatus
    why: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A request that may be dialled on. authorization: as it came, None when there was none."""

    charge_point: ChargePointId
    target: str
    headers: Headers
    authorization: bytes | None


def read_upgrade(
    method: str, raw_path: str, headers: Iterable[tuple[bytes, bytes]], *, repair: bool
) -> Upgrade | Refusal:
    """Check an upgrade request. ``target`` is path and query for the central system, after the one repair."""
    came = list(headers)
    values: dict[bytes, list[bytes]] = {}
    for name, value in came:
        values.setdefault(name.lower(), []).append(value)
    refusal = _refusal(method, values)
    if refusal is not None:
        return refusal
    path, query_mark, query = raw_path.partition("#")[0].partition("?")
    if not path.startswith("/") or not raw_path.isascii():
        return Refusal(HTTPStatus.BAD_REQUEST, "target")
    if repair:
        path = _EMPTY_SEGMENTS.sub("/", path)
        path = path[:-1] if path.endswith("/") else path
    charge_point = charge_point_id(path)
    if not charge_point:
        return Refusal(HTTPStatus.NOT_FOUND, "target")
    named = _named_by_connection(values)
    kept = [(name, value) for name, value in came if name.lower() not in _NOT_FORWARDED | named]
    authorization = values.get(b"authorization")
    return Upgrade(charge_point, path + query_mark + query, kept, authorization[0] if authorization else None)


def _refusal(method: str, values: dict[bytes, list[bytes]]) -> Refusal | None:
    tokens = _tokens(values.get(b"upgrade", ()))
    if b"websocket" not in tokens or b"upgrade" not in _tokens(values.get(b"connection", ())):
        again = ((b"Upgrade", b"websocket"), (b"Sec-WebSocket-Version", b"13"))
        return Refusal(HTTPStatus.UPGRADE_REQUIRED, "no_upgrade", again)
    if method != "GET":
        return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "method", ((b"Allow", b"GET"),))
    if values.get(b"sec-websocket-version") != [b"13"]:
        return Refusal(HTTPStatus.UPGRADE_REQUIRED, "version", ((b"Sec-WebSocket-Version", b"13"),))
    if len(values.get(b"sec-websocket-key", ())) != 1 or not values[b"sec-websocket-key"][0]:
        return Refusal(HTTPStatus.BAD_REQUEST, "key")
    if b"transfer-encoding" in values or any(value.strip(b"0") for value in values.get(b"content-length", ())):
        return Refusal(HTTPStatus.BAD_REQUEST, "body")
    return None


def charge_point_id(path: str) -> ChargePointId:
    """The last path segment that is not empty, percent-decoded, case kept; empty when there is none.

    What is not UTF-8 becomes backslash escapes: it can be printed and stored, and two ids never become one.
    """
    segments = [segment for segment in path.split("/") if segment]
    return ChargePointId(unquote_to_bytes(segments[-1]).decode("utf-8", "backslashreplace") if segments else "")


def request_headers(upgrade: Upgrade, authority: str, peer: str | None) -> Headers:
    """Headers for the central system. peer: the address for X-Forwarded-For, None to add none."""
    own = [(b"Host", authority.encode()), (b"Upgrade", b"websocket"), (b"Connection", b"Upgrade")]
    forwarded = [(b"X-Forwarded-For", peer.encode())] if peer else []
    return own + upgrade.headers + forwarded


def answer_head(status: int, reason: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Status line and headers as bytes, ended by the empty line."""
    lines = [b"HTTP/1.1 %d %s\r\n" % (status, reason)]
    lines += [name + b": " + value + b"\r\n" for name, value in headers]
    return b"".join(lines) + b"\r\n"


def switching(reason: bytes, headers: Headers) -> bytes:
    """The 101 for the charge point: what the central system answered, hop-by-hop headers apart."""
    kept = _returned(headers)
    return answer_head(HTTPStatus.SWITCHING_PROTOCOLS, reason, [(b"Connection", b"Upgrade"), *kept])


def passed_on(status: int, reason: bytes, headers: Headers, body: bytes) -> bytes:
    """The central system's refusal, whole, with a length of its own where it may have one."""
    kept = _returned(headers)
    if status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        kept.append((b"Content-Length", b"%d" % len(body)))
    return answer_head(status, reason, [*kept, (b"Connection", b"close")]) + body


def refused(refusal: Refusal) -> bytes:
    """An answer of our own: no body, and nothing that names us."""
    rest = ((b"Content-Length", b"0"), (b"Connection", b"close"))
    return answer_head(refusal.status, refusal.status.phrase.encode(), (*refusal.headers, *rest))


def _returned(headers: Headers) -> Headers:
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value)
    dropped = _NOT_RETURNED | _named_by_connection(values)
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def _named_by_connection(values: dict[bytes, list[bytes]]) -> set[bytes]:
    """Headers that this leg's Connection header claims for itself (RFC 9110 §7.6.1); never what the handshake needs."""
    named = _tokens(values.get(b"connection", ()))
    return {name for name in named if name != b"upgrade" and not name.startswith(b"sec-websocket-")}


def _tokens(values: Iterable[bytes]) -> set[bytes]:
    return {token.strip().lower() for value in values for token in value.split(b",")}
