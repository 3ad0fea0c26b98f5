"""Facts are kept, bounded, and each is a line."""

from __future__ import annotations

import pytest

from ocpp_watchdog.core.decisions import FactKind, Record
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId
from ocpp_watchdog.shell.records import Records
from views import ORDERED, episode_view, step_record

BOX = ChargePointId("box")


def fact(kind: FactKind = FactKind.NOTE, text: str = "why", **more: object) -> Record:
    return Record(kind, ConnectorId(1), ORDERED, text, **more)  # type: ignore[arg-type]


def test_facts_are_kept_in_order_and_the_oldest_is_dropped() -> None:
    records = Records(kept=3)
    for number in range(5):
        records.keep(BOX, fact(text=str(number)))
    assert [kept.record.text for kept in records.facts] == ["2", "3", "4"]
    assert {kept.charge_point for kept in records.facts} == {BOX}


def test_a_fact_is_a_line_with_its_place_and_step(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    Records().keep(BOX, fact(FactKind.STEP, step=step_record(), episode=episode_view()))
    line = caplog.records[0]
    assert line.getMessage() == "step: why"
    assert line.__dict__["charge_point"] == "box"
    assert (line.__dict__["step"], line.__dict__["transaction_id"]) == ("remote_stop", 7)
    assert (line.__dict__["episode"], line.__dict__["energy_wh"]) == (1, 51.6)


def test_an_episode_that_opens_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    Records().keep(BOX, fact(FactKind.EPISODE_OPENED))
    Records().keep(BOX, fact(FactKind.STOP_ORDERED, text="x" * 5_000))
    assert [line.levelname for line in caplog.records] == ["WARNING", "INFO"]
    assert len(caplog.records[1].getMessage()) < 300


def test_what_is_for_the_journal_only_is_neither_kept_nor_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    records = Records()
    for kind in (FactKind.ORDER, FactKind.TRANSACTION, FactKind.SAMPLE):
        records.keep(BOX, fact(kind))
    assert not records.facts
    assert not caplog.records


def test_no_id_tag_stands_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    frame = '[2,"1","RemoteStartTransaction",{"idTag" : "04A2\\"B3","connectorId":1,"x":"' + "y" * 400
    Records().keep(BOX, fact(FactKind.STOP_ORDERED, text=frame))
    Records().keep(BOX, fact(FactKind.STOP_ORDERED, text=frame[: frame.index("B3") + 1]))
    for line in caplog.records:
        assert '"idTag" : "***"' in line.getMessage()
        assert "04A2" not in line.getMessage()
    assert caplog.records[0].getMessage().endswith(" ...")
