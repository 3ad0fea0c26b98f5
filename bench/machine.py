"""Where and with what a run was made: goes into the head of every result file and of the document."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = ("aiohttp", "h11", "uvloop", "msgspec", "picows", "websockets", "orjson", "prometheus_client", "ocpp")
TOOLS = {"haproxy": "-v", "nginx": "-v", "socat": "-V", "node": "--version"}
_VERSION = re.compile(r"(\d+\.\d+(?:\.\d+)*)")


def _output(*argv: str) -> str:
    path = shutil.which(argv[0], path=os.environ.get("PATH", "") + ":/usr/sbin")
    if path is None:
        return ""
    done = subprocess.run([path, *argv[1:]], capture_output=True, text=True, check=False, cwd=HERE)
    return (done.stdout + done.stderr).strip()


def _first(path: str, prefix: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(prefix)), "")


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    for name, flag in TOOLS.items():
        match = _VERSION.search(_output(name, flag))
        if match:
            found[name] = match.group(1)
    return found


def _commit() -> str:
    """The program's commit; `+` behind it: its files had been changed since."""
    commit = _output("git", "rev-parse", "--short=10", "HEAD")
    changed = _output("git", "status", "--porcelain", "--", str(HERE.parent / "proxy"))
    return commit + ("+" if commit and changed else "")


def describe() -> dict[str, object]:
    """Everything a reader needs to judge the numbers by, without a name of the machine."""
    memory = _first("/proc/meminfo", "MemTotal").split()
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "cpu": _first("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(int(memory[0]) / 2**20) if memory else 0,
        "kernel": platform.release().partition("-")[0],
        "system": _distribution(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": _versions(),
        "commit": _commit(),
        "arguments": " ".join(sys.argv[1:]),
    }
