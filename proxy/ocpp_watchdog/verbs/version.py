"""The verb ``version``."""

from __future__ import annotations

from ocpp_watchdog import __version__
from ocpp_watchdog.verbs.base import Verb, say


class Version(Verb):
    """Print the version."""

    def cli_cmd(self) -> None:
        """One line."""
        say(__version__)
