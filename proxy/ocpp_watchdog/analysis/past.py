"""``report`` and ``bundle``: the journal's past as a report, or as a redacted zip."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ocpp_watchdog.analysis import bundle, facts
from ocpp_watchdog.analysis.history import Reading, Stretch, episode_stretch, report_of
from ocpp_watchdog.analysis.nothing import NoFactsError, NoHistoryError, NothingToReportError
from ocpp_watchdog.analysis.survey import Survey
from ocpp_watchdog.analysis.verb import EX_UNUSABLE, Means, exit_code, redacting, written
from ocpp_watchdog.core.decisions import Mode
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.parts import journal_place
from ocpp_watchdog.provenance import effective
from ocpp_watchdog.readers.log import LoggedFrame
from ocpp_watchdog.report import terminal
from ocpp_watchdog.report.model import Report
from ocpp_watchdog.report.redact import Redactor
from ocpp_watchdog.settings import BadSettingError, Settings
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.reports import ANALYZE

UNITS = {"m": 60.0, "h": 3_600.0, "d": 86_400.0}
_SPAN = re.compile(r"(\d{1,5})([mhd])")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the past: since and until as a person writes them (``24h``, ``2026-11-20 15:00``), or an episode."""

    since: str = "24h"
    until: str | None = None
    charge_point: str | None = None
    episode: int | None = None
    frames: Path | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """Whose past, which part of it, and what now is (POSIX seconds)."""

    settings: Settings
    wanted: Wanted
    now: float
    means: Means


def moment(text: str, now: float, name: str) -> float:
    """POSIX seconds: so long ago, or a date and time (the machine's own zone unless it says another). Raises
    BadSettingError."""
    span = _SPAN.fullmatch(text.strip())
    if span is not None:
        return now - float(span[1]) * UNITS[span[2]]
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        raise BadSettingError(f"{name}: must be like 90m, 24h, 7d or 2026-11-20T15:00") from None


def report_past(past: Past, target: Path | None, *, redact: bool, say: Say, complain: Say) -> int:
    """Print and write the report of a stretch of the journal; gives the exit code as ``analyze`` does."""
    redactor = Redactor(past.means.loads) if redact else None
    try:
        report = _read(past, redactor, lambda frame: None)
    except NothingToReportError as error:
        complain(error.text(past.settings.language))
        return EX_UNUSABLE
    for line in terminal.summary(report, past.settings.language):
        say(line)
    if target is not None:
        for path in written(report, target, past.settings.language):
            say(ANALYZE["written"](past.settings.language, path=str(path)))
    return exit_code(report)


def bundle_past(past: Past, target: Path, *, say: Say, complain: Say) -> int:
    """Write the redacted zip; 0 when it is written."""
    with tempfile.TemporaryDirectory() as folder:
        frames = Path(folder) / "frames.jsonl"
        try:
            with frames.open("wb") as file:
                lines = bundle.FrameFile(file)
                report = _read(past, Redactor(past.means.loads), lines.write)
        except NothingToReportError as error:
            complain(error.text(past.settings.language))
            return EX_UNUSABLE
        report = replace(report, settings=tuple(bundle.safe_settings(effective(past.settings))))
        bundle.pack(target, frames, report, past.means.version, past.settings.language)
    say(ANALYZE["written"](past.settings.language, path=str(target)))
    return 0


def _read(past: Past, redactor: Redactor | None, heard: Callable[[LoggedFrame], None]) -> Report:
    settings, means = past.settings, past.means
    stretch, folder = _stretch(settings, past.wanted, past.now)
    offset = int(datetime.fromtimestamp(stretch.end, UTC).astimezone().utcoffset().total_seconds())  # type: ignore[union-attr]
    change = _changed(redactor)

    def policy_of(name: str) -> Policy:
        """As it was judged, but only looking on."""
        own = name if redactor is None else redactor.original(name)
        return replace(settings.policy(own), mode=Mode.OBSERVE, may_question=False)

    def new_survey() -> Survey:
        return Survey((), means.loads, policy_of, means.recognise)

    def told(survey: Survey) -> Report:
        return survey.report(
            means.version, means.explain, settings.language.value, is_redacted=redactor is not None, zone_seconds=offset
        )

    report = report_of(folder, stretch, Reading(means.loads, new_survey, told, change, heard))
    return _with_facts(report, settings, stretch, redactor)


def _with_facts(report: Report, settings: Settings, stretch: Stretch, redactor: Redactor | None) -> Report:
    """What was really done, where the journal's facts can be read; the frames alone tell less."""
    place = journal_place(settings)
    if place is None:
        return report
    try:
        known = facts.steps(place[0], stretch.begin, stretch.end)
    except NoFactsError:
        return report
    if redactor is not None:
        known = {(redactor.charge_point(name), connector): steps for (name, connector), steps in known.items()}
    return facts.with_steps(report, known)


def _changed(redactor: Redactor | None) -> Callable[[LoggedFrame], LoggedFrame]:
    if redactor is None:
        return lambda frame: frame
    change = redacting(redactor)

    def redacted(frame: LoggedFrame) -> LoggedFrame:
        found = change(frame)
        return found if isinstance(found, LoggedFrame) else frame

    return redacted


def _stretch(settings: Settings, wanted: Wanted, now: float) -> tuple[Stretch, Path]:
    """What to read, and where. Raises BadSettingError and NothingToReportError."""
    place = journal_place(settings)
    folder = wanted.frames or (None if place is None else place[1])
    if folder is None:
        raise NoHistoryError("off")
    if wanted.frames is None and not folder.exists():
        raise NoHistoryError("nothing_yet", folder=str(folder))
    if wanted.episode is not None:
        if place is None:
            raise NoHistoryError("off")
        return episode_stretch(place[0], wanted.episode), folder
    end = now if wanted.until is None else moment(wanted.until, now, "until")
    begin = moment(wanted.since, now, "since")
    if begin >= end:
        raise BadSettingError("since: must be before until")
    return Stretch(begin, end, wanted.charge_point), folder


def language_of(settings: Settings, said: Language | None) -> Settings:
    """The settings with the language of this command line."""
    return settings if said is None else settings.model_copy(update={"language": said})
