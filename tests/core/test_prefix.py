"""How a message begins, and what could still become of a beginning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core.prefix import ANSWER_TO_OURS, CALL

OURS = b'[3,"wd-0123456789abcdef"'


@pytest.mark.parametrize(
    "begun", [OURS, b' [ 4 ,\t"wd-!!!!!!!!!!!!!!!!",', OURS + b",{}]", b'\r\n[\n3\n,\n"wd-0123456789ABCDEF"]']
)
def test_an_answer_to_ours_is_recognised(begun):
    assert ANSWER_TO_OURS.begins(begun)


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        OURS[:-1],
        b'[2,"wd-0123456789abcdef"',
        b'[5,"wd-0123456789abcdef"',
        b'[3,"wd-0123456789abcde"',
        b'[3,"wd-0123456789abcdef0"',
        b'[3,"wd-0123456789abcde\\""',
        b'[3,"Wd-0123456789abcdef"',
        b'{"a":' + OURS,
        b"[3,wd-0123456789abcdef",
        b"\xef\xbb\xbf" + OURS,
        b"\x0b" + OURS,
    ],
)
def test_what_is_no_answer_to_ours_is_not_taken_for_one(begun):
    assert not ANSWER_TO_OURS.begins(begun)


@pytest.mark.parametrize("begun", [b"[2,", b' [\t2 ,"x"', b"[2,]"])
def test_a_call_is_recognised(begun):
    assert CALL.begins(begun)


@pytest.mark.parametrize("begun", [b"", b"[", b"[2", b"[3,", b"[22,", b'["2",', b"[2.0,", b"2,", b"[-2,"])
def test_what_is_no_call_is_not_taken_for_one(begun):
    assert not CALL.begins(begun)


@pytest.mark.parametrize("size", range(len(OURS)))
def test_every_beginning_of_an_answer_to_ours_may_still_become_one(size):
    assert ANSWER_TO_OURS.may_still_begin(OURS[:size])
    assert ANSWER_TO_OURS.may_still_begin(b" \n" + OURS[:size])


@pytest.mark.parametrize(
    "begun", [b"x", b"[2", b"[3x", b"[3,x", b'[3,"x', b'[3,"wdx', b'[3,"wd-"', b'[3,"wd-' + b"x" * 17]
)
def test_a_beginning_that_has_gone_another_way_is_given_up(begun):
    assert not ANSWER_TO_OURS.may_still_begin(begun)


@given(st.text(alphabet='[]234,"wd-x \t\n\\', max_size=40).map(str.encode), st.integers(0, 40))
def test_what_begins_like_one_could_always_have_become_one_before(message, cut):
    for prefix in (ANSWER_TO_OURS, CALL):
        if prefix.begins(message):
            assert prefix.may_still_begin(message[:cut]) or prefix.begins(message[:cut])
