"""Which setting is in effect and where it comes from, readable and without secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr

from ocpp_watchdog.setting_kinds import JournalUrl
from ocpp_watchdog.settings import Settings, sources_of

MASK = "********"


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting in effect. value: readable, a secret masked. source: flag, environment, the file's path, default."""

    name: str
    value: str
    source: str


def effective(settings: Settings) -> list[Effective]:
    """Every setting with the place it comes from, in the order of the sample file."""
    sources = sources_of(settings)
    return [
        Effective(
            ".".join(path), _shown(value), next((name for name, values in sources if _holds(values, path)), "default")
        )
        for path, value in _leaves(settings, ())
    ]


def changes(before: Settings, after: Settings) -> list[str]:
    """Names of the settings that differ."""
    old, new = dict(_leaves(before, ())), dict(_leaves(after, ()))
    return [".".join(path) for path in {**old, **new} if old.get(path) != new.get(path)]


def _leaves(section: BaseModel, prefix: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    for name in type(section).model_fields:
        value, path = getattr(section, name), (*prefix, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, path)
        elif isinstance(value, dict) and not all(isinstance(own, BaseModel) for own in value.values()):
            yield path, tuple(f"{key}={own}" for key, own in value.items())
        elif isinstance(value, dict):
            yield path, tuple(value)
            for charge_point, own in value.items():
                leaves = _leaves(own, (*path, charge_point))
                yield from ((inner, said) for inner, said in leaves if said is not None)
        elif name != "config":
            yield path, tuple(sorted(value)) if isinstance(value, frozenset) else value


def _holds(values: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    place: Any = values
    for step in path:
        if not isinstance(place, Mapping) or step not in place:
            return False
        place = place[step]
    return True


def _shown(value: object) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, JournalUrl):
        return value.shown
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
