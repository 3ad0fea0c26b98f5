"""Pictures of the dashboards' main charts, drawn by the report's own renderer from series that a real Prometheus gave.

``make pictures`` keeps the series beside the pictures; a test draws them again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from boards import FOLDER, load, panels

from ocpp_watchdog.report.chart import STYLE, standalone, svg
from ocpp_watchdog.report.model import Chart, Span

WORDS = {"commanded": "ordered", "measured": "measured {phase}", "power": "power", "ignored": "a stop is being ignored"}
COLOURS = {
    "dark-red": "#c4162a", "orange": "#ff9830", "red": "#f2495c", "light-blue": "#8ab8ff", "yellow": "#fade2a",
    "green": "#73bf69",
}  # fmt: skip
"""Grafana's own, by its names."""
WIDTH, LEFT, RIGHT, TOP, BAND = 920, 150, 14, 30, 44

Values = list[tuple[float, float]]


def drawn(kept: dict[str, Any]) -> dict[str, str]:
    """Texts of the pictures by the names of their files. kept: as ``series.json`` holds it."""
    found = {(each["board"], each["panel"], each["expression"]): each["series"] for each in kept["series"]}
    since, speed = kept["since"], kept["speed"]

    def values(series: dict[str, Any]) -> Values:
        return [(since + (at - since) * speed, float(value)) for at, value in series["values"]]

    def of(board: str, panel: str, part: str) -> list[tuple[dict[str, str], Values]]:
        chosen = next(each for key, each in found.items() if key[:2] == (board, panel) and part in key[2])
        return [(each["metric"], values(each)) for each in chosen]

    main = "charge-point", "Ordered against measured"
    ordered = of(*main, "commanded_limit_amperes")[0][1]
    ignored = [at for at, value in of(*main, "episode_open_since")[0][1] if value > 0]
    chart = Chart(
        ordered[0][0],
        ordered[-1][0],
        tuple(ordered),
        tuple((labels["phase"], spans(line)) for labels, line in of(*main, "measured_current") if spans(line)),
        ((min(ignored), max(ignored)),) if ignored else (),
    )
    bands = of("overview", "What the judge sees", "phase")
    return {
        "grafana-charge-point.svg": standalone(svg(chart, "Ordered against measured", WORDS)),
        "grafana-overview.svg": states("What the judge sees", bands),
    }


def spans(line: Values) -> tuple[Span, ...]:
    return tuple(Span(at, at, value, value) for at, value in line if math.isfinite(value))


def states(title: str, rows: Sequence[tuple[dict[str, str], Values]]) -> str:
    """Bands of states in the colours and with the words of the panel."""
    board = load(FOLDER / "overview.json")
    panel = next(each for each in panels(board) if each["title"] == title)
    shown = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
    begin, end = rows[0][1][0][0], rows[0][1][-1][0]
    scale = (WIDTH - LEFT - RIGHT) / max(end - begin, 1.0)
    height = TOP + BAND * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}"><style>{STYLE}.chart .state{{fill:#111827}}</style>',
        f'<title>{escape(title)}</title><text x="{LEFT}" y="18">{escape(title)}, {end - begin:.0f} s</text>',
    ]
    for number, (labels, line) in enumerate(rows):
        y = TOP + BAND * number
        name = escape(f"{labels['charge_point']}, {labels['connector']}")
        parts.append(f'<text x="{LEFT - 6}" y="{y + 24}" text-anchor="end">{name}</text>')
        changes = [(state, next(group)[0]) for state, group in groupby(line, key=lambda each: each[1])]
        ends = [at for _, at in changes[1:]] + [end]
        for (state, at), until in zip(changes, ends, strict=True):
            what = shown[f"{state:g}"]
            x, width = LEFT + (at - begin) * scale, (until - at) * scale
            colour = COLOURS.get(what["color"], what["color"])
            parts.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAND - 8}" fill="{colour}"/>')
            if width > 8 * len(what["text"]):
                parts.append(f'<text class="state" x="{x + 5:.1f}" y="{y + 23}">{escape(what["text"])}</text>')
    return "\n".join([*parts, "</svg>\n"])


def write(kept: dict[str, Any], folder: Path) -> None:
    """The series and the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "series.json").write_text(json.dumps(kept, separators=(",", ":")) + "\n", "utf-8")
    for name, text in drawn(kept).items():
        (folder / name).write_text(text, "utf-8")
