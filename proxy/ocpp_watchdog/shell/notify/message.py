"""A notice as it leaves the machine: words for people, and the body that the web hook sends (docs/webhook.md).

Id tags are not in it, ever. What a charge point calls itself is: without control characters, which could forge a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ocpp_watchdog.core.decisions import EpisodeView, EvidenceRecord, NoticeKind, Notify, Severity, StepRecord
from ocpp_watchdog.texts.catalogue import NOTICES, Language, Said, in_language
from ocpp_watchdog.texts.ways import TITLES, USUAL_TITLE
from ocpp_watchdog.texts.wording import iso, notice_text

SCHEMA = "ocpp-watchdog/notice/1"
MOST_EVIDENCE = 20
MACHINES_ONLY = frozenset({NoticeKind.STEP, NoticeKind.REMOTE_START})
"""What people are told in the messages before and after it: one message for an episode, and one that closes it."""

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Message:
    """One notice. body: for machines. is_for_people: False where only machines want to know each detail."""

    kind: str
    severity: Severity
    title: Mapping[Language, str]
    text: Mapping[Language, str]
    body: Json
    is_for_people: bool = True


def of_notice(charge_point: str, notify: Notify) -> Message:
    """What the judge wants told."""
    text = {language: printable(notice_text(charge_point, notify, language)) for language in Language}
    if notify.episode.remote_start_seen and notify.kind is not NoticeKind.REMOTE_START:
        named = {"charge_point": charge_point, "connector": str(notify.connector)}
        more = NOTICES["remote_start"]
        text = {language: f"{said} {printable(more(language, **named))}" for language, said in text.items()}
    return Message(
        str(notify.kind),
        notify.severity,
        _title(str(notify.kind), charge_point),
        text,
        notice(charge_point, notify),
        notify.kind not in MACHINES_ONLY,
    )


def of_ourselves(kind: str, at_utc: float, charge_point: str | None, **values: Said) -> Message:
    """What the program has to say about itself."""
    named: dict[str, Said] = {**values, "charge_point": charge_point or ""}
    text = {language: printable(NOTICES[kind](language, **in_language(named, language))) for language in Language}
    body = about_ourselves(kind, at_utc, charge_point, **values)
    return Message(kind, Severity.WARNING, _title(kind, charge_point or ""), text, body)


def printable(text: str) -> str:
    """The text on one line, with nothing in it that a terminal, a header or UTF-8 cannot carry."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _title(kind: str, charge_point: str) -> dict[Language, str]:
    sentence = TITLES.get(kind, USUAL_TITLE)
    return {language: printable(sentence(language, charge_point=charge_point)) for language in Language}


def notice(charge_point: str, notify: Notify) -> Json:
    """One notice as plain values. Times RFC 3339 UTC; amperes, watts, Wh; null where unknown."""
    return {
        "schema": SCHEMA,
        "kind": str(notify.kind),
        "severity": str(notify.severity),
        "at": iso(notify.at.utc),
        "charge_point": charge_point,
        "connector": notify.connector,
        "text": {str(language): notice_text(charge_point, notify, language) for language in Language},
        "step": None if notify.step is None else _step(notify.step),
        "episode": _episode(notify.episode),
        "evidence": [_evidence(record) for record in notify.episode.evidence[-MOST_EVIDENCE:]],
        "steps": [_step(step) for step in notify.episode.steps],
    }


def about_ourselves(kind: str, at_utc: float, charge_point: str | None, **values: Said) -> Json:
    """A notice about the proxy itself (``degraded``, ``duplicate``): no connector, no episode."""
    named: dict[str, Said] = {**values, "charge_point": charge_point or ""}
    return {
        "schema": SCHEMA,
        "kind": kind,
        "severity": str(Severity.WARNING),
        "at": iso(at_utc),
        "charge_point": charge_point,
        "connector": None,
        "text": {str(language): NOTICES[kind](language, **in_language(named, language)) for language in Language},
        "step": None,
        "episode": None,
        "evidence": [],
        "steps": [],
    }


def _episode(episode: EpisodeView) -> Json:
    return {
        "number": episode.number,
        "ordered": iso(episode.ordered.utc),
        "answer": episode.answer,
        "opened": iso(episode.opened.utc),
        "ended": None if episode.ended is None else iso(episode.ended.utc),
        "ending": None if episode.ending is None else str(episode.ending),
        "energy_wh": round(episode.energy_wh, 1),
        "energy_is_integrated": episode.energy_is_integrated,
        "alarm_only": episode.alarm_only,
        "remote_start_seen": episode.remote_start_seen,
        "transaction_ended": episode.transaction_ended,
        "now_ordered_amperes": None if episode.now_ordered is None else episode.now_ordered.amperes,
    }


def _evidence(record: EvidenceRecord) -> Json:
    reading = record.reading
    return {
        "at": iso(record.at.utc),
        "class": str(record.evidence),
        "share": None if record.share is None else round(record.share, 3),
        "currents": list(reading.currents),
        "current": reading.current,
        "power": reading.power,
        "energy": reading.energy,
    }


def _step(step: StepRecord) -> Json:
    return {
        "kind": str(step.kind),
        "outcome": str(step.outcome),
        "decided": iso(step.decided.utc),
        "sent": None if step.sent is None else iso(step.sent.utc),
        "transaction_id": step.transaction_id,
        "why": step.why,
        "forced": step.forced,
    }
