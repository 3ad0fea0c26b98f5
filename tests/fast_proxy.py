"""The whole proxy as a process of its own, its clock at so many times the speed: for tests beside real programs.

Arguments: the speed, since when (POSIX seconds) clocks go so fast, and the settings as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from ocpp_watchdog import logs
from ocpp_watchdog.app import running
from ocpp_watchdog.settings import fixed
from ocpp_watchdog.shell.clock import Clock


async def main(speed: float, since: float, settings: str) -> None:
    logs.configure("info", "text")
    clock = Clock(speed, since + (time.time() - since) * speed)
    async with running(fixed(**json.loads(settings)), clock):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]))
