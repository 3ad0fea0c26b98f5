"""Who is it, and what is known of it: vendor, model and firmware against the device files. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from ocpp_watchdog.core.decisions import Explanation, Severity
from ocpp_watchdog.core.devices import Danger, Passing
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.knowledge.facts import DeviceFile, Fact, Weight
from ocpp_watchdog.knowledge.hazards import is_met
from ocpp_watchdog.knowledge.versions import Version, is_within, running_version

ORDER = {Weight.BLOCK: 0, Weight.WARN: 1, Weight.ADJUST: 2, Weight.INFO: 3}


class Applies(StrEnum):
    """YES: this version is meant. MAY: the version is unknown, and not every one is meant."""

    YES = "yes"
    MAY = "may"


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact with whether it applies. sources: where it can be read."""

    fact: Fact
    applies: Applies
    sources: tuple[str, ...]

    @property
    def id(self) -> str:
        """Its name in the knowledge."""
        return self.fact.id

    @property
    def weight(self) -> Weight:
        """How much it weighs."""
        return self.fact.weight

    def text(self, language: str = "en") -> str:
        """What is so, and what follows, in ``de`` or ``en``."""
        return self.fact.text(language)

    def advice(self, language: str = "en") -> str:
        """What to do about it; empty when there is nothing."""
        return "" if self.fact.advice is None else self.fact.advice.say(language)


@dataclass(frozen=True)
class Known:
    """What is known of one device. name: of its file, empty when no file is about it; version None: unknown.

    kept: names of policy values that are the owner's own, and are never changed from here. repaired: repairs that are
    switched on.
    """

    name: str = ""
    title: str = ""
    version: Version | None = None
    facts: tuple[KnownFact, ...] = ()
    pattern: str = ""
    firmware_advice: Mapping[str, str] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    repaired: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Something is known."""
        return bool(self.facts)

    @property
    def version_text(self) -> str:
        """The firmware's version, empty when it is unknown."""
        return ".".join(map(str, self.version or ()))

    def keeping(self, names: Collection[str], repaired: Collection[str] = ()) -> Known:
        """The same, with these policy values left to the owner, and without what these repairs take away."""
        kept, mended = frozenset(names), frozenset(repaired)
        if (kept, mended) == (self.kept, self.repaired):
            return self  # by far the most: thousands may be of one kind, or of none
        return replace(self, kept=kept, repaired=mended)

    @property
    def unrepaired(self) -> tuple[KnownFact, ...]:
        """Facts that no repair takes away."""
        return tuple(known for known in self.facts if known.fact.repaired_by not in self.repaired)

    @cached_property
    def policy_changes(self) -> dict[str, float | bool]:
        """Names of Policy -> value: a number is the least there should be, a truth value is just that."""
        changes: dict[str, float | bool] = {}
        for known in self.unrepaired:
            for name, value in known.fact.policy.items():
                before = changes.get(name)
                is_number = not isinstance(value, bool) and before is not None
                changes[name] = max(before, value) if is_number and before is not None else value
        return {name: value for name, value in changes.items() if name not in self.kept}

    def tune(self, policy: Policy) -> Policy:
        """The policy this device is judged by."""
        changes: dict[str, Any] = {}
        for name, value in self.policy_changes.items():
            changes[name] = value if isinstance(value, bool) else max(value, getattr(policy, name))
        return replace(policy, **changes)

    @cached_property
    def watched(self) -> frozenset[str]:
        """Actions that some hazard is about."""
        return frozenset(action for known in self.hazards for hazard in known.fact.hazards for action in hazard.actions)

    @property
    def hazards(self) -> tuple[KnownFact, ...]:
        """Facts that warn when a certain command passes."""
        return tuple(known for known in self.unrepaired if known.fact.hazards)

    def dangers(self, passing: Passing) -> Sequence[Danger]:
        """What this command may do, the worst first."""
        found: list[Danger] = []
        for known in self.hazards:
            met = [hazard for hazard in known.fact.hazards if is_met(hazard, passing, self.version, self.pattern)]
            if met:
                found.append(_danger(known, is_critical=any(hazard.critical for hazard in met)))
        return found

    def explain(self, *subjects: str) -> tuple[KnownFact, ...]:
        """Facts that explain what is seen, the weightiest first. subjects: words of the judge (an evidence class, a
        phase, a finding, an ending, a step), or an action."""
        wanted = set(subjects)
        return tuple(
            known
            for known in self.facts
            if wanted.intersection(known.fact.explains) or wanted.intersection(known.fact.commands)
        )

    def explanations(self, *subjects: str) -> Sequence[Explanation]:
        """The same facts as the core tells them."""
        return [Explanation(known.id, known.text("en"), known.text("de")) for known in self.explain(*subjects)]


NOTHING = Known()


def match(files: Sequence[DeviceFile], vendor: str, model: str, firmware: str) -> Known:
    """What is known of the device that says this of itself; ``Known()`` when no file is about it."""
    for file in files:
        if _is_meant(file.match.vendor_contains, vendor) and _is_meant(file.match.model_contains, model):
            return _known(file, running_version(firmware, file.firmware.pattern))
    return NOTHING


def _is_meant(words: Sequence[str], said: str) -> bool:
    return not words or any(word.lower() in said.lower() for word in words)


def _known(file: DeviceFile, version: Version | None) -> Known:
    facts = [
        KnownFact(fact, applies, tuple(file.sources[name] for name in fact.sources))
        for fact in file.facts
        if (applies := _applies(fact, version)) is not None
    ]
    advice = file.firmware.advice
    return Known(
        name=file.device,
        title=file.title,
        version=version,
        facts=tuple(sorted(facts, key=lambda known: ORDER[known.weight])),
        pattern=file.firmware.pattern,
        firmware_advice={} if advice is None else {"en": advice.en, "de": advice.say("de")},
    )


def _applies(fact: Fact, version: Version | None) -> Applies | None:
    meant = fact.firmware
    if meant is None:
        return Applies.YES
    if version is None:
        return Applies.MAY
    return Applies.YES if is_within(version, meant.first, meant.last, meant.only) else None


def _danger(known: KnownFact, *, is_critical: bool) -> Danger:
    is_critical = is_critical or known.weight is Weight.BLOCK
    severity = Severity.CRITICAL if is_critical else Severity.WARNING
    said = {language: f"{known.text(language)} {known.advice(language)}".rstrip() for language in ("en", "de")}
    return Danger(known.id, severity, said["en"], said["de"])
