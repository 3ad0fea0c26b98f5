"""Which fields of the station survive a restart, found from the types they are declared with.

Theory of operation. What is worth remembering hangs on *parts*: objects that their owner makes anew at every start
(a ladder, a tracker) and that are then given their fields back in place. A class is a part when it has a class variable
``NOT_REMEMBERED``: the names of those fields that do not survive, each with the reason. Every other annotated field of
it survives. Everything below a part is a *value*: numbers, texts, enumerations, containers of those, and dataclasses,
which are made anew from their fields; one that is met twice is kept once, and is one object again afterwards (with a
class variable ``KEPT_BRIEFLY`` it is a mere list, each time). A field that is added to a class is remembered without a
word said here; a type nothing is known of is a TypeError at the first use. How each kind of value is kept stands in
``codecs.py``. Knows no OCPP and none of the classes it keeps.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, ClassVar, NewType, Union, get_args, get_origin, get_type_hints

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
    as_table,
)
from ocpp_watchdog.core.errors import UnusableMemory
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.terms import Moment

MONOTONIC = "monotonic seconds"
Mono = Annotated[float, MONOTONIC]
"""A float on the monotonic clock. For the type checker it is a float; for the memory it is an age."""


@dataclass(frozen=True, slots=True)
class Last:
    """Mark of a container, ``Annotated[list[Sample], Last(32)]``: only so many, the newest, are remembered."""

    count: int


def write_part(part: object, writer: Writer) -> dict[str, object]:
    """The remembered fields of a part."""
    kind: type = type(part)
    return {name: codec.put(getattr(part, name), writer) for name, codec in remembered(kind).items()}


def read_part(part: object, kept: object, reader: Reader) -> None:
    """Give a part its fields back (when the reader settles); one that the memory does not know stays as it is."""
    found = as_table(kept)
    kind: type = type(part)
    for name, codec in remembered(kind).items():
        if name not in found:
            continue
        if isinstance(codec, PartCodec):
            read_part(getattr(part, name), found[name], reader)
        else:
            reader.assign(part, name, codec.get(found[name], reader))


class ValueCodec(Codec):
    """Dataclasses that are made from their fields; more than one where a field may hold any of them."""

    def __init__(self, kinds: tuple[type, ...]) -> None:
        super().__init__(kinds[0])
        self._kinds = {kind.__name__: kind for kind in kinds}

    def put(self, value: object, writer: Writer) -> object:
        return writer.refer(value, lambda: self._write(value, writer))

    def get(self, kept: object, reader: Reader) -> object:
        made = reader.referred(kept, lambda found: self._make(found, reader))
        if not isinstance(made, tuple(self._kinds.values())):
            raise UnusableMemory(f"{self.kind.__name__} was expected")
        return made

    def _write(self, value: object, writer: Writer) -> object:
        kept: dict[str, object] = {"is": type(value).__name__}
        kind: type = type(value)
        for name, (codec, field) in _fields(kind).items():
            content = getattr(value, name)
            if content is not None or field.default not in (MISSING, None) or field.default_factory is not MISSING:
                kept[name] = codec.put(content, writer)
        return kept

    def _make(self, found: object, reader: Reader) -> object:
        kept = as_table(found)
        kind = self._kinds.get(str(kept.get("is")))
        if kind is None:
            raise UnusableMemory(f"{self.kind.__name__} was expected")
        made: object = object.__new__(kind)
        for name, (codec, field) in _fields(kind).items():
            content = codec.get(kept[name], reader) if name in kept else _default(field, codec)
            object.__setattr__(made, name, content)
        return made


class BriefCodec(Codec):
    """A dataclass of which there may be thousands: a list of its fields, each time it is met. For whatever is frozen,
    has no identity, and only ever gets more fields at its end."""

    def put(self, value: object, writer: Writer) -> object:
        return [codec.put(getattr(value, name), writer) for name, (codec, _) in _fields(self.kind).items()]

    def get(self, kept: object, reader: Reader) -> object:
        items = as_list(kept)
        made: object = object.__new__(self.kind)
        for place, (name, (codec, field)) in enumerate(_fields(self.kind).items()):
            content = codec.get(items[place], reader) if place < len(items) else _default(field, codec)
            object.__setattr__(made, name, content)
        return made


class PartCodec(Codec):
    """A part that hangs on a part: given its fields back in place (``read_part``), never made."""

    def put(self, value: object, writer: Writer) -> object:
        return write_part(value, writer)

    def get(self, kept: object, reader: Reader) -> object:
        raise TypeError(f"{self.kind.__name__} is made by its owner")


def is_part(kind: object) -> bool:
    """The class says which of its fields do not survive."""
    return isinstance(kind, type) and hasattr(kind, "NOT_REMEMBERED")


def not_remembered(kind: type) -> dict[str, str]:
    """Fields of a part that do not survive, with the reason; those of its base classes too."""
    forgotten: dict[str, str] = {}
    for base in kind.__mro__:
        forgotten |= vars(base).get("NOT_REMEMBERED", {})
    return forgotten


def declared(kind: type) -> dict[str, object]:
    """All fields of a class with their types, class variables left out."""
    hints: dict[str, object] = get_type_hints(kind, include_extras=True)
    return {name: hint for name, hint in hints.items() if get_origin(hint) is not ClassVar and hint is not ClassVar}


@cache
def remembered(kind: type) -> dict[str, Codec]:
    """The fields of a part that survive, and how. Raises TypeError on a type that nothing is known of."""
    forgotten = not_remembered(kind)
    return {name: codec(hint) for name, hint in declared(kind).items() if name not in forgotten}


@cache
def _fields(kind: type) -> dict[str, tuple[Codec, Field[object]]]:
    hints = declared(kind)
    return {field.name: (codec(hints[field.name]), field) for field in fields(kind)}


def codec(hint: object, last: int | None = None) -> Codec:
    """How a field of this type is kept. last: only so many of a container, the newest."""
    if isinstance(hint, NewType):
        return codec(hint.__supertype__, last)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        if MONOTONIC in arguments:
            return MonoCodec()
        return codec(arguments[0], next((mark.count for mark in arguments if isinstance(mark, Last)), last))
    if origin in (Union, UnionType):
        return _union(arguments, last)
    if isinstance(origin, type):
        return _container(origin, arguments, last)
    return _single(hint)


def _single(hint: object) -> Codec:
    if hint is float:
        return FloatCodec()
    if hint is Moment:
        return MomentCodec()
    if hint is None:
        return Codec(NoneType)
    if isinstance(hint, type):
        if hint in (str, int, bool):
            return Codec(hint)
        if issubclass(hint, Enum):
            return EnumCodec(hint)
        if is_part(hint):
            return PartCodec(hint)
        if is_dataclass(hint):
            return BriefCodec(hint) if hasattr(hint, "KEPT_BRIEFLY") else ValueCodec((hint,))
    raise TypeError(f"nothing is known of {hint}")


def _union(arguments: tuple[object, ...], last: int | None) -> Codec:
    others = tuple(argument for argument in arguments if argument is not NoneType)
    kinds = tuple(other for other in others if isinstance(other, type) and is_dataclass(other))
    if len(others) == 1:
        inner = codec(others[0], last)
    elif kinds == others:
        inner = ValueCodec(kinds)
    else:
        raise TypeError(f"nothing is known of {arguments}")
    return inner if len(others) == len(arguments) else OptionalCodec(inner)


def _container(origin: type, arguments: tuple[object, ...], last: int | None) -> Codec:
    if origin is dict:
        return DictCodec(codec(arguments[0]), codec(arguments[1]), last)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return TupleCodec(tuple(codec(argument) for argument in arguments))
    if origin is Recent:
        return RecentCodec(Recent, codec(arguments[0]), last)
    if origin in (list, tuple, set, frozenset):
        return SeriesCodec(origin, codec(arguments[0]), last)
    raise TypeError(f"nothing is known of {origin}")


def _default(field: Field[object], codec: Codec) -> object:
    """What a field is that the memory does not name."""
    if field.default is not MISSING:
        return field.default
    if field.default_factory is not MISSING:
        return field.default_factory()
    if isinstance(codec, OptionalCodec):
        return None
    raise UnusableMemory(f"{field.name} is missing")
