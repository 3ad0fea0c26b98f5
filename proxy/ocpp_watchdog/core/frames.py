"""Text of one message <-> Call | CallResult | CallError | Opaque (OCPP-J 1.6 §4).

Knows the shape of the outer array and nothing of payloads. What a peer sends is never trusted and never raises here:
what cannot be read becomes ``Opaque``. It is only looked at; the original text is what travels on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ocpp_watchdog.core.terms import UniqueId

Loads = Callable[[str], object]
"""A JSON decoder: ``json.loads``, or a faster one. It may raise ValueError, OverflowError and RecursionError."""

MAX_UNIQUE_ID = 255
"""OCPP-J allows 36 characters; charge points send longer ones, and a megabyte is not an id."""

MAX_NESTING = 256
"""OCPP needs six levels. What lies deeper is harmless to read and dangerous to print or compare."""

MAX_MENDED = 65_536
"""Longer texts are not mended: broken ones met so far are shorter than 2,000 characters."""

_CALL, _CALLRESULT, _CALLERROR = 2, 3, 4

# A string literal runs to its quote, or to the end when it has none: each scan below stays linear on any text.
_STRING = r'"(?:[^"\\]++|\\[^\x00-\x1f])*+"?+'
_BRACKETS = re.compile(_STRING + r"|[\[\]{}]", re.DOTALL)
_TOKENS = re.compile(_STRING + r'|[\[\]{}:,]|[^\x00-\x20\ufeff"\[\]{}:,]+', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f]+")
_BETWEEN = "".join(map(chr, range(33))) + "\ufeff"
_LOOKS_LIKE_A_CALL = re.compile(r"[\x00-\x20\ufeff]*+\[[\x00-\x20]*+2[\x00-\x20]*+,")


@dataclass(frozen=True, slots=True)
class Call:
    """A CALL. mended: the text was no JSON and was repaired for reading; its receiver may not have read it at all."""

    unique_id: UniqueId
    action: str
    payload: Mapping[str, object]
    mended: bool = False


@dataclass(frozen=True, slots=True)
class CallResult:
    """A CALLRESULT. payload: empty when it is missing, null or no object; it is an answer all the same."""

    unique_id: UniqueId
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CallError:
    """A CALLERROR, also with elements missing; then code and description are empty."""

    unique_id: UniqueId
    code: str
    description: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """What cannot be read. reason: json, nesting, shape, type, unique_id, action or payload."""

    reason: str


Frame = Call | CallResult | CallError | Opaque


def decode(text: str, loads: Loads) -> Frame:
    """Read one message, as a receiver would.

    A CALL has exactly four elements (a null payload counts as empty), as evcc demands; answers are taken in any length
    from two on, because a malformed refusal is a refusal. A type of 2.0 or true, and an id that is no string, are
    nothing. Raises nothing, whatever the text.
    """
    try:
        return Opaque("nesting") if _nests_too_deep(text) else _frame(loads(text), mended=False)
    except RecursionError:
        return Opaque("nesting")
    except (ValueError, OverflowError):
        return _decode_mended(text, loads)


def encode_payload(payload: Mapping[str, object]) -> str:
    """The payload of a CALL of ours as text: compact, ASCII, because some charge points cannot take blanks."""
    return json.dumps(dict(payload), separators=(",", ":"), allow_nan=False)


def encode_call(unique_id: str, action: str, payload: str) -> str:
    """The text of a CALL of ours. payload: as ``encode_payload`` gives it."""
    head = json.dumps([_CALL, unique_id, action], separators=(",", ":"))
    return f"{head[:-1]},{payload}]"


def _nests_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_NESTING:
        return False
    depth = 0
    for match in _BRACKETS.finditer(text):
        token = match.group()
        if token in ("[", "{"):
            depth += 1
            if depth > MAX_NESTING:
                return True
        elif token in ("]", "}"):
            depth -= 1
    return False


def _frame(message: object, *, mended: bool) -> Frame:
    if not isinstance(message, list) or len(message) < 2:
        return Opaque("shape")
    kind, unique_id = message[0], message[1]
    if type(kind) is not int:  # True == 1 and 2.0 == 2, but neither is a message type
        return Opaque("type")
    if type(unique_id) is not str or len(unique_id) > MAX_UNIQUE_ID:
        return Opaque("unique_id")
    if kind == _CALL:
        return _call(UniqueId(unique_id), message, mended=mended)
    if kind == _CALLRESULT:
        return CallResult(UniqueId(unique_id), _mapping(message[2] if len(message) > 2 else None) or {})
    if kind == _CALLERROR:
        code, description, *_ = [*message[2:], "", ""]
        return CallError(UniqueId(unique_id), _text(code), _text(description))
    return Opaque("type")


def _call(unique_id: UniqueId, message: list[object], *, mended: bool) -> Call | Opaque:
    if len(message) != 4:
        return Opaque("shape")
    action, payload = message[2], _mapping(message[3])
    if not isinstance(action, str):
        return Opaque("action")
    return Opaque("payload") if payload is None else Call(unique_id, action, payload, mended)


def _mapping(value: object) -> Mapping[str, object] | None:
    """null counts as empty: evcc answers such a CALL like any other."""
    if value is None:
        return {}
    return value if isinstance(value, dict) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


# -- mending: some charge points send invalid JSON exactly while they charge (corpus, quirk 1) ---------------------


def _decode_mended(text: str, loads: Loads) -> Call | Opaque:
    if len(text) > MAX_MENDED or not _LOOKS_LIKE_A_CALL.match(text):
        return Opaque("json")
    mended = _mend(text)
    if mended is None:
        return Opaque("json")
    try:
        frame = _frame(loads(mended), mended=True)
    except (ValueError, OverflowError, RecursionError):
        return Opaque("json")
    return frame if isinstance(frame, Call) else Opaque("json")


def _mend(text: str) -> str | None:
    """The first message of a text, with the repairs that can only mean one thing; None: more than that is wrong.

    Commas with nothing before or after them go, a missing value becomes null, control characters go. Inside string
    literals nothing else is touched.
    """
    kept: list[str] = []
    before, depth = "", 0
    for match in _TOKENS.finditer(text):
        token = match.group()
        if token == "," and before in ("[", "{", ","):
            continue
        if token in (",", "]", "}") and before == ":":
            kept.append("null")
        if token in ("[", "{"):
            depth += 1
        elif token in ("]", "}"):
            depth -= 1
            if before == ",":
                kept.pop()
        elif token[0] == '"':
            token = _CONTROL.sub("", token)
        kept.append(token)
        if depth == 0:
            rest = text[match.end() :].strip(_BETWEEN)
            return " ".join(kept) if rest[:1] in ("", "[") else None
        before = token
    return None
