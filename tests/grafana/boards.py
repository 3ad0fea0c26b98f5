"""The dashboards as they are committed, and their queries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "grafana" / "dashboards"
FILES = sorted(FOLDER.glob("*.json"))
METRIC = re.compile(r"\bocpp_watchdog_\w+")


def load(path: Path) -> dict[str, Any]:
    """One dashboard."""
    board = json.loads(path.read_text("utf-8"))
    assert isinstance(board, dict)
    return board


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel, those in rows too; rows themselves are none."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", ())
        else:
            yield panel


def queries() -> list[tuple[str, str, str]]:
    """(dashboard, panel, expression) of every query, annotations and variables included."""
    found = []
    for path in FILES:
        board = load(path)
        for panel in panels(board):
            found += [(path.stem, panel["title"], target["expr"]) for target in panel["targets"]]
        found += [
            (path.stem, f"annotation {note['name']}", note["expr"])
            for note in board["annotations"]["list"]
            if "expr" in note
        ]
    return found
