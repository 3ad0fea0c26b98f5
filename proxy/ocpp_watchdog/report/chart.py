"""Commanded against measured as SVG: a step line and one line per phase, lowest and highest value of each pixel kept.

Written by ourselves (``docs/decisions/0015-charts-of-our-own.md``). Colours are classes, so that a page can have them
light or dark; ``standalone`` brings them along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from html import escape
from itertools import pairwise
from statistics import median

from ocpp_watchdog.report.model import Chart, Span

WIDTH, HEIGHT = 920, 320
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 30, 28
LEAST_AMPERES = 8.0
TOPS = (8.0, 12.0, 16.0, 20.0, 24.0, 32.0, 40.0, 64.0, 80.0)
GAP_SECONDS = 60.0
GAP_TIMES = 5.0
MOST_TIME_TICKS = 8
TIME_STEPS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    2_592_000,
)  # fmt: skip
CLASSES = {"L1": "l1", "L2": "l2", "L3": "l3", "": "l1", "P": "l1"}

STYLE = """
.chart{font:12px system-ui,sans-serif}
.chart text{fill:#475569}
.chart .grid{stroke:#e2e8f0;stroke-width:1}
.chart .commanded{fill:none;stroke:#2563eb;stroke-width:2.5}
.chart .l1{stroke:#b45309}.chart .l2{stroke:#475569}.chart .l3{stroke:#0f766e}
.chart .measured{fill:none;stroke-width:1.5;stroke-linejoin:round}
.chart .ignored{fill:#dc2626;fill-opacity:.12}
@media (prefers-color-scheme:dark){
.chart text{fill:#94a3b8}
.chart .grid{stroke:#334155}
.chart .commanded{stroke:#60a5fa}
.chart .l1{stroke:#f59e0b}.chart .l2{stroke:#cbd5e1}.chart .l3{stroke:#2dd4bf}
.chart .ignored{fill:#f87171;fill-opacity:.18}
}
""".strip()


def svg(chart: Chart, title: str, words: dict[str, str], zone_seconds: int = 0) -> str:
    """The drawing. words: commanded, measured (with {phase}), power, ignored. Colours come from the page."""
    return _Drawing(chart, title, words, zone_seconds).text()


def standalone(drawing: str) -> str:
    """A drawing that brings its colours along, as a file of its own."""
    opening, rest = drawing.split(">", 1)
    return f"{opening}><style>{STYLE}</style>{rest}\n"


class _Drawing:
    def __init__(self, chart: Chart, title: str, words: dict[str, str], zone_seconds: int) -> None:
        self._chart = chart
        self._title = title
        self._words = words
        self._zone = timezone(timedelta(seconds=zone_seconds))
        self._span = max(chart.end - chart.begin, 1.0)
        values = [span.high for _, spans in chart.phases for span in spans]
        values += [amperes for _, amperes in chart.commanded if amperes is not None]
        self._top = _nice_top(max([*values, LEAST_AMPERES]))

    def text(self) -> str:
        """All of it."""
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}">',
            f"<title>{escape(self._title)}</title>",
            *self._violations(),
            *self._grid(),
            *self._measured(),
            self._commanded(),
            *self._legend(),
            "</svg>",
        ]
        return "\n".join(part for part in parts if part)

    # -- places ----------------------------------------------------------------------------------------------------

    def _x(self, utc: float) -> float:
        inside = min(max(utc, self._chart.begin), self._chart.end)
        return LEFT + (WIDTH - LEFT - RIGHT) * (inside - self._chart.begin) / self._span

    def _y(self, amperes: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(max(amperes, 0.0), self._top) / self._top

    # -- parts -----------------------------------------------------------------------------------------------------

    def _grid(self) -> Iterable[str]:
        step = self._top / 4.0
        for number in range(5):
            amperes = step * number
            y = self._y(amperes)
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{amperes:g} A</text>'
        for utc, label in self._time_ticks():
            x = self._x(utc)
            yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
            yield f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{label}</text>'

    def _time_ticks(self) -> Iterable[tuple[float, str]]:
        step = next((step for step in TIME_STEPS if self._span / step <= MOST_TIME_TICKS), TIME_STEPS[-1])
        form = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86_400 else "%d.%m."
        offset = self._zone.utcoffset(None).total_seconds()
        local = (self._chart.begin + offset) // step * step
        while local - offset <= self._chart.end:
            utc = local - offset
            if utc >= self._chart.begin:
                yield utc, datetime.fromtimestamp(utc, UTC).astimezone(self._zone).strftime(form)
            local += step

    def _violations(self) -> Iterable[str]:
        for begin, end in self._chart.violations:
            x, width = self._x(begin), max(self._x(end) - self._x(begin), 1.0)
            yield (
                f'<rect class="ignored" x="{x:.1f}" y="{TOP}" width="{width:.1f}" height="{HEIGHT - TOP - BOTTOM}"/>'
            )

    def _commanded(self) -> str:
        points: list[str] = []
        before: float | None = None
        for utc, amperes in self._chart.commanded:
            x = self._x(utc)
            if before is not None:
                points.append(f"H{x:.1f}")
            if amperes is not None:
                points.append(f"{'V' if before is not None else f'M{x:.1f},'}{self._y(amperes):.1f}")
            before = amperes
        if before is not None:
            points.append(f"H{self._x(self._chart.end):.1f}")
        return f'<path class="commanded" d="{"".join(points)}"/>' if points else ""

    def _measured(self) -> Iterable[str]:
        for name, spans in self._chart.phases:
            yield f'<path class="measured {CLASSES.get(name, "l1")}" d="{self._line(spans)}"/>'

    def _line(self, spans: Sequence[Span]) -> str:
        longest = _longest_gap(spans)
        points: list[str] = []
        end: float | None = None
        for span in _by_pixel(spans, self._x):
            is_new = end is None or span.begin - end > longest
            x = self._x((span.begin + span.end) / 2.0)
            points.append(f"{'M' if is_new else 'L'}{x:.1f},{self._y(span.high):.1f}")
            if span.high > span.low:
                points.append(f"L{x:.1f},{self._y(span.low):.1f}")
            elif is_new:
                points.append("h.1")  # a reading alone is a dot, not nothing
            end = span.end
        return "".join(points)

    def _legend(self) -> Iterable[str]:
        entries = [("commanded", self._words["commanded"])] if self._chart.commanded else []
        for name, _ in self._chart.phases:
            word = self._words["power"] if name == "P" else self._words["measured"].format(phase=name).strip()
            entries.append((f"measured {CLASSES.get(name, 'l1')}", word))
        x = LEFT
        for css, word in entries:
            yield f'<path class="{css}" d="M{x},14h18"/><text x="{x + 24}" y="18">{escape(word)}</text>'
            x += 44 + 7 * len(word)
        if self._chart.violations:
            yield f'<rect class="ignored" x="{x}" y="8" width="18" height="12"/>'
            yield f'<text x="{x + 24}" y="18">{escape(self._words["ignored"])}</text>'


def _nice_top(amperes: float) -> float:
    """A round number at or above it that four steps divide well."""
    return next((top for top in TOPS if top >= amperes), amperes * 1.05)


def _longest_gap(spans: Sequence[Span]) -> float:
    gaps = [later.begin - earlier.end for earlier, later in pairwise(spans)]
    return max(GAP_SECONDS, GAP_TIMES * median(gaps)) if gaps else GAP_SECONDS


def _by_pixel(spans: Sequence[Span], place: Callable[[float], float]) -> Iterable[Span]:
    """One span for each column of pixels: its first and last moment, its lowest and highest value."""
    merged: Span | None = None
    for span in spans:
        if merged is not None and int(place(merged.begin)) == int(place(span.begin)):
            merged = Span(merged.begin, span.end, min(merged.low, span.low), max(merged.high, span.high))
            continue
        if merged is not None:
            yield merged
        merged = span
    if merged is not None:
        yield merged
