"""The verbs about the past: ``analyze``, ``report`` and ``bundle``, as flags."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import CliPositionalArg

from ocpp_watchdog import __version__, fast
from ocpp_watchdog.analysis.known import explain
from ocpp_watchdog.analysis.past import Past, Wanted, bundle_past, language_of, report_past
from ocpp_watchdog.analysis.verb import AnalyzeOptions, Means, analyze
from ocpp_watchdog.knowledge.library import recognise
from ocpp_watchdog.report.document import UnknownEndingError, checked
from ocpp_watchdog.settings import BadSettingError
from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.verbs.base import ConfiguredVerb, Verb, complain, leave, say


class Analyze(Verb):
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
        leave(analyze(options, _means(), say, complain))


class _Past(ConfiguredVerb):
    since: str = Field(default="24h", description="from when: so long ago (90m, 24h, 7d) or 2026-11-20T15:00")
    until: str | None = Field(default=None, description="until when, like since; else now")
    charge_point: str | None = Field(default=None, description="only this charge point")
    episode: int | None = Field(default=None, description="this ignored stop of the journal, by its number there")
    frames: Path | None = Field(default=None, description="folder of the recorded frames, where the settings name none")
    language: Language | None = Field(default=None, description="de or en; else as in the settings")

    def _past(self) -> Past:
        wanted = Wanted(self.since, self.until, self.charge_point, self.episode, self.frames)
        return Past(language_of(self.settings(), self.language), wanted, Clock().now().utc, _means())


class Report(_Past):
    """What happened, from the journal: the report of a stretch of time, a charge point or an ignored stop."""

    output: Path | None = Field(default=None, description="where to write it: out.html, out.md or out.json")
    redact: bool = Field(default=False, description="make ids, serials, addresses and free text unrecognisable")

    def cli_cmd(self) -> None:
        """Exit 0 nothing violated, 3 violations, 2 nothing recorded."""
        target = None if self.output is None else checked_path(self.output)
        leave(report_past(self._past(), target, redact=self.redact, say=say, complain=complain))


class Bundle(_Past):
    """A redacted zip for a vendor or an issue: report, frames, settings without secrets, versions."""

    output: Path = Field(default=Path("ocpp-watchdog-bundle.zip"), description="where to write it")

    def cli_cmd(self) -> None:
        """Exit 0 written, 2 nothing recorded."""
        if not self.output.parent.is_dir():
            raise BadSettingError(f"output: {self.output.parent} is no folder")
        leave(bundle_past(self._past(), self.output, say=say, complain=complain))


def _means() -> Means:
    return Means(__version__, fast.decoder(), explain, recognise)


def checked_path(report: Path) -> Path:
    """Before any work: can this report be written at all. Raises BadSettingError."""
    try:
        checked(report.name)
    except UnknownEndingError as error:
        raise BadSettingError(f"report: {error}") from None
    if not report.parent.is_dir():
        raise BadSettingError(f"report: {report.parent} is no folder")
    return report
