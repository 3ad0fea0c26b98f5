"""The body of a notice, as docs/webhook.md and its schema say it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from ocpp_watchdog.core.decisions import Ending, Explanation, NoticeKind, Notify, Severity, StepOutcome
from ocpp_watchdog.core.terms import ConnectorId
from ocpp_watchdog.shell.notify import message
from ocpp_watchdog.texts.catalogue import Sentence
from views import ORDERED, episode_view, step_record

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "webhook.schema.json"


def alarm(**changes: object) -> Notify:
    return Notify(NoticeKind.ALARM, Severity.CRITICAL, ConnectorId(1), ORDERED.later(43.0), episode_view(**changes))


def notices() -> list[dict[str, object]]:
    """One body of every kind."""
    closed = episode_view(ended=ORDERED.later(120.0), ending=Ending.OBEYED, steps=(step_record(StepOutcome.PROVED),))
    bodies = [
        message.notice("box", Notify(kind, Severity.WARNING, ConnectorId(1), ORDERED, closed, step_record()))
        for kind in NoticeKind
    ]
    bodies.append(message.notice("box", alarm(evidence=(), readings=())))
    bodies.append(message.about_ourselves("degraded", ORDERED.utc, None, parts="judge"))
    bodies.append(message.about_ourselves("duplicate", ORDERED.utc, "box", newcomer="192.0.2.1", holder="192.0.2.2"))
    bodies.append(message.about_ourselves("unanswered", ORDERED.utc, "box"))
    said = Sentence(de="Es bricht.", en="It breaks.")
    bodies.append(message.about_ourselves("danger", ORDERED.utc, "box", action="Reset", fact="HALO-UPG-01", said=said))
    bodies.append(message.about_ourselves("test_alarm", ORDERED.utc, None))
    bodies.append(message.about_ourselves("undelivered", ORDERED.utc, None, way="ntfy", reason="HTTP status 500"))
    return bodies


@pytest.mark.parametrize("body", notices(), ids=lambda body: str(body["kind"]))
def test_every_body_is_as_documented(body: dict[str, object]) -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(body)))


def test_the_alarm_says_what_was_ordered_what_flows_and_how_that_is_known() -> None:
    body = message.notice("box", alarm())
    text = body["text"]
    assert isinstance(text, dict)
    assert "6.5 / 6.3 / 6.5 A, 4290 W" in text["en"]
    assert "6,5 / 6,3 / 6,5 A, 4290 W" in text["de"]
    assert "The current readings are alive." in text["en"]


def test_only_the_newest_evidence_is_sent() -> None:
    many = episode_view().evidence * 50
    body = message.notice("box", alarm(evidence=many))
    assert isinstance(body["evidence"], list)
    assert len(body["evidence"]) == 20


def test_an_alarm_ends_with_what_is_known_of_the_device() -> None:
    explained = (Explanation("HALO-SC-02", "So it is.", "So ist es."),)
    text = message.notice("box", replace(alarm(), explained=explained))["text"]
    assert isinstance(text, dict)
    assert text["en"].endswith("Known of this device (HALO-SC-02): So it is.")
    assert text["de"].endswith("Zu diesem Gerät ist bekannt (HALO-SC-02): So ist es.")
