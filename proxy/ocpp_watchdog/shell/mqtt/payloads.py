"""What is seen, as the JSON that goes to the broker. Pure; nothing in it depends on when it is asked for, so that what
has not changed is equal to what was sent before.

Only numbers, words of the rules and what a charge point says it is: neither frames nor id tags. Unknown is null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ocpp_watchdog.core.decisions import ConnectorView, EpisodeView, StationView, StepRecord
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.terms import Moment
from ocpp_watchdog.shell.mqtt.topics import OFF, ON
from ocpp_watchdog.texts.wording import iso

Json = dict[str, object]

NO_FINDINGS = "-"
MOST_STEPS = 20


def station_state(seen: StationView) -> Json:
    """A charge point without its connectors."""
    return {
        "charge_point": clean(seen.charge_point),
        "connected": switch(seen.connected),
        "mode": str(seen.mode),
        "maintenance": switch(seen.maintenance_until is not None),
        "maintenance_until": time(seen.maintenance_until),
        "vendor": clean(seen.vendor),
        "model": clean(seen.model),
        "firmware": clean(seen.firmware),
    }


def connector_state(seen: ConnectorView) -> Json:
    """What the judge says of one connector."""
    ordered, in_force = seen.commanded, seen.in_force
    return {
        "connector": seen.connector,
        "phase": str(seen.phase),
        "stop_ignored": switch(seen.episode is not None and seen.episode.ended is None),
        "ordered_amperes": None if ordered is None else number(ordered.amperes),
        "ordered_watts": None if ordered is None else number(ordered.watts),
        "in_force_amperes": None if in_force is None else number(in_force.amperes),
        "status": None if seen.status is None else str(seen.status),
        "transaction": seen.transaction_open,
        "findings": ", ".join(sorted(str(found.kind) for found in seen.findings)) or NO_FINDINGS,
        "energy_against_orders": number(round(seen.energy_against_orders_wh, 1)),
        "episodes": seen.episodes_total,
        "is_inoperative": seen.is_inoperative,
    }


def reading_state(reading: Reading, at: Moment) -> Json:
    """The last meter values: amperes per phase, watts, and the register in watt-hours."""
    lines = {f"current_l{line}": number(current) for line, current in enumerate(reading.currents, 1)}
    return {
        "at": time(at),
        **lines,
        "current": number(reading.highest_current),
        "power": number(reading.power),
        "energy": number(reading.energy),
    }


def episode_state(episode: EpisodeView) -> Json:
    """An ignored stop: the open one, or the last."""
    return {
        "number": episode.number,
        "is_open": episode.ended is None,
        "ordered": time(episode.ordered),
        "answer": episode.answer,
        "opened": time(episode.opened),
        "ended": time(episode.ended),
        "ending": None if episode.ending is None else str(episode.ending),
        "energy_wh": number(round(episode.energy_wh, 1)),
        "alarm_only": episode.alarm_only,
        "transaction_ended": episode.transaction_ended,
        "steps": [_step(step) for step in episode.steps[-MOST_STEPS:]],
    }


def event(body: Mapping[str, object], text: str) -> Json:
    """A notice, from the body that the web hook sends. text: its sentence in the owner's language."""
    return {
        "event_type": body["kind"],
        "severity": body["severity"],
        "at": body["at"],
        "charge_point": clean(str(body["charge_point"] or "")),
        "connector": body["connector"],
        "text": clean(text),
    }


def _step(step: StepRecord) -> Json:
    return {"kind": str(step.kind), "outcome": str(step.outcome), "decided": time(step.decided), "why": step.why}


def switch(is_on: bool) -> str:
    """As Home Assistant's switches and binary sensors say it."""
    return ON if is_on else OFF


def time(moment: Moment | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if moment is None else iso(moment.utc)


def number(value: float | None) -> float | None:
    """JSON knows neither NaN nor infinity."""
    return value if value is not None and math.isfinite(value) else None


def clean(text: str) -> str:
    """A peer's text without what forges lines or cannot be UTF-8."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
