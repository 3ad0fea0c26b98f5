"""Whether a command that passes meets a known hazard: payload and circumstances against the conditions of a fact."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ocpp_watchdog.core.devices import Circumstances, Passing
from ocpp_watchdog.core.timestamps import timestamp
from ocpp_watchdog.knowledge.facts import Hazard
from ocpp_watchdog.knowledge.versions import Version, is_within, running_version

MOST_CHARACTERS = 1_000
LOCATIONS = ("location", "firmware.location")
"""Where UpdateFirmware and SignedUpdateFirmware name the file."""


def is_met(hazard: Hazard, passing: Passing, running: Version | None, pattern: str) -> bool:
    """Every condition holds. running: the firmware's version; pattern: finds a version in the name of an image."""
    if passing.action not in hazard.actions:
        return False
    if hazard.answered != () if passing.answer is None else passing.answer not in hazard.answered:
        return False
    return (
        _payload_is_meant(hazard, passing.payload, passing.circumstances.utc)
        and _image_is_meant(hazard, passing.payload, running, pattern)
        and _moment_is_meant(hazard, passing.circumstances)
    )


def _payload_is_meant(hazard: Hazard, payload: Mapping[str, object], utc: float) -> bool:
    return (
        all(_text(payload, path).lower() in map(str.lower, words) for path, words in hazard.fields.items())
        and all(re.search(pattern, _text(payload, path)) for path, pattern in hazard.matches.items())
        and all(_is_above(field_at(payload, path), least) for path, least in hazard.above.items())
        and all(
            not low <= len(_text(payload, path).encode()) <= high for path, (low, high) in hazard.length_outside.items()
        )
        and all((timestamp(field_at(payload, path)) or 0.0) > utc for path in hazard.later)
    )


def _image_is_meant(hazard: Hazard, payload: Mapping[str, object], running: Version | None, pattern: str) -> bool:
    if hazard.target is None and not hazard.same_version:
        return True
    target = target_version(payload, pattern)
    if target is None:
        return False
    if hazard.same_version and target != running:
        return False
    wanted = hazard.target
    return wanted is None or is_within(target, wanted.first, wanted.last, wanted.only)


def _moment_is_meant(hazard: Hazard, now: Circumstances) -> bool:
    fresh = hazard.without_restart_seconds
    if fresh is not None:
        since = now.since_boot_seconds
        if since is not None and since <= fresh and not now.updates_since_boot:
            return False
    return (
        _is_within(now.since_connect_seconds, hazard.after_connect_seconds)
        and _is_within(now.since_start_seconds, hazard.after_start_seconds)
        and (not hazard.repeated or now.updates_since_boot > 0)
        and (not hazard.firmware_status or now.firmware_status in hazard.firmware_status)
        and (not hazard.transaction or now.transaction_open)
        and (not hazard.unavailable or now.is_unavailable)
    )


def _is_within(since: float | None, most: float | None) -> bool:
    return most is None or (since is not None and since <= most)


def target_version(payload: Mapping[str, object], pattern: str) -> Version | None:
    """The version an UpdateFirmware brings, by the name of its file; None: the name does not say."""
    for path in LOCATIONS:
        location = _text(payload, path)
        if location:
            return running_version(location.partition("?")[0].rpartition("/")[2], pattern)
    return None


def field_at(payload: Mapping[str, object], path: str) -> object:
    """The value at a dotted path; the first element where a list stands. None: there is none."""
    value: object = payload
    for name in path.split("."):
        if isinstance(value, list):
            value = value[0] if value else None
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _text(payload: Mapping[str, object], path: str) -> str:
    value = field_at(payload, path)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)[:MOST_CHARACTERS]


def _is_above(value: object, least: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > least
