"""A whole log: lines in, frames out. Finds the form, joins frames that span lines, gives each its moment.

Bounded: it holds the frame it is joining, and until zone and side are known the frames of the beginning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.core.repairs import KINDS
from ocpp_watchdog.core.terms import Direction, Moment
from ocpp_watchdog.readers.forms import HOLDS_A_FRAME, Entry, Form, Read, clean, forms
from ocpp_watchdog.readers.timeline import Timeline, Zone
from ocpp_watchdog.readers.times import Known

MOST_BEFORE_DECIDING = 512
"""Frames looked at for the zone and the side the log was written on."""

MOST_LINES_BEFORE_DECIDING = 8_192
LONGEST_FRAME = 1_048_576
HOLE_SECONDS = 900.0
"""So long without any line: what was ordered meanwhile is not known."""

SHOWN_CHARACTERS = 200

_CALL = re.compile(r'\s*\[\s*2\s*,\s*"[^"]*"\s*,\s*"([A-Za-z]+)"')
_SAID_BY_CHARGE_POINTS = frozenset((
    "Authorize", "BootNotification", "DiagnosticsStatusNotification", "FirmwareStatusNotification", "Heartbeat",
    "MeterValues", "StartTransaction", "StatusNotification", "StopTransaction",
))  # fmt: skip
_SAID_BY_CENTRAL_SYSTEMS = frozenset((
    "CancelReservation", "ChangeAvailability", "ChangeConfiguration", "ClearCache", "ClearChargingProfile",
    "GetCompositeSchedule", "GetConfiguration", "GetDiagnostics", "GetLocalListVersion", "RemoteStartTransaction",
    "RemoteStopTransaction", "ReserveNow", "Reset", "SendLocalList", "SetChargingProfile", "TriggerMessage",
    "UnlockConnector", "UpdateFirmware",
))  # fmt: skip


@dataclass(slots=True)
class LoggedFrame:
    """A frame of a log; not frozen, because a hundred megabytes hold a million of them, but never changed.

    line: its number in the file. session: which connection, where the log says so. ours: the proxy wrote it itself.
    withheld: it was kept from the other side. is_cut: the log holds only its beginning. original: what came, where a
    repair of the proxy changed it; text is what was sent. is_new_log: the frames before it are no past of this one.
    hole_seconds: the longest silence of the whole log before this frame, 0 when it was shorter than ``HOLE_SECONDS``.
    """

    charge_point: str
    direction: Direction
    text: str
    at: Moment
    line: int
    session: str = ""
    ours: bool = False
    withheld: bool = False
    is_cut: bool = False
    is_new_log: bool = False
    hole_seconds: float = 0.0
    original: str | None = None

    @property
    def heard(self) -> str | None:
        """What the judge of the running program heard of it: of a command what was asked for, of a reading what was
        sent on; None: nothing, because a repair answered it and the other side never saw it."""
        is_call = _CALL.match(self.text) is not None
        if (self.withheld and is_call) or (self.ours and not is_call):
            return None
        return self.original if self.original and self.direction is Direction.TO_CHARGE_POINT else self.text


@dataclass(frozen=True, slots=True)
class Believed:
    """evcc's own log shows this charge power (W)."""

    watts: float
    at: Moment


@dataclass(slots=True)
class LogNotes:
    """What is worth knowing of a log besides its frames. form None: not recognised.

    unplaced: lines that hold a frame but nobody can say whose; first_unplaced: the first of them (number, text), or the
    first line at all where the form was not recognised. is_fine: the log writes fractions of a second. is_turned: it
    was written on the charge point's side. zone: see ``timeline.Zone``. untimed: frames without any time of their own.
    repaired: frames that a repair of the proxy changed or answered.
    """

    name: str
    form: Form | None = None
    lines: int = 0
    frames: int = 0
    cut: int = 0
    unplaced: int = 0
    untimed: int = 0
    holes: int = 0
    repaired: int = 0
    first_unplaced: tuple[int, str] | None = None
    is_fine: bool = False
    is_turned: bool = False
    zone: Zone = field(default_factory=Zone)
    has_wall_clock: bool = False


REPAIRS = frozenset(KINDS)


@dataclass(slots=True)
class _Held:
    """A frame on its way: the entry and where it stood."""

    entry: Entry
    text: str
    line: int
    lines_joined: int = 0


class LogReader:
    """Reads one log. ``notes`` is complete when ``frames`` is exhausted."""

    def __init__(self, name: str, timeline: Timeline, loads: Loads = json.loads) -> None:
        self.notes = LogNotes(name)
        self._timeline = timeline
        self._loads = loads
        self._forms = forms(loads)
        self._read: Read | None = None
        self._last_seconds: float | None = None
        self._silence = 0.0

    def frames(self, lines: Iterable[str]) -> Iterator[LoggedFrame | Believed]:
        """Every frame of the log, in its order, and what evcc's log says of charge power in between."""
        self._timeline.forget_log_clock()
        begun: list[_Held | Entry] = []
        looked_at = 0
        is_decided = False
        for held in self._joined(lines):
            if is_decided:
                item = self._timed(held)
                if item is not None:
                    yield item
                continue
            begun.append(held)
            if isinstance(held, _Held):
                looked_at += 1
                self.notes.zone.look(held.entry.time, _direction(held), held.text)
            if looked_at >= MOST_BEFORE_DECIDING or len(begun) >= MOST_LINES_BEFORE_DECIDING or self._is_clear(begun):
                is_decided = True
                yield from self._decided(begun)
                begun.clear()
        if not is_decided:
            yield from self._decided(begun)

    # -- lines -> frames -----------------------------------------------------------------------------------------

    def _joined(self, lines: Iterable[str]) -> Iterator[_Held | Entry]:
        """Frames whole, and between them the lines that only tell the time."""
        held: _Held | None = None
        notes = self.notes
        for number, raw in enumerate(lines, 1):
            line = clean(raw)
            notes.lines = number
            entry = self._entry(line, number) if (read := self._read) is None else read(line)
            if read is not None and (entry is None or (entry.text is None and entry.trace is None)):
                self._note_unplaced(line, number)
            if entry is None:
                if held is not None:
                    self._continue(held, line)
                continue
            if entry.trace is not None and entry.trace.note:
                notes.repaired += set(entry.trace.note.split(", ")) <= REPAIRS
            if held is not None:
                yield held
                held = None
            if entry.text is not None:
                held = _Held(entry, entry.text, number)
            elif entry.time is not None:
                yield entry
        if held is not None:
            yield held

    def _entry(self, line: str, number: int) -> Entry | None:
        """A line of a log whose form is not known yet."""
        for form, read in self._forms.items():
            entry = read(line) if line else None
            if entry is not None and entry.text is not None:
                self.notes.form, self._read = form, read
                return entry
        if self.notes.first_unplaced is None and line.strip():
            self.notes.first_unplaced = (number, line[:SHOWN_CHARACTERS])
        self._note_unplaced(line, number)
        return None

    def _note_unplaced(self, line: str, number: int) -> None:
        if '"' not in line or "[" not in line or not HOLDS_A_FRAME.search(line):
            return
        if not self.notes.unplaced:
            self.notes.first_unplaced = (number, line[:SHOWN_CHARACTERS])
        self.notes.unplaced += 1

    def _continue(self, held: _Held, line: str) -> None:
        """A line without a head goes on with the frame before it, as long as that one is not whole."""
        if len(held.text) < LONGEST_FRAME and not _is_whole(held.text):
            held.text += "\n" + line

    # -- zone and side ---------------------------------------------------------------------------------------------

    def _is_clear(self, begun: list[_Held | Entry]) -> bool:
        """Zone and side need no more looking."""
        if self.notes.form is Form.TRACE:
            return True
        if not self.notes.zone.is_sure:
            return False
        return self.notes.form is Form.EVCC or _side(begun) is not None

    def _decided(self, begun: list[_Held | Entry]) -> Iterator[LoggedFrame | Believed]:
        self.notes.zone.decide()
        self.notes.is_turned = self.notes.form in (Form.LIBRARY, Form.PLAIN) and _side(begun) is False
        yield from filter(None, map(self._timed, begun))

    # -- moments -----------------------------------------------------------------------------------------------------

    def _timed(self, held: _Held | Entry) -> LoggedFrame | Believed | None:
        if isinstance(held, _Held):
            return self._frame(held)
        if held.time is not None:
            seconds = self._timeline.seconds(held.time, self.notes.zone)
            self._heard_of(seconds)
            if held.believed is not None and self.notes.frames:
                return Believed(held.believed, self._timeline.moment(seconds)[0])
        return None

    def _heard_of(self, seconds: float) -> None:
        """The log was alive at this second."""
        last, self._last_seconds = self._last_seconds, seconds
        if last is not None and seconds - last > self._silence:
            self._silence = seconds - last

    def _frame(self, held: _Held) -> LoggedFrame:
        entry, notes = held.entry, self.notes
        direction = _direction(held)
        if notes.is_turned:
            direction = direction.back
        text, is_cut = _trimmed(held.text)
        notes.frames += 1
        notes.cut += is_cut
        at, is_new_log = self._moment(entry, direction, text)
        silence, self._silence = self._silence, 0.0
        hole = silence if silence > HOLE_SECONDS else 0.0
        notes.holes += hole > 0.0
        trace = entry.trace
        if trace is None:
            return LoggedFrame(
                entry.charge_point, direction, text, at, held.line,
                is_cut=is_cut, is_new_log=is_new_log, hole_seconds=hole,
            )  # fmt: skip
        return LoggedFrame(
            trace.charge_point, direction, text, at, held.line, trace.session, trace.ours, trace.withheld,
            is_cut=False, is_new_log=is_new_log, hole_seconds=0.0 if trace.session else hole, original=trace.original,
        )  # fmt: skip

    def _moment(self, entry: Entry, direction: Direction, text: str) -> tuple[Moment, bool]:
        time, timeline, notes = entry.time, self._timeline, self.notes
        if entry.trace is not None:
            self._heard_of(entry.trace.utc)
            notes.is_fine = True
            return timeline.trace_moment(entry.trace.utc, entry.trace.mono, entry.trace.session)
        if time is None:
            notes.untimed += 1
            return timeline.moment(None)
        notes.is_fine = notes.is_fine or time.is_fine
        notes.has_wall_clock = notes.has_wall_clock or time.known is not Known.INSTANT
        notes.zone.corrected(time, direction, text)
        seconds = timeline.seconds(time, notes.zone)
        self._heard_of(seconds)
        return timeline.moment(seconds)


def _direction(held: _Held) -> Direction:
    return held.entry.direction or Direction.TO_CENTRAL_SYSTEM


def _side(begun: list[_Held | Entry]) -> bool | None:
    """True: the directions are as a central system writes them; False: as a charge point does; None: not seen yet."""
    for held in begun:
        match = _CALL.match(held.text) if isinstance(held, _Held) else None
        if match is None or not isinstance(held, _Held):
            continue
        to_central = _direction(held) is Direction.TO_CENTRAL_SYSTEM
        if match[1] in _SAID_BY_CHARGE_POINTS:
            return to_central
        if match[1] in _SAID_BY_CENTRAL_SYSTEMS:
            return not to_central
    return None


def _is_whole(text: str) -> bool:
    """The brackets of a frame are closed, those inside its strings left out."""
    return text.rstrip().endswith("]") and not _lacks_its_end(text)


_DECODER = json.JSONDecoder(strict=False)
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _trimmed(text: str) -> tuple[str, bool]:
    """The frame without what the log wrote behind it, and whether its end is missing."""
    if text.endswith("]") and "\n" not in text:
        return text, False
    stripped = text.rstrip()
    try:
        _, end = _DECODER.raw_decode(stripped)
    except (ValueError, RecursionError):
        return text, _lacks_its_end(text)
    return (text if end == len(stripped) else stripped[:end]), False


def _lacks_its_end(text: str) -> bool:
    bare = _STRINGS.sub("", text)
    return bare.count("[") + bare.count("{") > bare.count("]") + bare.count("}")
