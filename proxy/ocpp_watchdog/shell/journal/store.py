"""The facts in a database: opened, brought to today's schema, written to. SQLite or PostgreSQL.

Through SQLAlchemy Core; used by one thread. Every failure is a ``StoreError`` that says whether the rows or the store
are at fault.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Delete, Engine, create_engine, delete, event, exists, func, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.pool import StaticPool

from ocpp_watchdog.shell.journal import schema
from ocpp_watchdog.shell.journal.names import make_private
from ocpp_watchdog.shell.journal.rows import Row

log = logging.getLogger(__name__)

MOST_AT_ONCE = 100
LOCK_SECONDS = 5
CONNECT_SECONDS = 5
STATEMENT_MILLISECONDS = 10_000
MIGRATION_LOCK = 0x6F637070
"""Key of the advisory lock under which PostgreSQL is migrated."""

AROUND_SECONDS = 3_600.0
"""What happened so long before and after an episode explains it."""

OLD_BY = {
    "samples": "at_utc",
    "orders": "requested_utc",
    "notes": "at_utc",
    "steps": "at_utc",
    "owner_actions": "at_utc",
    "sessions": "began_utc",
    "transactions": "started_utc",
    "episodes": "coalesce(ended_utc, opened_utc)",
    "memory": "at_utc",
}
"""Tables, and what says how old a row is."""

CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
LARGEST_CHECKED = 512 * 1024 * 1024
FOLDERS_MIGRATIONS = Path(__file__).with_name("migrations")


class StoreError(Exception):
    """The store failed. is_corrupt: its file is damaged. is_row: it is this row's fault, others would do."""

    def __init__(self, why: str, *, is_corrupt: bool = False, is_row: bool = False) -> None:
        super().__init__(why)
        self.is_corrupt = is_corrupt
        self.is_row = is_row


def parsed(url: str) -> URL:
    """The address of a store. Raises ValueError with a sentence when it cannot be one."""
    try:
        found = make_url(url)
    except ArgumentError:
        raise ValueError("must be sqlite:///file or postgresql://user@host/database") from None
    if found.get_backend_name() == "sqlite" and found.database:
        return found.set(drivername="sqlite")
    if found.get_backend_name() == "postgresql":
        return found.set(drivername="postgresql+psycopg")
    raise ValueError("must be sqlite:///file or postgresql://user@host/database")


class Store:
    """An open store. Raises StoreError from every method."""

    def __init__(self, url: URL) -> None:
        self._file = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
        try:
            if self._file is not None:
                _make_file(self._file)
            self._engine = _engine(url)
        except ModuleNotFoundError as error:
            raise StoreError(f"{error.name} is not installed: pip install 'ocpp-watchdog[postgresql]'") from None
        except OSError as error:
            raise StoreError(error.strerror or str(error)) from None
        self._statements: dict[tuple[str, frozenset[str]], Any] = {}
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        try:
            with self._engine.begin() as connection:
                migrate(connection)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise _failure(error) from None

    def check(self) -> None:
        """Look whether the file is whole: damage is better found now than in the middle of an episode. Takes seconds
        where there is much; of a large file, and of a server's, nothing is asked."""
        if self._file is None:
            return
        try:
            if self._file.stat().st_size > LARGEST_CHECKED:
                return
            with self._engine.connect() as connection:
                found = connection.execute(text("PRAGMA quick_check(1)")).scalar()
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise _failure(error) from None
        if found != "ok":
            raise StoreError(f"damaged: {found}", is_corrupt=True)

    def write(self, rows: Sequence[Row]) -> None:
        """Write these rows and commit; all or none."""
        try:
            with self._engine.begin() as connection:
                for (table, key, _), same in groupby(rows, key=lambda row: (row.table, row.key, frozenset(row.values))):
                    self._write(connection, table, key, list(same))
        except (SQLAlchemyError, sqlite3.Error, OverflowError) as error:
            raise _failure(error) from None

    def forget(self, frames_before: float, episodes_before: float) -> None:
        """Delete what is older (POSIX seconds): of the large tables what belongs to no episode, then everything."""
        span = schema.episodes
        for table, at in ((schema.samples, "at_utc"), (schema.orders, "requested_utc"), (schema.notes, "at_utc")):
            of_episode = exists().where(
                span.c.charge_point == table.c.charge_point,
                span.c.ordered_utc - AROUND_SECONDS <= table.c[at],
                func.coalesce(span.c.ended_utc, table.c[at]) + AROUND_SECONDS >= table.c[at],
            )
            self._delete(delete(table).where(table.c[at] < frames_before, ~of_episode))
        for name, age in OLD_BY.items():
            self._delete(delete(schema.metadata.tables[name]).where(text(f"{age} < :before")), before=episodes_before)

    def _delete(self, statement: Delete, **values: float) -> None:
        try:
            with self._engine.begin() as connection:
                connection.execute(statement, values)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise _failure(error) from None

    def memories(self) -> dict[str, str]:
        """What was remembered, JSON by charge point."""
        try:
            with self._engine.connect() as connection:
                found = connection.execute(select(schema.memory.c.charge_point, schema.memory.c.text))
                return {row.charge_point: row.text for row in found}
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise _failure(error) from None

    def size(self) -> int:
        """Bytes on the disk."""
        try:
            if self._file is not None:
                return sum(path.stat().st_size for path in _files(self._file) if path.exists())
            with self._engine.connect() as connection:
                return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
        except (SQLAlchemyError, OSError) as error:
            raise _failure(error) from None

    def close(self) -> None:
        """Let go of it."""
        try:
            self._engine.dispose()
        except (SQLAlchemyError, sqlite3.Error):
            log.debug("the journal's database did not close in order", exc_info=True)

    def _write(self, connection: Connection, table: str, key: tuple[str, ...], rows: list[Row]) -> None:
        columns = frozenset(rows[0].values)
        statement = self._statements.get((table, columns))
        if statement is None:
            statement = self._statements[table, columns] = self._statement(table, key, columns)
        if key:
            for row in rows:  # one after the other: a batch may name the same row twice
                connection.execute(statement, row.values)
        else:
            connection.execute(statement, [row.values for row in rows])

    def _statement(self, table: str, key: tuple[str, ...], columns: frozenset[str]) -> Any:
        dialect = import_module(f"sqlalchemy.dialects.{self._engine.dialect.name}")  # the other one is not loaded
        insert = dialect.insert(schema.metadata.tables[table])
        if not key:
            return insert
        changed = {name: insert.excluded[name] for name in sorted(columns - set(key))}
        return insert.on_conflict_do_update(index_elements=list(key), set_=changed)


def migrate(connection: Connection) -> None:
    """Bring the schema to today's, in the transaction of this connection. Several that start at once wait here."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    version = version_of(connection)
    if version == schema.HEAD:
        return
    if version is None and not connection.dialect.has_table(connection, schema.memory.name):
        begin(connection)
        return
    upgrade(connection)


def begin(connection: Connection) -> None:
    """Make today's schema where there is none. A test holds it against what the migrations make."""
    schema.metadata.create_all(connection)
    schema.version.create(connection, checkfirst=True)
    connection.execute(schema.version.insert().values(version_num=schema.HEAD))


def upgrade(connection: Connection) -> None:
    """Run the migrations that this database has not seen."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command  # a quarter of a second and ten megabytes: only where there is something to do
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDERS_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def version_of(connection: Connection) -> str | None:
    """The migration this database stands at, None when it is new."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def set_aside(file: Path, utc: float) -> Path:
    """Move a damaged SQLite file out of the way, with what belongs to it; gives its new name. Raises OSError."""
    aside = file.with_name(f"{file.name}.corrupt-{int(utc)}")
    for path in _files(file):
        if path.exists():
            path.rename(aside.with_name(aside.name + path.name.removeprefix(file.name)))
    return aside


# -- connections -------------------------------------------------------------------------------------------------


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, poolclass=StaticPool, connect_args={"timeout": LOCK_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    arguments = {
        "connect_timeout": CONNECT_SECONDS,
        "options": f"-c statement_timeout={STATEMENT_MILLISECONDS}",
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
        "application_name": "ocpp-watchdog",
    }
    return create_engine(url, poolclass=StaticPool, pool_pre_ping=False, connect_args=arguments)


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, DDL included
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "journal_size_limit=16777216"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _make_file(file: Path) -> None:
    """The file and its folder exist, and nobody else can read it."""
    make_private(file.parent)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _files(file: Path) -> Iterable[Path]:
    return (file, *(file.with_name(file.name + suffix) for suffix in ("-wal", "-shm")))


def _failure(error: BaseException) -> StoreError:
    origin = error.orig if isinstance(error, StatementError) else error
    code = getattr(origin, "sqlite_errorcode", None)
    is_corrupt = isinstance(origin, sqlite3.DatabaseError) and isinstance(code, int) and code & 0xFF in CORRUPT
    is_row = isinstance(error, DataError | IntegrityError | OverflowError) or isinstance(origin, OverflowError)
    why = str(origin).strip().partition("\n")[0] or type(origin).__name__
    return StoreError(why, is_corrupt=is_corrupt, is_row=is_row)
