"""What the journal remembers can be read beside a running proxy, by charge point and time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from journal_kit import BOX, NOON, ONE, at, look, note, order, step

from ocpp_watchdog.core.decisions import (
    EvidenceClass,
    EvidenceRecord,
    FactKind,
    Record,
    StepOutcome,
    TransactionRecord,
)
from ocpp_watchdog.core.terms import ChargePointId, TransactionId
from ocpp_watchdog.shell.journal import schema
from ocpp_watchdog.shell.journal.names import folder_of
from ocpp_watchdog.shell.journal.reading import Past, Range, segments
from ocpp_watchdog.shell.journal.rows import rows_of, session_began, session_ended
from ocpp_watchdog.shell.journal.store import Store, StoreError, parsed
from views import ORDERED, episode_view, reading

OTHER = ChargePointId("other")


@pytest.fixture
def store(url: str) -> Store:
    return Store(parsed(url))


def test_every_table_comes_back_as_values(store: Store, url: str) -> None:
    proved = replace(
        episode_view(), evidence=(EvidenceRecord(at(2), 3.0, EvidenceClass.LIVE, 0.9, reading()),), ended=at(60)
    )
    transaction = TransactionRecord(at(), TransactionId(7), "tag", answered=True, stopped=at(9))
    for record in (
        note(),
        step(StepOutcome.SENT),
        order(answer="accepted"),
        Record(FactKind.EPISODE_CLOSED, ONE, at(60), "obeyed", proved),
        Record(FactKind.TRANSACTION, ONE, at(9), "Local", subject=transaction),
        Record(FactKind.SAMPLE, ONE, at(), "over", subject=reading()),
        Record(FactKind.OWNER, ONE, at(), "stand_down", who="ctl@127.0.0.1"),
    ):
        store.write(rows_of(BOX, record))
    store.write([session_began(BOX, "s1", "192.0.2.7", at()), session_ended(BOX, "s1", "gone", at(), at(9))])
    with Past(url) as past:  # while the writer still has it open
        assert past.charge_points() == ["box"]
        (episode,) = past.episodes()
        assert (episode.opened, episode.ended, episode.charge_point) == (proved.opened, at(60), "box")
        assert [(found.evidence, found.share, found.at) for found in episode.evidence] == [("live", 0.9, at(2))]
        (tried,) = past.steps()
        assert (tried.outcome, tried.transaction_id, tried.episode_opened_utc) == ("sent", 7, episode.opened.utc)
        (asked,) = past.orders()
        assert (asked.requested, asked.answer, asked.answered) == (ORDERED, "accepted", at(1))
        (ran,) = past.transactions()
        assert (ran.transaction_id, ran.id_tag, ran.stopped, ran.reason) == (7, "tag", at(9), "Local")
        (sample,) = past.samples()
        assert (sample.verdict, sample.currents, sample.at) == ("over", reading().currents, reading().arrived)
        (said,) = past.owner_actions()
        assert (said.text, said.who) == ("stand_down", "ctl@127.0.0.1")
        assert [(one.kind, one.text) for one in past.notes()] == [("note", "why")]
        (session,) = past.sessions()
        assert (session.session, session.peer, session.reason, session.ended) == ("s1", "192.0.2.7", "gone", at(9))
    store.close()


def test_a_range_and_a_charge_point_choose(store: Store, url: str) -> None:
    for seconds in (0, 10, 20):
        store.write(rows_of(BOX, note(str(seconds), seconds)))
    store.write(rows_of(OTHER, note("theirs", 10)))
    store.write([session_began(BOX, "s1", "", at()), session_ended(BOX, "s1", "", at(), at(9))])
    store.write([session_began(BOX, "s2", "", at(10))])
    store.close()
    with Past(url) as past:
        assert [one.text for one in past.notes(Range("box", NOON + 10, NOON + 20))] == ["10", "20"]
        assert [one.text for one in past.notes(Range(until=NOON + 10))] == ["0", "10", "theirs"]
        assert [one.session for one in past.sessions(Range(since=NOON + 9.5))] == ["s2"]
        assert [one.session for one in past.sessions(Range(until=NOON + 5))] == ["s1"]
        assert [one.session for one in past.sessions(Range(since=NOON + 500))] == ["s2"], "it may last to this day"


def test_a_transaction_id_that_is_no_number_of_a_database_is_kept(store: Store, url: str) -> None:
    huge = TransactionRecord(at(), TransactionId(10**40), "", answered=True)
    store.write(rows_of(BOX, Record(FactKind.TRANSACTION, ONE, at(), "", subject=huge)))
    store.close()
    with Past(url) as past:
        assert past.transactions()[0].transaction_id == 10**40


def test_reading_makes_nothing_and_says_what_is_wrong(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreError, match="there is no journal at"):
        Past(f"sqlite:///{tmp_path}/none.db")
    assert not list(tmp_path.glob("none*"))
    with pytest.raises(StoreError, match="must be sqlite"):
        Past("nonsense")
    (tmp_path / "bad.db").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Past(f"sqlite:///{tmp_path}/bad.db")
    Store(parsed(url)).close()
    with Past(url) as past:
        schema_before = look(url, "SELECT version_num FROM alembic_version")
        past.charge_points()
        assert look(url, "SELECT version_num FROM alembic_version") == schema_before


def test_a_journal_of_another_schema_is_not_guessed_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(parsed(url)).close()
    monkeypatch.setattr(schema, "HEAD", "9999")
    with pytest.raises(StoreError, match="its schema is 0001, this program's is 9999"):
        Past(url)


def test_the_segments_of_a_range_are_found(tmp_path: Path) -> None:
    folder = tmp_path / folder_of("box")
    folder.mkdir()
    for name in ("2025-09-30.jsonl.gz", "2025-10-01.jsonl.gz", "2025-10-01.2.jsonl", "2025-10-02.jsonl", "other"):
        (folder / name).write_text("")
    found = segments(tmp_path, "box", Range(since=NOON, until=NOON + 3_600))
    assert [path.name for path in found] == ["2025-10-01.jsonl.gz", "2025-10-01.2.jsonl"]
    assert len(segments(tmp_path, "box")) == 4
    assert segments(tmp_path, "nobody") == []
