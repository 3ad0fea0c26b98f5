"""What the first bytes of a frame tell, and meter values that can wait."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core.events import MeterSampled
from ocpp_watchdog.core.skim import MOST_CONNECTORS, Waiting, common
from ocpp_watchdog.core.terms import ConnectorId, Moment
from ocpp_watchdog.core.wire import BEGINNING

CALL = b'[2,"17","MeterValues",{"connectorId":1,"transactionId":7,"meterValue":[]}]'
SPACED = b'[2, "17", "MeterValues", {"connectorId": 12, "meterValue": []}]'


def answer_id(head: bytes) -> bytes | None:
    found = common(head)
    return found[1] if found is not None else None


def meter_values(head: bytes) -> tuple[bytes, bytes] | None:
    found = common(head)
    return (found[2], found[3]) if found is not None and found[2] is not None else None


def at(mono: float) -> Moment:
    return Moment(1_795_190_589.0 + mono, mono)


@pytest.mark.parametrize(
    ("head", "unique_id"),
    [
        (b'[3,"17",{}]', "17"),
        (b'[3, "17", {"status": "Accepted"}]', "17"),
        (b'[3,"a-b:c",', "a-b:c"),
        (b'[3,"' + b"x" * 36 + b'",{}]', "x" * 36),
    ],
)
def test_an_answer_in_a_common_form_gives_its_id(head: bytes, unique_id: str) -> None:
    assert answer_id(head) == unique_id.encode()


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b'[2,"17","Heartbeat",{}]',
        b'[4,"17","GenericError","",{}]',
        b' [3,"17",{}]',
        b"[3,17,{}]",
        b'[3,"",{}]',
        b'[3,"' + b"x" * 37 + b'",{}]',
        b'[3,"17',
        b'[3,"a\\"b",{}]',
        '[3,"ä",{}]'.encode(),
    ],
)
def test_whatever_looks_different_is_read_whole(head: bytes) -> None:
    assert answer_id(head) is None


def test_meter_values_in_a_common_form_give_id_and_connector() -> None:
    assert meter_values(CALL) == (b"17", b"1")
    assert meter_values(SPACED) == (b"17", b"12")


@pytest.mark.parametrize(
    "head",
    [
        b'[3,"17",{}]',
        b'[2,17,"MeterValues",{"connectorId":1,"meterValue":[]}]',
        b'[2,"17","StatusNotification",{"connectorId":1,"errorCode":"NoError"}]',
        b'[2,"17","MeterValues",{"meterValue":[{"timestamp":"2026-11-20T16:03:09Z"}]}]',
        b'[2,"17","MeterValues",{"connectorId":"1","meterValue":[]}]',
        b'[2,"17","MeterValues",{"connectorId":1',
        b'[2,"17","MeterValues",{"connectorId":1}]',
        b'[2,"17","MeterValues",{"connectorId":12345678901,"meterValue":[]}]',
        b'[2,"17","MeterValues",{"transactionId":7,"connectorId":1,"meterValue":[]}]',
        b'[2,"","MeterValues",{"connectorId":1,"meterValue":[]}]',
        b'[2,"a\\b","MeterValues",{"connectorId":1,"meterValue":[]}]',
        b'[2,"\xe4","MeterValues",{"connectorId":1,"meterValue":[]}]',
        b'[2,"17","MeterValues",{"connectorId":-1,"meterValue":[]}]',
        b'[2,"17","DataTransfer",{"data":"MeterValues","connectorId":1,"x":0}]',
    ],
)
def test_meter_values_that_do_not_say_it_plainly_are_read_whole(head: bytes) -> None:
    assert meter_values(head[:BEGINNING]) is None


@given(st.binary(max_size=BEGINNING))
def test_any_bytes_are_skimmed_without_an_exception(head: bytes) -> None:
    answer_id(head)
    meter_values(head)


@given(st.text(alphabet="abc-0123:", min_size=1, max_size=36), st.integers(0, 9999))
def test_what_is_skimmed_is_what_a_decoder_reads(unique_id: str, connector: int) -> None:
    call = json.dumps([2, unique_id, "MeterValues", {"connectorId": connector, "meterValue": []}])
    for text in (call, call.replace(" ", "")):
        assert meter_values(text.encode()) == (unique_id.encode(), str(connector).encode())
    assert answer_id(json.dumps([3, unique_id, {}]).encode()) == unique_id.encode()


# -- waiting -----------------------------------------------------------------------------------------------------------


def test_the_first_of_a_connector_cannot_wait() -> None:
    assert not Waiting().wait(b"1", b"one", 0, 0)


def test_one_may_wait_for_five_seconds_after_one_was_read() -> None:
    waiting = Waiting()
    waiting.was_read(1, at(0))
    assert waiting.wait(b"1", b"x", 4.99, 4.99)
    assert not waiting.wait(b"1", b"x", 5, 5)
    assert not waiting.wait(b"2", b"x", 0.5, 0.5)


def test_the_newest_of_each_connector_waits_until_the_time_of_the_oldest_is_over() -> None:
    waiting = Waiting()
    assert waiting.due is None
    waiting.was_read(2, at(0.3))
    waiting.was_read(1, at(0))
    waiting.wait(b"2", b"two", at(0.4).utc, 0.4)
    assert waiting.due == 5.3
    waiting.wait(b"1", b"old", at(0.5).utc, 0.5)
    waiting.wait(b"1", b"one", at(0.6).utc, 0.6)
    assert waiting.due == 5.0
    assert waiting.look() == [(b"two", at(0.4)), (b"one", at(0.6))]
    assert waiting.take() == [(b"two", at(0.4)), (b"one", at(0.6))]
    assert waiting.take() == []
    assert waiting.due is None


def test_what_was_read_ahead_belongs_to_one_frame_and_none_that_looks_like_it() -> None:
    waiting, frame = Waiting(), bytes(bytearray(b"one"))
    request = MeterSampled(ConnectorId(1), ())
    waiting.ahead = [(frame, request)]
    assert waiting.taken_ahead(frame) is request
    assert waiting.taken_ahead(bytes(bytearray(b"one"))) is None


def test_each_charge_point_has_a_time_of_its_own_and_always_the_same() -> None:
    def due(name: str) -> float | None:
        waiting = Waiting(name)
        waiting.was_read(1, at(0))
        waiting.wait(b"1", b"x", 0.1, 0.1)
        return waiting.due

    times = {due(f"CP{number}") for number in range(200)}
    assert len(times) == 200
    assert all(time is not None and 5.0 <= time < 10.0 for time in times)
    assert due("CP1") == due("CP1")


def test_connectors_that_a_peer_makes_up_do_not_pile_up() -> None:
    waiting = Waiting()
    waiting.was_read(1, at(0))
    for connector in range(2, 10_000):
        waiting.was_read(connector, at(0.1))
    assert len(waiting._read_at) <= MOST_CONNECTORS + 1
    assert not waiting.wait(b"1", b"one", at(0.5).utc, 0.5)
    assert waiting.due is None
