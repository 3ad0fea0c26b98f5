"""Options of the harness's own tests."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--slow`: what has to wait for the rules of the judge."""
    parser.addoption("--slow", action="store_true", help="run the phase detect too (50 s)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without `--slow` the slow tests are skipped."""
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="waits 45 s; run with --slow"))
