"""Mirror rule: ``tests/core/test_x.py`` alone covers ``core/x.py`` whole, branches too. Run by ``make coverage``.

Names on the command line check these files only. Exit 1 when a mirror is missing, fails, or leaves a line or branch.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "proxy" / "ocpp_watchdog" / "core"
MEASURED = ("run", "--branch")
REPORT = ("report", "--show-missing", "--fail-under=100", "--precision=2")
NO_MIRROR = frozenset({"__init__"})


def main(names: Sequence[str]) -> int:
    """Check these files of the core, or all; gives the exit code."""
    chosen = names or sorted(path.stem for path in CORE.glob("*.py") if path.stem not in NO_MIRROR)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        faults = [fault for fault in pool.map(fault_of, chosen) if fault]
    print(f"{len(chosen) - len(faults)} of {len(chosen)} files of the core are covered by their mirror alone")
    for fault in faults:
        print(fault)
    return 1 if faults or not chosen else 0


def fault_of(name: str) -> str:
    """What is wrong with the mirror of one file; empty: nothing."""
    mirror = ROOT / "tests" / "core" / f"test_{name}.py"
    if not mirror.is_file():
        return f"{name}: has no mirror {mirror.relative_to(ROOT)}"
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"COVERAGE_FILE": str(Path(folder) / "coverage")}
        tests = run(
            [
                *MEASURED,
                f"--source=ocpp_watchdog.core.{name}",
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                str(mirror),
            ],
            environment,
        )
        if tests.returncode:
            return f"{name}: its mirror fails\n{tests.stdout[-2_000:]}"
        report = run([*REPORT, f"--include=*/core/{name}.py"], environment)
    print(f"{'ok ' if report.returncode == 0 else 'BAD'} {name}", flush=True)
    return f"{name}: not covered by its mirror\n{report.stdout}" if report.returncode else ""


def run(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run coverage with these arguments."""
    command = [sys.executable, "-m", "coverage", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
