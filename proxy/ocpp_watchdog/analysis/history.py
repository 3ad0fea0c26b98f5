"""The journal's past: frames of a stretch of time from its segments, and when an episode was, from its facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ocpp_watchdog.analysis import facts
from ocpp_watchdog.analysis.files import UnusableLogError, opened
from ocpp_watchdog.analysis.nothing import NoHistoryError
from ocpp_watchdog.analysis.survey import Survey
from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.readers.log import LoggedFrame, LogReader
from ocpp_watchdog.readers.timeline import Timeline
from ocpp_watchdog.report.clip import clipped
from ocpp_watchdog.report.model import Report, Source
from ocpp_watchdog.shell.journal.names import segments_in

CONTEXT = timedelta(days=1)
"""So much before the time asked for is read, too: what was ordered then may still stand."""

EPISODE_BEFORE_SECONDS, EPISODE_AFTER_SECONDS = 600.0, 300.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """What of the past is wanted. begin, end: POSIX seconds. charge_point None: all."""

    begin: float
    end: float
    charge_point: str | None = None


Heard = Callable[[LoggedFrame], LoggedFrame]
"""Looks at each frame of the stretch, and may change it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the past is read. new_survey: for each charge point one. heard: told of each frame inside the stretch;
    change: made to every frame before it is judged."""

    loads: Loads
    new_survey: Callable[[], Survey]
    report: Callable[[Survey], Report]
    change: Heard = lambda frame: frame
    heard: Callable[[LoggedFrame], None] = lambda frame: None


def report_of(folder: Path, stretch: Stretch, how: Reading) -> Report:
    """The report about a stretch of the journal. Raises NoHistoryError."""
    parts = [part for box in _folders(folder) if (part := _of_one(box, stretch, how)) is not None]
    if not parts:
        raise NoHistoryError("no_frames", folder=str(folder))
    frames = sum(source.frames for part in parts for source in part.sources)
    lines = sum(source.lines for part in parts for source in part.sources)
    first = parts[0]
    whole = replace(
        first,
        sources=(Source("frames", "journal", lines, frames),),
        stations=tuple(station for part in parts for station in part.stations),
        caveats=tuple(dict(caveat for part in parts for caveat in part.caveats).items()),
    )
    return clipped(whole, stretch.begin, stretch.end)


def _of_one(folder: Path, stretch: Stretch, how: Reading) -> Report | None:
    """The report about one charge point; None: nothing of it was recorded then, or it is not the one wanted."""
    survey, count = how.new_survey(), 0
    reader = LogReader("frames", Timeline(), how.loads)
    for item in reader.frames(_lines(folder, stretch)):
        if not isinstance(item, LoggedFrame) or item.at.utc > stretch.end:
            continue
        if stretch.charge_point not in (None, item.charge_point):
            return None
        frame = how.change(item)
        survey.feed(frame)
        if item.at.utc >= stretch.begin:
            count += 1
            how.heard(frame)
    if not count:
        return None
    survey.read(reader.notes)
    survey.finish()
    return how.report(survey)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError as error:
        raise NoHistoryError("unreadable", folder=str(folder), why=error.strerror or str(error)) from None


def _lines(folder: Path, stretch: Stretch) -> Iterator[str]:
    """All lines of the days wanted; a segment that cannot be read gives what it can."""
    first = (datetime.fromtimestamp(stretch.begin, UTC) - CONTEXT).date()
    last = datetime.fromtimestamp(stretch.end, UTC).date()
    for name, path in segments_in(folder):
        if first <= name.day <= last:
            yield from _of_segment(path)


def _of_segment(path: Path) -> Iterator[str]:
    try:
        with opened(str(path)) as lines:
            yield from lines
    except UnusableLogError:
        return


def episode_stretch(url: str, number: int) -> Stretch:
    """When an episode of the journal was, with some minutes around it. Raises NoFactsError."""
    charge_point, ordered, end = facts.episode(url, number)
    return Stretch(ordered - EPISODE_BEFORE_SECONDS, end + EPISODE_AFTER_SECONDS, charge_point)
