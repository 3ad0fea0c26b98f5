"""Frames as plain bytes: what goes in comes out, whatever the names, and the queue is never held up by its bound."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_kit import NOON, TRACK, passed, pieces

from ocpp_watchdog.core.terms import ChargePointId, Direction, Moment
from ocpp_watchdog.shell.journal import frames as frames_module
from ocpp_watchdog.shell.journal.frames import FrameWriter
from ocpp_watchdog.shell.journal.raw import HEAD, PIECES, Understanding, cut, pieces_of, utc_of
from ocpp_watchdog.shell.journal.tracks import Track
from ocpp_watchdog.shell.ports import Passage
from shell_fakes import FakeClock


@given(
    st.lists(
        st.tuples(
            st.builds(Track, st.text().map(ChargePointId), st.sampled_from(["", "1a2b"]), st.just(Moment(0.0, 0.0))),
            st.sampled_from(Passage),
            st.sampled_from(Direction),
            st.binary(max_size=50),
            st.floats(allow_nan=False),
            st.floats(allow_nan=False),
        ),
        max_size=5,
    )
)
def test_what_goes_in_comes_out(entries: list[tuple[Track, Passage, Direction, bytes, float, float]]) -> None:
    found = list(Understanding().read(cut(b"".join(pieces(entries)))))
    assert [entry[1:] for entry in found] == [entry[1:] for entry in entries]
    told = [entry[0] for entry in found if isinstance(entry[0], Track)]
    assert [(track.charge_point, track.session) for track in told] == [
        (entry[0].charge_point, entry[0].session) for entry in entries
    ]


def test_frames_of_one_connection_share_a_track_as_long_as_it_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Understanding, "MOST_TRACKS", 1)
    other = Track(ChargePointId("other\0box"), "s2", Moment(0.0, 0.0))
    found = list(Understanding().read(pieces([passed(), passed(), passed(track=other), passed()])))
    tracks = [entry[0] for entry in found]
    assert tracks[0] is tracks[1]
    assert isinstance(tracks[2], Track)
    assert tracks[2].charge_point == "other\0box"
    assert tracks[3] is not tracks[0]


def test_nothing_is_made_of_a_session_that_nobody_opened_and_the_time_stands_in_front() -> None:
    assert pieces_of(passed(track=object())) is None
    head, key, _ = pieces_of(passed(seconds=2.5)) or (b"", b"", b"")
    assert (utc_of(head), key, len(head)) == (NOON + 2.5, TRACK.key, HEAD.size)


def test_the_end_of_a_frame_that_is_not_whole_is_known() -> None:
    whole = b"".join(pieces([passed()]))
    with pytest.raises(struct.error):
        cut(whole + whole[: HEAD.size - 1])


def test_the_bound_of_the_queue_does_not_wait_for_the_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames_module, "SMALL_QUEUE", 1)
    monkeypatch.setattr(frames_module, "MOST_QUEUED", 2)
    writer = FrameWriter(tmp_path, FakeClock(NOON, 0.0), json.loads)
    for number in range(4):
        writer.tap(passed(str(number)))
    with writer._lock:
        writer.bound()
        assert (writer.queued, writer.dropped) == (4, 0)
    writer.bound()
    assert (writer.queued, writer.dropped, len(writer.queue)) == (2, 2, 2 * PIECES)
