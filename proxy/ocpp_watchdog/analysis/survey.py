"""All logs of one analysis: every charge point gets its examiner, and in the end there is a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import PurePath

from ocpp_watchdog.analysis.examiner import Examiner
from ocpp_watchdog.analysis.tags import without_tags
from ocpp_watchdog.core.devices import Recognise, nobody
from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import Moment
from ocpp_watchdog.readers.forms import Form
from ocpp_watchdog.readers.log import Believed, LoggedFrame, LogNotes
from ocpp_watchdog.report import model
from ocpp_watchdog.report.model import Caveat, Report, Source

MOST_CHARGE_POINTS = 1_000

PolicyOf = Callable[[str], Policy]


class Survey:
    """Feeds frames to examiners. charge_points: only these, empty: all. policy_of: the judge's numbers for one."""

    def __init__(
        self,
        charge_points: Iterable[str] = (),
        loads: Loads = json.loads,
        policy_of: PolicyOf | None = None,
        recognise: Recognise = nobody,
    ) -> None:
        self._wanted = frozenset(charge_points)
        self._loads = loads
        self._policy_of = policy_of
        self._recognise = recognise
        self._examiners: dict[str, Examiner] = {}
        self._notes: list[LogNotes] = []
        self._last: Moment | None = None
        self.unwanted: set[str] = set()

    @property
    def frames(self) -> int:
        """How many were judged."""
        return sum(examiner.frames for examiner in self._examiners.values())

    def feed(self, item: LoggedFrame | Believed) -> None:
        """The next frame of any charge point, or what evcc's log says in between."""
        before, self._last = self._last, item.at
        if isinstance(item, Believed):
            if len(self._examiners) == 1:  # with several nobody says which load point is which charge point
                next(iter(self._examiners.values())).believed(item.watts, item.at)
            return
        if before is not None and (item.hole_seconds or item.is_new_log):
            for known in self._examiners.values():
                known.lost_sight(item.at)
        examiner = self._examiners.get(item.charge_point)
        if examiner is None:
            if self._wanted and item.charge_point not in self._wanted:
                if len(self.unwanted) < MOST_CHARGE_POINTS:
                    self.unwanted.add(item.charge_point)
                return
            if len(self._examiners) >= MOST_CHARGE_POINTS:
                return
            policy = self._policy_of(item.charge_point) if self._policy_of is not None else None
            examiner = self._examiners[item.charge_point] = Examiner(
                item.charge_point, self._loads, policy, self._recognise
            )
        examiner.feed(item)

    def read(self, notes: LogNotes) -> None:
        """A log was read to its end."""
        self._notes.append(notes)

    def finish(self, end: Moment | None = None) -> None:
        """Nothing more comes."""
        last = end or self._last
        if last is not None:
            for examiner in self._examiners.values():
                examiner.finish(last)

    def report(
        self,
        version: str,
        explain: model.Explain = model.nothing_known,
        language: str = "en",
        *,
        is_redacted: bool = False,
        zone_seconds: int | None = None,
    ) -> Report:
        """The report. Call ``finish`` before. zone_seconds: offset of the times shown, None: the log's own."""
        stations = tuple(
            examiner.station(explain, language)
            for _, examiner in sorted(self._examiners.items())
            if examiner.begin is not None
        )
        if not is_redacted:  # else tags are names that tell them apart, and nobody's
            stations = tuple(without_tags(station) for station in stations)
        return Report(
            version=version,
            sources=tuple(_source(notes) for notes in self._notes),
            begin=min((station.begin for station in stations), default=0.0),
            end=max((station.end for station in stations), default=0.0),
            zone_seconds=self._zone_seconds() if zone_seconds is None else zone_seconds,
            stations=stations,
            caveats=self._caveats(is_redacted=is_redacted),
        )

    def _zone_seconds(self) -> int:
        """The offset of the log's own clock, so that the report shows the times that stand in the log."""
        for notes in self._notes:
            if notes.has_wall_clock and notes.zone.is_known:
                return notes.zone.offset_seconds
        return 0

    def _caveats(self, *, is_redacted: bool) -> tuple[tuple[Caveat, float], ...]:
        found: list[tuple[Caveat, float]] = []
        logs = [notes for notes in self._notes if notes.frames]
        if any(not notes.is_fine and notes.form is not Form.TRACE for notes in logs):
            found.append((Caveat.WHOLE_SECONDS, 0))
        if any(notes.has_wall_clock and not notes.zone.is_known for notes in logs):
            found.append((Caveat.ZONE_UNKNOWN, 0))
        for caveat, count in (
            (Caveat.CUT_FRAMES, sum(notes.cut for notes in logs)),
            (Caveat.UNPLACED_LINES, sum(notes.unplaced for notes in logs)),
            (Caveat.UNTIMED, sum(notes.untimed for notes in logs)),
            (Caveat.REPAIRED, sum(notes.repaired for notes in logs)),
        ):
            if count:
                found.append((caveat, count))
        found.append((Caveat.OWN_METER, 0))
        found.append((Caveat.NOT_CERTIFIED, 0))
        if is_redacted:
            found.append((Caveat.REDACTED, 0))
        return tuple(found)


def _source(notes: LogNotes) -> Source:
    return Source(PurePath(notes.name).name, "" if notes.form is None else notes.form.value, notes.lines, notes.frames)
