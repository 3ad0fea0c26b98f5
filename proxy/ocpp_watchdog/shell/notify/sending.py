"""What a way to people has to do, and the HTTP that most of them are.

An address may carry a token, and the text of an aiohttp error may quote the address: a reason is a word of ours or of
the operating system for this kind of error, or the HTTP status, nothing else. Redirects are not followed.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from errno import errorcode
from typing import Protocol

from aiohttp import ClientError, ClientSession, ClientSSLError, ClientTimeout

from ocpp_watchdog.shell.notify.message import Message

LATE = "no answer in time"
WORTH_ANOTHER_TRY = frozenset({408, 425, 429})


class NotTakenError(Exception):
    """The server answered, but not with success, or not at all; another try may help."""


class RefusedError(Exception):
    """The server will not take this message, ever."""


class Sender(Protocol):
    """One way to people."""

    async def send(self, message: Message, seconds: float) -> None:
        """Hand one message over, in so many seconds. Raises NotTakenError, RefusedError: their text is no secret."""

    def wants(self, message: Message) -> bool:
        """Whether messages of this kind go this way."""


def reason(error: Exception) -> str:
    """Why nothing was taken, in words that never hold the address."""
    number = getattr(error, "errno", None)
    if isinstance(error, TimeoutError):
        return LATE
    if isinstance(getattr(error, "os_error", None), socket.gaierror):
        return "the name does not resolve"
    if isinstance(error, ClientSSLError):
        return "no TLS that can be trusted"
    return os.strerror(number) if isinstance(number, int) and number in errorcode else type(error).__name__


async def request(
    method: str, url: str, seconds: float, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> None:
    """One HTTP request that must be answered with 2xx within so many seconds. Raises NotTakenError, RefusedError."""
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=seconds), trust_env=False) as session,
            session.request(method, url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            status = response.status
    except (ClientError, OSError, TimeoutError, ValueError) as error:
        raise NotTakenError(reason(error)) from None
    if status < 300:
        return
    if status >= 500 or status in WORTH_ANOTHER_TRY:
        raise NotTakenError(f"HTTP status {status}")
    raise RefusedError(f"HTTP status {status}")
