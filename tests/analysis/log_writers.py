"""Writes frames down as the logs of others do: every form that ``analyze`` reads, with the habits of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from ocpp_watchdog import trace
from ocpp_watchdog.core.terms import Direction

ZONE_SECONDS = 7200.0
GERMAN = ("Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez")
ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Passed:
    """A frame that passed. sent: by the central system."""

    utc: float
    charge_point: str
    sent: bool
    text: str


Write = Callable[[Iterable[Passed]], str]


def wall(utc: float, form: str) -> str:
    """Local time."""
    return datetime.fromtimestamp(utc + ZONE_SECONDS, UTC).strftime(form)


def evcc(frames: Iterable[Passed]) -> str:
    """evcc of today."""
    return "".join(
        f"[ocpp  ] TRACE {wall(f.utc, '%Y/%m/%d %H:%M:%S')} {'send' if f.sent else 'recv'} {f.charge_point}: {f.text}\n"
        for f in frames
    )


def evcc_of_old(frames: Iterable[Passed]) -> str:
    """evcc of 2023: other words, an area that is not padded, a line about each CALL besides."""
    lines = []
    for f in frames:
        verb = "sent JSON message to" if f.sent else "received JSON message from"
        head = f"[ocpp ] TRACE {wall(f.utc, '%Y/%m/%d %H:%M:%S')}"
        if f.sent and f.text.startswith("[2"):
            _, unique_id, action, *_ = json.loads(f.text)
            lines.append(f"{head} enqueued CALL [{unique_id}, {action}] for {f.charge_point}")
        lines.append(f"{head} {verb} {f.charge_point}: {f.text}")
    return "\n".join(lines) + "\n"


def journald(frames: Iterable[Passed], months: tuple[str, ...] = ENGLISH) -> str:
    """evcc through journalctl, between lines of its load point."""
    lines = []
    for number, f in enumerate(frames):
        month = months[int(wall(f.utc, "%m")) - 1]
        head = f"{month} {wall(f.utc, '%d %H:%M:%S')} evcc evcc[4674]: "
        clock = wall(f.utc, "%Y/%m/%d %H:%M:%S")
        lines.append(f"{head}[ocpp  ] TRACE {clock} {'send' if f.sent else 'recv'} {f.charge_point}: {f.text}")
        if number % 7 == 0:
            lines.append(f"{head}[lp-1  ] DEBUG {clock} charger status: C")
    return "\n".join(lines) + "\n"


def journald_in_german(frames: Iterable[Passed]) -> str:
    """The same on a German machine."""
    return journald(frames, GERMAN)


def home_assistant(frames: Iterable[Passed]) -> str:
    """The ocpp integration, milliseconds."""
    lines = []
    for f in frames:
        clock = f"{wall(f.utc, '%Y-%m-%d %H:%M:%S')}.{int(f.utc % 1 * 1000):03d}"
        verb = "send" if f.sent else "receive message"
        lines.append(f"{clock} INFO (MainThread) [ocpp] {f.charge_point}: {verb} {f.text}")
        lines.append(f"{clock} DEBUG (MainThread) [custom_components.ocpp] something else [1, 2]")
    return "\n".join(lines) + "\n"


def charge_point_of_the_package(frames: Iterable[Passed]) -> str:
    """The ocpp package on the other side: what the charge point sends is what the central system received."""
    lines = []
    for f in frames:
        clock = f"{wall(f.utc, '%Y-%m-%d %H:%M:%S')},{int(f.utc % 1 * 1000):03d}"
        lines.append(f"{clock} - ocpp - INFO - {f.charge_point}: {'receive message' if f.sent else 'send'} {f.text}")
    return "\n".join(lines) + "\n"


def pretty_printed(frames: Iterable[Passed]) -> str:
    """A wallbox that sends its JSON over many lines, in Home Assistant's log."""
    lines = []
    for f in frames:
        text = f.text
        with suppress(ValueError):
            text = text if f.sent else json.dumps(json.loads(text), indent=1)
        verb = "send" if f.sent else "receive message"
        clock = f"{wall(f.utc, '%Y-%m-%d %H:%M:%S')}.{int(f.utc % 1 * 1000):03d}"
        lines.append(f"{clock} INFO (MainThread) [ocpp] {f.charge_point}: {verb} {text}")
    return "\n".join(lines) + "\n"


def open_ocpp_trace(frames: Iterable[Passed]) -> str:
    """The journal's own form."""
    ways = {True: Direction.TO_CHARGE_POINT, False: Direction.TO_CENTRAL_SYSTEM}
    return "".join(f"{trace.encode(trace.TraceLine(f.utc, f.charge_point, ways[f.sent], f.text))}\n" for f in frames)


def plain(frames: Iterable[Passed]) -> str:
    """Some other tool."""
    ways = {True: "send (cs->cp)", False: "recv (cp->cs)"}
    return "".join(f"{wall(f.utc, '%Y-%m-%d %H:%M:%S')} {ways[f.sent]} {f.text}\n" for f in frames)


FORMS: dict[str, Write] = {
    write.__name__: write
    for write in (
        evcc, evcc_of_old, journald, journald_in_german, home_assistant, charge_point_of_the_package, pretty_printed,
        open_ocpp_trace, plain,
    )
}  # fmt: skip
