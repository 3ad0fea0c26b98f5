"""The report about the field case: every fact of the rules' section 6.4, and golden files of each form.

``UPDATE_GOLDEN=1`` writes the golden files anew; look at what changed before you keep it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter

from analysis.field_log import BOX, COMMANDS, command_text, field_log
from analysis.survey_kit import LOGS, survey_of
from ocpp_watchdog.report import model
from ocpp_watchdog.report.document import SCHEMA, UnknownEndingError, document
from ocpp_watchdog.report.model import Cause, DeviceFact, Outcome, Report
from ocpp_watchdog.texts.catalogue import Language

GOLDEN = Path(__file__).parent / "golden"
SCHEMA_FILE = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"
COMMANDS_OF_THE_CORPUS = LOGS / "046-actec-evcc-2025-10-01-commands.log"


def one_fact(vendor: str, device: str, firmware: str, language: str) -> tuple[DeviceFact, ...]:
    said = {"de": f"{vendor} {device} {firmware} nimmt 0 A an und lädt weiter.", "en": f"{vendor} {device}: takes 0 A."}
    return (DeviceFact(said[language], "one owner's notes", "warn", "enforce"),)


@pytest.fixture(scope="module")
def report() -> Report:
    return survey_of(field_log().splitlines(keepends=True), explain=one_fact)[0]


def texts(report: Report, name: str, language: Language = Language.EN) -> dict[str, str]:
    return document(report, name, language)


# -- the facts of 6.4 -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(not COMMANDS_OF_THE_CORPUS.exists(), reason="the corpus beside the repository is absent")
def test_the_commands_are_those_of_the_corpus_to_the_byte() -> None:
    quoted = [line.split(": ", 1)[1] for line in COMMANDS_OF_THE_CORPUS.read_text().splitlines() if line[0] != "#"]
    assert [command_text(unique_id, local, limit) for local, unique_id, limit in COMMANDS] == quoted


def test_the_four_orders_have_the_verdicts_of_the_rules(report: Report) -> None:
    orders = report.stations[0].connectors[0].orders
    rows = [(order.label, order.outcome, order.verdict, order.severity) for order in orders]
    assert rows == [
        ("6 A", Outcome.OBEYED, "COMPLIANT", ""),
        ("7 A", Outcome.OBEYED, "COMPLIANT", ""),
        ("11 A", Outcome.NOT_FOLLOWED, "RAISE_NOT_FOLLOWED", "info"),
        ("0 A", Outcome.VIOLATED, "OVER_LIMIT", "critical"),
    ]
    raised = {finding.kind: finding for finding in orders[2].findings}["raise_not_followed"]
    assert (raised.cause, raised.after) == ("undetermined", pytest.approx(91.0, abs=0.1))
    assert "control_frozen" in {finding.kind for finding in orders[3].findings}
    assert report.stations[0].causes == (
        Cause.HIDDEN_PROFILE, Cause.DEFAULT_AT_START, Cause.CLOCK_BEHIND, Cause.MISSING_KEYS, Cause.LOCAL_LIMITER,
    )  # fmt: skip


@pytest.mark.parametrize("ending", ["md", "html"])
@pytest.mark.parametrize(
    "fact",
    [
        "15:12:42", "6.52 / 6.29 / 6.44 A",  # 6 A, compliant
        "15:15:28", "6.59 / 6.36 / 6.53 A",  # 7 A, compliant
        "15:17:01", "raise not followed", "Still 6.52 / 6.29 / 6.44 A, 4280 W 91 s later", "undetermined",
        "+40 s: 6.61 / 6.39 / 6.51 A",  # 40 s after the raise
        "15:19:09", "Until 15:19:39 the limit before it still counted",
        "proven 43 s after the order", "+43 s: 6.52 / 6.30 / 6.48 A, 4280 W",  # at 15:19:52
        "The control is frozen",
        "evcc showed 0 W 2 s after the order while the readings said 6.53 / 6.28 / 6.43 A, 4280 W",
        "a hidden profile at a higher level", "TxDefaultProfile is applied at the start of a transaction only",
        "behind by more than 60 s", "profile id 0 at stack level 0", "a local limiter",
        "computed from power", "would have been sent now", "AcTEC EV-AC22K V1.17.9", "UTC+02:00",
    ],
)  # fmt: skip
def test_every_fact_of_the_section_stands_in_the_report(report: Report, ending: str, fact: str) -> None:
    text = texts(report, f"field.{ending}")[f"field.{ending}"]
    assert fact in text.replace("\\_", "_").replace("&#x27;", "'")


def test_the_exact_frames_stand_in_the_report(report: Report) -> None:
    for local, unique_id, limit in COMMANDS:
        frame = command_text(unique_id, local, limit)
        assert frame in texts(report, "f.md")["f.md"]
        assert frame.replace('"', "&quot;") in texts(report, "f.html")["f.html"]
        assert json.dumps(frame)[1:-1] in texts(report, "f.json")["f.json"]


# -- golden files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "language"),
    [("field.md", Language.EN), ("field.json", Language.EN), ("feld.md", Language.DE), ("feld.html", Language.DE)],
)
def test_the_report_is_what_it_was(report: Report, name: str, language: Language) -> None:
    for file, text in texts(report, name, language).items():
        if os.environ.get("UPDATE_GOLDEN"):
            (GOLDEN / file).write_text(text, "utf-8")
        assert text == (GOLDEN / file).read_text("utf-8"), f"{file} differs; UPDATE_GOLDEN=1 writes it anew"


def test_the_json_follows_its_schema(report: Report) -> None:
    schema = TypeAdapter(Report).json_schema(mode="serialization")
    schema["properties"] |= {"schema": {"const": SCHEMA}, "totals": {"type": "object"}}
    schema["required"] = [*schema["required"], "schema", "totals"]
    if os.environ.get("UPDATE_GOLDEN"):
        SCHEMA_FILE.write_text(json.dumps(schema, indent=2) + "\n", "utf-8")
    kept = json.loads(SCHEMA_FILE.read_text("utf-8"))
    assert fields_of(kept) == fields_of(schema), "docs/report.schema.json is not of this program"
    jsonschema.validate(json.loads(texts(report, "f.json")["f.json"]), kept)


def fields_of(schema: dict[str, Any]) -> dict[str, list[str]]:
    """Names of the fields of each object; how they are written differs between versions of the generator."""
    objects = {"": schema} | schema["$defs"]
    return {name: sorted(each.get("properties", each.get("enum", ()))) for name, each in objects.items()}


def test_a_report_can_be_read_back_from_its_json(report: Report) -> None:
    values = json.loads(texts(report, "f.json")["f.json"])
    assert values.pop("schema") == SCHEMA
    assert values.pop("totals")["violated"] == 1
    assert TypeAdapter(Report).validate_python(values, strict=False) == report


def test_a_name_that_ends_in_nothing_known_is_an_error(report: Report) -> None:
    with pytest.raises(UnknownEndingError, match=r"ends in \.html, \.md or \.json"):
        texts(report, "report.pdf")


def test_the_box_is_named(report: Report) -> None:
    assert [station.charge_point for station in report.stations] == [BOX]
    assert model.nothing_known("", "", "", "en") == ()
