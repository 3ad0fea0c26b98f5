"""Who may see the pages and give orders: names in the Host header, the password, and no foreign web page.

Loopback by default; then the Host header is checked, because a foreign web page may make a browser ask for a name that
points at 127.0.0.1 (DNS rebinding). On any other address a password is asked for, except by the two health endpoints.
A reverse proxy may have asked already, as Home Assistant's ingress does: then what comes from its address is let in,
and nothing else without the password.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from ocpp_watchdog.shell.web.errors import refusal

WRONG_PASSWORD_SECONDS = 1.0
MOST_WRONG = 10
WINDOW_SECONDS = 60.0
MOST_ADDRESSES = 1_000
HEALTH_PATHS = ("/healthz", "/readyz")


@dataclass(frozen=True, slots=True)
class AdminAccess:
    """allowed_hosts: names the Host header may carry, None: any. password: None: none is asked for. trusted_proxy:
    address of who has asked already."""

    allowed_hosts: frozenset[str] | None = None
    password: str | None = field(default=None, repr=False)
    trusted_proxy: str | None = None

    def trusts(self, request: web.Request) -> bool:
        """Somebody else has asked who it is."""
        return self.trusted_proxy is not None and request.remote == self.trusted_proxy


class WrongPasswords:
    """Ten wrong passwords a minute from one address are enough: after that not even the right one is looked at."""

    def __init__(self) -> None:
        self._given: dict[str, deque[float]] = {}

    def are_too_many(self, address: str, now: float) -> bool:
        """This address must wait."""
        times = self._given.get(address)
        if times is None:
            return False
        while times and now - times[0] >= WINDOW_SECONDS:
            times.popleft()
        if not times:
            del self._given[address]
        return len(times) >= MOST_WRONG

    def add(self, address: str, now: float) -> None:
        """One more."""
        if address not in self._given and len(self._given) >= MOST_ADDRESSES:
            del self._given[next(iter(self._given))]
        self._given.setdefault(address, deque(maxlen=MOST_WRONG)).append(now)


def gate(access: AdminAccess, refused: Callable[[str], None]) -> Middleware:
    """Turns away who may not come in. refused: told why, ``host``, ``password`` or ``origin``."""
    wrong = WrongPasswords()

    @web.middleware
    async def stands(request: web.Request, handler: Handler) -> web.StreamResponse:
        # Whom to trust is told by an address, and a browser on this machine has that of a proxy on this machine.
        if access.allowed_hosts is not None and host_name(request) not in access.allowed_hosts:
            refused("host")
            return refusal(request, 421, "host")
        if access.trusts(request):
            return await _let_in(request, handler, access, refused)
        if access.password is not None and request.path not in HEALTH_PATHS:
            stopped = await _ask(request, access.password, wrong, refused)
            if stopped is not None:
                return stopped
        elif access.trusted_proxy is not None and request.path not in HEALTH_PATHS:
            refused("address")
            return refusal(request, 403, "address")
        return await _let_in(request, handler, access, refused)

    return stands


async def _let_in(
    request: web.Request, handler: Handler, access: AdminAccess, refused: Callable[[str], None]
) -> web.StreamResponse:
    """Whoever it is: an order must not come from a foreign page."""
    if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD) and is_foreign(request, access):
        refused("origin")
        return refusal(request, 403, "origin")
    return await handler(request)


async def _ask(
    request: web.Request, password: str, wrong: WrongPasswords, refused: Callable[[str], None]
) -> web.Response | None:
    """Check the password; None: it is right."""
    address, now = request.remote or "", asyncio.get_running_loop().time()
    if wrong.are_too_many(address, now):
        refused("password")
        return refusal(request, 429, "too_many", {hdrs.RETRY_AFTER: str(int(WINDOW_SECONDS))})
    if _knows(request, password):
        return None
    refused("password")
    if hdrs.AUTHORIZATION in request.headers:  # a browser's first request carries none: that is no attempt
        wrong.add(address, now)
    await asyncio.sleep(WRONG_PASSWORD_SECONDS)
    return refusal(request, 401, "password", {hdrs.WWW_AUTHENTICATE: 'Basic realm="ocpp-watchdog"'})


def is_foreign(request: web.Request, access: AdminAccess) -> bool:
    """A browser sent this on behalf of a page that is not ours. No Origin header: no browser, or no page."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return False
    try:
        named = urlsplit(origin.lower())
    except ValueError:
        return True
    is_listed = access.allowed_hosts is not None and named.hostname in access.allowed_hosts - LOOPBACK
    names = {_host(request)}
    if access.trusts(request):  # the browser knows us by the name that it used for the proxy
        names.add(request.headers.get(hdrs.X_FORWARDED_HOST, "").lower())
    return named.scheme not in ("http", "https") or not (is_listed or named.netloc in names - {""})


LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Another program on this machine may serve pages too: a name that is listed as served says nothing about its port."""


def host_name(request: web.Request) -> str:
    """The Host header without its port, in lower case; empty when there is none."""
    host = _host(request)
    if host.startswith("["):
        return host.partition("]")[0][1:]
    return host.partition(":")[0]


def _host(request: web.Request) -> str:
    return request.headers.get(hdrs.HOST, "").lower()


def _knows(request: web.Request, password: str) -> bool:
    scheme, _, coded = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer":
        return hmac.compare_digest(coded.strip().encode("utf-8", "surrogateescape"), password.encode())
    try:
        given = base64.b64decode(coded.strip(), validate=True)
    except ValueError:
        return False
    return scheme.lower() == "basic" and hmac.compare_digest(given.partition(b":")[2], password.encode())
