"""A report as files: Markdown with its charts, HTML, or JSON (``docs/report.schema.json``), by the name's ending."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from enum import Enum
from pathlib import PurePath

from ocpp_watchdog.report.chart import standalone
from ocpp_watchdog.report.html import html
from ocpp_watchdog.report.markdown import markdown
from ocpp_watchdog.report.model import Outcome, Report
from ocpp_watchdog.report.outline import Outline, outline
from ocpp_watchdog.report.wording import Speaker
from ocpp_watchdog.texts.catalogue import Language

SCHEMA = "ocpp-watchdog-report/1"
ENDINGS = (".html", ".md", ".json")


class UnknownEndingError(Exception):
    """The name of a report ends in nothing we can write."""


def checked(name: str) -> str:
    """The ending of a report's name. Raises UnknownEndingError."""
    ending = PurePath(name).suffix.lower()
    ending = {".htm": ".html", ".markdown": ".md"}.get(ending, ending)
    if ending not in ENDINGS:
        raise UnknownEndingError(f"{name}: the name of a report ends in .html, .md or .json")
    return ending


def document(report: Report, name: str, language: Language) -> dict[str, str]:
    """File names and their texts, the report itself first. Raises UnknownEndingError."""
    ending = checked(name)
    if ending == ".json":
        return {name: as_json(report)}
    said = outline(report, language)
    speaker = Speaker(report, language)
    if ending == ".html":
        return {name: html(said, speaker)}
    charts = _charts(said, PurePath(name).stem)
    return {name: markdown(said, speaker, list(charts))} | charts


def as_json(report: Report) -> str:
    """All values, for a program."""
    values = {"schema": SCHEMA, "totals": {outcome.value: report.total(outcome) for outcome in Outcome}}
    return json.dumps(values | asdict(report), indent=2, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(type(value))


def _charts(said: Outline, stem: str) -> dict[str, str]:
    drawings = [part.drawing for station in said.stations for part in station.connectors if part.drawing]
    return {f"{stem}-{number}.svg": standalone(drawing) for number, drawing in enumerate(drawings, 1)}
