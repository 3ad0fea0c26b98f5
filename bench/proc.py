"""CPU, memory and noise readings from /proc (Linux only)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> list[int]:
    """The process and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue
        parent = int(stat.rpartition(")")[2].split()[1])
        children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        current = todo.pop()
        found.append(current)
        todo.extend(children.get(current, ()))
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Nanosecond-resolution CPU time of all threads of the given processes.

    Reads `schedstat` (exact run time) and not utime/stime, whose 10 ms ticks are too
    coarse for a relay that costs a few microseconds a frame. Threads or children that
    ended before the reading are not counted; relays are persistent, so none should.
    """
    total = 0
    for pid in pids:
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        for task in tasks:
            try:
                with open(f"/proc/{pid}/task/{task}/schedstat", "rb") as handle:
                    total += int(handle.read().split()[0])
            except OSError:
                continue
    return total / 1e9


def user_and_system(pids: Iterable[int]) -> tuple[float, float]:
    """CPU seconds in user mode and in the kernel, in ticks of 10 ms: good for a share, too coarse for a cost."""
    user = system = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        user += int(fields[11])
        system += int(fields[12])
    return user / _TICK, system / _TICK


def memory_bytes(pids: Iterable[int]) -> tuple[int, int]:
    """(RSS, PSS) summed over the processes. RSS counts shared pages once per process."""
    rss = pss = 0
    for pid in pids:
        try:
            rss += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    pss += int(line.split()[1]) * 1024
        except OSError:
            continue
    return rss, pss


@dataclass(frozen=True, slots=True)
class MachineTime:
    """Busy and stolen CPU seconds of the whole machine since boot."""

    busy: float
    steal: float


def machine_time() -> MachineTime:
    """Read the machine-wide counters, to see how much *other* work ran meanwhile."""
    with open("/proc/stat", encoding="ascii") as handle:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, handle.readline().split()[1:9])
    return MachineTime((user + nice + system + irq + softirq) / _TICK, steal / _TICK)


def pin(pid: int, cpus: Iterable[int]) -> None:
    """Pin every thread of a process and of its descendants to the given cores."""
    cores = set(cpus)
    for member in descendants(pid):
        try:
            for task in os.listdir(f"/proc/{member}/task"):
                os.sched_setaffinity(int(task), cores)
        except OSError:
            continue


def set_realtime(pid: int, enabled: bool) -> None:
    """Give a process tree round-robin real-time priority, or take it away again."""
    policy = os.SCHED_RR if enabled else os.SCHED_OTHER
    for member in descendants(pid):
        try:
            for task in os.listdir(f"/proc/{member}/task"):
                os.sched_setscheduler(int(task), policy, os.sched_param(10 if enabled else 0))
        except OSError:
            continue
