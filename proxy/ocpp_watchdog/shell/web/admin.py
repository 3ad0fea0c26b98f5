"""/metrics, /healthz, /readyz, the API and a small index on the administration address. Who may come in: ``gate``."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from errno import errorcode
from html import escape

from aiohttp import hdrs, web
from aiohttp.http import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from ocpp_watchdog.shell.web import api
from ocpp_watchdog.shell.web.errors import API, refusal
from ocpp_watchdog.shell.web.gate import AdminAccess, gate

log = logging.getLogger(__name__)

CONTENT_SECURITY_POLICY = "Content-Security-Policy"
FRAMED_BY_NOBODY = "frame-ancestors 'none'"
SECURITY_HEADERS = {
    CONTENT_SECURITY_POLICY: f"default-src 'none'; {FRAMED_BY_NOBODY}",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


PLACES = {
    "metrics": "for Prometheus",
    "healthz": "does the judge live",
    "readyz": "can evcc be reached",
    "api/v1/state": "what the judge sees of each connector",
    "api/v1/episodes": "ignored stops, the newest first",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """The answer to a health question, with a line that says why."""

    says: str
    is_good: bool = True


def application(
    *,
    look: Callable[[], Collector],
    health: Callable[[], Condition],
    readiness: Callable[[], Awaitable[Condition]],
    access: AdminAccess,
    refused: Callable[[str], None],
    failed: Callable[[str], None],
    title: str,
    sources: api.Sources,
) -> web.Application:
    """The pages.

    look: gives all metrics as of now, safe to be read in a thread. refused: called with ``host``, ``password`` or
    ``origin`` for each request that was turned away. failed: called with ``metrics`` or ``web`` for each page that
    could not be made. sources: what the API shows, and who takes its orders.
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

    app = web.Application(middlewares=[gate(access, refused), _guard(failed)], client_max_size=api.BODY_BYTES)
    app.on_response_prepare.append(_dress(access))
    app.router.add_get("/", index)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_routes(api.routes(sources))
    return app


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[tuple[str, int]]:
    """Serve on this address (port 0: any free one) until the block ends; gives the address as bound."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, logger=_QUIET)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            if error.errno is not None and error.errno in errorcode:  # asyncio says it in a sentence of its own
                error.strerror = os.strerror(error.errno)
            error.filename = f"{host}:{port}"
            raise
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


def _dress(access: AdminAccess) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def dress(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.popall(hdrs.SERVER, None)
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        if access.trusts(request):  # Home Assistant shows the page within its own, which to a browser is the same place
            policy = response.headers[CONTENT_SECURITY_POLICY]
            response.headers[CONTENT_SECURITY_POLICY] = policy.replace(FRAMED_BY_NOBODY, "frame-ancestors 'self'")

    return dress


def _guard(failed: Callable[[str], None]) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as turned_away:
            if request.path.startswith(API):
                return api.guarded(request, turned_away.status)
            raise
        except Exception:
            failed("metrics" if request.path == "/metrics" else "web")
            log.exception("a page could not be made")
            if request.path.startswith(API):
                return refusal(request, 500, "broken")
            return web.Response(text="this page could not be made\n", status=500)

    return guard


def _index(title: str) -> str:
    links = "".join(f'<li><a href="{path}">{path}</a>: {says}</li>' for path, says in PLACES.items())
    name = escape(title)
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
    head += '<meta name="viewport" content="width=device-width,initial-scale=1">'
    head += '<meta name="color-scheme" content="light dark">'
    return f"{head}<h1>{name}</h1><ul>{links}</ul></html>\n"
