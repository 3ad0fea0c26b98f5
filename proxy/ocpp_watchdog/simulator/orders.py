"""The orders a central system gives, and what a simulated charge point answers: obedience, or what faults make of it.

Each method is one action; its result is the status of the answer, and what follows happens at a later tick.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from .connector import Connector
from .limits import NOMINAL_VOLTS, SMALLEST_AMPERES
from .wallbox import Outgoing, Wallbox

FOLLOWS_SECONDS = 0.3
"""From the answer to a remote start or stop to what it leads to."""


class Orders:
    """The ears of one wallbox."""

    def __init__(self, wallbox: Wallbox) -> None:
        self.box = wallbox

    def swallows(self, action: str, payload: Mapping[str, Any]) -> bool:
        """Whether a CALL is never answered; some faults act on it even so."""
        if action in self.box.faults.unanswered:
            return True
        if action != "SetChargingProfile":
            return False
        number = int(payload.get("connectorId", 0))
        faults = self.box.faults_on(number)
        if faults.drops_at_stop and _is_stop(payload.get("csChargingProfiles", {})):
            self.box.tell("connection_dropped", number)
            self.box.network.drop()
            return True
        return faults.profile_answer == "none"

    def set_profile(self, number: int, profile: Mapping[str, Any]) -> str:
        """SetChargingProfile."""
        faults = self.box.faults_on(number)
        if faults.profile_answer != "accepted" or not self._has_a_place(number, profile):
            self.box.tell("profile_rejected", number)
            return "Rejected"
        if not faults.one_shape or _is_in_shape(profile):
            self.box.profiles.install(number, profile)
        self._mend(number, profile)
        self.box.tell("profile_accepted", number, limit=_first_limit(profile), unit=_unit(profile))
        if _is_stop(profile):
            if faults.ignores_zero or faults.ignores_all_limits:
                self.box.tell("stop_ignored", number, amperes=faults.stuck_amperes)
            if faults.reboots_at_stop:
                self.box.later(1.0, partial(self.box.reboot, forget=True))
        return "Accepted"

    def _mend(self, number: int, profile: Mapping[str, Any]) -> None:
        """Some obey what is said twice, or what is said of the running transaction alone."""
        connector = self.box.connectors.get(number)
        if connector is None:
            return
        is_stop, is_tx = _is_stop(profile), profile.get("chargingProfilePurpose") == "TxProfile"
        faults = connector.faults
        connector.mended = (faults.obeys_repeats and is_stop and connector.stops_ignored > 0) or (
            faults.obeys_tx_profiles and (is_tx or (connector.mended and is_stop))
        )
        connector.stops_ignored = connector.stops_ignored + 1 if is_stop else 0

    def _has_a_place(self, number: int, profile: Mapping[str, Any]) -> bool:
        """ChargePointMaxProfile belongs on connector 0, TxProfile on one with a transaction (OCPP 1.6 §3.13.1)."""
        connector = self.box.connectors.get(number)
        match profile.get("chargingProfilePurpose"):
            case "ChargePointMaxProfile":
                return number == 0
            case "TxProfile":
                return connector is not None and connector.transaction is not None
        return number == 0 or connector is not None

    def composite(self, number: int, seconds: int, unit: str | None) -> list[dict[str, float]]:
        """The periods of GetCompositeSchedule in ``unit`` (A by default)."""
        connector = self.box.connectors.get(number)
        running = connector.running() if connector else None
        options = self.box.options
        factor = NOMINAL_VOLTS * options.phases if unit == "W" else 1.0
        periods = self.box.profiles.periods(number, self.box.utc(), seconds, running, options.max_amperes)
        return [{"start_period": start, "limit": round(amperes * factor, 1)} for start, amperes in periods]

    def remote_start(self, number: int | None, id_tag: str, profile: Mapping[str, Any] | None) -> str:
        """RemoteStartTransaction: needs a car that is plugged in and no transaction."""
        for connector in self.box.connectors.values():
            free = connector.transaction is None and connector.available and not connector.finished
            if number not in {None, connector.number} or connector.plugged_since is None or not free:
                continue
            if profile is not None:
                self.box.profiles.install(connector.number, profile)
            self.box.later(FOLLOWS_SECONDS, partial(self._start, connector, id_tag))
            return "Accepted"
        return "Rejected"

    def _start(self, connector: Connector, id_tag: str) -> None:
        if connector.transaction is None and connector.plugged_since is not None:
            self.box.begin(connector, id_tag)

    def remote_stop(self, transaction_id: int) -> str:
        """RemoteStopTransaction."""
        for connector in self.box.connectors.values():
            transaction = connector.transaction
            if transaction is None or transaction.transaction_id != transaction_id:
                continue
            match connector.faults.remote_stop:
                case "refused":
                    return "Rejected"
                case "ignored":
                    self.box.tell("remote_stop_ignored", connector.number)
                    return "Accepted"
                case "transaction_only":
                    connector.keeps_flowing = True
                case "obeyed":
                    pass
            self.box.later(FOLLOWS_SECONDS, partial(self.box.end, connector, "Remote"))
            return "Accepted"
        return "Rejected"

    def change_availability(self, number: int, *, operative: bool) -> str:
        """ChangeAvailability. A running transaction goes on (Scheduled)."""
        concerned = self._concerned(number)
        if not concerned:
            return "Rejected"
        for connector in concerned:
            connector.available = operative
            if not operative and connector.faults.inoperative_stops:
                self.box.later(FOLLOWS_SECONDS, partial(self.box.end, connector, "Other"))
        busy = not operative and any(each.transaction is not None for each in concerned)
        return "Scheduled" if busy else "Accepted"

    def configure(self, key: str, value: str) -> str:
        """ChangeConfiguration. A new sample interval acts at once."""
        status = self.box.configuration.change(key, value)
        if status == "Accepted" and key == "MeterValueSampleInterval":
            soonest = self.box.clock.mono() + self.box.configuration.seconds(key)
            for connector in self.box.connectors.values():
                connector.next_sample = min(connector.next_sample, soonest)
        return status

    def trigger(self, requested: str, number: int | None) -> str:
        """TriggerMessage; the message follows the answer."""
        concerned = self._concerned(number)
        if not concerned:
            return "Rejected"
        match requested:
            case "MeterValues":
                for connector in concerned:
                    self.box.later(0.0, partial(self.box.sample, connector, "Trigger"))
            case "StatusNotification":
                for connector in concerned:
                    self.box.later(0.0, partial(self.box.report, connector, always=True))
            case "BootNotification":
                self.box.network.post(Outgoing(self.box.boot_notification()))
            case "Heartbeat":
                self.box.network.post(Outgoing(self.box.heartbeat()))
            case _:
                return "NotImplemented"
        return "Accepted"

    def reset(self, kind: str) -> str:
        """Reset: transactions end, then the charge point is away for a while."""
        if self.box.faults.ignores_reset:
            return "Rejected"
        for connector in self.box.connectors.values():
            connector.keeps_flowing = False
            self.box.later(0.5, partial(self.box.end, connector, f"{kind}Reset"))
        self.box.later(2.0, partial(self.box.reboot, forget=False))
        return "Accepted"

    def _concerned(self, number: int | None) -> list[Connector]:
        """The connectors an order means; 0 and None mean all."""
        return [each for each in self.box.connectors.values() if number in {None, 0, each.number}]


def _is_in_shape(profile: Mapping[str, Any]) -> bool:
    """The one shape an AcTEC EV-AC22K obeys."""
    schedule = profile.get("chargingSchedule", {})
    periods = schedule.get("chargingSchedulePeriod") or [{}]
    wanted = {
        "chargingProfileId": 231,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "recurrencyKind": "Daily",
    }
    of_schedule = {"duration": 86_400, "chargingRateUnit": "W", "minChargingRate": 0}
    return (
        all(profile.get(name) == value for name, value in wanted.items())
        and all(schedule.get(name) == value for name, value in of_schedule.items())
        and "T00:00:00" in str(schedule.get("startSchedule"))
        and periods[0].get("numberPhases") == 3
    )


def _first_limit(profile: Mapping[str, Any]) -> float:
    periods = profile.get("chargingSchedule", {}).get("chargingSchedulePeriod") or [{}]
    return float(periods[0].get("limit", SMALLEST_AMPERES))


def _unit(profile: Mapping[str, Any]) -> str:
    return str(profile.get("chargingSchedule", {}).get("chargingRateUnit", "A"))


def _is_stop(profile: Mapping[str, Any]) -> bool:
    """Whether a profile orders less than 6 A per phase."""
    limit = _first_limit(profile)
    return limit < (SMALLEST_AMPERES * NOMINAL_VOLTS if _unit(profile) == "W" else SMALLEST_AMPERES)
