"""What Prometheus reads: complete from the first moment, bounded, and valid in both formats."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse
from prometheus_client.samples import Sample

from ocpp_watchdog.core.decisions import (
    ConnectorView,
    CountKind,
    EvidenceRecord,
    Finding,
    FindingKind,
    Phase,
    Severity,
    StationView,
    StepKind,
    StepOutcome,
)
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId, Direction, Moment, UniqueId
from ocpp_watchdog.shell.metrics import Metrics, RelayNumbers, Told
from ocpp_watchdog.shell.metrics.rows import STEP_OUTCOMES
from ocpp_watchdog.shell.tally import Tally
from shell_fakes import FakeClock
from views import ORDERED, connector_view, episode_view, reading, station_view, step_record

CONNECTOR = {"charge_point": "box", "connector": "1"}


class Room:
    """A registry with one collector and what feeds it."""

    def __init__(self, *views: StationView) -> None:
        self.clock = FakeClock()
        self.tally = Tally()
        self.relay = RelayNumbers()
        self.views: list[Callable[[Moment], StationView]] = [lambda _, seen=seen: seen for seen in views]  # type: ignore[misc]
        self.registry = CollectorRegistry()
        self.told: dict[str, dict[tuple[str, ...], float]] = {}
        build = {"version": "9.9.9", "python": "3.99"}
        self.registry.register(
            Metrics(self.clock, self.tally, lambda: self.views, lambda: self.relay, build, told=(lambda: self.told,))
        )

    def value(self, name: str, **labels: str) -> float:
        value = self.registry.get_sample_value("ocpp_watchdog_" + name, labels)
        assert value is not None, f"{name}{labels} is missing"
        return value

    def of_connector(self, name: str, **labels: str) -> float:
        return self.value(name, **CONNECTOR, **labels)

    def of_box(self, name: str, **labels: str) -> float:
        return self.value(name, charge_point="box", **labels)

    def samples(self, name: str) -> list[Sample]:
        return [sample for family in self.registry.collect() for sample in family.samples if sample.name == name]


def seen(connector: ConnectorView) -> Room:
    return Room(station_view(connector))


def test_every_series_of_a_charge_point_exists_as_soon_as_it_is_connected() -> None:
    room = Room(station_view())
    for gauge in (
        "commanded_limit_amperes",
        "commanded_limit_watts",
        "limit_in_force_amperes",
        "measured_power_watts",
        "last_meter_values_timestamp_seconds",
        "episode_open_since_timestamp_seconds",
    ):
        assert math.isnan(room.of_connector(gauge)), f"{gauge}: 0 would be a stop order, or a lie"
    assert math.isnan(room.of_connector("measured_current_amperes", phase="L2"))
    assert math.isnan(room.value("clock_skew_seconds", charge_point="box"))
    assert room.of_connector("episodes_total") == 0
    assert room.of_connector("energy_against_orders_watthours_total") == 0
    assert room.of_connector("transaction_open") == 0
    assert room.of_box("steps_total", step="remote_stop", outcome="proved") == 0
    assert room.of_box("observed_steps_total") == 0
    assert math.isnan(room.of_box("maintenance_until_timestamp_seconds"))
    assert room.of_connector("finding", finding="stale_meter") == 0
    assert room.of_connector("phase", phase="unknown") == 1


def test_a_stop_order_of_zero_is_zero_and_not_unknown() -> None:
    room = seen(connector_view())
    assert room.of_connector("commanded_limit_amperes") == 0
    assert room.of_connector("commanded_limit_watts") == 0
    assert room.of_connector("limit_in_force_amperes") == 0


def test_what_flows_is_shown_per_phase() -> None:
    room = seen(connector_view())
    assert room.of_connector("measured_current_amperes", phase="L1") == 6.52
    assert room.of_connector("measured_power_watts") == 4290
    assert room.of_connector("last_meter_values_timestamp_seconds") == 1_759_324_792.0


def test_a_current_without_phase_is_shown_under_any() -> None:
    room = seen(connector_view(reading=reading(currents=(None, None, None), current=9.5)))
    assert room.of_connector("measured_current_amperes", phase="any") == 9.5
    assert math.isnan(room.of_connector("measured_current_amperes", phase="L1"))


def test_the_phase_is_one_hot() -> None:
    room = seen(connector_view())
    assert {phase: room.of_connector("phase", phase=phase) for phase in Phase} == {
        phase: float(phase is Phase.VIOLATING) for phase in Phase
    }


def test_findings_are_flags() -> None:
    room = seen(connector_view(findings=(Finding(FindingKind.STOP_REFUSED, Severity.CRITICAL),)))
    raised = {kind for kind in FindingKind if room.of_connector("finding", finding=kind) == 1}
    assert raised == {FindingKind.STOP_REFUSED}


def test_an_open_episode_shows_since_when_and_a_closed_one_does_not() -> None:
    room = seen(connector_view())
    assert room.of_connector("episode_open_since_timestamp_seconds") == 1_759_324_792.0
    over = seen(connector_view(episode=episode_view(ended=Moment(1.0, 1.0))))
    assert math.isnan(over.of_connector("episode_open_since_timestamp_seconds"))


def test_episodes_energy_and_steps_are_counted() -> None:
    room = seen(connector_view())
    assert room.of_connector("episodes_total") == 1
    assert room.of_connector("energy_against_orders_watthours_total") == 51.6
    assert room.of_connector("transaction_open") == 1
    assert room.of_box("steps_total", step="remote_stop", outcome="sent") == 1


def test_each_connector_has_series_of_its_own() -> None:
    room = Room(station_view(connector_view(), connector_view(connector=ConnectorId(2), phase=Phase.OBEYING)))
    assert room.value("phase", charge_point="box", connector="2", phase="obeying") == 1
    assert room.of_connector("phase", phase="obeying") == 0


def test_frames_faults_and_nonsense_come_from_plain_counters() -> None:
    room = Room()
    room.tally.frame(Direction.TO_CENTRAL_SYSTEM, "MeterValues")
    room.tally.frame(Direction.TO_CENTRAL_SYSTEM, "Nonsense")
    room.tally.nonsense[CountKind.UNDECODABLE] += 2
    room.tally.nonsense[CountKind.MENDED] += 3
    room.tally.binary_messages = 4
    room.tally.fault("judge", room.clock.now().mono)
    assert room.value("frames_total", direction="to_central_system", action="MeterValues") == 1
    assert room.value("frames_total", direction="to_central_system", action="other") == 1
    assert room.value("frames_total", direction="to_charge_point", action="other") == 0
    assert room.value("decode_failures_total") == 2
    assert room.value("peer_nonsense_total", kind="mended") == 3
    assert room.value("peer_nonsense_total", kind="binary") == 4
    assert room.value("faults_total", part="judge") == 1
    assert room.value("degraded") == 1
    room.clock.advance(301)
    assert room.value("degraded") == 0


def test_the_relays_numbers_are_shown() -> None:
    room = Room()
    room.relay = RelayNumbers({"charge_point": 2}, {"silent": 3}, duplicates=4, injected=5, withheld=6, held=7)
    assert room.value("connections", side="charge_point") == 2
    assert room.value("handshake_refusals_total", reason="silent") == 3
    assert room.value("duplicate_connections_total") == 4
    assert room.value("injected_calls_total") == 5
    assert room.value("withheld_answers_total") == 6
    assert room.value("held_calls") == 7


def test_the_relays_delay_is_a_histogram_per_direction() -> None:
    room = Room()
    for seconds in (0.00005, 0.0004, 0.0004, 7.0):
        room.tally.delay(Direction.TO_CHARGE_POINT, seconds)
    bucket = "relay_delay_seconds_bucket"
    assert room.value(bucket, direction="to_charge_point", le="0.0001") == 1
    assert room.value(bucket, direction="to_charge_point", le="0.0005") == 3
    assert room.value(bucket, direction="to_charge_point", le="1.0") == 3
    assert room.value("relay_delay_seconds_count", direction="to_charge_point") == 4
    assert room.value("relay_delay_seconds_sum", direction="to_charge_point") == pytest.approx(7.00085)
    assert room.value("relay_delay_seconds_count", direction="to_central_system") == 0


def test_the_build_is_named() -> None:
    assert Room().value("build_info", version="9.9.9", python="3.99") == 1


def full(connector: int) -> ConnectorView:
    """A connector about which everything is known."""
    findings = tuple(Finding(kind, Severity.CRITICAL) for kind in FindingKind)
    steps = tuple((kind, outcome, 1) for kind in StepKind for outcome in StepOutcome)
    return connector_view(connector=ConnectorId(connector), findings=findings, steps=steps)


@pytest.mark.parametrize(("connectors", "most"), [(1, 70), (2, 100)])
def test_W11_the_series_of_one_charge_point_are_few(connectors: int, most: int) -> None:
    room = Room(station_view(*(full(number) for number in range(1, connectors + 1)), vendor="V", model="M"))
    room.told = {"sessions": {("box",): 3}, "last_message_timestamp_seconds": {("box",): 1.0}}
    of_box = [
        sample for family in room.registry.collect() for sample in family.samples if "charge_point" in sample.labels
    ]
    whole_ladder = (6 - len(StepKind)) * len(STEP_OUTCOMES)
    assert 40 < len(of_box) + whole_ladder <= most


def test_frames_and_delay_are_not_kept_per_charge_point() -> None:
    room = Room(station_view())
    for name in ("frames_total", "relay_delay_seconds_bucket"):
        assert all("charge_point" not in sample.labels for sample in room.samples("ocpp_watchdog_" + name))


def test_nothing_is_a_label_twice() -> None:
    room = Room(station_view(full(1), full(2)), station_view(full(1), charge_point=ChargePointId("other")))
    every = [
        (sample.name, *sorted(sample.labels.items())) for family in room.registry.collect() for sample in family.samples
    ]
    assert len(every) == len(set(every))


def test_every_outcome_of_a_step_has_one_place() -> None:
    passing = {StepOutcome.WAITING, StepOutcome.ACCEPTED}
    places = [outcome for outcomes in STEP_OUTCOMES.values() for outcome in outcomes]
    assert sorted(places) == sorted(set(StepOutcome) - passing - {StepOutcome.WOULD_SEND})


def test_steps_of_all_connectors_are_added_up_and_what_observe_would_send_is_apart() -> None:
    steps = (
        (StepKind.REMOTE_STOP, StepOutcome.REFUSED, 2),
        (StepKind.REMOTE_STOP, StepOutcome.NOT_PROVED, 3),
        (StepKind.REMOTE_STOP, StepOutcome.WOULD_SEND, 4),
    )
    room = Room(station_view(connector_view(steps=steps), connector_view(connector=ConnectorId(2), steps=steps)))
    assert room.of_box("steps_total", step="remote_stop", outcome="failed") == 10
    assert room.of_box("steps_total", step="remote_stop", outcome="sent") == 0
    assert room.of_box("observed_steps_total") == 8


def test_the_charge_point_is_named_in_a_series_of_its_own() -> None:
    room = Room(station_view(vendor="AcTEC", model="EV-AC22K", firmware="1.2"))
    assert room.of_box("charge_point_info", vendor="AcTEC", model="EV-AC22K", firmware="1.2") == 1


def test_maintenance_shows_its_end() -> None:
    room = Room(station_view(maintenance_until=Moment(1_759_330_000.0, 5_000.0)))
    assert room.of_box("maintenance_until_timestamp_seconds") == 1_759_330_000.0


# -- exemplars ---------------------------------------------------------------------------------------------------


def exemplars(room: Room, name: str) -> dict[str, float]:
    """Message ids of the exemplars of one counter, as OpenMetrics carries them, with their time."""
    families = parse_openmetrics(openmetrics(room.registry).decode())
    samples = [sample for family in families for sample in family.samples if sample.name == "ocpp_watchdog_" + name]
    found = [sample.exemplar for sample in samples if sample.exemplar is not None]
    return {one.labels["message_id"]: float(one.timestamp or 0) for one in found}


def decided_by(unique_id: str) -> EvidenceRecord:
    return replace(episode_view().evidence[0], reading=reading(unique_id=unique_id))


def test_an_episode_points_at_the_message_that_decided_it() -> None:
    later = replace(decided_by("m-late"), at=ORDERED.later(53.0))
    room = seen(connector_view(episode=episode_view(evidence=(decided_by("m-17"), later))))
    assert exemplars(room, "episodes_total") == {"m-17": ORDERED.utc + 43.0}


def test_an_episode_whose_deciding_message_is_not_kept_points_nowhere() -> None:
    later = replace(decided_by("m-late"), at=ORDERED.later(53.0))
    room = seen(connector_view(episode=episode_view(evidence=(later,))))
    assert exemplars(room, "episodes_total") == {}


def test_a_step_points_at_its_own_message() -> None:
    proved = step_record(StepOutcome.PROVED, unique_id=UniqueId("wd-0123456789abcdef"))
    counts = ((StepKind.REMOTE_STOP, StepOutcome.SENT, 1), (StepKind.REMOTE_STOP, StepOutcome.PROVED, 1))
    room = seen(connector_view(episode=episode_view(steps=(proved,)), steps=counts))
    assert exemplars(room, "steps_total") == {"wd-0123456789abcdef": ORDERED.utc + 43.0}
    assert len([one for one in room.samples("ocpp_watchdog_steps_total") if one.exemplar]) == 2


@pytest.mark.parametrize("unique_id", ["x" * 10_000, "new\nline", 'quo"te', "\ud800"])
def test_a_message_id_of_any_shape_leaves_both_formats_whole(unique_id: str) -> None:
    room = seen(connector_view(episode=episode_view(evidence=(decided_by(unique_id),))))
    assert len(exemplars(room, "episodes_total")) == 1
    assert list(parse(generate_latest(room.registry).decode()))


# -- what other parts tell -----------------------------------------------------------------------------------------


def test_what_other_parts_tell_is_shown_under_its_name() -> None:
    room = Room(station_view())
    assert math.isnan(room.value("central_system_reachable"))
    room.told = {"central_system_reachable": {(): 1.0}, "sessions": {("box",): 7.0}}
    assert room.value("central_system_reachable") == 1
    assert room.of_box("sessions_total") == 7


def test_P11_a_part_that_cannot_tell_hides_no_other() -> None:
    def broken() -> Told:
        raise RuntimeError("no numbers")

    tally = Tally()
    parts: tuple[Callable[[], Told], ...] = (broken, lambda: {"central_system_reachable": {(): 0.0}})
    text = generate_latest(Metrics(FakeClock(), tally, list, RelayNumbers, {}, told=parts).frozen()).decode()
    assert "ocpp_watchdog_central_system_reachable 0.0" in text
    assert tally.faults["metrics"] == 1


# -- formats -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed")
def test_promtool_has_nothing_to_complain_about() -> None:
    room = Room(station_view(full(1), vendor="V", model="M", firmware="1"))
    room.relay = RelayNumbers({"charge_point": 2}, {"silent": 3})
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=generate_latest(room.registry), capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


@pytest.mark.parametrize("name", ["plain", 'quo"te', "back\\slash", "new\nline", "\ud800 surrogate", "Zoë"])
def test_both_formats_can_be_parsed_whatever_a_charge_point_is_called(name: str) -> None:
    room = Room(station_view(connector_view(), charge_point=ChargePointId(name)))
    plain = list(parse(generate_latest(room.registry).decode()))
    modern = list(parse_openmetrics(openmetrics(room.registry).decode()))
    assert {family.name for family in plain} >= {"ocpp_watchdog_phase", "ocpp_watchdog_frames"}
    connected = next(family for family in modern if family.name == "ocpp_watchdog_connected")
    assert connected.samples[0].labels["charge_point"] == name.replace("\ud800", "?")


def test_P11_a_station_that_cannot_be_seen_hides_no_other() -> None:
    room = Room(station_view(charge_point=ChargePointId("good")))

    def broken(_: Moment) -> StationView:
        raise RuntimeError("no view")

    room.views.insert(0, broken)
    assert room.value("connected", charge_point="good") == 1
    assert room.tally.faults["metrics"] == 1


def test_a_frozen_look_does_not_ask_the_stations_again() -> None:
    asked: list[Moment] = []

    def view(now: Moment) -> StationView:
        asked.append(now)
        return station_view()

    metrics = Metrics(FakeClock(), Tally(), lambda: [view], RelayNumbers, {})
    look = metrics.frozen()
    assert len(asked) == 1
    assert b'ocpp_watchdog_connected{charge_point="box"} 1.0' in generate_latest(look)
    assert len(asked) == 1


def test_registering_asks_no_station() -> None:
    def broken(_: Moment) -> StationView:
        raise AssertionError("asked too early")

    registry, clock = CollectorRegistry(), FakeClock()
    registry.register(Metrics(clock, Tally(), lambda: [broken], RelayNumbers, {}))
