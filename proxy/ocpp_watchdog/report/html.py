"""The report as one HTML file: light and dark, nothing fetched, no script, everything from outside escaped.

Its Content-Security-Policy allows its own style by hash and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape

from ocpp_watchdog.report.chart import STYLE as CHART_STYLE
from ocpp_watchdog.report.outline import CommandRow, ConnectorPart, OrderRow, Outline, StationPart
from ocpp_watchdog.report.wording import Speaker

STYLE = (
    """
:root{color-scheme:light dark;--ink:#0f172a;--soft:#475569;--line:#e2e8f0;--paper:#fff;--card:#f8fafc}
@media (prefers-color-scheme:dark){:root{--ink:#e2e8f0;--soft:#94a3b8;--line:#334155;--paper:#0f172a;--card:#1e293b}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
body{margin:0 auto;max-width:62rem;padding:1rem}
h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}h3{margin-top:1.8rem}
.result{padding:.8rem 1rem;border-radius:.5rem;font-weight:600;background:#dcfce7;color:#14532d}
.result.bad{background:#fee2e2;color:#7f1d1d}
@media (prefers-color-scheme:dark){.result{background:#14532d;color:#dcfce7}}
@media (prefers-color-scheme:dark){.result.bad{background:#7f1d1d;color:#fee2e2}}
.soft{color:var(--soft)}
table{border-collapse:collapse;width:100%;display:block;overflow-x:auto}
th,td{border-bottom:1px solid var(--line);padding:.4rem .6rem;text-align:left;vertical-align:top}
.badge{display:inline-block;border-radius:.3rem;padding:0 .4rem;font-weight:600;white-space:nowrap}
.violated{background:#dc2626;color:#fff}.doubtful,.not_followed{background:#d97706;color:#fff}
.obeyed{background:#15803d;color:#fff}.undetermined{background:#64748b;color:#fff}
figure{margin:1rem 0;overflow-x:auto}
.chart{max-width:100%;height:auto}
@media screen and (max-width:40rem){thead{display:none}table,tbody,tr,td{display:block}
td{border:0;padding:.1rem 0}tr{border-bottom:1px solid var(--line);padding:.6rem 0}}
pre{background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.6rem}
pre{overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
details{margin:.3rem 0}summary{cursor:pointer}
@media print{details>*{display:block}}
""".strip()
    + "\n"
    + CHART_STYLE
)


def html(said: Outline, speaker: Speaker) -> str:
    """The whole file."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return "\n".join([
        "<!doctype html>",
        f'<html lang="{speaker.language.value}">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(said.title)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        *_body(said, speaker),
        "</body>",
        "</html>",
        "",
    ])  # fmt: skip


def _body(said: Outline, speaker: Speaker) -> Iterator[str]:
    yield f"<h1>{escape(said.title)}</h1>"
    yield f'<p class="result{" bad" if said.is_violated else ""}">{escape(said.result)}</p>'
    yield f'<p class="soft">{escape(said.period)}</p>'
    yield from _list(said.sources)
    for station in said.stations:
        yield from _station(station, speaker)
    if said.settings:
        yield f"<h2>{escape(speaker.say('settings'))}</h2>"
        yield from _list(f"{name}: {value}" for name, value in said.settings)
    yield f"<h2>{escape(speaker.say('caveats'))}</h2>"
    yield from _list(said.caveats)
    yield f'<p class="soft">{escape(said.made_by)}</p>'


def _station(station: StationPart, speaker: Speaker) -> Iterator[str]:
    yield f"<h2>{escape(station.title)}</h2>"
    yield f"<p>{escape(station.device)}</p>"
    for key, lines in (
        ("failed", station.failed), ("worked", station.worked), ("undetermined", station.undetermined),
    ):  # fmt: skip
        yield f"<h3>{escape(speaker.say(key))}</h3>"
        yield from _list(lines or [speaker.say("nothing")])
    for connector in station.connectors:
        yield from _connector(connector, speaker)
    if station.commands:
        yield f"<h3>{escape(speaker.say('timeline'))}</h3>"
        yield from (line for command in station.commands for line in _command(command, speaker))
    if station.causes:
        yield f"<h3>{escape(speaker.say('causes'))}</h3>"
        yield f"<ol>{''.join(f'<li>{escape(cause)}</li>' for cause in station.causes)}</ol>"
    yield f"<h3>{escape(speaker.say('facts'))}</h3>"
    yield from _facts(station, speaker)
    if station.caveats:
        yield f"<h3>{escape(speaker.say('caveats'))}</h3>"
        yield from _list(station.caveats)


def _connector(connector: ConnectorPart, speaker: Speaker) -> Iterator[str]:
    yield f"<h3>{escape(connector.title)}</h3>"
    if connector.drawing:
        yield f"<figure>{connector.drawing}<figcaption>{escape(speaker.say('chart'))}</figcaption></figure>"
    if connector.orders:
        heads = "".join(
            f"<th>{escape(speaker.say(key))}</th>" for key in ("time", "order", "answer", "verdict", "evidence")
        )
        yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
        yield from (_order(row, speaker) for row in connector.orders)
        yield "</tbody></table>"
    yield from _list(connector.left_out)
    yield f"<p>{escape(connector.energy)}</p>"


def _order(row: OrderRow, speaker: Speaker) -> str:
    more = "".join(f"<br>{escape(text)}" for text in (row.deadline, *row.remarks) if text)
    readings = ""
    if row.readings:
        items = "".join(f"<li>{escape(reading)}</li>" for reading in row.readings)
        readings = f"<details><summary>{escape(speaker.say('readings_after'))}</summary><ul>{items}</ul></details>"
    exact = f"<details><summary>{escape(speaker.say('exact'))}</summary><pre>{escape(row.text)}</pre></details>"
    repeats = f'<br><span class="soft">{escape(row.repeats)}</span>' if row.repeats else ""
    return (
        f"<tr><td>{escape(row.time)}</td><td>{escape(row.label)}{repeats}</td><td>{escape(row.answer)}</td>"
        f'<td><span class="badge {escape(row.css)}">{escape(row.outcome)}</span>'
        f'<br><span class="soft">{escape(row.verdict)}</span></td>'
        f"<td>{escape(row.evidence)}{more}{readings}{exact if row.text else ''}</td></tr>"
    )


def _command(command: CommandRow, speaker: Speaker) -> Iterator[str]:
    yield f"<details><summary>{escape(command.time)} {escape(command.name)}: {escape(command.answer)}</summary>"
    if command.warning:
        yield f'<p class="result bad">{escape(command.warning)}</p>'
    yield f"<pre>{escape(command.text)}</pre>"
    if command.answer_text:
        yield f"<p>{escape(speaker.say('answer'))}</p><pre>{escape(command.answer_text)}</pre>"
    yield "</details>"


def _facts(station: StationPart, speaker: Speaker) -> Iterator[str]:
    if not station.facts:
        yield f"<p>{escape(speaker.say('no_facts'))}</p>"
        return
    yield "<ul>"
    for fact in station.facts:
        advice = f" <em>{escape(speaker.say('advice', advice=fact.advice))}</em>" if fact.advice else ""
        source = f'<br><span class="soft">{escape(speaker.say("fact_source", source=fact.source))}</span>'
        yield f"<li>{escape(fact.text)}{advice}{source if fact.source else ''}</li>"
    yield "</ul>"


def _list(lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in found)}</ul>"
