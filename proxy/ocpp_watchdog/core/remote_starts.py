"""RemoteStartTransaction with a charging profile, waiting for the transaction it leads to (R20, §5.11).

Knows no books and no limits: it hands the profile out when its transaction starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ocpp_watchdog.core.profiles import ChargingProfile
from ocpp_watchdog.core.terms import WHOLE_CHARGE_POINT, ConnectorId, Purpose

MOST_WAITING = 8


@dataclass(slots=True)
class RemoteStart:
    """connector None: the charge point chooses, and the id tag tells. accepted False: not answered yet."""

    key: str
    connector: ConnectorId | None
    id_tag: str
    profile: ChargingProfile
    accepted: bool = False


class RemoteStarts:
    """Those of one charge point that wait, oldest first; at most ``MOST_WAITING``."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {}
    _waiting: list[RemoteStart]

    def __init__(self) -> None:
        self._waiting = []

    def requested(self, key: str, connector: ConnectorId | None, id_tag: str, profile: ChargingProfile | None) -> None:
        """RemoteStartTransaction went out. Without a TxProfile there is nothing to wait with."""
        self._remove(key)
        if profile is not None and profile.purpose is Purpose.TX:
            self._waiting = [*self._waiting, RemoteStart(key, connector, id_tag, profile)][-MOST_WAITING:]

    def answered(self, key: str, *, accepted: bool) -> None:
        """What is refused does not wait."""
        if not accepted:
            self._remove(key)
        for start in self._waiting:
            start.accepted = start.accepted or start.key == key

    def take(self, connector: ConnectorId, id_tag: str) -> RemoteStart | None:
        """A transaction starts: give the newest that fits, connector before id tag; older ones that fit are void."""
        fitting = [start for start in self._waiting if _fits(start, connector, id_tag)]
        self._waiting = [start for start in self._waiting if start not in fitting]
        return fitting[-1] if fitting else None

    def available(self, connector: ConnectorId) -> None:
        """Nobody came in time (ConnectionTimeOut). Connector 0 is Available whenever the charge point is."""
        if connector != WHOLE_CHARGE_POINT:
            self._waiting = [start for start in self._waiting if start.connector not in (None, connector)]

    def forget(self) -> None:
        """The charge point has booted."""
        self._waiting = []

    def _remove(self, key: str) -> None:
        self._waiting = [start for start in self._waiting if start.key != key]


def _fits(start: RemoteStart, connector: ConnectorId, id_tag: str) -> bool:
    return start.id_tag == id_tag if start.connector is None else start.connector == connector
