"""Frames on their way to the segments: put away as plain bytes on the loop's side, everything else in one thread.

The thread works in slices so short that no frame waits for the interpreter, and gives way between them. When many come
they go to a spool as they are, and become lines when there is time. What cannot be written is kept, bounded; what is
dropped is counted (DESIGN R12).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from threading import Lock

from ocpp_watchdog.core import wire
from ocpp_watchdog.core.frames import Loads, Opaque, decode
from ocpp_watchdog.core.mending import Repaired
from ocpp_watchdog.shell.journal.names import day_of
from ocpp_watchdog.shell.journal.raw import PIECES, Understanding, pieces_of, utc_of
from ocpp_watchdog.shell.journal.segments import Segments
from ocpp_watchdog.shell.journal.spool import Spool
from ocpp_watchdog.shell.journal.tracks import Track
from ocpp_watchdog.shell.journal.working import Worker
from ocpp_watchdog.shell.ports import Passage, Passed
from ocpp_watchdog.shell.timekeeping import Time
from ocpp_watchdog.trace import TraceLine, encode

log = logging.getLogger(__name__)

ROUND_SECONDS = 0.25
SYNC_SECONDS = 0.6
"""With a round before it this is less than the second that may be lost to a power failure."""

SLICE = 16
BREATH_SECONDS = 0.0004
BATCH = 64
FLOOD = 4_000
LARGE_BATCH = 1_024
"""With more than that many frames a round the loop has no time left to be given: the fewer turns, the better."""

STRETCH = 128
"""Lines that are made of the spool before what came meanwhile is put away."""

MOST_QUEUED = 20_000
MOST_QUEUED_BYTES = 64 * 1024 * 1024
SMALL_QUEUE = 1_000
PAUSES = (ROUND_SECONDS, 1.0, 2.0, 5.0, 10.0)
"""Between rounds, by how many failed in a row."""

TIDY_SECONDS = 60.0
QUIET = 64
"""Up to so many frames a round there is time to read each in full."""

BUSY = 250
"""With more frames a round than this, lines are made later."""

MOST_SPOOLED = 256 * 1024 * 1024
"""Beyond so many bytes lines are made although more frames come."""

LARGEST_SPOOL = 1024 * 1024 * 1024
MOST_AT_THE_END = 2
"""Files of the spool that are worked off when the program ends; the rest when it starts again."""


class FrameWriter(Worker):
    """The queue and its thread. Loop's side: ``tap``, ``bound``, the counters. failures and dropped only grow.

    queue: pieces of frames (``raw.py``). The loop adds to its end, which needs no lock; at its beginning only who has
    the lock takes something away or puts it back.
    """

    def __init__(self, folder: Path, clock: Time, loads: Loads) -> None:
        super().__init__("journal frames")
        self.segments = Segments(folder)
        self.queue: list[bytes] = []
        self._lock = Lock()
        self.dropped = 0
        self.is_down = False
        self._clock = clock
        self._loads = loads
        self._oldest: float = math.nan
        self._breath = Lock()  # which nobody ever gives back: waiting for it is the cheapest way to wait
        self._breath.acquire()
        self._understanding = Understanding()
        self._synced_mono = self._tidied_mono = -math.inf
        self._spool = Spool(folder)
        self._is_left_over = not self._spool.is_empty
        self._is_made = False  # the oldest file of the spool is lines that wait to be written

    # -- the loop's side -----------------------------------------------------------------------------------------

    def tap(self, passed: Passed) -> None:
        """Put this message away; nothing of a session that nobody opened."""
        pieces = pieces_of(passed)
        if pieces is not None:
            self.queue.extend(pieces)

    @property
    def queued(self) -> int:
        """Frames that wait for the thread."""
        return len(self.queue) // PIECES

    def bound(self) -> None:
        """Drop the oldest of a queue that the thread does not keep up with."""
        if self.queued <= SMALL_QUEUE or not self._lock.acquire(blocking=False):
            return
        try:
            sizes = [len(frames) for frames in self.queue[PIECES - 1 :: PIECES]]
            lost, size = 0, sum(sizes)
            while len(sizes) - lost > MOST_QUEUED or size > MOST_QUEUED_BYTES:
                size -= sizes[lost]
                lost += 1
            del self.queue[: lost * PIECES]
            self.dropped += lost
        finally:
            self._lock.release()

    @property
    def spooled_bytes(self) -> int:
        """Bytes of frames that are on the disk and no lines yet."""
        return self._spool.size

    @property
    def oldest_unwritten_utc(self) -> float:
        """When the oldest frame came that is not on the disk yet, NaN when all are."""
        oldest = self._oldest
        if not math.isnan(oldest):
            return oldest
        first = self.queue[:1]
        return utc_of(first[0]) if first else math.nan

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        failed = 0
        while True:
            is_last = self._stopping.wait(PAUSES[min(failed, len(PAUSES) - 1)])
            try:
                self._round(is_last=is_last)
            except Exception as error:  # top of a thread; OSError: the disk is full, read-only or broken
                failed += 1
                self._failed(error, failed)
            else:
                if failed:
                    log.warning("frames are journaled again")
                failed, self.is_down = 0, False
            if is_last:
                return

    def _round(self, *, is_last: bool) -> None:
        queued = self.queued
        if self._spool.is_empty and queued <= BUSY:
            self._make_lines(self._understanding.read(self._taken(queued)), in_full=queued <= QUIET)
            self.segments.write()
        else:
            self._put_away()
            if queued <= BUSY or is_last or self._spool.size > MOST_SPOOLED:
                self._work_off(MOST_AT_THE_END if is_last else 1)
        self._sync(now=is_last)
        if is_last:
            self._spool.close()
            self.segments.close()

    def _sync(self, *, now: bool) -> None:
        mono = self._clock.now().mono
        if now or mono - self._synced_mono >= SYNC_SECONDS:
            self._spool.sync()
            self.segments.sync()
            self._synced_mono = self._clock.now().mono
            self._oldest = math.nan
        if mono - self._tidied_mono >= TIDY_SECONDS:
            self._tidied_mono = mono
            self.segments.close_other_days(day_of(self._clock.now().utc))

    # -- many frames: first onto the disk, then into lines -------------------------------------------------------

    def _put_away(self) -> None:
        """Bring the queue into the spool; what comes meanwhile is for the next round, or batches would be tiny."""
        queued = self.queued
        size = BATCH if queued <= FLOOD else LARGE_BATCH
        for _ in range(0, queued, size):
            batch = self._taken(size)
            if self._spool.size > LARGEST_SPOOL:
                self.dropped += len(batch) // PIECES
                continue
            try:
                self._spool.append(batch)
            except OSError:
                with self._lock:
                    self.queue[:0] = batch
                raise
            if queued <= FLOOD:
                self._rest()

    def _work_off(self, files: int) -> None:
        """Make lines of so many files of the spool. A file goes when its lines are on the disk."""
        for _ in range(files):
            if self._spool.is_empty:
                return
            if not self._is_made:
                entries = list(self._understanding.read(self._oldest_spooled()))
                if self._is_left_over:
                    entries = self._missing(entries)
                for first in range(0, len(entries), STRETCH):
                    self._make_lines(entries[first : first + STRETCH], in_full=False)
                    self._put_away()  # what comes meanwhile is on the disk first
                self._is_made = True
            self.segments.write()
            self.segments.sync()
            self._spool.remove_oldest()
            self._is_made = self._is_left_over = False

    def _oldest_spooled(self) -> list[bytes]:
        """The oldest file of the spool; of a record that cannot be read at least one frame is lost."""
        before = self._spool.damaged
        pieces = self._spool.oldest()
        self.dropped += self._spool.damaged - before
        return pieces

    def _missing(self, entries: list[Passed]) -> list[Passed]:
        """Those of a file that was being worked off when the program was killed which are no lines yet."""
        of: dict[tuple[str, date], list[Passed]] = {}
        for entry in entries:
            if isinstance(entry[0], Track):
                of.setdefault((entry[0].charge_point, day_of(entry[4])), []).append(entry)
        missing: list[Passed] = []
        for (charge_point, day), own in of.items():
            last = self.segments.last_line(charge_point, day)
            told = [self._line(entry, in_full=False) for entry in own] if last else []
            missing += own[len(own) - told[::-1].index(last) :] if last in told else own
        return missing

    # -- lines ---------------------------------------------------------------------------------------------------

    def _taken(self, most: int) -> list[bytes]:
        """Take the pieces of so many frames from the queue, or of all there are."""
        with self._lock:
            taken = self.queue[: most * PIECES]
            del self.queue[: most * PIECES]
        if taken and math.isnan(self._oldest):
            self._oldest = utc_of(taken[0])
        return taken

    def _make_lines(self, entries: Iterable[Passed], *, in_full: bool) -> None:
        """Make lines in slices."""
        for count, entry in enumerate(entries):
            try:
                track = entry[0]
                assert isinstance(track, Track)
                self.segments.add(track.charge_point, entry[4], self._line(entry, in_full=in_full))
            except Exception:  # one frame that cannot be written down hides no other
                self.failures += 1
                self.dropped += 1
                log.exception("a frame could not be journaled")
            if count % SLICE == SLICE - 1:
                self._rest()

    def _rest(self) -> None:
        if not self._stopping.is_set():
            self._breath.acquire(timeout=BREATH_SECONDS)

    def _line(self, passed: Passed, *, in_full: bool) -> str:
        track, passage, direction, frames, utc, mono = passed
        assert isinstance(track, Track)
        if passage is Passage.FORWARDED and type(frames) is bytes and frames[0] & wire.OPCODE == wire.TEXT:
            text = _text(frames)
            if self._is_read(text, in_full=in_full):
                return track.lines.forwarded(utc, mono, direction, text)
        text, note, original = "", "too large to be kept", None
        if isinstance(frames, Repaired):
            text, note = _text(frames), frames.repairs
            original = _text(frames.original) if frames.original else None
        elif frames:
            text = _text(frames)
            note = "binary" if frames[0] & wire.OPCODE == wire.BINARY else ""
        return encode(
            TraceLine(
                utc,
                track.charge_point,
                direction,
                text,
                mono=mono,
                session=track.session,
                ours=passage is Passage.OURS,
                withheld=passage is Passage.WITHHELD,
                decodable=self._is_read(text, in_full=in_full),
                original=original,
                note=note,
            )
        )

    def _is_read(self, text: str, *, in_full: bool) -> bool:
        """Whether it can be read as OCPP-J. Under load only its two ends are looked at: reading costs more than all the
        rest."""
        if in_full:
            return not isinstance(decode(text, self._loads), Opaque)
        return (text[:1] == "[" or text.lstrip()[:1] == "[") and (text[-1:] == "]" or text.rstrip()[-1:] == "]")

    def _failed(self, error: Exception, times: int) -> None:
        self.failures += 1
        self.is_down = True
        self.dropped += self.segments.drop()
        if isinstance(error, OSError):
            if times == 1:
                log.error("frames cannot be journaled (%s); they go on, and it is tried again", error.strerror or error)
        else:
            log.exception("the journal of frames broke; it is tried again", exc_info=error)


def _text(frames: bytes) -> str:
    return wire.payload_of(frames).decode("utf-8", "replace")
