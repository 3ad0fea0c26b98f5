"""The verbs that take every setting as a flag: ``run``, ``check-config`` and ``notify-test``."""

from __future__ import annotations

import asyncio

from ocpp_watchdog import app, fast, logs, parts, ways
from ocpp_watchdog.provenance import effective
from ocpp_watchdog.settings import Settings
from ocpp_watchdog.verbs.base import say


class Run(Settings):
    """Run the proxy."""

    def cli_cmd(self) -> None:
        """Until SIGTERM or Ctrl-C."""
        logs.configure(self.log.level, self.log.format)
        with asyncio.Runner(loop_factory=fast.loop_factory()) as runner:
            runner.run(app.serve(self))


class CheckConfig(Settings):
    """Check the settings and print each with the place it comes from."""

    def cli_cmd(self) -> None:
        """Print the table; certificates and ways to people are tried, too."""
        parts.relay_settings(self)
        ways.deliveries(self)
        rows = effective(self)
        widths = [max(len(getattr(row, column)) for row in rows) for column in ("name", "value")]
        for row in rows:
            say(f"{row.name:<{widths[0]}}  {row.value:<{widths[1]}}  {row.source}")


class NotifyTest(Settings):
    """Send a test alarm by every way that is configured and say what became of it; exit 1 when one failed."""

    def cli_cmd(self) -> None:
        """One message each, nothing is tried twice."""
        if not asyncio.run(ways.trial(self, say)):
            raise SystemExit(1)
