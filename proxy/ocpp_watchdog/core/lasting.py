"""What of a charge point survives a restart of the program, and what a station does when it is given that back.

Between hearing and judging: nothing is judged here. Which fields survive stands next to the fields
(``NOT_REMEMBERED``), how they are kept in ``keeping.py`` and ``memory.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from ocpp_watchdog.core import memory
from ocpp_watchdog.core.decisions import Decision
from ocpp_watchdog.core.devices import Recognise, nobody
from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.core.hearing import Hearing
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId, Moment, UniqueId
from ocpp_watchdog.core.voice import Voice
from ocpp_watchdog.core.watch import Watch


class Lasting(Hearing, ABC):
    """The part of a station that survives. ``station.py`` fills in what is only declared here."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {"charge_point": "handed in"}
    charge_point: ChargePointId
    _voice: Voice

    def __init__(
        self,
        charge_point: ChargePointId,
        policy: Policy,
        loads: Loads,
        new_id: Callable[[], str],
        recognise: Recognise = nobody,
    ) -> None:
        super().__init__(policy, loads, recognise)
        self.charge_point = charge_point
        self._voice = Voice(policy, loads, new_id)

    @property
    def has_spoken(self) -> bool:
        """A CALL of ours went out that may still be answered, in another session too."""
        return self._voice.has_spoken

    def memory(self, now: Moment) -> dict[str, object]:
        """Everything that must survive, as JSON values. Asked for between two calls, when ``memory_version`` has
        changed, and before a step is sent at the latest."""
        return memory.written(self.charge_point, self, self._watches, now)

    def restore(self, kept: object, now: Moment) -> list[Decision]:
        """Give a station that was just made what ``memory`` gave before a restart. It is out of sight until it is
        connected: nothing is sent, and nothing confirmed before a new sample counts.

        kept: as it was, read from JSON. Raises UnusableMemory on what is damaged, of an unknown version or of another
        charge point; the station is then as it was.
        """
        watches: dict[ConnectorId, Watch] = {}

        def new_watch(connector: ConnectorId) -> Watch:
            watches[connector] = self._new_watch(connector)
            return watches[connector]

        saved = memory.read(kept, self.charge_point, self, new_watch, now)
        self._watches = watches
        self._acquaintance.recognise()
        self._end_what_was(saved)
        self._follow_limits(now)
        self._pass_time(now)
        return self._done(now)

    def use(self, policy: Policy, recognise: Recognise, now: Moment) -> list[Decision]:
        """The owner changed numbers or mode. All that is known stays as it is, and is judged by the new ones."""
        self._acquaintance.use(policy, recognise)
        self._pass_time(now)
        return self._done(now)

    def _end_what_was(self, saved: Moment) -> None:
        """The session ended with the program. What was given to the shell and not said to be written may have been: it
        counts as sent, for no step is ever doubled."""
        for unique_id, taken in self._unsure(saved):
            self._was_written(unique_id, Moment(saved.utc, taken))
        if self._connected:
            self._lose(saved)

    @abstractmethod
    def _unsure(self, saved: Moment) -> list[tuple[UniqueId, float]]:
        """What was given to the shell and not said to be written, and when (monotonic seconds)."""

    @abstractmethod
    def _was_written(self, unique_id: UniqueId, now: Moment) -> bool:
        """A CALL of ours is on the wire. False: it is not the one that is out."""

    @abstractmethod
    def _lose(self, now: Moment) -> None:
        """The session ended."""

    @abstractmethod
    def _pass_time(self, now: Moment) -> None:
        """Let time do what it does alone."""

    @abstractmethod
    def _done(self, now: Moment) -> list[Decision]:
        """Collect what everybody decided."""
