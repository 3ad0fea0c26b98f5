"""A frame as plain bytes: how it waits for the disk, and how it stands there before it is a line.

Three pieces: a head of fixed size, the track (session, NUL, charge point), the raw frames. The loop makes them for each
frame it forwards; whoever writes them joins them, and understands nothing. Nor has the collector of rings to look
through bytes.
"""

from __future__ import annotations

import marshal
import struct
from collections.abc import Iterator, Sequence

from ocpp_watchdog.core.mending import Repaired
from ocpp_watchdog.core.terms import Direction
from ocpp_watchdog.shell.journal.tracks import Track
from ocpp_watchdog.shell.ports import Passage, Passed

UP, DOWN = Direction.TO_CENTRAL_SYSTEM, Direction.TO_CHARGE_POINT
FORWARDED = Passage.FORWARDED

PIECES = 3
HEAD = struct.Struct("<BIIdd")
"""What it is, bytes of the track, bytes of the frames, both clocks."""

_PASSAGES = tuple(Passage)
_UP, _REPAIRED = 0x40, 0x80
_MARSHAL_VERSION = 4
"""The same since Python 3.4."""

_pack, _unpack = HEAD.pack, HEAD.unpack_from
_FORWARDED_UP, _FORWARDED_DOWN = _UP | _PASSAGES.index(FORWARDED), _PASSAGES.index(FORWARDED)


def pieces_of(passed: Passed) -> tuple[bytes, bytes, bytes] | None:
    """The pieces of a frame; None: nobody opened its session."""
    track, passage, direction, frames, utc, mono = passed
    if not isinstance(track, Track):
        return None
    key = track.key
    if passage is FORWARDED and type(frames) is bytes:  # by far the most
        kind = _FORWARDED_UP if direction is UP else _FORWARDED_DOWN
        return _pack(kind, len(key), len(frames), utc, mono), key, frames
    kind = _PASSAGES.index(passage) | (_UP if direction is UP else 0)
    if isinstance(frames, Repaired):
        kind |= _REPAIRED
        frames = marshal.dumps((bytes(frames), frames.repairs, bytes(frames.original)), _MARSHAL_VERSION)
    return _pack(kind, len(key), len(frames), utc, mono), key, bytes(frames)


def utc_of(head: bytes) -> float:
    """When it was forwarded (POSIX seconds). head: the first piece."""
    utc = _unpack(head)[3]
    assert isinstance(utc, float)
    return utc


def cut(joined: bytes) -> list[bytes]:
    """The pieces of frames that follow each other. Raises struct.error when the last one is not whole."""
    pieces: list[bytes] = []
    at = 0
    while at < len(joined):
        _, key, frames, _, _ = _unpack(joined, at)
        ends = at + HEAD.size, at + HEAD.size + key, at + HEAD.size + key + frames
        pieces += joined[at : ends[0]], joined[ends[0] : ends[1]], joined[ends[1] : ends[2]]
        at = ends[2]
    return pieces


class Understanding:
    """Makes frames of pieces. Frames of one connection get one track, as long as it is remembered."""

    MOST_TRACKS = 1_000

    def __init__(self) -> None:
        self._tracks: dict[bytes, Track] = {}

    def read(self, pieces: Sequence[bytes]) -> Iterator[Passed]:
        """These frames again, in order."""
        for at in range(0, len(pieces), PIECES):
            yield self._passed(*pieces[at : at + PIECES])

    def _passed(self, head: bytes, key: bytes, frames: bytes) -> Passed:
        kind, _, _, utc, mono = _unpack(head)
        direction = UP if kind & _UP else DOWN
        if kind & _REPAIRED:
            sent, repairs, original = marshal.loads(frames)
            frames = Repaired(sent, original, repairs)
        return self._track(key), _PASSAGES[kind & ~(_UP | _REPAIRED)], direction, frames, utc, mono

    def _track(self, key: bytes) -> Track:
        track = self._tracks.get(key)
        if track is None:
            if len(self._tracks) >= self.MOST_TRACKS:
                self._tracks.clear()
            track = self._tracks[key] = Track.of(key)
        return track
