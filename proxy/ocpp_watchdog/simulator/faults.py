"""The ways in which a charge point can misbehave, as values, and the names under which they can be asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

RemoteStop = Literal["obeyed", "ignored", "refused", "transaction_only"]
ProfileAnswer = Literal["accepted", "rejected", "none"]


@dataclass(frozen=True, slots=True)
class Faults:
    """One character of a charge point. The defaults obey."""

    summary: str = "obeys every order"
    """One line for a person who chooses."""
    ignores_zero: bool = False
    """A limit below 6 A is accepted and has no effect on the current."""
    ignores_all_limits: bool = False
    """No limit has any effect: the current stays at ``stuck_amperes`` (the field case: 6, 7, 11 and 0 A)."""
    stuck_amperes: float = 6.5
    """Amperes per phase that go on flowing when an order is ignored."""
    stop_after_seconds: float = 1.0
    """How long current goes on after an order to reduce it."""
    frozen_meter: bool = False
    """After a 0 A order the last readings are repeated, digit for digit, the register too."""
    hidden_flow: bool = False
    """After a 0 A order current and power are reported as zero; the register goes on counting."""
    silent_when_suspended: bool = False
    """No meter values at all while a 0 A order stands."""
    claims_suspended: bool = False
    """SuspendedEVSE is reported while a 0 A order stands, whatever flows."""
    remote_stop: RemoteStop = "obeyed"
    """``ignored``: Accepted, and nothing happens; ``refused``: Rejected; ``transaction_only``: the transaction is
    stopped, the current is not."""
    profile_answer: ProfileAnswer = "accepted"
    """How SetChargingProfile is answered; what is not accepted is not installed."""
    clock_offset_seconds: float = 0.0
    """How far the charge point's clock is ahead (behind: below zero); schedules begin by that clock."""
    power_factor: float = 1.0
    """Reported power is the true power times this."""
    voltage_zero: bool = False
    """Voltage is reported as 0.0 during a transaction."""
    invalid_json: bool = False
    """MeterValues are no valid JSON while current flows: ``"sampledValue":[,{``."""
    drops_at_stop: bool = False
    """The TCP connection is dropped, without a Close, when a 0 A order arrives; it is never answered."""
    reboots_at_stop: bool = False
    """A 0 A order is accepted, then the charge point reboots, has lost its profiles, and charges on."""
    answer_seconds: float = 0.0
    """How long each answer takes."""
    unanswered: frozenset[str] = frozenset()
    """Actions that are never answered and have no effect."""
    one_shape: bool = False
    """SetChargingProfile is obeyed in one shape in watts only (`orders.py`); others are accepted, without effect."""
    firmware_seconds: float | None = None
    """FirmwareStatusNotification Installed is sent so often; None: never."""
    impossible_times: bool = False
    """StatusNotification carries ``0000-00-00T00:00:00.000Z``."""
    violating_connectors: frozenset[int] | None = None
    """Only these connectors misbehave; None: all."""
    obeys_repeats: bool = False
    """A 0 A order that is ignored is obeyed when it comes a second time."""
    obeys_tx_profiles: bool = False
    """TxDefaultProfiles are ignored while a transaction runs, a TxProfile is obeyed (the older reading of OCPP)."""
    inoperative_stops: bool = False
    """Out of service means at once: the transaction ends."""
    ignores_reset: bool = False
    """Reset is answered with Rejected."""
    connectors: int = 1
    """How many connectors the charge point has, unless the options say otherwise."""

    def on(self, connector: int) -> Faults:
        """What ``connector`` is like: this, or an obedient one."""
        if self.violating_connectors is None or connector in self.violating_connectors:
            return self
        return NONE

    def stuck_at(self, amperes: float) -> Faults:
        """The same character with another current that flows on."""
        return replace(self, stuck_amperes=amperes)


NONE = Faults()
FIELD_CASE = Faults(
    summary="the field case: 0 A is accepted and ignored, about 6.5 A flow on; RemoteStop is obeyed",
    ignores_zero=True,
    ignores_all_limits=True,
)

FAULTS: dict[str, Faults] = {
    "none": NONE,
    "ignores-zero": FIELD_CASE,
    "ignores-zero-only": Faults(summary="6 to 16 A are obeyed, 0 A is accepted and ignored", ignores_zero=True),
    "obeys-late": Faults(summary="obeys, but only 20 s after the order", stop_after_seconds=20.0),
    "frozen-meter": Faults(
        summary="obeys 0 A, but repeats its last readings digit for digit, register included", frozen_meter=True
    ),
    "hidden-flow": replace(
        FIELD_CASE,
        summary="ignores 0 A and reports zero current and power; only the register shows what flows",
        hidden_flow=True,
        claims_suspended=True,
    ),
    "silent-while-suspended": Faults(
        summary="obeys, and sends no meter values while suspended", silent_when_suspended=True
    ),
    "silent-ignores": replace(
        FIELD_CASE,
        summary="ignores 0 A, says SuspendedEVSE and sends no meter values",
        silent_when_suspended=True,
        claims_suspended=True,
    ),
    "remote-stop-ignored": replace(
        FIELD_CASE, summary="ignores 0 A; accepts RemoteStopTransaction and goes on", remote_stop="ignored"
    ),
    "remote-stop-refused": replace(
        FIELD_CASE, summary="ignores 0 A; answers RemoteStopTransaction with Rejected", remote_stop="refused"
    ),
    "stops-transaction-keeps-flowing": replace(
        FIELD_CASE,
        summary="ignores 0 A; on RemoteStopTransaction stops the transaction, not the current",
        remote_stop="transaction_only",
    ),
    "profile-refused": replace(
        FIELD_CASE, summary="answers SetChargingProfile with Rejected; current flows", profile_answer="rejected"
    ),
    "profile-unanswered": replace(
        FIELD_CASE, summary="never answers SetChargingProfile; current flows", profile_answer="none"
    ),
    "wrong-clock": Faults(
        summary="its clock is 2 minutes behind: a schedule has not begun when it arrives", clock_offset_seconds=-120.0
    ),
    "power-tenth": replace(
        FIELD_CASE,
        summary="ignores 0 A; reports a tenth of the power and 0 V; the currents are right",
        power_factor=0.1,
        voltage_zero=True,
    ),
    "invalid-json": replace(
        FIELD_CASE, summary="ignores 0 A; its meter values are invalid JSON while charging", invalid_json=True
    ),
    "drops-at-stop": replace(
        FIELD_CASE, summary="drops the connection when 0 A arrives, comes back, charges on", drops_at_stop=True
    ),
    "reboots-at-stop": Faults(
        summary="accepts 0 A, reboots, has forgotten its limit and charges on", reboots_at_stop=True
    ),
    "slow-answers": replace(FIELD_CASE, summary="ignores 0 A and takes 5 s for each answer", answer_seconds=5.0),
    "two-connectors": replace(
        FIELD_CASE,
        summary="two connectors: the first obeys, the second ignores 0 A",
        violating_connectors=frozenset({2}),
        connectors=2,
    ),
    "mute-to-questions": replace(
        FIELD_CASE,
        summary="ignores 0 A; never answers ChangeAvailability, GetConfiguration or TriggerMessage",
        unanswered=frozenset({"ChangeAvailability", "GetConfiguration", "TriggerMessage"}),
    ),
    "actec": Faults(
        summary="an AcTEC EV-AC22K: mute to questions, one shape of profiles, ignores 0, odd power and times",
        ignores_zero=True,
        one_shape=True,
        power_factor=0.1,
        voltage_zero=True,
        firmware_seconds=10.0,
        impossible_times=True,
        unanswered=frozenset({"ChangeAvailability", "GetConfiguration", "TriggerMessage"}),
    ),
}

_STUBBORN = replace(FIELD_CASE, remote_stop="ignored", ignores_reset=True)
LADDER_FAULTS: dict[str, Faults] = {
    "repeat-obeyed": replace(_STUBBORN, summary="obeys 0 A only when it is repeated", obeys_repeats=True),
    "tx-profile-obeyed": replace(_STUBBORN, summary="obeys a TxProfile only", obeys_tx_profiles=True),
    "remote-stop-obeyed": replace(_STUBBORN, summary="obeys RemoteStopTransaction only", remote_stop="obeyed"),
    "inoperative-obeyed": replace(_STUBBORN, summary="obeys ChangeAvailability only", inoperative_stops=True),
    "reset-obeyed": replace(_STUBBORN, summary="obeys Reset only", ignores_reset=False),
    "nothing-obeyed": replace(_STUBBORN, summary="obeys nothing that OCPP can say"),
}
"""Each obeys one step of the ladder and nothing else."""

EVERY_FAULT: dict[str, Faults] = FAULTS | LADDER_FAULTS
"""All that can be asked for by name."""
