"""The shape of a device file: facts with sources, firmware ranges, and what follows from each.

One file a family of devices, in ``devices/``; ``schema.json`` is made from these classes. Adding a device is adding a
file: ``docs/devices.md``.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ocpp_watchdog.knowledge.versions import version_of


class Weight(StrEnum):
    """How much a fact weighs. BLOCK: dangerous; WARN: worth telling; ADJUST: changes the judge; INFO: for diagnosis."""

    BLOCK = "block"
    WARN = "warn"
    ADJUST = "adjust"
    INFO = "info"


class Confidence(StrEnum):
    """Where a fact comes from: its maker says so, several saw it, one saw it once."""

    MANUFACTURER = "manufacturer"
    OBSERVED = "observed"
    OBSERVED_ONCE = "observed_once"


def _usable_version(text: str) -> str:
    if version_of(text) is None:
        raise ValueError("must hold numbers, as 177 or 1.17.9")
    return text


def _compiles(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression ({error})") from None
    return text


def _usable_pattern(text: str) -> str:
    if re.compile(_compiles(text)).groups != 1:
        raise ValueError("must have exactly one group: the version")
    return text


Pattern = Annotated[str, AfterValidator(_compiles)]
VersionText = Annotated[str, AfterValidator(_usable_version)]
VersionPattern = Annotated[str, AfterValidator(_usable_pattern)]
Words = Annotated[tuple[str, ...], Field(min_length=1)]
Value = str | int | float | bool


class Part(BaseModel):
    """A part of a device file: frozen, unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)


class Text(Part):
    """The same in two languages; German may be missing."""

    en: str = Field(min_length=1)
    de: str = ""

    def say(self, language: str) -> str:
        """In this language (``de`` or ``en``), else in English."""
        return self.de if language == "de" and self.de else self.en


class Range(Part):
    """Firmware versions, both ends inclusive, an end left out is open; or single ones by name."""

    first: VersionText | None = Field(default=None, alias="from")
    last: VersionText | None = Field(default=None, alias="to")
    only: tuple[VersionText, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Range:
        if self.only and (self.first or self.last):
            raise ValueError("either from and to, or only")
        if not (self.only or self.first or self.last):
            raise ValueError("names no version")
        return self


class Hazard(Part):
    """When a command is dangerous: every condition named must hold, and none named means always.

    actions: of the CALL. fields: dotted path in the payload -> words it may be (case ignored). matches: path -> regular
    expression. above: path -> number. length_outside: path -> shortest and longest harmless length in bytes. later:
    paths of a time, dangerous when it is in the future. target: version the named file brings. same_version: it is the
    one that runs. without_restart_seconds: no BootNotification within so many seconds before, or an update was tried
    since. repeated: an update was tried since the last BootNotification. after_connect_seconds: so soon after the
    connection began. after_start_seconds: so soon after a StartTransaction. firmware_status: the last
    FirmwareStatusNotification. transaction: one is open. unavailable: some connector is Unavailable. answered: only
    when the answer carries one of these words. critical: everybody is told, whatever the fact weighs.
    """

    actions: Words
    fields: dict[str, Words] = {}
    matches: dict[str, Pattern] = {}
    above: dict[str, float] = {}
    length_outside: dict[str, tuple[int, int]] = {}
    later: tuple[str, ...] = ()
    target: Range | None = None
    same_version: bool = False
    without_restart_seconds: float | None = Field(default=None, gt=0)
    repeated: bool = False
    after_connect_seconds: float | None = Field(default=None, gt=0)
    firmware_status: tuple[str, ...] = ()
    transaction: bool = False
    after_start_seconds: float | None = Field(default=None, gt=0)
    unavailable: bool = False
    critical: bool = False
    answered: tuple[str, ...] = ()


MOST_TUNED: dict[str, float] = {
    "settle_seconds": 120.0,
    "raise_settle_seconds": 600.0,
    "boundary_slack_seconds": 60.0,
    "frame_gap_seconds": 1.0,
    "quiet_after_start_seconds": 120.0,
}
SWITCHED = frozenset(
    {
        "may_question",
        "composite_schedule_question",
        "power_counts",
        "status_is_evidence",
        "zero_is_asserted",
        "meter_is_shared",
    }
)
"""What a device may change of how it is judged, and how far: whether anything is done about an ignored stop, and how
often, is the owner's alone."""


def _within_bounds(policy: dict[str, float | bool]) -> dict[str, float | bool]:
    for name, value in policy.items():
        is_switch = isinstance(value, bool)
        if (name in SWITCHED) is not is_switch or not (is_switch or 0.0 <= value <= MOST_TUNED.get(name, -1.0)):
            raise ValueError(f"no device may set {name} to {value}")
    return policy


Tuned = Annotated[dict[str, float | bool], AfterValidator(_within_bounds)]


class Fact(Part):
    """One thing known. firmware None: every version. commands: actions it is about. policy: what the judge does
    otherwise (a number: at least so much; a truth value: just that). explains: what of a verdict it explains, in the
    judge's own words (an evidence class, phase, finding, ending or step). repaired_by: the repair that takes away its
    hazards and its policy where it is switched on."""

    id: str = Field(pattern=r"^[A-Z0-9]+(-[A-Z0-9]+)*$")
    topic: str = Field(min_length=1)
    weight: Weight
    confidence: Confidence
    fact: Text
    effect: Text
    condition: Text | None = None
    advice: Text | None = None
    firmware: Range | None = None
    commands: tuple[str, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    policy: Tuned = {}
    explains: tuple[str, ...] = ()
    repaired_by: str = ""
    sources: Words

    def text(self, language: str = "en") -> str:
        """What is so, and what follows."""
        return f"{self.fact.say(language)} {self.effect.say(language)}"


class Release(Part):
    """A firmware version that is known by name."""

    version: VersionText
    released: str = Field(default="", pattern=r"^(\d{4}-\d{2}-\d{2})?$")
    summary: Text


class Firmware(Part):
    """pattern: finds the version in what the device says, in its one group. The newest release is the last."""

    pattern: VersionPattern
    remark: str = ""
    releases: tuple[Release, ...] = ()
    advice: Text | None = None


class Match(Part):
    """Which devices are meant: vendor and model each contain one of these words, case ignored. A list left out is no
    condition; one of them must be there."""

    vendor_contains: tuple[str, ...] = ()
    model_contains: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Match:
        if not (self.vendor_contains or self.model_contains):
            raise ValueError("names neither vendor nor model")
        return self


class DeviceFile(Part):
    """One family of devices. sources: name -> where it can be read."""

    format: Literal[1]
    device: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: str = Field(min_length=1)
    match: Match
    firmware: Firmware
    sources: dict[str, str] = Field(min_length=1)
    facts: tuple[Fact, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _holds_together(self) -> DeviceFile:
        ids = [fact.id for fact in self.facts]
        if len(set(ids)) < len(ids):
            raise ValueError("two facts have the same id")
        unknown = {name for fact in self.facts for name in fact.sources} - set(self.sources)
        if unknown:
            raise ValueError(f"sources that are not listed: {', '.join(sorted(unknown))}")
        return self
