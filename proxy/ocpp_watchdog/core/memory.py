"""What must survive a restart of the program, as one document of JSON values, and back.

The document: ``version``; ``charge_point``; ``utc`` and ``mono``, both clocks when it was written; ``episode_open``;
``station`` and ``connectors``, the fields that are remembered (``keeping.py``); ``objects``, what they refer to by
number; ``check``, over all that. Knows neither files nor databases, nor what the fields mean.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Protocol, TypeGuard
from zlib import crc32

from ocpp_watchdog.core.codecs import Reader, Writer, as_list, as_number, as_table
from ocpp_watchdog.core.errors import UnusableMemory
from ocpp_watchdog.core.keeping import read_part, write_part
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId, Moment

VERSION = 1


class Watched(Protocol):
    """A connector, as far as the document itself is concerned."""

    @property
    def episode(self) -> object | None:
        """The open episode."""


def written(
    charge_point: ChargePointId, station: object, watches: Mapping[ConnectorId, Watched], now: Moment
) -> dict[str, object]:
    """Write everything down that is remembered of a charge point and its connectors."""
    writer = Writer(now)
    document: dict[str, object] = {
        "version": VERSION,
        "charge_point": charge_point,
        "utc": now.utc,
        "mono": now.mono,
        "episode_open": any(watch.episode is not None for watch in watches.values()),
        "station": write_part(station, writer),
        "connectors": [[connector, write_part(watch, writer)] for connector, watch in watches.items()],
        "objects": writer.objects,
    }
    return document | {"check": check(document)}


def read(
    kept: object,
    charge_point: ChargePointId,
    station: object,
    new_watch: Callable[[ConnectorId], object],
    now: Moment,
) -> Moment:
    """Give station and connectors back what was written; give the moment it was written, on today's clock.

    new_watch: makes the watch of a connector. Raises UnusableMemory, and has changed nothing then.
    """
    document = as_table(kept)
    _accept(document, charge_point)
    saved = saved_at(as_number(document.get("utc")), as_number(document.get("mono")), now)
    reader = Reader(as_list(document.get("objects")), saved.mono)
    read_part(station, document.get("station"), reader)
    for pair in as_list(document.get("connectors")):
        connector, part = as_list(pair, 2)
        if not isinstance(connector, int):
            raise UnusableMemory("a connector is a number")
        read_part(new_watch(ConnectorId(connector)), part, reader)
    reader.settle()
    return saved


def has_open_episode(kept: object) -> TypeGuard[dict[str, object]]:
    """Whether somebody should be told of this charge point before it comes back."""
    return isinstance(kept, dict) and kept.get("episode_open") is True and "charge_point" in kept


def saved_at(utc: float, mono: float, now: Moment) -> Moment:
    """The moment a memory was written, on today's clocks; utc, mono: the clocks of that time.

    Between then and now passed what the wall clock says; nothing, when it says less than nothing: it was set back, or
    not set yet. Where the monotonic clock goes on (the machine did not start anew) and says less, the wall clock was
    set forward meanwhile. Too short is the safe side: a budget stays used, and a stop order stays young.
    """
    seconds = max(0.0, now.utc - utc)
    if now.mono >= mono:
        seconds = min(seconds, now.mono - mono)
    return Moment(utc, now.mono - seconds)


def _accept(document: dict[str, object], charge_point: ChargePointId) -> None:
    version = document.get("version")
    if version != VERSION:
        raise UnusableMemory(f"of version {version}")
    if document.get("charge_point") != charge_point:
        raise UnusableMemory("of another charge point")
    if document.get("check") != check({name: part for name, part in document.items() if name != "check"}):
        raise UnusableMemory("damaged")


def check(document: dict[str, object]) -> int:
    """A sum over all of a document but itself, the same however the document was stored."""
    return crc32(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())
