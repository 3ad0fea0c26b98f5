"""Slow rows run side by side, once, in a thread of their own; rows that measure how long others wait come last, alone.

What every row measured is printed at the end, and written as a table into the file that FAULTS_TABLE
names.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from fault_net import HERE_NET
from fault_stage import Central, Program, Stage, free_port, ready, spawned
from side_by_side import Scenes, scene_of

TABLE = os.environ.get("FAULTS_TABLE")
HERE = Path(__file__).parent
Measured = Callable[[str], None]

_results: dict[str, str] = {}


def _place(item: pytest.Item) -> int:
    """First what is quick, then what waits for its scene, then what wants the machine for itself."""
    function = getattr(item, "function", None)
    if getattr(function, "alone", False):
        return 2
    return 1 if scene_of(function) is not None else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only our own tests change places, among themselves."""
    places = [at for at, item in enumerate(items) if HERE in item.path.parents]
    ours = sorted((items[at] for at in places), key=_place)
    for at, item in zip(places, ours, strict=True):
        items[at] = item


@pytest.fixture(scope="session", autouse=True)
def scenes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    """All scenes of the tests that will run, begun with the first test of this folder."""
    wanted = [
        scene_of(item.function)
        for item in request.session.items
        if isinstance(item, pytest.Function) and not _is_skipped(item)
    ]
    running = Scenes([scene for scene in wanted if scene is not None], tmp_path_factory.mktemp("scenes"))
    with running:
        yield running


def _is_skipped(item: pytest.Item) -> bool:
    return any(mark.args and mark.args[0] is True for mark in item.iter_markers("skipif"))


@pytest.fixture(scope="session")
def shared_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, int]]:
    """One process for all quick rows, and the port at which it looks for its central system."""
    port = free_port()
    with spawned(tmp_path_factory.mktemp("program"), ("127.0.0.1", port), HERE_NET) as program:
        yield program, port


@pytest.fixture
async def stage(shared_program: tuple[Program, int]) -> AsyncIterator[Stage]:
    """The quick rows' process with a central system behind it; afterwards nothing of the test is left in it."""
    program, port = shared_program
    await ready(program)
    async with Central().serving(("127.0.0.1", port)) as central:
        made = Stage(program, central)
        await program.page()
        descriptors, threads = program.descriptors, program.status("Threads")
        yield made
        await made.hang_up()
        await program.is_empty(descriptors, threads)
    assert "Traceback" not in program.log()


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measured:
    """Told what a row measured, in a few words."""

    def tell(words: str) -> None:
        before = _results.get(request.node.nodeid)
        _results[request.node.nodeid] = f"{before}; {words}" if before else words

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was measured, by row."""
    outcomes = {
        report.nodeid: kind
        for kind in ("passed", "failed")
        for report in terminalreporter.stats.get(kind, [])
        if "/faults/" in report.nodeid
    }
    rows = sorted(((_row(node), node, kind) for node, kind in outcomes.items()), key=lambda row: (_order(row[0]), row))
    if TABLE and rows:
        lines = ["| row | test | outcome | measured |", "| --- | --- | --- | --- |"]
        for row, node, kind in rows:
            name = node.rpartition("::")[2].removeprefix(f"test_{row}_").replace("|", "/")
            lines.append(f"| {row} | {name} | {kind} | {_results.get(node, '')} |")
        Path(TABLE).write_text("\n".join(lines) + "\n", "utf-8")
    for row, node, kind in rows:
        if node in _results:
            terminalreporter.write_line(f"{row:4} {kind:7} {_results[node]}")


def _row(node: str) -> str:
    found = re.search(r"test_([TSF]\d+)_", node)
    return found[1] if found else ""


def _order(row: str) -> tuple[int, int]:
    return ("TSF".find(row[:1]), int(row[1:] or 0))
