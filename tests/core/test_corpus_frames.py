"""Frames that real charge points and central systems exchanged: all are read, but those known to be malformed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocpp_watchdog.core.events import (
    Answer,
    ClearRequested,
    MeterSampled,
    OtherRequested,
    ProfileRequested,
    RemoteStartRequested,
    Request,
    StatusNotified,
    TransactionStopped,
)
from ocpp_watchdog.core.frames import Call, CallError, CallResult, Frame, Opaque, decode
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.profiles import Criteria
from ocpp_watchdog.core.terms import (
    ConnectorId,
    Direction,
    Moment,
    ProfileKind,
    Purpose,
    RateUnit,
    Status,
    TransactionId,
    UniqueId,
)
from ocpp_watchdog.core.translate import read_answer, read_request

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
CORPUS = SHARED / "corpus" / "frames.jsonl"
RECORDINGS = SHARED / "recordings"
NOW = Moment(utc=1_766_491_800.0, mono=5.0)
NOTHING = (None, None, None)

pytestmark = pytest.mark.skipif(
    not (CORPUS.exists() and RECORDINGS.exists()), reason="the recorded frames are not beside the repository"
)

# File -> what its odd frames look like, and what becomes of them.
MENDED = "mended"
ODD = {
    "frames": [(r'.*"sampledValue":\[,\{.*', MENDED)],
    "evcc-g-odd": [
        (r"this is not json|", "json"),
        (r"\{\}|\[\]|\[2\]|\[2,\"g[12]\"(,\"Heartbeat\")?\]|\[2,\"g4\".*", "shape"),
        (r'\[2,"g[67]","Heartbeat",(\[\]|"x")\]', "payload"),
        (r'\[2,7,"Heartbeat",\{\}\]', "unique_id"),
        (r'\["2",.*|\[2\.0,.*|\[9,.*', "type"),
        (r'\[2,"g14",5,\{\}\]', "action"),
        (r'\[2,"g17","Heartbeat",\{\}\]\0|\[2,"g18",.*\]\[2,"g19",.*', MENDED),
    ],
    "ocpp-ws-cli-fuzz": [
        (r'\[2, "[-0-9a-f]{36}", "BootNotification", \{\]|\{\[.*', "json"),
        (r'\[2, "[-0-9a-f]{36}", "BootNotification", "invalid"\]', "payload"),
        (r'\[2,"[-0-9a-f]{36}","Authorize"\]', "shape"),
        (r"\[99,.*", "type"),
    ],
    "ocpp-ws-cli-test": [
        (r"\}\{not json at all!!", "json"),
        (r'\[\]|\[2,"jhtx43ia","Heartbeat"\]', "shape"),
        (r"\[[23],12345,.*", "unique_id"),
        (r'.*"NotAnObject"\]', "payload"),
        (r"\[99,.*", "type"),
        (r'\[2, "d1alnle6", "Heartbeat", \{"a":\{"a":\{"a":.*', "nesting"),
    ],
}
HOW_MANY_ODD = {"frames": 1, "evcc-g-odd": 17, "ocpp-ws-cli-fuzz": 109, "ocpp-ws-cli-test": 8}
FILES = [CORPUS, *sorted(RECORDINGS.glob("*.jsonl"))]


class Line(NamedTuple):
    direction: Direction
    text: str
    file: str


def lines(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8") as file:
        for line in map(json.loads, file):
            said_by = line.get("dir") or line["direction"]
            direction = Direction.TO_CENTRAL_SYSTEM if said_by.startswith("cp") else Direction.TO_CHARGE_POINT
            yield Line(direction, line["raw"], line.get("file", path.name))


def read(text: str) -> Frame:
    return decode(text, json.loads)


def expected(path: Path, text: str) -> str | None:
    return next((what for pattern, what in ODD.get(path.stem, []) if re.fullmatch(pattern, text, re.DOTALL)), None)


def became(frame: Frame) -> str | None:
    if isinstance(frame, Opaque):
        return frame.reason
    return MENDED if isinstance(frame, Call) and frame.mended else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_frame_is_read_but_those_known_to_be_malformed(path: Path) -> None:
    odd = 0
    for line in lines(path):
        assert became(read(line.text)) == expected(path, line.text), line.text[:200]
        odd += expected(path, line.text) is not None
    assert odd == HOW_MANY_ODD.get(path.stem, 0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_call_is_understood_but_those_without_what_they_need(path: Path) -> None:
    unreadable = {
        r'\[2,"g28","StatusNotification",\{"connectorId":-1,.*',
        r'\[2,"g40","MeterValues",\{"connectorId":1\}\]',
        r'\[2, "[-0-9a-f]{36}", "SetChargingProfile", \{"connectorId": 1\}\]',
        r'.*"StartTransaction",\{"connectorId":"NotANumber",.*',
    }
    for line in lines(path):
        frame = read(line.text)
        if isinstance(frame, Call):
            request = read_request(frame, line.direction, NOW)
            is_unreadable = isinstance(request, OtherRequested) and not request.readable
            assert is_unreadable == any(re.fullmatch(known, line.text) for known in unreadable), line.text[:200]


# -- single frames, checked by hand against their text -----------------------------------------------------------


def request_of(part: str, path: Path = CORPUS) -> Request:
    """The first CALL of the corpus whose text holds this part."""
    line = next(line for line in lines(path) if part in line.text)
    frame = read(line.text)
    assert isinstance(frame, Call)
    return read_request(frame, line.direction, NOW)


def readings_of(part: str) -> tuple[Reading, ...]:
    request = request_of(part)
    assert isinstance(request, MeterSampled)
    return request.readings


def reading_of(text: str) -> Reading:
    frame = read(text)
    assert isinstance(frame, Call)
    request = read_request(frame, Direction.TO_CENTRAL_SYSTEM, NOW)
    assert isinstance(request, MeterSampled)
    (reading,) = request.readings
    return reading


def test_go_e_at_six_amperes() -> None:
    (reading,) = readings_of('"531613004"')
    assert reading.timestamp == 1766491799.788  # 2025-12-23T12:09:59.788Z
    assert reading.transaction_id == 1766486654
    assert (reading.currents, reading.current, reading.highest_current) == ((6.0, 5.97, 6.12), None, 6.12)
    assert (reading.powers, reading.power) == ((1349.2, 1340.83, 1358.1), 4048.13)
    assert (reading.energy, reading.energy_step) == (17137228.43, 0.01)
    assert reading.voltages == (226.3, 224.75, 223.51)
    assert (reading.offered_amperes, reading.offered_watts) == (6.0, 4140.0)
    assert (reading.digits, reading.decimals) == ("6/5.97/6.12", 2)
    assert reading.power_digits == "1349.2/1340.83/1358.1/4048.13"
    assert (reading.context, reading.is_dc, reading.is_export) == ("Sample.Periodic", False, False)


def test_evbox_while_it_still_draws() -> None:
    (reading,) = readings_of('"31238139-df13-4650-b7a3-40afa1db9b36"')
    assert reading.timestamp == 1771095220.0  # 2026-02-14T18:53:40Z
    assert (reading.currents, reading.offered_amperes) == ((12.1, 10.3, 11.4), 6.0)
    assert (reading.power, reading.powers, reading.power_digits) == (7565.0, NOTHING, "7565")
    assert (reading.energy, reading.energy_step, reading.decimals) == (12843872.0, 1.0, 1)


def test_wallbox_in_scientific_notation_over_many_lines() -> None:
    (reading,) = readings_of('"2e+01"')
    assert (reading.currents, reading.digits, reading.decimals) == ((20.0, None, None), "20", 0)
    assert (reading.offered_amperes, reading.energy, reading.transaction_id) == (32.0, 333.0, 1234)
    assert reading.timestamp == 1616009094.0  # 2021-03-17T19:24:54Z


def test_charge_point_in_kilowatts() -> None:
    (reading,) = readings_of('"699350930000003f0049"')
    assert (reading.currents, reading.digits) == ((13.66, 13.54, 13.68), "13.66/13.54/13.68")
    assert (reading.power, reading.power_digits) == (8940.0, "8940")
    assert (reading.energy, reading.energy_step) == (3051220.0, 10.0)
    assert (reading.offered_amperes, reading.offered_watts) == (13.99, 9660.0)
    assert reading.voltages == (230.69, 228.78, 224.13)


def test_grizzl_e_at_its_body_with_phases_to_neutral() -> None:
    (reading,) = readings_of('"40110022231607d62b"')
    assert (reading.currents, reading.power, reading.powers) == ((16.06, None, None), 3731.06, (3731.06, None, None))
    assert (reading.energy, reading.energy_step) == (7.92, 0.01)


def test_beny_with_a_comma_too_many() -> None:
    (reading,) = readings_of('"9lmha8x27fuad8cemfzn5bxr"')
    assert (reading.energy, reading.power, reading.highest_current) == (139955.0, 0.0, None)


def test_en_plus_states_its_context_at_some_samples_only() -> None:
    (reading,) = readings_of('[2,"172","MeterValues"')
    assert (reading.context, reading.offered_amperes, reading.currents) == ("Trigger", 32.0, (0.0, None, None))


def test_register_alone_between_tabs() -> None:
    text = (  # steve #1916, log 060
        '[2,\t"001e792a-d841-11f0-bd33-000a14879883",\t"MeterValues",\t{"meterValue":\t[{"timestamp":\t'
        '"2025-12-13T16:30:05.000Z",\t"sampledValue":\t[{"measurand":\t"Energy.Active.Import.Register",\t'
        '"unit":\t"Wh",\t"value":\t"23477368"}]}],\t"connectorId":\t3}]'
    )
    reading = reading_of(text)
    assert (reading.connector, reading.energy, reading.transaction_id) == (3, 23477368.0, None)
    assert (reading.digits, reading.power_digits, reading.decimals) == ("", "", 0)


FIELD_CASE = """[2,"1027","MeterValues",{"connectorId":1,"transactionId":0,"meterValue":[{"timestamp":
"2025-10-01T13:19:52.000Z","sampledValue":[{"value":"6.52","measurand":"Current.Import","phase":"L1","unit":"A"},
{"value":"6.30","measurand":"Current.Import","phase":"L2","unit":"A"},
{"value":"6.48","measurand":"Current.Import","phase":"L3","unit":"A"},
{"value":"1460","measurand":"Power.Active.Import","phase":"L1","unit":"W"},
{"value":"1410","measurand":"Power.Active.Import","phase":"L2","unit":"W"},
{"value":"1410","measurand":"Power.Active.Import","phase":"L3","unit":"W"},
{"value":"0.0","measurand":"Voltage","phase":"L1","unit":"V"},
{"value":"0.0","measurand":"Voltage","phase":"L2","unit":"V"},
{"value":"0","measurand":"SoC","unit":"Percent"}]}]}]"""


def test_field_case_as_actec_writes_it() -> None:
    reading = reading_of(FIELD_CASE)
    assert reading.timestamp == 1759324792.0  # 2025-10-01T13:19:52Z
    assert (reading.currents, reading.digits, reading.decimals) == ((6.52, 6.3, 6.48), "6.52/6.3/6.48", 2)
    assert (reading.power, reading.voltages, reading.transaction_id) == (4280.0, (0.0, 0.0, None), 0)
    assert (reading.energy, reading.energy_step) == (None, None)


def test_odd_readings_of_a_laboratory() -> None:
    def reading(part: str) -> Reading:
        request = request_of(part, RECORDINGS / "evcc-g-odd.jsonl")
        assert isinstance(request, MeterSampled)
        return request.readings[0]

    assert reading('"g35"').currents == (6.5, None, None)  # unit "Amp"
    assert (reading('"g36"').current, reading('"g36"').context) == (6.5, "Sometimes")
    assert reading('"g37"').current == 6.5  # a number instead of text
    assert (reading('"g41"').energy, reading('"g41"').timestamp) == (1.0, None)
    assert (reading('"g43"').power, reading('"g43"').transaction_id) == (1500.0, 0)
    assert (reading('"g44"').power, reading('"g44"').transaction_id) == (1500.0, -1)  # "1,5" kW
    for nothing in ('"g33"', '"g34"', '"g38"', '"g39"', '"g42"'):
        assert request_of(nothing, RECORDINGS / "evcc-g-odd.jsonl") == MeterSampled(reading('"g35"').connector, ())


def test_stop_order_of_evcc() -> None:
    request = request_of('[2,"1555718446","SetChargingProfile"')
    assert isinstance(request, ProfileRequested)
    assert (request.connector, request.profile.purpose, request.profile.unit) == (
        1,
        Purpose.TX_DEFAULT,
        RateUnit.AMPERES,
    )
    assert [period.limit for period in request.profile.periods] == [0.0]
    assert request.profile.start_schedule == 1729534433.0  # 2024-10-21T18:13:53Z


def test_profile_under_the_wrong_name() -> None:
    request = request_of('"faa4aaaf-5dad-482e-8353-6d5bc613e39e"')
    assert isinstance(request, ProfileRequested)
    assert (request.profile.purpose, request.profile.kind, request.profile.transaction_id) == (
        Purpose.TX,
        ProfileKind.RELATIVE,
        2,
    )
    assert (request.profile.periods[0].limit, request.profile.periods[0].number_phases) == (9.0, 3)


def test_profile_with_several_periods_and_an_offset() -> None:
    request = request_of('[2,"316414082","SetChargingProfile"')
    assert isinstance(request, ProfileRequested)
    assert [(period.start, period.limit) for period in request.profile.periods] == [
        (0.0, 0.0),
        (32217.0, 16.0),
        (43017.0, 0.0),
    ]
    assert request.profile.duration == 82800.0
    assert request.profile.start_schedule == pytest.approx(1728313382.379399)  # 2024-10-07T17:03:02.379399+02:00


def test_profile_that_lapses_after_15_seconds() -> None:
    request = request_of('"48e3a74a-e9ab-4616-b033-24695bc8e730"')
    assert isinstance(request, ProfileRequested)
    assert request.connector == 0
    assert request.profile.valid_from == 1766491809.0  # 2025-12-23T12:10:09Z
    assert request.profile.valid_to == 1766491824.0


def test_limit_inside_a_remote_start() -> None:
    request = request_of('[2,"3917265973","RemoteStartTransaction"')
    assert isinstance(request, RemoteStartRequested)
    assert request.profile is not None
    assert (request.connector, request.id_tag, request.profile.periods[0].limit) == (1, "evcc", 16.0)


def test_clear_of_everything() -> None:
    assert request_of('"e0670c48-b45d-46b1-8ee7-0954ff9c99e2"') == ClearRequested(Criteria())


def test_stop_with_transaction_data_keeps_none_of_it() -> None:
    request = request_of('"699350cd000000440050"')
    assert request == TransactionStopped(TransactionId(1771262049), "Local", 3051361.0, 1771262148.0)


def test_status_of_wallbox() -> None:
    request = request_of('"vendorId": "com.wallbox","vendorErrorCode": ""')
    assert request == StatusNotified(ConnectorId(1), Status.SUSPENDED_EVSE, "NoError", 1724269027.0)


@pytest.mark.parametrize(
    ("part", "answer", "status"),
    [
        ('[3,"2256236834"', Answer.ACCEPTED, "Accepted"),
        ('[4, "13236754-38b2-424a-a4e3-0f54eeffaf3a"', Answer.REFUSED, "FormationViolation"),
        ('"NotSupported"', Answer.REFUSED, "NotSupported"),
    ],
)
def test_answers_to_a_stop_order(part: str, answer: Answer, status: str) -> None:
    request = request_of('[2,"1555718446","SetChargingProfile"')
    frame = read(next(line.text for line in lines(CORPUS) if part in line.text))
    assert isinstance(frame, CallResult | CallError)
    answered = read_answer(request, frame)
    assert (answered.answer, answered.status) == (answer, status)


# -- properties: real frames, damaged ----------------------------------------------------------------------------


@st.composite
def damaged(draw: st.DrawFn) -> Line:
    """A real frame with a few places overwritten, doubled or missing."""
    line = draw(st.sampled_from(real_frames()))
    text = line.text
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        end = at + draw(st.sampled_from([0, 0, 1, 1, 2, 5, 20]))
        inserted = draw(st.sampled_from(['"', ",", ":", "[", "]", "{", "}", "\\", "\0", "-", "9", "e9", "null", "[,"]))
        text = text[:at] + draw(st.sampled_from([inserted, "", text[at:end] * 2])) + text[end:]
    return Line(line.direction, text, line.file)


_frames: list[Line] = []


def real_frames() -> list[Line]:
    if not _frames:
        kinds = ("MeterValues", "ChargingProfile", "Transaction", "StatusNotification", "BootNotification", "[4")
        _frames.extend(line for line in lines(CORPUS) if any(kind in line.text for kind in kinds))
    return _frames


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(damaged(), st.sampled_from(Direction))
def test_f14_damaged_frames_never_raise(line: Line, direction: Direction) -> None:
    frame = read(line.text)
    if isinstance(frame, Call):
        request = read_request(frame, direction, NOW)
        answered = read_answer(request, CallResult(UniqueId("1"), frame.payload))
        assert answered.request is request
    else:
        assert isinstance(frame, CallResult | CallError | Opaque)
