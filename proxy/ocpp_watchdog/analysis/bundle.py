"""The zip for a vendor or an issue: report, frames, settings, versions; all of it redacted before it is written."""

from __future__ import annotations

import platform
import re
import sys
import zipfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO

from ocpp_watchdog import trace
from ocpp_watchdog.core.decisions import Mode, StepKind
from ocpp_watchdog.core.policy import AfterStop, SetBack
from ocpp_watchdog.provenance import Effective
from ocpp_watchdog.readers.log import LoggedFrame
from ocpp_watchdog.report.document import document
from ocpp_watchdog.report.model import Report
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.reports import BUNDLE

PACKAGES = (
    "aiohttp", "h11", "ocpp", "pydantic", "pydantic-settings", "SQLAlchemy", "alembic", "prometheus-client", "tenacity",
    "uvloop", "msgspec", "psycopg",
)  # fmt: skip
PLACES = frozenset({"default", "flag", "environment"})
FREE_TEXT = frozenset({"mqtt.user", "mqtt.topic_prefix", "mqtt.discovery_prefix"})
"""What an owner may call as it pleases, by a number too."""
_WORDS = "|".join(str(word.value) for kind in (Mode, Language, StepKind, AfterStop, SetBack) for word in kind)
_SAFE = re.compile(
    r"-|true|false|-?[0-9]{1,10}(?:\.[0-9]{1,4})?|debug|info|warning|error|text|json"
    rf"|(?:{_WORDS})(?:, (?:{_WORDS}))*",
    re.I,
)
_NAME = re.compile(r"[a-z_]+(?:\.[a-z_]+)*")


class FrameFile:
    """Frames as lines of a trace, written while they are read. Sessions become 1, 2, ..."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._sessions: dict[str, str] = {}

    def write(self, frame: LoggedFrame) -> None:
        """One more."""
        session = ""
        if frame.session:
            session = self._sessions.setdefault(frame.session, str(len(self._sessions) + 1))
        line = trace.TraceLine(
            frame.at.utc, frame.charge_point, frame.direction, frame.text, frame.at.mono, session, frame.ours,
            frame.withheld, original=frame.original,
        )  # fmt: skip
        self._target.write(trace.encode(line).encode() + b"\n")


def safe_settings(rows: Iterable[Effective]) -> list[tuple[str, str]]:
    """Settings that say something about how the proxy works: numbers, switches and words of our own. Names of charge
    points are numbered; every other value only says whether it is set."""
    return [(_safe_name(row.name), _safe_value(row)) for row in rows]


def _safe_name(name: str) -> str:
    """``charge_points.<id>.mode`` without the id, whatever it is made of."""
    first, _, rest = name.partition(".")
    if first != "charge_points" or not rest:
        return name if _NAME.fullmatch(name) else "(removed)"
    last = rest.rpartition(".")[2]
    return f"charge_points.*.{last if _NAME.fullmatch(last) else '(removed)'}"


def _safe_value(row: Effective) -> str:
    is_safe = row.name not in FREE_TEXT and _SAFE.fullmatch(row.value)
    shown = row.value if is_safe or row.source == "default" else "(set)"
    return shown if row.source in PLACES else f"{shown} (file)"


def versions(own: str) -> list[str]:
    """What runs here, without the name of the machine."""
    lines = [
        f"ocpp-watchdog {own}",
        f"Python {platform.python_version()} ({platform.python_implementation()})",
        f"{sys.platform} {platform.machine()} {' '.join(platform.libc_ver())}".strip(),
    ]
    for package in PACKAGES:
        try:
            lines.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return lines


def pack(target: Path, frames: Path, report: Report, own: str, language: Language) -> Path:
    """Write the zip. frames: the file of redacted frames. report: redacted, with safe settings."""
    part = target.with_name(target.name + ".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("README.txt", BUNDLE["readme"](language) + "\n")
        for name in ("report.html", "report.md", "report.json"):
            for file, text in document(report, name, language).items():
                packed.writestr(file, text)
        packed.write(frames, "frames.jsonl")
        packed.writestr("settings.txt", "".join(f"{name}: {value}\n" for name, value in report.settings))
        packed.writestr("versions.txt", "".join(f"{line}\n" for line in versions(own)))
    part.chmod(0o600)
    part.replace(target)
    return target
