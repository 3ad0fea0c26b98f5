"""When memory is swept: rarely, and not by the interpreter's own count.

Python's collector looks for rings of objects when enough new ones were made. The look through everything holds every
frame up, for a tenth of a second with a few hundred charge points, and it would come whenever many of them connect.
Nearly all of our objects go without it, when the last who knows them is gone. So only young objects are looked through
by count; all that is new once an hour, and everything once a day.
"""

from __future__ import annotations

import asyncio
import gc

THRESHOLDS = (5_000, 10, 1_000_000_000)
HOUR_SECONDS = 3_600.0
HOURS_OF_A_DAY = 24


def settle() -> None:
    """What the start has made stays, and the young are looked through by count."""
    gc.set_threshold(*THRESHOLDS)
    gc.collect()
    gc.freeze()


async def sweep(hour_seconds: float = HOUR_SECONDS) -> None:
    """Every hour what is new, every day everything, for ever."""
    hours = 0
    while True:
        await asyncio.sleep(hour_seconds)
        hours += 1
        if hours % HOURS_OF_A_DAY == 0:
            gc.unfreeze()
        gc.collect()
        gc.freeze()
