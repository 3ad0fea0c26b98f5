"""``python -m ocpp_watchdog`` and the command ``ocpp-watchdog``."""

from __future__ import annotations

import gc
import sys

from ocpp_watchdog.cli import run

START_THRESHOLD = 50_000
"""What is imported stays; by Python's own count it is looked through again and again: a tenth of the start."""


def main() -> None:
    """Run one verb and leave with its exit code."""
    gc.set_threshold(START_THRESHOLD)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
