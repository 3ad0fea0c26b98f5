"""Lanes of a session with repairs, and the answers they send back (DESIGN 9). Other sessions never come here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from ocpp_watchdog.core import wire
from ocpp_watchdog.core.mending import Mend, MendingLane
from ocpp_watchdog.core.repairs import Answered, Verdict
from ocpp_watchdog.core.terms import Direction
from ocpp_watchdog.shell.relay.hearing import Hearing
from ocpp_watchdog.shell.relay.leg import Leg
from ocpp_watchdog.shell.relay.settings import RelaySettings

WAIT_SECONDS = 0.05
MOST_WAITS = 200
"""An answer waits so long for the end of a foreign message that is too large to be gathered."""


def mending_lane(settings: RelaySettings, direction: Direction, mend: Mend, hearing: Hearing) -> MendingLane:
    """The lane of one direction. What breaks in ``mend`` is counted, and the message goes on as it came (R12)."""

    def guarded(direction: Direction, text: str) -> Verdict:
        try:
            return mend(direction, text)
        except Exception:
            hearing.fault()
            return None

    copies = hearing.wants_messages
    return MendingLane(settings.max_message, settings.judge_max, copies=copies, direction=direction, mend=guarded)


MOST_UNREAD = 1 << 20
"""Bytes that wait to be taken by whoever asked."""


class SendBack:
    """Answers the peer of a leg, at a message boundary of the way back, what a repair answered for the other side."""

    def __init__(self, leg: Leg, hearing: Hearing, is_over: Callable[[], bool]) -> None:
        self._leg = leg
        self._hearing = hearing
        self._is_over = is_over

    def all(self) -> None:
        """Whatever waits."""
        lane = self._leg.lane
        if isinstance(lane, MendingLane):
            for frames, answer in lane.take_answers():
                self._one(frames, answer, MOST_WAITS)

    def _one(self, frames: bytes, answer: Answered, waits: int) -> None:
        leg, way_back = self._leg, self._leg.other.lane
        if self._is_over() or way_back.closed or way_back.broken or way_back.stopped:
            return
        if leg.transport.get_write_buffer_size() > MOST_UNREAD:
            return  # who asks and never reads must not fill the memory: the question stays unanswered
        if way_back.is_open:
            if waits:
                asyncio.get_running_loop().call_later(WAIT_SECONDS, self._one, frames, answer, waits - 1)
            return
        key = os.urandom(4) if leg.direction is Direction.TO_CHARGE_POINT else None
        reply = wire.frame(wire.TEXT, answer.text.encode(), key)
        if leg.write(reply):
            self._hearing.answered(leg.direction, frames, reply, answer.repairs)
