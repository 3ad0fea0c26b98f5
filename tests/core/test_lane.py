"""One direction of a session: what goes out, when, and what is told of it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core import wire
from ocpp_watchdog.core.lane import CROWD, HELD_CALLS, Lane, Signal, What

KEY = b"\x11\x22\x33\x44"
LIMIT = 1000
JUDGED = 300
OURS = b'[3,"wd-0123456789abcdef",{"status":"Accepted"}]'
OUR_ERROR = b' [ 4 ,\t"wd-0123456789abcdef","NotSupported","",{}]'
FOREIGN = b'[3,"4711",{}]'
CALL = b'[2,"1","Reset",{"type":"Soft"}]'


def lane(*, copies=True, armed=False, holding=False, limit=LIMIT, judged=JUDGED):
    made = Lane(limit, judged, copies=copies)
    if armed:
        made.arm()
    if holding:
        made.hold()
    return made


def text(payload, *, key=KEY):
    return wire.frame(wire.TEXT, payload, key)


def part(opcode, payload, *, final=False, key=KEY, rsv=0):
    whole = wire.frame(opcode, payload, key)
    return bytes((whole[0] & ~wire.FIN | (wire.FIN if final else 0) | rsv,)) + whole[1:]


def fragments(payload, *cuts, key=KEY):
    """The message as frames, cut at these places."""
    pieces = [payload[a:b] for a, b in zip((0, *cuts), (*cuts, None), strict=True)]
    last = len(pieces) - 1
    return [part(wire.TEXT if at == 0 else 0, piece, final=at == last, key=key) for at, piece in enumerate(pieces)]


def control(opcode, payload=b""):
    return wire.frame(opcode, payload, KEY)


def told(made):
    """What the judge would hear: (what, payload)."""
    return [(what, wire.payload_of(frames)) for what, frames, _, _ in made.heard]


def messages(made):
    return [payload for what, payload in told(made) if what is What.MESSAGE]


# -- passing ---------------------------------------------------------------------------------------------------------


def test_one_read_that_is_one_frame_goes_out_as_the_same_object():
    made, frame = lane(), text(CALL)
    assert made.feed(frame) is frame
    assert made.heard == [(What.MESSAGE, frame, True, len(CALL))]


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize(("size", "does"), [(0, True), (125, True), (126, True), (JUDGED, True), (JUDGED + 1, False)])
def test_a_text_in_one_frame_passes_without_being_fed(size, does, key):
    made, frame = lane(), text(b"x" * size, key=key)
    assert made.passes(frame) is does
    assert not any(made.passes(frame[:end]) for end in range(len(frame)))
    assert not made.passes(frame + b"\x81")


def test_what_is_no_small_text_in_one_frame_is_fed():
    made = lane(limit=1 << 20, judged=1 << 20)
    others = (text(b"x" * 65536), wire.frame(wire.BINARY, b"x", KEY), control(wire.PING), fragments(CALL, 5)[0], b"")
    assert [made.passes(other) for other in others] == [False] * 5
    assert made.passes(text(b"x" * 65535))


def test_nothing_passes_unfed_where_something_waits_or_looks():
    waiting, inside = lane(), lane()
    waiting.feed(text(CALL)[:5])
    inside.feed(fragments(CALL, 5)[0])
    lanes = [waiting, inside, lane(armed=True), lane(holding=True), lane(limit=3)]
    assert [made.passes(text(CALL)) for made in lanes] == [False] * 5


@given(
    st.lists(st.sampled_from([text(CALL), text(b"x" * 126), *fragments(CALL, 5), control(wire.PING), text(CALL)[:5]]))
)
def test_what_passes_would_have_gone_out_and_been_told_just_so(reads):
    made = lane()
    for read in reads:
        if made.passes(read):
            made.heard.clear()
            assert made.feed(read) == read
            assert made.heard == [(What.MESSAGE, read, True, len(wire.payload_of(read)))]
            assert made.passes(text(CALL))
        else:
            made.feed(read)


def test_several_frames_in_one_read_go_out_as_the_same_object():
    made, data = lane(), text(CALL) + text(b"") + wire.frame(wire.BINARY, b"\0\1", None)
    assert made.feed(data) is data
    assert [(payload, is_text) for (_, payload), (_, _, is_text, _) in zip(told(made), made.heard, strict=True)] == [
        (CALL, True),
        (b"", True),
        (b"\0\1", False),
    ]


def test_half_a_frame_stays_until_its_end_is_there():
    made, frame = lane(), text(CALL)
    assert made.feed(text(b"first") + frame[:9]) == text(b"first")
    assert made.feed(frame[9:20]) == b""
    assert made.feed(frame[20:] + text(b"last")[:1]) == frame
    assert made.feed(text(b"last")[1:]) == text(b"last")
    assert messages(made) == [b"first", CALL, b"last"]


@pytest.mark.parametrize("size", [0, 125, 126, 300])
def test_a_frame_that_comes_byte_by_byte_goes_out_at_its_last_byte(size):
    made, frame = lane(), text(b"x" * size)
    assert [made.feed(bytes((byte,))) for byte in frame] == [b""] * (len(frame) - 1) + [frame]
    assert messages(made) == [b"x" * size]


def test_fragments_go_out_as_they_come_and_the_message_is_told_at_its_end():
    made = lane()
    for frame in fragments(CALL, 5, 9)[:-1]:
        assert made.feed(frame) == frame
        assert made.is_open
        assert not made.heard
    last = fragments(CALL, 5, 9)[-1]
    assert made.feed(last) == last
    assert not made.is_open
    assert messages(made) == [CALL]


def test_without_a_wish_for_messages_no_copy_is_told():
    made = lane(copies=False)
    stream = text(CALL) + b"".join(fragments(CALL, 5)) + text(b"x" * (JUDGED + 1))
    assert made.feed(stream) == stream
    assert not made.heard


def test_a_message_too_large_for_the_judge_goes_out_and_is_named():
    made = lane()
    big = b"x" * (JUDGED + 1)
    stream = text(big) + b"".join(fragments(big, 100)) + text(b"x" * JUDGED)
    assert made.feed(stream) == stream
    assert [(what, size) for what, _, _, size in made.heard] == [
        (What.UNJUDGED, JUDGED + 1),
        (What.UNJUDGED, JUDGED + 1),
        (What.MESSAGE, JUDGED),
    ]


def test_empty_fragments_for_ever_do_not_grow_the_copy():
    made = lane(judged=10)
    made.feed(part(wire.TEXT, b"x"))
    for _ in range(10):
        assert made.feed(part(0, b"")) == part(0, b"")
    made.feed(part(0, b"", final=True))
    assert [(what, size) for what, _, _, size in made.heard] == [(What.UNJUDGED, 1)]


def test_a_message_with_reserved_bits_goes_out_unread():
    made = lane(armed=True, holding=True)
    stream = part(wire.TEXT, OURS, final=True, rsv=0x40) + part(wire.TEXT, CALL, final=True, rsv=0x40)
    assert made.feed(stream) == stream
    assert [what for what, _ in told(made)] == [What.UNJUDGED, What.UNJUDGED]


def test_control_frames_go_out_between_fragments_and_are_signalled():
    made = lane()
    stream = (
        part(wire.TEXT, b"he") + control(wire.PING, b"1") + control(wire.PONG, b"2") + part(0, b"llo", final=True)
    )  # fmt: skip
    assert made.feed(stream) == stream
    assert made.signals == [(Signal.PING, b"1"), (Signal.PONG, b"2")]
    assert messages(made) == [b"hello"]


@pytest.mark.parametrize("frame", [part(0xB, b"x", final=True), part(wire.PING, b"x"), part(wire.CLOSE, b"")])
def test_control_frames_that_break_the_rules_go_out_and_mean_nothing(frame):
    made = lane()
    assert made.feed(frame) == frame
    assert not made.signals
    assert not made.closed


def test_a_close_is_signalled_and_closes_the_lane():
    made = lane()
    frame = control(wire.CLOSE, wire.close_payload(1000, "bye"))
    assert made.feed(frame) is frame
    assert made.signals == [(Signal.CLOSE, b"\x03\xe8bye")]
    assert made.closed


# -- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [wire.TEXT, wire.BINARY, wire.PING, 0xB, 3])
def test_a_frame_that_announces_too_much_stops_the_lane_before_its_payload_is_there(opcode):
    made = lane()
    head = wire.frame(opcode, b"x" * (LIMIT + 1), KEY)[:8]
    assert made.feed(text(CALL) + head) == text(CALL)
    assert made.stopped
    assert made.signals == [(Signal.TOO_BIG, b"")]
    assert made.feed(text(CALL)) == b""
    assert messages(made) == [CALL]


def test_a_frame_of_exactly_the_limit_goes_out():
    assert lane().feed(text(b"x" * LIMIT)) == text(b"x" * LIMIT)


def test_the_fragment_that_would_cross_the_limit_does_not_go_out():
    made = lane()
    first, second = part(wire.TEXT, b"x" * 600), part(0, b"x" * 401, final=True)
    assert made.feed(first + control(wire.PING) + second) == first + control(wire.PING)
    assert [signal for signal, _ in made.signals] == [Signal.PING, Signal.TOO_BIG]


def test_fragments_that_meet_the_limit_exactly_go_out():
    made = lane()
    stream = part(wire.TEXT, b"x" * 600) + part(0, b"x" * 400, final=True) + text(b"x" * LIMIT)
    assert made.feed(stream) == stream


def test_what_is_held_is_dropped_when_the_lane_stops():
    made = lane(holding=True)
    made.feed(text(CALL))
    made.feed(text(b"x" * (LIMIT + 1))[:8])
    assert made.held_count == 0
    assert made.release() == b""


# -- violated structure ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stream",
    [
        part(0, b"continuation without start", final=True),
        part(wire.TEXT, b"start") + text(b"start inside"),
        part(3, b"reserved", final=True),
    ],
)
def test_a_violated_structure_passes_and_all_that_follows_too(stream):
    made = lane(armed=True, holding=True)
    after = text(OURS) + text(CALL) + part(0, b"?") + control(wire.PING)
    assert made.feed(stream) == stream
    assert made.broken
    assert made.feed(after) == after
    made.arm()
    made.hold()
    assert made.feed(after) == after
    assert not made.heard


def test_a_violated_structure_lets_go_what_waits_first():
    made = lane(holding=True)
    assert made.feed(text(CALL) + part(wire.TEXT, b"[2,")) == b""
    assert made.feed(text(b"inside")) == text(CALL) + part(wire.TEXT, b"[2,") + text(b"inside")
    assert messages(made) == [CALL]


# -- answers to CALLs of our own -------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [OURS, OUR_ERROR, OURS + b" " * 200])
def test_an_answer_to_ours_is_kept_back_and_told(answer):
    made = lane(armed=True)
    assert made.feed(text(FOREIGN) + text(answer) + text(CALL)) == text(FOREIGN) + text(CALL)
    assert told(made) == [(What.MESSAGE, FOREIGN), (What.ANSWER, answer), (What.MESSAGE, CALL)]


def test_late_and_double_answers_are_kept_back_for_the_rest_of_the_session():
    made = lane(armed=True)
    assert [made.feed(text(OURS)) for _ in range(3)] == [b""] * 3
    assert [what for what, _ in told(made)] == [What.ANSWER] * 3


def test_without_being_armed_nothing_is_looked_at():
    made = lane()
    assert made.feed(text(OURS)) == text(OURS)
    assert messages(made) == [OURS]


def test_an_answer_is_kept_back_even_if_the_judge_wants_no_messages():
    made = lane(copies=False, armed=True)
    assert made.feed(text(OURS) + text(FOREIGN)) == text(FOREIGN)
    assert told(made) == [(What.ANSWER, OURS)]


def test_an_answer_too_large_for_the_judge_is_kept_back_all_the_same():
    made = lane(armed=True)
    assert made.feed(text(OURS + b" " * JUDGED)) == b""
    assert [what for what, _ in told(made)] == [What.UNJUDGED]


@pytest.mark.parametrize(
    "payload",
    [
        b'[2,"wd-0123456789abcdef","Reset",{}]',
        b'[3,"wd-0123456789abcde",{}]',
        b'[3,"wd-0123456789abcdef0",{}]',
        b'[3,"WD-0123456789abcdef",{}]',
        b'[3,"xwd-0123456789abcdef",{}]',
        b'[33,"wd-0123456789abcdef",{}]',
        b'{"wd-0123456789abcdef":1}',
        b" " * 96 + OURS,
        b"",
    ],
)
def test_what_is_not_an_answer_to_ours_passes(payload):
    made = lane(armed=True)
    assert made.feed(text(payload)) == text(payload)
    assert made.feed(b"".join(fragments(payload, len(payload) // 2))) == b"".join(fragments(payload, len(payload) // 2))
    assert messages(made) == [payload, payload]


@pytest.mark.parametrize("cuts", [(1,), (3,), (10,), (22,), (23,), (0, 0, 7, 7, 7), (1, 2, 3, 4, 5, 6), (40,)])
@pytest.mark.parametrize("answer", [OURS, OUR_ERROR])
def test_an_answer_in_fragments_is_kept_back_wherever_it_is_cut(answer, cuts):
    made = lane(armed=True)
    for frame in fragments(answer, *cuts):
        assert made.feed(frame) == b""
        assert not made.is_open
    assert told(made) == [(What.ANSWER, answer)]


@pytest.mark.parametrize("cut", range(1, len(FOREIGN)))
def test_a_foreign_message_in_fragments_goes_out_as_soon_as_it_is_known(cut):
    made = lane(armed=True)
    first, last = fragments(FOREIGN, cut)
    out = made.feed(first)
    assert out == (first if cut > 4 else b"")
    assert made.is_open is (cut > 4)
    assert out + made.feed(last) == first + last
    assert messages(made) == [FOREIGN]


def test_control_frames_overtake_fragments_that_wait():
    made = lane(armed=True)
    first, last = fragments(b'[3,"w' + b"x" * 20, 4)
    assert made.feed(first) == b""
    assert made.feed(control(wire.PING)) == control(wire.PING)
    assert made.feed(last) == first + last


def test_an_answer_in_the_middle_of_one_read_is_cut_out():
    made = lane(armed=True)
    out = made.feed(
        part(wire.TEXT, b"{") + part(0, b"}", final=True) + text(OURS) + control(wire.PONG, b"x") + text(b"y")
    )
    assert out == part(wire.TEXT, b"{") + part(0, b"}", final=True) + control(wire.PONG, b"x") + text(b"y")


def test_an_answer_byte_by_byte_is_kept_back():
    made = lane(armed=True)
    stream = text(FOREIGN) + b"".join(fragments(OURS, 9)) + text(CALL)
    assert b"".join(made.feed(bytes((byte,))) for byte in stream) == text(FOREIGN) + text(CALL)


def test_space_for_ever_is_decided_after_96_bytes():
    made = lane(armed=True)
    frames = [part(wire.TEXT, b" " * 50), part(0, b" " * 45), part(0, b" "), part(0, b" ")]
    assert [made.feed(frame) for frame in frames] == [b"", b"", b"".join(frames[:3]), frames[3]]


def test_empty_fragments_for_ever_are_let_go_after_256_frames():
    made = lane(armed=True)
    first, empty = part(wire.TEXT, b"["), part(0, b"")
    assert made.feed(first + empty * 254) == b""
    assert made.feed(empty) == first + empty * 255
    assert made.feed(empty) == empty


def test_a_message_on_its_way_when_the_lane_is_armed_flows_to_its_end():
    made = lane()
    first, last = fragments(OURS, 5)
    assert made.feed(first) == first
    made.arm()
    assert made.feed(last + text(OURS)) == last
    assert [what for what, _ in told(made)] == [What.MESSAGE, What.ANSWER]


def test_a_foreign_message_that_waited_and_is_too_large_for_the_judge_is_named():
    made = lane(armed=True)
    frames = [part(wire.TEXT, b"["), part(0, b"x" * (JUDGED + 1)), part(0, b"]", final=True)]
    assert b"".join(made.feed(frame) for frame in frames) == b"".join(frames)
    assert [(what, size) for what, _, _, size in made.heard] == [(What.UNJUDGED, JUDGED + 3)]


def test_a_foreign_message_that_waited_is_not_told_when_nobody_wants_messages():
    made = lane(armed=True, copies=False)
    frames = [part(wire.TEXT, b"["), part(0, b"5"), part(0, b"]", final=True)]
    assert b"".join(made.feed(frame) for frame in frames) == b"".join(frames)
    assert not made.heard


def test_half_an_answer_of_ours_goes_nowhere_when_the_stream_ends():
    made = lane(armed=True)
    assert made.feed(fragments(OURS, 30)[0]) == b""
    assert made.let_go() == b""


def test_a_close_lets_undecided_fragments_go_first():
    made = lane(armed=True)
    assert made.feed(part(wire.TEXT, b"[3,")) == b""
    assert made.feed(control(wire.CLOSE)) == part(wire.TEXT, b"[3,") + control(wire.CLOSE)


# -- holding CALLs of the central system -----------------------------------------------------------------------------


def test_calls_are_held_whole_and_in_order_while_answers_flow():
    made = lane(holding=True)
    other = CALL.replace(b"1", b"2")
    assert made.feed(text(CALL) + text(FOREIGN) + text(other) + text(b"not json")) == text(FOREIGN) + text(b"not json")
    assert made.held_count == 2
    assert messages(made) == [FOREIGN, b"not json"]
    made.heard.clear()
    assert made.release() == text(CALL) + text(other)
    assert messages(made) == [CALL, other]
    assert made.held_count == 0
    assert made.feed(text(CALL)) == text(CALL)


def test_control_frames_overtake_held_calls():
    made = lane(holding=True)
    assert made.feed(text(CALL) + control(wire.PING)) == control(wire.PING)


@pytest.mark.parametrize("cut", [1, 2, 3, 20])
def test_a_call_in_fragments_is_held_whole(cut):
    made = lane(holding=True)
    first, last = fragments(CALL, cut)
    assert made.feed(first) == b""
    assert made.feed(last) == b""
    assert not made.is_open
    assert made.release() == first + last
    assert messages(made) == [CALL]


@pytest.mark.parametrize("cut", [1, 3, 20])
def test_half_a_call_goes_out_at_the_release_and_the_rest_flows(cut):
    made = lane(holding=True)
    first, last = fragments(CALL, cut)
    made.feed(text(CALL) + first)
    assert made.release() == text(CALL) + first
    assert made.is_open
    assert made.feed(last) == last
    assert messages(made) == [CALL, CALL]


def test_half_an_undecided_answer_goes_on_waiting_at_the_release_on_a_lane_that_is_armed():
    made = lane(holding=True, armed=True)
    made.feed(part(wire.TEXT, b"["))
    assert made.release() == b""
    assert made.feed(part(0, OURS[1:], final=True)) == b""


def test_a_release_inside_an_open_answer_waits_for_its_end():
    made = lane(holding=True)
    first, last = fragments(FOREIGN, 8)
    assert made.feed(text(CALL) + first) == first
    assert made.release() == b""
    assert made.feed(control(wire.PING)) == control(wire.PING)
    assert made.feed(last + text(b"next")) == last + text(CALL) + text(b"next")
    assert messages(made) == [FOREIGN, CALL, b"next"]


def test_a_release_inside_an_open_answer_has_nothing_to_do_when_nothing_is_held():
    made = lane(holding=True)
    first, last = fragments(FOREIGN, 8)
    assert made.feed(first) == first
    assert made.release() == b""
    assert made.feed(last) is last


def test_more_than_64_calls_flow_all_and_nothing_is_held_until_the_release():
    made = lane(holding=True)
    assert made.feed(text(CALL) * HELD_CALLS) == b""
    assert made.feed(text(CALL)) == text(CALL) * (HELD_CALLS + 1)
    assert made.held_count == 0
    made.hold()
    assert made.feed(text(CALL)) == text(CALL)
    assert made.release() == b""
    made.hold()
    assert made.feed(text(CALL)) == b""


def test_more_than_one_mebibyte_of_calls_flows_all():
    made = lane(holding=True, limit=4 << 20)
    big = b"[2," + b"x" * (600 << 10)
    assert made.feed(text(big)) == b""
    assert made.feed(text(big)) == text(big) * 2


def test_a_call_that_grows_beyond_one_mebibyte_flows_from_there_on():
    made = lane(holding=True, limit=4 << 20)
    first, second, last = part(wire.TEXT, b"[2,"), part(0, b"x" * (1 << 20)), part(0, b"]", final=True)
    assert made.feed(first) == b""
    assert made.feed(second) == first + second
    assert made.is_open
    assert made.feed(last) == last
    assert [what for what, _ in told(made)] == [What.UNJUDGED]


def test_a_close_lets_held_calls_go_first():
    made = lane(holding=True)
    made.feed(text(CALL) + fragments(CALL, 9)[0])
    assert made.feed(control(wire.CLOSE)) == text(CALL) + fragments(CALL, 9)[0] + control(wire.CLOSE)
    assert messages(made) == [CALL]
    made.hold()
    assert made.feed(text(CALL)) == text(CALL)


def test_the_end_of_the_stream_lets_held_calls_go():
    made = lane(holding=True)
    made.feed(text(CALL))
    assert made.let_go() == text(CALL)
    assert made.let_go() == b""


def test_held_calls_are_dropped_when_the_stream_ends_inside_an_open_answer():
    made = lane(holding=True)
    made.feed(text(CALL) + fragments(FOREIGN, 8)[0])
    assert made.release() == b""
    assert made.let_go() == b""
    assert made.held_count == 0
    assert made.feed(fragments(FOREIGN, 8)[1]) == fragments(FOREIGN, 8)[1]


def test_held_calls_go_out_untold_when_nobody_wants_messages():
    made = lane(holding=True, copies=False)
    made.feed(text(CALL))
    assert made.release() == text(CALL)
    assert not made.heard


# -- a place for frames of ours --------------------------------------------------------------------------------------


def test_a_halt_stops_right_behind_the_message_that_is_open():
    made = lane()
    first, last = fragments(CALL, 5)
    made.feed(first)
    made.halt = True
    assert made.feed(control(wire.PING) + last + text(b"next") + text(b"one")[:3]) == control(wire.PING) + last
    assert made.has_rest
    assert not made.is_open
    made.halt = False
    assert made.feed(b"") == text(b"next")
    assert not made.has_rest
    assert made.feed(text(b"one")[3:]) == text(b"one")


def test_a_halt_at_the_end_of_a_read_leaves_nothing_behind():
    made = lane()
    made.halt = True
    assert made.feed(text(CALL)) == text(CALL)
    assert not made.has_rest
    assert made.feed(b"") == b""


# -- pings of our own ------------------------------------------------------------------------------------------------


def test_only_the_pong_to_a_ping_of_ours_is_kept_back_and_every_time():
    made = lane()
    made.expect_pong(b"wd-1")
    stream = control(wire.PONG, b"wd-1") + control(wire.PONG, b"other") + control(wire.PONG, b"wd-1")
    assert made.feed(stream) == control(wire.PONG, b"other")
    assert [signal for signal, _ in made.signals] == [Signal.OWN_PONG, Signal.PONG, Signal.OWN_PONG]


def test_the_last_eight_pings_of_ours_are_remembered():
    made = lane()
    for number in range(9):
        made.expect_pong(b"%d" % number)
    stream = b"".join(control(wire.PONG, b"%d" % number) for number in range(9))
    assert made.feed(stream) == control(wire.PONG, b"0")


# -- properties ------------------------------------------------------------------------------------------------------

keys = st.one_of(st.none(), st.binary(min_size=4, max_size=4))
payloads = st.one_of(st.binary(max_size=40), st.sampled_from([CALL, FOREIGN, OURS, OUR_ERROR, b"[", b"[3", b'[3,"wd-']))
frames_of_all_kinds = st.builds(
    lambda first, payload, key: bytes((first,)) + wire.frame(wire.TEXT, payload, key)[1:],
    st.integers(0, 255),
    payloads,
    keys,
)
good_messages = st.builds(
    lambda payload, cuts, key: fragments(payload, *sorted(min(cut, len(payload)) for cut in cuts), key=key),
    payloads,
    st.lists(st.integers(0, 40), max_size=4),
    keys,
)


def in_pieces(stream, cuts):
    places = sorted(cut % (len(stream) + 1) for cut in cuts)
    return [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]


@given(st.lists(frames_of_all_kinds, max_size=12), st.lists(st.integers(0, 2000), max_size=12))
def test_any_stream_in_any_pieces_comes_out_byte_for_byte(frames, cuts):
    made, stream = lane(), b"".join(frames)
    assert b"".join(made.feed(piece) for piece in in_pieces(stream, cuts)) == stream


@given(st.lists(frames_of_all_kinds, max_size=12), st.lists(st.integers(0, 2000), max_size=12))
def test_the_pieces_make_no_difference_even_with_both_gates_shut(frames, cuts):
    pieces, whole, stream = lane(armed=True, holding=True), lane(armed=True, holding=True), b"".join(frames)
    out = b"".join(pieces.feed(piece) for piece in in_pieces(stream, cuts))
    assert out == whole.feed(stream)
    assert out + pieces.let_go() == out + whole.let_go()
    assert pieces.heard == whole.heard
    assert pieces.signals == whole.signals


@given(st.lists(good_messages, max_size=8), st.lists(st.integers(0, 2000), max_size=12), st.integers(0, 2**32))
def test_what_passes_both_gates_is_every_message_but_our_answers_whole_and_each_kind_in_order(sent, cuts, seed):
    made = lane(armed=True, holding=True)
    chance = random.Random(seed)
    out = b""
    for piece in in_pieces(b"".join(b"".join(frames) for frames in sent), cuts):
        out += made.feed(piece)
        if chance.random() < 0.2:
            out += made.release()
            made.hold()
    out += made.let_go()
    ours = [frames for frames in sent if wire.payload_of(b"".join(frames)) in {OURS, OUR_ERROR}]
    rest = [b"".join(frames) for frames in sent if frames not in ours]
    assert len(out) == sum(len(frames) for frames in rest)
    assert [payload for what, payload in told(made) if what is What.ANSWER] == [
        wire.payload_of(b"".join(frames)) for frames in ours
    ]
    for is_call in (True, False):
        kind = [wire.payload_of(frames) for frames in rest if wire.payload_of(frames).startswith(b"[2,") is is_call]
        assert [payload for payload in messages(made) if payload.startswith(b"[2,") is is_call] == kind


@given(st.lists(good_messages, min_size=1, max_size=8), st.lists(st.integers(0, 2000), max_size=12))
def test_a_frame_of_ours_never_lands_inside_a_message(sent, cuts):
    made, mark = lane(), wire.frame(wire.TEXT, b"<ours>", None)
    out = b""
    for piece in in_pieces(b"".join(b"".join(frames) for frames in sent), cuts):
        out += made.feed(piece)
        made.halt = True
        while not made.is_open and made.halt:
            out += mark
            made.halt = False
            out += made.feed(b"")
    reader = lane()
    assert reader.feed(out) == out
    assert not reader.broken
    assert [payload for payload in messages(reader) if payload != b"<ours>"] == [
        wire.payload_of(b"".join(frames)) for frames in sent
    ]


# -- many at once ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("frames", "crowded"), [(CROWD, False), (CROWD + 1, True)])
def test_many_frames_in_one_read_are_noticed_until_somebody_has_seen_it(frames, crowded):
    made = lane()
    made.feed(control(wire.PING) * frames)
    assert made.crowded is crowded
    made.feed(text(CALL) + text(CALL))
    assert made.crowded is crowded
