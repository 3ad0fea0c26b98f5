"""A process that journals under load until it is killed. Run by test_journal_kills.py, one for each folder.

    killed.py FOLDER ROUNDS SEED RATE

Each round forks a child with both threads of the journal at work; it is killed (SIGKILL) at a random moment. What was
acknowledged is written to FOLDER/acknowledged before the next fact is told, what was tapped to FOLDER/tapped: lines of
``number monotonic-time``; the moment of each kill to FOLDER/kills.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from journal_kit import BOX, passed

from ocpp_watchdog.core.decisions import FactKind, Record
from ocpp_watchdog.core.terms import ConnectorId
from ocpp_watchdog.shell.clock import Clock
from ocpp_watchdog.shell.journal.journal import Journal, JournalSettings
from ocpp_watchdog.shell.journal.store import Store, parsed
from ocpp_watchdog.shell.tally import Tally

LIFE_SECONDS = (0.05, 1.3)


def append(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


async def journaling(folder: Path, number: int, rate: int) -> None:
    """Tell facts and frames, numbered from here on, for ever."""
    clock, tally = Clock(), Tally()
    url = f"sqlite:///{folder}/journal.db"
    journal = Journal(JournalSettings(url, folder / "frames"), clock, tally, json.loads)
    journal.memory_of = lambda charge_point: {"number": number}
    await journal.start()
    acknowledged, tapped = append(folder / "acknowledged"), append(folder / "tapped")
    track = journal.opened(BOX, "192.0.2.7", clock.now())
    os.write(append(folder / "begun"), b".")
    facts = number
    loop = asyncio.get_running_loop()

    def commit() -> None:
        nonlocal facts
        told = facts
        facts += 1
        journal.record(BOX, Record(FactKind.NOTE, ConnectorId(1), clock.now(), str(told)))

        faults = tally.faults["journal"]

        def done() -> None:
            if tally.faults["journal"] == faults:  # else half a second was over first: that is no acknowledgement
                os.write(acknowledged, f"{told} {time.monotonic()}\n".encode())
            commit()

        journal.before_step(BOX, done)

    commit()
    journal.look()
    while True:
        lines = []
        for _ in range(max(1, rate // 100)):
            now = clock.now()
            _, passage, direction, frames, _, _ = passed(f'[2,"{number}","MeterValues",{{"filled":"{"x" * 600}"}}]')
            journal.tap((track, passage, direction, frames, now.utc, now.mono))
            lines.append(f"{number} {now.mono}\n")
            number += 1
        os.write(tapped, "".join(lines).encode())
        journal.look()
        await asyncio.sleep(0.01)
        assert loop.is_running()


def main() -> None:
    folder, rounds, chance, rate = Path(sys.argv[1]), int(sys.argv[2]), random.Random(sys.argv[3]), int(sys.argv[4])
    folder.mkdir(parents=True, exist_ok=True)
    Store(parsed("sqlite:///" + str(folder / "warm" / "up.db"))).close()  # imports what every child would import
    kills = append(folder / "kills")
    for each in range(rounds):
        begun = (folder / "begun").stat().st_size if (folder / "begun").exists() else 0
        child = os.fork()
        if not child:
            asyncio.run(journaling(folder, each * 1_000_000, rate))
            os._exit(0)
        while (folder / "begun").stat().st_size == begun if (folder / "begun").exists() else True:
            time.sleep(0.005)
        time.sleep(chance.uniform(*LIFE_SECONDS))
        os.kill(child, signal.SIGKILL)
        os.write(kills, f"{each} {time.monotonic()}\n".encode())
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
