"""Every series there is, in one table: what ``/metrics`` shows, and what docs/metrics.md is written from.

Base units in the names; energy is in watt-hours, as on the meter and the bill (docs/decisions/0006). Labels are
bounded: a charge point is a label once the central system accepted it, an action only when OCPP 1.6 knows it. All
series of a charge point exist from its connection on: counters at 0, gauges at NaN until known, because a commanded
limit of 0 is a stop order and not a default. A charge point with two connectors has at most 100 series.
"""

from __future__ import annotations

from ocpp_watchdog.core.decisions import CountKind
from ocpp_watchdog.core.repairs import KINDS
from ocpp_watchdog.shell.metrics.rows import (
    connected,
    currents,
    episodes,
    findings,
    frames,
    identities,
    nonsense,
    observed_steps,
    of_connectors,
    of_stations,
    one,
    open_since,
    phases,
    steps,
)
from ocpp_watchdog.shell.metrics.series import DelaySeries, Kind, Row, Series, told
from ocpp_watchdog.shell.tally import PARTS

CHARGE_POINT = ("charge_point",)
CONNECTOR = ("charge_point", "connector")
STORE = ("store",)
NOTIFICATION_OUTCOMES = ("delivered", "undelivered", "dropped")
HEARTBEAT_OUTCOMES = ("sent", "failed", "withheld")
ADMIN_REFUSALS = ("host", "address", "password", "origin")

# -- the table -----------------------------------------------------------------------------------------------------

OF_CHARGE_POINTS: tuple[Series | DelaySeries, ...] = (
    Series(
        "connected",
        Kind.GAUGE,
        "1 while a session of this charge point is open. Listed charge points have it before they connect.",
        CHARGE_POINT,
        connected,
    ),
    Series(
        "charge_point",
        Kind.INFO,
        "What the charge point says it is (BootNotification); empty until it says so.",
        ("charge_point", "vendor", "model", "firmware"),
        identities,
    ),
    Series(
        "clock_skew_seconds",
        Kind.GAUGE,
        "Charge point's clock minus ours. NaN until known.",
        CHARGE_POINT,
        of_stations(lambda view: view.clock_skew_seconds),
    ),
    Series(
        "enforcing",
        Kind.GAUGE,
        "1 in mode enforce, 0 in mode observe.",
        CHARGE_POINT,
        of_stations(lambda view: float(view.mode == "enforce")),
    ),
    Series(
        "maintenance_until_timestamp_seconds",
        Kind.GAUGE,
        "Until when the owner wants this charge point only observed. NaN: no maintenance.",
        CHARGE_POINT,
        of_stations(lambda view: view.maintenance_until.utc if view.maintenance_until else None),
    ),
    Series(
        "sessions",
        Kind.COUNTER,
        "Sessions of this charge point that were opened.",
        CHARGE_POINT,
        told("sessions", CHARGE_POINT),
    ),
    Series(
        "last_message_timestamp_seconds",
        Kind.GAUGE,
        "When the charge point sent its last message, by our clock. NaN: none came yet.",
        CHARGE_POINT,
        told("last_message_timestamp_seconds", CHARGE_POINT),
    ),
    Series(
        "steps",
        Kind.COUNTER,
        "Steps of the ladder, all connectors, by what became of them. A step that was sent is proved or failed later.",
        ("charge_point", "step", "outcome"),
        steps,
    ),
    Series(
        "observed_steps",
        Kind.COUNTER,
        "Steps that would have been sent in mode enforce; mode observe only.",
        CHARGE_POINT,
        observed_steps,
    ),
)

OF_CONNECTORS: tuple[Series | DelaySeries, ...] = (
    Series(
        "commanded_limit_amperes",
        Kind.GAUGE,
        "Newest order of the central system, per phase. 0 is a stop order. NaN: none is known.",
        CONNECTOR,
        of_connectors(lambda seen: seen.commanded.amperes if seen.commanded else None),
    ),
    Series(
        "commanded_limit_watts",
        Kind.GAUGE,
        "Newest order of the central system, all phases. 0 is a stop order. NaN: none is known.",
        CONNECTOR,
        of_connectors(lambda seen: seen.commanded.watts if seen.commanded else None),
    ),
    Series(
        "limit_in_force_amperes",
        Kind.GAUGE,
        "Limit made of the accepted commands only, per phase. NaN: none is known.",
        CONNECTOR,
        of_connectors(lambda seen: seen.in_force.amperes if seen.in_force else None),
    ),
    Series(
        "measured_current_amperes",
        Kind.GAUGE,
        "Current.Import of the last meter values; phase any: the charge point names none. NaN until known.",
        (*CONNECTOR, "phase"),
        currents,
    ),
    Series(
        "measured_power_watts",
        Kind.GAUGE,
        "Power.Active.Import of the last meter values, all phases, as reported. NaN until known.",
        CONNECTOR,
        of_connectors(lambda seen: seen.reading.power if seen.reading else None),
    ),
    Series(
        "last_meter_values_timestamp_seconds",
        Kind.GAUGE,
        "When the last meter values arrived, by our clock. NaN: none came.",
        CONNECTOR,
        of_connectors(lambda seen: seen.reading_at.utc if seen.reading_at else None),
    ),
    Series(
        "transaction_open",
        Kind.GAUGE,
        "1 while a transaction runs, 0 while none is known.",
        CONNECTOR,
        of_connectors(lambda seen: float(seen.transaction_open), 0.0),
    ),
    Series(
        "phase",
        Kind.GAUGE,
        "1 for the phase the judge sees this connector in, 0 for the others.",
        (*CONNECTOR, "phase"),
        phases,
    ),
    Series("finding", Kind.GAUGE, "1 while the judge holds this finding.", (*CONNECTOR, "finding"), findings),
    Series(
        "episodes",
        Kind.COUNTER,
        "Ignored stops found out. Its exemplar is the message id of the deciding meter values.",
        CONNECTOR,
        episodes,
    ),
    Series(
        "episode_open_since_timestamp_seconds",
        Kind.GAUGE,
        "When the open episode (an ignored stop) was found out. NaN: none is open.",
        CONNECTOR,
        open_since,
    ),
    Series(
        "energy_against_orders_watthours",
        Kind.COUNTER,
        "Energy that flowed against stop orders; from the register where there is one, else integrated.",
        CONNECTOR,
        of_connectors(lambda seen: seen.energy_against_orders_wh, 0.0),
    ),
)

OF_TRAFFIC: tuple[Series | DelaySeries, ...] = (
    Series("frames", Kind.COUNTER, "Messages judged, by direction and action.", ("direction", "action"), frames),
    DelaySeries(
        "relay_delay_seconds",
        "From the arrival of bytes to their being handed on; judging comes after and is not in it. "
        "A sample: the first read of each connection and one in 16 from then on.",
        ("direction",),
        lambda look: (((direction,), delays) for direction, delays in look.tally.delays.items()),
    ),
    Series(
        "connections",
        Kind.GAUGE,
        "Open connections per side.",
        ("side",),
        lambda look: (Row((side,), count) for side, count in look.relay.connections.items()),
    ),
    Series(
        "handshake_refusals",
        Kind.COUNTER,
        "Charge points that got no session, by reason.",
        ("reason",),
        lambda look: (Row((reason,), count) for reason, count in look.relay.refusals.items()),
    ),
    Series(
        "duplicate_connections",
        Kind.COUNTER,
        "Second connections of a charge point id that was in use.",
        (),
        one(lambda look: look.relay.duplicates),
    ),
    Series(
        "injected_calls",
        Kind.COUNTER,
        "CALLs of our own that were written.",
        (),
        one(lambda look: look.relay.injected),
    ),
    Series(
        "withheld_answers",
        Kind.COUNTER,
        "Answers to CALLs of our own, kept from the central system.",
        (),
        one(lambda look: look.relay.withheld),
    ),
    Series(
        "held_calls",
        Kind.GAUGE,
        "CALLs of the central system that wait while one of ours is open.",
        (),
        one(lambda look: look.relay.held),
    ),
    Series(
        "decode_failures",
        Kind.COUNTER,
        "Messages that are not OCPP-J; they were forwarded.",
        (),
        one(lambda look: look.tally.nonsense[CountKind.UNDECODABLE]),
    ),
    Series(
        "peer_nonsense",
        Kind.COUNTER,
        "Odd things a peer sent, by kind; they were forwarded.",
        ("kind",),
        nonsense,
    ),
    Series(
        "central_system_reachable",
        Kind.GAUGE,
        "1 while a session is open or when the last dial was answered, 0 when not. NaN until it was dialled.",
        (),
        told("central_system_reachable"),
    ),
)

OF_OURSELVES: tuple[Series | DelaySeries, ...] = (
    Series(
        "faults",
        Kind.COUNTER,
        "What broke in a part of ours while frames went on.",
        ("part",),
        lambda look: (Row((part,), look.tally.faults[part]) for part in PARTS),
    ),
    Series(
        "repairs",
        Kind.GAUGE,
        "Charge points that the owner switched this repair on for (docs/repairs.md).",
        ("repair",),
        lambda look: (Row((name,), look.tally.repairs[name]) for name in KINDS),
    ),
    Series(
        "repaired_messages",
        Kind.COUNTER,
        "Messages that this repair changed, or answered in the place of whom they were meant for.",
        ("repair",),
        lambda look: (Row((name,), look.tally.repaired[name]) for name in KINDS),
    ),
    Series(
        "dangerous_commands",
        Kind.COUNTER,
        "Commands that passed and are known to harm the device (docs/devices.md); none is held back.",
        (),
        one(lambda look: look.tally.dangerous_commands),
    ),
    Series(
        "degraded",
        Kind.GAUGE,
        "1 when something of ours broke within the last five minutes.",
        (),
        one(lambda look: float(look.tally.is_degraded(look.now.mono))),
    ),
    Series(
        "notifications",
        Kind.COUNTER,
        "Messages to people, by the way they went and what became of them.",
        ("way", "outcome"),
        lambda look: (
            Row((way, outcome), look.tally.notifications[way, outcome])
            for way in look.tally.ways
            for outcome in NOTIFICATION_OUTCOMES
        ),
    ),
    Series(
        "notifications_waiting",
        Kind.GAUGE,
        "Messages to people that are not delivered yet.",
        ("way",),
        lambda look: (Row((way,), look.tally.notifications_waiting[way]) for way in look.tally.ways),
    ),
    Series(
        "heartbeats",
        Kind.COUNTER,
        "Signs of life; withheld: the judge was not alive.",
        ("outcome",),
        lambda look: (Row((outcome,), look.tally.heartbeats[outcome]) for outcome in HEARTBEAT_OUTCOMES),
    ),
    Series(
        "admin_refusals",
        Kind.COUNTER,
        "Requests to this page that were refused, by reason.",
        ("reason",),
        lambda look: (Row((reason,), look.tally.admin_refusals[reason]) for reason in ADMIN_REFUSALS),
    ),
    Series(
        "journal_oldest_unwritten_timestamp_seconds",
        Kind.GAUGE,
        "When the oldest came that is not safely on the disk yet. NaN: everything is, or there is no journal.",
        STORE,
        told("journal_oldest_unwritten_timestamp_seconds", STORE),
    ),
    Series(
        "journal_size_bytes",
        Kind.GAUGE,
        "Bytes of the journal, at the last look.",
        STORE,
        told("journal_size_bytes", STORE),
    ),
    Series(
        "journal_written",
        Kind.COUNTER,
        "Frames and facts written.",
        STORE,
        told("journal_written", STORE),
    ),
    Series(
        "journal_dropped",
        Kind.COUNTER,
        "Frames and facts that were not journaled, because the disk or the database took none or damaged them.",
        STORE,
        told("journal_dropped", STORE),
    ),
    Series(
        "journal_failures",
        Kind.COUNTER,
        "Writes that failed; they are tried again.",
        STORE,
        told("journal_failures", STORE),
    ),
    Series(
        "journal_set_aside",
        Kind.COUNTER,
        "Damaged databases that were put aside for a fresh one.",
        (),
        told("journal_set_aside", unknown=0.0),
    ),
    Series(
        "build",
        Kind.INFO,
        "What runs here.",
        ("version", "python"),
        lambda look: (Row((look.build.get("version", ""), look.build.get("python", "")), 1.0),),
    ),
)

TABLE = (*OF_CHARGE_POINTS, *OF_CONNECTORS, *OF_TRAFFIC, *OF_OURSELVES)
