"""Everything else: one URL per target, as evcc's users know it (mail, Telegram, Signal, Pushover ...); extra `apprise`.

The library works in threads and may hang in one. Each message gets a thread of its own that nobody waits for at the
end, and a way whose last thread still hangs starts no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from importlib import import_module
from typing import Protocol, cast

from ocpp_watchdog.core.decisions import Severity
from ocpp_watchdog.shell.notify.message import Message
from ocpp_watchdog.shell.notify.sending import LATE, NotTakenError
from ocpp_watchdog.texts.catalogue import Language

TYPES = {Severity.INFO: "success", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}


class Library(Protocol):
    """What is used of apprise.Apprise."""

    def add(self, servers: str) -> bool:
        """Take a URL; False: it is none."""

    def notify(self, body: str, title: str, notify_type: str) -> bool | None:
        """Send; True when the target took it."""


class NotInstalledError(Exception):
    """The extra is not there."""


class BadUrlError(Exception):
    """apprise does not know what to do with this URL."""


class Apprise:
    """One target."""

    def __init__(self, library: Library, language: Language) -> None:
        self._library = library
        self._language = language
        self._thread: threading.Thread | None = None

    def wants(self, message: Message) -> bool:
        """What people want to know."""
        return message.is_for_people

    async def send(self, message: Message, seconds: float) -> None:
        """Hand it to the library. It does not say why something failed. Raises NotTakenError."""
        if self._thread is not None and self._thread.is_alive():
            raise NotTakenError("the last message still hangs")
        loop = asyncio.get_running_loop()
        taken: asyncio.Future[bool] = loop.create_future()

        def work() -> None:
            answer = self._notify(message)
            with contextlib.suppress(RuntimeError):  # the loop is gone: the program ended meanwhile
                loop.call_soon_threadsafe(_tell, taken, answer)

        self._thread = threading.Thread(target=work, name="apprise", daemon=True)
        self._thread.start()
        try:
            async with asyncio.timeout(seconds):
                was_taken = await taken
        except TimeoutError:
            raise NotTakenError(LATE) from None
        if not was_taken:
            raise NotTakenError("apprise says no")

    def _notify(self, message: Message) -> bool:
        try:
            text, title = message.text[self._language], message.title[self._language]
            return bool(self._library.notify(text, title, TYPES[message.severity]))
        except Exception:  # whatever a plugin raises may quote its URL
            return False


def target(url: str, language: Language) -> Apprise:
    """The target of this URL. Raises NotInstalledError, BadUrlError."""
    # Its own log lines may quote what a server said, or a URL; what became of a message is said by us.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    try:
        library = cast(Library, import_module("apprise").Apprise())
    except ImportError:
        raise NotInstalledError from None
    if not library.add(url):
        raise BadUrlError
    return Apprise(library, language)


def _tell(taken: asyncio.Future[bool], answer: bool) -> None:
    if not taken.done():
        taken.set_result(answer)
