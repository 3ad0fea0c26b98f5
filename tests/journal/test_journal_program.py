"""The running program with its journal: what passed is there afterwards, and a step is committed before it is sent."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from journal_kit import lines, look
from journal_scene import SPEED, scene

import examples
from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.shell.journal import journal
from ocpp_watchdog.shell.journal.store import Store, StoreError

BOX = ChargePointId("box")


async def test_what_passed_and_what_was_understood_is_there_afterwards(url: str, tmp_path: Path) -> None:
    async with scene(url, tmp_path) as told:
        await told.charging()
        await told.ordered("o2", 0.0)
        await asyncio.sleep(40 / SPEED)
        await told.meter("m1", "0.00", "1000")
        await told.box.send_str("not OCPP")
        await told.box.send_bytes(b'[2,"b","Heartbeat",{}]')
        assert (await told.box.receive_str(timeout=30)).startswith("[3,")
        await told.asks(examples.stop_transaction("t2", told.utc, 7))
    frames = lines(tmp_path / "frames")
    assert [line.text for line in frames if line.direction == "to_central_system"] == told.central.heard
    assert [line.text for line in frames if line.direction == "to_charge_point"] == told.central.said
    assert [line.text for line in frames if not line.decodable] == ["not OCPP"]
    assert [line.text for line in frames if line.note == "binary"] == ['[2,"b","Heartbeat",{}]']
    assert all(line.mono is not None and line.charge_point == "box" for line in frames)
    assert [line.mono for line in frames] == sorted(line.mono or 0.0 for line in frames)
    rows = look(url, "SELECT unique_id, answer, amperes FROM orders ORDER BY requested_mono")
    assert [tuple(row.values()) for row in rows] == [("o1", "accepted", 16.0), ("o2", "accepted", 0.0)]
    (transaction,) = look(url, "SELECT * FROM transactions")
    assert (transaction["transaction_id"], transaction["reason"]) == ("7", "Remote")
    assert transaction["stopped_utc"] is not None
    assert [row["amperes_1"] for row in look(url, "SELECT * FROM samples")] == [0.0]
    assert [row["kind"] for row in look(url, "SELECT kind FROM notes")] == ["stop_ordered"]
    (session,) = look(url, "SELECT * FROM sessions")
    assert session["ended_utc"] is not None
    assert {line.session for line in frames} == {session["session"]}


async def test_a_step_is_committed_before_it_is_sent_and_sent_in_time(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "COMMIT_SECONDS", 5.0)  # on a machine that others work on, too, half a second is short
    async with scene(url, tmp_path) as told:
        seconds, stop = await told.ignored()
        assert json.loads(stop)[2] == "RemoteStopTransaction"
        rows = look(url, "SELECT outcome, unique_id FROM steps ORDER BY id")
        assert rows[0] == {"outcome": "waiting", "unique_id": json.loads(stop)[1]}, "committed before it was sent"
        assert len(look(url, "SELECT * FROM episodes")) == 1
        assert seconds < 4.5, "nobody had to give up waiting"
        await told.box.send_str(examples.status_result(json.loads(stop)[1]))
        await asyncio.sleep(0.6)
        assert told.proxy.tally.faults["journal"] == 0
    ours = [line for line in lines(tmp_path / "frames") if line.ours or line.withheld]
    assert [(line.ours, line.withheld, line.direction) for line in ours[:2]] == [
        (True, False, "to_charge_point"),
        (False, True, "to_central_system"),
    ]


async def test_a_commit_that_takes_too_long_does_not_hold_a_step_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Store.write

    def slow(self: Store, rows: Any) -> None:
        if any(row.table == "steps" for row in rows):
            time.sleep(2.0)
        original(self, rows)

    monkeypatch.setattr(Store, "write", slow)
    async with scene(f"sqlite:///{tmp_path}/journal.db", tmp_path) as told:
        seconds, stop = await told.ignored()
        assert json.loads(stop)[2] == "RemoteStopTransaction"
        assert 0.45 < seconds < 1.9
        assert told.proxy.tally.faults["journal"] == 1
        assert told.proxy.tally.is_degraded(told.proxy.clock.now().mono)


async def test_a_commit_that_fails_does_not_hold_a_step_back_and_the_facts_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, is_full = Store.write, True

    def fails(self: Store, rows: Any) -> None:
        if is_full and any(row.table == "episodes" for row in rows):
            raise StoreError("database or disk is full")
        original(self, rows)

    monkeypatch.setattr(Store, "write", fails)
    url = f"sqlite:///{tmp_path}/journal.db"
    async with scene(url, tmp_path) as told:
        seconds, stop = await told.ignored()
        assert json.loads(stop)[2] == "RemoteStopTransaction"
        assert seconds < 0.45
        await asyncio.sleep(0.3)
        assert told.proxy.tally.faults["journal"] >= 1
        is_full = False
        await asyncio.sleep(2.0)
    assert [row["outcome"] for row in look(url, "SELECT outcome FROM steps ORDER BY id")][:2] == ["waiting", "sent"]


async def test_of_a_repaired_message_the_original_and_what_was_sent_are_kept(url: str, tmp_path: Path) -> None:
    on = {"repairs": {"answer_for": ["GetConfiguration"], "timestamps": True, "profile_dialect": {}}}
    odd = '[2, "s9", "StatusNotification", {"connectorId":1,"status":"Charging","timestamp":"0000-00-00T00:00:00Z"}]'
    question = examples.call("q1", "GetConfiguration", {})
    async with scene(url, tmp_path, charge_points={"box": on}) as told:
        await told.charging()
        await told.asks(odd)
        await told.central.say(question)
        await told.ordered("o2", 0.0)
        heard, said = told.central.heard, told.central.said
    frames = lines(tmp_path / "frames")
    (time_line,) = [line for line in frames if line.note == "timestamps"]
    assert time_line.original == odd
    assert time_line.text in heard
    orders = [line for line in frames if line.note == "profile_dialect"]
    assert [line.original for line in orders] == [text for text in said if "SetChargingProfile" in text]
    assert all('"chargingRateUnit":"W"' in line.text for line in orders)
    asked, answer = [line for line in frames if line.note == "answer_for"]
    assert (asked.text, asked.withheld, asked.ours) == (question, True, False)
    assert (answer.direction, answer.ours) == ("to_central_system", True)
    assert answer.text in heard
    assert all(line.original is None for line in frames if line.note not in ("timestamps", "profile_dialect"))
    rows = look(url, "SELECT unique_id, answer, amperes FROM orders ORDER BY requested_mono")
    assert [tuple(row.values()) for row in rows] == [("o1", "accepted", 16.0), ("o2", "accepted", 0.0)]
