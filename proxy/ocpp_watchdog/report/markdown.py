"""The report as Markdown, for an issue or a ticket. Everything from outside is escaped; charts are files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ocpp_watchdog.report.outline import ConnectorPart, Outline, StationPart
from ocpp_watchdog.report.wording import Speaker

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


def markdown(said: Outline, speaker: Speaker, charts: Sequence[str]) -> str:
    """The text. charts: names of the files with the drawings, in the order of the connectors that have one."""
    return "\n".join(_lines(said, speaker, iter(charts))).rstrip("\n") + "\n"


def _lines(said: Outline, speaker: Speaker, charts: Iterator[str]) -> Iterator[str]:
    yield from (f"# {said.title}", "", f"**{plain(said.result)}**", "", plain(said.period), "")
    yield from _bullets(said.sources)
    for station in said.stations:
        yield from _station(station, speaker, charts)
    if said.settings:
        yield from _heading(speaker.say("settings"))
        yield from _bullets(f"{name}: {value}" for name, value in said.settings)
    yield from _heading(speaker.say("caveats"))
    yield from _bullets(said.caveats)
    yield plain(said.made_by)


def _station(station: StationPart, speaker: Speaker, charts: Iterator[str]) -> Iterator[str]:
    yield from _heading(station.title)
    yield from (plain(station.device), "")
    for key, lines in (
        ("failed", station.failed), ("worked", station.worked), ("undetermined", station.undetermined),
    ):  # fmt: skip
        yield from _heading(speaker.say(key), 3)
        yield from _bullets(lines or [speaker.say("nothing")])
    for connector in station.connectors:
        yield from _connector(connector, speaker, charts)
    yield from _commands(station, speaker)
    if station.causes:
        yield from _heading(speaker.say("causes"), 3)
        yield from (f"{number}. {plain(cause)}" for number, cause in enumerate(station.causes, 1))
        yield ""
    yield from _heading(speaker.say("facts"), 3)
    yield from _bullets(_facts(station, speaker) or [speaker.say("no_facts")])
    if station.caveats:
        yield from _heading(speaker.say("caveats"), 3)
        yield from _bullets(station.caveats)


def _connector(connector: ConnectorPart, speaker: Speaker, charts: Iterator[str]) -> Iterator[str]:
    yield from _heading(connector.title, 3)
    if connector.drawing:
        yield from (f"![{plain(speaker.say('chart'))}]({next(charts, '')})", "")
    if connector.orders:
        heads = [speaker.say(key) for key in ("time", "order", "answer", "verdict", "evidence")]
        yield f"| {' | '.join(heads)} |"
        yield "|---" * len(heads) + "|"
        for row in connector.orders:
            evidence = " ".join([row.evidence, row.deadline, *row.remarks]).strip()
            order = f"{row.label} ({row.repeats})" if row.repeats else row.label
            verdict = f"**{plain(row.outcome)}** {plain(row.verdict)}".strip()
            cells = (plain(row.time), plain(order), plain(row.answer), verdict, plain(evidence))
            yield f"| {' | '.join(cells)} |"
        yield ""
        for row in connector.orders:
            if row.readings:
                yield from (f"**{plain(row.time)} {plain(row.label)}**, {plain(speaker.say('readings_after'))}:", "")
                yield from _bullets(row.readings)
    yield from _bullets(connector.left_out)
    yield from (plain(connector.energy), "")


def _commands(station: StationPart, speaker: Speaker) -> Iterator[str]:
    if not station.commands:
        return
    yield from _heading(speaker.say("timeline"), 3)
    for command in station.commands:
        yield f"- {plain(command.time)} {plain(command.name)}: {plain(command.answer)}"
        if command.warning:
            yield f"  **{plain(command.warning)}**"
        yield ""
        yield from _fenced("\n".join(text for text in (command.text, command.answer_text) if text))


def _facts(station: StationPart, speaker: Speaker) -> list[str]:
    lines = []
    for fact in station.facts:
        advice = f" {speaker.say('advice', advice=fact.advice)}" if fact.advice else ""
        source = f" ({speaker.say('fact_source', source=fact.source)})" if fact.source else ""
        lines.append(f"{fact.text}{advice}{source}")
    return lines


def _heading(text: str, level: int = 2) -> Iterator[str]:
    yield from ("", f"{'#' * level} {plain(text)}", "")


def _bullets(lines: Sequence[str] | Iterator[str]) -> Iterator[str]:
    found = [f"- {plain(line)}" for line in lines]
    yield from ([*found, ""] if found else [])


def _fenced(text: str) -> Iterator[str]:
    """Exactly as it is, behind a fence that it cannot close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"  {fence}json"
    yield from (f"  {line}" for line in text.splitlines())
    yield from (f"  {fence}", "")


def plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
