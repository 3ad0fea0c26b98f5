"""How log lines look: one line each, control characters escaped (a charge point's text must not forge a line)."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

FACTS = ("charge_point", "connector", "direction", "unique_id", "action", "fact", "notice", "step", "outcome")
MORE_FACTS = ("transaction_id", "episode", "energy_wh", "peer", "reason", "size")
LONGEST = 2_000


class TextLines(logging.Formatter):
    """For people: time, level, message, then the facts as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback follows on lines of its own, indented."""
        facts = "".join(f" {name}={value!s}" for name, value in _facts(record))
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        line = escaped(f"{when} {record.levelname:<7} {record.getMessage()}{facts}")
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
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:LONGEST])
    return shown if len(text) <= LONGEST else shown + " ..."


def configure(level: str, style: str) -> None:
    """Write log lines to standard error from now on. level: debug, info, warning, error. style: text or json."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Its debug lines say nothing about charge points, and its warnings about slow callbacks quote their arguments.
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def _facts(record: logging.LogRecord) -> list[tuple[str, object]]:
    return [(name, getattr(record, name)) for name in (*FACTS, *MORE_FACTS) if getattr(record, name, None) is not None]
