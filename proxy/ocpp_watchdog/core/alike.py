"""Meter values that are like some before: of all that a charge point reports nearly all differ in id, time and figures
only.

A charge point writes its MeterValues in a few shapes. Of each shape the text between what differs is kept; a text that
has the same there is known to decode to the same but for those places, and is not decoded again. What fits no shape is
read whole by whoever asks. With ``translate.py`` and ``payloads.py`` the only file that knows payload field names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from ocpp_watchdog.core.events import MeterSampled
from ocpp_watchdog.core.frames import MAX_UNIQUE_ID, Call, Loads, decode
from ocpp_watchdog.core.keys import odd_keys
from ocpp_watchdog.core.measurements import Layout, Reading
from ocpp_watchdog.core.terms import ConnectorId, Direction, Moment, UniqueId
from ocpp_watchdog.core.timestamps import timestamp
from ocpp_watchdog.core.translate import LONGEST_ID, read_request, sampled_values

MOST_SHAPES = 8
MOST_LOOKS = 64
MATCHES_FOR_A_LOOK = 64
"""Texts that a shape is looked for in, and one more for so many that had one: where hardly any shape comes again it is
not worth more."""

LONGEST_TEXT = 4_096

_HEAD = re.compile(r'\[2, ?"([^"]*)", ?"MeterValues", ?\{')
_VALUES = re.compile(r'"(value|timestamp)": ?"([^"]*)"|"transactionId": ?([0-9]{1,15})(?=[,}])')
_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)
_OTHERS = {"id": "other", "value": "{}.25", "timestamp": "2001-02-03T04:05:{:02}Z", "transactionId": "47{}"}
"""Something else for each kind of place, to try a shape out; each place gets its own."""


class _Element(NamedTuple):
    """A meterValue element: which place is its time (None: it has none), and from which to before which its figures
    stand."""

    layout: Layout
    time: int | None
    first: int
    end: int


class _Shape:
    """One shape. A place ends before the character that the text behind it begins with: a quotation mark, or the comma
    or bracket behind a number."""

    __slots__ = ("_before", "_connector", "_elements", "_last", "_transaction", "_transaction_id")

    def __init__(
        self,
        between: Sequence[str],
        connector: ConnectorId,
        transaction: int | None,
        transaction_id: int | None,
        elements: Sequence[_Element],
    ) -> None:
        """between: the text before each place, and behind the last. transaction: the place of its id, None: it is
        transaction_id in all."""
        self._before = [(text, len(text), behind[0]) for text, behind in pairwise(between)]
        self._last = between[-1]
        self._connector = connector
        self._transaction = transaction
        self._transaction_id = transaction_id
        self._elements = elements

    def match(self, text: str) -> list[str] | None:
        """What stands at the places of a text; None: it has another shape, or may be no JSON there."""
        said: list[str] = []
        end = 0
        for before, length, stop in self._before:
            if not text.startswith(before, end):
                return None
            begin = end + length
            end = text.find(stop, begin)
            if end < 0:
                return None
            said.append(text[begin:end])
        if end + len(self._last) != len(text) or not text.endswith(self._last):
            return None
        whole = "".join(said)
        return said if whole.isprintable() and "\\" not in whole else None

    def filled(self, said: list[str], now: Moment) -> tuple[UniqueId, MeterSampled] | None:
        """Unique id and readings of a text that fits; None: an id is none."""
        unique_id, transaction_id = said[0], self._transaction_id
        if self._transaction is not None:
            transaction_id = _number(said[self._transaction])
        if len(unique_id) > MAX_UNIQUE_ID or (transaction_id is None and self._transaction is not None):
            return None
        readings: list[Reading] = []
        for layout, time, first, end in self._elements:
            at = None if time is None else timestamp(said[time])
            reading = layout.reading(said[first:end], now, at, transaction_id, unique_id[:LONGEST_ID])
            if reading is not None:
                readings.append(reading)
        return UniqueId(unique_id), MeterSampled(self._connector, tuple(readings))


@lru_cache(maxsize=64)
def _number(text: str) -> int | None:
    """A whole number as JSON writes it, None: it is none."""
    return int(text) if _NUMBER.fullmatch(text) else None


class Alike:
    """The shapes of one charge point's meter values. loads: the JSON decoder."""

    __slots__ = ("_loads", "_looks", "_matches", "_shapes")

    def __init__(self, loads: Loads) -> None:
        self._loads = loads
        self._shapes: list[_Shape] = []
        self._looks = 0
        self._matches = 0

    def read(self, text: str, now: Moment) -> tuple[UniqueId, MeterSampled] | None:
        """Unique id and readings of a MeterValues CALL of the charge point whose shape is known, as they would be read
        from the whole, without odd keys; None: it must be read whole. Raises nothing."""
        for number, shape in enumerate(self._shapes):
            said = shape.match(text)
            if said is not None:
                self._matches += 1
                if number:
                    self._shapes.insert(0, self._shapes.pop(number))
                return shape.filled(said, now)
        if self._looks < MOST_LOOKS + self._matches // MATCHES_FOR_A_LOOK and len(text) <= LONGEST_TEXT:
            self._looks += 1
            learned = _learned(text, self._loads, now)
            if learned is not None:
                self._shapes.insert(0, learned)
                del self._shapes[MOST_SHAPES:]
        return None


class _Place(NamedTuple):
    """Where something stands in a text that may differ. kind: value, timestamp, transactionId or id."""

    kind: str
    begin: int
    end: int


def _learned(text: str, loads: Loads, now: Moment) -> _Shape | None:
    """The shape of a text; None: it is no MeterValues CALL, or one that is not plain enough.

    Without a backslash in the text every quotation mark begins or ends a string, so what stands at a place is the whole
    value of its key, and something else there changes nothing else. That the places are the right ones is tried out.
    """
    places = [] if "\\" in text else _places(text)
    whole = _whole(text, loads, now) if places else None
    if whole is None:
        return None
    _, request, payload = whole
    kinds = [place.kind for place in places]
    elements = _elements(request.connector, payload, kinds)
    if elements is None or kinds.count("transactionId") > 1:
        return None
    ends = [0, *(place.end for place in places)]
    between = [text[end : place.begin] for end, place in zip(ends, places, strict=False)]
    rest = text[ends[-1] :]
    transaction = kinds.index("transactionId") if "transactionId" in kinds else None
    transaction_id = request.readings[0].transaction_id if request.readings else None
    shape = _Shape([*between, rest], request.connector, transaction, transaction_id, elements)
    others = (
        before + _OTHERS[kind].format(number) for number, (before, kind) in enumerate(zip(between, kinds, strict=True))
    )
    return shape if _holds(shape, "".join(others) + rest, loads, now) else None


def _places(text: str) -> list[_Place]:
    """All places of a text that begins like a MeterValues CALL, else none."""
    head = _HEAD.match(text)
    if head is None:
        return []
    values = (
        _Place(found[1], *found.span(2)) if found[1] else _Place("transactionId", *found.span(3))
        for found in _VALUES.finditer(text, head.end())
    )
    return [_Place("id", *head.span(1)), *values]


def _elements(connector: ConnectorId, payload: Mapping[str, object], kinds: Sequence[str]) -> list[_Element] | None:
    """The elements of the payload with their places, which follow each other as they do; None: other things have such
    places too."""
    left = [number for number, kind in enumerate(kinds) if kind in ("value", "timestamp")]
    elements: list[_Element] = []
    said = payload.get("meterValue")
    for element in said if isinstance(said, list) else ():
        if not isinstance(element, dict):
            return None
        sampled = sampled_values(element)
        count = len(sampled) + isinstance(element.get("timestamp"), str)
        own, left = left[:count], left[count:]
        figures = [number for number in own if kinds[number] == "value"]
        times = [number for number in own if kinds[number] == "timestamp"]
        first = figures[0] if figures else 0
        if figures != list(range(first, first + len(sampled))):
            return None
        elements.append(_Element(Layout(connector, sampled), times[0] if times else None, first, first + len(sampled)))
    return None if left else elements


def _holds(shape: _Shape, other: str, loads: Loads, now: Moment) -> bool:
    """A text with something else at each place, read by its shape, is what it is when it is read whole."""
    said, whole = shape.match(other), _whole(other, loads, now)
    return said is not None and whole is not None and shape.filled(said, now) == whole[:2]


def _whole(text: str, loads: Loads, now: Moment) -> tuple[UniqueId, MeterSampled, Mapping[str, object]] | None:
    """Unique id, readings and payload of a CALL of the charge point; None: it is no such CALL, or odd."""
    call = decode(text, loads)
    if not isinstance(call, Call) or call.mended or odd_keys(text, call.payload):
        return None
    request = read_request(call, Direction.TO_CENTRAL_SYSTEM, now)
    return (call.unique_id, request, call.payload) if isinstance(request, MeterSampled) else None
