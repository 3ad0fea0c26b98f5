"""Text to frames and back: whatever comes in, a value comes out."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core.frames import (
    MAX_MENDED,
    MAX_NESTING,
    Call,
    CallError,
    CallResult,
    Frame,
    Opaque,
    decode,
    encode_call,
    encode_payload,
)
from ocpp_watchdog.core.terms import UniqueId


def read(text: str) -> Frame:
    return decode(text, json.loads)


def mended_payload(text: str) -> Mapping[str, object]:
    frame = read(text)
    assert isinstance(frame, Call), frame
    assert frame.mended
    return frame.payload


# -- well formed -----------------------------------------------------------------------------------------------


def test_call_is_read_with_its_payload() -> None:
    assert read('[2,"17","Heartbeat",{"a":1}]') == Call("17", "Heartbeat", {"a": 1}, mended=False)


def test_call_may_be_spread_over_lines_and_tabs() -> None:
    assert read('\n[2,\t"17",\n"StatusNotification" ,{ "connectorId" : 1 } ]\n') == Call(
        "17", "StatusNotification", {"connectorId": 1}
    )


def test_null_payload_of_a_call_is_empty() -> None:
    assert read('[2,"g5","Heartbeat",null]') == Call("g5", "Heartbeat", {})


def test_callresult_is_read_with_its_payload() -> None:
    assert read('[3,"17",{"status":"Accepted"}]') == CallResult("17", {"status": "Accepted"})


@pytest.mark.parametrize("rest", ["", ",null", ",[]", ',"Accepted"', ",1", ",{},{}"])
def test_callresult_without_an_object_is_still_an_answer(rest: str) -> None:
    assert read(f'[3,"17"{rest}]') == CallResult("17", {})


@pytest.mark.parametrize(
    ("text", "code", "description"),
    [
        ('[4,"17"]', "", ""),
        ('[4,"17","NotSupported"]', "NotSupported", ""),
        ('[4, "17", "FormationViolation", ""]', "FormationViolation", ""),
        ('[4,"17","GenericError","bad",{}]', "GenericError", "bad"),
        ('[4,"17","GenericError","bad",{},{}]', "GenericError", "bad"),
        ('[4,"17",500,null,{}]', "", ""),
    ],
)
def test_callerror_is_read_in_any_length(text: str, code: str, description: str) -> None:
    assert read(text) == CallError("17", code, description)


def test_duplicate_key_counts_with_its_last_value() -> None:
    assert read('[2,"1","Heartbeat",{"a":1,"a":2}]') == Call("1", "Heartbeat", {"a": 2})


def test_lone_surrogate_is_kept_as_it_came() -> None:
    assert read('[2,"g68","Heartbeat",{"a":"\\ud800"}]') == Call("g68", "Heartbeat", {"a": "\ud800"})


@pytest.mark.parametrize("unique_id", ["", "4", "36:363", "RemoteStartTransaction 31", "x" * 37, "x" * 255, "ä"])
def test_unique_id_is_any_text_up_to_255_characters(unique_id: str) -> None:
    assert read(json.dumps([2, unique_id, "Heartbeat", {}])) == Call(unique_id, "Heartbeat", {})


# -- opaque ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "json"),
        ("this is not json", "json"),
        ("}{not json at all!!", "json"),
        ('{[2,"x","BootNotification",{}]}', "json"),
        ('[2,"x","BootNotification",{]', "json"),
        ('[2,"x","BootNotification",{}', "json"),
        ('[2,"x","BootNotification",{}}', "json"),
        ('[2,"x","Boot\\qNotification",{}]', "json"),
        ('[2,"x","unterminated', "json"),
        ('[3,"x",{"status":"Accepted"}]\0', "json"),
        ('[2,"x","Heartbeat",{}]garbage', "json"),
        ('[2,"x",1 2,"Heartbeat",{}]', "json"),
        ('[2,,"x"]', "json"),
        ("[2," + "1" * 5000 + ',"Heartbeat",{}]', "json"),
        ("{}", "shape"),
        ("[]", "shape"),
        ("[2]", "shape"),
        ('"text"', "shape"),
        ("null", "shape"),
        ('[2,"g1"]', "shape"),
        ('[2,"g2","Heartbeat"]', "shape"),
        ('[2,"g4","Heartbeat",{},{}]', "shape"),
        ('[true,"a"]', "type"),
        ('[2.0,"g10","Heartbeat",{}]', "type"),
        ('["2","g9","Heartbeat",{}]', "type"),
        ('[9,"g11","Heartbeat",{}]', "type"),
        ('[NaN,"g11","Heartbeat",{}]', "type"),
        ('[["x"],"g11"]', "type"),
        ('[2,7,"Heartbeat",{}]', "unique_id"),
        ('[2,["x"],"Heartbeat",{}]', "unique_id"),
        ('[3,{"x":1},{}]', "unique_id"),
        ('[4,null,"a",""]', "unique_id"),
        (json.dumps([2, "x" * 256, "Heartbeat", {}]), "unique_id"),
        ('[2,"g14",5,{}]', "action"),
        ('[2,"g6","Heartbeat",[]]', "payload"),
        ('[2,"g7","Heartbeat","x"]', "payload"),
    ],
)
def test_what_cannot_be_read_is_opaque_with_a_reason(text: str, reason: str) -> None:
    assert read(text) == Opaque(reason)


@pytest.mark.parametrize("opening", ["[", '{"a":', "[ "])
def test_f7_hundred_thousand_levels_are_opaque_within_50_ms(opening: str) -> None:
    began = time.process_time()
    frame = read('[2,"x","Heartbeat",' + opening * 100_000)
    assert frame == Opaque("nesting")
    assert time.process_time() - began < 0.05


def test_recursion_in_the_decoder_is_opaque() -> None:
    def recursive(text: str) -> object:
        raise RecursionError

    assert decode("[]", recursive) == Opaque("nesting")


def test_overflow_in_the_decoder_is_opaque() -> None:
    def overflowing(text: str) -> object:
        raise OverflowError

    assert decode('[2,"x","Heartbeat",{}]', overflowing) == Opaque("json")


def test_many_objects_side_by_side_are_not_deep() -> None:
    payload = {"a": [{"b": "[{[{" * 100}] * (MAX_NESTING + 1)}
    assert read(json.dumps([2, "x", "DataTransfer", payload])) == Call("x", "DataTransfer", payload)


def test_brackets_within_text_are_not_deep() -> None:
    payload = {"data": '\\"' + "[" * (MAX_NESTING + 1)}
    assert read(json.dumps([2, "x", "DataTransfer", payload])) == Call("x", "DataTransfer", payload)


# -- mended ----------------------------------------------------------------------------------------------------

BENY = (
    '[2,"9lmha8x27fuad8cemfzn5bxr","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2024-02-06T08:09:37Z",'
    '"sampledValue":[,{"value":"139955"},{"value":"0","measurand":"Power.Active.Import"}]}]}]'
)


def test_leading_comma_of_zj_beny_is_mended() -> None:
    assert mended_payload(BENY) == json.loads(BENY.replace("[,", "["))[3]


def test_empty_value_of_aefa_is_mended_to_null() -> None:
    payload = mended_payload('[2,"1","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[]}]')
    assert payload == {"connectorId": 1, "transactionId": None, "meterValue": []}


def test_nul_within_text_of_wallbe_is_left_out() -> None:
    assert mended_payload('[2,"1","BootNotification",{"chargePointVendor":"wall\0be\x1f"}]') == {
        "chargePointVendor": "wallbe"
    }


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ('{"a":}', '{"a":null}'),
        ('{"a":[1,:]}', None),
        ('{"a":[1,]}', '{"a":[1]}'),
        ('{"a":1,}', '{"a":1}'),
        ('{,"a":1}', '{"a":1}'),
        ('{"a":[1,,2]}', '{"a":[1,2]}'),
        ('{"a":[1, , ,2]}', '{"a":[1,2]}'),
        ('{"a":[,]}', '{"a":[]}'),
        ('{"a":,,"b":1}', '{"a":null,"b":1}'),
        ('{"a":",, :, [, \\" ,]",}', '{"a":",, :, [, \\" ,]"}'),
        ('{"a":tru}', None),
        ('{"a" 1}', None),
        ('{"a":"\\\0"}', None),
    ],
)
def test_commas_and_values_are_mended_outside_of_text_only(broken: str, whole: str | None) -> None:
    frame = read(f'[2,"1","DataTransfer",{broken}]')
    assert frame == (Opaque("json") if whole is None else Call("1", "DataTransfer", json.loads(whole), mended=True))


@pytest.mark.parametrize(
    "text",
    [
        '\ufeff[2,"g17","Heartbeat",{"a":1}]',
        '[2,"g17","Heartbeat",{"a":1}]\0',
        '\0 [ 2 ,"g17","Heartbeat",{"a":1}]\0\0\n',
        '[2,"g17","Heartbeat",{"a":1}][2,"g19","Heartbeat",{}]',
        '[2,"g17","Heartbeat",{"a":1}]\n[3,"g19",{}]',
    ],
)
def test_f3_the_first_message_is_found_between_what_does_not_belong(text: str) -> None:
    assert read(text) == Call("g17", "Heartbeat", {"a": 1}, mended=True)


def test_mended_text_must_be_a_call_in_the_end() -> None:
    assert read('[2,7,"Heartbeat",{},]') == Opaque("json")


def test_decoder_that_gives_up_on_mended_text_makes_it_opaque() -> None:
    calls: list[str] = []

    def tired(text: str) -> object:
        calls.append(text)
        raise ValueError if len(calls) == 1 else RecursionError

    assert decode(BENY, tired) == Opaque("json")
    assert len(calls) == 2


def test_long_broken_text_is_not_mended() -> None:
    text = '[2,"1","DataTransfer",{"data":"%s",}]'
    assert isinstance(read(text % ("x" * (MAX_MENDED - len(text)))), Call)
    assert read(text % ("x" * MAX_MENDED)) == Opaque("json")


@pytest.mark.parametrize("filling", ['\\"', '"', "\\", ",", ":", "[", " ", "\0", "a", '"a\0'])
def test_hostile_text_is_refused_in_linear_time(filling: str) -> None:
    began = time.process_time()
    assert isinstance(read('[2,"' + filling * (MAX_MENDED // len(filling) - 4)), Opaque)
    assert time.process_time() - began < 1.0


# -- another decoder -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('[2,"1","Heartbeat",{"a":[1,2.5,"x",null]}]', Call(UniqueId("1"), "Heartbeat", {"a": [1, 2.5, "x", None]})),
        (BENY, Call(UniqueId("9lmha8x27fuad8cemfzn5bxr"), "MeterValues", json.loads(BENY.replace("[,", "["))[3], True)),
        ("\ud800", Opaque("json")),
        ('[2,"1","Heartbeat",{"a":1e999}]', Opaque("json")),
        ('[2,"1","Heartbeat",{"a":' + "1" * 5000 + "}]", Opaque("json")),
        ("[2.0,1]", Opaque("type")),
        ("[" * 100_000, Opaque("nesting")),
    ],
    ids=["good", "broken", "surrogate", "infinite", "endless", "float", "deep"],
)
def test_faster_decoder_reads_the_same(text: str, frame: Frame) -> None:
    msgspec = pytest.importorskip("msgspec", reason="the extra `fast` is not installed")
    assert decode(text, msgspec.json.decode) == frame


# -- properties ------------------------------------------------------------------------------------------------


@given(st.text())
def test_decode_never_raises_on_any_text(text: str) -> None:
    assert isinstance(read(text), Call | CallResult | CallError | Opaque)


@given(st.text(alphabet='[]{},:"\\ \0\n2345eE.-ntrue', max_size=60))
def test_decode_never_raises_on_text_that_looks_like_a_call(text: str) -> None:
    frame = read(f'[2,"a","b",{text}')
    assert isinstance(frame, Call | Opaque)


def json_of(floats: st.SearchStrategy[float]) -> st.SearchStrategy[object]:
    return st.recursive(
        st.none() | st.booleans() | st.integers() | floats | st.text(),
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
        max_leaves=20,
    )


@given(json_of(st.floats()))
def test_decode_never_raises_on_any_json(value: object) -> None:
    assert isinstance(read(json.dumps(value)), Call | CallResult | CallError | Opaque)


finite_json = json_of(st.floats(allow_nan=False, allow_infinity=False))


@given(st.text(max_size=255), st.text(), st.dictionaries(st.text(), finite_json))
def test_what_is_encoded_is_read_back(unique_id: str, action: str, payload: dict[str, object]) -> None:
    text = encode_call(unique_id, action, encode_payload(payload))
    assert text.isascii()
    assert read(text) == Call(unique_id, action, payload)


def test_infinity_in_a_call_of_ours_is_a_loud_mistake() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode_payload({"limit": float("inf")})


def test_own_call_is_compact() -> None:
    text = encode_call("wd-0123456789abcdef", "RemoteStopTransaction", encode_payload({"transactionId": 7}))
    assert text == '[2,"wd-0123456789abcdef","RemoteStopTransaction",{"transactionId":7}]'
