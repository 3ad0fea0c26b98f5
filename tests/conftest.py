"""What `make test` leaves to `make faults`: faults that are made for real take minutes and want root."""

from __future__ import annotations

import os
from itertools import count

import pytest

NUMBERS = count(1)

collect_ignore = [] if os.environ.get("FAULTS") else ["faults"]
if not os.environ.get("JOURNAL_FAULTS"):
    collect_ignore += ["journal/test_journal_kills.py", "journal/test_journal_disks.py"]


@pytest.fixture(autouse=True)
def _a_state_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A proxy that a test starts keeps its journal there, and not with whoever runs the tests."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path_factory.getbasetemp() / f"state-{next(NUMBERS)}"))
