"""docs/settings.md is what the settings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocpp_watchdog.provenance import effective
from ocpp_watchdog.settings import load
from ocpp_watchdog.setup.settings_page import document

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text("utf-8") == document(), "`make docs` writes it anew"


def test_every_setting_stands_there_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp_watchdog.settings.USUAL_FILES", ())
    rows = [line.split(" | ") for line in document().splitlines() if line.startswith("| `")]
    assert {row.name for row in effective(load())} <= {row[0].strip("| `") for row in rows}
    assert all(len(row) == 3 and row[2].strip(" |") for row in rows)
