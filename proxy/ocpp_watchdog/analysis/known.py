"""The knowledge about devices, as a report wants it."""

from __future__ import annotations

from ocpp_watchdog.knowledge.library import recognise
from ocpp_watchdog.knowledge.matcher import Applies, KnownFact
from ocpp_watchdog.report.model import DeviceFact

MOST_FACTS = 60


def explain(vendor: str, model: str, firmware: str, language: str) -> tuple[DeviceFact, ...]:
    """What is known of a device: advice about its firmware first, then what surely applies, then what may."""
    known = recognise(vendor, model, firmware)
    if not known:
        return ()
    advice = known.firmware_advice.get(language, "")
    head = (DeviceFact(advice, "", "advice"),) if advice else ()
    facts = sorted(known.facts, key=lambda fact: fact.applies is not Applies.YES)
    return head + tuple(_fact(fact, language) for fact in facts[:MOST_FACTS])


def _fact(known: KnownFact, language: str) -> DeviceFact:
    return DeviceFact(
        f"{known.id}: {known.text(language)}", ", ".join(known.sources), known.weight.value, known.advice(language)
    )
