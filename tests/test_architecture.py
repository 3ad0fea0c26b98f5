"""The arrows of the house: who may import whom, read from the source. A wrong arrow fails here, not in a review."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = "ocpp_watchdog"
ROOT = Path(__file__).resolve().parents[1]
HOUSE = ROOT / "proxy" / PACKAGE

CORE_ORDER = (
    "errors", "terms", "values", "recent", "codecs", "keeping", "memory", "units", "wire", "frames", "pairing",
    "profiles", "figures", "measurements", "events", "outcomes", "commands", "asked", "remote_starts", "samples",
    "timestamps", "transactions", "payloads", "translate", "decisions", "policy", "devices", "acquaintance", "rungs",
    "escalation", "evidence", "findings", "orders", "episodes", "schedule", "ledger", "sight", "questions", "trial",
    "leftovers", "case", "aftercare", "remedy", "asking", "enforcing", "voice", "watch", "watchdog", "prefix", "lane",
    "repairs", "mending", "skim", "keys", "alike", "chronicle", "knowing", "hearing", "lasting", "speaking",
    "station", "exercise", "showing", "selftest", "supervision",
)  # fmt: skip
"""Each file of the core may import only files that stand before it."""

BANNED_IN_CORE = frozenset((
    "asyncio", "logging", "time", "random", "uuid", "os", "socket", "ssl", "threading", "subprocess", "selectors",
    "select", "secrets", "pathlib", "io", "sys",
))  # fmt: skip
PORTS = frozenset({"shell.ports", "shell.timekeeping", "shell.tally"})
"""The ground floor of the shell: what its parts meet through. It holds Protocols and plain counters."""

SHELL_ALSO: dict[str, frozenset[str]] = {"shell.journal": frozenset({"past", "trace"})}
"""What single parts of the shell may know besides."""

MAY_IMPORT: dict[str, frozenset[str]] = {
    "core": frozenset({"core"}),
    "texts": frozenset({"texts", "core"}),
    "knowledge": frozenset({"knowledge", "core"}),
    "device_sheet": frozenset({"knowledge", "texts"}),
    "known": frozenset({"core", "fast", "knowledge", "settings", "shell.clock", "shell.ports", "shell.tally"}),
    "simulator": frozenset({"simulator"}),
    "readers": frozenset({"readers", "core", "trace"}),
    "report": frozenset({"report", "core", "texts"}),
    "analysis": frozenset(
        {
            "",
            "analysis",
            "core",
            "fast",
            "knowledge",
            "parts",
            "provenance",
            "readers",
            "report",
            "settings",
            "shell.clock",
            "shell.journal",
            "texts",
            "trace",
        }
    ),
    "each_once": frozenset(),
    "setting_kinds": frozenset({"core"}),
    "setting_doors": frozenset({"setting_kinds"}),
    "setting_ladder": frozenset({"core", "setting_kinds"}),
    "setting_repairs": frozenset({"core", "setting_kinds"}),
    "setting_ways": frozenset({"setting_kinds"}),
    "settings": frozenset(
        {
            "core",
            "each_once",
            "setting_doors",
            "setting_kinds",
            "setting_ladder",
            "setting_repairs",
            "setting_ways",
            "texts",
        }
    ),
    "ways": frozenset({"", "bridging", "core", "settings", "setting_ways", "shell", "texts"}),
    "bridging": frozenset({"core", "setting_ways", "settings", "shell", "texts"}),
    "provenance": frozenset({"setting_kinds", "settings"}),
    "parts": frozenset({"core", "setting_kinds", "settings", "shell"}),
    "logs": frozenset(),
    "fast": frozenset({"core"}),
    "trace": frozenset({"core"}),
    "past": frozenset({"core"}),
    "app": frozenset(
        {
            "",
            "bridging",
            "core",
            "fast",
            "known",
            "logs",
            "parts",
            "provenance",
            "setting_kinds",
            "settings",
            "shell",
            "texts",
            "ways",
        }
    ),
    "demo": frozenset(
        {"", "analysis", "app", "core", "demo", "readers", "report", "settings", "shell.clock", "simulator", "texts"}
    ),
    "ctl": frozenset({"ctl", "setting_kinds", "settings", "texts"}),
    "setup": frozenset(
        {
            "",
            "bridging",
            "core",
            "ctl",
            "parts",
            "setting_kinds",
            "settings",
            "setup",
            "shell.clock",
            "shell.mqtt",
            "texts",
        }
    ),
    "verbs": frozenset(
        {
            "",
            "analysis",
            "app",
            "ctl",
            "core",
            "demo",
            "device_sheet",
            "fast",
            "knowledge",
            "logs",
            "parts",
            "provenance",
            "report",
            "setting_kinds",
            "settings",
            "setup",
            "shell.clock",
            "simulator",
            "texts",
            "verbs",
            "ways",
        }
    ),
    "cli": frozenset({"settings", "verbs"}),
    "__main__": frozenset({"cli"}),
}
"""Rooms and what they may know. Parts of the shell: the core, the texts, the ground floor, and themselves."""


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def files() -> list[Path]:
    return sorted(HOUSE.rglob("*.py"))


def name_of(path: Path) -> str:
    """Dotted name below the package; empty for the package itself."""
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_package(name: str) -> bool:
    return (HOUSE / Path(*name.split("."))).is_dir()


def imported(path: Path) -> Iterator[str]:
    """Absolute names of the modules a file imports, late imports and those for type checkers included."""
    own = [PACKAGE, *filter(None, name_of(path).split("."))]
    folder = own if path.name == "__init__.py" else own[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = folder[: len(folder) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                below = full.removeprefix(f"{PACKAGE}.")
                is_module = full.startswith(PACKAGE) and (
                    is_package(below) or (HOUSE / Path(*below.split("."))).with_suffix(".py").is_file()
                )
                yield full if is_module else base


def own_imports(path: Path) -> set[str]:
    """Modules of this package that a file imports, named below it."""
    return {
        name.removeprefix(PACKAGE).removeprefix(".")
        for name in imported(path)
        if name == PACKAGE or name.startswith(f"{PACKAGE}.")
    }


def room_of(name: str) -> str:
    """The room a module belongs to: a part of the shell (``shell.relay``), or the first name."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "shell" else parts[0]


def allowed(room: str) -> frozenset[str]:
    if not room.startswith("shell"):
        return MAY_IMPORT[room]
    if room in PORTS:
        return frozenset({"core"})
    return frozenset({"core", "texts", room}) | PORTS | SHELL_ALSO.get(room, frozenset())


def is_allowed(module: str, rooms: frozenset[str]) -> bool:
    return any(module == room or (room and module.startswith(f"{room}.")) for room in rooms)


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_imports_point_down_only(path: Path) -> None:
    name = name_of(path)
    if not name:
        assert own_imports(path) == set()
        return
    rooms = allowed(room_of(name))
    wrong = {module for module in own_imports(path) if not is_allowed(module, rooms)}
    assert not wrong, f"{name} must not know {wrong}"


def test_every_file_of_the_core_has_a_place_in_the_order() -> None:
    assert {path.stem for path in (HOUSE / "core").glob("*.py")} - {"__init__"} == set(CORE_ORDER)


@pytest.mark.parametrize("path", sorted((HOUSE / "core").glob("*.py")), ids=name_of)
def test_the_core_imports_the_standard_library_and_files_above_it(path: Path) -> None:
    for name in imported(path):
        first = name.partition(".")[0]
        assert first not in BANNED_IN_CORE, f"{path.name} imports {name}"
        assert first == PACKAGE or first in sys.stdlib_module_names, f"{path.name} imports {name}"
    above = CORE_ORDER[: CORE_ORDER.index(path.stem)] if path.stem in CORE_ORDER else []
    wrong = {module for module in own_imports(path) if module.removeprefix("core.") not in above}
    assert not wrong, f"{path.stem} must not know {wrong}: they do not stand above it"


def test_there_are_no_import_circles() -> None:
    below = {name_of(path): own_imports(path) for path in files()}
    done: set[str] = set()
    while len(done) < len(below):
        ready = {name for name, needs in below.items() if name not in done and needs & set(below) <= done | {name}}
        assert ready, f"these import each other: {sorted(set(below) - done)}"
        done |= ready


def test_the_clock_is_read_in_one_place_and_the_environment_in_another() -> None:
    def importers(module: str) -> set[str]:
        return {name_of(path) for path in files() if module in set(imported(path))}

    assert importers("time") == {"shell.clock", "simulator.clock"}
    readers = {
        name_of(path)
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}
    }
    assert readers == {"settings"}


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_nobody_touches_another_ones_private_parts(path: Path) -> None:
    """DESIGN 2: public API of aiohttp, asyncio and h11 carries the relay; nor do our own parts open each other."""
    touched = {
        f"{ast.unparse(node)} (line {node.lineno})"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and ast.unparse(node.value) not in {"self", "cls", "super()"}
    }
    assert not touched
    private = {
        name for name in imported(path) if any(part.startswith("_") and part != "__main__" for part in name.split("."))
    }
    assert private <= {"__future__"}


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_a_file_can_be_read_in_one_go(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) <= 430, "a file is 400 lines at most; it wants to be two"
    assert not lines or ast.get_docstring(tree(path)), "a module opens with what it holds"


def test_this_test_sees_a_wrong_arrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "HOUSE", tmp_path)

    def file(name: str, text: str = "") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    for name in ("core/terms.py", "shell/relay.py", "shell/metrics.py"):
        file(name)
    with pytest.raises(AssertionError, match="imports asyncio"):
        test_the_core_imports_the_standard_library_and_files_above_it(file("core/units.py", "import asyncio\n"))
    upward = file("core/errors.py", "from ocpp_watchdog.core.terms import Moment\n")
    with pytest.raises(AssertionError, match="errors must not know"):
        test_the_core_imports_the_standard_library_and_files_above_it(upward)
    late = "def late():\n    from ocpp_watchdog.shell import metrics\n    from .relay import x\n"
    with pytest.raises(AssertionError, match=r"shell\.web must not know .*shell\."):
        test_imports_point_down_only(file("shell/web.py", late))
    nosy = file("shell/nosy.py", "def f(transport):\n    return transport._sock\n")
    with pytest.raises(AssertionError, match="_sock"):
        test_nobody_touches_another_ones_private_parts(nosy)
    file("shell/metrics.py", "from ocpp_watchdog.shell.relay import x\n")
    file("shell/relay.py", "from ocpp_watchdog.shell.metrics import x\n")
    with pytest.raises(AssertionError, match="import each other"):
        test_there_are_no_import_circles()


def test_test_files_of_different_rooms_have_different_names() -> None:
    """Else pytest imports one for the other, and collects neither."""
    tests = [path for path in (ROOT / "tests").rglob("test_*.py") if not (path.parent / "__init__.py").is_file()]
    names = [path.name for path in tests]
    assert sorted(names) == sorted(set(names))
