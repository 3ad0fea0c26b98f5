"""The extra ``fast`` is used where it is installed, and not missed where it is not."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from ocpp_watchdog import fast


@pytest.fixture
def _not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgspec.json", None)
    monkeypatch.setitem(sys.modules, "msgspec", None)
    monkeypatch.setitem(sys.modules, "uvloop", None)


@pytest.mark.usefixtures("_not_installed")
def test_without_the_extra_the_standard_library_serves() -> None:
    assert fast.decoder() is json.loads
    assert fast.loop_factory() is None


def test_with_the_extra_the_faster_decoder_reads_the_same() -> None:
    msgspec = pytest.importorskip("msgspec", reason="the extra `fast` is not installed")
    assert fast.decoder() is msgspec.json.decode
    assert fast.decoder()('[2,"1","A",{"b":1.5}]') == [2, "1", "A", {"b": 1.5}]


def test_with_the_extra_the_faster_loop_runs() -> None:
    pytest.importorskip("uvloop", reason="the extra `fast` is not installed")
    with asyncio.Runner(loop_factory=fast.loop_factory()) as runner:
        assert "uvloop" in type(runner.get_loop()).__module__
