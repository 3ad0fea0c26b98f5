"""The OCPP 1.6 face of a simulated charge point: the ``ocpp`` package routes and validates, the wallbox decides."""

# The ocpp package ships without types.
# mypy: disable-error-code="import-untyped, untyped-decorator"

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from ocpp.charge_point import snake_to_camel_case
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.enums import Action

from .clock import whole_seconds
from .link import Link
from .orders import Orders

QUIET = logging.getLogger(__name__)
QUIET.setLevel(logging.CRITICAL)
"""The ocpp package logs every frame and every odd answer; the transcript holds all that already."""


class StationProtocol(ChargePoint):  # type: ignore[misc]
    """One connection's handlers. ``real_timeout``: how long a CALL waits for its answer, in real seconds."""

    def __init__(self, orders: Orders, link: Link, real_timeout: float, next_id: Callable[[], str]) -> None:
        super().__init__(orders.box.name, link, response_timeout=real_timeout, logger=QUIET)
        self._unique_id_generator = next_id
        self._orders = orders

    async def _get_specific_response(self, unique_id: str, timeout: float) -> Any:  # noqa: ASYNC109 - its name there
        """The answer to one CALL. Raises TimeoutError.

        The package's own waits with ``asyncio.wait_for``, which on Python 3.11 can lose a cancellation that comes
        together with the answer; the connection's tasks would then never end.
        """
        async with asyncio.timeout(timeout):
            while True:
                response = await self._response_queue.get()
                if response.unique_id == unique_id:
                    return response

    @on(Action.set_charging_profile)
    def on_set_charging_profile(self, connector_id: int, cs_charging_profiles: Any, **_: Any) -> Any:
        """Install a profile, or what the faults make of it."""
        profile = snake_to_camel_case(cs_charging_profiles)
        return call_result.SetChargingProfile(status=self._orders.set_profile(connector_id, profile))

    @on(Action.clear_charging_profile)
    def on_clear_charging_profile(self, **wanted: Any) -> Any:
        """Remove profiles."""
        found = self._orders.box.profiles.clear(snake_to_camel_case(wanted))
        return call_result.ClearChargingProfile(status="Accepted" if found else "Unknown")

    @on(Action.get_composite_schedule)
    def on_get_composite_schedule(
        self, connector_id: int, duration: int, charging_rate_unit: str | None = None, **_: Any
    ) -> Any:
        """What the limit model says of the next seconds."""
        return call_result.GetCompositeSchedule(
            status="Accepted",
            connector_id=connector_id,
            schedule_start=whole_seconds(self._orders.box.utc()),
            charging_schedule={
                "duration": duration,
                "charging_rate_unit": charging_rate_unit or "A",
                "charging_schedule_period": self._orders.composite(connector_id, duration, charging_rate_unit),
            },
        )

    @on(Action.remote_start_transaction)
    def on_remote_start_transaction(
        self, id_tag: str, connector_id: int | None = None, charging_profile: Any = None, **_: Any
    ) -> Any:
        """Start a transaction when a car is there."""
        profile = None if charging_profile is None else snake_to_camel_case(charging_profile)
        return call_result.RemoteStartTransaction(status=self._orders.remote_start(connector_id, id_tag, profile))

    @on(Action.remote_stop_transaction)
    def on_remote_stop_transaction(self, transaction_id: int, **_: Any) -> Any:
        """Stop a transaction, or what the faults make of it."""
        return call_result.RemoteStopTransaction(status=self._orders.remote_stop(transaction_id))

    @on(Action.change_availability)
    def on_change_availability(self, connector_id: int, type: str, **_: Any) -> Any:  # noqa: A002 - the wire's name
        """Operative or not."""
        status = self._orders.change_availability(connector_id, operative=type == "Operative")
        return call_result.ChangeAvailability(status=status)

    @on(Action.get_configuration)
    def on_get_configuration(self, key: list[str] | None = None, **_: Any) -> Any:
        """All keys, or those asked for."""
        keys = self._orders.box.configuration.keys
        asked = [name for name in key or keys if name in keys]
        listed = [{"key": name, "readonly": keys[name].readonly, "value": keys[name].value} for name in asked]
        unknown = [name for name in key or [] if name not in keys]
        return call_result.GetConfiguration(configuration_key=listed, unknown_key=unknown)

    @on(Action.change_configuration)
    def on_change_configuration(self, key: str, value: str, **_: Any) -> Any:
        """Set a key; intervals act at once."""
        return call_result.ChangeConfiguration(status=self._orders.configure(key, value))

    @on(Action.trigger_message)
    def on_trigger_message(self, requested_message: str, connector_id: int | None = None, **_: Any) -> Any:
        """Send a message soon."""
        return call_result.TriggerMessage(status=self._orders.trigger(requested_message, connector_id))

    @on(Action.reset)
    def on_reset(self, type: str, **_: Any) -> Any:  # noqa: A002 - the wire's name
        """Reboot soon."""
        return call_result.Reset(status=self._orders.reset(type))

    @on(Action.unlock_connector)
    def on_unlock_connector(self, **_: Any) -> Any:
        """There is no lock."""
        return call_result.UnlockConnector(status="NotSupported")

    @on(Action.clear_cache)
    def on_clear_cache(self, **_: Any) -> Any:
        """There is nothing in it."""
        return call_result.ClearCache(status="Accepted")

    @on(Action.data_transfer)
    def on_data_transfer(self, **_: Any) -> Any:
        """No vendor is known."""
        return call_result.DataTransfer(status="UnknownVendorId")
