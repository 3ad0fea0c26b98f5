"""The forms of logs: one line -> who said what to whom, or just the time of the line, or nothing of the kind.

Each form is a function of one line. It does not look at frames beyond where they begin; joining lines, zones and
moments are ``log.py``'s and ``timeline.py``'s business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.core.repairs import ANSWER_FOR
from ocpp_watchdog.core.terms import Direction
from ocpp_watchdog.readers.times import Known, LogTime, read_time, time_at_the_start
from ocpp_watchdog.trace import TraceLine, decode


class Form(StrEnum):
    """Which kind of log it is."""

    TRACE = "trace"
    EVCC = "evcc"
    LIBRARY = "library"
    PLAIN = "plain"


@dataclass(slots=True)
class Entry:
    """One line, read. time None: it says none. text None: the line holds no frame. trace: the whole line where it is
    one of a trace, which knows more than a log. believed: the charge power that evcc's load point shows, W."""

    time: LogTime | None
    charge_point: str = ""
    direction: Direction | None = None
    text: str | None = None
    trace: TraceLine | None = None
    believed: float | None = None


Read = Callable[[str], Entry | None]
"""None: the line is not of this form; it may continue the line before."""

HOLDS_A_FRAME = re.compile(r'\[\s*[234]\s*,\s*"|"messageType"\s*:\s*"CALL')
"""What looks like a frame, wherever it stands."""

_SENT, _RECEIVED = Direction.TO_CHARGE_POINT, Direction.TO_CENTRAL_SYSTEM
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_HEAD = 160

# evcc pads its areas to six characters, older ones less; journald and docker put their own prefix in front.
_EVCC = re.compile(
    r"\[\s*([\w.-]+)\s*\]\s+(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\s+(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)"
    r"(?: (send|sent|recv|received) (?:JSON message (?:to|from) )?(.*?): ?(?=\[)(.*))?",
    re.DOTALL,
)
_CHARGE_POWER = re.compile(r"charge power: (-?\d+(?:\.\d+)?)W")
# The ocpp package (Home Assistant uses it): "<id>: send [" and "<id>: receive message [".
_LIBRARY = re.compile(r"(?:^|[\s|])(?:[A-Z]+:ocpp:)?(\S*): (send|receive message) (?=\[)(.*)", re.DOTALL)
_FRAME = re.compile(r'\[\s*[234]\s*,\s*"')
_WAYS = re.compile(
    r"(cp->cs|->\s*cs\b)|(cs->cp|->\s*cp\b)|\b(recv|received|receive|receiving|rx)\b|\b(send|sent|sending|tx)\b|(<<<)|(>>>)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"chargeBoxId=([^,\]]+)|\b(?:to|from|recv|send|received|sent)\s+([^\s()]+?):\s*$", re.IGNORECASE)


def clean(line: str) -> str:
    """Without its end and without colours."""
    line = line.rstrip("\r\n")
    return _ESCAPES.sub("", line) if "\x1b" in line else line


def evcc(line: str) -> Entry | None:
    """evcc's trace log. evcc is the central system: what it sends goes to the charge point."""
    match = _EVCC.search(line, 0, len(line))
    if match is None:
        return None
    area, stamp, verb, charge_point, text = match.groups()
    if text is None or not area.startswith("ocpp"):
        power = _CHARGE_POWER.search(line, match.end()) if " charge power: " in line else None
        return Entry(read_time(stamp), believed=None if power is None else float(power[1]))
    return Entry(read_time(stamp), charge_point, _RECEIVED if verb[0] == "r" else _SENT, text)


def library(line: str) -> Entry | None:
    """Logs of the ocpp package; taken from the central system's side until the frames say otherwise."""
    match = _LIBRARY.search(line)
    if match is None:
        time = time_at_the_start(line)
        return None if time is None else Entry(time)
    charge_point, verb, text = match.groups()
    return Entry(read_time(line[: match.start()][:_HEAD]), charge_point, _SENT if verb == "send" else _RECEIVED, text)


def plain(line: str) -> Entry | None:
    """Any other log: a time somewhere, a word for the direction, then the frame."""
    match = _FRAME.search(line)
    if match is None:
        time = time_at_the_start(line)
        return None if time is None else Entry(time)
    head = line[: match.start()]
    direction = _direction(head[-_HEAD:])
    if direction is None:
        return None
    named = _NAMED.search(head)
    charge_point = (named[1] or named[2] or "") if named else ""
    return Entry(read_time(head[:_HEAD]), charge_point, direction, line[match.start() :])


def _direction(head: str) -> Direction | None:
    """An arrow between the two counts for more than a word, and the last word for more than those before."""
    found: Direction | None = None
    for to_central, to_charge_point, received, sent, arrow_in, arrow_out in _WAYS.findall(head):
        if to_central or to_charge_point:
            return _RECEIVED if to_central else _SENT
        found = _RECEIVED if received or arrow_in else _SENT if sent or arrow_out else found
    return found


def trace_form(loads: Loads = json.loads) -> Read:
    """The form of Open OCPP Trace lines, with this JSON decoder."""

    def read(line: str) -> Entry | None:
        if not line.lstrip("\ufeff[, \t").startswith("{"):
            return None
        found = decode(line.strip("\ufeff[], \t") if line[0] != "{" or line[-1] != "}" else line, loads)
        if found is None:
            return None
        return Entry(
            LogTime(found.utc, Known.INSTANT, is_fine=True), found.charge_point, found.direction, _heard(found), found
        )

    return read


def _heard(line: TraceLine) -> str | None:
    """What the running judge heard of it: of a repaired command what was asked, of what a repair answered nothing."""
    if line.note == ANSWER_FOR:
        return None
    is_command = line.direction is Direction.TO_CHARGE_POINT
    return line.original if is_command and line.original is not None else line.text


def forms(loads: Loads = json.loads) -> dict[Form, Read]:
    """All forms, the most particular first: the first that finds a frame is the form of the file."""
    return {Form.TRACE: trace_form(loads), Form.EVCC: evcc, Form.LIBRARY: library, Form.PLAIN: plain}
