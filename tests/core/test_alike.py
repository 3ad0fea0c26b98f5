"""Readings taken by the shape of those before: the same as read whole, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import examples
from analysis.field_log import field_log
from analysis.survey_kit import ABSENT, LOGS, SHARED, report_of
from ocpp_watchdog.core import alike
from ocpp_watchdog.core.alike import MATCHES_FOR_A_LOOK, MOST_LOOKS, MOST_SHAPES, Alike
from ocpp_watchdog.core.events import MeterSampled, Request
from ocpp_watchdog.core.frames import Call, decode
from ocpp_watchdog.core.terms import Direction, Moment, UniqueId
from ocpp_watchdog.core.translate import read_request

NOW = Moment(examples.START_UTC, 5.0)
STAMP = "2026-08-12T15:19:09Z"
CORPUS = SHARED / "corpus" / "frames.jsonl"

FIGURES = st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,3})?", fullmatch=True) | st.sampled_from(
    ("", ".", "1..2", "-3", "1e3", "x")
)
PLACES = st.sampled_from(
    [
        {"measurand": "Current.Import", "phase": "L1", "unit": "A"},
        {"measurand": "Current.Import", "phase": "L2-N", "unit": "mA", "context": "Trigger"},
        {"measurand": "Current.Export", "unit": "A", "location": "Outlet"},
        {"measurand": "Power.Active.Import", "unit": "kW"},
        {"measurand": "Energy.Active.Import.Register", "unit": "Wh", "format": "Raw"},
        {"measurand": "Current.Offered", "location": "Inlet"},
        {"unit": "V", "phase": "L1-L2", "measurand": "Voltage"},
        {},
    ]
)


def whole(text: str) -> tuple[UniqueId, Request]:
    call = decode(text, json.loads)
    assert isinstance(call, Call)
    return call.unique_id, read_request(call, Direction.TO_CENTRAL_SYSTEM, NOW)


def text_of(*figures: str, name: str = "m1", stamp: str = STAMP, **more: object) -> str:
    values = [{"value": figure, "measurand": "Current.Import", "unit": "A"} for figure in figures]
    payload = {"connectorId": 1, "meterValue": [{"timestamp": stamp, "sampledValue": values}]} | more
    return examples.call(name, "MeterValues", payload)


def knows(text: str, *, first: str | None = None) -> bool:
    """Whether a text is taken by the shape of another (itself), and then as it reads whole."""
    known = Alike(json.loads)
    assert known.read(text if first is None else first, NOW) is None
    found = known.read(text, NOW)
    assert found is None or found == whole(text)
    return found is not None


@given(
    st.lists(st.tuples(PLACES, FIGURES, FIGURES), min_size=1, max_size=7),
    st.from_regex(r"[ -~]{1,36}", fullmatch=True),
    st.sampled_from(("2026-08-12T15:19:09.250Z", "2026-08-12T15:19:09+02:00", "0000-00-00T00:00:00Z", "soon", "")),
    st.booleans(),
)
def test_whatever_is_taken_by_its_shape_is_what_it_is_when_read_whole(
    places: list[tuple[dict[str, str], str, str]], name: str, stamp: str, blanks: bool
) -> None:
    known = Alike(json.loads)
    for unique_id, at, which in (("a", STAMP, 0), (name, stamp, 1), ("c", STAMP, 0)):
        values = [{"value": (one, other)[which], **rest} for rest, one, other in places]
        payload = {"connectorId": 1, "transactionId": 7, "meterValue": [{"timestamp": at, "sampledValue": values}]}
        text = examples.call(unique_id, "MeterValues", payload, blanks=blanks)
        found = known.read(text, NOW)
        assert found is None or found == whole(text)
        assert found is None or found[1].readings[0:1] == () or found[1].readings[0].unique_id == unique_id


def test_other_figures_time_and_id_are_the_same_shape() -> None:
    assert knows(text_of("7", "8.25", name="m2", stamp="2026-08-12T15:19:19.5Z"), first=text_of("16.5", "0"))


@pytest.mark.parametrize(
    "text",
    [
        text_of("7"),
        text_of("7", "8", connectorId=2),
        text_of("7", "8", transactionId=2),
        text_of("7", "8", name="m\\"),
        text_of("7", "8\t"),
        text_of("7", "8", name="m" * 256),
        text_of("7", "8") + " ",
        text_of("7", "8")[:-1],
        text_of("7", "8")[:-9],
        text_of("7", "8")[: text_of("7", "8").index('"8') + 2],
    ],
)
def test_anything_else_that_differs_is_another_shape(text: str) -> None:
    assert not knows(text, first=text_of("7", "8"))


ENTRY = {"value": "6.5", "measurand": "Current.Import"}
ELEMENT = {"timestamp": STAMP, "sampledValue": [ENTRY]}


@pytest.mark.parametrize(
    "text",
    [
        text_of("7", note="\\"),
        text_of("7").replace('"value"', '"unit":"mA","value"'),
        text_of("7").replace('"connectorId"', '"ConnectorId"'),
        text_of("7").replace("{", "{,", 1),
        text_of("7").replace("MeterValues", "Meters"),
        text_of("7")[:-1],
        text_of("7", meterValue=[ELEMENT, 5]),
        text_of("7", meterValue=[ELEMENT | {"sampledValue": [ENTRY, {"value": "7", "timestamp": STAMP}, ENTRY]}]),
        text_of("7", meterValue=[ELEMENT | {"sampledValue": [ENTRY, {"value": 7.5, "phase": "L1"}]}]),
        text_of("7", meterValue=[ELEMENT | {"sampledValue": [{"value": 7.5}], "vendor": {"value": "1"}}]),
        text_of("7", meterValue=[ELEMENT | {"timestamp": 5, "vendor": {"timestamp": STAMP}}]),
        text_of("7", meterValue=[{"sampledValue": [ENTRY], "vendor": {"timestamp": STAMP}}]),
        text_of("7", note="n" * alike.LONGEST_TEXT),
        '[2,"m","MeterValues",{"connectorId":1}]',
        "MeterValues",
        "",
    ],
)
def test_what_is_not_plain_is_never_taken_by_its_shape(text: str) -> None:
    known = Alike(json.loads)
    assert [known.read(text, NOW) for _ in range(3)] == [None] * 3


@pytest.mark.parametrize(
    ("first", "text"),
    [
        (text_of("7", transactionId=7), text_of("8", transactionId=4711)),
        (text_of("7", transactionId=7), text_of("8", transactionId=0)),
        (text_of("7", meterValue=[ELEMENT, ELEMENT]), text_of("7", meterValue=[ELEMENT, ELEMENT | {"timestamp": "?"}])),
        (text_of("7", meterValue=[{"sampledValue": [ENTRY]}]),) * 2,
        (text_of("7", meterValue=[{"sampledValue": [ENTRY], "timestamp": STAMP}]),) * 2,
        (text_of("7", meterValue=[{"timestamp": STAMP, "sampledValue": []}, ELEMENT]),) * 2,
        (text_of("7", meterValue=[{"timestamp": STAMP, "sampledValue": []}], transactionId=7),) * 2,
        (text_of("x"), text_of("-3")),
    ],
)
def test_a_shape_may_have_many_elements_or_few_and_any_transaction(first: str, text: str) -> None:
    assert knows(text, first=first)


@pytest.mark.parametrize("number", ["007", "1.5", "-1", "1234567890123456", "\u0663"])
def test_a_transaction_id_that_is_no_plain_number_is_read_whole(number: str) -> None:
    first = text_of("7", transactionId=7)
    assert not knows(first.replace('"transactionId":7', f'"transactionId":{number}'), first=first)


def test_of_many_shapes_the_newest_are_kept_and_those_that_come_again_earn_more_looks() -> None:
    known = Alike(json.loads)
    shapes = [text_of(*["1"] * number) for number in range(1, MOST_LOOKS + 3)]
    assert all(known.read(text, NOW) is None for text in shapes)
    kept = [number for number, text in enumerate(shapes) if known.read(text, NOW) is not None]
    assert kept == list(range(MOST_LOOKS - MOST_SHAPES, MOST_LOOKS))
    assert all(known.read(shapes[kept[0]], NOW) is not None for _ in range(MATCHES_FOR_A_LOOK))
    assert [known.read(shapes[-1], NOW) is not None for _ in range(2)] == [False, True]
    assert [known.read(shapes[-2], NOW) is not None for _ in range(2)] == [False, False]


@pytest.mark.skipif(not CORPUS.exists(), reason=ABSENT)
def test_the_meter_values_of_real_charge_points_read_the_same_by_their_shape() -> None:
    texts = [json.loads(line)["raw"] for line in CORPUS.read_text("utf-8").splitlines()]
    found = [knows(text) for text in texts if isinstance(text, str) and '"MeterValues"' in text]
    assert sum(found) > 20


def test_the_field_log_is_judged_the_same_with_shapes_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    same_without_shapes([field_log()], monkeypatch)


@pytest.mark.skipif(not LOGS.exists(), reason=ABSENT)
def test_real_logs_are_judged_the_same_with_shapes_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    same_without_shapes([path.read_text("utf-8", "replace") for path in sorted(LOGS.iterdir())], monkeypatch)


def same_without_shapes(logs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bool] = []
    read = Alike.read

    def counted(self: Alike, text: str, now: Moment) -> tuple[UniqueId, MeterSampled] | None:
        found = read(self, text, now)
        taken.append(found is not None)
        return found

    monkeypatch.setattr(Alike, "read", counted)
    with_shapes = [report_of(log) for log in logs]
    assert sum(taken) > 10
    monkeypatch.setattr(Alike, "read", lambda *_: None)
    assert [report_of(log) for log in logs] == with_shapes
