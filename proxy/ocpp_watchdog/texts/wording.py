"""From values to readable text: numbers, times, and the sentence of a notice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from ocpp_watchdog.core.decisions import EpisodeView, NoticeKind, Notify, StepKind, StepOutcome, StepRecord
from ocpp_watchdog.core.escalation import NO_USABLE_ID, SHARED_ID
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.texts.catalogue import EVIDENCE, NOTICES, STEP_NAMES, STEPS, Language, Sentence

NOTHING = "-"
_ID_TAG = re.compile(r'("(?:idTag|parentIdTag)"\s*:\s*")(?:[^"\\]|\\.?)*(?:"|$)', re.IGNORECASE)
TELLS_BY_HAND = frozenset({NoticeKind.ALARM, NoticeKind.STEP, NoticeKind.EXHAUSTED, NoticeKind.REMINDER})
STOPPED = frozenset({StepOutcome.SENT, StepOutcome.ACCEPTED, StepOutcome.PROVED})

ENDS_TRANSACTION = frozenset({StepKind.REMOTE_STOP, StepKind.SOFT_RESET})


def masked(frame: str) -> str:
    """The same frame with stars in the place of id tags: whoever reads one can make a card of it."""
    return _ID_TAG.sub(r'\1***"', frame)


def number(value: float, digits: int, language: Language) -> str:
    """A number with so many decimals, with the language's decimal sign."""
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if language is Language.DE else text


def clock_time(utc: float, zone: tzinfo | None = None) -> str:
    """Hours, minutes and seconds on the wall; zone None: the host's own."""
    return datetime.fromtimestamp(utc, UTC).astimezone(zone).strftime("%H:%M:%S")


def iso(utc: float) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(utc, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def energy(watt_hours: float, language: Language) -> str:
    """Wh below 1000, kWh above."""
    if watt_hours < 1000.0:
        return f"{number(watt_hours, 0, language)} Wh"
    return f"{number(watt_hours / 1000.0, 2, language)} kWh"


def measured(reading: Reading | None, language: Language) -> str:
    """Currents and power of a reading, what is not reported left out; ``-`` when nothing is known."""
    if reading is None:
        return NOTHING
    return figures(reading.currents, reading.current, reading.power, language)


def figures(currents: Sequence[float | None], current: float | None, power: float | None, language: Language) -> str:
    """The same for bare figures, A and W. currents: L1 to L3; current: without phase."""
    phases = [value for value in currents if value is not None]
    shown = [" / ".join(number(value, 1, language) for value in phases) + " A"] if phases else []
    if not phases and current is not None:
        shown.append(f"{number(current, 1, language)} A")
    if power is not None:
        shown.append(f"{number(power, 0, language)} W")
    return ", ".join(shown) or NOTHING


def last_reading(episode: EpisodeView) -> Reading | None:
    """The newest reading the episode holds."""
    return episode.readings[-1] if episode.readings else None


def step_text(step: StepRecord, language: Language) -> str:
    """What became of one try of a step."""
    transaction = NOTHING if step.transaction_id is None else str(step.transaction_id)
    name = STEP_NAMES[step.kind](language, transaction=transaction)
    return STEPS[step.outcome](language, name=name, why=step.why or NOTHING)


def notice_text(charge_point: str, notice: Notify, language: Language, zone: tzinfo | None = None) -> str:
    """The sentence of a notice, whole."""
    episode = notice.episode
    key = "alarm_only" if notice.kind is NoticeKind.ALARM and episode.alarm_only else str(notice.kind)
    evidence = EVIDENCE[episode.evidence[-1].evidence](language) if episode.evidence else ""
    now_ordered = NOTHING if episode.now_ordered is None else f"{number(episode.now_ordered.amperes, 0, language)} A"
    told = NOTICES[key](
        language,
        charge_point=charge_point,
        connector=str(notice.connector),
        ordered=clock_time(episode.ordered.utc, zone),
        measured=measured(last_reading(episode), language),
        energy=energy(episode.energy_wh, language),
        evidence=evidence,
        step=step_text(notice.step, language) if notice.step else NOTHING,
        now_ordered=now_ordered,
    )
    return " ".join(
        [told.rstrip(), *(NOTICES[more](language) for more in _additions(notice)), *_known(notice, language)]
    )


def _known(notice: Notify, language: Language) -> list[str]:
    """What is known of the device and explains it."""
    said = [(fact.fact, Sentence(de=fact.de, en=fact.en)) for fact in notice.explained]
    return [NOTICES["explained"](language, fact=fact, said=sentence(language)) for fact, sentence in said]


def _additions(notice: Notify) -> list[str]:
    """Keys of the sentences that follow the notice's own."""
    stops = [step for step in notice.episode.steps if step.kind in ENDS_TRANSACTION]
    additions = []
    if notice.kind in TELLS_BY_HAND and _passed_over(stops, NO_USABLE_ID):
        additions.append("by_hand")
    if notice.kind in TELLS_BY_HAND and _passed_over(stops, SHARED_ID):
        additions.append("shared_id")
    if notice.kind is NoticeKind.ALL_CLEAR and any(step.outcome in STOPPED for step in stops):
        additions.append("restarts" if notice.episode.restarts else "after_stop")
    return additions


def _passed_over(stops: Sequence[StepRecord], why: str) -> bool:
    """The newest that is known of RemoteStopTransaction is that it was not sent, for this reason."""
    newest = next((step for step in reversed(stops) if step.kind is StepKind.REMOTE_STOP), None)
    return newest is not None and newest.why == why


def place(charge_point: str, connector: int | None, language: Language) -> str:
    """Charge point and connector as they are named in sentences."""
    if not connector:
        return charge_point or NOTHING
    word = "Anschluss" if language is Language.DE else "connector"
    return f"{charge_point}, {word} {connector}" if charge_point else f"{word} {connector}"
