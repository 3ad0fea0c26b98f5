"""Every sentence stands in both languages with the same placeholders, and there is one for all the core can say."""

from __future__ import annotations

import re
from datetime import UTC
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from string import Formatter

import pytest

from ocpp_watchdog import texts
from ocpp_watchdog.core.decisions import (
    EvidenceClass,
    FindingKind,
    NoticeKind,
    Notify,
    Phase,
    Severity,
    StepKind,
    StepOutcome,
)
from ocpp_watchdog.core.terms import ConnectorId
from ocpp_watchdog.texts import ways
from ocpp_watchdog.texts.catalogue import (
    EVIDENCE,
    FINDINGS,
    NOTICES,
    PHASES,
    STEP_NAMES,
    STEPS,
    Language,
    Sentence,
)
from ocpp_watchdog.texts.demo import DEMO
from ocpp_watchdog.texts.wording import clock_time, energy, iso, measured, notice_text, number, step_text
from views import ORDERED, SIX, episode_view, reading, step_record

BOOKS = {
    f"{file.name}.{name}": book
    for file in iter_modules(texts.__path__)
    for name, book in vars(import_module(f"{texts.__name__}.{file.name}")).items()
    if name.isupper() and isinstance(book, dict) and all(isinstance(each, Sentence) for each in book.values())
}
SENTENCES = [(f"{name}.{key}", sentence) for name, book in BOOKS.items() for key, sentence in book.items()]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize(("key", "sentence"), SENTENCES, ids=[key for key, _ in SENTENCES])
def test_both_languages_say_the_same_with_the_same_placeholders(key: str, sentence: Sentence) -> None:
    assert sentence.de.strip(), key
    assert sentence.en.strip(), key
    assert placeholders(sentence.de) == placeholders(sentence.en)


def test_there_is_a_sentence_for_everything_the_core_can_say() -> None:
    assert set(NOTICES) >= {str(kind) for kind in NoticeKind}
    assert set(EVIDENCE) == {str(kind) for kind in EvidenceClass}
    assert set(STEPS) == {str(outcome) for outcome in StepOutcome}
    assert set(STEP_NAMES) == {str(kind) for kind in StepKind}
    assert set(PHASES) == {str(phase) for phase in Phase}
    assert set(FINDINGS) == {str(kind) for kind in FindingKind}
    assert len(DEMO) > 20


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("bare", [False, True])
def test_every_notice_can_be_said_with_much_known_and_with_little(
    kind: NoticeKind, language: Language, *, bare: bool
) -> None:
    episode = episode_view(evidence=(), readings=()) if bare else episode_view(now_ordered=SIX, steps=(step_record(),))
    notice = Notify(kind, Severity.INFO, ConnectorId(1), ORDERED, episode, None if bare else step_record())
    text = notice_text("box", notice, language, UTC)
    assert "{" not in text
    assert "box" in text


def test_the_alarm_tells_order_current_and_evidence() -> None:
    notice = Notify(NoticeKind.ALARM, Severity.CRITICAL, ConnectorId(1), ORDERED, episode_view())
    assert notice_text("box", notice, Language.EN, UTC) == (
        "box, connector 1: a stop (0 A) was ordered at 13:19:09, but current goes on flowing:"
        " 6.5 / 6.3 / 6.5 A, 4290 W. The current readings are alive."
    )


def test_an_alarm_on_weak_evidence_says_that_nothing_will_be_sent() -> None:
    notice = Notify(NoticeKind.ALARM, Severity.WARNING, ConnectorId(1), ORDERED, episode_view(alarm_only=True))
    assert "Nothing will be sent" in notice_text("box", notice, Language.EN)


def test_without_a_usable_id_the_alarm_asks_for_a_hand() -> None:
    skipped = episode_view(steps=(step_record(StepOutcome.SKIPPED, why="no usable transaction id"),))
    notice = Notify(NoticeKind.ALARM, Severity.CRITICAL, ConnectorId(1), ORDERED, skipped)
    assert "Please stop it by hand" in notice_text("box", notice, Language.EN)


def test_the_all_clear_says_that_the_car_stays_empty_when_we_ended_the_transaction() -> None:
    ours = episode_view(steps=(step_record(StepOutcome.PROVED),))
    its_own = episode_view()
    told = [
        notice_text("box", Notify(NoticeKind.ALL_CLEAR, Severity.INFO, ConnectorId(1), ORDERED, episode), Language.EN)
        for episode in (ours, its_own)
    ]
    assert ["the car stays empty" in text for text in told] == [True, False]


def test_an_id_that_another_connector_has_too_asks_for_a_hand_and_says_why() -> None:
    skipped = step_record(StepOutcome.SKIPPED, why="another connector has the same transaction id")
    for steps, is_said in (((skipped,), True), ((skipped, step_record()), False)):
        notice = Notify(NoticeKind.ALARM, Severity.CRITICAL, ConnectorId(1), ORDERED, episode_view(steps=steps))
        assert ("same id runs at another connector" in notice_text("box", notice, Language.EN)) is is_said
        assert ("derselben Nummer" in notice_text("box", notice, Language.DE)) is is_said


@pytest.mark.parametrize(
    ("language", "anew"), [(Language.EN, "a new start is tried"), (Language.DE, "Ein neuer Start wird einmal versucht")]
)
def test_the_all_clear_says_that_the_program_starts_the_transaction_anew_where_it_will(
    language: Language, anew: str
) -> None:
    episode = episode_view(steps=(step_record(StepOutcome.PROVED),), restarts=True)
    told = notice_text("box", Notify(NoticeKind.ALL_CLEAR, Severity.INFO, ConnectorId(1), ORDERED, episode), language)
    assert anew in told
    assert "stays empty" not in told
    assert "erst nach einem neuen Start" not in told


def test_what_is_measured_leaves_out_what_is_unknown() -> None:
    assert measured(None, Language.EN) == "-"
    assert measured(reading(currents=(6.0, None, None), power=None), Language.EN) == "6.0 A"
    assert measured(reading(currents=(None, None, None), current=9.55, power=None), Language.DE) == "9,6 A"
    assert measured(reading(currents=(None, None, None), power=None), Language.EN) == "-"


def test_numbers_and_times_are_readable() -> None:
    assert number(1234.5, 1, Language.DE) == "1234,5"
    assert energy(999.4, Language.EN) == "999 Wh"
    assert energy(1500, Language.DE) == "1,50 kWh"
    assert clock_time(ORDERED.utc, UTC) == "13:19:09"
    assert iso(ORDERED.utc) == "2025-10-01T13:19:09Z"


def test_a_charge_point_cannot_put_words_into_a_sentence() -> None:
    notice = Notify(NoticeKind.ALARM, Severity.CRITICAL, ConnectorId(1), ORDERED, episode_view())
    assert "{energy}" in notice_text("{energy}", notice, Language.EN)


def test_a_step_without_transaction_or_reason_shows_a_dash() -> None:
    assert step_text(step_record(StepOutcome.SKIPPED, transaction_id=None), Language.EN).endswith("(-)")


def test_every_notice_has_a_title() -> None:
    """What leaves the machine has one: docs/webhook.md names all kinds there are."""
    page = (Path(__file__).resolve().parents[1] / "docs" / "webhook.md").read_text("utf-8")
    kinds = set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE)) - {"kind"}
    assert set(ways.TITLES) == kinds
