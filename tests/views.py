"""Snapshots and readings as the core shows them, with what a test does not care about filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ocpp_watchdog.core.decisions import (
    ConnectorView,
    EpisodeView,
    EvidenceClass,
    EvidenceRecord,
    Mode,
    Phase,
    StationView,
    StepKind,
    StepOutcome,
    StepRecord,
)
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId, Moment, TransactionId
from ocpp_watchdog.core.units import Limit

ORDERED = Moment(1_759_324_749.0, 1_000.0)
"""2025-10-01 13:19:09 UTC."""

ZERO = Limit(0.0, 0.0, 3, 0.0, None, (0,))
SIX = Limit(6.0, 4140.0, 3, 6.0, None, (0,))


def reading(**changes: Any) -> Reading:
    """The last reading of the field case."""
    usual = Reading(
        connector=ConnectorId(1),
        arrived=ORDERED.later(43.0),
        timestamp=ORDERED.utc + 43.0,
        context="Sample.Periodic",
        transaction_id=7,
        currents=(6.52, 6.30, 6.48),
        current=None,
        powers=(None, None, None),
        power=4290.0,
        energy=1234.0,
        energy_step=1.0,
        voltages=(None, None, None),
        offered_amperes=None,
        offered_watts=None,
        digits="6.52/6.3/6.48",
        power_digits="4290",
        decimals=2,
        is_dc=False,
    )
    return replace(usual, **changes)


def step_record(outcome: StepOutcome = StepOutcome.SENT, **changes: Any) -> StepRecord:
    """A stop of transaction 7."""
    usual = StepRecord(
        StepKind.REMOTE_STOP, outcome, ORDERED.later(43.0), sent=ORDERED.later(43.0), transaction_id=TransactionId(7)
    )
    return replace(usual, **changes)


def episode_view(**changes: Any) -> EpisodeView:
    """The field case when it is found out."""
    usual = EpisodeView(
        number=1,
        connector=ConnectorId(1),
        ordered=ORDERED,
        order_text='[2,"1","SetChargingProfile",{}]',
        answer="accepted",
        deadline_mono=ORDERED.mono + 40.0,
        opened=ORDERED.later(43.0),
        evidence=(EvidenceRecord(ORDERED.later(43.0), ORDERED.mono + 43.0, EvidenceClass.LIVE, None, reading()),),
        readings=(reading(),),
        steps=(),
        energy_wh=51.6,
        energy_is_integrated=True,
        alarm_only=False,
        remote_start_seen=False,
        transaction_ended=False,
    )
    return replace(usual, **changes)


def connector_view(**changes: Any) -> ConnectorView:
    """Connector 1 while the stop is ignored."""
    usual = ConnectorView(
        connector=ConnectorId(1),
        phase=Phase.VIOLATING,
        findings=(),
        commanded=ZERO,
        in_force=ZERO,
        status=None,
        transaction_id=TransactionId(7),
        transaction_open=True,
        reading=reading(),
        reading_at=ORDERED.later(43.0),
        stop_ordered=ORDERED,
        deadline_mono=ORDERED.mono + 40.0,
        episode=episode_view(),
        energy_against_orders_wh=51.6,
        episodes_total=1,
        steps=((StepKind.REMOTE_STOP, StepOutcome.SENT, 1),),
    )
    return replace(usual, **changes)


def station_view(*connectors: ConnectorView, **changes: Any) -> StationView:
    """A connected charge point."""
    usual = StationView(ChargePointId("box"), Mode.ENFORCE, True, "", "", "", None, connectors)
    return replace(usual, **changes)
