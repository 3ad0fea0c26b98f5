"""The shell touches nobody's private parts: aiohttp, asyncio and h11 are used as documented (DESIGN 2)."""

import ast
from pathlib import Path

import pytest

SHELL = Path(__file__).resolve().parents[2] / "proxy" / "ocpp_watchdog" / "shell"
FILES = sorted(SHELL.rglob("*.py"))


def foreign_private_names(source: str) -> list[str]:
    """``thing._name`` where thing is not self or cls, and ``from x import _name``."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}):
                found.append(f"{node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [part for alias in node.names for part in alias.name.split(".")]
            names += (node.module or "").split(".") if isinstance(node, ast.ImportFrom) else []
            found += [f"{node.lineno}: import of {name}" for name in names if is_private(name)]
    return found


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def test_there_is_a_shell_to_be_read():
    assert any(path.name == "door.py" for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SHELL)))
def test_no_private_name_of_somebody_else_is_used(path):
    assert foreign_private_names(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source", ["x._y", "self.a._b", "f()._x()", "from a import _b", "from a._b import c", "import a._b"]
)
def test_a_private_name_would_be_found(source):
    assert foreign_private_names(source)


@pytest.mark.parametrize("source", ["self._x", "cls._x", "x.__class__", "from __future__ import annotations", "_x = 1"])
def test_own_names_are_nobodys_business(source):
    assert not foreign_private_names(source)
