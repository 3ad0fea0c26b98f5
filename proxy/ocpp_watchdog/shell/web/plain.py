"""Values of the core as plain JSON: field names as they are, unknown is null, moments are RFC 3339 in UTC.

``..._mono`` of the core becomes ``..._at``: the program's own clock means nothing outside. Id tags are masked in texts.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from enum import Enum

from ocpp_watchdog.core.decisions import ConnectorView, EpisodeView, StationView
from ocpp_watchdog.core.exercise import SelfTestView
from ocpp_watchdog.core.terms import Moment
from ocpp_watchdog.shell.ports import SelfTestState
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.owner import obstacle_text
from ocpp_watchdog.texts.selftest import end_lines, part_line, plan_lines, remedy
from ocpp_watchdog.texts.wording import iso, masked

Json = dict[str, object]

MONO = "_mono"


def station(seen: StationView, now: Moment) -> Json:
    """One charge point with its connectors."""
    shown = _fields(seen, now)
    shown["connectors"] = [connector(each, now) for each in seen.connectors]
    return shown


def connector(seen: ConnectorView, now: Moment) -> Json:
    """One connector. ``steps``: how often each step came to each outcome."""
    shown = _fields(seen, now)
    shown["steps"] = [
        {"step": str(step), "outcome": str(outcome), "times": times} for step, outcome, times in seen.steps
    ]
    return shown


def episode(charge_point: str, seen: EpisodeView, now: Moment) -> Json:
    """One episode, named with its charge point."""
    return {"charge_point": charge_point, **_fields(seen, now)}


def selftest(state: SelfTestState, now: Moment) -> Json:
    """The self-test of a connector, with what people are told of it, a line each."""
    where, test = (state.charge_point, state.connector), state.test
    if state.obstacle:
        text = {str(language): [obstacle_text(state.obstacle, *where, language)] for language in Language}
    else:
        text = {str(language): plan_lines(state.plan, where, language) for language in Language}
    return {
        "schema": "ocpp-watchdog/selftest/1",
        "charge_point": state.charge_point,
        "connector": state.connector,
        "obstacle": state.obstacle or None,
        "plan": [{"part": str(part.part), "amperes": part.amperes} for part in state.plan],
        "text": text,
        "test": None if test is None else _test(test, now),
    }


def _test(test: SelfTestView, now: Moment) -> Json:
    shown = _fields(test, now)
    shown["parts"] = [
        {
            **_fields(part, now),
            "text": {str(language): part_line(part, language) for language in Language} if part.found else None,
        }
        for part in test.parts
    ]
    shown["remedy"] = remedy(test) if test.is_over else None
    shown["text"] = {str(language): end_lines(test, language) for language in Language}
    return shown


def plain(value: object, now: Moment) -> object:
    """Any value of the core. now: turns monotonic seconds into times."""
    match value:
        case None | bool() | int():
            return value
        case Enum():
            return str(value.value)
        case str():
            return masked(value)
        case float():
            return value if math.isfinite(value) else None
        case Moment():
            return iso(value.utc)
        case Mapping():
            return {str(key): plain(each, now) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(each, now) for each in value]
        case _:
            return _fields(value, now)


def _fields(value: object, now: Moment) -> Json:
    shown: Json = {}
    for field in dataclasses.fields(value):  # type: ignore[arg-type]  # what is none raises, and is a bug of ours
        name, what = field.name, getattr(value, field.name)
        if name.endswith(MONO) and isinstance(what, float | int | None):
            shown[name.removesuffix(MONO) + "_at"] = None if what is None else iso(now.utc + what - now.mono)
        else:
            shown[name] = plain(what, now)
    return shown
