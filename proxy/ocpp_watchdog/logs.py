"""How log lines look: one line each, control characters escaped (a charge point's text must not forge a line)."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

FACTS = ("charge_point", "connector", "direction", "unique_id", "action", "fact", "notice", "step", "outcome")
MORE_FACTS = ("transaction_id", "episode", "energy_wh", "peer", "reason", "size")
ALL_FACTS = (*FACTS, *MORE_FACTS)
LONGEST = 2_000


class TextLines(logging.Formatter):
    """For people: time, level, message, then the facts as name=value."""

    _second = -1
    _when = ""

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback follows on lines of its own, indented."""
        facts = "".join(f" {name}={value!s}" for name, value in _facts(record))
        second = int(record.created)
        if second != self._second:  # when thousands reconnect at once the time is the dearest part of a line
            self._when = datetime.fromtimestamp(second).astimezone().strftime("%Y-%m-%d %H:%M:%S")
            self._second = second
        line = escaped(f"{self._when} {record.levelname:<7} {record.getMessage()}{facts}")
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            line += "".join(f"\n    {escaped(row)}" for row in trace.split("\n"))
        return line


class JsonLines(logging.Formatter):
    """For machines: one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, ASCII only."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:LONGEST],
        }
        line |= {name: value if isinstance(value, int | float | None) else str(value) for name, value in _facts(record)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def escaped(text: str) -> str:
    """Control characters as backslash escapes, the rest shortened."""
    shown = text[:LONGEST]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)
    return shown if len(text) <= LONGEST else shown + " ..."


def configure(level: str, style: str) -> None:
    """Write log lines to standard error from now on. level: debug, info, warning, error. style: text or json."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # no line shows them
    # Its debug lines say nothing about charge points, and its warnings about slow callbacks quote their arguments.
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def _facts(record: logging.LogRecord) -> list[tuple[str, object]]:
    said = vars(record)
    return [(name, said[name]) for name in ALL_FACTS if said.get(name) is not None]
