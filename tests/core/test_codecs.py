"""Values to JSON values and back: ages instead of moments, bounds kept, nonsense refused."""

from __future__ import annotations

import json
import math
from enum import Enum

import pytest

from ocpp_watchdog.core.codecs import (
    Codec,
    DictCodec,
    EnumCodec,
    FloatCodec,
    MomentCodec,
    MonoCodec,
    OptionalCodec,
    Reader,
    RecentCodec,
    SeriesCodec,
    TupleCodec,
    Writer,
    as_list,
    as_number,
    as_table,
)
from ocpp_watchdog.core.errors import UnusableMemory
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.terms import Moment

WRITTEN = Moment(1_700_000_000.0, 5_000.0)
READ_MONO = 70.0
TEXT, NUMBER = Codec(str), Codec(int)


class Color(Enum):
    RED = "red"


def there_and_back(codec: Codec, value: object) -> object:
    writer = Writer(WRITTEN)
    kept = json.loads(json.dumps([codec.put(value, writer), writer.objects], allow_nan=False))
    return codec.get(kept[0], Reader(kept[1], READ_MONO))


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        (TEXT, "ü\0"),
        (NUMBER, 2**63),
        (Codec(bool), True),
        (Codec(type(None)), None),
        (FloatCodec(), 0.1),
        (FloatCodec(), math.inf),
        (FloatCodec(), -math.inf),
        (EnumCodec(Color), Color.RED),
        (OptionalCodec(TEXT), None),
        (OptionalCodec(TEXT), "x"),
        (SeriesCodec(list, NUMBER, None), [3, 1]),
        (SeriesCodec(tuple, NUMBER, None), (3, 1)),
        (SeriesCodec(frozenset, SeriesCodec(frozenset, NUMBER, None), None), frozenset({frozenset({1, 2})})),
        (SeriesCodec(set, NUMBER, None), {1, 2}),
        (RecentCodec(Recent, NUMBER, None), Recent(3, [1, 2])),
        (TupleCodec((NUMBER, TEXT)), (1, "x")),
        (DictCodec(TupleCodec((NUMBER, NUMBER)), TEXT, None), {(2, 1): "b", (1, 1): "a"}),
    ],
)
def test_what_is_kept_comes_back(codec: Codec, value: object) -> None:
    again = there_and_back(codec, value)
    assert again == value
    assert type(again) is type(value)
    if isinstance(value, Recent):
        assert isinstance(again, Recent)
        assert again.most == value.most
    if isinstance(value, dict):
        assert isinstance(again, dict)
        assert list(again) == list(value)


def test_a_whole_number_where_a_float_is_declared_comes_back_as_a_float() -> None:
    again = there_and_back(FloatCodec(), 16)
    assert (again, type(again)) == (16.0, float)


def test_a_moment_on_the_monotonic_clock_is_kept_as_an_age() -> None:
    assert there_and_back(MonoCodec(), WRITTEN.mono - 12.5) == READ_MONO - 12.5
    assert there_and_back(MonoCodec(), WRITTEN.mono + 12.5) == READ_MONO + 12.5
    assert there_and_back(MonoCodec(), -math.inf) == -math.inf
    assert there_and_back(MomentCodec(), WRITTEN.later(-10.0)) == Moment(WRITTEN.utc - 10.0, READ_MONO - 10.0)


def test_of_a_long_series_the_newest_are_kept() -> None:
    assert there_and_back(SeriesCodec(list, NUMBER, 2), [1, 2, 3]) == [2, 3]
    assert there_and_back(SeriesCodec(list, NUMBER, 2), [3]) == [3]
    assert there_and_back(RecentCodec(Recent, NUMBER, 2), Recent(9, [1, 2, 3])) == Recent(9, [2, 3])
    assert there_and_back(DictCodec(NUMBER, NUMBER, 1), {1: 1, 2: 2}) == {2: 2}


def test_a_series_that_is_met_twice_is_one_again() -> None:
    both, one = SeriesCodec(list, RecentCodec(Recent, NUMBER, None), None), Recent(9, [1])
    again = there_and_back(both, [one, one, Recent(9, [1])])
    assert isinstance(again, list)
    assert again[0] is again[1]
    assert again[0] is not again[2]


@pytest.mark.parametrize(
    ("codec", "kept"),
    [
        (TEXT, 1),
        (NUMBER, True),
        (NUMBER, 1.0),
        (Codec(bool), 1),
        (FloatCodec(), "1"),
        (FloatCodec(), True),
        (FloatCodec(), math.nan),
        (MonoCodec(), None),
        (MomentCodec(), [1.0]),
        (MomentCodec(), 1.0),
        (EnumCodec(Color), "blue"),
        (EnumCodec(Color), ["red"]),
        (SeriesCodec(list, NUMBER, None), {}),
        (RecentCodec(Recent, NUMBER, None), 0),
        (RecentCodec(Recent, NUMBER, None), 1),
        (RecentCodec(Recent, NUMBER, None), -1),
        (RecentCodec(Recent, NUMBER, None), "0"),
        (TupleCodec((NUMBER,)), [1, 2]),
        (DictCodec(NUMBER, NUMBER, None), [[1]]),
    ],
)
def test_nonsense_is_refused(codec: Codec, kept: object) -> None:
    with pytest.raises(UnusableMemory):
        codec.get(kept, Reader([["three", []]], READ_MONO))


def test_the_three_shapes_of_json_are_told_apart() -> None:
    assert as_table({"a": 1}) == {"a": 1}
    assert as_list([1], 1) == [1]
    assert as_number(1) == 1.0
    for refused in (lambda: as_table([]), lambda: as_list({}), lambda: as_list([1], 2), lambda: as_number("1")):
        with pytest.raises(UnusableMemory):
            refused()


class Owner:
    def __init__(self) -> None:
        self.bounded: Recent[int] = Recent(2, [1])
        self.plain = 1


def test_nothing_is_assigned_before_all_was_read_and_a_bound_stays_what_it_is_today() -> None:
    owner, reader = Owner(), Reader([], READ_MONO)
    reader.assign(owner, "plain", 2)
    reader.assign(owner, "bounded", Recent(9, [1, 2, 3]))
    assert (owner.plain, owner.bounded) == (1, Recent(2, [1]))
    reader.settle()
    assert (owner.plain, owner.bounded, owner.bounded.most) == (2, Recent(9, [2, 3]), 2)
    same = Recent(2, [7])
    reader.assign(owner, "bounded", same)
    reader.settle()
    assert owner.bounded is same


class Tables:
    def __init__(self) -> None:
        self.by_color = {Color.RED: 0}
        self.by_name = {"fresh": 0}


def test_an_entry_for_a_member_that_the_memory_does_not_know_stays() -> None:
    owner, reader = Tables(), Reader([], READ_MONO)
    reader.assign(owner, "by_color", {})
    reader.assign(owner, "by_name", {"kept": 1})
    reader.settle()
    assert (owner.by_color, owner.by_name) == ({Color.RED: 0}, {"kept": 1})
