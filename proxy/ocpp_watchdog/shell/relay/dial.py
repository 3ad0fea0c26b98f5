"""The connection to the central system until its answer is in: asyncio dials, h11 reads. Every failure is a value.

No redirects, cookies, decompression or headers of anybody's own exist here, which is the point. DESIGN R2 to R4.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, cast

import h11
import tenacity

from ocpp_watchdog.shell.relay.request import Headers
from ocpp_watchdog.shell.relay.settings import CentralSystem, RelaySettings

BODY_LIMIT = 64 << 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What the central system answered. early: bytes that came with a 101, the session's first."""

    status: int
    reason: bytes
    headers: Headers
    body: bytes
    early: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer. silent: it took too long (504), else it was refused or was no HTTP (502). ours: a 400."""

    text: str
    silent: bool = False
    ours: bool = False


class Dial(asyncio.Protocol):
    """Writes the request when connected and resolves ``answered`` once, with an Answer or a Failure.

    Some loops keep what a connection began with for as long as it lives: from ``hand_over`` on next to nothing is left
    of it.
    """

    __slots__ = ("_body", "_parser", "_request", "_status", "answered", "lost", "transport")

    def __init__(self, request: bytes, parser: h11.Connection, answered: asyncio.Future[Answer | Failure]) -> None:
        self.transport: asyncio.Transport | None = None
        self.lost = False
        self.answered = answered
        self._request = request
        self._parser: h11.Connection | None = parser
        self._status: h11.Response | None = None
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._read(data)

    def eof_received(self) -> None:
        self._read(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._read(b"")

    def _read(self, data: bytes) -> None:
        parser = self._parser
        if parser is None or self.answered.done():
            return
        try:
            parser.receive_data(data)
            while not self.answered.done():
                event = parser.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    break
                self._happened(event, parser)
        except h11.RemoteProtocolError as error:
            began = "it left before answering" if not data and self._status is None else str(error)
            self._resolve(Failure(began))
        if not data and not self.answered.done():
            self._resolve(Failure("it left before answering"))

    def _happened(self, event: object, parser: h11.Connection) -> None:
        if isinstance(event, h11.InformationalResponse):
            if event.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
                self._pause()
                self._resolve(self._answer(event, parser.trailing_data[0]))
        elif isinstance(event, h11.Response):
            self._status = event
        elif isinstance(event, h11.Data):
            self._body += event.data
            if len(self._body) >= BODY_LIMIT:
                self._resolve(self._answer(self._status, b""))
        elif self._status is not None:  # EndOfMessage
            self._resolve(self._answer(self._status, b""))

    def _answer(self, event: h11.Response | h11.InformationalResponse | None, early: bytes) -> Answer | Failure:
        if event is None:
            return Failure("a body without a head")
        headers = [(bytes(name), bytes(value)) for name, value in event.headers.raw_items()]
        return Answer(event.status_code, bytes(event.reason), headers, bytes(self._body[:BODY_LIMIT]), early)

    def _pause(self) -> None:
        """What comes behind the 101 stays in the kernel until the leg takes over."""
        if self.transport is not None:
            self.transport.pause_reading()

    def _resolve(self, result: Answer | Failure) -> None:
        if not self.answered.done():
            self.answered.set_result(result)

    def hand_over(self) -> asyncio.Transport:
        """Give up the transport, which is paused. Only after an answer of status 101."""
        transport, self.transport = cast(asyncio.Transport, self.transport), None
        self._parser, self._request, self._body = None, b"", bytearray()
        del self.answered
        return transport

    def abandon(self) -> None:
        """Give the connection up at once."""
        if self.transport is not None:
            self.transport.abort()


class _Call:
    """One call to the central system: connects, as often as it takes, and keeps in mind what went wrong last."""

    def __init__(self, central: CentralSystem, options: dict[str, Any], caller: Dial) -> None:
        self.caller = caller
        self.why = Failure("nothing was tried", silent=True)
        self._central = central
        self._options = options

    async def connect(self) -> None:
        """Try until connected. Raises OSError when trying again is no use; is cancelled when time is up."""
        try:
            await self._try()  # by far the most: the central system is there
        except OSError as error:
            if not _is_worth_another_try(error):
                raise
            async for attempt in tenacity.AsyncRetrying(
                retry=tenacity.retry_if_exception(_is_worth_another_try),
                wait=tenacity.wait_random_exponential(multiplier=0.1, max=2),
                reraise=True,
            ):
                with attempt:
                    await self._try()

    async def _try(self) -> None:
        self.why = Failure("no connection in time", silent=True)
        loop = asyncio.get_running_loop()
        host, port = self._central.host, self._central.port
        try:
            await loop.create_connection(lambda: self.caller, host, port, **self._options)
        except OSError as error:
            self.why = Failure(f"{type(error).__name__}: {error}")
            raise
        self.why = Failure("connected, and no answer in time", silent=True)


def _is_worth_another_try(error: BaseException) -> bool:
    return isinstance(error, OSError) and not isinstance(error, ssl.SSLError)


async def dial(
    settings: RelaySettings, central: CentralSystem, target: str, headers: Headers
) -> tuple[Dial | None, Answer | Failure]:
    """Dial until connected, ask, and wait for the answer; all within ``connect_timeout``.

    The Dial comes back, still connected and paused, only with an Answer of status 101. Cancelling gives up at once.
    """
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=settings.head_limit)
    try:
        request = parser.send(h11.Request(method="GET", target=central.base + target, headers=headers)) or b""
        request += parser.send(h11.EndOfMessage()) or b""
    except h11.LocalProtocolError as error:
        return None, Failure(str(error), ours=True)
    caller = Dial(request, parser, asyncio.get_running_loop().create_future())
    call = _Call(central, _tls_options(settings, central), caller)
    answer: Answer | Failure
    try:
        async with asyncio.timeout(settings.connect_timeout):
            await call.connect()
            answer = await caller.answered
    except (TimeoutError, OSError):
        answer = call.why
    except BaseException:
        caller.abandon()
        raise
    if isinstance(answer, Answer) and answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return caller, answer
    caller.abandon()
    return None, answer


def _tls_options(settings: RelaySettings, central: CentralSystem) -> dict[str, Any]:
    if not central.tls:
        return {}
    context = settings.client_tls or _default_context()
    return {"ssl": context, "server_hostname": central.host, "ssl_shutdown_timeout": 2}


@cache
def _default_context() -> ssl.SSLContext:
    """Reading the system's authorities takes milliseconds: once is enough."""
    return ssl.create_default_context()
