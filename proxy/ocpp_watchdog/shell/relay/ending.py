"""How a session ends, and how a slow reader holds its own sender back (DESIGN R7, R9).

Every way to the end has a bound: a FIN is passed on and both ends closed ``flush`` later, a loss closes the other end,
a Close frame leaves both ends ``close_patience``, and whoever has not taken the flush ``flush`` after that is aborted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ocpp_watchdog.core import wire
from ocpp_watchdog.shell.relay.leg import FULL, Leg, pass_fin, unread
from ocpp_watchdog.shell.relay.settings import RelaySettings

STALL_LOOKS = 9
"""How often within ``stall`` a full leg is looked at."""


class Ending:
    """Closes the two legs of one session. ``draining``: what comes is read and thrown away, after a Close of ours."""

    def __init__(self, settings: RelaySettings, legs: tuple[Leg, Leg], give_up: Callable[[str], None]) -> None:
        """give_up: told why when a leg is aborted because its reader takes nothing."""
        self.draining = False
        self.under_way = False
        self._settings = settings
        self._legs = legs
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._aborting = False
        self._stalls: dict[Leg, asyncio.TimerHandle] = {}

    # -- the three ways an end begins ----------------------------------------------------------------------------

    def close_passed(self) -> None:
        """A Close frame went one way: the ends have a while to finish by themselves."""
        self.under_way = True
        self._in(self._settings.close_patience, self.close_both)

    def fin(self, leg: Leg) -> bool:
        """Pass a FIN on. The result is for ``eof_received``: True keeps our own way to that peer open."""
        self.under_way = True
        if self.draining or leg.shut:
            return False
        if leg.is_tls or not leg.other.transport.can_write_eof():
            self._close(leg.other)
            self._in(self._settings.flush, self._abort_both)
            return False
        if not leg.other.shut and not leg.other.lost:
            leg.other.shut = True
            pass_fin(leg.other.transport)
        self._in(self._settings.flush, self.close_both)
        return True

    def lost(self, leg: Leg) -> bool:
        """A connection is gone: flush and close the other one. True: both are gone."""
        self.under_way = True
        leg.lost = True
        self._forget_stall(leg)
        if leg.other.lost:
            if self._timer is not None:
                self._timer.cancel()
            return True
        if not self.draining:
            self._close(leg.other)
            self._in(self._settings.flush, self._abort_both)
        return False

    def close(self, code: int, reason: str, key: Callable[[], bytes]) -> None:
        """Send a Close of ours both ways, then read and throw away for a while: closing a socket with unread bytes in
        it makes the kernel send RST, and the peer would lose our Close. key: makes a masking key."""
        if self.draining:
            return
        self.under_way = self.draining = True
        payload = wire.close_payload(code, reason)
        for leg, masked in zip(self._legs, (False, True), strict=True):
            if not leg.other.lane.closed:
                leg.write(wire.frame(wire.CLOSE, payload, key() if masked else None))
            leg.read_on(FULL)
        self._in(self._settings.flush, self.close_both)

    def close_both(self) -> None:
        for leg in self._legs:
            self._close(leg)
        self._in(self._settings.flush, self._abort_both)

    def abort(self) -> None:
        """End both at once, whatever waits."""
        self.under_way = True
        self._abort_both()

    # -- a slow reader -------------------------------------------------------------------------------------------

    def full(self, leg: Leg) -> None:
        """Hold back who sends to this leg, and watch whether it takes anything."""
        if not self.draining:
            leg.other.hold(FULL)
        self._forget_stall(leg)
        self._watch(leg, self._loop.time(), unread(leg.transport))

    def drained(self, leg: Leg) -> None:
        self._forget_stall(leg)
        leg.other.read_on(FULL)

    def _watch(self, leg: Leg, since: float, size: int) -> None:
        look = self._loop.call_later(self._settings.stall / STALL_LOOKS, self._look, leg, since, size)
        self._stalls[leg] = look

    def _look(self, leg: Leg, since: float, size: int) -> None:
        waits = unread(leg.transport)
        if waits != size:
            self._watch(leg, self._loop.time(), waits)
        elif self._loop.time() - since < self._settings.stall:
            self._watch(leg, since, size)
        else:
            self._give_up("a reader took nothing")
            self.abort()

    def _forget_stall(self, leg: Leg) -> None:
        watch = self._stalls.pop(leg, None)
        if watch is not None:
            watch.cancel()

    # -- the end -------------------------------------------------------------------------------------------------

    def _close(self, leg: Leg) -> None:
        leg.shut = True
        if not leg.lost and not leg.transport.is_closing():  # a second close disarms abort on asyncio's TLS transport
            leg.transport.close()

    def _abort_both(self) -> None:
        for leg in self._legs:
            if not leg.lost:
                leg.shut = True
                leg.transport.abort()

    def _in(self, seconds: float, what: Callable[[], None]) -> None:
        """Set the one timer; an abort replaces a close, never the other way round, and the earlier one counts."""
        is_abort = what == self._abort_both
        when = self._loop.time() + seconds
        if self._timer is not None and not self._timer.cancelled():
            if (self._aborting and not is_abort) or (self._aborting == is_abort and self._timer.when() <= when):
                return
            self._timer.cancel()
        self._aborting = is_abort
        self._timer = self._loop.call_at(when, what)
