"""The verbs below ``ocpp-watchdog ctl``, and ``selftest``: flags, and which order each of them gives."""

from __future__ import annotations

import sys

from pydantic import Field
from pydantic_settings import CliApp, CliSubCommand

from ocpp_watchdog.ctl import client
from ocpp_watchdog.ctl.supervise import selftest
from ocpp_watchdog.settings import BadSettingError
from ocpp_watchdog.verbs.base import ConfiguredVerb, Verb, complain, leave, say


class _CtlVerb(ConfiguredVerb):
    """An order to the running proxy."""

    address: str | None = Field(default=None, description="host:port of its pages, where the settings do not say it")
    as_json: bool = Field(default=False, validation_alias="json", description="print the answer of the API instead")

    def work(self) -> client.Work:
        """What is to be done."""
        raise NotImplementedError

    def cli_cmd(self) -> None:
        """Say what happened; exit 0 done, 1 refused, 2 not reachable."""
        try:
            at = client.target(self.settings(), self.address)
        except ValueError as error:
            raise BadSettingError(f"address: {error}") from None
        leave(client.carry_out(self.work(), at, say, complain))


class _CtlOrder(_CtlVerb):
    charge_point: str | None = Field(default=None, description="its id; not needed where there is only one")
    connector: int | None = Field(default=None, ge=0, description="its number, 0: all; not needed where there is one")


class CtlStatus(_CtlVerb):
    """What the judge sees, a line for each connector."""

    def work(self) -> client.Work:
        """Look."""
        return client.status(as_json=self.as_json)


class CtlStandDown(_CtlOrder):
    """Do nothing more about this stop, until the next one after a raise."""

    def work(self) -> client.Work:
        """Stand down."""
        return client.order("stand-down", self.charge_point, self.connector, as_json=self.as_json)


class CtlStopNow(_CtlOrder):
    """Send RemoteStopTransaction now."""

    def work(self) -> client.Work:
        """Stop."""
        return client.order("stop-now", self.charge_point, self.connector, as_json=self.as_json)


class CtlAcknowledge(_CtlOrder):
    """Send no more reminders of the stop that is being ignored."""

    def work(self) -> client.Work:
        """Acknowledge."""
        return client.order("acknowledge", self.charge_point, self.connector, as_json=self.as_json)


class CtlSetBack(_CtlOrder):
    """Set a connector Operative again that the ladder has set Inoperative."""

    def work(self) -> client.Work:
        """Set back."""
        return client.order("set-back", self.charge_point, self.connector, as_json=self.as_json)


class CtlMaintenance(_CtlVerb):
    """Send nothing to a charge point for a while, whatever happens."""

    minutes: float = Field(ge=0, le=1440, description="for so long; 0 ends it")
    charge_point: str | None = Field(default=None, description="its id; not needed where there is only one")

    def work(self) -> client.Work:
        """Begin or end."""
        return client.maintenance(self.minutes, self.charge_point, as_json=self.as_json)


class CtlTestAlarm(_CtlVerb):
    """Send a test alarm by every way that is configured."""

    def work(self) -> client.Work:
        """Send."""
        return client.test_alarm(as_json=self.as_json)


class Ctl(Verb):
    """Give the running proxy an order; exit 0 done, 1 refused, 2 not reachable."""

    status: CliSubCommand[CtlStatus] = Field(description=CtlStatus.__doc__)
    stand_down: CliSubCommand[CtlStandDown] = Field(description=CtlStandDown.__doc__)
    stop_now: CliSubCommand[CtlStopNow] = Field(description=CtlStopNow.__doc__)
    acknowledge: CliSubCommand[CtlAcknowledge] = Field(description=CtlAcknowledge.__doc__)
    set_back: CliSubCommand[CtlSetBack] = Field(description=CtlSetBack.__doc__)
    maintenance: CliSubCommand[CtlMaintenance] = Field(description=CtlMaintenance.__doc__)
    test_alarm: CliSubCommand[CtlTestAlarm] = Field(description=CtlTestAlarm.__doc__)

    def cli_cmd(self) -> None:
        """Carry the order out."""
        CliApp.run_subcommand(self)


class SelfTest(_CtlOrder):
    """Try, under supervision and while a car charges, whether the wallbox obeys limits, 0 A, a stop and a new start.

    Exit 0: done, and RemoteStopTransaction helps; 1 refused, broken off, or no remedy; 2 not reachable.
    """

    yes: bool = Field(default=False, description="begin without being asked")

    def work(self) -> client.Work:
        """Begin and stay."""
        ask = None if self.yes else ask_at_terminal
        return selftest(self.charge_point, self.connector, ask=ask, as_json=self.as_json)


def ask_at_terminal(question: str) -> str | None:
    """The answer of whoever sits there; None when nobody does."""
    if not sys.stdin.isatty():
        return None
    try:
        return input(question)
    except EOFError:
        return None
