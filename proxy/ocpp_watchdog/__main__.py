"""``python -m ocpp_watchdog`` and the command ``ocpp-watchdog``."""

from __future__ import annotations

import sys

from ocpp_watchdog.cli import run


def main() -> None:
    """Run one verb and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
