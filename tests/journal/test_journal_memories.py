"""Whose memory is kept when: facts first, a session that began when there is time, nobody for ever last."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event

import pytest
from journal_kit import NOON, note
from sqlalchemy import URL

from ocpp_watchdog.core.decisions import FactKind, Record
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId
from ocpp_watchdog.shell.journal import facts as facts_module
from ocpp_watchdog.shell.journal import journal as journal_module
from ocpp_watchdog.shell.journal.journal import FEW_CHANGED, LOOKS_BETWEEN, Journal, JournalSettings
from ocpp_watchdog.shell.journal.store import Store
from ocpp_watchdog.shell.tally import Tally
from shell_fakes import FakeClock


class Desk:
    """A journal whose threads do not run, looked at by hand."""

    def __init__(self, folder: Path) -> None:
        self.kept: list[str] = []
        self.clock = FakeClock(NOON, 1_000.0)
        settings = JournalSettings(f"sqlite:///{folder}/journal.db", folder / "frames")
        self.journal = Journal(settings, self.clock, Tally(), json.loads, self._memory)

    def _memory(self, charge_point: ChargePointId) -> object:
        self.kept.append(charge_point)
        return {}

    def looks(self, count: int) -> list[str]:
        """Whose memory so many looks keep."""
        self.kept.clear()
        self.journal._frames.bound()
        for _ in range(count):
            for charge_point in self.journal._whose_turn_it_is():
                self.journal._keep_memory(charge_point)
        return list(self.kept)

    def began(self, count: int) -> list[ChargePointId]:
        names = [ChargePointId(f"box-{number}") for number in range(count)]
        for name in names:
            self.journal.changed(name)
        return names


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def fact() -> Record:
    told = note()
    return Record(FactKind.STOP_ORDERED, ConnectorId(1), told.at, "0 A")


def test_of_few_one_is_kept_in_each_look(desk: Desk) -> None:
    names = desk.began(FEW_CHANGED)
    assert desk.looks(FEW_CHANGED) == names
    assert desk.looks(FEW_CHANGED) == []


def test_of_many_that_reconnect_one_is_kept_in_some_looks(desk: Desk) -> None:
    names = desk.began(100)
    assert desk.looks(10 * LOOKS_BETWEEN) == names[:10]


def test_who_has_a_fact_to_keep_overtakes_who_only_reconnected(desk: Desk) -> None:
    names = desk.began(100)
    desk.journal.record(names[80], fact())
    desk.journal.record(names[90], fact())
    assert desk.looks(2) == [names[80], names[90]]
    assert names[80] not in desk.looks(400), "kept once is kept"


def test_of_hundreds_as_many_are_kept_as_there_is_time_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MANY_CHANGED", 10)
    monkeypatch.setattr(journal_module, "MEMORY_AT_ONCE", 3)
    names = desk.began(20)
    desk.journal.record(names[19], fact())
    assert desk.looks(2) == [names[19], *names[:5]]


async def test_P1_a_store_that_does_not_open_in_time_is_not_waited_for_any_longer_and_somebody_hears_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    may_open, real = Event(), facts_module.Store

    def slow(url: URL) -> Store:
        assert may_open.wait(20.0)
        return real(url)

    monkeypatch.setattr(facts_module, "Store", slow)
    monkeypatch.setitem(journal_module.OPEN_SECONDS, "sqlite", 0.05)
    tally = Tally()
    settings = JournalSettings(f"sqlite:///{tmp_path}/journal.db", tmp_path / "frames")
    journal = Journal(settings, FakeClock(NOON, 1_000.0), tally, json.loads)
    try:
        await journal.start()
        assert tally.faults["journal"] == 1
        assert "beginning without what it remembers" in caplog.text
        assert journal.recalled(ChargePointId("box")) is None
    finally:
        may_open.set()
        await journal.stop()
    assert tally.faults["journal"] == 1, "slow is not broken"
