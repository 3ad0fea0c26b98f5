"""Facts on their way to the store: an append on the loop's side, one thread that owns the database.

What was put before a moment can be waited for (``committed``), never longer than half a second. A store that fails is
opened again; what waits is kept, bounded: samples go first, the other facts last.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from threading import Event, Lock

from sqlalchemy.engine import URL

from ocpp_watchdog.shell.journal.rows import Row
from ocpp_watchdog.shell.journal.store import MOST_AT_ONCE, Store, StoreError, set_aside
from ocpp_watchdog.shell.journal.working import Worker
from ocpp_watchdog.shell.timekeeping import Time

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.2
"""Facts that nobody waits for share a commit."""

PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0)
MOST_QUEUED = 20_000
MOST_LOST_AT_ONCE = 200
SIZE_SECONDS = 60.0
FIRST_TO_GO = "samples"

MakeRows = Callable[[], list[Row]]


@dataclass(frozen=True, slots=True)
class Fact:
    """Rows that are made in the thread. table: where the first belongs, for who must choose."""

    utc: float
    table: str
    rows: MakeRows


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants to know when everything before it is committed (True), or cannot be (False)."""

    tell: Callable[[bool], None]

    def answer(self, *, done: bool) -> None:
        """Tell it."""
        self.tell(done)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do with the store when its turn comes."""

    do: Callable[[Store], None]


Item = Fact | Wish | Chore


class FactWriter(Worker):
    """The queue and its thread. failures, dropped, written and set_aside only grow; size is of the last look.

    memories: what the store remembered when it was opened first, None until then.
    """

    def __init__(self, url: URL, clock: Time) -> None:
        super().__init__("journal facts")
        self.dropped = 0
        self.written = 0
        self.set_aside = 0
        self.size = 0
        self.is_down = False
        self.why_down = ""
        self.memories: dict[str, str] | None = None
        self.opened = Event()
        self._url = url
        self._clock = clock
        self._queue: deque[Item] = deque()
        self._lock = Lock()
        self._store: Store | None = None
        self._news = Event()
        self._hurry = Event()
        self._taken: list[Item] = []
        self._sized_mono = -math.inf
        self._is_checked = False

    # -- the loop's side -----------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Write what is there and end; ``join`` waits for it."""
        super().stop()
        self._hurry.set()
        self._news.set()

    def put(self, fact: Fact) -> None:
        """Keep this fact."""
        with self._lock:
            self._queue.append(fact)
            if len(self._queue) > MOST_QUEUED:
                self._make_room()
        self._news.set()

    def ask(self, do: Callable[[Store], None]) -> None:
        """Do this in the thread; when the store fails it is dropped, and asked for again by whoever asked."""
        with self._lock:
            self._queue.append(Chore(do))
        self._news.set()

    def committed(self, tell: Callable[[bool], None]) -> None:
        """Tell, in the thread, when everything put so far is committed or cannot be; at once when it is known that the
        store is down."""
        if self.is_down:
            Wish(tell).answer(done=False)
            return
        with self._lock:
            self._queue.append(Wish(tell))
        self._hurry.set()
        self._news.set()

    @property
    def oldest_unwritten_utc(self) -> float:
        """When the oldest fact came that is not committed yet, NaN when all are."""
        with self._lock:
            return next((one.utc for one in chain(self._taken, self._queue) if isinstance(one, Fact)), math.nan)

    def _make_room(self) -> None:
        """Readings go first; without any the oldest facts do."""
        kept = [one for one in self._queue if not (isinstance(one, Fact) and one.table == FIRST_TO_GO)]
        if len(kept) == len(self._queue):
            oldest = [one for one in islice(self._queue, MOST_LOST_AT_ONCE) if not isinstance(one, Fact)]
            kept = [*oldest, *islice(self._queue, MOST_LOST_AT_ONCE, None)]
        self.dropped += len(self._queue) - len(kept)
        self._queue = deque(kept)

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        failed = 0
        while True:
            is_last = self._stopping.is_set()  # looked at first: what was put before the stop is still written
            try:
                if self._store is None:
                    self._open()
                self._write_all()
            except Exception as error:  # top of a thread
                failed += 1
                self._failed(error, failed)
            else:
                if failed:
                    log.warning("the journal's database is there again")
                failed, self.is_down = 0, False
            self.opened.set()
            if is_last:
                self._end()
                return
            if failed:
                self._stopping.wait(PAUSES[min(failed, len(PAUSES) - 1)])
            else:
                self._news.wait()
                self._news.clear()
                self._hurry.wait(GATHER_SECONDS)
                self._hurry.clear()

    def _open(self) -> None:
        """What was remembered is wanted at once; whether the rest is whole can wait."""
        store: Store | None = None
        remembered: dict[str, str] = {}
        try:
            store = Store(self._url)
            if self.memories is None:
                remembered = store.memories()
                self.memories = dict(remembered)
                self.opened.set()
            if not self._is_checked:
                store.check()
        except StoreError as error:
            if store is not None:
                store.close()
            if not (error.is_corrupt and self._url.database):
                raise
            store = self._begin_anew(error, remembered)
        self._is_checked = True
        self._store = store
        self._measure(store)

    def _begin_anew(self, error: StoreError, remembered: dict[str, str]) -> Store:
        """The file is damaged: put it aside whole, somebody may want to read it, and begin a fresh one with what could
        be read of what matters most."""
        now = self._clock.now().utc
        aside = set_aside(Path(str(self._url.database)), now)
        self.set_aside += 1
        log.error("the journal's database is damaged (%s); it is kept as %s and a fresh one begun", error, aside)
        store = Store(self._url)
        names = ("charge_point", "at_utc", "text")
        rows = [
            Row("memory", dict(zip(names, (one, now, said), strict=True)), names[:1])
            for one, said in remembered.items()
        ]
        if rows:
            store.write(rows)
        self.memories = dict(remembered) if self.memories is None else self.memories
        return store

    def _write_all(self) -> None:
        store = self._store
        while store is not None and self._take():
            rows = [row for one in self._taken if isinstance(one, Fact) for row in self._rows(one)]
            if rows:
                self._write(store, rows)
            self._taken = [one for one in self._taken if not isinstance(one, Fact)]
            for one in self._taken:
                if isinstance(one, Chore):
                    one.do(store)
            self._tell(done=True)
            self._taken = []
        if store is not None and self._clock.now().mono - self._sized_mono >= SIZE_SECONDS:
            self._measure(store)

    def _take(self) -> bool:
        """Take a batch to work on, unless one is still there from a failure."""
        with self._lock:
            while self._queue and len(self._taken) < MOST_AT_ONCE:
                self._taken.append(self._queue.popleft())
        return bool(self._taken)

    def _rows(self, fact: Fact) -> list[Row]:
        try:
            return fact.rows()
        except Exception:  # one fact that cannot be written down hides no other
            self._lose("a fact could not be made into rows")
            return []

    def _write(self, store: Store, rows: list[Row]) -> None:
        try:
            store.write(rows)
            self.written += len(rows)
        except StoreError as error:
            if not error.is_row:
                raise
            self._write_each(store, rows)

    def _write_each(self, store: Store, rows: list[Row]) -> None:
        """One row of them cannot be written: the others can."""
        for row in rows:
            try:
                store.write([row])
                self.written += 1
            except StoreError as error:
                if not error.is_row:
                    raise
                self._lose(f"a row of {row.table} could not be written")

    def _lose(self, what: str) -> None:
        self.failures += 1
        self.dropped += 1
        log.exception(what)

    def _tell(self, *, done: bool) -> None:
        for one in self._taken:
            if isinstance(one, Wish):
                one.answer(done=done)
        self._taken = [one for one in self._taken if isinstance(one, Fact)]  # a chore that failed is not tried again

    def _failed(self, error: Exception, times: int) -> None:
        self.failures += 1
        self.is_down = True
        with self._lock:
            self._taken += [one for one in self._queue if not isinstance(one, Fact)]
            self._queue = deque(one for one in self._queue if isinstance(one, Fact))
        self._tell(done=False)
        why = str(error)
        if not isinstance(error, StoreError):
            log.exception("the journal's writer broke; it goes on", exc_info=error)
        elif times == 1 or why != self.why_down:
            log.error("facts cannot be journaled (%s); frames go on, and it is tried again", why)
        self.why_down = why
        self._is_checked = self._is_checked and not (isinstance(error, StoreError) and error.is_corrupt)
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def _measure(self, store: Store) -> None:
        self._sized_mono = self._clock.now().mono
        self.size = store.size()

    def _end(self) -> None:
        lost = sum(isinstance(one, Fact) for one in [*self._taken, *self._queue])
        if lost:
            self.dropped += lost
            log.error("%s facts could not be journaled before the end", lost)
        if self._store is not None:
            self._store.close()
