"""A chart's data, gathered reading by reading in bounded memory: what falls into one column keeps its extremes.

The columns are as wide as they must be: when there are too many, two become one.
"""

from __future__ import annotations

from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.units import DEFAULT_PHASES, amperes
from ocpp_watchdog.report.model import Chart, Span

MOST_COLUMNS = 2_048
FIRST_WIDTH_SECONDS = 1.0
MOST_STEPS = 4_096
PHASES = ("L1", "L2", "L3", "", "P")
"""Three phases, a current without phase, and power as amperes where nothing else was measured."""

NOTHING = (None, None, None, None)


class Strip:
    """One connector's chart in the making."""

    def __init__(self) -> None:
        self._width = FIRST_WIDTH_SECONDS
        self._columns: dict[int, list[list[float] | None]] = {}
        self._steps: list[tuple[float, float | None]] = []
        self._violations: list[tuple[float, float]] = []
        self._begin: float | None = None
        self._end = 0.0

    def measured(self, utc: float, reading: Reading) -> None:
        """A reading came."""
        values: tuple[float | None, ...] = (*reading.currents, reading.current)
        if values == NOTHING:
            if reading.power is None:
                return
            values = (*NOTHING, amperes(reading.power, DEFAULT_PHASES))
        if utc > self._end or self._begin is None:
            self._seen(utc)
        number = int(utc // self._width)
        column = self._columns.get(number)
        if column is None:
            column = self._columns[number] = [None] * len(PHASES)
            while len(self._columns) > MOST_COLUMNS:
                self._widen()
            column = self._columns[int(utc // self._width)]
        for index, value in enumerate(values):
            if value is None:
                continue
            span = column[index]
            if span is None:
                column[index] = [utc, utc, value, value]
                continue
            span[1] = utc
            if value < span[2]:
                span[2] = value
            elif value > span[3]:
                span[3] = value

    def commanded(self, utc: float, limit: float | None) -> None:
        """The order changed."""
        self._seen(utc)
        if self._steps and self._steps[-1][1] == limit:
            return
        self._steps.append((utc, limit))
        if len(self._steps) > MOST_STEPS:
            self._thin_steps()

    def violated(self, begin: float, end: float) -> None:
        """An order was ignored from begin to end."""
        self._violations.append((begin, end))
        del self._violations[:-MOST_STEPS]

    def chart(self, end: float) -> Chart | None:
        """What there is to draw; None: nothing was measured and nothing ordered."""
        if self._begin is None:
            return None
        lines = []
        for index, name in enumerate(PHASES):
            spans = [column[index] for _, column in sorted(self._columns.items())]
            known = tuple(Span(*span) for span in spans if span is not None)
            if known:
                lines.append((name, known))
        return Chart(self._begin, max(end, self._end), tuple(self._steps), tuple(lines), tuple(self._violations))

    def _seen(self, utc: float) -> None:
        self._begin = utc if self._begin is None else min(self._begin, utc)
        self._end = max(self._end, utc)

    def _widen(self) -> None:
        self._width *= 2.0
        columns, self._columns = self._columns, {}
        for number, column in sorted(columns.items()):
            merged = self._columns.setdefault(number // 2, [None] * len(PHASES))
            for index, span in enumerate(column):
                other = merged[index]
                if span is None:
                    continue
                if other is None:
                    merged[index] = span
                else:
                    other[1] = max(other[1], span[1])
                    other[2], other[3] = min(other[2], span[2]), max(other[3], span[3])

    def _thin_steps(self) -> None:
        """Of the older half keep every other one, those to 0 always."""
        half = len(self._steps) // 2
        older = [step for number, step in enumerate(self._steps[:half]) if number % 2 == 0 or step[1] == 0.0]
        self._steps = older + self._steps[half:]
        if len(self._steps) > MOST_STEPS:
            del self._steps[: len(self._steps) - MOST_STEPS // 2]
