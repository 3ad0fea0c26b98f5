"""A real PostgreSQL for the tests of the journal: Debian's, started here on a private socket, as nobody's root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
SERVER_ACCOUNT = "postgres"
NUMBERS = count(1)


def _as_server(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run it as an account that PostgreSQL accepts: it refuses root."""
    if os.geteuid() == 0:
        command = ["setpriv", f"--reuid={SERVER_ACCOUNT}", f"--regid={SERVER_ACCOUNT}", "--clear-groups", *command]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its socket's folder. Skips where the Debian package `postgresql` or the extra is missing."""
    if not BINARIES:
        pytest.skip("the Debian package postgresql is not installed")
    pytest.importorskip("psycopg", reason="the extra postgresql is not installed")
    folder = Path("/tmp") / f"watchdog-postgresql-{os.getpid()}"  # a socket's path must be short
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(folder, SERVER_ACCOUNT, SERVER_ACCOUNT)
    data, binaries = folder / "data", BINARIES[-1]
    try:
        options = ("-A", "trust", "-U", "watchdog", "-E", "UTF8", "--no-sync")
        _as_server([str(binaries / "initdb"), "-D", str(data), *options])
        _as_server(
            [
                *(str(binaries / "pg_ctl"), "-D", str(data), "-w", "-t", "60", "-l", str(folder / "log")),
                *("-o", f"-k {folder} -h '' -c fsync=off", "start"),
            ]
        )
        if os.geteuid() == 0:
            folder.chmod(0o755)
        try:
            yield str(folder)
        finally:
            _as_server([str(binaries / "pg_ctl"), "-D", str(data), "-W", "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fresh_database(server: str) -> str:
    """The URL of a new, empty database."""
    import psycopg

    name = f"journal_{next(NUMBERS)}"
    with psycopg.connect(host=server, user="watchdog", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql://watchdog@/{name}?host={server}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that is not there yet (SQLite) or empty (PostgreSQL)."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state/journal.db"
    return fresh_database(request.getfixturevalue("postgresql_server"))
