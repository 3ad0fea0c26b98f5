"""How fast ``analyze`` reads: a log of 100 MB (or as told), written here, read by the command in a process of its own.

Three mixes, since what a line costs depends on what it is: an evcc trace log with everything a day writes, one with OCPP
frames alone, and the journal's own segments. Prints a table; ``--into`` puts it between the marks of a page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

START = 1_795_190_589.0
COMMAND = [sys.executable, "-m", "ocpp_watchdog", "analyze"]
MARKS = re.compile(r"(<!-- measured -->\n).*?(<!-- end -->)", re.DOTALL)


def frames(count: int) -> Iterator[tuple[float, bool, str]]:
    """A charge that never ends: (seconds, sent by evcc, text). Readings every 10 s, a new limit every 5 minutes, a stop
    every hour that is obeyed."""
    register, transaction = 12_345.0, 1_795_190_590
    yield 0.0, False, '[2,"b","BootNotification",{"chargePointVendor":"Lab","chargePointModel":"Box"}]'
    yield 0.0, True, '[3,"b",{"currentTime":"2026-11-20T16:03:09Z","interval":60,"status":"Accepted"}]'
    yield 1.0, False, f'[2,"s","StartTransaction",{{"connectorId":1,"idTag":"LAB","meterStart":12345,"timestamp":"{iso(1)}"}}]'
    yield 1.0, True, f'[3,"s",{{"idTagInfo":{{"status":"Accepted"}},"transactionId":{transaction}}}]'
    yield 1.0, False, f'[2,"c","StatusNotification",{{"connectorId":1,"errorCode":"NoError","status":"Charging","timestamp":"{iso(1)}"}}]'
    yield 1.0, True, '[3,"c",{}]'
    limit = 16
    for number in range(count):
        t = 10.0 * (number + 1)
        if number % 30 == 0:
            limit = 0 if number % 360 == 330 else 6 + number // 30 % 10
            yield t, True, order(f"o{number}", limit, t)
            yield t, False, f'[3,"o{number}",{{"status":"Accepted"}}]'
        flows = min(limit, 16) if number % 30 > 1 or limit else 0
        register += flows * 230 * 3 / 360
        yield t, False, reading(f"m{number}", t, flows, number, register, transaction)
        yield t, True, f'[3,"m{number}",{{}}]'


def order(uid: str, limit: int, t: float) -> str:
    return (
        f'[2,"{uid}","SetChargingProfile",{{"connectorId":1,"csChargingProfiles":{{"chargingProfileId":1,"stackLevel":1,'
        '"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Absolute","chargingSchedule":{"startSchedule":'
        f'"{iso(t - 60)}","chargingRateUnit":"A","chargingSchedulePeriod":[{{"startPeriod":0,"limit":{limit}}}]}}}}}}]'
    )


def reading(uid: str, t: float, amperes: float, number: int, register: float, transaction: int) -> str:
    values = [(f"{amperes + number % 9 / 100 if amperes else 0:.2f}", f"L{phase}") for phase in (1, 2, 3)]
    currents = ",".join(
        f'{{"value":"{value}","context":"Sample.Periodic","measurand":"Current.Import","phase":"{phase}","unit":"A"}}'
        for value, phase in values
    )
    return (
        f'[2,"{uid}","MeterValues",{{"connectorId":1,"transactionId":{transaction},"meterValue":[{{"timestamp":"{iso(t)}",'
        f'"sampledValue":[{currents},{{"value":"{amperes * 690:.0f}","context":"Sample.Periodic","measurand":'
        f'"Power.Active.Import","unit":"W"}},{{"value":"{register:.0f}","context":"Sample.Periodic","measurand":'
        '"Energy.Active.Import.Register","unit":"Wh"}]}]}]'
    )


def iso(t: float) -> str:
    return datetime.fromtimestamp(START + t, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(t: float) -> str:
    return datetime.fromtimestamp(START + t, UTC).strftime("%Y/%m/%d %H:%M:%S")


def evcc(count: int, *, whole_day: bool) -> Iterator[str]:
    """Lines of evcc's trace log; with the load point's own every ten seconds where a whole day is wanted."""
    told = -1.0
    for t, sent, text in frames(count):
        at = clock(t)
        if whole_day and t != told:
            told = t
            for line in ("charge power: 4485W", "charge currents: [6.5 6.5 6.5]A", "charger status: C", "session energy: 0.1kWh"):
                yield f"[lp-1  ] DEBUG {at} {line}\n"
            yield f"[site  ] DEBUG {at} ----\n[site  ] DEBUG {at} pv power: 5210W\n[site  ] DEBUG {at} grid power: -310W\n"
            yield f'[mqtt  ] TRACE {at} send evcc/site/pvPower: 5210\n[db    ] TRACE {at} UPDATE sessions SET x=1 WHERE id=7\n'
        yield f"[ocpp  ] TRACE {at} {'send' if sent else 'recv'} BOX1: {text}\n"


def segments(count: int) -> Iterator[str]:
    """Lines of the journal."""
    from ocpp_watchdog.core.terms import Direction
    from ocpp_watchdog.trace import TraceLine, encode

    for number, (t, sent, text) in enumerate(frames(count)):
        way = Direction.TO_CHARGE_POINT if sent else Direction.TO_CENTRAL_SYSTEM
        yield encode(TraceLine(START + t + number % 7 / 100, "BOX1", way, text, mono=t + number % 7 / 100, session="1")) + "\n"


MIXES = {
    "evcc, a day's trace log": lambda count: evcc(count, whole_day=True),
    "evcc, OCPP frames alone": lambda count: evcc(count, whole_day=False),
    "the journal's segments": segments,
}


def written(path: Path, mix: str, megabytes: float) -> tuple[int, int]:
    """Write a log of this size; gives bytes and lines."""
    size = lines = 0
    with path.open("w") as file:
        for line in MIXES[mix](10_000_000):
            size += file.write(line)
            lines += 1
            if size >= megabytes * 1e6:
                break
    return size, lines


def measured(path: Path) -> tuple[float, float]:
    """CPU seconds and peak memory (MiB) of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    script = (
        "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL);"
        "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, *COMMAND, str(path)], check=True, capture_output=True, text=True
    ).stdout.split()
    if told[0] not in ("0", "3"):
        raise SystemExit(f"analyze ended with {told[0]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, int(told[1]) / 1024


def table(megabytes: float) -> list[str]:
    """One row for each mix."""
    rows = ["| log | size | lines | CPU | speed | peak memory |", "|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        for mix in MIXES:
            path = Path(folder) / "log"
            size, lines = written(path, mix, megabytes)
            seconds, peak = measured(path)
            rows.append(
                f"| {mix} | {size / 1e6:.0f} MB | {lines:,} | {seconds:.1f} s | {size / 1e6 / seconds:.1f} MB/s | {peak:.0f} MiB |"
            )
            print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Measure, print, and write where told."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=100.0)
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    rows = table(options.megabytes)
    if options.into is not None:
        day = datetime.now(UTC).strftime("%Y-%m-%d")
        told = "nothing else ran" if os.getloadavg()[0] < 1.5 else f"other work ran beside it (load {os.getloadavg()[0]:.0f})"
        head = f"Measured {day} on {os.cpu_count()} shared cores, Python {platform.python_version()}, {fast()}; {told}. "
        head += f"json.loads alone reads the same readings at {yardstick():.0f} MB/s there.\n\n"
        page = options.into.read_text("utf-8")
        options.into.write_text(MARKS.sub(lambda m: m[1] + head + "\n".join(rows) + "\n" + m[2], page), "utf-8")


def yardstick() -> float:
    """MB/s of the standard library's JSON decoder on readings like these: how fast the machine is at this moment."""
    texts = [text for _, _, text in frames(2_000)]
    began = time.process_time()
    for text in texts:
        json.loads(text)
    return sum(map(len, texts)) / 1e6 / (time.process_time() - began)


def fast() -> str:
    """Whether the extra ``fast`` is there."""
    try:
        import msgspec
    except ImportError:
        return "without the extra `fast`"
    return f"with the extra `fast` (msgspec {msgspec.__version__})"


if __name__ == "__main__":
    main()
