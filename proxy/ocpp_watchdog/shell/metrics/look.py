"""One look at everything: values that the series are made of, safe to be read in any thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from ocpp_watchdog.core.decisions import ConnectorView, EpisodeView, StationView
from ocpp_watchdog.core.terms import ConnectorId, Moment
from ocpp_watchdog.shell.tally import Tally

FIRST_CONNECTOR = ConnectorId(1)

Told: TypeAlias = Mapping[str, Mapping[tuple[str, ...], float]]
"""Numbers of other parts: name of the series (without prefix and ``_total``) -> values of its labels -> number."""


@dataclass(frozen=True, slots=True)
class RelayNumbers:
    """What the relay counted. connections: open ones per side. refusals: handshakes that ended without a session, per
    reason. injected: CALLs of ours written. withheld: answers to them. held: CALLs of the central system that wait."""

    connections: Mapping[str, int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    injected: int = 0
    withheld: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class ConnectorSeen:
    """One connector. view None: nothing is known of it yet, but it is there."""

    charge_point: str
    connector: str
    view: ConnectorView | None

    @property
    def labels(self) -> tuple[str, str]:
        """Of every series of a connector."""
        return self.charge_point, self.connector

    @property
    def open_episode(self) -> EpisodeView | None:
        """The episode that has not ended."""
        episode = self.view.episode if self.view else None
        return episode if episode is not None and episode.ended is None else None


@dataclass(frozen=True)
class Look:
    """Everything there is to see at one moment. What is made of it is made once, where the series are made."""

    now: Moment
    views: Sequence[StationView]
    tally: Tally
    relay: RelayNumbers
    build: Mapping[str, str]
    told: Told

    @cached_property
    def connectors(self) -> tuple[ConnectorSeen, ...]:
        """Every connector; connector 1 from the first moment on (every charge point has it, §2.2)."""
        return tuple(self._connectors())

    @cached_property
    def connectors_by_charge_point(self) -> dict[str, list[ConnectorSeen]]:
        """The same by charge point."""
        found: dict[str, list[ConnectorSeen]] = {}
        for seen in self.connectors:
            found.setdefault(seen.charge_point, []).append(seen)
        return found

    def _connectors(self) -> Iterator[ConnectorSeen]:
        for view in self.views:
            charge_point = label(view.charge_point)
            if all(seen.connector != FIRST_CONNECTOR for seen in view.connectors):
                yield ConnectorSeen(charge_point, str(FIRST_CONNECTOR), None)
            for seen in view.connectors:
                yield ConnectorSeen(charge_point, str(seen.connector), seen)


def label(text: str) -> str:
    """A peer's text as a label: what UTF-8 cannot carry (lone surrogates) is replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")
