"""Makes frames shareable: what OCPP's own words and numbers say stays, everything else goes.

It keeps what is known to be harmless instead of looking for what is secret: a field that nobody thought of is removed,
not leaked. What the judge reads survives, so that a redacted log has the verdicts of the log.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Mapping

from ocpp_watchdog.core.frames import Call, CallError, CallResult, Loads, decode
from ocpp_watchdog.report import vocabulary as words

REMOVED = "(removed)"
OWN_PREFIX = "wd-"
MOST_IDS = 20_000
SHORTEST_SECRET = 4

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.,]{5,20}\s?(?:[Zz]|[+-][0-9]{2}:?(?:[0-9]{2})?)?")
_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,12}(?:[.,][0-9]{0,6})?(?:[eE][+-]?[0-9]{1,2})?\s*")
_SETTING = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?")
_PRODUCT = re.compile(r"[\w .+()/-]{1,50}", re.ASCII)
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|@|://|(?:[0-9A-Fa-f]{2}[:-]){5}|[0-9]{9,}")
_LETTERS, _DIGITS = re.compile(r"[^\W\d_]"), re.compile(r"\d")


class Redactor:
    """One sharing: the same name always becomes the same placeholder."""

    def __init__(self, loads: Loads = json.loads) -> None:
        self._loads = loads
        self._charge_points: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._ids: OrderedDict[str, str] = OrderedDict()
        self._number = 0
        self._secrets: set[str] = set()

    def charge_point(self, name: str) -> str:
        """CP-1, CP-2 ..."""
        if name not in self._charge_points:
            self._charge_points[name] = f"CP-{len(self._charge_points) + 1}"
            self._remember(name)
        return self._charge_points[name]

    def original(self, placeholder: str) -> str:
        """Which charge point a placeholder stands for; itself where it is none of ours."""
        return next((name for name, given in self._charge_points.items() if given == placeholder), placeholder)

    def frame(self, text: str) -> str:
        """The frame with placeholders; one that cannot be read keeps nothing but its punctuation."""
        frame = decode(text, self._loads)
        match frame:
            case Call(unique_id, action, payload):
                said = action if action in words.ACTIONS else REMOVED
                message: list[object] = [2, self._id(unique_id), said, self._payload(payload)]
            case CallResult(unique_id, payload):
                message = [3, self._id(unique_id), self._payload(payload)]
            case CallError(unique_id, code, _):
                message = [4, self._id(unique_id), code if code in words.WORDS else REMOVED, "", {}]
            case _:
                return shape(text)
        return json.dumps(message, separators=(",", ":"))

    # -- values ----------------------------------------------------------------------------------------------------

    def _payload(self, payload: Mapping[str, object]) -> dict[str, object]:
        self._learn(payload)
        return self._object(payload)

    def _object(self, values: Mapping[str, object]) -> dict[str, object]:
        kept: dict[str, object] = {}
        for key, value in values.items():
            if key in {"key", "unknownKey"}:
                kept[key] = self._configuration_key(value)
            elif key == "value":
                kept[key] = self._value(value, values.get("key"), is_setting="key" in values)
            elif key in words.NESTED:
                kept[key] = self._nested(value)
            elif key in words.TIMES | words.NUMBERS | words.STATED | words.PRODUCT | words.TAGS | words.FREE:
                kept[key] = self._field(key, value)
        return kept

    def _nested(self, value: object) -> object:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self._object(item) if isinstance(item, dict) else REMOVED for item in value]
        return None if value is None else REMOVED

    def _field(self, key: str, value: object) -> object:
        if value is None or value == "" or isinstance(value, bool):
            return value
        if key in words.TAGS:
            return self._tag(value)
        if key in words.NUMBERS and isinstance(value, (int, float)):
            return value
        if not isinstance(value, str) or self._holds_a_secret(value):
            return REMOVED
        is_kept = (
            (key in words.TIMES and _TIME.fullmatch(value) is not None)
            or (key in words.NUMBERS and _SETTING.fullmatch(value) is not None)
            or (key in words.STATED and value.strip() in words.WORDS)
            or (key in words.PRODUCT and _PRODUCT.fullmatch(value) is not None and not _ADDRESS.search(value))
        )
        return value if is_kept else REMOVED

    def _value(self, value: object, name: object, *, is_setting: bool) -> object:
        """Of a sampled value: a number. Of a configuration key: only of a known one, a number or words of OCPP."""
        if isinstance(value, bool) or value is None or value == "":
            return value
        if not is_setting:
            if isinstance(value, (int, float)):
                return value
            is_number = isinstance(value, str) and _NUMBER.fullmatch(value) and value not in self._secrets
            return value if is_number else REMOVED
        if name not in words.CONFIGURATION_KEYS or not isinstance(value, str):
            return REMOVED
        parts = [part.strip() for part in value.split(",")]
        return value if all(_SETTING.fullmatch(part) or part in words.WORDS for part in parts) else REMOVED

    def _configuration_key(self, value: object) -> object:
        if isinstance(value, list):
            return [self._configuration_key(item) for item in value]
        return value if isinstance(value, str) and value in words.CONFIGURATION_KEYS else REMOVED

    # -- names -----------------------------------------------------------------------------------------------------

    def _tag(self, value: object) -> str:
        name = str(value)
        if name not in self._tags:
            self._tags[name] = f"TAG-{len(self._tags) + 1}"
        return self._tags[name]

    def _id(self, unique_id: str) -> str:
        if unique_id not in self._ids:
            self._number += 1
            self._ids[unique_id] = f"{OWN_PREFIX if unique_id.startswith(OWN_PREFIX) else 'm'}{self._number}"
            if len(self._ids) > MOST_IDS:
                self._ids.popitem(last=False)
        return self._ids[unique_id]

    def _learn(self, payload: Mapping[str, object]) -> None:
        """What stands where secrets stand must not survive elsewhere either."""
        for key, value in payload.items():
            if (key in words.TAGS or key in words.FREE) and isinstance(value, str):
                self._remember(value)
            elif isinstance(value, dict):
                self._learn(value)

    def _remember(self, secret: str) -> None:
        if len(secret) >= SHORTEST_SECRET and secret not in words.WORDS and len(self._secrets) < MOST_IDS:
            self._secrets.add(secret)

    def _holds_a_secret(self, value: str) -> bool:
        return any(secret in value for secret in self._secrets)


def shape(text: str) -> str:
    """Letters as x, digits as 9: how a text is built, and nothing of what it says."""
    return _DIGITS.sub("9", _LETTERS.sub("x", text))
