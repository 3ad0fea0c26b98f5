"""The store of facts, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from journal_kit import BOX, at, look, note, order, step
from sqlalchemy import Connection, create_engine

from ocpp_watchdog.core.decisions import StepOutcome
from ocpp_watchdog.shell.journal import schema
from ocpp_watchdog.shell.journal.reading import Past
from ocpp_watchdog.shell.journal.rows import Row, remembered, rows_of, session_began, session_ended
from ocpp_watchdog.shell.journal.store import Store, StoreError, begin, parsed, set_aside, upgrade, version_of


def opened(url: str) -> Store:
    return Store(parsed(url))


def test_a_new_store_stands_at_the_newest_migration_and_is_opened_again_as_it_is(url: str) -> None:
    opened(url).close()
    assert look(url, "SELECT version_num FROM alembic_version") == [{"version_num": schema.HEAD}]
    store = opened(url)
    store.write(rows_of(BOX, note()))
    store.close()
    opened(url).close()
    assert [row["text"] for row in look(url, "SELECT text FROM notes")] == ["why"]


def test_the_newest_migration_is_the_last_of_the_files() -> None:
    files = Path(schema.__file__).parent.glob("migrations/versions/v*.py")
    assert max(path.stem[1:5] for path in files) == schema.HEAD


@pytest.mark.parametrize("make", [begin, upgrade])
def test_new_tables_and_the_migrations_make_what_the_program_knows(
    url: str, make: Callable[[Connection], None]
) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    place = parsed(url)
    if place.drivername.startswith("sqlite"):
        Path(str(place.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(place)
    with engine.begin() as connection:
        make(connection)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        assert version_of(connection) == schema.HEAD
        upgrade(connection)
    engine.dispose()
    opened(url).close()
    assert look(url, "SELECT version_num FROM alembic_version") == [{"version_num": schema.HEAD}]


def test_new_tables_are_made_just_as_the_migrations_make_them(tmp_path: Path) -> None:
    made = []
    for make in (begin, upgrade):
        url = f"sqlite:///{tmp_path}/{make.__name__}.db"
        engine = create_engine(url)
        with engine.begin() as connection:
            make(connection)
        engine.dispose()
        rows = look(url, "SELECT type, name, sql FROM sqlite_master")
        made.append({(row["type"], row["name"], " ".join(str(row["sql"]).split())) for row in rows})
    assert made[0] == made[1]


def test_several_that_start_at_once_make_one_schema(url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            opened(url).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(look(url, "SELECT * FROM alembic_version")) == 1


def test_every_kind_of_fact_finds_its_row(url: str) -> None:
    store = opened(url)
    store.write([*rows_of(BOX, note()), *rows_of(BOX, step()), *rows_of(BOX, order())])
    store.write([session_began(BOX, "s1", "192.0.2.7", at()), remembered(BOX, {"profiles": []}, 1.0)])
    store.close()
    tables = ("notes", "episodes", "steps", "orders", "sessions", "memory")
    assert {table: len(look(url, f"SELECT * FROM {table}")) for table in tables} == dict.fromkeys(tables, 1)


def test_what_is_told_again_replaces_what_was_told(url: str) -> None:
    store = opened(url)
    store.write(rows_of(BOX, order()))
    store.write([*rows_of(BOX, order(answer="accepted")), *rows_of(BOX, order(unique_id="2"))])
    store.write([session_began(BOX, "s1", "192.0.2.7", at()), session_ended(BOX, "s1", "gone", at(), at(9))])
    store.write([remembered(BOX, {"n": 1}, 1.0), remembered(BOX, {"n": 2}, 2.0)])
    assert store.memories() == {"box": '{"n":2}'}
    store.close()
    rows = look(url, "SELECT unique_id, answer, text FROM orders ORDER BY unique_id")
    told = [(row["unique_id"], row["answer"], row["text"][:3]) for row in rows]
    assert told == [
        ("1", "accepted", "[2,"),
        ("2", "", "[2,"),
    ]
    (session,) = look(url, "SELECT * FROM sessions")
    assert (session["peer"], session["reason"], session["ended_utc"]) == ("192.0.2.7", "gone", at(9).utc)


def test_steps_are_a_history(url: str) -> None:
    store = opened(url)
    for number, outcome in enumerate((StepOutcome.WAITING, StepOutcome.SENT, StepOutcome.PROVED)):
        store.write(rows_of(BOX, step(outcome, number)))
    store.close()
    told = look(url, "SELECT outcome FROM steps ORDER BY id")
    assert [row["outcome"] for row in told] == [
        "waiting",
        "sent",
        "proved",
    ]
    assert len(look(url, "SELECT * FROM episodes")) == 1


def test_all_rows_of_a_batch_are_written_or_none(url: str) -> None:
    store = opened(url)
    bad = Row("notes", {"charge_point": "box"})  # no moment
    with pytest.raises(StoreError) as caught:
        store.write([*rows_of(BOX, note()), bad])
    assert caught.value.is_row
    assert not caught.value.is_corrupt
    store.write(rows_of(BOX, note("after")))
    store.close()
    assert [row["text"] for row in look(url, "SELECT text FROM notes")] == ["after"]


@pytest.mark.parametrize("words", ["\0", "\ud800", "\x1b[31m", "x" * 100_000, "=cmd()", "'; DROP TABLE notes; --"])
def test_any_text_of_a_peer_can_be_kept(url: str, words: str) -> None:
    store = opened(url)
    store.write([*rows_of(BOX, note(words)), *rows_of(BOX, order(words))])
    store.close()
    (row,) = look(url, "SELECT text FROM notes")
    assert len(row["text"]) == min(len(words), 65_536)


def test_the_size_is_known(url: str) -> None:
    store = opened(url)
    assert store.size() > 10_000
    store.close()


# -- SQLite alone ------------------------------------------------------------------------------------------------


def test_the_file_is_its_owners_alone_and_written_through(tmp_path: Path) -> None:
    file = tmp_path / "state" / "journal.db"
    store = opened(f"sqlite:///{file}")
    store.write(rows_of(BOX, note()))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert modes == {"journal.db": 0o600, "journal.db-wal": 0o600, "journal.db-shm": 0o600}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    connection = store._engine.raw_connection()
    assert connection.cursor().execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.cursor().execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()
    store.close()


@pytest.mark.parametrize("damage", ["cut", "flipped", "nonsense"])
def test_P15_a_damaged_file_is_known_as_such_and_can_be_set_aside(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "journal.db"
    url = f"sqlite:///{file}"
    store = opened(url)
    for number in range(40):
        store.write(rows_of(BOX, note("x" * 2_000, number)))
    store.close()
    data = bytearray(file.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "flipped":
        data[40_000:60_000] = bytes(byte ^ 0xFF for byte in data[40_000:60_000])
    else:
        data = bytearray(b"no database " * 1_000)
    file.write_bytes(data)
    with pytest.raises(StoreError) as caught:
        opened(url).check()
    assert caught.value.is_corrupt
    aside = set_aside(file, 1_759_320_000.9)
    assert aside.name == "journal.db.corrupt-1759320000"
    assert aside.read_bytes() == data
    opened(url).close()
    assert look(url, "SELECT * FROM notes") == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"Not a directory|File exists"):
        opened(f"sqlite:///{tmp_path}/file/journal.db")


@pytest.mark.parametrize("text", ["", "nonsense", "sqlite://", "mysql://host/db", "sqlite:///"])
def test_what_is_no_store_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="must be sqlite"):
        parsed(text)


def test_a_server_that_is_not_there_is_said() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match="connection"):
        opened("postgresql://nobody@127.0.0.1:9/none")


FIRST_SCHEMA = Path(__file__).resolve().parents[1] / "data" / "journal-0001.db"
"""Written by the first version that kept a journal. Never changed: databases like it are out there."""


def test_a_database_of_the_first_schema_opens_with_todays_program_and_nothing_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "journal.db"
    file.write_bytes(FIRST_SCHEMA.read_bytes())
    url = f"sqlite:///{file}"
    assert look(url, "SELECT version_num FROM alembic_version") == [{"version_num": "0001"}]
    store = opened(url)
    assert store.memories() == {"box": '{"version":1}'}
    store.write(rows_of(BOX, note("of today")))
    store.close()
    assert look(url, "SELECT version_num FROM alembic_version") == [{"version_num": schema.HEAD}]
    with Past(url) as past:
        (episode,) = past.episodes()
        assert (episode.charge_point, episode.ending, len(episode.evidence)) == ("box", "obeyed", 1)
        assert [tried.outcome for tried in past.steps()] == ["waiting", "sent"]
        assert [asked.answer for asked in past.orders()] == ["accepted"]
        assert [ran.transaction_id for ran in past.transactions()] == [7]
        assert [said.who for said in past.owner_actions()] == ["ctl@127.0.0.1"]
        assert [one.text for one in past.notes()] == ["why", "of today"]
        assert [sample.verdict for sample in past.samples()] == ["over"]
        assert [session.reason for session in past.sessions()] == ["gone"]
