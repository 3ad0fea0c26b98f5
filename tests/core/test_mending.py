"""A lane with repairs: what it does not repair goes out to the byte, in every cut; what it repairs goes out whole."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core import wire
from ocpp_watchdog.core.lane import Lane, Signal, What
from ocpp_watchdog.core.mending import MOST_FRAMES, MOST_REMEMBERED, MendingLane, Repaired
from ocpp_watchdog.core.repairs import Answered, Changed, Verdict
from ocpp_watchdog.core.terms import Direction

KEY = b"\x11\x22\x33\x44"
UP, DOWN = Direction.TO_CENTRAL_SYSTEM, Direction.TO_CHARGE_POINT
MOST = 1_000


def mend(direction: Direction, text: str) -> Verdict:
    """``bad`` becomes ``good``, ``question`` is answered, all else is left alone."""
    if text == "question":
        return Answered("answer")
    heard = "heard" if "worse" in text else ""
    return Changed(text.replace("bad", "good"), "a repair", heard) if "bad" in text else None


def lane(*, copies: bool = True, judge_max: int = MOST, max_message: int = 10_000) -> MendingLane:
    return MendingLane(max_message, judge_max, copies=copies, direction=UP, mend=mend)


def text(said: str, key: bytes | None = KEY) -> bytes:
    return wire.frame(wire.TEXT, said.encode(), key)


def piece(said: bytes, opcode: int, *, final: bool, key: bytes | None = KEY) -> bytes:
    whole = wire.frame(opcode, said, key)
    return bytes((whole[0] if final else whole[0] & ~wire.FIN,)) + whole[1:]


def split(said: str, *cuts: int) -> bytes:
    """A text message in fragments."""
    edges = [0, *cuts, len(said)]
    parts = [said[start:end].encode() for start, end in pairwise(edges)]
    last = len(parts) - 1
    return b"".join(
        piece(part, wire.CONTINUATION if number else wire.TEXT, final=number == last)
        for number, part in enumerate(parts)
    )


def fed(to: Lane, data: bytes, size: int = 1 << 20) -> bytes:
    return b"".join(to.feed(data[at : at + size]) for at in range(0, len(data), size))


# -- what is repaired ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 1 << 20])
@pytest.mark.parametrize("came", [text("bad"), split("bad", 1), split("bad", 1, 1, 2)])
def test_a_repaired_message_goes_out_whole_with_the_same_mask_key(came: bytes, size: int) -> None:
    mended = lane()
    assert fed(mended, came, size) == text("good")
    ((what, frames, is_text, length),) = mended.heard
    assert (what, is_text, length) == (What.REPAIRED, True, 4)
    assert isinstance(frames, Repaired)
    assert (bytes(frames), frames.original, frames.repairs) == (text("good"), came, "a repair")


def test_the_judge_may_hear_something_else_than_what_goes_out() -> None:
    mended = lane()
    mended.feed(text("bad") + text("bad or worse"))
    heard = [frames.heard for _, frames, _, _ in mended.heard if isinstance(frames, Repaired)]
    assert heard == [text("good"), text("heard")]


def test_towards_the_charge_point_nothing_is_masked() -> None:
    assert lane().feed(text("bad", None)) == text("good", None)


def test_no_read_passes_before_it_was_looked_at() -> None:
    assert not lane().passes(text("[3]"))


def test_binary_stays_binary() -> None:
    assert lane().feed(wire.frame(wire.BINARY, b"bad", KEY)) == wire.frame(wire.BINARY, b"good", KEY)


def test_a_message_that_is_answered_goes_nowhere_and_its_answer_waits() -> None:
    mended = lane()
    assert mended.feed(text("a") + text("question") + text("b")) == text("a") + text("b")
    assert mended.signals == [(Signal.ANSWER, b"")]
    assert mended.take_answers() == [(text("question"), Answered("answer"))]
    assert mended.take_answers() == []
    assert [heard[1] for heard in mended.heard] == [text("a"), text("b")]


def test_an_answer_alone_lets_nothing_out() -> None:
    mended = lane()
    assert mended.feed(text("question")) == b""
    assert mended.signals == [(Signal.ANSWER, b"")]


def test_order_is_kept_around_a_repaired_message() -> None:
    mended = lane()
    assert fed(mended, text("a") + split("bad", 2) + text("b"), 5) == text("a") + text("good") + text("b")
    assert [heard[0] for heard in mended.heard] == [What.MESSAGE, What.REPAIRED, What.MESSAGE]


def test_the_same_repaired_twice_is_told_twice() -> None:
    mended = lane()
    mended.feed(text("bad") + text("bad") + text("good"))
    assert [heard[0] for heard in mended.heard] == [What.REPAIRED, What.REPAIRED, What.MESSAGE]


def test_what_is_held_for_a_call_of_ours_is_repaired_all_the_same() -> None:
    mended = MendingLane(10_000, MOST, copies=True, direction=DOWN, mend=mend)
    mended.hold()
    assert mended.feed(text('[2,"1","bad"]', None)) == b""
    assert mended.held_count == 1
    assert mended.release() == text('[2,"1","good"]', None)
    assert [heard[0] for heard in mended.heard] == [What.REPAIRED]


def test_nobody_who_wants_no_copies_is_told() -> None:
    mended = lane(copies=False)
    assert mended.feed(text("bad") + text("fine")) == text("good") + text("fine")
    assert mended.heard == []


def test_a_message_that_grows_too_large_by_its_repair_is_told_as_not_judged() -> None:
    mended = lane(judge_max=8)
    assert mended.feed(text("bad bad")) == text("good good")
    assert mended.heard == [(What.UNJUDGED, b"", True, 9)]


def test_only_so_many_repaired_messages_are_remembered() -> None:
    mended = MendingLane(10_000, MOST, copies=True, direction=DOWN, mend=mend)
    mended.hold()
    for number in range(MOST_REMEMBERED + 10):
        mended.feed(text(f'[2,"{number}","bad"]', None))
    mended.release()
    assert sum(heard[0] is What.REPAIRED for heard in mended.heard) >= 64


# -- what is not repaired ------------------------------------------------------------------------------------------


def test_control_frames_do_not_wait_for_a_message_that_is_not_whole() -> None:
    mended = lane()
    ping = wire.frame(wire.PING, b"x", KEY)
    assert mended.feed(split("bad", 1)[:9] + ping[:3]) == b""
    assert mended.feed(b"") == b""
    begun = piece(b"b", wire.TEXT, final=False)
    mended = lane()
    assert mended.feed(begun + ping) == ping
    assert mended.signals == [(Signal.PING, b"x")]
    assert mended.feed(piece(b"ad", wire.CONTINUATION, final=True)) == text("good")


def test_a_close_lets_go_what_is_not_whole() -> None:
    mended = lane()
    begun, close = piece(b"b", wire.TEXT, final=False), wire.frame(wire.CLOSE, b"", KEY)
    assert mended.feed(begun) == b""
    assert mended.feed(close) == begun + close
    assert mended.closed
    assert mended.let_go() == b""


def test_the_end_of_the_stream_lets_go_what_is_not_whole() -> None:
    mended = lane()
    begun = piece(b"b", wire.TEXT, final=False)
    assert mended.feed(begun + piece(b"ad", wire.CONTINUATION, final=True)[:3]) == b""
    assert mended.let_go() == begun
    assert lane().let_go() == b""


@pytest.mark.parametrize(
    "broken",
    [
        piece(b"x", wire.CONTINUATION, final=True),
        piece(b"x", wire.TEXT, final=False) + text("new"),
        piece(b"x", 0x3, final=True),
    ],
)
def test_a_violated_structure_is_passed_on_for_the_other_end_to_judge(broken: bytes) -> None:
    mended = lane()
    assert fed(mended, broken + text("bad") + b"\x81", 4) == broken + text("bad")
    assert mended.broken


def test_reserved_bits_are_passed_on() -> None:
    odd = bytes((0xC1,)) + text("bad")[1:]
    assert lane().feed(odd) == odd


def test_what_is_no_utf_8_is_passed_on() -> None:
    odd = wire.frame(wire.TEXT, b"bad\xff", KEY)
    assert lane().feed(odd) == odd


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_what_is_too_large_to_be_gathered_flows_as_it_comes(size: int) -> None:
    large = text("bad" * MOST)
    in_pieces = piece(b"bad", wire.TEXT, final=False) + piece(b"bad" * MOST, wire.CONTINUATION, final=False)
    in_pieces += piece(b"bad", wire.CONTINUATION, final=True)
    mended = lane()
    assert fed(mended, large + in_pieces + text("bad"), size) == large + in_pieces + text("good")
    assert [heard[0] for heard in mended.heard] == [What.UNJUDGED, What.UNJUDGED, What.REPAIRED]


def test_the_limit_of_the_relay_holds() -> None:
    mended = lane(max_message=2_000)
    assert fed(mended, text("fine") + text("x" * 3_000)) == text("fine")
    assert (Signal.TOO_BIG, b"") in mended.signals


def test_too_many_fragments_are_not_gathered() -> None:
    mended = lane()
    empty = piece(b"", wire.CONTINUATION, final=False)
    begun = piece(b"b", wire.TEXT, final=False) + empty * (MOST_FRAMES - 1)
    assert mended.feed(begun) == b""
    assert mended.feed(empty) == begun + empty


def test_walking_stops_where_a_frame_of_ours_waits_and_goes_on() -> None:
    mended = lane()
    mended.halt = True
    assert mended.feed(text("a") + text("bad")) == text("a")
    assert mended.has_rest
    mended.halt = False
    assert mended.feed(b"") == text("good")


messages = st.lists(
    st.one_of(
        st.binary(max_size=40).filter(lambda said: b"bad" not in said and said != b"question"),
        st.binary(min_size=MOST - 5, max_size=MOST + 5).filter(lambda said: b"bad" not in said),
    ),
    max_size=6,
)


@given(messages, st.integers(1, 60), st.integers(1, 50), st.booleans())
def test_every_other_byte_goes_out_as_it_came_in_every_cut(
    said: list[bytes], fragment: int, read: int, masked: bool
) -> None:
    key = KEY if masked else None
    stream = bytearray()
    for message in said:
        parts = [message[at : at + fragment * 20] for at in range(0, len(message), fragment * 20)] or [b""]
        for number, part in enumerate(parts):
            opcode = wire.CONTINUATION if number else wire.TEXT
            stream += piece(part, opcode, final=number == len(parts) - 1, key=key)
            stream += wire.frame(wire.PING, b"p", key) if number % 2 else b""
    usual, mended = Lane(10_000, MOST, copies=True), lane()
    came_usual, came = fed(usual, bytes(stream), read), fed(mended, bytes(stream), read)
    assert without_pings(came) == without_pings(came_usual) == without_pings(bytes(stream))
    assert [heard[:2] for heard in mended.heard] == [heard[:2] for heard in usual.heard]


def without_pings(stream: bytes) -> bytes:
    """Control frames may overtake what waits; everything else keeps its order."""
    out, at = bytearray(), 0
    while at < len(stream):
        head, length = wire.measure(stream, at)
        if stream[at] & wire.OPCODE != wire.PING:
            out += stream[at : at + head + length]
        at += head + length
    return bytes(out)


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_whatever_bytes_come_in_nothing_raises_and_nothing_is_made_up(reads: list[bytes]) -> None:
    mended, came = lane(), 0
    for read in reads:
        came += len(mended.feed(read))
    came += len(mended.let_go())
    assert came <= sum(map(len, reads))
