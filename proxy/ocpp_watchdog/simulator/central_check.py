"""Reads a charge point's message as evcc does, and words evcc's complaint when it is odd.

Recorded from the real evcc: the order of checks, the codes, the texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .central_frames import error_text, go_json
from .central_rules import PACKAGES, TO_CENTRAL_SYSTEM, TO_CHARGE_POINT, Rule
from .clock import posix_seconds

LONGEST_ID = 36
GO_NAMES = {str: "string", list: "array", dict: "object", bool: "bool", int: "number", float: "number"}
WANTED = {"string": str, "int": int, "float64": float, "time": str, "list": list, "object": dict}


@dataclass(frozen=True, slots=True)
class Asked:
    """A CALL that evcc acts on."""

    unique_id: str
    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """A CALLRESULT (``error_code`` None) or a CALLERROR. ``elements``: how many the list had."""

    unique_id: str
    payload: object
    error_code: str | None
    elements: int


@dataclass(frozen=True, slots=True)
class Complaint:
    """A message that gets a CALLERROR, ready to send."""

    text: str


def read(text: str) -> Asked | Answered | Complaint | None:
    """What a message is to evcc; None: it says nothing to it at all."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, list) or len(message) < 3:
        return None
    kind, unique_id = message[0], message[1]
    if isinstance(kind, bool) or not isinstance(kind, int | float):
        return None
    if not isinstance(unique_id, str) or not 0 < len(unique_id) <= LONGEST_ID:
        return None
    if kind == 2:
        return _read_call(unique_id, message)
    if kind == 3:
        return Answered(unique_id, message[2], None, len(message))
    if kind == 4:
        return Answered(unique_id, {}, message[2], len(message)) if isinstance(message[2], str) else None
    return Complaint(error_text(unique_id, "MessageTypeNotSupported", f"Invalid message type ID {kind:g}"))


def _read_call(unique_id: str, message: list[Any]) -> Asked | Complaint:
    if len(message) != 4:
        return _complain(unique_id, "FormationViolation", "Invalid Call message. Expected array length 4")
    action, payload = message[2], message[3]
    if not isinstance(action, str):
        said = f"Invalid element {go_json(action)} at 2, expected action (string)"
        return _complain(unique_id, "FormationViolation", said)
    rules = TO_CENTRAL_SYSTEM.get(action, TO_CHARGE_POINT.get(action))
    if rules is None:
        return _complain(unique_id, "NotSupported", f"Unsupported feature {action}")
    wrong = _check(action, payload, rules)
    if wrong is not None:
        return _complain(unique_id, *wrong)
    if action in TO_CHARGE_POINT:
        return _complain(unique_id, "NotSupported", f"unsupported action {action} on central system")
    return Asked(unique_id, action, payload or {})


def _complain(unique_id: str, code: str, said: str) -> Complaint:
    return Complaint(error_text(unique_id, code, said))


def _check(action: str, payload: Any, rules: Sequence[Rule]) -> tuple[str, str] | None:
    """The first complaint about a payload, as (code, description)."""
    if payload is None:
        payload = {}
    if not isinstance(payload, dict):
        package = PACKAGES.get(action, "core")
        given = GO_NAMES.get(type(payload), "value")
        return "FormationViolation", f"json: cannot unmarshal {given} into Go value of type {package}.{action}Request"
    wrong = _wrong_type(payload, rules, f"{action}Request", "")
    return ("FormationViolation", wrong) if wrong else _out_of_bounds(payload, rules, "Call.Payload", action)


def _wrong_type(payload: dict[str, Any], rules: Sequence[Rule], struct: str, path: str) -> str | None:
    """Go's words for the first value that does not fit its field, in the order of the payload."""
    by_name = {rule.name: rule for rule in rules}
    for name, value in payload.items():
        rule = by_name.get(name)
        if rule is None or value is None or rule.kind == "any":
            continue
        where = f"{path}{name}"
        if not _fits(value, rule):
            given = GO_NAMES[type(value)]
            wanted = {"list": f"[]types.{rule.struct}", "time": "string"}.get(rule.kind, rule.kind)
            return f"json: cannot unmarshal {given} into Go struct field {struct}.{where} of type {wanted}"
        if rule.kind == "time" and posix_seconds(value) is None:
            return _wrong_time(value)
        for item in value if rule.kind == "list" else ():
            inner = _wrong_type(item, rule.inner, rule.struct, f"{where}.") if isinstance(item, dict) else None
            if inner:
                return inner
    return None


def _fits(value: object, rule: Rule) -> bool:
    if isinstance(value, bool):
        return False
    if rule.kind == "float64":
        return isinstance(value, int | float)
    return isinstance(value, WANTED[rule.kind])


def _wrong_time(text: str) -> str:
    if not text:
        return 'iso8601: Cannot parse "": month 0 is not in range 1-12'
    odd = re.search(r"[^0-9TZ:.+-]", text)
    return f"iso8601: Unexpected character `{odd.group() if odd else text[-1]}`"


def _out_of_bounds(payload: dict[str, Any], rules: Sequence[Rule], path: str, action: str) -> tuple[str, str] | None:
    """The complaint about the first field, in the order of the rules, that is missing, too long or unknown."""
    for rule in rules:
        where, value = f"{path}.{rule.go}", payload.get(rule.name)
        wrong = _bounds(rule, value, where, action)
        if wrong:
            return wrong
        for index, item in enumerate(value if rule.kind == "list" and value else ()):
            wrong = _out_of_bounds(item if isinstance(item, dict) else {}, rule.inner, f"{where}[{index}]", action)
            if wrong:
                return wrong
    return None


def _bounds(rule: Rule, value: Any, where: str, action: str) -> tuple[str, str] | None:
    if rule.required and (value is None or value == ""):
        return "OccurenceConstraintViolation", f"Field {where} required but not found for feature {action}"
    too, constraint = None, "PropertyConstraintViolation"
    if rule.kind == "int":
        number = value or 0
        if rule.least is not None and number < rule.least:
            too = f"must be >= {rule.least}, but was {number}"
        if rule.above is not None and number <= rule.above:
            too = f"must be > {rule.above}, but was {number}"
    elif value is None:
        return None
    elif rule.longest is not None and len(value) > rule.longest:
        too = f"must be maximum {rule.longest}, but was {len(value)}"
    elif rule.kind == "list" and rule.least is not None and len(value) < rule.least:
        too = f"must be minimum {rule.least}, but was {len(value)}"
    elif rule.choice is not None and value and value not in rule.choice[0]:
        name = where.rsplit(".", 1)[1]
        said = f"Key: '{where}' Error:Field validation for '{name}' failed on the '{rule.choice[1]}' tag"
        return "GenericError", said
    return (constraint, f"Field {where} {too} for feature {action}") if too else None
