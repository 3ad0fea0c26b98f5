"""Tells the service manager that started the program how it is: the protocol of sd_notify(3), datagrams on a socket.

The pings come from the loop in which the judge works. A judge that never comes back holds the loop, so the pings stop
and the service manager starts the program anew. A judge that *fails* is another matter: frames go on, it is counted
and alarmed, and a restart would cut every line for nothing (DESIGN R12).
"""

from __future__ import annotations

import asyncio
import logging
import socket

log = logging.getLogger(__name__)

PINGS_PER_INTERVAL = 3.0
READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"


class Supervisor:
    """Speaks to the service manager, if there is one.

    address: path of its socket, ``@`` first for an abstract one; None: nobody listens. interval_seconds: it wants a
    sign of life at least so often; None: it wants none.
    """

    def __init__(self, address: str | None, interval_seconds: float | None) -> None:
        self._address = address if address is None or not address.startswith("@") else "\0" + address[1:]
        self._interval = interval_seconds

    def say(self, words: str) -> None:
        """Send one datagram; a service manager that does not take it is no reason to stop relaying."""
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as out:
                out.sendto(words.encode(), self._address)
        except OSError as error:
            log.warning("the service manager cannot be told %s: %s", words, error.strerror or error)

    async def ping(self) -> None:
        """Give signs of life for ever, three times as often as wanted; nothing where none are wanted."""
        if self._interval is None:
            await asyncio.Event().wait()
            return
        while True:
            self.say(ALIVE)
            await asyncio.sleep(self._interval / PINGS_PER_INTERVAL)
