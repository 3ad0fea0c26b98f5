"""The verb ``healthcheck``: a container runs it every half minute, so it imports little."""

from __future__ import annotations

from ocpp_watchdog.setting_kinds import reached
from ocpp_watchdog.setup.health import Health, health_at
from ocpp_watchdog.texts.setup import HEALTH
from ocpp_watchdog.verbs.base import ConfiguredVerb, say


class Healthcheck(ConfiguredVerb):
    """Ask the running proxy how it is: exit 0 well, 1 not (for containers)."""

    def cli_cmd(self) -> None:
        """One line."""
        settings = self.settings()
        address = reached(settings.admin.listen)
        health = health_at(address)
        say(HEALTH[health](settings.language, address=address))
        if health is not Health.GOOD:
            raise SystemExit(1)
