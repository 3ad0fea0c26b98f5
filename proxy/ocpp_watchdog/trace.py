"""One frame <-> one line of an Open OCPP Trace file (schema 1.1): what the journal writes and ``analyze`` reads.

Pure: no file, no clock. What the format has no word for (the monotonic clock, the session, who wrote it) stands under
``meta``, as the format asks; ``docs/trace.md`` lists it. Reading is lenient: unknown keys are ignored, and whatever is
no line of a trace is None. Writing is for the hot path: two strings are escaped and the rest is pasted together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.core.terms import Direction

_ascii, _quick = json.encoder.encode_basestring_ascii, json.encoder.encode_basestring
_TO_CENTRAL, _TO_CHARGE_POINT = "cp-to-csms", "csms-to-cp"
_DIRECTIONS = {_TO_CENTRAL: Direction.TO_CENTRAL_SYSTEM, _TO_CHARGE_POINT: Direction.TO_CHARGE_POINT}
# What nearly every frame begins with: `[2,"id","Action",` or `[3,"id",`, the strings without anything escaped.
_PLAIN = r'("[ !#-\[\]-~]*")'
_PLAIN_HEAD = re.compile(rf"\s*\[\s*(?:2\s*,\s*{_PLAIN}\s*,\s*{_PLAIN}\s*,|3\s*,\s*{_PLAIN}\s*[,\]])", re.ASCII)

# How ``Lines`` begins and ends a line of a frame that was forwarded as it came; between the two stands the frame.
_OWN_HEAD = re.compile(
    r'\{"schemaVersion":"1\.1","timestamp":"([0-9T:.Z-]{20,27})","ocppVersion":"1\.6","transport":"json","chargePointId":'
    rf'{_PLAIN},"direction":"(cp-to-csms|csms-to-cp)","messageType":"CALL(?:RESULT)?","messageId":{_PLAIN},'
    rf'(?:"action":{_PLAIN},)?"raw":"',
    re.ASCII,
)
_OWN_END, _OWN_META = (
    '","meta":{"mono":',
    re.compile(rf'([0-9]{{1,15}}\.[0-9]{{6}})(?:,"session":{_PLAIN})?\}}\}}', re.ASCII),
)


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One frame as it stands in a trace.

    utc: POSIX seconds (kept to the microsecond). mono: the monotonic clock of whoever wrote it, None in foreign files.
    session: which connection it belongs to, empty where nobody said. text: the message as it went over the wire.
    ours: written by the proxy itself. withheld: kept from the side it was meant for (answers to our own CALLs, frames a
    repair has answered). decodable: it could be read as OCPP-J. original: what came, where a repair changed it (then
    text is what was sent). note: a few words, such as the name of the repair.
    """

    utc: float
    charge_point: str
    direction: Direction
    text: str
    mono: float | None = None
    session: str = ""
    ours: bool = False
    withheld: bool = False
    decodable: bool = True
    original: str | None = None
    note: str = ""


def encode(line: TraceLine) -> str:
    """The line, without its end. The same values give the same text; it is ASCII whatever the frame holds.

    A frame that cannot be read has no message type: such a line stays outside the format's schema, which knows no word
    for it, and readers of the format skip it.
    """
    way = _TO_CENTRAL if line.direction is Direction.TO_CENTRAL_SYSTEM else _TO_CHARGE_POINT
    return (
        f'{{"schemaVersion":"1.1","timestamp":"{stamp(line.utc)}","ocppVersion":"1.6","transport":"json",'
        f'"chargePointId":{_escaped(line.charge_point)},"direction":"{way}",'
        f'{_envelope(line) if line.decodable else ""}"raw":{_escaped(line.text)},"meta":{_meta(line)}}}'
    )


class Lines:
    """Lines of one connection: the same as those of ``encode``, with what all of them share put together once."""

    __slots__ = ("_down", "_tail", "_up")

    def __init__(self, charge_point: str, session: str) -> None:
        head = f'","ocppVersion":"1.6","transport":"json","chargePointId":{_escaped(charge_point)},"direction":"'
        self._up, self._down = f'{head}{_TO_CENTRAL}",', f'{head}{_TO_CHARGE_POINT}",'
        self._tail = f',"session":{_escaped(session)}}}}}' if session else "}}"

    def forwarded(self, utc: float, mono: float, direction: Direction, text: str) -> str:
        """The line of a frame that was forwarded as it came and can be read."""
        match = _PLAIN_HEAD.match(text)
        if match is None:
            envelope = _slow_envelope(text)
        else:
            call_id, action, answer_id = match.groups()
            if call_id is not None:
                envelope = f'"messageType":"CALL","messageId":{call_id},"action":{action},'
            else:
                envelope = f'"messageType":"CALLRESULT","messageId":{answer_id},'
        head = self._up if direction is Direction.TO_CENTRAL_SYSTEM else self._down
        return (
            f'{{"schemaVersion":"1.1","timestamp":"{stamp(utc)}{head}{envelope}"raw":{_escaped(text)},'
            f'"meta":{{"mono":{mono:.6f}{self._tail}'
        )


def decode(text: str, loads: Loads = json.loads) -> TraceLine | None:
    """The frame of one line; None: this is no line of a trace (no JSON object, no time, no direction, no frame).

    The frame is ``raw`` as it stands; without it, it is put together from the other fields (it then reads the same, and
    is not what went over the wire to the byte). Raises nothing, whatever the text.
    """
    own = _own(text)
    if own is not None:
        return own
    try:
        record = loads(text)
    except (ValueError, OverflowError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    utc, direction = _utc(record.get("timestamp")), _DIRECTIONS.get(_string(record.get("direction")))
    frame = record.get("raw")
    if not isinstance(frame, str):
        frame = _recomposed(record)
    if utc is None or direction is None or frame is None:
        return None
    return _line(record, utc, direction, frame)


def _escaped(text: str) -> str:
    """As a JSON string in ASCII; of what is ASCII already, the plain form is the same and takes half the time."""
    return _quick(text) if text.isascii() else _ascii(text)


def stamp(utc: float) -> str:
    """RFC 3339 in UTC with microseconds: ``2026-08-12T15:19:09.250000Z``."""
    whole, micros = divmod(round(utc * 1_000_000), 1_000_000)
    return f"{_second(whole)}.{micros:06d}Z"


@lru_cache(maxsize=64)
def _second(utc: int) -> str:
    return datetime.fromtimestamp(utc, UTC).strftime("%Y-%m-%dT%H:%M:%S")


# -- writing -----------------------------------------------------------------------------------------------------


def _envelope(line: TraceLine) -> str:
    match = _PLAIN_HEAD.match(line.text)
    if match is not None:
        call_id, action, answer_id = match.groups()
        if call_id is not None:
            return f'"messageType":"CALL","messageId":{call_id},"action":{action},'
        return f'"messageType":"CALLRESULT","messageId":{answer_id},'
    return _slow_envelope(line.text)


def _slow_envelope(text: str) -> str:
    """CALLERRORs, escaped ids, and whatever only looked readable (then nothing)."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(message, list) or len(message) < 2 or not isinstance(message[1], str):
        return ""
    kind, unique_id, *rest = message
    head = f'"messageId":{_escaped(unique_id)},'
    if kind == 2 and rest and isinstance(rest[0], str):
        return f'"messageType":"CALL",{head}"action":{_escaped(rest[0])},'
    if kind == 3:
        return f'"messageType":"CALLRESULT",{head}'
    if kind == 4:
        code, description = (_escaped(_string(part)) for part in [*rest, "", ""][:2])
        return f'"messageType":"CALLERROR",{head}"error":{{"code":{code},"description":{description}}},'
    return ""


def _meta(line: TraceLine) -> str:
    parts = []
    if line.mono is not None:
        parts.append(f'"mono":{line.mono:.6f}')
    if line.session:
        parts.append(f'"session":{_escaped(line.session)}')
    if line.ours:
        parts.append('"ours":true')
    if line.withheld:
        parts.append('"withheld":true')
    if not line.decodable:
        parts.append('"decodable":false')
    if line.original is not None:
        parts.append(f'"original":{_escaped(line.original)}')
    if line.note:
        parts.append(f'"note":{_escaped(line.note)}')
    return "{" + ",".join(parts) + "}"


# -- reading -----------------------------------------------------------------------------------------------------


def _own(text: str) -> TraceLine | None:
    """A line that looks exactly like one of ``Lines``, with nothing but quotation marks escaped: what ``decode`` gives,
    without a JSON decoder. None: any other."""
    head, end = _OWN_HEAD.match(text), text.rfind(_OWN_END)
    meta = None if head is None or end < head.end() else _OWN_META.fullmatch(text, end + len(_OWN_END))
    if head is None or meta is None:
        return None
    raw = text[head.end() : end]
    bare = raw.replace('\\"', "")
    if '"' in bare or "\\" in bare or not bare.isprintable():
        return None
    utc, charge_point, way, *_ = head.groups()
    at, session = _utc(utc), meta[2]
    if at is None:
        return None
    frame = raw.replace('\\"', '"')
    return TraceLine(
        at, charge_point[1:-1], _DIRECTIONS[way], frame, float(meta[1]), "" if session is None else session[1:-1]
    )  # fmt: skip


def _line(record: Mapping[str, object], utc: float, direction: Direction, frame: str) -> TraceLine:
    found = record.get("meta")
    meta: Mapping[str, object] = found if isinstance(found, dict) else {}
    mono, original = meta.get("mono"), meta.get("original")
    return TraceLine(
        utc,
        _string(record.get("chargePointId")),
        direction,
        frame,
        mono=float(mono) if isinstance(mono, (int, float)) and not isinstance(mono, bool) else None,
        session=_string(meta.get("session")),
        ours=meta.get("ours") is True,
        withheld=meta.get("withheld") is True,
        decodable=meta.get("decodable") is not False,
        original=original if isinstance(original, str) else None,
        note=_string(meta.get("note")),
    )


def _recomposed(record: Mapping[str, object]) -> str | None:
    """The frame of a record that carries its fields only."""
    kind, unique_id = record.get("messageType"), record.get("messageId")
    payload = record.get("payload", {})
    message: list[object]
    if not isinstance(unique_id, str):
        return None
    if kind == "CALL" and isinstance(record.get("action"), str):
        message = [2, unique_id, record["action"], payload]
    elif kind == "CALLRESULT":
        message = [3, unique_id, payload]
    elif kind == "CALLERROR":
        found = record.get("error")
        error: Mapping[str, object] = found if isinstance(found, dict) else {}
        details = error.get("details", {})
        message = [4, unique_id, _string(error.get("code")), _string(error.get("description")), details]
    else:
        return None
    return json.dumps(message, separators=(",", ":"))


def _utc(value: object) -> float | None:
    """POSIX seconds of an RFC 3339 time; one without an offset is taken as UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
