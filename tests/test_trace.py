"""Lines of Open OCPP Trace files: what is written comes back whole, and what others write is read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ocpp_watchdog import trace
from ocpp_watchdog.core.terms import Direction
from ocpp_watchdog.trace import Lines, TraceLine, decode, encode, stamp

UTC = 1_786_548_072.25
CALL = '[2,"m1","MeterValues",{"connectorId":1,"meterValue":[]}]'

# The rules of the format's schema, version 1.1, that concern a writer.
SCHEMA = {
    "type": "object",
    "required": ["schemaVersion", "timestamp", "transport", "direction", "messageType"],
    "properties": {
        "schemaVersion": {"const": "1.1"},
        "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"},
        "ocppVersion": {"const": "1.6"},
        "transport": {"enum": ["json", "soap"]},
        "chargePointId": {"type": "string"},
        "direction": {"enum": ["cp-to-csms", "csms-to-cp"]},
        "messageType": {"enum": ["CALL", "CALLRESULT", "CALLERROR"]},
        "messageId": {"type": "string"},
        "action": {"type": "string"},
        "raw": {"type": "string"},
        "error": {"type": "object", "properties": {"code": {"type": "string"}, "description": {"type": "string"}}},
        "meta": {"type": "object"},
    },
    "additionalProperties": False,
    "allOf": [
        {"if": {"properties": {"messageType": {"const": "CALL"}}}, "then": {"required": ["action"]}},
        {
            "if": {"properties": {"messageType": {"const": "CALLERROR"}}},
            "then": {"required": ["error"]},
            "else": {"properties": {"error": False}},
        },
    ],
}


def line(text: str = CALL, direction: Direction = Direction.TO_CENTRAL_SYSTEM, **more: object) -> TraceLine:
    return TraceLine(UTC, "box", direction, text, **more)  # type: ignore[arg-type]


def errors_of(text: str) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(json.loads(text))]


def test_a_line_is_exactly_this_text() -> None:
    written = encode(line(mono=12.5, session="s1", ours=True, withheld=True, original="[]", note="answer_for"))
    assert written == (
        '{"schemaVersion":"1.1","timestamp":"2026-08-12T15:21:12.250000Z","ocppVersion":"1.6","transport":"json",'
        '"chargePointId":"box","direction":"cp-to-csms","messageType":"CALL","messageId":"m1","action":"MeterValues",'
        '"raw":"[2,\\"m1\\",\\"MeterValues\\",{\\"connectorId\\":1,\\"meterValue\\":[]}]",'
        '"meta":{"mono":12.500000,"session":"s1","ours":true,"withheld":true,"original":"[]","note":"answer_for"}}'
    )


texts = st.one_of(st.text(), st.just(CALL), st.text().map(lambda text: json.dumps([4, text, "x"])))


lines = st.builds(
    TraceLine,
    utc=st.floats(0, 4_102_444_800),
    charge_point=st.text(),
    direction=st.sampled_from(Direction),
    text=texts,
    mono=st.none() | st.floats(0, 1e9),
    session=st.text(),
    ours=st.booleans(),
    withheld=st.booleans(),
    decodable=st.booleans(),
    original=st.none() | st.text(),
    note=st.text(),
)


@given(lines)
def test_lines_of_one_connection_are_those_of_any_other_way(there: TraceLine) -> None:
    plain = TraceLine(there.utc, there.charge_point, there.direction, there.text, there.mono or 0.0, there.session)
    made = Lines(plain.charge_point, plain.session)
    assert made.forwarded(plain.utc, plain.mono or 0.0, plain.direction, plain.text) == encode(plain)


def read_whole(text: str) -> TraceLine | None:
    """As a JSON object, whatever the line looks like."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "_own", lambda _: None)
        return decode(text)


@given(lines, st.booleans(), st.integers(0, 1_000), st.integers(0, 12), st.text(max_size=3) | st.sampled_from('\\"{},'))
def test_a_line_in_our_own_form_is_read_as_any_other(
    there: TraceLine, is_call: bool, begin: int, length: int, other: str
) -> None:
    text = CALL if is_call else there.text
    written = Lines(there.charge_point, there.session).forwarded(there.utc, there.mono or 0.0, there.direction, text)
    damaged = written[:begin] + other + written[begin + length :]
    for found in (written, encode(there), damaged):
        assert decode(found) == read_whole(found)


def test_a_plain_line_takes_the_short_way_and_an_odd_one_does_not() -> None:
    plain = encode(line(mono=5.0, session="s"))
    assert trace._own(plain) == decode(plain) == line(mono=5.0, session="s")
    odd = (
        encode(line(session="s")),
        encode(line(mono=5.0, ours=True)),
        encode(line('[2,"m","A",{"x":"\\\\"}]', mono=5.0)),
        encode(line('[2,"m","A",{"x":"\x7f"}]', mono=5.0)),
        plain.replace("-0", "-99", 1),
        plain.replace('\\"m1', '"m1'),
    )
    assert [trace._own(text) for text in odd] == [None] * len(odd)


@given(lines)
def test_what_was_written_is_read_back_whole(there: TraceLine) -> None:
    written = encode(there)
    assert written.isascii()
    assert "\n" not in written
    back = decode(written)
    assert back is not None
    assert back.utc == pytest.approx(there.utc, abs=1e-6)
    assert (back.mono is None) == (there.mono is None)
    if there.mono is not None:
        assert back.mono == pytest.approx(there.mono, abs=1e-6)
    rest = ("charge_point", "direction", "text", "session", "ours", "withheld", "decodable", "original", "note")
    assert [getattr(back, name) for name in rest] == [getattr(there, name) for name in rest]


@pytest.mark.parametrize(
    "text",
    [
        CALL,
        '[3,"m1",{}]',
        '[3,"m1"]',
        ' [ 2 , "m1" , "Heartbeat" , {} ]',
        '[2,"m\\u00e4\\"1","Heartbeat",{}]',
        '[3,"ä",{}]',
        '[4,"m1","NotSupported","no \\"such\\" thing",{}]',
        '[4,"m1"]',
        '[4,"m1",7]',
    ],
)
def test_readable_frames_follow_the_schema(text: str) -> None:
    written = encode(line(text))
    assert errors_of(written) == []
    record, message = json.loads(written), json.loads(text)
    assert record["messageId"] == message[1]
    if message[0] == 2:
        assert record["action"] == message[2]
    assert record["raw"] == text


@pytest.mark.parametrize("text", ["", "[", "{}", "7", "[2]", '[2,7,"X",{}]', '[2,"m1"]', '[9,"m1",{}]', "[" * 100_000])
def test_a_frame_that_cannot_be_read_claims_no_message_type(text: str) -> None:
    for decodable in (True, False):
        written = encode(line(text, decodable=decodable))
        assert "messageType" not in json.loads(written)
        back = decode(written)
        assert back is not None
        assert (back.text, back.decodable) == (text, decodable)


def test_a_frame_known_as_unreadable_is_not_looked_at_again() -> None:
    assert "messageType" not in json.loads(encode(line(CALL, decodable=False)))


FOREIGN = {
    "schemaVersion": "1.4",
    "timestamp": "2024-01-15T11:30:00.500+01:00",
    "transport": "json",
    "direction": "csms-to-cp",
    "messageType": "CALL",
    "novel": {"key": 1},
}


@pytest.mark.parametrize(
    ("fields", "frame"),
    [
        ({"raw": "[2, 'broken"}, "[2, 'broken"),
        ({"messageId": "a", "action": "Reset", "payload": {"type": "Soft"}}, '[2,"a","Reset",{"type":"Soft"}]'),
        ({"messageId": "a", "action": "Heartbeat"}, '[2,"a","Heartbeat",{}]'),
        ({"messageType": "CALLRESULT", "messageId": "a", "payload": {}}, '[3,"a",{}]'),
        (
            {"messageType": "CALLERROR", "messageId": "a", "error": {"code": "X", "details": {"y": 1}}},
            '[4,"a","X","",{"y":1}]',
        ),
        ({"messageType": "CALLERROR", "messageId": "a", "error": None}, '[4,"a","","",{}]'),
    ],
)
def test_records_of_others_are_read(fields: dict[str, object], frame: str) -> None:
    back = decode(json.dumps(FOREIGN | fields))
    assert back == TraceLine(1_705_314_600.5, "", Direction.TO_CHARGE_POINT, frame)


def test_a_time_without_an_offset_is_utc() -> None:
    back = decode(json.dumps(FOREIGN | {"raw": "[]", "timestamp": "2024-01-15T10:30:00"}))
    assert back is not None
    assert back.utc == 1_705_314_600.0


def test_meta_of_others_is_taken_where_it_says_what_ours_says() -> None:
    meta = {"mono": True, "session": 7, "ours": "yes", "withheld": 1, "decodable": None, "original": [], "note": None}
    assert decode(json.dumps(FOREIGN | {"raw": "[]", "meta": meta})) == TraceLine(
        1_705_314_600.5, "", Direction.TO_CHARGE_POINT, "[]"
    )
    assert decode(json.dumps(FOREIGN | {"raw": "[]", "meta": [1]})) is not None
    counted = decode(json.dumps(FOREIGN | {"raw": "[]", "meta": {"mono": 3}}))
    assert counted is not None
    assert counted.mono == 3.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-08-12 15:21:12 not a trace",
        "[]",
        "7",
        "{}",
        "[" * 100_000,
        json.dumps(FOREIGN),  # neither raw nor an id
        json.dumps(FOREIGN | {"messageId": "a", "messageType": "PING"}),
        json.dumps(FOREIGN | {"messageId": "a"}),  # a CALL without action
        json.dumps(FOREIGN | {"raw": "[]", "direction": "sideways"}),
        json.dumps(FOREIGN | {"raw": "[]", "direction": ["cp-to-csms"]}),
        json.dumps(FOREIGN | {"raw": "[]", "timestamp": "yesterday"}),
        json.dumps(FOREIGN | {"raw": "[]", "timestamp": 1}),
    ],
)
def test_what_is_no_line_of_a_trace_is_nothing(text: str) -> None:
    assert decode(text) is None


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    decode(text)


@pytest.mark.parametrize(
    ("utc", "written"),
    [
        (0.0, "1970-01-01T00:00:00.000000Z"),
        (0.9999996, "1970-01-01T00:00:01.000000Z"),
        (1_786_548_072.000001, "2026-08-12T15:21:12.000001Z"),
    ],
)
def test_microseconds_are_kept_and_carried(utc: float, written: str) -> None:
    assert stamp(utc) == written
