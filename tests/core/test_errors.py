from __future__ import annotations

import pytest

from ocpp_watchdog.core import errors
from ocpp_watchdog.core.errors import CoreError, UnusableProfile


def test_every_exception_of_the_core_is_caught_as_one() -> None:
    with pytest.raises(CoreError, match="no limit"):
        raise UnusableProfile("no limit")


def test_an_exception_of_the_core_is_no_mistake_of_python_itself() -> None:
    assert not issubclass(CoreError, ValueError | KeyError | TypeError | OSError)


def test_the_tree_in_the_docstring_names_every_exception() -> None:
    ours = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert errors.__doc__ is not None
    assert ours == {name for name in errors.__doc__.replace("+--", " ").split() if name in ours}
    assert ours == {"CoreError", "UnusableProfile", "UnusableMemory"}
