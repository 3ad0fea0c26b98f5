"""/metrics, /healthz, /readyz and a small index on the administration address.

Loopback by default; then the Host header is checked, because a foreign web page may make a browser ask for a name that
points at 127.0.0.1 (DNS rebinding). On any other address a password is asked for, except by the two health endpoints.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape

from aiohttp import hdrs, web
from aiohttp.http import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)

WRONG_PASSWORD_SECONDS = 1.0
HEALTH_PATHS = ("/healthz", "/readyz")
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """The answer to a health question, with a line that says why."""

    says: str
    is_good: bool = True


@dataclass(frozen=True, slots=True)
class AdminAccess:
    """allowed_hosts: names the Host header may carry, None: any. password: None: none is asked for."""

    allowed_hosts: frozenset[str] | None = None
    password: str | None = field(default=None, repr=False)


def application(
    *,
    look: Callable[[], Collector],
    health: Callable[[], Condition],
    readiness: Callable[[], Awaitable[Condition]],
    access: AdminAccess,
    refused: Callable[[str], None],
    failed: Callable[[str], None],
    title: str,
) -> web.Application:
    """The pages.

    look: gives all metrics as of now, safe to be read in a thread. refused: called with ``host`` or ``password`` for
    each request that was turned away. failed: called with ``metrics`` or ``web`` for each page that could not be made.
    """

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
        # Thousands of lines take longer than a frame may wait: only the look itself happens on the loop.
        body = await asyncio.to_thread(encode, look())
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: content_type})

    async def healthz(_: web.Request) -> web.Response:
        return _said(health())

    async def readyz(_: web.Request) -> web.Response:
        return _said(await readiness())

    async def index(_: web.Request) -> web.Response:
        return web.Response(text=_index(title), content_type="text/html")

    app = web.Application(middlewares=[_gate(access, refused), _guard(failed)])
    app.on_response_prepare.append(_dress)
    app.router.add_get("/", index)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    return app


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[tuple[str, int]]:
    """Serve on this address (port 0: any free one) until the block ends; gives the address as bound."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, logger=_QUIET)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0]
        yield bound[0], bound[1]
    finally:
        await runner.cleanup()


def _without_quotes(record: logging.LogRecord) -> bool:
    """aiohttp quotes a malformed request in its log, Authorization included: only that there was one is said."""
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        record.msg, record.args, record.exc_info = "a malformed request was refused", (), None
    return True


_QUIET = logging.getLogger(__name__ + ".server")
_QUIET.addFilter(_without_quotes)


def _said(condition: Condition) -> web.Response:
    return web.Response(text=condition.says + "\n", status=200 if condition.is_good else 503)


async def _dress(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.popall(hdrs.SERVER, None)
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)


def _gate(access: AdminAccess, refused: Callable[[str], None]) -> Middleware:
    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        if access.allowed_hosts is not None and _host_name(request) not in access.allowed_hosts:
            refused("host")
            return web.Response(text="this name is not served here\n", status=421)
        if access.password is not None and request.path not in HEALTH_PATHS and not _knows(request, access.password):
            refused("password")
            await asyncio.sleep(WRONG_PASSWORD_SECONDS)
            return web.Response(
                text="a password is needed\n",
                status=401,
                headers={hdrs.WWW_AUTHENTICATE: 'Basic realm="ocpp-watchdog"'},
            )
        return await handler(request)

    return gate


def _guard(failed: Callable[[str], None]) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception:
            failed("metrics" if request.path == "/metrics" else "web")
            log.exception("a page could not be made")
            return web.Response(text="this page could not be made\n", status=500)

    return guard


def _host_name(request: web.Request) -> str:
    """The Host header without its port, in lower case; empty when there is none."""
    host = request.headers.get(hdrs.HOST, "").lower()
    if host.startswith("["):
        return host.partition("]")[0][1:]
    return host.partition(":")[0]


def _knows(request: web.Request, password: str) -> bool:
    scheme, _, coded = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    try:
        given = base64.b64decode(coded.strip(), validate=True)
    except ValueError:
        return False
    return scheme.lower() == "basic" and hmac.compare_digest(given.partition(b":")[2], password.encode())


def _index(title: str) -> str:
    links = "".join(f'<li><a href="{path}">{path}</a></li>' for path in ("metrics", "healthz", "readyz"))
    name = escape(title)
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
    return f"{head}<h1>{name}</h1><ul>{links}</ul></html>\n"
