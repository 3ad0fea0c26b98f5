"""``analyze``: reads logs, prints what came of it, writes a report. Exit codes: 0 nothing violated, 3 something was,
2 nothing usable."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from ocpp_watchdog.analysis.files import UnusableLogError, opened, shown, size_of
from ocpp_watchdog.analysis.survey import Survey
from ocpp_watchdog.core.devices import Recognise, nobody
from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.readers.log import Believed, LoggedFrame, LogNotes, LogReader
from ocpp_watchdog.readers.timeline import Timeline
from ocpp_watchdog.report import terminal
from ocpp_watchdog.report.document import document
from ocpp_watchdog.report.model import Explain, Outcome, Report, nothing_known
from ocpp_watchdog.report.redact import Redactor
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.reports import ANALYZE

EX_VIOLATED = 3
EX_UNUSABLE = 2
FRAMES_BETWEEN_LOOKS = 1_000
REFRESH_BYTES = 500_000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AnalyzeOptions:
    """files: names of logs, ``-`` for standard input. report: where to write it, None: nowhere; the ending says how.
    charge_point: only this one. redact: make ids, serials, addresses and free text unrecognisable first."""

    files: tuple[str, ...]
    report: Path | None = None
    charge_point: str | None = None
    language: Language = Language.EN
    redact: bool = False


@dataclass(frozen=True, slots=True)
class Means:
    """What analyze needs from its surroundings."""

    version: str
    loads: Loads
    explain: Explain = nothing_known
    recognise: Recognise = nobody
    progress: TextIO = sys.stderr


def analyze(options: AnalyzeOptions, means: Means, say: Say, complain: Say) -> int:
    """Read, judge, tell; gives the exit code."""
    redactor = Redactor(means.loads) if options.redact else None
    wanted = [] if options.charge_point is None else [options.charge_point]
    if redactor is not None:
        wanted = [redactor.charge_point(name) for name in wanted]
    survey = Survey(wanted, means.loads, recognise=means.recognise)
    is_any = False
    with _seldom_collected():
        all_notes = _read_all(options, means, survey, redactor, complain)
    for notes in all_notes:
        if notes.form is None:
            complain(not_recognised(notes, options.language))
        is_any = is_any or notes.frames > 0
    survey.finish()
    if not is_any:
        return EX_UNUSABLE
    if not survey.frames:
        found = ", ".join(sorted(survey.unwanted)[:20]) or "-"
        complain(ANALYZE["no_such_charge_point"](options.language, wanted=options.charge_point or "-", found=found))
        return EX_UNUSABLE
    report = survey.report(means.version, means.explain, options.language.value, is_redacted=options.redact)
    for line in terminal.summary(report, options.language):
        say(line)
    if options.report is not None:
        for path in written(report, options.report, options.language):
            say(ANALYZE["written"](options.language, path=str(path)))
    return exit_code(report)


def written(report: Report, path: Path, language: Language) -> list[Path]:
    """Write the report, and what belongs to it beside it; gives the names of the files."""
    paths = []
    for name, text in document(report, path.name, language).items():
        target = path.with_name(name)
        target.write_text(text, "utf-8")
        paths.append(target)
    return paths


def exit_code(report: Report) -> int:
    """3 when an order was violated, else 0."""
    return EX_VIOLATED if report.total(Outcome.VIOLATED) else 0


def not_recognised(notes: LogNotes, language: Language) -> str:
    """What was looked for, and the first line that could not be placed."""
    if notes.first_unplaced is None:
        first = ANALYZE["empty"](language)
    else:
        number, text = notes.first_unplaced
        first = ANALYZE["first_line"](language, number=str(number), text=repr(text))
    return ANALYZE["not_recognised"](language, name=shown(notes.name), first=first)


def redacting(redactor: Redactor) -> Callable[[LoggedFrame | Believed], LoggedFrame | Believed]:
    """Makes a frame unrecognisable before anybody looks at it."""

    def change(item: LoggedFrame | Believed) -> LoggedFrame | Believed:
        if isinstance(item, Believed):
            return item
        return replace(
            item,
            charge_point=redactor.charge_point(item.charge_point),
            text=redactor.frame(item.text),
            original=None if item.original is None else redactor.frame(item.original),
        )

    return change


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """What is made for each frame holds no circles: looking for them after every few hundred costs a tenth."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, before[1], before[2])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _read_all(
    options: AnalyzeOptions, means: Means, survey: Survey, redactor: Redactor | None, complain: Say
) -> Sequence[LogNotes]:
    timeline = Timeline()
    bar = _Bar(means.progress, size_of(list(options.files)), options.language)
    found = []
    change = redacting(redactor) if redactor is not None else None
    for count, name in enumerate(options.files, 1):
        reader = LogReader(name, timeline, means.loads)
        try:
            with opened(name) as lines:
                for number, item in enumerate(reader.frames(lines)):
                    survey.feed(item if change is None else change(item))
                    if number % FRAMES_BETWEEN_LOOKS == 0:
                        bar.show(lines.position(), reader.notes.frames)
                bar.passed(lines.position())
        except UnusableLogError as error:
            complain(str(error))
            continue
        found.append(reader.notes)
        survey.read(reader.notes if redactor is None else replace(reader.notes, name=f"log {count}"))
    bar.end()
    return found


class _Bar:
    """A line on a terminal that says how far it is; nothing where nobody looks."""

    def __init__(self, stream: TextIO, total: int | None, language: Language) -> None:
        self._stream = stream
        self._total = total
        self._language = language
        self._is_shown = stream.isatty()
        self._before = 0
        self._next = 0

    def show(self, position: int, frames: int) -> None:
        """So many bytes of this log, so many frames."""
        done = self._before + position
        if not self._is_shown or done < self._next:
            return
        self._next = done + REFRESH_BYTES
        text = ANALYZE["progress"](self._language, done=f"{done / 1e6:.0f}", frames=str(frames))
        if self._total:
            share = min(1.0, done / self._total)
            text = f"[{'#' * round(share * 30):<30}] {share:4.0%}  {text}"
        self._stream.write(f"\r{text}\x1b[K")
        self._stream.flush()

    def passed(self, position: int) -> None:
        """A log is read to its end."""
        self._before += position

    def end(self) -> None:
        """Nothing more to show."""
        if self._is_shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
