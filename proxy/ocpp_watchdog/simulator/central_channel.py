"""evcc's CALLs to one charge point: a queue, one of them on the wire, sixty seconds each.

The queue is evcc's, weaknesses included: who waits has 60 s from queueing, what is queued goes out even when its caller
has given up, and a lost connection throws the queue away.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from .central_check import Answered
from .central_frames import Payload, call_text, decimal_id, error_text
from .central_rules import ANSWER_STATUSES, ERROR_CODES
from .clock import SimClock

Send = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a CALL. ``payload``: that of a CALLRESULT, else empty."""

    kind: Literal["result", "error", "timed_out", "lost"]
    payload: dict[str, object] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether the answer says Accepted."""
        return self.payload.get("status") == "Accepted"


@dataclass(slots=True)
class _Queued:
    unique_id: str
    action: str
    payload: Payload
    future: asyncio.Future[Outcome]

    def settle(self, outcome: Outcome) -> None:
        if not self.future.done():
            self.future.set_result(outcome)


class CallChannel:
    """The CALLs to one charge point, over all its connections."""

    def __init__(self, clock: SimClock, call_seconds: float, chance: Random) -> None:
        self._clock, self._seconds, self._chance = clock, call_seconds, chance
        self._queue: deque[_Queued] = deque()
        self._current: _Queued | None = None
        self._work = asyncio.Event()
        self._open = False

    def post(self, action: str, payload: Payload) -> asyncio.Future[Outcome]:
        """Queue a CALL without waiting for anything."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        queued = _Queued(decimal_id(self._chance), action, payload, future)
        if not self._open:
            queued.settle(Outcome("lost"))
        else:
            self._queue.append(queued)
            self._work.set()
        return future

    async def call(self, action: str, payload: Payload) -> Outcome:
        """Queue a CALL and wait for its answer, 60 s from now at most."""
        future = self.post(action, payload)
        await asyncio.wait({future}, timeout=self._clock.real_seconds(self._seconds))
        return future.result() if future.done() else Outcome("timed_out")

    async def run(self, send: Send) -> None:
        """Work the queue on one connection until cancelled; then tell everybody that it is lost."""
        self._open = True
        try:
            while True:
                while self._queue:
                    self._current = self._queue.popleft()
                    await send(call_text(self._current.unique_id, self._current.action, self._current.payload))
                    await asyncio.wait({self._current.future}, timeout=self._clock.real_seconds(self._seconds))
                    self._current.settle(Outcome("timed_out"))
                    self._current = None
                self._work.clear()
                await self._work.wait()
        finally:
            self._open = False
            lost = [*self._queue, *([self._current] if self._current else [])]
            self._queue.clear()
            self._current = None
            for queued in lost:
                queued.settle(Outcome("lost"))

    def take(self, answer: Answered) -> str | None:
        """An answer of the charge point. Result: evcc's complaint about it, if any; it then goes on waiting."""
        current = self._current
        if current is None or current.unique_id != answer.unique_id or current.future.done():
            return None
        complaint = _complaint(current.action, answer)
        if complaint is not None:
            return error_text(answer.unique_id, *complaint)
        payload = answer.payload if isinstance(answer.payload, dict) else {}
        current.settle(Outcome("result", payload) if answer.error_code is None else Outcome("error"))
        return None


def _complaint(action: str, answer: Answered) -> tuple[str, str] | None:
    """What evcc objects to in an answer, as (code, description)."""
    if answer.error_code is not None:
        if answer.elements < 4:
            return "FormationViolation", "Invalid Call Error message. Expected array length >= 4"
        if answer.error_code not in ERROR_CODES:
            return "GenericError", f"Key: 'CallError.ErrorCode' Error: unknown code {answer.error_code}"
        return None
    if not isinstance(answer.payload, dict):
        return "FormationViolation", f"json: cannot unmarshal into Go value of type core.{action}Confirmation"
    allowed = ANSWER_STATUSES.get(action)
    status = answer.payload.get("status")
    if allowed is None:
        return None
    if not isinstance(status, str):
        said = f"Field CallResult.Payload.Status required but not found for feature {action}"
        return "OccurenceConstraintViolation", said
    if status not in allowed:
        return "GenericError", "Key: 'CallResult.Payload.Status' Error:Field validation for 'Status' failed"
    return None
