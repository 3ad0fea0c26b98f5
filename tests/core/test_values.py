from __future__ import annotations

from dataclasses import replace

import pytest

from ocpp_watchdog.core.values import value


@value
class Place:
    """A value."""

    name: str
    number: int = 0


def test_a_value_is_compared_and_hashed_by_what_it_holds() -> None:
    assert Place("a") == Place("a", 0) != Place("b")
    assert {Place("a"), Place("a")} == {replace(Place("b"), name="a")}


def test_a_value_has_nothing_besides_its_fields() -> None:
    with pytest.raises(AttributeError):
        object.__setattr__(Place("a"), "other", 1)


def test_the_type_checker_lets_nobody_change_a_value() -> None:
    """The remark in the line is one too many, and an error of the type checker, when it has nothing to say there."""
    Place("a").name = "b"  # type: ignore[misc]
