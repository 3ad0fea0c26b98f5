"""One line for each thing worth saying, and nothing a charge point says can forge one."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from ocpp_watchdog.logs import JsonLines, TextLines, configure, escaped


def record(message: str, **facts: object) -> logging.LogRecord:
    made = logging.LogRecord("ocpp_watchdog.x", logging.WARNING, "x.py", 1, message, (), None)
    made.__dict__.update(facts)
    return made


def test_a_text_line_ends_with_its_facts() -> None:
    line = TextLines().format(record("connected", charge_point="box", connector=1, action=None))
    assert line.endswith("WARNING connected charge_point=box connector=1")


@pytest.mark.parametrize("evil", ["a\nERROR forged", "a\r\x1b[2Jb", "a\x00b", "a\u2028b", "a\ud800b"])
def test_W8_what_a_charge_point_is_called_cannot_forge_a_line(evil: str) -> None:
    line = TextLines().format(record("connected", charge_point=evil))
    assert line.isprintable()
    assert "\n" not in line
    assert json.loads(JsonLines().format(record("connected", charge_point=evil)))["charge_point"] == evil
    assert "\n" not in JsonLines().format(record("connected", charge_point=evil))


def test_a_json_line_is_an_object_with_the_facts_as_they_are() -> None:
    line = json.loads(JsonLines().format(record("x" * 5_000, connector=1, energy_wh=2.5)))
    assert (line["level"], line["connector"], line["energy_wh"]) == ("warning", 1, 2.5)
    assert len(line["message"]) == 2_000


def test_a_traceback_stands_on_lines_of_its_own() -> None:
    try:
        raise RuntimeError("broken\x1b")
    except RuntimeError:
        made = record("failed")
        made.exc_info = sys.exc_info()
    lines = TextLines().format(made).split("\n")
    assert lines[-1] == "    RuntimeError: broken\\x1b"
    assert "RuntimeError" in json.loads(JsonLines().format(made))["traceback"]


def test_a_long_text_is_cut() -> None:
    assert escaped("x" * 5_000) == "x" * 2_000 + " ..."
    assert escaped("Zoë") == "Zoë"


def test_lines_go_to_standard_error_from_the_level_on(capsys: pytest.CaptureFixture[str]) -> None:
    configure("warning", "text")
    logging.getLogger("ocpp_watchdog").info("quiet")
    logging.getLogger("ocpp_watchdog").warning("loud")
    configure("info", "json")
    logging.getLogger("ocpp_watchdog").info("now heard")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2, "configuring again replaces and does not add"
    assert said[0].endswith("WARNING loud")
    assert json.loads(said[1])["message"] == "now heard"
