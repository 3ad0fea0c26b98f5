"""The journal as the rest of the program sees it: told of everything, waited for by a step, never in the way.

Every method returns at once. What fails in the threads is counted here as faults of ``journal``, so that "degraded" is
told (DESIGN R12).
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from ocpp_watchdog.core.decisions import FactKind, Record
from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.core.memory import has_open_episode
from ocpp_watchdog.core.terms import ChargePointId, Moment
from ocpp_watchdog.past import PastEpisode
from ocpp_watchdog.shell.journal import rows
from ocpp_watchdog.shell.journal.facts import Fact, FactWriter
from ocpp_watchdog.shell.journal.frames import FrameWriter
from ocpp_watchdog.shell.journal.keeping import DAY_SECONDS, Keeper, Retention
from ocpp_watchdog.shell.journal.reading import Past, Range
from ocpp_watchdog.shell.journal.store import parsed
from ocpp_watchdog.shell.journal.tracks import Track
from ocpp_watchdog.shell.tally import Tally
from ocpp_watchdog.shell.timekeeping import Time

log = logging.getLogger(__name__)

PART = "journal"
LOOK_SECONDS = 0.25
COMMIT_SECONDS = 0.5
"""A step waits for its commit no longer (DESIGN 6)."""

OPEN_SECONDS = {"sqlite": 60.0, "postgresql": 15.0}
"""The start waits no longer for what is remembered. A store that fails is not waited for at all; one on a slow card or
a busy machine is, for who begins without its memory forgets an open episode; a server that says nothing, not for long.
"""

END_SECONDS = 4.0
LAG_SECONDS = 10.0
LAG_AGAIN_SECONDS = 60.0
FEW_CHANGED = 4
MANY_CHANGED = 400
LOOKS_BETWEEN = 4
MEMORY_AT_ONCE = 20
MEMORY_SECONDS = 0.0005
"""What a restart needs is half a millisecond's work for each charge point, in which no frame is forwarded. Where a fact
changed it, one is kept in each look; where only a session began, one in each look while few wait, and else one in four
looks: hundreds may reconnect at once. Where that many wait, as many as take so much of the loop's time. A step waits
for its own."""

CHANGES_NOTHING = frozenset({FactKind.SAMPLE, FactKind.NOTE})

OPEN = '"episode_open":true'
"""Nearly no memory has it, and reading them all takes time."""

TABLES = {FactKind.SAMPLE: "samples"}

MemoryOf = Callable[[ChargePointId], object]
"""What a restart needs of a charge point, as JSON can hold it; None: nothing."""


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """url: of the facts, ``sqlite:///file`` or ``postgresql://``; frames: folder of the segments."""

    url: str
    frames: Path
    retention: Retention = field(default_factory=Retention)


class Journal:
    """Frames and facts. Is the ``ports.Recorder`` of the sessions. memory_of: gives what a restart needs."""

    def __init__(
        self, settings: JournalSettings, clock: Time, tally: Tally, loads: Loads, memory_of: MemoryOf = lambda _: None
    ) -> None:
        self.memory_of = memory_of
        self._clock = clock
        self._tally = tally
        self._frames = FrameWriter(settings.frames, clock, loads)
        url = parsed(settings.url)
        self._facts = FactWriter(url, clock)
        self._open_seconds = OPEN_SECONDS[url.get_backend_name()]
        self._retention = settings.retention
        self._keeper = Keeper(
            self._frames.segments,
            settings.retention,
            clock,
            lambda since: episodes_of(settings.url, since),
            self._forget,
        )
        self.tap = self._frames.tap
        self._changed: dict[ChargePointId, None] = {}  # by a fact
        self._touched: dict[ChargePointId, None] = {}  # by anything else
        self._looks = 0
        self._failures_seen = 0
        self._oldest: dict[str, tuple[float, float]] = {}

    # -- what is told --------------------------------------------------------------------------------------------

    def opened(self, charge_point: ChargePointId, peer: str, now: Moment) -> Track:
        """A session began; its frames are told with what this gives."""
        track = Track(charge_point, secrets.token_hex(6), now)
        self._put("sessions", now.utc, lambda: [rows.session_began(charge_point, track.session, peer, now)])
        return track

    def closed(self, track: object, reason: str, now: Moment) -> None:
        """It ended."""
        if isinstance(track, Track):
            row = rows.session_ended
            self._put("sessions", now.utc, lambda: [row(track.charge_point, track.session, reason, track.began, now)])

    def record(self, charge_point: ChargePointId, record: Record) -> None:
        """Keep this fact, and what a restart needs after it."""
        self._put(TABLES.get(record.kind, ""), record.at.utc, lambda: rows.rows_of(charge_point, record))
        if record.kind not in CHANGES_NOTHING:
            self._changed[charge_point] = None

    def changed(self, charge_point: ChargePointId) -> None:
        """What a restart needs of this charge point is something else now."""
        self._touched[charge_point] = None

    def before_step(self, charge_point: ChargePointId, then: Callable[[], None]) -> None:
        """Call this, on the loop, when everything told so far is committed, or cannot be, or half a second is over."""
        self._changed[charge_point] = None
        self._keep_memory(charge_point)
        waiting = _Waiting(then, self._uncommitted)
        loop = asyncio.get_running_loop()
        waiting.timer = loop.call_later(COMMIT_SECONDS, waiting.out_of_time)
        self._facts.committed(lambda done: _on(loop, waiting.over, done))

    def recalled(self, charge_point: ChargePointId) -> object:
        """What was remembered of this charge point before the start, once; None: nothing. What is no JSON is given as
        it is: whoever is to use it says that it cannot be used."""
        memories = self._facts.memories
        text = None if memories is None else memories.pop(rows.clean(charge_point), None)
        return None if text is None else _as_json(text)

    @property
    def is_down(self) -> bool:
        """Frames or facts cannot be written just now."""
        return self._frames.is_down or self._facts.is_down

    def unfinished(self) -> list[ChargePointId]:
        """The charge points that had an open episode when they were remembered last."""
        kept = (_as_json(text) for text in (self._facts.memories or {}).values() if OPEN in text)
        return [ChargePointId(str(each["charge_point"])) for each in kept if has_open_episode(each)]

    def newest_utc(self) -> float | None:
        """When the youngest memory was written (POSIX seconds), None without one: a moment that has passed."""
        return max((saved for text in (self._facts.memories or {}).values() if (saved := _utc(text))), default=None)

    # -- start and stop ------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open it; after so many seconds the program goes on without (and the journal as soon as it can)."""
        self._frames.start()
        self._facts.start()
        self._keeper.start()
        if not await asyncio.to_thread(self._facts.opened.wait, self._open_seconds):
            self._tally.fault(PART, self._clock.now().mono)
            log.error("the journal is not open after %.0f s; beginning without what it remembers", self._open_seconds)
        self._count_failures()

    async def run(self) -> None:
        """Look after it, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Bound what waits, keep what changed, and count what failed."""
        self._frames.bound()
        enough = self._clock.mono() + MEMORY_SECONDS
        for charge_point in self._whose_turn_it_is():
            self._keep_memory(charge_point)
            if self._clock.mono() > enough:
                break
        self._count_failures()
        self._look_for_lag(asyncio.get_running_loop().time())

    def _whose_turn_it_is(self) -> list[ChargePointId]:
        """Whose memory is to be kept in this look."""
        self._looks += 1
        waiting = len(self._changed) + len(self._touched)
        if waiting > MANY_CHANGED:
            return list(islice(chain(self._changed, self._touched), MEMORY_AT_ONCE))
        if waiting <= FEW_CHANGED or self._looks % LOOKS_BETWEEN == 0:
            return list(islice(chain(self._changed, self._touched), 1))
        return list(islice(self._changed, 1))

    async def stop(self) -> None:
        """Write what is there, within a few seconds."""
        for charge_point in [*self._changed, *self._touched]:
            self._keep_memory(charge_point)
        threads = (self._frames, self._facts, self._keeper)
        for thread in threads:
            thread.stop()
        ended = await asyncio.gather(*(asyncio.to_thread(thread.join, END_SECONDS) for thread in threads))
        if not all(ended):
            log.error("the journal does not come to its end; what it still holds is lost")

    def told(self) -> dict[str, dict[tuple[str, ...], float]]:
        """For the metrics, by series and store."""
        frames, facts = self._frames, self._facts
        return {
            "journal_oldest_unwritten_timestamp_seconds": _both(
                frames.oldest_unwritten_utc, facts.oldest_unwritten_utc
            ),
            "journal_size_bytes": _both(self._keeper.size + frames.spooled_bytes, facts.size),
            "journal_written": _both(frames.segments.lines_written, facts.written),
            "journal_dropped": _both(frames.dropped, facts.dropped),
            "journal_failures": _both(frames.failures, facts.failures),
            "journal_set_aside": {(): facts.set_aside},
        }

    # -- the rest ------------------------------------------------------------------------------------------------

    def _put(self, table: str, utc: float, make: Callable[[], list[rows.Row]]) -> None:
        self._facts.put(Fact(utc, table, make))

    def _keep_memory(self, charge_point: ChargePointId) -> None:
        by_fact, by_else = (each.pop(charge_point, self) for each in (self._changed, self._touched))
        if by_fact is self and by_else is self:
            return
        try:
            memory = self.memory_of(charge_point)
        except Exception:  # the judge's part; its frames go on
            self._tally.fault(PART, self._clock.now().mono)
            log.exception("what a restart needs could not be told", extra={"charge_point": charge_point})
            return
        if memory is not None:
            utc = self._clock.now().utc
            self._put("memory", utc, lambda: [rows.remembered(charge_point, memory, utc)])

    def _forget(self, now: Moment) -> None:
        """Called in the keeper's thread."""
        days = self._retention
        frames, episodes = (now.utc - each * DAY_SECONDS for each in (days.frames_days, days.episodes_days))
        self._facts.ask(lambda store: store.forget(min(frames, now.utc), min(episodes, frames)))

    def _uncommitted(self) -> None:
        self._tally.fault(PART, self._clock.now().mono)
        log.error("a step goes out although the journal has not committed it")

    def _look_for_lag(self, now: float) -> None:
        """Tell when nothing is written any more without anything failing. now: loop time, which is real time."""
        waiting = {"frames": self._frames.oldest_unwritten_utc, "facts": self._facts.oldest_unwritten_utc}
        for name, oldest in waiting.items():
            seen, since = self._oldest.get(name, (math.nan, now))
            if oldest != seen:
                self._oldest[name] = (oldest, now)
            elif now - since > LAG_SECONDS:
                self._oldest[name] = (oldest, since + LAG_AGAIN_SECONDS)
                self._tally.fault(PART, self._clock.now().mono)
                log.error("the journal is behind: %s wait for more than %.0f s", name, LAG_SECONDS)

    def _count_failures(self) -> None:
        failures = self._frames.failures + self._facts.failures + self._keeper.failures
        for _ in range(failures - self._failures_seen):
            self._tally.fault(PART, self._clock.now().mono)
        self._failures_seen = failures


class _Waiting:
    """One step that waits for its commit."""

    def __init__(self, then: Callable[[], None], failed: Callable[[], None]) -> None:
        self.timer: asyncio.TimerHandle | None = None
        self._then: Callable[[], None] | None = then
        self._failed = failed

    def out_of_time(self) -> None:
        """Nobody waits any longer."""
        self.over(done=False)

    def over(self, done: bool) -> None:
        """It is committed, or it is not and goes out all the same. Only the first call counts."""
        then, self._then = self._then, None
        if then is None:
            return
        if self.timer is not None:
            self.timer.cancel()
        if not done:
            self._failed()
        then()


def _on(loop: asyncio.AbstractEventLoop, call: Callable[[bool], None], done: bool) -> None:
    """Call this on the loop; one that is closed needs it no more."""
    try:
        loop.call_soon_threadsafe(call, done)
    except RuntimeError:
        log.debug("the loop is closed")


def episodes_of(url: str, since: float) -> list[PastEpisode]:
    """Read in any thread. Raises StoreError."""
    with Past(url) as past:
        return past.episodes(Range(since=since))


def _both(frames: float, facts: float) -> dict[tuple[str, ...], float]:
    return {("frames",): frames, ("facts",): facts}


def _as_json(text: str) -> object:
    try:
        found: object = json.loads(text)
    except ValueError:
        return text
    return found


def _utc(text: str) -> float | None:
    kept = _as_json(text)
    utc = kept.get("utc") if isinstance(kept, dict) else None
    return utc if isinstance(utc, float) else None
