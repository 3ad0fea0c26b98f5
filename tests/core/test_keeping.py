"""Which fields survive, found from their types: parts in place, values made anew, what is one object stays one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, ClassVar, NewType

import pytest

from ocpp_watchdog.core.codecs import Reader, Writer
from ocpp_watchdog.core.errors import UnusableMemory
from ocpp_watchdog.core.keeping import (
    BriefCodec,
    Last,
    Mono,
    codec,
    declared,
    is_part,
    not_remembered,
    read_part,
    remembered,
    write_part,
)
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.terms import Moment

NOW = Moment(1_700_000_000.0, 5_000.0)
Name = NewType("Name", str)


class Color(Enum):
    RED = "red"


@dataclass
class Note:
    at: Mono
    text: str
    color: Color | None = None
    tags: list[Name] = field(default_factory=list)
    loud: bool | None = True


@dataclass(frozen=True, slots=True)
class Mark:
    at: Moment
    places: tuple[int, float] = (1, 2.0)


@dataclass
class Newer:
    must: int


@dataclass(frozen=True, slots=True)
class Brief:
    KEPT_BRIEFLY: ClassVar[bool] = True
    at: Mono
    text: str
    more: int | None = None


class Inner:
    NOT_REMEMBERED: ClassVar[dict[str, str]] = {"_handed": "handed in"}
    _handed: Callable[[], int]
    count: int

    def __init__(self) -> None:
        self._handed = lambda: 1
        self.count = 0


class Base:
    NOT_REMEMBERED: ClassVar[dict[str, str]] = {"loose": "for a test"}
    loose: int

    def __init__(self) -> None:
        self.loose = 1


class Outer(Base):
    NOT_REMEMBERED: ClassVar[dict[str, str]] = {"other": "for a test"}
    FIXED: ClassVar[int] = 3
    other: int
    inner: Inner
    notes: Annotated[Recent[Note], Last(2)]
    newest: Note | None
    either: Note | Mark | None
    by_name: dict[Name, Mark]
    empty: dict[int, None]
    many: tuple[int, ...]
    last: Annotated[list[Mono], Last(1)]

    def __init__(self) -> None:
        super().__init__()
        self.other = 1
        self.inner = Inner()
        self.notes = Recent(4)
        self.newest = None
        self.either = None
        self.by_name = {}
        self.empty = {}
        self.many = ()
        self.last = []


def kept(part: object) -> tuple[object, list[object]]:
    writer = Writer(NOW)
    written = write_part(part, writer)
    found = json.loads(json.dumps([written, writer.objects]))
    return found[0], found[1]


def again(part: Outer, mono: float = NOW.mono) -> Outer:
    fresh = Outer()
    written, objects = kept(part)
    reader = Reader(objects, mono)
    read_part(fresh, written, reader)
    reader.settle()
    return fresh


def rich() -> Outer:
    outer = Outer()
    outer.loose, outer.other, outer.inner.count = 7, 7, 7
    notes = [Note(NOW.mono - number, str(number), Color.RED, [Name("a")], None) for number in range(3)]
    outer.notes.extend(notes)
    outer.newest = notes[-1]
    outer.either = Mark(NOW)
    outer.by_name = {Name("x"): Mark(NOW.later(-3.0), (2, 3.0))}
    outer.empty = {4: None}
    outer.many = (1, 2)
    outer.last = [1.0, 4_990.0]
    return outer


def test_a_part_gets_its_fields_back_in_place_and_keeps_what_it_was_handed() -> None:
    outer = again(rich(), mono=10.0)
    assert (outer.loose, outer.other, outer.inner.count, outer.inner._handed()) == (1, 1, 7, 1)
    assert [note.text for note in outer.notes] == ["1", "2"]
    assert outer.notes.most == 4
    assert outer.newest == Note(8.0, "2", Color.RED, [Name("a")], None)
    assert outer.newest is outer.notes[-1]
    assert outer.either == Mark(Moment(NOW.utc, 10.0))
    assert outer.by_name == {"x": Mark(Moment(NOW.utc - 3.0, 7.0), (2, 3.0))}
    assert (outer.empty, outer.many, outer.last) == ({4: None}, (1, 2), [0.0])


def test_fields_that_the_memory_does_not_know_are_as_in_a_new_part_or_their_defaults() -> None:
    outer, reader = Outer(), Reader([{"is": "Note", "at": 3.0, "text": "old"}, {"is": "Newer"}], 10.0)
    read_part(outer, {"newest": 0, "inner": {}}, reader)
    reader.settle()
    assert outer.newest == Note(7.0, "old", None, [], True)
    assert outer.inner.count == 0
    with pytest.raises(UnusableMemory, match="must is missing"):
        codec(Newer).get(1, reader)


def test_what_is_none_without_a_default_is_none_again() -> None:
    @dataclass
    class Bare:
        value: int | None

    globals()["Bare"] = Bare
    writer = Writer(NOW)
    number = codec(Bare).put(Bare(None), writer)
    assert writer.objects == [{"is": "Bare"}]
    assert codec(Bare).get(number, Reader(writer.objects, 0.0)) == Bare(None)


@pytest.mark.parametrize(
    "written",
    [
        [],
        {"inner": 1},
        {"newest": 7},
        {"newest": 1},
        {"newest": 2},
        {"newest": 3},
        {"either": 2},
        {"by_name": [["x", 0]]},
    ],
)
def test_nonsense_is_refused_and_changes_nothing(written: object) -> None:
    note: dict[str, object] = {"is": "Note", "at": 1.0, "text": "x"}
    outer, reader = Outer(), Reader([note, {"is": "Mark", "at": [1.0, 1.0]}, {"is": "Outer"}, []], 0.0)
    with pytest.raises(UnusableMemory):
        read_part(outer, written, reader)
    assert outer.newest is None


def test_an_object_of_another_kind_is_refused_also_where_it_was_read_before() -> None:
    reader = Reader([{"is": "Note", "at": 1.0, "text": "x"}], 0.0)
    assert isinstance(codec(Note).get(0, reader), Note)
    with pytest.raises(UnusableMemory, match="Mark was expected"):
        codec(Mark).get(0, reader)


def test_what_is_kept_briefly_is_a_list_of_its_fields_and_may_be_shorter() -> None:
    brief, writer = codec(Brief), Writer(NOW)
    assert isinstance(brief, BriefCodec)
    assert brief.put(Brief(NOW.mono - 3.0, "x", 7), writer) == [3.0, "x", 7]
    assert writer.objects == []
    assert brief.get([3.0, "x", 7], Reader([], 10.0)) == Brief(7.0, "x", 7)
    assert brief.get([3.0, "x"], Reader([], 10.0)) == Brief(7.0, "x")
    for refused in ([3.0], ["x", 3.0], {}):
        with pytest.raises(UnusableMemory):
            brief.get(refused, Reader([], 10.0))


def test_a_part_below_a_part_is_never_made() -> None:
    with pytest.raises(TypeError, match="Inner is made by its owner"):
        codec(Inner).get({}, Reader([], 0.0))


@pytest.mark.parametrize("hint", [object, complex, list, int | str, Callable[[], int], bytes, "text", NewType])
def test_a_type_that_nothing_is_known_of_is_an_error_of_ours(hint: object) -> None:
    with pytest.raises(TypeError, match="nothing is known"):
        codec(hint)


def test_class_variables_are_no_fields_and_reasons_are_gathered_from_all_bases() -> None:
    assert set(declared(Outer)) == {*vars(Outer())}
    assert not_remembered(Outer) == {"loose": "for a test", "other": "for a test"}
    assert set(remembered(Outer)) == {*vars(Outer())} - {"loose", "other"}
    assert is_part(Inner)
    assert not is_part(Note)
    assert not is_part(None)
