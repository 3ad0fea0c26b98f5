"""Values to JSON values and back, one class for each kind of value; which of them a field needs ``keeping.py`` finds.

The monotonic clock of another process has nothing to do with this one's, so moments on it are kept as ages. JSON knows
no infinity, no tuples and no keys but text: all of these are kept in forms that it knows. A ``Recent`` that is met
twice is kept once, and is one object again afterwards. Knows no OCPP and none of the classes that are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from enum import Enum
from itertools import islice
from types import NoneType
from typing import TypeVar

from ocpp_watchdog.core.errors import UnusableMemory
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.terms import Moment


class Writer:
    """Collects one memory. now: the moment ages are counted back from."""

    def __init__(self, now: Moment) -> None:
        self.now = now
        self.objects: list[object] = []
        self._seen: dict[int, int] = {}

    def refer(self, value: object, write: Callable[[], object]) -> int:
        """Keep the value once; give its number."""
        number = self._seen.get(id(value))
        if number is None:
            written = write()
            number = self._seen[id(value)] = len(self.objects)
            self.objects.append(written)
        return number


class Reader:
    """Reads one memory. Nothing is changed before ``settle``, so that what is damaged leaves everything as it was.

    objects: as the writer left them. mono: the monotonic second, on today's clock, that ages are counted back from.
    """

    def __init__(self, objects: list[object], mono: float) -> None:
        self.mono = mono
        self._objects = objects
        self._made: dict[int, object] = {}
        self._assignments: list[tuple[object, str, object]] = []

    def assign(self, owner: object, name: str, value: object) -> None:
        """To be done when all could be read."""
        self._assignments.append((owner, name, value))

    def settle(self) -> None:
        """All could be read: let it be so. A bounded series keeps the bound it has today, and a table by members of an
        enumeration the entries of members that the memory does not know."""
        for owner, name, value in self._assignments:
            fresh: object = getattr(owner, name)
            if isinstance(fresh, dict) and isinstance(value, dict) and any(isinstance(key, Enum) for key in fresh):
                setattr(owner, name, fresh | value)
            elif isinstance(fresh, Recent) and isinstance(value, Recent) and fresh.most != value.most:
                setattr(owner, name, Recent(fresh.most, value))
            else:
                setattr(owner, name, value)

    def referred(self, number: object, read: Callable[[object], object]) -> object:
        """The object with this number."""
        if type(number) is not int or not 0 <= number < len(self._objects):
            raise UnusableMemory("an object is missing")
        if number not in self._made:
            self._made[number] = read(self._objects[number])
        return self._made[number]


def as_table(kept: object) -> dict[str, object]:
    """Raises UnusableMemory when it is no JSON object."""
    if not isinstance(kept, dict):
        raise UnusableMemory("an object was expected")
    return kept


def as_list(kept: object, length: int | None = None) -> list[object]:
    """Raises UnusableMemory when it is no JSON array, or not of this length."""
    if not isinstance(kept, list) or (length is not None and len(kept) != length):
        raise UnusableMemory("an array was expected")
    return kept


def as_number(kept: object) -> float:
    """Raises UnusableMemory when it is no number."""
    if isinstance(kept, bool) or not isinstance(kept, int | float) or math.isnan(kept):
        raise UnusableMemory("a number was expected")
    return float(kept)


class Codec:
    """One kind of value. This one is for what JSON knows itself: text, whole numbers, true and false, null."""

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def put(self, value: object, writer: Writer) -> object:
        """The value as JSON."""
        return value

    def get(self, kept: object, reader: Reader) -> object:
        """The value again. Raises UnusableMemory."""
        if type(kept) is not self.kind:
            raise UnusableMemory(f"{self.kind.__name__} was expected")
        return kept


class FloatCodec(Codec):
    """JSON knows no infinity."""

    def __init__(self) -> None:
        super().__init__(float)

    def put(self, value: object, writer: Writer) -> object:
        number = as_number(value)
        return number if math.isfinite(number) else str(number)

    def get(self, kept: object, reader: Reader) -> object:
        return INFINITIES[kept] if isinstance(kept, str) and kept in INFINITIES else as_number(kept)


INFINITIES = {"inf": math.inf, "-inf": -math.inf}


class MonoCodec(FloatCodec):
    """As an age in seconds."""

    def put(self, value: object, writer: Writer) -> object:
        return super().put(writer.now.mono - as_number(value), writer)

    def get(self, kept: object, reader: Reader) -> object:
        return reader.mono - as_number(super().get(kept, reader))


class MomentCodec(MonoCodec):
    """``utc`` as it was, ``mono`` as an age."""

    def put(self, value: object, writer: Writer) -> object:
        assert isinstance(value, Moment)
        return [value.utc, super().put(value.mono, writer)]

    def get(self, kept: object, reader: Reader) -> object:
        utc, age = as_list(kept, 2)
        return Moment(as_number(utc), as_number(super().get(age, reader)))


class EnumCodec(Codec):
    """By value."""

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__(kind)
        self._members: dict[object, Enum] = {member.value: member for member in kind}

    def put(self, value: object, writer: Writer) -> object:
        assert isinstance(value, Enum)
        return value.value

    def get(self, kept: object, reader: Reader) -> object:
        found = self._members.get(kept) if isinstance(kept, Hashable) else None
        if found is None:
            raise UnusableMemory(f"{self.kind.__name__} has no such member")
        return found


class OptionalCodec(Codec):
    """None or something else."""

    def __init__(self, inner: Codec) -> None:
        super().__init__(NoneType)
        self._inner = inner

    def put(self, value: object, writer: Writer) -> object:
        return None if value is None else self._inner.put(value, writer)

    def get(self, kept: object, reader: Reader) -> object:
        return None if kept is None else self._inner.get(kept, reader)


class SeriesCodec(Codec):
    """list, set, frozenset, or a tuple of any length. last: only so many are kept, the newest."""

    def __init__(self, kind: type, inner: Codec, last: int | None) -> None:
        super().__init__(kind)
        self._inner = inner
        self._last = last

    def put(self, value: object, writer: Writer) -> object:
        return self._items(value, writer)

    def get(self, kept: object, reader: Reader) -> object:
        made: object = self.kind([self._inner.get(item, reader) for item in as_list(kept)])
        return made

    def _items(self, value: object, writer: Writer) -> list[object]:
        assert isinstance(value, Iterable)
        return [self._inner.put(item, writer) for item in _newest(value, self._last)]


class RecentCodec(SeriesCodec):
    """With its bound; two that are one stay one."""

    def put(self, value: object, writer: Writer) -> object:
        assert isinstance(value, Recent)
        return writer.refer(value, lambda: [value.most, self._items(value, writer)])

    def get(self, kept: object, reader: Reader) -> object:
        return reader.referred(kept, lambda found: self._read(found, reader))

    def _read(self, found: object, reader: Reader) -> object:
        bound, items = as_list(found, 2)
        if type(bound) is not int:
            raise UnusableMemory("a bounded series was expected")
        return Recent(bound, [self._inner.get(item, reader) for item in as_list(items)])


class TupleCodec(Codec):
    """A tuple of known length."""

    def __init__(self, inner: tuple[Codec, ...]) -> None:
        super().__init__(tuple)
        self._inner = inner

    def put(self, value: object, writer: Writer) -> object:
        assert isinstance(value, tuple)
        return [codec.put(item, writer) for codec, item in zip(self._inner, value, strict=True)]

    def get(self, kept: object, reader: Reader) -> object:
        items = as_list(kept, len(self._inner))
        return tuple(codec.get(item, reader) for codec, item in zip(self._inner, items, strict=True))


class DictCodec(Codec):
    """Pairs, in order: some forget first what came first. last: only so many are kept, the newest."""

    def __init__(self, key: Codec, value: Codec, last: int | None) -> None:
        super().__init__(dict)
        self._key = key
        self._value = value
        self._last = last

    def put(self, value: object, writer: Writer) -> object:
        assert isinstance(value, dict)
        pairs = _newest(value.items(), self._last)
        return [[self._key.put(key, writer), self._value.put(content, writer)] for key, content in pairs]

    def get(self, kept: object, reader: Reader) -> object:
        made: dict[object, object] = {}
        for pair in as_list(kept):
            key, content = as_list(pair, 2)
            made[self._key.get(key, reader)] = self._value.get(content, reader)
        return made


_Item = TypeVar("_Item")


def _newest(items: Iterable[_Item], last: int | None) -> Iterable[_Item]:
    if last is None:
        return items
    kept = list(items)
    return islice(kept, max(0, len(kept) - last), None)
