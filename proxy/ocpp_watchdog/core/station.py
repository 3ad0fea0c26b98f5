"""One charge point whole: frames, outcomes and ticks in, decisions out. (API contract; body follows.)"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from ocpp_watchdog.core.decisions import Decision, StationView
from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId, Direction, Moment, UniqueId


class OwnerAction(StrEnum):
    """What the owner can order by name."""

    STAND_DOWN = "stand_down"
    STOP_NOW = "stop_now"
    ACKNOWLEDGE = "acknowledge"


class Station:
    """The judge of one charge point. Lives as long as the program knows the charge point, over many sessions.

    new_id gives a fresh unique id for a CALL of ours (``wd-`` and 16 random characters). Every method that returns
    decisions returns them in the order they are to be performed, and ends the list with one ``WakeAt`` whenever the
    moment of the next tick changed. Decisions are values; the same history gives the same decisions.
    """

    last_action: str
    """Action of the frame received last ("" when it could not be read): for metrics."""

    def __init__(self, charge_point: ChargePointId, policy: Policy, loads: Loads, new_id: Callable[[], str]) -> None: ...

    def connected(self, now: Moment) -> list[Decision]:
        """A session began."""

    def disconnected(self, now: Moment) -> list[Decision]:
        """The session ended; whatever was open or waiting died with it."""

    def receive(self, direction: Direction, text: str, now: Moment) -> list[Decision]:
        """A message was forwarded in this direction."""

    def tick(self, now: Moment) -> list[Decision]:
        """Time passed. Harmless at any moment."""

    def may_send(self, unique_id: UniqueId, now: Moment) -> bool:
        """Asked once more at the moment of writing; False: cancelled (the station takes note of it)."""

    def written(self, unique_id: UniqueId, now: Moment) -> list[Decision]:
        """The injected CALL is on the wire."""

    def not_written(self, unique_id: UniqueId, now: Moment) -> list[Decision]:
        """The injected CALL was cancelled, or found its direction closed or busy until its deadline."""

    def own_answer(self, text: str, now: Moment) -> list[Decision]:
        """An answer to a CALL of ours (CALLRESULT or CALLERROR, late ones too) was kept from the central system."""

    def owner(self, action: OwnerAction, connector: ConnectorId, now: Moment) -> list[Decision]:
        """The owner said so."""

    def view(self, now: Moment) -> StationView:
        """Everything that can be seen from outside, as of now."""
