"""What is known of a device, for a person to read or a program: the verb ``knowledge``, and part of reports."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from ocpp_watchdog.knowledge.facts import DeviceFile
from ocpp_watchdog.knowledge.matcher import Applies, Known, KnownFact
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.device_words import DEVICES

WIDTH = 110
INDENT = "    "


def listing(files: Sequence[DeviceFile], language: Language) -> list[str]:
    """The devices there are, a line each."""
    lines = [DEVICES["list"](language, count=str(len(files)))]
    for file in files:
        releases = [release.version for release in file.firmware.releases] or ["-"]
        span = releases[0] if len(releases) == 1 else f"{releases[0]}-{releases[-1]}"
        entry = DEVICES["entry"](
            language,
            title=file.title,
            facts=str(len(file.facts)),
            vendor="/".join(file.match.vendor_contains),
            model="/".join(file.match.model_contains),
            releases=span,
        )
        lines.append(f"  {entry}")
    return lines


def sheet(known: Known, vendor: str, model: str, language: Language) -> list[str]:
    """Everything known of one device, the weightiest first."""
    if not known:
        return [DEVICES["nothing"](language, vendor=vendor, model=model)]
    key = "head.may" if known.version is None else "head"
    head = DEVICES[key](language, title=known.title, version=known.version_text, facts=str(len(known.facts)))
    lines = [head]
    if known.policy_changes:
        changes = ", ".join(f"{name} {_value(value)}" for name, value in sorted(known.policy_changes.items()))
        lines.append(DEVICES["judged"](language, changes=changes))
    if known.firmware_advice:
        lines.append(DEVICES["firmware"](language, advice=known.firmware_advice[language.value]))
    for fact in known.facts:
        lines += ["", *fact_lines(fact, language)]
    sources = sorted({source for fact in known.facts for source in fact.sources})
    return [*lines, "", DEVICES["sources"](language, sources="; ".join(sources))]


def fact_lines(known: KnownFact, language: Language) -> list[str]:
    """One fact in some lines, with whether it applies, its condition and its advice."""
    weight = DEVICES[f"weight.{known.weight}"](language)
    mark = DEVICES[f"applies.{known.applies}"](language, weight=weight)
    fact = known.fact
    said = [known.text(language.value)]
    if fact.condition is not None:
        said.append(DEVICES["condition"](language, text=fact.condition.say(language.value)))
    if fact.advice is not None:
        said.append(DEVICES["advice"](language, text=fact.advice.say(language.value)))
    lines = [f"{known.id}  [{mark}]  {fact.topic}"]
    for paragraph in said:
        lines += textwrap.wrap(paragraph, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
    return lines


def as_values(known: Known) -> dict[str, object]:
    """The same for a program."""
    return {
        "device": known.name,
        "title": known.title,
        "firmware": known.version_text,
        "policy": known.policy_changes,
        "advice": dict(known.firmware_advice),
        "facts": [
            {
                "id": known_fact.id,
                "applies": known_fact.applies is Applies.YES,
                "sources": list(known_fact.sources),
                **known_fact.fact.model_dump(mode="json", exclude={"id", "sources"}, exclude_none=True, by_alias=True),
            }
            for known_fact in known.facts
        ],
    }


def file_values(files: Sequence[DeviceFile]) -> list[dict[str, object]]:
    """The devices there are, for a program."""
    return [
        {"device": file.device, "title": file.title, "match": file.match.model_dump(), "facts": len(file.facts)}
        for file in files
    ]


def _value(value: float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"
