"""What `make test` leaves to `make faults`: faults that are made for real take minutes and want root."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # no test may need a quiet machine
settings.load_profile("patient")

NUMBERS = count(1)

collect_ignore = [] if os.environ.get("FAULTS") else ["faults"]
if not os.environ.get("JOURNAL_FAULTS"):
    collect_ignore += [f"journal/test_journal_{each}.py" for each in ("kills", "disks", "errors")]


@pytest.fixture(autouse=True)
def _a_state_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A proxy that a test starts keeps its journal there, and not with whoever runs the tests."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path_factory.getbasetemp() / f"state-{next(NUMBERS)}"))


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command or a reload sets the whole process's logging; what it writes to is closed when its test ends."""
    root, asyncio = logging.getLogger(), logging.getLogger("asyncio")
    handlers, level, loudness = root.handlers[:], root.level, asyncio.level
    shown = logging.logThreads, logging.logProcesses, logging.logMultiprocessing
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    asyncio.setLevel(loudness)
    logging.logThreads, logging.logProcesses, logging.logMultiprocessing = shown


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate with its key for localhost, in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: no certificate can be made")
    folder = tmp_path_factory.mktemp("tls")
    order = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem -addext"
    subprocess.run(
        [openssl, *order.split(), "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    both = folder / "both.pem"
    both.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    return both
