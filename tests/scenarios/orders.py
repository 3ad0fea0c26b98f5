"""What was ordered, answered and started, read from the frames alone by the words of the text (watchdog rules 1, 5, 6).

Knows evcc's form of a profile only: one slot, one period, no end. A history orders either on connector 0 or on the
connectors themselves. Written from the text, apart from the program under test.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ocpp_watchdog.core.terms import Direction
from scenarios.trace import Passed, Trace

ANSWER_SECONDS = 10.0
SETTLE_SECONDS = 30.0
TAKE_BACK_SECONDS = 10.0
FRESH_CALL_SECONDS = 10.0
SMALLEST_REPORTED = 1
LARGEST_REPORTED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop order. ended: inf while it stands. gaps: raises that were taken back within 10 s.
    deadline: request + answer time (when an answer came within 10 s) + 30 s."""

    connector: int
    began: float
    deadline: float
    answer: str = "unanswered"
    ended: float = math.inf
    unit: str = "A"
    gaps: tuple[tuple[float, float], ...] = ()

    def stands(self, at: float) -> bool:
        """Is nothing above 0 ordered at this moment? A raise counts from its request on."""
        return self.began <= at < self.ended and not any(begin <= at < end for begin, end in self.gaps)


@dataclass(frozen=True, slots=True)
class Message:
    """A frame that could be read as a CALL (2), CALLRESULT (3) or CALLERROR (4)."""

    at: float
    direction: Direction
    kind: int
    unique_id: str
    action: str
    payload: dict[str, object]


def messages(passed: Iterable[Passed]) -> list[Message]:
    """Everything that can be read; the rest is nobody's order."""
    found: list[Message] = []
    for frame in passed:
        try:
            parts = json.loads(frame.text)
        except (ValueError, RecursionError):
            continue
        if not isinstance(parts, list) or len(parts) < 2 or parts[0] not in (2, 3, 4) or isinstance(parts[0], bool):
            continue
        # A CALLERROR may be nothing but its id: corpus, quirk 3.
        if not isinstance(parts[1], str) or (parts[0] != 4 and len(parts) < 3):
            continue
        action = parts[2] if parts[0] == 2 else ""
        payload = parts[3] if parts[0] == 2 and len(parts) > 3 else parts[2] if parts[0] == 3 else {}
        if isinstance(action, str):
            clean = payload if isinstance(payload, dict) else {}
            found.append(Message(frame.at, frame.direction, parts[0], parts[1], action, clean))
    return found


def stop_orders(trace: Trace, connectors: Iterable[int]) -> list[Stop]:
    """Every stop order of these connectors, by the beginning."""
    heard = messages(trace.passed)
    stops: list[Stop] = []
    for connector in connectors:
        stops += _of_connector(connector, heard, trace.links)
    return sorted(stops, key=lambda stop: stop.began)


def _of_connector(connector: int, heard: list[Message], links: list[tuple[float, bool]]) -> list[Stop]:
    stops: list[Stop] = []
    raised: float | None = None
    for message in heard:
        limit = limit_of(message, connector)
        if limit is None:
            continue
        last = stops[-1] if stops else None
        if limit[0] > 0:
            if last is not None and math.isinf(last.ended):
                stops[-1] = replace(last, ended=message.at)
                raised = message.at
            continue
        if last is not None and math.isinf(last.ended):
            continue
        if last is not None and raised is not None and message.at - raised <= TAKE_BACK_SECONDS:
            stops[-1] = replace(last, ended=math.inf, gaps=(*last.gaps, (raised, message.at)))
            continue
        answer, seconds = _answer(message, heard, links)
        stops.append(Stop(connector, message.at, message.at + seconds + SETTLE_SECONDS, answer, unit=limit[1]))
    return stops


def limit_of(message: Message, connector: int) -> tuple[float, str] | None:
    if (
        message.kind != 2
        or message.action != "SetChargingProfile"
        or message.direction is not Direction.TO_CHARGE_POINT
    ):
        return None
    if message.payload.get("connectorId") not in (0, connector):
        return None
    try:
        schedule = message.payload["csChargingProfiles"]["chargingSchedule"]  # type: ignore[index]
        period = schedule["chargingSchedulePeriod"][0]
        return float(period["limit"]), str(schedule["chargingRateUnit"])
    except (KeyError, TypeError, IndexError, ValueError):
        return None


def _answer(request: Message, heard: list[Message], links: list[tuple[float, bool]]) -> tuple[str, float]:
    lost = min((at for at, up in links if not up and at >= request.at), default=math.inf)
    for message in heard:
        if message.unique_id != request.unique_id or message.at < request.at or message.kind == 2:
            continue
        seconds = message.at - request.at
        if message.direction is not request.direction.back or seconds > ANSWER_SECONDS or message.at > lost:
            continue
        accepted = message.kind == 3 and message.payload.get("status") == "Accepted"
        return ("accepted" if accepted else "refused"), seconds
    return "unanswered", 0.0


def fresh_calls(trace: Trace, at: float, behind: int | None = None) -> list[str]:
    """CALLs younger than 10 s that are unanswered at this moment, in either direction; ours are not among them.
    behind: only so many frames had passed by then."""
    session = max((when for when, up in trace.links if up and when <= at), default=0.0)
    open_calls: dict[tuple[Direction, str], tuple[float, str]] = {}
    heard: set[tuple[Direction, str]] = set()
    for message in messages(frame for frame in trace.passed[:behind] if session <= frame.at <= at):
        if message.kind == 2:
            # The same CALL sent again is one CALL.
            if (message.direction, message.unique_id) not in heard:
                open_calls[message.direction, message.unique_id] = (message.at, message.action)
            heard.add((message.direction, message.unique_id))
        else:
            open_calls.pop((message.direction.back, message.unique_id), None)
    return [action for when, action in open_calls.values() if at - when < FRESH_CALL_SECONDS - 1e-6]


def usable_ids(
    trace: Trace, connector: int, at: float, behind: int | None = None, *, beyond_doubt: bool = False
) -> set[int]:
    """Transaction ids that a RemoteStopTransaction for this connector may name at this moment.
    behind: only so many frames had passed by then. beyond_doubt: a status Available has closed what was open."""
    usable: set[int] = set()
    told: tuple[int | None, int] = (None, 0)
    status = ""
    starts: set[str] = set()
    for message in messages(frame for frame in trace.passed[:behind] if frame.at <= at):
        payload = message.payload
        if message.kind == 3 and message.unique_id in starts and message.direction is Direction.TO_CHARGE_POINT:
            number = payload.get("transactionId")
            starts.discard(message.unique_id)
            if isinstance(number, int):
                usable.add(number)
        elif message.kind != 2 or message.direction is not Direction.TO_CENTRAL_SYSTEM:
            continue
        elif message.action == "StartTransaction":
            if payload.get("connectorId") == connector:
                starts.add(message.unique_id)
        elif message.action == "StopTransaction":
            usable.discard(payload.get("transactionId"))  # type: ignore[arg-type]
            told = (None, 0)
        elif message.action == "StatusNotification" and payload.get("connectorId") == connector:
            status = str(payload.get("status"))
            if status == "Available" and beyond_doubt:
                usable.clear()
        elif message.action == "MeterValues" and payload.get("connectorId") == connector:
            number = payload.get("transactionId")
            alive = status == "Charging" or status.startswith("Suspended")
            times = (told[1] + 1 if told[0] == number else 1) if alive else 0
            told = (number if isinstance(number, int) else None, times)
            if told[0] is not None and times >= 2 and SMALLEST_REPORTED <= told[0] <= LARGEST_REPORTED:
                usable.add(told[0])
    return usable
