"""What stands in front of aiohttp's server protocol: collects the head, keeps what follows it, writes the answer.

aiohttp parses the head and calls our handler; it never gets a byte behind the head (it would swallow it), and it never
writes an answer of its own: what it sees as its transport is a ``Curtain``. So no header names our software, header
values of the central system pass as the bytes they are, and aiohttp's objects are gone once the answer is out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol, cast

from aiohttp import web

from ocpp_watchdog.shell.relay.leg import keep_alive, pass_fin
from ocpp_watchdog.shell.relay.request import Refusal, refused
from ocpp_watchdog.shell.relay.settings import RelaySettings

END_OF_HEAD = b"\r\n\r\n"


class House(Protocol):
    """The relay, as a door sees it."""

    @property
    def settings(self) -> RelaySettings: ...

    @property
    def http(self) -> Callable[[], asyncio.Protocol]: ...

    def arrived(self, door: Door) -> bool:
        """A connection came in; False: no more from this address."""

    def may_shake_hands(self, door: Door) -> bool:
        """Whether this address may make another handshake now."""

    def refused(self, door: Door, why: str) -> None:
        """Count a handshake that was refused for this reason."""

    def left(self, door: Door) -> None:
        """It is gone, or a session has taken it over."""


class Curtain(asyncio.Transport):
    """All that aiohttp sees of the connection. ``door`` is how the handler finds it."""

    def __init__(self, door: Door, transport: asyncio.Transport) -> None:
        super().__init__()
        self.door = door
        self._transport = transport

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Only a request that aiohttp itself cannot read gets an answer of aiohttp's, and it quotes that request."""
        self.door.refuse(Refusal(HTTPStatus.BAD_REQUEST, "malformed"))

    def close(self) -> None:
        self.door.close_unanswered()

    def abort(self) -> None:
        self.door.close_unanswered()

    def pause_reading(self) -> None:
        """aiohttp has nothing to hold back: it gets the head only."""

    def resume_reading(self) -> None:
        """See ``pause_reading``."""


class Door(asyncio.Protocol):
    """One connection of a charge point until it is answered. Some loops keep it for as long as the connection lives."""

    __slots__ = ("_answered", "_early", "_head", "_house", "_http", "_loop", "_timer", "address", "transport")

    def __init__(self, house: House) -> None:
        self._house = house
        self._head = bytearray()
        self._early = bytearray()
        self._http: asyncio.Protocol | None = None
        self._answered = False
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.address = ""

    @property
    def is_open(self) -> bool:
        """Whether there is still somebody to answer."""
        return self.transport is not None and not self._answered and not self.transport.is_closing()

    # -- the connection ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        if not self._house.arrived(self):
            self._house.refused(self, "address_connections")
            self.transport.abort()
            return
        keep_alive(transport, self._house.settings.keep_alive)
        self._timer = self._loop.call_later(self._house.settings.handshake_timeout, self._too_slow)

    def data_received(self, data: bytes) -> None:
        if self._answered or self.transport is None:
            return
        if self._http is None:
            self._collect(data)
        else:
            self._keep(data)

    def eof_received(self) -> None:
        """A charge point that leaves while it waits takes its dial with it: the transport closes by itself."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._stop_timer()
        self._let_http_go(exc)
        self._house.left(self)

    # -- the head ------------------------------------------------------------------------------------------------

    def _collect(self, data: bytes) -> None:
        searched = max(0, len(self._head) - len(END_OF_HEAD))
        self._head += data if self._head else data.lstrip(b"\r\n")
        end = self._head.find(END_OF_HEAD, searched)
        if end < 0 or end > self._house.settings.head_limit:
            if len(self._head) > self._house.settings.head_limit:
                self.refuse(Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large"))
            return
        end += len(END_OF_HEAD)
        head, rest = bytes(self._head[:end]), bytes(self._head[end:])
        self._head = bytearray()
        self._stop_timer()
        if not self._house.may_shake_hands(self):
            self.refuse(Refusal(HTTPStatus.TOO_MANY_REQUESTS, "address_rate", ((b"Retry-After", b"5"),)))
            return
        self._http = self._house.http()
        self._keep(rest)
        self._http.connection_made(Curtain(self, cast(asyncio.Transport, self.transport)))
        if self._http is not None:
            self._http.data_received(head)

    def _keep(self, data: bytes) -> None:
        """Keep what comes behind the request; reading on is how a charge point that leaves is noticed."""
        self._early += data
        if self.transport is not None and len(self._early) >= self._house.settings.early_limit:
            self.transport.pause_reading()

    def _too_slow(self) -> None:
        self.refuse(Refusal(HTTPStatus.REQUEST_TIMEOUT, "head_too_slow"))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- the answer ----------------------------------------------------------------------------------------------

    def refuse(self, refusal: Refusal) -> None:
        """Answer with a refusal of our own, and count it."""
        if self.is_open:
            self._house.refused(self, refusal.why)
            self.answer(refused(refusal))

    def answer(self, data: bytes) -> None:
        """Write a final answer, then read and throw away for a moment, so that no RST overtakes it."""
        if not self.is_open or self.transport is None:
            return
        self._answered = True
        self._stop_timer()
        self.transport.write(data)
        if self.transport.can_write_eof():
            pass_fin(self.transport)
        self.transport.resume_reading()
        self._timer = self._loop.call_later(self._house.settings.flush, self._end)
        self._loop.call_soon(self._let_http_go, None)

    def hand_over(self, head: bytes) -> tuple[asyncio.Transport, bytes]:
        """Write the 101 and give up the transport, with what came behind the request. ``is_open`` must be true."""
        transport = cast(asyncio.Transport, self.transport)
        self._answered = True
        self._stop_timer()
        transport.write(head)
        early, self._early = bytes(self._early), bytearray()
        self._loop.call_soon(self._let_http_go, None)
        self.transport = None
        return transport, early

    def close_unanswered(self) -> None:
        """aiohttp wants the connection closed. Once the answer is out that is none of its business."""
        if self.transport is not None and not self._answered and not self.transport.is_closing():
            self.transport.close()

    def give_up(self) -> None:
        """We stop: cancel the handler, and with it the dial."""
        self.refuse(Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "stopping", ((b"Retry-After", b"5"),)))

    def abort(self) -> None:
        """End the connection at once, answered or not."""
        if self.transport is not None:
            self.transport.abort()

    def _end(self) -> None:
        """The answer had its time; an end that does not even take it now is aborted."""
        if self.transport is not None:
            if not self.transport.is_closing():  # a second close disarms abort on asyncio's TLS transport
                self.transport.close()
            self._timer = self._loop.call_later(self._house.settings.flush, self.abort)

    def _let_http_go(self, exc: Exception | None) -> None:
        """Tell aiohttp that its connection is lost: it forgets it and cancels the handler."""
        http, self._http = self._http, None
        if http is not None:
            http.connection_lost(exc)


class _Silence(logging.Filter):
    """aiohttp logs a malformed request with the text of the error, which quotes header values. The door says that there
    was one, and from whom; our handler lets no exception of its own through."""

    def filter(self, record: logging.LogRecord) -> bool:
        return False


def http_server(handler: Callable[[web.BaseRequest], Any]) -> web.Server:
    """aiohttp's low-level server, quiet.

    Only options that the oldest supported aiohttp knows: an unknown one would make it drop all of them.
    """
    logger = logging.getLogger(f"{__name__}.http")
    if not logger.filters:
        logger.addFilter(_Silence())
    return web.Server(handler, handler_cancellation=True, access_log=None, logger=logger)
