"""Meter values that are like some before: of a long log nearly all differ in id, time and figures only.

A charge point writes its MeterValues in a few shapes. Of each shape the text between what differs is kept as a pattern;
a text that fits is known to decode to the same but for those places, and is not decoded again. What fits none is read
whole by whoever asks.
"""

from __future__ import annotations

import re

from ocpp_watchdog.core.events import MeterSampled
from ocpp_watchdog.core.frames import Call, Loads, decode
from ocpp_watchdog.core.keys import odd_keys
from ocpp_watchdog.core.measurements import Sampled, assemble
from ocpp_watchdog.core.terms import ConnectorId, Direction, Moment, UniqueId
from ocpp_watchdog.core.timestamps import timestamp
from ocpp_watchdog.core.translate import LONGEST_ID, read_request, sampled_values

MOST_SHAPES = 8
MOST_LEARNED = 64
"""A charge point whose shapes never come again is not worth more."""

LONGEST_TEXT = 4_096

_ID, _FIGURE, _TIME = r"[ !#-Z^-z|~]{1,36}", r"[0-9.]{1,15}", r"[0-9T:.Z+-]{1,35}"
_HEAD = re.compile(rf'(\[2, ?")({_ID})(?=", ?"MeterValues", ?\{{)')
_PLACES = re.compile(rf'("value": ?"){_FIGURE}(?=")|("timestamp": ?"){_TIME}(?=")')


class _Shape:
    """One shape. sampled: the samples of the text it was learned from; their figures are replaced."""

    __slots__ = ("_connector", "_sampled", "_time", "_transaction_id", "match")

    def __init__(
        self, pattern: str, time: int, connector: ConnectorId, transaction_id: int | None, sampled: list[Sampled]
    ) -> None:
        """pattern: groups are id, then figures and the time as they follow. time: number of its group."""
        self.match = re.compile(pattern, re.ASCII).fullmatch
        self._time = time
        self._connector = connector
        self._transaction_id = transaction_id
        self._sampled = [sample[1:] for sample in sampled]

    def filled(self, found: re.Match[str], now: Moment) -> tuple[UniqueId, MeterSampled]:
        """The readings of a text that fits."""
        unique_id, *figures = found.groups()
        at = timestamp(figures.pop(self._time))
        sampled: list[Sampled] = [(value, *rest) for value, rest in zip(figures, self._sampled, strict=True)]
        reading = assemble(
            self._connector, now, at, self._transaction_id, sampled, unique_id=unique_id[:LONGEST_ID]
        )  # fmt: skip
        return UniqueId(unique_id), MeterSampled(self._connector, (reading,) if reading else ())


class Alike:
    """The shapes of one charge point's meter values. loads: the JSON decoder."""

    def __init__(self, loads: Loads) -> None:
        self._loads = loads
        self._shapes: list[_Shape] = []
        self._learned = 0

    def read(self, text: str, now: Moment) -> tuple[UniqueId, MeterSampled] | None:
        """Unique id and readings of a MeterValues CALL of the charge point whose shape is known, as they would be read
        from the whole; None: it must be read whole. Raises nothing."""
        for number, shape in enumerate(self._shapes):
            found = shape.match(text)
            if found is not None:
                if number:
                    self._shapes.insert(0, self._shapes.pop(number))
                return shape.filled(found, now)
        if self._learned < MOST_LEARNED and len(text) <= LONGEST_TEXT:
            learned = _learned(text, self._loads, now)
            if learned is not None:
                self._learned += 1
                self._shapes.insert(0, learned)
                del self._shapes[MOST_SHAPES:]
        return None


def _learned(text: str, loads: Loads, now: Moment) -> _Shape | None:
    """The shape of a text; None: it is no MeterValues CALL, or one that is not plain enough.

    Without a backslash in the text every quotation mark begins or ends a string, so what stands at a place is the whole
    value of its key, and other figures there change nothing else. That the places are the right ones is tried out.
    """
    head = _HEAD.match(text)
    request = None if head is None or "\\" in text else _whole(text, loads, now)
    if head is None or request is None or len(request[1].readings) != 1:
        return None
    elements, (reading,) = request[2], request[1].readings
    if len(elements) != 1 or not isinstance(elements[0], dict):
        return None
    sampled = sampled_values(elements[0])
    places = list(_PLACES.finditer(text, head.end()))
    times = [number for number, place in enumerate(places) if place[2]]
    if len(times) != 1 or len(places) != 1 + len(sampled):
        return None
    pattern, other, end = re.escape(head[1]) + f"({_ID})", text[: head.end()], head.end()
    for number, place in enumerate(places, 1):
        between = text[end : place.start()] + (place[1] or place[2])
        pattern += f"{re.escape(between)}({_TIME if place[2] else _FIGURE})"
        other += between + ("2001-02-03T04:05:06Z" if place[2] else f"{number}.25")
        end = place.end()
    shape = _Shape(pattern + re.escape(text[end:]), times[0], reading.connector, reading.transaction_id, sampled)
    return shape if _holds(shape, other + text[end:], loads, now) else None


def _holds(shape: _Shape, other: str, loads: Loads, now: Moment) -> bool:
    """A text with other figures and another time, read by its shape, is what it is when it is read whole."""
    found, whole = shape.match(other), _whole(other, loads, now)
    return found is not None and whole is not None and shape.filled(found, now) == whole[:2]


def _whole(text: str, loads: Loads, now: Moment) -> tuple[UniqueId, MeterSampled, list[object]] | None:
    """Unique id, readings and meterValue elements of a CALL of the charge point; None: it is no such CALL, or odd."""
    call = decode(text, loads)
    if not isinstance(call, Call) or call.mended or odd_keys(text, call.payload):
        return None
    request, elements = read_request(call, Direction.TO_CENTRAL_SYSTEM, now), call.payload.get("meterValue")
    if not isinstance(request, MeterSampled) or not isinstance(elements, list):
        return None
    return call.unique_id, request, elements
