"""The verbs about the past: ``analyze``, ``report`` and ``bundle``, as flags."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import CliPositionalArg

from ocpp_watchdog import __version__, fast
from ocpp_watchdog.analysis.known import explain
from ocpp_watchdog.analysis.verb import AnalyzeOptions, Means, analyze
from ocpp_watchdog.knowledge.library import recognise
from ocpp_watchdog.report.document import UnknownEndingError, checked
from ocpp_watchdog.settings import BadSettingError
from ocpp_watchdog.texts.catalogue import Language


class _Verb(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Analyze(_Verb):
    """Is my wallbox obeying? Reads logs of evcc, Home Assistant or Open OCPP Trace; judges like the running program."""

    files: CliPositionalArg[list[str]] = Field(description="logs, also .gz, .bz2 or .xz; - is standard input")
    report: Path | None = Field(default=None, description="write a report, too: out.html, out.md or out.json")
    charge_point: str | None = Field(default=None, description="only this charge point")
    redact: bool = Field(default=False, description="make ids, serials, addresses and free text unrecognisable")
    language: Language = Field(default=Language.EN, description="de or en")

    def cli_cmd(self) -> None:
        """Exit 0 nothing violated, 3 violations, 2 nothing usable."""
        if self.report is not None:
            checked_path(self.report)
        options = AnalyzeOptions(tuple(self.files), self.report, self.charge_point, self.language, self.redact)
        code = analyze(options, Means(__version__, fast.decoder(), explain, recognise), _say, _complain)
        if code:
            raise SystemExit(code)


def checked_path(report: Path) -> Path:
    """Before any work: can this report be written at all. Raises BadSettingError."""
    try:
        checked(report.name)
    except UnknownEndingError as error:
        raise BadSettingError(f"report: {error}") from None
    if not report.parent.is_dir():
        raise BadSettingError(f"report: {report.parent} is no folder")
    return report


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _complain(line: str) -> None:
    sys.stderr.write(f"ocpp-watchdog: {line}\n")
